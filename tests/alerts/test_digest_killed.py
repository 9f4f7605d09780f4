"""kill -9 at any moment around sending, on a server that fails as well: no digest is lost, and a copy has one cause."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config import Settings
from monitor.store import Store, notices
from tests.smtp import Mailbox, smtp_server

MORNING = datetime(2027, 3, 1, 0, 0, 5, tzinfo=UTC)
ADDRESSES = ("lead@harbour.example", "night@harbour.example", "ps@harbour.example")
TOML = """
[digest]
receivers = ["lead@harbour.example", "night@harbour.example", {{ address = "ps@harbour.example", lang = "zh-Hant" }}]
sender = "pollwatch <desk@harbour.example>"
[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
timeout_s = 10
"""
# Forks a sender for each line, so that only the first one has to be loaded. It tries as the daemon does, again and
# again, each time an hour later by its clock: every refusal is tried again by then.
_SENDERS = """
import os, sys
from datetime import datetime, timedelta
from pathlib import Path
from alerts import digest, edition, forms, raster
from monitor.config import load_file
from monitor.store import open_store
for line in sys.stdin:
    moment, tries = line.split()
    child = os.fork()
    if child == 0:
        settings = load_file(Path(sys.argv[1]))
        store = open_store(settings.database_url)
        for hour in range(int(tries)):
            digest.digest(store, settings, datetime.fromisoformat(moment) + timedelta(hours=hour))
        os._exit(0)
    print(child, flush=True)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    print("gone", flush=True)
    sys.stdin.readline()
    os.waitpid(child, 0)
"""


class Senders:
    """Starts senders, one at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = 0

    def start(self, moment: datetime, tries: int) -> None:
        """A sender that tries so many times from ``moment`` on."""
        assert self._process.stdin
        print(moment.isoformat(), tries, file=self._process.stdin, flush=True)
        self.pid = int(self._line())

    def kill(self) -> None:
        """kill -9. Its number is nobody else's until ``wait``, be it gone by itself meanwhile."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Until it is gone, killed or done."""
        assert self._line() == "gone"
        assert self._process.stdin
        print(file=self._process.stdin, flush=True)

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@contextmanager
def senders(folder: Path) -> Iterator[Senders]:
    """A process that forks senders of this folder's digest."""
    words = [sys.executable, "-c", _SENDERS, str(folder / "pollwatch.toml")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Senders(process)
        assert process.stdin
        process.stdin.close()


class Weather:
    """What the server does at each step: now and then it refuses or breaks off; and it may be the moment of a kill."""

    def __init__(self, seed: int, counts: Counter[str]) -> None:
        self.dice = random.Random(seed)
        self.counts = counts
        self.calm = True
        self.kill: Callable[[], None] = lambda: None
        self.at: tuple[str, int] = ("", 0)  # the step at which to kill, and how many of them to let pass

    def __call__(self, step: str) -> str | None:
        """For ``Mailbox.watch``."""
        if step == self.at[0]:
            self.at = (step, self.at[1] - 1)
            if self.at[1] < 0:
                self.at = ("", 0)
                self.kill()
        if self.calm:
            return None
        if step == "rcpt" and self.dice.random() < 0.15:
            self.counts["refused"] += 1
            return "451 try again later"
        if step == "data" and (not self.counts["dropped"] or self.dice.random() < 0.15):  # once at least
            self.counts["dropped"] += 1
            return "drop"
        return None


def _storm(store: Store, folder: Path, mailbox: Mailbox, kills: int, seed: int) -> Counter[str]:
    """So many dates, on each of them a kill, then a calm hour. Checks every date; returns what happened."""
    counts: Counter[str] = Counter()
    weather = mailbox.watch = Weather(seed, counts)
    with senders(folder) as sender:
        weather.kill = sender.kill
        for number in range(kills):
            date = MORNING + timedelta(days=number)
            before = len(mailbox.messages)
            weather.calm = False
            step = weather.dice.choice(("rcpt", "data", "accepted", "time"))
            weather.at = (step, weather.dice.randrange(len(ADDRESSES)))
            sender.start(date, 2)
            if step == "time":
                time.sleep(weather.dice.uniform(0, 0.8))
                sender.kill()
            sender.wait()
            mailbox.settle()
            weather.at = ("", 0)
            accepted = Counter(mailbox.ids(before))
            counts["window"] += sum(accepted[id] > 0 for id in _unmarked(store, date))
            weather.calm = True
            sender.start(date + timedelta(hours=6), 2)
            sender.wait()
            mailbox.settle()
            arrived = Counter(zip(mailbox.receivers[before:], mailbox.ids(before), strict=True))
            assert sorted(receiver for receiver, _id in arrived) == list(ADDRESSES), f"date {number}, killed at {step}"
            counts["copies"] += arrived.total() - len(arrived)
            counts[f"killed at {step}"] += 1
    return counts


def _unmarked(store: Store, moment: datetime) -> list[str]:
    """The Message-IDs of that date of which the store does not know that they were accepted."""
    with store.read() as connection:
        return [notice.message_id for notice in notices.waiting(connection, "digest", moment.date().isoformat())]


def _run(
    store: Store, folder: Path, configure: Callable[[str], Settings], tmp_path: Path, kills: int, seed: int
) -> Counter[str]:
    with smtp_server(tmp_path) as mailbox:
        configure(TOML.format(port=mailbox.port))
        counts = _storm(store, folder, mailbox, kills, seed)
        assert len(set(mailbox.ids())) == kills * len(ADDRESSES)
    assert counts["copies"] == counts["window"]
    print(f"{kills} kills: {dict(sorted(counts.items()))}")
    return counts


def test_killed_around_sending_each_receiver_has_one_a_day(
    store: Store, folder: Path, configure: Callable[[str], Settings], tmp_path: Path
) -> None:
    """One Message-ID a date and receiver, none missing; a second copy only of what the server had, unknown to us."""
    counts = _run(store, folder, configure, tmp_path, kills=10, seed=20270301)
    assert min(counts["refused"], counts["dropped"]) > 0


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_killed_two_hundred_times(
    store: Store, folder: Path, configure: Callable[[str], Settings], tmp_path: Path
) -> None:
    """The same, until every kind of moment was hit many times; run it with -s to see the counts."""
    counts = _run(store, folder, configure, tmp_path, kills=200, seed=8)
    assert counts["window"] > 10
    assert min(counts["refused"], counts["dropped"]) > 20
