"""Opening the store: SQLite by default, PostgreSQL by its URL; one writer, and locks that die with their holder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError

from monitor import logs, tracing
from monitor.errors import BrokenStoreError, BusyError, ConfigError
from monitor.store import postgresql, sqlite
from monitor.types import Said

__all__ = ["Connection", "Store", "integrity", "open_store"]


_MEND = (
    "not a database URL; try sqlite:///pollwatch.db or postgresql://user:password@host/name, "
    "with @ : / ? # of a password written as %40 %3A %2F %3F %23"
)


class Held(Protocol):
    """A named lock that was got."""

    def keep(self) -> bool:
        """Whether it is still ours, or ours again: a server that was restarted has taken every lock away."""


class Locks(Protocol):
    """Named locks between processes."""

    def hold(self, name: str, wait_s: float) -> contextlib.AbstractContextManager[Held]:
        """Raises TimeoutError when another process holds it for longer than ``wait_s`` seconds."""


class Store:
    """A handle on the database. ``read()`` and ``write()`` are the only ways in; each is one transaction."""

    def __init__(self, engine: Engine, path: Path | None, locks: Locks, read_options: dict[str, Any]) -> None:
        self.engine = engine
        self.path = path  # the SQLite file; None on a server or in memory
        self._locks = locks
        self._read_options = read_options

    @property
    def url(self) -> str:
        """The address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store and changes nothing."""
        with (
            self._told(),
            self.engine.connect().execution_options(**self._read_options) as connection,
            connection.begin(),
        ):
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement: decide and write inside it.

        What ``logs.tell`` is told inside is said once it is committed.
        """
        with logs.when_done(), tracing.step("store.write"), self._told(), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong with the database itself, as a sentence.

        A broken constraint or a value that no column takes is a fault of ours and stays what it is.
        """
        try:
            yield
        except (IntegrityError, DataError):
            raise
        except DatabaseError as error:
            raise BrokenStoreError(self.url, " ".join(str(error.orig).split())) from error

    @contextlib.contextmanager
    def lock(self, name: str, *, wait_s: float = 0.0, busy: str = "") -> Iterator[Callable[[], None]]:
        """Hold the named lock; released by the system when the process dies, however it dies.

        Raises BusyError when another process holds it for longer than ``wait_s`` seconds. Who holds it for long calls
        what this yields before every piece of work: a server that ends our session gives the lock to others. It is
        taken again then, or BusyError says that another process was faster.
        """
        taken = BusyError(name, busy or f"another process holds the {name} lock of {self.url}")
        with contextlib.ExitStack() as stack:
            try:
                with self._told():
                    held = stack.enter_context(self._locks.hold(name, wait_s))
            except TimeoutError as error:
                raise taken from error

            def keep() -> None:
                with self._told():
                    if not held.keep():
                        raise taken

            yield keep

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
    except (ArgumentError, ValueError) as error:  # ValueError: of a port; its words would show a password
        raise ConfigError("configuration", "database.url", _MEND) from error
    if "@" in (parsed.host or ""):  # the rest of a password, which would be shown
        raise ConfigError("configuration", "database.url", _MEND)
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        engine = postgresql.open_engine(parsed)
        return Store(engine, None, postgresql.PostgresqlLocks(engine), postgresql.READ_OPTIONS)
    if backend == "sqlite":
        path = sqlite.file_of(parsed)
        engine = sqlite.open_engine(parsed, must_exist=must_exist)
        return Store(engine, path, sqlite.SqliteLocks(path), sqlite.READ_OPTIONS)
    raise ConfigError("configuration", "database.url", f"{backend} is not supported; use sqlite:///… or postgresql://…")


def integrity(store: Store) -> list[str]:
    """What the database's own check finds wrong; empty when the store is sound. PostgreSQL watches over itself."""
    if store.engine.dialect.name != "sqlite":
        return []
    try:
        with store.read() as connection:
            return sqlite.integrity(connection)
    except BrokenStoreError as error:
        return [error.detail]


def obstacle(store: Store) -> Said | None:
    """Why nothing can be written to the store now, or soon will not be, in a sentence; None when all is well.

    Waits two seconds at most for whoever writes. Raises BrokenStoreError when it cannot even be read.
    """
    if store.path:
        return sqlite.obstacle(store.path)
    if store.engine.dialect.name == "sqlite":  # in memory
        return None
    with store.read() as connection:
        return postgresql.obstacle(connection)
