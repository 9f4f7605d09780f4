"""`run`: APScheduler drives every stage at its time, in one process; the only user of APScheduler.

What waits for the network, feeds, hubs, receivers, the mail server and pages, has threads of its own, and passes over
the feeds may overlap; so has the index of words, which may have much to catch up with, and the daily purge, which gives
way to whoever writes. The other stages compute and run in one thread, one after the other; learning computes for many
seconds and runs in a process of its own. Where a fleet works, this process only says when: see ``workers``. With
`[web]` in the configuration the event loop serves it. Every stage can be killed at any instruction, so stopping means:
start nothing more, let what runs finish for a few seconds, then go. What was cut off is done again at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from math import ceil

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from alerts import supervisor
from alerts.pipeline import LEARN, PURGE, stages
from alerts.process import give_memory_back, stop_signal
from alerts.running import (
    APART,
    PASS_S,
    STOP_WITHIN_S,
    Job,
    learn_when_due,
    pass_over_feeds,
    purge_when_due,
    put_clock_right,
    run_stages,
)
from alerts.web import site
from monitor.config import Settings
from monitor.errors import BusyError, StoreError
from monitor.store import Store

log = logging.getLogger("pollwatch")

TRIM_S = 20  # between two times that freed memory is given back; takes about ten milliseconds
LEARN_LOOK_S = 600  # between two looks whether to learn; a training that failed is tried again then
PURGE_LOOK_S = 600  # and whether to purge, once a day
CLOCK_LOOK_S = 5.0  # between two looks whether the clock was put back
PUT_BACK_S = 30.0  # by so much or more: then somebody, or the system, has set it
BUSY = "another pollwatch daemon works on this store; stop it first, or give this one its own database.url"


def serve(store: Store, settings: Settings, say: Callable[[str], None]) -> signal.Signals:
    """Run until SIGTERM or SIGINT, and return which. Raises BusyError when another daemon works on the same store."""
    # We record every fault of a stage ourselves; that a pass takes longer than a tick is no news.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    if settings.has_workers:
        from alerts import workers

        workers.check(store)
    # `status` holds it for an instant to see whether it is free.
    with store.lock("daemon", wait_s=1, busy=BUSY) as keep:
        say(f"pollwatch runs on {store.url}; stop it with Ctrl-C or SIGTERM")
        received, idle = asyncio.run(_serve(store, settings, _Guard(keep)))
        say("stopped" if idle else "stopped; what was not finished is done again at the next start")
        if not idle:
            # A thread that still computes cannot be cancelled, and the interpreter would wait for it.
            store.close()
            if received is None:
                say(f"pollwatch: {BUSY}")
                os._exit(1)
            os._exit(130 if received is signal.SIGINT else 0)
    if received is None:
        raise BusyError("daemon", BUSY)
    return received


class _Guard:
    """Lets a job begin only while the store is there and ours. Says once that it is gone, and once that it is back."""

    def __init__(self, keep: Callable[[], None]) -> None:
        self._keep = keep
        self._turn = threading.Lock()
        self._gone = False

    def lets_begin(self) -> bool:
        """Raises BusyError when another daemon has taken the store while the database was gone."""
        with self._turn:
            try:
                self._keep()
            except StoreError as error:
                if not self._gone:
                    log.error("%s; it is tried again at every tick", error)  # noqa: TRY400 - the sentence says all
                self._gone = True
                return False
            if self._gone:
                log.info("the store can be used again")
            self._gone = False
            return True


class _Threads:
    """Where jobs run: each kind in a pool of its own, so that none holds another up."""

    def __init__(self, store: Store, settings: Settings, guard: _Guard, stop: asyncio.Future[signal.Signals]) -> None:
        self._store, self._settings, self._guard, self._stop = store, settings, guard, stop
        self._loop = asyncio.get_running_loop()
        self._pools: list[ThreadPoolExecutor] = []
        self._running: set[asyncio.Future[None]] = set()

    def pool(self, name: str, threads: int) -> Callable[[Job], Awaitable[None]]:
        """A new pool; gives what runs a job in it."""
        self._pools.append(ThreadPoolExecutor(threads, thread_name_prefix=name))
        return partial(self._do, self._pools[-1])

    async def _do(self, pool: ThreadPoolExecutor, job: Job) -> None:
        work = self._loop.run_in_executor(pool, self._guarded, job)
        self._running.add(work)
        work.add_done_callback(self._running.discard)
        await asyncio.shield(work)  # the end of the scheduler cancels this job, never the thread it waits for

    def _guarded(self, job: Job) -> None:
        try:
            if self._guard.lets_begin():
                job(self._store, self._settings, self._stop.done)
        except BusyError as error:
            self._loop.call_soon_threadsafe(self._lose, error)

    def _lose(self, error: BusyError) -> None:
        if not self._stop.done():
            self._stop.set_exception(error)

    async def leave(self) -> bool:
        """Let what runs finish for a few seconds; whether nothing runs any more."""
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_WITHIN_S)
        idle = not self._running
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
        return idle


async def _serve(store: Store, settings: Settings, guard: _Guard) -> tuple[signal.Signals | None, bool]:
    """The scheduler's life; returns what ended it, and whether nothing was running then.

    It ends by a signal, or (None) because another daemon has taken the store.
    """
    stop = stop_signal()
    threads = _Threads(store, settings, guard, stop)
    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True})
    for name, at_once, seconds, job in _plan(settings):
        scheduler.add_job(
            threads.pool(name, at_once),
            "interval",
            (job,),
            seconds=seconds,
            next_run_time=datetime.now(UTC),
            misfire_grace_time=None,
            max_instances=at_once,
        )
    scheduler.add_job(give_memory_back, "interval", seconds=TRIM_S)
    put_right = partial(threads.pool("clock", 1), put_clock_right)
    async with contextlib.AsyncExitStack() as doors:
        if settings.serves_web:
            log.info("web on %s", await doors.enter_async_context(site(store, settings)))
        if (heartbeat_s := supervisor.heartbeat_s()) is not None:
            scheduler.add_job(supervisor.tell, "interval", (supervisor.ALIVE,), seconds=heartbeat_s)
        scheduler.start()
        clock = asyncio.create_task(_mind_the_clock(scheduler, put_right, _longest_s(settings)))
        supervisor.tell(supervisor.READY, supervisor.doing(f"runs on {store.url}"))
        await asyncio.wait({stop})
        supervisor.tell(supervisor.STOPPING)
        clock.cancel()
    scheduler.remove_all_jobs()
    idle = await threads.leave()
    scheduler.shutdown(wait=False)
    return (None if stop.exception() else stop.result()), idle


async def _mind_the_clock(
    scheduler: AsyncIOScheduler, put_right: Callable[[], Awaitable[None]], longest_s: float
) -> None:
    """See that work goes on when the clock is put back: until it is where it was, nothing would be due.

    For ``longest_s`` seconds passes that began before write their old time. It may also have been ahead when the last
    daemon ran.
    """
    await put_right()
    ahead_s, wrong_until = _ahead_s(), 0.0
    while True:
        await asyncio.sleep(CLOCK_LOOK_S)
        before_s, ahead_s = ahead_s, _ahead_s()
        if before_s - ahead_s >= PUT_BACK_S:
            log.warning("the clock went back by %.0f seconds; everything is looked at anew", before_s - ahead_s)
            wrong_until = time.monotonic() + longest_s + CLOCK_LOOK_S
            for job in scheduler.get_jobs():
                job.modify(next_run_time=datetime.now(UTC))
        if time.monotonic() < wrong_until:
            await put_right()


def _ahead_s() -> float:
    """By how much the wall clock is ahead of the one that nobody can set."""
    return time.time() - time.monotonic()


def most_passes(settings: Settings) -> int:
    """How many passes over the feeds there can be at a time; each tick begins one, however slow the last ones' feeds.

    None outlives its last request and the parsing of what that brought, so they never use up their number.
    """
    return ceil(_longest_s(settings) / settings.daemon.tick_s) + 1


def _longest_s(settings: Settings) -> float:
    """How long a pass over the feeds lives at most."""
    return PASS_S + settings.fetch.timeout_s + settings.fetch.parse_timeout_s


def _plan(settings: Settings) -> list[tuple[str, int, float, Job]]:
    """What the clock calls for: a name, how many of it at the same time at most, seconds between two, and the work."""
    names = tuple(name for name, _ in stages(settings))
    tick_s = settings.daemon.tick_s
    if settings.has_workers:
        from alerts import workers  # what it needs is an extra

        jobs = ((names, tick_s), ((LEARN,), LEARN_LOOK_S), ((PURGE,), PURGE_LOOK_S))
        return [(f"queue-{wanted[0]}", 1, seconds, partial(workers.defer, wanted)) for wanted, seconds in jobs]
    apart = [name for name in names if name in APART and name != "collect"]
    rest = tuple(name for name in names if name not in APART)
    return [
        ("collect", most_passes(settings), tick_s, pass_over_feeds()),
        *((name, 1, tick_s, partial(run_stages, (name,))) for name in apart),
        ("stages", 1, tick_s, partial(run_stages, rest)),
        (LEARN, 1, LEARN_LOOK_S, learn_when_due),
        (PURGE, 1, PURGE_LOOK_S, purge_when_due),
    ]
