"""The commands for incidents: what they print, and what becomes of a hostile title."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from click.testing import CliRunner, Result

from alerts.cli.incidents import incidents as command
from alerts.cli.queue import alerts as alerts_command
from alerts.dispatch import dispatch
from monitor.cli.base import Context
from monitor.config import Settings
from monitor.errors import NotFoundError
from monitor.store import Store, relations
from tests.alerts.rows import add_incident


def run(settings: Settings, *words: str, group: Any = command) -> Result:
    """As typed, by maya."""
    return CliRunner(env={"POLLWATCH_REVIEWER": "maya"}).invoke(group, words, obj=Context(settings.file))


def test_the_commands(store: Store, settings: Settings, now: datetime) -> None:
    """The promised keys, one line for each; nothing of a feed steers the terminal; exit codes as promised."""
    hostile = "\x1b[31mVivian\u202e withdrawn"
    add_incident(store, now, title=hostile, outlets=["Harbour Daily"])
    add_incident(store, now, outlets=["翠灣時報"])
    dispatch(store, settings, now)
    rows = [json.loads(line) for line in run(settings, "list", "--json").stdout.splitlines()]
    promised = {"id", "title", "items", "first_seen_at", "last_seen_at", "outlets", "clarification_id"}
    assert [row["id"] for row in rows] == [2, 1]
    assert all(promised <= set(row) for row in rows)
    assert rows[0]["items"][0]["id"] == 2
    table, shown = run(settings, "list").stdout, run(settings, "show", "1").stdout
    for text in (table, shown):
        assert "Vivian" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert run(settings, "list", "--since", "2099-01-01").stdout == ""
    merged = run(settings, "merge", "1", "2", "--reason", "\x1b[2Jsame", "--json")
    assert promised <= set(json.loads(merged.stdout))
    again = run(settings, "show", "1")
    assert "incident 2, with 1" in again.stdout
    assert "\x1b" not in again.stdout
    split = run(settings, "split", "2", "1", "--reason", "not the same")
    assert "incident 3" in split.stdout
    assert run(settings, "merge", "3", "2").exit_code == 2
    missing = run(settings, "show", "9")
    assert isinstance(missing.exception, NotFoundError)


def test_an_alert_names_what_may_be_the_same_claim(store: Store, settings: Settings, now: datetime) -> None:
    """A suggestion is for the reviewer's eyes, in both directions."""
    one, other = add_incident(store, now, outlets=["Harbour Daily"]), add_incident(store, now, outlets=["翠灣時報"])
    dispatch(store, settings, now)
    with store.write() as connection:
        relations.relate(connection, other, [(one, 0.31)], now)
    for alert_id, seen in ((1, other), (2, one)):
        shown = run(settings, "show", str(alert_id), group=alerts_command)
        assert f"incident {seen}  0.31" in shown.stdout
