"""`pollwatch triage --plain` and `--json`: the queue for those who see no screen."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from click.testing import CliRunner, Result

from alerts.cli import cli
from alerts.dispatch import dispatch
from monitor import language
from monitor.config import Settings
from monitor.invisible import INVISIBLE
from monitor.store import Store
from tests.alerts.rows import WITHDRAWN, add_incident


@pytest.fixture
def _queue(store: Store, settings: Settings, now: datetime) -> None:
    add_incident(store, now, findings=[WITHDRAWN], outlets=["Harbour Daily", "翠灣時報"])
    add_incident(store, now, title="\x1b[31mThe pier\u202e is [bold]closed", score=0.6, matches=[], lang="en")
    dispatch(store, settings, now)


def _run(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["-c", settings.file, "triage", "--reviewer", "maya", *arguments])


@pytest.mark.usefixtures("_queue")
def test_plain_is_a_sentence_for_each_alert(settings: Settings) -> None:
    """No colour, no boxes, no columns; what strangers wrote steers nothing."""
    lines = _run(settings, "--plain").stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("P1; alert 1; due ")
    assert lines[0].endswith("candidate fact; Vivian Cheuk; outlets 2, items 2; 繁: 卓望晴今早突然退選？")
    assert lines[1].endswith(": [31mThe pier is [bold]closed")
    assert not INVISIBLE.search("".join(lines))
    assert _run(settings, "--plain", "--limit", "1").stdout.splitlines() == lines[:1]


@pytest.mark.usefixtures("_queue")
def test_plain_speaks_both_languages(settings: Settings) -> None:
    """By option, or by the locale."""
    words = ["--language", "zh-Hant", "-c", settings.file, "triage", "--reviewer", "maya", "--plain"]
    first = CliRunner().invoke(cli, words).stdout.splitlines()[0]
    assert first.startswith("P1; 警示 1; 期限 ")
    assert "候選人事實; 卓望晴" in first
    assert language.used() == "zh-Hant"


@pytest.mark.usefixtures("_queue")
def test_json_is_that_of_alerts_list(settings: Settings) -> None:
    """One object for each alert, with the promised keys."""
    rows = [json.loads(line) for line in _run(settings, "--json").stdout.splitlines()]
    assert [row["id"] for row in rows] == [1, 2]
    assert rows[0]["priority"] == "P1"


def test_an_empty_queue_says_so(store: Store, settings: Settings) -> None:
    """On stderr: nothing is printed where rows would stand."""
    result = _run(settings, "--plain")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing waits for a person" in result.stderr


def test_without_a_terminal_it_says_what_to_do(store: Store, settings: Settings) -> None:
    """A full screen needs a terminal; nothing is drawn into a file."""
    result = _run(settings)
    assert result.exit_code == 2
    assert "--plain" in result.stderr
