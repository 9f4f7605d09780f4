"""How long the triage desk takes from a key to the drawn screen. On demand:

    python tests/benchmarks/desk.py [--items 1000000] [--store FILE] [--size 120x40]

Runs `pollwatch triage` on a pseudo-terminal over a store as `shift.py` builds it, presses each key ROUNDS times, waits
for the bytes that show what the key does: the cursor in its new line, the alert's screen, a dialog. Prints the median,
p95 and the worst in milliseconds. The terminal itself is not in them: nothing is emulated, what arrives is searched for
words. With ``--store`` a store that was built before is used again (a copy of it: taking alerts changes it).
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from monitor.config import Settings, load_file
from monitor.starter import write_starter
from monitor.store import open_store
from monitor.store.migrate import upgrade
from tests.alerts.triage.terminal import Terminal, terminal
from tests.benchmarks.shift import ROTA, build

ROUNDS = 50
QUIET_S = 0.05  # so long nothing more is drawn before the next key
GOAL_MS = 50
CURSOR = b"> \x1b["  # the sign before the alert that the reviewer looks at, and the next colour


def main() -> int:
    """Build, measure, print; 1 when the median of all keys is above GOAL_MS."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path, help="keep the store here; one that exists is used as it is")
    parser.add_argument("--size", default="120x40", help="columns x lines of the terminal")
    arguments = parser.parse_args()
    columns, lines = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        settings = _prepare(Path(folder), arguments.items, arguments.store)
        with terminal(settings, "Ming", (columns, lines), emulated=False) as desk:
            started = time.perf_counter()
            desk.until(lambda: b" alerts" in desk.written and CURSOR in desk.written, "the queue")
            print(f"{'start to queue':<34}{(time.perf_counter() - started) * 1000:>9.1f}")
            took = _measure(desk)
    median = sorted(took)[len(took) // 2]
    print(f"{'all keys':<34}{median:>9.1f}  (goal: {GOAL_MS})")
    return int(median > GOAL_MS)


def _prepare(folder: Path, items: int, kept: Path | None) -> Settings:
    write_starter(folder)
    (folder / "rota.toml").write_text(ROTA, "utf-8")
    settings = load_file(folder / "pollwatch.toml")
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    source = kept or path
    if kept is None or not kept.exists():
        source.unlink(missing_ok=True)
        store = open_store(f"sqlite:///{source}", must_exist=False)
        upgrade(store)
        build(store, items)
        store.close()
    if source != path:
        shutil.copy(source, path)
    return settings


def _measure(desk: Terminal) -> list[float]:
    print(f"{'':<34}{'median':>9}{'p95':>9}{'worst':>9}  ms")
    took = _timed("one line down", lambda: _press(desk, "down", CURSOR))
    took += _timed("a page down", lambda: _press(desk, "pagedown", CURSOR), lambda: _press(desk, "pageup", CURSOR))
    took += _timed("to the end", lambda: _press(desk, "end", CURSOR), lambda: _press(desk, "g", CURSOR))

    def back() -> None:
        _press(desk, "escape", CURSOR)

    took += _timed("look at an alert", lambda: _press(desk, "enter", b"pollwatch"), back)
    took += _timed("take the most urgent", lambda: _press(desk, "n", b"You hold this alert"), back)
    return took + _timed("open a dialog", lambda: _press(desk, "f", b"Which alerts?"), back)


def _press(desk: Terminal, key: str, shows: bytes) -> float:
    """Milliseconds until the bytes that show it have come."""
    while desk.read(QUIET_S):
        continue
    desk.written = b""
    started = time.perf_counter()
    desk.press(key)
    while shows not in desk.written:
        desk.read(1)
        if time.perf_counter() - started > 30:
            raise TimeoutError(f"{key}: {shows!r} was not drawn")
    return (time.perf_counter() - started) * 1000


def _timed(name: str, work: Callable[[], float], undo: Callable[[], object] = int) -> list[float]:
    took = []
    for _ in range(ROUNDS):
        took.append(work())
        undo()
    took.sort()
    print(f"{name:<34}{took[len(took) // 2]:>9.1f}{took[int(len(took) * 0.95)]:>9.1f}{took[-1]:>9.1f}", flush=True)
    return took


if __name__ == "__main__":
    raise SystemExit(main())
