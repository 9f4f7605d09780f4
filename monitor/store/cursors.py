"""How far those who follow a table have read it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from monitor.store.schema import cursors
from monitor.store.upsert import insert


def position(connection: Connection, name: str) -> int:
    """The last key that was read under this name; 0 at first."""
    return connection.scalar(select(cursors.c.seq).where(cursors.c.name == name)) or 0


def advance(connection: Connection, name: str, seq: int) -> None:
    """The table was read up to ``seq``."""
    row = insert(connection, cursors).values(name=name, seq=seq)
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"seq": seq}))
