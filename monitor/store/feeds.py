"""Feeds: what is polled, and the state of each."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection, Row, Update, bindparam, insert, or_, select, update

from monitor.errors import FeedError, FeedErrorKind, NotFoundError
from monitor.store.schema import feeds
from monitor.types import Feed, Lang, Role

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_COLUMNS = [column for column in feeds.columns if column.name != "added_at"]


def add(
    connection: Connection,
    url: str,
    now: datetime,
    *,
    interval_s: int | None = None,
    outlet: str | None = None,
    role: Role | None = None,
    lang: Lang | None = None,
    enabled: bool | None = None,
) -> tuple[Feed, bool]:
    """Add a feed, due at once; returns it, and whether it is new. By default the host is the outlet, the role media.

    For a feed that is already there, what is given replaces what was known and the rest stays. Addresses that lead to
    the same document by the rules of URLs are one (see ``canonical``).
    """
    url = canonical(url)
    given = {"interval_s": interval_s, "outlet": outlet, "role": role, "lang": lang, "enabled": enabled}
    given = {name: value for name, value in given.items() if value is not None}
    known = connection.execute(select(feeds.c.id).where(feeds.c.url == url)).scalar_one_or_none()
    if known is not None:
        if given:
            connection.execute(update(feeds).where(feeds.c.id == known).values(**given))
        return get(connection, known), False
    values = {"outlet": urlsplit(url).hostname or url, "role": Role.MEDIA, "enabled": True, "failures": 0, **given}
    row = insert(feeds).values(url=url, added_at=now, **values).returning(feeds.c.id)
    return get(connection, connection.execute(row).scalar_one()), True


def canonical(url: str) -> str:
    """``url`` with scheme and host in small letters, without the scheme's own port and without fragment.

    >>> canonical("HTTPS://Harbour-Daily.example:443/RSS#top")
    'https://harbour-daily.example/RSS'
    """
    parts = urlsplit(url)
    host = parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ":")).removesuffix(":")
    return urlunsplit((parts.scheme, host, parts.path or "/", parts.query, ""))


def get(connection: Connection, feed_id: int) -> Feed:
    """One feed. Raises NotFoundError."""
    row = connection.execute(select(*_COLUMNS).where(feeds.c.id == feed_id)).one_or_none()
    if row is None:
        raise NotFoundError("feed", feed_id, "`pollwatch feeds list` shows them all")
    return _feed(row)


def listing(connection: Connection, *, enabled: bool | None = None) -> list[Feed]:
    """Every feed in order of id; with ``enabled``, only those that are (or are not)."""
    query = select(*_COLUMNS).order_by(feeds.c.id)
    if enabled is not None:
        query = query.where(feeds.c.enabled == enabled)
    return [_feed(row) for row in connection.execute(query)]


def due(connection: Connection, now: datetime) -> list[Feed]:
    """The enabled feeds whose next check has come, the longest overdue first."""
    never_checked = feeds.c.next_check_at.is_(None)
    query = (
        select(*_COLUMNS)
        .where(feeds.c.enabled, or_(never_checked, feeds.c.next_check_at <= now))
        .order_by(never_checked.desc(), feeds.c.next_check_at, feeds.c.id)
    )
    return [_feed(row) for row in connection.execute(query)]


def record_success(
    connection: Connection, feed_id: int, now: datetime, next_check_at: datetime, **state: str | datetime | None
) -> None:
    """The feed answered at ``now``. ``state``: etag, last_modified, body_sha256, last_new_at, warning, if changed."""
    health = {"failures": 0, "error_kind": None, "error_detail": None}
    values = {"last_attempt_at": now, "last_success_at": now, "next_check_at": next_check_at, **health, **state}
    connection.execute(_setting(tuple(values)), {**values, "feed": feed_id})


@cache
def _setting(names: tuple[str, ...]) -> Update:
    """Sets these columns of ``feed``. Kept, because building it takes longer than the database does."""
    return update(feeds).where(feeds.c.id == bindparam("feed")).values({name: bindparam(name) for name in names})


def record_failure(
    connection: Connection, feed_id: int, now: datetime, next_check_at: datetime, error: FeedError
) -> None:
    """The feed could not be read at ``now``. One that is gone for good is not asked again."""
    values: dict[str, Any] = {"enabled": False} if error.kind is FeedErrorKind.GONE else {}
    connection.execute(
        update(feeds)
        .where(feeds.c.id == feed_id)
        .values(
            last_attempt_at=now,
            next_check_at=next_check_at,
            failures=feeds.c.failures + 1,
            error_kind=error.kind,
            error_detail=error.detail[:500],
            **values,
        )
    )


def set_enabled(connection: Connection, feed_id: int, enabled: bool) -> Feed:
    """Switch a feed on or off; switched on, it is due at once and its failures are forgotten. Raises NotFoundError."""
    values: dict[str, Any] = {"enabled": enabled}
    if enabled:
        values |= {"failures": 0, "error_kind": None, "error_detail": None, "next_check_at": None}
    connection.execute(update(feeds).where(feeds.c.id == feed_id).values(**values))
    return get(connection, feed_id)


def _feed(row: Row[Any]) -> Feed:
    values = row._asdict()
    return Feed(**{**values, "role": Role(values["role"]), "lang": Lang(values["lang"]) if values["lang"] else None})
