"""Work that may wait for the database, done beside the screen in threads.

The threads are daemons: a database that hangs keeps nobody from leaving the desk. What one of them was writing is a
transaction, which is undone when the process ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

_LOOK_S = 0.01
_NEVER = 1_000_000  # collections of the middle generation before the oldest is looked at


class _Workers:
    """Threads that wait for work: as many as were ever needed at once."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._count = threading.Lock()
        self._threads = 0
        self.busy = 0

    def do(self, job: Callable[[], None]) -> None:
        """Start it at once: nothing waits behind a query that hangs."""
        with self._count:
            self.busy += 1
            if self.busy > self._threads:
                self._threads += 1
                threading.Thread(target=self._work, name=f"store-{self._threads}", daemon=True).start()
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            self._jobs.get()()
            with self._count:
                self.busy -= 1


_workers = _Workers()


async def in_thread(work: Callable[[], T]) -> T:
    """What ``work`` returns or raises; the screen lives on meanwhile."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if future.done():  # nobody waits any more
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # a T, when there is no error

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work()
        except BaseException as caught:  # noqa: BLE001 - raised again where it is awaited
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: the desk was left
            loop.call_soon_threadsafe(tell, result, error)

    _workers.do(run)
    return await future


def collect_seldom() -> None:
    """Leave what is here to stay to itself, and the rest of the heap until ``tidy``.

    Python looks through all objects when so many are new; with a long queue that takes a tenth of a second, and it is a
    dialog's many small objects that make it do so: just when somebody waits for one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], _NEVER)


def tidy() -> None:
    """Look through all objects, now that nobody waits."""
    gc.collect()


async def quiet(wait_s: float) -> None:
    """Wait until nothing is being done, but no longer than so."""
    deadline = asyncio.get_running_loop().time() + wait_s
    while _workers.busy and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - threads set no event
        await asyncio.sleep(_LOOK_S)
