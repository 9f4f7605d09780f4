"""How long the digest takes on a large store. On demand:

    python tests/benchmarks/digest.py --store FILE [--rounds 5]

FILE is a store that `shift.py --store` built. Times `digest --out` as a person runs it, a process of its own each time,
and what of it is reading, what is writing, in this process. Prints the median and the worst in milliseconds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from alerts.edition import edition
from alerts.summary import gather
from monitor.config import load_file
from monitor.starter import write_starter
from monitor.store import open_store
from monitor.types import Lang
from tests.benchmarks.shift import NOW

DAY = timedelta(days=1)
# The command at the time of the store, when its last days are full of what the digest counts.
_THEN = """
import alerts.cli.digest
from alerts.cli import main
from tests.benchmarks.shift import NOW

alerts.cli.digest.now = lambda: NOW
main()
"""


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_starter(Path(folder))
        file = Path(folder) / "pollwatch.toml"
        url = f"sqlite:///{arguments.store.absolute()}"
        file.write_text(file.read_text("utf-8").replace("sqlite:///pollwatch.db", url), "utf-8")
        settings = load_file(file)
        store = open_store(url)
        date = settings.calendar.local_date(NOW)
        summary = gather(store, settings, date, NOW - DAY, NOW, NOW)
        print(f"{'':<34}{'median':>9}{'worst':>9}  ms")
        _timed("read", arguments.rounds, lambda: gather(store, settings, date, NOW - DAY, NOW, NOW))
        _timed("write, one language", arguments.rounds, lambda: edition(settings, summary, Lang.EN))
        store.close()
        words = [sys.executable, "-c", _THEN, "-c", str(file), "digest", "--out", str(Path(folder) / "out.eml")]
        _timed("digest --out", arguments.rounds, lambda: subprocess.run(words, check=True, capture_output=True))
    return 0


def _timed(name: str, rounds: int, work: Callable[[], Any]) -> None:
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    print(f"{name:<34}{took[len(took) // 2]:>9.0f}{took[-1]:>9.0f}")


if __name__ == "__main__":
    raise SystemExit(main())
