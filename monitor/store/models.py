"""Trained models, and the decisions that they learn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, func, select, update
from sqlalchemy.dialects.sqlite import insert

from monitor.errors import NotFoundError
from monitor.store.schema import alerts, assessments, decisions, incident_items, items, models, revisions
from monitor.types import join_text

_LISTED = [column for column in models.columns if column.name != "blob"]


def put(connection: Connection, row: Mapping[str, Any]) -> None:
    """Register a model under ``row["id"]``. Training the same rows again replaces it; what is live stays live."""
    replaced = {key: value for key, value in row.items() if key not in ("id", "live")}
    statement = insert(models).values(dict(row))
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=replaced))


def get(connection: Connection, model_id: str) -> dict[str, Any]:
    """One model without its blob. Raises NotFoundError."""
    row = connection.execute(select(*_LISTED).where(models.c.id == model_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("model", model_id, "`pollwatch models list` shows them all")
    return dict(row)


def blob(connection: Connection, model_id: str) -> bytes:
    """The bytes of one model. Raises NotFoundError."""
    get(connection, model_id)
    return bytes(connection.execute(select(models.c.blob).where(models.c.id == model_id)).scalar_one())


def live(connection: Connection) -> dict[str, Any] | None:
    """The live model without its blob, or None."""
    row = connection.execute(select(*_LISTED).where(models.c.live)).mappings().one_or_none()
    return dict(row) if row else None


def listing(connection: Connection) -> list[dict[str, Any]]:
    """Every model without its blob, the newest first."""
    query = select(*_LISTED).order_by(models.c.created_at.desc(), models.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def promote(connection: Connection, model_id: str) -> None:
    """Make one model live, and no other. Raises NotFoundError."""
    get(connection, model_id)
    connection.execute(update(models).where(models.c.live).values(live=False))
    connection.execute(update(models).where(models.c.id == model_id).values(live=True))


def recent_texts(connection: Connection, limit: int) -> list[str]:
    """The texts of the newest items."""
    query = select(items.c.title, items.c.summary).order_by(items.c.id.desc()).limit(limit)
    return [join_text(row.title, row.summary) for row in connection.execute(query)]


def reviewed(connection: Connection) -> list[dict[str, Any]]:
    """Every item that a reviewer decided on: ``text, lang, decision, verdict, reason``, and the ``label, stance,
    claim_type`` that its assessment gave; all as they stood when it was decided, for an outlet may correct itself.

    The last decision about an item counts; ordered by item.
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
        .order_by(items.c.id, decisions.c.id, assessments.c.assessed_at, assessments.c.model_id)
    )
    last = {row["id"]: row for row in connection.execute(query).mappings()}
    return [{**row, "text": join_text(row["title"], row["summary"])} for row in last.values()]
