"""Alerts. No act changes one without an audit entry beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, insert, or_, select, update

from monitor.errors import NotFoundError
from monitor.store import audit, decisions, pending, suppression
from monitor.store.schema import alerts, incident_items, incidents
from monitor.store.schema import decisions as decision_table
from monitor.types import (
    LIVE,
    UNTAKEN,
    WAITING,
    Alert,
    AlertState,
    Decision,
    IncidentFacts,
    Opinion,
    Review,
    Said,
    Suppression,
    Verdict,
)

# The order in which alerts want to be looked at: urgency, then escalation, then the clock, then the score.
# Samples have no due time: they come after their like.
URGENCY = (
    alerts.c.priority,
    alerts.c.level.desc(),
    alerts.c.due_at.is_(None),
    alerts.c.due_at,
    alerts.c.score.desc(),
    alerts.c.id,
)

# Whoever changes an alert must have seen these as they are.
_COMPARED = (
    *("state", "review", "holder", "lease_expires_at", "snoozed_until", "decided_at", "priority", "level"),
    *("take_steps", "decide_steps", "told_at", "suppression"),
)
_OF_STEPS = ("level", "take_steps", "decide_steps", "told_at", "reminders")  # what a step of escalation changes


@dataclass(frozen=True, slots=True)
class Watch:
    """Which alerts a step of escalation may concern, or with ``told_by`` a reminder of it."""

    priority: int
    counter: Literal["take_steps", "decide_steps"]
    done: int  # steps that are behind it
    opened_by: datetime | None = None
    expiries: int | None = None  # so many leases ran out, whenever it was opened
    told_by: datetime | None = None
    reminders: int = 0  # fewer than these


@dataclass(frozen=True, slots=True)
class Escalated:
    """An alert as it stands after one step of escalation or a reminder of one, and what the audit says of it."""

    alert: Alert
    action: str
    detail: Mapping[str, Any]


def subject(alert_id: int) -> str:
    """How audit entries name an alert."""
    return f"alert:{alert_id}"


def of_subject(subject: str) -> int | None:
    """The id of the alert that an audit entry is about; None when it is about something else."""
    noun, _, id = subject.partition(":")
    return int(id) if noun == "alert" and id.isdecimal() else None


def get(connection: Connection, alert_id: int) -> Alert:
    """One alert. Raises NotFoundError."""
    found = by_id(connection, [alert_id])
    if not found:
        raise NotFoundError("alert", alert_id, "`pollwatch alerts list --all` shows every one")
    return found[0]


def by_id(connection: Connection, ids: Sequence[int]) -> list[Alert]:
    """These alerts, in the order of their ids; an id that is not there is left out."""
    rows = connection.execute(select(alerts).where(alerts.c.id.in_(ids)).order_by(alerts.c.id)).all()
    standing = decisions.standing(connection, [row.id for row in rows])
    return [from_row(row, standing.get(row.id, ())) for row in rows]


def most_urgent(
    connection: Connection, now: datetime, reviewer: str, routes: Sequence[str] | None = None
) -> int | None:
    """The id of the alert that ``reviewer`` should take next: open, or waiting for a second opinion that may be theirs.

    With ``routes``, of those for one of them. A lease or a snooze that is over counts as over. What is hidden, or waits
    for the lead, is not handed out.
    """
    gave_one = select(decision_table.c.id).where(
        decision_table.c.alert_id == alerts.c.id,
        decision_table.c.withdrawn_at.is_(None),
        decision_table.c.reviewer == reviewer,
    )
    theirs = or_(alerts.c.review == Review.FIRST, and_(alerts.c.review == Review.SECOND, ~gave_one.exists()))
    theirs = and_(theirs, ~suppression.hidden_at(now))
    if routes is not None:
        theirs = and_(theirs, alerts.c.route.in_(routes))
    # One query a state, each answered by the index of the queue: all in one OR would read and sort the whole queue.
    best = [
        select(alerts.c.id).where(free, theirs).order_by(*URGENCY).limit(1).scalar_subquery() for free in _free(now)
    ]
    return connection.scalar(select(alerts.c.id).where(alerts.c.id.in_(best)).order_by(*URGENCY).limit(1))


def undecided(connection: Connection, incident_ids: Sequence[int] | None = None) -> list[int]:
    """Ids of alerts that are not decided, of these incidents if given: those whose priority may still rise."""
    query = select(alerts.c.id).where(alerts.c.state.in_(LIVE)).order_by(alerts.c.id)
    if incident_ids is not None:
        query = query.where(alerts.c.incident_id.in_(incident_ids))
    return list(connection.scalars(query))


def of_incident(connection: Connection, incident_id: int) -> list[Alert]:
    """Every alert of an incident, the oldest first; all but one are closed."""
    return by_id(connection, list(connection.scalars(select(alerts.c.id).where(alerts.c.incident_id == incident_id))))


def move(connection: Connection, source: int, target: int) -> None:
    """Let the alerts of one incident be those of another: what was decided about it was decided about that."""
    connection.execute(update(alerts).where(alerts.c.incident_id == source).values(incident_id=target))


def late(connection: Connection, now: datetime, watches: Sequence[Watch]) -> list[int]:
    """Ids of alerts whose lease or snooze is over, and of those for which one of ``watches`` looks out."""
    heard = and_(alerts.c.state.in_(WAITING), alerts.c.suppression.is_(None), alerts.c.sample.is_(None))
    waits = and_(heard, or_(False, *map(_concerns, watches)))
    return list(connection.scalars(select(alerts.c.id).where(or_(is_over(now), waits)).order_by(alerts.c.id)))


def has_newer(connection: Connection, alert: Alert) -> bool:
    """Whether another alert on the same incident waits to be decided, or is decided and not closed."""
    other = (alerts.c.incident_id == alert.incident_id, alerts.c.id != alert.id, alerts.c.state != AlertState.CLOSED)
    return connection.scalar(select(alerts.c.id).where(*other).limit(1)) is not None


def without_alert(connection: Connection, incident_ids: Sequence[int]) -> list[int]:
    """Those of these incidents that have items and never had an alert, the oldest first."""
    has_items = select(incident_items.c.item_id).where(incident_items.c.incident_id == incidents.c.id).exists()
    has_alert = select(alerts.c.id).where(alerts.c.incident_id == incidents.c.id).exists()
    these = incidents.c.id.in_(incident_ids)
    return list(connection.scalars(select(incidents.c.id).where(these, has_items, ~has_alert).order_by(incidents.c.id)))


def add(
    connection: Connection,
    facts: IncidentFacts,
    *,
    priority: int,
    reasons: tuple[Said, ...],
    teams: Sequence[str],
    opened_at: datetime,
    due_at: datetime | None,
    actor: str,
) -> int:
    """Open an alert for the first of ``teams``, with its audit entry that names all; returns its id.

    The database refuses a second live one of an incident.
    """
    row = {
        "incident_id": facts.incident_id,
        "priority": priority,
        "score": facts.score,
        "route": teams[0],
        "due_at": due_at,
        "sample": facts.sample,
    }
    values = {**row, "state": AlertState.OPEN, "level": 0, "priority_reasons": _packed(reasons), "opened_at": opened_at}
    alert_id = int(connection.scalars(insert(alerts).values(values).returning(alerts.c.id)).one())
    detail = {**row, "priority": f"P{priority}", "reasons": [reason.text for reason in reasons], "teams": list(teams)}
    audit.append(connection, opened_at, actor, "alert.open", subject(alert_id), detail)
    return alert_id


def change(
    connection: Connection,
    before: Alert,
    after: Alert,
    *,
    at: datetime,
    actor: str,
    action: str,
    detail: Mapping[str, Any],
) -> bool:
    """Write ``after`` where ``before`` still stands, with its audit entry; False when another was faster.

    Opinions that came are written as decisions, those that went are withdrawn. All of it happens in the caller's
    transaction: nothing of it is ever seen without the rest.
    """
    same = [alerts.c[key].is_not_distinct_from(getattr(before, key)) for key in _COMPARED]
    names = [column.name for column in alerts.c]
    changed = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
    changed["state"] = after.state  # something must be set
    if after.priority_reasons != before.priority_reasons:
        changed["priority_reasons"] = _packed(after.priority_reasons)
    result = connection.execute(update(alerts).where(alerts.c.id == before.id, *same).values(**changed))
    if result.rowcount != 1:
        return False
    gone = [opinion.review for opinion in before.opinions if opinion not in after.opinions]
    if gone:
        decisions.withdraw(connection, before.id, gone, at, action)
    for opinion in after.opinions:
        if opinion not in before.opinions:
            decisions.add(connection, before.id, opinion)
    audit.append(connection, at, actor, action, subject(before.id), detail)
    if after.state in LIVE and any(getattr(before, key) != getattr(after, key) for key in ("state", "suppression")):
        pending.changed(connection, before.incident_id)
    return True


def escalate(connection: Connection, steps: Sequence[Escalated], at: datetime, actor: str) -> None:
    """Write steps of escalation, of one alert in their order, each with its audit entry: few statements for many.

    The alerts they start from were read in the caller's transaction, which holds the write lock: they stand as read.
    """
    if not steps:
        return
    rows = {
        step.alert.id: {"_id": step.alert.id, **{key: getattr(step.alert, key) for key in _OF_STEPS}} for step in steps
    }
    values: dict[str, Any] = {key: bindparam(key) for key in _OF_STEPS}
    connection.execute(update(alerts).where(alerts.c.id == bindparam("_id")).values(values), list(rows.values()))
    audit.append_all(connection, at, actor, [(step.action, subject(step.alert.id), step.detail) for step in steps])


def rescore(connection: Connection, alert_id: int, score: float) -> None:
    """Keep a higher score: what the model says of the incident now, no act of anybody's."""
    connection.execute(update(alerts).where(alerts.c.id == alert_id).values(score=score))


def from_row(row: Row[Any], opinions: tuple[Opinion, ...]) -> Alert:
    """A whole row of the table as an alert, with the opinions that stand."""
    values = row._asdict()
    return Alert(
        **{
            **values,
            "state": AlertState(values["state"]),
            "suppression": Suppression(values["suppression"]) if values["suppression"] else None,
            "decision": Decision(values["decision"]) if values["decision"] else None,
            "verdict": Verdict(values["verdict"]) if values["verdict"] else None,
            "priority_reasons": tuple(map(Said.read, values["priority_reasons"])),
            "review": Review(values["review"]),
            "opinions": opinions,
        }
    )


def _packed(reasons: Iterable[Said]) -> list[dict[str, Any]]:
    return [asdict(reason) for reason in reasons]


def is_over(now: datetime) -> ColumnElement[bool]:
    """Whether the clock has ended a lease or a snooze, noted or not."""
    return or_(*_over(now))


def _over(now: datetime) -> list[ColumnElement[bool]]:
    """Each way in which that can be."""
    return [
        and_(alerts.c.state == AlertState.LEASED, alerts.c.lease_expires_at <= now),
        and_(alerts.c.state == AlertState.SNOOZED, alerts.c.snoozed_until <= now),
    ]


def _free(now: datetime) -> list[ColumnElement[bool]]:
    """Each way in which an alert is held by nobody."""
    return [*(alerts.c.state == state for state in UNTAKEN), *_over(now)]


def _concerns(watch: Watch) -> ColumnElement[bool]:
    counter = alerts.c[watch.counter]
    conditions = [alerts.c.priority == watch.priority]
    if watch.counter == "take_steps":
        conditions.append(alerts.c.holder.is_(None))
    if watch.told_by is not None:
        told = or_(alerts.c.told_at.is_(None), alerts.c.told_at <= watch.told_by)
        return and_(*conditions, counter >= watch.done, told, alerts.c.reminders < watch.reminders)
    reached = func.coalesce(alerts.c.due_from, alerts.c.opened_at) <= watch.opened_by
    if watch.expiries is not None:
        reached = or_(reached, alerts.c.expiries >= watch.expiries)
    return and_(*conditions, counter == watch.done, reached)
