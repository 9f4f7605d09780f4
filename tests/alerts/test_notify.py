"""Receivers are told of alerts: each notice once, in groups, whatever the service or the process does."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
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
from monitor.types import ClaimType, Decision
from tests.alerts.rows import add_incident
from tests.receiver import Inbox, receiver_server

Tell = Callable[..., None]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiver_server() as found:
        yield found


@pytest.fixture
def receivers(folder: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Write receivers into routes.toml, each with its address in the environment."""

    def write(*names: str, rto: float = 5, **keys: Any) -> None:
        file = folder / "routes.toml"
        lines = [file.read_text(encoding="utf-8").partition("[[receiver]]")[0]]
        for name in names:
            lines += ["[[receiver]]", f'name = "{name}"', *(f"{key} = {value!r}" for key, value in keys.items()), ""]
            variable = f"POLLWATCH_RECEIVER_{name.upper().replace('-', '_')}"
            monkeypatch.setenv(variable, inbox.address(name, f"?rto={rto}"))
        file.write_text("\n".join(lines), encoding="utf-8")

    return write


def _open(store: Store, settings: Settings, now: datetime, count: int = 1, **incident: Any) -> None:
    for _ in range(count):
        add_incident(store, now, **incident)
    dispatch(store, settings, now)


def _at(store: Store, settings: Settings, now: datetime, *seconds: float) -> list[dict[str, Any]]:
    """Run the stage at these seconds after ``now``; its counts."""
    return [dict(notify.notify(store, settings, now + timedelta(seconds=each)).counts) for each in seconds]


def test_a_group_waits_keeps_its_interval_and_is_repeated(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """Alertmanager's three times, by the second; an alert that is taken is not repeated."""
    receivers("desk", group_wait_s=30, group_interval_s=300, repeat_interval_s=3600)
    _open(store, settings, now)
    _at(store, settings, now, 0, 29)
    assert inbox.deliveries == []
    _at(store, settings, now, 30, 31)
    assert [each.alerts for each in inbox.of("desk")] == [[1]]
    _open(store, settings, now + timedelta(seconds=40), count=2)
    _at(store, settings, now, 41, 329)
    assert len(inbox.deliveries) == 1
    _at(store, settings, now, 330, 331)
    assert [each.alerts for each in inbox.of("desk")] == [[1], [2, 3]]
    queue.take(store, settings, "maya", now + timedelta(seconds=400), 2)
    _at(store, settings, now, 3629)
    assert len(inbox.deliveries) == 2
    _at(store, settings, now, 3630, 3659, 3660, 3661)
    assert [each.alerts for each in inbox.of("desk")] == [[1], [2, 3], [1]]
    assert "still open" in inbox.of("desk")[2].body
    assert len({each.key for each in inbox.deliveries}) == 3


def test_a_notice_says_what_is_needed_and_nothing_of_the_article(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """Id, priority, claim type, title, number of outlets, due time by the election's clock; no summary, no names."""
    receivers("desk", group_wait_s=0)
    _open(store, settings, now, title="卓望晴今早突然退選？", outlets=["Harbour Daily", "Quay News"])
    _at(store, settings, now, 0)
    (told,) = inbox.of("desk")
    assert told.title == f"pollwatch: alert, P1 ({told.key})"
    assert told.body == "P1 alert 1: 卓望晴今早突然退選？\n  new · candidate fact · 2 outlets · due 01 Mar 12:45"


def test_it_speaks_chinese_to_who_reads_it(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """Fixed wording in Traditional Chinese by the receiver's `lang`."""
    receivers("desk", lang="zh-Hant", group_wait_s=0)
    _open(store, settings, now, count=9, claim_type=ClaimType.CANDIDATE_STATUS)
    _at(store, settings, now, 0)
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
    _open(store, settings, now)
    _open(store, settings, now, lang="en", score=0.3, matches=(), claim_type=ClaimType.SCAM_LURE)
    _open(store, settings, now, lang="en", score=0.3, matches=(), claim_type=None)
    _at(store, settings, now, 0)
    told = {path: [each.alerts for each in inbox.of(path)] for path in ("all", "chinese", "police", "urgent", "steps")}
    assert told == {"all": [[1, 2, 3]], "chinese": [[1]], "police": [[2, 3]], "urgent": [[1]], "steps": []}
    escalate(store, settings, now + timedelta(minutes=15))
    _at(store, settings, now, 900)
    (told_step,) = inbox.of("steps")
    assert told_step.alerts == [1]
    assert "not taken in time, escalated to level 1" in told_step.body


def test_an_escalation_goes_to_the_teams_that_it_names(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """The entry's own teams, not the alert's; whatever else happens to the alert in the same group is one line."""
    receivers("lead", teams=["lead"], group_wait_s=0)
    _open(store, settings, now)
    with store.write() as connection:
        for action in ("alert.escalate", "alert.remind", "alert.escalate", "lease.expired", "alert.wake"):
            audit.append(connection, now, "clock", action, "alert:1", {"level": 1, "teams": ["lead"]})
        audit.append(connection, now, "clock", "alert.escalate", "alert:1", {"level": 2, "teams": ["night"]})
        audit.append(connection, now, "clock", "alert.escalate", "alert:77", {"level": 1, "teams": ["lead"]})
    _at(store, settings, now, 0)
    (told,) = inbox.of("lead")
    step = "not taken in time, escalated to level 1; reminder, level 1; lease ran out, back in the queue"
    assert f"  {step}; back in the queue · " in told.body
    assert told.alerts == [1]


def test_an_alert_that_grew_is_told_again(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """When it became more urgent, with what it was; the receiver for urgent ones hears of it then."""
    receivers("urgent", min_priority="P1", group_wait_s=0)
    incident = add_incident(store, now, score=0.3, lang="en", matches=(), claim_type=None)
    dispatch(store, settings, now)
    _at(store, settings, now, 0)
    assert inbox.deliveries == []
    with store.write() as connection:
        connection.execute(update(alert_table).values(priority=1))
        detail = {"priority": ["P4", "P1"], "route": ["desk", "desk"]}
        audit.append(connection, now, "dispatch", "alert.reprioritise", f"alert:{incident}", detail)
    _at(store, settings, now, 1)
    assert "more urgent, was P4" in inbox.of("urgent")[0].body


@pytest.mark.parametrize("quiet", ["decided", "suppressed"])
def test_what_is_settled_before_the_notice_goes_out_is_not_announced(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime, quiet: str
) -> None:
    """The audit says why; the others of the group are told."""
    receivers("desk", group_wait_s=60)
    _open(store, settings, now, count=2)
    _at(store, settings, now, 0)
    if quiet == "decided":
        queue.take(store, settings, "maya", now, 1)
        queue.decide(store, settings, "maya", now, 1, Decision.WATCH, None, "quiet so far")
    else:
        with store.write() as connection:
            connection.execute(update(alert_table).where(alert_table.c.id == 1).values(suppression="silence"))
    assert _at(store, settings, now, 60)[0]["dropped"] == 1
    _at(store, settings, now, 400, 20_000, 20_060)
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
    _open(store, settings, now)
    assert _at(store, settings, now, 0) == [{"occasions": 2, "messages": 2, "dropped": 0, "sent": 1, "failed": 1}]
    assert [each.alerts for each in inbox.of("good")] == [[1]]
    (problem,) = [each for each in status(store, settings, now)["problems"] if each.startswith("receiver")]
    assert problem.startswith("receiver bad has not been told (1 attempts): its service")
    assert words in problem
    _open(store, settings, now, lang="en")  # waits for the message before it, and the good one hears of it at once
    _at(store, settings, now, 1, 20)
    assert [each.alerts for each in inbox.of("good")] == [[1], [2]]
    inbox.answers.clear()
    _at(store, settings, now, 40, 41)
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
    _open(store, settings, now)
    _at(store, settings, now, 0)
    queue.take(store, settings, "maya", now, 1)
    queue.decide(store, settings, "maya", now, 1, Decision.DISMISS, None, "satire")
    inbox.answers.clear()
    _at(store, settings, now, 7200)
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
    _open(store, settings, now, count=40, lang="en", score=0.3, matches=(), claim_type=None)
    _open(store, settings, now, count=5)
    _at(store, settings, now, 0)
    (flood,) = inbox.of("desk")
    assert flood.alerts == [41, 42, 43, 44, 45, 1, 2, 3]
    assert flood.body.endswith("and 37 more: see the queue (pollwatch alerts list)")
    assert len(flood.title) + len(flood.body) < 2000
    for seconds in (10, 20, 30, 40):
        _open(store, settings, now + timedelta(seconds=seconds))
        _at(store, settings, now, seconds)
    _at(store, settings, now, 3599)
    assert [each.alerts for each in inbox.of("desk")[1:]] == [[46]]
    _at(store, settings, now, 3600)
    assert [each.alerts for each in inbox.of("desk")[2:]] == [[47, 48, 49]]


def test_what_waits_for_a_receiver_that_is_gone_is_dropped(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """No eternal fault in `status`; and a receiver that is new is not told of the past."""
    receivers("gone", group_wait_s=0)
    inbox.answers["gone"] = "500"
    _open(store, settings, now)
    _at(store, settings, now, 0)
    assert len(notify.problems(store)) == 1
    _open(store, settings, now)
    _at(store, settings, now, 1)
    receivers("fresh", group_wait_s=0)
    _at(store, settings, now, 100)
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
    _open(store, settings, now)
    report = notify.notify(store, settings, now)
    assert "routes.toml: receiver desk: has no address; set POLLWATCH_RECEIVER_DESK or url_file" in report.problems[0]
    assert "has no address" in notify.problems(store)[0]
    monkeypatch.setenv("POLLWATCH_RECEIVER_DESK", address)
    _at(store, settings, now, 60)
    assert [each.alerts for each in inbox.of("desk")] == [[1]]


_SENDER = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from alerts.notify import notify
from monitor.config import load_file
from monitor.store import open_store
settings = load_file(Path(sys.argv[1]))
store = open_store(settings.database_url)
print("ready", flush=True)
for step in range(4):
    notify(store, settings, datetime.fromisoformat(sys.argv[2]) + timedelta(seconds=60 * step))
"""


def _sender(folder: Path, moment: datetime) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", _SENDER, str(folder / "pollwatch.toml"), moment.isoformat()]
    return subprocess.Popen(words, stdout=subprocess.PIPE)


def test_two_processes_tell_once(
    store: Store, settings: Settings, folder: Path, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """Whoever is first sends; the other finds it done or leaves it."""
    receivers("one", "two", group_wait_s=0)
    inbox.delay_s = 0.05
    _open(store, settings, now, count=3)
    processes = [_sender(folder, now) for _ in range(3)]
    assert [process.communicate() and process.returncode for process in processes] == [0, 0, 0]
    assert [each.alerts for path in ("one", "two") for each in inbox.of(path)] == [[1, 2, 3], [1, 2, 3]]


def test_killed_at_random_moments_every_notice_arrives_and_copies_only_from_the_answer_window(
    store: Store, settings: Settings, folder: Path, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """kill -9 around sending: a key comes twice only if the service had it and the store did not know; same bytes.

    Every other kill comes at a moment of chance, the others just before a service's answer.
    """
    names = ("one", "two", "three")
    receivers(*names, group_wait_s=0, group_interval_s=0, repeat_interval_s=600_000)
    inbox.delay_s = 0.05
    dice = random.Random(20270301)
    window: set[str] = set()
    rounds = 10
    for number in range(rounds):
        moment = now + timedelta(hours=number)
        _open(store, settings, moment, count=2)
        process = _sender(folder, moment)
        if number % 2:
            wanted = len(inbox.deliveries) + dice.randint(1, len(names))
            inbox.before_answer = lambda: _kill(process) if len(inbox.deliveries) >= wanted else None  # noqa: B023
        else:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            time.sleep(dice.uniform(0, 0.3))
            _kill(process)
        process.communicate()
        inbox.before_answer = lambda: None
        inbox.settle()
        with store.read() as connection:
            unknown = {message.key[:16] for message in outbox.unsent(connection)}
        window |= unknown & {each.key for each in inbox.deliveries}
        _at(store, settings, moment, 600, 601)
    for name in names:
        assert sorted({id for each in inbox.of(name) for id in each.alerts}) == list(range(1, 2 * rounds + 1))
    times = Counter(each.key for each in inbox.deliveries)
    assert {key for key, count in times.items() if count > 1} == window
    assert window
    assert max(times.values()) == 2
    assert len({each.raw for each in inbox.deliveries}) == len(times)
    with store.read() as connection:
        assert audit.verify(connection) is None


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
