"""One id follows an item through every stage, to the page that the public reads."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alerts import pipeline, queue
from alerts.notify import notify
from monitor.config import load_file
from monitor.store import Store, feeds, subjects
from monitor.types import Decision, Lang, Role, Verdict
from tests.alerts.clarifying import PUBLISHES, Desk, complete
from tests.alerts.rows import add_incident
from tests.alerts.telling import Tell
from tests.fakes import feed_server, item, rss
from tests.logged import logged

LURE = "Urgent: your vote is void unless you confirm your identity card and bank code at once on this link"


def _is_about(line: dict[str, Any], item_id: int) -> bool:
    return line.get("item") == item_id or item_id in line.get("items", ())


def test_an_item_is_found_in_the_lines_of_every_stage(
    folder: Path, store: Store, receivers: Tell, now: datetime
) -> None:
    """Collected, edited, assessed, grouped, queued, captured, told, decided, published: each line bears its id, and
    from when on there is one, those of its incident and its alert. A story that nobody flags is in none but `debug`.
    """
    receivers("desk", group_wait_s=0)
    file = folder / "pollwatch.toml"
    rest = '[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_gap_s = 0\n[evidence]\npages = false\n[triage]\n'
    file.write_text(PUBLISHES + rest + "second_review = false\nsamples_random = 0\nsamples_uncertain = 0\n")
    settings = load_file(file)
    clock = now
    with feed_server() as server, logged() as written:
        genuine = item("The ferry pier opens again on Monday", "Repairs took a week.", guid="pier", date="")
        url = server.put("/feed", rss(item(LURE, "Act now", guid="lure"), genuine))
        with store.write() as connection:
            feeds.add(connection, url, now, outlet="Harbour Daily", role=Role.MEDIA, lang=Lang.EN)
        pipeline.run_once(store, settings, lambda: clock)
        server.put("/feed", rss(item(f"{LURE} (updated)", "Act now or lose it", guid="lure"), genuine))
        clock = now + timedelta(hours=2)
        pipeline.run_once(store, settings, lambda: clock)
        (flagged,) = {line["item"] for line in written.lines("item.assess") if line["flagged"]}
        (alert,) = {line["alert"] for line in written.lines("alert.open")}
        desk = Desk(store, settings, clock)
        queue.take(store, settings, "maya", clock, alert)
        desk.decide(alert, Verdict.PARTLY_FALSE)
        id = desk.draft(alert)
        desk.edit(id, complete)
        desk.approve(id)
        assert desk.publish().written
        notify(store, settings, clock + timedelta(hours=1))
    of_item = [line for line in written.lines() if _is_about(line, flagged)]
    events = [line["event"] for line in of_item]
    wanted = ["item.collect", "item.assess", "item.group", "alert.open", "item.capture", "item.edit", "notice.send"]
    wanted += ["alert.take", "alert.decide", "clarification.draft", "clarification.approve", "clarification.publish"]
    assert set(wanted) <= set(events), set(wanted) - set(events)
    later = [line for line in of_item if line["event"].split(".")[0] in ("alert", "clarification", "notice")]
    (grouped,) = written.lines("item.group")
    assert {(line["alert"], line["incident"]) for line in later} == {(alert, grouped["incident"])}
    assert len({line["audit"] for line in later if "audit" in line}) == len([x for x in later if "audit" in x])
    quiet = [line for line in written.lines() if line["level"] != "debug" and line not in of_item]
    assert not [line for line in quiet if "item" in line or line.get("items")]
    for word in ("verdict", str(Decision.CLARIFY), str(Verdict.PARTLY_FALSE)):  # it may be the first of two opinions
        assert word not in written.getvalue().replace("clarification", "")


def test_an_incident_of_many_items_names_the_first_and_counts_the_rest(store: Store, now: datetime) -> None:
    """A flood of copies makes no line of a megabyte; subjects that are no alert have none of its keys."""
    add_incident(store, now, outlets=[f"Outlet {number}" for number in range(8)])
    with store.read() as connection:
        found = subjects.about(connection, ["incident:1", "incident:99", "model:seed-1", "alert:x"], 3)
    assert (len(found["incident:1"]["items"]), found["incident:1"]["items_in_all"]) == (3, 8)
    assert found["incident:99"] == {"incident": 99, "items": []}
    assert found["model:seed-1"] == found["alert:x"] == {}
