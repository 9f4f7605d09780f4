"""Subscriptions are asked for, renewed, taken up again and ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.status import status
from monitor.config import Settings
from monitor.store import feeds, open_store
from monitor.types import Mode
from tests.alerts.web.desk import Desk, served
from tests.fakes import ALLOW_LOOPBACK, feed_server
from tests.hub import CHALLENGE, call, running_hub


def test_a_lease_is_renewed_at_the_same_address_and_lapses_without(desk: Desk) -> None:
    """Asked again when a quarter of it is left; a hub that does not confirm is relied on no longer."""
    desk.hub.lease_s = 86_400
    desk.ready()
    assert desk.hub.deliver() == 202
    first = desk.held[0]
    assert desk.subscribe(timedelta(hours=17)).counts["asked"] == 0
    desk.hub.lease_s = 172_800
    assert desk.subscribe(timedelta(hours=19)).counts["asked"] == 1
    assert desk.hub.asked[0] == desk.hub.asked[1]
    assert desk.live
    renewed = desk.held[0]
    assert first.lease_ends_at is not None
    assert renewed.lease_ends_at is not None
    assert renewed.lease_ends_at - first.lease_ends_at > timedelta(hours=23)
    desk.hub.confirms = False
    desk.subscribe(timedelta(hours=40))
    assert desk.feed.pushed_at is not None
    desk.subscribe(timedelta(hours=49))
    assert desk.feed.pushed_at is None
    assert desk.held[0].lease_ends_at is None
    desk.hub.confirms = True
    desk.subscribe(timedelta(days=4))
    assert desk.live


def test_a_hub_that_is_down_is_told_and_asked_later_and_the_feed_is_polled(desk: Desk) -> None:
    """An error in words beside the feed, no problem of the desk; later and later; one that is back is used."""
    desk.hub.status, desk.hub.headers = 503, {"Retry-After": "3600"}
    desk.collect()
    report = desk.subscribe()
    assert report.counts == {"begun": 1, "ended": 0, "asked": 1, "failed": 1}
    assert "503" in report.problems[0]
    found = status(desk.store, desk.settings, datetime.now(UTC))
    assert found["push"] == {"live": 0, "waiting": 1, "ending": 0}
    assert any(note.startswith("feed 1 has no push: hub http") for note in found["notes"])
    assert desk.subscribe(timedelta(minutes=50)).counts["asked"] == 0
    assert desk.waits_s < 0.8 * desk.settings.rhythm.before[1]
    desk.hub.status = 202
    assert desk.subscribe(timedelta(minutes=61)).counts["failed"] == 0
    assert desk.live
    assert status(desk.store, desk.settings, datetime.now(UTC))["push"] == {"live": 1, "waiting": 0, "ending": 0}


def test_a_hub_that_is_down_is_not_asked_for_each_of_its_feeds(desk: Desk) -> None:
    """They would only wait as long in vain, and the other hubs with them; the error stands with each."""
    with desk.store.write() as connection:
        for number in range(5):
            feeds.add(connection, desk.server.url(f"/f?{number}"), datetime.now(UTC))
            desk.server.pages[f"/f?{number}"] = desk.server.pages["/f"]
    desk.hub.status = 503
    desk.collect()
    assert desk.subscribe().counts == {"begun": 6, "ended": 0, "asked": 6, "failed": 6}
    assert len(desk.hub.asked) <= desk.settings.fetch.per_host
    assert all("503" in (each.error or "") for each in desk.held)


def test_a_hub_that_answers_too_late_but_has_confirmed_is_believed(desk: Desk) -> None:
    """Its confirmation counts, not what became of our request."""
    desk.hub.early = True
    desk.hub.status = 299
    desk.collect()
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE feeds SET hub = hub || '?'")
    desk.hub.headers = {"Content-Length": "-1"}
    report = desk.subscribe()
    assert report.counts["failed"] == 1
    assert desk.live
    assert desk.held[0].error is None


def test_a_hub_that_says_no_is_asked_again_in_a_day(desk: Desk) -> None:
    """Its words stand in `status`, and the feed is polled in its own rhythm."""
    desk.ready()
    assert desk.hub.deliver() == 202
    assert desk.hub.question(desk.hub.asked[0], hub_mode="denied", hub_reason="topic unknown")[0] == 204
    assert desk.feed.pushed_at is None
    assert desk.held[0].error == "denied by the hub: topic unknown"
    assert desk.subscribe(timedelta(hours=23)).counts["asked"] == 0
    desk.subscribe(timedelta(hours=25))
    assert desk.live


@pytest.mark.parametrize("why", ["disabled", "drops its hub", "another hub", "no public address"])
def test_what_is_not_wanted_any_more_is_ended(desk: Desk, why: str, configure: Callable[[str], Settings]) -> None:
    """The hub is told, confirms, and is forgotten; until then its deliveries are refused."""
    desk.ready()
    assert desk.hub.deliver() == 202
    begun = 0
    if why == "disabled":
        with desk.store.write() as connection:
            feeds.set_enabled(connection, 1, False)
    elif why == "no public address":
        desk.settings = configure(ALLOW_LOOPBACK)
    else:
        begun = 1 if why == "another hub" else 0
        desk.publish("a", "b", hub=desk.hub.url + "?2" if begun else "")
        desk.collect()
    desk.hub.confirms = False
    assert desk.subscribe().counts == {"begun": begun, "ended": 1, "asked": 1 + begun, "failed": 0}
    assert desk.hub.deliver() == (202 if begun else 410)
    assert desk.feed.pushed_at is None or begun
    (ended,) = [form for form in desk.hub.asked if form["hub.mode"] == "unsubscribe"]
    assert desk.hub.question(ended) == (200, CHALLENGE)
    assert [s.mode for s in desk.held] == [Mode.SUBSCRIBE] * begun
    assert call(ended["hub.callback"], b"x")[0] == 404


def test_a_hub_that_never_confirms_an_end_is_forgotten_with_its_lease(desk: Desk) -> None:
    """Nobody asks a dead hub for ever."""
    desk.ready()
    with desk.store.write() as connection:
        feeds.set_enabled(connection, 1, False)
    desk.hub.status = 500
    desk.subscribe()
    assert [s.mode for s in desk.held] == [Mode.UNSUBSCRIBE]
    assert desk.subscribe(timedelta(days=11)).counts["asked"] == 0
    assert desk.held == []


def test_a_restart_between_request_and_confirmation_loses_nothing(
    folder: Path, settings: Settings, now: datetime
) -> None:
    """What was asked is in the store before the hub hears of it."""
    with feed_server() as server, running_hub() as hub:
        hub.confirms = False
        before = open_store(settings.database_url)
        desk = Desk(before, settings, server, hub)
        with before.write() as connection:
            feeds.add(connection, server.url("/f"), now)
        desk.collect()
        desk.subscribe()  # nothing is served: it has just been stopped
        before.close()
        desk.store = open_store(settings.database_url)
        with served(desk.store, settings):
            assert hub.question(hub.asked[0]) == (200, CHALLENGE)
            assert desk.live
            assert desk.subscribe().counts["asked"] == 0
            assert hub.deliver() == 202
        desk.store.close()


def test_a_hub_at_a_private_address_is_not_asked(desk: Desk, configure: Callable[[str], Settings]) -> None:
    """The guard of feeds is that of hubs: a feed must not make us post into our own network."""
    desk.collect()
    port = desk.settings.web.port
    desk.settings = configure(f'[web]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"')
    (problem,) = desk.subscribe().problems or [""]
    assert "blocked" in problem
    assert desk.hub.asked == []
