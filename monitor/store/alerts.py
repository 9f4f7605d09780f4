"""Alerts, and what is known of the incidents behind them. No act changes one without an audit entry beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, insert, or_, select, update

from monitor.errors import NotFoundError
from monitor.store import audit, decisions, suppression
from monitor.store.assessments import IN_FORCE
from monitor.store.incidents import related_to
from monitor.store.schema import alerts, assessments, feeds, incident_items, incidents, items, revisions
from monitor.store.schema import decisions as decision_table
from monitor.types import (
    LIVE,
    UNTAKEN,
    WAITING,
    Alert,
    AlertState,
    ClaimType,
    Decision,
    IncidentFacts,
    Label,
    Lang,
    Opinion,
    Review,
    Role,
    Suppression,
    Verdict,
)

PAGE = 500  # incidents whose items are read with one query

# The order in which alerts want to be looked at: urgency, then escalation, then the clock, then the score.
# Samples have no due time: they come after their like.
_URGENCY = (
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
# Dates of feeds may be missing; what was first seen is always known.
_SEEN = (func.coalesce(items.c.published_at, items.c.first_seen_at), items.c.id)


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
    return [_alert(row, standing.get(row.id, ())) for row in rows]


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
    query = select(alerts.c.id).where(_is_free(now), theirs, ~suppression.hidden_at(now)).order_by(*_URGENCY).limit(1)
    if routes is not None:
        query = query.where(alerts.c.route.in_(routes))
    return connection.scalar(query)


def undecided(connection: Connection) -> list[int]:
    """Ids of alerts that are not decided: those whose priority may still rise."""
    return list(connection.scalars(select(alerts.c.id).where(alerts.c.state.in_(LIVE)).order_by(alerts.c.id)))


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
    return list(connection.scalars(select(alerts.c.id).where(or_(_is_over(now), waits)).order_by(alerts.c.id)))


def has_newer(connection: Connection, alert: Alert) -> bool:
    """Whether another alert on the same incident waits to be decided, or is decided and not closed."""
    other = (alerts.c.incident_id == alert.incident_id, alerts.c.id != alert.id, alerts.c.state != AlertState.CLOSED)
    return connection.scalar(select(alerts.c.id).where(*other).limit(1)) is not None


def incidents_without(connection: Connection, limit: int) -> list[int]:
    """Ids of incidents with items that never had an alert, oldest first."""
    has_items = select(incident_items.c.item_id).where(incident_items.c.incident_id == incidents.c.id).exists()
    has_alert = select(alerts.c.id).where(alerts.c.incident_id == incidents.c.id).exists()
    query = select(incidents.c.id).where(has_items, ~has_alert).order_by(incidents.c.id).limit(limit)
    return list(connection.scalars(query))


def add(
    connection: Connection,
    facts: IncidentFacts,
    *,
    priority: int,
    reasons: tuple[str, ...],
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
    values = {**row, "state": AlertState.OPEN, "level": 0, "priority_reasons": list(reasons), "opened_at": opened_at}
    alert_id = int(connection.scalars(insert(alerts).values(values).returning(alerts.c.id)).one())
    detail = {**row, "priority": f"P{priority}", "reasons": list(reasons), "teams": list(teams)}
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
    return True


def rescore(connection: Connection, alert_id: int, score: float) -> None:
    """Keep a higher score: what the model says of the incident now, no act of anybody's."""
    connection.execute(update(alerts).where(alerts.c.id == alert_id).values(score=score))


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
    query = select(alerts).order_by(*_URGENCY).limit(limit)
    untaken = case((alerts.c.review == Review.FIRST, AlertState.OPEN.value), else_=AlertState.SECOND_REVIEW.value)
    state = case((_is_over(now), untaken), else_=alerts.c.state) if now else alerts.c.state
    query = query.where(state.in_(states))
    if holder is not None:
        held = and_(alerts.c.holder == holder, state == AlertState.LEASED)
        query = query.where(or_(held, and_(alerts.c.route.in_(routes), state.in_(UNTAKEN))))
    if priority is not None:
        query = query.where(alerts.c.priority == priority)
    if review is not None:
        query = query.where(alerts.c.review == review)
    if suppressed is not None:
        hidden = suppression.hidden_at(now)
        query = query.where(hidden if suppressed else ~hidden)
    found = [_alert(row, ()) for row in connection.execute(query)]
    known = incident_facts(connection, [alert.incident_id for alert in found])
    heard = set(suppression.over(connection, now)) if now else ()
    return [_shown(alert, known[alert.incident_id], now, heard=alert.id in heard) for alert in found]


def row(connection: Connection, alert_id: int, now: datetime | None = None) -> dict[str, Any]:
    """One alert as `alerts list` shows it. Raises NotFoundError."""
    alert = get(connection, alert_id)
    heard = bool(now and suppression.over(connection, now, alert_id))
    return _shown(alert, incident_facts(connection, [alert.incident_id])[alert.incident_id], now, heard=heard)


def incident_facts(connection: Connection, incident_ids: Iterable[int]) -> dict[int, IncidentFacts]:
    """What is known of these incidents, by id: one query for each PAGE of them."""
    facts: dict[int, IncidentFacts] = {}
    for ids in _pages(incident_ids):
        rows = connection.execute(_members(ids, incidents.c.title.label("incident_title"), incidents.c.sample))
        for incident_id, members in groupby(rows, key=lambda member: int(member.incident_id)):
            facts[incident_id] = _facts(incident_id, list(members))
    return facts


def incident(connection: Connection, incident_id: int) -> dict[str, Any]:
    """One incident with its items in the order of time, each with its assessment and its earlier texts."""
    head = connection.execute(select(incidents).where(incidents.c.id == incident_id)).mappings().one()
    earlier: dict[int, list[dict[str, Any]]] = {}
    query = (
        select(revisions)
        .join(incident_items, incident_items.c.item_id == revisions.c.item_id)
        .where(incident_items.c.incident_id == incident_id)
        .order_by(revisions.c.item_id, revisions.c.revision)
    )
    for revision in connection.execute(query).mappings():
        text = {key: revision[key] for key in ("revision", "title", "summary", "seen_at", "replaced_at")}
        earlier.setdefault(revision["item_id"], []).append(text)
    wanted = ("key", "title", "summary", "published_at", "edited_at")
    extra = [items.c[key] for key in wanted] + [incident_items.c.reason, incident_items.c.similarity]
    rows = connection.execute(_members([incident_id], *extra)).mappings()
    members = [{**member, "id": member["item_id"], "revisions": earlier.get(member["item_id"], [])} for member in rows]
    return {**head, "items": members, "related": related_to(connection, incident_id)}


def _members(incident_ids: Sequence[int], *extra: ColumnElement[Any]) -> Select[Any]:
    """The items of incidents in the order of time, each with the assessment in force if it has one."""
    assessed = ("label", "score", "flagged", "stance", "matches", "findings", "reasons", "model_id")
    return (
        select(
            incident_items.c.incident_id,
            incident_items.c.item_id,
            incidents.c.lang,
            func.coalesce(incidents.c.claim_type, assessments.c.claim_type).label("claim_type"),
            items.c.link,
            items.c.first_seen_at,
            feeds.c.outlet,
            feeds.c.role,
            *(assessments.c[key] for key in assessed),
            *extra,
        )
        .select_from(incident_items)
        .join(incidents, incidents.c.id == incident_items.c.incident_id)
        .join(items, items.c.id == incident_items.c.item_id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .outerjoin(assessments, and_(assessments.c.item_id == items.c.id, IN_FORCE))
        .where(incident_items.c.incident_id.in_(incident_ids))
        .order_by(incident_items.c.incident_id, *_SEEN)
    )


def _facts(incident_id: int, members: Sequence[Row[Any]]) -> IncidentFacts:
    first = members[0]
    lead = max(members, key=lambda member: member.score or 0.0)
    matches = dict.fromkeys(match["candidate_id"] for member in members for match in member.matches or ())
    findings = {(finding["rule"], finding["text"]): finding for member in members for finding in member.findings or ()}
    return IncidentFacts(
        incident_id=incident_id,
        title=first.incident_title,
        claim_type=ClaimType(lead.claim_type) if lead.claim_type else None,
        lang=Lang(first.lang),
        score=lead.score or 0.0,
        label=Label(lead.label) if lead.label else None,
        reasons=tuple(reason["text"] for reason in lead.reasons or ()),
        matches=tuple(matches),
        findings=tuple(findings.values()),
        outlets=tuple(dict.fromkeys(member.outlet for member in members)),
        items=len(members),
        link=first.link,
        roles=tuple(Role(role) for role in dict.fromkeys(member.role for member in members)),
        per_hour=_busiest_hour(sorted(member.first_seen_at for member in members)),
        sample=first.sample,
    )


def _busiest_hour(instants: Sequence[datetime]) -> int:
    """The most of ``instants``, in order, that lie within one hour: it never falls as an incident grows."""
    most = first = 0
    for last, instant in enumerate(instants):
        while instant - instants[first] >= timedelta(hours=1):
            first += 1
        most = max(most, last - first + 1)
    return most


def _alert(row: Row[Any], opinions: tuple[Opinion, ...]) -> Alert:
    values = row._asdict()
    return Alert(
        **{
            **values,
            "state": AlertState(values["state"]),
            "suppression": Suppression(values["suppression"]) if values["suppression"] else None,
            "decision": Decision(values["decision"]) if values["decision"] else None,
            "verdict": Verdict(values["verdict"]) if values["verdict"] else None,
            "priority_reasons": tuple(values["priority_reasons"]),
            "review": Review(values["review"]),
            "opinions": opinions,
        }
    )


def _shown(alert: Alert, facts: IncidentFacts, now: datetime | None, *, heard: bool) -> dict[str, Any]:
    """The keys that scripts may rely on, in the order in which people read them; ``heard``: its suppression is over."""
    ends = alert.lease_expires_at or alert.snoozed_until
    over = now is not None and ends is not None and ends <= now
    untaken = AlertState.OPEN if alert.review is Review.FIRST else AlertState.SECOND_REVIEW
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
        "items": facts.items,
        "claim_type": facts.claim_type,
        "matches": list(facts.matches),
        "reasons": [*alert.priority_reasons, *facts.reasons],
        "priority_reasons": list(alert.priority_reasons),
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


def _is_over(now: datetime) -> ColumnElement[bool]:
    """Whether the clock has ended a lease or a snooze, noted or not."""
    return or_(
        and_(alerts.c.state == AlertState.LEASED, alerts.c.lease_expires_at <= now),
        and_(alerts.c.state == AlertState.SNOOZED, alerts.c.snoozed_until <= now),
    )


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(alerts.c.state.in_(UNTAKEN), _is_over(now))


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


def _pages(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = list(ids)
    for start in range(0, len(rest), PAGE):
        yield rest[start : start + PAGE]
