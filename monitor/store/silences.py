"""Silences, and what each of them hid."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, func, select, update

from monitor.errors import NotFoundError
from monitor.store import audit
from monitor.store.schema import alerts, hidden, silences
from monitor.store.upsert import insert
from monitor.types import Silence

_HIDDEN = select(func.count()).where(hidden.c.silence_id == silences.c.id)


def subject(silence_id: int) -> str:
    """How audit entries name a silence."""
    return f"silence:{silence_id}"


def add(
    connection: Connection,
    matchers: Mapping[str, Sequence[str]],
    author: str,
    reason: str,
    starts_at: datetime,
    ends_at: datetime,
) -> int:
    """A new silence with its audit entry; returns its id."""
    row = {"matchers": {key: list(words) for key, words in matchers.items()}, "reason": reason, "ends_at": ends_at}
    values = {**row, "author": author, "starts_at": starts_at}
    silence_id = int(connection.scalars(insert(connection, silences).values(values).returning(silences.c.id)).one())
    audit.append(connection, starts_at, author, "silence.add", subject(silence_id), row)
    return silence_id


def get(connection: Connection, silence_id: int) -> Silence:
    """One silence. Raises NotFoundError."""
    row = connection.execute(select(silences).where(silences.c.id == silence_id)).one_or_none()
    if row is None:
        raise NotFoundError("silence", silence_id, "`pollwatch silences list --all` shows every one")
    return _silence(row)


def active(connection: Connection, now: datetime) -> list[Silence]:
    """Those that hold at ``now``, the oldest first."""
    query = select(silences).where(silences.c.starts_at <= now, silences.c.ends_at > now).order_by(silences.c.id)
    return [_silence(row) for row in connection.execute(query)]


def end(connection: Connection, silence: Silence, at: datetime, by: str, reason: str) -> None:
    """End it early, with its audit entry. What it hid comes back by ``over``, at once for everybody who asks."""
    connection.execute(update(silences).where(silences.c.id == silence.id).values(ends_at=at, expired_by=by))
    detail = {"reason": reason, "ends_at": silence.ends_at}
    audit.append(connection, at, by, "silence.expire", subject(silence.id), detail)


def listing(connection: Connection, now: datetime, *, every: bool = False) -> list[dict[str, Any]]:
    """Silences with the keys of `silences list`, the next to end first; with ``every``, those that are over as well.

    ``suppressed`` counts the alerts that one ever hid, ``hides`` those that it hides now.
    """
    hides = _HIDDEN.where(hidden.c.ended_at.is_(None), silences.c.ends_at > now)
    query = select(silences, _HIDDEN.scalar_subquery().label("suppressed"), hides.scalar_subquery().label("hides"))
    if not every:
        query = query.where(silences.c.ends_at > now)
    rows = connection.execute(query.order_by(silences.c.ends_at, silences.c.id)).mappings()
    return [{**row, "active": row["starts_at"] <= now < row["ends_at"]} for row in rows]


def holding(now: datetime | None = None) -> ColumnElement[bool]:
    """Whether a silence hides the alert of the row: one that holds at ``now``, or that nobody has written down as over.

    An alert is hidden if its suppression says so as well.
    """
    over = [silences.c.ends_at > now] if now else []
    return exists().where(
        hidden.c.alert_id == alerts.c.id, hidden.c.ended_at.is_(None), silences.c.id == hidden.c.silence_id, *over
    )


def hiding(connection: Connection, alert_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """For each of these alerts that are hidden, the ids of the silences that are written down as hiding it."""
    found: dict[int, set[int]] = {}
    query = select(hidden.c.alert_id, hidden.c.silence_id).where(
        hidden.c.alert_id.in_(alert_ids), hidden.c.ended_at.is_(None)
    )
    for alert_id, silence_id in connection.execute(query):
        found.setdefault(alert_id, set()).add(silence_id)
    return {alert_id: frozenset(ids) for alert_id, ids in found.items()}


def hide(connection: Connection, alert_id: int, by: Iterable[int], at: datetime) -> None:
    """From ``at`` on these silences and no others hide the alert; without any, none does."""
    by = list(by)
    ours = hidden.c.alert_id == alert_id
    others = update(hidden).where(ours, hidden.c.ended_at.is_(None), hidden.c.silence_id.not_in(by))
    connection.execute(others.values(ended_at=at))
    if by:
        rows = [{"silence_id": silence_id, "alert_id": alert_id, "at": at} for silence_id in by]
        again = insert(connection, hidden).on_conflict_do_update(
            index_elements=[hidden.c.silence_id, hidden.c.alert_id], set_={"ended_at": None}
        )
        connection.execute(again, rows)


def written_for(connection: Connection, alert_id: int) -> list[Silence]:
    """The silences that are written down as hiding this alert, the last to end last."""
    query = (
        select(silences)
        .join(hidden, hidden.c.silence_id == silences.c.id)
        .where(hidden.c.alert_id == alert_id, hidden.c.ended_at.is_(None))
        .order_by(silences.c.ends_at, silences.c.id)
    )
    return [_silence(row) for row in connection.execute(query)]


def _silence(row: Row[Any]) -> Silence:
    return Silence(**row._asdict())
