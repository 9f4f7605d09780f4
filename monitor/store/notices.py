"""What was sent, or is about to be: one row a kind, date and receiver, written before the first attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from monitor.store.schema import notices
from monitor.store.upsert import insert


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for one receiver, as bytes, so that every attempt sends the same."""

    id: int
    kind: str
    date: str
    receiver: str
    message_id: str
    message: bytes
    attempts: int
    tried_at: datetime | None
    sent_at: datetime | None


def queue(
    connection: Connection,
    *,
    kind: str,
    date: str,
    receiver: str,
    message_id: str,
    message: bytes,
    period_end: datetime,
    now: datetime,
) -> bool:
    """Keep a message for sending; False when this receiver has one of that kind and date already."""
    row = {
        "kind": kind,
        "date": date,
        "receiver": receiver,
        "message_id": message_id,
        "message": message,
        "period_end": period_end,
        "queued_at": now,
        "attempts": 0,
    }
    return connection.execute(insert(connection, notices).values(row).on_conflict_do_nothing()).rowcount == 1


def receivers_of(connection: Connection, kind: str, date: str) -> set[str]:
    """Who has a message of that kind and date, sent or waiting."""
    return set(
        connection.scalars(select(notices.c.receiver).where(notices.c.kind == kind, notices.c.date == date)).all()
    )


def served(connection: Connection, kind: str, date: str) -> set[str]:
    """Whose message of that kind and date the server has accepted."""
    query = select(notices.c.receiver).where(notices.c.kind == kind, notices.c.date == date)
    return set(connection.scalars(query.where(notices.c.sent_at.is_not(None))))


def waiting(connection: Connection, kind: str, date: str | None = None) -> list[Notice]:
    """Messages not yet accepted by the server, oldest first."""
    query = select(notices).where(notices.c.kind == kind, notices.c.sent_at.is_(None)).order_by(notices.c.id)
    if date is not None:
        query = query.where(notices.c.date == date)
    return [_notice(row) for row in connection.execute(query).mappings()]


def sent(connection: Connection, id: int, now: datetime) -> None:
    """The server accepted it."""
    connection.execute(
        update(notices)
        .where(notices.c.id == id)
        .values(sent_at=now, tried_at=now, attempts=notices.c.attempts + 1, last_error=None)
    )


def failed(connection: Connection, id: int, now: datetime, error: str) -> None:
    """The server did not take it; it stays and is tried again."""
    connection.execute(
        update(notices)
        .where(notices.c.id == id)
        .values(tried_at=now, attempts=notices.c.attempts + 1, last_error=error)
    )


def period_end(connection: Connection, kind: str, date: str) -> datetime | None:
    """Where the messages of that date stop counting; None when there is none yet."""
    end: datetime | None = connection.scalar(
        select(func.max(notices.c.period_end)).where(notices.c.kind == kind, notices.c.date == date)
    )
    return end


def last_period_end(connection: Connection, kind: str, before_date: str) -> datetime | None:
    """Where the newest message of an earlier date stopped counting."""
    end: datetime | None = connection.scalar(
        select(func.max(notices.c.period_end)).where(notices.c.kind == kind, notices.c.date < before_date)
    )
    return end


def _notice(row: Any) -> Notice:
    return Notice(**{name: row[name] for name in Notice.__dataclass_fields__})
