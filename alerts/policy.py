"""Which steps follow when an alert is not taken or not decided in time: the ``[escalation]`` of routes.toml. Pure.

As GoAlert's escalation policies, with a policy for each priority in each phase of the election: a step has a delay,
whom it tells, and may tell them again. Each step is counted from the moment from which the alert's clocks count, and
happens once for an alert: the alert remembers how many it has behind it of each kind. So when it becomes more urgent,
or a phase begins, the next step of the new policy follows, and none is done twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from alerts.tables import AnyOfNames, Table
from monitor.types import WAITING, Alert, Phase, Said

OWNER, LEAD = "team", "lead"  # in ``notify``: the team that the alert is for, and the lead of that team
FORGOTTEN = 2  # leases that ran out: the alert is treated as not decided in time
LONGEST = 366 * 24 * 60  # minutes


class Until(StrEnum):
    """What a step waits for in vain."""

    TAKEN = "taken"
    DECIDED = "decided"


_LATE = {
    Until.TAKEN: Said("not taken within {minutes} minutes"),
    Until.DECIDED: Said("not decided within {minutes} minutes"),
}
_STILL = {Until.TAKEN: Said("still not taken"), Until.DECIDED: Said("still not decided")}


class Step(Table):
    """After so many minutes unless the alert is taken, or decided: raise it to ``level`` and tell ``notify``.

    They are told again every ``repeat`` minutes, ``times`` times at most, while that still holds.
    """

    after: int = Field(gt=0, le=LONGEST)
    unless: Until = Until.TAKEN
    level: int = Field(ge=0, le=2)
    notify: AnyOfNames = (OWNER,)
    repeat: int | None = Field(None, gt=0, le=LONGEST)
    times: int = Field(12, gt=0, le=1000)

    @property
    def delay(self) -> timedelta:
        """``after`` as a span of time."""
        return timedelta(minutes=self.after)


class Policy(Table):
    """The steps of one priority in one phase."""

    steps: tuple[Step, ...] = ()

    def of(self, until: Until) -> tuple[Step, ...]:
        """Those that wait for one thing, in order."""
        return tuple(step for step in self.steps if step.unless is until)

    @model_validator(mode="before")
    @classmethod
    def _as_listed(cls, value: object) -> object:
        return {"steps": value} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for until in Until:
            for step, following in pairwise(self.of(until)):
                if following.after <= step.after or following.level < step.level:
                    raise ValueError(f"steps with unless = {until} must stand in order of after, and levels never fall")
        return self


class PhasePolicies(Table):
    """The policies of one phase, by priority; one that is not given is that of ``default``."""

    P1: Policy | None = None
    P2: Policy | None = None
    P3: Policy | None = None
    P4: Policy | None = None


class Escalation(Table):
    """All policies; a phase that is not given uses ``default``."""

    default: PhasePolicies = PhasePolicies()
    before: PhasePolicies = PhasePolicies()
    nomination: PhasePolicies = PhasePolicies()
    campaign: PhasePolicies = PhasePolicies()
    polling_day: PhasePolicies = Field(PhasePolicies(), alias="polling-day")
    count: PhasePolicies = PhasePolicies()
    after: PhasePolicies = PhasePolicies()

    def of(self, phase: Phase, priority: int) -> Policy:
        """The policy of one priority in one phase."""
        of_phase: PhasePolicies = getattr(self, phase.replace("-", "_"))
        given: Policy | None = getattr(of_phase, f"P{priority}") or getattr(self.default, f"P{priority}")
        return given or Policy()

    def named(self) -> Iterator[tuple[str, str]]:
        """Every name in ``notify``, with the key it stands at."""
        for phase, policies in self:
            for priority, policy in policies:
                for number, step in enumerate(policy.steps if policy else ()):
                    yield from ((f"escalation.{phase.replace('_', '-')}.{priority}.{number}", n) for n in step.notify)


@dataclass(frozen=True, slots=True)
class Due:
    """A step whose time has come: the instant, and why in words."""

    step: Step
    number: int  # of its kind, from 1
    at: datetime
    reason: Said


def due_steps(alert: Alert, counts_from: datetime, now: datetime, policy: Policy) -> tuple[Due, ...]:
    """The steps that ``alert`` has before it and whose time has come, in the order of their instants."""
    due = []
    for until in Until:
        if _waits(alert, until):
            done = _done(alert, until)
            for number, step in enumerate(policy.of(until)[done:], done + 1):
                if forgotten := until is Until.DECIDED and number == 1 and alert.expiries >= FORGOTTEN:
                    reason = Said("its lease ran out {count} times", {"count": alert.expiries})
                else:
                    reason = _LATE[until].filled(minutes=step.after)
                at = min(now, counts_from + step.delay) if forgotten else counts_from + step.delay
                if at <= now:
                    due.append(Due(step, number, at, reason))
    return tuple(sorted(due, key=lambda each: each.at))


def after_step(alert: Alert, due: Due, now: datetime) -> Alert:
    """The alert once the step is done. Its level never falls."""
    told = replace(alert, level=max(alert.level, due.step.level), told_at=now, reminders=0)
    if due.step.unless is Until.TAKEN:
        return replace(told, take_steps=due.number)
    return replace(told, decide_steps=due.number)


def reminder(alert: Alert, counts_from: datetime, now: datetime, policy: Policy) -> Due | None:
    """The step of which to tell again now, if any: the last that was done and still waits in vain.

    A program that slept reminds once, not once for each time that it missed.
    """
    done = [
        Due(steps[number - 1], number, counts_from + steps[number - 1].delay, _STILL[until])
        for until in Until
        if _waits(alert, until)
        for steps in [policy.of(until)]
        if (number := min(_done(alert, until), len(steps)))
    ]
    last = max(done, key=lambda each: each.at, default=None)
    if last is None or last.step.repeat is None:
        return None
    next_at = (alert.told_at or last.at) + timedelta(minutes=last.step.repeat)
    return last if next_at <= now and alert.reminders < last.step.times else None


def _done(alert: Alert, until: Until) -> int:
    return alert.take_steps if until is Until.TAKEN else alert.decide_steps


def _waits(alert: Alert, until: Until) -> bool:
    """Whether ``alert`` still waits for it. What is quiet for a reason waits for nothing, nor does a sample."""
    if alert.suppression is not None or alert.sample or alert.state not in WAITING:
        return False
    return until is Until.DECIDED or alert.holder is None
