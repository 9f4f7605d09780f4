"""What is kept no longer: items with everything that points to them, and the words of messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, func, or_, select, update

from monitor.store import evidence, marks
from monitor.store import texts as words
from monitor.store.assessments import REFUTES
from monitor.store.schema import (
    alerts,
    answers,
    assessments,
    captures,
    feeds,
    incident_items,
    incidents,
    items,
    metadata,
    notices,
    outbox,
    revisions,
    to_dispatch,
)
from monitor.types import Role, join_text

PAGE = 500  # items, incidents or messages in one transaction; a writer waits for at most one
LISTED = 500  # so many newest items of a feed may still be listed, where marks do not say which are


@dataclass(frozen=True, slots=True)
class Loose:
    """An item in no incident."""

    id: int
    feed_id: int
    first_seen_at: datetime
    answers: bool  # it refutes, as an official or fact-check feed does, or is an answer to an incident


@dataclass(frozen=True, slots=True)
class Settled:
    """An incident that has items, with the state and the decision of each of its alerts."""

    id: int
    last_seen_at: datetime
    alerts: tuple[tuple[str, str | None], ...]
    waits: bool  # dispatch has not looked at it yet


def last_item(connection: Connection, before: datetime) -> int:
    """The highest id of an item first seen before then; 0 without one."""
    return connection.scalar(select(func.max(items.c.id)).where(items.c.first_seen_at < before)) or 0


def loose(connection: Connection, before: datetime, after: int, last: int) -> list[Loose]:
    """A page of items in no incident that were first seen before then, by id: above ``after``, up to ``last``."""
    refutes = and_(
        feeds.c.role.in_((Role.OFFICIAL, Role.FACTCHECK)), exists().where(assessments.c.item_id == items.c.id, REFUTES)
    )
    answer = or_(refutes, exists().where(answers.c.item_id == items.c.id))
    query = (
        select(items.c.id, items.c.feed_id, items.c.first_seen_at, answer.label("answers"))
        .join(feeds, feeds.c.id == items.c.feed_id)
        .outerjoin(incident_items, incident_items.c.item_id == items.c.id)
        .where(items.c.id > after, items.c.id <= last, items.c.first_seen_at < before)
        .where(incident_items.c.item_id.is_(None))
        .order_by(items.c.id)
        .limit(PAGE)
    )
    return [Loose(row.id, row.feed_id, row.first_seen_at, bool(row.answers)) for row in connection.execute(query)]


def settled(connection: Connection, before: datetime, after: int) -> list[Settled]:
    """A page of incidents with items, last seen before then, by id, from the one after ``after``."""
    query = (
        select(
            incidents.c.id,
            incidents.c.last_seen_at,
            exists().where(to_dispatch.c.incident_id == incidents.c.id).label("waits"),
        )
        .where(incidents.c.id > after, incidents.c.last_seen_at < before)
        .where(exists().where(incident_items.c.incident_id == incidents.c.id))
        .order_by(incidents.c.id)
        .limit(PAGE)
    )
    rows = connection.execute(query).all()
    states: dict[int, list[tuple[str, str | None]]] = {row.id: [] for row in rows}
    of_these = select(alerts.c.incident_id, alerts.c.state, alerts.c.decision).where(alerts.c.incident_id.in_(states))
    for alert in connection.execute(of_these):
        states[alert.incident_id].append((alert.state, alert.decision))
    return [Settled(row.id, row.last_seen_at, tuple(states[row.id]), bool(row.waits)) for row in rows]


def members(connection: Connection, incident_id: int) -> dict[int, int]:
    """The feeds of the items of an incident, by item."""
    query = select(items.c.id, items.c.feed_id).join(incident_items, incident_items.c.item_id == items.c.id)
    rows = connection.execute(query.where(incident_items.c.incident_id == incident_id).order_by(items.c.id))
    return {row.id: row.feed_id for row in rows}


def listed(connection: Connection, feed_ids: Collection[int]) -> set[int | None]:
    """The items that stand in the last document of these feeds: gone from the store they would come back as new.

    A feed that is disabled, or was never read, lists nothing. Of one without marks it is its newest items. With them
    are the newest item and the newest claim of all: without these their numbers would be given again.
    """
    read = (feeds.c.enabled, feeds.c.last_success_at.is_not(None))
    listing = list(connection.scalars(select(feeds.c.id).where(feeds.c.id.in_(feed_ids), *read)))
    packed = marks.packed(connection, listing)
    claims = select(incident_items.c.item_id).where(incident_items.c.wording.is_not(None))
    newest_claim = claims.order_by(incident_items.c.wording.desc()).limit(1)
    found = {connection.scalar(query) for query in (select(func.max(items.c.id)), newest_claim)}
    for feed_id in listing:
        if stored := packed.get(feed_id):
            found.update(marks.unpack(stored).values())
        else:
            newest = select(items.c.id).where(items.c.feed_id == feed_id).order_by(items.c.id.desc()).limit(LISTED)
            found.update(connection.scalars(newest))
    return found


def texts(connection: Connection, item_ids: Sequence[int]) -> dict[int, list[str]]:
    """Every text that is stored of these items, the present one first, as one text each."""
    found: dict[int, list[str]] = {}
    columns = (items.c.id, items.c.title, items.c.summary)
    for row in connection.execute(select(*columns).where(items.c.id.in_(item_ids)).order_by(items.c.id)):
        found[row.id] = [join_text(row.title, row.summary)]
    earlier = select(revisions).where(revisions.c.item_id.in_(item_ids))
    for row in connection.execute(earlier.order_by(revisions.c.item_id, revisions.c.revision.desc())):
        found[row.item_id].append(join_text(row.title, row.summary))
    return found


def remove(connection: Connection, item_ids: Sequence[int]) -> Counter[str]:
    """Remove items with every row that points to them, and every row that points to such a one; counts by table."""
    evidence.loosen(connection, captures.c.item_id.in_(item_ids))
    words.forget(connection, item_ids)  # who holds them is written in rows that do not point to them
    going: dict[Table, ColumnElement[bool]] = {items: items.c.id.in_(item_ids)}
    for table in metadata.sorted_tables:
        ways = [
            key.parent.in_(item_ids if key.column.table is items else select(key.column).where(going[key.column.table]))
            for key in table.foreign_keys
            if key.column.table in going
        ]
        if ways:
            going[table] = or_(*ways)
    counts: Counter[str] = Counter()
    for table, condition in reversed(going.items()):
        counts[table.name] = connection.execute(delete(table).where(condition)).rowcount
    return counts


def blank_title(connection: Connection, incident_id: int) -> None:
    """The title of an incident was the words of an item."""
    connection.execute(update(incidents).where(incidents.c.id == incident_id).values(title=""))


def blank_messages(connection: Connection, before: datetime, *, dry: bool = False) -> int:
    """Remove the words of a page of messages and digests done with before then; that they were sent stays.

    Returns how many; with ``dry`` how many there are in all, and changes nothing.
    """
    done = or_(outbox.c.sent_at < before, and_(outbox.c.dropped.is_not(None), outbox.c.frozen_at < before))
    found = 0
    for table, key, over in ((outbox, outbox.c.key, done), (notices, notices.c.id, notices.c.sent_at < before)):
        query = select(key).where(over, func.length(table.c.message) > 0)
        if dry:
            found += connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
        elif ids := list(connection.scalars(query.limit(PAGE))):
            connection.execute(update(table).where(key.in_(ids)).values(message=b""))
            found += len(ids)
    return found
