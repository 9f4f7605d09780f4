"""What reviewers decided, and why: one row for each decision, never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from monitor.store.schema import decisions
from monitor.types import Decision, Verdict


def add(
    connection: Connection,
    alert_id: int,
    reviewer: str,
    decision: Decision,
    verdict: Verdict | None,
    reason: str,
    at: datetime,
) -> None:
    """Write one decision down."""
    connection.execute(
        insert(decisions).values(
            alert_id=alert_id, reviewer=reviewer, decision=decision, verdict=verdict, reason=reason, at=at
        )
    )


def of_alert(connection: Connection, alert_id: int) -> list[dict[str, Any]]:
    """The decisions on one alert, oldest first."""
    query = select(decisions).where(decisions.c.alert_id == alert_id).order_by(decisions.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]
