"""Room for what waits: so many bytes in memory at the same time."""

from __future__ import annotations

import asyncio


class Room:
    """Who takes of ``size`` bytes waits until they are there, one after the other.

    More than there ever is may be taken when nothing else is in use.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._used = 0
        self._turn = asyncio.Lock()
        self._left = asyncio.Event()

    async def take(self, amount: int) -> None:
        """Returns when ``amount`` bytes are taken."""
        async with self._turn:
            while self._used and self._used + amount > self._size:
                self._left.clear()
                await self._left.wait()
            self._used += amount

    def give_back(self, amount: int) -> None:
        """They are in use no longer."""
        self._used -= amount
        self._left.set()
