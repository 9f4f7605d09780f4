"""What a document changes in the store: its items, their edits and its marks."""

from __future__ import annotations

from datetime import datetime

from monitor.changes import Changes, decide, places, word_for_word
from monitor.parse import complete, entry_key
from monitor.store import Connection, items, marks, served
from monitor.types import Answer, Document, Entry, Item


class ForgottenError(Exception):
    """Entries of a document were left unread, and the store does not hold them any more: read it whole."""


def keep(
    connection: Connection, feed_id: int, document: Document, now: datetime, answer: Answer | None = None
) -> Changes:
    """Compare a document with what is stored of its feed at this instant; write items, edits and marks.

    With the ``answer`` that the document came with, the raw bytes of new and edited entries as well. Raises
    ForgottenError.
    """
    apart, held = _unread(connection, feed_id, document)
    entries = complete(document, {mark: _as_entry(item) for mark, item in held.items()})
    known = items.stored(connection, feed_id, entries, {item.id: item for item in held.values()})
    changes = decide(known, entries, now)
    for item, entry in changes.moved:
        items.move(connection, item, entry)
    for item, entry in changes.edited:
        items.edit(connection, item, entry, now)
    added = items.add(connection, feed_id, changes.new, now)
    if answer and document.raw:
        served.put(connection, feed_id, now, answer, document.raw, places(document, changes, added))
    ids = word_for_word(known, changes, added, entries)
    # Without marks nothing of this document can be left unread next time.
    marked = zip((mark for mark in document.marks if mark not in apart), ids, strict=True) if document.marks else ()
    marks.put(connection, feed_id, {**apart, **{mark: item_id for mark, item_id in marked if item_id is not None}})
    return changes


def _unread(connection: Connection, feed_id: int, document: Document) -> tuple[dict[bytes, int], dict[bytes, Item]]:
    """The items that stand for the unread entries of ``document``, by mark: their ids, or themselves.

    Their ids alone where none of them shares a guid or link with an entry that was read: then they are what they were,
    and change nothing for the others. Else all of them are read back, for the decision to see what it always sees.
    """
    if not document.unread:
        return {}, {}
    stored = marks.unpack(marks.packed(connection, [feed_id]).get(feed_id, b""))
    ids = {mark: stored[mark] for mark in document.unread if mark in stored}
    present, shared = items.sharing(connection, set(ids.values()), document.entries)
    if len(ids) < len(document.unread) or present < len(set(ids.values())):
        raise ForgottenError
    if not shared:
        return ids, {}
    held = items.by_id(connection, set(ids.values()))
    return {}, {mark: held[item_id] for mark, item_id in ids.items()}


def _as_entry(item: Item) -> Entry:
    """The entry that ``item`` holds word for word, but for the date as it was written."""
    key = entry_key(item.guid, item.link, item.title, item.summary)
    return Entry(key, item.guid, item.link, item.title, item.summary, None, item.published_at)
