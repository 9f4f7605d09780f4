"""What a reviewer can do with the queue. Each act is one transaction: the alert, its decision and its audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts import opinions
from alerts.acts import perform, person
from alerts.clocks import Terms, terms_at
from alerts.history import NOTE
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
    require_fit,
)
from monitor.config import Settings
from monitor.errors import NotFoundError, RefusedError, UnfitActError
from monitor.reference import load_watchlist
from monitor.store import (
    Connection,
    Store,
    alert_list,
    audit,
    clarifications,
    decisions,
    evidence,
    incident_facts,
    inhibitions,
)
from monitor.store import alerts as alert_store
from monitor.text import clean
from monitor.types import WAITING, AlertState, Decision, Review, Said, Verdict

LONGEST_NOTE = 4000
_NOTHING_OPEN = Said("nothing waits for you: every alert is held, snoozed or decided")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one alert of several: its row, or why nothing was done with it."""

    alert_id: int
    row: dict[str, Any] | None
    refusal: RefusedError | NotFoundError | None


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

    While it asks for a second opinion, what was decided on it, and what notes say, is left out for everybody: that
    opinion is to be blind. ``inhibits`` are the alerts that its ruling answers, ``answers`` official items that may
    answer its incident, ``evidence`` what was captured of it (``store.evidence.of_incident``), and ``clarification``
    (``id, state, slug``) what was drafted or published of it, or of the alert that inhibits it. Raises NotFoundError.
    """
    with store.read() as connection:
        return in_full(connection, alert_id, now)


def in_full(connection: Connection, alert_id: int, now: datetime | None = None) -> dict[str, Any]:
    """What ``show`` gives, in the caller's transaction. Raises NotFoundError."""
    row = alert_list.row(connection, alert_id, now)
    decided = decisions.of_alert(connection, alert_id)
    history = audit.listing(connection, subject=alert_store.subject(alert_id))
    incident = incident_facts.in_full(connection, row["incident_id"])
    answers = inhibitions.answers_to(connection, row["incident_id"])
    inhibits = inhibitions.under(connection, alert_id)
    captured = evidence.of_incident(connection, row["incident_id"])
    clarified = clarifications.of_alert(connection, row["inhibited_by"] or alert_id)
    if opinions.is_blind(row):
        told = opinions.without_told(history, [alert_store.subject(alert_id)])
        decided, history = opinions.without_opinions(decided), told
    told_of = clarified and {key: getattr(clarified, key) for key in ("id", "state", "slug")}
    more = {"answers": answers, "inhibits": inhibits, "decisions": decided, "history": history}
    return {**row, "incident": incident, "clarification": told_of, "evidence": captured, **more}


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
                raise RefusedError("nothing-open", _NOTHING_OPEN)
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
    decider = _Decider.of(settings, reviewer, now, decision, verdict, reason)
    with store.write() as connection:
        return decider.decide(connection, alert_id)


def decide_many(
    store: Store,
    settings: Settings,
    reviewer: str,
    now: datetime,
    alert_ids: Sequence[int],
    decision: Decision,
    verdict: Verdict | None,
    reason: str,
) -> list[Outcome]:
    """One decision on each of several alerts, each in a transaction of its own, in the order given.

    What nobody holds is taken first, by the rules of ``take``. What is refused stays as it was, and the others are
    decided all the same: an outcome each. Raises UnfitActError before anything is written when no alert could be
    decided so, ConfigError for a wrong watchlist.
    """
    decider = _Decider.of(settings, reviewer, now, decision, verdict, reason)
    require_fit(Decide(decider.reviewer, decision, verdict, decider.reason))
    outcomes = []
    for alert_id in dict.fromkeys(alert_ids):
        try:
            with store.write() as connection:
                decider.take_if_free(connection, alert_id)
                outcomes.append(Outcome(alert_id, decider.decide(connection, alert_id), None))
        except (RefusedError, NotFoundError) as refusal:
            outcomes.append(Outcome(alert_id, None, refusal))
    return outcomes


def dismiss_many(
    store: Store, settings: Settings, reviewer: str, now: datetime, alert_ids: Sequence[int], reason: str
) -> list[Outcome]:
    """Dismiss each of several alerts with one reason: see ``decide_many``."""
    return decide_many(store, settings, reviewer, now, alert_ids, Decision.DISMISS, None, reason)


def note(
    store: Store,
    settings: Settings,  # noqa: ARG001 - one signature for every act
    reviewer: str,
    now: datetime,
    alert_id: int,
    text: str,
) -> dict[str, Any]:
    """Write a note on an alert, in whatever state: an entry of the audit, never changed. Returns the alert's row.

    Raises NotFoundError, UnfitActError without words or for more than LONGEST_NOTE characters.
    """
    actor, words = person(reviewer), clean(text)
    if not words:
        raise UnfitActError("no-text", Said("a note needs words"))
    if len(words) > LONGEST_NOTE:
        raise UnfitActError("too-long", Said("a note has at most {most} characters", {"most": LONGEST_NOTE}))
    with store.write() as connection:
        row = alert_list.row(connection, alert_id, now)
        audit.append(connection, now, actor, NOTE, alert_store.subject(alert_id), {"text": words})
    return row


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


@dataclass(frozen=True, slots=True)
class _Decider:
    """One decision by one person, ready to be made on any alert."""

    reviewer: str
    decision: Decision
    verdict: Verdict | None
    reason: str
    now: datetime
    terms: Terms
    candidates: frozenset[str]  # whom a claim must name so that a second person is asked

    @classmethod
    def of(
        cls, settings: Settings, reviewer: str, now: datetime, decision: Decision, verdict: Verdict | None, reason: str
    ) -> _Decider:
        risky = settings.triage.second_review and decision is Decision.CLARIFY and verdict in TWO_PEOPLE
        candidates = frozenset(entry.id for entry in load_watchlist(settings)[1].candidate) if risky else frozenset()
        name, words = person(reviewer), clean(reason)
        return cls(name, decision, verdict, words, now, _terms(settings, now), candidates)

    def take_if_free(self, connection: Connection, alert_id: int) -> None:
        row = alert_list.row(connection, alert_id, self.now)
        if row["state"] is not AlertState.LEASED or row["holder"] != self.reviewer:
            perform(connection, alert_id, Take(self.reviewer), self.now, self.terms)

    def decide(self, connection: Connection, alert_id: int) -> dict[str, Any]:
        named = bool(self.candidates) and not self.candidates.isdisjoint(
            alert_list.row(connection, alert_id)["matches"]
        )
        act = Decide(self.reviewer, self.decision, self.verdict, self.reason, about_candidate=named)
        return _do(connection, alert_id, act, self.now, self.terms)


def _act(store: Store, settings: Settings, act: Act, now: datetime, alert_id: int) -> dict[str, Any]:
    terms = _terms(settings, now)
    with store.write() as connection:
        return _do(connection, alert_id, act, now, terms)


def _do(connection: Connection, alert_id: int, act: Act, now: datetime, terms: Terms) -> dict[str, Any]:
    perform(connection, alert_id, act, now, terms)
    return alert_list.row(connection, alert_id, now)


def _terms(settings: Settings, now: datetime) -> Terms:
    return terms_at(now, settings, load_routes(settings))
