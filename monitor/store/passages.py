"""The instants through which each alert's incident went, from its publication to its clarification."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, and_, func, select

from monitor.store import versions
from monitor.store.schema import alerts, assessments, feeds, incident_items, incidents, items
from monitor.types import Passage


def between(connection: Connection, start: datetime, end: datetime, *, newest: int | None = None) -> Iterator[Passage]:
    """The passages of the alerts opened in [start, end), in the order of their ids; read row by row.

    With ``newest`` of the last that many alone.
    """
    opened = and_(alerts.c.opened_at >= start, alerts.c.opened_at < end)
    if newest is not None:
        opened = alerts.c.id.in_(select(alerts.c.id).where(opened).order_by(alerts.c.opened_at.desc()).limit(newest))
    flagged = (
        select(func.min(assessments.c.assessed_at))
        .where(assessments.c.item_id == items.c.id, assessments.c.flagged)
        .scalar_subquery()
    )
    query = (
        select(
            alerts.c.id,
            alerts.c.opened_at,
            alerts.c.taken_at,
            alerts.c.decided_at,
            versions.first_published_at().label("clarified_at"),
            incidents.c.lang,
            incidents.c.claim_type,
            items.c.first_seen_at,
            items.c.published_at,
            feeds.c.role,
            flagged.label("flagged_at"),
        )
        .select_from(alerts)
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .join(incident_items, incident_items.c.incident_id == incidents.c.id)
        .join(items, items.c.id == incident_items.c.item_id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(opened)
        .order_by(alerts.c.id, items.c.first_seen_at, items.c.id)
        .execution_options(yield_per=1000)
    )
    for _, members in groupby(connection.execute(query), key=lambda member: int(member.id)):
        yield _passage(tuple(members))


def _passage(members: Sequence[Any]) -> Passage:
    first = members[0]
    flagged = [member.flagged_at for member in members if member.flagged_at is not None]
    return Passage(
        lang=first.lang,
        role=first.role,
        claim_type=first.claim_type,
        published_at=first.published_at,
        seen_at=first.first_seen_at,
        flagged_at=min(flagged, default=None),
        alerted_at=first.opened_at,
        taken_at=first.taken_at,
        decided_at=first.decided_at,
        clarified_at=first.clarified_at,
    )
