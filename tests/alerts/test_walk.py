"""Random acts of several people and the clock on a real store, beside the same acts decided without one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alerts import queue
from alerts.clocks import counts_from, terms_at
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from alerts.policy import after_step, due_steps, reminder
from alerts.routing import load_routes
from alerts.transitions import (
    Act,
    Decide,
    Release,
    Renew,
    Reopen,
    SendBack,
    Snooze,
    Take,
    Undo,
    Wake,
    clock_act,
    transition,
)
from monitor.config import load_file
from monitor.errors import RefusedError
from monitor.starter import write_starter
from monitor.store import alerts as alert_store
from monitor.store import audit, decisions, open_store
from monitor.types import Alert, AlertState, Decision, Verdict
from tests.alerts.rows import add_incident
from tests.conftest import NOW

ABOUT_A_CANDIDATE = 1  # the other alert names nobody
people = st.sampled_from(["maya", "ben", "岑"])
alert_ids = st.sampled_from([1, 2])
reasons = st.sampled_from(["", "by the book"])
findings = st.sampled_from(
    [
        *[(Decision.CLARIFY, Verdict.FALSE)] * 3,
        (Decision.CLARIFY, Verdict.MISLEADING),
        (Decision.CLARIFY, None),
        (Decision.WATCH, None),
        (Decision.DUPLICATE, None),
    ]
)


@cache
def _template() -> Path:
    """A working folder with two open alerts, made once and copied for each walk."""
    folder = Path(tempfile.mkdtemp()) / "desk"
    write_starter(folder)
    desk = load_file(folder / "pollwatch.toml")
    store = open_store(desk.database_url)
    add_incident(store, NOW)
    add_incident(store, NOW, title="A pier is closed", matches=[])
    dispatch(store, desk, NOW)
    store.close()
    return folder


def _refusal(call: Callable[[], object]) -> str | None:
    try:
        call()
    except RefusedError as error:
        return error.reason
    return None


class Walk(RuleBasedStateMachine):
    """What the store holds and what ``transition`` says never differ."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp()) / "desk"
        shutil.copytree(_template(), self.folder)
        self.desk = load_file(self.folder / "pollwatch.toml")
        self.store = open_store(self.desk.database_url)
        self.now = NOW
        self.terms = terms_at(NOW, self.desk, load_routes(self.desk))
        with self.store.read() as connection:
            self.model = {id: alert_store.get(connection, id) for id in (1, 2)}
            self.entries = audit.head(connection)[0]

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder.parent)

    def both(self, id: int, act: Act, do: Callable[..., Any], reviewer: str, *rest: Any) -> None:
        """Do it in the store and without: the same refusal, or the same alert."""
        ended = clock_act(self.model[id], self.now) is not None
        try:
            after: Alert | str = transition(self.model[id], act, self.now, self.terms)
        except RefusedError as error:
            after = error.reason
        refused = _refusal(lambda: do(self.store, self.desk, reviewer, self.now, id, *rest))
        assert refused == (after if isinstance(after, str) else None)
        if isinstance(after, Alert):
            self.model[id] = after
            self.entries += 1 + ended

    @rule(minutes=st.integers(0, 12))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_clock_looks(self) -> None:
        escalate(self.store, self.desk, self.now)
        for id, alert in self.model.items():
            ended = clock_act(alert, self.now)
            settled = transition(alert, ended, self.now, self.terms) if ended else alert
            self.entries += ended is not None
            self.model[id] = self._escalated(settled)

    def _escalated(self, alert: Alert) -> Alert:
        policy = self.terms.escalation.of(self.terms.phase, alert.priority)
        steps = due_steps(alert, counts_from(alert), self.now, policy)
        for step in steps:
            alert = after_step(alert, step, self.now)
        if not steps and reminder(alert, counts_from(alert), self.now, policy):
            alert = replace(alert, told_at=self.now, reminders=alert.reminders + 1)
            self.entries += 1
        self.entries += len(steps)
        return alert

    @rule(reviewer=people, id=alert_ids)
    def take(self, reviewer: str, id: int) -> None:
        self.both(id, Take(reviewer), queue.take, reviewer)

    @rule(reviewer=people)
    def take_the_most_urgent(self, reviewer: str) -> None:
        given: list[int] = []
        reason = _refusal(lambda: given.append(queue.take(self.store, self.desk, reviewer, self.now)["id"]))
        assert reason in (None, "nothing-open")
        for id in given:
            self.entries += 1 + (clock_act(self.model[id], self.now) is not None)
            self.model[id] = transition(self.model[id], Take(reviewer), self.now, self.terms)

    @rule(reviewer=people, id=alert_ids, said=findings, reason=reasons)
    def decide(self, reviewer: str, id: int, said: tuple[Decision, Verdict | None], reason: str) -> None:
        act = Decide(reviewer, *said, reason, about_candidate=id == ABOUT_A_CANDIDATE)
        self.both(id, act, queue.decide, reviewer, *said, reason)

    @rule(reviewer=people, said=findings)
    def take_and_decide(self, reviewer: str, said: tuple[Decision, Verdict | None]) -> None:
        self.take(reviewer, 1)
        self.decide(reviewer, 1, said, "by the book")

    @rule(reviewer=people, id=alert_ids)
    def renew(self, reviewer: str, id: int) -> None:
        self.both(id, Renew(reviewer), queue.renew, reviewer)

    @rule(reviewer=people, id=alert_ids, reason=reasons)
    def release(self, reviewer: str, id: int, reason: str) -> None:
        self.both(id, Release(reviewer, reason), queue.release, reviewer, reason)

    @rule(reviewer=people, id=alert_ids, minutes=st.integers(0, 30), reason=reasons)
    def snooze(self, reviewer: str, id: int, minutes: int, reason: str) -> None:
        until = self.now + timedelta(minutes=minutes)
        self.both(id, Snooze(reviewer, until, reason), queue.snooze, reviewer, until, reason)

    @rule(reviewer=people, id=alert_ids)
    def wake(self, reviewer: str, id: int) -> None:
        self.both(id, Wake(reviewer), queue.wake, reviewer)

    @rule(reviewer=people, id=alert_ids)
    def undo(self, reviewer: str, id: int) -> None:
        self.both(id, Undo(reviewer), queue.undo, reviewer)

    @rule(reviewer=people, id=alert_ids, reason=reasons)
    def send_back(self, reviewer: str, id: int, reason: str) -> None:
        self.both(id, SendBack(reviewer, reason), queue.send_back, reviewer, reason)

    @rule(reviewer=people, id=alert_ids, reason=reasons)
    def reopen(self, reviewer: str, id: int, reason: str) -> None:
        self.both(id, Reopen(reviewer, reason), queue.reopen, reviewer, reason)

    @invariant()
    def the_store_holds_what_was_decided(self) -> None:
        with self.store.read() as connection:
            for id, alert in self.model.items():
                assert alert_store.get(connection, id) == alert
            assert audit.verify(connection) is None
            assert audit.head(connection)[0] == self.entries, "one entry for each act, and for each the clock ended"

    @invariant()
    def no_alert_is_lost(self) -> None:
        shown = [row["id"] for state in AlertState for row in queue.listing(self.store, states=[state], now=self.now)]
        assert sorted(shown) == [1, 2]

    @invariant()
    def nobody_reads_a_first_opinion_too_early(self) -> None:
        for id in (1, 2):
            shown = queue.show(self.store, id, self.now)
            blind = shown["review"] == "second" and shown["decision"] is None
            told = [row["decision"] for row in shown["decisions"]]
            told += [entry["detail"].get("decision") for entry in shown["history"] if entry["action"] == "alert.decide"]
            assert all(decision is None for decision in told) if blind else all(told)
            with self.store.read() as connection:
                rows = decisions.of_alert(connection, id)
            assert len(rows) == len(shown["decisions"])
            standing = [row["reviewer"] for row in rows if row["withdrawn_at"] is None]
            assert standing == [opinion.reviewer for opinion in self.model[id].opinions]


@pytest.fixture(autouse=True, scope="module")
def _remove_template() -> Any:
    yield
    shutil.rmtree(_template().parent)
    _template.cache_clear()


class TestWalk(Walk.TestCase):
    """Whatever is done in whatever order, in the store as in theory."""

    settings = settings(
        max_examples=20,
        stateful_step_count=40,
        deadline=None,
        phases=[Phase.generate],  # to shrink a failure here takes minutes; the walk without a store does it in seconds
        suppress_health_check=[HealthCheck.too_slow],
    )
