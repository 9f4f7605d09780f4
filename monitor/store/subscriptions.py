"""Subscriptions: what was asked of the hubs of feeds, and until when it holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from monitor.store.schema import feeds, subscriptions
from monitor.types import Mode, Subscription


def add(connection: Connection, subscription: Subscription) -> None:
    """A subscription that is about to be asked for."""
    values = {column.name: getattr(subscription, column.name) for column in subscriptions.columns}
    connection.execute(insert(subscriptions).values(values))


def find(connection: Connection, token: str) -> Subscription | None:
    """The subscription whose callback ends with ``token``, if there is one."""
    row = connection.execute(select(subscriptions).where(subscriptions.c.token == token)).one_or_none()
    return _subscription(row) if row else None


def listing(connection: Connection) -> list[Subscription]:
    """All, by feed."""
    query = select(subscriptions).order_by(subscriptions.c.feed_id, subscriptions.c.token)
    return [_subscription(row) for row in connection.execute(query)]


def due(connection: Connection, now: datetime) -> list[Subscription]:
    """Those of which the hub is to be asked now, to begin, to renew or to end, the longest overdue first."""
    query = select(subscriptions).where(subscriptions.c.next_ask_at <= now)
    return [_subscription(row) for row in connection.execute(query.order_by(subscriptions.c.next_ask_at))]


def record_ask(connection: Connection, token: str, next_ask_at: datetime) -> None:
    """The hub is about to be asked; unless it confirms, it is asked again at ``next_ask_at``."""
    connection.execute(
        update(subscriptions)
        .where(subscriptions.c.token == token)
        .values(asks=subscriptions.c.asks + 1, next_ask_at=next_ask_at, error=None)
    )


def record_failure(connection: Connection, token: str, next_ask_at: datetime, error: str) -> None:
    """The request failed; one that the hub confirmed all the same, while we waited for its answer, did not."""
    unconfirmed = subscriptions.c.token == token, subscriptions.c.asks > 0
    connection.execute(update(subscriptions).where(*unconfirmed).values(next_ask_at=next_ask_at, error=error[:500]))


def confirm(connection: Connection, token: str, lease_ends_at: datetime | None, next_ask_at: datetime | None) -> None:
    """The hub announces the feed's news until ``lease_ends_at``."""
    values = {"lease_ends_at": lease_ends_at, "next_ask_at": next_ask_at, "asks": 0, "error": None}
    connection.execute(update(subscriptions).where(subscriptions.c.token == token).values(**values))


def end(connection: Connection, subscription: Subscription, now: datetime) -> None:
    """The hub is to be told that we want no more of it, from now on."""
    values = {"mode": Mode.UNSUBSCRIBE, "next_ask_at": now, "asks": 0, "error": None}
    connection.execute(update(subscriptions).where(subscriptions.c.token == subscription.token).values(**values))
    _unpushed(connection, subscription)


def lapse(connection: Connection, subscription: Subscription, **state: Any) -> None:
    """The hub announces nothing any more. ``state``: other columns that changed, such as error and next_ask_at."""
    values = {"lease_ends_at": None, **state}
    connection.execute(update(subscriptions).where(subscriptions.c.token == subscription.token).values(**values))
    _unpushed(connection, subscription)


def forget(connection: Connection, subscription: Subscription) -> None:
    """Nothing is left to end."""
    connection.execute(delete(subscriptions).where(subscriptions.c.token == subscription.token))


def counts(held: Iterable[Subscription], now: datetime) -> dict[str, int]:
    """How many are ``live``, ``waiting`` for the hub to confirm, and ``ending``."""
    found = {"live": 0, "waiting": 0, "ending": 0}
    for each in held:
        live = each.lease_ends_at is not None and each.lease_ends_at > now
        found["ending" if each.mode is Mode.UNSUBSCRIBE else "live" if live else "waiting"] += 1
    return found


def _unpushed(connection: Connection, subscription: Subscription) -> None:
    connection.execute(update(feeds).where(feeds.c.id == subscription.feed_id).values(pushed_at=None))


def _subscription(row: Row[Any]) -> Subscription:
    values = row._asdict()
    return Subscription(**{**values, "mode": Mode(values["mode"])})
