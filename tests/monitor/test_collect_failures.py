"""Passes over feeds that fail: each has one clear error, and the others are read."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from monitor.collect import collect
from monitor.config import Settings
from monitor.store import Store
from tests.fakes import ALLOW_LOOPBACK, FeedServer, feed_server, gzip_bomb, item, rss
from tests.monitor.collecting import counts, state_of, stored, watch, word_of


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched; nobody waits long."""
    return configure(ALLOW_LOOPBACK + "timeout_s = 3\nmax_bytes = 1000000\nparse_timeout_s = 2\n")


def test_a_silent_host_is_waited_for_once(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """Its other feeds fail at once with the same kind, each with a back-off of its own; other hosts are not held up."""
    settings = configure(ALLOW_LOOPBACK + "timeout_s = 1\n")
    with feed_server() as silent:
        dead = [silent.put(f"/{n}", rss(), delay_s=3) for n in range(16)]
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        dead += [f"http://127.0.0.1:{port}/{n}" for n in range(4)]
        good = server.put("/good", rss(item("A", guid="1")))
        watch(store, now, *dead, good)
        begun = time.monotonic()
        report = collect(store, settings, now)
        assert time.monotonic() - begun < 4  # one after the other, two at a time: 8 s
    assert counts(report, "failed", "fetched") == [20, 1]
    assert len(silent.requests) == settings.fetch.per_host
    states = [state_of(store, url) for url in dead]
    assert [feed.error_kind for feed in states] == ["timeout"] * 16 + ["connect"] * 4
    assert sum("earlier in this pass" in (feed.error_detail or "") for feed in states) >= 16
    assert len({feed.next_check_at for feed in states}) == 20


def test_a_document_that_stalls_holds_no_place_at_the_network(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """With one place, the feeds after it are asked while it is being read."""
    settings = configure(ALLOW_LOOPBACK + "concurrency = 1\nparse_timeout_s = 3\nmax_bytes = 10000000\n")
    stalls = server.put("/stalls", "<rss version='2.0'><channel><item>" + "<a>" * 1_000_000)
    with feed_server() as other:
        watch(store, now, stalls, *(other.put(f"/{n}", rss(item("A", guid="1"))) for n in range(3)))
        asked: list[tuple[str, int]] = []
        report = collect(store, settings, now, progress=lambda line: asked.append((line, len(other.requests))))
    assert counts(report, "failed", "fetched") == [1, 3]
    assert [number for line, number in asked if "stalled" in line] == [3]


def test_one_slow_feed_does_not_silence_its_host(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """A host that has answered in this pass is there."""
    settings = configure(ALLOW_LOOPBACK + "timeout_s = 1\n")
    quick = server.put("/quick", rss(item("A", guid="1")))
    slow = server.put("/slow", rss(), delay_s=3)
    later = [server.put(f"/{n}", rss(item("A", guid="1")), delay_s=0.4) for n in range(6)]
    watch(store, now, quick, slow, *later)
    assert counts(collect(store, settings, now), "failed", "fetched") == [1, 7]


def hostile(server: FeedServer) -> dict[str, tuple[str, ...]]:
    """Addresses of feeds that go wrong, and the kinds of error each may end with; no kind: readable after all."""
    many = "<rss version='2.0'><channel>" + "<item/>" * 140_000
    compressed = {"Content-Encoding": "gzip"}
    return {
        server.put("/malformed", "<rss version='2.0'><channel><item><title>cut"): (),
        server.put("/nothing-left", "<rss version='2.0'><channel><titl"): ("not-a-feed",),
        server.put("/page", "<!doctype html><title>404</title>", headers={"Content-Type": "text/html"}): ("html",),
        server.put("/empty", ""): ("empty",),
        server.put("/big", "x", content_length=200_000_000): ("too-large",),
        server.put("/bomb", gzip_bomb(200_000_000), headers=compressed): ("too-large",),
        server.put("/endless", rss() * 50, endless=True): ("too-large",),
        server.put("/drip", " ", endless=True, pause_s=0.05): ("timeout",),
        server.put("/stall", gzip.compress(many.encode()), headers=compressed): ("stalled",),
        server.put("/encoding", bytes(range(256)) * 20): ("encoding",),
        server.put("/missing", "no", status=404): ("http",),
        server.put("/gone", "no", status=410): ("gone",),
        server.put("/loop", status=302, headers={"Location": "/loop"}): ("redirect",),
        server.put("/inside", status=302, headers={"Location": "http://10.0.0.1/"}): ("blocked",),
        "http://no-such-host.invalid/rss": ("dns",),
        "http://127.0.0.1:9/rss": ("blocked",),
        server.url("/plain").replace("http:", "https:"): ("tls",),
    }


def test_each_failing_feed_has_one_clear_error_and_the_others_are_stored(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Whatever feeds do, the healthy ones beside them are read, and nothing is written to the log of faults."""
    bad = hostile(server)
    good = [server.put(f"/good{n}", rss(item(f"好{n}", guid="1"))) for n in range(5)]
    watch(store, now, *bad, *good)
    begun = time.monotonic()
    report = collect(store, settings, now)
    assert time.monotonic() - begun < 20
    for url, kinds in bad.items():
        feed = state_of(store, url)
        assert (feed.error_kind in kinds) if kinds else feed.error_kind is None, (url, feed.error_kind)
        assert feed.failures == bool(kinds)
        assert not kinds or feed.error_detail
    assert all(word_of(store, url) == "ok" for url in good)
    failed = sum(bool(kinds) for kinds in bad.values())
    assert counts(report, "feeds", "failed", "fetched") == [len(bad) + 5, failed, 5 + len(bad) - failed]
    assert len(report.problems) == len(bad)
    assert word_of(store, server.url("/gone")) == "gone"
    assert any("enable" in problem for problem in report.problems)


def test_our_own_fault_with_one_feed_harms_no_other(
    store: Store, settings: Settings, server: FeedServer, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected exception (here from the store) is recorded as internal, logged, and undone as a whole."""
    bad = server.put("/bad", rss(item("before", guid="1"), item("poison", guid="2")))
    good = server.put("/good", rss(item("good", guid="1")))
    watch(store, now, bad, good)
    with store.write() as connection:
        connection.exec_driver_sql(
            "CREATE UNIQUE INDEX poison ON items ((CASE WHEN title IN ('before', 'poison') THEN 1 END))"
        )
    report = collect(store, settings, now)
    assert counts(report, "failed", "items_new") == [1, 1]
    assert [row[2] for row in stored(store)] == ["good"]
    assert state_of(store, bad).error_kind == "internal"
    assert state_of(store, bad).etag is None
    assert "/bad" in caplog.text


def test_failures_back_off_and_success_forgets_them(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Each failure waits longer, Retry-After is honoured, a good answer resets everything."""
    url = server.put("/a", "busy", status=503)
    watch(store, now, url)
    waits = []
    for _ in range(3):
        collect(store, settings, now, every=True)
        waits.append(state_of(store, url).next_check_at)
    assert waits == sorted(waits)
    assert state_of(store, url).failures == 3
    server.put("/a", "busy", status=429, headers={"Retry-After": "80000"})
    collect(store, settings, now, every=True)
    assert state_of(store, url).next_check_at == now + timedelta(seconds=80_000)
    server.put("/a", rss(item("A", guid="1")))
    collect(store, settings, now, every=True)
    feed = state_of(store, url)
    assert (feed.failures, feed.error_kind, feed.error_detail) == (0, None, None)
    assert word_of(store, url) == "ok"


def test_a_document_that_could_not_be_read_is_asked_for_again(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Its validators are not kept: a mended parser must not be told 304 for ever."""
    url = server.put("/a", "<html></html>", etag='"v1"')
    watch(store, now, url)
    for _ in range(2):
        assert collect(store, settings, now, every=True).counts["failed"] == 1
    assert "If-None-Match" not in server.requests[1][1]


@pytest.mark.parametrize("end", ["", "<item><title>Polling stat", "<item><title><![CDATA[Polling"])
def test_the_rest_of_a_document_that_broke_off_is_asked_for(
    store: Store, settings: Settings, server: FeedServer, now: datetime, end: str
) -> None:
    """What came is kept, its validators are not: the server would answer 304 though the rest was never seen.

    Half an entry is none. Also when the same piece comes again. Once the document is whole, it is asked for with a
    condition.
    """
    whole = rss(item("Polls open at eight", guid="1"), item("Counting begins", guid="2"))
    piece = rss(item("Polls open at eight", guid="1")).removesuffix("</channel></rss>") + end
    url = server.put("/a", piece, etag='"v1"', last_modified="Mon, 01 Mar 2027 04:00:00 GMT")
    watch(store, now, url)
    reports = [collect(store, settings, now, every=True) for _ in range(3)]
    assert [counts(report, "fetched", "unchanged") for report in reports] == [[1, 0], [0, 1], [0, 1]]
    assert word_of(store, url) == "malformed"
    assert [row[2] for row in stored(store)] == ["Polls open at eight"]
    server.put("/a", whole, etag='"v1"', last_modified="Mon, 01 Mar 2027 04:00:00 GMT")
    assert counts(collect(store, settings, now, every=True), "fetched", "items_new") == [1, 1]
    assert counts(collect(store, settings, now, every=True), "not_modified") == [1]
