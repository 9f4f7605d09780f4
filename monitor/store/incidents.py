"""Incidents: the items that carry one claim, and the signatures by which copies find them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from monitor.store import pending
from monitor.store.assessments import IN_FORCE
from monitor.store.schema import (
    assessments,
    bands,
    feeds,
    incident_items,
    incidents,
    items,
    signatures,
    to_group,
)
from monitor.text import shorten
from monitor.types import ClaimType, Item, Lang, Role, join_text

# A flood of varied copies of one text costs no more an item than the first of them: so many items are found by one
# band, the first to be grouped, and of those found by any, so many are compared, those that share most bands.
BAND_SIZE = 100
CANDIDATES = 50
TITLE = 120  # characters of a text without a title that name an incident

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
    """A grouped item as a possible original of a copy, or of what repeats its claim."""

    item_id: int
    incident_id: int
    minhash: bytes  # empty where claims are compared, not copies
    names: frozenset[str]
    findings: frozenset[Contradiction] = frozenset()


@dataclass(frozen=True, slots=True)
class Wording:
    """The claim of an incident in the words of one of its items."""

    number: int
    item_id: int
    incident_id: int
    text: str


# The order of grouping rests on what was published, not on when it was stored.
_PUBLISHED = (items.c.published_at.is_(None), items.c.published_at, items.c.feed_id, items.c.key)
_CLAIM = (assessments.c.matches, assessments.c.findings)
_OF_CURRENT_TEXT = and_(assessments.c.revision == items.c.revision, IN_FORCE)
_GROUPED = exists().where(incident_items.c.item_id == items.c.id).correlate(items)
_GROUPED_OTHERWISE = (  # by another text than the present one, or as a sample only
    exists()
    .where(incident_items.c.item_id == items.c.id, incidents.c.id == incident_items.c.incident_id)
    .where(
        or_(
            incident_items.c.revision < items.c.revision,
            and_(incidents.c.sampled_on.is_not(None), incidents.c.sample.is_not(None)),
        )
    )
    .correlate(items)
)


def backlog(connection: Connection, published_since: datetime) -> list[int]:
    """Ids of the flagged items in no incident, in the order of grouping: date (items without one last), feed, key.

    A feed that is new to us brings its archive along: what was published before ``published_since`` is left out unless
    it names somebody on the watchlist or a rule found something in it. Of all these, only those are looked at that
    ``pending`` has noted.
    """
    return list(connection.scalars(_noted(published_since).where(~_GROUPED, _recent(published_since))))


def changed(connection: Connection, published_since: datetime) -> list[int]:
    """Ids of the flagged items whose text is not the one that was grouped, or that stand there as a sample only.

    They are looked for as in ``backlog``, and have its order.
    """
    return list(connection.scalars(_noted(published_since).where(_GROUPED_OTHERWISE)))


def waits(connection: Connection, published_since: datetime) -> bool:
    """Whether anything was noted that ``backlog`` and ``changed`` have to look at."""
    return connection.scalar(select(to_group.c.item_id).where(_not_at_rest(published_since)).limit(1)) is not None


def looked_at(connection: Connection, published_since: datetime) -> None:
    """Strike off what was noted and is neither in the backlog nor changed; what is too old rests (see the schema)."""
    too_old = _noted(published_since).where(~_GROUPED, ~_recent(published_since)).order_by(None)
    date = select(items.c.published_at).where(items.c.id == to_group.c.item_id).scalar_subquery()
    connection.execute(update(to_group).where(to_group.c.item_id.in_(too_old)).values(published_at=date))
    wanted = or_(and_(~_GROUPED, _recent(published_since)), _GROUPED_OTHERWISE)
    left = _noted(published_since).where(wanted).order_by(None)
    done = (_not_at_rest(published_since), to_group.c.item_id.not_in(left))
    connection.execute(delete(to_group).where(*done))


def _noted(published_since: datetime) -> Select[Any]:
    noted = select(to_group.c.item_id).where(_not_at_rest(published_since))
    return _flagged(items.c.id).where(items.c.id.in_(noted)).order_by(*_PUBLISHED)


def _not_at_rest(published_since: datetime) -> ColumnElement[bool]:
    return or_(to_group.c.published_at.is_(None), to_group.c.published_at >= published_since)


def _recent(published_since: datetime) -> ColumnElement[bool]:
    return or_(
        items.c.published_at.is_(None),
        items.c.published_at >= published_since,
        func.json_array_length(assessments.c.matches) > 0,
        func.json_array_length(assessments.c.findings) > 0,
    )


def flagged(connection: Connection, item_ids: Sequence[int], *, grouped: bool = False) -> list[Flagged]:
    """Those of ``item_ids`` that are still flagged and in no incident (``grouped``: as ``changed`` finds them).

    In the order given.
    """
    rows = connection.execute(
        _flagged(items, feeds.c.outlet, feeds.c.role, assessments.c.claim_type, *_CLAIM)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(items.c.id.in_(item_ids), _GROUPED_OTHERWISE if grouped else ~_GROUPED)
    )
    found = {
        row.id: Flagged(
            item=_item(row),
            link_key=row.link_key,
            claim_type=ClaimType(row.claim_type) if row.claim_type else None,
            names=names_in(row.matches),
            findings=findings_in(row.findings),
        )
        for row in rows
    }
    return [found[item_id] for item_id in item_ids if item_id in found]


def _flagged(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(items)
        .join(assessments, assessments.c.item_id == items.c.id)
        .where(_OF_CURRENT_TEXT, assessments.c.flagged)
    )


def unflagged(connection: Connection, start: datetime, end: datetime) -> list[tuple[int, float]]:
    """Ids and scores of the media items first seen in [start, end) that nobody flagged and no incident holds, by id."""
    rows = connection.execute(
        select(items.c.id, assessments.c.score)
        .join(assessments, assessments.c.item_id == items.c.id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(items.c.first_seen_at >= start, items.c.first_seen_at < end, feeds.c.role == Role.MEDIA)
        .where(_OF_CURRENT_TEXT, ~assessments.c.flagged, ~_GROUPED)
        .order_by(items.c.id)
    )
    return [(row.id, row.score) for row in rows]


def sampled(connection: Connection, day: str) -> bool:
    """Whether the samples of this local date are drawn."""
    return bool(connection.scalar(select(exists().where(incidents.c.sampled_on == day))))


def by_link_key(connection: Connection, link_key: str, feed_id: int) -> int | None:
    """The earliest incident with an item of another feed that has this canonical link; samples stay alone."""
    earliest: int | None = connection.scalar(
        select(func.min(incident_items.c.incident_id))
        .join(items, items.c.id == incident_items.c.item_id)
        .join(incidents, incidents.c.id == incident_items.c.incident_id)
        .where(items.c.link_key == link_key, items.c.feed_id != feed_id, incidents.c.sample.is_(None))
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
        Member(row.item_id, row.incident_id, row.minhash, names_in(row.matches), findings_in(row.findings))
        for row in rows
    ]


def wordings(connection: Connection, after: int, seen_since: datetime, limit: int) -> list[Wording]:
    """The claims of incidents seen since then, of those numbered above ``after`` the ``limit`` newest, in order."""
    rows = connection.execute(
        select(
            incident_items.c.wording, items.c.id, incidents.c.id.label("incident_id"), items.c.title, items.c.summary
        )
        .select_from(incident_items)
        .join(items, items.c.id == incident_items.c.item_id)
        .join(incidents, incidents.c.id == incident_items.c.incident_id)
        .where(incident_items.c.wording > after, incidents.c.last_seen_at >= seen_since)
        .order_by(incident_items.c.wording.desc())
        .limit(limit)
    ).all()
    return [Wording(row.wording, row.id, row.incident_id, join_text(row.title, row.summary)) for row in reversed(rows)]


def bearers(connection: Connection, incident_ids: Iterable[int]) -> list[Member]:
    """The items whose texts are the claims of these incidents, the earliest claim first."""
    rows = connection.execute(
        select(incident_items.c.item_id, incident_items.c.incident_id, *_CLAIM)
        .join(items, items.c.id == incident_items.c.item_id)
        .outerjoin(assessments, and_(assessments.c.item_id == items.c.id, _OF_CURRENT_TEXT))
        .where(incident_items.c.incident_id.in_(list(incident_ids)), incident_items.c.wording.is_not(None))
        .order_by(incident_items.c.wording)
    )
    return [Member(row.item_id, row.incident_id, b"", names_in(row.matches), findings_in(row.findings)) for row in rows]


def add(
    connection: Connection,
    first: Item,
    claim_type: ClaimType | None,
    now: datetime,
    *,
    sample: str | None = None,
    sampled_on: str | None = None,
) -> int:
    """A new incident around ``first``, named after it; returns its id. The item itself is added with ``add_item``."""
    seen = first.first_seen_at
    statement = insert(incidents).values(
        title=first.title or shorten(first.summary, TITLE),
        claim_type=claim_type,
        lang=first.lang,
        created_at=now,
        first_seen_at=seen,
        last_seen_at=seen,
        sample=sample,
        sampled_on=sampled_on,
    )
    return int(connection.scalar(statement.returning(incidents.c.id)))


def add_item(
    connection: Connection, incident_id: int, item: Item, reason: str, similarity: float, now: datetime
) -> None:
    """Put an item into an incident; ``reason`` as in the schema."""
    connection.execute(
        insert(incident_items).values(
            item_id=item.id,
            incident_id=incident_id,
            reason=reason,
            similarity=similarity,
            added_at=now,
            revision=item.revision,
        )
    )
    pending.joined(connection, item.id)
    seen = item.first_seen_at
    this = incidents.c.id == incident_id
    connection.execute(update(incidents).where(this, incidents.c.first_seen_at > seen).values(first_seen_at=seen))
    connection.execute(update(incidents).where(this, incidents.c.last_seen_at < seen).values(last_seen_at=seen))
    pending.changed(connection, incident_id)


def add_signature(connection: Connection, item_id: int, minhash: bytes, values: Sequence[int]) -> None:
    """Make a grouped item findable by those of its bands by which fewer than BAND_SIZE are."""
    connection.execute(insert(signatures).values(item_id=item_id, minhash=minhash))
    full = select(bands.c.band).where(bands.c.band.in_(values)).group_by(bands.c.band).having(func.count() >= BAND_SIZE)
    taken = set(connection.scalars(full))
    if rows := [{"band": value, "item_id": item_id} for value in dict.fromkeys(values) if value not in taken]:
        connection.execute(insert(bands), rows)


def add_wording(connection: Connection, item_id: int) -> None:
    """From now on the present text of this item is a claim of its incident."""
    next_number = select(func.coalesce(func.max(incident_items.c.wording), 0) + 1).scalar_subquery()
    this = incident_items.c.item_id == item_id
    connection.execute(update(incident_items).where(this).values(wording=next_number))


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


def names_in(matches: Sequence[Mapping[str, Any]] | None) -> frozenset[str]:
    """The ids of the watched people and offices of stored matches."""
    return frozenset(match["candidate_id"] for match in matches or ())


def findings_in(findings: Sequence[Mapping[str, Any]] | None) -> frozenset[Contradiction]:
    """What stored findings contradict: those whose claim type is none contradict nothing."""
    telling = (finding for finding in findings or () if finding.get("claim_type", "any") is not None)
    return frozenset((finding["rule"], finding["rests_on"]) for finding in telling)


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
