"""One writer: many works in one commit, each of them whole or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from sqlalchemy import event
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError

from monitor import writing
from monitor.store import Connection, Store
from monitor.writing import Writer


@pytest.fixture
def commits(store: Store) -> list[str]:
    """One entry for each commit of the store; there is a table to write to."""
    with store.write() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (at BIGINT NOT NULL, text TEXT NOT NULL)")
    found: list[str] = []
    event.listen(store.engine, "commit", lambda _: found.append("commit"))
    return found


def _insert(connection: Connection, text: str | None) -> None:
    row = {"at": time.monotonic_ns(), "text": text}
    connection.execute(sql("INSERT INTO notes VALUES (:at, :text)"), row)


def note(text: str | None) -> Callable[[Connection], str | None]:
    """A work of two statements, of which the second one may fail."""

    def work(connection: Connection) -> str | None:
        _insert(connection, f"{text} begun")
        _insert(connection, text)
        return text

    return work


def notes(store: Store) -> list[str]:
    """What stands in the table."""
    with store.read() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT text FROM notes ORDER BY at")]


async def run_all(store: Store, works: list[Callable[[Connection], str | None]]) -> list[str | BaseException | None]:
    """All at once; their outcomes in order."""
    async with Writer(store) as writer:
        return await asyncio.gather(*map(writer.run, works), return_exceptions=True)


def test_what_waits_is_committed_together(store: Store, commits: list[str]) -> None:
    """A hundred works cost a commit or two, and each gets its own answer."""
    outcomes = asyncio.run(run_all(store, [note(str(n)) for n in range(100)]))
    assert outcomes == [str(n) for n in range(100)]
    assert len(notes(store)) == 200
    assert len(commits) <= 2


def test_a_work_that_fails_harms_no_other(store: Store, commits: list[str]) -> None:
    """Its first statement is undone, its error goes to where it came from, its neighbours are stored once."""
    outcomes = asyncio.run(run_all(store, [note("a"), note(None), note("b")]))
    assert (outcomes[0], outcomes[2]) == ("a", "b")
    assert isinstance(outcomes[1], IntegrityError)
    assert notes(store) == ["a begun", "a", "b begun", "b"]


def test_a_transaction_is_bounded_in_time_and_number(
    store: Store, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that writes waits for one of them, not for all that is waiting; none is lost."""
    monkeypatch.setattr(writing, "MAX_WORKS", 10)
    outcomes = asyncio.run(run_all(store, [note(str(n)) for n in range(35)]))
    assert outcomes == [str(n) for n in range(35)]
    assert len(commits) == 4
    monkeypatch.setattr(writing, "MAX_S", 0.0)
    outcomes = asyncio.run(run_all(store, [note(str(n)) for n in range(5)]))
    assert outcomes == [str(n) for n in range(5)]
    assert len(commits) == 4 + 5
    assert len(notes(store)) == 80


def test_equal_works_are_done_together(store: Store, commits: list[str]) -> None:
    """In one call for all that wait, each with its own outcome; a row that fails harms no other, equal or not."""
    sizes: list[int] = []

    def note_all(connection: Connection, texts: list[str | None]) -> list[str]:
        sizes.append(len(texts))
        for text in texts:
            _insert(connection, text)
        return [f"{text} noted" for text in texts]

    async def run(*texts: str | None) -> list[str | BaseException | None]:
        async with Writer(store) as writer:
            rows = (writer.run_together(note_all, text) for text in texts)
            return await asyncio.gather(*rows, writer.run(note("alone")), return_exceptions=True)

    assert asyncio.run(run("a", "b", "c")) == ["a noted", "b noted", "c noted", "alone"]
    assert (sizes, len(commits)) == ([3], 1)
    outcomes = asyncio.run(run("d", None, "e"))
    assert (outcomes[0], *outcomes[2:]) == ("d noted", "e noted", "alone")
    assert isinstance(outcomes[1], IntegrityError)
    assert notes(store) == ["a", "b", "c", "alone begun", "alone", "d", "e", "alone begun", "alone"]


def test_leaving_waits_for_what_is_written(store: Store, commits: list[str]) -> None:
    """Also for a work whose owner has given up: its transaction ends before the thread does."""

    async def leave() -> None:
        async with Writer(store) as writer:
            owner = asyncio.create_task(writer.run(note("a")))
            await asyncio.sleep(0)
            owner.cancel()

    asyncio.run(leave())
    assert notes(store) == ["a begun", "a"]
