"""What is to be captured, the pages that are watched, and where each capture lies."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, exists, func, insert, select, update

from monitor.errors import NotFoundError
from monitor.store.schema import (
    captures,
    incident_items,
    items,
    page_items,
    pages,
    revisions,
    to_capture,
    warcs,
)
from monitor.types import Capture, CaptureKind, Changed, Page

PAGE = 500  # items in one query

_PAGE_FIELDS = [pages.c[name] for name in Page.__dataclass_fields__]
_CAPTURE_FIELDS = [captures.c[name] for name in Capture.__dataclass_fields__]
_HAS_CAPTURES = exists().where(captures.c.file == warcs.c.file)


@dataclass(frozen=True, slots=True)
class Noted:
    """An item that capture has before it. ``texts``: each revision that has no entry captured, with its instant."""

    item_id: int
    feed_id: int
    link: str | None
    texts: tuple[tuple[int, datetime], ...]


def noted(connection: Connection, limit: int) -> list[Noted]:
    """At most so many items that capture has before it, the oldest first."""
    query = (
        select(items.c.id, items.c.feed_id, items.c.link, items.c.revision, items.c.first_seen_at, items.c.edited_at)
        .join(to_capture, to_capture.c.item_id == items.c.id)
        .order_by(items.c.id)
        .limit(min(limit, PAGE))
    )
    rows = connection.execute(query).all()
    ids = [row.id for row in rows]
    texts: dict[int, list[tuple[int, datetime]]] = {id: [] for id in ids}
    earlier = select(revisions.c.item_id, revisions.c.revision, revisions.c.seen_at).where(revisions.c.item_id.in_(ids))
    for item_id, revision, seen_at in connection.execute(earlier.order_by(revisions.c.item_id, revisions.c.revision)):
        texts[item_id].append((revision, seen_at))
    for row in rows:
        texts[row.id].append((row.revision, row.edited_at or row.first_seen_at))
    held = select(captures.c.item_id, captures.c.revision).where(captures.c.item_id.in_(ids))
    there = {(item_id, revision) for item_id, revision in connection.execute(held)}
    return [
        Noted(row.id, row.feed_id, row.link, tuple(text for text in texts[row.id] if (row.id, text[0]) not in there))
        for row in rows
    ]


def strike_off(connection: Connection, item_ids: Collection[int]) -> None:
    """Capture has looked at these items, PAGE at most."""
    connection.execute(delete(to_capture).where(to_capture.c.item_id.in_(item_ids)))


def watch(connection: Connection, item_id: int, url: str, now: datetime) -> bool:
    """An item leads to the page ``url``, to be visited at once if it was not watched before; tells whether that is so.

    A page is watched once, however many items lead to it.
    """
    key = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
    page_id = connection.scalar(select(pages.c.id).where(pages.c.key == key))
    is_new = page_id is None
    if page_id is None:
        row = {"key": key, "url": url, "host": urlsplit(url).netloc, "noted_at": now, "next_visit_at": now}
        page_id = connection.scalars(insert(pages).values(**row).returning(pages.c.id)).one()
    here = (page_items.c.item_id == item_id) & (page_items.c.page_id == page_id)
    if not connection.scalar(select(exists().where(here))):
        connection.execute(insert(page_items).values(item_id=item_id, page_id=page_id))
    return is_new


def due(connection: Connection, now: datetime, limit: int, of_host: int) -> list[Page]:
    """Pages to be visited now, those that waited longest first; at most ``of_host`` of each host.

    Not those whose items were all purged.
    """
    place = func.row_number().over(partition_by=pages.c.host, order_by=[pages.c.next_visit_at, pages.c.id])
    led_to = exists().where(page_items.c.page_id == pages.c.id)
    waiting = select(*_PAGE_FIELDS, place.label("place")).where(pages.c.next_visit_at <= now, led_to).subquery()
    columns = [waiting.c[name] for name in Page.__dataclass_fields__]
    query = select(*columns).where(waiting.c.place <= of_host).order_by(waiting.c.next_visit_at, waiting.c.id)
    return [Page(**row) for row in connection.execute(query.limit(limit)).mappings()]


def save(connection: Connection, page: Page) -> None:
    """What is known of a page after a visit."""
    values = {name: getattr(page, name) for name in Page.__dataclass_fields__ if name != "id"}
    connection.execute(update(pages).where(pages.c.id == page.id).values(**values))


def add_file(connection: Connection, file: str, now: datetime, sha256: str, size: int) -> None:
    """A WARC file, before what was captured in it."""
    connection.execute(insert(warcs).values(file=file, written_at=now, sha256=sha256, bytes=size))


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """What was captured: the columns of the table but ``id``."""
    if rows:
        connection.execute(insert(captures), [dict(row) for row in rows])


def files(connection: Connection) -> list[tuple[str, str, int]]:
    """The WARC files with captures in order: name, SHA-256 and size in bytes."""
    query = select(warcs.c.file, warcs.c.sha256, warcs.c.bytes).where(_HAS_CAPTURES).order_by(warcs.c.file)
    return [(row.file, row.sha256, row.bytes) for row in connection.execute(query)]


def loosen(connection: Connection, captured: ColumnElement[bool]) -> None:
    """These captures are about to be removed: the files that hold them hold too much then."""
    files_of = select(captures.c.file).where(captured)
    connection.execute(update(warcs).where(warcs.c.file.in_(files_of)).values(loose=True))


def forget_pages(connection: Connection) -> int:
    """Remove PAGE pages to which no item leads any longer, with what was captured of them; returns how many it were."""
    led_to = exists().where(page_items.c.page_id == pages.c.id)
    ids = list(connection.scalars(select(pages.c.id).where(~led_to).limit(PAGE)))
    if ids:
        loosen(connection, captures.c.page_id.in_(ids))
        connection.execute(delete(captures).where(captures.c.page_id.in_(ids)))
        connection.execute(delete(pages).where(pages.c.id.in_(ids)))
    return len(ids)


def loose(connection: Connection) -> list[tuple[str, str]]:
    """The files of which something was purged: name and SHA-256."""
    query = select(warcs.c.file, warcs.c.sha256).where(warcs.c.loose).order_by(warcs.c.file)
    return [(row.file, row.sha256) for row in connection.execute(query)]


def tighten(connection: Connection, file: str) -> None:
    """All that a file holds is known."""
    connection.execute(update(warcs).where(warcs.c.file == file).values(loose=False))


def move(connection: Connection, file: str, into: str, places: Mapping[int, int]) -> None:
    """The captures of a file lie in another one now, each at a new offset."""
    for offset, place in places.items():
        here = (captures.c.file == file, captures.c.offset == offset)
        connection.execute(update(captures).where(*here).values(file=into, offset=place))


def drop_file(connection: Connection, file: str) -> None:
    """A file without captures is gone."""
    connection.execute(delete(warcs).where(warcs.c.file == file))


def write_off(connection: Connection, file: str, now: datetime) -> tuple[str, int]:
    """Strike off a file that is lost, with what was captured in it: its SHA-256, and how many captures that were.

    Pages of which nothing is left are visited again, from ``now``. Raises NotFoundError.
    """
    sha256 = connection.scalar(select(warcs.c.sha256).where(warcs.c.file == file))
    if sha256 is None:
        raise NotFoundError("file of evidence", file, "`pollwatch evidence verify` names those that are missing")
    of_pages = select(captures.c.page_id).where(captures.c.file == file, captures.c.page_id.is_not(None))
    ids = list(connection.scalars(of_pages.distinct()))
    lost = connection.execute(delete(captures).where(captures.c.file == file)).rowcount
    drop_file(connection, file)
    left = exists().where(captures.c.page_id == pages.c.id)
    anew = {"next_visit_at": now, "visits": 0, "attempts": 0, "captured_at": None, "error": None}
    anew |= {"etag": None, "last_modified": None, "words": None, "gone": False}
    for start in range(0, len(ids), PAGE):
        bare = pages.c.id.in_(ids[start : start + PAGE]) & ~left
        connection.execute(update(pages).where(bare).values(**anew))
    return sha256, lost


def known(connection: Connection, names: Collection[str]) -> set[str]:
    """Those of a few names that are WARC files of this store."""
    return set(connection.scalars(select(warcs.c.file).where(warcs.c.file.in_(names))))


def in_file(connection: Connection, file: str) -> list[Capture]:
    """What was captured in a file, in the order in which it stands there."""
    query = select(*_CAPTURE_FIELDS).where(captures.c.file == file).order_by(captures.c.offset)
    return [_capture(row) for row in connection.execute(query)]


def of_items(connection: Connection, item_ids: Iterable[int]) -> Iterator[tuple[int, Capture]]:
    """What was captured of these items, in the order of item and instant: the id of the item, and the capture.

    A page to which several of them lead comes with each. ``changed`` of the newest capture of a page is ``same`` where
    a later visit found nothing else.
    """
    wanted = sorted(set(item_ids))
    for start in range(0, len(wanted), PAGE):
        yield from _of_page(connection, wanted[start : start + PAGE])


def _of_page(connection: Connection, item_ids: list[int]) -> list[tuple[int, Capture]]:
    own = select(captures.c.item_id.label("of_item"), *_CAPTURE_FIELDS).where(captures.c.item_id.in_(item_ids))
    found = [(row.of_item, _capture(row)) for row in connection.execute(own)]
    later = captures.alias("later")
    newest = ~exists().where(later.c.page_id == captures.c.page_id, later.c.id > captures.c.id)
    stands = (newest & (pages.c.visits > 1)).label("stands")
    led: Select[Any] = (
        select(page_items.c.item_id.label("of_item"), *_CAPTURE_FIELDS, stands)
        .join(pages, pages.c.id == page_items.c.page_id)
        .join(captures, captures.c.page_id == pages.c.id)
        .where(page_items.c.item_id.in_(item_ids))
    )
    for row in connection.execute(led):
        found.append((row.of_item, _capture(row, stands=bool(row.stands))))
    return sorted(found, key=lambda pair: (pair[0], pair[1].captured_at, pair[1].id))


def of_incident(connection: Connection, incident_id: int) -> list[dict[str, Any]]:
    """What was captured of the items of an incident, as people are shown it, in the order of item and instant.

    ``item_id, kind, url, captured_at, sha256, status, changed``; ``changed`` is None for what was looked at once.
    """
    shown = ("kind", "url", "captured_at", "sha256", "status", "changed")
    return [
        {"item_id": item_id, **{name: getattr(capture, name) for name in shown}}
        for item_id, capture in of_items(connection, items_of(connection, incident_id))
    ]


def items_of(connection: Connection, incident_id: int | None = None) -> list[int]:
    """The items of an incident; without one, all of which anything was captured or is to be."""
    if incident_id is not None:
        query = select(incident_items.c.item_id).where(incident_items.c.incident_id == incident_id)
        return list(connection.scalars(query.order_by(incident_items.c.item_id)))
    own = select(captures.c.item_id).where(captures.c.item_id.is_not(None))
    return sorted(set(connection.scalars(own)) | set(connection.scalars(select(page_items.c.item_id))))


def leading_to(connection: Connection, page_id: int) -> list[int]:
    """The items that lead to a page."""
    query = select(page_items.c.item_id).where(page_items.c.page_id == page_id)
    return list(connection.scalars(query.order_by(page_items.c.item_id)))


def pages_of(connection: Connection, item_ids: Collection[int]) -> list[tuple[int, Page]]:
    """The pages that these items lead to, captured or not; the id of the item with each."""
    wanted, found = sorted(item_ids), []
    for start in range(0, len(wanted), PAGE):
        query = (
            select(page_items.c.item_id, *_PAGE_FIELDS)
            .join(pages, pages.c.id == page_items.c.page_id)
            .where(page_items.c.item_id.in_(wanted[start : start + PAGE]))
            .order_by(page_items.c.item_id, pages.c.id)
        )
        for row in map(dict, connection.execute(query).mappings()):
            found.append((row.pop("item_id"), Page(**row)))
    return found


def counts(connection: Connection, now: datetime) -> dict[str, int]:
    """How many ``captures`` there are, items ``waiting``, pages ``due``, ``gone``, and ``missed`` for good."""
    of_pages = select(
        func.count().filter(pages.c.next_visit_at <= now).label("due"),
        func.count().filter(pages.c.gone).label("gone"),
        func.count().filter(pages.c.captured_at.is_(None), pages.c.next_visit_at.is_(None)).label("missed"),
    )
    row = connection.execute(of_pages).one()
    return {
        "captures": connection.scalar(select(func.count()).select_from(captures)) or 0,
        "waiting": connection.scalar(select(func.count()).select_from(to_capture)) or 0,
        "due": row.due,
        "gone": row.gone,
        "missed": row.missed,
    }


def waits_since(connection: Connection) -> datetime | None:
    """The first sight, or edit, of the oldest text that waits to be captured; None when none waits."""
    seen = select(func.min(func.coalesce(items.c.edited_at, items.c.first_seen_at)))
    return connection.scalar(seen.join_from(items, to_capture, to_capture.c.item_id == items.c.id))


def _capture(row: Row[Any], *, stands: bool = False) -> Capture:
    values = {name: getattr(row, name) for name in Capture.__dataclass_fields__}
    changed = Changed(values["changed"]) if values["changed"] else Changed.SAME if stands else None
    headers = tuple((key, value) for key, value in values["headers"])
    return Capture(**{**values, "kind": CaptureKind(values["kind"]), "changed": changed, "headers": headers})
