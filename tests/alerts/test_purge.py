"""`[retention]` and `db purge`: nothing is kept longer than it says, and nothing else is lost."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import event, func, insert, select, update

from alerts import queue
from alerts.cli import cli
from alerts.dispatch import dispatch
from monitor import purge as stage
from monitor.config import Settings
from monitor.keep import keep
from monitor.parse import parse
from monitor.purge import Outcome, is_due, limits_at, outcome_of, purge
from monitor.store import Store, audit, feeds, items, outbox, purging, runs, schema
from monitor.types import AlertState, Decision, Role, Verdict
from tests.alerts.rows import add_incident
from tests.fakes import item, rss
from tests.filling import contents, fill

DAY = timedelta(days=1)
NOTHING = {"quiet": 0, "dismissed": 0, "decided": 0, "listed": 0, "messages": 0, "evidence": 0}


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "PAUSE_S", 0)


def _collect(store: Store, now: datetime, *stories: str, role: Role = Role.MEDIA) -> list[int]:
    """A document of a feed; returns the ids of all items there are."""
    with store.write() as connection:
        feed = feeds.add(connection, f"https://{role}.example/rss", now, role=role)[0]
        keep(connection, [(feed.id, parse(rss(*stories).encode(), feed.url))], now)
        feeds.record_success(connection, feed.id, now, now)
        return [each.id for each in items.listing(connection)]


def _ids(store: Store) -> set[int]:
    with store.read() as connection:
        return set(connection.scalars(select(schema.items.c.id)))


def _decide(store: Store, settings: Settings, now: datetime, decision: Decision, verdict: Verdict | None = None) -> int:
    """An alert of its own that was decided; returns the incident."""
    incident = add_incident(store, now, title=f"卓望晴退選 {decision}", claim_type=None, matches=())
    dispatch(store, settings, now)
    with store.read() as connection:
        alert = connection.scalar(select(schema.alerts.c.id).where(schema.alerts.c.incident_id == incident))
    queue.take(store, settings, "maya", now, alert)
    queue.decide(store, settings, "maya", now, alert, decision, verdict, "opinion: 名單")
    return incident


@pytest.mark.parametrize(
    ("alerts", "outcome"),
    [
        ((), Outcome.QUIET),
        (((AlertState.OPEN, None),), None),
        (((AlertState.CLOSED, Decision.DISMISS), (AlertState.SNOOZED, None)), None),
        (((AlertState.SECOND_REVIEW, None),), None),
        (((AlertState.DECIDED, Decision.DISMISS), (AlertState.CLOSED, None)), Outcome.DISMISSED),
        (((AlertState.CLOSED, Decision.DUPLICATE),), Outcome.DISMISSED),
        (((AlertState.DECIDED, Decision.WATCH), (AlertState.DECIDED, Decision.DISMISS)), Outcome.DECIDED),
        (((AlertState.CLOSED, Decision.CLARIFY),), Outcome.DECIDED),
    ],
)
def test_what_became_of_an_incident(alerts: tuple[tuple[str, str | None], ...], outcome: Outcome | None) -> None:
    """By all its alerts; while one waits it is not over."""
    assert outcome_of(alerts) is outcome


def test_each_outcome_has_its_time(settings: Settings, now: datetime) -> None:
    """As shipped: three months, a year, and for good."""
    expected = {Outcome.QUIET: now - 90 * DAY, Outcome.DISMISSED: now - 365 * DAY, Outcome.DECIDED: None}
    assert limits_at(settings, now) == expected


def test_old_items_go_and_what_is_still_listed_does_not_come_back(
    store: Store, settings: Settings, now: datetime
) -> None:
    """With their earlier texts; an entry that its feed still lists would be found as new by the next pass."""
    a, b, c = (item(f"投票站 {name}", "今早開放。", guid=name) for name in "abc")
    _collect(store, now, a, b)
    _collect(store, now + DAY, item("投票站 a", "改正：今早關閉。", guid="a"), b)
    first, second, third = sorted(_collect(store, now + 91 * DAY, b, c))
    assert purge(store, settings, now + 89 * DAY).counts == NOTHING
    expected = {**NOTHING, "quiet": 1, "listed": 1}
    assert purge(store, settings, now + 92 * DAY, dry_run=True).counts == expected
    assert _ids(store) == {first, second, third}
    assert purge(store, settings, now + 92 * DAY).counts == expected
    assert _ids(store) == {second, third}
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.revisions)) == 0
        entry = audit.listing(connection)[-1]
    assert (entry["actor"], entry["action"], entry["detail"]) == ("purge", "items.purge", {"quiet": 1})
    _collect(store, now + 93 * DAY, b, c)
    assert _ids(store) == {second, third}
    _collect(store, now + 94 * DAY, c)
    assert purge(store, settings, now + 95 * DAY).counts == {**NOTHING, "quiet": 1}


def test_a_feed_without_marks_keeps_what_it_may_still_list(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its newest items; one that is switched off lists nothing."""
    monkeypatch.setattr(purging, "LISTED", 2)
    stories = [item(f"題{n}", "文", guid=str(n)) for n in range(4)]
    _collect(store, now, *stories)
    with store.write() as connection:
        connection.execute(update(schema.marks).values(marks=b""))
    assert purge(store, settings, now + 100 * DAY).counts == {**NOTHING, "quiet": 2, "listed": 2}
    with store.write() as connection:
        connection.execute(update(schema.feeds).values(enabled=False))
    assert purge(store, settings, now + 100 * DAY).counts == {**NOTHING, "quiet": 1, "listed": 1}  # the newest of all


def test_official_answers_are_kept_as_long_as_decisions(
    store: Store, configure: Callable[[str], Settings], now: datetime
) -> None:
    """They are what claims are compared with."""
    (first,) = _collect(store, now, item("澄清：並非事實", "投票站照常開放。", guid="1"), role=Role.OFFICIAL)
    _collect(store, now, item("題", "文", guid="2"))
    _collect(store, now, item("題", "別的", guid="3"))
    with store.write() as connection:
        row = {"item_id": first, "revision": 0, "model_id": "seed-1", "label": "genuine", "score": 0.1}
        row |= {"flagged": False, "stance": "refutes", "matches": [], "findings": [], "reasons": [], "assessed_at": now}
        connection.execute(insert(schema.assessments).values(**row))
        connection.execute(update(schema.feeds).values(enabled=False))
    settings = configure("")
    assert purge(store, settings, now + 4000 * DAY).counts == {**NOTHING, "quiet": 1, "listed": 1}
    settings = configure("[retention]\ndecided_days = 400\n")
    assert purge(store, settings, now + 399 * DAY).counts == {**NOTHING, "listed": 1}
    assert purge(store, settings, now + 401 * DAY).counts == {**NOTHING, "decided": 1, "listed": 1}


def test_decided_incidents_stay_verifiable_without_their_texts(
    folder: Path, store: Store, configure: Callable[[str], Settings], now: datetime
) -> None:
    """The alert, the decision and the chain are there, and the audit has the hash of every text that was read."""
    settings = configure("[retention]\ndecided_days = 365\n")
    clarified = _decide(store, settings, now, Decision.CLARIFY, Verdict.UNPROVEN)
    _decide(store, settings, now, Decision.DISMISS, Verdict.OPINION)
    waiting = add_incident(store, now, title="等待處理")
    dispatch(store, settings, now)
    add_incident(store, now + 500 * DAY, title="今日的新聞")
    with store.write() as connection:
        text = items.get(connection, min(_ids(store))).text
        connection.execute(update(schema.feeds).values(enabled=False))
    assert purge(store, settings, now + 366 * DAY).counts == {**NOTHING, "dismissed": 1, "decided": 1}
    with store.read() as connection:
        assert audit.verify(connection) is None
        (entry,) = audit.listing(connection, subject=f"incident:{clarified}")
        titles = dict(iter(connection.execute(select(schema.incidents.c.id, schema.incidents.c.title))))
    assert entry["detail"]["items"][0]["text_sha256"] == [hashlib.sha256(text.encode()).hexdigest()]
    assert (titles[clarified], titles[waiting]) == ("", "等待處理")
    store.close()

    def run(*words: str) -> str:
        done = CliRunner().invoke(cli, ["-c", str(folder / "pollwatch.toml"), *words])
        assert done.exit_code == 0, (words, done.output)
        return done.stdout

    listed = [json.loads(line) for line in run("alerts", "list", "--state", "decided", "--json").splitlines()]
    assert {(row["incident_id"], row["decision"], row["items"], row["title"]) for row in listed} >= {
        (clarified, "clarify", 0, "")
    }
    shown = json.loads(run("alerts", "show", str(listed[0]["id"]), "--json"))
    assert shown["decisions"][0]["reason"] == "opinion: 名單"
    for words in (("audit", "verify"), ("audit", "export", str(folder / "x.zip")), ("digest",), ("clocks",)):
        run(*words)
    assert run("incidents", "show", str(clarified))
    run("alerts", "reopen", str(listed[0]["id"]), "--reason", "noch einmal", "--reviewer", "maya")
    assert dispatch(store, settings, now + 501 * DAY).counts["opened"] == 1  # of today's news alone
    _decide(store, settings, now + 501 * DAY, Decision.CLARIFY, Verdict.FALSE)
    dispatch(store, settings, now + 502 * DAY)  # compares the reopened one, which has no text, with this ruling


def test_an_incident_goes_as_a_whole_and_by_its_newest_item(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many items it has, a page at a time; the chain has each of them once."""
    monkeypatch.setattr(purging, "PAGE", 3)
    incident = add_incident(store, now, outlets=[f"Outlet {n}" for n in range(8)])
    add_incident(store, now + 900 * DAY, title="later")
    with store.write() as connection:
        connection.execute(update(schema.feeds).values(enabled=False))
        connection.execute(insert(schema.alerts).values(**_closed(incident, now)))
        connection.execute(schema.to_dispatch.delete())
        newest = update(schema.incidents).where(schema.incidents.c.id == incident)
        connection.execute(newest.values(last_seen_at=now + 10 * DAY))
    assert purge(store, settings, now + 370 * DAY).counts == NOTHING
    assert purge(store, settings, now + 376 * DAY).counts == {**NOTHING, "dismissed": 8}
    with store.read() as connection:
        entries = audit.listing(connection, subject=f"incident:{incident}")
    named = [row["item"] for entry in entries for row in entry["detail"]["items"]]
    assert ([len(entry["detail"]["items"]) for entry in entries], len(set(named))) == ([3, 3, 2], 8)


def _closed(incident: int, now: datetime) -> dict[str, object]:
    return {
        "incident_id": incident,
        "state": AlertState.CLOSED,
        "priority": 4,
        "priority_reasons": [],
        "score": 0.5,
        "route": "desk",
        "opened_at": now,
        "decision": Decision.DISMISS,
    }


def test_killed_at_any_moment_and_run_again_it_is_the_same(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never half an item; what was removed is in the audit."""
    monkeypatch.setattr(purging, "PAGE", 2)
    _collect(store, now, *(item(f"題{n}", "文", guid=str(n)) for n in range(5)))
    _decide(store, settings, now, Decision.DISMISS, Verdict.OPINION)
    kept = add_incident(store, now + 360 * DAY)
    dispatch(store, settings, now + 360 * DAY)
    with store.write() as connection:
        connection.execute(update(schema.feeds).values(enabled=False))
    later = now + 366 * DAY
    for statement in range(1, 400):
        numbers = count(1)

        def stop(*_arguments: object, last: int = statement, numbers: Iterator[int] = numbers) -> None:
            if next(numbers) == last:
                raise KeyboardInterrupt

        event.listen(store.engine, "before_cursor_execute", stop)
        try:
            purge(store, settings, later)
            break
        except KeyboardInterrupt:
            pass
        finally:
            event.remove(store.engine, "before_cursor_execute", stop)
    assert statement > 15
    with store.read() as connection:
        assert audit.verify(connection) is None
        assert set(connection.scalars(select(schema.incident_items.c.incident_id))) == {kept}
        purged = [entry for entry in audit.listing(connection) if entry["action"] == "incident.purge"]
        assert len(purged) == 1
        assert connection.scalar(select(func.count()).select_from(schema.assessments)) == 1
    assert len(_ids(store)) == 1


def test_no_number_is_given_twice(store: Store, settings: Settings, now: datetime) -> None:
    """The audit and the indexes name items by them, also when all of them were removed."""
    _collect(store, now, *(item(f"題{n}", "文", guid=str(n)) for n in range(4)))
    before = _ids(store)
    with store.write() as connection:
        connection.execute(update(schema.feeds).values(enabled=False))
    purge(store, settings, now + 100 * DAY)
    assert not before & (set(_collect(store, now, item("新", "文", guid="new"))) - {max(before)})


def test_others_write_between_its_pages(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A great many items hold up no collector."""
    monkeypatch.setattr(purging, "PAGE", 100)
    monkeypatch.setattr(stage, "PAUSE_S", 0.15)
    with store.write() as connection:
        feed = feeds.add(connection, "https://a.example/rss", now)[0]
        row = {"feed_id": feed.id, "title": "題", "summary": "文", "lang": "zh-Hant", "first_seen_at": now}
        connection.execute(insert(schema.items), [{**row, "key": str(number), "revision": 0} for number in range(2000)])
        feeds.set_enabled(connection, feed.id, enabled=False)
    thread = threading.Thread(target=purge, args=(store, settings, now + 100 * DAY))
    thread.start()
    written = 0
    while thread.is_alive():
        with store.write() as connection:
            audit.append(connection, now, "collect", "x", "y", {})
        written += 1
        thread.join(0.01)
    assert written > 10
    assert len(_ids(store)) == 1


def test_everything_that_points_to_an_item_goes_with_it(store: Store) -> None:
    """Whatever tables there will be; and no other row. Files of evidence that held some of it are noted."""
    with store.write() as connection:
        fill(connection)
        before = contents(connection)
        counts = purging.remove(connection, [1, 3])
        after = contents(connection)
    children = {
        table.name: key.parent.name
        for table in schema.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table is schema.items
    }
    assert {"assessments", "revisions", "incident_items", "signatures", "bands", "answers"} <= set(children)
    derived = {table.name for table in schema.metadata.sorted_tables if table.info.get("derived")}
    assert [row["item_id"] for row in after["texts"]] == [2]
    held = {row["file"] for row in before["captures"] if row["item_id"] != 2}
    before["warcs"] = [{**row, "loose": row["loose"] or row["file"] in held} for row in before["warcs"]]
    for table, rows in before.items():
        if table in derived:  # see monitor.store.texts.forget
            continue
        of_item = "id" if table == "items" else children.get(table)
        left = rows if of_item is None else [row for row in rows if row[of_item] == 2]
        assert after[table] == left, table
        assert counts.get(table, 0) == len(rows) - len(left)


def test_the_words_of_old_messages_go_and_that_they_were_sent_stays(
    store: Store, settings: Settings, now: datetime
) -> None:
    """What waits to be sent keeps its words, however old."""
    rows = [
        {"key": "sent", "sent_at": now, "dropped": None},
        {"key": "dropped", "sent_at": None, "dropped": "no such receiver"},
        {"key": "waits", "sent_at": None, "dropped": None},
        {"key": "young", "sent_at": now + 50 * DAY, "dropped": None},
    ]
    common = {"receiver": "desk", "message": b"words", "frozen_at": now, "attempts": 1, "next_try_at": now}
    digest = {"kind": "digest", "date": "2027-03-01", "receiver": "a@b.example", "message_id": "1", "message": b"words"}
    digest |= {"period_end": now, "queued_at": now, "attempts": 1, "sent_at": now}
    with store.write() as connection:
        connection.execute(insert(schema.outbox), [{**common, **row} for row in rows])
        connection.execute(insert(schema.notices), digest)
    assert purge(store, settings, now + 91 * DAY, dry_run=True).counts == {**NOTHING, "messages": 3}
    assert purge(store, settings, now + 91 * DAY).counts == {**NOTHING, "messages": 3}
    with store.read() as connection:
        left = dict(iter(connection.execute(select(schema.outbox.c.key, schema.outbox.c.message))))
        assert left == {"sent": b"", "dropped": b"", "waits": b"words", "young": b"words"}
        assert [message.key for message in outbox.unsent(connection)] == ["waits"]
        assert connection.execute(select(schema.notices.c.message, schema.notices.c.sent_at)).all() == [(b"", now)]


def test_it_is_due_once_a_day(store: Store, settings: Settings, now: datetime) -> None:
    """By the election's clock; and again when it failed."""
    assert is_due(store, settings, now)
    with store.write() as connection:
        runs.started(connection, "purge", now)
        runs.finished(connection, "purge", now, report={})
    assert not is_due(store, settings, now + timedelta(hours=11))
    assert is_due(store, settings, now + timedelta(hours=12))  # midnight in Hong Kong
    with store.write() as connection:
        runs.finished(connection, "purge", now + timedelta(hours=12), error="disk full")
    assert is_due(store, settings, now + timedelta(hours=13))


def test_the_command_counts_and_removes(folder: Path, store: Store, now: datetime) -> None:
    """A dry run says what it would do."""
    _collect(store, now - 3000 * DAY, item("題", "文", guid="1"))
    _collect(store, now - 3000 * DAY, item("題", "別的", guid="2"), item("新", "文", guid="3"))

    def run(*words: str) -> tuple[str, str]:
        done = CliRunner().invoke(cli, ["-c", str(folder / "pollwatch.toml"), "db", "purge", *words])
        assert done.exit_code == 0
        return done.stdout, done.stderr

    assert run("--dry-run") == (
        "items    1 quiet, 0 dismissed, 0 decided; 2 still listed\nmessages 0\n",
        "nothing was removed\n",
    )
    assert json.loads(run("--json")[0]) == {"dry_run": False, **NOTHING, "quiet": 1, "listed": 2}
