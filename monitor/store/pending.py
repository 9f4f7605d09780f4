"""What group, dispatch, capture and the index have before them. Whoever changes something notes it as well.

So a pass costs what has changed since the last one, however much the store holds. What is noted twice is looked at
once, what is noted in vain costs a look. A stage strikes off what it has looked at in a transaction that sees that
nothing is left to do there: one that is killed, or run twice, finds what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from monitor.store.schema import (
    alerts,
    assessments,
    incident_items,
    looked,
    to_capture,
    to_dispatch,
    to_group,
    to_index,
)
from monitor.store.upsert import insert as insert_new
from monitor.types import LIVE

PAGE = 500

_NOTED_ITEMS = select(to_group.c.item_id)
_TO_CAPTURE = select(to_capture.c.item_id)
_UNDECIDED = select(alerts.c.incident_id).where(alerts.c.state.in_(LIVE))


def assessed(connection: Connection, item_ids: Iterable[int]) -> None:
    """Something new is thought of these items: they may belong into an incident, and theirs may matter more.

    Those that are flagged, or were, are evidence.
    """
    for page in _pages(item_ids):
        flagged = _flagged().where(assessments.c.item_id.in_(page), assessments.c.item_id.not_in(_TO_CAPTURE))
        connection.execute(insert(to_capture).from_select(["item_id"], flagged))
        _note_items(connection, _flagged().where(assessments.c.item_id.in_(page)))
        _note(connection, select(incident_items.c.incident_id).where(incident_items.c.item_id.in_(page)))


def changed(connection: Connection, *incident_ids: int) -> None:
    """These incidents, their items or the states of their alerts are not what they were."""
    here = select(incident_items.c.incident_id).where(incident_items.c.incident_id.in_(incident_ids))
    _note(connection, here)


def joined(connection: Connection, item_id: int) -> None:
    """An item belongs to an incident now: it is evidence, flagged or not."""
    if connection.scalar(_TO_CAPTURE.where(to_capture.c.item_id == item_id)) is None:
        connection.execute(insert(to_capture).values(item_id=item_id))


def judged_anew(connection: Connection) -> None:
    """Other assessments are in force: every item and every alert may be concerned."""
    _note_items(connection, _flagged())
    _note(connection, _UNDECIDED)


def outlets_changed(connection: Connection) -> None:
    """Who published what is not what it was: every alert may be concerned."""
    _note(connection, _UNDECIDED)


def edited(connection: Connection, item_id: int) -> None:
    """Another text took the place of this item's."""
    connection.execute(insert_new(connection, to_index).values(item_id=item_id).on_conflict_do_nothing())


def look_by(connection: Connection, stage: str, rules: str) -> None:
    """From now on ``stage`` goes by ``rules``; if they are others than before, it is to look at every alert again."""
    if connection.scalar(select(looked.c.rules).where(looked.c.stage == stage)) == rules:
        return
    connection.execute(delete(looked).where(looked.c.stage == stage))
    connection.execute(insert(looked).values(stage=stage, rules=rules))
    _note(connection, _UNDECIDED)


def looks_by(connection: Connection, stage: str) -> str | None:
    """The rules that ``stage`` goes by; None before its first pass."""
    return connection.scalar(select(looked.c.rules).where(looked.c.stage == stage))


def to_look_at(connection: Connection, limit: int) -> list[int]:
    """Ids of incidents that dispatch has before it, the oldest first."""
    return list(connection.scalars(select(to_dispatch.c.incident_id).order_by(to_dispatch.c.incident_id).limit(limit)))


def strike_off(connection: Connection, incident_ids: Iterable[int]) -> None:
    """Dispatch has looked at these incidents as they are now."""
    for page in _pages(incident_ids):
        connection.execute(delete(to_dispatch).where(to_dispatch.c.incident_id.in_(page)))


def _flagged() -> Select[Any]:
    return select(assessments.c.item_id).where(assessments.c.flagged).distinct()


def _note_items(connection: Connection, ids: Select[Any]) -> None:
    connection.execute(update(to_group).where(to_group.c.item_id.in_(ids)).values(published_at=None))
    connection.execute(insert(to_group).from_select(["item_id"], ids.where(assessments.c.item_id.not_in(_NOTED_ITEMS))))


def _note(connection: Connection, ids: Select[Any]) -> None:
    known = select(to_dispatch.c.incident_id)
    new = ids.where(ids.selected_columns[0].not_in(known)).distinct()
    connection.execute(insert(to_dispatch).from_select(["incident_id"], new))


def _pages(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = list(ids)
    for start in range(0, len(rest), PAGE):
        yield rest[start : start + PAGE]
