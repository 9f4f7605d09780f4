"""Rulings on claims, the alerts that they inhibit, and what official and fact-check feeds answer to incidents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, and_, func, or_, select

from monitor.store import versions
from monitor.store.assessments import REFUTES
from monitor.store.schema import (
    alerts,
    answers,
    assessments,
    comparisons,
    decisions,
    feeds,
    incident_items,
    incidents,
    inhibitions,
    items,
    revisions,
)
from monitor.store.upsert import insert
from monitor.types import (
    FALSE_VERDICTS,
    AlertState,
    Decision,
    Lang,
    Role,
    Ruling,
    Suppression,
    Verdict,
    join_text,
)

WORDINGS = 50  # items that are read of one incident that was ruled on, the first
PAGE = 500

# Grows by one with every item of an incident and with every edit of one.
_TEXTS = (
    select(func.count() + func.coalesce(func.sum(items.c.revision), 0))
    .select_from(incident_items.join(items, items.c.id == incident_items.c.item_id))
    .where(incident_items.c.incident_id == alerts.c.incident_id)
    .scalar_subquery()
)
_INHIBITED = and_(alerts.c.suppression == Suppression.INHIBITED, alerts.c.state == AlertState.OPEN)


def stands(table: FromClause) -> ColumnElement[bool]:
    """Whether the alert of a row of ``table`` is one that a reviewer decided to clarify, as false or nearly so."""
    return and_(
        table.c.state.in_((AlertState.DECIDED, AlertState.CLOSED)),
        table.c.decision == Decision.CLARIFY,
        table.c.verdict.in_(FALSE_VERDICTS),
    )


def rulings(connection: Connection, since: datetime) -> list[Ruling]:
    """The rulings that stand, decided at ``since`` or later or in use by an inhibited alert, the oldest first.

    Each says what its incident said when it was decided: what joined or was edited later, no reviewer has seen. Where
    we published a clarification, the claim that it quotes is one of the wordings, in each language.
    """
    in_use = select(alerts.c.inhibited_by).where(_INHIBITED)
    ruled = alerts.alias("ruled")
    place = func.row_number().over(partition_by=ruled.c.id, order_by=incident_items.c.item_id)
    seen = (
        select(ruled.c.id, ruled.c.incident_id, ruled.c.verdict, ruled.c.decided_at, incident_items.c.item_id)
        .add_columns(place.label("place"))
        .join(incident_items, incident_items.c.incident_id == ruled.c.incident_id)
        .where(stands(ruled), or_(ruled.c.decided_at >= since, ruled.c.id.in_(in_use)))
        .where(incident_items.c.added_at <= ruled.c.decided_at)
        .subquery()
    )
    then = and_(
        revisions.c.item_id == seen.c.item_id,
        revisions.c.seen_at <= seen.c.decided_at,
        revisions.c.replaced_at > seen.c.decided_at,
    )
    text = [func.coalesce(revisions.c[key], items.c[key]).label(key) for key in ("revision", "title", "summary")]
    query = select(seen, *text).join(items, items.c.id == seen.c.item_id).outerjoin(revisions, then)
    rows = connection.execute(query.where(seen.c.place <= WORDINGS).order_by(seen.c.id, seen.c.place)).all()
    opinions = _opinions(connection, {row.item_id for row in rows})
    quoted = {
        row.alert_id: tuple(text.claim for text in versions.unpacked(row.texts).values())
        for row in versions.public(connection)
    }
    return [
        _ruling(list(members), opinions, quoted.get(id, ())) for id, members in groupby(rows, key=lambda row: row.id)
    ]


def _opinions(connection: Connection, item_ids: Iterable[int]) -> dict[tuple[int, int], Row[Any]]:
    """By item and revision, what was last thought of it."""
    columns = [assessments.c[key] for key in ("item_id", "revision", "matches", "findings")]
    found = {}
    wanted = sorted(item_ids)
    for start in range(0, len(wanted), PAGE):
        query = select(*columns).where(assessments.c.item_id.in_(wanted[start : start + PAGE]))
        for row in connection.execute(query.order_by(assessments.c.assessed_at, assessments.c.model_id)):
            found[row.item_id, row.revision] = row
    return found


def _ruling(members: Sequence[Row[Any]], opinions: dict[tuple[int, int], Row[Any]], quoted: tuple[str, ...]) -> Ruling:
    head = members[0]
    thought = [opinion for row in members if (opinion := opinions.get((row.item_id, row.revision)))]
    return Ruling(
        alert_id=head.id,
        incident_id=head.incident_id,
        verdict=Verdict(head.verdict),
        decided_at=head.decided_at,
        names=frozenset(match["candidate_id"] for opinion in thought for match in opinion.matches),
        findings=frozenset((found["rule"], found["rests_on"]) for opinion in thought for found in opinion.findings),
        texts=(*(join_text(row.title, row.summary) for row in members), *quoted),
    )


def latest(connection: Connection) -> str:
    """Changes with every decision to clarify, publication, and refutation by an official or fact-check feed."""
    ruled = select(func.max(decisions.c.id)).where(decisions.c.decision == Decision.CLARIFY)
    refuted = (
        select(func.max(assessments.c.assessed_at))
        .join(items, items.c.id == assessments.c.item_id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(REFUTES, feeds.c.role.in_((Role.OFFICIAL, Role.FACTCHECK)))
    )
    at = connection.scalar(refuted)
    return f"{connection.scalar(ruled) or 0} {at.isoformat() if at else ''} {versions.count(connection)}"


def waiting(connection: Connection, known: str, limit: int) -> list[Row[Any]]:
    """Open alerts to be compared with what is ``known``, as ``id, texts``: those never compared, then by priority."""
    changed = or_(comparisons.c.alert_id.is_(None), comparisons.c.known != known, comparisons.c.texts != _TEXTS)
    query = (
        select(alerts.c.id, _TEXTS.label("texts"))
        .outerjoin(comparisons, comparisons.c.alert_id == alerts.c.id)
        .where(alerts.c.state == AlertState.OPEN, alerts.c.suppression.is_(None), changed)
        .order_by(comparisons.c.alert_id.is_not(None), alerts.c.priority, alerts.c.id)
        .limit(limit)
    )
    return list(connection.execute(query))


def inhibited(connection: Connection) -> list[Row[Any]]:
    """Every inhibited alert: ``id, texts, changed`` (since it was compared), ``items, outlets`` (when inhibited)."""
    query = (
        select(
            alerts.c.id,
            _TEXTS.label("texts"),
            func.coalesce(comparisons.c.texts != _TEXTS, True).label("changed"),
            inhibitions.c["items"],
            inhibitions.c.outlets,
        )
        .join(inhibitions, inhibitions.c.alert_id == alerts.c.id)
        .outerjoin(comparisons, comparisons.c.alert_id == alerts.c.id)
        .where(_INHIBITED)
        .order_by(alerts.c.id)
    )
    return list(connection.execute(query))


def ever(connection: Connection, alert_ids: Collection[int]) -> set[int]:
    """Those of these alerts that were inhibited before."""
    return set(connection.scalars(select(inhibitions.c.alert_id).where(inhibitions.c.alert_id.in_(alert_ids))))


def newest(connection: Connection, incident_ids: Collection[int], count: int) -> dict[int, list[tuple[str, str, Lang]]]:
    """By incident, title, text and language of the ``count`` items that were published or edited last."""
    when = func.coalesce(items.c.edited_at, items.c.first_seen_at)
    place = func.row_number().over(partition_by=incident_items.c.incident_id, order_by=(when.desc(), items.c.id.desc()))
    ranked = (
        select(incident_items.c.incident_id, items.c.title, items.c.summary, items.c.lang, place.label("place"))
        .join(items, items.c.id == incident_items.c.item_id)
        .where(incident_items.c.incident_id.in_(incident_ids))
        .subquery()
    )
    found: dict[int, list[tuple[str, str, Lang]]] = {}
    for row in connection.execute(select(ranked).where(ranked.c.place <= count).order_by(ranked.c.place)):
        text = (row.title, join_text(row.title, row.summary), Lang(row.lang))
        found.setdefault(row.incident_id, []).append(text)
    return found


def compared(connection: Connection, alert_id: int, known: str, texts: int) -> None:
    """Keep with what the alert was compared."""
    values = {"known": known, "texts": texts}
    statement = insert(connection, comparisons).values(alert_id=alert_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[comparisons.c.alert_id], set_=values))


def add(
    connection: Connection, alert_id: int, by_alert_id: int, similarity: float, at: datetime, spread: tuple[int, int]
) -> None:
    """Keep why an alert was inhibited, and how many items and outlets it had then."""
    row = {"alert_id": alert_id, "by_alert_id": by_alert_id, "similarity": similarity, "at": at}
    connection.execute(insert(connection, inhibitions).values(**row, items=spread[0], outlets=spread[1]))


def under(connection: Connection, alert_id: int) -> list[dict[str, Any]]:
    """The alerts that the ruling on this one inhibits: ``id, incident_id, title, similarity, at``, by id."""
    query = (
        select(alerts.c.id, alerts.c.incident_id, incidents.c.title, inhibitions.c.similarity, inhibitions.c.at)
        .join(inhibitions, inhibitions.c.alert_id == alerts.c.id)
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .where(inhibitions.c.by_alert_id == alert_id, _INHIBITED)
        .order_by(alerts.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def ruling_on(connection: Connection, alert_id: int) -> dict[str, Any] | None:
    """The ruling that inhibits an alert, if one does: ``alert_id, title, verdict, decided_at, similarity``."""
    ruled = alerts.alias("ruled")
    query = (
        select(ruled.c.id.label("alert_id"), incidents.c.title, ruled.c.verdict, ruled.c.decided_at)
        .add_columns(inhibitions.c.similarity)
        .select_from(inhibitions)
        .join(alerts, alerts.c.id == inhibitions.c.alert_id)
        .join(ruled, ruled.c.id == inhibitions.c.by_alert_id)
        .join(incidents, incidents.c.id == ruled.c.incident_id)
        .where(inhibitions.c.alert_id == alert_id, alerts.c.suppression == Suppression.INHIBITED)
    )
    row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def add_answer(connection: Connection, incident_id: int, item_id: int, similarity: float, at: datetime) -> None:
    """Link an official item to an incident that it may answer; one that is linked already stays as it is."""
    row = {"incident_id": incident_id, "item_id": item_id, "similarity": similarity, "at": at}
    connection.execute(insert(connection, answers).values(row).on_conflict_do_nothing())


def answers_to(connection: Connection, incident_id: int) -> list[dict[str, Any]]:
    """Official items that may answer an incident, the most similar first."""
    columns = [items.c[key] for key in ("title", "link", "published_at", "first_seen_at")]
    query = (
        select(answers.c.item_id, answers.c.similarity, feeds.c.outlet, feeds.c.role, *columns)
        .join(items, items.c.id == answers.c.item_id)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(answers.c.incident_id == incident_id)
        .order_by(answers.c.similarity.desc(), answers.c.item_id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
