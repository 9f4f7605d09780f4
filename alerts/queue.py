"""What a reviewer can do with the queue. Each act is one transaction: the alert, its decision and its audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from alerts import dispatch, escalate, hiding
from alerts.clocks import Terms, terms_at
from alerts.routing import load_routes
from alerts.transitions import Decide, Release, Renew, Take, transition
from monitor.config import Settings
from monitor.errors import RefusedError, UnfitActError
from monitor.store import Connection, Store, audit, decisions, inhibitions, silences
from monitor.store import alerts as alert_store
from monitor.text import clean
from monitor.types import LIVE, Alert, AlertState, Decision, Verdict

ReviewerAct = Take | Renew | Release | Decide

_ACTION = {Take: "alert.take", Renew: "alert.renew", Release: "alert.release", Decide: "alert.decide"}


def listing(
    store: Store,
    *,
    states: Sequence[AlertState] = LIVE,
    holder: str | None = None,
    priority: int | None = None,
    suppressed: bool | None = False,
    limit: int | None = None,
    now: datetime | None = None,
) -> list[dict[str, Any]]:
    """Alerts with the keys of `alerts list`, the most urgent first; by default those that wait for a person.

    ``suppressed`` asks for those that are hidden; None for both. With ``now``, an alert whose lease or suppression is
    over is shown as the open alert it is.
    """
    with store.read() as connection:
        return alert_store.listing(
            connection,
            states=states,
            holder=holder and clean(holder),
            priority=priority,
            suppressed=suppressed,
            limit=limit,
            now=now,
        )


def show(store: Store, alert_id: int, now: datetime | None = None) -> dict[str, Any]:
    """Everything about one alert: its row, and under ``incident`` (with ``items``), ``decisions`` and ``history``.

    ``inhibits`` are the alerts that its ruling answers, ``answers`` official items that may answer its incident.
    Raises NotFoundError.
    """
    with store.read() as connection:
        row = alert_store.row(connection, alert_id, now)
        return {
            **row,
            "incident": alert_store.incident(connection, row["incident_id"]),
            "answers": inhibitions.answers_to(connection, row["incident_id"]),
            "inhibits": inhibitions.under(connection, alert_id),
            "decisions": decisions.of_alert(connection, alert_id),
            "history": audit.listing(connection, subject=alert_store.subject(alert_id)),
        }


def take(store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int | None = None) -> dict[str, Any]:
    """Hold an alert for one lease: the one named, else the most urgent that is free. Returns its row.

    Raises RefusedError when it is held or decided, or when nothing is open; NotFoundError.
    """
    act, terms = Take(_name(reviewer)), _terms(settings, now)
    with store.write() as connection:
        if alert_id is None:
            free = alert_store.most_urgent(connection, now)
            if free is None:
                raise RefusedError("nothing-open", "nothing waits: every alert is held or decided")
            alert_id = free.id
        return _do(connection, alert_id, act, now, terms)


def renew(store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int) -> dict[str, Any]:
    """Hold it for another lease from now. Returns its row; raises RefusedError for anyone but the holder."""
    act, terms = Renew(_name(reviewer)), _terms(settings, now)
    with store.write() as connection:
        return _do(connection, alert_id, act, now, terms)


def release(
    store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int, reason: str = ""
) -> dict[str, Any]:
    """Give it back to the queue. Returns its row; raises RefusedError when nobody holds it.

    Somebody else's is released only with a reason, which stands in the audit.
    """
    act, terms = Release(_name(reviewer), clean(reason)), _terms(settings, now)
    with store.write() as connection:
        return _do(connection, alert_id, act, now, terms)


def decide(
    store: Store,
    settings: Settings,
    reviewer: str,
    now: datetime,
    alert_id: int,
    decision: Decision,
    verdict: Verdict | None,
    reason: str,
) -> dict[str, Any]:
    """Decide an alert that the reviewer holds. Returns its row.

    Raises RefusedError for anyone but the holder, without a reason, for `clarify` without a verdict, and for
    `dismiss` with a reason that is not of ``transitions.DismissReason``.
    """
    act, terms = Decide(_name(reviewer), decision, verdict, clean(reason)), _terms(settings, now)
    with store.write() as connection:
        row = _do(connection, alert_id, act, now, terms)
        decisions.add(connection, alert_id, act.reviewer, decision, verdict, act.reason, now)
        return row


def _do(connection: Connection, alert_id: int, act: ReviewerAct, now: datetime, terms: Terms) -> dict[str, Any]:
    # A lease or a suppression that is over ends here and now, with its own audit entry, not only at the next pass.
    before = escalate.expire(connection, alert_store.get(connection, alert_id), now, terms)
    before = hiding.surface(connection, before, hiding.Writer(dispatch.ACTOR, now, terms))
    after = transition(before, act, now, terms)
    written = alert_store.change(
        connection,
        before,
        after,
        at=now,
        actor=act.reviewer,
        action=_ACTION[type(act)],
        detail=_detail(before, after, act),
    )
    if not written:
        raise RefusedError("lost-race", f"alert {alert_id} was changed by someone else just now; look again")
    if before.suppression and not after.suppression:
        silences.hide(connection, alert_id, (), now)
    return alert_store.row(connection, alert_id, now)


def _detail(before: Alert, after: Alert, act: ReviewerAct) -> dict[str, Any]:
    """What the audit keeps of an act."""
    match act:
        case Release(reason=reason):
            return {"holder": before.holder, "reason": reason}
        case Decide():
            return {"decision": act.decision, "verdict": act.verdict, "reason": act.reason}
        case _:
            despite = {"suppression": before.suppression} if before.suppression else {}
            return {"lease_expires_at": after.lease_expires_at, "due_at": after.due_at, **despite}


def _name(reviewer: str) -> str:
    """The name as the audit keeps it. Raises RefusedError for none, and for those that the program acts under."""
    name = clean(reviewer)
    if not name:
        raise UnfitActError("no-reviewer", "say who acts: --reviewer NAME or POLLWATCH_REVIEWER")
    if name in (dispatch.ACTOR, escalate.ACTOR):
        raise UnfitActError("no-reviewer", f"the audit calls the program itself {name}: use another name")
    return name


def _terms(settings: Settings, now: datetime) -> Terms:
    return terms_at(now, settings, load_routes(settings))
