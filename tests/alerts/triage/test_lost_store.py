"""A database that goes away: a banner says so, what was read stays, and the desk goes on by itself when it is back."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from alerts import queue
from alerts.dispatch import dispatch
from monitor.config import Settings
from monitor.store import Store, open_store
from tests.alerts.rows import add_incident
from tests.alerts.triage.seats import Clock, play, seated
from tests.postgresql import PostgreSQL


def _alerts(store: Store, settings: Settings, clock: Clock, count: int = 60) -> None:
    for number in range(count):
        add_incident(store, clock.now, title=f"Story {number} of the pier", score=0.6 - number / 1e3, lang="en")
    dispatch(store, settings, clock.now)


@pytest.mark.sqlite
def test_a_file_that_is_gone_and_comes_back(store: Store, settings: Settings, clock: Clock, tmp_path: Path) -> None:
    """Moved away with all that belongs to it; another copy in its place is opened anew. The cursor stays."""
    _alerts(store, settings, clock)
    path = store.path
    assert path is not None
    store.close()  # nothing is left in the write-ahead log
    away = tmp_path / "away.db"

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press(*["down"] * 30)
            at = maya.desk.queue_screen.queue.at
            shutil.copy(path, away)
            path.unlink()
            await maya.sees("! The database does not answer: there is no store at")
            assert "Story 30 of the pier" in maya.text
            await maya.press("t")
            await maya.sees("Not done: ")
            shutil.move(away, path)
            await maya.sees("The database is back.")
            assert maya.desk.queue_screen.queue.at == at
            await maya.press("t")
            await maya.sees("You hold this alert")

    play(scene())
    assert queue.show(store, 31, clock.now)["holder"] == "maya"


@pytest.mark.sqlite
def test_a_busy_store_keeps_nobody_waiting_at_the_keys(store: Store, settings: Settings, clock: Clock) -> None:
    """While another process writes, the list scrolls; the act is done when its turn comes."""
    _alerts(store, settings, clock)
    path = store.path
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("down")
            await maya.pilot.press("t")
            await maya.sees("One moment …")
            assert maya.desk.on_alert is None
            threading.Timer(0.3, other.execute, ["COMMIT"]).start()
            await maya.sees("You hold this alert")

    play(scene())
    other.close()


def test_a_server_that_ends_every_session(settings: Settings, clock: Clock, postgresql_server: PostgreSQL) -> None:
    """What PostgreSQL cuts off is asked again by itself; the reviewer may not even notice."""
    with postgresql_server.store() as url, contextlib.closing(open_store(url)) as store:
        _alerts(store, settings, clock)
        _ends_every_session(store, settings, clock)


def _ends_every_session(store: Store, settings: Settings, clock: Clock) -> None:

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            with store.write() as connection:
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
                )
            await maya.press("t")
            await maya.sees("You hold this alert")

    play(scene())
