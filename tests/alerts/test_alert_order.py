"""The queue as numbers: the same alerts in the same order as `alerts list`, whatever is asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from alerts import queue, silences
from alerts.dispatch import dispatch
from alerts.suppression import SilenceMatchers
from monitor.config import Settings
from monitor.store import Store, alert_list, alert_order
from monitor.store.alert_order import Wanted
from monitor.store.schema import incidents
from monitor.types import AlertState, ClaimType, Decision, Review, Verdict
from tests.alerts.rows import WITHDRAWN, add_incident


@pytest.fixture(autouse=True)
def _queue(store: Store, settings: Settings, now: datetime) -> None:
    """Of each state one at least; one of another language, one of another claim type, one hidden."""
    add_incident(store, now, findings=[WITHDRAWN])
    add_incident(store, now, title="The pier is closed", score=0.6, matches=[], lang="en")
    add_incident(store, now, title="票站提早關門", claim_type=ClaimType.POLLING_DISRUPTION, score=0.9)
    for number in range(5):
        add_incident(store, now, title=f"Story {number}", score=0.5 - number / 100, matches=[], lang="zh-Hans")
    dispatch(store, settings, now)
    queue.take(store, settings, "ben", now, 2)
    queue.take(store, settings, "maya", now, 4)
    queue.take(store, settings, "lin", now, 1)
    queue.decide(store, settings, "lin", now, 1, Decision.CLARIFY, Verdict.FALSE, "the roster")
    queue.snooze(store, settings, "lin", now, 5, now + timedelta(hours=1), "later")
    queue.take(store, settings, "lin", now, 6)
    queue.decide(store, settings, "lin", now, 6, Decision.DISMISS, None, "opinion")
    matchers = SilenceMatchers.read(["incident=8"])
    silences.add(store, settings, matchers, "lin", "known", now, now + timedelta(hours=2))
    dispatch(store, settings, now)


def _ids(store: Store, now: datetime, **wanted: Any) -> list[int]:
    with store.read() as connection:
        found = alert_order.order(connection, Wanted(**wanted), now, 100)
        assert alert_order.count(connection, Wanted(**wanted), now) == len(found)
        return [id for id, _ in found]


@pytest.mark.parametrize("minutes", [0, 11, 61, 121])
def test_the_order_is_that_of_the_list(store: Store, now: datetime, minutes: int) -> None:
    """Also when leases, snoozes and silences are over and nobody has written it down."""
    moment = now + timedelta(minutes=minutes)
    listed = [row["id"] for row in queue.listing(store, now=moment)]
    assert _ids(store, moment) == listed
    everything = [row["id"] for row in queue.listing(store, states=tuple(AlertState), suppressed=None, now=moment)]
    assert _ids(store, moment, states=tuple(AlertState), suppressed=None) == everything
    for state in AlertState:
        these = [row["id"] for row in queue.listing(store, states=[state], suppressed=None, now=moment)]
        assert _ids(store, moment, states=(state,), suppressed=None) == these


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"langs": ("en",)}, {2}),
        ({"langs": ("en", "zh-Hant")}, {1, 2, 3}),
        ({"claim_types": (ClaimType.POLLING_DISRUPTION,)}, {3}),
        ({"review": Review.SECOND}, {1}),
        ({"held": "mine"}, {4}),
        ({"held": "others"}, {2}),
        ({"held": "nobody"}, {1, 3, 7}),
        ({"suppressed": True}, {8}),
        ({"states": (AlertState.SNOOZED,)}, {5}),
        ({"states": (AlertState.CLOSED,)}, {6}),
        ({"priorities": (1, 2, 3, 4)}, {1, 2, 3, 4, 7}),
    ],
)
def test_filters(store: Store, now: datetime, wanted: dict[str, Any], ids: set[int]) -> None:
    """Each by itself, over the whole queue."""
    assert set(_ids(store, now, reviewer="maya", **wanted)) == ids


def test_a_lease_that_is_over_is_nobodys(store: Store, now: datetime) -> None:
    """As if the clock had written it down."""
    assert _ids(store, now + timedelta(minutes=11), held="mine", reviewer="maya") == []


def test_the_claim_type_is_that_of_the_leading_item(store: Store, now: datetime) -> None:
    """Where the incident has none of its own."""
    with store.write() as connection:
        connection.execute(update(incidents).values(claim_type=None))
    for row in queue.listing(store, now=now):
        assert row["id"] in _ids(store, now, claim_types=(ClaimType(row["claim_type"]),))
    assert _ids(store, now, claim_types=(ClaimType.SCAM_LURE,)) == []


def test_rows_come_in_the_order_asked_for(store: Store, now: datetime) -> None:
    """And with what `alerts list` says; an alert that is gone has none."""
    with store.read() as connection:
        rows = alert_list.rows(connection, [7, 99, 2, 8], now)
        assert [row["id"] for row in rows] == [7, 2, 8]
        assert rows == [alert_list.row(connection, alert_id, now) for alert_id in (7, 2, 8)]
