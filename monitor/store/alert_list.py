"""Alerts as people and scripts see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, or_, select

from monitor.store import alerts, incident_facts, suppression
from monitor.store.schema import alerts as table
from monitor.types import UNTAKEN, WAITING, Alert, AlertState, IncidentFacts, Review


def listing(  # noqa: PLR0913 - one for each filter of `alerts list`
    connection: Connection,
    *,
    states: Sequence[AlertState] = WAITING,
    review: Review | None = None,
    holder: str | None = None,
    routes: Sequence[str] = (),
    priority: int | None = None,
    suppressed: bool | None = False,
    limit: int | None = None,
    now: datetime | None = None,
) -> list[dict[str, Any]]:
    """Alerts as `alerts list` shows them, the most urgent first; a query for the alerts and one for each PAGE of them.

    With ``holder``, those that they hold, and the free ones for ``routes``. ``suppressed`` asks for the hidden ones and
    no others; None for both. With ``now``, an alert whose lease, snooze or suppression is over is shown, and chosen, as
    the waiting alert it is.
    """
    query = select(table).order_by(*alerts.URGENCY).limit(limit)
    untaken = case((table.c.review == Review.FIRST, AlertState.OPEN.value), else_=AlertState.SECOND_REVIEW.value)
    state = case((alerts.is_over(now), untaken), else_=table.c.state) if now else table.c.state
    query = query.where(state.in_(states))
    if holder is not None:
        held = and_(table.c.holder == holder, state == AlertState.LEASED)
        query = query.where(or_(held, and_(table.c.route.in_(routes), state.in_(UNTAKEN))))
    if priority is not None:
        query = query.where(table.c.priority == priority)
    if review is not None:
        query = query.where(table.c.review == review)
    if suppressed is not None:
        hidden = suppression.hidden_at(now)
        query = query.where(hidden if suppressed else ~hidden)
    return _all_shown(connection, query, now)


def rows(connection: Connection, ids: Sequence[int], now: datetime | None = None) -> list[dict[str, Any]]:
    """These alerts as `alerts list` shows them, in the order of ``ids``; one that is not there is left out."""
    place = {id: index for index, id in enumerate(ids)}
    found = _all_shown(connection, select(table).where(table.c.id.in_(ids)), now)
    return sorted(found, key=lambda row: place[row["id"]])


def _all_shown(connection: Connection, query: Select[Any], now: datetime | None) -> list[dict[str, Any]]:
    found = [alerts.from_row(row, ()) for row in connection.execute(query)]
    known = incident_facts.by_id(connection, [alert.incident_id for alert in found])
    heard = set(suppression.over(connection, now)) if now else ()
    return [_shown(alert, known[alert.incident_id], now, heard=alert.id in heard) for alert in found]


def row(connection: Connection, alert_id: int, now: datetime | None = None) -> dict[str, Any]:
    """One alert as `alerts list` shows it. Raises NotFoundError."""
    alert = alerts.get(connection, alert_id)
    heard = bool(now and suppression.over(connection, now, alert_id))
    facts = incident_facts.by_id(connection, [alert.incident_id])[alert.incident_id]
    return _shown(alert, facts, now, heard=heard)


def _shown(alert: Alert, facts: IncidentFacts, now: datetime | None, *, heard: bool) -> dict[str, Any]:
    """The keys that scripts may rely on, in the order in which people read them; ``heard``: its suppression is over."""
    ends = alert.lease_expires_at or alert.snoozed_until
    over = now is not None and ends is not None and ends <= now
    untaken = AlertState.OPEN if alert.review is Review.FIRST else AlertState.SECOND_REVIEW
    urgent = [reason.text for reason in alert.priority_reasons]
    return {
        "id": alert.id,
        "incident_id": alert.incident_id,
        "priority": f"P{alert.priority}",
        "state": untaken if over else alert.state,
        "review": alert.review,
        "level": alert.level,
        "score": alert.score,
        "title": facts.title,
        "outlets": list(facts.outlets),
        "tips": list(facts.tips),
        "items": facts.items,
        "claim_type": facts.claim_type,
        "matches": list(facts.matches),
        "reasons": [*urgent, *facts.reasons],
        "priority_reasons": urgent,
        "findings": list(facts.findings),
        "label": facts.label,
        "lang": facts.lang,
        "link": facts.link,
        "route": alert.route,
        "holder": None if over else alert.holder,
        "lease_expires_at": None if over else alert.lease_expires_at,
        "snoozed_until": None if over else alert.snoozed_until,
        "due_at": alert.due_at,
        "suppression": None if heard else alert.suppression,
        "inhibited_by": None if heard else alert.inhibited_by,
        "sample": alert.sample,
        "opened_at": alert.opened_at,
        "taken_at": alert.taken_at,
        "decided_at": alert.decided_at,
        "decision": alert.decision,
        "verdict": alert.verdict,
    }
