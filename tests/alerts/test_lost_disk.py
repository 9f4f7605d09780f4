"""`run` on SQLite: a disk that is full, a store that is locked or cannot be written; see test_lost_server for a server.

Nothing is lost, nothing is doubled, and `status` says what is wrong while it is.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.config import load_file
from monitor.starter import write_starter
from monitor.store import Store, audit, engine, feeds, items, open_store
from tests.fakes import ALLOW_LOOPBACK, feed_server, item, rss
from tests.full import fill_up, remount, small_disk
from tests.hub import call

pytestmark = pytest.mark.sqlite

STORIES = [item(f"第{number}則", f"{number} " + "投票" * 4000, guid=str(number)) for number in range(300)]


def _desk(folder: Path) -> Path:
    write_starter(folder / "desk")
    with socket.create_server(("127.0.0.1", 0)) as free:
        web = f"[web]\nport = {free.getsockname()[1]}\n"
    (folder / "desk" / "pollwatch.toml").write_text(
        ALLOW_LOOPBACK + "[daemon]\ntick_s = 1\n[evidence]\nmin_free_mb = 0\n" + web, encoding="utf-8"
    )
    return folder / "desk"


@contextlib.contextmanager
def _store(desk: Path) -> Iterator[Store]:
    with contextlib.closing(open_store(load_file(desk / "pollwatch.toml").database_url)) as store:
        yield store


@contextlib.contextmanager
def _daemon(desk: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "alerts", "run"], cwd=desk, stderr=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _run(desk: Path, *words: str) -> tuple[int, str]:
    """The exit code, and all that was said; never a traceback."""
    command = [sys.executable, "-m", "alerts", *words]
    done = subprocess.run(command, cwd=desk, capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def _health(desk: Path) -> str:
    """What the daemon tells a monitor, which is that it is not well."""
    code, said = call(f"http://127.0.0.1:{load_file(desk / 'pollwatch.toml').web.port}/healthz")
    assert code == 503
    return said


def _wait_for(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 150
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _titles(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(each.title for each in items.listing(connection))


def _end(process: subprocess.Popen[bytes], store: Store, log: Path) -> None:
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    assert "Traceback" not in log.read_text(encoding="utf-8")
    assert engine.integrity(store) == []
    with store.read() as connection:
        assert audit.verify(connection) is None


@pytest.mark.mount
def test_a_full_disk_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """While it is full everything else goes on; when there is room again, what was cut off is done."""
    log = tmp_path / "log"
    with small_disk(24) as disk, feed_server() as server:
        desk = _desk(disk)
        with _store(desk) as store, _daemon(desk, log) as process:
            with store.write() as connection:
                feeds.add(connection, server.put("/a", rss(item("before", guid="1"))), datetime.now(UTC))
            _wait_for(lambda: _titles(store) == ["before"])
            filler = fill_up(disk)
            with contextlib.suppress(Exception), store.write() as connection:
                feeds.add(connection, server.put("/b", rss(*STORIES)), datetime.now(UTC))
            _wait_for(lambda: "disk is full" in log.read_text(encoding="utf-8"))
            code, said = _run(desk, "status")
            assert code in (1, 2)
            assert "disk" in said
            assert "disk" in _health(desk)
            assert _titles(store) == ["before"]
            filler.unlink()
            with store.write() as connection:
                feeds.add(connection, server.put("/b", rss(*STORIES)), datetime.now(UTC))
            _wait_for(lambda: len(_titles(store)) == 301)
            time.sleep(2)  # one more pass
            assert len(set(_titles(store))) == len(_titles(store)) == 301
            _end(process, store, log)


@pytest.mark.soak
def test_a_store_that_another_program_locks_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """For longer than anybody waits: it is told in a sentence, and tried again."""
    desk, log = _desk(tmp_path), tmp_path / "log"
    with feed_server() as server, _store(desk) as store, _daemon(desk, log) as process:
        with store.write() as connection:
            feeds.add(connection, server.put("/a", rss(item("before", guid="1"))), datetime.now(UTC))
        _wait_for(lambda: _titles(store) == ["before"])
        with store.write() as connection:
            feeds.add(connection, server.put("/b", rss(*STORIES)), datetime.now(UTC))
        with contextlib.closing(sqlite3.connect(str(store.path), isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            had = len(_titles(store))
            _wait_for(lambda: "database is locked" in log.read_text(encoding="utf-8"))
            code, said = _run(desk, "status")
            assert code == 1, said
            assert f"nothing can be written to {store.path}: database is locked" in said
            assert f"nothing can be written to {store.path}: database is locked" in _health(desk)
            assert len(_titles(store)) == had
            other.execute("ROLLBACK")
        _wait_for(lambda: len(_titles(store)) == 301)
        assert len(set(_titles(store))) == 301
        _end(process, store, log)


@pytest.mark.mount
def test_a_store_on_a_disk_that_cannot_be_written_is_one_sentence() -> None:
    """And works as before when it can be again."""
    with small_disk(24) as disk:
        desk = _desk(disk)
        with remount(disk, "ro"):
            for words in (["run"], ["collect"], ["status"], ["db", "upgrade"], ["db", "backup", "b.db"]):
                code, said = _run(desk, *words)
                assert (code, said.count("\n")) == (2, 1), (words, said)
                assert "ead-only" in said or "unable to open database file" in said
        code, said = _run(desk, "run", "--once")
        assert code == 0, said


@pytest.mark.mount
def test_a_nearly_full_disk_is_told_before_it_is_full() -> None:
    """There is time to make room."""
    with small_disk(24) as disk:
        desk = _desk(disk)
        assert "MB left: make room" in _run(desk, "status")[1]
