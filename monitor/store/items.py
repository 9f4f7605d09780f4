"""Items and their earlier texts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, and_, bindparam, func, insert, or_, select, update

from monitor.errors import NotFoundError
from monitor.links import link_key
from monitor.store import pending
from monitor.store.assessments import IN_FORCE
from monitor.store.schema import assessments, feeds, incident_items, items, revisions
from monitor.text import detect_lang
from monitor.types import Entry, Item, Lang, Role, join_text

_BATCH = 500  # keys in one query; databases limit the number of parameters


def stored(
    connection: Connection, feed_id: int, entries: Sequence[Entry], known: Mapping[int, Item] | None = None
) -> dict[str, Item]:
    """The items of a feed that ``entries`` may be about, by key: those that share key, guid or link with one.

    ``known`` are those of them that were read before, by id.
    """
    known = known or {}
    found = dict(known)
    familiar = {item.link for item in known.values()}
    for start in range(0, len(entries), _BATCH):
        batch = entries[start : start + _BATCH]
        shared = {
            "feed_id": feed_id,
            "known": list(known),
            # Under another name: an empty list is written in one way for IN, in another for NOT IN.
            "kin_of": list(known),
            "keys": list({entry.key for entry in batch}),
            "guids": list({entry.guid for entry in batch if entry.guid}),
            "links": list({key for entry in batch if entry.link not in familiar and (key := link_key(entry.link))}),
        }
        found |= {row.id: _item(row) for row in connection.execute(_ALIKE, shared)}
    return {item.key: item for _, item in sorted(found.items())}


def sharing(connection: Connection, item_ids: Collection[int], entries: Iterable[Entry]) -> tuple[int, int]:
    """How many of these items there are, and how many of them have a name of one of ``entries``: key, guid or link.

    Keys are those of the parser. All items count as sharing where there are too many names to ask for, or one with a
    space in it, which may be a longer key made of two names.
    """
    names = {name for entry in entries for name in (entry.key, entry.guid, entry.link, link_key(entry.link)) if name}
    unclear = len(names) > _BATCH or any(" " in name for name in names)
    every = list(item_ids)
    present = shared = 0
    for start in range(0, len(every), _BATCH):
        ids = every[start : start + _BATCH]
        row = connection.execute(_SHARING, {"ids": ids, "names": [] if unclear else list(names)}).one()
        present, shared = present + row.present, shared + (row.present if unclear else row.shared)
    return present, shared


def by_id(connection: Connection, item_ids: Iterable[int]) -> dict[int, Item]:
    """Many items; those that are not there are left out."""
    ids = list(item_ids)
    found: dict[int, Item] = {}
    for start in range(0, len(ids), _BATCH):
        rows = connection.execute(_AMONG, {"ids": ids[start : start + _BATCH]})
        found |= {row.id: _item(row) for row in rows}
    return found


def add(connection: Connection, feed_id: int, entries: Iterable[Entry], now: datetime) -> dict[str, int]:
    """Store new entries, first seen at ``now``; returns their ids by key. Ids follow the order given."""
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
        for entry in entries
    ]
    return {row.key: row.id for row in connection.execute(_ADD, rows)} if rows else {}


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


def _item(row: Row[Any]) -> Item:
    values = dict(zip(_FIELDS, row, strict=True))
    return Item(**{**values, "lang": Lang(values["lang"]), "role": Role(values["role"])})


def _list(name: str) -> BindParameter[Any]:
    return bindparam(name, expanding=True)


# Built once: they are run for every feed that changed.
_FIELDS = tuple(column.name for column in _select().selected_columns)
_ADD = insert(items).returning(items.c.key, items.c.id)
_NAMED = or_(*(items.c[name].in_(_list("names")) for name in ("guid", "link", "link_key", "key")))
_SHARING = select(func.count().label("present"), func.count().filter(_NAMED).label("shared")).where(
    items.c.id.in_(_list("ids"))
)
_AMONG = _select().where(items.c.id.in_(_list("ids")))
_ALIKE = _select().where(
    items.c.feed_id == bindparam("feed_id"),
    items.c.id.not_in(_list("known")),
    or_(
        items.c.key.in_(_list("keys")),
        items.c.guid.in_(_list("guids")),
        items.c.link_key.in_(_list("links")),
        items.c.link_key.in_(select(items.c.link_key).where(items.c.id.in_(_list("kin_of")))),
    ),
)
