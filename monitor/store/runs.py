"""When each stage last ran, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from monitor.store.schema import runs


def started(connection: Connection, stage: str, now: datetime) -> None:
    """A run of ``stage`` begins; what the run before it did stays until this one has ended."""
    if connection.execute(update(runs).where(runs.c.stage == stage).values(started_at=now)).rowcount == 0:
        connection.execute(insert(runs).values(stage=stage, started_at=now))


def finished(
    connection: Connection,
    stage: str,
    now: datetime,
    *,
    report: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """The run of ``stage`` ended, with a report (ready for JSON) or with the sentence of an error."""
    connection.execute(update(runs).where(runs.c.stage == stage).values(finished_at=now, report=report, error=error))


def latest(connection: Connection) -> dict[str, dict[str, Any]]:
    """Every stage by its name: started_at of its last run, and finished_at, report, error of the last that ended."""
    rows = connection.execute(select(runs).order_by(runs.c.started_at, runs.c.stage)).mappings()
    return {row["stage"]: {key: value for key, value in row.items() if key != "stage"} for row in rows}
