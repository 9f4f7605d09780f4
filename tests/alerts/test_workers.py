"""A fleet: the clock queues, workers in processes of their own work, a real PostgreSQL server between them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from alerts import workers
from alerts.cli import main
from alerts.status import status
from monitor.config import Settings, load_file
from monitor.errors import BusyError, StoreError
from monitor.starter import write_starter
from monitor.store import Connection, Store, backup, feeds, fleet, items, open_store, runs
from monitor.types import Part
from tests.fakes import feed_server, item, rss
from tests.postgresql import PostgreSQL, url_of

PARTS = 4
TOML = f"""
[fetch]
allow_private = ["127.0.0.0/8"]
[daemon]
tick_s = 1
[workers]
engine = "procrastinate"
parts = {PARTS}
"""


@pytest.fixture
def desk(tmp_path: Path, postgresql_server: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder for a fleet, its store on the server and the queue made."""
    with postgresql_server.store() as url:
        monkeypatch.setenv("POLLWATCH_DATABASE__URL", url)
        folder = tmp_path / "desk"
        write_starter(folder)
        (folder / "pollwatch.toml").write_text(TOML, encoding="utf-8")
        yield folder


@pytest.fixture
def settings(desk: Path) -> Settings:
    """Its configuration."""
    return load_file(desk / "pollwatch.toml")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """Its store, with the queue."""
    store = open_store(settings.database_url)
    workers.prepare(store)
    yield store
    store.close()


@contextmanager
def _running(desk: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    log = desk / f"{words[0]}.log"
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, "-m", "alerts", *words], cwd=desk, stderr=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait_for(happened: Callable[[], object], seconds: float = 250) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _fleet(store: Store) -> fleet.Fleet:
    with store.read() as connection:
        found = fleet.load(connection)
    assert found is not None
    return found


def _queued(store: Store) -> list[dict[str, Any]]:
    with _queue(store) as connection:
        rows = connection.execute(text("SELECT task_name, args, lock, status FROM procrastinate_jobs ORDER BY id"))
        return [row._asdict() for row in rows]


def _titles(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(each.title for each in items.listing(connection))


def test_a_stage_is_never_queued_twice(store: Store, settings: Settings) -> None:
    """Two ticks without any worker leave one job for each stage and each part of the feeds, in their order."""
    names = workers.chosen(None, settings)
    for _ in range(2):
        workers.defer(names, store, settings, lambda: False)
    queued = _queued(store)
    assert [row["task_name"] for row in queued] == ["collect"] * PARTS + list(names[1:])
    assert [row["args"] for row in queued[:PARTS]] == [{"part": part, "parts": PARTS} for part in range(PARTS)]
    one_after_another = [row["task_name"] for row in queued if row["lock"] == "stages"]
    assert one_after_another == ["assess", "group", "sample", "dispatch", "escalate"]
    assert (_fleet(store).live, _fleet(store).waiting) == (0, len(queued))


def test_every_feed_is_in_one_part_with_its_host() -> None:
    """Parts are as good as equal, and feeds of one host are never in two of them."""
    hosts = [f"feed-{number}.example" for number in range(2000)]
    counts = Counter(number for host in hosts for number in range(8) if Part(number, 8).holds(host))
    assert sum(counts.values()) == len(hosts)
    assert min(counts.values()) > 2000 / 8 * 0.75
    assert Part(0, 1).holds("feed-1.example")


def test_workers_do_what_the_clock_calls_for(desk: Path, store: Store, settings: Settings) -> None:
    """Every stage runs, and only workers run them; `status` counts those; both stop on SIGTERM within ten seconds."""
    with feed_server() as server:
        with store.write() as connection:
            for number in range(6):
                document = rss(item(f"story {number}", guid="1"))
                feeds.add(connection, server.put(f"/{number}", document), datetime.now(UTC))
        with _running(desk, "run") as clock:
            _wait_for(lambda: store.is_locked("daemon") and _queued(store))
            assert server.requests == []
            with _running(desk, "worker") as worker:
                _wait_for(lambda: len(_titles(store)) == 6)
                _wait_for(lambda: _ended(store) >= {"collect", "assess", "group", "dispatch", "digest", "purge"})
                assert _fleet(store).live == 1
                found = status(store, settings, datetime.now(UTC))
                assert found["workers"]["live"] == 1
                assert not [problem for problem in found["problems"] if "worker" in problem]
                for process in (worker, clock):
                    process.send_signal(signal.SIGTERM)
                    assert process.wait(timeout=10) == 0
        assert Counter(path for path, _ in server.requests) == Counter(f"/{number}" for number in range(6))
    assert _fleet(store).live == 0
    problems = status(store, settings, datetime.now(UTC))["problems"]
    assert "no worker is up: `pollwatch worker`" in problems
    assert "Traceback" not in (desk / "run.log").read_text() + (desk / "worker.log").read_text()


def _ended(store: Store) -> set[str]:
    with store.read() as connection:
        return {name for name, row in runs.latest(connection).items() if row["finished_at"] and not row["error"]}


def test_nothing_is_lost_or_doubled_when_a_worker_is_killed(desk: Path, store: Store, settings: Settings) -> None:
    """SIGKILL in the middle of jobs: another worker does them once the first was silent; each item is there once."""
    with feed_server() as server:
        with store.write() as connection:
            for number in range(12):
                document = rss(*(item(f"story {number} {guid}", guid=str(guid)) for guid in range(3)))
                feeds.add(connection, server.put(f"/{number}", document, delay_s=1.5), datetime.now(UTC))
        workers.defer(workers.chosen("collect", settings), store, settings, lambda: False)
        with _running(desk, "worker", "--stages", "collect") as doomed:
            _wait_for(lambda: server.requests)
            doomed.kill()
            doomed.wait()
        left = [row for row in _queued(store) if row["status"] == "doing"]
        assert left
        assert len(_titles(store)) < 36
        _grow_old(store)
        with _running(desk, "worker", "--stages", "collect"):
            workers.defer(("subscribe",), store, settings, lambda: False)  # the clock's next tick, whatever it is for
            _wait_for(lambda: len(_titles(store)) == 36)
            _wait_for(lambda: [row["task_name"] for row in _queued(store)] == ["subscribe"])
    assert _titles(store) == sorted(f"story {number} {guid}" for number in range(12) for guid in range(3))


def _grow_old(store: Store) -> None:
    """What the time does in which a dead worker is silent and its leases end."""
    with _queue(store) as connection:
        connection.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"))
    with store.write() as connection:
        connection.execute(text("UPDATE hosts SET held_until = now() - interval '1 second'"))


def test_what_a_dead_worker_left_is_queued_once(store: Store, settings: Settings) -> None:
    """Its job is put back; where the same waits already it is dropped, and keeps nobody from that one."""
    workers.defer(("assess",), store, settings, lambda: False)
    _taken_by_nobody(store)
    workers.defer((), store, settings, lambda: False)
    assert [row["status"] for row in _queued(store)] == ["todo"]
    _taken_by_nobody(store)
    with _queue(store) as connection:
        connection.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock)"
                " VALUES ('assess', 'assess', 'stages', 'assess')"
            )
        )
    workers.defer(("assess",), store, settings, lambda: False)
    assert [row["status"] for row in _queued(store)] == ["todo"]


@contextmanager
def _queue(store: Store) -> Iterator[Connection]:
    """A transaction in the queue's own schema."""
    with store.write() as connection:
        connection.execute(text(f"SET LOCAL search_path TO {fleet.schema(connection)}"))
        yield connection


def _taken_by_nobody(store: Store) -> None:
    """As a worker leaves its jobs that died and was struck off."""
    with _queue(store) as connection:
        connection.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))


def test_no_store_is_moved_under_workers(store: Store, tmp_path: Path, now: datetime) -> None:
    """While one is up, be it idle, neither `restore` nor `copy` begins; the queue is no part of a backup."""
    backup.backup(store, tmp_path / "before.db")
    with _queue(store) as connection:
        connection.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    for move in (
        lambda: backup.restore(tmp_path / "before.db", url_of(store), now, replace=True),
        lambda: backup.copy(store, f"sqlite:///{tmp_path}/copy.db"),
    ):
        with pytest.raises(BusyError, match="workers are up on this store"):
            move()
    _grow_old(store)
    backup.restore(tmp_path / "before.db", url_of(store), now, replace=True)
    workers.check(store)


def test_a_worker_goes_on_when_the_server_is_back(desk: Path, store: Store, postgresql_server: PostgreSQL) -> None:
    """A sentence when it goes, one when it is back, no traceback; then it works."""
    settings = load_file(desk / "pollwatch.toml")
    log = desk / "worker.log"
    with feed_server() as server, _running(desk, "worker") as worker:
        _wait_for(lambda: _fleet(store).live == 1)
        postgresql_server.stop()
        try:
            _wait_for(lambda: "it is tried again" in log.read_text())
        finally:
            postgresql_server.start()
        _wait_for(lambda: "the store can be used again" in log.read_text())
        with store.write() as connection:
            feeds.add(connection, server.put("/a", rss(item("after", guid="1"))), datetime.now(UTC))
        workers.defer(("collect",), store, settings, lambda: False)
        _wait_for(lambda: _titles(store) == ["after"])
        assert worker.poll() is None
    assert (log.read_text().count("it is tried again"), log.read_text().count("Traceback")) == (1, 0)


def test_the_queue_is_made_anew_for_other_tables(store: Store, settings: Settings) -> None:
    """Where another Procrastinate's tables are, nothing starts; `db upgrade` mends it, and the store is untouched."""
    with store.write() as connection:
        feeds.add(connection, "https://harbour-daily.example/rss", datetime.now(UTC))
        connection.execute(text(f"COMMENT ON SCHEMA {fleet.schema(connection)} IS 'another'"))
    with pytest.raises(StoreError, match="db upgrade"):
        workers.check(store)
    for _ in range(2):
        workers.prepare(store)
    workers.check(store)
    workers.defer(("assess",), store, settings, lambda: False)
    workers.prepare(store)
    assert len(_queued(store)) == 1
    with store.read() as connection:
        assert len(feeds.listing(connection)) == 1


def test_wrong_words_are_one_sentence(
    desk: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store without a queue, a stage that is none, a store that is a file, a configuration without workers."""
    monkeypatch.chdir(desk)
    for word in ("worker", "run"):
        assert _main(word) == 2
        assert "run `pollwatch db upgrade`" in capsys.readouterr().err
    assert _main("db", "upgrade") == 0
    assert _main("worker", "--stages", "assess,colect") == 2
    assert "no stage 'colect'; there are collect" in capsys.readouterr().err
    (desk / "pollwatch.toml").write_text("", encoding="utf-8")
    assert _main("worker") == 2
    assert 'write engine = "procrastinate" under [workers]' in capsys.readouterr().err
    (desk / "pollwatch.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.setenv("POLLWATCH_DATABASE__URL", "sqlite:///pollwatch.db")
    assert _main("status") == 2
    error = capsys.readouterr().err
    assert "workers.engine: workers need a store on a server" in error
    assert error.count("\n") == 1


def _main(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return ended.value.code
