"""Incidents become alerts, and grow more urgent; nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from alerts import queue
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from monitor.config import Settings
from monitor.store import Store, audit
from monitor.store import alerts as alert_store
from monitor.store.schema import alerts as alert_table
from monitor.store.schema import items
from monitor.types import AlertState, ClaimType, Decision, Role
from tests.alerts.rows import QUIET, WITHDRAWN, add_incident, add_item, assess


def _actions(store: Store) -> list[str]:
    with store.read() as connection:
        assert audit.verify(connection) is None
        return [entry["action"] for entry in audit.listing(connection)]


def _counts(expired: int, escalated: int, reminded: int = 0) -> dict[str, int]:
    return {"expired": expired, "woken": 0, "escalated": escalated, "reminded": reminded}


def test_every_incident_gets_one_alert(store: Store, settings: Settings, now: datetime) -> None:
    """One alert each, with priority, reasons, route and due time; a second pass opens none."""
    add_incident(store, now, findings=[WITHDRAWN])
    add_incident(
        store,
        now,
        title="Vote by text message: the Electoral Services Office needs your code",
        claim_type=ClaimType.SCAM_LURE,
        matches=(),
        lang="en",
    )
    assert dispatch(store, settings, now).counts == {"opened": 2, "raised": 0, **QUIET}
    assert dispatch(store, settings, now).counts == {"opened": 0, "raised": 0, **QUIET}
    first, second = queue.listing(store)
    assert (first["priority"], first["route"], first["state"]) == ("P1", "desk-chinese", "open")
    assert first["title"] == "卓望晴今早突然退選？"
    assert first["due_at"] == now + timedelta(minutes=15)
    assert any("roster-status" in reason for reason in first["reasons"])
    assert first["findings"][0]["rests_on"] == "watchlist.toml: candidate cheuk-mong-ching"
    assert (second["priority"], second["route"], second["matches"]) == ("P2", "police-liaison", [])
    assert _actions(store) == ["alert.open", "alert.open"]


def test_what_is_known_of_the_spread(store: Store, now: datetime) -> None:
    """The roles of its outlets, and the most items within any one hour, not from one full hour to the next."""
    incident = add_incident(store, now)
    with store.write() as connection:
        for minutes in (30, 61, 89, 90, 200):
            add_item(connection, now + timedelta(minutes=minutes), incident, "翠灣時報", f"卓望晴退選 {minutes}")
        facts = alert_store.incident_facts(connection, [incident])[incident]
    assert (facts.roles, facts.items, facts.per_hour) == ((Role.MEDIA,), 6, 3)


def test_every_team_that_is_told_stands_in_the_audit(store: Store, settings: Settings, now: datetime) -> None:
    """The owner is the alert's route; the others are named beside it when it opens and when it rises."""
    routes = settings.path(settings.files.routes)
    told = '[[route.routes]]\nmatch = { candidate = "cheuk-mong-ching" }\nteam = "cheuk-desk"\ncontinue = true\n'
    text = routes.read_text(encoding="utf-8")
    routes.write_text(text.replace("[[route.routes]]", told + "[[route.routes]]", 1), encoding="utf-8")
    incident = add_incident(store, now, score=0.65)
    dispatch(store, settings, now)
    with store.write() as connection:
        assess(connection, now, add_item(connection, now, incident, "翠灣時報", "退選"), score=0.95)
    dispatch(store, settings, now)
    (row,) = queue.listing(store)
    assert row["route"] == "cheuk-desk"
    with store.read() as connection:
        entries = audit.listing(connection)
    assert [entry["action"] for entry in entries] == ["alert.open", "alert.reprioritise"]
    assert [entry["detail"]["teams"] for entry in entries] == [["cheuk-desk", "desk-chinese"]] * 2


def test_the_row_has_every_promised_key(store: Store, settings: Settings, now: datetime) -> None:
    """Scripts rely on these names."""
    add_incident(store, now, outlets=["Harbour Daily", "翠灣時報"])
    dispatch(store, settings, now)
    (row,) = queue.listing(store)
    promised = (
        "id incident_id priority state level score title outlets items claim_type matches reasons holder "
        "lease_expires_at due_at suppression opened_at decided_at decision verdict"
    )
    assert set(promised.split()) <= set(row)
    assert (row["outlets"], row["items"]) == (["Harbour Daily", "翠灣時報"], 2)
    assert row["link"] == "http://harbour-daily.example/1"


def test_a_grown_incident_becomes_more_urgent(store: Store, settings: Settings, now: datetime) -> None:
    """Two more outlets and a higher score raise it, and the audit says from what to what."""
    incident = add_incident(store, now, score=0.65)
    dispatch(store, settings, now)
    later = now + timedelta(minutes=5)
    with store.write() as connection:
        for outlet in ("翠灣時報", "Radio Lantern"):
            assess(connection, later, add_item(connection, later, incident, outlet, "卓望晴退選"), score=0.95)
    assert dispatch(store, settings, later).counts == {"opened": 0, "raised": 1, **QUIET}
    assert dispatch(store, settings, later).counts == {"opened": 0, "raised": 0, **QUIET}
    (row,) = queue.listing(store)
    assert (row["priority"], row["score"], row["items"]) == ("P1", 0.95, 3)
    assert row["due_at"] == now + timedelta(minutes=15)
    with store.read() as connection:
        entry = audit.listing(connection)[-1]
    assert entry["action"] == "alert.reprioritise"
    assert entry["detail"]["priority"] == ["P2", "P1"]
    assert entry["detail"]["score"] == [0.65, 0.95]


def test_a_priority_never_falls_by_itself(store: Store, settings: Settings, now: datetime) -> None:
    """A new model thinks less of it: priority, score and reasons stay as people saw them."""
    add_incident(store, now, score=0.9)
    dispatch(store, settings, now)
    with store.write() as connection:
        assess(connection, now + timedelta(hours=1), 1, score=0.1, matches=(), model_id="seed-2")
    assert dispatch(store, settings, now + timedelta(hours=1)).counts == {"opened": 0, "raised": 0, **QUIET}
    (row,) = queue.listing(store)
    assert (row["priority"], row["score"]) == ("P1", 0.9)


def test_the_newest_assessment_of_the_latest_text_counts(store: Store, settings: Settings, now: datetime) -> None:
    """An edited item is judged by its latest text, whichever was assessed last by the clock."""
    add_incident(store, now, score=0.6)
    with store.write() as connection:
        connection.execute(update(items).values(revision=1))
        assess(connection, now + timedelta(minutes=1), 1, score=0.85, revision=1)
        assess(connection, now + timedelta(minutes=2), 1, score=0.2, revision=0, model_id="late")
    dispatch(store, settings, now)
    assert queue.listing(store)[0]["score"] == 0.85


def test_a_held_alert_rises_too_and_stays_held(store: Store, settings: Settings, now: datetime) -> None:
    """The reviewer keeps the lease; the clock is the one for deciding."""
    incident = add_incident(store, now, score=0.65)
    dispatch(store, settings, now)
    queue.take(store, settings, "maya", now)
    with store.write() as connection:
        assess(connection, now, add_item(connection, now, incident, "翠灣時報", "退選"), score=0.95)
    assert dispatch(store, settings, now).counts["raised"] == 1
    (row,) = queue.listing(store)
    assert (row["priority"], row["holder"], row["due_at"]) == ("P1", "maya", now + timedelta(minutes=120))


def test_decided_alerts_stay_as_they_are(store: Store, settings: Settings, now: datetime) -> None:
    """A closed incident gets no second alert, a decided one is not raised."""
    incident = add_incident(store, now)
    dispatch(store, settings, now)
    alert_id = queue.take(store, settings, "maya", now)["id"]
    queue.decide(store, settings, "maya", now, alert_id, Decision.DISMISS, None, "satire")
    with store.write() as connection:
        assess(connection, now, add_item(connection, now, incident, "翠灣時報", "退選"), score=0.95)
    assert dispatch(store, settings, now).counts == {"opened": 0, "raised": 0, **QUIET}
    assert queue.listing(store) == []
    (row,) = queue.listing(store, states=[AlertState.CLOSED])
    assert (row["decision"], row["score"]) == ("dismiss", 0.7)


def test_the_database_refuses_a_second_live_alert(store: Store, settings: Settings, now: datetime) -> None:
    """Whatever a program does wrong: one live alert of an incident."""
    incident = add_incident(store, now)
    dispatch(store, settings, now)
    row = {"incident_id": incident, "state": "open", "priority": 1, "priority_reasons": [], "score": 1, "route": "desk"}
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(alert_table).values(**row, level=0, opened_at=now))


def test_urgency_orders_the_queue(store: Store, settings: Settings, now: datetime) -> None:
    """Priority, then level, then due time, then score."""
    weak = add_incident(store, now, score=0.62)
    strong = add_incident(store, now, score=0.65)
    urgent = add_incident(store, now, score=0.95)
    dispatch(store, settings, now)
    assert [row["incident_id"] for row in queue.listing(store)] == [urgent, strong, weak]
    with store.write() as connection:
        connection.execute(update(alert_table).where(alert_table.c.incident_id == weak).values(level=1))
    assert [row["incident_id"] for row in queue.listing(store, limit=2)] == [urgent, weak]
    assert [row["incident_id"] for row in queue.listing(store, priority=2)] == [weak, strong]
    assert queue.take(store, settings, "maya", now)["incident_id"] == urgent


def test_expired_leases_return_and_overdue_alerts_rise(store: Store, settings: Settings, now: datetime) -> None:
    """One audit entry for each lease and each step, however often and however late the clock looks."""
    add_incident(store, now, score=0.9)
    add_incident(store, now, score=0.55)
    dispatch(store, settings, now)
    taken = queue.take(store, settings, "maya", now)
    assert escalate(store, settings, now + timedelta(minutes=9)).counts == _counts(0, 0)
    assert escalate(store, settings, now + timedelta(minutes=10)).counts == _counts(1, 0)
    assert escalate(store, settings, now + timedelta(minutes=10)).counts == _counts(0, 0)
    (row,) = queue.listing(store, priority=1)
    assert (row["state"], row["holder"], row["due_at"]) == ("open", None, now + timedelta(minutes=15))
    assert escalate(store, settings, now + timedelta(minutes=15)).counts == _counts(0, 1)
    assert escalate(store, settings, now + timedelta(minutes=16)).counts == _counts(0, 0)
    assert escalate(store, settings, now + timedelta(hours=9)).counts == _counts(0, 4)
    assert escalate(store, settings, now + timedelta(hours=10)).counts == _counts(0, 0, 1)
    assert [row["level"] for row in queue.listing(store)] == [2, 2]
    with store.read() as connection:
        history = audit.listing(connection, subject=alert_store.subject(taken["id"]))
    acts = [(entry["actor"], entry["action"], entry["detail"].get("level")) for entry in history]
    assert acts == [
        ("dispatch", "alert.open", None),
        ("maya", "alert.take", None),
        ("clock", "lease.expired", None),
        ("clock", "alert.escalate", 1),
        ("clock", "alert.escalate", 2),
        ("clock", "alert.escalate", 2),
        ("clock", "alert.remind", 2),
    ]


def test_polling_day_tightens_the_clock(store: Store, configure: Callable[[str], Settings], now: datetime) -> None:
    """The phase of the calendar chooses the targets and the default priority."""
    settings = configure("[election]\npolling_opens = 2027-03-01T08:30:00\npolling_closes = 2027-03-01T22:30:00\n")
    add_incident(store, now, claim_type=ClaimType.POLLING_DISRUPTION)
    dispatch(store, settings, now)
    (row,) = queue.listing(store)
    assert (row["priority"], row["due_at"]) == ("P1", now + timedelta(minutes=5))
