"""What is special to PostgreSQL: writers wait for each other as they do in SQLite, and locks end with their session."""

from __future__ import annotations

import contextlib
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from monitor.errors import ConfigError
from monitor.types import Said

_NO_WRITER: dict[str, Any] = {"pollwatch_read": True}
READ_OPTIONS = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True, **_NO_WRITER}

_SPACE = 0x706F6C6C  # our part of the advisory locks of a database
_LOOK_S = 0.05  # between two looks whether a lock is free
_WAIT_MS = 2000  # how long a look whether something can be written waits for whoever writes
_WRITER = "write"
# Who sleeps, or whose cable is cut, loses locks and transactions within a minute, not after the hours of TCP.
_SETTINGS = {
    "lock_timeout": "30s",
    "timezone": "UTC",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_CLIENT = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


class PostgresqlLocks:
    """Named advisory locks, each held by a connection of its own: the server frees it when its holder dies."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextlib.contextmanager
    def hold(self, name: str, wait_s: float) -> Iterator[_Held]:
        """Raises TimeoutError when another session holds it for longer than ``wait_s`` seconds."""
        held = _Held(self._engine, name, wait_s)
        try:
            if not held.keep():
                raise TimeoutError(name)
            yield held
        finally:
            held.give_back()


class _Held:
    """A lock that is tried for and held by one session at a time. Threads may share it."""

    def __init__(self, engine: Engine, name: str, wait_s: float) -> None:
        self._engine = engine
        self._wait_s = wait_s
        self._lock = {"space": _SPACE, "name": _number(name)}
        self._session: Connection | None = None
        self._owned = False
        self._turn = threading.Lock()

    def keep(self) -> bool:
        """Whether it is ours: as it was, or now. Tried for again by a new session when the server ended ours."""
        with self._turn:
            if self._owned and self._lives():
                return True
            self._owned = False
            until = time.monotonic() + self._wait_s
            while not (free := self._ask("SELECT pg_try_advisory_lock(%(space)s, %(name)s)")):
                if time.monotonic() >= until:
                    break
                time.sleep(_LOOK_S)
            self._owned = bool(free)
            return self._owned

    def give_back(self) -> None:
        """A session that is gone has given it back already."""
        with self._turn, contextlib.suppress(DBAPIError):
            if self._owned:
                self._ask("SELECT pg_advisory_unlock(%(space)s, %(name)s)")
        self._leave()

    def _lives(self) -> bool:
        try:
            self._ask("SELECT 1")
        except DBAPIError:
            return False
        return True

    def _ask(self, statement: str) -> Any:
        if self._session is None:
            options = {"isolation_level": "AUTOCOMMIT", **_NO_WRITER}
            self._session = self._engine.connect().execution_options(**options)
        try:
            return self._session.exec_driver_sql(statement, self._lock).scalar_one()
        except DBAPIError:
            self._leave()
            raise

    def _leave(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def open_engine(url: URL) -> Engine:
    """Raises ConfigError for a driver that we do not use, or when it is not installed."""
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise ConfigError("configuration", "database.url", "write postgresql://… ; psycopg 3 is the driver")
    if "password" in url.query:  # what stands behind the question mark is shown
        raise ConfigError("configuration", "database.url", "write the password as in postgresql://user:password@host/…")
    given = url.query.get("options", ())
    options = [*((given,) if isinstance(given, str) else given), *(f"-c {key}={_SETTINGS[key]}" for key in _SETTINGS)]
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,  # a server that was restarted meanwhile costs no error
            connect_args={**_CLIENT, "options": " ".join(options)},
        )
    except ImportError as error:
        mend = "PostgreSQL needs its driver: pip install 'psycopg[binary]'"
        raise ConfigError("configuration", "database.url", mend) from error
    event.listen(engine, "connect", _on_connect, insert=True)  # before SQLAlchemy asks what it cannot read then
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        mend = f"the database keeps its text as {encoding}; create it with ENCODING 'UTF8' TEMPLATE template0"
        raise ConfigError("configuration", "database.url", mend)


def _on_begin(connection: Connection) -> None:
    # Stages read, decide and write in one transaction; one writer at a time makes that right without any retries.
    if not connection.get_execution_options().get("pollwatch_read", False):
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", (_SPACE, _number(_WRITER)))


def obstacle(connection: Connection) -> Said | None:
    """Why nothing can be written now; None when all is well. Ends the transaction's use when it is locked."""
    if connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar_one():
        return Said("the server is a standby, which takes no writes")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_WAIT_MS}")
    try:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", (_SPACE, _number(_WRITER)))
    except OperationalError:
        form = Said("nothing can be written to the store: another program has been writing for {count} s")
        return form.filled(count=_WAIT_MS // 1000)
    return None


def count_on(connection: Connection, tables: Iterable[Table]) -> None:
    """Let new keys follow those that were written as they are."""
    for table in tables:
        for column in table.primary_key.columns:
            if column.autoincrement is True:
                counter = func.pg_get_serial_sequence(table.name, column.name)
                connection.execute(select(func.setval(counter, func.max(column))).having(func.max(column).is_not(None)))


def set_aside(connection: Connection, schema: str) -> None:
    """Move every table of the current schema into a new one, with what belongs to it. Undone with the transaction."""
    own = connection.dialect.identifier_preparer.quote(schema)
    connection.execute(text(f"CREATE SCHEMA {own}"))
    names = "SELECT format('TABLE %I', tablename) FROM pg_tables WHERE schemaname = current_schema()"
    # Those of extensions stay with them.
    functions = (
        "SELECT format('FUNCTION %s', oid::regprocedure) FROM pg_proc "
        "WHERE pronamespace = current_schema()::regnamespace "
        "AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
    )
    for query in (names, functions):
        for thing in connection.execute(text(query)).scalars().all():
            connection.execute(text(f"ALTER {thing} SET SCHEMA {own}"))


def _number(name: str) -> int:
    """A lock's name as the signed 32-bit number that the server wants."""
    return int.from_bytes(zlib.crc32(name.encode()).to_bytes(4, "big"), "big", signed=True)
