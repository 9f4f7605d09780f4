"""Hosts: which pass works on each, and when each may be asked again. They keep passes that overlap polite."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select, true, update

from monitor.store import bulk
from monitor.store.schema import hosts
from monitor.store.upsert import insert_for

# Built once: they are run for every few hosts.
_HELD_BY = hosts.c.holder == bindparam("its_holder")


@cache
def _held(dialect: str) -> Select[Any]:
    asked = bulk.given(dialect, [hosts.c.host])
    held = select(hosts.c.host).where(hosts.c.host.in_(select(asked.c.host)), _HELD_BY)
    return held.with_for_update(of=hosts)


@cache
def _release(dialect: str) -> Any:
    row = bulk.given(dialect, [hosts.c.host, hosts.c.free_at])
    given_back = {"holder": None, "held_until": None, "free_at": row.c.free_at}
    return update(hosts).where(hosts.c.host == row.c.host, _HELD_BY).values(given_back).returning(hosts.c.host)


@cache
def _take(dialect: str) -> Any:
    asked = bulk.given(dialect, [hosts.c.host])
    until: Any = bindparam("until", type_=hosts.c.held_until.type)
    rows = select(asked.c.host, bindparam("holder", type_=hosts.c.holder.type), until)
    # SQLite would read ON CONFLICT as a part of a SELECT without WHERE.
    taken = insert_for(dialect, hosts).from_select(["host", "holder", "held_until"], rows.where(true()))
    return taken.on_conflict_do_update(
        index_elements=[hosts.c.host],
        set_={"holder": taken.excluded.holder, "held_until": taken.excluded.held_until},
        where=or_(hosts.c.held_until.is_(None), hosts.c.held_until <= bindparam("now", type_=hosts.c.held_until.type)),
    ).returning(hosts.c.host, hosts.c.free_at)


def take(
    connection: Connection, names: Collection[str], holder: str, now: datetime, until: datetime
) -> dict[str, datetime | None]:
    """Give those of the hosts ``names`` to ``holder`` that nobody holds at ``now``, or whose lease is over.

    Returns from when on each host taken may be asked (None: at once). The others stay with whom they are.
    """
    if not names:
        return {}
    rows = bulk.pack(connection, names)
    taken = {"rows": rows, "holder": holder, "until": until, "now": now}
    return {row.host: row.free_at for row in connection.execute(_take(connection.dialect.name), taken).all()}


def renew(connection: Connection, holder: str, until: datetime) -> None:
    """``holder`` keeps what it holds until then; what another has taken since is lost."""
    connection.execute(update(hosts).where(hosts.c.holder == holder).values(held_until=until))


def held(connection: Connection, names: Collection[str], holder: str) -> set[str]:
    """Those of the hosts ``names`` that ``holder`` was the last to take and has not given back.

    So they are to the end of the transaction.

    A lease that is over is still held while nobody else wanted it.
    """
    if not names:
        return set()
    rows = bulk.pack(connection, names)
    return set(connection.scalars(_held(connection.dialect.name), {"rows": rows, "its_holder": holder}).all())


def release(connection: Connection, free_at: Mapping[str, datetime], holder: str) -> set[str]:
    """``holder`` is done with these hosts, each of which may be asked again from then on.

    Returns those that it still held: nobody else takes them before the end of the transaction.
    """
    rows = bulk.pack(connection, ({"host": name, "free_at": instant} for name, instant in free_at.items()))
    return set(connection.scalars(_release(connection.dialect.name), {"rows": rows, "its_holder": holder}).all())


def release_all(connection: Connection, holder: str, free_at: datetime) -> None:
    """``holder`` gives up: all that it still holds is free again, and may be asked from ``free_at`` on."""
    given_back = {"holder": None, "held_until": None, "free_at": free_at}
    connection.execute(update(hosts).where(hosts.c.holder == holder).values(given_back))
