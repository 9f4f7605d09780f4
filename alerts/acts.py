"""Acts written down: what a person, the clock or the program does to an alert, with its audit entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from alerts import hiding
from alerts.clocks import Terms
from alerts.transitions import (
    Act,
    Decide,
    Expire,
    Release,
    Renew,
    Reopen,
    SendBack,
    Snooze,
    Take,
    Undo,
    Wake,
    clock_act,
    transition,
)
from monitor.errors import RefusedError, UnfitActError
from monitor.store import Connection, decisions, silences, versions
from monitor.store import alerts as alert_store
from monitor.text import clean
from monitor.types import Alert, Said

CLOCK = "clock"  # who ends leases, snoozes and suppressions, in the audit
_PROGRAM = (CLOCK, "dispatch", "group", "learn", "notify")  # what the audit calls the parts of the program

_ACTION: dict[type[Act], str] = {
    Take: "alert.take",
    Renew: "alert.renew",
    Release: "alert.release",
    Expire: "lease.expired",
    Decide: "alert.decide",
    Snooze: "alert.snooze",
    Wake: "alert.wake",
    Undo: decisions.UNDO,
    SendBack: "alert.send-back",
    Reopen: "alert.reopen",
}


def perform(connection: Connection, alert_id: int, act: Act, now: datetime, terms: Terms) -> Alert:
    """Do ``act`` in the caller's transaction: state, opinions and audit entry together. Returns the alert afterwards.

    Raises NotFoundError; RefusedError as ``transition`` does, with ``newer-alert`` when the alert of an incident that
    has another one by now would be taken up again, and with ``published`` when a decision that the public knows of
    would be undone.
    """
    # A lease or a suppression that is over ends here and now, with its own audit entry, not only at the next pass.
    before = settle(connection, alert_store.get(connection, alert_id), now, terms)
    before = hiding.surface(connection, before, hiding.Writer(CLOCK, now, terms))
    after = transition(before, act, now, terms)
    if isinstance(act, Undo | Reopen) and alert_store.has_newer(connection, before):
        form = Said("incident {incident} has another alert now")
        raise RefusedError("newer-alert", form.filled(incident=before.incident_id))
    if isinstance(act, Undo) and versions.public(connection, alert_id):
        form = Said("what was decided on alert {alert} is public: reopen it, then correct or withdraw that")
        raise RefusedError("published", form.filled(alert=alert_id))
    _write(connection, before, after, act, now)
    if before.suppression and not after.suppression:
        silences.hide(connection, alert_id, (), now)
    return after


def person(name: str, option: str = "--reviewer") -> str:
    """The name as the audit keeps it. Raises UnfitActError for none, and for those that the program acts under."""
    known = clean(name)
    if not known:
        raise UnfitActError(
            "no-reviewer", Said("say who acts: {option} NAME or POLLWATCH_REVIEWER", {"option": option})
        )
    if known in _PROGRAM:
        form = Said("the audit calls the program itself {name}: use another name")
        raise UnfitActError("no-reviewer", form.filled(name=known))
    return known


def settle(connection: Connection, alert: Alert, now: datetime, terms: Terms) -> Alert:
    """Write down that the clock has ended a lease or a snooze, if it has; returns the alert as it now stands."""
    act = clock_act(alert, now)
    if act is None:
        return alert
    after = transition(alert, act, now, terms)
    _write(connection, alert, after, act, now)
    return after


def _write(connection: Connection, before: Alert, after: Alert, act: Act, now: datetime) -> None:
    actor, detail = _actor(act), _detail(before, after, act)
    action = _ACTION[type(act)]
    if not alert_store.change(connection, before, after, at=now, actor=actor, action=action, detail=detail):
        form = Said("alert {id} was changed by someone else just now; look again")
        raise RefusedError("lost-race", form.filled(id=before.id))


def _actor(act: Act) -> str:
    match act:
        case Expire():
            return CLOCK
        case Reopen():
            return act.actor
        case Wake():
            return act.reviewer or CLOCK
        case _:
            return act.reviewer


def _detail(before: Alert, after: Alert, act: Act) -> dict[str, Any]:  # noqa: PLR0911 - one case for each act
    """What the audit keeps of an act."""
    match act:
        case Expire():
            return {"holder": before.holder, "lease_expires_at": before.lease_expires_at}
        case Release():
            return {"holder": before.holder, "reason": act.reason}
        case Decide():
            said = {"decision": act.decision, "verdict": act.verdict, "reason": act.reason}
            return {**said, "review": before.review, "state": after.state, "route": after.route}
        case Snooze():
            return {"until": act.until, "reason": act.reason}
        case Wake():
            return {"snoozed_until": before.snoozed_until, "due_at": after.due_at}
        case SendBack():
            return {"review": before.review, "reason": act.reason}
        case Undo():
            return {"review": after.review, "decided_at": before.opinions[-1].at}
        case Reopen():
            return {"reason": act.reason, "due_at": after.due_at}
        case Take() | Renew():
            despite = {"suppression": before.suppression} if before.suppression else {}
            return {"lease_expires_at": after.lease_expires_at, "due_at": after.due_at, **despite}
