"""One writer: what arrives while a transaction is being committed goes into the next one together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

from monitor.store import Connection, Store

MAX_WORKS = 200  # in one transaction
MAX_S = 0.2  # after which a transaction takes no more of them: other processes write too

T = TypeVar("T")
_Work = Callable[[Connection], Any]


class Writer:
    """Writes to the store in a thread of its own; ``async with Writer(store) as writer``.

    A slow disk stalls no event loop, and a hundred small works cost one commit. A work may be run twice, the second
    time alone: it must change nothing but the store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "store")
        self._waiting: deque[tuple[_Work, asyncio.Future[Any]]] = deque()
        self._busy: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Writer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._busy is not None:
            await self._busy
        self._thread.shutdown()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` inside of a transaction; returns when it is committed. Raises what ``work`` raises."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._busy is None or self._busy.done():
            self._busy = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MAX_WORKS, len(self._waiting)))]
            outcomes = await loop.run_in_executor(self._thread, self._commit, [work for work, _ in batch])
            self._waiting.extendleft(reversed(batch[len(outcomes) :]))
            for (_, done), outcome in zip(batch, outcomes, strict=False):
                if done.cancelled():
                    continue
                if isinstance(outcome, _Failure):
                    done.set_exception(outcome.error)
                else:
                    done.set_result(outcome)

    def _commit(self, works: Sequence[_Work]) -> list[Any]:
        """The outcomes of the first works, at least of one. A work that fails harms no other."""
        try:
            return self._together(works)
        except Exception:  # noqa: BLE001 - found again below, by whose it is
            return [self._alone(work) for work in works]

    def _together(self, works: Sequence[_Work]) -> list[Any]:
        outcomes = []
        until = time.monotonic() + MAX_S
        with self._store.write() as connection:
            for work in works:
                outcomes.append(work(connection))
                if time.monotonic() > until:
                    break
        return outcomes

    def _alone(self, work: _Work) -> Any:
        try:
            return self._together([work])[0]
        except Exception as error:  # noqa: BLE001 - raised where the work came from
            return _Failure(error)


class _Failure:
    def __init__(self, error: Exception) -> None:
        self.error = error
