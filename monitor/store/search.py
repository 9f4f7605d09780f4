"""Finding the texts that hold certain words, the newest first.

Of a block with postings those texts are read that have every gram asked for; one without is read through. What is
read is looked at once more: a gram says where words may stand, the text itself whether they do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import islice
from operator import or_
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, select

from monitor.grams import Term, excerpt
from monitor.postings import BLOCK, find, keeps_pairs, place, place_of_pair, places
from monitor.store import items as item_table
from monitor.store import texts as text_table
from monitor.store.schema import (
    alerts,
    audit,
    blocks,
    decisions,
    incident_items,
    incidents,
    postings,
    revisions,
    texts,
)
from monitor.types import Decision, Item, Review, SearchHit, TextKind, join_text

_READ = 200  # texts in one query
_MANY_TEXTS = 1000  # of one block, from which it is cheaper to read it through
_MANY_BLOCKS = 32  # whose postings are read at once
_MANY_GRAMS = 30  # of all terms, and as many pairs: a text that has so many of them is worth reading
_MANY_FEEDS = 50  # from which it is dearer to ask the postings for them than the texts
_EXCERPT = 120  # characters
_AFTER_TITLE = " \t\n\u3000:：,，.。;；-–—|"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched for. ``before``: only texts with a lower number, those that follow on the next page."""

    terms: Sequence[Term]
    before: int | None = None
    since: datetime | None = None
    feed_ids: Sequence[int] | None = None
    kind: TextKind | None = None


def search(connection: Connection, asked: Asked, limit: int) -> list[SearchHit]:
    """At most ``limit`` texts that hold every term, the newest first.

    Decisions and notes on an alert that waits for a second opinion are left out: that is to be blind.
    """
    return _hits(connection, list(islice(_holding(connection, asked), limit)), asked.terms)


def _holding(connection: Connection, asked: Asked) -> Iterator[Row[Any]]:
    query = _texts(asked)
    top = asked.before if asked.before is not None else (connection.scalar(select(func.max(texts.c.number))) or 0) + 1
    for rows in _candidates(connection, query, asked, top):
        found = [row for row in rows if all(term.pattern.search(row.folded) for term in asked.terms)]
        yield from _readable(connection, found)


def _candidates(connection: Connection, query: Select[Any], asked: Asked, top: int) -> Iterator[Sequence[Row[Any]]]:
    sealed = {row.block: row.last_at for row in connection.execute(select(blocks))}
    for run in _runs(sealed, (top - 1) // BLOCK):
        if isinstance(run, int):
            end = min(top, (run + 1) * BLOCK)
            yield from _read_through(connection, query.where(texts.c.number >= run * BLOCK), end)
            continue
        worth = [block for block in run if sealed[block] and (asked.since is None or sealed[block] >= asked.since)]
        yield from _read_found(connection, query, _numbers(connection, worth, asked), top)


def _read_found(
    connection: Connection, query: Select[Any], found: Iterable[list[int]], top: int
) -> Iterator[Sequence[Row[Any]]]:
    """The texts with these numbers below ``top``, given block by block: alone where few, else the block."""
    few: list[int] = []
    for numbers in ([number for number in block if number < top] for block in found):
        many = len(numbers) > _MANY_TEXTS
        if not many:
            few += numbers
        if few and (many or len(few) >= _READ):
            yield connection.execute(query.where(texts.c.number.in_(few))).all()
            few = []
        if many:
            yield from _read_through(connection, query.where(texts.c.number >= numbers[-1]), numbers[0] + 1)
    if few:
        yield connection.execute(query.where(texts.c.number.in_(few))).all()


def _runs(sealed: Mapping[int, Any], last: int) -> Iterator[int | list[int]]:
    """The blocks from the newest on: alone where it has no postings, else together, few at first."""
    run: list[int] = []
    size = 1
    for block in range(last, -1, -1):
        if block in sealed:
            run.append(block)
        if run and (len(run) == size or block not in sealed or block == 0):
            yield run
            run, size = [], min(2 * size, _MANY_BLOCKS)
        if block not in sealed:
            yield block


def _read_through(connection: Connection, query: Select[Any], end: int) -> Iterator[Sequence[Row[Any]]]:
    while rows := connection.execute(query.where(texts.c.number < end).limit(_READ)).all():
        yield rows
        end = rows[-1].number


def _texts(asked: Asked) -> Select[Any]:
    """The texts that may be meant, by everything that the database can tell, the newest first."""
    where: list[ColumnElement[bool]] = [texts.c.folded.contains(term.text, autoescape=True) for term in asked.terms]
    if asked.since is not None:
        where.append(texts.c.at >= asked.since)
    if asked.feed_ids is not None:
        where.append(texts.c.feed_id.in_(asked.feed_ids))
    query = select(texts).where(*where).order_by(texts.c.number.desc())
    match asked.kind:
        case TextKind.NOTE:
            return query.where(texts.c.note_seq.is_not(None))
        case TextKind.DECISION:
            return query.where(texts.c.decision_id.is_not(None))
        case TextKind.ITEM:
            return query.where(texts.c.item_id.is_not(None), ~texts.c.replaced)
        case TextKind.REVISION:
            return query.where(texts.c.replaced)
        case _:
            return query


def _looked_up(asked: Asked) -> list[list[tuple[int, int]]]:
    """What a text must have, as places in the postings: one of each list."""
    wanted = [[gram] for term in asked.terms for gram in term.grams][:_MANY_GRAMS]
    if asked.kind is not None and asked.kind is not TextKind.REVISION:
        wanted.append([text_table.mark(asked.kind.value)])
    if asked.feed_ids is not None and len(asked.feed_ids) <= _MANY_FEEDS:
        wanted.append([text_table.feed_mark(feed_id) for feed_id in asked.feed_ids])
    return [[place(gram) for gram in either] for either in wanted]


def _numbers(connection: Connection, run: Sequence[int], asked: Asked) -> Iterator[list[int]]:
    """Of each block in turn the texts that have what is looked up, the newest first."""
    wanted = _looked_up(asked)
    neighbours = [pair for term in asked.terms for pair in term.pairs][:_MANY_GRAMS]
    pairs = [(first, place(first)[0], *place_of_pair(pair)) for first, pair in neighbours]
    buckets = {bucket for either in wanted for bucket, _ in either}
    buckets |= {bucket for _, of_first, of_pair, _ in pairs for bucket in (of_first, of_pair)}
    query = select(postings).where(postings.c.block.in_(run), postings.c.bucket.in_(buckets))
    packed = {(row.block, row.bucket): row.packed for row in connection.execute(query)}
    replaced = _replaced(connection, run) if run and asked.kind is TextKind.REVISION else {}
    for block in run:
        bits = replaced.get(block, 0) if asked.kind is TextKind.REVISION else -1
        for either in wanted:
            rows = ((packed.get((block, bucket)), hashed) for bucket, hashed in either)
            bits &= reduce(or_, (find(row, hashed) for row, hashed in rows if row is not None), 0)
            if not bits:
                break
        for first, of_first, of_pair, hashed in pairs:
            if bits and keeps_pairs(first, packed.get((block, of_first))):
                row = packed.get((block, of_pair))
                bits &= find(row, hashed) if row is not None else 0
        yield [block * BLOCK + at for at in places(bits)]


def _replaced(connection: Connection, run: Sequence[int]) -> dict[int, int]:
    """The earlier texts in each of these blocks, as bits of a number."""
    within = texts.c.number.between(min(run) * BLOCK, (max(run) + 1) * BLOCK - 1)
    found: dict[int, int] = {}
    for number in connection.scalars(select(texts.c.number).where(texts.c.replaced, within)):
        found[number // BLOCK] = found.get(number // BLOCK, 0) | 1 << number % BLOCK
    return found


def _readable(connection: Connection, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Without what is said on alerts that wait for a second opinion, which is to be blind, or that are gone."""
    acts = _acts(connection, rows)
    waits = (alerts.c.review == Review.SECOND, alerts.c.decision.is_(None))
    about = {act.alert_id for act in acts.values()}
    blind = set(connection.scalars(select(alerts.c.id).where(alerts.c.id.in_(about), *waits))) if about else set()
    told = {number for number, act in acts.items() if act.alert_id not in blind}
    return [row for row in rows if row.item_id is not None or row.number in told]


def _hits(connection: Connection, rows: Sequence[Row[Any]], terms: Sequence[Term]) -> list[SearchHit]:
    acts = _acts(connection, rows)
    of_incidents = _first_items(connection, {act.incident_id for act in acts.values()})
    item_ids = [row.item_id for row in rows if row.item_id is not None]
    found = item_table.by_id(connection, {*item_ids, *of_incidents.values()})
    earlier, last_alerts = _earlier(connection, item_ids), _last_alerts(connection, item_ids)
    hits = []
    for row in rows:
        act = acts.get(row.number)
        item_id = of_incidents.get(act.incident_id) if act else row.item_id
        item = found.get(item_id) if item_id is not None else None
        kind, title, body = _words(row, act, item, earlier)
        alert_id = act.alert_id if act else last_alerts.get(row.item_id)
        outlet = item.outlet if item else None
        shown = excerpt(_beside(title, body), terms, _EXCERPT)
        hits.append(SearchHit(row.number, kind, item_id, alert_id, title, shown, row.at, outlet, item))
    return hits


def _beside(title: str, text: str) -> str:
    """What a text says beside its title, which stands at its beginning, and with many feeds a second time."""
    for _ in range(2):
        rest = text[len(title) :]
        if not title or not text.startswith(title) or rest[:1].isalnum():
            break
        text = rest.lstrip(_AFTER_TITLE)
    return text


@dataclass(frozen=True, slots=True)
class _Act:
    """What a note or a decision is about, and its words."""

    kind: TextKind
    alert_id: int
    incident_id: int
    title: str
    words: str


def _words(
    row: Row[Any], act: _Act | None, item: Item | None, earlier: Mapping[tuple[int, int], tuple[str, str]]
) -> tuple[TextKind, str, str]:
    """What it is, its title, and where the words stand."""
    if act is not None:
        return act.kind, act.title, act.words
    if item is not None and row.revision == item.revision:
        return TextKind.ITEM, item.title, item.text
    return TextKind.REVISION, *earlier[row.item_id, row.revision]


def _acts(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, _Act]:
    """Notes and decisions by the numbers of their texts."""
    by_decision = {row.decision_id: row.number for row in rows if row.decision_id is not None}
    by_note = {row.note_seq: row.number for row in rows if row.note_seq is not None}
    written = []  # number, kind, alert, words
    if by_decision:
        query = select(decisions.c.id, decisions.c.alert_id, decisions.c.reason).where(decisions.c.id.in_(by_decision))
        for row in connection.execute(query):
            written.append((by_decision[row.id], TextKind.DECISION, row.alert_id, row.reason))
    if by_note:
        query = select(audit.c.seq, audit.c.subject, audit.c.detail).where(audit.c.seq.in_(by_note))
        for row in connection.execute(query):
            alert_id = int(row.subject.partition(":")[2])
            written.append((by_note[row.seq], TextKind.NOTE, alert_id, str(row.detail.get("text", ""))))
    about = select(alerts.c.id, alerts.c.incident_id, incidents.c.title).join(incidents)
    those = about.where(alerts.c.id.in_({alert_id for _, _, alert_id, _ in written}))
    known = {row.id: (row.incident_id, row.title) for row in connection.execute(those)} if written else {}
    return {
        number: _Act(kind, alert_id, *known[alert_id], words)
        for number, kind, alert_id, words in written
        if alert_id in known
    }


def _first_items(connection: Connection, incident_ids: Iterable[int]) -> dict[int, int]:
    of, first = incident_items.c.incident_id, func.min(incident_items.c.item_id)
    query = select(of, first.label("item_id")).where(of.in_(incident_ids)).group_by(of)
    return {row.incident_id: row.item_id for row in connection.execute(query)}


def _last_alerts(connection: Connection, item_ids: Iterable[int]) -> dict[int, int]:
    """The last alert of the incident of each item; one that was closed as a duplicate where there is no other."""
    not_twice = case((alerts.c.decision.is_distinct_from(Decision.DUPLICATE), alerts.c.id))
    last = func.coalesce(func.max(not_twice), func.max(alerts.c.id))
    query = (
        select(incident_items.c.item_id, last.label("alert_id"))
        .join(alerts, alerts.c.incident_id == incident_items.c.incident_id)
        .where(incident_items.c.item_id.in_(item_ids))
        .group_by(incident_items.c.item_id)
    )
    return {row.item_id: row.alert_id for row in connection.execute(query)}


def _earlier(connection: Connection, item_ids: Iterable[int]) -> dict[tuple[int, int], tuple[str, str]]:
    """Title and whole text of the earlier texts of items, by item and revision."""
    columns = (revisions.c[name] for name in ("item_id", "revision", "title", "summary"))
    query = select(*columns).where(revisions.c.item_id.in_(item_ids))
    return {
        (row.item_id, row.revision): (row.title, join_text(row.title, row.summary)) for row in connection.execute(query)
    }
