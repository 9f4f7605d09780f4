"""Marks: the entries of a feed's last document that stand in the store word for word, by a hash of their raw bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, insert, select, update

from monitor.blocks import MARK_BYTES
from monitor.store.schema import marks

_BATCH = 500  # feeds in one query; databases limit the number of parameters
# Built once: they are run for every feed that changed.
_OF = select(marks.c.feed_id, marks.c.marks).where(marks.c.feed_id.in_(bindparam("feeds", expanding=True)))
_REPLACE = update(marks).where(marks.c.feed_id == bindparam("feed"))
_ROW = struct.Struct(f"<{MARK_BYTES}sq")  # a mark and the id of its item


def packed(connection: Connection, feed_ids: Iterable[int]) -> dict[int, bytes]:
    """The marks of many feeds as they are stored, by feed; ``unpack`` reads them. Feeds without any are left out."""
    ids = list(feed_ids)
    found: dict[int, bytes] = {}
    for start in range(0, len(ids), _BATCH):
        found |= {row.feed_id: row.marks for row in connection.execute(_OF, {"feeds": ids[start : start + _BATCH]})}
    return found


def unpack(stored: bytes) -> dict[bytes, int]:
    """The ids of items by mark."""
    return dict(_ROW.iter_unpack(stored))


def put(connection: Connection, feed_id: int, item_ids: Mapping[bytes, int]) -> None:
    """Replace the marks of a feed."""
    stored = b"".join(_ROW.pack(mark, item_id) for mark, item_id in item_ids.items())
    if connection.execute(_REPLACE, {"feed": feed_id, "marks": stored}).rowcount == 0:
        connection.execute(insert(marks), {"feed_id": feed_id, "marks": stored})
