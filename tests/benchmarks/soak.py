"""Does the daemon's memory stay flat? 2,000 feeds asked every half minute for ten minutes. On demand:

    PYTHONPATH=. python tests/benchmarks/soak.py

Runs `pollwatch run` on copies of real feeds (see collect.py) that nginx serves, while every few seconds some of them
get a new entry, and looks at memory and open files of the whole process tree. Exit 1: memory or files grew by more
than the bound after the first two minutes, the daemon ended or logged an error, or it did not ask every feed.
"""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.contestants import PASSES, our_env
from tests.benchmarks.corpus import add_feeds_dir, documents
from tests.benchmarks.processes import adopt_orphans, end_session, tree
from tests.benchmarks.webserver import Site, check_ready

PERIOD_S = 2.0  # between two looks
WINDOW_S = 30.0  # of which one look counts: workers and connections come and go with each pass
SETTLE_S = 120.0  # the first pass, and what is loaded once
NEW_SHARE = 0.01  # of the feeds get a new entry between two looks
GROWTH_MB = 25.0  # more than this, over all that is measured, is a leak
GROWTH_FILES = 100.0
DRAIN_S = 15.0  # in which the daemon must end; it promises ten


@dataclass(frozen=True, slots=True)
class Look:
    """The process tree at one instant; ``at_s`` since the daemon's start."""

    at_s: float
    rss_mb: float
    files: int


def growth(looks: Sequence[Look], series: str, of_window: Callable[[float, float], float]) -> float:
    """By how much ``series`` rises from the first to the last look: the slope of a line, times its length.

    The line is fitted to what ``of_window``, `max` or `min`, leaves of each WINDOW_S; there must be two or more.
    """
    found: dict[int, float] = {}
    for look in looks:
        window, value = int(look.at_s // WINDOW_S), getattr(look, series)
        found[window] = of_window(found.get(window, value), value)
    slope = statistics.linear_regression(list(found), list(found.values())).slope
    return slope * (max(found) - min(found))


def leaks(looks: Sequence[Look]) -> Iterator[str]:
    """Print what the series say together, and say in words which of them grew beyond its bound.

    Of memory the peaks count; of open files what is left between the passes, for connections are kept for a while.
    """
    if len({look.at_s // WINDOW_S for look in looks}) < 2:
        yield f"the daemon was not seen long enough after its first {SETTLE_S:g} s"
        return
    for series, unit, of_window, bound in (
        ("rss_mb", "MB", max, GROWTH_MB),
        ("files", "open files", min, GROWTH_FILES),
    ):
        values = [getattr(look, series) for look in looks]
        grown = growth(looks, series, of_window)
        print(f"{min(values):.0f} to {max(values):.0f} {unit}, grew by {grown:+.1f} (up to {bound:g} is flat)")
        if grown > bound:
            yield f"it grew by {grown:.1f} {unit}, more than {bound:g}"


def watch(daemon: subprocess.Popen[bytes], site: Site, seconds: float) -> Iterator[Look]:
    """Look at the daemon until ``seconds`` are over or it ends; meanwhile some feeds change."""
    chance = random.Random(20270301)
    begun = time.monotonic()
    while (at_s := time.monotonic() - begun) < seconds and daemon.poll() is None:
        now = tree(daemon.pid)
        yield Look(at_s, now.rss / 1e6, sum(map(_open_files, now.pids)))
        lucky = chance.sample(range(len(site.urls)), max(1, int(len(site.urls) * NEW_SHARE)))
        site.publish(datetime.now(UTC), lucky, new=f"s{at_s:.0f}")
        time.sleep(PERIOD_S)


def soak(folder: Path, site: Site, seconds: float) -> tuple[list[Look], list[str]]:
    """Run the daemon on the feeds; what was seen, and what went wrong in words."""
    desk = folder / "desk"
    desk.mkdir()
    (desk / "urls").write_text("".join(f"{url}\n" for url in site.urls))
    subprocess.run([sys.executable, PASSES, "pollwatch", "prepare-soak", "."], cwd=desk, env=our_env(), check=True)
    command = [sys.executable, "-m", "alerts", "-c", "pollwatch.toml", "run"]
    problems = []
    with (desk / "log").open("wb") as log:
        daemon = subprocess.Popen(command, cwd=desk, env=our_env(), stdout=log, stderr=log, start_new_session=True)
        try:
            looks = list(watch(daemon, site, seconds))
            if daemon.poll() is not None:
                problems.append(f"the daemon ended by itself with {daemon.returncode}")
            daemon.terminate()
            daemon.wait(DRAIN_S)
        except subprocess.TimeoutExpired:
            problems.append(f"the daemon did not end within {DRAIN_S:g} s of SIGTERM")
        finally:
            end_session(daemon, 0.0)
    for line in (desk / "log").read_text(errors="replace").splitlines():
        if ("[error " in line or line.startswith("Traceback")) and len(problems) < 10:
            problems.append(line)
    return looks, problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and judge."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and folders go with us
    try:
        check_ready(options.feeds)
        samples = documents(options.feeds_dir)
    except (RuntimeError, ValueError, OSError) as error:
        print(f"cannot run: {error}", file=sys.stderr)
        return 2
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="pollwatch-soak-") as name:
        site = Site(Path(name), samples, options.feeds)
        site.publish(datetime.now(UTC) - timedelta(days=1))
        with site.serving(validators=True):
            looks, problems = soak(Path(name), site, options.minutes * 60)
        asked = Counter(address for address, _ in site.answers())
        statuses = Counter(status for _, status in site.answers())
    for look in looks[:: max(1, len(looks) // 20)]:
        print(f"{look.at_s:6.0f} s {look.rss_mb:8.1f} MB {look.files:6} files")
    fewest = min(asked[address] for address in site.addresses)
    print(f"{options.feeds:,} feeds, each asked {fewest} times or more; answers {dict(statuses)}")
    if fewest < 2:
        problems.append("some feeds were not asked twice: nothing was soaked")
    problems += leaks([look for look in looks if look.at_s >= SETTLE_S])
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Is the daemon's memory flat while it polls many feeds?")
    parser.add_argument("--feeds", type=int, default=2000, metavar="N", help="Default: 2000.")
    parser.add_argument("--minutes", type=float, default=10, metavar="N", help="Default: 10; 3.5 or more.")
    add_feeds_dir(parser)
    options = parser.parse_args(arguments)
    if options.minutes * 60 < SETTLE_S + 3 * WINDOW_S:
        parser.error("--minutes must be 3.5 or more: the first two are not measured")
    return options


def _open_files(pid: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it has just ended
        return 0


if __name__ == "__main__":
    sys.exit(main())
