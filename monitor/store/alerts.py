"""Alerts, and what is known of the incidents behind them. No act changes one without an audit entry beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, insert, or_, select, update

from monitor.errors import NotFoundError
from monitor.store import audit
from monitor.store.assessments import IN_FORCE
from monitor.store.incidents import related_to
from monitor.store.schema import alerts, assessments, feeds, incident_items, incidents, items, revisions
from monitor.types import (
    LIVE,
    Alert,
    AlertState,
    ClaimType,
    Decision,
    IncidentFacts,
    Label,
    Lang,
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
# Dates of feeds may be missing; what was first seen is always known.
_SEEN = (func.coalesce(items.c.published_at, items.c.first_seen_at), items.c.id)


def subject(alert_id: int) -> str:
    """How audit entries name an alert."""
    return f"alert:{alert_id}"


def get(connection: Connection, alert_id: int) -> Alert:
    """One alert. Raises NotFoundError."""
    found = by_id(connection, [alert_id])
    if not found:
        raise NotFoundError("alert", alert_id, "`pollwatch alerts list --all` shows every one")
    return found[0]


def by_id(connection: Connection, ids: Sequence[int]) -> list[Alert]:
    """These alerts, in the order of their ids; an id that is not there is left out."""
    query = select(alerts).where(alerts.c.id.in_(ids)).order_by(alerts.c.id)
    return [_alert(row) for row in connection.execute(query)]


def most_urgent(connection: Connection, now: datetime) -> Alert | None:
    """The open alert to take next; one whose lease is over counts as open."""
    row = connection.execute(select(alerts).where(_is_free(now)).order_by(*_URGENCY).limit(1)).first()
    return _alert(row) if row else None


def undecided(connection: Connection) -> list[int]:
    """Ids of alerts that are open or held: those whose priority may still rise."""
    waiting = alerts.c.state.in_((AlertState.OPEN, AlertState.LEASED))
    return list(connection.scalars(select(alerts.c.id).where(waiting).order_by(alerts.c.id)))


def of_incident(connection: Connection, incident_id: int) -> list[Alert]:
    """Every alert of an incident, the oldest first; all but one are closed."""
    query = select(alerts).where(alerts.c.incident_id == incident_id).order_by(alerts.c.id)
    return [_alert(row) for row in connection.execute(query)]


def move(connection: Connection, source: int, target: int) -> None:
    """Let the alerts of one incident be those of another: what was decided about it was decided about that."""
    connection.execute(update(alerts).where(alerts.c.incident_id == source).values(incident_id=target))


def late(connection: Connection, now: datetime, below_level: int) -> list[int]:
    """Ids of alerts whose lease is over, and of open ones past due that are below that level."""
    overdue = and_(alerts.c.state == AlertState.OPEN, alerts.c.due_at <= now, alerts.c.level < below_level)
    return list(connection.scalars(select(alerts.c.id).where(or_(_lease_is_over(now), overdue)).order_by(alerts.c.id)))


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
    route: str,
    opened_at: datetime,
    due_at: datetime | None,
    actor: str,
) -> int:
    """Open an alert, with its audit entry; returns its id. The database refuses a second live one of an incident."""
    row = {
        "incident_id": facts.incident_id,
        "priority": priority,
        "score": facts.score,
        "route": route,
        "due_at": due_at,
        "sample": facts.sample,
    }
    values = {**row, "state": AlertState.OPEN, "level": 0, "priority_reasons": list(reasons), "opened_at": opened_at}
    alert_id = int(connection.scalars(insert(alerts).values(values).returning(alerts.c.id)).one())
    detail = {**row, "priority": f"P{priority}", "reasons": list(reasons)}
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

    Both happen in the caller's transaction: neither is ever seen without the other.
    """
    old, new = asdict(before), asdict(after)
    same = [alerts.c[key].is_not_distinct_from(old[key]) for key in ("state", "holder", "lease_expires_at")]
    same += [alerts.c[key] == old[key] for key in ("priority", "level")]
    changed = {key: value for key, value in new.items() if value != old[key] or key == "state"}
    result = connection.execute(update(alerts).where(alerts.c.id == before.id, *same).values(**changed))
    if result.rowcount != 1:
        return False
    audit.append(connection, at, actor, action, subject(before.id), detail)
    return True


def rescore(connection: Connection, alert_id: int, score: float) -> None:
    """Keep a higher score: what the model says of the incident now, no act of anybody's."""
    connection.execute(update(alerts).where(alerts.c.id == alert_id).values(score=score))


def listing(
    connection: Connection,
    *,
    states: Sequence[AlertState] = LIVE,
    holder: str | None = None,
    priority: int | None = None,
    limit: int | None = None,
    now: datetime | None = None,
) -> list[dict[str, Any]]:
    """Alerts as `alerts list` shows them, the most urgent first; a query for the alerts and one for each PAGE of them.

    With ``now``, an alert whose lease is over is shown, and chosen, as the open alert it is.
    """
    query = select(alerts).order_by(*_URGENCY).limit(limit)
    state = case((_lease_is_over(now), AlertState.OPEN.value), else_=alerts.c.state) if now else alerts.c.state
    query = query.where(state.in_(states))
    if holder is not None:
        query = query.where(alerts.c.holder == holder, state == AlertState.LEASED)
    if priority is not None:
        query = query.where(alerts.c.priority == priority)
    found = [_alert(row) for row in connection.execute(query)]
    known = incident_facts(connection, [alert.incident_id for alert in found])
    return [_shown(alert, known[alert.incident_id], now) for alert in found]


def row(connection: Connection, alert_id: int, now: datetime | None = None) -> dict[str, Any]:
    """One alert as `alerts list` shows it. Raises NotFoundError."""
    alert = get(connection, alert_id)
    return _shown(alert, incident_facts(connection, [alert.incident_id])[alert.incident_id], now)


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
    wanted = ("key", "title", "summary", "published_at", "first_seen_at", "edited_at")
    extra = [items.c[key] for key in wanted] + [feeds.c.role, incident_items.c.reason, incident_items.c.similarity]
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
            feeds.c.outlet,
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
        sample=first.sample,
    )


def _alert(row: Row[Any]) -> Alert:
    values = row._asdict()
    return Alert(
        **{
            **values,
            "state": AlertState(values["state"]),
            "decision": Decision(values["decision"]) if values["decision"] else None,
            "verdict": Verdict(values["verdict"]) if values["verdict"] else None,
            "priority_reasons": tuple(values["priority_reasons"]),
        }
    )


def _shown(alert: Alert, facts: IncidentFacts, now: datetime | None) -> dict[str, Any]:
    """The keys that scripts may rely on, in the order in which people read them."""
    over = now is not None and alert.lease_expires_at is not None and alert.lease_expires_at <= now
    return {
        "id": alert.id,
        "incident_id": alert.incident_id,
        "priority": f"P{alert.priority}",
        "state": AlertState.OPEN if over else alert.state,
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
        "due_at": alert.due_at,
        "suppression": alert.suppression,
        "sample": alert.sample,
        "opened_at": alert.opened_at,
        "taken_at": alert.taken_at,
        "decided_at": alert.decided_at,
        "decision": alert.decision,
        "verdict": alert.verdict,
    }


def _lease_is_over(now: datetime) -> ColumnElement[bool]:
    return and_(alerts.c.state == AlertState.LEASED, alerts.c.lease_expires_at <= now)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(alerts.c.state == AlertState.OPEN, _lease_is_over(now))


def _pages(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = list(ids)
    for start in range(0, len(rest), PAGE):
        yield rest[start : start + PAGE]
