"""Worker processes: what a document may cost, and that the next one is read all the same."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from zoneinfo import ZoneInfo

import pytest

from monitor import parsing
from monitor.errors import FeedError, FeedErrorKind
from monitor.parsing import ParsePool
from monitor.types import Document
from monitor.worker import ORDER, SIZE, message
from tests.fakes import item, rss
from tests.monitor.collecting import is_running

URL = "https://harbour-daily.example/rss"
GOOD = rss(item("好", guid="1")).encode()
OPEN = b"<rss version='2.0'><channel><item>"


def parse_all(timeout_s: float, memory_mb: int, *bodies: bytes) -> list[Document | FeedError]:
    """Each in turn by one pool."""

    async def run() -> list[Document | FeedError]:
        outcomes: list[Document | FeedError] = []
        async with ParsePool(timeout_s, memory_mb) as pool:
            for body in bodies:
                try:
                    outcomes.append(await pool.parse(body, URL, None, ZoneInfo("UTC")))
                except FeedError as error:
                    outcomes.append(error)
        return outcomes

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("timeout_s", "memory_mb", "body", "words"),
    [
        (2, 400, OPEN.replace(b"<item>", b"") + b"<item/>" * 1_000_000, "longer than 2 s"),
        (2, 400, OPEN + b"<a>" * 1_000_000, "longer than 2 s"),
        (60, 110, OPEN + b"<title>" + b"&lt;p&gt;" * 1_100_000 + b"</title></item></channel></rss>", "110 MB"),
    ],
    ids=["empty items", "nesting", "memory"],
)
def test_a_document_that_takes_too_much_is_ended(timeout_s: float, memory_mb: int, body: bytes, words: str) -> None:
    """In words that say what it took; the documents before and after it are read, by a new worker if need be."""
    before, hostile, after = parse_all(timeout_s, memory_mb, GOOD, body, GOOD)
    assert isinstance(before, Document)
    assert isinstance(hostile, FeedError)
    assert (hostile.kind, words in hostile.detail) == (FeedErrorKind.STALLED, True), hostile.detail
    assert after == before


def test_documents_that_wait_behind_one_that_is_ended_are_read() -> None:
    """Given to the same worker or not, at the same time as it, each with a time of its own."""

    async def run() -> list[Document | BaseException]:
        async with ParsePool(2, 400) as pool:
            stalling = OPEN + b"<a>" * 1_000_000
            bodies = [GOOD, stalling, stalling, *[GOOD] * 8]
            jobs = (pool.parse(body, URL, None, ZoneInfo("UTC")) for body in bodies)
            return await asyncio.gather(*jobs, return_exceptions=True)

    outcomes = asyncio.run(run())
    assert [isinstance(outcome, Document) for outcome in outcomes] == [True, False, False, *[True] * 8]
    assert "longer than 2 s" in str(outcomes[1])


def test_what_used_to_stall_the_parser_is_read_in_time() -> None:
    """240 KB of comment openings, raw and escaped, and a thousand levels of elements."""
    outcomes = parse_all(
        20,
        400,
        OPEN + b"<title>a</title><description>" + b"<!--" * 60_000,
        OPEN + b"<title>a</title><description>" + b"&lt;!--" * 60_000 + b"</description></item></channel></rss>",
        OPEN + b"<a>" * 1_000 + b"</a>" * 1_000 + b"</item></channel></rss>",
    )
    assert all(isinstance(outcome, Document) for outcome in outcomes)


def test_a_pool_that_is_left_while_a_worker_goes_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed is not gone: it is waited for all the same. pytest makes an error of a process that is still running."""
    monkeypatch.setattr(parsing, "IDLE_S", 0)

    async def run(turns: int) -> None:
        async with ParsePool(20, 400) as pool:
            assert isinstance(await pool.parse(GOOD, URL, None, ZoneInfo("UTC")), Document)
            for _ in range(turns):
                await asyncio.sleep(0)

    for turns in range(4):
        asyncio.run(run(turns))
    gc.collect()


def test_workers_go_when_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that waits for a slow host keeps no processes; the next document gets new ones, of which none is left."""
    monkeypatch.setattr(parsing, "IDLE_S", 0.2)

    async def run() -> None:
        others = children(os.getpid())
        async with ParsePool(20, 400) as pool:
            for _ in range(2):
                assert isinstance(await pool.parse(GOOD, URL, None, ZoneInfo("UTC")), Document)
                workers = children(os.getpid()) - others
                assert workers
                deadline = time.monotonic() + 30
                while any(map(is_running, workers)):
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)

    asyncio.run(run())


@pytest.mark.parametrize("moment", ["starting", "idle", "busy", "answering"])
def test_workers_whose_parent_was_killed_leave_without_a_word(moment: str) -> None:
    """Their last words would stand in the log of the next daemon."""
    words = [sys.executable, "-c", "from monitor.worker import serve_forks; serve_forks(60, 400)"]
    ours, theirs = socket.socketpair()
    link, end = socket.socketpair()
    with theirs, subprocess.Popen(words, stdin=theirs, stderr=subprocess.PIPE) as server:
        with ours, link, end:
            theirs.close()
            if moment != "starting":
                socket.send_fds(ours, [ORDER.pack(0)], [end.fileno()])
                end.close()
                head = link.recv(SIZE.size, socket.MSG_WAITALL)
                worker = pickle.loads(link.recv(*SIZE.unpack(head), socket.MSG_WAITALL))  # noqa: S301 - our own
                body = {"idle": None, "busy": OPEN + b"<a>" * 1_000_000, "answering": GOOD}[moment]
                if body:
                    link.sendall(message((body, URL, None, ZoneInfo("UTC"), frozenset())))
        assert server.wait(timeout=30) == 0
        assert server.stderr
        assert server.stderr.read() == b""
    if moment != "starting":
        assert not is_running(worker)


def test_a_pool_outlives_what_its_workers_are_forked_from() -> None:
    """The system may kill any process: one document may be told as what a worker died of, the next one is read."""
    others = children(os.getpid())

    async def run(pool: ParsePool) -> Document | FeedError:
        try:
            return await pool.parse(GOOD, URL, None, ZoneInfo("UTC"))
        except FeedError as error:
            return error

    async def kill_and_go_on(*, workers: bool) -> None:
        async with ParsePool(20, 400) as pool:
            before = await run(pool)
            assert isinstance(before, Document)
            (server,) = children(os.getpid()) - others
            for process in [server, *(children(server) if workers else ())]:
                os.kill(process, signal.SIGKILL)
            assert before in [await run(pool) for _ in range(3)]

    for workers in (False, True):
        asyncio.run(kill_and_go_on(workers=workers))
        assert children(os.getpid()) == others


def children(pid: int) -> set[int]:
    """The processes that it started."""
    done = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return set(map(int, done.stdout.split()))
