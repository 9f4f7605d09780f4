"""What is special to PostgreSQL: writers wait for each other as they do in SQLite, and locks end with their session."""

from __future__ import annotations

import contextlib
import time
import zlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from monitor.errors import ConfigError

_NO_WRITER: dict[str, Any] = {"pollwatch_read": True}
READ_OPTIONS = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True, **_NO_WRITER}

_SPACE = 0x706F6C6C  # our part of the advisory locks of a database
_LOOK_S = 0.05  # between two looks whether a lock is free
_WRITER = "write"


class PostgresqlLocks:
    """Named advisory locks, each held by a connection of its own: the server frees it when its holder dies."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextlib.contextmanager
    def hold(self, name: str, wait_s: float) -> Iterator[None]:
        """Raises TimeoutError when another session holds it for longer than ``wait_s`` seconds."""
        until = time.monotonic() + wait_s
        options = {"isolation_level": "AUTOCOMMIT", **_NO_WRITER}
        with self._engine.connect().execution_options(**options) as connection:
            while not connection.exec_driver_sql(
                "SELECT pg_try_advisory_lock(%s, %s)", (_SPACE, _number(name))
            ).scalar_one():
                if time.monotonic() >= until:
                    raise TimeoutError(name)
                time.sleep(_LOOK_S)
            try:
                yield
            finally:
                connection.exec_driver_sql("SELECT pg_advisory_unlock(%s, %s)", (_SPACE, _number(name)))


def open_engine(url: URL) -> Engine:
    """Raises ConfigError for a driver that we do not use, or when it is not installed."""
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise ConfigError("configuration", "database.url", "write postgresql://… ; psycopg 3 is the driver")
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,  # a server that was restarted meanwhile costs no error
            connect_args={"connect_timeout": 10, "options": "-c lock_timeout=30000 -c timezone=UTC"},
        )
    except ImportError as error:
        mend = "PostgreSQL needs its driver: pip install 'pollwatch[postgresql]'"
        raise ConfigError("configuration", "database.url", mend) from error
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_begin(connection: Connection) -> None:
    # Stages read, decide and write in one transaction; one writer at a time makes that right without any retries.
    if not connection.get_execution_options().get("pollwatch_read", False):
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", (_SPACE, _number(_WRITER)))


def _number(name: str) -> int:
    """A lock's name as the signed 32-bit number that the server wants."""
    return int.from_bytes(zlib.crc32(name.encode()).to_bytes(4, "big"), "big", signed=True)
