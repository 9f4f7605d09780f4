"""Shared by all tests: a working folder, a store, a clock that stands still; and no silent skips in CI."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
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


def pytest_configure() -> None:
    """A shell's background job starts with Ctrl-C switched off, and so would every process that a test interrupts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
    """An empty store on a real server when TESTS_ON=postgresql; else None: a SQLite file of the folder."""
    if os.environ.get("TESTS_ON") != "postgresql":
        yield None
        return
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    with server.store() as url:
        yield url


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty store: a copy of it is made faster than another one."""
    file = tmp_path_factory.mktemp("made") / "empty.db"
    with contextlib.closing(open_store(f"sqlite:///{file}", must_exist=False)) as store:
        migrate.upgrade(store)
    return file


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
def new_store(request: pytest.FixtureRequest, tmp_path: Path, empty_store: Path) -> Iterator[Callable[[], Store]]:
    """Each call makes one more empty store, of the same kind as ``store``."""
    with contextlib.ExitStack() as stores:
        numbers = itertools.count(1)

        def make() -> Store:
            if os.environ.get("TESTS_ON") == "postgresql":
                server: PostgreSQL = request.getfixturevalue("postgresql_server")
                url = stores.enter_context(server.store())
            else:
                file = shutil.copy(empty_store, tmp_path / f"new-store-{next(numbers)}.db")
                url = f"sqlite:///{file}"
            return stores.enter_context(contextlib.closing(open_store(url)))

        yield make


@pytest.fixture
def now() -> datetime:
    """12:30 in Hong Kong."""
    return NOW


@pytest.fixture
def folder(tmp_path: Path, empty_store: Path) -> Path:
    """A fresh working folder, as `pollwatch init` writes it."""
    directory = tmp_path / "desk"
    directory.mkdir()
    if os.environ.get("TESTS_ON") != "postgresql":
        shutil.copy(empty_store, directory / "pollwatch.db")
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
    """Where the tests run on PostgreSQL, leave out what is about SQLite alone, and what has no store.

    Whoever has no folder of its own has no store: two tests in three, which are the same on every database.
    """
    if os.environ.get("TESTS_ON") == "postgresql":
        kept, left_out = [], []
        for item in items:
            stored = "tmp_path" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("sqlite")
            (kept if stored else left_out).append(item)
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI everything that can be installed is: a skip there is a failure, `shared`, `mount` and `font` apart."""
    report = yield
    spared = any(item.get_closest_marker(name) for name in ("shared", "mount", "font"))
    if report.skipped and os.environ.get("CI") and not spared:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
