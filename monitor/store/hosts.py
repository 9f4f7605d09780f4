"""Hosts: which pass works on each, and when each may be asked again. They keep passes that overlap polite."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, update

from monitor.store.schema import hosts
from monitor.store.upsert import insert_for

# Built once: they are run for every host.
_ITS = hosts.c.holder == bindparam("its_holder")
_HELD = select(hosts.c.host).where(hosts.c.host.in_(bindparam("names", expanding=True)), _ITS).with_for_update()
_RELEASE = (
    update(hosts)
    .where(hosts.c.host == bindparam("its_host"), _ITS)
    .values(holder=None, held_until=None, free_at=bindparam("free_at"))
)


@cache
def _take(dialect: str) -> Any:
    taken = insert_for(dialect, hosts)
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
    rows = [{"host": name, "holder": holder, "held_until": until, "now": now} for name in names]
    taken = connection.execute(_take(connection.dialect.name), rows)
    return {row.host: row.free_at for row in taken}


def renew(connection: Connection, holder: str, until: datetime) -> None:
    """``holder`` keeps what it holds until then; what another has taken since is lost."""
    connection.execute(update(hosts).where(hosts.c.holder == holder).values(held_until=until))


def held(connection: Connection, names: Collection[str], holder: str) -> set[str]:
    """Those of the hosts ``names``, a few hundred at most, that ``holder`` was the last to take and has not given back.

    So they are to the end of the transaction.

    A lease that is over is still held while nobody else wanted it.
    """
    return set(connection.execute(_HELD, {"names": list(names), "its_holder": holder}).scalars())


def release(connection: Connection, free_at: Mapping[str, datetime], holder: str) -> None:
    """``holder`` is done with these hosts, each of which may be asked again from then on."""
    rows = [{"its_host": name, "its_holder": holder, "free_at": instant} for name, instant in free_at.items()]
    connection.execute(_RELEASE, rows)


def release_all(connection: Connection, holder: str, free_at: datetime) -> None:
    """``holder`` gives up: all that it still holds is free again, and may be asked from ``free_at`` on."""
    given_back = {"holder": None, "held_until": None, "free_at": free_at}
    connection.execute(update(hosts).where(hosts.c.holder == holder).values(given_back))
