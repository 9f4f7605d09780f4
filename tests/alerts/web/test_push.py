"""A hub on loopback announces news of a feed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from monitor.collect import collect
from tests.alerts.web.desk import Desk
from tests.hub import CHALLENGE, call, wait_until


@pytest.mark.parametrize("early", [False, True], ids=["asks after its answer", "asks before its answer"])
def test_news_that_a_hub_announces_are_fetched_at_once(desk: Desk, early: bool) -> None:
    """Subscribed, confirmed, announced, fetched; as long as that works the feed is asked at the longest interval."""
    desk.hub.early = early
    desk.ready()
    assert desk.hub.echoes == [(200, CHALLENGE)]
    assert desk.feed.topic == desk.feed.url
    desk.rest()
    assert desk.waits_s > 60
    desk.publish("b", "a")
    assert desk.hub.deliver() == 202
    assert desk.waits_s < 0
    report = collect(desk.store, desk.settings, datetime.now(UTC))
    assert report.counts["items_new"] == 1
    assert desk.waits_s > 0.89 * desk.settings.rhythm.before[1]
    desk.rest()
    desk.publish("c", "b", "a")  # and nobody says so
    desk.collect()
    assert desk.waits_s < 0.8 * desk.settings.rhythm.before[1]


def test_a_subscription_asks_once(desk: Desk) -> None:
    """The stage runs at every tick, and two runs at once would not ask twice."""
    desk.ready()
    assert desk.subscribe().counts == {"begun": 0, "ended": 0, "asked": 0, "failed": 0}
    assert len(desk.hub.asked) == 1
    assert len(desk.hub.asked[0]["hub.callback"].rpartition("/")[2]) == 43


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_signature_of_the_standard_is_believed(desk: Desk, method: str) -> None:
    """Hubs choose."""
    desk.ready()
    desk.rest()
    assert desk.hub.deliver("選舉事務署澄清".encode() * 9_000, method=method) == 413
    assert desk.hub.deliver("選舉事務署澄清".encode() * 1_000, method=method) == 202
    assert desk.feed.pushed_at is not None


def test_a_forged_delivery_is_acknowledged_and_ignored(desk: Desk) -> None:
    """As the standard says; neither another secret, nor none, nor another body makes the feed due."""
    desk.ready()
    desk.rest()
    address = desk.hub.asked[0]["hub.callback"]
    before = desk.feed
    assert desk.hub.deliver(secret="guessed") == 202
    for headers in ({}, {"X-Hub-Signature": "sha256=" + "0" * 64}, {"X-Hub-Signature": "md5=00"}):
        assert call(address, b"news", headers)[0] == 202
    assert desk.feed == before


def test_a_hub_that_shouts_is_asked_to_come_later(desk: Desk) -> None:
    """Each believed delivery costs a transaction; a forged one costs its hash and shuts nobody out."""
    desk.ready()
    assert desk.hub.deliver(secret="guessed") == 202
    assert desk.hub.deliver() == 202
    assert desk.hub.deliver() == 429


def test_however_often_news_are_announced_the_outlet_is_spared(desk: Desk) -> None:
    """Half a minute lies between two fetches; one that fails is not asked sooner for it."""
    desk.ready()
    assert desk.hub.deliver() == 202
    assert 15 < desk.waits_s < 30
    desk.publish("a", status=503, headers={"Retry-After": "7200"})
    desk.collect()
    desk.rest()
    wait_until(lambda: desk.hub.deliver() == 202)
    assert desk.waits_s > 7000


def test_news_announced_while_the_feed_is_being_fetched_are_not_lost(desk: Desk) -> None:
    """What was on its way may be older than they."""
    desk.ready()
    desk.publish("b", "a", delay_s=1)
    seen = len(desk.server.requests)
    thread = threading.Thread(target=desk.collect)
    thread.start()
    wait_until(lambda: len(desk.server.requests) > seen)
    desk.rest()
    assert desk.hub.deliver() == 202
    thread.join()
    assert desk.feed.last_new_at is not None
    assert desk.waits_s < 0
