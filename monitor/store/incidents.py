"""Incidents: the items that carry one claim, and the signatures by which copies find them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, func, insert, or_, select, update

from monitor.errors import NotFoundError
from monitor.store.assessments import IN_FORCE
from monitor.store.schema import assessments, bands, feeds, incident_items, incidents, items, signatures
from monitor.types import ClaimType, Item, Lang, Role

# A flood of varied copies of one text costs no more an item than the first of them: so many items are found by one
# band, the first to be grouped, and of those found by any, so many are compared, those that share most bands.
BAND_SIZE = 100
CANDIDATES = 50

Contradiction = tuple[str, str]  # the rule of a finding, and the line of roster or facts that it rests on


@dataclass(frozen=True, slots=True)
class Flagged:
    """A flagged item with what grouping needs to know of it."""

    item: Item
    link_key: str | None
    claim_type: ClaimType | None
    names: frozenset[str]  # ids of the watched people and offices it names
    findings: frozenset[Contradiction] = frozenset()


@dataclass(frozen=True, slots=True)
class Member:
    """A grouped item as a possible original of a copy."""

    item_id: int
    incident_id: int
    minhash: bytes
    names: frozenset[str]
    findings: frozenset[Contradiction] = frozenset()


# The order of grouping rests on what was published, not on when it was stored.
_PUBLISHED = (items.c.published_at.is_(None), items.c.published_at, items.c.feed_id, items.c.key)
_CLAIM = (assessments.c.matches, assessments.c.findings)
_OF_CURRENT_TEXT = and_(assessments.c.revision == items.c.revision, IN_FORCE)


def backlog(connection: Connection, published_since: datetime) -> list[int]:
    """Ids of the flagged items in no incident, in the order of grouping: date (items without one last), feed, key.

    A feed that is new to us brings its archive along: what was published before ``published_since`` is left out unless
    it names somebody on the watchlist or a rule found something in it.
    """
    recent = or_(
        items.c.published_at.is_(None),
        items.c.published_at >= published_since,
        func.json_array_length(assessments.c.matches) > 0,
        func.json_array_length(assessments.c.findings) > 0,
    )
    return list(connection.scalars(_flagged(items.c.id).where(recent).order_by(*_PUBLISHED)))


def flagged(connection: Connection, item_ids: Sequence[int]) -> list[Flagged]:
    """Those of ``item_ids`` that are still flagged and in no incident, in the order given."""
    rows = connection.execute(
        _flagged(items, feeds.c.outlet, feeds.c.role, assessments.c.claim_type, *_CLAIM)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(items.c.id.in_(item_ids))
    )
    found = {
        row.id: Flagged(
            item=_item(row),
            link_key=row.link_key,
            claim_type=ClaimType(row.claim_type) if row.claim_type else None,
            names=_names(row.matches),
            findings=_findings(row.findings),
        )
        for row in rows
    }
    return [found[item_id] for item_id in item_ids if item_id in found]


def _flagged(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(items)
        .join(assessments, assessments.c.item_id == items.c.id)
        .where(_OF_CURRENT_TEXT, assessments.c.flagged, ~exists().where(incident_items.c.item_id == items.c.id))
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
    """The CANDIDATES grouped items that share most of these bands, the earliest incident first.

    Of items that share equally many, those of the earliest incidents, and within one those published first.
    """
    sharing = (
        select(bands.c.item_id, func.count().label("shared"))
        .where(bands.c.band.in_(list(values)))
        .group_by(bands.c.item_id)
        .subquery()
    )
    nearest = (
        select(incident_items.c.item_id, incident_items.c.incident_id)
        .join(sharing, sharing.c.item_id == incident_items.c.item_id)
        .join(items, items.c.id == incident_items.c.item_id)
        .order_by(sharing.c.shared.desc(), incident_items.c.incident_id, *_PUBLISHED)
        .limit(CANDIDATES)
        .subquery()
    )
    rows = connection.execute(
        select(nearest.c.item_id, nearest.c.incident_id, signatures.c.minhash, *_CLAIM)
        .join(signatures, signatures.c.item_id == nearest.c.item_id)
        .join(items, items.c.id == nearest.c.item_id)
        .outerjoin(assessments, and_(assessments.c.item_id == items.c.id, _OF_CURRENT_TEXT))
        .order_by(nearest.c.incident_id, *_PUBLISHED)
    )
    return [
        Member(row.item_id, row.incident_id, row.minhash, _names(row.matches), _findings(row.findings)) for row in rows
    ]


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
    """Make a grouped item findable by those of its bands by which fewer than BAND_SIZE are."""
    connection.execute(insert(signatures).values(item_id=item_id, minhash=minhash))
    full = select(bands.c.band).where(bands.c.band.in_(values)).group_by(bands.c.band).having(func.count() >= BAND_SIZE)
    taken = set(connection.scalars(full))
    if rows := [{"band": value, "item_id": item_id} for value in dict.fromkeys(values) if value not in taken]:
        connection.execute(insert(bands), rows)


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


def _findings(findings: Sequence[Mapping[str, Any]] | None) -> frozenset[Contradiction]:
    return frozenset((finding["rule"], finding["rests_on"]) for finding in findings or ())


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
