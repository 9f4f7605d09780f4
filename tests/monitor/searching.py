"""What tests of search share: items without feeds, and an index whose first block is full."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from monitor.config import Settings
from monitor.postings import BLOCK
from monitor.search import index, search
from monitor.store import Store, feeds, items, schema
from monitor.types import Entry


def publish(store: Store, now: datetime, *titles: str, feed: str = "a", summary: str = "") -> list[int]:
    """One item of each title, a minute apart; returns their ids."""
    ids = []
    for minute, title in enumerate(titles):
        with store.write() as connection:
            feed_id = feeds.add(connection, f"https://{feed}.example/rss", now, outlet=f"Outlet {feed}")[0].id
            count = connection.scalar(select(func.count()).select_from(schema.items))
            entry = Entry(f"{feed}{count}", None, f"https://{feed}.example/{count}", title, summary, None, now)
            ids += items.add(connection, [(feed_id, entry)], now + timedelta(minutes=minute)).values()
    return ids


def rewrite(store: Store, item_id: int, title: str, now: datetime) -> None:
    """The outlet edits an item."""
    with store.write() as connection:
        item = items.get(connection, item_id)
        entry = Entry(item.key, item.guid, item.link, item.title, item.summary, None, item.published_at)
        items.edit(connection, item, replace(entry, title=title), now)


def fill_block(store: Store, settings: Settings, now: datetime) -> None:
    """Index what there is, and go on as if the last block were full with it: it gets its postings."""
    index(store, settings, now)
    with store.write() as connection:
        texts = schema.texts
        last = connection.scalar(select(func.max(texts.c.number)))
        end = (last // BLOCK + 1) * BLOCK - 1
        connection.execute(update(texts).where(texts.c.number == last).values(number=end))
    assert index(store, settings, now).counts["packed"] == 1


def found(store: Store, words: str, **more: Any) -> list[str]:
    """The titles found."""
    return [hit.title for hit in search(store, words, **more)]
