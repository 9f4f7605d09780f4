"""Turns of hosts: how many requests are made at the same time, in all and of one host, and how far apart they begin."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_address

from monitor.guard import Network
from monitor.sections import Fetch
from monitor.types import host_of


@dataclass(slots=True, eq=False)
class _Host:
    gap_s: float  # between two turns
    places: asyncio.Semaphore
    turns: int = 0  # begun or waited for
    next_at: float = 0.0  # by time.monotonic(), before which no other one begins

    def wait_s(self) -> float:
        """How long the next turn has to wait; it counts as begun then."""
        now = time.monotonic()
        begins = max(now, self.next_at)
        self.next_at = begins + self.gap_s
        return begins - now


class Turns:
    """The turns of all hosts, as the settings have them. Hosts are named with their port, in small letters."""

    def __init__(self, settings: Fetch, ours: tuple[Network, ...]) -> None:
        self._settings = settings
        self._ours = ours  # the networks of ``allow_private``
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._hosts: dict[str, _Host] = {}

    @contextlib.asynccontextmanager
    async def of(self, url: str, *, alone: bool = False) -> AsyncIterator[None]:
        """Wait until fewer than ``per_host`` feeds of this host, and ``concurrency`` in all, are being worked on.

        And until ``host_gap_s`` have passed since the last turn of this host began, unless its address is one that
        ``allow_private`` names: such hosts are our own. ``alone``: nobody else is about to wait for this host.
        """
        host = self._host(host_of(url).lower())
        host.turns += 1
        try:
            async with host.places:
                wait_s = host.wait_s()
                if wait_s or not alone:
                    # Also for no time: its other feeds queue up before it is decided whether to keep the connection.
                    await asyncio.sleep(wait_s)
                async with self._slots:
                    yield
        finally:
            host.turns -= 1

    def gap_s(self, host: str) -> float:
        """Seconds that a host rests between two turns; none for one of our own."""
        return self._host(host).gap_s

    def others_wait(self, host: str) -> bool:
        """Whether more than one turn of a host is begun or waited for."""
        return self._host(host).turns > 1

    def _host(self, name: str) -> _Host:
        host = self._hosts.get(name)
        if host is None:
            gap_s = 0.0 if self._is_ours(name) else self._settings.host_gap_s
            host = self._hosts[name] = _Host(gap_s, asyncio.Semaphore(self._settings.per_host))
        return host

    def _is_ours(self, host: str) -> bool:
        name, port = host.rpartition(":")[::2]
        with contextlib.suppress(ValueError):
            address = ip_address((name if port.isdecimal() and name else host).strip("[]"))
            return any(address in network for network in self._ours)
        return False
