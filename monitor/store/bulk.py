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


def given(dialect: str, columns: Sequence[ColumnElement[Any]]) -> FromClause:
    """The rows that the parameter ``rows`` holds (see ``pack``), with these columns of some table.

    Of a single column they are bare values: thousands of ids are read twice as fast.
    """
    rows: Any = bindparam("rows", type_=String)
    alone = columns[0] if len(columns) == 1 else None
    if dialect == "sqlite":
        each = func.json_each(rows).table_valued("value").alias("each_row")
        if alone is not None:
            return select(each.c.value.label(str(alone.key))).subquery("given")
        values = [func.json_extract(each.c.value, f"$.{one.key}").label(str(one.key)) for one in columns]
        return select(*values).subquery("given")
    if alone is not None:
        each = func.json_array_elements_text(cast(rows, JSON)).table_valued("value").alias("each_row")
        return select(cast(each.c.value, alone.type).label(str(alone.key))).subquery("given")
    found = func.json_to_recordset(cast(rows, JSON)).table_valued(*(column(str(c.key), c.type) for c in columns))
    return found.render_derived(name="given", with_types=True)


def pack(connection: Connection, rows: Iterable[object]) -> str:
    """Rows as the parameter of ``given``, values by column or bare ones: text, numbers, instants, and what JSON has."""
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
