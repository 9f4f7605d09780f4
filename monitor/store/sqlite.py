"""What is special to SQLite: one writer at a time, and locks as files that the system frees when their holder dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from monitor.errors import BrokenStoreError, ConfigError, MissingStoreError

READ_OPTIONS = {"pollwatch_read": True}


class SqliteLocks:
    """Named locks of a store in a file; one in memory has one process and needs none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @contextlib.contextmanager
    def hold(self, name: str, wait_s: float) -> Iterator[_Held]:
        """Raises TimeoutError when another process holds it for longer than ``wait_s`` seconds."""
        if self._path is None:
            yield _Held()
            return
        lock = filelock.FileLock(f"{self._path}.{name}.lock")
        try:
            lock.acquire(timeout=wait_s)
        except PermissionError as error:
            raise BrokenStoreError(str(self._path), f"its folder cannot be written: {error.strerror}") from error
        try:
            yield _Held()
        finally:
            lock.release()


class _Held:
    def keep(self) -> bool:
        """The system takes a file's lock from nobody who lives."""
        return True


def file_of(url: URL) -> Path | None:
    """The file of a store; None in memory."""
    return None if url.database in (None, "", ":memory:") else Path(str(url.database))


def open_engine(url: URL, *, must_exist: bool) -> Engine:
    """Raises MissingStoreError when the file is not there, ConfigError when its folder is not."""
    path = file_of(url)
    if path is not None and must_exist and not path.exists():
        raise MissingStoreError(url.render_as_string())
    if path is not None and not path.parent.is_dir():
        raise ConfigError("configuration", "database.url", f"the folder {path.parent} does not exist")
    engine = create_engine(url, connect_args={"timeout": 30})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
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


def _on_begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("pollwatch_read", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def integrity(connection: Connection) -> list[str]:
    """What SQLite's own check and the foreign keys find wrong."""
    rows = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20)
    found = [row for row in rows if row != "ok"]
    return found + [f"row {row[1]} of table {row[0]} points to a missing row of {row[2]}" for row in orphans]
