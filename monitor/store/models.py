"""Trained models, and the decisions that they learn from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select, update

from monitor.errors import NotFoundError
from monitor.store import pending
from monitor.store.assessments import IN_FORCE
from monitor.store.decisions import STANDS
from monitor.store.schema import alerts, assessments, decisions, feeds, incident_items, items, models, revisions
from monitor.store.upsert import insert
from monitor.types import Role, join_text

_LISTED = [column for column in models.columns if column.name not in ("blob", "lessons", "card")]


def put(connection: Connection, row: Mapping[str, Any]) -> None:
    """Register a model under ``row["id"]``. Training the same rows again replaces it; what is live stays live."""
    replaced = {key: value for key, value in row.items() if key not in ("id", "live")}
    statement = insert(connection, models).values(dict(row))
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=replaced))
    if row["live"]:
        pending.judged_anew(connection)


def get(connection: Connection, model_id: str) -> dict[str, Any]:
    """One model without its blob, its lessons and its card. Raises NotFoundError."""
    row = connection.execute(select(*_LISTED).where(models.c.id == model_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("model", model_id, "`pollwatch models list` shows them all")
    return dict(row)


def blob(connection: Connection, model_id: str) -> bytes:
    """The bytes of one model. Raises NotFoundError."""
    get(connection, model_id)
    return bytes(connection.execute(select(models.c.blob).where(models.c.id == model_id)).scalar_one())


def is_known(connection: Connection, model_id: str) -> bool:
    """Whether a model of this id is registered."""
    return connection.scalar(select(models.c.id).where(models.c.id == model_id)) is not None


def lessons(connection: Connection, model_id: str) -> bytes | None:
    """The rows that made one model, as they were put; None when it was trained before they were kept.

    Raises NotFoundError.
    """
    get(connection, model_id)
    kept = connection.execute(select(models.c.lessons).where(models.c.id == model_id)).scalar_one()
    return bytes(kept) if kept is not None else None


def card(connection: Connection, model_id: str) -> bytes | None:
    """The card of one model; None when it was registered before there were any. Raises NotFoundError."""
    get(connection, model_id)
    kept = connection.execute(select(models.c.card).where(models.c.id == model_id)).scalar_one()
    return bytes(kept) if kept is not None else None


def live(connection: Connection) -> dict[str, Any] | None:
    """The live model without its blob, or None."""
    row = connection.execute(select(*_LISTED).where(models.c.live)).mappings().one_or_none()
    return dict(row) if row else None


def listing(connection: Connection) -> list[dict[str, Any]]:
    """Every model without its blob, the newest first."""
    query = select(*_LISTED).order_by(models.c.created_at.desc(), models.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def promote(connection: Connection, model_id: str, at: datetime) -> None:
    """Make one model live, and no other; it remembers which was live before. Raises NotFoundError."""
    get(connection, model_id)
    before = live(connection)
    if before is None or before["id"] != model_id:
        _go_live(connection, model_id, promoted_at=at, follows=before["id"] if before else None)


def roll_back(connection: Connection, at: datetime) -> tuple[str, str] | None:
    """Make the model live that the live one followed; the ids of the live one and of that, or None if there is none."""
    before = live(connection)
    if before is None or before["follows"] is None:
        return None
    _go_live(connection, before["follows"], promoted_at=at)
    return before["id"], before["follows"]


def judge(connection: Connection, model_id: str, judgement: Mapping[str, Any]) -> None:
    """Keep whether a model may become live by itself, and why."""
    connection.execute(update(models).where(models.c.id == model_id).values(judgement=dict(judgement)))


def _go_live(connection: Connection, model_id: str, **values: Any) -> None:
    connection.execute(update(models).where(models.c.live).values(live=False))
    connection.execute(update(models).where(models.c.id == model_id).values(live=True, **values))
    pending.judged_anew(connection)


def last_decision(connection: Connection) -> int:
    """The number of the newest decision in force; 0 when there is none."""
    return connection.scalar(select(func.max(decisions.c.id)).join_from(decisions, alerts).where(STANDS)) or 0


def decided_after(connection: Connection, decision_id: int) -> int:
    """How many decisions in force are newer than this one."""
    newer = select(func.count()).join_from(decisions, alerts).where(STANDS, decisions.c.id > decision_id)
    return connection.scalar(newer) or 0


def recent_texts(connection: Connection, limit: int) -> list[str]:
    """The texts of the newest items."""
    query = select(items.c.title, items.c.summary).order_by(items.c.id.desc()).limit(limit)
    return [join_text(row.title, row.summary) for row in connection.execute(query)]


def answers(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """The newest items of official and fact-check feeds, the newest first: ``id, text, lang``, and the ``stance`` in
    force.
    """
    of_present_text = and_(assessments.c.item_id == items.c.id, assessments.c.revision == items.c.revision)
    query = (
        select(items.c.id, items.c.title, items.c.summary, items.c.lang, assessments.c.stance)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .join(assessments, of_present_text)
        .where(feeds.c.role.in_((Role.OFFICIAL, Role.FACTCHECK)), IN_FORCE)
        .order_by(items.c.id.desc())
        .limit(limit)
    )
    rows = connection.execute(query).mappings()
    return [
        {"id": row["id"], "text": join_text(row["title"], row["summary"]), "lang": row["lang"], "stance": row["stance"]}
        for row in rows
    ]


def reviewed(connection: Connection) -> list[dict[str, Any]]:
    """Every item that a reviewer decided on: ``id, incident_id, text, lang, decision, verdict, reason``, and the
    ``label, stance, claim_type`` that its assessment gave; all as they stood when it was decided, for an outlet may
    correct itself.

    The last decision in force about an item counts; ordered by item.
    """
    replaced = and_(
        revisions.c.item_id == items.c.id,
        revisions.c.seen_at <= decisions.c.at,
        revisions.c.replaced_at > decisions.c.at,
    )
    revision = func.coalesce(revisions.c.revision, items.c.revision)
    query = (
        select(
            items.c.id,
            incident_items.c.incident_id,
            func.coalesce(revisions.c.title, items.c.title).label("title"),
            func.coalesce(revisions.c.summary, items.c.summary).label("summary"),
            items.c.lang,
            decisions.c.decision,
            decisions.c.verdict,
            decisions.c.reason,
            assessments.c.label,
            assessments.c.stance,
            assessments.c.claim_type,
        )
        .join_from(decisions, alerts, alerts.c.id == decisions.c.alert_id)
        .join(
            incident_items,
            and_(incident_items.c.incident_id == alerts.c.incident_id, incident_items.c.added_at <= decisions.c.at),
        )
        .join(items, items.c.id == incident_items.c.item_id)
        .outerjoin(revisions, replaced)
        .join(
            assessments,
            and_(
                assessments.c.item_id == items.c.id,
                assessments.c.revision == revision,
                assessments.c.assessed_at <= decisions.c.at,
            ),
        )
        .where(STANDS)
        .order_by(items.c.id, decisions.c.id, assessments.c.assessed_at, assessments.c.model_id)
    )
    last = {row["id"]: row for row in connection.execute(query).mappings()}
    return [{**row, "text": join_text(row["title"], row["summary"])} for row in last.values()]
