"""The queue screen over a real store: what it shows, how it moves, and that it keeps its place."""

from __future__ import annotations

from datetime import datetime

from alerts import queue
from alerts.dispatch import dispatch
from monitor.config import Settings
from monitor.store import Store
from monitor.types import Decision
from tests.alerts.rows import WITHDRAWN, add_incident
from tests.alerts.triage.seats import Clock, play, seated


def _many(store: Store, settings: Settings, now: datetime, count: int) -> None:
    add_incident(store, now, findings=[WITHDRAWN], outlets=["Harbour Daily", "翠灣時報"])
    for number in range(count - 1):
        title = f"The pier of Moonrise Island is closed, story {number}"
        add_incident(store, now, title=title, score=0.6 - number / 1e4, matches=[], lang="en")
    dispatch(store, settings, now)


def test_shows_what_is_most_urgent_on_top(store: Store, settings: Settings, clock: Clock) -> None:
    """Priority, countdown, claim type, candidate, outlets and items, language, title."""
    _many(store, settings, clock.now, 3)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            lines = maya.text.splitlines()
            assert lines[0].startswith("pollwatch queue  you are maya")
            assert lines[1].startswith("1 of 3 alerts  all that wait for a person")
            first = lines[3]
            assert first.startswith("> P1  +15m    -           candidate fact")
            assert "Vivian Cheuk       2/2        繁   卓望晴今早突然退選？" in first
            clock.move(minutes=40)
            await maya.sees("> P1  -25m!")

    play(scene())


def test_keeps_the_place_of_the_reviewer_by_alert(store: Store, settings: Settings, clock: Clock) -> None:
    """Alerts above go and come; the cursor stays on its alert, and that alert stays in its line of the screen."""
    _many(store, settings, clock.now, 120)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            listed = maya.desk.queue_screen.queue
            await maya.press(*["down"] * 60)
            at, line = listed.at, listed.line_of(listed.at or 0)
            gone = listed.ids[5]
            queue.take(store, settings, "ben", clock.now, gone)
            queue.decide(store, settings, "ben", clock.now, gone, Decision.DISMISS, None, "opinion")
            await maya.until(lambda: gone not in listed.ids, "it is gone")
            assert (listed.at, listed.line_of(at or 0)) == (at, line)
            add_incident(store, clock.now, findings=[WITHDRAWN], title="卓望晴退選，又一則")
            dispatch(store, settings, clock.now)
            await maya.until(lambda: len(listed.ids) == 120, "it has come")
            assert (listed.at, listed.line_of(at or 0)) == (at, line)

    play(scene())


def test_goes_on_to_what_was_next_when_it_was_taken(store: Store, settings: Settings, clock: Clock) -> None:
    """An alert that is held stands elsewhere in the queue, for its clock is another; the reviewer's place does not."""
    for number in range(4):
        add_incident(store, clock.now, findings=[WITHDRAWN], title=f"卓望晴退選，第{number}則")
    dispatch(store, settings, clock.now)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            listed = maya.desk.queue_screen.queue
            await maya.press("down")
            taken, following = listed.ids[1:3]
            await maya.press("t")
            await maya.until(lambda: listed.ids.index(taken) > 1, "it stands behind the others")
            await maya.press("c", "f")
            await maya.type("so it is")
            await maya.press("enter")
            await maya.sees("waits for a second opinion")
            assert listed.at == following

    play(scene())


def test_goes_on_to_the_next_when_its_alert_is_gone(store: Store, settings: Settings, clock: Clock) -> None:
    """Somebody else decides the alert at the cursor."""
    _many(store, settings, clock.now, 5)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            listed = maya.desk.queue_screen.queue
            await maya.press("down")
            gone, following = listed.ids[1:3]
            queue.take(store, settings, "ben", clock.now, gone)
            queue.decide(store, settings, "ben", clock.now, gone, Decision.DISMISS, None, "opinion")
            await maya.until(lambda: gone not in listed.ids, "it is gone")
            assert listed.at == following

    play(scene())


def test_shows_who_holds_what_within_two_seconds(store: Store, settings: Settings, clock: Clock) -> None:
    """Taken and given back elsewhere; a lease that runs out without anybody writing it down."""
    _many(store, settings, clock.now, 3)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            listed = maya.desk.queue_screen.queue
            queue.take(store, settings, "ben", clock.now, listed.ids[1])
            await maya.pilot.pause(2)
            assert "  ben  " in maya.text.splitlines()[4]
            clock.move(minutes=11)
            await maya.pilot.pause(2)
            assert "ben" not in maya.text

    play(scene())


def test_opens_what_has_just_come_into_sight(store: Store, settings: Settings, clock: Clock) -> None:
    """Enter right behind a jump to the end: the alert there, though its row was never read."""
    _many(store, settings, clock.now, 300)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            last = maya.desk.queue_screen.queue.ids[-1]
            await maya.pilot.press("end", "enter")
            await maya.until(lambda: maya.desk.on_alert, "its screen")
            assert maya.desk.on_alert is not None
            assert maya.desk.on_alert.alert_id == last

    play(scene())
