"""What a reviewer puts off or takes back: snooze, wake, undo, reopen."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select

from alerts import acts, queue
from alerts.clocks import terms_at
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from alerts.routing import load_routes
from alerts.transitions import Reopen
from monitor.config import Settings
from monitor.store import Store, models, summary
from monitor.store.schema import alerts as alert_table
from monitor.store.schema import decisions
from monitor.types import AlertState, Decision, Verdict
from tests.alerts.reviewing import FALSE, Desk, two_alerts
from tests.alerts.rows import WITHDRAWN, add_item, assess


@pytest.fixture(autouse=True)
def _two_alerts(store: Store, settings: Settings, now: datetime) -> None:
    two_alerts(store, settings, now)


@pytest.fixture
def desk(store: Store, settings: Settings, now: datetime) -> Desk:
    """Acts at a moment of its own."""
    return Desk(store, settings, now)


def test_undo_restores_what_was(desk: Desk, now: datetime) -> None:
    """Within ten minutes, by who decided, if nobody has taken it since: held again, by the same lease."""
    for decision, verdict, reason in ((*FALSE, "no"), (Decision.DISMISS, None, "satire"), (Decision.WATCH, None, "w")):
        before = desk.act("take", "maya")
        desk.act("decide", "maya", decision, verdict, reason)
        assert desk.refused("undo", "ben") == "not-yours"
        assert desk.act("undo", "maya") == before
        assert desk.refused("undo", "maya") == "nothing-to-undo"
        desk.act("release", "maya")
    with desk.store.read() as connection:
        assert models.reviewed(connection) == []
        rows = connection.execute(select(decisions.c.withdrawn_by, decisions.c.withdrawn_at)).all()
    assert [tuple(row) for row in rows] == [("alert.undo", now)] * 3


def test_undo_ends_after_ten_minutes_and_when_others_go_on(desk: Desk, now: datetime) -> None:
    """To the microsecond; a lease that has run out meanwhile is over."""
    desk.give("maya", Decision.WATCH, None, "wait")
    desk.now = now + timedelta(minutes=10)
    assert desk.refused("undo", "maya") == "too-late"
    desk.now -= timedelta(microseconds=1)
    assert desk.act("undo", "maya")["state"] == "leased"
    desk.act("decide", "maya", *FALSE, "no")
    desk.act("take", "ben")
    assert desk.refused("undo", "maya") == "moved-on"
    desk.now += timedelta(minutes=9, seconds=59)
    assert desk.refused("undo", "maya") == "moved-on"
    desk.act("release", "ben")
    assert desk.act("undo", "maya")["state"] == "open", "her own lease has run out by now"
    assert escalate(desk.store, desk.settings, desk.now).counts["expired"] == 1


def test_a_second_opinion_can_be_undone_too(desk: Desk) -> None:
    """Then the first still stands, and stays unknown."""
    desk.give("maya", *FALSE)
    desk.give("ben", Decision.WATCH, None, "wait")
    row = desk.act("undo", "ben")
    assert (row["state"], row["review"], row["holder"], row["route"]) == ("leased", "second", "ben", "desk-chinese")
    assert {each["verdict"] for each in queue.show(desk.store, 1)["decisions"]} == {None}
    assert desk.act("decide", "ben", *FALSE, "yes")["state"] == "decided"
    (group, *_) = queue.agreement(desk.store)
    assert (group["pairs"], group["agreed"]) == (1, 1), "what was undone was no opinion"


def test_a_snoozed_alert_sleeps_until_its_time(desk: Desk, now: datetime) -> None:
    """Not listed, not taken, not escalated; at its instant it is back, by urgency, with its clocks started anew."""
    until = now + timedelta(hours=5)
    row = desk.act("snooze", "maya", until, "the office answers at six\x1b[2J")
    assert (row["state"], row["snoozed_until"], row["due_at"]) == ("snoozed", until, until)
    assert [each["id"] for each in queue.listing(desk.store, now=now)] == [2]
    assert [each["id"] for each in queue.listing(desk.store, states=[AlertState.SNOOZED], now=now)] == [1]
    assert desk.refused("take", "ben") == "snoozed"
    assert desk.refused("snooze", "ben", until, "me too") == "snoozed"
    assert queue.take(desk.store, desk.settings, "ben", now)["id"] == 2
    asleep = until - timedelta(microseconds=1)
    escalate(desk.store, desk.settings, asleep)
    desk.now = asleep
    assert (desk.row()["state"], desk.row()["level"]) == ("snoozed", 0)
    with desk.store.read() as connection:
        counts = summary.queue(connection, asleep)
    assert (counts["snoozed"], counts["live"], counts["overdue"]) == (1, 1, 1)
    desk.now = until + timedelta(minutes=3)  # the clock looks a little late
    assert [each["id"] for each in queue.listing(desk.store, now=desk.now)] == [1, 2]
    assert escalate(desk.store, desk.settings, desk.now).counts["woken"] == 1
    assert escalate(desk.store, desk.settings, desk.now).counts["woken"] == 0
    row = desk.row()
    assert (row["state"], row["level"], row["due_at"]) == ("open", 0, until + timedelta(minutes=15))
    last = queue.show(desk.store, 1)["history"][-1]
    assert (last["actor"], last["action"]) == ("clock", "alert.wake")
    escalate(desk.store, desk.settings, until + timedelta(minutes=30))
    assert desk.row()["level"] == 2


def test_a_snooze_that_is_over_is_taken_like_any_other(desk: Desk, now: datetime) -> None:
    """Also when the clock has not looked yet, and the audit tells of both."""
    desk.act("snooze", "maya", now + timedelta(hours=1), "later")
    desk.now = now + timedelta(hours=1)
    assert queue.take(desk.store, desk.settings, "maya", desk.now)["id"] == 1
    history = queue.show(desk.store, 1)["history"]
    assert [entry["action"] for entry in history[-3:]] == ["alert.snooze", "alert.wake", "alert.take"]


def test_a_person_snoozes_and_wakes(desk: Desk, now: datetime) -> None:
    """The holder or anybody while it is free; with a reason, for a time to come, 14 days at most."""
    desk.act("take", "maya")
    later = now + timedelta(hours=1)
    assert desk.refused("snooze", "ben", later, "later") == "not-holder"
    assert desk.refused("snooze", "maya", later, "\u200b") == "no-reason"
    assert desk.refused("snooze", "maya", now, "now") == "bad-time"
    assert desk.refused("snooze", "maya", now + timedelta(days=14, seconds=1), "long") == "bad-time"
    row = desk.act("snooze", "maya", now + timedelta(days=14), "after the poll")
    assert (row["holder"], row["lease_expires_at"]) == (None, None)
    assert desk.act("wake", "ben")["state"] == "open"
    assert desk.refused("wake", "ben") == "not-snoozed"


def test_a_second_review_can_be_snoozed_and_returns_to_itself(desk: Desk, now: datetime) -> None:
    """So does one whose lease runs out or is given back."""
    desk.give("maya", *FALSE)
    desk.act("snooze", "ben", now + timedelta(hours=1), "the video is loading")
    assert desk.act("wake", "ben")["state"] == "second_review"
    desk.act("take", "ben")
    assert desk.act("release", "ben")["state"] == "second_review"
    desk.act("take", "ben")
    desk.now = now + timedelta(minutes=10)
    (row,) = [each for each in queue.listing(desk.store, now=desk.now) if each["id"] == 1]
    assert (row["state"], row["holder"]) == ("second_review", None)
    assert escalate(desk.store, desk.settings, desk.now).counts["expired"] == 1
    assert desk.row()["state"] == "second_review"


def test_reopened_by_a_person_or_by_the_program(desk: Desk, now: datetime) -> None:
    """Decided or closed: it waits again, its clocks start anew, its decision teaches nothing any more."""
    assert desk.refused("reopen", "maya", "why not") == "not-decided"
    desk.give("maya", Decision.DISMISS, None, "satire")
    desk.now = now + timedelta(days=2)
    assert desk.refused("reopen", "ben", "") == "no-reason"
    row = desk.act("reopen", "ben", "the paper meant it")
    assert (row["state"], row["decision"], row["decided_at"]) == ("open", None, None)
    assert (row["due_at"], row["opened_at"]) == (desk.now + timedelta(minutes=15), now)
    with desk.store.read() as connection:
        assert models.reviewed(connection) == []
    desk.give("maya", Decision.CLARIFY, Verdict.TRUE, "it is so")
    terms = terms_at(desk.now, desk.settings, load_routes(desk.settings))
    with desk.store.write() as connection:
        acts.perform(connection, 1, Reopen("dispatch", "its text moved away"), desk.now, terms)
    last = queue.show(desk.store, 1)["history"][-1]
    assert (last["actor"], last["action"], last["detail"]["reason"]) == (
        "dispatch",
        "alert.reopen",
        "its text moved away",
    )


def test_an_incident_with_a_newer_alert_keeps_that(desk: Desk, now: datetime) -> None:
    """A closed alert is not taken up beside another live one, and its decision not undone."""
    desk.give("maya", Decision.DISMISS, None, "satire")
    row = {"incident_id": 1, "state": "open", "priority": 1, "priority_reasons": [], "score": 1, "route": "desk"}
    with desk.store.write() as connection:
        connection.execute(insert(alert_table).values(**row, level=0, opened_at=now))
    assert desk.refused("reopen", "ben", "again") == "newer-alert"
    assert desk.refused("undo", "maya") == "newer-alert"


def test_a_grown_incident_raises_what_sleeps(desk: Desk, now: datetime) -> None:
    """A snoozed alert still becomes more urgent; it goes on sleeping."""
    until = now + timedelta(hours=3)
    desk.act("snooze", "maya", until, "later", alert_id=2)
    with desk.store.write() as connection:
        item = add_item(connection, now, 2, "翠灣時報", "碼頭關閉", "en")
        assess(connection, now, item, score=0.95, findings=[WITHDRAWN])
    assert dispatch(desk.store, desk.settings, now).counts["raised"] == 1
    assert (desk.row(2)["state"], desk.row(2)["priority"], desk.row(2)["due_at"]) == ("snoozed", "P1", until)
