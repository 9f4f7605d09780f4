"""Look for inputs that break a door, guided by which lines they reach (atheris, libFuzzer).

    pip install atheris
    python -m tests.fuzz parse --minutes 60 --corpus DIR      # or opml, config, classify

DIR holds inputs to begin with and grows; what breaks a door is written beside it. Make the input small, and keep it as
a test of the room that it broke.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found]  # on demand, in no list of what is needed

with atheris.instrument_imports(include=["monitor", "classifiers", "feedparser"]):
    from tests.doors import DOORS


def main() -> None:
    """Until the time is over, or until something is found."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("door", choices=DOORS)
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--corpus", type=Path, required=True)
    given = options.parse_args()
    given.corpus.mkdir(parents=True, exist_ok=True)
    DOORS[given.door](b'{"text": "warm"}')  # what is made at the first use is no fault of the first input
    limits = [f"-max_total_time={int(given.minutes * 60)}", "-timeout=10", "-rss_limit_mb=2000", "-max_len=6000"]
    found = f"-artifact_prefix={given.corpus.resolve()}-found-"
    atheris.Setup([sys.argv[0], *limits, found, str(given.corpus)], DOORS[given.door])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
