"""What feeds served: the raw bytes of entries that were new or edited, for as long as one of them may be flagged.

One row a document, found again by its feed and the instant of the pass, which is when its items were first seen or
edited.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from monitor.raw import unpack
from monitor.store.schema import served
from monitor.types import Answer, Raw

_PLACE = struct.Struct("<qII")  # an item, and from where to where its entry stands in the unpacked bytes
_FIELDS = tuple(Answer.__dataclass_fields__)
# Built once: they are run for every feed that changed.
_PUT = insert(served)
_AT = (
    select(served)
    .where(served.c.feed_id == bindparam("feed"), served.c.seen_at == bindparam("seen", type_=served.c.seen_at.type))
    .order_by(served.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class Served:
    """An entry as it was served. ``body`` is the whole document if ``whole``; None: it was too large to be kept."""

    answer: Answer
    body: bytes | None
    whole: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What a document brought: the raw bytes of its entries, and which of them each new or edited item is, by id."""

    feed_id: int
    answer: Answer
    raw: Raw
    places: Mapping[int, int]

    def row(self, now: datetime) -> dict[str, Any]:
        """As it is stored."""
        spans = {item_id: self.raw.spans[place] if self.raw.spans else (0, 0) for item_id, place in self.places.items()}
        answer = {name: getattr(self.answer, name) for name in _FIELDS}
        return {
            "feed_id": self.feed_id,
            "seen_at": now,
            "answer": {**answer, "fetched_at": self.answer.fetched_at.isoformat()},
            "whole": not self.raw.spans,
            "packed": self.raw.packed,
            "places": b"".join(_PLACE.pack(item_id, *span) for item_id, span in spans.items()),
        }


def put(connection: Connection, now: datetime, documents: Iterable[Kept]) -> None:
    """Keep what a pass at ``now`` found; of a document without new or edited items nothing."""
    rows = [document.row(now) for document in documents if document.places]
    if rows:
        connection.execute(_PUT, rows)


def entry(connection: Connection, item_id: int, feed_id: int, seen_at: datetime) -> Served | None:
    """The entry that became the text of an item that was first seen at ``seen_at``; None if it is not kept any more."""
    for row in connection.execute(_AT, {"feed": feed_id, "seen": seen_at}):
        for id, start, end in _PLACE.iter_unpack(row.places):
            if id == item_id:
                body = unpack(row.packed) if row.packed else None
                return Served(_answer(row.answer), body if row.whole or body is None else body[start:end], row.whole)
    return None


def is_old(connection: Connection, before: datetime) -> bool:
    """Whether anything is kept that was served before that."""
    return connection.scalar(select(served.c.id).where(served.c.seen_at < before).limit(1)) is not None


def forget(connection: Connection, before: datetime) -> int:
    """Drop what was served before that; returns how many documents that were."""
    return connection.execute(delete(served).where(served.c.seen_at < before)).rowcount


def _answer(stored: Mapping[str, object]) -> Answer:
    values = dict(stored)
    at = datetime.fromisoformat(str(values.pop("fetched_at")))
    pairs = values.pop("headers")
    headers = tuple((str(key), str(value)) for key, value in pairs) if isinstance(pairs, list) else ()
    return Answer(**values, fetched_at=at, headers=headers)  # type: ignore[arg-type]  # as ``put`` wrote them
