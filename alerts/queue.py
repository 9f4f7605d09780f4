"""What a reviewer can do with the queue. Each act is one transaction: the alert, its decision and its audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from alerts import opinions
from alerts.acts import perform, person
from alerts.clocks import Terms, terms_at
from alerts.rota import load_rota, teams_of
from alerts.routing import load_routes
from alerts.transitions import (
    TWO_PEOPLE,
    Act,
    Decide,
    Release,
    Renew,
    Reopen,
    SendBack,
    Snooze,
    Take,
    Undo,
    Wake,
)
from monitor.config import Settings
from monitor.errors import RefusedError
from monitor.reference import load_watchlist
from monitor.store import Connection, Store, alert_list, audit, clarifications, decisions, incident_facts, inhibitions
from monitor.store import alerts as alert_store
from monitor.text import clean
from monitor.types import WAITING, AlertState, Decision, Review, Verdict


def listing(  # noqa: PLR0913 - one for each filter of `alerts list`
    store: Store,
    *,
    states: Sequence[AlertState] = WAITING,
    review: Review | None = None,
    holder: str | None = None,
    teams: Sequence[str] = (),
    priority: int | None = None,
    suppressed: bool | None = False,
    limit: int | None = None,
    now: datetime | None = None,
) -> list[dict[str, Any]]:
    """Alerts with the keys of `alerts list`, the most urgent first; by default those that wait for a person.

    With ``holder``, those that they hold, and the free ones for ``teams``. ``suppressed`` asks for those that are
    hidden; None for both. With ``now``, an alert whose lease, snooze or suppression is over is shown as the waiting
    alert it is.
    """
    with store.read() as connection:
        return alert_list.listing(
            connection,
            states=states,
            review=review,
            holder=holder and clean(holder),
            routes=teams,
            priority=priority,
            suppressed=suppressed,
            limit=limit,
            now=now,
        )


def show(store: Store, alert_id: int, now: datetime | None = None) -> dict[str, Any]:
    """Everything about one alert: its row, and under ``incident`` (with ``items``), ``decisions`` and ``history``.

    While it asks for a second opinion, what was decided on it is left out for everybody: that opinion is to be blind.
    ``inhibits`` are the alerts that its ruling answers, ``answers`` official items that may answer its incident, and
    ``clarification`` (``id, state, slug``) what was drafted or published of it, or of the alert that inhibits it.
    Raises NotFoundError.
    """
    with store.read() as connection:
        row = alert_list.row(connection, alert_id, now)
        decided = decisions.of_alert(connection, alert_id)
        history = audit.listing(connection, subject=alert_store.subject(alert_id))
        incident = incident_facts.in_full(connection, row["incident_id"])
        answers = inhibitions.answers_to(connection, row["incident_id"])
        inhibits = inhibitions.under(connection, alert_id)
        clarified = clarifications.of_alert(connection, row["inhibited_by"] or alert_id)
    if opinions.is_blind(row):
        told = opinions.without_told(history, [alert_store.subject(alert_id)])
        decided, history = opinions.without_opinions(decided), told
    told_of = clarified and {key: getattr(clarified, key) for key in ("id", "state", "slug")}
    more = {"answers": answers, "inhibits": inhibits, "decisions": decided, "history": history}
    return {**row, "incident": incident, "clarification": told_of, **more}


def take(store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int | None = None) -> dict[str, Any]:
    """Hold an alert for one lease: the one named, else the most urgent that this reviewer may take. Returns its row.

    With a rota that knows the reviewer, that is the most urgent for a team of theirs, if there is one.

    Raises RefusedError when it is held, snoozed or decided, when the reviewer has given an opinion on it already, or
    when nothing is free; NotFoundError.
    """
    act, terms = Take(person(reviewer)), _terms(settings, now)
    own = teams_of(load_rota(settings), act.reviewer)
    with store.write() as connection:
        if alert_id is None:
            free = alert_store.most_urgent(connection, now, act.reviewer, own) if own else None
            alert_id = free or alert_store.most_urgent(connection, now, act.reviewer)
            if alert_id is None:
                raise RefusedError("nothing-open", "nothing waits for you: every alert is held, snoozed or decided")
        return _do(connection, alert_id, act, now, terms)


def renew(store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int) -> dict[str, Any]:
    """Hold it for another lease from now. Returns its row; raises RefusedError for anyone but the holder."""
    return _act(store, settings, Renew(person(reviewer)), now, alert_id)


def release(
    store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int, reason: str = ""
) -> dict[str, Any]:
    """Give it back to the queue. Returns its row; raises RefusedError when nobody holds it.

    Somebody else's is released only with a reason, which stands in the audit.
    """
    return _act(store, settings, Release(person(reviewer), clean(reason)), now, alert_id)


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
    """Decide an alert that the reviewer holds. Returns its row: decided, closed, or waiting for another opinion.

    Raises RefusedError for anyone but the holder, without a reason, for `clarify` without a verdict, and for
    `dismiss` with a reason that is not of ``transitions.DismissReason``; ConfigError for a wrong watchlist.
    """
    terms, name = _terms(settings, now), person(reviewer)
    risky = settings.triage.second_review and decision is Decision.CLARIFY and verdict in TWO_PEOPLE
    candidates = {entry.id for entry in load_watchlist(settings)[1].candidate} if risky else set()
    with store.write() as connection:
        named = bool(candidates) and not candidates.isdisjoint(alert_list.row(connection, alert_id)["matches"])
        act = Decide(name, decision, verdict, clean(reason), about_candidate=named)
        return _do(connection, alert_id, act, now, terms)


def snooze(
    store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int, until: datetime, reason: str
) -> dict[str, Any]:
    """Put it off until an instant, at most 14 days away. Returns its row.

    Raises RefusedError when somebody else holds it or it is decided, without a reason or for a time that is past.
    """
    return _act(store, settings, Snooze(person(reviewer), until, clean(reason)), now, alert_id)


def wake(store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int) -> dict[str, Any]:
    """End a snooze before its time. Returns its row; raises RefusedError when it is not snoozed."""
    return _act(store, settings, Wake(person(reviewer)), now, alert_id)


def undo(store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int) -> dict[str, Any]:
    """Take back one's own decision within ten minutes: the alert is as it was before, its lease too. Returns its row.

    Raises RefusedError for somebody else's or an older one, and when another has taken the alert since.
    """
    return _act(store, settings, Undo(person(reviewer)), now, alert_id)


def send_back(
    store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int, reason: str
) -> dict[str, Any]:
    """Ask for a new first opinion, as the second reviewer or the lead who holds it. Returns its row.

    Raises RefusedError for anyone but the holder, at the first opinion, and without a reason.
    """
    return _act(store, settings, SendBack(person(reviewer), clean(reason)), now, alert_id)


def reopen(
    store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int, reason: str
) -> dict[str, Any]:
    """Take up a decided or closed alert again; its decision stands no more. Returns its row.

    Raises RefusedError when it is not decided, when its incident has another alert by now, and without a reason.
    """
    return _act(store, settings, Reopen(person(reviewer), clean(reason)), now, alert_id)


def agreement(store: Store, since: datetime | None = None) -> list[dict[str, Any]]:
    """How well first and second opinions agree, by claim type and language: the rows of ``opinions.agreement``."""
    with store.read() as connection:
        return opinions.agreement(decisions.pairs(connection, since))


def _act(store: Store, settings: Settings, act: Act, now: datetime, alert_id: int) -> dict[str, Any]:
    terms = _terms(settings, now)
    with store.write() as connection:
        return _do(connection, alert_id, act, now, terms)


def _do(connection: Connection, alert_id: int, act: Act, now: datetime, terms: Terms) -> dict[str, Any]:
    perform(connection, alert_id, act, now, terms)
    return alert_list.row(connection, alert_id, now)


def _terms(settings: Settings, now: datetime) -> Terms:
    return terms_at(now, settings, load_routes(settings))
