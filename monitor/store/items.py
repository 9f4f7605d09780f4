"""Items and their earlier texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    func,
    insert,
    select,
    union_all,
    update,
)

from monitor.errors import NotFoundError
from monitor.links import link_key
from monitor.store import bulk, pending
from monitor.store.assessments import IN_FORCE
from monitor.store.schema import assessments, feeds, incident_items, items, revisions
from monitor.text import detect_lang
from monitor.types import Entry, Item, Lang, Role, join_text

Story = tuple[int, Entry]  # a feed, and what it published


def stored(connection: Connection, entries: Iterable[Story]) -> dict[int, list[Item]]:
    """The items that ``entries`` may be about, or whose key they may not be given, by feed.

    Those share key, guid or link with one of them, or the guid of one is the link of the other.
    """
    rows = [
        {"feed_id": id_, "key": each.key, "guid": each.guid, "link": each.link, "link_key": link_key(each.link)}
        for id_, each in entries
    ]
    found: dict[int, list[Item]] = {}
    if rows:
        query = _alike(connection.dialect.name)
        for row in connection.execute(query, {"rows": bulk.pack(connection, rows)}).all():
            found.setdefault(row.feed_id, []).append(_item(row))
    return found


def present(connection: Connection, item_ids: Iterable[int]) -> dict[int, int]:
    """How many of these items there are, by feed; feeds without any are left out."""
    ids = bulk.pack(connection, item_ids)
    return {row.feed_id: row.items for row in connection.execute(_present(connection.dialect.name), {"rows": ids})}


def by_id(connection: Connection, item_ids: Iterable[int]) -> dict[int, Item]:
    """Many items; those that are not there are left out."""
    ids = bulk.pack(connection, item_ids)
    return {row.id: _item(row) for row in connection.execute(_among(connection.dialect.name), {"rows": ids}).all()}


def add(connection: Connection, entries: Iterable[Story], now: datetime) -> dict[tuple[int, str], int]:
    """Store new entries of feeds, first seen at ``now``; returns their ids by feed and key, which follow the order."""
    rows = [
        {
            "feed_id": feed_id,
            "key": entry.key,
            "guid": entry.guid,
            "link": entry.link,
            "link_key": link_key(entry.link),
            "title": entry.title,
            "summary": entry.summary,
            "lang": detect_lang(join_text(entry.title, entry.summary)),
            "published_raw": entry.published_raw,
            "published_at": entry.published_at,
            "first_seen_at": now,
            "revision": 0,
        }
        for feed_id, entry in entries
    ]
    return {(row.feed_id, row.key): row.id for row in connection.execute(_ADD, rows)} if rows else {}


def edit(connection: Connection, item: Item, entry: Entry, now: datetime) -> None:
    """Replace the text of ``item`` by that of ``entry``; the earlier text and link move to the revisions."""
    connection.execute(
        insert(revisions).values(
            item_id=item.id,
            revision=item.revision,
            title=item.title,
            summary=item.summary,
            link=item.link,
            seen_at=item.edited_at or item.first_seen_at,
            replaced_at=now,
        )
    )
    connection.execute(
        update(items)
        .where(items.c.id == item.id)
        .values(
            title=entry.title,
            summary=entry.summary,
            lang=detect_lang(join_text(entry.title, entry.summary)),
            edited_at=now,
            revision=item.revision + 1,
        )
    )
    pending.edited(connection, item.id)


def move(connection: Connection, item: Item, entry: Entry) -> None:
    """The outlet gave ``item`` another guid or link: it is known by those of ``entry``, and its key, from now on."""
    values = {"key": entry.key, "guid": entry.guid, "link": entry.link, "link_key": link_key(entry.link)}
    connection.execute(update(items).where(items.c.id == item.id).values(**values))


def get(connection: Connection, item_id: int) -> Item:
    """One item. Raises NotFoundError."""
    row = connection.execute(_select().where(items.c.id == item_id)).one_or_none()
    if row is None:
        raise NotFoundError("item", item_id, "`pollwatch items list` shows them all")
    return _item(row)


def listing(
    connection: Connection, *, since: datetime | None = None, feed_id: int | None = None, limit: int | None = None
) -> list[Item]:
    """Items, the newest first seen first; ``since`` counts from the first sight, not from the publication date."""
    query = _select().order_by(items.c.first_seen_at.desc(), items.c.id).limit(limit)
    if since is not None:
        query = query.where(items.c.first_seen_at >= since)
    if feed_id is not None:
        query = query.where(items.c.feed_id == feed_id)
    return [_item(row) for row in connection.execute(query)]


def earlier_texts(connection: Connection, item_id: int) -> list[dict[str, Any]]:
    """The earlier texts of an item, oldest first: revision, title, summary, link, seen_at, replaced_at."""
    columns = [column for column in revisions.columns if column.name != "item_id"]
    query = select(*columns).where(revisions.c.item_id == item_id).order_by(revisions.c.revision)
    return [dict(row) for row in connection.execute(query).mappings()]


def in_incidents(connection: Connection) -> list[tuple[str, str]]:
    """The items that belong to an incident: the address of their feed, and their title."""
    query = (
        select(feeds.c.url, items.c.title)
        .join_from(items, feeds, feeds.c.id == items.c.feed_id)
        .join(incident_items, incident_items.c.item_id == items.c.id)
        .order_by(items.c.id)
    )
    return [(row.url, row.title) for row in connection.execute(query)]


def latest_assessment(connection: Connection, item_id: int) -> dict[str, Any] | None:
    """The assessment in force of the text that an item has now, as stored; None when there is none yet."""
    query = (
        select(assessments)
        .join(items, and_(items.c.id == assessments.c.item_id, items.c.revision == assessments.c.revision))
        .where(items.c.id == item_id, IN_FORCE)
    )
    row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def _select() -> Select[Any]:
    own = [items.c[name] for name in Item.__dataclass_fields__ if name in items.c]
    return select(*own, feeds.c.outlet, feeds.c.role, feeds.c.channel.label("tip")).join(
        feeds, feeds.c.id == items.c.feed_id
    )


def _item(row: Sequence[Any]) -> Item:
    values = dict(zip(_FIELDS, row, strict=True))
    return Item(**{**values, "lang": Lang(values["lang"]), "role": Role(values["role"])})


# Built once: they are run for every feed that changed.
_FIELDS = tuple(column.name for column in _select().selected_columns)
# A few rows in one statement: the driver keeps a hundred of them, with the texts that were last bound to each.
_ADD = (
    insert(items).returning(items.c.feed_id, items.c.key, items.c.id).execution_options(insertmanyvalues_page_size=25)
)


@cache
def _present(dialect: str) -> Select[Any]:
    asked = bulk.given(dialect, [items.c.id])
    return (
        select(items.c.feed_id, func.count().label("items"))
        .join_from(asked, items, items.c.id == asked.c.id)
        .group_by(items.c.feed_id)
    )


@cache
def _among(dialect: str) -> Select[Any]:
    return _select().where(items.c.id.in_(select(bulk.given(dialect, [items.c.id]).c.id)))


@cache
def _alike(dialect: str) -> Select[Any]:
    """A query for each kind of name: given an OR of them, SQLite reads every item of the feed."""
    entry = bulk.given(dialect, [items.c[name] for name in ("feed_id", "key", "guid", "link", "link_key")])
    known = items.alias("known")
    own = known.c.feed_id == entry.c.feed_id
    bearers = union_all(
        select(known.c.id).where(own, known.c.key == entry.c.key),
        # A key may have begun with the guid of an item that is known by little else today.
        select(known.c.id).where(own, known.c.guid == entry.c.guid),
        select(known.c.id).where(own, known.c.guid.in_((entry.c.link, entry.c.link_key))),
        # By the index of links, which knows of no feeds: a sum is in no other.
        select(known.c.id).where(
            known.c.feed_id + 0 == entry.c.feed_id, known.c.link_key.in_((entry.c.link_key, entry.c.guid))
        ),
    )
    return _select().where(items.c.id.in_(bearers)).order_by(items.c.id)
