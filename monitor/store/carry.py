"""Rows from one database to another, whatever the two are: the way of a store onto a server, and back into a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, func, insert, inspect, select
from sqlalchemy.exc import DataError, IntegrityError

from monitor.errors import InputError
from monitor.store import postgresql
from monitor.store.schema import metadata

_BATCH = 2000  # rows in one statement


def counts(connection: Connection) -> dict[str, int]:
    """The rows of every table that is carried; of an older schema, of those that it has."""
    present = set(inspect(connection).get_table_names())
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in _carried()
        if table.name in present
    }


def carry(source: Connection, target: Connection) -> None:
    """Copy every row of ``source`` into ``target``, a new store with the same schema.

    Each side is one transaction of the caller: one state is read, and all of it is written or nothing. Keys stay what
    they are, and new ones go on behind them. Raises InputError for a row that the other database does not take.
    """
    made_by_migrations = counts(target)
    for table in reversed(_carried()):
        if made_by_migrations[table.name]:
            target.execute(delete(table))
    for table in _carried():
        for rows in _pages(source, table):
            try:
                target.execute(insert(table), [row._asdict() for row in rows])
            except (DataError, IntegrityError, UnicodeError) as error:
                where = f"table {table.name}, row {_key(table, rows[0])} or one of the {len(rows) - 1} after it"
                raise InputError(where, " ".join(str(getattr(error, "orig", error)).split())) from error
    if target.dialect.name == "postgresql":
        postgresql.count_on(target, _carried())


def difference(source: Connection, target: Connection) -> str | None:
    """Where the rows of two databases differ first, in a sentence; None when each is there with every value."""
    for table in _carried():
        rows = (chain.from_iterable(_pages(connection, table)) for connection in (source, target))
        for ours, theirs in zip_longest(*rows):
            if ours is None or theirs is None or tuple(ours) != tuple(theirs):
                return f"table {table.name} differs at row {_key(table, ours if ours is not None else theirs)}"
    return None


def _carried() -> list[Table]:
    """What others point to comes first. What is derived from other rows is made anew by its stage instead."""
    return [table for table in metadata.sorted_tables if not table.info.get("derived")]


def _pages(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """The rows by their keys. Raises InputError for one that cannot be read."""
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH)
    try:
        yield from connection.execute(query).partitions()
    except ValueError as error:  # an instant or a list that somebody wrote by hand
        raise InputError(f"table {table.name}", f"a row cannot be read: {error}") from error


def _key(table: Table, row: Row[Any]) -> str:
    return ", ".join(repr(row._mapping[column]) for column in table.primary_key.columns)
