"""What the pages of the dashboard show and nothing else asks: a bounded number of rows, whatever the store holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, select

from monitor.store import suppression
from monitor.store.decisions import STANDS
from monitor.store.schema import alerts, decisions, incident_items, incidents
from monitor.types import WAITING, Decision

_later = decisions.alias("later")


class Waiting(NamedTuple):
    """The alerts of one priority that wait for a person."""

    priority: int
    alerts: int
    overdue: int
    oldest: datetime


class Handled(NamedTuple):
    """When one alert's clocks began, and when it was taken and decided."""

    began: datetime
    taken_at: datetime | None
    decided_at: datetime | None


class Ruling(NamedTuple):
    """With which score an alert was decided, and how."""

    score: float
    decision: str
    verdict: str | None


def waiting(connection: Connection, now: datetime) -> list[Waiting]:
    """By priority, the most urgent first; what is hidden or put off is none of them."""
    overdue = func.count(case((alerts.c.due_at < now, 1)))
    query = (
        select(alerts.c.priority, func.count(), overdue, func.min(alerts.c.opened_at))
        .where(alerts.c.state.in_(WAITING), ~suppression.hidden_at(now))
        .group_by(alerts.c.priority)
        .order_by(alerts.c.priority)
    )
    return [Waiting(*row) for row in connection.execute(query)]


def handled(connection: Connection, priority: int, since: datetime, limit: int) -> list[Handled]:
    """The newest alerts of one priority opened since then, samples apart."""
    query = (
        select(func.coalesce(alerts.c.due_from, alerts.c.opened_at), alerts.c.taken_at, alerts.c.decided_at)
        .where(alerts.c.opened_at >= since, alerts.c.priority == priority, alerts.c.sample.is_(None))
        .order_by(alerts.c.opened_at.desc())
        .limit(limit)
    )
    return [Handled(*row) for row in connection.execute(query)]


def spreading(connection: Connection, since: datetime, limit: int) -> list[tuple[int, int]]:
    """The incidents that more than one item joined since then, the fastest first: id, and how many."""
    joined = func.count()
    query = (
        select(incident_items.c.incident_id, joined)
        .where(incident_items.c.added_at >= since)
        .group_by(incident_items.c.incident_id)
        .having(joined > 1)
        .order_by(joined.desc(), incident_items.c.incident_id.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def joined(connection: Connection, incident_id: int, bounds: Sequence[datetime]) -> list[int]:
    """How many items joined an incident in each of the periods between ``bounds``."""
    ours = incident_items.c.incident_id == incident_id
    return _between(connection, incident_items.c.added_at, bounds, ours)


def found(connection: Connection, bounds: Sequence[datetime]) -> list[int]:
    """How many incidents were found in each of the periods between ``bounds``, samples apart."""
    return _between(connection, incidents.c.created_at, bounds, incidents.c.sample.is_(None))


def decided(connection: Connection, bounds: Sequence[datetime]) -> list[int]:
    """How many alerts were decided in each of the periods between ``bounds``."""
    return _between(connection, alerts.c.decided_at, bounds, alerts.c.decision.is_not(None))


def incident_page(connection: Connection, offset: int, limit: int) -> list[dict[str, Any]]:
    """``id, first_seen_at, last_seen_at`` of incidents with items, the one that moved last first."""
    has_items = exists().where(incident_items.c.incident_id == incidents.c.id)
    query = (
        select(incidents.c.id, incidents.c.first_seen_at, incidents.c.last_seen_at)
        .where(has_items)
        .order_by(incidents.c.last_seen_at.desc(), incidents.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def latest_alerts(connection: Connection, incident_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The newest alert of each incident that has one: ``id, priority, state, decision, verdict, suppression``."""
    shown = [alerts.c[key] for key in ("id", "incident_id", "priority", "state", "review", "decision", "verdict")]
    query = select(*shown, alerts.c.suppression).where(alerts.c.incident_id.in_(list(incident_ids)))
    return {row["incident_id"]: dict(row) for row in connection.execute(query.order_by(alerts.c.id)).mappings()}


def rulings(connection: Connection, limit: int) -> list[Ruling]:
    """The last decisions in force on what was flagged, the newest first; duplicates say nothing and are left out."""
    last = ~exists().where(
        _later.c.alert_id == decisions.c.alert_id, _later.c.id > decisions.c.id, _later.c.withdrawn_at.is_(None)
    )
    query = (
        select(alerts.c.score, decisions.c.decision, decisions.c.verdict)
        .join(alerts, alerts.c.id == decisions.c.alert_id)
        .where(and_(STANDS, last), alerts.c.sample.is_(None), decisions.c.decision != Decision.DUPLICATE)
        .order_by(decisions.c.id.desc())
        .limit(limit)
    )
    return [Ruling(*row) for row in connection.execute(query)]


def _between(
    connection: Connection, at: ColumnElement[Any], bounds: Sequence[datetime], *wanted: ColumnElement[bool]
) -> list[int]:
    """Counts of each period [bound, next bound), in one walk."""
    part = case(*((at < end, number) for number, end in enumerate(bounds[1:])))
    query = select(part, func.count()).where(at >= bounds[0], at < bounds[-1], *wanted).group_by(part)
    counts: dict[int, int] = {row[0]: row[1] for row in connection.execute(query)}
    return [counts.get(number, 0) for number in range(len(bounds) - 1)]
