"""What model and rules thought of each text: one row an item, revision and model; never changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, exists, literal_column, or_, select, tuple_

from monitor.store import pending
from monitor.store.schema import assessments, feeds, items, models
from monitor.store.upsert import insert
from monitor.types import Assessment, Item, Lang, Role, Stance

_other = assessments.alias("other")
_live = models.alias("live")


def _precedence(table: FromClause) -> Any:
    by_live_model = exists().where(_live.c.id == table.c.model_id, _live.c.live).correlate(table)
    return tuple_(table.c.revision, by_live_model, table.c.assessed_at, table.c.model_id)


# The assessment of an item that counts, wherever one is read: of its latest text that has any, the live model's, so
# that promoting an earlier model takes back what its successor thought; without one, the newest. (Two models may have
# assessed in one instant: then the later id.)
IN_FORCE: ColumnElement[bool] = ~exists().where(
    _other.c.item_id == assessments.c.item_id, _precedence(_other) > _precedence(assessments)
)

# A constant, not a parameter: only so do the databases see that the partial index has every such row.
REFUTES: ColumnElement[bool] = assessments.c.stance == literal_column(f"'{Stance.REFUTES}'")


def backlog(connection: Connection, model_id: str, since: datetime, limit: int, after: int = 0) -> list[Item]:
    """Items whose present text ``model_id`` has not assessed, by id, from the one after ``after``.

    What no model has assessed yet is always among them; what another model has, only if first seen at ``since`` or
    later.
    """
    present = (assessments.c.item_id == items.c.id, assessments.c.revision == items.c.revision)
    columns = [items.c[name] for name in Item.__dataclass_fields__ if name in items.c]
    query = (
        select(*columns, feeds.c.outlet, feeds.c.role)
        .join(feeds, feeds.c.id == items.c.feed_id)
        .where(
            items.c.id > after,
            ~exists().where(*present, assessments.c.model_id == model_id),
            or_(items.c.first_seen_at >= since, ~exists().where(*present)),
        )
        .order_by(items.c.id)
        .limit(limit)
    )
    rows = connection.execute(query).mappings()
    return [Item(**{**row, "lang": Lang(row["lang"]), "role": Role(row["role"])}) for row in rows]


def insert_all(connection: Connection, rows: Iterable[tuple[Item, Assessment]], now: datetime) -> None:
    """Store assessments of items as read; one that is there already stays as it is."""
    values: list[dict[str, Any]] = [
        {
            "item_id": item.id,
            "revision": item.revision,
            "model_id": assessment.model,
            "label": assessment.label,
            "score": assessment.score,
            "flagged": assessment.flagged,
            "stance": assessment.stance,
            "claim_type": assessment.claim_type,
            "matches": [asdict(match) for match in assessment.matches],
            "findings": [finding.as_row() for finding in assessment.findings],
            "reasons": [asdict(reason) for reason in assessment.reasons],
            "assessed_at": now,
        }
        for item, assessment in rows
    ]
    if values:
        connection.execute(insert(connection, assessments).on_conflict_do_nothing(), values)
        pending.assessed(connection, [value["item_id"] for value in values])


def for_item(connection: Connection, item_id: int) -> list[dict[str, Any]]:
    """Every assessment of an item, oldest first, as stored."""
    query = (
        select(assessments)
        .where(assessments.c.item_id == item_id)
        .order_by(assessments.c.assessed_at, assessments.c.revision, assessments.c.model_id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
