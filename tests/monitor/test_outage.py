"""After an outage of our own network everybody is asked again soon, and not all at once."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from monitor import loop
from monitor.collect import collect
from monitor.config import Settings
from monitor.errors import UNREACHED, FeedError, FeedErrorKind
from monitor.outage import may_last, unheard
from monitor.rhythm import bounds_at
from monitor.store import Store, feeds
from monitor.types import Feed, Part
from tests.fakes import ALLOW_LOOPBACK, FeedServer, item, rss
from tests.monitor.collecting import counts, environment, watch

SIZE = 40


KILLED = """
import asyncio, os, signal, socket, sys
from datetime import datetime
from pathlib import Path
from monitor import loop, silence
from monitor.collect import collect
from monitor.config import load_file
from monitor.store import open_store
folder, now, when = sys.argv[1:]
real, hasten = socket.getaddrinfo, silence.Recovery._hasten
async def killed(recovery):
    if when == "after":
        await hasten(recovery)
    os.kill(os.getpid(), signal.SIGKILL)
socket.getaddrinfo = lambda host, *rest, **more: real("127.0.0.1", *rest, **more)
loop.new_event_loop, silence.Recovery._hasten = asyncio.new_event_loop, killed
settings = load_file(Path(folder, "pollwatch.toml"))
collect(open_store(settings.database_url), settings, datetime.fromisoformat(now))
"""


class Desk:
    """Feeds on hosts of their own, whose names resolve as long as there is a network."""

    def __init__(self, store: Store, settings: Settings, server: FeedServer, now: datetime) -> None:
        self.store, self.settings, self.server = store, settings, server
        self.is_up = True
        urls = [f"http://h{n}.example:{server.port}/{n}" for n in range(SIZE)]
        for n in range(SIZE):
            server.put(f"/{n}", rss(item(f"渡輪 {n}", guid=str(n))))
        self.ids = [feed.id for feed in watch(store, now, *urls)]

    def resolve(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def answer(host: Any, *rest: Any, **more: Any) -> Any:
            if str(host).endswith(".example"):
                if not self.is_up:
                    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
                host = "127.0.0.1"
            return real(host, *rest, **more)

        return answer

    def feeds(self) -> list[Feed]:
        with self.store.read() as connection:
            return feeds.listing(connection)

    def waits(self, now: datetime) -> list[timedelta]:
        return [feed.next_check_at - now for feed in self.feeds() if feed.next_check_at]

    def outage(self, now: datetime) -> datetime:
        """All is well at first, then nobody is heard for hours; returns when the last pass was."""
        collect(self.store, self.settings, now)
        self.is_up = False
        for _ in range(4):
            now += timedelta(hours=1)
            collect(self.store, self.settings, now, every=True)
        assert {feed.error_kind for feed in self.feeds()} == {FeedErrorKind.DNS}
        assert min(self.waits(now)) > self.shortest(now) * 1.5
        self.is_up = True
        return now

    def shortest(self, now: datetime) -> timedelta:
        return timedelta(seconds=bounds_at(self.settings, now).shortest_s)

    def due_first(self, feed_id: int, now: datetime) -> None:
        with self.store.write() as connection:
            feeds.push(connection, feed_id, now - timedelta(days=2), now)


@pytest.fixture
def desk(
    store: Store,
    configure: Callable[[str], Settings],
    server: FeedServer,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    """All is well."""
    found = Desk(store, configure(ALLOW_LOOPBACK + "host_gap_s = 0\n"), server, now)
    monkeypatch.setattr(socket, "getaddrinfo", found.resolve(socket.getaddrinfo))
    monkeypatch.setattr(loop, "new_event_loop", asyncio.new_event_loop)  # uvloop asks the system's own
    return found


def test_once_a_server_is_heard_again_all_are_asked_soon_and_not_at_once(desk: Desk, now: datetime) -> None:
    """One feed is due and answers: the others follow within the shortest interval, some in each part of it.

    Who was put off by a server that asked for quiet, or is switched off, stays so.
    """
    now = desk.outage(now)
    quiet = now + timedelta(days=1)
    refused = FeedError("http://h1.example/1", FeedErrorKind.HTTP, "the server answered 429", status=429)
    with desk.store.write() as connection:
        feeds.set_enabled(connection, desk.ids[2], False)
        feeds.record_failure(connection, desk.ids[1], now - timedelta(hours=2), quiet, refused, strikes=0.5)
    now += timedelta(minutes=1)
    desk.due_first(desk.ids[0], now)
    report = collect(desk.store, desk.settings, now)
    assert counts(report, "feeds", "failed") == [1, 0]
    after = {feed.id: feed for feed in desk.feeds()}
    assert after[desk.ids[1]].next_check_at == quiet
    assert not after[desk.ids[2]].enabled
    soon = [after[id].next_check_at for id in desk.ids[3:]]
    spread = sorted((at - now) / desk.shortest(now) for at in soon if at)
    assert len(spread) == SIZE - 3
    assert 0 <= spread[0] < 0.2
    assert 0.8 < spread[-1] <= 1
    assert max(later - sooner for sooner, later in pairwise(spread)) < 0.3
    now += desk.shortest(now)
    report = collect(desk.store, desk.settings, now)
    assert report.counts["feeds"] - report.counts["failed"] >= SIZE - 3
    assert not [feed for feed in desk.feeds() if feed.error_kind in UNREACHED and feed.enabled]


@pytest.mark.parametrize("stored", [False, True])
def test_killed_while_it_hastens_the_next_pass_does(desk: Desk, folder: Path, now: datetime, stored: bool) -> None:
    """kill -9 before or after that is in the store: nothing that was heard is, so the outage is known still."""
    now = desk.outage(now) + timedelta(minutes=1)
    desk.due_first(desk.ids[0], now)
    command = [sys.executable, "-c", KILLED, str(folder), now.isoformat(), "after" if stored else "before"]
    assert subprocess.run(command, check=False, env=environment(folder), timeout=60).returncode == -signal.SIGKILL
    assert len(unheard(desk.feeds())) == SIZE
    assert (max(desk.waits(now)) <= desk.shortest(now)) is stored
    now += timedelta(minutes=1)  # a host that a killed pass held is free after half a minute
    assert collect(desk.store, desk.settings, now).counts["failed"] == 0
    assert not [at for at in _unreached_checks(desk) if at > now + desk.shortest(now)]


def test_passes_beside_each_other_come_to_the_same(desk: Desk, now: datetime) -> None:
    """As workers of a fleet have them, each with a part of the hosts: nobody is left behind by either."""
    now = desk.outage(now) + timedelta(minutes=31)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda n: collect(desk.store, desk.settings, now, part=Part(n, 3)), range(3)))
    assert not [at for at in _unreached_checks(desk) if at > now + desk.shortest(now)]
    now += desk.shortest(now)
    collect(desk.store, desk.settings, now)
    assert _unreached_checks(desk) == []


def _unreached_checks(desk: Desk) -> list[datetime]:
    return [feed.next_check_at for feed in desk.feeds() if feed.error_kind in UNREACHED and feed.next_check_at]


def test_who_is_down_by_himself_is_left_to_his_own_rhythm(desk: Desk, now: datetime) -> None:
    """Five hosts that cannot be reached beside others that are: whoever is heard brings none of them forward."""
    collect(desk.store, desk.settings, now)
    lost = FeedError("http://h.example/", FeedErrorKind.TIMEOUT, "no complete answer")
    later = now + timedelta(hours=2)
    with desk.store.write() as connection:
        for feed_id in desk.ids[:5]:
            feeds.record_failure(connection, feed_id, now, later, lost, strikes=0.25)
    now += timedelta(minutes=1)
    desk.due_first(desk.ids[9], now)
    assert collect(desk.store, desk.settings, now).counts["feeds"] == 1
    assert _unreached_checks(desk) == [later] * 5


def test_what_says_nothing_of_the_network_is_no_answer(now: datetime) -> None:
    """An address that the guard refuses is not asked: whether the network is back nobody knows by it."""
    later = now + timedelta(minutes=1)
    assert may_last({FeedErrorKind.DNS: now, None: now - timedelta(hours=1)})
    assert may_last({FeedErrorKind.TIMEOUT: now, FeedErrorKind.BLOCKED: later})
    assert not may_last({FeedErrorKind.DNS: now, None: now})
    assert not may_last({FeedErrorKind.DNS: now, FeedErrorKind.HTTP: later})
    assert not may_last({FeedErrorKind.BLOCKED: now})
    assert not may_last({})
