"""Room for what waits: how much may be held at once, and in which order."""

from __future__ import annotations

import asyncio

from monitor.room import Room


async def _enter(room: Room, came: list[str], name: str, amount: int) -> None:
    await room.take(amount)
    came.append(name)


def test_who_finds_no_room_waits_in_order() -> None:
    """A small one that would fit does not overtake a large one; what is given back lets both in."""

    async def run() -> list[str]:
        room, came = Room(10), list[str]()
        tasks = []
        for name, amount in (("six", 6), ("seven", 7), ("three", 3)):
            tasks.append(asyncio.create_task(_enter(room, came, name, amount)))
            await asyncio.sleep(0)
        came.append("full")
        room.give_back(6)
        await asyncio.gather(*tasks)
        return came

    assert asyncio.run(run()) == ["six", "full", "seven", "three"]


def test_what_is_larger_than_the_room_comes_in_alone() -> None:
    """It waits until nobody else is there, and nobody comes in beside it."""

    async def run() -> list[str]:
        room, came = Room(10), list[str]()
        await _enter(room, came, "one", 1)
        large, small = (
            asyncio.create_task(_enter(room, came, "large", 99)),
            asyncio.create_task(_enter(room, came, "small", 1)),
        )
        await asyncio.sleep(0)
        came.append("waits")
        room.give_back(1)
        await large
        came.append("alone")
        room.give_back(99)
        await small
        return came

    assert asyncio.run(run()) == ["one", "waits", "large", "alone", "small"]


def test_who_goes_away_takes_nothing() -> None:
    """Others behind him come in."""

    async def run() -> None:
        room = Room(10)
        await room.take(10)
        gone, stays = asyncio.create_task(room.take(10)), asyncio.create_task(room.take(10))
        await asyncio.sleep(0)
        gone.cancel()
        room.give_back(10)
        await asyncio.wait_for(stays, 5)
        assert gone.cancelled()

    asyncio.run(run())
