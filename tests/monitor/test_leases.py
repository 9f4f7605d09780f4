"""Passes that overlap: none waits for another's slow feed, no host is asked by two at once, nothing old is written."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from monitor import leases
from monitor.collect import HOSTS, collect
from monitor.config import Settings
from monitor.leases import LeaseLostError, Leases
from monitor.store import Connection, Store, feeds, hosts, items, open_store
from monitor.types import StageReport
from monitor.writing import Writer
from tests.fakes import ALLOW_LOOPBACK, FeedServer, feed_server, item, rss
from tests.monitor.collecting import PASS, counts, environment, state_of, watch


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched."""
    return configure(ALLOW_LOOPBACK + "timeout_s = 4\n")


@contextmanager
def passing(store: Store, settings: Settings, now: datetime, server: FeedServer) -> Iterator[list[StageReport]]:
    """A pass in another thread, which has asked ``server`` when the block begins; its report is there at the end."""
    reports: list[StageReport] = []
    before = len(server.requests)
    other = threading.Thread(target=lambda: reports.append(collect(store, settings, now, every=True)))
    other.start()
    try:
        _wait_until(lambda: len(server.requests) > before)
        yield reports
    finally:
        other.join()


def _wait_until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def steal(store: Store, server: FeedServer, now: datetime) -> None:
    """Another pass takes the host of ``server``, as it may when the lease of its holder is over."""
    name = f"127.0.0.1:{server.port}"
    later = now + timedelta(days=1)
    with store.write() as connection:
        assert list(hosts.take(connection, [name], "another", later, later + timedelta(days=1))) == [name]


def test_a_pass_does_not_wait_for_the_slow_feed_of_another(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """It fetches what else is due and is done first; feeds of the slow host are left to who holds it, and counted."""
    with feed_server() as slow:
        slow.put("/slow", " ", endless=True, pause_s=0.05)
        watch(store, now, slow.url("/slow"))
        with passing(store, settings, now, slow) as reports:
            beside = slow.put("/beside", rss(item("B", guid="1")))
            quick = server.put("/quick", rss(item("甲", guid="1")))
            watch(store, now, quick, beside)
            lines: list[str] = []
            second = collect(store, settings, now, progress=lines.append)
            assert reports == []  # the first pass still waits
        assert counts(second, "feeds", "fetched", "elsewhere", "failed", "items_new") == [3, 1, 2, 0, 1]
        assert sum("left to another pass" in line for line in lines) == 2
        assert {path for path, _ in slow.requests} == {"/slow"}
        assert counts(reports[0], "feeds", "failed", "elsewhere") == [1, 1, 0]
        third = collect(store, settings, now)
    assert counts(third, "feeds", "fetched", "elsewhere") == [1, 1, 0]


def test_a_host_is_never_asked_by_two_passes_nor_without_its_gap(
    store: Store, configure: Callable[[str], Settings], server: FeedServer
) -> None:
    """By the server's own clock: passes in three threads, each begun as soon as the last one was done."""
    settings = configure(ALLOW_LOOPBACK + "host_gap_s = 0.3\nper_host = 1\n")
    url = server.put("/a", rss(item("A", guid="1")), delay_s=0.1)
    # By name the host is not one that `allow_private` calls ours: it has its gap.
    watch(store, datetime.now(UTC), url.replace("127.0.0.1", "localhost"))
    done = threading.Event()

    def pass_after_pass() -> None:
        while not done.is_set():
            collect(store, settings, datetime.now(UTC), every=True)

    others = [threading.Thread(target=pass_after_pass) for _ in range(3)]
    for other in others:
        other.start()
    _wait_until(lambda: len(server.spans) >= 12)
    done.set()
    for other in others:
        other.join()
    spans = sorted(server.spans)
    assert all(begins - came >= 0.3 for (came, _), (begins, _) in pairwise(spans))
    assert all(begins >= ended for (_, ended), (begins, _) in pairwise(spans))


def test_a_pass_that_lost_its_lease_writes_nothing(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Neither what it read, nor that nothing changed, nor a failure: the feed stands as it stood."""
    texts = server.put("/texts", rss(item("新", guid="1")), delay_s=1)
    same = server.put("/same", rss(item("B", guid="1")))
    gone = server.put("/gone", rss(item("C", guid="1")))
    watch(store, now, same, gone)
    collect(store, settings, now)
    watch(store, now, texts)
    server.put("/same", rss(item("B", guid="1")), delay_s=1)
    server.put("/gone", status=410, delay_s=1)
    before = [state_of(store, url) for url in (texts, same, gone)]
    later = now + timedelta(minutes=1)
    with passing(store, settings, later, server) as reports:
        steal(store, server, later)
    assert [state_of(store, url) for url in (texts, same, gone)] == before
    assert counts(reports[0], "feeds", "elsewhere", "failed", "fetched", "items_new") == [3, 3, 0, 0, 0]
    assert reports[0].problems == ()
    with store.write() as connection:
        assert sorted(i.title for i in items.listing(connection)) == ["B", "C"]
        assert hosts.held(connection, [f"127.0.0.1:{server.port}"], "another")


def _record(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[None]:
    feeds.record_successes(connection, rows)
    return [None] * len(rows)


def test_of_feeds_recorded_together_those_of_lost_hosts_are_not(store: Store, now: datetime) -> None:
    """In one transaction: the one whose host another pass took says so, the others are written as they answered."""
    watched = watch(store, now, *(f"https://{name}.example/rss" for name in "abc"))
    brought: list[dict[str, str]] = [{"etag": "of a"}, {"etag": "of b"}, {"last_modified": "of c"}]

    async def run() -> list[Exception | None]:
        async with Writer(store) as writer, Leases(writer, now, time.monotonic(), timedelta()) as own:
            taken = await writer.run(lambda c: own.take(c, [feed.host for feed in watched]))
            assert len(taken) == 3
            later = now + timedelta(days=1)
            await writer.run(lambda c: hosts.take(c, [watched[1].host], "another", later, later))
            rows = [feeds.success(feed.id, now, later, **new) for feed, new in zip(watched, brought, strict=True)]
            told: list[Exception | None] = []
            for feed, row in zip(watched, rows, strict=True):
                own.hand_in(feed.host, _record, row, lambda _, error: told.append(error))
                own.give_back(feed.host, 0)
        return told

    outcomes = asyncio.run(run())
    assert [type(outcome) for outcome in outcomes] == [type(None), LeaseLostError, type(None)]
    with store.write() as connection:
        kept = [(feed.etag, feed.last_modified, feed.last_success_at) for feed in feeds.listing(connection)]
        assert hosts.held(connection, [feed.host for feed in watched], "another") == {watched[1].host}
    assert kept == [("of a", None, now), (None, None, None), (None, "of c", now)]


def test_a_host_given_back_with_the_last_write_is_free_at_once(store: Store, now: datetime) -> None:
    """After its rest, which a second giving back does not change; one that was lost stays with who has it."""
    mine, lost = (feed.host for feed in watch(store, now, "https://a.example/rss", "https://b.example/rss"))
    later = now + timedelta(days=1)

    async def run() -> list[object]:
        async with Writer(store) as writer, Leases(writer, now, time.monotonic(), timedelta()) as own:
            await writer.run(lambda c: own.take(c, [mine, lost]))
            await writer.run(lambda c: hosts.take(c, [lost], "another", later, later))
            row = feeds.success(0, now, later)
            told: list[Exception | None] = []
            for name in (mine, lost):
                own.hand_in(name, _record, row, lambda _, error: told.append(error), leave_s=60.0)
            await writer.run(lambda _: None)
            taken = await writer.run(lambda c: hosts.take(c, [mine, lost], "the next", now, later))
            own.give_back(mine, 600.0)
        return [taken, *map(type, told)]

    taken, *outcomes = asyncio.run(run())
    assert outcomes == [type(None), LeaseLostError]
    assert isinstance(taken, dict)
    assert list(taken) == [mine]
    assert timedelta(seconds=60) <= taken[mine] - now < timedelta(seconds=90)
    with store.write() as connection:
        assert hosts.held(connection, [mine, lost], "the next") == {mine}
        assert hosts.held(connection, [mine, lost], "another") == {lost}


def test_a_host_that_was_lost_is_not_asked_on(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """A pass that wakes up late leaves the rest of the host's feeds to who has it now."""
    watch(store, now, *(server.put(f"/{n}", rss(item("A", guid="1")), delay_s=0.5) for n in range(14)))
    with passing(store, settings, now, server) as reports:
        steal(store, server, now)
    assert counts(reports[0], "feeds", "elsewhere", "fetched") == [14, 14, 0]
    assert len(server.requests) < 8


def test_a_long_visit_keeps_its_host(
    store: Store, settings: Settings, server: FeedServer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is renewed while the pass lives, so that it can be short for the day on which it does not."""
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.6))
    monkeypatch.setattr(leases, "RENEW_S", 0.1)
    url = server.put("/slow", rss(item("A", guid="1")), delay_s=2)
    watch(store, now, url)
    with passing(store, settings, datetime.now(UTC), server) as reports:
        time.sleep(1.2)
        assert collect(store, settings, datetime.now(UTC), every=True).counts["elsewhere"] == 1
    assert reports[0].counts["items_new"] == 1
    assert len(server.requests) == 1


def _process(folder: Path, *words: str) -> subprocess.Popen[str]:
    program = PASS.replace('"--all"', ", ".join(f'"{word}"' for word in ("--all", *words)))
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_the_lease_of_a_killed_pass_is_over_by_itself(
    store: Store, folder: Path, settings: Settings, server: FeedServer
) -> None:
    """kill -9: until then the host is left alone, from then on the next pass takes it, without anybody's hand."""
    now = datetime.now(UTC)
    url = server.put("/a", rss(item("A", guid="1")), delay_s=60)
    watch(store, now, url)
    with _process(folder) as killed:
        _wait_until(lambda: server.requests)
        killed.kill()
    server.put("/a", rss(item("A", guid="1")))
    assert counts(collect(store, settings, datetime.now(UTC)), "fetched", "elsewhere") == [0, 1]
    over = datetime.now(UTC) + leases.LEASE + timedelta(seconds=settings.fetch.host_gap_s)
    assert counts(collect(store, settings, over), "fetched", "elsewhere") == [1, 0]


def test_a_pass_that_is_interrupted_gives_its_hosts_back(
    store: Store, folder: Path, settings: Settings, server: FeedServer
) -> None:
    """Ctrl-C, and the same command again: nothing is left to a pass that is no more."""
    url = server.put("/a", rss(item("A", guid="1")), delay_s=60)
    watch(store, datetime.now(UTC), url)
    with _process(folder) as interrupted:
        _wait_until(lambda: server.requests)
        interrupted.send_signal(signal.SIGINT)
    server.put("/a", rss(item("A", guid="1")))
    assert counts(collect(store, settings, datetime.now(UTC)), "fetched", "elsewhere") == [1, 0]


@pytest.mark.timeout(120)
def test_two_processes_share_all_feeds(store: Store, folder: Path, settings: Settings) -> None:
    """`collect --all` in two terminals: each feed is asked by one of them, and their counts say so."""
    with ExitStack() as stack:
        servers = [stack.enter_context(feed_server()) for _ in range(12)]
        pages = [(server, f"/{n}") for server in servers for n in range(5)]
        # Slow enough that both have begun before one is done.
        urls = [server.put(path, rss(item(f"題{path}", guid="1")), delay_s=1) for server, path in pages]
        watch(store, datetime.now(UTC), *urls)
        file = folder / "pollwatch.toml"
        file.write_text(file.read_text(encoding="utf-8") + "concurrency = 8\n", encoding="utf-8")
        processes = [_process(folder, "--json") for _ in range(2)]
        reports = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
        asked = Counter((server.port, path) for server in servers for path, _ in server.requests)
    assert asked == {(server.port, path): 1 for server, path in pages}
    assert all(report["fetched"] + report["elsewhere"] == report["feeds"] == 60 for report in reports)
    assert sum(report["fetched"] for report in reports) == sum(report["items_new"] for report in reports) == 60
    with store.read() as connection:
        assert len(items.listing(connection)) == 60


def test_a_feed_that_is_disabled_or_moves_while_it_is_asked(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """What a disabled feed answers is kept, and it stays so; one that takes a new address leaves no host behind."""
    with feed_server() as other:
        new = other.put("/new", rss(item("B", guid="1")))
        off = server.put("/off", rss(item("A", guid="1")), delay_s=1)
        old = server.put("/old", status=301, headers={"Location": new}, delay_s=1)
        first, _ = watch(store, now, off, old)
        with passing(store, settings, now, server), store.write() as connection:
            feeds.set_enabled(connection, first.id, enabled=False)
        assert not state_of(store, off).enabled
        collect(store, settings, now + timedelta(days=4))
        assert state_of(store, new).url == new
        report = collect(store, settings, now + timedelta(days=5))
    assert counts(report, "feeds", "unchanged") == [1, 1]
    with store.read() as connection:
        assert len(items.listing(connection)) == 2
        assert connection.exec_driver_sql("SELECT count(*) FROM hosts WHERE holder IS NOT NULL").scalar_one() == 0


def test_feeds_that_were_switched_off_or_asked_since_they_were_listed_are_left(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """A pass looks again once it holds their host; a refusal that another pass met is honoured."""
    settings = configure(ALLOW_LOOPBACK + "concurrency = 1\nper_host = 1\n")
    with ExitStack() as stack:
        others = [stack.enter_context(feed_server()) for _ in range(3)]
        urls = [other.put("/a", rss(item("A", guid="1"))) for other in others]
        slow = [stack.enter_context(feed_server()).put("/", rss(), delay_s=0.3) for _ in range(HOSTS)]
        watched = watch(store, now, *slow, *urls)[HOSTS:]
        reports: list[StageReport] = []
        thread = threading.Thread(target=lambda: reports.append(collect(store, settings, now)))
        with contextlib.closing(open_store(settings.database_url)) as seen:
            thread.start()
            _wait_until(lambda: _held(seen) == HOSTS)
            with store.write() as connection:
                feeds.set_enabled(connection, watched[0].id, enabled=False)
                feeds.record_success(connection, watched[1].id, now + timedelta(seconds=1), now + timedelta(hours=1))
                feeds.postpone(connection, [watched[2].id], now + timedelta(hours=1))
            thread.join()
        assert all(other.requests == [] for other in others)
    assert counts(reports[0], "feeds", "fetched", "elsewhere", "postponed") == [HOSTS + 2, HOSTS, 1, 1]


def _held(store: Store) -> int:
    with store.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM hosts WHERE holder IS NOT NULL").scalar_one())
