"""What can be searched: texts of items, reasons of decisions and notes, numbered as they come, and their postings.

How far three tables were read, and the notes of ``pending.edited``, say what is new: a pass costs what has come since
the last one. A block of texts that is full gets its postings; until then it is short enough to be read through.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from monitor.grams import folded
from monitor.postings import BLOCK
from monitor.store.schema import audit, blocks, decisions, followed, items, postings, revisions, texts, to_index
from monitor.store.upsert import insert as insert_new
from monitor.types import join_text

NOTE = "alert.note"  # the act, as the audit calls it; its detail holds the ``text``
_ITEMS, _DECISIONS, _NOTES = "items", "decisions", "notes"
_BATCH = 500  # keys in one statement; databases limit the number of parameters


@dataclass(frozen=True, slots=True)
class _Arrival:
    """What stands at one place of a table that is followed: rows of ``texts`` but for their numbers."""

    name: str
    key: int
    at: datetime
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Coming:
    """What is new, in the order of time, and up to where it had been read when it was looked for."""

    positions: dict[str, int]
    arrivals: list[_Arrival]


def coming(connection: Connection, limit: int) -> Coming:
    """At most ``limit`` of what is new. It takes long to fold texts: nobody waits while it is only read."""
    positions = _positions(connection)
    sources = ((_new_items, _ITEMS), (_new_decisions, _DECISIONS), (_new_notes, _NOTES))
    streams = (new(connection, positions.get(name, 0), limit) for new, name in sources)
    merged = heapq.merge(*streams, key=lambda arrival: arrival.at)
    return Coming(positions, list(islice(merged, limit)))


def take_in(connection: Connection, new: Coming, limit: int) -> int | None:
    """Number what was found, and the new texts of at most ``limit`` edited items; returns how much that was.

    None, and nothing is done, where another process has been faster: look again.
    """
    if _positions(connection) != new.positions:
        return None
    # Items that were not read yet come with the texts they had when we looked; a note that came since waits for them.
    behind = to_index.c.item_id <= new.positions.get(_ITEMS, 0)
    noted = select(to_index.c.item_id).where(behind).order_by(to_index.c.item_id).limit(limit)
    edited = list(connection.scalars(noted))
    rows = [row for rows in _texts_of(connection, edited).values() for row in rows]
    _number(connection, rows + _still_there(connection, [row for each in new.arrivals for row in each.rows]))
    for page in _pages(edited):
        _mark_replaced(connection, page)
        connection.execute(delete(to_index).where(to_index.c.item_id.in_(page)))
    for name, key in {arrival.name: arrival.key for arrival in new.arrivals}.items():
        row = insert_new(connection, followed).values(name=name, key=key)
        connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"key": key}))
    return len(edited) + len(new.arrivals)


def count(connection: Connection) -> int:
    """How many texts can be found."""
    return connection.scalar(select(func.count()).select_from(texts)) or 0


def full(connection: Connection) -> list[int]:
    """Blocks that get no more texts and have no postings yet, the oldest first."""
    sealed = set(connection.scalars(select(blocks.c.block)))
    return [block for block in range(_next_number(connection) // BLOCK) if block not in sealed]


@dataclass(frozen=True, slots=True)
class Held:
    """A text of a block: its place, its folded words, and the marks of what it is and where it was published."""

    place: int
    folded: str
    marks: frozenset[str]


def held(connection: Connection, block: int) -> list[Held]:
    """The texts of a block in their order. Once a block is full, none of them changes; one can only be forgotten."""
    found = []
    for row in connection.execute(select(texts).where(*_within(block)).order_by(texts.c.number)):
        kind = "item" if row.item_id is not None else "decision" if row.decision_id is not None else "note"
        found.append(Held(row.number % BLOCK, row.folded, frozenset((mark(kind), feed_mark(row.feed_id)))))
    return found


def mark(kind: str) -> str:
    """A gram that all texts have of an item, a decision or a note."""
    return f"\x01{kind}"


def feed_mark(feed_id: int | None) -> str:
    """A gram that all texts of one feed have."""
    return f"\x01feed{feed_id}"


def seal(connection: Connection, block: int, packed: Mapping[int, bytes], made_of: int) -> None:
    """Give a block its postings, those of ``made_of`` texts; nothing happens where it has some or has changed since."""
    found = connection.execute(select(func.count(), func.max(texts.c.at)).where(*_within(block))).one()
    sealed = connection.scalar(select(blocks.c.block).where(blocks.c.block == block))
    if sealed is not None or found[0] != made_of:
        return
    connection.execute(insert(blocks).values(block=block, last_at=found[1]))
    rows = [{"block": block, "bucket": bucket, "packed": row} for bucket, row in packed.items()]
    if rows:
        connection.execute(insert(postings), rows)


def forget(connection: Connection, item_ids: Collection[int]) -> None:
    """Items are about to be removed: nothing of their words stays, neither here nor in the postings."""
    for page in _pages(item_ids):
        theirs = texts.c.item_id.in_(page)
        numbers = connection.scalars(select(texts.c.number).where(theirs))
        unsealed = sorted({number // BLOCK for number in numbers})
        connection.execute(delete(texts).where(theirs))
        connection.execute(delete(blocks).where(blocks.c.block.in_(unsealed)))


def clear(connection: Connection) -> None:
    """Forget everything: the next passes number and pack it anew."""
    for table in (postings, blocks, texts, to_index, followed):
        connection.execute(delete(table))


def _positions(connection: Connection) -> dict[str, int]:
    return {row.name: row.key for row in connection.execute(select(followed))}


def _still_there(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the texts of items that were removed since they were read."""
    there: set[int | None] = {None}
    for page in _pages({row["item_id"] for row in rows} - there):
        there.update(connection.scalars(select(items.c.id).where(items.c.id.in_(page))))
    return [row for row in rows if row["item_id"] in there]


def _new_items(connection: Connection, after: int, limit: int) -> list[_Arrival]:
    query = select(items.c.id, items.c.first_seen_at).where(items.c.id > after).order_by(items.c.id).limit(limit)
    found = connection.execute(query).all()
    theirs = _texts_of(connection, [row.id for row in found])
    return [_Arrival(_ITEMS, row.id, row.first_seen_at, theirs.get(row.id, [])) for row in found]


def _texts_of(connection: Connection, item_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Those texts of items, earlier ones first, that have no number yet."""
    found: dict[int, list[dict[str, Any]]] = {}
    words = ("revision", "title", "summary")
    earlier = select(
        revisions.c.item_id, *(revisions.c[name] for name in words), items.c.feed_id, revisions.c.seen_at.label("at")
    ).join(items, items.c.id == revisions.c.item_id)
    seen = func.coalesce(items.c.edited_at, items.c.first_seen_at, type_=items.c.first_seen_at.type)
    present = select(items.c.id.label("item_id"), *(items.c[name] for name in words), items.c.feed_id, seen.label("at"))
    for page in _pages(item_ids):
        numbered = select(texts.c.item_id, texts.c.revision).where(texts.c.item_id.in_(page))
        known = {(row.item_id, row.revision) for row in connection.execute(numbered)}
        before = connection.execute(earlier.where(revisions.c.item_id.in_(page)).order_by(revisions.c.revision))
        theirs = [(row, True) for row in before]
        theirs += [(row, False) for row in connection.execute(present.where(items.c.id.in_(page)))]
        for row, replaced in theirs:
            if (row.item_id, row.revision) not in known:
                more = {name: getattr(row, name) for name in ("item_id", "revision", "feed_id", "at")}
                text = _text(join_text(row.title, row.summary), replaced=replaced, **more)
                found.setdefault(row.item_id, []).append(text)
    return found


def _mark_replaced(connection: Connection, item_ids: Iterable[int]) -> None:
    present = select(items.c.revision).where(items.c.id == texts.c.item_id).scalar_subquery()
    theirs = (texts.c.item_id.in_(item_ids), texts.c.revision < present)
    connection.execute(update(texts).where(*theirs).values(replaced=True))


def _new_decisions(connection: Connection, after: int, limit: int) -> list[_Arrival]:
    query = select(decisions.c.id, decisions.c.at, decisions.c.reason).where(decisions.c.id > after)
    return [
        _Arrival(_DECISIONS, row.id, row.at, [_text(row.reason, decision_id=row.id, at=row.at)])
        for row in connection.execute(query.order_by(decisions.c.id).limit(limit))
    ]


def _new_notes(connection: Connection, after: int, limit: int) -> list[_Arrival]:
    query = select(audit.c.seq, audit.c.at, audit.c.action, audit.c.detail).where(audit.c.seq > after)
    return [
        _Arrival(
            _NOTES,
            row.seq,
            row.at,
            [_text(str(row.detail.get("text", "")), note_seq=row.seq, at=row.at)] if row.action == NOTE else [],
        )
        for row in connection.execute(query.order_by(audit.c.seq).limit(limit))
    ]


def _text(words: str, **row: Any) -> dict[str, Any]:
    """A row without a number; one that many are inserted with has every column."""
    columns = dict.fromkeys(("item_id", "revision", "feed_id", "decision_id", "note_seq"))
    return {**columns, "replaced": False, **row, "folded": folded(words)}


def _number(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    first = _next_number(connection)
    numbered = [{**row, "number": number} for number, row in enumerate(rows, start=first)]
    if numbered:
        connection.execute(insert(texts), numbered)


def _next_number(connection: Connection) -> int:
    """The number of the next text: never one of a block that has its postings."""
    last = connection.scalar(select(func.max(texts.c.number)))
    sealed = connection.scalar(select(func.max(blocks.c.block)))
    return max(0 if last is None else last + 1, 0 if sealed is None else (sealed + 1) * BLOCK)


def _within(block: int) -> tuple[Any, Any]:
    return texts.c.number >= block * BLOCK, texts.c.number < (block + 1) * BLOCK


def _pages(keys: Iterable[int]) -> Iterator[list[int]]:
    rest = list(keys)
    for start in range(0, len(rest), _BATCH):
        yield rest[start : start + _BATCH]
