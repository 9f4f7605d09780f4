"""A store that is slow to answer: no key does what it was not meant for, and no old answer undoes what is so now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from alerts import queue
from alerts.naming import load_naming
from alerts.sheet import Sheet
from alerts.triage.app import Desk
from alerts.triage.session import Session
from monitor.config import Settings
from monitor.store import Store
from tests.alerts.reviewing import two_alerts
from tests.alerts.triage.seats import Clock, Seat, play

T = TypeVar("T")


class Slow(Session):
    """Answers only when the gate is open: it was asked before, and what it says is as old."""

    gate: asyncio.Event

    async def ask(self, question: Callable[..., T], *arguments: Any) -> T:
        found = await super().ask(question, *arguments)
        await self.gate.wait()
        return found

    async def sheet(self, alert_id: int) -> Sheet:
        found = await super().sheet(alert_id)
        await self.gate.wait()
        return found


@pytest.fixture(autouse=True)
def _two_alerts(store: Store, settings: Settings, clock: Clock) -> None:
    two_alerts(store, settings, clock.now)


def _desk(store: Store, settings: Settings, clock: Clock) -> tuple[Desk, Slow]:
    session = Slow(store, settings, "maya", clock, load_naming(settings))
    session.gate = asyncio.Event()
    return Desk(session), session


def test_keys_wait_for_the_first_reading(store: Store, settings: Settings, clock: Clock) -> None:
    """`d` and the letters meant for its dialog, pressed before the queue is there, are no keys of an empty screen."""

    async def scene() -> None:
        desk, session = _desk(store, settings, clock)
        async with desk.run_test(size=(120, 40)) as pilot:
            seat = Seat(desk, pilot)
            await pilot.press("d", "enter", "n", "q")
            assert not desk.decided
            assert "No alert is chosen." not in seat.text
            session.gate.set()
            await seat.sees("Alert 1: dismiss. Why?")
            await seat.sees("▊  q")
            await seat.press("enter")
            await seat.sees("Alert 1 is decided: dismiss.")

    play(scene())
    assert queue.show(store, 1, clock.now)["decisions"][0]["reason"] == "not-false: q"


def test_keys_that_waited_in_vain_are_forgotten(store: Store, settings: Settings, clock: Clock) -> None:
    """When the store keeps silent the banner says so; what was typed by then does nothing when it is back."""

    async def scene() -> None:
        desk, session = _desk(store, settings, clock)
        async with desk.run_test(size=(120, 40)) as pilot:
            seat = Seat(desk, pilot)
            await pilot.press("n", "q")
            await seat.sees("The database has not answered for a while.")
            session.gate.set()
            await seat.sees("A pier is closed")
            assert not desk.leases.until
            assert desk.is_running
            await seat.press("n")
            await seat.sees("You hold this alert")

    play(scene())


def test_letters_for_a_dialog_that_does_not_open_are_no_keys(store: Store, settings: Settings, clock: Clock) -> None:
    """`A` on an alert that nobody decided is refused at once; `q`, typed with it as of a reason, does not leave."""

    async def scene() -> None:
        desk, session = _desk(store, settings, clock)
        async with desk.run_test(size=(120, 40)) as pilot:
            seat = Seat(desk, pilot)
            session.gate.set()
            await seat.sees("A pier is closed")
            session.gate.clear()
            desk.queue_screen.queue.forget_rows()
            desk.queue_screen.queue.go_to(1)
            desk.queue_screen.queue._rows.clear()  # as of an alert that has come into sight just now
            await pilot.press("A", "q")
            session.gate.set()
            await seat.sees("Alert 2 is not decided.")
            assert desk.is_running
            assert not seat.asked

    play(scene())


def test_a_sheet_older_than_the_lease_does_not_end_it(store: Store, settings: Settings, clock: Clock) -> None:
    """What was read before the alert was taken, and comes after, does not make its holder a mere onlooker."""

    async def scene() -> None:
        desk, session = _desk(store, settings, clock)
        async with desk.run_test(size=(120, 40)) as pilot:
            seat = Seat(desk, pilot)
            session.gate.set()
            await seat.sees("A pier is closed")
            await seat.press("enter")
            await seat.sees("Nobody holds this alert")
            screen = desk.on_alert
            assert screen is not None
            session.gate.clear()
            reading_on = asyncio.ensure_future(screen.reload())
            await pilot.pause(0.2)  # it has read, and waits
            await desk.leases.take(1)
            session.gate.set()
            await reading_on
            assert 1 in desk.leases.until
            await seat.sees("You hold this alert")
            await seat.press("escape")
            await seat.sees("Alert 1 is back in the queue.")

    play(scene())
