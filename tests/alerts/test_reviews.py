"""Second opinions, snoozes, undo, sending back and reopening, over a real store."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from alerts import acts, queue
from alerts.clocks import terms_at
from alerts.digest import compose, view
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from alerts.render import render
from alerts.routing import load_routes
from alerts.status import status
from alerts.summary import gather
from alerts.transitions import Reopen
from monitor.config import Settings
from monitor.errors import RefusedError
from monitor.store import Store, audit, models, summary
from monitor.store import alerts as alert_store
from monitor.store.schema import alerts as alert_table
from monitor.store.schema import decisions
from monitor.types import AlertState, Decision, Verdict
from tests.alerts.rows import WITHDRAWN, add_incident, add_item, assess

FALSE = (Decision.CLARIFY, Verdict.FALSE)
SECRET = "選舉事務署說仍在名單 ＳＥＣＲＥＴ"


@pytest.fixture(autouse=True)
def _two_alerts(store: Store, settings: Settings, now: datetime) -> None:
    """The first names a candidate, the second nobody."""
    add_incident(store, now, findings=[WITHDRAWN])
    add_incident(store, now, title="A pier is closed", score=0.6, matches=[], lang="en")
    dispatch(store, settings, now)


@pytest.fixture
def desk(store: Store, settings: Settings, now: datetime) -> Desk:
    """Acts at a moment of its own."""
    return Desk(store, settings, now)


class Desk:
    """Shortens calls: who, what, at the moment of the desk."""

    def __init__(self, store: Store, settings: Settings, now: datetime) -> None:
        self.store, self.settings, self.now = store, settings, now

    def act(self, name: str, reviewer: str, *rest: Any, alert_id: int | None = 1) -> dict[str, Any]:
        act: Callable[..., dict[str, Any]] = getattr(queue, name)
        return act(self.store, self.settings, reviewer, self.now, alert_id, *rest)

    def give(self, reviewer: str, decision: Decision, verdict: Verdict | None, reason: str = SECRET) -> dict[str, Any]:
        """Take it and decide it."""
        self.act("take", reviewer)
        return self.act("decide", reviewer, decision, verdict, reason)

    def refused(self, name: str, reviewer: str, *rest: Any, alert_id: int | None = 1) -> str:
        with pytest.raises(RefusedError) as caught:
            self.act(name, reviewer, *rest, alert_id=alert_id)
        return caught.value.reason

    def row(self, alert_id: int = 1) -> dict[str, Any]:
        with self.store.read() as connection:
            return alert_store.row(connection, alert_id, self.now)


def test_two_who_agree_decide(desk: Desk) -> None:
    """A false verdict about a candidate waits for a second person; the same answer again makes it the decision."""
    row = desk.give("maya", *FALSE)
    assert (row["state"], row["review"], row["decision"], row["decided_at"]) == ("second_review", "second", None, None)
    assert (row["holder"], row["level"]) == (None, 0)
    assert desk.refused("take", "maya") == "same-person"
    assert desk.refused("snooze", "maya", desk.now + timedelta(hours=1), "later") == "same-person"
    held = desk.act("take", "ben")
    assert (held["state"], held["holder"], held["review"]) == ("leased", "ben", "second")
    row = desk.act("decide", "ben", *FALSE, "checked with the office")
    assert (row["state"], row["decision"], row["verdict"], row["decided_at"]) == ("decided", *FALSE, desk.now)
    shown = queue.show(desk.store, 1)
    assert [(each["reviewer"], each["review"], each["reason"]) for each in shown["decisions"]] == [
        ("maya", "first", SECRET),
        ("ben", "second", "checked with the office"),
    ]
    with desk.store.read() as connection:
        assert audit.verify(connection) is None


@pytest.mark.parametrize(
    ("decision", "verdict", "alert_id", "two"),
    [
        (Decision.CLARIFY, Verdict.FALSE, 1, True),
        (Decision.CLARIFY, Verdict.MISLEADING, 1, True),
        (Decision.CLARIFY, Verdict.PARTLY_FALSE, 1, False),
        (Decision.CLARIFY, Verdict.TRUE, 1, False),
        (Decision.REFER, Verdict.FALSE, 1, False),
        (Decision.WATCH, None, 1, False),
        (Decision.DISMISS, None, 1, False),
        (Decision.DUPLICATE, None, 1, False),
        (Decision.CLARIFY, Verdict.FALSE, 2, False),
    ],
)
def test_what_needs_two(desk: Desk, decision: Decision, verdict: Verdict | None, alert_id: int, two: bool) -> None:
    """Only to clarify as false or misleading, and only where a watched candidate is named."""
    desk.act("take", "maya", alert_id=alert_id)
    row = desk.act("decide", "maya", decision, verdict, "opinion", alert_id=alert_id)
    assert (row["state"] == "second_review") is two
    assert (row["decision"] is None) is two


def test_an_office_is_no_candidate(desk: Desk, folder: Path) -> None:
    """The watchlist says which watched names are candidates'."""
    add_incident(desk.store, desk.now, title="The office moves", matches=["electoral-services-office"])
    with (folder / "watchlist.toml").open(encoding="utf-8") as file:
        assert 'id = "electoral-services-office"' in file.read()
    dispatch(desk.store, desk.settings, desk.now)
    desk.act("take", "maya", alert_id=3)
    assert desk.act("decide", "maya", *FALSE, "no", alert_id=3)["state"] == "decided"


def test_second_review_can_be_switched_off(store: Store, configure: Callable[[str], Settings], now: datetime) -> None:
    """For a desk of one person."""
    desk = Desk(store, configure("[triage]\nsecond_review = false\n"), now)
    assert desk.give("maya", *FALSE)["state"] == "decided"


def test_the_second_opinion_is_blind(desk: Desk) -> None:
    """Neither the row nor its history, neither the digest nor what models learn tells the first until the second."""
    before = desk.row()
    desk.give("maya", *FALSE)
    desk.act("take", "ben")
    for shown in (queue.show(desk.store, 1, desk.now), *queue.listing(desk.store, now=desk.now)):
        text = json.dumps(shown, ensure_ascii=False, default=str)
        assert SECRET not in text
        assert "clarify" not in text
        assert '"false"' not in text
    shown = queue.show(desk.store, 1, desk.now)
    assert [(row["reviewer"], row["decision"], row["verdict"], row["reason"]) for row in shown["decisions"]] == [
        ("maya", None, None, None)
    ]
    assert [entry["action"] for entry in shown["history"]].count("alert.decide") == 1
    assert shown["route"] == before["route"]
    day = (desk.now - timedelta(hours=1), desk.now + timedelta(hours=1))
    made = gather(desk.store, desk.settings, desk.now.date(), *day, desk.now)
    assert (made.decisions_made, list(made.decided)) == (0, [])
    with desk.store.read() as connection:
        assert models.reviewed(connection) == []
        assert models.last_decision(connection) == models.decided_after(connection, 0) == 0
        (entry,) = [each for each in audit.listing(connection) if each["action"] == "alert.decide"]
    assert entry["detail"]["reason"] == SECRET, "the audit itself is complete"
    desk.act("decide", "ben", *FALSE, "checked")
    assert queue.show(desk.store, 1)["decisions"][0]["reason"] == SECRET
    made = gather(desk.store, desk.settings, desk.now.date(), *day, desk.now)
    assert (made.decisions_made, [row["reviewer"] for row in made.decided]) == (1, ["ben"])
    with desk.store.read() as connection:
        assert [row["reason"] for row in models.reviewed(connection)] == ["checked"]


def test_two_who_differ_call_the_lead(desk: Desk) -> None:
    """A third person, who sees both opinions and has the last word."""
    home = desk.row()["route"]
    desk.give("maya", *FALSE)
    row = desk.give("ben", Decision.CLARIFY, Verdict.MISLEADING, "only half of it")
    assert (row["state"], row["review"], row["route"], row["decision"]) == ("second_review", "lead", "lead", None)
    shown = queue.show(desk.store, 1)
    assert [each["verdict"] for each in shown["decisions"]] == ["false", "misleading"]
    assert [entry["detail"]["reason"] for entry in shown["history"] if entry["action"] == "alert.decide"] == [
        SECRET,
        "only half of it",
    ]
    for reviewer in ("maya", "ben"):
        assert desk.refused("take", reviewer) == "same-person"
    assert queue.take(desk.store, desk.settings, "岑", desk.now)["id"] == 2
    assert desk.refused("take", "岑", alert_id=None) == "nothing-open", "what waits for the lead is not handed out"
    row = desk.give("岑", Decision.DISMISS, None, "not-false: 只是轉述")
    assert (row["state"], row["decision"], row["decided_at"]) == ("closed", "dismiss", desk.now)
    with desk.store.read() as connection:
        (learned,) = models.reviewed(connection)
    assert learned["decision"] == "dismiss"
    desk.act("reopen", "maya", "a recording has turned up")
    assert desk.row()["route"] == home


def test_more_spread_leaves_the_lead_in_charge(desk: Desk, now: datetime) -> None:
    """An alert that becomes more urgent while it waits for the lead stays with the lead's team."""
    desk.give("maya", *FALSE)
    desk.give("ben", Decision.WATCH, None, "wait")
    with desk.store.write() as connection:
        connection.execute(alert_table.update().where(alert_table.c.id == 1).values(priority=3))
    assert dispatch(desk.store, desk.settings, now).counts["raised"] == 1
    assert (desk.row()["priority"], desk.row()["route"]) == ("P1", "lead")


def test_sent_back_means_a_new_first_opinion(desk: Desk) -> None:
    """Kept as a row and in the audit, but it stands no more; the same person may try again."""
    desk.give("maya", *FALSE)
    assert desk.refused("send_back", "ben", "why?") == "not-held"
    desk.act("take", "ben")
    assert desk.refused("send_back", "ben", " ") == "no-reason"
    row = desk.act("send_back", "ben", "the quote is from another speech")
    assert (row["state"], row["review"], row["holder"]) == ("open", "first", None)
    shown = queue.show(desk.store, 1)
    assert [(each["reviewer"], each["withdrawn_by"]) for each in shown["decisions"]] == [("maya", "alert.send-back")]
    assert shown["decisions"][0]["reason"] == SECRET
    assert shown["history"][-1]["detail"] == {"review": "second", "reason": "the quote is from another speech"}
    assert desk.give("maya", Decision.WATCH, None, "wait")["state"] == "decided"
    assert desk.refused("send_back", "ben", "again") == "decided"
    desk.act("take", "ben", alert_id=2)
    assert desk.refused("send_back", "ben", "no", alert_id=2) == "first-review"


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


def test_a_second_review_has_its_own_clock(desk: Desk, now: datetime) -> None:
    """From the first opinion on, with the same targets; it escalates like an open alert."""
    desk.now = now + timedelta(minutes=40)
    escalate(desk.store, desk.settings, desk.now)
    assert desk.row()["level"] == 2
    row = desk.give("maya", *FALSE)
    assert (row["level"], row["due_at"]) == (0, desk.now + timedelta(minutes=15))
    assert desk.act("take", "ben")["due_at"] == desk.now + timedelta(minutes=120)
    desk.act("release", "ben")
    escalate(desk.store, desk.settings, desk.now + timedelta(minutes=15))
    assert desk.row()["level"] == 1
    found = status(desk.store, desk.settings, desk.now + timedelta(minutes=16))
    assert (found["queue"]["second_review"], found["queue"]["live"], found["queue"]["overdue"]) == (1, 2, 1)


def test_take_gives_second_reviews_to_others(desk: Desk) -> None:
    """The most urgent alert that the reviewer has not given an opinion on."""
    desk.give("maya", *FALSE)
    assert queue.take(desk.store, desk.settings, "maya", desk.now)["id"] == 2
    assert queue.take(desk.store, desk.settings, "ben", desk.now)["id"] == 1


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


def test_agreement_counts_every_pair(desk: Desk, now: datetime) -> None:
    """By claim type and language; sent back and reopened ones too, for both opinions were given."""
    assert queue.agreement(desk.store) == []
    desk.give("maya", *FALSE)
    desk.give("ben", Decision.CLARIFY, Verdict.MISLEADING)
    desk.act("take", "岑")
    desk.act("send_back", "岑", "look again")
    desk.now = now + timedelta(hours=1)
    desk.give("ben", *FALSE)
    desk.give("maya", *FALSE)
    desk.act("reopen", "maya", "new evidence")
    rows = queue.agreement(desk.store)
    assert [(row["claim_type"], row["lang"], row["pairs"], row["agreed"], row["kappa"]) for row in rows] == [
        (None, None, 2, 1, 0.0),
        ("candidate-fact", None, 2, 1, 0.0),
        (None, "zh-Hant", 2, 1, 0.0),
        ("candidate-fact", "zh-Hant", 2, 1, 0.0),
    ]
    (group, *_) = queue.agreement(desk.store, desk.now)
    assert (group["pairs"], group["agreed"], group["kappa"]) == (1, 1, None)


def test_the_digest_knows_what_sleeps_and_what_asks_for_another(desk: Desk, now: datetime) -> None:
    """Counted, and said beside the alert."""
    desk.give("maya", *FALSE)
    desk.act("snooze", "ben", now + timedelta(hours=3), "later", alert_id=2)
    made = view(compose(desk.store, desk.settings, now.date(), now))
    for page in (render("digest.txt", made), render("digest.html", made)):
        assert "asks for a second opinion" in page
        assert "1 snoozed" in page
        assert SECRET not in page


def test_a_grown_incident_raises_what_sleeps(desk: Desk, now: datetime) -> None:
    """A snoozed alert still becomes more urgent; it goes on sleeping."""
    until = now + timedelta(hours=3)
    desk.act("snooze", "maya", until, "later", alert_id=2)
    with desk.store.write() as connection:
        item = add_item(connection, now, 2, "翠灣時報", "碼頭關閉", "en")
        assess(connection, now, item, score=0.95, findings=[WITHDRAWN])
    assert dispatch(desk.store, desk.settings, now).counts["raised"] == 1
    assert (desk.row(2)["state"], desk.row(2)["priority"], desk.row(2)["due_at"]) == ("snoozed", "P1", until)
