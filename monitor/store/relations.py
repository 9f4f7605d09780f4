"""Incidents that may carry one claim, for a person to look at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, union_all

from monitor.store.schema import incidents, related


def relate(connection: Connection, incident_id: int, others: Iterable[tuple[int, float]], now: datetime) -> None:
    """Note which other incidents may carry the claim of this one, each with its similarity."""
    rows = [
        {"incident_id": incident_id, "other_id": other, "similarity": similarity, "found_at": now}
        for other, similarity in others
    ]
    if rows:
        connection.execute(insert(related), rows)


def related_to(connection: Connection, incident_id: int) -> list[dict[str, Any]]:
    """Incidents that may carry the claim of this one, the most similar first: ``id, title, similarity``."""
    pairs = union_all(
        select(related.c.other_id.label("id"), related.c.similarity).where(related.c.incident_id == incident_id),
        select(related.c.incident_id.label("id"), related.c.similarity).where(related.c.other_id == incident_id),
    ).subquery()
    query = (
        select(incidents.c.id, incidents.c.title, func.max(pairs.c.similarity).label("similarity"))
        .join(pairs, pairs.c.id == incidents.c.id)
        .group_by(incidents.c.id)
        .order_by(func.max(pairs.c.similarity).desc(), incidents.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
