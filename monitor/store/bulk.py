"""Many rows as one value, in JSON, on their way into the store and out of it.

SQLite's driver lets go of the interpreter for each row that it binds or fetches and has to win it back every time. A
thread that writes beside a busy event loop waits there far longer than the database works, and holds the loop up.
One statement with one value is one step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    FromClause,
    LargeBinary,
    Select,
    String,
    bindparam,
    cast,
    column,
    func,
    select,
)


def given(dialect: str, columns: Sequence[ColumnElement[Any]], name: str = "rows") -> FromClause:
    """The rows that the parameter ``name`` holds (see ``pack``), with these columns of some table."""
    rows: Any = bindparam(name, type_=String)
    if dialect == "sqlite":
        each = func.json_each(rows).table_valued("value").alias("each_row")
        values = [func.json_extract(each.c.value, f"$.{one.key}").label(str(one.key)) for one in columns]
        return select(*values).subquery("given")
    found = func.json_to_recordset(cast(rows, JSON)).table_valued(*(column(str(c.key), c.type) for c in columns))
    return found.render_derived(name="given", with_types=True)


def pack(connection: Connection, rows: Iterable[dict[str, Any]]) -> str:
    """Rows as the parameter of ``given``: text, numbers, instants, and what JSON has."""
    return json.dumps(list(rows), default=_stored if connection.dialect.name == "sqlite" else _told)


def whole(dialect: str, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """A query for these columns of all rows as one value, which ``unpack`` reads."""
    if dialect == "sqlite":
        return select(func.json_group_array(func.json_array(*map(_as_json, columns))))
    return select(func.json_agg(func.json_build_array(*(_hex(func.encode, c, "hex") for c in columns))))


def unpack(found: Any) -> list[list[Any]]:
    """The rows of ``whole``: instants as text (see ``instant``), bytes as hexadecimal digits."""
    return list(json.loads(found) if isinstance(found, str) else found or [])


def instant(text: str | None) -> datetime | None:
    """An instant as ``whole`` gives it."""
    if text is None:
        return None
    if text[-6] in "+-":
        return datetime.fromisoformat(text).astimezone(UTC)
    return datetime.fromisoformat(f"{text}+00:00")


def _as_json(one: ColumnElement[Any]) -> Any:
    return func.json(one) if isinstance(one.type, JSON) else _hex(func.hex, one)


def _hex(function: Any, one: ColumnElement[Any], *words: str) -> Any:
    return function(one, *words) if isinstance(one.type, LargeBinary) else one


def _stored(value: object) -> str:
    """An instant as SQLite keeps it."""
    return _instant(value).replace(tzinfo=None).isoformat(" ", "microseconds")


def _told(value: object) -> str:
    return _instant(value).isoformat()


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"{value!r} is no instant")
    return value.astimezone(UTC)
