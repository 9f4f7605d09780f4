"""Incidents: the items that carry one claim, and the signatures by which copies find them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, insert, select, tuple_, update

from monitor.errors import NotFoundError
from monitor.store.schema import assessments, bands, feeds, incident_items, incidents, items, signatures
from monitor.types import ClaimType, Item, Lang, Role


@dataclass(frozen=True, slots=True)
class Flagged:
    """A flagged item with what grouping needs to know of it."""

    item: Item
    link_key: str | None
    claim_type: ClaimType | None
    names: frozenset[str]  # ids of the watched people and offices it names


@dataclass(frozen=True, slots=True)
class Member:
    """A grouped item as a possible original of a copy."""

    item_id: int
    incident_id: int
    minhash: bytes
    names: frozenset[str]


_newer = assessments.alias("newer")
# The newest opinion on an item's current text. Two models may have assessed in one instant: then the later id counts.
_NEWEST = and_(
    assessments.c.revision == items.c.revision,
    ~exists().where(
        _newer.c.item_id == assessments.c.item_id,
        _newer.c.revision == assessments.c.revision,
        tuple_(_newer.c.assessed_at, _newer.c.model_id) > tuple_(assessments.c.assessed_at, assessments.c.model_id),
    ),
)


def backlog(connection: Connection) -> list[int]:
    """Ids of the flagged items in no incident, in the order of grouping.

    That order rests on what was published, not on when it was stored: date (items without one last), feed, key.
    """
    return list(
        connection.scalars(
            _flagged(items.c.id).order_by(
                items.c.published_at.is_(None), items.c.published_at, items.c.feed_id, items.c.key
            )
        )
    )


def flagged(connection: Connection, item_ids: Sequence[int]) -> list[Flagged]:
    """Those of ``item_ids`` that are still flagged and in no incident, in the order given."""
    rows = connection.execute(
        _flagged(items, feeds.c.outlet, feeds.c.role, assessments.c.claim_type, assessments.c.matches)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(items.c.id.in_(item_ids))
    )
    found = {
        row.id: Flagged(
            item=_item(row),
            link_key=row.link_key,
            claim_type=ClaimType(row.claim_type) if row.claim_type else None,
            names=_names(row.matches),
        )
        for row in rows
    }
    return [found[item_id] for item_id in item_ids if item_id in found]


def _flagged(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(items)
        .join(assessments, assessments.c.item_id == items.c.id)
        .where(_NEWEST, assessments.c.flagged, ~exists().where(incident_items.c.item_id == items.c.id))
    )


def by_link_key(connection: Connection, link_key: str, feed_id: int) -> int | None:
    """The earliest incident with an item of another feed that has this canonical link."""
    earliest: int | None = connection.scalar(
        select(func.min(incident_items.c.incident_id))
        .join(items, items.c.id == incident_items.c.item_id)
        .where(items.c.link_key == link_key, items.c.feed_id != feed_id)
    )
    return earliest


def candidates_by_bands(connection: Connection, values: Iterable[int]) -> list[Member]:
    """The grouped items that share at least one band, the earliest incident first."""
    shared = select(bands.c.item_id).where(bands.c.band.in_(list(values)))
    rows = connection.execute(
        select(signatures.c.item_id, incident_items.c.incident_id, signatures.c.minhash, assessments.c.matches)
        .join(incident_items, incident_items.c.item_id == signatures.c.item_id)
        .join(items, items.c.id == signatures.c.item_id)
        .outerjoin(assessments, and_(assessments.c.item_id == items.c.id, _NEWEST))
        .where(signatures.c.item_id.in_(shared))
        .order_by(incident_items.c.incident_id, signatures.c.item_id)
    )
    return [Member(row.item_id, row.incident_id, row.minhash, _names(row.matches)) for row in rows]


def add(connection: Connection, first: Flagged, title: str, now: datetime) -> int:
    """A new incident around ``first``; returns its id. The item itself is added with ``add_item``."""
    seen = first.item.first_seen_at
    statement = insert(incidents).values(
        title=title,
        claim_type=first.claim_type,
        lang=first.item.lang,
        created_at=now,
        first_seen_at=seen,
        last_seen_at=seen,
    )
    return int(connection.scalar(statement.returning(incidents.c.id)))


def add_item(
    connection: Connection, incident_id: int, item: Item, reason: str, similarity: float, now: datetime
) -> None:
    """Put an item into an incident; ``reason`` is ``first``, ``same-link`` or ``near-copy``."""
    connection.execute(
        insert(incident_items).values(
            item_id=item.id, incident_id=incident_id, reason=reason, similarity=similarity, added_at=now
        )
    )
    seen = item.first_seen_at
    this = incidents.c.id == incident_id
    connection.execute(update(incidents).where(this, incidents.c.first_seen_at > seen).values(first_seen_at=seen))
    connection.execute(update(incidents).where(this, incidents.c.last_seen_at < seen).values(last_seen_at=seen))


def add_signature(connection: Connection, item_id: int, minhash: bytes, values: Sequence[int]) -> None:
    """Make a grouped item findable by its bands."""
    connection.execute(insert(signatures).values(item_id=item_id, minhash=minhash))
    if values:
        connection.execute(insert(bands), [{"band": value, "item_id": item_id} for value in dict.fromkeys(values)])


def get(connection: Connection, incident_id: int) -> dict[str, Any]:
    """One incident: ``id, title, claim_type, lang, first_seen_at, last_seen_at, items, outlets``.

    ``items`` and ``outlets`` are numbers. Raises NotFoundError.
    """
    row = connection.execute(_summaries().where(incidents.c.id == incident_id)).one_or_none()
    if row is None:
        raise NotFoundError("incident", incident_id)
    return dict(row._mapping)


def listing(connection: Connection, limit: int | None = None) -> list[dict[str, Any]]:
    """Incidents as ``get`` gives them, the one that moved last first."""
    rows = connection.execute(
        _summaries().order_by(incidents.c.last_seen_at.desc(), incidents.c.id.desc()).limit(limit)
    )
    return [dict(row._mapping) for row in rows]


def items_of(connection: Connection, incident_id: int) -> list[Item]:
    """The items of an incident in the order of appearance."""
    rows = connection.execute(
        select(items, feeds.c.outlet, feeds.c.role)
        .join(incident_items, incident_items.c.item_id == items.c.id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(incident_items.c.incident_id == incident_id)
        .order_by(items.c.published_at.is_(None), items.c.published_at, items.c.first_seen_at, items.c.id)
    )
    return [_item(row) for row in rows]


def spread(connection: Connection, incident_id: int) -> tuple[int, int]:
    """How many items and how many outlets carry an incident."""
    row = connection.execute(
        select(func.count(items.c.id), func.count(feeds.c.outlet.distinct()))
        .select_from(incident_items)
        .join(items, items.c.id == incident_items.c.item_id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(incident_items.c.incident_id == incident_id)
    ).one()
    return row[0], row[1]


def _summaries() -> Select[Any]:
    return (
        select(
            incidents.c.id,
            incidents.c.title,
            incidents.c.claim_type,
            incidents.c.lang,
            incidents.c.first_seen_at,
            incidents.c.last_seen_at,
            func.count(items.c.id).label("items"),
            func.count(feeds.c.outlet.distinct()).label("outlets"),
        )
        .join(incident_items, incident_items.c.incident_id == incidents.c.id)
        .join(items, items.c.id == incident_items.c.item_id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .group_by(incidents.c.id)
    )


def _names(matches: Sequence[Mapping[str, Any]] | None) -> frozenset[str]:
    return frozenset(match["candidate_id"] for match in matches or ())


def _item(row: Row[Any]) -> Item:
    return Item(
        id=row.id,
        feed_id=row.feed_id,
        key=row.key,
        guid=row.guid,
        link=row.link,
        title=row.title,
        summary=row.summary,
        lang=Lang(row.lang),
        published_at=row.published_at,
        first_seen_at=row.first_seen_at,
        edited_at=row.edited_at,
        revision=row.revision,
        outlet=row.outlet,
        role=Role(row.role),
    )
