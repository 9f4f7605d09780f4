"""What every long-running command shares: a log that is safe to show, and the signals that end it."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import signal

from monitor.invisible import safe


class _SafeFormatter(logging.Formatter):
    """Words of feeds and servers stand in the log: none of them may steer the terminal that shows it."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(safe(line) for line in super().format(record).split("\n"))


def log_to_stderr() -> None:
    """From here on what the program says of its work goes to stderr, a line for each thing."""
    handler = logging.StreamHandler()
    handler.setFormatter(_SafeFormatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


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
