"""What a desk holds: renewed while somebody is there, lost plainly, and never kept by a desk that nobody sits at."""

from __future__ import annotations

from typing import Any

import pytest

from alerts import queue
from monitor.config import Settings
from monitor.store import Store
from monitor.types import AlertState, Decision
from tests.alerts.reviewing import two_alerts
from tests.alerts.triage.seats import Clock, Seat, play, seated


@pytest.fixture(autouse=True)
def _two_alerts(store: Store, settings: Settings, clock: Clock) -> None:
    two_alerts(store, settings, clock.now)


def _row(store: Store, clock: Clock) -> dict[str, Any]:
    return queue.show(store, 1, clock.now)


async def _holding(maya: Seat) -> None:
    await maya.press("n")
    await maya.sees("You hold this alert until 12:40.")


def test_a_lease_is_renewed_while_somebody_is_there(store: Store, settings: Settings, clock: Clock) -> None:
    """From half of its time on; a key in the last ten minutes says that somebody is."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await _holding(maya)
            clock.move(minutes=4)
            assert await maya.desk.leases.renew() == {}
            assert _row(store, clock)["lease_expires_at"] == clock.now.replace(minute=40)
            clock.move(minutes=2)
            await maya.press("down")
            await maya.sees("You hold this alert until 12:46.")  # by its own timer

    play(scene())
    assert [entry["action"] for entry in _row(store, clock)["history"]].count("alert.renew") == 1


def test_a_desk_that_nobody_sits_at_keeps_nothing(store: Store, settings: Settings, clock: Clock) -> None:
    """Before the lease runs out it is said; then it is gone, in plain words, and t takes it again."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await _holding(maya)
            maya.desk.leases.active_at = clock.now.replace(hour=1)
            clock.move(minutes=9)
            await maya.sees("Your lease runs out in 60 s: press any key to keep it.")
            maya.desk.leases.active_at = clock.now.replace(hour=1)
            clock.move(minutes=2)
            maya.desk.read_again()
            await maya.sees("You do not hold alert 1 any more; t takes it again.")
            await maya.press("t")
            await maya.sees("You hold this alert until 12:51.")

    play(scene())


def test_who_takes_it_away_is_named(store: Store, settings: Settings, clock: Clock) -> None:
    """The screen says who has it now; a decision that is being written is refused, its words are kept."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await _holding(maya)
            await maya.press("r", "enter")
            await maya.type("for the police")
            queue.release(store, settings, "ben", clock.now, 1, "she has gone home")
            queue.take(store, settings, "ben", clock.now, 1)
            await maya.press("enter")
            await maya.sees("alert 1 is held by ben")
            assert "for the police" in maya.text
            await maya.press("escape")
            await maya.sees("You do not hold alert 1 any more: ben has it now.")
            await maya.sees("Held by ben: you can only look.")
            await maya.press("escape")
            await maya.until(lambda: maya.desk.on_alert is None, "the queue")
            assert _row(store, clock)["holder"] == "ben"  # not given back by whom it does not belong to

    play(scene())


def test_what_another_decides_is_told(store: Store, settings: Settings, clock: Clock) -> None:
    """Also when it was looked at without a lease."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("enter")
            await maya.sees("Nobody holds this alert: t takes it.")
            queue.take(store, settings, "ben", clock.now, 1)
            await maya.sees("Held by ben: you can only look.")
            queue.decide(store, settings, "ben", clock.now, 1, Decision.DISMISS, None, "opinion")
            await maya.sees("Decided: dismiss")

    play(scene())


def test_going_on_to_the_next_gives_back_the_one_before(store: Store, settings: Settings, clock: Clock) -> None:
    """A desk holds one alert: that on its screen."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await _holding(maya)
            await maya.press("n")
            await maya.sees("pollwatch alert 2")
            assert _row(store, clock)["state"] == AlertState.OPEN
            assert list(maya.desk.leases.until) == [2]

    play(scene())
