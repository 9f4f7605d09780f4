"""The counts behind the digest and `status`: a bounded number of queries, whatever the store holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from monitor.store import silences, suppression
from monitor.store.decisions import STANDS
from monitor.store.schema import alerts, assessments, audit, decisions, feeds, incidents, items, models, notices
from monitor.types import LIVE, WAITING

SHOWN = 50  # rows of a list; the count beside it says how many there are

_later = decisions.alias("later")
_LATER = select(_later.c.id).where(
    _later.c.alert_id == decisions.c.alert_id, _later.c.id > decisions.c.id, _later.c.withdrawn_at.is_(None)
)
_FINAL = and_(STANDS, ~_LATER.exists())  # of several opinions on one alert the last


def queue(connection: Connection, now: datetime) -> dict[str, Any]:
    """Alerts that wait for a person: how many open, held, for a second opinion, past due, by priority.

    Snoozed and hidden ones are counted apart.
    """
    heard = and_(alerts.c.state.in_(LIVE), ~suppression.hidden_at(now))
    waits = and_(alerts.c.state.in_(WAITING), heard)
    states = {
        row[0]: row[1]
        for row in connection.execute(select(alerts.c.state, func.count()).where(heard).group_by(alerts.c.state))
    }
    overdue = select(func.count()).where(waits, alerts.c.due_at < now)
    by_priority = (
        select(alerts.c.priority, func.count()).where(waits).group_by(alerts.c.priority).order_by(alerts.c.priority)
    )
    return {
        "open": states.get("open", 0),
        "leased": states.get("leased", 0),
        "second_review": states.get("second_review", 0),
        "snoozed": states.get("snoozed", 0),
        "live": sum(states.get(state, 0) for state in WAITING),
        "overdue": connection.scalar(overdue) or 0,
        "by_priority": {f"P{row[0]}": row[1] for row in connection.execute(by_priority)},
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


def backlog(connection: Connection) -> dict[str, int]:
    """Items that no model has judged yet."""
    # Every assessment is one of an item: two walks over an index, instead of a look for each item.
    judged = connection.scalar(select(func.count(assessments.c.item_id.distinct()))) or 0
    return {"unassessed": (connection.scalar(select(func.count()).select_from(items)) or 0) - judged}


def collected(connection: Connection, start: datetime, end: datetime) -> dict[str, Any]:
    """New and edited items of the period [start, end), new ones by language, by outlet role, and how many are tips."""
    new = and_(items.c.first_seen_at >= start, items.c.first_seen_at < end)
    edited = and_(items.c.edited_at >= start, items.c.edited_at < end)
    by_lang = select(items.c.lang, func.count()).where(new).group_by(items.c.lang).order_by(items.c.lang)
    by_role = (
        select(feeds.c.role, func.count())
        .select_from(items.join(feeds))
        .where(new)
        .group_by(feeds.c.role)
        .order_by(feeds.c.role)
    )
    tips = select(func.count()).select_from(items.join(feeds)).where(new, feeds.c.channel.is_not(None))
    langs = {row[0]: row[1] for row in connection.execute(by_lang)}
    return {
        "items_new": sum(langs.values()),
        "items_edited": connection.scalar(select(func.count()).select_from(items).where(edited)) or 0,
        "by_lang": langs,
        "by_role": {row[0]: row[1] for row in connection.execute(by_role)},
        "tips": connection.scalar(tips) or 0,
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


def decisions_made(connection: Connection, start: datetime, end: datetime) -> int:
    """How many alerts were decided in the period and are so still."""
    made = and_(_FINAL, decisions.c.at >= start, decisions.c.at < end)
    return connection.scalar(select(func.count()).select_from(decisions.join(alerts)).where(made)) or 0


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
        .where(_FINAL, decisions.c.at >= start, decisions.c.at < end)
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
