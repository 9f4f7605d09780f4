"""Rows for every table that a database has, whatever its schema: what must outlive upgrades, backups and copies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    insert,
    select,
)

from monitor.store import audit

ROWS = 3
START = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)


def fill(connection: Connection) -> None:
    """Three rows of each table, of the kinds of values that the two databases treat in ways of their own."""
    for number in range(1, ROWS + 1):
        detail = {"甲": [number, 0.1, None, "Ａ\u2028é"], "at": START}
        audit.append(connection, START + timedelta(microseconds=number), "岑", "alert.take", f"alert:{number}", detail)
    for table in _tables(connection):
        if table.name not in ("audit", "alembic_version"):
            connection.execute(table.delete())  # what migrations wrote
            connection.execute(insert(table), [_row(table, number) for number in range(1, ROWS + 1)])
            _count_on(connection, table)


def contents(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    return {
        table.name: [
            dict(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        ]
        for table in _tables(connection)
    }


def _tables(connection: Connection) -> list[Table]:
    found = MetaData()
    found.reflect(connection)
    return found.sorted_tables


def _row(table: Table, number: int) -> dict[str, Any]:
    return {column.name: _value(column, number) for column in table.columns}


def _value(column: Column[Any], number: int) -> Any:  # noqa: PLR0911 - one for each type
    for key in column.foreign_keys:
        return _value(key.column, number)
    match column.type:
        case Boolean():
            return number == 1
        case Integer():
            return number
        case Float():
            return number / 10
        case DateTime():
            return START + timedelta(microseconds=number)
        case JSON():
            return {"甲": [number, 0.1, None, "Ａ\u2028é"]}
        case LargeBinary():
            return bytes([0, number, 255])
        case _:
            return f"{column.name} {number}: 選舉 选举 Ａ1 é 🗳"


def _count_on(connection: Connection, table: Table) -> None:
    if connection.dialect.name == "postgresql" and "id" in table.columns and isinstance(table.c.id.type, Integer):
        connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {ROWS})")
