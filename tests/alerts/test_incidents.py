"""Incidents by hand: one of two, two of one, and what becomes of their alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from alerts import clarifications, queue, silences
from alerts import incidents as acts
from alerts.dispatch import dispatch
from alerts.incidents import keep_and_close
from alerts.suppression import SilenceMatchers
from classifiers.group import group
from monitor.config import Settings
from monitor.errors import NotFoundError, RefusedError, UnfitActError
from monitor.store import Store, audit, incident_list, incidents
from monitor.store import alerts as alert_store
from monitor.store.schema import alerts as alert_table
from monitor.store.schema import hidden, incident_items, related
from monitor.types import Alert, AlertState, Decision, Review, Verdict
from tests.alerts.rows import add_incident
from tests.grouping import Row, fill, partition

LATER = timedelta(minutes=1)


def two(store: Store, settings: Settings, now: datetime) -> tuple[int, int]:
    """Two incidents, each with an open alert; their ids."""
    ids = (add_incident(store, now, outlets=["Harbour Daily"]), add_incident(store, now, outlets=["翠灣時報", "Third"]))
    dispatch(store, settings, now)
    return ids


def alert_of(store: Store, incident_id: int) -> Alert:
    """The newest alert of an incident."""
    with store.read() as connection:
        return alert_store.of_incident(connection, incident_id)[-1]


def history(store: Store, subject: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Actor, action and detail of every audit entry on something; the chain holds."""
    with store.read() as connection:
        assert audit.verify(connection) is None
        return [(e["actor"], e["action"], e["detail"]) for e in audit.listing(connection, subject=subject)]


def test_two_incidents_become_one(store: Store, settings: Settings, now: datetime) -> None:
    """All items in one, one live alert, the other closed as a duplicate, the old id leads on; one audit entry each."""
    one, other = two(store, settings, now)
    closed, kept = alert_of(store, one).id, alert_of(store, other).id
    found = acts.merge(store, settings, "maya", now + LATER, one, other, "the same recording")
    assert (found["id"], len(found["items"]), found["merged_from"]) == (other, 3, [one])
    assert found["outlets"] == ["Harbour Daily", "翠灣時報", "Third"]
    assert acts.show(store, one) == found
    assert [row["id"] for row in acts.listing(store)] == [other]
    (row,) = queue.listing(store)
    assert (row["id"], row["incident_id"], row["items"]) == (kept, other, 3)
    (shut,) = queue.listing(store, states=[AlertState.CLOSED])
    assert (shut["id"], shut["suppression"], shut["decision"]) == (closed, "duplicate", "duplicate")
    assert shut["decided_at"] == now + LATER
    (entry,) = history(store, f"incident:{one}")
    assert entry == (
        "maya",
        "incident.merge",
        {"into": other, "items": [1], "closed_alert": closed, "reason": "the same recording"},
    )
    assert history(store, f"alert:{closed}")[-1] == (
        "maya",
        "alert.duplicate",
        {"duplicate_of": kept, "reason": "the same recording"},
    )
    assert dispatch(store, settings, now + LATER).counts["opened"] == 0


def test_a_duplicate_is_closed_whichever_is_further_on(store: Store, settings: Settings, now: datetime) -> None:
    """The one that is named stays as it is, held, put off, decided or closed; the other's items are its own."""
    for state in ("open", "held", "asleep", "decided", "closed"):
        one, other = two(store, settings, now)
        mine, named = alert_of(store, one).id, alert_of(store, other).id
        if state != "open":
            queue.take(store, settings, "ben", now, named)
        if state == "asleep":
            queue.snooze(store, settings, "ben", now, named, now + timedelta(hours=1), "later")
        if state in ("decided", "closed"):
            said = (Decision.WATCH, None, "later") if state == "decided" else (Decision.DISMISS, None, "satire")
            queue.decide(store, settings, "ben", now, named, *said)
        before = alert_of(store, other)
        queue.take(store, settings, "maya", now, mine)
        row = acts.duplicate(store, settings, "maya", now + LATER, mine, named, "same leaflet")
        assert (row["state"], row["decision"], row["incident_id"]) == ("closed", "duplicate", other), state
        with store.read() as connection:
            assert alert_store.get(connection, named) == before, state
        assert history(store, f"alert:{mine}")[-1][1:] == (
            "alert.duplicate",
            {"duplicate_of": named, "reason": "same leaflet"},
        )
        assert len(acts.show(store, one)["items"]) == 3
        assert dispatch(store, settings, now + LATER).counts["opened"] == 0, state


def test_a_duplicate_of_a_duplicate_goes_where_that_went(store: Store, settings: Settings, now: datetime) -> None:
    """Of several each by itself: those that nobody holds are taken, what somebody else holds is refused."""
    one, other = two(store, settings, now)
    more = [add_incident(store, now) for _ in range(3)]
    dispatch(store, settings, now)
    ids = [alert_of(store, incident).id for incident in (one, other, *more)]
    queue.take(store, settings, "ben", now, ids[3])
    outcomes = acts.duplicate_many(store, settings, "maya", now, [ids[0], ids[1], ids[0]], ids[2])
    assert [each.refusal for each in outcomes] == [None, None]
    outcomes = acts.duplicate_many(store, settings, "maya", now, [ids[3], ids[4], ids[2]], ids[0])
    assert [each.refusal and each.refusal.reason for each in outcomes] == ["held", None, "same"]
    with store.read() as connection:
        found = [alert_store.get(connection, id) for id in ids]
    assert [alert.incident_id for alert in found] == [more[0], more[0], more[0], more[1], more[0]]
    assert [alert.state for alert in found] == ["closed", "closed", "open", "leased", "closed"]
    assert history(store, f"alert:{ids[4]}")[-1][2]["duplicate_of"] == ids[2]


def test_a_duplicate_is_refused(store: Store, settings: Settings, now: datetime) -> None:
    """Without a lease, while a second person is asked for, of itself, and of what is not there: nothing changes."""
    one, other = two(store, settings, now)
    mine, named = alert_of(store, one).id, alert_of(store, other).id

    def refused(reviewer: str, of: int) -> str:
        with pytest.raises(RefusedError) as caught:
            acts.duplicate(store, settings, reviewer, now, mine, of)
        return caught.value.reason

    assert refused("maya", named) == "not-held"
    queue.take(store, settings, "ben", now, mine)
    assert (refused("maya", named), refused("ben", mine)) == ("not-holder", "same")
    for of in (mine, named):
        with pytest.raises(NotFoundError):
            acts.duplicate_many(store, settings, "ben", now, [of], 99)
    queue.decide(store, settings, "ben", now, mine, Decision.CLARIFY, Verdict.FALSE, "名單仍有她")
    queue.take(store, settings, "maya", now, mine)
    assert refused("maya", named) == "second-review"
    assert len(acts.listing(store)) == 2


def test_what_a_silence_hid_is_not_counted_as_hidden_once_it_is_closed(
    store: Store, settings: Settings, now: datetime
) -> None:
    """The silence lets go of the alert that a merge closes, and says so from then on."""
    one, other = two(store, settings, now)
    matchers = SilenceMatchers.read([f"incident={one}"])
    assert silences.add(store, settings, matchers, "maya", "later", now, now + timedelta(hours=4))["hides"] == 1
    acts.merge(store, settings, "maya", now + LATER, one, other, "the same recording")
    with store.read() as connection:
        assert connection.scalars(select(hidden.c.ended_at)).all() == [now + LATER]
    assert silences.listing(store, now + LATER)[0]["hides"] == 0


def test_a_chain_of_merges_leads_to_the_end(store: Store, settings: Settings, now: datetime) -> None:
    """Every earlier id leads to where the items are; an incident is not merged with itself."""
    one, other = two(store, settings, now)
    third = add_incident(store, now, outlets=["Fourth"])
    acts.merge(store, settings, "maya", now, one, other, "same")
    found = acts.merge(store, settings, "maya", now, one, third, "same")
    assert (found["id"], len(found["items"]), found["merged_from"]) == (third, 4, [one, other])
    assert [entry["subject"] for entry in found["history"]] == [f"incident:{one}", f"incident:{other}"]
    with pytest.raises(UnfitActError, match="one incident already"):
        acts.merge(store, settings, "maya", now, other, one, "again")
    with pytest.raises(NotFoundError, match="incidents list"):
        acts.merge(store, settings, "maya", now, 99, one, "nothing")


def test_what_is_held_or_decided_is_kept(store: Store, settings: Settings, now: datetime) -> None:
    """Though it is the alert of the incident that goes: nobody's work is closed under their hands."""
    one, other = two(store, settings, now)
    held = alert_of(store, one).id
    queue.take(store, settings, "ben", now, held)
    acts.merge(store, settings, "maya", now, one, other, "same")
    (row,) = queue.listing(store)
    assert (row["id"], row["incident_id"], row["holder"]) == (held, other, "ben")
    third = add_incident(store, now)
    dispatch(store, settings, now)
    queue.decide(store, settings, "ben", now, held, Decision.CLARIFY, Verdict.PARTLY_FALSE, "名單仍有她")
    found = acts.merge(store, settings, "maya", now, other, third, "same")
    assert found["clarification_id"] is None
    drafted = clarifications.draft(store, settings, "ben", now, held)["id"]
    with store.read() as connection:
        assert incident_list.get(connection, third)["clarification_id"] == drafted
    assert [alert["id"] for alert in found["alerts"] if alert["state"] == "decided"] == [held]
    assert queue.listing(store) == []


def test_two_holders_are_a_refusal_and_nothing_changes(store: Store, settings: Settings, now: datetime) -> None:
    """Each works on one: nobody decides for them which. A lease that is over holds nothing."""
    one, other = two(store, settings, now)
    queue.take(store, settings, "ben", now, alert_of(store, one).id)
    queue.take(store, settings, "wing", now, alert_of(store, other).id)
    before = history(store, f"incident:{one}")
    with pytest.raises(RefusedError, match=r"held by wing and alert \d by ben"):
        acts.merge(store, settings, "maya", now, one, other, "same")
    assert len(acts.listing(store)) == 2
    assert history(store, f"incident:{one}") == before
    acts.merge(store, settings, "maya", now + timedelta(hours=1), one, other, "same")
    assert len(acts.listing(store)) == 1


ALERT = Alert(
    id=1,
    incident_id=1,
    state=AlertState.OPEN,
    priority=2,
    level=0,
    score=0.5,
    opened_at=datetime.fromisoformat("2027-03-01T04:30+00:00"),
    due_at=None,
    holder=None,
    lease_expires_at=None,
    route="desk",
    suppression=None,
    decided_at=None,
    decision=None,
    verdict=None,
)
HELD = replace(ALERT, state=AlertState.LEASED, holder="maya")
FALSE = replace(ALERT, state=AlertState.DECIDED, decision=Decision.CLARIFY, verdict=Verdict.PARTLY_FALSE)
SECOND = replace(ALERT, state=AlertState.SECOND_REVIEW, review=Review.SECOND)


@pytest.mark.parametrize(
    ("source", "target", "kept"),
    [
        (ALERT, ALERT, "target"),
        (HELD, ALERT, "source"),
        (ALERT, HELD, "target"),
        (HELD, HELD, "target"),
        (FALSE, HELD, "source"),  # maya merges, so it is her own that she closes
        (FALSE, FALSE, "target"),
        (SECOND, ALERT, "source"),
        (ALERT, replace(ALERT, state=AlertState.SNOOZED), "target"),
    ],
)
def test_the_one_further_on_is_kept(source: Alert, target: Alert, kept: str) -> None:
    """Decided before held before open; of equals that of the incident which stays."""
    source, target = replace(source, id=1), replace(target, id=2)
    keep, close = keep_and_close(source, target, "maya")
    assert (keep, close) == ((source, target) if kept == "source" else (target, source))


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        (FALSE, replace(HELD, holder="ben"), "held"),
        (HELD, replace(HELD, holder="ben"), "held"),
        (FALSE, replace(FALSE, verdict=Verdict.MISLEADING), "decided"),
        (FALSE, SECOND, "second-review"),
    ],
)
def test_whose_work_would_be_lost_is_a_reason_to_refuse(source: Alert, target: Alert, reason: str) -> None:
    """The word is for scripts, the sentence for people; the order makes no difference."""
    for pair in ((source, target), (target, source)):
        with pytest.raises(RefusedError) as refused:
            keep_and_close(*pair, "maya")
        assert refused.value.reason == reason


def test_one_incident_becomes_two(store: Store, settings: Settings, now: datetime) -> None:
    """The items that are named get an incident and an alert of their own; both go on to find copies."""
    text = "Ballot boxes from the hall in Heron Street were carried out at night by the fish market and counted twice"
    ids = fill(store, [Row(text, feed=feed, minute=feed) for feed in (1, 2, 3)])
    group(store, settings, now)
    dispatch(store, settings, now)
    found = acts.split(store, "maya", now, 1, ids[:2], "another station")
    assert [item["id"] for item in found["items"]] == ids[:2]
    assert [item["reason"] for item in found["items"]] == ["split", "split"]
    assert partition(store) == {frozenset(ids[:2]), frozenset(ids[2:])}
    assert dispatch(store, settings, now).counts["opened"] == 1
    with store.read() as connection:
        assert {member.incident_id for member in incidents.bearers(connection, [1, 2])} == {1, 2}
    assert history(store, "incident:1") == [
        ("maya", "incident.split", {"into": 2, "items": ids[:2], "reason": "another station"})
    ]
    assert group(store, settings, now).counts["left"] == 0


@pytest.mark.parametrize(("items", "words"), [((1, 2), "not all"), ((), "not all"), ((1, 7), "item 7 is not in")])
def test_a_split_leaves_something(store: Store, now: datetime, items: Sequence[int], words: str) -> None:
    """Nothing, everything, and what is not there are refused."""
    add_incident(store, now, outlets=["Harbour Daily", "翠灣時報"])
    with pytest.raises(UnfitActError, match=words):
        acts.split(store, "maya", now, 1, items, "why not")


@pytest.mark.parametrize(("name", "reason"), [("", "why"), ("clock", "why"), ("group", "why"), ("maya", " \u202e ")])
def test_who_and_why_are_asked(store: Store, settings: Settings, now: datetime, name: str, reason: str) -> None:
    """An act without a person or a reason is refused, and so is the name of the program."""
    one, other = two(store, settings, now)
    with pytest.raises(UnfitActError):
        acts.merge(store, settings, name, now, one, other, reason)
    assert len(acts.listing(store)) == 2


def test_relations_follow_a_merge(store: Store, settings: Settings, now: datetime) -> None:
    """What was related to the one is related to the other, once, and nothing to itself."""
    one, other = two(store, settings, now)
    third, fourth = add_incident(store, now, outlets=["A"]), add_incident(store, now, outlets=["B"])
    with store.write() as connection:
        for pair in ((one, other), (one, third), (fourth, one), (third, other)):
            row = {"incident_id": pair[0], "other_id": pair[1], "similarity": 0.25, "found_at": now}
            connection.execute(insert(related).values(**row))
    found = acts.merge(store, settings, "maya", now, one, other, "same")
    assert sorted(row["id"] for row in found["related"]) == [third, fourth]


def test_a_merge_that_fails_half_way_changes_nothing(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts, items and audit change together or not at all."""
    one, other = two(store, settings, now)
    monkeypatch.setattr(audit, "append", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        acts.merge(store, settings, "maya", now, one, other, "same")
    monkeypatch.undo()
    with store.read() as connection:
        placed = connection.execute(select(incident_items.c.item_id, incident_items.c.incident_id)).all()
        states = connection.scalars(select(alert_table.c.state)).all()
    assert sorted(map(tuple, placed)) == [(1, one), (2, other), (3, other)]
    assert states == ["open", "open"]


def test_decided_alerts_of_one_claim_keep_their_verdicts(store: Store, settings: Settings, now: datetime) -> None:
    """Two with one verdict: one is closed, and still has it."""
    one, other = two(store, settings, now)
    for incident_id in (one, other):
        id = alert_of(store, incident_id).id
        queue.take(store, settings, "ben", now, id)
        queue.decide(store, settings, "ben", now, id, Decision.CLARIFY, Verdict.PARTLY_FALSE, "名單仍有她")
    acts.merge(store, settings, "maya", now + LATER, one, other, "same")
    with store.read() as connection:
        found = alert_store.of_incident(connection, other)
    assert [(a.state, a.decision, a.verdict, a.decided_at) for a in found] == [
        ("closed", "clarify", "partly_false", now),
        ("decided", "clarify", "partly_false", now),
    ]
    assert [a.suppression for a in found] == ["duplicate", None]


def test_the_database_holds_one_live_alert(store: Store, settings: Settings, now: datetime) -> None:
    """A closed alert of either comes along and stands in nobody's way."""
    one, other = two(store, settings, now)
    with store.write() as connection:
        connection.execute(update(alert_table).where(alert_table.c.incident_id == one).values(state="closed"))
    found = acts.merge(store, settings, "maya", now, one, other, "same")
    assert [alert["state"] for alert in found["alerts"]] == ["closed", "open"]
