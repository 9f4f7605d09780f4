"""What reviewers wrote is found, a first opinion by nobody; and a tip takes the way of every item, with its mark."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import update

from alerts import digest, incidents, queue
from alerts.cli.queue import alerts as alerts_command
from alerts.dispatch import dispatch
from alerts.edition import edition
from classifiers.group import group
from monitor.cli.base import Context
from monitor.config import Settings
from monitor.search import index, search
from monitor.store import Store, audit
from monitor.store.alerts import subject
from monitor.store.schema import alerts
from monitor.tips import add_tip
from monitor.types import Decision, Lang, TextKind, Verdict
from tests.alerts.reviewing import FALSE, SECRET, Desk, two_alerts
from tests.alerts.rows import add_incident, assess


def test_notes_and_reasons_are_found(store: Store, settings: Settings, now: datetime) -> None:
    """In whatever script, with the alert and the incident they are about and its first item; withdrawn ones too."""
    two_alerts(store, settings, now)
    desk = Desk(store, settings, now)
    desk.give("岑", Decision.DISMISS, None, "not-false: 選舉事務署已公布名單")
    desk.act("undo", "岑")
    with store.write() as connection:
        audit.append(connection, now, "岑", "alert.note", subject(2), {"text": "Called the pier: 碼頭照常開放"})
    index(store, settings, now)
    (decision,) = search(store, "选举事务署 名单")
    assert (decision.kind, decision.alert_id, decision.item_id) == (TextKind.DECISION, 1, 1)
    assert (decision.title, decision.at, decision.outlet) == ("卓望晴今早突然退選？", now, "Harbour Daily")
    assert "選舉事務署已公布名單" in decision.excerpt
    (note,) = search(store, "called 码头")
    assert (note.kind, note.alert_id, note.item_id, note.title) == (TextKind.NOTE, 2, 2, "A pier is closed")
    assert [hit.kind for hit in search(store, "pier")] == [TextKind.NOTE, TextKind.ITEM]
    assert [hit.kind for hit in search(store, "pier", kind=TextKind.NOTE)] == [TextKind.NOTE]
    assert [hit.alert_id for hit in search(store, "pier", kind=TextKind.ITEM)] == [2]


def test_a_first_opinion_is_not_found_while_it_must_be_unknown(store: Store, settings: Settings, now: datetime) -> None:
    """Neither its reason nor a note, until the second is given; then both are."""
    two_alerts(store, settings, now)
    desk = Desk(store, settings, now)
    with store.write() as connection:
        audit.append(connection, now, "岑", "alert.note", subject(1), {"text": f"I say {SECRET}"})
    desk.give("岑", *FALSE)
    index(store, settings, now)
    assert desk.row()["review"] == "second"
    assert search(store, "secret") == []
    desk.give("貝", Decision.CLARIFY, Verdict.FALSE, "Second, secret too")
    index(store, settings, now)
    kinds = [hit.kind for hit in search(store, "secret")]
    assert sorted(kinds) == [TextKind.DECISION, TextKind.DECISION, TextKind.NOTE]


def test_a_hit_leads_to_the_alert_that_its_duplicate_went_to(store: Store, settings: Settings, now: datetime) -> None:
    """Though the duplicate is the newer alert of the incident; where only a duplicate is left, to that."""
    for title in ("卓望晴已經退選", "卓望晴宣布退選"):
        add_incident(store, now, title=title)
    dispatch(store, settings, now)
    index(store, settings, now)
    incidents.duplicate_many(store, settings, "maya", now, [2], 1, "")
    assert [hit.alert_id for hit in search(store, "卓望晴")] == [1, 1]
    with store.write() as connection:
        connection.execute(update(alerts).values(decision=Decision.DUPLICATE))
    assert [hit.alert_id for hit in search(store, "卓望晴")] == [2, 2]


def test_a_tip_becomes_an_alert_with_its_mark(store: Store, settings: Settings, now: datetime, folder: Path) -> None:
    """In the queue, for people and scripts, and in the digest."""
    tip = add_tip(store, settings, now, url=None, text="卓望晴已經退選", title=None, source="hotline")
    with store.write() as connection:
        assess(connection, now, tip.item_id, score=0.9)
    group(store, settings, now)
    dispatch(store, settings, now)
    (row,) = queue.listing(store, now=now)
    assert (row["tips"], row["outlets"], row["title"]) == (["hotline"], ["tip: hotline"], "卓望晴已經退選")
    runner, context = CliRunner(), Context(str(folder / "pollwatch.toml"))
    assert "[tip] 卓望晴已經退選" in runner.invoke(alerts_command, ["list"], obj=context).stdout
    assert json.loads(runner.invoke(alerts_command, ["list", "--json"], obj=context).stdout)["title"] == row["title"]
    today = digest.compose(store, settings, settings.calendar.local_date(now), now, end=now.replace(hour=6))
    mail = edition(settings, today, Lang.EN).text
    assert "tip: hotline" in mail
    assert "tips by hand | 1" in mail
