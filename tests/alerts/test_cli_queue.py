"""`alerts` and `audit` on the command line: promised keys, exit codes, safe output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from alerts.cli.audit import audit
from alerts.cli.queue import alerts
from alerts.dispatch import dispatch
from alerts.transitions import DismissReason
from monitor.cli.base import Context, now
from monitor.config import Settings
from monitor.errors import NotFoundError, RefusedError
from monitor.store import Store
from tests.alerts.rows import WITHDRAWN, add_incident, unlock_audit

HOSTILE = "卓望晴退選\x1b[2J\u202e [bold]Vivian[/bold]"


@pytest.fixture(autouse=True)
def _two_alerts(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    add_incident(store, now(), title=HOSTILE, findings=[WITHDRAWN], outlets=["Harbour Daily", "翠灣時報"])
    add_incident(store, now(), title="Ｐｅｒｒｙ Ｍａｎ quits", score=0.6, lang="en")
    dispatch(store, settings, now())
    monkeypatch.setenv("POLLWATCH_REVIEWER", "maya")


def _run(settings: Settings, group: click.Group, *words: str) -> Result:
    return CliRunner().invoke(group, words, obj=Context(settings.file))


def _json(settings: Settings, group: click.Group, *words: str) -> Any:
    result = _run(settings, group, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_list_as_table_and_as_json(settings: Settings) -> None:
    """The most urgent first; nothing in a title steers the terminal or the table."""
    result = _run(settings, alerts, "list")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "[bold]Vivian[/bold]" in result.stdout
    assert "+14m" in result.stdout
    assert "2/2" in result.stdout
    rows = [json.loads(line) for line in _run(settings, alerts, "list", "--json").stdout.splitlines()]
    assert [(row["id"], row["priority"], row["state"]) for row in rows] == [(1, "P1", "open"), (2, "P2", "open")]
    assert rows[0]["matches"] == ["cheuk-mong-ching"]
    assert rows[0]["due_at"].endswith("+00:00")


def test_list_filters(settings: Settings) -> None:
    """By state, priority and holder; decided ones only on demand."""
    _json(settings, alerts, "take", "2")
    _json(settings, alerts, "decide", "2", "--decision", "dismiss", "--reason", "not-false: 仍在名單")
    _json(settings, alerts, "take", "1", "--reviewer", "ben")

    def ids(*words: str) -> list[int]:
        return [json.loads(line)["id"] for line in _run(settings, alerts, "list", *words, "--json").stdout.splitlines()]

    assert ids() == [1]
    assert ids("--all") == [1, 2]
    assert ids("--state", "closed") == [2]
    assert ids("--mine") == []
    assert ids("--mine", "--reviewer", "ben") == [1]
    assert ids("--priority", "P2") == []
    empty = _run(settings, alerts, "list", "--state", "snoozed")
    assert (empty.stdout, empty.stderr) == ("", "no alert is snoozed\n")


def test_show_says_why_and_where(settings: Settings) -> None:
    """Reasons as sentences, findings with what they rest on, items with outlet, the history."""
    result = _run(settings, alerts, "show", "1")
    assert result.exit_code == 0
    for words in (
        "P1  level 0  open",
        "One step more urgent (firm-finding): a rule is firm about it (roster-status).",
        "rests on watchlist.toml: candidate cheuk-mong-ching",
        "翠灣時報 (media, asserts)",
        "http://harbour-daily.example/1",
        "dispatch  opened it as P1 for team desk-chinese",
    ):
        assert words in result.stdout
    assert "\x1b" not in result.stdout
    shown = _json(settings, alerts, "show", "1")
    assert len(shown["incident"]["items"]) == shown["items"] == 2


def test_take_renew_release_decide(settings: Settings) -> None:
    """The whole way of one alert, with and without --json."""
    taken = _run(settings, alerts, "take")
    assert "held by maya" in taken.stdout
    assert "yours until" in taken.stderr
    assert _json(settings, alerts, "renew", "1")["holder"] == "maya"
    assert "is yours until" in _run(settings, alerts, "renew", "1").stdout
    assert _run(settings, alerts, "release", "1").stdout == "alert 1 is open again\n"
    assert _json(settings, alerts, "take", "1")["state"] == "leased"
    decided = _run(settings, alerts, "decide", "1", "--decision", "clarify", "--verdict", "true", "--reason", "名單")
    assert decided.stdout == "alert 1 is decided: clarify, true\n"


def test_a_duplicate_is_one_of_another_alert(settings: Settings) -> None:
    """--of says of which, and goes with nothing else; its items are the other's; several are taken first."""
    duplicate = ("decide", "2", "--decision", "duplicate")
    for words in (duplicate, (*duplicate, "--of", "1", "--verdict", "satire"), (*duplicate[:3], "watch", "--of", "1")):
        assert _run(settings, alerts, *words).exit_code == 2
    assert isinstance(_run(settings, alerts, *duplicate, "--of", "1").exception, RefusedError)
    _json(settings, alerts, "take", "2")
    row = _json(settings, alerts, *duplicate, "--of", "1", "--reason", "same leaflet")
    assert (row["state"], row["decision"], row["incident_id"]) == ("closed", "duplicate", 1)
    assert _json(settings, alerts, "show", "1")["items"] == 3
    assert "closed it as a duplicate of alert 1: same leaflet" in _run(settings, alerts, "show", "2").stdout
    again = _run(settings, alerts, "decide", "1", "2", "--decision", "duplicate", "--of", "1")
    assert (again.exit_code, again.stderr.count("one incident already")) == (1, 2)


def test_a_lost_race_exits_1(settings: Settings) -> None:
    """The error goes to the root as RefusedError, which ends the process with 1."""
    _json(settings, alerts, "take", "1")
    lost = _run(settings, alerts, "take", "1", "--reviewer", "ben")
    assert isinstance(lost.exception, RefusedError)
    assert lost.exception.exit_code == 1
    unknown = _run(settings, alerts, "show", "99")
    assert isinstance(unknown.exception, NotFoundError)
    assert unknown.exception.exit_code == 2


def test_audit_list_and_verify(settings: Settings, store: Store) -> None:
    """Entries with the promised keys; a broken chain exits 1 and names the entry."""
    lines = [json.loads(line) for line in _run(settings, audit, "list", "--json").stdout.splitlines()]
    assert [entry["seq"] for entry in lines] == [1, 2]
    assert {"seq", "at", "actor", "action", "subject", "hash"} <= set(lines[0])
    assert _run(settings, audit, "list", "--since", "2099-01-01").stderr == "the audit has no entry yet\n"
    wrong = _run(settings, audit, "list", "--since", "yesterday")
    assert (wrong.exit_code, "not a time" in wrong.stderr) == (2, True)
    assert "alert.open" in _run(settings, audit, "list").stdout
    assert _run(settings, audit, "verify").stdout == f"2 entries, unbroken; head {lines[1]['hash']}\n"
    assert _json(settings, audit, "verify")["ok"] is True
    with store.write() as connection:
        unlock_audit(connection)
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = 2"))
    broken = _run(settings, audit, "verify")
    assert (broken.exit_code, broken.stdout) == (1, "entry 2 was changed after it was written\n")
    result = _run(settings, audit, "verify", "--json")
    assert (result.exit_code, json.loads(result.stdout)["broken"]["seq"]) == (1, 2)


@pytest.mark.parametrize("group", [alerts, audit])
def test_every_command_has_an_example_and_json(group: click.Group) -> None:
    """Help shows a real line to type; every command speaks JSON."""
    for name, command in group.commands.items():
        help_text = CliRunner().invoke(group, [name, "--help"]).output
        assert "Example:" in help_text, name
        assert f"pollwatch {group.name} {name}" in help_text
        assert "--json" in help_text, name
        assert command.callback is not None


def test_help_names_every_dismiss_reason() -> None:
    """The list in the help is the list that is accepted."""
    help_text = " ".join(CliRunner().invoke(alerts, ["decide", "--help"]).output.split())
    assert all(word in help_text for word in DismissReason)


def test_a_folder_without_store_is_told_so(tmp_path: Path) -> None:
    """No configuration: one sentence, never a traceback."""
    result = CliRunner().invoke(alerts, ["list"], obj=Context(str(tmp_path / "none.toml")))
    assert "no such file; run `pollwatch init`" in str(result.exception)
