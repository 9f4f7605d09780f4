"""What a person can do with incidents: see them, make one of two and two of one. Each act is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from alerts.acts import person, settle
from alerts.clocks import Terms, terms_at
from alerts.routing import load_routes
from alerts.transitions import SAY_WHY
from classifiers import group
from monitor.config import Settings
from monitor.errors import RefusedError, UnfitActError
from monitor.store import Connection, Store, audit, incident_list, incidents, regroup, relations, silences
from monitor.store import alerts as alert_store
from monitor.text import clean
from monitor.types import Alert, AlertState, Decision, Review, Said, Suppression

_SAME = Said("{source} and {target} are one incident already")
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
        alert_store.move(connection, one, other)
        moved = regroup.merge(connection, one, other, now)
        detail = {"into": other, "items": moved, "closed_alert": closed, "reason": reason}
        audit.append(connection, now, actor, "incident.merge", regroup.subject(one), detail)
    return show(store, other)


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
    if close.review is not Review.FIRST and close.decision is None:
        form = Said("alert {id} waits for a second person: it must be decided first")
        raise RefusedError("second-review", form.filled(id=close.id))
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
        for alert in alert_store.of_incident(connection, id)
        if alert.state is not AlertState.CLOSED
    ]
    if len(live) < 2:
        return None
    keep, close = keep_and_close(live[0], live[1], actor)
    closed = replace(
        close,
        state=AlertState.CLOSED,
        suppression=Suppression.DUPLICATE,
        holder=None,
        lease_expires_at=None,
        snoozed_until=None,
        decision=close.decision or Decision.DUPLICATE,
        decided_at=close.decided_at or now,
    )
    detail = {"duplicate_of": keep.id, "reason": reason}
    written = alert_store.change(
        connection, close, closed, at=now, actor=actor, action="alert.duplicate", detail=detail
    )
    if written:  # a silence that hid it hides nothing any more
        silences.hide(connection, close.id, (), now)
    return close.id


def _reason(reason: str) -> str:
    if not (words := clean(reason)):
        raise UnfitActError("no-reason", SAY_WHY)
    return words
