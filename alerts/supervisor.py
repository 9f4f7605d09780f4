"""Tells the supervisor that started us (systemd, `Type=notify`) how we are. Without one every call does nothing.

The protocol is that of sd_notify(3): lines of `KEY=value` in one datagram to the socket named in the environment.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from monitor.invisible import safe

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"


def tell(*states: str) -> None:
    """Say this; a supervisor that does not listen stops nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    where = "\0" + address[1:] if address[0] == "@" else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.settimeout(1)
        line.sendto("\n".join(states).encode(), where)


def doing(words: str) -> str:
    """A state that `systemctl status` shows."""
    return f"STATUS={safe(words)}"


def heartbeat_s() -> float | None:
    """How often to say ALIVE, in seconds: a third of what the supervisor waits; None where it waits for nothing."""
    given, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not given.isdecimal() or int(given) == 0 or (process.isdecimal() and int(process) != os.getpid()):
        return None
    return int(given) / 3e6
