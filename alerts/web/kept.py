"""Answers that are kept for a few seconds, so that no number of readers asks the store more often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 64  # answers kept at a time
AT_ONCE = 2  # made at a time; who wants another waits


@dataclass
class _Answer(Generic[T]):
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    value: T | None = None
    until: float = float("-inf")


class Kept(Generic[T]):
    """Makes an answer in a thread and gives it again for ``seconds``; who asks meanwhile waits for the same one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._answers: dict[str, _Answer[T]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    async def get(self, key: str, make: Callable[[], T]) -> T:
        """The answer for ``key``; what ``make`` raises is raised, and not kept."""
        answer = self._answers.get(key)
        if answer is None:
            self._tidy()
            answer = self._answers[key] = _Answer()
        async with answer.turn:
            if answer.value is None or time.monotonic() >= answer.until:
                async with self._room:
                    answer.value = await asyncio.to_thread(make)
                answer.until = time.monotonic() + self._seconds
            return answer.value

    def _tidy(self) -> None:
        """Make room for one more: the oldest go first, but for those that somebody waits for."""
        idle = [key for key, answer in self._answers.items() if not answer.turn.locked()]
        for key in idle[: max(0, len(self._answers) - MOST + 1)]:
            del self._answers[key]
