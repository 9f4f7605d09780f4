"""A claim that is clarified already stays quiet, for as long as it says no more than that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event, insert, update

from alerts import queue
from alerts.dispatch import dispatch
from monitor.config import Settings
from monitor.store import Store, audit, inhibitions
from monitor.store import alerts as alert_store
from monitor.store.schema import alerts as alert_table
from monitor.store.schema import feeds, items, revisions
from monitor.types import AlertState, Decision, Finding, Said, Verdict
from tests.alerts.rows import QUIET, WITHDRAWN, add_incident, add_item, assess

EN = (
    "Vivian Cheuk secretly withdrew from the race on Tuesday night after a phone call from the harbour police, "
    "says a leaked letter that neighbours passed on"
)
EN_AGAIN = (
    "A leaked letter that neighbours passed on says Vivian Cheuk secretly withdrew from the race on Tuesday night, "
    "after a phone call from the harbour police"
)
HANT = "街坊轉發的密函稱卓望晴接到水警來電後已於星期二晚上秘密退出翠灣北選舉，名單將不再列出其姓名"
HANT_AGAIN = "街坊轉發密函，稱卓望晴接到水警來電，已於星期二晚上秘密退出翠灣北選舉，名單將不再列出其姓名"
HANS_AGAIN = "街坊转发密函，称卓望晴接到水警来电，已于星期二晚上秘密退出翠湾北选举，名单将不再列出其姓名"
HANS = "街坊转发的密函称卓望晴接到水警来电后已于星期二晚上秘密退出翠湾北选举，名单将不再列出其姓名"
OTHER = "Turnout at Lantern Hill stood at a third by noon, and queues were short all morning near the ferry pier"

DAY = timedelta(days=1)


def _incident(store: Store, now: datetime, title: str, lang: str = "en", **more: Any) -> int:
    return add_incident(store, now, title=title, lang=lang, **more)


def _clarified(
    store: Store, settings: Settings, now: datetime, title: str, lang: str = "en", verdict: Verdict = Verdict.FALSE
) -> int:
    """An alert that a reviewer has clarified; returns its id."""
    _incident(store, now, title, lang)
    dispatch(store, settings, now)
    alert_id = int(queue.take(store, settings, "maya", now)["id"])
    _decide(store, settings, now, alert_id, verdict)
    return alert_id


def _decide(store: Store, settings: Settings, now: datetime, alert_id: int, verdict: Verdict) -> None:
    """What maya holds is clarified; a verdict that needs a second opinion gets one that agrees."""
    row = queue.decide(store, settings, "maya", now, alert_id, Decision.CLARIFY, verdict, "the roster has her")
    if row["state"] == AlertState.SECOND_REVIEW:
        queue.take(store, settings, "岑", now, alert_id)
        queue.decide(store, settings, "岑", now, alert_id, Decision.CLARIFY, verdict, "the roster has her")


def _inhibited(store: Store, now: datetime) -> list[tuple[int, int]]:
    rows = queue.listing(store, now=now, suppressed=True)
    return [(row["id"], row["inhibited_by"]) for row in rows if row["suppression"] == "inhibited"]


def _grow(store: Store, now: datetime, incident: int, titles: Sequence[str], **assessed: Any) -> None:
    """More items of an incident, each of an outlet of its own."""
    with store.write() as connection:
        for number, title in enumerate(titles):
            item_id = add_item(connection, now, incident, f"Outlet {number} {now:%d}", title, "en")
            assess(connection, now, item_id, score=0.7, **assessed)


def _last(store: Store, alert_id: int) -> tuple[str, str]:
    with store.read() as connection:
        assert audit.verify(connection) is None
        entry = audit.listing(connection, subject=alert_store.subject(alert_id))[-1]
    return entry["action"], entry["detail"].get("reason", "")


@pytest.mark.parametrize(
    ("ruled", "ruled_lang", "repeated", "lang"),
    [
        (EN, "en", EN_AGAIN, "en"),
        (HANT, "zh-Hant", HANT_AGAIN, "zh-Hant"),
        (HANS, "zh-Hans", HANS_AGAIN, "zh-Hans"),
        (HANT, "zh-Hant", HANS_AGAIN, "zh-Hans"),
        (HANS, "zh-Hans", HANT_AGAIN, "zh-Hant"),
    ],
)
def test_a_clarified_claim_inhibits_its_repeat(
    store: Store, settings: Settings, now: datetime, ruled: str, ruled_lang: str, repeated: str, lang: str
) -> None:
    """In other words and in the other script: hidden, linked, counted, shown under the clarification; only once."""
    ruling = _clarified(store, settings, now, ruled, ruled_lang)
    _incident(store, now + DAY, repeated, lang)
    later = now + DAY
    assert dispatch(store, settings, later).counts == {"opened": 1, "raised": 0, **QUIET, "inhibited": 1}
    assert dispatch(store, settings, later).counts == {"opened": 0, "raised": 0, **QUIET}
    assert queue.listing(store, now=later) == []
    ((repeat, by),) = _inhibited(store, later)
    assert by == ruling
    (shown,) = queue.show(store, ruling, later)["inhibits"]
    assert (shown["id"], shown["title"]) == (repeat, repeated)
    assert _last(store, repeat) == ("alert.suppress", f"alert {ruling} decided the same claim: false")


@pytest.mark.parametrize(
    ("title", "more"),
    [
        (OTHER, {}),
        (EN_AGAIN, {"matches": ["man-pui-lam"]}),
        (EN_AGAIN, {"matches": ["cheuk-mong-ching", "man-pui-lam"]}),
        (EN_AGAIN, {"matches": []}),
        (EN_AGAIN, {"findings": [WITHDRAWN]}),
        ("Vivian Cheuk withdrew", {}),
    ],
)
def test_another_claim_is_not_inhibited(
    store: Store, settings: Settings, now: datetime, title: str, more: dict[str, Any]
) -> None:
    """Other words, another name, one name more or fewer, a new finding, or too short a text to be sure."""
    _clarified(store, settings, now, EN)
    _incident(store, now, title, **more)
    assert dispatch(store, settings, now).counts["inhibited"] == 0
    assert len(queue.listing(store, now=now)) == 1


@pytest.mark.parametrize("verdict", [Verdict.TRUE, Verdict.UNPROVEN, Verdict.OPINION])
def test_only_what_was_found_false_inhibits(store: Store, settings: Settings, now: datetime, verdict: Verdict) -> None:
    """A claim found true or unproven may come again."""
    _clarified(store, settings, now, EN, verdict=verdict)
    _incident(store, now, EN_AGAIN)
    assert dispatch(store, settings, now).counts["inhibited"] == 0


def test_an_old_ruling_inhibits_nothing_new(store: Store, settings: Settings, now: datetime) -> None:
    """After thirty days somebody looks again; what it inhibited before stays as it is."""
    _clarified(store, settings, now, EN)
    _incident(store, now, EN_AGAIN)
    dispatch(store, settings, now)
    late = now + 31 * DAY
    _incident(store, late, EN_AGAIN + " again")
    assert dispatch(store, settings, late).counts == {"opened": 1, "raised": 0, **QUIET}
    assert len(_inhibited(store, late)) == 1


def test_an_alert_that_waits_is_inhibited_by_a_later_ruling(store: Store, settings: Settings, now: datetime) -> None:
    """What is held stays with its holder."""
    for _ in range(3):
        _incident(store, now, EN_AGAIN)
    dispatch(store, settings, now)
    queue.take(store, settings, "ben", now, 1)
    queue.take(store, settings, "maya", now, 2)
    _decide(store, settings, now, 2, Verdict.MISLEADING)
    assert dispatch(store, settings, now).counts["inhibited"] == 1
    assert _inhibited(store, now) == [(3, 2)]
    assert [row["holder"] for row in queue.listing(store, now=now)] == ["ben"]


def test_a_text_that_moves_away_comes_back(store: Store, settings: Settings, now: datetime) -> None:
    """By a new item with another claim, or an edit; it says why, its clock runs anew, and it is not inhibited again."""
    _clarified(store, settings, now, EN)
    grown = _incident(store, now, EN_AGAIN)
    _incident(store, now, EN_AGAIN + ".")
    dispatch(store, settings, now)
    assert len(_inhibited(store, now)) == 2
    _grow(store, now + DAY, grown, [OTHER])
    with store.write() as connection:
        connection.execute(
            update(items)
            .where(items.c.title == EN_AGAIN + ".")
            .values(title=OTHER, summary=OTHER, revision=1, edited_at=now + DAY)
        )
    assert dispatch(store, settings, now + DAY).counts["heard"] == 2
    for row in queue.listing(store, now=now + DAY):
        assert (row["suppression"], row["inhibited_by"]) == (None, None)
        assert row["due_at"] == now + DAY + timedelta(minutes=15)
        assert row["priority_reasons"][-1].startswith("Back in the queue: its text moved away from the claim that")
        assert _last(store, row["id"])[0] == "alert.reopen"
    assert dispatch(store, settings, now + 2 * DAY).counts == {"opened": 0, "raised": 0, **QUIET}


NEW_FACT = replace(
    WITHDRAWN, rule="facts-hours", rests_on="facts.toml: polling.closes", said=Said("Polls close at 22:30.")
)


@pytest.mark.parametrize(
    ("titles", "assessed", "reason"),
    [
        ([EN_AGAIN] * 2, {}, "it spread from 1 to 4 items since it was inhibited by alert 1"),
        ([EN_AGAIN], {"matches": ["cheuk-mong-ching", "man-pui-lam"]}, "it names cheuk-mong-ching and man-pui-lam,"),
        ([EN_AGAIN], {"findings": [NEW_FACT]}, "a rule found in it what the claim that alert 1 decided did not say"),
    ],
)
def test_what_spreads_or_says_more_comes_back(
    store: Store, settings: Settings, now: datetime, titles: list[str], assessed: dict[str, list[Finding]], reason: str
) -> None:
    """Three times the items or outlets, another name, a new finding: each in words."""
    _clarified(store, settings, now, EN)
    incident = _incident(store, now, EN_AGAIN)
    dispatch(store, settings, now)
    _grow(store, now + DAY, incident, [EN_AGAIN])
    assert dispatch(store, settings, now + DAY).counts["heard"] == 0, "one more is no spread"
    _grow(store, now + 2 * DAY, incident, titles, **assessed)
    assert dispatch(store, settings, now + 2 * DAY).counts["heard"] == 1
    action, words = _last(store, 2)
    assert action == "alert.reopen"
    assert reason in words


def test_a_ruling_taken_back_gives_back(store: Store, settings: Settings, now: datetime) -> None:
    """At once, before any stage has written it; then with an entry."""
    ruling = _clarified(store, settings, now, EN)
    _incident(store, now, EN_AGAIN)
    dispatch(store, settings, now)
    with store.write() as connection:  # as an undo does
        back = {"state": "open", "decision": None, "verdict": None, "decided_at": None}
        connection.execute(update(alert_table).where(alert_table.c.id == ruling).values(**back))
    assert len(queue.listing(store, now=now)) == 2
    assert dispatch(store, settings, now).counts["heard"] == 1
    assert _last(store, 2) == ("alert.reopen", f"what alert {ruling} decided does not stand any more")


def test_the_claim_is_what_it_was_when_it_was_decided(store: Store, settings: Settings, now: datetime) -> None:
    """What the decided item says after an edit, and what joins it later, no reviewer has ruled on."""
    _clarified(store, settings, now, EN)
    later = now + DAY
    with store.write() as connection:
        old = {"item_id": 1, "revision": 0, "title": EN, "summary": EN, "seen_at": now, "replaced_at": later}
        connection.execute(insert(revisions).values(**old))
        connection.execute(update(items).values(title=OTHER, summary=OTHER, revision=1, edited_at=later))
    _grow(store, later, 1, [OTHER])
    _incident(store, later, OTHER)
    _incident(store, later, EN_AGAIN)
    dispatch(store, settings, later)
    assert [row["title"] for row in queue.listing(store, now=later)] == [OTHER]
    assert _inhibited(store, later) == [(3, 1)]


def test_an_official_answer_is_linked_and_inhibits_nothing(store: Store, settings: Settings, now: datetime) -> None:
    """An official item that refutes is shown with the alerts that it may answer, older or newer; a person decides."""
    _incident(store, now, EN_AGAIN)
    dispatch(store, settings, now)
    title = f"The electoral office clarifies: {EN_AGAIN} is untrue"
    with store.write() as connection:
        row = {"url": "http://eso.example/rss", "outlet": "Electoral Office", "role": "official", "added_at": now}
        connection.execute(insert(feeds).values(**row))
        feed_id = connection.scalar(feeds.select().where(feeds.c.role == "official"))
        values = {"feed_id": feed_id, "key": "k", "title": title, "summary": title, "lang": "en"}
        connection.execute(insert(items).values(**values, first_seen_at=now, link="http://eso.example/1"))
        assess(connection, now, 2, score=0.1)
        connection.exec_driver_sql("UPDATE assessments SET stance = 'refutes', flagged = (1 = 0) WHERE item_id = 2")
    dispatch(store, settings, now)
    _incident(store, now, EN)
    dispatch(store, settings, now)
    for alert_id in (1, 2):
        (answer,) = queue.show(store, alert_id, now)["answers"]
        assert (answer["outlet"], answer["role"], answer["title"]) == ("Electoral Office", "official", title)
    assert len(queue.listing(store, now=now)) == 2
    assert dispatch(store, settings, now).counts == {"opened": 0, "raised": 0, **QUIET}


def test_few_alerts_are_compared_in_one_pass(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of them costs no pass more than its share, and each has its turn."""
    monkeypatch.setattr("alerts.inhibition.LOOKS", 2)
    _clarified(store, settings, now, EN)
    for _ in range(5):
        _incident(store, now, EN_AGAIN)
    found = [dispatch(store, settings, now).counts["inhibited"] for _ in range(4)]
    assert found == [2, 2, 1, 0]
    with store.read() as connection:
        assert inhibitions.waiting(connection, inhibitions.latest(connection), 9) == []


def test_stopped_anywhere_and_run_again_it_is_the_same(store: Store, settings: Settings, now: datetime) -> None:
    """Broken off before every statement in turn: never half an act, and in the end one entry for each."""
    _clarified(store, settings, now, EN)
    stays, moves = _incident(store, now, EN_AGAIN), _incident(store, now, EN_AGAIN + ".")
    dispatch(store, settings, now)
    later = now + DAY
    _incident(store, later, EN)
    _grow(store, later, moves, [OTHER])
    for statement in range(1, 200):
        counter = count(1)

        def stop(*_arguments: object, last: int = statement, numbers: Iterator[int] = counter) -> None:
            if next(numbers) == last:
                raise KeyboardInterrupt

        event.listen(store.engine, "before_cursor_execute", stop)
        try:
            dispatch(store, settings, later)
            break
        except KeyboardInterrupt:
            pass
        finally:
            event.remove(store.engine, "before_cursor_execute", stop)
    assert statement > 30, "it was stopped at too few places for this test to mean anything"
    assert [by for _, by in _inhibited(store, later)] == [1, 1]
    assert dispatch(store, settings, later).counts == {"opened": 0, "raised": 0, **QUIET}
    with store.read() as connection:
        assert audit.verify(connection) is None
        done = [(entry["subject"], entry["action"]) for entry in audit.listing(connection, since=later)]
        (new,) = {subject for subject, action in done if action == "alert.open"}  # killed transactions use numbers up
        assert sorted(done) == sorted([("alert:3", "alert.reopen"), (new, "alert.open"), (new, "alert.suppress")])
        ids = [2, int(new.removeprefix("alert:"))]
        assert {alert.incident_id for alert in alert_store.by_id(connection, ids)} == {stays, 4}
