"""What a reviewer can do, over a real store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, update

from alerts import queue
from alerts.dispatch import dispatch
from monitor.config import Settings
from monitor.errors import NotFoundError, RefusedError
from monitor.store import Store
from monitor.store.schema import items, revisions
from monitor.types import AlertState, Decision, Verdict
from tests.alerts.rows import WITHDRAWN, add_incident


@pytest.fixture(autouse=True)
def _three_alerts(store: Store, settings: Settings, now: datetime) -> None:
    add_incident(store, now, findings=[WITHDRAWN], outlets=["Harbour Daily", "翠灣時報"])
    add_incident(store, now, title="Casper Au Yeung 歐阳泽楷 “quits”", score=0.6, matches=["au-yeung-chak-kai"])
    add_incident(store, now, title="Ｐｅｒｒｙ Ｍａｎ is no candidate", score=0.55, matches=["man-pui-lam"], lang="en")
    dispatch(store, settings, now)


def _refusal(call: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(RefusedError) as caught:
        call(*arguments)
    return caught.value.reason


def test_take_gives_the_most_urgent_and_then_the_next(store: Store, settings: Settings, now: datetime) -> None:
    """Without an id: the most urgent that is free; when nothing is, a refusal says so."""
    assert [queue.take(store, settings, "maya", now)["id"] for _ in range(3)] == [1, 2, 3]
    assert _refusal(queue.take, store, settings, "ben", now) == "nothing-open"
    later = now + timedelta(minutes=10)
    assert queue.take(store, settings, "ben", later)["holder"] == "ben"


def test_a_lost_race_names_the_holder(store: Store, settings: Settings, now: datetime) -> None:
    """Who is on what, and until when."""
    queue.take(store, settings, "maya", now, 2)
    with pytest.raises(RefusedError, match=r"alert 2 is held by maya until 2027-03-01T04:40:00\+00:00"):
        queue.take(store, settings, "ben", now, 2)
    assert RefusedError.exit_code == 1


def test_an_expired_lease_is_recorded_when_someone_takes_it(store: Store, settings: Settings, now: datetime) -> None:
    """Also when the clock has not looked yet: the audit tells the whole story, and lists show it open."""
    queue.take(store, settings, "maya", now, 1)
    later = now + timedelta(minutes=11)
    assert queue.listing(store, now=later)[0]["state"] == "open"
    assert queue.listing(store, now=later)[0]["holder"] is None
    assert queue.listing(store, states=[AlertState.LEASED], now=later) == []
    assert queue.listing(store, holder="maya", now=later) == []
    assert _refusal(queue.renew, store, settings, "maya", later, 1) == "not-held"
    queue.take(store, settings, "ben", later, 1)
    history = queue.show(store, 1)["history"]
    assert [(entry["actor"], entry["action"]) for entry in history] == [
        ("dispatch", "alert.open"),
        ("maya", "alert.take"),
        ("clock", "lease.expired"),
        ("ben", "alert.take"),
    ]


def test_decide_writes_everything_together(store: Store, settings: Settings, now: datetime) -> None:
    """State, decision row and audit entry; the alert leaves the queue."""
    queue.take(store, settings, "岑", now, 1)
    row = queue.decide(
        store, settings, "岑", now, 1, Decision.CLARIFY, Verdict.PARTLY_FALSE, "選舉事務署\u202e 說\x1b[2J仍在名單"
    )
    assert (row["state"], row["holder"], row["decided_at"]) == ("decided", None, now)
    shown = queue.show(store, 1)
    (decision,) = shown["decisions"]
    assert decision["reason"] == "選舉事務署 說[2J仍在名單"
    assert (decision["reviewer"], decision["verdict"]) == ("岑", "partly_false")
    assert shown["history"][-1]["detail"] == {
        "decision": "clarify",
        "verdict": "partly_false",
        "reason": decision["reason"],
        "review": "first",
        "state": "decided",
        "route": "desk-chinese",
    }
    assert [alert["id"] for alert in queue.listing(store)] == [2, 3]
    assert [alert["id"] for alert in queue.listing(store, states=tuple(AlertState))] == [1, 2, 3]


def test_a_refused_decision_leaves_no_trace(store: Store, settings: Settings, now: datetime) -> None:
    """Neither in the decisions nor in the audit, even when the refusal ended a lease on the way."""
    queue.take(store, settings, "maya", now, 1)
    before = queue.show(store, 1)
    late = now + timedelta(hours=1)
    arguments = (1, Decision.WATCH, None, "wait")
    assert _refusal(queue.decide, store, settings, "ben", now, *arguments) == "not-holder"
    assert _refusal(queue.decide, store, settings, "maya", late, *arguments) == "not-held"
    assert _refusal(queue.decide, store, settings, "maya", now, 1, Decision.CLARIFY, None, "no") == "no-verdict"
    assert _refusal(queue.decide, store, settings, "maya", now, 1, Decision.WATCH, None, " \u200b ") == "no-reason"
    assert queue.show(store, 1) == before


def test_releasing_what_another_holds_is_audited(store: Store, settings: Settings, now: datetime) -> None:
    """With the holder and the reason."""
    queue.take(store, settings, "maya", now, 1)
    assert _refusal(queue.release, store, settings, "ben", now, 1) == "no-reason"
    assert queue.release(store, settings, "ben", now, 1, "maya's shift ended")["state"] == "open"
    assert queue.show(store, 1)["history"][-1]["detail"] == {"holder": "maya", "reason": "maya's shift ended"}


def test_renew_gives_a_new_lease(store: Store, settings: Settings, now: datetime) -> None:
    """From now, not from the old end; twice at the same instant is harmless."""
    queue.take(store, settings, "maya", now, 1)
    later = now + timedelta(minutes=9)
    for _ in range(2):
        row = queue.renew(store, settings, "maya", later, 1)
        assert row["lease_expires_at"] == later + timedelta(minutes=10)


def test_names_that_cannot_act(store: Store, settings: Settings, now: datetime) -> None:
    """Nobody acts without a name, or under a name that the audit keeps for the program."""
    for name in ("", " \u200b", "clock", "dispatch"):
        assert _refusal(queue.take, store, settings, name, now) == "no-reviewer"


def test_no_such_alert(store: Store, settings: Settings, now: datetime) -> None:
    """An unknown id is named, with how to see the known ones."""
    calls: list[Callable[[], object]] = [
        lambda: queue.take(store, settings, "maya", now, 99),
        lambda: queue.decide(store, settings, "maya", now, 99, Decision.WATCH, None, "wait"),
        lambda: queue.show(store, 99),
    ]
    for call in calls:
        with pytest.raises(NotFoundError, match="no alert 99: `pollwatch alerts list --all`"):
            call()


def test_show_has_the_evidence(store: Store, now: datetime) -> None:
    """The items in order of time with outlet, role, assessment and earlier texts."""
    with store.write() as connection:
        connection.execute(
            update(items).where(items.c.id == 2).values(published_at=now - timedelta(hours=1), revision=1)
        )
        earlier = {"title": "卓望晴退選！", "summary": "", "seen_at": now, "replaced_at": now + timedelta(minutes=3)}
        connection.execute(insert(revisions).values(item_id=2, revision=0, **earlier))
    shown = queue.show(store, 1)
    assert shown["items"] == 2
    first, second = shown["incident"]["items"]
    assert [first["outlet"], second["outlet"]] == ["翠灣時報", "Harbour Daily"]
    assert (first["role"], first["stance"], first["score"]) == ("media", "asserts", 0.7)
    assert [text["title"] for text in first["revisions"]] == ["卓望晴退選！"]
    assert second["revisions"] == []
