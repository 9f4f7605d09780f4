"""Feeds: what is polled, and the state of each."""

from __future__ import annotations

import struct
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection, Select, Update, case, func, insert, or_, select, update

from monitor.errors import UNREACHED, FeedError, NotFoundError
from monitor.moves import Move
from monitor.store import bulk, pending
from monitor.store.schema import feeds, marks
from monitor.store.schema.base import Instant
from monitor.types import Feed, Lang, Rhythm, Role, host_of

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_NAMES = [field.name for field in fields(Feed)]
_COLUMNS = [feeds.c[name] for name in _NAMES]
_INSTANTS = [place for place, column in enumerate(_COLUMNS) if isinstance(column.type, Instant)]
_ENABLED, _ROLE, _LANG, _RHYTHM = map(_NAMES.index, ("enabled", "role", "lang", "rhythm"))
_WELL: dict[str, Any] = {"failures": 0, "strikes": 0.0, "error_kind": None, "error_detail": None}


def add(  # noqa: PLR0913 - a keyword for each thing a line of a list can say
    connection: Connection,
    url: str,
    now: datetime,
    *,
    interval_s: int | None = None,
    folder: str | None = None,
    outlet: str | None = None,
    role: Role | None = None,
    lang: Lang | None = None,
    enabled: bool | None = None,
) -> tuple[Feed, bool]:
    """Add a feed, due at once; returns it, and whether it is new. By default the host is the outlet, the role media.

    One of a community is off until somebody enables it: what private people say is watched by a decision alone.
    For a feed that is already there, what is given replaces what was known and the rest stays. Addresses that lead to
    the same document by the rules of URLs are one (see ``canonical``).
    """
    url = canonical(url)
    given = {"interval_s": interval_s, "folder": folder}
    given |= {"outlet": outlet, "role": role, "lang": lang, "enabled": enabled}
    given = {name: value for name, value in given.items() if value is not None}
    known = find(connection, url)
    if known is not None:
        if given:
            connection.execute(update(feeds).where(feeds.c.id == known.id).values(**given))
            if (given.get("outlet", known.outlet), given.get("role", known.role)) != (known.outlet, known.role):
                pending.outlets_changed(connection)
        return get(connection, known.id), False
    values = {
        "outlet": urlsplit(url).hostname or url,
        "role": Role.MEDIA,
        "enabled": role is not Role.COMMUNITY,
        "failures": 0,
        **given,
    }
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


def find(connection: Connection, url: str) -> Feed | None:
    """The feed at the address ``url``, if it is watched."""
    row = connection.execute(select(*_COLUMNS).where(feeds.c.url == canonical(url))).one_or_none()
    return _feed(row) if row else None


def get(connection: Connection, feed_id: int) -> Feed:
    """One feed. Raises NotFoundError."""
    row = connection.execute(select(*_COLUMNS).where(feeds.c.id == feed_id)).one_or_none()
    if row is None:
        raise NotFoundError("feed", feed_id, "`pollwatch feeds list` shows them all")
    return _feed(row)


def listing(connection: Connection, *, enabled: bool | None = None) -> list[Feed]:
    """Every feed that is polled, in order of id; with ``enabled``, only those that are (or are not)."""
    query = select(*_COLUMNS).where(feeds.c.channel.is_(None)).order_by(feeds.c.id)
    if enabled is not None:
        query = query.where(feeds.c.enabled == enabled)
    return [_feed(row) for row in connection.execute(query)]


def of_outlet(connection: Connection, outlet: str) -> list[int]:
    """The ids of the feeds of an outlet, its tips included. Raises NotFoundError when it has none."""
    found = list(connection.scalars(select(feeds.c.id).where(feeds.c.outlet == outlet)))
    if not found:
        raise NotFoundError("outlet", outlet, "`pollwatch feeds list` shows them all")
    return found


def mentioning(connection: Connection, domain: str) -> list[Feed]:
    """The enabled feeds in whose address ``domain`` stands, be it as host or elsewhere."""
    query = select(*_COLUMNS).where(feeds.c.enabled, feeds.c.url.contains(domain, autoescape=True))
    return [_feed(row) for row in connection.execute(query.order_by(feeds.c.id))]


def with_hub(connection: Connection) -> list[Feed]:
    """The enabled feeds that name a hub."""
    query = select(*_COLUMNS).where(feeds.c.enabled, feeds.c.hub != "").order_by(feeds.c.id)
    return [_feed(row) for row in connection.execute(query)]


class Due(NamedTuple):
    """What a pass knows of a feed before it holds its host."""

    id: int
    url: str
    outlet: str
    last_attempt_at: datetime | None

    @property
    def host(self) -> str:
        """As Feed.host."""
        return host_of(self.url)


def due(connection: Connection, now: datetime | None) -> list[Due]:
    """The enabled feeds whose next check has come by ``now`` (None: all of them), the longest overdue first."""
    never_checked = feeds.c.next_check_at.is_(None)
    query = (
        select(feeds.c.id, feeds.c.url, feeds.c.outlet, feeds.c.last_attempt_at)
        .where(feeds.c.enabled)
        .order_by(never_checked.desc(), feeds.c.next_check_at, feeds.c.last_attempt_at.nulls_first(), feeds.c.id)
    )
    if now is not None:
        query = query.where(or_(never_checked, feeds.c.next_check_at <= now))
    return [Due(*row) for row in connection.execute(query)]


def as_they_stand(connection: Connection, feed_ids: Iterable[int]) -> dict[int, tuple[Feed, bytes]]:
    """Many feeds with their packed marks (see ``store.marks``), by id; those that are not there are left out."""
    wanted = bulk.pack(connection, feed_ids)
    rows = connection.execute(_standing(connection.dialect.name), {"rows": wanted}).scalar_one()
    found = {}
    for *row, stored in bulk.unpack(rows):
        for place in _INSTANTS:
            row[place] = bulk.instant(row[place])
        row[_ENABLED] = bool(row[_ENABLED])
        feed = _feed(row)
        found[feed.id] = feed, bytes.fromhex(stored or "")
    return found


@cache
def _standing(dialect: str) -> Select[Any]:
    asked = bulk.given(dialect, [feeds.c.id])
    return bulk.whole(dialect, [*_COLUMNS, marks.c.marks]).select_from(
        asked.join(feeds, feeds.c.id == asked.c.id).outerjoin(marks, marks.c.feed_id == feeds.c.id)
    )


def record_success(connection: Connection, feed_id: int, now: datetime, next_check_at: datetime, **state: Any) -> None:
    """The feed answered at ``now``. ``state``: other columns that changed, such as etag, last_new_at and rhythm.

    When a hub has announced news since, they may be younger than what was fetched: the check that ``push`` set stands.
    """
    record_successes(connection, [success(feed_id, now, next_check_at, **state)])


def success(feed_id: int, now: datetime, next_check_at: datetime, **state: Any) -> dict[str, Any]:
    """What ``record_success`` is given, as a row for ``record_successes``."""
    return {"id": feed_id, "last_attempt_at": now, "next_check_at": next_check_at, **state}


def record_successes(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Many feeds answered, in one statement for all those of which the same columns changed. Each has one row."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        values = {**row, "rhythm": _rhythm_row(row["rhythm"])} if "rhythm" in row else row
        alike.setdefault(tuple(values), []).append(values)
    for names, equal in alike.items():
        connection.execute(_setting(connection.dialect.name, names), {"rows": bulk.pack(connection, equal)})


@cache
def _setting(dialect: str, names: tuple[str, ...]) -> Update:
    """Sets these columns of feeds. Kept, because building it takes longer than the database does."""
    row = bulk.given(dialect, [feeds.c[name] for name in names])
    values: dict[str, Any] = {name: row.c[name] for name in names if name != "id"}
    values["last_success_at"] = row.c.last_attempt_at
    announced = feeds.c.pushed_at > row.c.last_attempt_at
    values["next_check_at"] = case((announced, feeds.c.next_check_at), else_=row.c.next_check_at)
    return update(feeds).where(feeds.c.id == row.c.id).values({**values, **_WELL})


def record_failure(
    connection: Connection,
    feed_id: int,
    now: datetime,
    next_check_at: datetime,
    error: FeedError,
    *,
    strikes: float,
    disable: bool = False,
) -> None:
    """The feed could not be read at ``now``; with ``disable`` it is not asked again."""
    values: dict[str, Any] = {"enabled": False} if disable else {}
    connection.execute(
        update(feeds)
        .where(feeds.c.id == feed_id)
        .values(
            last_attempt_at=now,
            next_check_at=next_check_at,
            failures=feeds.c.failures + 1,
            strikes=strikes,
            error_kind=error.kind,
            error_detail=error.detail[:500],
            **values,
        )
    )


def postpone(connection: Connection, feed_ids: Collection[int], until: datetime) -> None:
    """These feeds are not asked before ``until``; the ones that wait longer already stay as they are."""
    sooner = or_(feeds.c.next_check_at.is_(None), feeds.c.next_check_at < until)
    for feed_id in feed_ids:
        connection.execute(update(feeds).where(feeds.c.id == feed_id, sooner).values(next_check_at=until))


def last_attempts(connection: Connection) -> dict[str | None, datetime]:
    """When the enabled feeds were asked last, by the kind of error that ended it; None: by an answer."""
    query = select(feeds.c.error_kind, func.max(feeds.c.last_attempt_at, type_=Instant))
    asked = feeds.c.enabled & feeds.c.last_attempt_at.is_not(None)
    return {row[0]: row[1] for row in connection.execute(query.where(asked).group_by(feeds.c.error_kind))}


def hasten(connection: Connection, checks: Mapping[int, datetime]) -> None:
    """Ask these feeds at these instants, by id, unless they are asked sooner or a server was heard since."""
    row = bulk.given(connection.dialect.name, [feeds.c.id, feeds.c.next_check_at])
    later = (feeds.c.next_check_at > row.c.next_check_at) & feeds.c.error_kind.in_(UNREACHED)
    wanted = bulk.pack(connection, ({"id": feed_id, "next_check_at": at} for feed_id, at in checks.items()))
    hastened = update(feeds).where(feeds.c.id == row.c.id, later).values(next_check_at=row.c.next_check_at)
    connection.execute(hastened, {"rows": wanted})


def push(connection: Connection, feed_id: int, now: datetime, next_check_at: datetime | None) -> None:
    """A hub announced at ``now`` that the feed has news."""
    connection.execute(update(feeds).where(feeds.c.id == feed_id).values(pushed_at=now, next_check_at=next_check_at))


def record_move(connection: Connection, feed_id: int, move: Move) -> Feed | None:
    """Remember where a feed moves, or give it its new address; returns the other feed that has it already, if any."""
    values: dict[str, Any] = {"moved_to": move.target, "moved_since": move.since}
    other = find(connection, move.target) if move.adopt and move.target else None
    if move.adopt and other is None:
        values = {"url": move.target, "moved_to": None, "moved_since": None}
    connection.execute(update(feeds).where(feeds.c.id == feed_id).values(**values))
    return other


def set_enabled(connection: Connection, feed_id: int, enabled: bool) -> Feed:
    """Switch a feed on or off; switched on, it is due at once and its failures are forgotten.

    Raises NotFoundError, also for what holds tips: there is nothing to ask.
    """
    if get(connection, feed_id).channel is not None:
        raise NotFoundError("feed", feed_id, "it holds tips, which come by hand")
    values: dict[str, Any] = {"enabled": enabled}
    if enabled:
        values |= {**_WELL, "next_check_at": None}
    connection.execute(update(feeds).where(feeds.c.id == feed_id).values(**values))
    return get(connection, feed_id)


def _feed(row: Iterable[Any]) -> Feed:
    """A row of _COLUMNS."""
    values = list(row)
    values[_ROLE] = Role(values[_ROLE])
    values[_LANG] = Lang(values[_LANG]) if values[_LANG] else None
    values[_RHYTHM] = _rhythm(values[_RHYTHM])
    return Feed(*values)


def _rhythm(row: dict[str, Any] | None) -> Rhythm | None:
    if row is None:
        return None
    counts = {"entries": _unpacked(row["entries"]), "hours": _unpacked(row["hours"]), "lags": tuple(row["lags"])}
    return Rhythm(**{**row, **counts, "until": datetime.fromisoformat(row["until"])})


def _rhythm_row(rhythm: Rhythm) -> dict[str, Any]:
    counts = {"entries": _packed(rhythm.entries), "hours": _packed(rhythm.hours), "lags": rhythm.lags}
    return {**counts, "listed": rhythm.listed, "update_s": rhythm.update_s, "until": rhythm.until.isoformat()}


def _packed(numbers: Sequence[float]) -> str:
    """Every check of every feed reads a hundred of them: written out as digits they took ten times as long."""
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode("ascii")


def _unpacked(packed: str) -> tuple[float, ...]:
    numbers = a2b_base64(packed)
    return struct.unpack(f"<{len(numbers) // 4}f", numbers)
