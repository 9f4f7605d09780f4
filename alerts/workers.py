"""A fleet: the daemon's clock queues what is to be done, workers on any machine do it; the only user of Procrastinate.

The queue lives beside the store, on the same PostgreSQL server. Every job is one stage, or one part of ``collect``:
the feeds are dealt out by host, and the leases of hosts in the store keep politeness whoever asks (see
``monitor.leases``). A job that waits is never queued twice, and the stages that follow one another run one at a time,
in their order, wherever that is. A worker that dies leaves a job behind that nobody works on: the clock puts it back
once the worker was silent for SILENT_S. As a stage picks its own work and can be run twice, nothing is lost or doubled
by that, nor by a worker that only slept.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from alerts.pipeline import LEARN, PURGE, stages
from alerts.process import give_memory_back, stop_signal
from alerts.running import APART, STOP_WITHIN_S, Job, learn_when_due, pass_over_feeds, purge_when_due, run_stages
from monitor.config import Settings
from monitor.errors import ConfigError, InputError, StoreError
from monitor.store import Store, fleet
from monitor.types import Part

try:
    import psycopg
    from procrastinate import App, PsycopgConnector
    from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
    from procrastinate.jobs import Status
    from procrastinate.schema import SchemaManager
except ImportError as error:
    raise ConfigError(
        "configuration", "workers.engine", "install what it needs: pip install procrastinate 'psycopg[binary]'"
    ) from error

log = logging.getLogger("pollwatch")

BEAT_S = 5.0  # between two signs of life of a worker
TRY_S = 2.0  # between two tries to reach a server that went away
TRIM_S = 20.0  # between two times that freed memory is given back
_ROUTINE, _SOON = 0, 1  # priorities: a pass over feeds may wait for whatever else there is to do
_MEND = "the queue of workers is not there, or another version's: run `pollwatch db upgrade`"


def chosen(given: str | None, settings: Settings) -> tuple[str, ...]:
    """The stages that a worker is to do: those ``given``, with commas between them, or all. Raises InputError."""
    known = (*(name for name, _ in stages(settings)), LEARN, PURGE)
    if given is None:
        return known
    wanted = tuple(dict.fromkeys(name.strip() for name in given.split(",")))
    for name in wanted:
        if name not in known:
            raise InputError("--stages", f"no stage {name!r}; there are {', '.join(known)}")
    return wanted


def prepare(store: Store) -> None:
    """Make the queue, or make it anew when Procrastinate wants other tables. Running it twice changes nothing."""
    with store.lock("upgrade", wait_s=60):
        with store.read() as connection:
            found = fleet.version(connection)
        if found != _version():
            with store.write() as connection:
                fleet.create(connection, SchemaManager.get_schema(), _version())


def check(store: Store) -> None:
    """Raises StoreError when the queue is not what this program's Procrastinate works on."""
    with store.read() as connection:
        if fleet.version(connection) != _version():
            raise StoreError(_MEND)


def defer(wanted: Sequence[str], store: Store, settings: Settings, stopping: Callable[[], bool]) -> None:
    """Queue jobs for these stages, but for those that wait already, and put back what dead workers left behind.

    What the clock calls for; a server that is away or refuses is logged, and the next tick tries again.
    """
    if stopping():
        return
    try:
        asyncio.run(_defer(store, settings, wanted))
    except (ConnectorException, psycopg.Error, StoreError) as error:
        log.error("nothing could be queued for the workers: %s", _words(error))  # noqa: TRY400 - the sentence says all


async def _defer(store: Store, settings: Settings, wanted: Sequence[str]) -> None:
    async with _app(store).open_async() as app:
        await _put_back(app)
        for name in wanted:
            for part in range(settings.workers.parts) if name == "collect" else (None,):
                await _queue(app, name, part, settings.workers.parts)


async def _queue(app: App, name: str, part: int | None, parts: int) -> None:
    given = {} if part is None else {"part": part, "parts": parts}
    lock = None if name == "collect" else name if name in (*APART, LEARN, PURGE) else "stages"
    job = app.configure_task(
        name,
        queue=name,
        lock=lock,
        queueing_lock=name if part is None else f"{name} {part}",
        priority=_ROUTINE if name == "collect" else _SOON,
    )
    with contextlib.suppress(AlreadyEnqueued):
        await job.defer_async(**given)


async def _put_back(app: App) -> None:
    manager = app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=fleet.SILENT_S):
        log.warning("the worker that ran %s is gone; the job is queued again", job.task_name)
        with contextlib.suppress(ConnectorException):  # its worker only slept, and has done it meanwhile
            try:
                await manager.retry_job(job)
            except UniqueViolation:  # the same waits already
                await manager.finish_job(job, Status.FAILED, delete_job=True)
    await manager.prune_stalled_workers(fleet.SILENT_S)


def work(
    store: Store, settings: Settings, names: Sequence[str], concurrency: int, say: Callable[[str], None]
) -> signal.Signals:
    """Do jobs of the stages ``names``, so many at a time, until SIGTERM or SIGINT, and return which.

    Raises StoreError where `db upgrade` is needed first.
    """
    check(store)
    say(f"pollwatch works on {store.url}: {', '.join(names)}; stop it with Ctrl-C or SIGTERM")
    received, idle = asyncio.run(_work(store, settings, names, concurrency))
    say("stopped" if idle else "stopped; what was not finished is done again")
    if not idle:  # a thread that still computes cannot be cancelled, and the interpreter would wait for it
        store.close()
        os._exit(130 if received is signal.SIGINT else 0)
    return received


async def _work(
    store: Store, settings: Settings, names: Sequence[str], concurrency: int
) -> tuple[signal.Signals, bool]:
    stop = stop_signal()
    hands = _Hands(store, settings, concurrency, stop.done)
    trimming = asyncio.create_task(_trim())
    gone = False
    while not stop.done():
        try:
            app = _app(store)
            for name in names:
                app.task(name=name)(hands.task(name))
            async with app.open_async():
                if gone:
                    log.info("the store can be used again")
                gone = False
                await _until(stop, _serve(app, names, concurrency))
        except (ConnectorException, psycopg.Error, StoreError) as error:
            if not gone:
                log.error("the store %s cannot be used: %s; it is tried again", store.url, _words(error))  # noqa: TRY400 - the sentence says all
            gone = True
        await asyncio.wait({stop}, timeout=TRY_S if not stop.done() else 0)
    trimming.cancel()
    return stop.result(), hands.leave()


async def _serve(app: App, names: Sequence[str], concurrency: int) -> None:
    await app.run_worker_async(
        queues=list(names),
        concurrency=concurrency,
        install_signal_handlers=False,
        delete_jobs="always",  # what a stage did stands in the store
        shutdown_graceful_timeout=STOP_WITHIN_S,
        update_heartbeat_interval=BEAT_S,
        stalled_worker_timeout=fleet.SILENT_S,
    )


async def _until(stop: asyncio.Future[signal.Signals], work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` to its end, which comes soon after ``stop``."""
    working = asyncio.create_task(work)
    stop.add_done_callback(lambda _: working.cancel())
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _trim() -> None:
    while True:
        await asyncio.sleep(TRIM_S)
        give_memory_back()


class _Hands:
    """The threads in which a worker's jobs run."""

    def __init__(self, store: Store, settings: Settings, number: int, stopping: Callable[[], bool]) -> None:
        self._store, self._settings, self._stopping = store, settings, stopping
        self._threads = ThreadPoolExecutor(number, thread_name_prefix="worker")
        self._running: set[asyncio.Future[None]] = set()

    def task(self, name: str) -> Callable[..., Coroutine[Any, Any, None]]:
        """The stage ``name`` as Procrastinate calls it."""

        async def run(**given: int) -> None:
            job = partial(_job(name, **given), self._store, self._settings, self._stopping)
            running = asyncio.get_running_loop().run_in_executor(self._threads, job)
            self._running.add(running)
            running.add_done_callback(self._running.discard)
            await asyncio.shield(running)  # the end of the worker cancels this job, never the thread

        return run

    def leave(self) -> bool:
        """Start nothing more; whether nothing runs any longer."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        return not self._running


def _job(name: str, part: int = 0, parts: int = 1) -> Job:
    if name == "collect":
        return pass_over_feeds(Part(part, parts))
    return {LEARN: learn_when_due, PURGE: purge_when_due}.get(name, partial(run_stages, (name,)))


def _app(store: Store) -> App:
    """Procrastinate on the store's server. Its own words are silenced: what matters we say ourselves."""
    for name in ("procrastinate", "psycopg.pool"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with store.read() as connection:
        schema = fleet.schema(connection)

    async def configure(connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", (schema,))
        await connection.commit()

    url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return App(
        connector=PsycopgConnector(
            conninfo=url, min_size=1, max_size=4, timeout=10, configure=configure, kwargs={"connect_timeout": 10}
        )
    )


def _version() -> str:
    """Of Procrastinate's tables."""
    return hashlib.sha256(SchemaManager.get_schema().encode()).hexdigest()


def _words(error: BaseException) -> str:
    """What the database said, on one line."""
    return " ".join(str(error.__cause__ or error).split())
