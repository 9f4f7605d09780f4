"""The one statement that both databases know under the same words, but SQLAlchemy under two names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> Any:
    """An INSERT that has ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)
