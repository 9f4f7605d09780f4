"""How long the pages of the dashboard take when the store is large. On demand:

    python tests/benchmarks/pages.py --store FILE [--rounds 5]

FILE is a store of shift.py, which is not changed: a copy is. At that store's own time, when its last days are full of
what the pages count, serves the dashboard on loopback and asks for every page,
ROUNDS times each, nothing kept from one time to the next. Prints for each the median and the worst in milliseconds,
the median of this process's own CPU time, and how many bytes it has. Exit 1 when a median is over two seconds.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from datetime import datetime, tzinfo
from pathlib import Path

from alerts.web import board, server
from monitor.config import load_file
from monitor.starter import write_starter
from monitor.store import open_store
from monitor.store.migrate import upgrade
from tests.alerts.web.desk import served
from tests.benchmarks.shift import NOW

MOST_S = 2.0
PATHS = (
    *(path.replace(r"{id:\d{1,15}}", "1000") for path in board.PAGES),
    "/incidents?page=900",
    "/healthz",
    "/metrics",
)


class Then(datetime):
    """A clock that stands at the time of the store."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # of the class it stands for
        return NOW.astimezone(tz)


def main() -> int:
    """Copy, serve, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    board.KEPT_S = server.HEALTH_FOR_S = 0.0
    board.datetime = server.datetime = Then  # type: ignore[attr-defined]  # what they took for themselves
    slow = False
    with tempfile.TemporaryDirectory() as folder:
        write_starter(Path(folder))
        shutil.copy(arguments.store, Path(folder) / "pollwatch.db")
        file = Path(folder) / "pollwatch.toml"
        file.write_text("[web]\nport = 0\n", encoding="utf-8")
        settings = load_file(file)
        store = open_store(settings.database_url)
        upgrade(store)
        print(f"{'':<24}{'median':>9}{'worst':>9}{'CPU':>9}  ms{'bytes':>12}")
        with served(store, settings) as address:
            for path in PATHS:
                took, busy, sizes = zip(*(_ask(address + path) for _ in range(arguments.rounds)), strict=True)
                median, cpu = (sorted(each)[len(each) // 2] for each in (took, busy))
                slow = slow or median > MOST_S
                figures = "".join(f"{seconds * 1000:>9.0f}" for seconds in (median, max(took), cpu))
                print(f"{path:<24}{figures}    {sizes[0]:>12,}")
        store.close()
    return int(slow)


def _ask(address: str) -> tuple[float, float, int]:
    """Seconds, seconds of CPU, bytes."""
    started, worked = time.perf_counter(), time.process_time()
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            size = len(answer.read())
    except urllib.error.HTTPError as error:  # health: something needs a person
        size = len(error.read())
    return time.perf_counter() - started, time.process_time() - worked, size


if __name__ == "__main__":
    raise SystemExit(main())
