"""One writer: what arrives while a transaction is being committed goes into the next one together."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from monitor.store import Connection, Store

MAX_WORKS = 500  # in one transaction
LINGER_S = 0.1  # for more to come, where nobody waits
MAX_S = 0.2  # after which a transaction takes no more of them: other processes write too

R = TypeVar("R")
T = TypeVar("T")

Then = Callable[[Any, Exception | None], None]  # is told the outcome of a work, or its error


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    works: Callable[[Connection, list[Any]], Sequence[Any]]
    row: Any
    then: Then


class Writer:
    """Writes to the store in a thread of its own; ``async with Writer(store) as writer``.

    A slow disk stalls no event loop, and a hundred small works cost one commit. Works that wait at the same time are
    done in any order. A work may be run twice, the second time alone: it must change nothing but the store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "store")
        self._waiting: deque[_Job] = deque()
        self._busy: asyncio.Task[None] | None = None
        self._awaited = asyncio.Event()

    async def __aenter__(self) -> Writer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hurry()
        if self._busy is not None:
            await self._busy
        self._thread.shutdown()

    def hurry(self) -> None:
        """Somebody waits for what was handed in."""
        self._awaited.set()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` inside of a transaction; returns when it is committed. Raises what ``work`` raises."""
        return await self.run_together(lambda connection, _: [work(connection)], None)

    async def run_together(self, works: Callable[[Connection, list[R]], Sequence[T]], row: R) -> T:
        """Like ``run``, for many equal works that few statements can do: ``works`` is given all the rows that wait for
        it, and returns an outcome for each. Returns that of ``row``.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.hand_in(works, row, partial(_tell, done))
        self.hurry()
        return await done

    def hand_in(self, works: Callable[[Connection, list[R]], Sequence[T]], row: R, then: Then) -> None:
        """Like ``run_together``, and nobody waits: ``then`` is called in the event loop, and raises nothing."""
        self._waiting.append(_Job(works, row, then))
        if self._busy is None or self._busy.done():
            self._busy = asyncio.create_task(self._write())

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await self._awaited.wait()
            self._awaited.clear()
            jobs = [self._waiting.popleft() for _ in range(min(MAX_WORKS, len(self._waiting)))]
            outcomes = await loop.run_in_executor(self._thread, self._commit, jobs)
            self._waiting.extendleft(job for job in reversed(jobs) if job not in outcomes)
            for job, outcome in outcomes.items():
                if isinstance(outcome, _Failure):
                    job.then(None, outcome.error)
                else:
                    job.then(outcome, None)

    def _commit(self, jobs: Sequence[_Job]) -> dict[_Job, Any]:
        """The outcomes of some of the jobs, at least of one. A job that fails harms no other."""
        try:
            return self._together(jobs)
        except Exception:  # noqa: BLE001 - found again below, by whose it is
            return {job: self._alone(job) for job in jobs}

    def _together(self, jobs: Sequence[_Job]) -> dict[_Job, Any]:
        equal: dict[Any, list[_Job]] = {}
        for job in jobs:
            equal.setdefault(job.works, []).append(job)
        outcomes: dict[_Job, Any] = {}
        until = time.monotonic() + MAX_S
        with self._store.write() as connection:
            for works, group in equal.items():
                outcomes.update(zip(group, works(connection, [job.row for job in group]), strict=True))
                if time.monotonic() > until:
                    break
        return outcomes

    def _alone(self, job: _Job) -> Any:
        try:
            return self._together([job])[job]
        except Exception as error:  # noqa: BLE001 - raised where the job came from
            return _Failure(error)


def _tell(done: asyncio.Future[Any], outcome: Any, error: Exception | None) -> None:
    """Give the outcome, or the error, to who waits; who was cancelled does not."""
    if done.cancelled():
        return
    if error is None:
        done.set_result(outcome)
    else:
        done.set_exception(error)


class _Failure:
    def __init__(self, error: Exception) -> None:
        self.error = error
