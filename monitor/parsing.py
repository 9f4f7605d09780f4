"""Parsing in worker processes: a hostile document can stall a parser or fill the memory, and only a process can be
killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from zoneinfo import ZoneInfo

from monitor.errors import FeedError, FeedErrorKind
from monitor.types import Document
from monitor.worker import OUT_OF_MEMORY, SIZE, Outcome, message

MAX_WORKERS = 4
AHEAD = 6  # documents that lie with one worker: it need not wait for us when the store is being written
IDLE_S = 2.0  # after which a worker goes: passes overlap, and one that waits for slow hosts needs none
START_S = 60.0  # that a worker may take to be ready
# Modules are found where they were found here. The arguments: seconds, megabytes, and those places.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONHOME")
_COMMAND = (
    "import sys; sys.path[:] = sys.argv[3:]; from monitor.worker import serve; "
    "serve(float(sys.argv[1]), int(sys.argv[2]))"
)


@dataclass(frozen=True, slots=True)
class _Job:
    request: bytes
    outcome: asyncio.Future[Outcome]

    def done(self, outcome: Outcome) -> None:
        if not self.outcome.done():  # nobody waits any more for one that was cancelled
            self.outcome.set_result(outcome)


class ParsePool:
    """Parses documents beside the event loop; ``async with ParsePool(timeout_s, memory_mb) as pool``.

    Workers start with the first documents, so a pass in which nothing changed starts none. Each goes when there was
    nothing to do for it for IDLE_S seconds, and dies with its parent: idle when its pipe closes, busy by its own alarm.
    """

    def __init__(self, timeout_s: float, memory_mb: int) -> None:
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb  # of a whole worker; one that starts has less than 100
        self._size = min(MAX_WORKERS, os.cpu_count() or 1)
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self._tenders: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> ParsePool:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for tender in self._tenders:
            tender.cancel()
        await asyncio.gather(*self._tenders, return_exceptions=True)
        self._tenders.clear()

    async def parse(
        self, body: bytes, url: str, content_type: str | None, zone: ZoneInfo, known: frozenset[bytes] = frozenset()
    ) -> Document:
        """``monitor.parse.parse`` in a worker. Raises its FeedErrors, and kind stalled when it took too much."""
        request = message((body, url, content_type, zone, known))
        job = _Job(request, asyncio.get_running_loop().create_future())
        self._jobs.put_nowait(job)
        if len(self._tenders) < self._size:
            self._tenders.append(asyncio.create_task(self._tend()))
        outcome = await job.outcome
        if isinstance(outcome, Document):
            return outcome
        raise FeedError(url, *outcome)

    async def _tend(self) -> None:
        """Keep one worker busy, and start another one when that had to be ended or went, and there is more to do."""
        given: deque[_Job] = deque()
        while True:
            if not given:
                given.append(await self._jobs.get())
            try:
                worker = await self._start()
                try:
                    await self._keep_busy(worker, given)
                finally:
                    await _end(worker)
            except Exception as error:  # noqa: BLE001 - told with the document, like every other fault of ours
                words = f"the parser could not be run: {type(error).__name__}: {error}"
                given.popleft().done((FeedErrorKind.INTERNAL, words))

    async def _start(self) -> Process:
        command = [sys.executable, "-c", _COMMAND, str(self._timeout_s), str(self._memory_mb), *sys.path]
        # A fresh interpreter: neither our threads nor our open store get into a worker, nor does Ctrl-C; nor, should a
        # document ever take it over, what the environment of this process holds.
        bare = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        worker = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, start_new_session=True, env=bare
        )
        try:
            async with asyncio.timeout(START_S):
                await _answer(worker)  # that it is ready
        except BaseException:
            await _end(worker)
            raise
        return worker

    async def _keep_busy(self, worker: Process, given: deque[_Job]) -> None:
        """Give it documents, until one is too much for it (those behind that one stay in ``given``) or none comes."""
        for job in given:
            _send(worker, job)
        while True:
            try:
                while not given or (len(given) < AHEAD and not self._jobs.empty()):
                    given.append(await self._next())
                    _send(worker, given[-1])
            except TimeoutError:
                return
            try:
                async with asyncio.timeout(self._timeout_s):
                    outcome = await _answer(worker)
            except TimeoutError:
                outcome = FeedErrorKind.STALLED, f"parsing was ended, it took longer than {self._timeout_s:g} s"
            except (EOFError, ConnectionError):
                outcome = FeedErrorKind.STALLED, await self._last_words(worker)
            given.popleft().done(outcome)
            if not isinstance(outcome, Document) and outcome[0] is FeedErrorKind.STALLED:
                return

    async def _next(self) -> _Job:
        """Raises TimeoutError when there was nothing to do for long."""
        if not self._jobs.empty():
            return self._jobs.get_nowait()
        async with asyncio.timeout(IDLE_S):
            return await self._jobs.get()

    async def _last_words(self, worker: Process) -> str:
        code = await worker.wait()
        if code == OUT_OF_MEMORY:
            return f"parsing was ended, it took more than {self._memory_mb:,} MB of memory"
        return f"the parser died ({code})"


def _send(worker: Process, job: _Job) -> None:
    # Not drained: the worker may be busy for long, and there is no more than AHEAD of it.
    if worker.stdin is not None:
        worker.stdin.write(job.request)


async def _answer(worker: Process) -> Any:
    if worker.stdout is None:
        raise RuntimeError("a worker has a pipe")
    head = await worker.stdout.readexactly(SIZE.size)
    return pickle.loads(await worker.stdout.readexactly(*SIZE.unpack(head)))  # noqa: S301 - our own worker


async def _end(worker: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        worker.kill()
    gone = asyncio.ensure_future(worker.wait())
    try:
        await asyncio.shield(gone)
    except asyncio.CancelledError:
        await gone  # the pool is left at this very moment; killed it goes at once, and somebody must see it go
        raise
