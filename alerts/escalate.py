"""Stage: leases and snoozes that are over return their alert to the queue; what waits too long is escalated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from alerts.acts import CLOCK, settle
from alerts.clocks import Terms, counts_from, lease_is_over, snooze_is_over, terms_at
from alerts.policy import FORGOTTEN, Due, Step, Until, after_step, due_steps, reminder
from alerts.rota import Rota, load_rota, told
from alerts.routing import load_routes
from monitor.calendar import Calendar
from monitor.config import Settings
from monitor.store import Store, audit
from monitor.store import alerts as alert_store
from monitor.store.alerts import Escalated, Watch
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
    are in ``alerts.policy``. Steps that came due while nothing ran are taken now, in order, each once. Raises
    ConfigError for a wrong routes file or rota.
    """
    terms = terms_at(now, settings, load_routes(settings))
    duty = Duty(terms, load_rota(settings), settings.calendar, now)
    with store.read() as connection:
        late = alert_store.late(connection, now, tuple(_watches(terms, now)))
    counts = Counter(expired=0, woken=0, escalated=0, reminded=0)
    for start in range(0, len(late), BATCH):
        with store.write() as connection:
            written: list[Escalated] = []
            for alert in alert_store.by_id(connection, late[start : start + BATCH]):
                counts["expired"] += lease_is_over(alert, now)
                counts["woken"] += snooze_is_over(alert, now)
                free = settle(connection, alert, now, terms)
                steps = list(_steps(free, duty))
                reminders = [] if steps else _reminders(free, duty)
                counts.update(escalated=len(steps), reminded=len(reminders))
                written += [*steps, *reminders]
            alert_store.escalate(connection, written, now, CLOCK)
    return StageReport("escalate", dict(counts))


def _steps(alert: Alert, duty: Duty) -> Iterator[Escalated]:
    """The steps that are due, each from where the one before it led."""
    policy = duty.terms.escalation.of(duty.terms.phase, alert.priority)
    for due in due_steps(alert, counts_from(alert), duty.now, policy):
        alert = after_step(alert, due, duty.now)
        yield _written(alert, duty, "alert.escalate", due)


def _reminders(alert: Alert, duty: Duty) -> list[Escalated]:
    policy = duty.terms.escalation.of(duty.terms.phase, alert.priority)
    due = reminder(alert, counts_from(alert), duty.now, policy)
    if due is None:
        return []
    again = replace(alert, told_at=duty.now, reminders=alert.reminders + 1)
    return [_written(again, duty, "alert.remind", due)]


def _written(after: Alert, duty: Duty, action: str, due: Due) -> Escalated:
    teams, people = told(duty.rota, due.step.notify, after.route, duty.now, duty.calendar)
    detail = {
        "level": after.level,
        "step": f"{due.step.unless}-{due.number}",
        "due_at": due.at,
        "teams": list(teams),
        "people": list(people),
        **audit.because(due.reason),
    }
    return Escalated(after, action, detail)


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
