"""`run` on PostgreSQL: a server that goes away ends no daemon, and two daemons never work on for long."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.config import load_file
from monitor.starter import write_starter
from monitor.store import Store, feeds, items, open_store
from tests.fakes import ALLOW_LOOPBACK, feed_server, item, rss
from tests.postgresql import PostgreSQL

GONE = "it is tried again at every tick"
BACK = "the store can be used again"


@pytest.fixture
def desk(tmp_path: Path, postgresql_server: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder whose store is on the server."""
    with postgresql_server.store() as url:
        monkeypatch.setenv("POLLWATCH_DATABASE__URL", url)
        write_starter(tmp_path / "desk")
        (tmp_path / "desk" / "pollwatch.toml").write_text(ALLOW_LOOPBACK + "[daemon]\ntick_s = 1\n", encoding="utf-8")
        yield tmp_path / "desk"


@pytest.fixture
def store(desk: Path) -> Iterator[Store]:
    """Its store."""
    store = open_store(load_file(desk / "pollwatch.toml").database_url)
    yield store
    store.close()


@contextmanager
def _daemon(desk: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (desk / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "alerts", "run"], cwd=desk, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _log(desk: Path) -> str:
    return (desk / "log").read_text(encoding="utf-8")


def _wait_for(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 90
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _titles(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(each.title for each in items.listing(connection))


def test_the_daemon_goes_on_when_the_server_is_back(desk: Path, store: Store, postgresql_server: PostgreSQL) -> None:
    """A sentence when it goes, one when it is back, nothing at all the ticks between; then the work is done."""
    with feed_server() as server, _daemon(desk) as process:
        with store.write() as connection:
            feeds.add(connection, server.put("/a", rss(item("before", guid="1"))), datetime.now(UTC))
        _wait_for(lambda: _titles(store) == ["before"])
        postgresql_server.stop()
        try:
            _wait_for(lambda: GONE in _log(desk))
            status = subprocess.run(
                [sys.executable, "-m", "alerts", "status"], cwd=desk, capture_output=True, text=True, check=False
            )
            assert (status.returncode, status.stderr.count("\n")) == (2, 1)
            assert "Is the server running" in status.stderr
            time.sleep(3)  # ticks
        finally:
            postgresql_server.start()
        _wait_for(lambda: BACK in _log(desk))
        with store.write() as connection:
            feeds.add(connection, server.put("/b", rss(item("after", guid="1"))), datetime.now(UTC))
        _wait_for(lambda: _titles(store) == ["after", "before"])
        assert process.poll() is None
        assert (_log(desk).count(GONE), _log(desk).count(BACK)) == (1, 1)
        assert "Traceback" not in _log(desk)
        second = subprocess.run(
            [sys.executable, "-m", "alerts", "run"], cwd=desk, capture_output=True, text=True, check=False, timeout=60
        )
        assert second.returncode == 1
        assert "another pollwatch daemon" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0


def test_a_daemon_that_lost_its_lock_to_another_ends(desk: Path, store: Store, postgresql_server: PostgreSQL) -> None:
    """It slept through a restart of the server; before its next piece of work it finds the lock with another."""
    with _daemon(desk) as process:
        _wait_for(lambda: store.is_locked("daemon"))
        process.send_signal(signal.SIGSTOP)
        postgresql_server.stop()
        postgresql_server.start()
        with store.lock("daemon", wait_s=5):
            process.send_signal(signal.SIGCONT)
            assert process.wait(timeout=30) == 1
    assert "another pollwatch daemon works on this store" in _log(desk)
    assert "Traceback" not in _log(desk)
