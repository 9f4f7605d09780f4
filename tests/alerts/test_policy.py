"""Which steps of escalation are due, decided without a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alerts.policy import Escalation, Policy, after_step, due_steps, reminder
from alerts.routing import Routes
from monitor import seeds
from monitor.types import Alert, AlertState, Phase
from tests.alerts.rows import OPEN, START

SHIPPED = Routes.model_validate(seeds.toml("routes.toml")).escalation
URGENT = SHIPPED.of(Phase.POLLING_DAY, 1)  # taken in 5, 10 and again every 10; decided in 30, again every 15
HELD = replace(OPEN, state=AlertState.LEASED, holder="maya", lease_expires_at=START + timedelta(hours=5))


def _run(alert: Alert, minutes: Any, policy: Policy = URGENT) -> list[tuple[int, str, int]]:
    """What happens to ``alert`` when the clock looks at these minutes: minute, which step or reminder, level."""
    happened = []
    for minute in minutes:
        now = START + timedelta(minutes=minute)
        steps = due_steps(alert, START, now, policy)
        for due in steps:
            alert = after_step(alert, due, now)
            happened.append((minute, f"{due.step.unless}-{due.number}", alert.level))
        if not steps and (due_again := reminder(alert, START, now, policy)):
            alert = replace(alert, told_at=now, reminders=alert.reminders + 1)
            happened.append((minute, f"again {due_again.step.unless}-{due_again.number}", alert.level))
    return happened


def test_steps_come_at_their_minute_and_reminders_between_them() -> None:
    """Level 1 at 5 minutes, level 2 at 10, the lead at 30, each again until somebody acts."""
    assert _run(OPEN, range(61)) == [
        (5, "taken-1", 1),
        (10, "taken-2", 2),
        (20, "again taken-2", 2),
        (30, "decided-1", 2),
        (45, "again decided-1", 2),
        (60, "again decided-1", 2),
    ]


def test_what_is_held_waits_for_its_decision_only() -> None:
    """Taken in time: nothing until the time for the decision is past; then it escalates though it is held."""
    assert _run(HELD, range(46)) == [(30, "decided-1", 2), (45, "again decided-1", 2)]


def test_a_clock_that_slept_takes_every_step_once_and_in_order() -> None:
    """Nothing is lost, nothing doubled; a reminder is given once, however many were missed."""
    assert _run(OPEN, [300, 301, 314, 315, 900]) == [
        (300, "taken-1", 1),
        (300, "taken-2", 2),
        (300, "decided-1", 2),
        (315, "again decided-1", 2),
        (900, "again decided-1", 2),
    ]


def test_two_leases_that_ran_out_are_a_forgotten_decision() -> None:
    """The step for a decision in time comes at once, and says why."""
    twice = replace(OPEN, expiries=2)
    assert _run(twice, range(3)) == [(0, "decided-1", 2)]
    (due,) = due_steps(twice, START, START + timedelta(minutes=1), URGENT)
    assert due.reason.text == "its lease ran out 2 times"
    assert _run(replace(OPEN, expiries=1), range(3)) == []


def test_a_step_happens_once_whatever_the_policy() -> None:
    """More urgent, or in another phase, the next step of the new policy follows; the first is not done again."""
    campaign = SHIPPED.of(Phase.CAMPAIGN, 2)
    (first,) = due_steps(OPEN, START, START + timedelta(minutes=60), campaign)
    risen = after_step(OPEN, first, START + timedelta(minutes=60))
    assert [
        (due.step.unless, due.number) for due in due_steps(risen, START, START + timedelta(minutes=61), URGENT)
    ] == [
        ("taken", 2),
        ("decided", 1),
    ]
    assert due_steps(replace(risen, take_steps=9, decide_steps=9), START, START + timedelta(days=9), URGENT) == ()


@pytest.mark.parametrize("state", [AlertState.SNOOZED, AlertState.DECIDED, AlertState.CLOSED])
def test_only_what_waits_for_somebody_escalates(state: AlertState) -> None:
    """Not what sleeps, is decided or closed, nor what is quiet for a reason; a second review does."""
    assert _run(replace(OPEN, state=state), range(61)) == []
    assert _run(replace(OPEN, suppression="silence"), range(61)) == []
    assert _run(replace(OPEN, state=AlertState.SECOND_REVIEW), range(61)) == _run(OPEN, range(61))


def test_reminders_end() -> None:
    """So many times at most."""
    policy = Policy.model_validate([{"after": 5, "level": 1, "repeat": 1, "times": 3}])
    assert [minute for minute, _, _ in _run(OPEN, range(60), policy)] == [5, 6, 7, 8]


def test_a_priority_without_a_policy_has_that_of_default() -> None:
    """Polling day names no P4: it has the default's. A phase that is not named has all of the default's."""
    assert SHIPPED.of(Phase.POLLING_DAY, 4) == SHIPPED.of(Phase.CAMPAIGN, 4) != Policy()
    assert [step.after for step in SHIPPED.of(Phase.CAMPAIGN, 1).steps] == [15, 30, 120]
    assert [step.after for step in SHIPPED.of(Phase.POLLING_DAY, 1).steps] == [5, 10, 30]
    assert Escalation().of(Phase.COUNT, 1) == Policy()


@pytest.mark.parametrize(
    ("steps", "mend"),
    [
        ([{"after": 0, "level": 1}], "greater than 0"),
        ([{"after": 5, "level": 3}], "less than or equal to 2"),
        ([{"after": 5, "level": 1}, {"after": 5, "level": 2}], "in order of after"),
        ([{"after": 5, "level": 2}, {"after": 9, "level": 1}], "levels never fall"),
        ([{"after": 5, "level": 1, "notify": []}], "at least 1"),
        ([{"after": 5, "level": 1, "unless": "read"}], "'taken' or 'decided'"),
    ],
)
def test_a_wrong_policy_says_why(steps: list[dict[str, Any]], mend: str) -> None:
    """Steps out of order, a level that is none, nobody to tell."""
    with pytest.raises(ValidationError, match=mend):
        Policy.model_validate(steps)


_looks = st.lists(st.integers(0, 4000), max_size=40).map(sorted)


@given(_looks, st.sampled_from(Phase), st.integers(1, 4))
def test_however_the_clock_looks_every_step_is_taken_once(looks: list[int], phase: Phase, priority: int) -> None:
    """The steps until the last look are those of a clock that never slept, each once, and the level never falls."""
    policy = SHIPPED.of(phase, priority)
    happened = [each for each in _run(OPEN, looks, policy) if not each[1].startswith("again")]
    last = max(looks, default=-1)
    wanted = [step for step in sorted(policy.steps, key=lambda step: step.after) if step.after <= last]
    assert [step for _, step, _ in happened] == [f"{s.unless}-{policy.of(s.unless).index(s) + 1}" for s in wanted]
    levels = [level for _, _, level in happened]
    assert levels == sorted(levels)
