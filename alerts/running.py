"""How a long-running process does one piece of work: a fault ends that piece, never the process.

The daemon runs what follows in threads of its own; a worker of a fleet runs it when the clock has called for it.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from alerts.pipeline import LEARN, PURGE, Stage, run_stage, stages
from alerts.process import observed
from classifiers.train import is_due, learn
from monitor import logs, purge
from monitor.collect import collect
from monitor.config import Settings
from monitor.errors import PollwatchError
from monitor.store import Store, open_store, stamps
from monitor.types import WHOLE, Part

log = logging.getLogger("pollwatch")

Job = Callable[[Store, Settings, Callable[[], bool]], None]  # the last one asks whether to stop

APART = ("collect", "subscribe", "index", "notify", "digest", "capture")  # stages that would hold others up
PASS_S = 30.0  # after which a pass over the feeds asks no more of them
STOP_WITHIN_S = 8.0  # for what runs when the process is asked to stop
_LOOK_S = 0.2  # between two looks whether to stop, while a process learns


def run_stages(names: tuple[str, ...], store: Store, settings: Settings, stopping: Callable[[], bool]) -> None:
    """Some stages in order. One that fails is logged and recorded, and the next tick tries it again."""
    known = dict(stages(settings))
    for name in names:
        if stopping():
            return
        run_one(name, known[name], store, settings)


def pass_over_feeds(part: Part = WHOLE) -> Job:
    """A pass over one part of the feeds, which ends in good time however slow some of them are."""
    return lambda store, settings, _: run_one("collect", partial(collect, part=part, within_s=PASS_S), store, settings)


def run_one(name: str, stage: Stage, store: Store, settings: Settings) -> None:
    """One stage, and what it did in the log. Raises nothing."""
    try:
        report = run_stage(name, stage, store, settings, lambda: datetime.now(UTC))
    except PollwatchError as error:  # a sentence for a person: a wrong file, a full disk
        log.error("%s: %s", name, error)  # noqa: TRY400 - the sentence says all
        return
    except Exception:  # the process outlives every fault of a stage; `status` shows it
        log.exception("stage %s failed", name)
        return
    if any(isinstance(value, int) and value for value in report.counts.values()):
        logs.tell("stage.finish", stage=name, **report.counts)
    for problem in report.problems:
        log.warning("%s: %s", name, problem)


def learn_when_due(store: Store, settings: Settings, stopping: Callable[[], bool]) -> None:
    """Learn in a process of its own, so that no stage waits; it is ended when this one stops."""
    try:
        if not stopping() and is_due(store, settings, datetime.now(UTC)):
            _wait_for_learning(settings, stopping)
    except PollwatchError as error:
        log.error("learn: %s", error)  # noqa: TRY400 - the sentence says all
    except Exception:  # as of a stage
        log.exception("learning failed")


def purge_when_due(store: Store, settings: Settings, stopping: Callable[[], bool]) -> None:
    """Purge, once a day."""
    try:
        due = purge.is_due(store, settings, datetime.now(UTC))
    except PollwatchError as error:
        log.error("%s: %s", PURGE, error)  # noqa: TRY400 - the sentence says all
        return
    if due and not stopping():
        run_one(PURGE, purge.purge, store, settings)


def put_clock_right(store: Store, settings: Settings, stopping: Callable[[], bool]) -> None:  # noqa: ARG001 - a Job
    """What a clock that was ahead put off is due now: see ``stamps``."""
    try:
        with store.write() as connection:
            found = stamps.put_right(connection, datetime.now(UTC))
    except PollwatchError as error:
        log.error("the clock: %s", error)  # noqa: TRY400 - the sentence says all
        return
    if found:
        log.warning("the clock was ahead: %d feeds, asked at a time that is still to come, are asked now", found)


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
    with observed(settings), contextlib.closing(open_store(settings.database_url)) as store:
        run_one(LEARN, learn, store, settings)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
