"""When an alert should be taken and decided, and how far it is escalated when it is not. Pure; all instants aware."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.routing import Routes, Targets
from monitor.config import Settings
from monitor.types import Alert, AlertState, Phase

HIGHEST_LEVEL = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """What the queue holds people to at one moment: the phase, the team's targets, the length of a lease."""

    phase: Phase
    targets: Targets
    lease: timedelta


def terms_at(now: datetime, settings: Settings, routes: Routes) -> Terms:
    """The terms that the configuration sets for ``now``."""
    return Terms(settings.calendar.phase(now), routes.targets, timedelta(minutes=settings.triage.lease_minutes))


def take_due(opened_at: datetime, priority: int, phase: Phase, targets: Targets) -> datetime:
    """When an alert should have been taken by someone."""
    return opened_at + timedelta(minutes=targets.of(phase, priority).take)


def decide_due(opened_at: datetime, priority: int, phase: Phase, targets: Targets) -> datetime:
    """When an alert should have been decided."""
    return opened_at + timedelta(minutes=targets.of(phase, priority).decide)


def due_at(alert: Alert, terms: Terms) -> datetime | None:
    """The clock that runs for ``alert``: until it is taken while it is open, until it is decided afterwards.

    Both count from the opening, so an alert that becomes more urgent late may be past due at once, and says so.
    None for a sample: nobody waits for it, so it is never late.
    """
    if alert.sample:
        return None
    due = take_due if alert.state is AlertState.OPEN else decide_due
    return due(alert.opened_at, alert.priority, terms.phase, terms.targets)


def lease_is_over(alert: Alert, now: datetime) -> bool:
    """Whether a lease stands on ``alert`` that no longer holds it; at its last instant it is over."""
    return alert.lease_expires_at is not None and alert.lease_expires_at <= now


def level_at(alert: Alert, now: datetime) -> int:
    """How far an alert that nobody has taken is escalated at ``now``; never back down.

    Level 1 when its time to be taken is past, level 2 when twice that time is.
    """
    if alert.state is not AlertState.OPEN or alert.due_at is None or now < alert.due_at:
        return alert.level
    twice = alert.due_at + (alert.due_at - alert.opened_at)
    return max(alert.level, HIGHEST_LEVEL if now >= twice else 1)
