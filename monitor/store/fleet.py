"""The queue of a fleet of workers: Procrastinate's tables, in a PostgreSQL schema of their own beside the store's.

Nothing in it is worth keeping: a job says that a stage is to be run, and the clock says so again at its next tick. So
it is no part of a backup or a copy, and where Procrastinate's tables are to be others it is dropped and made anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

SILENT_S = 20.0  # a worker that was not heard of for so long is taken for dead

_NAME = "SELECT current_schema() || '_workers'"
_FITS = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Workers that are ``live``; jobs ``running`` and ``waiting``, and since when the oldest of these waits."""

    live: int
    running: int
    waiting: int
    oldest_at: datetime | None


def schema(connection: Connection) -> str:
    """The name of the PostgreSQL schema that holds the queue."""
    return str(connection.scalar(text(_NAME)))


def version(connection: Connection) -> str | None:
    """What ``create`` was given; None where there is no queue."""
    found: str | None = connection.scalar(text(_FITS), {"name": schema(connection)})
    return found


def create(connection: Connection, statements: str, version: str) -> None:
    """Make the queue by these SQL statements, in place of the one that is there; ``version`` is letters and digits."""
    own = connection.dialect.identifier_preparer.quote_identifier(schema(connection))
    for statement in (
        f"DROP SCHEMA IF EXISTS {own} CASCADE",
        f"CREATE SCHEMA {own}",
        f"COMMENT ON SCHEMA {own} IS '{version}'",
        f"SET LOCAL search_path TO {own}",
        statements,
    ):
        # As they are: there is more than one of them, and a % stands for itself.
        connection.execution_options(no_parameters=True).exec_driver_sql(statement)


def load(connection: Connection) -> Fleet | None:
    """How the queue is now; None where there is none."""
    if version(connection) is None:
        return None
    own = connection.dialect.identifier_preparer.quote_identifier(schema(connection))
    found: Any = connection.execute(
        text(f"""
        SELECT
          (SELECT count(*) FROM {own}.procrastinate_workers
           WHERE last_heartbeat > now() - make_interval(secs => :silent_s)) AS live,
          count(*) FILTER (WHERE jobs.status = 'todo') AS waiting,
          count(*) FILTER (WHERE jobs.status = 'doing') AS running,
          min(events.at) FILTER (WHERE jobs.status = 'todo') AS oldest_at
        FROM {own}.procrastinate_jobs jobs
        LEFT JOIN {own}.procrastinate_events events ON events.job_id = jobs.id AND events.type = 'deferred'
        """),  # noqa: S608 - the name is quoted
        {"silent_s": SILENT_S},
    ).one()
    return Fleet(found.live, found.running, found.waiting, found.oldest_at)
