"""The hosts that a pass holds, each for as long as somebody in the pass has business there.

Whoever has is counted: a visit to one of its feeds, what waits to be written of one, and guests, who were redirected
from another host. The last one to go gives the host back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from monitor.fetch import Fetcher
from monitor.leases import Leases
from monitor.store import Connection
from monitor.types import host_of
from monitor.writing import Then, Writer

PATIENCE_S = (0.0, 0.1, 0.4, 1.5)  # before each attempt to become a guest of a host that another pass has

R = TypeVar("R")
T = TypeVar("T")


class BusyHostError(Exception):
    """Another pass works on the host where a feed is redirected to."""


@dataclass(slots=True, eq=False)
class Place:
    """A host that is held."""

    name: str
    gap_s: float
    rest_s: float  # before the first request
    users: int
    lost: bool = False  # another pass has taken it: its other feeds are not asked
    leaving: bool = False  # it is given back with what is being written
    refusals: asyncio.Lock = field(default_factory=asyncio.Lock)  # held until who must wait with a feed is known


class Holding:
    """The hosts of one pass."""

    def __init__(self, fetcher: Fetcher, writer: Writer, leases: Leases, most: int) -> None:
        self._fetcher, self._writer, self._leases = fetcher, writer, leases
        self._most = most
        self._places: dict[str, Place] = {}
        self._used = 0  # places that are not being given back
        self._left = asyncio.Event()  # one of them was

    def __contains__(self, name: str) -> bool:
        return name in self._places and not self._places[name].leaving

    @property
    def room(self) -> int:
        """How many hosts may be taken."""
        return self._most - self._used

    async def half_empty(self) -> None:
        """Wait until there is room for half of all."""
        while self._used > self._most // 2:
            self._left.clear()
            await self._left.wait()

    def hurry(self) -> None:
        """Nothing comes for now that the writer could wait for."""
        self._writer.hurry()

    async def empty(self) -> None:
        """Wait until nothing is held."""
        while self._places:
            if not self._used:
                self.hurry()
            self._left.clear()
            await self._left.wait()

    async def take(
        self, names: Collection[str], look: Callable[[Connection, Collection[str]], T]
    ) -> tuple[dict[str, Place], T]:
        """Those of the hosts that are ours, with one user each, and what ``look`` sees of them in that instant."""
        ours = {name: self._places[name] for name in names if name in self}
        for place in ours.values():
            place.users += 1  # a guest brought it here
        others = [name for name in names if name not in ours]

        def work(connection: Connection) -> tuple[dict[str, datetime | None], T]:
            free = self._leases.take(connection, others)
            return free, look(connection, {*ours, *free})

        free, seen = await self._writer.run(work)
        return ours | {name: self._enter(name, free_at) for name, free_at in free.items()}, seen

    def _enter(self, name: str, free_at: datetime | None) -> Place:
        gap_s = self._fetcher.turns.gap_s(name)
        self._places[name] = place = Place(name, gap_s, self._leases.rest_s(free_at, gap_s), users=1)
        self._used += 1
        return place

    @contextlib.asynccontextmanager
    async def guest(self, url: str) -> AsyncIterator[None]:
        """The turn of a request that was redirected to another host. Raises BusyHostError when it is not to be had."""
        place = await self._visit(host_of(url).lower())
        try:
            await asyncio.sleep(place.rest_s)
            async with self._fetcher.turns.of(url):
                yield
        finally:
            self.leave(place)

    async def _visit(self, name: str) -> Place:
        for wait_s in PATIENCE_S:
            await asyncio.sleep(wait_s)
            found, _ = await self.take([name], lambda *_: None)
            if found:
                return found[name]
        raise BusyHostError

    def leave(self, place: Place) -> None:
        """One user has no business there any more."""
        place.users -= 1
        if not place.users:
            self._use(-1)
            del self._places[place.name]
            self._leases.give_back(place.name, place.gap_s)

    def hand_in(
        self, place: Place, works: Callable[[Connection, list[R]], Sequence[T]], row: R, then: Then, *, last: bool
    ) -> None:
        """See ``Leases.hand_in``. With what is the ``last`` of a user the user leaves, unless it fails.

        Where nobody else is the host is given back in the same transaction.
        """
        if last and place.users == 1:
            place.leaving = True
            self._use(-1)
            self._leases.hand_in(place.name, works, row, partial(self._gone, place, then), leave_s=place.gap_s)
        else:
            self._leases.hand_in(place.name, works, row, partial(self._going, place, then) if last else then)

    def _gone(self, place: Place, then: Then, outcome: Any, error: Exception | None) -> None:
        if error is None:
            del self._places[place.name]
            self._left.set()
        else:
            place.leaving = False
            self._use(1)
        then(outcome, error)

    def _going(self, place: Place, then: Then, outcome: Any, error: Exception | None) -> None:
        if error is None:
            self.leave(place)
        then(outcome, error)

    def _use(self, more: int) -> None:
        self._used += more
        self._left.set()
