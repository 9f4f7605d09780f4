"""The counts behind the digest and `status`: a bounded number of queries, whatever the store holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    case,
    cast,
    extract,
    func,
    literal_column,
    select,
)

from monitor.store import silences, suppression
from monitor.store.decisions import STANDS
from monitor.store.schema import (
    alerts,
    audit,
    decisions,
    feeds,
    incident_items,
    incidents,
    items,
    models,
    notices,
    revisions,
)
from monitor.types import FALSE_VERDICTS, LIVE, WAITING, AlertState, Decision

_SAMPLE = "sample"  # why an item is in an incident: it was drawn, not flagged
SHOWN = 50  # rows of a list; the count beside it says how many there are

_any = alerts.alias("any_alert")
_later = decisions.alias("later")
_of_period = decisions.alias("of_period")
_LATER = select(_later.c.id).where(
    _later.c.alert_id == decisions.c.alert_id, _later.c.id > decisions.c.id, _later.c.withdrawn_at.is_(None)
)
_FINAL = and_(STANDS, ~_LATER.exists())  # of several opinions on one alert the last


def _made(start: datetime, end: datetime) -> ColumnElement[bool]:
    """The last decisions of the period that are in force. They are few: by their ids, not by way of all alerts."""
    ids = select(_of_period.c.id).where(_of_period.c.at >= start, _of_period.c.at < end)
    return and_(_FINAL, decisions.c.id.in_(ids))


def queue(connection: Connection, now: datetime) -> dict[str, Any]:
    """Alerts that wait for a person: how many open, held, for a second opinion, past due, by priority.

    Snoozed and hidden ones are counted apart.
    """
    heard = and_(alerts.c.state.in_(LIVE), ~suppression.hidden_at(now))
    late = func.count(case((alerts.c.due_at < now, 1)))
    query = select(alerts.c.state, alerts.c.priority, func.count(), late).where(heard)
    states: Counter[str] = Counter()
    priorities: Counter[int] = Counter()
    overdue = 0
    for row in connection.execute(query.group_by(alerts.c.state, alerts.c.priority)):
        states[row[0]] += row[2]
        if row[0] in WAITING:
            priorities[row[1]] += row[2]
            overdue += row[3]
    return {
        "open": states["open"],
        "leased": states["leased"],
        "second_review": states["second_review"],
        "snoozed": states["snoozed"],
        "live": priorities.total(),
        "overdue": overdue,
        "by_priority": {f"P{priority}": count for priority, count in sorted(priorities.items())},
        "suppressed": suppression.counts(connection, now),
    }


def silenced(connection: Connection, now: datetime) -> dict[str, Any]:
    """Active silences: how many, ``expiring`` within a day, and ``idle``, an hour old without having hidden anything.

    Of both lists the first SHOWN.
    """
    rows = [row for row in silences.listing(connection, now) if row["active"]]
    expiring = [row for row in rows if row["ends_at"] <= now + timedelta(days=1)]
    idle = [row for row in rows if not row["suppressed"] and row["starts_at"] <= now - timedelta(hours=1)]
    return {"active": len(rows), "expiring": expiring[:SHOWN], "idle": idle[:SHOWN]}


def collected(connection: Connection, start: datetime, end: datetime) -> dict[str, Any]:
    """New and edited items of the period [start, end), new ones by language, by outlet role, and how many are tips."""
    new = and_(items.c.first_seen_at >= start, items.c.first_seen_at < end)
    edited = and_(revisions.c.replaced_at >= start, revisions.c.replaced_at < end)
    by_feed = select(items.c.feed_id, items.c.lang, func.count().label("n")).where(new)
    counted = by_feed.group_by(items.c.feed_id, items.c.lang).subquery()
    query = select(counted.c.lang, counted.c.n, feeds.c.role, feeds.c.channel).join(
        feeds, feeds.c.id == counted.c.feed_id
    )
    langs: Counter[str] = Counter()
    roles: Counter[str] = Counter()
    tips = 0
    for row in connection.execute(query):
        langs[row.lang] += row.n
        roles[row.role] += row.n
        tips += row.n if row.channel is not None else 0
    return {
        "items_new": langs.total(),
        "items_edited": connection.scalar(select(func.count(revisions.c.item_id.distinct())).where(edited)) or 0,
        "by_lang": dict(sorted(langs.items())),
        "by_role": dict(sorted(roles.items())),
        "tips": tips,
    }


def flagged(connection: Connection, start: datetime, end: datetime) -> dict[str, Any]:
    """Incidents first found in the period, by claim type; samples are none of them."""
    query = (
        select(func.coalesce(incidents.c.claim_type, "unclear"), func.count())
        .where(incidents.c.created_at >= start, incidents.c.created_at < end, incidents.c.sample.is_(None))
        .group_by(incidents.c.claim_type)
        .order_by(func.count().desc(), incidents.c.claim_type)
    )
    by_type = {row[0]: row[1] for row in connection.execute(query)}
    return {"incidents_new": sum(by_type.values()), "by_claim_type": by_type}


def flagged_since(connection: Connection, since: datetime) -> Iterator[tuple[datetime, int]]:
    """How many flagged items came into incidents in each quarter of an hour since then that brought some.

    A day that begins within one, as no zone has it, gives what came in that quarter to the day before. Samples are none
    of them.
    """
    whole = cast(extract("epoch", incident_items.c.added_at), BigInteger) // literal_column("900", Integer)
    query = (
        select(whole, func.count())
        .where(incident_items.c.added_at >= since, incident_items.c.reason != _SAMPLE)
        .group_by(whole)
        .order_by(whole)
    )
    return ((datetime.fromtimestamp(900 * row[0], UTC), row[1]) for row in connection.execute(query))


def turns(connection: Connection, since: datetime) -> Iterator[tuple[datetime, float]]:
    """When each alert opened since then that was decided was decided, and how many minutes after it was opened.

    Samples, which nobody waits for, are none of them.
    """
    opened, decided = (cast(extract("epoch", each), BigInteger) for each in (alerts.c.opened_at, alerts.c.decided_at))
    query = select(opened, decided).where(
        alerts.c.opened_at >= since, alerts.c.decided_at.is_not(None), alerts.c.sample.is_(None)
    )
    return ((datetime.fromtimestamp(end, UTC), (end - start) / 60) for start, end in connection.execute(query))


def spreading(connection: Connection, start: datetime, end: datetime, limit: int) -> list[dict[str, Any]]:
    """The incidents to which most items came in the period, two at least, that nobody dismissed.

    ``incident_id, title, claim_type, new`` (items of the period), ``outlets`` of these, ``alert_id, state, decision``
    of its newest alert, which may be None.
    """
    new = func.count().label("new")
    counted = (
        select(incident_items.c.incident_id, new, func.count(feeds.c.outlet.distinct()).label("outlets"))
        .select_from(incident_items)
        .join(items, items.c.id == incident_items.c.item_id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(incident_items.c.added_at >= start, incident_items.c.added_at < end)
        .where(incident_items.c.reason != _SAMPLE)
        .group_by(incident_items.c.incident_id)
        .having(func.count() >= 2)
        .subquery()
    )
    newest = select(func.max(_any.c.id)).where(_any.c.incident_id == counted.c.incident_id).scalar_subquery()
    # A first opinion that waits for a second is none yet, and must not show.
    decision = case((alerts.c.state.in_((AlertState.DECIDED, AlertState.CLOSED)), alerts.c.decision))
    dismissed = func.coalesce(decision, "").in_((Decision.DISMISS, Decision.DUPLICATE))
    query = (
        select(counted, incidents.c.title, incidents.c.claim_type)
        .add_columns(alerts.c.id.label("alert_id"), alerts.c.state, decision.label("decision"))
        .join(incidents, incidents.c.id == counted.c.incident_id)
        .outerjoin(alerts, alerts.c.id == newest)
        .where(~dismissed)
        .order_by(counted.c.new.desc(), counted.c.outlets.desc(), counted.c.incident_id.desc())
        .limit(limit)
    )
    return _rows(connection, query)


def slow(connection: Connection, start: datetime, end: datetime) -> dict[str, int]:
    """Of the alerts opened in the period: how many, not taken in time, not decided in time, let go by their holders."""
    opened = and_(alerts.c.opened_at >= start, alerts.c.opened_at < end, alerts.c.sample.is_(None))
    late = {"take_late": alerts.c.take_steps, "decide_late": alerts.c.decide_steps, "let_go": alerts.c.expiries}
    counts = [func.count().filter(steps > 0).label(name) for name, steps in late.items()]
    query = select(func.count().label("opened"), *counts).where(opened)
    return dict(connection.execute(query).mappings().one())


def missed(connection: Connection, start: datetime, end: datetime, limit: int) -> list[dict[str, Any]]:
    """Samples, which nothing had flagged, that were found false in the period: ``alert_id, title, verdict, at``."""
    query = (
        select(decisions.c.alert_id, incidents.c.title, decisions.c.verdict, decisions.c.at)
        .select_from(decisions.join(alerts, alerts.c.id == decisions.c.alert_id).join(incidents))
        .where(_made(start, end))
        .where(alerts.c.sample.is_not(None), decisions.c.verdict.in_(FALSE_VERDICTS))
        .order_by(decisions.c.at.desc(), decisions.c.id.desc())
        .limit(limit)
    )
    return _rows(connection, query)


def decisions_made(connection: Connection, start: datetime, end: datetime) -> int:
    """How many alerts were decided in the period and are so still."""
    query = select(func.count()).select_from(decisions.join(alerts)).where(_made(start, end))
    return connection.scalar(query) or 0


def decided(connection: Connection, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Decisions of the period that are in force, the newest SHOWN first, with the incident's title.

    A first opinion that waits for a second is none yet: who is to give that must not read it in the digest.
    """
    query = (
        select(
            decisions.c.alert_id,
            decisions.c.reviewer,
            decisions.c.decision,
            decisions.c.verdict,
            decisions.c.reason,
            decisions.c.at,
            incidents.c.title,
            incidents.c.claim_type,
        )
        .select_from(decisions.join(alerts, alerts.c.id == decisions.c.alert_id).join(incidents))
        .where(_made(start, end))
        .order_by(decisions.c.at.desc(), decisions.c.id.desc())
        .limit(SHOWN)
    )
    return _rows(connection, query)


def unsent_notices(connection: Connection) -> list[dict[str, Any]]:
    """Mails that are written but not yet accepted by the server."""
    query = (
        select(notices.c.date, notices.c.receiver, notices.c.attempts, notices.c.last_error)
        .where(notices.c.sent_at.is_(None))
        .order_by(notices.c.date, notices.c.receiver)
    )
    return _rows(connection, query)


def provenance(connection: Connection) -> dict[str, Any]:
    """What a reader needs to check the numbers: the live model and the head of the audit chain."""
    head = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    model = connection.execute(select(models.c.id, models.c.created_at).where(models.c.live.is_(True))).first()
    return {
        "model": model.id if model else None,
        "audit_seq": head.seq if head else 0,
        "audit_hash": head.hash if head else None,
    }


def _rows(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]
