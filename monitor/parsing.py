"""Parsing in worker processes: a hostile document can stall a parser or fill the memory, and only a process can be
killed.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from zoneinfo import ZoneInfo

from monitor.errors import FeedError, FeedErrorKind
from monitor.forkserver import ForkServer, Worker
from monitor.types import Document
from monitor.worker import OUT_OF_MEMORY, Outcome, message

MAX_WORKERS = 4
AHEAD = 6  # documents that lie with one worker: it need not wait for us when the store is being written
IDLE_S = 2.0  # after which a worker goes: passes overlap, and one that waits for slow hosts needs none


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
        self._server = ForkServer(timeout_s, memory_mb)
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
                worker, died = await self._server.start(), False
                try:
                    died = await self._keep_busy(worker, given)
                finally:
                    code = await self._server.end(worker)
                if died:
                    given.popleft().done((FeedErrorKind.STALLED, self._last_words(code)))
            except Exception as error:  # noqa: BLE001 - told with the document, like every other fault of ours
                words = f"the parser could not be run: {type(error).__name__}: {error}"
                given.popleft().done((FeedErrorKind.INTERNAL, words))

    async def _keep_busy(self, worker: Worker, given: deque[_Job]) -> bool:
        """Give it documents, until one is too much for it (those behind that one stay in ``given``) or none comes.

        Returns whether it died of the first of those.
        """
        for job in given:
            _send(worker, job)
        while True:
            try:
                while not given or (len(given) < AHEAD and not self._jobs.empty()):
                    given.append(await self._next())
                    _send(worker, given[-1])
            except TimeoutError:
                return False
            try:
                async with asyncio.timeout(self._timeout_s):
                    outcome = await worker.answer()
            except TimeoutError:
                words = f"parsing was ended, it took longer than {self._timeout_s:g} s"
                given.popleft().done((FeedErrorKind.STALLED, words))
                return False
            except (EOFError, ConnectionError):
                return True
            given.popleft().done(outcome)

    async def _next(self) -> _Job:
        """Raises TimeoutError when there was nothing to do for long."""
        if not self._jobs.empty():
            return self._jobs.get_nowait()
        async with asyncio.timeout(IDLE_S):
            return await self._jobs.get()

    def _last_words(self, code: int | None) -> str:
        if code == OUT_OF_MEMORY:
            return f"parsing was ended, it took more than {self._memory_mb:,} MB of memory"
        return f"the parser died ({code})"


def _send(worker: Worker, job: _Job) -> None:
    # Not drained: the worker may be busy for long, and there is no more than AHEAD of it.
    worker.writer.write(job.request)
