"""Desks in this process, for tests: keys are pressed, and what is drawn is read as cells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.strip import Strip

from alerts.naming import load_naming
from alerts.triage.app import Desk
from alerts.triage.session import Session
from monitor.config import Settings
from monitor.store import Store

PATIENCE_S = 20.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


class Seat:
    """A desk at which somebody sits."""

    def __init__(self, desk: Desk, pilot: Pilot[None]) -> None:
        self.desk, self.pilot = desk, pilot

    async def press(self, *keys: str) -> None:
        """One key after the other; each is done before the next."""
        for key in keys:
            await self.pilot.press(key)
            await self.until(lambda: not self.desk.acting or self.asked, f"{key} is done")

    async def type(self, words: str) -> None:
        """Into the field that has the keys."""
        for char in words:
            await self.pilot.press("space" if char == " " else char)

    @property
    def asked(self) -> bool:
        """Whether a dialog is open."""
        return isinstance(self.desk.screen, ModalScreen)

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait for something that the desk does beside the keys."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, f"never: {what}\n{self.text}"
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def sees(self, words: str) -> None:
        """Wait until the words stand on the screen."""
        await self.until(lambda: words in self.text, words)

    @property
    def strips(self) -> list[Strip]:
        """What is drawn, line by line; nothing before a screen has its first layout."""
        lines = self.desk.screen._compositor.render_strips()  # the one way to the drawn cells
        return [line.crop(0, self.desk.size.width) for line in lines]

    @property
    def text(self) -> str:
        """The words of the screen, each line without the spaces at its end."""
        return "\n".join(strip.text.rstrip() for strip in self.strips)


@asynccontextmanager
async def seated(
    store: Store,
    settings: Settings,
    reviewer: str,
    clock: Callable[[], datetime],
    size: tuple[int, int] = (120, 40),
    *,
    dark: bool = True,
) -> AsyncIterator[Seat]:
    """Somebody sits down, and sees the queue."""
    desk = Desk(Session(store, settings, reviewer, clock, load_naming(settings)), dark=dark)
    async with desk.run_test(size=size) as pilot:
        seat = Seat(desk, pilot)
        await seat.until(lambda: desk.queue_screen.loaded, "the queue is read")
        await seat.until(lambda: "…" not in seat.text.splitlines()[3][:12], "its rows are read")
        yield seat


def play(scene: Coroutine[Any, Any, None]) -> None:
    """Run a scene to its end."""
    asyncio.run(scene)
