"""Receivers are told of alerts: each notice once, in groups, whatever the service or the process does."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from alerts import notify, queue, senders
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from alerts.status import status
from monitor.config import Settings
from monitor.errors import NoticeError
from monitor.store import Store, audit, outbox
from monitor.store.schema import alerts as alert_table
from monitor.types import ClaimType, Decision, Verdict
from tests.alerts.rows import add_incident
from tests.alerts.telling import Tell, notify_at, open_alerts
from tests.receiver import Inbox


def test_a_group_waits_keeps_its_interval_and_is_repeated(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """Alertmanager's three times, by the second; an alert that is taken is not repeated."""
    receivers("desk", group_wait_s=30, group_interval_s=300, repeat_interval_s=3600)
    open_alerts(store, settings, now)
    notify_at(store, settings, now, 0, 29)
    assert inbox.deliveries == []
    notify_at(store, settings, now, 30, 31)
    assert [each.alerts for each in inbox.of("desk")] == [[1]]
    open_alerts(store, settings, now + timedelta(seconds=40), count=2)
    notify_at(store, settings, now, 41, 329)
    assert len(inbox.deliveries) == 1
    notify_at(store, settings, now, 330, 331)
    assert [each.alerts for each in inbox.of("desk")] == [[1], [2, 3]]
    queue.take(store, settings, "maya", now + timedelta(seconds=400), 2)
    notify_at(store, settings, now, 3629)
    assert len(inbox.deliveries) == 2
    notify_at(store, settings, now, 3630, 3659, 3660, 3661)
    assert [each.alerts for each in inbox.of("desk")] == [[1], [2, 3], [1]]
    assert "still open" in inbox.of("desk")[2].body
    assert len({each.key for each in inbox.deliveries}) == 3


def test_a_notice_says_what_is_needed_and_nothing_of_the_article(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """Id, priority, claim type, title, number of outlets, due time by the election's clock; no summary, no names."""
    receivers("desk", group_wait_s=0)
    open_alerts(store, settings, now, title="卓望晴今早突然退選？", outlets=["Harbour Daily", "Quay News"])
    notify_at(store, settings, now, 0)
    (told,) = inbox.of("desk")
    assert told.title == f"pollwatch: alert, P1 ({told.key})"
    assert told.body == "P1 alert 1: 卓望晴今早突然退選？\n  new · candidate fact · 2 outlets · due 01 Mar 12:45"


def test_it_speaks_chinese_to_who_reads_it(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """Fixed wording in Traditional Chinese by the receiver's `lang`."""
    receivers("desk", lang="zh-Hant", group_wait_s=0)
    open_alerts(store, settings, now, count=9, claim_type=ClaimType.CANDIDATE_STATUS)
    notify_at(store, settings, now, 0)
    (told,) = inbox.of("desk")
    assert told.title.startswith("pollwatch：9 則警示，最緊急 P1 (")
    first, facts, *_ = told.body.split("\n")
    assert first == "P1 警示 1：卓望晴今早突然退選？"
    assert facts == "  新警示 · 候選人身分 · 1 個媒體 · 期限 03月01日 12:45"
    assert told.body.endswith("另有 1 則，請看隊列（pollwatch alerts list）")


def test_each_receiver_is_told_what_is_its_own(
    store: Store, settings: Settings, folder: Path, receivers: Tell, inbox: Inbox, now: datetime, monkeypatch: Any
) -> None:
    """By team, by priority and by kind; without teams it is everybody's."""
    receivers("all", group_wait_s=0)
    with (folder / "routes.toml").open("a", encoding="utf-8") as file:
        for name, keys in {
            "chinese": 'teams = ["desk-chinese"]',
            "police": 'teams = ["police-liaison", "desk"]',
            "urgent": 'min_priority = "P1"',
            "steps": 'kinds = ["escalated"]',
        }.items():
            file.write(f'[[receiver]]\nname = "{name}"\ngroup_wait_s = 0\n{keys}\n')
            monkeypatch.setenv(f"POLLWATCH_RECEIVER_{name.upper()}", inbox.address(name))
    open_alerts(store, settings, now)
    open_alerts(store, settings, now, lang="en", score=0.3, matches=(), claim_type=ClaimType.SCAM_LURE)
    open_alerts(store, settings, now, lang="en", score=0.3, matches=(), claim_type=None)
    notify_at(store, settings, now, 0)
    told = {path: [each.alerts for each in inbox.of(path)] for path in ("all", "chinese", "police", "urgent", "steps")}
    assert told == {"all": [[1, 2, 3]], "chinese": [[1]], "police": [[2, 3]], "urgent": [[1]], "steps": []}
    escalate(store, settings, now + timedelta(minutes=15))
    notify_at(store, settings, now, 900)
    (told_step,) = inbox.of("steps")
    assert told_step.alerts == [1]
    assert "not handled in time, escalated to level 1" in told_step.body


def test_an_escalation_goes_to_the_teams_that_it_names(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """The entry's own teams, not the alert's; whatever else happens to the alert in the same group is one line."""
    receivers("lead", teams=["lead"], group_wait_s=0)
    open_alerts(store, settings, now)
    with store.write() as connection:
        for action in ("alert.escalate", "alert.remind", "alert.escalate", "lease.expired", "alert.wake"):
            audit.append(connection, now, "clock", action, "alert:1", {"level": 1, "teams": ["lead"]})
        audit.append(connection, now, "clock", "alert.escalate", "alert:1", {"level": 2, "teams": ["night"]})
        audit.append(connection, now, "clock", "alert.escalate", "alert:77", {"level": 1, "teams": ["lead"]})
    notify_at(store, settings, now, 0)
    (told,) = inbox.of("lead")
    step = "not handled in time, escalated to level 1; reminder, level 1; lease ran out, back in the queue"
    assert f"  {step}; back in the queue · " in told.body
    assert told.alerts == [1]


def test_an_alert_that_grew_is_told_again(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """When it became more urgent, with what it was; the receiver for urgent ones hears of it then."""
    receivers("urgent", min_priority="P1", group_wait_s=0)
    incident = add_incident(store, now, score=0.3, lang="en", matches=(), claim_type=None)
    dispatch(store, settings, now)
    notify_at(store, settings, now, 0)
    assert inbox.deliveries == []
    with store.write() as connection:
        connection.execute(update(alert_table).values(priority=1))
        detail = {"priority": ["P4", "P1"], "route": ["desk", "desk"]}
        audit.append(connection, now, "dispatch", "alert.reprioritise", f"alert:{incident}", detail)
    notify_at(store, settings, now, 1)
    assert "more urgent, was P4" in inbox.of("urgent")[0].body


@pytest.mark.parametrize(
    ("lang", "second", "lead"),
    [
        ("en", "asks for a second opinion", "two opinions differ, asks for the lead's decision"),
        ("zh-Hant", "須由另一人覆核", "兩人意見不一，請主管裁決"),
    ],
)
def test_second_opinions_and_the_leads_decision_are_asked_for(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime, lang: str, second: str, lead: str
) -> None:
    """The team hears that another reviewer is wanted, then the lead's team that they are; nobody, what was said."""
    receivers("desk", "lead", group_wait_s=0, group_interval_s=0, lang=lang)
    file = settings.path(settings.files.routes)
    text = file.read_text(encoding="utf-8").replace('name = "desk"\n', 'name = "desk"\nteams = ["desk-chinese"]\n')
    file.write_text(text.replace('name = "lead"\n', 'name = "lead"\nteams = ["lead"]\n'), encoding="utf-8")
    open_alerts(store, settings, now)
    notify_at(store, settings, now, 0)
    for seconds, name, verdict in ((10, "maya", Verdict.FALSE), (20, "岑", Verdict.MISLEADING)):
        moment = now + timedelta(seconds=seconds)
        queue.take(store, settings, name, moment, 1)
        queue.decide(store, settings, name, moment, 1, Decision.CLARIFY, verdict, "名單上仍有她")
        notify_at(store, settings, now, seconds)
    first, asked = inbox.of("desk")
    (to_lead,) = inbox.of("lead")
    assert first.alerts == asked.alerts == to_lead.alerts == [1]
    assert second in asked.body
    assert lead in to_lead.body
    assert not any(
        word in each.body for each in (asked, to_lead) for word in ("名單", "maya", "岑", "false", "misleading")
    )
    notify_at(store, settings, now, 14_419)
    assert len(inbox.deliveries) == 3
    notify_at(store, settings, now, 14_420)
    assert [len(inbox.of(name)) for name in ("desk", "lead")] == [2, 2], "what waits for the lead is the lead's to hear"


@pytest.mark.parametrize("what", ["undone", "given"])
def test_an_opinion_that_is_not_wanted_any_more_is_not_asked_for(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime, what: str
) -> None:
    """Undone or given before the message is made: the alert is told as what it waits for now."""
    receivers("desk", group_wait_s=60, group_interval_s=0)
    open_alerts(store, settings, now)
    queue.take(store, settings, "maya", now, 1)
    queue.decide(store, settings, "maya", now, 1, Decision.CLARIFY, Verdict.FALSE, "名單上仍有她")
    if what == "undone":
        queue.undo(store, settings, "maya", now, 1)
    else:
        queue.take(store, settings, "岑", now, 1)
        queue.decide(store, settings, "岑", now, 1, Decision.WATCH, None, "quiet so far")
    notify_at(store, settings, now, 60)
    (told,) = inbox.of("desk")
    assert "second opinion" not in told.body
    assert "back in the queue" not in told.body
    assert ("is held again" in told.body, "the lead's decision" in told.body) == (what == "undone", what == "given")


@pytest.mark.parametrize("quiet", ["decided", "suppressed"])
def test_what_is_settled_before_the_notice_goes_out_is_not_announced(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime, quiet: str
) -> None:
    """The audit says why; the others of the group are told."""
    receivers("desk", group_wait_s=60)
    open_alerts(store, settings, now, count=2)
    notify_at(store, settings, now, 0)
    if quiet == "decided":
        queue.take(store, settings, "maya", now, 1)
        queue.decide(store, settings, "maya", now, 1, Decision.WATCH, None, "quiet so far")
    else:
        with store.write() as connection:
            connection.execute(update(alert_table).where(alert_table.c.id == 1).values(suppression="silence"))
    assert notify_at(store, settings, now, 60)[0]["dropped"] == 1
    notify_at(store, settings, now, 400, 20_000, 20_060)
    assert [each.alerts for each in inbox.of("desk")] == [[2], [2]]
    with store.read() as connection:
        dropped = [entry for entry in audit.listing(connection) if entry["action"] == "notice.drop"]
    why = "decided: watch" if quiet == "decided" else "suppressed: silence"
    assert [(entry["subject"], entry["detail"]) for entry in dropped] == [
        ("alert:1", {"receiver": "desk", "why": why}),
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("500", "answered with status 500"),
        ("302", "answered with status 302"),
        ("hang", "cannot be reached or gave no answer"),
        ("close", "cannot be reached or gave no answer"),
        ("drop", "cannot be reached or gave no answer"),
    ],
)
def test_a_failing_receiver_harms_nobody_and_gets_the_same_bytes_later(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime, answer: str, words: str
) -> None:
    """Each attempt later than the last, the same message with the same key; `status` says what is wrong."""
    receivers("bad", "good", group_wait_s=0, group_interval_s=0, rto=0.3)
    inbox.answers["bad"] = answer
    open_alerts(store, settings, now)
    assert notify_at(store, settings, now, 0) == [{"occasions": 2, "messages": 2, "dropped": 0, "sent": 1, "failed": 1}]
    assert [each.alerts for each in inbox.of("good")] == [[1]]
    (problem,) = [each for each in status(store, settings, now)["problems"] if each.startswith("receiver")]
    assert problem.startswith("receiver bad has not been told (1 attempts): its service")
    assert words in problem
    open_alerts(store, settings, now, lang="en")  # waits for the message before it; the good one hears at once
    notify_at(store, settings, now, 1, 20)
    assert [each.alerts for each in inbox.of("good")] == [[1], [2]]
    inbox.answers.clear()
    notify_at(store, settings, now, 40, 41)
    assert [each.alerts for each in inbox.of("bad")] == [[1], [2]]
    first = [each.raw for each in inbox.deliveries if each.path == "/bad" and each.alerts == [1]]
    assert len(set(first)) == 1
    assert notify.problems(store) == []


def test_a_message_is_withdrawn_when_nothing_in_it_is_news(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """A service that was away for hours is not told of what was decided meanwhile."""
    receivers("desk", group_wait_s=0)
    inbox.answers["desk"] = "503"
    open_alerts(store, settings, now)
    notify_at(store, settings, now, 0)
    queue.take(store, settings, "maya", now, 1)
    queue.decide(store, settings, "maya", now, 1, Decision.DISMISS, None, "satire")
    inbox.answers.clear()
    notify_at(store, settings, now, 7200)
    assert inbox.of("desk") == []
    assert notify.problems(store) == []
    with store.read() as connection:
        assert audit.listing(connection)[-1]["action"] == "notice.drop"
        assert audit.verify(connection) is None


def test_a_service_that_drips_is_given_up(inbox: Inbox) -> None:
    """No receiver holds us for longer than it may, whatever it sends."""
    inbox.answers["desk"] = "hang"
    began = time.monotonic()
    with pytest.raises(NoticeError, match=r"receiver desk: no answer within 0\.2 seconds"):
        senders.deliver("desk", inbox.address("desk", "?rto=60"), "title", "body", within_s=0.2)
    assert time.monotonic() - began < 0.9
    inbox.settle()


def test_a_flood_is_capped_and_says_how_many_were_held(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """Eight alerts by name, the most urgent first, the rest as a number; and so many messages an hour."""
    receivers("desk", group_wait_s=0, group_interval_s=0, max_per_hour=2)
    open_alerts(store, settings, now, count=40, lang="en", score=0.3, matches=(), claim_type=None)
    open_alerts(store, settings, now, count=5)
    notify_at(store, settings, now, 0)
    (flood,) = inbox.of("desk")
    assert flood.alerts == [41, 42, 43, 44, 45, 1, 2, 3]
    assert flood.body.endswith("and 37 more: see the queue (pollwatch alerts list)")
    assert len(flood.title) + len(flood.body) < 2000
    for seconds in (10, 20, 30, 40):
        open_alerts(store, settings, now + timedelta(seconds=seconds))
        notify_at(store, settings, now, seconds)
    notify_at(store, settings, now, 3599)
    assert [each.alerts for each in inbox.of("desk")[1:]] == [[46]]
    notify_at(store, settings, now, 3600)
    assert [each.alerts for each in inbox.of("desk")[2:]] == [[47, 48, 49]]


def test_what_waits_for_a_receiver_that_is_gone_is_dropped(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """No eternal fault in `status`; and a receiver that is new is not told of the past."""
    receivers("gone", group_wait_s=0)
    inbox.answers["gone"] = "500"
    open_alerts(store, settings, now)
    notify_at(store, settings, now, 0)
    assert len(notify.problems(store)) == 1
    open_alerts(store, settings, now)
    notify_at(store, settings, now, 1)
    receivers("fresh", group_wait_s=0)
    notify_at(store, settings, now, 100)
    assert notify.problems(store) == []
    assert inbox.of("fresh") == []
    with store.read() as connection:
        assert outbox.oldest_waiting(connection) == {}


def test_without_an_address_it_waits_and_says_so(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost until the operator sets it."""
    receivers("desk", group_wait_s=0)
    address = os.environ["POLLWATCH_RECEIVER_DESK"]
    monkeypatch.delenv("POLLWATCH_RECEIVER_DESK")
    open_alerts(store, settings, now)
    report = notify.notify(store, settings, now)
    assert "routes.toml: receiver desk: has no address; set POLLWATCH_RECEIVER_DESK or url_file" in report.problems[0]
    assert "has no address" in notify.problems(store)[0].text
    monkeypatch.setenv("POLLWATCH_RECEIVER_DESK", address)
    notify_at(store, settings, now, 60)
    assert [each.alerts for each in inbox.of("desk")] == [[1]]
