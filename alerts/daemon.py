"""`run`: APScheduler drives every stage at its time, in one process; the only user of APScheduler.

What waits for the network, feeds, hubs, receivers and pages, has threads of its own, and passes over the feeds may
overlap; so has the index of words, which may have much to catch up with, and the daily purge, which gives way to
whoever writes. The other stages compute and run in one thread, one after the other; learning computes for many seconds
and runs in a process of its own. With `[web]` in the configuration the event loop serves it. Every stage can be killed
at any instruction, so stopping means: start nothing more, let what runs finish for a few seconds, then go. What was cut
off is done again at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from math import ceil

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from alerts.pipeline import LEARN, PURGE, Stage, run_stage, stages
from alerts.process import give_memory_back, log_to_stderr, stop_signal
from alerts.web import site
from classifiers.train import is_due, learn
from monitor import purge
from monitor.collect import collect
from monitor.config import Settings
from monitor.errors import BusyError, PollwatchError, StoreError
from monitor.store import Store, open_store

log = logging.getLogger("pollwatch")

Job = Callable[[Store, Settings, Callable[[], bool]], None]  # the last one asks whether to stop

APART = ("collect", "subscribe", "index", "notify", "capture")  # stages that would hold others up
PASS_S = 30.0  # after which a pass over the feeds asks no more of them
STOP_WITHIN_S = 8.0
TRIM_S = 20  # between two times that freed memory is given back; takes about ten milliseconds
LEARN_LOOK_S = 600  # between two looks whether to learn; a training that failed is tried again then
PURGE_LOOK_S = 600  # and whether to purge, once a day
_LOOK_S = 0.2  # between two looks whether to stop, while a process learns
BUSY = "another pollwatch daemon works on this store; stop it first, or give this one its own database.url"


def serve(store: Store, settings: Settings, say: Callable[[str], None]) -> signal.Signals:
    """Run until SIGTERM or SIGINT, and return which. Raises BusyError when another daemon works on the same store."""
    log_to_stderr()
    # We record every fault of a stage ourselves; that a pass takes longer than a tick is no news.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
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


async def _serve(store: Store, settings: Settings, guard: _Guard) -> tuple[signal.Signals | None, bool]:
    """The scheduler's life; returns what ended it, and whether nothing was running then.

    It ends by a signal, or (None) because another daemon has taken the store.
    """
    loop = asyncio.get_running_loop()
    stop = stop_signal()
    thread, learner, purger = _threads("stages"), _threads("learn"), _threads("purge")
    apart = {name: _threads(name, most_passes(settings) if name == "collect" else 1) for name in APART}
    running: set[asyncio.Future[None]] = set()

    def lose(error: BusyError) -> None:
        if not stop.done():
            stop.set_exception(error)

    def guarded(job: Job) -> None:
        try:
            if guard.lets_begin():
                job(store, settings, stop.done)
        except BusyError as error:
            loop.call_soon_threadsafe(lose, error)

    async def in_thread(pool: ThreadPoolExecutor, job: Job) -> None:
        work = loop.run_in_executor(pool, guarded, job)
        running.add(work)
        work.add_done_callback(running.discard)
        await asyncio.shield(work)  # the end of the scheduler cancels this job, never the thread it waits for

    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True})
    names = tuple(name for name, _ in stages(settings))
    rest = tuple(name for name in names if name not in apart)
    jobs: tuple[tuple[float, ThreadPoolExecutor, Job], ...] = (
        *((settings.daemon.tick_s, apart[name], partial(_run_stages, (name,))) for name in names if name in apart),
        (settings.daemon.tick_s, thread, partial(_run_stages, rest)),
        (LEARN_LOOK_S, learner, _learn_when_due),
        (PURGE_LOOK_S, purger, _purge_when_due),
    )
    for seconds, pool, job in jobs:
        scheduler.add_job(
            in_thread,
            "interval",
            (pool, job),
            seconds=seconds,
            next_run_time=datetime.now(UTC),
            misfire_grace_time=None,
            max_instances=most_passes(settings) if pool is apart["collect"] else 1,
        )
    scheduler.add_job(give_memory_back, "interval", seconds=TRIM_S)
    async with contextlib.AsyncExitStack() as doors:
        if settings.serves_web:
            log.info("web on %s", await doors.enter_async_context(site(store, settings)))
        scheduler.start()
        await asyncio.wait({stop})
    scheduler.remove_all_jobs()
    if running:
        await asyncio.wait(running, timeout=STOP_WITHIN_S)
    idle = not running
    scheduler.shutdown(wait=False)
    for pool in (thread, learner, purger, *apart.values()):
        pool.shutdown(wait=False, cancel_futures=True)
    return (None if stop.exception() else stop.result()), idle


def most_passes(settings: Settings) -> int:
    """How many passes over the feeds there can be at a time; each tick begins one, however slow the last ones' feeds.

    None outlives its last request and the parsing of what that brought, so they never use up their number.
    """
    longest_s = PASS_S + settings.fetch.timeout_s + settings.fetch.parse_timeout_s
    return ceil(longest_s / settings.daemon.tick_s) + 1


def _threads(name: str, number: int = 1) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(number, thread_name_prefix=name)


def _learn_when_due(store: Store, settings: Settings, stopping: Callable[[], bool]) -> None:
    """Learn in a process of its own, so that no stage waits; it is ended when the daemon stops."""
    try:
        if not stopping() and is_due(store, settings, datetime.now(UTC)):
            _wait_for_learning(settings, stopping)
    except PollwatchError as error:
        log.error("learn: %s", error)  # noqa: TRY400 - the sentence says all
    except Exception:  # as of a stage
        log.exception("learning failed")


def _purge_when_due(store: Store, settings: Settings, stopping: Callable[[], bool]) -> None:
    try:
        due = purge.is_due(store, settings, datetime.now(UTC))
    except PollwatchError as error:
        log.error("%s: %s", PURGE, error)  # noqa: TRY400 - the sentence says all
        return
    if due:
        _run_stages((PURGE,), store, settings, stopping)


def _wait_for_learning(settings: Settings, stopping: Callable[[], bool]) -> None:
    # Started anew, not forked: neither our threads nor our open store get into it.
    process = multiprocessing.get_context("spawn").Process(target=_learn_apart, args=(settings,), daemon=True)
    process.start()
    while process.is_alive() and not stopping():
        process.join(_LOOK_S)
    if process.is_alive():
        process.terminate()
        process.join()
    elif process.exitcode and not stopping():
        log.error("learn: its process ended with %s; it is tried again later", process.exitcode)


def _learn_apart(settings: Settings) -> None:
    """What the process does. It yields to the clock, leaves Ctrl-C to its parent, and dies with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    log_to_stderr()
    store = open_store(settings.database_url)
    try:
        _run_stages((LEARN,), store, settings, lambda: False)
    finally:
        store.close()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_stages(names: tuple[str, ...], store: Store, settings: Settings, stopping: Callable[[], bool]) -> None:
    """Some stages in order. One that fails is logged and recorded, and the next tick tries it again."""
    bounded: Stage = partial(collect, within_s=PASS_S)
    known = {**dict(stages(settings)), "collect": bounded, LEARN: learn, PURGE: purge.purge}
    for name in names:
        if stopping():
            return
        try:
            report = run_stage(name, known[name], store, settings, lambda: datetime.now(UTC))
        except PollwatchError as error:  # a sentence for a person: a wrong file, a full disk
            log.error("%s: %s", name, error)  # noqa: TRY400 - the sentence says all
            continue
        except Exception:  # the daemon outlives every fault of a stage; `status` shows it
            log.exception("stage %s failed", name)
            continue
        if any(isinstance(value, int) and value for value in report.counts.values()):
            log.info("%s %s", name, " ".join(f"{key}={value}" for key, value in report.counts.items()))
        for problem in report.problems:
            log.warning("%s: %s", name, problem)
