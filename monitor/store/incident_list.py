"""Incidents as people and scripts see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, select

from monitor.store.schema import alerts, clarifications, feeds, incident_items, incidents, items
from monitor.types import ClarificationState

PAGE = 500  # incidents whose items are read with one query

_SHOWN = ("id", "title", "claim_type", "lang", "first_seen_at", "last_seen_at", "sample")


def listing(connection: Connection, *, since: datetime | None = None, limit: int | None = None) -> list[dict[str, Any]]:
    """Incidents with items, the one that moved last first; ``since``: only those seen since then.

    Keys: ``id, title, claim_type, lang, first_seen_at, last_seen_at, sample``, the names of ``outlets``, the ``items``
    in the order of appearance (``id, outlet, title, link, published_at, first_seen_at``, and ``reason`` and
    ``similarity`` of its joining), and ``clarification_id``, its clarification, drafted or public.
    """
    has_items = select(incident_items.c.item_id).where(incident_items.c.incident_id == incidents.c.id).exists()
    query = (
        select(incidents.c.id)
        .where(has_items)
        .order_by(incidents.c.last_seen_at.desc(), incidents.c.id.desc())
        .limit(limit)
    )
    if since is not None:
        query = query.where(incidents.c.last_seen_at >= since)
    ids = list(connection.scalars(query))
    return [row for start in range(0, len(ids), PAGE) for row in _rows(connection, ids[start : start + PAGE])]


def get(connection: Connection, incident_id: int) -> dict[str, Any]:
    """One incident as ``listing`` gives it; it is there."""
    (row,) = _rows(connection, [incident_id])
    return row


def merged_into(connection: Connection, incident_id: int) -> list[int]:
    """The incidents whose ids lead to this one."""
    query = select(incidents.c.id).where(incidents.c.merged_into == incident_id).order_by(incidents.c.id)
    return list(connection.scalars(query))


def _rows(connection: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    clarified = (
        select(func.max(clarifications.c.id))
        .join(alerts, alerts.c.id == clarifications.c.alert_id)
        .where(alerts.c.incident_id == incidents.c.id, clarifications.c.state != ClarificationState.WITHDRAWN)
        .correlate(incidents)
        .scalar_subquery()
    )
    heads = connection.execute(
        select(*(incidents.c[key] for key in _SHOWN), clarified.label("clarification_id")).where(
            incidents.c.id.in_(ids)
        )
    ).mappings()
    by_id = {head["id"]: head for head in heads}
    members = _members(connection, ids)
    return [
        {**by_id[id], "items": members[id], "outlets": list(dict.fromkeys(item["outlet"] for item in members[id]))}
        for id in ids
    ]


def _members(connection: Connection, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    shown = [items.c[key] for key in ("id", "title", "link", "published_at", "first_seen_at")]
    rows = connection.execute(
        select(
            incident_items.c.incident_id, feeds.c.outlet, *shown, incident_items.c.reason, incident_items.c.similarity
        )
        .select_from(incident_items)
        .join(items, items.c.id == incident_items.c.item_id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(incident_items.c.incident_id.in_(ids))
        .order_by(incident_items.c.incident_id, func.coalesce(items.c.published_at, items.c.first_seen_at), items.c.id)
    ).mappings()
    found: dict[int, list[dict[str, Any]]] = {id: [] for id in ids}
    for id, group in groupby(rows, key=lambda row: int(row["incident_id"])):
        found[id] = [{key: value for key, value in row.items() if key != "incident_id"} for row in group]
    return found
