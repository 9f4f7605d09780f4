"""A redirect to another host: that one has its peace too, from this pass and from all others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from monitor import holding
from monitor.collect import collect
from monitor.config import Settings
from monitor.store import Store, feeds, hosts, items
from tests.fakes import ALLOW_LOOPBACK, FeedServer, feed_server, item, rss
from tests.monitor.collecting import counts, state_of, watch


def _busy(store: Store) -> int:
    with store.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM hosts WHERE holder IS NOT NULL").scalar_one())


def test_redirects_wait_for_the_turn_of_the_host_they_lead_to(
    store: Store, configure: Callable[[str], Settings], server: FeedServer
) -> None:
    """By its own clock: six hosts send us to one, which is asked one at a time and with its gap, its own feed as well.

    It is given back at the end. The gap is ours, between turns: half of it is left for a request that comes late.
    """
    settings = configure(ALLOW_LOOPBACK + "host_gap_s = 0.5\nper_host = 1\n")
    with ExitStack() as stack:
        others = [stack.enter_context(feed_server()) for _ in range(6)]
        # By name the host is not one that `allow_private` calls ours: it has its gap.
        named = server.url("").replace("127.0.0.1", "localhost")
        for n, other in enumerate(others):
            server.put(f"/{n}", rss(item(f"題{n}", guid="1")), delay_s=0.05)
            other.put("/feed", status=302, headers={"Location": f"{named}/{n}"})
        server.put("/own", rss(item("自己", guid="1")), delay_s=0.05)
        urls = [other.url("/feed") for other in others]
        watch(store, datetime.now(UTC), *urls, f"{named}/own")
        report = collect(store, settings, datetime.now(UTC))
    assert counts(report, "feeds", "fetched", "elsewhere", "failed", "items_new") == [7, 7, 0, 0, 7]
    spans = sorted(server.spans)
    assert len(spans) == 7
    assert all(later[0] >= earlier[1] for earlier, later in pairwise(spans))
    assert all(later[0] - earlier[0] >= 0.25 for earlier, later in pairwise(spans))
    assert _busy(store) == 0


def test_a_redirect_to_a_host_of_another_pass_is_put_off(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That host is not asked, the feed stays due and has not failed; it is read once the host is free."""
    monkeypatch.setattr(holding, "PATIENCE_S", (0.0, 0.1))
    settings = configure(ALLOW_LOOPBACK)
    now = datetime.now(UTC)
    with feed_server() as target:
        url = server.put("/a", status=301, headers={"Location": target.put("/b", rss(item("甲", guid="1")))})
        watch(store, now, url)
        name = f"127.0.0.1:{target.port}"
        with store.write() as connection:
            assert hosts.take(connection, [name], "another", now, now + timedelta(minutes=5)) == {name: None}
        assert counts(collect(store, settings, now), "feeds", "elsewhere", "failed") == [1, 1, 0]
        assert target.requests == []
        assert (state_of(store, url).last_attempt_at, state_of(store, url).failures) == (None, 0)
        with store.write() as connection:
            assert hosts.held(connection, [name], "another") == {name}
            hosts.release(connection, {name: now}, "another")
        assert counts(collect(store, settings, now), "feeds", "fetched") == [1, 1]
    assert state_of(store, url).moved_to == target.url("/b")
    assert _busy(store) == 0


def test_who_is_slow_at_the_end_of_a_redirect_is_the_host_there(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """Its silence is its own, and waited for once: the host that sent us there is asked for its other feeds."""
    settings = configure(ALLOW_LOOPBACK + "timeout_s = 1\nper_host = 1\n")
    with feed_server() as silent:
        silent.put("/", delay_s=3)
        for n in range(3):
            server.put(
                f"/{n}",
                status=302,
                headers={"Location": silent.url("/")},
            )
        good = server.put("/good", rss(item("A", guid="1")))
        watch(store, now, *(server.url(f"/{n}") for n in range(3)), good)
        assert counts(collect(store, settings, now), "failed", "fetched") == [3, 1]
        assert len(silent.requests) == 1
    details = [state_of(store, server.url(f"/{n}")).error_detail or "" for n in range(3)]
    assert sum("earlier in this pass" in detail for detail in details) == 2


def test_redirects_between_hosts_come_to_an_end(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """Two hosts that send us to each other, and feeds on both: an error for each, and no host stays held."""
    settings = configure(ALLOW_LOOPBACK + "per_host = 1\nconcurrency = 2\n")
    with feed_server() as other:
        there = server.put("/a", status=302, headers={"Location": other.url("/a")})
        back = other.put("/a", status=302, headers={"Location": there})
        watch(store, now, there, back)
        report = collect(store, settings, now)
    assert counts(report, "feeds", "failed") == [2, 2]
    assert {state_of(store, url).error_kind for url in (there, back)} == {"redirect"}
    assert _busy(store) == 0


def test_a_pass_that_takes_long_leaves_the_rest_to_the_next(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """It asks no more then: what is left stays due, hosts that were waited for are given back."""
    settings = configure(ALLOW_LOOPBACK + "concurrency = 1\nper_host = 1\ntimeout_s = 5\n")
    with feed_server() as other:
        urls = [server.put(f"/{n}", rss(item(f"題{n}", guid="1")), delay_s=0.5) for n in range(4)]
        watch(store, now, *urls, *(other.put(f"/{n}", rss(item(f"題{n}", guid="1")), delay_s=0.5) for n in range(4)))
        first = collect(store, settings, now, within_s=0.8)
        assert first.counts["feeds"] == 8
        assert 1 <= first.counts["fetched"] <= 3
        assert first.counts["fetched"] + first.counts["elsewhere"] == 8
        assert _busy(store) == 0
        second = collect(store, settings, now)
    assert second.counts["fetched"] == second.counts["feeds"] == first.counts["elsewhere"]
    with store.read() as connection:
        assert len(items.listing(connection)) == 8
        assert all(feed.failures == 0 for feed in feeds.listing(connection))


def test_a_page_behind_a_redirect_is_named(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """Outlets that move send their old feeds to their front page: which one it is stands in the list."""
    home = server.put("/", "<!doctype html><title>海港日報</title>")
    url = server.put("/rss", status=301, headers={"Location": "/"})
    watch(store, now, url)
    collect(store, configure(ALLOW_LOOPBACK), now)
    feed = state_of(store, url)
    assert (feed.error_kind, feed.error_detail) == ("html", f"redirects to {home}: a web page, not a feed")
    assert feed.moved_to is None  # nobody moves to a page


def test_a_feed_that_moves_brings_nothing_anew(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """Its guids and links are relative, and so is what they lead to: followed, then stored, it lists the same items."""
    settings = configure(ALLOW_LOOPBACK)
    story = "<item><guid>news/{0}</guid><title>{1}</title><link>/news/{0}</link></item>"
    named = (
        story.format(1, "票站改址")
        + story.format(2, "The count begins")
        + "<item><guid>n/3</guid><title>三</title></item>"
    )
    url = server.put("/feeds/rss", rss(named))
    watch(store, now, url)
    assert collect(store, settings, now).counts["items_new"] == 3
    with feed_server() as target:
        server.put("/feeds/rss", status=301, headers={"Location": target.put("/rss.xml", rss(named))})
        for day in range(1, 6):
            report = collect(store, settings, now + timedelta(days=day), every=True)
            assert counts(report, "items_new", "failed") == [0, 0]
        target.put("/rss.xml", rss(story.format(4, "四"), named))
        assert collect(store, settings, now + timedelta(days=6), every=True).counts["items_new"] == 1
        assert state_of(store, target.url("/rss.xml")).moved_to is None  # its own address now
        with store.read() as connection:
            links = {found.title: found.link for found in items.listing(connection)}
        assert links["票站改址"] == target.url("/news/1")
        assert links["三"] == target.url("/n/3")
