"""What every long-running command shares: a log that is safe to show, the signals that end it, signs of life."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket

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


def tell_systemd(words: str) -> None:
    """Say how this service is, such as "READY=1"; nothing where it was not started as one. See sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect(f"\0{address[1:]}" if address.startswith("@") else address)
            notify.sendall(words.encode())


def sign_of_life() -> None:
    """For the watchdog of systemd."""
    tell_systemd("WATCHDOG=1")


def watchdog_s() -> float | None:
    """Seconds between two signs of life that its watchdog wants, twice as often as it must; None: there is none."""
    given, of = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", str(os.getpid()))
    return int(given) / 2e6 if given.isdigit() and int(given) and of == str(os.getpid()) else None


def give_memory_back() -> None:
    """Give the memory that was freed back to the system, where the C library is glibc (others have no such call).

    It keeps what threads free in case they want it again, in scraps that only grow in number: over days of passes the
    daemon would seem to leak. See malloc_trim(3).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
