"""Stage: leases and snoozes that are over return their alert to the queue; alerts that nobody takes rise in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from alerts.acts import CLOCK, settle
from alerts.clocks import HIGHEST_LEVEL, lease_is_over, level_at, snooze_is_over, terms_at
from alerts.routing import load_routes
from monitor.config import Settings
from monitor.store import Connection, Store
from monitor.store import alerts as alert_store
from monitor.types import Alert, StageReport

BATCH = 200  # alerts looked at in one transaction


def escalate(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Return what was held too long, wake what was snoozed, escalate what waits too long, each with its audit entry.

    Counts: ``expired`` leases, ``woken`` alerts, ``escalated`` steps of level. The rule of levels is
    ``clocks.level_at``.
    """
    terms = terms_at(now, settings, load_routes(settings))
    with store.read() as connection:
        late = alert_store.late(connection, now, HIGHEST_LEVEL)
    expired = woken = escalated = 0
    for start in range(0, len(late), BATCH):
        with store.write() as connection:
            for alert in alert_store.by_id(connection, late[start : start + BATCH]):
                expired += lease_is_over(alert, now)
                woken += snooze_is_over(alert, now)
                escalated += _escalate(connection, settle(connection, alert, now, terms), now)
    return StageReport("escalate", {"expired": expired, "woken": woken, "escalated": escalated})


def _escalate(connection: Connection, alert: Alert, now: datetime) -> int:
    """Raise the level step by step, an entry for each; returns how many steps."""
    steps = 0
    for level in range(alert.level + 1, level_at(alert, now) + 1):
        higher = replace(alert, level=level)
        detail = {"level": level, "due_at": alert.due_at}
        steps += alert_store.change(
            connection, alert, higher, at=now, actor=CLOCK, action="alert.escalate", detail=detail
        )
        alert = higher
    return steps
