"""When an alert should be taken, decided and clarified. Pure; all instants aware."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerts.policy import Escalation
from alerts.routing import Routes, Targets
from monitor.config import Settings
from monitor.types import UNTAKEN, Alert, Phase


@dataclass(frozen=True, slots=True)
class Terms:
    """What the queue holds people to at one moment: the phase, the targets, the length of a lease, the escalation."""

    phase: Phase
    targets: Targets
    lease: timedelta
    escalation: Escalation = field(default_factory=Escalation)
    lead_team: str = "lead"


def terms_at(now: datetime, settings: Settings, routes: Routes) -> Terms:
    """The terms that the configuration sets for ``now``."""
    triage = settings.triage
    lease = timedelta(minutes=triage.lease_minutes)
    return Terms(settings.calendar.phase(now), routes.targets, lease, routes.escalation, triage.lead_team)


def counts_from(alert: Alert) -> datetime:
    """The moment from which the clocks of ``alert`` count, its due times and the steps of its escalation."""
    return alert.due_from or alert.opened_at


def take_due(opened_at: datetime, priority: int, phase: Phase, targets: Targets) -> datetime:
    """When an alert should have been taken by someone."""
    return opened_at + timedelta(minutes=targets.of(phase, priority).take)


def decide_due(opened_at: datetime, priority: int, phase: Phase, targets: Targets) -> datetime:
    """When an alert should have been decided."""
    return opened_at + timedelta(minutes=targets.of(phase, priority).decide)


def clarify_due(opened_at: datetime, priority: int, phase: Phase, targets: Targets) -> datetime | None:
    """When a clarification should have been drafted; None where the targets name no time."""
    minutes = targets.of(phase, priority).clarify
    return None if minutes is None else opened_at + timedelta(minutes=minutes)


def due_at(alert: Alert, terms: Terms) -> datetime | None:
    """The clock that runs for ``alert``: until it is taken while nobody holds it, until it is decided afterwards.

    Both count from the opening, or from when it was woken, reopened, sent back, heard again or asks for another
    opinion; so an alert that becomes more urgent late may be past due at once, and says so. The clock of a snoozed one
    runs until it wakes. None for a sample: nobody waits for it, so it is never late.
    """
    if alert.sample:
        return None
    if alert.snoozed_until is not None:
        return alert.snoozed_until
    due = take_due if alert.state in UNTAKEN else decide_due
    return due(counts_from(alert), alert.priority, terms.phase, terms.targets)


def lease_is_over(alert: Alert, now: datetime) -> bool:
    """Whether a lease stands on ``alert`` that no longer holds it; at its last instant it is over."""
    return alert.lease_expires_at is not None and alert.lease_expires_at <= now


def snooze_is_over(alert: Alert, now: datetime) -> bool:
    """Whether ``alert`` was put off until an instant that has come."""
    return alert.snoozed_until is not None and alert.snoozed_until <= now


def counted_anew(alert: Alert, since: datetime) -> Alert:
    """The alert with clocks that count from ``since``, and no step of an escalation behind it."""
    fresh = replace(alert, level=0, take_steps=0, decide_steps=0, reminders=0, told_at=None, expiries=0)
    return replace(fresh, due_from=since)
