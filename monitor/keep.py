"""What answers change in the store: items, their edits, the marks of feeds and that they are well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from logging import DEBUG
from types import MappingProxyType
from typing import Any

from monitor import logs
from monitor.changes import Changes, decide, places, word_for_word
from monitor.links import link_key
from monitor.parse import complete, entry_key
from monitor.store import Connection, feeds, items, marks, served
from monitor.types import Answer, Document, Entry, Item

AT_ONCE = 100  # documents that the same few statements are for
MAX_NAMES = 25  # of the entries of one document that were read, to be looked for among those that were not


@dataclass(frozen=True, slots=True)
class _Unread:
    """The items that stand for the unread entries of a document, by mark.

    Their ids alone where none of them shares a name with an entry that was read: then they are what they were, and
    change nothing for the others. Else all of them are read back, for the decision to see what it always sees.
    """

    ids: Mapping[bytes, int]
    items: Mapping[bytes, Item]


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


def keep_well(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[None]:
    """Nothing but that these feeds are well (see ``feeds.success``)."""
    feeds.record_successes(connection, rows)
    return [None] * len(rows)


def _keep(
    connection: Connection, documents: Sequence[tuple[int, Document]], now: datetime, answers: Mapping[int, Answer]
) -> list[Changes | None]:
    unread = _unread(connection, documents)
    entries = {
        feed_id: complete(document, {mark: _as_entry(item) for mark, item in unread[feed_id].items.items()})
        for feed_id, document in documents
        if feed_id in unread
    }
    stored = items.stored(connection, [(feed_id, entry) for feed_id, those in entries.items() for entry in those])
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
            ids = {entry.key: added[feed_id, entry.key] for entry in changes[feed_id].new}
            if feed_id in answers and document.raw:
                found = places(document, changes[feed_id], ids)
                raw.append(served.Kept(feed_id, answers[feed_id], document.raw, found))
            of_entries = word_for_word(known[feed_id], changes[feed_id], ids, entries[feed_id])
            held[feed_id] = _marks(document, unread[feed_id].ids, of_entries)
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


def _unread(connection: Connection, documents: Sequence[tuple[int, Document]]) -> dict[int, _Unread]:
    """By feed; without those whose document is to be read whole."""
    partial = {feed_id: document for feed_id, document in documents if document.unread}
    stored = marks.packed(connection, partial)
    ids = {}
    for feed_id, document in partial.items():
        of_feed = marks.unpack(stored.get(feed_id, b""))
        ids[feed_id] = {mark: of_feed[mark] for mark in document.unread if mark in of_feed}
    names = {feed_id: _names(document.entries) for feed_id, document in partial.items()}
    asked = {item_id for of_feed in ids.values() for item_id in of_feed.values()}
    counts = items.sharing(connection, asked, [name for those in names.values() for name in those or ()])
    found = {feed_id: _Unread({}, {}) for feed_id, document in documents if not document.unread}
    for feed_id, document in partial.items():
        present, shared = counts.get(feed_id, (0, 0))
        if len(ids[feed_id]) < len(document.unread) or present < len(set(ids[feed_id].values())):
            continue
        if not shared and names[feed_id] is not None:
            found[feed_id] = _Unread(ids[feed_id], {})
        else:
            held = items.by_id(connection, set(ids[feed_id].values()))
            found[feed_id] = _Unread({}, {mark: held[item_id] for mark, item_id in ids[feed_id].items()})
    return found


def _names(entries: Sequence[Entry]) -> set[str] | None:
    """All that entries are called by; None for too many to ask for."""
    names = {name for entry in entries for name in (entry.key, entry.guid, entry.link, link_key(entry.link)) if name}
    return names if len(names) <= MAX_NAMES else None


def _as_entry(item: Item) -> Entry:
    """The entry that ``item`` holds word for word, but for the date as it was written."""
    key = entry_key(item.guid, item.link, item.title, item.summary)
    return Entry(key, item.guid, item.link, item.title, item.summary, None, item.published_at)
