"""Opening the store: SQLite in WAL mode by default, one writer at a time, locks that die with their holder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError

from monitor.errors import BrokenStoreError, BusyError, ConfigError, MissingStoreError

__all__ = ["Connection", "Store", "open_store"]


class Store:
    """A handle on the database. ``read()`` and ``write()`` are the only ways in; each is one transaction."""

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path  # the SQLite file; None on a server or in memory

    @property
    def url(self) -> str:
        """The address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store and changes nothing."""
        with (
            self._told(),
            self.engine.connect().execution_options(pollwatch_read=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement: decide and write inside it."""
        with self._told(), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong with the database itself, as a sentence; a broken constraint is a fault of ours and stays."""
        try:
            yield
        except IntegrityError:
            raise
        except DatabaseError as error:
            raise BrokenStoreError(self.url, str(error.orig)) from error

    @contextlib.contextmanager
    def lock(self, name: str, *, wait_s: float = 0.0, busy: str = "") -> Iterator[None]:
        """Hold the named lock; released by the system when the process dies, however it dies.

        Raises BusyError when another process holds it for longer than ``wait_s`` seconds.
        """
        if self.path is None:  # an in-memory store has one process
            yield
            return
        lock = filelock.FileLock(f"{self.path}.{name}.lock")
        try:
            lock.acquire(timeout=wait_s)
        except PermissionError as error:
            raise BrokenStoreError(self.url, f"its folder cannot be written: {error.strerror}") from error
        except filelock.Timeout as error:
            raise BusyError(name, busy or f"another process holds the {name} lock of {self.url}") from error
        try:
            yield
        finally:
            lock.release()

    def is_locked(self, name: str) -> bool:
        """Whether a process holds the named lock now."""
        try:
            with self.lock(name):
                return False
        except BusyError:
            return True

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def open_store(url: str, *, must_exist: bool = True) -> Store:
    """Open the store at a SQLAlchemy URL; the schema is not looked at (see ``migrate.check``).

    Raises ConfigError for a URL that cannot be used and MissingStoreError when a SQLite file is not there.
    """
    prefix = "sqlite:///"
    try:
        # A path is taken as it is: a folder may have a question mark in its name.
        parsed = URL.create("sqlite", database=url.removeprefix(prefix)) if url.startswith(prefix) else make_url(url)
    except ArgumentError as error:
        raise ConfigError("configuration", "database.url", "not a database URL; try sqlite:///pollwatch.db") from error
    if parsed.get_backend_name() != "sqlite":
        raise ConfigError(
            "configuration", "database.url", f"{parsed.get_backend_name()} is not supported yet; use sqlite:///…"
        )
    path = None if parsed.database in (None, "", ":memory:") else Path(str(parsed.database))
    if path is not None and must_exist and not path.exists():
        raise MissingStoreError(url)
    if path is not None and not path.parent.is_dir():
        raise ConfigError("configuration", "database.url", f"the folder {path.parent} does not exist")
    engine = create_engine(parsed, connect_args={"timeout": 30})
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return Store(engine, path)


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling begins too late to hold a lock; we send BEGIN ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):  # asking works on a read-only store too
        cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: a digest that is about to be sent must survive a power cut, or it would be sent again.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA busy_timeout = 30000")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("pollwatch_read", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def integrity(store: Store) -> list[str]:
    """What SQLite's own check and the foreign keys find wrong; empty when the store is sound."""
    try:
        with store.read() as connection:
            rows = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20)
    except BrokenStoreError as error:
        return [error.detail]
    found = [row for row in rows if row != "ok"]
    return found + [f"row {row[1]} of table {row[0]} points to a missing row of {row[2]}" for row in orphans]
