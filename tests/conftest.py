"""Shared by all tests: a working folder, a store, a clock that stands still; and no silent skips in CI."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor import language
from monitor.config import Settings, load_file
from monitor.starter import write_starter
from monitor.store import Store, migrate, open_store
from tests.postgresql import PostgreSQL, postgresql

NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, database_url: str | None) -> None:
    """No POLLWATCH_ variable of the person who runs the tests reaches them, but where their store is to be."""
    for name in list(os.environ):
        if name.startswith("POLLWATCH_") and name != "POLLWATCH_SHARED":
            monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")  # their language neither
    language.use("en")
    if database_url is not None:
        monkeypatch.setenv("POLLWATCH_DATABASE__URL", database_url)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of our own."""
    with postgresql() as server:
        yield server


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A fresh database on a real server when TESTS_ON=postgresql; else None: a SQLite file of the folder."""
    if os.environ.get("TESTS_ON") != "postgresql":
        yield None
        return
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    with server.database() as url:
        yield url


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Each call gives the URL of one more store, which nobody has made yet, of the same kind as ``store``."""
    with contextlib.ExitStack() as databases:
        if os.environ.get("TESTS_ON") == "postgresql":
            server: PostgreSQL = request.getfixturevalue("postgresql_server")
            yield lambda: databases.enter_context(server.database())
        else:
            numbers = itertools.count(1)
            yield lambda: f"sqlite:///{tmp_path}/store-{next(numbers)}.db"


@pytest.fixture
def new_store(new_url: Callable[[], str]) -> Iterator[Callable[[], Store]]:
    """Each call makes one more empty store."""
    with contextlib.ExitStack() as stores:

        def make() -> Store:
            store = stores.enter_context(contextlib.closing(open_store(new_url(), must_exist=False)))
            migrate.upgrade(store)
            return store

        yield make


@pytest.fixture
def now() -> datetime:
    """12:30 in Hong Kong."""
    return NOW


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh working folder, as `pollwatch init` writes it."""
    directory = tmp_path / "desk"
    write_starter(directory)
    return directory


@pytest.fixture
def configure(folder: Path) -> Callable[[str], Settings]:
    """Replace the configuration by these lines of TOML and load it."""

    def write(toml: str) -> Settings:
        file = folder / "pollwatch.toml"
        file.write_text(toml, encoding="utf-8")
        return load_file(file)

    return write


@pytest.fixture
def settings(folder: Path) -> Settings:
    """The starter configuration."""
    return load_file(folder / "pollwatch.toml")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """The empty store of the working folder."""
    store = open_store(settings.database_url)
    yield store
    store.close()


@pytest.fixture
def shared() -> Path:
    """Recorded feeds and labelled text that the project does not ship; tests that use it carry the mark `shared`."""
    given = os.environ.get("POLLWATCH_SHARED")
    if not given:
        pytest.skip("POLLWATCH_SHARED names no folder of recorded feeds and labelled text")
    return Path(given)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about SQLite alone where the tests run on PostgreSQL."""
    if os.environ.get("TESTS_ON") == "postgresql":
        left_out = [item for item in items if item.get_closest_marker("sqlite")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI everything that can be installed is: a skip there is a failure, the mark `shared` apart."""
    report = yield
    if report.skipped and os.environ.get("CI") and not item.get_closest_marker("shared"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
