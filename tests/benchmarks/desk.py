"""How long the triage desk takes from a key to the drawn screen. On demand:

    python tests/benchmarks/desk.py [--items 1000000] [--store FILE] [--size 120x40] [--baud 9600]

Runs `pollwatch triage` on a pseudo-terminal over a store as `shift.py` builds it, presses each key ROUNDS times, waits
for the bytes with which the screen shows what the key does: the cursor in its new line, the alert, a dialog. Prints the
median, p95 and the worst in milliseconds, and the medians of the computing that the desk did for it, which other work
on the machine does not change, and of the bytes that it sent. With ``--baud`` it reads no faster than a line of so many
bits in a second brings them, and waits for the last byte. With ``--store`` a store that was built before is used again
(a copy of it: taking alerts changes it).
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
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
PATIENCE_S = 60
BITS = 10  # of a byte on a serial line
WHOLE = 1 << 16  # bytes that are read at once where nothing holds them up
SLOW_ROUNDS = 3
Lines = Sequence[str]
Condition = Callable[[Lines], bool]


def main() -> int:
    """Build, measure, print; 1 when the median of all keys is above GOAL_MS."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path, help="keep the store here; one that exists is used as it is")
    parser.add_argument("--size", default="120x40", help="columns x lines of the terminal")
    parser.add_argument("--baud", type=int, help="the terminal is behind a slow line; add its latency once to each")
    arguments = parser.parse_args()
    columns, lines = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        settings = _prepare(Path(folder), arguments.items, arguments.store)
        with terminal(settings, "Ming", (columns, lines), emulated=False) as desk:
            line = Line(desk, arguments.baud)
            print(f"{'start to queue':<34}{line.shows(_queue):>9.1f}", flush=True)
            took = _measure(line)
    median = sorted(took)[len(took) // 2]
    print(f"{'all keys':<34}{median:>9.1f}  (goal: {GOAL_MS})")
    return int(arguments.baud is None and median > GOAL_MS)


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


class Line:
    """What lies between the desk and the one who looks: keys go there at once, bytes come at most as fast as it is."""

    def __init__(self, desk: Terminal, baud: int | None) -> None:
        self._desk = desk
        self._bytes_per_s = baud / BITS if baud else None
        self.rounds = ROUNDS if baud is None else SLOW_ROUNDS
        self.computed: list[float] = []  # milliseconds, of each key
        self.sent: list[int] = []  # bytes, of each key
        self._came = 0

    def press(self, key: str, shows: Condition) -> float:
        """Milliseconds from the key to the bytes with which the screen shows what it does."""
        while self._read():
            continue
        self._desk.emulate(self._desk.written)
        self._desk.written = b""
        before = self._desk.lines
        started, self._came = self._computed(), 0
        self._desk.press(key)
        took = self.shows(lambda lines: lines != before and shows(lines))
        self.computed.append(self._computed() - started)
        self.sent.append(self._came)
        return took

    def shows(self, shows: Condition) -> float:
        """Milliseconds until it is so. What comes is drawn when nothing more does, so that drawing takes no time."""
        started = time.perf_counter()
        while time.perf_counter() - started < PATIENCE_S:
            came: list[tuple[float, int]] = []
            while self._read():
                came.append(((time.perf_counter() - started) * 1000, len(self._desk.written)))
            written, self._desk.written = self._desk.written, b""
            drawn = 0
            for at, end in came:
                self._desk.emulate(written[drawn:end])
                drawn = end
                if shows(self._desk.lines):
                    self._desk.emulate(written[end:])
                    return at if self._bytes_per_s is None else came[-1][0]
        raise TimeoutError(f"not drawn:\n{self._desk.text}")

    def _computed(self) -> float:
        """Milliseconds for which the threads of the desk were on a processor."""
        threads = Path(f"/proc/{self._desk.process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e6

    def _read(self) -> bool:
        before = len(self._desk.written)
        at_most = max(1, round(self._bytes_per_s * QUIET_S)) if self._bytes_per_s else WHOLE
        if not self._desk.read(QUIET_S, at_most):
            return False
        came = len(self._desk.written) - before
        self._came += came
        if self._bytes_per_s:
            time.sleep(came / self._bytes_per_s)
        return True


def _queue(lines: Lines) -> bool:
    """The queue is on the screen, with nothing over it, and the row at the cursor is read."""
    return any(" alerts  " in line for line in lines[:4]) and any(line.startswith("> P") for line in lines)


def _measure(line: Line) -> list[float]:
    print(f"{'':<34}{'median':>9}{'p95':>9}{'worst':>9}{'CPU':>9}  ms{'sent':>9}  bytes")

    def queue(key: str) -> Callable[[], float]:
        return lambda: line.press(key, _queue)

    def screen(key: str, words: str) -> Callable[[], float]:
        return lambda: line.press(key, lambda lines: any(words in each for each in lines))

    took: list[float] = []
    for name, work, undo_name, undo in (
        ("one line down", queue("down"), "one line up", queue("up")),
        ("a page down", queue("pagedown"), "a page up", queue("pageup")),
        ("to the end", queue("end"), "to the top", queue("g")),
        ("look at an alert", screen("enter", "pollwatch alert"), "back to the queue", queue("escape")),
        ("take the most urgent", screen("n", "You hold this alert"), "give it back", queue("escape")),
        ("open the filter", screen("f", "Which alerts?"), "close it", queue("escape")),
        ("open the reasons of dismissal", screen("d", "Take it, and dismiss?"), "close them", queue("escape")),
        ("open the help", screen("?", "Show all keys."), "close it", queue("escape")),
        ("open the search", screen("S", "Search"), "close it", queue("escape")),
    ):
        took += _timed(line, (name, work), (undo_name, undo))
    return took


def _timed(line: Line, *works: tuple[str, Callable[[], float]]) -> list[float]:
    """One after the other, so many times."""
    times: list[list[float]] = [[] for _ in works]
    line.computed.clear()
    line.sent.clear()
    for _ in range(line.rounds):
        for took, (_name, work) in zip(times, works, strict=True):
            took.append(work())
    for place, (took, (name, _work)) in enumerate(zip(times, works, strict=True)):
        took.sort()
        computed = sorted(line.computed[place :: len(works)])
        sent = sorted(line.sent[place :: len(works)])
        middle, p95 = len(took) // 2, int(len(took) * 0.95)
        times_ms = f"{took[middle]:>9.1f}{took[p95]:>9.1f}{took[-1]:>9.1f}{computed[middle]:>9.1f}"
        print(f"{name:<34}{times_ms}    {sent[middle]:>9}", flush=True)
    return [each for took in times for each in took]


if __name__ == "__main__":
    raise SystemExit(main())
