"""Stage: leases and snoozes that are over return their alert to the queue; what waits too long is escalated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from alerts.acts import CLOCK, settle
from alerts.clocks import Terms, counts_from, lease_is_over, snooze_is_over, terms_at
from alerts.policy import FORGOTTEN, Due, Step, Until, after_step, due_steps, reminder
from alerts.rota import Rota, load_rota, told
from alerts.routing import load_routes
from monitor.calendar import Calendar
from monitor.config import Settings
from monitor.store import Connection, Store
from monitor.store import alerts as alert_store
from monitor.store.alerts import Watch
from monitor.types import Alert, StageReport

BATCH = 200  # alerts looked at in one transaction


@dataclass(frozen=True, slots=True)
class Duty:
    """What one pass goes by, and whom it finds on shift."""

    terms: Terms
    rota: Rota
    calendar: Calendar
    now: datetime


def escalate(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Return what was held too long, wake what was snoozed, and take each step of escalation that is due.

    Each has its audit entry. Counts: ``expired`` leases, ``woken`` alerts, ``escalated`` steps, ``reminded``. The rules
    are in ``alerts.policy``. Steps that came
    due while nothing ran are taken now, in order, each once. Raises ConfigError for a wrong routes file or rota.
    """
    terms = terms_at(now, settings, load_routes(settings))
    duty = Duty(terms, load_rota(settings), settings.calendar, now)
    with store.read() as connection:
        late = alert_store.late(connection, now, tuple(_watches(terms, now)))
    expired = woken = escalated = reminded = 0
    for start in range(0, len(late), BATCH):
        with store.write() as connection:
            for alert in alert_store.by_id(connection, late[start : start + BATCH]):
                expired += lease_is_over(alert, now)
                woken += snooze_is_over(alert, now)
                free = settle(connection, alert, now, terms)
                steps = _escalate(connection, free, duty)
                escalated += steps
                reminded += not steps and _remind(connection, free, duty)
    counts = {"expired": expired, "woken": woken, "escalated": escalated, "reminded": reminded}
    return StageReport("escalate", counts)


def _escalate(connection: Connection, alert: Alert, duty: Duty) -> int:
    """Take the steps that are due, an entry for each; returns how many."""
    taken = 0
    policy = duty.terms.escalation.of(duty.terms.phase, alert.priority)
    for due in due_steps(alert, counts_from(alert), duty.now, policy):
        higher = after_step(alert, due, duty.now)
        if not _write(connection, alert, higher, duty, "alert.escalate", due):
            return taken
        alert, taken = higher, taken + 1
    return taken


def _remind(connection: Connection, alert: Alert, duty: Duty) -> bool:
    policy = duty.terms.escalation.of(duty.terms.phase, alert.priority)
    due = reminder(alert, counts_from(alert), duty.now, policy)
    if due is None:
        return False
    again = replace(alert, told_at=duty.now, reminders=alert.reminders + 1)
    return _write(connection, alert, again, duty, "alert.remind", due)


def _write(connection: Connection, before: Alert, after: Alert, duty: Duty, action: str, due: Due) -> bool:
    teams, people = told(duty.rota, due.step.notify, before.route, duty.now, duty.calendar)
    detail: Mapping[str, Any] = {
        "level": after.level,
        "step": f"{due.step.unless}-{due.number}",
        "due_at": due.at,
        "teams": list(teams),
        "people": list(people),
        "reason": due.reason,
    }
    return alert_store.change(connection, before, after, at=duty.now, actor=CLOCK, action=action, detail=detail)


def _watches(terms: Terms, now: datetime) -> Iterator[Watch]:
    """What the store is to look out for, so that a pass reads only alerts that a step may concern."""
    for priority in (1, 2, 3, 4):
        policy = terms.escalation.of(terms.phase, priority)
        for until in Until:
            for done, step in enumerate(policy.of(until)):
                yield from _watches_of(step, priority, done, now)


def _watches_of(step: Step, priority: int, done: int, now: datetime) -> Iterator[Watch]:
    decided = step.unless is Until.DECIDED
    counter: Literal["take_steps", "decide_steps"] = "decide_steps" if decided else "take_steps"
    forgotten = FORGOTTEN if decided and not done else None
    yield Watch(priority, counter, done, opened_by=now - step.delay, expiries=forgotten)
    if step.repeat is not None:
        told_by = now - timedelta(minutes=step.repeat)
        yield Watch(priority, counter, done + 1, told_by=told_by, reminders=step.times)
