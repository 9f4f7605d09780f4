"""Second opinions, over a real store: who gives one, who does not see it, who decides where two differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts import queue
from alerts.digest import compose
from alerts.dispatch import dispatch
from alerts.edition import edition
from alerts.escalate import escalate
from alerts.status import status
from alerts.summary import gather
from monitor.config import Settings
from monitor.store import Store, audit, models
from monitor.store.schema import alerts as alert_table
from monitor.types import Decision, Lang, Verdict
from tests.alerts.reviewing import FALSE, SECRET, Desk, two_alerts
from tests.alerts.rows import add_incident


@pytest.fixture(autouse=True)
def _two_alerts(store: Store, settings: Settings, now: datetime) -> None:
    two_alerts(store, settings, now)


@pytest.fixture
def desk(store: Store, settings: Settings, now: datetime) -> Desk:
    """Acts at a moment of its own."""
    return Desk(store, settings, now)


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
    made = edition(desk.settings, compose(desk.store, desk.settings, now.date(), now), Lang.EN)
    for page in (made.text, made.html):
        assert "asks for a second opinion" in page
        assert "1 put off for later" in page
        assert SECRET not in page
