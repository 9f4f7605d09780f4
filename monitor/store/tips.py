"""Tips: items of feeds that nobody polls, one for each channel by which people report."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, or_, select

from monitor.links import link_key
from monitor.store import items as item_table
from monitor.store.schema import feeds, items
from monitor.types import Entry, Role


def find(connection: Connection, keys: Collection[str], link: str | None) -> int | None:
    """The first tip with one of these keys, or about the same story by its link; of whatever channel."""
    ours = select(feeds.c.id).where(feeds.c.channel.is_not(None))
    named: list[ColumnElement[bool]] = [items.c.key.in_(keys)]
    if link is not None:
        story = link_key(link)  # None: a whole site
        named.append(items.c.link_key == story if story else items.c.link == link)
    query = select(items.c.id).where(items.c.feed_id.in_(ours), or_(*named))
    return connection.scalar(query.order_by(items.c.id).limit(1))


def add(connection: Connection, channel: str, entry: Entry, now: datetime) -> int:
    """Store a tip that is new; returns the id of its item."""
    feed_id = connection.scalar(select(feeds.c.id).where(feeds.c.channel == channel)) or _open(connection, channel, now)
    return item_table.add(connection, [(feed_id, entry)], now)[feed_id, entry.key]


def _open(connection: Connection, channel: str, now: datetime) -> int:
    """A feed that is never due: it has no address, and is not among those that are watched."""
    row = {"url": f"tip:{channel}", "outlet": f"tip: {channel}", "role": Role.COMMUNITY, "channel": channel}
    opened = insert(feeds).values(**row, enabled=False, failures=0, added_at=now).returning(feeds.c.id)
    return int(connection.scalars(opened).one())
