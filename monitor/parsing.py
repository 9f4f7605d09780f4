"""Parsing in worker processes: a hostile document can stall a parser or fill the memory, and only a process can be
killed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import signal
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from zoneinfo import ZoneInfo

from pebble import ProcessExpired, ProcessPool

from monitor.errors import FeedError, FeedErrorKind
from monitor.parse import parse
from monitor.types import Document

MAX_WORKERS = 4
IDLE_S = 2.0  # after which workers go: passes overlap, and one that waits for slow hosts needs none
_OUT_OF_MEMORY = 77  # the exit code of a worker that gave up
_GRACE_S = 5  # how much longer than the parent's patience an orphaned worker may live


class ParsePool:
    """Parses documents beside the event loop; ``with ParsePool(timeout_s, memory_mb) as pool``.

    Workers start with the first document, so a pass in which nothing changed starts none. They go when there was
    nothing to do for IDLE_S seconds, and die with their parent: an idle one when its pipe closes, a busy one by its
    own alarm.
    """

    def __init__(self, timeout_s: float, memory_mb: int) -> None:
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb  # of a whole worker; one that starts has less than 100
        self._pool: ProcessPool | None = None
        self._waiting = 0  # documents
        self._rest: asyncio.TimerHandle | None = None

    def __enter__(self) -> ParsePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rest is not None:
            self._rest.cancel()
        self._drop()

    async def parse(
        self, body: bytes, url: str, content_type: str | None, zone: ZoneInfo, known: frozenset[bytes] = frozenset()
    ) -> Document:
        """``monitor.parse.parse`` in a worker. Raises its FeedErrors, and kind stalled when it took too much."""
        self._waiting += 1
        try:
            return await self._parse(body, url, content_type, zone, known)
        finally:
            self._waiting -= 1
            if self._rest is not None:
                self._rest.cancel()
            self._rest = asyncio.get_running_loop().call_later(IDLE_S, self._let_go)

    async def _parse(
        self, body: bytes, url: str, content_type: str | None, zone: ZoneInfo, known: frozenset[bytes]
    ) -> Document:
        pool = self._running()
        try:
            future = pool.schedule(
                _work, args=(self._timeout_s, body, url, content_type, zone, known), timeout=self._timeout_s
            )
            outcome = await asyncio.wrap_future(future)
        except TimeoutError as error:
            detail = f"parsing was ended, it took longer than {self._timeout_s:g} s"
            raise FeedError(url, FeedErrorKind.STALLED, detail) from error
        except ProcessExpired as error:
            detail = f"the parser died ({error.exitcode})"
            if error.exitcode == _OUT_OF_MEMORY:
                detail = f"parsing was ended, it took more than {self._memory_mb:,} MB of memory"
            raise FeedError(url, FeedErrorKind.STALLED, detail) from error
        except BrokenProcessPool:
            if pool is self._pool:
                self._drop()  # the next document gets a new one
            raise
        if isinstance(outcome, Document):
            return outcome
        raise FeedError(url, *outcome)

    def _running(self) -> ProcessPool:
        if self._pool is None:
            # Forked from a small clean process: neither our threads nor our open store get into a worker.
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([__name__])
            self._pool = ProcessPool(
                max_workers=min(MAX_WORKERS, os.cpu_count() or 1),
                context=context,
                initializer=_bound_memory,
                initargs=(self._memory_mb,),
            )
        return self._pool

    def _let_go(self) -> None:
        """End the workers if there is nothing to do, in a thread: their end takes a while."""
        if self._pool is not None and not self._waiting:
            idle, self._pool = self._pool, None
            asyncio.get_running_loop().run_in_executor(None, _end, idle)

    def _drop(self) -> None:
        if self._pool is not None:
            _end(self._pool)
            self._pool = None


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # pebble types its other methods
    pool.join()


def _bound_memory(megabytes: int) -> None:
    """Runs in each worker once."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _work(
    timeout_s: float, body: bytes, url: str, content_type: str | None, zone: ZoneInfo, known: frozenset[bytes]
) -> Document | tuple[FeedErrorKind, str]:
    """Runs in the worker. Errors travel as values: an exception that cannot be pickled would break the pool."""
    # The alarm is left to the system's own handler, which ends the process even inside a stuck regular expression.
    signal.setitimer(signal.ITIMER_REAL, timeout_s + _GRACE_S)
    try:
        return parse(body, url, content_type, zone, known)
    except FeedError as error:
        return error.kind, error.detail
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)  # what was half built is gone with the process
    except Exception as error:  # noqa: BLE001 - our own fault, told by the parent as such
        return FeedErrorKind.INTERNAL, f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
