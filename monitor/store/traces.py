"""What became of every item, and the way of every alert: read by a drill, which knows what is true."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from monitor.store.assessments import IN_FORCE
from monitor.store.schema import alerts, assessments, decisions, feeds, incident_items, incidents, items

_every = assessments.alias("every_assessment")


def of_items(connection: Connection) -> list[dict[str, Any]]:
    """Every item: where it came from, what was thought of it, when it was first flagged, its incident if it has one."""
    flagged = (
        select(func.min(_every.c.assessed_at)).where(_every.c.item_id == items.c.id, _every.c.flagged).scalar_subquery()
    )
    query = (
        select(
            feeds.c.url,
            items.c.guid,
            items.c.link,
            items.c.title,
            items.c.lang,
            items.c.published_at,
            items.c.first_seen_at,
            flagged.label("flagged_at"),
            incident_items.c.incident_id,
            *(assessments.c[key] for key in ("score", "flagged", "stance", "claim_type", "matches", "findings")),
            assessments.c.reasons,
        )
        .select_from(items)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .outerjoin(assessments, and_(assessments.c.item_id == items.c.id, IN_FORCE))
        .outerjoin(incident_items, incident_items.c.item_id == items.c.id)
        .order_by(items.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def of_alerts(connection: Connection, since: datetime | None = None) -> list[dict[str, Any]]:
    """Every alert opened since then: when it was opened, taken and decided, and how many opinions it was given."""
    opinions = (
        select(func.count()).where(decisions.c.alert_id == alerts.c.id, decisions.c.withdrawn_at.is_(None))
    ).scalar_subquery()
    columns = ("id", "incident_id", "priority", "opened_at", "taken_at", "decided_at", "decision", "verdict")
    query = (
        select(
            *(alerts.c[key] for key in columns),
            alerts.c.suppression,
            alerts.c.sample,
            incidents.c.title,
            incidents.c.claim_type,
            opinions.label("opinions"),
        )
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .order_by(alerts.c.id)
    )
    if since is not None:
        query = query.where(alerts.c.opened_at >= since)
    return [dict(row) for row in connection.execute(query).mappings()]


def members(connection: Connection, incident_id: int) -> list[tuple[str, str | None, str | None]]:
    """The items of an incident: the address of their feed, their guid and their link."""
    query = (
        select(feeds.c.url, items.c.guid, items.c.link)
        .select_from(incident_items)
        .join(items, items.c.id == incident_items.c.item_id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(incident_items.c.incident_id == incident_id)
        .order_by(items.c.id)
    )
    return [(row.url, row.guid, row.link) for row in connection.execute(query)]
