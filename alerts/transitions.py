"""What may happen to an alert: every act a person or the clock can do, decided without touching the store. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from alerts.clocks import Terms, due_at, lease_is_over
from alerts.suppression import heard
from monitor.errors import RefusedError, UnfitActError
from monitor.types import FALSE_VERDICTS, Alert, AlertState, Decision, Verdict


class DismissReason(StrEnum):
    """Why an alert is not worth a clarification. Words may follow: ``satire: the paper prints one every April``."""

    NOT_FALSE = "not-false"
    OPINION = "opinion"
    SATIRE = "satire"
    DUPLICATE_STORY = "duplicate-story"
    NOT_ELECTION = "not-election"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Take:
    """Hold an open alert for the length of a lease."""

    reviewer: str


@dataclass(frozen=True, slots=True)
class Renew:
    """Hold it for another lease, from now."""

    reviewer: str


@dataclass(frozen=True, slots=True)
class Release:
    """Give it back; for somebody else's, with a reason."""

    reviewer: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Expire:
    """The clock gives back what was held too long."""


@dataclass(frozen=True, slots=True)
class Decide:
    """The reviewer's finding about the claim, or that there is nothing to find."""

    reviewer: str
    decision: Decision
    verdict: Verdict | None
    reason: str


Act = Take | Renew | Release | Expire | Decide

_STATE_AFTER = {
    Decision.CLARIFY: AlertState.DECIDED,
    Decision.REFER: AlertState.DECIDED,
    Decision.WATCH: AlertState.DECIDED,
    Decision.DISMISS: AlertState.CLOSED,
    Decision.DUPLICATE: AlertState.CLOSED,
}


def transition(alert: Alert, act: Act, now: datetime, terms: Terms) -> Alert:
    """``alert`` as it is after ``act`` at ``now``. A lease that is over counts as free at once.

    Raises RefusedError with one of the reasons: decided, held, not-held, not-holder, lease-running, not-open;
    UnfitActError with no-reason, no-verdict, contradiction.
    """
    if not isinstance(act, Expire) and lease_is_over(alert, now):
        alert = _opened(alert, terms)
    match act:
        case Take():
            return _take(alert, act, now, terms)
        case Renew():
            _require_holder(alert, act.reviewer)
            return replace(alert, lease_expires_at=now + terms.lease)
        case Release():
            return _release(alert, act, terms)
        case Expire():
            if not lease_is_over(alert, now):
                raise RefusedError("lease-running", f"no lease on alert {alert.id} is over")
            return _opened(alert, terms)
        case Decide():
            return _decide(alert, act, now)
        case _:
            assert_never(act)


def _take(alert: Alert, act: Take, now: datetime, terms: Terms) -> Alert:
    _require_undecided(alert)
    if alert.state is AlertState.LEASED and alert.holder == act.reviewer:
        raise RefusedError("held", f"you hold alert {alert.id} until {_clock(alert)}; `renew` makes it longer")
    if alert.state is AlertState.LEASED:
        raise RefusedError("held", f"alert {alert.id} is held by {alert.holder} until {_clock(alert)}")
    if alert.state is not AlertState.OPEN:
        raise RefusedError("not-open", f"alert {alert.id} is {alert.state}, not open")
    if alert.suppression:  # asked for by its number: somebody wants to see it all the same
        alert = heard(alert, now, terms)
    taken = replace(
        alert,
        state=AlertState.LEASED,
        holder=act.reviewer,
        lease_expires_at=now + terms.lease,
        taken_at=alert.taken_at or now,
    )
    return replace(taken, due_at=due_at(taken, terms))


def _release(alert: Alert, act: Release, terms: Terms) -> Alert:
    _require_leased(alert)
    if alert.holder != act.reviewer and not act.reason:
        raise UnfitActError(
            "no-reason", f"alert {alert.id} is held by {alert.holder}: say why you release it (--reason)"
        )
    return _opened(alert, terms)


def _decide(alert: Alert, act: Decide, now: datetime) -> Alert:
    _require_holder(alert, act.reviewer)
    if act.decision is Decision.CLARIFY and act.verdict is None:
        raise UnfitActError("no-verdict", "to clarify a claim, say what it is (--verdict)")
    if not act.reason:
        raise UnfitActError("no-reason", "say why (--reason)")
    if act.decision in (Decision.DISMISS, Decision.DUPLICATE) and act.verdict in FALSE_VERDICTS:
        raise UnfitActError("contradiction", f"a claim that is {act.verdict} is not to be {act.decision}: clarify it")
    if act.decision is Decision.DISMISS:
        _require_dismiss_reason(act.reason)
    return replace(
        alert,
        state=_STATE_AFTER[act.decision],
        holder=None,
        lease_expires_at=None,
        decided_at=now,
        decision=act.decision,
        verdict=act.verdict,
    )


def _opened(alert: Alert, terms: Terms) -> Alert:
    """The alert back in the queue, with the clock of an open one."""
    free = replace(alert, state=AlertState.OPEN, holder=None, lease_expires_at=None)
    return replace(free, due_at=due_at(free, terms))


def _require_undecided(alert: Alert) -> None:
    if alert.decision is not None:
        raise RefusedError("decided", f"alert {alert.id} is decided already: {alert.decision}")


def _require_leased(alert: Alert) -> None:
    _require_undecided(alert)
    if alert.state is not AlertState.LEASED:
        raise RefusedError("not-held", f"nobody holds alert {alert.id} now; `take` holds it")


def _require_holder(alert: Alert, reviewer: str) -> None:
    _require_leased(alert)
    if alert.holder != reviewer:
        raise RefusedError("not-holder", f"alert {alert.id} is held by {alert.holder} until {_clock(alert)}")


def _require_dismiss_reason(reason: str) -> None:
    word, _, words = (part.strip() for part in reason.partition(":"))
    if word not in set(DismissReason):
        known = ", ".join(DismissReason)
        raise UnfitActError("no-reason", f"a dismissal starts with one of {known}; words may follow after a colon")
    if word == DismissReason.OTHER and not words:
        raise UnfitActError("no-reason", "say which other reason: `other: …`")


def _clock(alert: Alert) -> str:
    return alert.lease_expires_at.isoformat(timespec="seconds") if alert.lease_expires_at else "nobody knows when"
