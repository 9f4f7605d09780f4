"""Marks: the entries of a feed's last document that stand in the store word for word, by a hash of their raw bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select

from monitor.blocks import MARK_BYTES
from monitor.store.schema import marks
from monitor.store.upsert import insert_for

_BATCH = 500  # feeds in one query; databases limit the number of parameters
# Built once: it is run for every feed that changed.
_OF = select(marks.c.feed_id, marks.c.marks).where(marks.c.feed_id.in_(bindparam("feeds", expanding=True)))
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


def put(connection: Connection, item_ids: Mapping[int, Mapping[bytes, int]]) -> None:
    """Replace the marks of feeds: the ids of items by mark, by feed."""
    rows = [
        {"feed_id": feed_id, "marks": b"".join(_ROW.pack(mark, item_id) for mark, item_id in of_feed.items())}
        for feed_id, of_feed in item_ids.items()
    ]
    if rows:
        connection.execute(_put(connection.dialect.name), rows)


@cache
def _put(dialect: str) -> Any:
    stored = insert_for(dialect, marks)
    return stored.on_conflict_do_update(index_elements=[marks.c.feed_id], set_={"marks": stored.excluded.marks})
