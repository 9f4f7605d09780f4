"""What receivers are told of alerts: the occasions, and the messages made of them. See ``alerts.notify``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from monitor.store.schema import alerts, cursors, occasions, outbox
from monitor.store.upsert import insert
from monitor.types import UNTAKEN

CURSOR = "notify"
PAGE = 500  # keys in one statement


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a receiver is told of an alert: an audit entry, or that it was told long ago and nothing happened."""

    key: str
    receiver: str
    alert_id: int
    seq: int  # of the audit entry
    round: int  # 0; then counts the repetitions
    kind: str
    detail: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one receiver, as bytes, so that every attempt sends the same."""

    key: str
    receiver: str
    message: bytes
    attempts: int
    next_try_at: datetime
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """The last that a receiver was told of an alert that still waits."""

    alert_id: int
    seq: int
    round: int


def position(connection: Connection) -> int:
    """The number of the last audit entry that was read."""
    return connection.scalar(select(cursors.c.seq).where(cursors.c.name == CURSOR)) or 0


def advance(connection: Connection, seq: int) -> None:
    """The audit was read up to entry ``seq``."""
    row = insert(connection, cursors).values(name=CURSOR, seq=seq)
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"seq": seq}))


def add(connection: Connection, new: Iterable[Occasion]) -> int:
    """Keep occasions; those that are there already stay as they are. Returns how many were new."""
    rows = [{name: getattr(each, name) for name in Occasion.__dataclass_fields__} for each in new]
    if not rows:
        return 0
    statement = insert(connection, occasions).on_conflict_do_nothing().returning(occasions.c.key)
    return len(connection.execute(statement, rows).all())  # drivers do not agree on a row count here


def oldest_waiting(connection: Connection) -> dict[str, datetime]:
    """Since when the oldest occasion waits, by receiver."""
    query = select(occasions.c.receiver, func.min(occasions.c.at)).where(_WAITS).group_by(occasions.c.receiver)
    return {row[0]: row[1] for row in connection.execute(query)}


def waiting(connection: Connection, receiver: str) -> list[Occasion]:
    """Occasions of a receiver for which there is no message yet, in the order of the audit."""
    query = select(occasions).where(_WAITS, occasions.c.receiver == receiver).order_by(occasions.c.seq, occasions.c.key)
    return [_occasion(row) for row in connection.execute(query).mappings()]


def drop(connection: Connection, keys: Iterable[str], why: str) -> None:
    """These are not announced any more."""
    for page in _pages(keys):
        connection.execute(update(occasions).where(occasions.c.key.in_(page)).values(dropped=why))


def freeze(connection: Connection, key: str, receiver: str, message: bytes, told: Iterable[str], now: datetime) -> None:
    """Keep a message for sending, and that it stands for the occasions ``told`` (their keys)."""
    row = {"key": key, "receiver": receiver, "message": message, "frozen_at": now, "attempts": 0, "next_try_at": now}
    connection.execute(insert(connection, outbox).values(row))
    for page in _pages(told):
        connection.execute(update(occasions).where(occasions.c.key.in_(page)).values(message_key=key))


def is_known(connection: Connection, key: str) -> bool:
    """Whether a message of that key was ever made."""
    return connection.scalar(select(outbox.c.key).where(outbox.c.key == key)) is not None


def unsent(connection: Connection) -> list[Message]:
    """Messages that no receiver has accepted yet, oldest first."""
    query = select(outbox).where(_UNSENT).order_by(outbox.c.frozen_at, outbox.c.key)
    fields = Message.__dataclass_fields__
    return [Message(**{name: row[name] for name in fields}) for row in connection.execute(query).mappings()]


def alerts_in(connection: Connection, message_key: str) -> list[int]:
    """The alerts that a message speaks of."""
    query = select(occasions.c.alert_id).where(occasions.c.message_key == message_key).distinct()
    return list(connection.scalars(query.order_by(occasions.c.alert_id)))


def frozen_between(connection: Connection, receiver: str, since: datetime, until: datetime) -> list[datetime]:
    """When messages for a receiver were made, oldest first; those that were dropped do not count."""
    query = select(outbox.c.frozen_at).where(
        outbox.c.receiver == receiver, outbox.c.frozen_at.between(since, until), outbox.c.dropped.is_(None)
    )
    return list(connection.scalars(query.order_by(outbox.c.frozen_at)))


def sent(connection: Connection, key: str, now: datetime) -> None:
    """The receiver accepted it."""
    values = {"sent_at": now, "attempts": outbox.c.attempts + 1, "last_error": None}
    connection.execute(update(outbox).where(outbox.c.key == key).values(values))


def failed(connection: Connection, key: str, error: str, next_try_at: datetime) -> None:
    """The receiver did not take it; it stays and is tried again."""
    values = {"attempts": outbox.c.attempts + 1, "last_error": error, "next_try_at": next_try_at}
    connection.execute(update(outbox).where(outbox.c.key == key, outbox.c.sent_at.is_(None)).values(values))


def withdraw(connection: Connection, key: str, why: str) -> None:
    """A message that was not accepted is not tried again."""
    connection.execute(update(outbox).where(outbox.c.key == key, _UNSENT).values(dropped=why))


def unanswered(connection: Connection, receiver: str, before: datetime) -> list[Told]:
    """Alerts that still wait for somebody though the last message about each was sent at ``before`` or earlier."""
    query = (
        select(occasions.c.alert_id, func.max(occasions.c.seq), func.max(occasions.c.round))
        .join(alerts, alerts.c.id == occasions.c.alert_id)
        .outerjoin(outbox, and_(outbox.c.key == occasions.c.message_key, outbox.c.dropped.is_(None)))
        .where(alerts.c.state.in_(UNTAKEN), alerts.c.suppression.is_(None))
        .where(occasions.c.receiver == receiver, occasions.c.dropped.is_(None))
        .where(or_(occasions.c.message_key.is_(None), outbox.c.key.is_not(None)))  # of no message that was dropped
        .group_by(occasions.c.alert_id)
        .having(func.count() == func.count(outbox.c.sent_at), func.max(outbox.c.sent_at) <= before)
    )
    return [Told(*row) for row in connection.execute(query)]


def standing(connection: Connection) -> dict[str, dict[str, Any]]:
    """By receiver: ``sent`` and ``unsent`` messages, occasions ``waiting``, ``last_sent_at`` and ``last_error``."""
    messages = select(
        outbox.c.receiver,
        func.count(outbox.c.sent_at).label("sent"),
        func.count().filter(_UNSENT).label("unsent"),
        func.max(outbox.c.sent_at).label("last_sent_at"),
        func.max(outbox.c.last_error).filter(_UNSENT).label("last_error"),
    ).group_by(outbox.c.receiver)
    waits = select(occasions.c.receiver, func.count().label("waiting")).where(_WAITS).group_by(occasions.c.receiver)
    found: dict[str, dict[str, Any]] = {}
    for query in (messages, waits):
        for row in connection.execute(query).mappings():
            found.setdefault(row["receiver"], {}).update(row)
    return found


_WAITS: ColumnElement[bool] = and_(occasions.c.message_key.is_(None), occasions.c.dropped.is_(None))
_UNSENT: ColumnElement[bool] = and_(outbox.c.sent_at.is_(None), outbox.c.dropped.is_(None))


def _occasion(row: Any) -> Occasion:
    return Occasion(**{name: row[name] for name in Occasion.__dataclass_fields__})


def _pages(keys: Iterable[str]) -> Iterator[Sequence[str]]:
    rest = list(keys)
    for start in range(0, len(rest), PAGE):
        yield rest[start : start + PAGE]
