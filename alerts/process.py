"""What every long-running command shares: that it is observed, and the signals that end it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import signal
from collections.abc import Callable, Iterator

from monitor import logs, tracing
from monitor.config import Settings


@contextlib.contextmanager
def observed(settings: Settings) -> Iterator[None]:
    """What the program does inside is said in the log, from `info` on, and traced where that is asked for.

    Raises ConfigError where traces are asked for and cannot be had.
    """
    logs.to_stderr(settings.logs.format, settings.logs.level or "info")
    tracing.begin(settings.traces.endpoint, settings.file)
    try:
        yield
    finally:
        tracing.end()


def teller(settings: Settings, say: Callable[[str], None]) -> Callable[[str], None]:
    """How to say that the program runs: ``say``, or in the log where that is JSON, for then every line is to be."""
    return logging.getLogger("pollwatch").info if settings.logs.format == "json" else say


def stop_signal() -> asyncio.Future[signal.Signals]:
    """The first SIGTERM or SIGINT that comes while the event loop runs."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[signal.Signals] = loop.create_future()

    def end(received: signal.Signals) -> None:
        if not stop.done():
            stop.set_result(received)

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end, name)
    return stop


def give_memory_back() -> None:
    """Give the memory that was freed back to the system, where the C library is glibc (others have no such call).

    It keeps what threads free in case they want it again, in scraps that only grow in number: over days of passes the
    daemon would seem to leak. See malloc_trim(3).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
