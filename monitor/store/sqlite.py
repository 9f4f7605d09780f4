"""What is special to SQLite: one writer at a time, and locks as files that the system frees when their holder dies."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import filelock
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from monitor.errors import BrokenStoreError, BusyError, ConfigError, MissingStoreError
from monitor.types import Said

READ_OPTIONS = {"pollwatch_read": True}
_WAIT_S = 30.0  # for whoever writes
_LOOK_S = 2.0  # how long a look whether something can be written waits for whoever writes
_ROOM = 64 << 20  # bytes on the disk below which somebody should make room before all writing ends


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
        except TimeoutError:  # an OSError as well
            raise
        except OSError as error:
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
    engine = create_engine(url, connect_args={"timeout": _WAIT_S, "factory": _Connection})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


class _Connection(sqlite3.Connection):
    """Whose transactions leave nothing behind.

    A result that nobody read to its end goes on seeing the state that it began with, until it is collected as garbage;
    meanwhile whatever the connection is to write fails at once ("database is locked"), however long it may wait.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, *args: Any, **options: Any) -> Any:
        made = super().cursor(*args, **options)
        self._cursors.add(made)
        return made

    def commit(self) -> None:
        self._finish()
        super().commit()

    def rollback(self) -> None:
        self._finish()
        super().rollback()

    def _finish(self) -> None:
        for cursor in list(self._cursors):
            cursor.close()
        self._cursors.clear()


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling begins too late to hold a lock; we send BEGIN ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    _write_ahead(cursor)
    # FULL: a digest that is about to be sent must survive a power cut, or it would be sent again.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Have readers and the writer not wait for each other: a new, a restored or a copied store does not yet.

    While somebody writes, SQLite refuses that at once, and does not wait as it does for everything else.
    """
    until = time.monotonic() + _WAIT_S
    while cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):  # asking works on a read-only store too
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return  # also in memory, where there is none


def _on_begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("pollwatch_read", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def integrity(connection: Connection) -> list[str]:
    """What SQLite's own check and the foreign keys find wrong."""
    rows = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20)
    found = [row for row in rows if row != "ok"]
    return found + [f"row {row[1]} of table {row[0]} points to a missing row of {row[2]}" for row in orphans]


def obstacle(path: Path) -> Said | None:
    """Why nothing can be written to the store, or soon will not be; None when all is well."""
    try:
        opened = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_LOOK_S, isolation_level=None)
        with contextlib.closing(opened) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        return Said("nothing can be written to {file}: {error}", {"file": str(path), "error": str(error)})
    free = shutil.disk_usage(path.parent).free
    full = Said("the disk of {file} has {free} MB left: make room", {"file": str(path), "free": free >> 20})
    return full if free < _ROOM else None


def copy_pages(connection: Connection, file: Path) -> None:
    """Write the database as ``connection`` sees it into an empty file; whoever writes meanwhile is not held up.

    The connection must have read something in its transaction: that is the state which is copied. Raises
    BrokenStoreError.
    """
    source: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]  # of this dialect
    _copy(source, file)


def copy_file(source: Path, file: Path) -> None:
    """Write the database in one file into another, which is empty; the first is only read. Raises BrokenStoreError."""
    address = f"{source.absolute().as_uri()}?mode=ro"
    with _told(source), contextlib.closing(sqlite3.connect(address, uri=True)) as opened:
        _copy(opened, file)


def _copy(source: sqlite3.Connection, file: Path) -> None:
    with _told(file), contextlib.closing(sqlite3.connect(file)) as target:
        source.backup(target)
        # A file that needs no other beside it, and can be read from where nothing can be written.
        target.execute("PRAGMA journal_mode = DELETE")


def put_in_place(made: Path, path: Path, kept: Path | None) -> None:
    """Put the store ``made`` where the store ``path`` is or may be; the old one gets the name ``kept``.

    At every instant one of the two stands there, whole. Nobody has ``made`` open. Raises BusyError while another
    program has the old one open.
    """
    with _alone_with(path) if path.exists() else contextlib.nullcontext():
        if path.exists():
            _make_like(made, path)
        if kept is not None:
            _link_or_move(path, kept)
            for suffix in ("-wal", "-shm"):  # they are there only beside a store that cannot be opened
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{path}{suffix}").replace(f"{kept}{suffix}")
        made.replace(path)
    _sync_folder(path)


def name(made: Path, target: Path) -> None:
    """Give a file that is whole its name, on the same disk, for good. Raises FileExistsError when something has it."""
    _link_or_move(made, target)
    _sync_folder(target)


@contextlib.contextmanager
def _alone_with(path: Path) -> Iterator[None]:
    """Nobody else has the store open until the end; all of it is in its own file."""
    with contextlib.closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")  # only who is alone may do this
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise BrokenStoreError(str(path), str(error)) from error
            raise BusyError("store", f"another program has {path} open; stop every pollwatch first") from error
        except sqlite3.DatabaseError:
            pass  # damaged: nobody works on it
        yield


def _make_like(made: Path, path: Path) -> None:
    """Whoever may use the old file may use the new one: root restores for others."""
    old = path.stat()
    made.chmod(old.st_mode)
    with contextlib.suppress(PermissionError):
        os.chown(made, old.st_uid, old.st_gid)


def _link_or_move(file: Path, name: Path) -> None:
    """Give a file one more name, which must be free; where there are no links, move it. Raises FileExistsError."""
    try:
        name.hardlink_to(file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if name.exists():
            raise FileExistsError(name) from None
        file.rename(name)


def _sync_folder(file: Path) -> None:
    """Make sure that the name of a file outlives a power cut."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BrokenStoreError(str(file), str(error)) from error
