"""What documents change in the store: items, their edits, and the marks of feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from logging import DEBUG
from types import MappingProxyType

from monitor import logs
from monitor.changes import Changes, decide, places, word_for_word
from monitor.parse import complete, entry_key
from monitor.store import Connection, items, marks, served
from monitor.types import Answer, Document, Entry, Item

AT_ONCE = 100  # documents that the same few statements are for


def keep(
    connection: Connection,
    documents: Sequence[tuple[int, Document]],
    now: datetime,
    answers: Mapping[int, Answer] = MappingProxyType({}),
) -> list[Changes | None]:
    """Compare documents of feeds with what is stored of them at this instant; write items, edits and marks.

    Of those feeds whose ``answers`` are given, by id, the raw bytes of new and edited entries as well.

    None, and nothing is written, for one whose entries were left unread though the store does not hold them any more:
    it is to be read whole. A feed has one document among them.
    """
    found: list[Changes | None] = []
    for start in range(0, len(documents), AT_ONCE):
        found += _keep(connection, documents[start : start + AT_ONCE], now, answers)
    return found


def _keep(
    connection: Connection, documents: Sequence[tuple[int, Document]], now: datetime, answers: Mapping[int, Answer]
) -> list[Changes | None]:
    ids = _unread(connection, documents)
    entries = {feed_id: complete(document, {}) for feed_id, document in documents if feed_id in ids}
    stored = items.stored(connection, _stories(entries))
    again = _read_back(connection, documents, ids, stored)
    entries, ids = entries | again, ids | {feed_id: {} for feed_id in again}
    stored |= items.stored(connection, _stories(again))
    known = {feed_id: {item.key: item for item in stored.get(feed_id, ())} for feed_id in entries}
    changes = {feed_id: decide(known[feed_id], those, now) for feed_id, those in entries.items()}
    for each in changes.values():
        for item, entry in each.moved:
            items.move(connection, item, entry)
        for item, entry in each.edited:
            items.edit(connection, item, entry, now)
    added = items.add(connection, [(feed_id, new) for feed_id, each in changes.items() for new in each.new], now)
    held, raw = {}, []
    for feed_id, document in documents:
        if feed_id in entries:
            of_new = {entry.key: added[feed_id, entry.key] for entry in changes[feed_id].new}
            if feed_id in answers and document.raw:
                found = places(document, changes[feed_id], of_new)
                raw.append(served.Kept(feed_id, answers[feed_id], document.raw, found))
            of_entries = word_for_word(known[feed_id], changes[feed_id], of_new, entries[feed_id])
            held[feed_id] = _marks(document, ids[feed_id], of_entries)
    for (feed_id, _), item_id in added.items():
        logs.tell("item.collect", DEBUG, item=item_id, feed=feed_id)
    for feed_id, each in changes.items():
        for item, _ in each.edited:
            logs.tell("item.edit", DEBUG, item=item.id, feed=feed_id, revision=item.revision + 1)
    marks.put(connection, held)
    served.put(connection, now, raw)
    return [changes.get(feed_id) for feed_id, _ in documents]


def _marks(document: Document, apart: Mapping[bytes, int], ids: Sequence[int | None]) -> dict[bytes, int]:
    """Those that the next document may leave unread; ``ids`` are of the items of all entries but those ``apart``."""
    if not document.marks:
        return {}
    marked = zip((mark for mark in document.marks if mark not in apart), ids, strict=True)
    return {**apart, **{mark: item_id for mark, item_id in marked if item_id is not None}}


def _unread(connection: Connection, documents: Sequence[tuple[int, Document]]) -> dict[int, dict[bytes, int]]:
    """By feed the items that stand for unread entries, by mark; without feeds whose document is to be read whole."""
    partial = {feed_id: document for feed_id, document in documents if document.unread}
    stored = marks.packed(connection, partial)
    ids: dict[int, dict[bytes, int]] = {}
    for feed_id, document in documents:
        of_feed = marks.unpack(stored.get(feed_id, b""))
        ids[feed_id] = {mark: of_feed[mark] for mark in document.unread if mark in of_feed}
    present = items.present(connection, {item_id for of_feed in ids.values() for item_id in of_feed.values()})
    return {
        feed_id: ids[feed_id]
        for feed_id, document in documents
        if len(ids[feed_id]) == len(document.unread) and present.get(feed_id, 0) == len(set(ids[feed_id].values()))
    }


def _read_back(
    connection: Connection,
    documents: Sequence[tuple[int, Document]],
    ids: Mapping[int, Mapping[bytes, int]],
    stored: Mapping[int, Sequence[Item]],
) -> dict[int, tuple[Entry, ...]]:
    """Every entry of the documents of which an entry that was read may be an item that stands for an unread one.

    The others need none of that: their unread entries are what they were, and change nothing for those that were read.
    """
    asked = {
        feed_id: of_feed
        for feed_id, of_feed in ids.items()
        if not set(of_feed.values()).isdisjoint(item.id for item in stored.get(feed_id, ()))
    }
    held = items.by_id(connection, {item_id for of_feed in asked.values() for item_id in of_feed.values()})
    return {
        feed_id: complete(document, {mark: _as_entry(held[item_id]) for mark, item_id in asked[feed_id].items()})
        for feed_id, document in documents
        if feed_id in asked
    }


def _stories(entries: Mapping[int, Sequence[Entry]]) -> list[tuple[int, Entry]]:
    return [(feed_id, entry) for feed_id, those in entries.items() for entry in those]


def _as_entry(item: Item) -> Entry:
    """The entry that ``item`` holds word for word, but for the date as it was written."""
    key = entry_key(item.guid, item.link, item.title, item.summary)
    return Entry(key, item.guid, item.link, item.title, item.summary, None, item.published_at)
