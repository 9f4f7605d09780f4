"""Items that change their incident: by hand, because two incidents are one or one is two, or because a text changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, func, or_, select, update

from monitor.errors import NotFoundError
from monitor.store import incidents
from monitor.store.incidents import Contradiction
from monitor.store.schema import assessments, bands, incident_items, items, related, revisions, signatures
from monitor.store.schema import incidents as table
from monitor.types import ClaimType, Item, join_text


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands, and its text as it was grouped, with what was thought of that text."""

    incident_id: int
    alone: bool
    sample: bool
    text: str
    names: frozenset[str]
    findings: frozenset[Contradiction]


def subject(incident_id: int) -> str:
    """How audit entries name an incident."""
    return f"incident:{incident_id}"


def resolve(connection: Connection, incident_id: int) -> int:
    """The incident that this id leads to: itself, or the one it was merged into. Raises NotFoundError."""
    row = connection.execute(select(table.c.id, table.c.merged_into).where(table.c.id == incident_id)).one_or_none()
    if row is None:
        raise NotFoundError("incident", incident_id, "`pollwatch incidents list` shows every one")
    return int(row.merged_into or row.id)


def merge(connection: Connection, source: int, target: int, now: datetime) -> list[int]:
    """Put every item and relation of ``source`` into ``target``, where its id leads from now on; returns the items."""
    item_ids = [item.id for item in incidents.items_of(connection, source)]
    known = {row["id"] for row in incidents.related_to(connection, target)} | {target}
    others = [(row["id"], row["similarity"]) for row in incidents.related_to(connection, source)]
    connection.execute(delete(related).where(or_(related.c.incident_id == source, related.c.other_id == source)))
    incidents.relate(connection, target, [(id, similarity) for id, similarity in others if id not in known], now)
    move(connection, item_ids, source, target)
    flagged = select(table.c.id).where(table.c.id == source, table.c.sample.is_(None)).exists()
    connection.execute(update(table).where(table.c.id == target, flagged).values(sample=None))
    # One step leads to where the items are, however often incidents were merged.
    redirected = or_(table.c.id == source, table.c.merged_into == source)
    connection.execute(update(table).where(redirected).values(merged_into=target))
    return item_ids


def split(connection: Connection, incident_id: int, first: Item, item_ids: Sequence[int], now: datetime) -> int:
    """Put these items, of which ``first`` gives the name, into a new incident; returns its id."""
    new_id = incidents.add(connection, first, None, now)
    move(connection, item_ids, incident_id, new_id)
    here = incident_items.c.incident_id == new_id
    connection.execute(update(incident_items).where(here).values(reason="split", similarity=1.0))
    return new_id


def move(connection: Connection, item_ids: Sequence[int], source: int, target: int) -> None:
    """Put items into another incident; those that were claims of the first are claims of the second."""
    these = incident_items.c.item_id.in_(item_ids)
    claims = connection.scalars(
        select(incident_items.c.item_id)
        .where(these, incident_items.c.wording.is_not(None))
        .order_by(incident_items.c.wording)
    ).all()
    connection.execute(update(incident_items).where(these).values(incident_id=target))
    for item_id in claims:
        incidents.add_wording(connection, item_id)
    for incident_id in (source, target):
        _respan(connection, incident_id)


def withdraw(connection: Connection, item_id: int) -> None:
    """Take an item out of its incident, with the signature and the claim by which others found it there."""
    incident_id = connection.scalar(select(incident_items.c.incident_id).where(incident_items.c.item_id == item_id))
    unsign(connection, item_id)
    connection.execute(delete(incident_items).where(incident_items.c.item_id == item_id))
    if incident_id is not None:
        _respan(connection, incident_id)


def unsign(connection: Connection, item_id: int) -> None:
    """Let no copy find this item."""
    for signed in (bands, signatures):
        connection.execute(delete(signed).where(signed.c.item_id == item_id))


def settle(connection: Connection, item: Item) -> bool:
    """Note that the present text of a grouped item was looked at; returns whether it is a claim of its incident."""
    this = incident_items.c.item_id == item.id
    connection.execute(update(incident_items).where(this).values(revision=item.revision))
    return connection.scalar(select(incident_items.c.wording).where(this)) is not None


def place(connection: Connection, item_id: int) -> Place:
    """Where this grouped item stands."""
    earlier = and_(revisions.c.item_id == items.c.id, revisions.c.revision == incident_items.c.revision)
    of_that_text = and_(assessments.c.item_id == items.c.id, assessments.c.revision == incident_items.c.revision)
    others = incident_items.alias()
    alone = ~exists().where(others.c.incident_id == table.c.id, others.c.item_id != item_id).correlate(table)
    row = connection.execute(
        select(
            table.c.id,
            table.c.sample,
            alone.label("alone"),
            func.coalesce(revisions.c.title, items.c.title).label("title"),
            func.coalesce(revisions.c.summary, items.c.summary).label("summary"),
            assessments.c.matches,
            assessments.c.findings,
        )
        .select_from(incident_items)
        .join(table, table.c.id == incident_items.c.incident_id)
        .join(items, items.c.id == incident_items.c.item_id)
        .outerjoin(revisions, earlier)
        .outerjoin(assessments, of_that_text)
        .where(incident_items.c.item_id == item_id)
        .order_by(assessments.c.assessed_at.desc())
        .limit(1)
    ).one()
    return Place(
        row.id,
        row.alone,
        row.sample is not None,
        join_text(row.title, row.summary),
        incidents.names_in(row.matches),
        incidents.findings_in(row.findings),
    )


def found_after_all(connection: Connection, incident_id: int, claim_type: ClaimType | None) -> None:
    """What was drawn as a sample is flagged: it is an incident like others."""
    connection.execute(update(table).where(table.c.id == incident_id).values(sample=None, claim_type=claim_type))


def _respan(connection: Connection, incident_id: int) -> None:
    """When the items of an incident were first and last seen; an incident without items keeps what it had."""
    seen = (
        select(func.min(items.c.first_seen_at), func.max(items.c.first_seen_at))
        .join(incident_items, incident_items.c.item_id == items.c.id)
        .where(incident_items.c.incident_id == incident_id)
    )
    first, last = connection.execute(seen).one()
    if first is not None:
        values = {"first_seen_at": first, "last_seen_at": last}
        connection.execute(update(table).where(table.c.id == incident_id).values(values))
