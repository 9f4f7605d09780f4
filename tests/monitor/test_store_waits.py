"""Who waits for whom in the store: nobody is told "database is locked" by somebody who would be done in a moment."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.store import Store, feeds, open_store, schema


def _add(store: Store, name: str, now: datetime) -> None:
    with store.write() as connection:
        feeds.add(connection, f"https://{name}.example/rss", now, outlet=name)


def test_a_result_that_was_not_read_to_its_end_is_in_nobody_s_way(store: Store, now: datetime) -> None:
    """Its transaction is over, whoever still has it in hand: what others wrote since is seen, and one can write."""
    for name in ("harbour", "quay"):
        _add(store, name, now)
    with store.read() as connection:
        rows = connection.execute(select(schema.feeds.c.outlet))
        assert next(iter(rows)) is not None
    with contextlib.closing(open_store(str(store.engine.url.render_as_string(hide_password=False)))) as other:
        _add(other, "ferry", now)
    _add(store, "hill", now)
    with store.read() as connection:
        assert len(feeds.listing(connection)) == 4
    del rows  # not before: it is what would hold the old state


@pytest.mark.sqlite
def test_a_restored_store_is_opened_while_somebody_writes(store: Store, now: datetime) -> None:
    """A copy keeps no log of its own yet; whoever wants one waits for the writer as for everything else."""
    assert store.path is not None
    store.close()
    writer = sqlite3.connect(store.path, isolation_level=None)
    assert writer.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    writer.execute("BEGIN IMMEDIATE")
    opened = threading.Thread(target=_write_once, args=(store.path, now, said := list[str]()))
    opened.start()
    opened.join(0.3)
    assert opened.is_alive(), said
    writer.execute("COMMIT")
    writer.close()
    opened.join(20)
    assert said == ["written"]


def _write_once(path: Path, now: datetime, said: list[str]) -> None:
    with contextlib.closing(open_store(f"sqlite:///{path}")) as store:
        try:
            _add(store, "harbour", now)
        except Exception as error:  # noqa: BLE001 - told by the test
            said.append(str(error))
        else:
            said.append("written")
