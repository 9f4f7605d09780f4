"""What a person can do with incidents: see them, make one of two and two of one. Each act is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from alerts.acts import perform, person, settle
from alerts.clocks import Terms, terms_at
from alerts.queue import Outcome
from alerts.routing import load_routes
from alerts.transitions import SAY_WHY, Take, require_holder
from classifiers import group
from monitor.config import Settings
from monitor.errors import NotFoundError, RefusedError, UnfitActError
from monitor.store import (
    Connection,
    Store,
    alert_list,
    audit,
    incident_list,
    incidents,
    regroup,
    relations,
    silences,
)
from monitor.store import alerts as alert_store
from monitor.text import clean
from monitor.types import Alert, AlertState, Decision, Review, Said, Suppression

_SAME = Said("{source} and {target} are one incident already")
_SAME_CLAIM = Said("alert {id} and alert {of} are of one incident already")
# Of two alerts of one incident the one further on is kept.
_PROGRESS = (
    AlertState.OPEN,
    AlertState.SNOOZED,
    AlertState.LEASED,
    AlertState.SECOND_REVIEW,
    AlertState.DECIDED,
)


def listing(store: Store, since: datetime | None = None, limit: int | None = None) -> list[dict[str, Any]]:
    """Incidents with the keys of `incidents list`, the one that moved last first."""
    with store.read() as connection:
        return incident_list.listing(connection, since=since, limit=limit)


def show(store: Store, incident_id: int) -> dict[str, Any]:
    """One incident with its ``related`` ones, its ``alerts`` and its ``history``; the id of a merged one leads on.

    Raises NotFoundError.
    """
    with store.read() as connection:
        here = regroup.resolve(connection, incident_id)
        merged = incident_list.merged_into(connection, here)
        entries = [entry for id in (here, *merged) for entry in audit.listing(connection, subject=regroup.subject(id))]
        return {
            **incident_list.get(connection, here),
            "merged_from": merged,
            "related": relations.related_to(connection, here),
            "alerts": [
                {"id": alert.id, "state": alert.state, "decision": alert.decision, "verdict": alert.verdict}
                for alert in alert_store.of_incident(connection, here)
            ],
            "history": sorted(entries, key=lambda entry: int(entry["seq"])),
        }


def merge(
    store: Store, settings: Settings, reviewer: str, now: datetime, source: int, target: int, reason: str
) -> dict[str, Any]:
    """Put every item and alert of ``source`` into ``target``; returns that as ``show`` does.

    Of two alerts that are not closed one is closed as a duplicate (see ``keep_and_close``). The id of ``source`` leads
    to ``target`` from now on. Raises RefusedError, UnfitActError and NotFoundError.
    """
    actor, reason = person(reviewer), _reason(reason)
    terms = terms_at(now, settings, load_routes(settings))
    with store.write() as connection:
        one, other = regroup.resolve(connection, source), regroup.resolve(connection, target)
        if one == other:
            raise UnfitActError("same", _SAME.filled(source=source, target=target))
        closed = _close_one(connection, one, other, actor, reason, now, terms)
        _unite(connection, one, other, actor, reason, now, closed)
    return show(store, other)


def duplicate(
    store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int, of: int, words: str = ""
) -> dict[str, Any]:
    """Close an alert that the reviewer holds as a duplicate, and put its incident into that of alert ``of``.

    Whatever state ``of`` is in, it stays so: what comes of the claim from now on is its matter. Returns the closed
    alert's row. Raises RefusedError for anyone but the holder and for an alert that waits for a second person,
    UnfitActError for two alerts of one incident, NotFoundError.
    """
    return _Duplicates.of(settings, reviewer, now, of, words).close(store, alert_id, take=False)


def duplicate_many(
    store: Store,
    settings: Settings,
    reviewer: str,
    now: datetime,
    alert_ids: Sequence[int],
    of: int,
    words: str = "",
) -> list[Outcome]:
    """``duplicate`` of several alerts, each in a transaction of its own, in the order given.

    What nobody holds is taken first; what is refused stays as it was, and the others are closed all the same. Raises
    NotFoundError when there is no alert ``of``.
    """
    duplicates = _Duplicates.of(settings, reviewer, now, of, words)
    with store.read() as connection:
        alert_store.get(connection, of)
    outcomes = []
    for alert_id in dict.fromkeys(alert_ids):
        try:
            outcomes.append(Outcome(alert_id, duplicates.close(store, alert_id, take=True), None))
        except (RefusedError, NotFoundError) as refusal:
            outcomes.append(Outcome(alert_id, None, refusal))
    return outcomes


@dataclass(frozen=True, slots=True)
class _Duplicates:
    """Who says of which alert that others are its duplicates."""

    reviewer: str
    alert_id: int
    words: str
    now: datetime
    terms: Terms

    @classmethod
    def of(cls, settings: Settings, reviewer: str, now: datetime, alert_id: int, words: str) -> _Duplicates:
        return cls(person(reviewer), alert_id, clean(words), now, terms_at(now, settings, load_routes(settings)))

    def close(self, store: Store, alert_id: int, *, take: bool) -> dict[str, Any]:
        with store.write() as connection:
            named = alert_store.get(connection, self.alert_id)
            alert = settle(connection, alert_store.get(connection, alert_id), self.now, self.terms)
            if alert.incident_id == named.incident_id:
                raise UnfitActError("same", _SAME_CLAIM.filled(id=alert_id, of=self.alert_id))
            if take and (alert.state is not AlertState.LEASED or alert.holder != self.reviewer):
                alert = perform(connection, alert_id, Take(self.reviewer), self.now, self.terms)
            require_holder(alert, self.reviewer)
            _require_first(alert)
            kept = next(iter(_live(connection, named.incident_id)), named).id
            _close(connection, alert, kept, self.reviewer, self.words, self.now)
            why = self.words or f"alert {alert_id} is a duplicate of alert {kept}"
            _unite(connection, alert.incident_id, named.incident_id, self.reviewer, why, self.now, alert_id)
            return alert_list.row(connection, alert_id, self.now)


def split(
    store: Store, reviewer: str, now: datetime, incident_id: int, item_ids: Sequence[int], reason: str
) -> dict[str, Any]:
    """Put some items of an incident into a new one; returns the new one as ``show`` does.

    The alerts stay with the others; the new incident gets its own with the next pass. Raises UnfitActError for items
    that are not there and for all of them, and NotFoundError.
    """
    actor, reason = person(reviewer), _reason(reason)
    with store.write() as connection:
        here = regroup.resolve(connection, incident_id)
        members = incidents.items_of(connection, here)
        if strange := sorted(set(item_ids) - {item.id for item in members}):
            form = Said("item {item} is not in incident {incident}; `incidents show` lists them")
            raise UnfitActError("not-there", form.filled(item=strange[0], incident=here))
        leaving = [item for item in members if item.id in set(item_ids)]
        if not leaving or len(leaving) == len(members):
            form = Said("name some of the {count} items of incident {incident}, not all")
            raise UnfitActError("nothing-left", form.filled(count=len(members), incident=here))
        moved = [item.id for item in leaving]
        new_id = regroup.split(connection, here, leaving[0], moved, now)
        for id in (here, new_id):
            group.speak_for(connection, id)
        detail = {"into": new_id, "items": moved, "reason": reason}
        audit.append(connection, now, actor, "incident.split", regroup.subject(here), detail)
    return show(store, new_id)


def keep_and_close(source: Alert, target: Alert, reviewer: str) -> tuple[Alert, Alert]:
    """Which of two alerts of one incident is kept, and which is closed: the one further on, else the target's. Pure.

    Raises RefusedError with held (somebody else works on the one to be closed, or each has its own holder),
    second-review (it waits for a second person), decided (both are, with different verdicts).
    """
    keep, close = target, source
    if _PROGRESS.index(source.state) > _PROGRESS.index(target.state):
        keep, close = source, target
    if keep.holder and close.holder and keep.holder != close.holder:
        both = {"id": keep.id, "holder": keep.holder, "other": close.id, "other_holder": close.holder}
        form = Said("alert {id} is held by {holder} and alert {other} by {other_holder}: one of them must release it")
        raise RefusedError("held", form.filled(**both))
    if close.holder and close.holder != reviewer:
        form = Said("alert {id} is held by {holder} and would be closed: release it first")
        raise RefusedError("held", form.filled(id=close.id, holder=close.holder))
    _require_first(close)
    if keep.state is close.state is AlertState.DECIDED and keep.verdict != close.verdict:
        says = Said("alert {id} says {verdict}")
        first, then = (says.filled(id=each.id, verdict=each.verdict) for each in (keep, close))
        form = Said("they were decided as different claims: {first}, {then}")
        raise RefusedError("decided", form.filled(first=first, then=then))
    return keep, close


def _close_one(
    connection: Connection, source: int, target: int, actor: str, reason: str, now: datetime, terms: Terms
) -> int | None:
    """Close one of the alerts of two incidents if neither is closed; returns its id."""
    live = [
        settle(connection, alert, now, terms)  # a lease that is over holds nothing
        for id in (source, target)
        for alert in _live(connection, id)
    ]
    if len(live) < 2:
        return None
    keep, close = keep_and_close(live[0], live[1], actor)
    _close(connection, close, keep.id, actor, reason, now)
    return close.id


def _require_first(alert: Alert) -> None:
    if alert.review is not Review.FIRST and alert.decision is None:
        form = Said("alert {id} waits for a second person: it must be decided first")
        raise RefusedError("second-review", form.filled(id=alert.id))


def _live(connection: Connection, incident_id: int) -> list[Alert]:
    """The alert of an incident that is not closed, if there is one."""
    return [alert for alert in alert_store.of_incident(connection, incident_id) if alert.state is not AlertState.CLOSED]


def _close(connection: Connection, alert: Alert, of: int, actor: str, reason: str, now: datetime) -> None:
    closed = replace(
        alert,
        state=AlertState.CLOSED,
        suppression=Suppression.DUPLICATE,
        holder=None,
        lease_expires_at=None,
        snoozed_until=None,
        decision=alert.decision or Decision.DUPLICATE,
        decided_at=alert.decided_at or now,
    )
    detail = {"duplicate_of": of, "reason": reason}
    written = alert_store.change(
        connection, alert, closed, at=now, actor=actor, action="alert.duplicate", detail=detail
    )
    if written:  # a silence that hid it hides nothing any more
        silences.hide(connection, alert.id, (), now)


def _unite(
    connection: Connection, source: int, target: int, actor: str, reason: str, now: datetime, closed: int | None
) -> None:
    """Move alerts and items of one incident to another, with the entry that says so."""
    alert_store.move(connection, source, target)
    moved = regroup.merge(connection, source, target, now)
    detail = {"into": target, "items": moved, "closed_alert": closed, "reason": reason}
    audit.append(connection, now, actor, "incident.merge", regroup.subject(source), detail)


def _reason(reason: str) -> str:
    if not (words := clean(reason)):
        raise UnfitActError("no-reason", SAY_WHY)
    return words
