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
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from monitor.errors import PollwatchError
from monitor.store import Connection, hosts
from monitor.writing import Then, Writer

LEASE = timedelta(seconds=30)
RENEW_S = 10.0  # one renewal may be late, for a database that others write to

log = logging.getLogger(__name__)

R = TypeVar("R")
T = TypeVar("T")


class LeaseLostError(Exception):
    """Another pass has the host now: what was found of its feed must not be written."""


class _Lost:
    """What is written together is one outcome each, and an error would be everybody's."""


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
        self._held: dict[Any, Any] = {}  # works, and the same for the rows whose host is held

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

    def rest_s(self, free_at: datetime | None, gap_s: float) -> float:
        """How long a host rests that another pass asked last, at most ``gap_s`` seconds: clocks may differ."""
        if free_at is None or gap_s <= 0:
            return 0.0
        return max(0.0, min((free_at - self._clock()).total_seconds(), gap_s))

    async def write(self, name: str, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction (see Writer) in which the host ``name`` is held. Raises LeaseLostError."""

        def held(connection: Connection) -> T:
            if not hosts.held(connection, [name], self._holder):
                raise LeaseLostError
            return work(connection)

        return await self._writer.run(held)

    def hand_in(
        self,
        name: str,
        works: Callable[[Connection, list[R]], Sequence[T]],
        row: R,
        then: Then,
        *,
        leave_s: float | None = None,
    ) -> None:
        """Like ``write``, among many for which ``works`` is the same; nobody waits, see ``Writer.hand_in``.

        With ``leave_s`` the host is given back in the same transaction, and rests for so many seconds.
        """
        held = self._held.get(works)
        if held is None:
            held = self._held[works] = partial(self._if_held, works)
        self._writer.hand_in(held, (name, row, leave_s), partial(_told, then))

    def _if_held(
        self,
        works: Callable[[Connection, list[R]], Sequence[T]],
        connection: Connection,
        rows: list[tuple[str, R, float | None]],
    ) -> list[T | _Lost]:
        left = {name: self._free_at(leave_s) for name, _, leave_s in rows if leave_s is not None}
        held = hosts.held(connection, {name for name, *_ in rows}.difference(left), self._holder)
        if left:  # given back first, and to nobody before this transaction ends
            held |= hosts.release(connection, left, self._holder)
        outcomes = iter(works(connection, [row for name, row, _ in rows if name in held]))
        return [next(outcomes) if name in held else _Lost() for name, *_ in rows]

    def give_back(self, name: str, gap_s: float) -> None:
        """The pass is done with a host, which rests for ``gap_s`` seconds now; it may go on meanwhile."""
        self._writer.hand_in(self._release, (name, self._free_at(gap_s)), partial(_left, name))

    def _free_at(self, gap_s: float) -> datetime:
        return self._clock() + timedelta(seconds=gap_s)

    def _release(self, connection: Connection, rows: list[tuple[str, datetime]]) -> list[None]:
        if rows:
            hosts.release(connection, dict(rows), self._holder)
        return [None] * len(rows)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await self._writer.run(lambda c: hosts.renew(c, self._holder, self._clock() + LEASE + self._gap))
            except PollwatchError as error:
                log.warning("leases of hosts could not be renewed: %s", error)


def _told(then: Then, outcome: Any, error: Exception | None) -> None:
    if isinstance(outcome, _Lost):
        then(None, LeaseLostError())
    else:
        then(outcome, error)


def _left(name: str, _outcome: None, error: Exception | None) -> None:
    if error is not None:
        log.error("host %s could not be given back; its lease will be over by itself: %s", name, error)
