"""Stage: leases that are over return their alert to the queue; alerts that nobody takes rise in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from alerts.clocks import HIGHEST_LEVEL, Terms, lease_is_over, level_at, terms_at
from alerts.routing import load_routes
from alerts.transitions import Expire, transition
from monitor.config import Settings
from monitor.store import Connection, Store
from monitor.store import alerts as alert_store
from monitor.types import Alert, StageReport

ACTOR = "clock"
BATCH = 200  # alerts looked at in one transaction


def escalate(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Return what was held too long, and escalate what waits too long, each with its audit entry.

    Counts: ``expired`` leases, ``escalated`` steps of level. The rule of levels is ``clocks.level_at``.
    """
    terms = terms_at(now, settings, load_routes(settings))
    with store.read() as connection:
        late = alert_store.late(connection, now, HIGHEST_LEVEL)
    expired = escalated = 0
    for start in range(0, len(late), BATCH):
        with store.write() as connection:
            for alert in alert_store.by_id(connection, late[start : start + BATCH]):
                free = expire(connection, alert, now, terms)
                expired += free != alert
                escalated += _escalate(connection, free, now)
    return StageReport("escalate", {"expired": expired, "escalated": escalated})


def expire(connection: Connection, alert: Alert, now: datetime, terms: Terms) -> Alert:
    """Give ``alert`` back to the queue if its lease is over; returns it as it now stands."""
    if not lease_is_over(alert, now):
        return alert
    free = transition(alert, Expire(), now, terms)
    detail = {"holder": alert.holder, "lease_expires_at": alert.lease_expires_at}
    written = alert_store.change(connection, alert, free, at=now, actor=ACTOR, action="lease.expired", detail=detail)
    return free if written else alert


def _escalate(connection: Connection, alert: Alert, now: datetime) -> int:
    """Raise the level step by step, an entry for each; returns how many steps."""
    steps = 0
    for level in range(alert.level + 1, level_at(alert, now) + 1):
        higher = replace(alert, level=level)
        detail = {"level": level, "due_at": alert.due_at}
        steps += alert_store.change(
            connection, alert, higher, at=now, actor=ACTOR, action="alert.escalate", detail=detail
        )
        alert = higher
    return steps
