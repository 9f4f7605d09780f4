"""`drill plan`: how many reviewers a shift needs, from a simulation of the queue. Pure.

A discrete-event simulation of a priority queue with several servers (Law, "Simulation Modeling and Analysis", chapter
1): alerts arrive as a Poisson process whose rate changes by the hour of the local day, and reviewers take the most
urgent that waits. Unless they work ``in_turn``, they put down a less urgent alert for a P1 and go on with it later
(preemptive resume). An alert that asks for a second opinion waits anew, for another person. The first day warms the
queue up, the second is measured. Where a closed form exists, M/M/c, a test holds the two together (Erlang C).
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from monitor.errors import InputError

HOURS = 24
URGENT = 1  # the priority that is planned for
Z = 1.96  # standard errors of a 95 % interval


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in, and how long it takes a person.

    ``rates`` are alerts an hour by (hour of the local day, priority). Service times are drawn from ``observed``
    seconds, or exponential with ``mean_s`` where there are none. ``second`` is the share that needs a second opinion.
    """

    rates: Mapping[tuple[int, int], float]
    observed: tuple[float, ...] = ()
    mean_s: float = 0.0
    second: float = 0.0

    @property
    def service_s(self) -> float:
        """The mean service time."""
        return sum(self.observed) / len(self.observed) if self.observed else self.mean_s


@dataclass(slots=True)
class _Job:
    priority: int
    arrived: float  # seconds from the start, of this opinion
    left: float  # seconds of work
    opinions: int  # that follow this one
    taken: bool = False
    seen: set[int] = field(default_factory=set)  # reviewers who gave an opinion


Wait = tuple[float, int, float]  # when it came, its priority, how long until it was taken; seconds


def load_of(
    queue: Sequence[Mapping[str, Any]],
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    *,
    mean_s: float | None = None,
    second: float | None = None,
) -> Load:
    """The load of alerts as a drill reports them, opened between ``start`` and ``end``; samples and hidden ones apart.

    What is given replaces what the decisions say. Raises InputError without alerts, or without a service time.
    """
    days = max((end - start) / timedelta(days=1), 1.0)
    came: Counter[tuple[int, int]] = Counter()
    observed, seconds, decided = [], 0, 0
    for row in queue:
        if row["sample"] or row["suppression"]:
            continue
        opened = datetime.fromisoformat(row["opened_at"])
        came[opened.astimezone(zone).hour, row["priority"]] += 1
        if row["decided_at"] is None or row["taken_at"] is None:
            continue
        decided += 1
        seconds += row["opinions"] > 1
        if row["opinions"] <= 1:  # of the others the wait for the second person is in it
            taken = datetime.fromisoformat(row["taken_at"])
            observed.append((datetime.fromisoformat(row["decided_at"]) - taken).total_seconds())
    if not came:
        raise InputError("drill plan", "finds no alert to plan with; name another drill, or an earlier --since")
    if mean_s is None and not any(observed):
        raise InputError("drill plan", "finds no decision to learn a time from; say how long one takes: --service 120")
    share = second if second is not None else seconds / max(decided, 1)
    rates = {key: number / days for key, number in sorted(came.items())}
    return Load(rates, tuple(observed) if mean_s is None else (), mean_s or 0.0, share)


def plan(
    load: Load,
    reviewers: Sequence[int],
    *,
    minutes: float,
    share: float,
    shift_h: int,
    seed: int,
    replications: int,
    in_turn: bool = False,
) -> dict[str, Any]:
    """How many of ``reviewers`` each shift of ``shift_h`` hours needs so that ``share`` of P1 is taken in ``minutes``.

    Keys: ``service_s, second, shifts[{from_hour, to_hour, alerts, urgent, need, options[{reviewers, share, low, high,
    busy}]}]``. ``share`` is over all replications, ``low`` and ``high`` its 95 % interval, ``need`` the fewest whose
    ``low`` reaches the target, None where no number does; ``busy`` the part of a shift that is work. Every shift is
    simulated with the same number of people before and after it.
    """
    shifts = [(start, min(start + shift_h, HOURS)) for start in range(0, HOURS, shift_h)]
    options: list[list[dict[str, Any]]] = [[] for _ in shifts]
    for number in reviewers:
        taken: list[list[tuple[int, int]]] = [[] for _ in shifts]  # in time, of so many, in each replication
        for replication in range(replications):
            random = Random(f"{seed}:{number}:{replication}")  # noqa: S311 - a simulation that can be repeated
            waits = [
                (came - HOURS * 3600, wait)
                for came, priority, wait in simulate(load, number, 2 * HOURS, random, in_turn=in_turn)
                if priority == URGENT and came >= HOURS * 3600
            ]
            for place, (start, end) in enumerate(shifts):
                mine = [wait for came, wait in waits if start * 3600 <= came < end * 3600]
                taken[place].append((sum(wait <= minutes * 60 for wait in mine), len(mine)))
        for place, span in enumerate(shifts):
            busy = _work_s(load, span) / (number * (span[1] - span[0]) * 3600)
            options[place].append({"reviewers": number, **interval(taken[place]), "busy": round(busy, 3)})
    found = [_shift(load, span, each, share) for span, each in zip(shifts, options, strict=True)]
    return {"service_s": round(load.service_s, 1), "second": round(load.second, 3), "shifts": found}


def _shift(load: Load, span: tuple[int, int], options: list[dict[str, Any]], share: float) -> dict[str, Any]:
    hours = range(*span)
    enough = [each["reviewers"] for each in options if each["low"] is not None and each["low"] >= share]
    return {
        "from_hour": span[0],
        "to_hour": span[1],
        "alerts": round(sum(rate for (hour, _), rate in load.rates.items() if hour in hours), 2),
        "urgent": round(sum(load.rates.get((hour, URGENT), 0.0) for hour in hours), 2),
        "need": min(enough, default=None),
        "options": options,
    }


def _work_s(load: Load, span: tuple[int, int]) -> float:
    alerts = sum(rate for (hour, _), rate in load.rates.items() if span[0] <= hour < span[1])
    return alerts * load.service_s * (1 + load.second)


def interval(taken: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """``share, low, high`` of what was taken in time over replications: a ratio estimator with its standard error.

    Where every replication says the same, the rule of three bounds what was never seen to fail (Hanley and
    Lippman-Hand 1983).
    """
    total = sum(number for _, number in taken)
    if not total:
        return {"share": None, "low": None, "high": None}
    share = sum(good for good, _ in taken) / total
    spread = sum((good - share * number) ** 2 for good, number in taken)
    runs = len(taken)
    wide = Z * math.sqrt(spread / max(runs * (runs - 1), 1)) / (total / runs) if runs > 1 else 1.0
    wide = wide or 3 / total
    return {"share": round(share, 4), "low": round(max(0.0, share - wide), 4), "high": round(min(1.0, share + wide), 4)}


def simulate(load: Load, reviewers: int, hours: int, random: Random, *, in_turn: bool = False) -> list[Wait]:
    """Every opinion that was asked for and how long it waited, in the order in which they were taken.

    Last come those that nobody could give: a second opinion on a desk of one. They wait for ever.
    """
    desk = _Desk(reviewers, in_turn)
    arrivals = _arrivals(load, hours, random)
    coming = next(arrivals, None)
    while coming is not None or desk.ends:
        if coming is not None and (not desk.ends or coming[0] <= desk.ends[0][0]):
            now, priority = coming
            coming = next(arrivals, None)
            opinions = int(random.random() < load.second)
            desk.put(_Job(priority, now, _service_s(load, random), opinions))
        else:
            now, job = desk.finish()
            if job is not None and job.opinions:
                desk.put(_Job(job.priority, now, _service_s(load, random), job.opinions - 1, seen=job.seen))
        desk.hand_out(now)
    return desk.waits + desk.left()


def _arrivals(load: Load, hours: int, random: Random) -> Iterator[tuple[float, int]]:
    """Instants in order, each with a priority."""
    for hour in range(hours):
        found = []
        for priority in sorted({priority for _, priority in load.rates}):
            rate = load.rates.get((hour % HOURS, priority), 0.0)
            at = random.expovariate(rate) if rate else math.inf
            while at < 1:
                found.append(((hour + at) * 3600, priority))
                at += random.expovariate(rate)
        yield from sorted(found)


def _service_s(load: Load, random: Random) -> float:
    return random.choice(load.observed) if load.observed else random.expovariate(1 / load.mean_s)


class _Desk:
    """Who works on what, and what waits."""

    def __init__(self, reviewers: int, in_turn: bool) -> None:
        self.waits: list[Wait] = []
        self.ends: list[tuple[float, int, int]] = []  # when, number of the holding, reviewer
        self._in_turn = in_turn
        self._free = list(range(reviewers))
        self._held: dict[int, tuple[int, _Job, float]] = {}  # by reviewer: number of the holding, job, its end
        self._waiting: list[tuple[int, float, int, _Job]] = []
        self._numbers = count()

    def put(self, job: _Job) -> None:
        heapq.heappush(self._waiting, (job.priority, job.arrived, next(self._numbers), job))

    def finish(self) -> tuple[float, _Job | None]:
        """The next end; no job where what was held had been put down before."""
        now, number, reviewer = heapq.heappop(self.ends)
        held = self._held.get(reviewer)
        if held is None or held[0] != number:
            return now, None
        del self._held[reviewer]
        heapq.heappush(self._free, reviewer)
        held[1].seen.add(reviewer)
        return now, held[1]

    def left(self) -> list[Wait]:
        """What was never taken."""
        return [(arrived, priority, math.inf) for priority, arrived, _, job in sorted(self._waiting) if not job.taken]

    def hand_out(self, now: float) -> None:
        """Give what waits to who may have it, the most urgent first."""
        passed = []
        while self._waiting and (self._free or not self._in_turn):
            entry = heapq.heappop(self._waiting)
            reviewer = self._who(entry[3], now)
            if reviewer is None:
                passed.append(entry)
                if not self._free:
                    break  # nobody would put anything down for what is less urgent still
            else:
                self._give(reviewer, entry[3], now)
        for entry in passed:
            heapq.heappush(self._waiting, entry)

    def _who(self, job: _Job, now: float) -> int | None:
        for reviewer in self._free:
            if reviewer not in job.seen:
                self._free.remove(reviewer)
                heapq.heapify(self._free)
                return reviewer
        if self._in_turn or job.priority != URGENT:
            return None
        less = [(held.priority, reviewer) for reviewer, (_, held, _) in self._held.items() if reviewer not in job.seen]
        priority, reviewer = max(less, default=(URGENT, -1))
        if priority <= job.priority:
            return None
        _, put_down, end = self._held.pop(reviewer)
        put_down.left = end - now
        self.put(put_down)
        return reviewer

    def _give(self, reviewer: int, job: _Job, now: float) -> None:
        if not job.taken:
            job.taken = True
            self.waits.append((job.arrived, job.priority, now - job.arrived))
        number = next(self._numbers)
        self._held[reviewer] = (number, job, now + job.left)
        heapq.heappush(self.ends, (now + job.left, number, reviewer))
