"""Items and their earlier texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from monitor.errors import NotFoundError
from monitor.links import link_key
from monitor.store import pending
from monitor.store.assessments import IN_FORCE
from monitor.store.schema import assessments, feeds, incident_items, items, revisions
from monitor.text import detect_lang
from monitor.types import Entry, Item, Lang, Role, join_text

_BATCH = 500  # keys in one query; databases limit the number of parameters
_LOOKUPS = 1_000  # of one kind of name, in one query

Story = tuple[int, Entry]  # a feed, and what it published


def stored(connection: Connection, entries: Iterable[Story]) -> dict[int, list[Item]]:
    """The items that ``entries`` may be about, or whose key they may not be given, by feed.

    Those share key, guid or link with one of them, or their guid is its link.
    """
    found: dict[int, dict[int, Item]] = {}
    for portion in _portions(entries):
        names = {
            "key": {(feed_id, entry.key) for feed_id, entry in portion},
            # A key may have begun with the guid of an item that is known by little else today.
            "guid": {(feed_id, name) for feed_id, entry in portion for name in (entry.guid, entry.link) if name},
            "link_key": {(feed_id, key) for feed_id, entry in portion if (key := link_key(entry.link))},
        }
        wanted: dict[str, list[Any]] = {kind: [name for _, name in pairs] for kind, pairs in names.items()}
        for row in connection.execute(_ALIKE, {"feeds": list({feed_id for feed_id, _ in portion}), **wanted}):
            # Not those that share one with an entry of another feed.
            if any((row.feed_id, getattr(row, kind)) in pairs for kind, pairs in names.items()):
                found.setdefault(row.feed_id, {})[row.id] = _item(row[:-1])
    return {feed_id: [item for _, item in sorted(items.items())] for feed_id, items in found.items()}


def _portions(entries: Iterable[Story]) -> Iterator[list[Story]]:
    """Parts to be asked for in one query each: every name is looked up in every feed of its part."""
    portion: list[Story] = []
    of: set[int] = set()
    for feed_id, entry in entries:
        of.add(feed_id)
        if portion and (len(portion) == _BATCH or len(of) * (len(portion) + 1) > _LOOKUPS):
            yield portion
            portion, of = [], {feed_id}
        portion.append((feed_id, entry))
    if portion:
        yield portion


def sharing(connection: Connection, item_ids: Iterable[int], names: Collection[str]) -> dict[int, tuple[int, int]]:
    """By feed: how many of these items there are, and how many of them have one of ``names``, a few hundred at most.

    A name is a key, a guid, a link or its canonical form.
    """
    ids = list(item_ids)
    found: Counter[int] = Counter()
    shared: Counter[int] = Counter()
    for start in range(0, len(ids), _BATCH):
        for row in connection.execute(_SHARING, {"ids": ids[start : start + _BATCH], "names": list(names)}):
            found[row.feed_id] += row.present
            shared[row.feed_id] += row.shared
    return {feed_id: (present, shared[feed_id]) for feed_id, present in found.items()}


def by_id(connection: Connection, item_ids: Iterable[int]) -> dict[int, Item]:
    """Many items; those that are not there are left out."""
    ids = list(item_ids)
    found: dict[int, Item] = {}
    for start in range(0, len(ids), _BATCH):
        rows = connection.execute(_AMONG, {"ids": ids[start : start + _BATCH]})
        found |= {row.id: _item(row) for row in rows}
    return found


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


def _list(name: str) -> BindParameter[Any]:
    return bindparam(name, expanding=True)


# Built once: they are run for every feed that changed.
_FIELDS = tuple(column.name for column in _select().selected_columns)
# A few rows in one statement: the driver keeps a hundred of them, with the texts that were last bound to each.
_ADD = (
    insert(items).returning(items.c.feed_id, items.c.key, items.c.id).execution_options(insertmanyvalues_page_size=25)
)
_NAMED = or_(*(items.c[name].in_(_list("names")) for name in ("guid", "link", "link_key", "key")))
_SHARING = (
    select(items.c.feed_id, func.count().label("present"), func.count().filter(_NAMED).label("shared"))
    .where(items.c.id.in_(_list("ids")))
    .group_by(items.c.feed_id)
)
_AMONG = _select().where(items.c.id.in_(_list("ids")))
# A query for each kind of name: given an OR of them, SQLite reads every item of the feed.
_BEARERS = union_all(
    *(
        select(items.c.id).where(items.c.feed_id.in_(_list("feeds")), items.c[name].in_(_list(name)))
        for name in ("key", "guid")
    ),
    select(items.c.id).where(items.c.link_key.in_(_list("link_key"))),  # of any feed: its index knows of none
)
_ALIKE = _select().add_columns(items.c.link_key).where(items.c.id.in_(_BEARERS))
