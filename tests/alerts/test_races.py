"""Two reviewers at the same instant, and death in the middle of an act: real processes, one store."""

from __future__ import annotations

import signal
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from alerts import queue
from alerts.dispatch import dispatch
from monitor.config import Settings
from monitor.store import Store, audit, silences
from monitor.types import Decision, Verdict
from tests.alerts.reviewers import Reviewer, reviewer
from tests.alerts.rows import add_incident

ROUNDS = 200


def _at_once(one: Reviewer, two: Reviewer, now: datetime, **act: Any) -> tuple[Any, Any]:
    start = time.time() + 0.003
    one.send(start, now, **act)
    two.send(start, now, **act)
    return one.answer(), two.answer()


def test_two_reviewers_never_hold_the_same_alert(store: Store, settings: Settings, now: datetime) -> None:
    """200 times at the same instant: asked for the most urgent, each gets another alert; asked for one, one loses."""
    for _ in range(3):
        add_incident(store, now)
    dispatch(store, settings, now)
    with reviewer(settings, "maya") as maya, reviewer(settings, "岑") as shum:
        for _ in range(ROUNDS):
            first, second = _at_once(maya, shum, now, act="take")
            assert {first["ok"], second["ok"]} == {1, 2}
            maya.send(0, now, act="release", id=first["ok"])
            shum.send(0, now, act="release", id=second["ok"])
            assert (maya.answer(), shum.answer()) == (first, second)
            answers = _at_once(maya, shum, now, act="take", id=3)
            assert sorted(answers, key=str) == [{"ok": 3}, {"refused": "held"}]
            winner = maya if "ok" in answers[0] else shum
            winner.send(0, now, act="release", id=3)
            assert winner.answer() == {"ok": 3}
    with store.read() as connection:
        assert audit.verify(connection) is None
        takes = [entry for entry in audit.listing(connection) if entry["action"] == "alert.take"]
    assert len(takes) == 3 * ROUNDS


def test_killed_in_decide_leaves_all_or_nothing(store: Store, settings: Settings, now: datetime) -> None:
    """Killed before every single statement of a decision, the commit included: no half of it is ever there."""
    add_incident(store, now)
    dispatch(store, settings, now)
    queue.take(store, settings, "maya", now, 1)
    untouched = queue.show(store, 1)
    for die_before in range(1, 100):
        with reviewer(settings, "maya", die_before) as maya:
            maya.send(0, now, act="decide", id=1)
            if maya.answer() is not None:
                break
            assert maya.process.wait() == -signal.SIGKILL
        assert queue.show(store, 1) == untouched
    else:
        pytest.fail("a decision takes more than a hundred statements")
    assert die_before > 8, "the process died at too few places for this test to mean anything"
    decided = queue.show(store, 1)
    assert (decided["state"], decided["decision"], decided["verdict"]) == ("decided", "clarify", "partly_false")
    assert [row["reason"] for row in decided["decisions"]] == ["名單上仍有她"]
    assert [entry["action"] for entry in decided["history"]] == ["alert.open", "alert.take", "alert.decide"]
    with store.read() as connection:
        assert audit.verify(connection) is None


def test_killed_in_undo_leaves_all_or_nothing(store: Store, settings: Settings, now: datetime) -> None:
    """Killed before every single statement: the decision stands, or the alert is held again and the row withdrawn."""
    add_incident(store, now)
    dispatch(store, settings, now)
    queue.take(store, settings, "maya", now, 1)
    held = queue.listing(store)
    queue.decide(store, settings, "maya", now, 1, Decision.CLARIFY, Verdict.FALSE, "名單上仍有她")
    untouched = queue.show(store, 1)
    for die_before in range(1, 100):
        with reviewer(settings, "maya", die_before) as maya:
            maya.send(0, now, act="undo", id=1)
            if maya.answer() is not None:
                break
            assert maya.process.wait() == -signal.SIGKILL
        assert queue.show(store, 1) == untouched
    else:
        pytest.fail("undoing takes more than a hundred statements")
    assert die_before > 8, "the process died at too few places for this test to mean anything"
    assert queue.listing(store) == held
    shown = queue.show(store, 1)
    assert [row["withdrawn_by"] for row in shown["decisions"]] == ["alert.undo"]
    assert shown["history"][-1]["action"] == "alert.undo"


def test_two_dispatchers_open_one_alert_each_incident(store: Store, settings: Settings, now: datetime) -> None:
    """At the same instant: together they open as many alerts as there are incidents."""
    with reviewer(settings, "one") as one, reviewer(settings, "two") as two:
        for _ in range(20):
            for _ in range(3):
                add_incident(store, now)
            first, second = _at_once(one, two, now, act="dispatch")
            assert first["ok"] + second["ok"] == 3
    rows = queue.listing(store)
    assert len({row["incident_id"] for row in rows}) == len(rows) == 60


def test_killed_in_dispatch_loses_and_doubles_nothing(store: Store, settings: Settings, now: datetime) -> None:
    """Killed before every single statement, the commit included, and run again: one alert and one entry each."""
    for _ in range(2):
        add_incident(store, now)
    for die_before in range(1, 100):
        with reviewer(settings, "one", die_before) as one:
            one.send(0, now, act="dispatch")
            if one.answer() is not None:
                break
        rows = queue.listing(store)
        with store.read() as connection:
            assert audit.verify(connection) is None
            assert audit.head(connection)[0] == len(rows)
        assert len(rows) in (0, 2), "the two are one batch: all or none"
    else:
        pytest.fail("two alerts take more than a hundred statements")
    assert die_before > 10, "the process died at too few places for this test to mean anything"
    assert len(queue.listing(store)) == 2


def _steps(store: Store) -> list[tuple[str, str]]:
    """Every step of escalation in the audit: whose, and which."""
    with store.read() as connection:
        assert audit.verify(connection) is None
        entries = [entry for entry in audit.listing(connection) if entry["action"] == "alert.escalate"]
    return [(entry["subject"], entry["detail"]["step"]) for entry in entries]


def test_two_clocks_take_each_step_once(store: Store, settings: Settings, now: datetime) -> None:
    """At the same instant: together they take every step that is due, in order, none of them twice."""
    for _ in range(30):
        add_incident(store, now)
    dispatch(store, settings, now)
    with reviewer(settings, "one") as one, reviewer(settings, "two") as two:
        first, second = _at_once(one, two, now + timedelta(days=1), act="escalate")
    assert first["ok"] + second["ok"] == 90
    steps = _steps(store)
    for alert in {subject for subject, _ in steps}:
        assert [step for subject, step in steps if subject == alert] == ["taken-1", "taken-2", "decided-1"]
    assert len(steps) == 90


def test_killed_in_escalate_loses_and_doubles_no_step(store: Store, settings: Settings, now: datetime) -> None:
    """Killed before every single statement, the commit included, and run again: each step once, whole and in order."""
    add_incident(store, now)
    dispatch(store, settings, now)
    for die_before in range(1, 100):
        with reviewer(settings, "one", die_before) as one:
            one.send(0, now + timedelta(days=1), act="escalate")
            if one.answer() is not None:
                break
        row = queue.show(store, 1)
        assert (row["level"], len(_steps(store))) in ((0, 0), (2, 3)), "the steps of one pass are one batch"
    else:
        pytest.fail("three steps take more than a hundred statements")
    assert die_before > 8, "the process died at too few places for this test to mean anything"
    assert [step for _, step in _steps(store)] == ["taken-1", "taken-2", "decided-1"]


def test_two_end_a_silence_and_two_write_it_down(store: Store, settings: Settings, now: datetime) -> None:
    """At the same instant: one ends it, the other is told so; each alert is hidden once and comes back once."""
    for _ in range(3):
        add_incident(store, now)
    with reviewer(settings, "maya") as maya, reviewer(settings, "岑") as shum:
        _at_once(maya, shum, now, act="dispatch")
        for number in range(1, 21):
            first, second = _at_once(maya, shum, now, act="silence")
            assert {first["ok"], second["ok"]} == {2 * number - 1, 2 * number}
            assert queue.listing(store, now=now) == []
            for silence_id in (2 * number - 1, 2 * number):
                answers = _at_once(maya, shum, now, act="expire", id=silence_id)
                assert sorted(answers, key=str) == [{"ok": silence_id}, {"refused": "over"}]
            _at_once(maya, shum, now, act="dispatch")
            assert len(queue.listing(store, now=now)) == 3
    with store.read() as connection:
        assert audit.verify(connection) is None
        actions = [entry["action"] for entry in audit.listing(connection)]
    assert (actions.count("alert.open"), actions.count("silence.add"), actions.count("silence.expire")) == (3, 40, 40)
    assert actions.count("alert.reopen") == 3 * 20
    assert actions.count("alert.suppress") >= 3 * 20, "by one silence, and then by both"


def test_killed_while_hiding_and_giving_back(store: Store, settings: Settings, now: datetime) -> None:
    """Killed before every single statement, the commit included: what is hidden has its cause, and a pass mends all."""
    for _ in range(2):
        add_incident(store, now)
    dispatch(store, settings, now)
    kills = 0
    for act, before, after in (("silence", 2, 0), ("expire", 0, 2)):
        with store.read() as connection:  # a number that was lost with its transaction is not given again everywhere
            silence_id = max((silence.id for silence in silences.active(connection, now)), default=1)
        for die_before in range(1, 100):
            with reviewer(settings, "maya", die_before) as maya:
                maya.send(0, now, act=act, id=silence_id)
                if maya.answer() is not None:
                    break
            kills += 1
            seen = len(queue.listing(store, now=now))
            with store.read() as connection:
                assert audit.verify(connection) is None
                done = any(entry["action"] == f"silence.{_WRITTEN[act]}" for entry in audit.listing(connection))
            if done:
                dispatch(store, settings, now)
                assert len(queue.listing(store, now=now)) == after
                break
            assert seen == before
    assert kills > 8, "the process died at too few places for this test to mean anything"
    with store.read() as connection:
        actions = [entry["action"] for entry in audit.listing(connection)]
    assert (actions.count("alert.suppress"), actions.count("alert.reopen")) == (2, 2)


_WRITTEN = {"silence": "add", "expire": "expire"}
