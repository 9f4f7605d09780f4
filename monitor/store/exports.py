"""What an export of the audit takes along: the items behind the alerts, with every text that was stored of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from monitor.store.schema import alerts, audit, feeds, incident_items, items, revisions

PAGE = 500  # alerts, or items, read with one query


def entries(connection: Connection, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """The audit entries of ``since`` and after it in the order of writing, one at a time, whatever their number."""
    query = select(audit).order_by(audit.c.seq).execution_options(yield_per=1000)
    if since is not None:
        query = query.where(audit.c.at >= since)
    for row in connection.execute(query).mappings():
        yield dict(row)


def items_of(connection: Connection, alert_ids: Iterable[int]) -> Iterator[dict[str, Any]]:
    """The items of the incidents behind these alerts, each once, in the order of their ids.

    Each with ``incident_id``, its ``feed`` (address, outlet, role, and the headers of its last answer) and its
    earlier texts under ``revisions``, oldest first.
    """
    wanted: set[int] = set()
    for page in _pages(sorted(alert_ids)):
        query = select(incident_items.c.item_id).join(alerts, alerts.c.incident_id == incident_items.c.incident_id)
        wanted.update(connection.scalars(query.where(alerts.c.id.in_(page))))
    for page in _pages(sorted(wanted)):
        yield from _page(connection, page)


def _page(connection: Connection, item_ids: list[int]) -> list[dict[str, Any]]:
    earlier: dict[int, list[dict[str, Any]]] = {id: [] for id in item_ids}
    texts = (
        select(revisions).where(revisions.c.item_id.in_(item_ids)).order_by(revisions.c.item_id, revisions.c.revision)
    )
    for row in connection.execute(texts).mappings():
        earlier[row["item_id"]].append({key: value for key, value in row.items() if key != "item_id"})
    of_feed = ("url", "outlet", "role", "etag", "last_modified", "body_sha256", "last_success_at")
    of_item = [column for column in items.columns if column.name not in ("link_key", "feed_id")]
    query = (
        select(*of_item, incident_items.c.incident_id, *(feeds.c[name].label(f"feed_{name}") for name in of_feed))
        .join(incident_items, incident_items.c.item_id == items.c.id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(items.c.id.in_(item_ids))
        .order_by(items.c.id)
    )
    found = []
    for row in connection.execute(query).mappings():
        own = {key: value for key, value in row.items() if not key.startswith("feed_")}
        feed = {name: row[f"feed_{name}"] for name in of_feed}
        found.append({**own, "feed": feed, "revisions": earlier[row["id"]]})
    return found


def _pages(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE]
