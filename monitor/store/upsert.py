"""The one statement that both databases know under the same words, but SQLAlchemy under two names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> Any:
    """An INSERT that has ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: Table) -> Any:
    """The same by the name of the dialect, for a statement that is built once and kept."""
    return (sqlite.insert if dialect == "sqlite" else postgresql.insert)(table)
