"""Second opinions, snoozes and what is taken back, on the command line."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerts.cli.audit import audit
from alerts.cli.queue import alerts
from alerts.dispatch import dispatch
from monitor.cli.base import Context, now
from monitor.config import Settings
from monitor.errors import RefusedError
from monitor.store import Store
from tests.alerts.rows import add_incident

FALSE = ("--decision", "clarify", "--verdict", "false", "--reason", "名單上仍有她\x1b[2J")


@pytest.fixture(autouse=True)
def _one_alert(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    add_incident(store, now())
    dispatch(store, settings, now())
    monkeypatch.setenv("POLLWATCH_REVIEWER", "maya")


def _run(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(alerts, words, obj=Context(settings.file))


def _said(settings: Settings, *words: str) -> str:
    result = _run(settings, *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def _json(settings: Settings, *words: str) -> Any:
    return json.loads(_said(settings, *words, "--json"))


def _refused(settings: Settings, *words: str) -> tuple[str, int]:
    error = _run(settings, *words).exception
    assert isinstance(error, RefusedError)
    return error.reason, error.exit_code


def test_the_audit_tells_a_first_opinion_only_afterwards(settings: Settings) -> None:
    """Until the second opinion is given `audit list` leaves out what was decided on that alert, and nothing else."""

    def listed(*words: str) -> str:
        result = CliRunner().invoke(audit, ["list", *words], obj=Context(settings.file))
        assert result.exit_code == 0, result.output
        return result.stdout

    _said(settings, "take", "1")
    _said(settings, "decide", "1", *FALSE)
    assert "alert.decide" in listed()
    assert "maya" in listed()
    assert "名單上仍有她" not in listed() + listed("--json")
    assert '"route"' in listed("--json"), "of the opening"
    _said(settings, "take", "1", "--reviewer", "ben")
    assert "名單上仍有她" not in listed() + listed("--json")
    _said(settings, "decide", "1", *FALSE, "--reviewer", "ben")
    assert listed("--json").count("名單上仍有她") == 2


def test_two_people_and_a_lead(settings: Settings) -> None:
    """The first opinion is hidden until the second is given; when they differ both are shown to the lead."""
    _said(settings, "take", "1")
    assert "waits for a second opinion" in _said(settings, "decide", "1", *FALSE)
    assert _refused(settings, "take", "1") == ("same-person", 1)
    shown = _said(settings, "take", "1", "--reviewer", "ben")
    assert "asks for a second opinion" in shown
    assert "maya  first opinion: not to be seen before the second opinion is given" in shown
    assert "名單上仍有她" not in shown + _said(settings, "show", "1") + _said(settings, "show", "1", "--json")
    assert _said(settings, "release", "1", "--reviewer", "ben") == "alert 1 is second_review again\n"
    (row,) = [json.loads(line) for line in _said(settings, "list", "--review", "second", "--json").splitlines()]
    assert (row["state"], row["review"], row["decision"]) == ("second_review", "second", None)
    _said(settings, "take", "1", "--reviewer", "ben")
    words = ("--decision", "watch", "--reason", "wait", "--reviewer", "ben")
    assert _said(settings, "decide", "1", *words) == "alert 1 goes to the lead (team lead): the two opinions differ\n"
    assert _run(settings, "list", "--review", "second").stderr == "no such alert waits for a person\n"
    shown = _said(settings, "take", "1", "--reviewer", "岑")
    assert "maya  first opinion: clarify, false: 名單上仍有她" in shown
    assert "ben  second opinion: watch: wait" in shown
    assert "\x1b" not in shown
    assert _said(settings, "decide", "1", *FALSE, "--reviewer", "岑") == "alert 1 is decided: clarify, false\n"
    (total, *_) = [json.loads(line) for line in _said(settings, "agreement", "--json").splitlines()]
    assert total == {"claim_type": None, "lang": None, "pairs": 1, "agreed": 0, "kappa": 0.0}
    assert "candidate-fact" in _said(settings, "agreement")
    assert _run(settings, "agreement", "--since", "2099-01-01").stderr == "no second opinion yet\n"


def test_snooze_and_wake(settings: Settings) -> None:
    """Out of the list until its time; a time that is past or no time at all is a wrong word."""
    until = (now() + timedelta(hours=3)).isoformat()
    assert _json(settings, "snooze", "1", "--until", until, "--reason", "later")["state"] == "snoozed"
    assert _run(settings, "list").stderr == "nothing waits for a person\n"
    assert "snoozed, until" in _said(settings, "show", "1")
    assert _refused(settings, "take", "1") == ("snoozed", 1)
    assert _said(settings, "wake", "1") == "alert 1 is back in the queue\n"
    assert _said(settings, "snooze", "1", "--until", until, "--reason", "later").startswith("alert 1 is snoozed until ")
    assert _json(settings, "wake", "1")["state"] == "open"
    assert _refused(settings, "wake", "1") == ("not-snoozed", 1)
    assert _refused(settings, "snooze", "1", "--until", "2020-01-01", "--reason", "past") == ("bad-time", 2)
    assert _refused(settings, "snooze", "1", "--until", until) == ("no-reason", 2)
    wrong = _run(settings, "snooze", "1", "--until", "tomorrow", "--reason", "later")
    assert (wrong.exit_code, "--until" in wrong.stderr) == (2, True)


def test_undo_send_back_and_reopen(settings: Settings) -> None:
    """Each says what the alert is now; a refusal ends with 1."""
    assert _refused(settings, "undo", "1") == ("nothing-to-undo", 1)
    _said(settings, "take", "1")
    _said(settings, "decide", "1", *FALSE)
    assert _said(settings, "undo", "1").startswith("alert 1 is leased again, yours until ")
    assert "withdrawn" in _said(settings, "show", "1")
    _said(settings, "decide", "1", *FALSE)
    assert _refused(settings, "undo", "1", "--reviewer", "ben") == ("not-yours", 1)
    assert _json(settings, "undo", "1")["holder"] == "maya"
    _said(settings, "decide", "1", *FALSE)
    _said(settings, "take", "1", "--reviewer", "ben")
    assert _refused(settings, "send-back", "1", "--reviewer", "ben") == ("no-reason", 2)
    back = ("send-back", "1", "--reason", "another speech", "--reviewer", "ben")
    assert _said(settings, *back) == "alert 1 is open again; no opinion on it stands\n"
    _said(settings, "take", "1")
    _said(settings, "decide", "1", "--decision", "dismiss", "--reason", "satire")
    assert _refused(settings, "reopen", "1") == ("no-reason", 2)
    assert _json(settings, "reopen", "1", "--reason", "it changed")["state"] == "open"
    assert _refused(settings, "reopen", "1", "--reason", "again") == ("not-decided", 1)
