"""What was and was not covered: nothing that stopped coming may look like quiet."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert, update

from alerts.coverage import Drifting, drift, read_coverage
from monitor.config import Settings
from monitor.errors import FeedError, FeedErrorKind
from monitor.store import Store
from monitor.store import feeds as feed_rows
from monitor.store.schema import models, outbox
from monitor.types import ClaimType
from tests.alerts.rows import add_incident, assess

DAY = timedelta(days=1)


def test_what_stopped_coming_is_named(store: Store, settings: Settings, now: datetime) -> None:
    """A language, an outlet and a claim type that brought something a week ago and nothing since."""
    add_incident(store, now - 8 * DAY, outlets=("Old Quay Post",), lang="en", claim_type=ClaimType.SCAM_LURE)
    add_incident(store, now - DAY, outlets=("Harbour Daily",), claim_type=ClaimType.CANDIDATE_FACT)
    with store.write() as connection:
        for feed in feed_rows.listing(connection):
            at = now - DAY if feed.outlet == "Harbour Daily" else now - 8 * DAY
            feed_rows.record_success(connection, feed.id, now, now, last_new_at=at)
        feed_rows.add(connection, "https://quay.example/new", now, outlet="Young Gazette")
    found = read_coverage(store, settings, now)
    assert found.quiet_langs == ["en", "zh-Hans"]
    assert found.quiet_outlets == ["Old Quay Post"]  # one that was added today is not quiet
    assert "scam-lure" in found.quiet_claim_types
    assert "candidate-fact" not in found.quiet_claim_types


def test_a_feed_that_was_switched_off_lately_is_named(store: Store, settings: Settings, now: datetime) -> None:
    """By a person or because its outlet says that it is gone; one that has been off for a month is not news."""
    with store.write() as connection:
        gone, off, old = (
            feed_rows.add(connection, f"https://{name}.example/rss", now - 60 * DAY, outlet=name)[0].id
            for name in ("gone", "off", "old")
        )
        error = FeedError("https://gone.example/rss", FeedErrorKind.GONE, "410 Gone")
        feed_rows.record_failure(connection, gone, now - DAY, now, error, strikes=1, disable=True)
        feed_rows.record_success(connection, off, now - 2 * DAY, now)
        feed_rows.record_success(connection, old, now - 30 * DAY, now)
        for id in (off, old):
            feed_rows.set_enabled(connection, id, False)
    found = read_coverage(store, settings, now)
    assert [row["outlet"] for row in found.disabled] == ["gone", "off"]
    assert found.feeds["words"] == {"gone": 1, "disabled": 2}


def test_what_was_dropped_is_counted_with_its_reason(store: Store, settings: Settings, now: datetime) -> None:
    """Messages that receivers never had, and what waits before the stages."""
    add_incident(store, now)
    row = {"receiver": "desk", "message": b"{}", "attempts": 0, "next_try_at": now}
    with store.write() as connection:
        for key, at in (("a", now), ("b", now), ("c", now - 8 * DAY)):
            connection.execute(insert(outbox).values(key=key, frozen_at=at, dropped="decided: dismiss", **row))
    found = read_coverage(store, settings, now)
    assert found.dropped == {"occasions": {}, "messages": {"decided: dismiss": 2}}
    assert (found.backlog["unassessed"], found.backlog["undispatched"]) == (0, 1)
    assert found.as_json()["unassessed"] == 0


def test_drift_is_what_the_scores_say() -> None:
    """The same scores are steady; scores that moved up are not; too few say nothing."""
    low, high = [(n / 2000, False) for n in range(1000)], [(0.5 + n / 2000, True) for n in range(1000)]
    assert drift("m", low, low, (0, 0)).word is Drifting.STEADY
    moved = drift("m", high, low, (200, 30))
    assert moved.word is Drifting.DRIFTED
    assert (moved.flagged_before, moved.flagged, moved.dismissed) == (0.0, 1.0, 30)
    few = drift("m", high[:150], low, (0, 0))
    assert (few.word, few.index) == (Drifting.UNKNOWN, None)


def test_drift_reads_the_live_model_of_this_week_and_the_last(store: Store, settings: Settings, now: datetime) -> None:
    """Assessments of another model, and of items that are not there yet, count for nothing."""
    for at in (now - DAY, now - 9 * DAY):
        add_incident(store, at, outlets=("Harbour Daily", "Old Quay Post"), title=f"{at:%d} 卓望晴退選？")
    row = {"created_at": now, "data_sha256": "x", "sha256": "x", "versions": {}, "metrics": {}, "blob": b""}
    with store.write() as connection:
        connection.execute(insert(models).values(id="seed-1", live=True, **row))
        assess(connection, now, 1, score=0.1, model_id="seed-2")
    found = read_coverage(store, settings, now).drift
    assert (found.model, found.items, found.flagged, found.flagged_before) == ("seed-1", 4, 1.0, 1.0)
    with store.write() as connection:
        connection.execute(update(models).values(live=False))
    assert read_coverage(store, settings, now).drift.model is None
