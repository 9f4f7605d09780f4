"""The hosts that one pass over the feeds works on: taken a few at a time, renewed meanwhile, given back one by one.

A feed belongs to whoever holds its host, so no two passes ask one host at once, be they threads of the daemon, other
processes or other machines. Whatever is written of a feed is written only while its host is still held: a pass that
slept (a laptop closed, a machine starved) can put no older text over a newer one. A lease is short and renewed, so
that a pass that was killed keeps its hosts from others for little more than LEASE.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import TypeVar

from monitor.errors import PollwatchError
from monitor.store import Connection, hosts
from monitor.writing import Writer

LEASE = timedelta(seconds=30)
RENEW_S = 10.0  # one renewal may be late, for a database that others write to

log = logging.getLogger(__name__)

T = TypeVar("T")


class LeaseLostError(Exception):
    """Another pass has the host now: what was found of its feed must not be written."""


class Leases:
    """The leases of one pass; ``async with Leases(writer, now, begun, gap) as leases``.

    The pass began at ``now``, when time.monotonic() was ``begun``: the clocks of passes that overlap must agree.
    ``gap`` is the longest that a host rests between two requests: it is kept after a kill as well.
    """

    def __init__(self, writer: Writer, now: datetime, begun: float, gap: timedelta) -> None:
        self._writer = writer
        self._gap = gap
        self._holder = secrets.token_hex(8)
        self._now, self._begun = now, begun
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Leases:
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
        if error is not None:  # also Ctrl-C: whoever tries again at once finds every host free
            with contextlib.suppress(PollwatchError):
                await self._writer.run(lambda c: hosts.release_all(c, self._holder, self._clock() + self._gap))

    def _clock(self) -> datetime:
        return self._now + timedelta(seconds=time.monotonic() - self._begun)

    def take(self, connection: Connection, names: list[str]) -> dict[str, datetime | None]:
        """Those of these hosts that were free, and from when on they may be asked; see ``store.hosts.take``."""
        now = self._clock()
        return hosts.take(connection, names, self._holder, now, now + LEASE + self._gap)

    async def rest(self, free_at: datetime | None, gap_s: float) -> None:
        """Wait until a host may be asked that another pass asked last, at most ``gap_s`` seconds: clocks may differ."""
        if free_at is not None:
            await asyncio.sleep(max(0.0, min((free_at - self._clock()).total_seconds(), gap_s)))

    async def write(self, name: str, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction (see Writer) in which the host ``name`` is held. Raises LeaseLostError."""

        def held(connection: Connection) -> T:
            if not hosts.holds(connection, name, self._holder):
                raise LeaseLostError
            return work(connection)

        return await self._writer.run(held)

    async def give_back(self, name: str, gap_s: float) -> None:
        """The pass is done with a host, which rests for ``gap_s`` seconds now."""
        free_at = self._clock() + timedelta(seconds=gap_s)
        try:
            await self._writer.run(lambda c: hosts.release(c, name, self._holder, free_at))
        except Exception:
            log.exception("host %s could not be given back; its lease will be over by itself", name)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await self._writer.run(lambda c: hosts.renew(c, self._holder, self._clock() + LEASE + self._gap))
            except PollwatchError as error:
                log.warning("leases of hosts could not be renewed: %s", error)
