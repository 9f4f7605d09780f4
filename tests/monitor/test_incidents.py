"""Incidents in the store: what is read back, in which order, and what the constraints refuse."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from monitor.errors import NotFoundError
from monitor.store import Connection, Store, incident_list, incidents, models, regroup
from monitor.types import ClaimType
from tests.grouping import START, Row, assess, fill


def _open(connection: Connection, item_id: int, now: datetime) -> int:
    """An incident around one item."""
    (first,) = incidents.flagged(connection, [item_id])
    incident_id = incidents.add(connection, first.item, first.claim_type, now)
    incidents.add_item(connection, incident_id, first.item, "first", 1.0, now)
    return incident_id


def test_backlog_is_in_the_order_of_publication(store: Store) -> None:
    """By date, items without one last, then feed and key; unflagged items are not in it."""
    late, undated, early, _, other_feed = fill(
        store,
        [
            Row("b", minute=9),
            Row("c", minute=None),
            Row("d", minute=1),
            Row("e", minute=2, flagged=False),
            Row("a", minute=1, feed=2),
        ],
    )
    with store.read() as connection:
        assert incidents.backlog(connection, START) == [early, other_feed, late, undated]


def test_an_archive_is_not_the_news(store: Store) -> None:
    """What was published before the day given is left out, unless it names somebody or a rule found something."""
    _, named, found, recent, undated = fill(
        store,
        [
            Row("a", minute=1),
            Row("b", minute=1, names=["man"]),
            Row("c", minute=1, findings=[("facts-closes", "facts.toml")]),
            Row("d", minute=2),
            Row("e", minute=None),
        ],
    )
    with store.read() as connection:
        assert incidents.backlog(connection, START + timedelta(minutes=2)) == [named, found, recent, undated]


def test_the_live_models_opinion_counts(store: Store, now: datetime) -> None:
    """Of the current text, and over newer ones; the newest of any model where the live one has none."""
    cleared, raised, unknown = fill(
        store, [Row("a", minute=1), Row("b", minute=2, flagged=False), Row("c", minute=3, flagged=False)]
    )
    with store.write() as connection:
        for item_id, flagged in ((cleared, False), (raised, True)):
            assess(connection, item_id, model="live", flagged=flagged, at=START)
            assess(connection, item_id, model="newest", flagged=not flagged, at=now + timedelta(days=1))
        assess(connection, unknown, model="newest", flagged=True, at=now + timedelta(days=1))
        assert incidents.backlog(connection, START) == [cleared, unknown]
        for model, live in (("newest", False), ("live", True)):
            row = {"id": model, "created_at": now, "live": live, "data_sha256": "", "sha256": ""}
            models.put(connection, {**row, "versions": {}, "metrics": {}, "blob": b""})
        assert incidents.backlog(connection, START) == [raised, unknown]


def test_flagged_keeps_order_and_leaves_out_what_is_done(store: Store, now: datetime) -> None:
    """Asked again under the lock, items grouped meanwhile are gone and the others keep their order."""
    first, second, third = fill(
        store,
        [
            Row("卓望晴退選", names=("cheuk",), claim_type="candidate-status", link="https://a.example/1"),
            Row("b"),
            Row("c"),
        ],
    )
    with store.write() as connection:
        _open(connection, second, now)
        left = incidents.flagged(connection, [third, second, first])
    assert [flagged.item.id for flagged in left] == [third, first]
    assert left[1].names == {"cheuk"}
    assert left[1].claim_type is ClaimType.CANDIDATE_STATUS
    assert left[1].link_key == "a.example/1"
    assert left[1].item.outlet == "Outlet 1"


def test_items_in_order_and_spread(store: Store, now: datetime) -> None:
    """An incident knows its span of time, its items in order, and how far it spread."""
    ids = fill(
        store, [Row("middle", minute=5), Row("first", minute=1, feed=2), Row("last", minute=9), Row("alone", minute=3)]
    )
    with store.write() as connection:
        incident_id = _open(connection, ids[0], now)
        for flagged in incidents.flagged(connection, ids[1:3]):
            incidents.add_item(connection, incident_id, flagged.item, "near-copy", 0.8, now)
        alone = _open(connection, ids[3], now)
    with store.read() as connection:
        assert [item.title for item in incidents.items_of(connection, incident_id)] == ["first", "middle", "last"]
        assert [row["id"] for row in incident_list.listing(connection)] == [incident_id, alone]
        assert [row["id"] for row in incident_list.listing(connection, limit=1)] == [incident_id]
        since = START + timedelta(minutes=9)
        assert [row["id"] for row in incident_list.listing(connection, since=since)] == [incident_id]
        found = incident_list.get(connection, incident_id)
    members = [(item["title"], item["reason"], item["similarity"]) for item in found.pop("items")]
    assert members == [("first", "near-copy", 0.8), ("middle", "first", 1.0), ("last", "near-copy", 0.8)]
    assert found == {
        "id": incident_id,
        "title": "middle",
        "claim_type": None,
        "lang": "en",
        "first_seen_at": START + timedelta(minutes=1, seconds=1),
        "last_seen_at": START + timedelta(minutes=9, seconds=1),
        "outlets": ["Outlet 2", "Outlet 1"],
        "sample": None,
        "clarification_id": None,
    }


def test_no_such_incident(store: Store) -> None:
    """An unknown id is named in the error."""
    with store.read() as connection, pytest.raises(NotFoundError, match="no incident 7"):
        regroup.resolve(connection, 7)


def test_an_item_is_in_one_incident_only(store: Store, now: datetime) -> None:
    """The second incident for an item is refused by the store itself, and nothing of it stays."""
    (item_id,) = fill(store, [Row("a")])
    with store.write() as connection:
        (flagged,) = incidents.flagged(connection, [item_id])
        _open(connection, item_id, now)

    def again() -> None:
        with store.write() as connection:
            incident_id = incidents.add(connection, flagged.item, None, now)
            incidents.add_item(connection, incident_id, flagged.item, "first", 1.0, now)

    with pytest.raises(IntegrityError):
        again()
    with store.read() as connection:
        assert len(incident_list.listing(connection)) == 1


def test_found_by_band_and_by_link(store: Store, now: datetime) -> None:
    """A shared band finds the grouped item; a link finds items of other feeds only."""
    first, second = fill(
        store,
        [Row("a", link="https://a.example/story", names=("man",)), Row("b", link="https://a.example/other")],
    )
    with store.write() as connection:
        incident_id = _open(connection, first, now)
        _open(connection, second, now)
        incidents.add_signature(connection, first, b"sig", [1, 2, 2, 3])
        incidents.add_signature(connection, second, b"none", [])
    with store.read() as connection:
        (member,) = incidents.candidates_by_bands(connection, [3, 9])
        assert member == incidents.Member(first, incident_id, b"sig", frozenset({"man"}))
        assert incidents.candidates_by_bands(connection, [8]) == []
        assert incidents.candidates_by_bands(connection, []) == []
        assert incidents.by_link_key(connection, "a.example/story", feed_id=2) == incident_id
        assert incidents.by_link_key(connection, "a.example/story", feed_id=1) is None
        assert incidents.by_link_key(connection, "a.example/elsewhere", feed_id=2) is None
