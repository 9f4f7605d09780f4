"""Grouping looks at what something new is thought of, and misses nothing by it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import event, select, update

from classifiers.group import group
from monitor.config import Settings
from monitor.store import Store, incidents, models
from monitor.store import items as item_store
from monitor.store.schema import items, to_group
from tests.grouping import START, Row, assess, fill, partition

OLD = -60 * 24 * 400  # minutes: published long before anything is news


def _noted(store: Store) -> list[int]:
    with store.read() as connection:
        return list(connection.scalars(select(to_group.c.item_id).order_by(to_group.c.item_id)))


def test_nothing_is_left_to_look_at_after_a_pass(store: Store, settings: Settings, now: datetime) -> None:
    """What was grouped, and what turned out not to be flagged, is struck off; another pass finds nothing to do."""
    cleared, _ = fill(store, [Row("One story about a ferry", minute=1), Row("Quite another about a market", minute=2)])
    with store.write() as connection:
        assess(connection, cleared, model="m2", flagged=False, at=now)
    assert group(store, settings, now).counts["items"] == 1
    assert _noted(store) == []
    with store.read() as connection:
        assert not incidents.waits(connection, START)
    assert group(store, settings, now).counts == {"items": 0, "incidents_new": 0, "joined": 0, "left": 0}


def test_an_archive_rests_until_it_names_somebody_or_the_limit_is_wider(
    store: Store, settings: Settings, now: datetime
) -> None:
    """What is too old costs later passes nothing; a new opinion, or more ``triage.max_age_days``, finds it."""
    plain, named = fill(store, [Row("A story about a ferry", minute=OLD), Row("One about a market", minute=OLD)])
    assert group(store, settings, now).counts["items"] == 0
    with store.read() as connection:
        assert not incidents.waits(connection, now - timedelta(days=settings.triage.max_age_days))
    with store.write() as connection:
        assess(connection, named, model="m2", flagged=True, names=["man"], at=now)
    assert group(store, settings, now).counts["items"] == 1
    assert partition(store) == {frozenset({named})}
    wider = settings.model_copy(update={"triage": settings.triage.model_copy(update={"max_age_days": 800})})
    assert group(store, wider, now).counts["items"] == 1
    assert partition(store) == {frozenset({named}), frozenset({plain})}
    assert _noted(store) == []


def test_a_model_that_becomes_live_is_followed(store: Store, settings: Settings, now: datetime) -> None:
    """What the live model cleared is grouped once the model that flags it is live, without a new opinion of it."""
    (item_id,) = fill(store, [Row("A story about a ferry", minute=1)])
    with store.write() as connection:
        for model in ("m1", "m2"):
            row = {"id": model, "created_at": now, "live": False, "data_sha256": "", "sha256": ""}
            models.put(connection, {**row, "versions": {}, "metrics": {}, "blob": b""})
        assess(connection, item_id, model="m2", flagged=False, at=now)
        models.promote(connection, "m2", now)
    assert group(store, settings, now).counts["items"] == 0
    with store.write() as connection:
        models.promote(connection, "m1", now)
    assert group(store, settings, now).counts["items"] == 1


def test_what_is_noted_while_a_pass_runs_stays_noted(store: Store, settings: Settings, now: datetime) -> None:
    """An edit that is assessed between the grouping of an item and the end of the pass is looked at by the next."""
    first, second = fill(
        store, [Row("One story about a ferry", minute=1), Row("Quite another about a market", minute=2)]
    )
    with store.write() as connection:
        item = item_store.get(connection, first)
        incidents.add_item(connection, incidents.add(connection, item, None, now), item, "first", 1.0, now)
        connection.execute(update(items).where(items.c.id == first).values(revision=1, title="Of a bridge and a toll"))
        assess(connection, first, revision=1, flagged=True, at=now)
        incidents.looked_at(connection, START)
        assert incidents.backlog(connection, START) == [second]
        assert incidents.changed(connection, START) == [first]
    group(store, settings, now)
    assert _noted(store) == []


def test_a_pass_reads_no_more_of_a_store_that_is_full(store: Store, settings: Settings, now: datetime) -> None:
    """With nothing new, one look at what is noted is all: no other table is asked."""
    fill(store, [Row(f"Story {number}", minute=number) for number in range(9)])
    group(store, settings, now)
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    group(store, settings, now)
    assert [statement for statement in asked if "FROM" in statement and "FROM to_group" not in statement] == []
