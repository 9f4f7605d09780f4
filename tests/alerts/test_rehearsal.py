"""`routes test`: who would get this, and when."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerts.cli import cli
from alerts.rehearsal import rehearse
from monitor.config import Settings
from monitor.errors import InputError
from tests.alerts.test_rota import EXAMPLE, POLLS


def _run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["-c", str(folder / "pollwatch.toml"), "routes", "test", *words])


def _steps(found: dict[str, Any], start: datetime) -> list[tuple[int, str, list[str], list[str]]]:
    return [((s["at"] - start) // timedelta(minutes=1), s["step"], s["teams"], s["people"]) for s in found["steps"]]


def test_the_whole_way_on_polling_day(configure: Callable[[str], Settings]) -> None:
    """Path, team, who is on shift, due times, and every step with its instant and those on shift at that instant."""
    settings = configure(POLLS)
    settings.path(settings.files.rota).write_text(EXAMPLE, encoding="utf-8")
    at = datetime(2027, 3, 7, 19, 52, tzinfo=settings.calendar.zone)
    found = rehearse(settings, ["claim_type=voting-procedure", "lang=en"], at)
    assert (found["priority"], found["phase"], found["teams"]) == ("P1", "polling-day", ["desk"])
    assert found["ways"] == [{"path": ["route"], "team": "desk"}]
    assert found["on_shift"] == {"desk": ["maya"]}
    due = [found[key] for key in ("take_due_at", "decide_due_at", "clarify_due_at")]
    assert [(each - at) // timedelta(minutes=1) for each in due] == [5, 30, 60]
    assert _steps(found, at) == [
        (5, "taken-1", ["desk"], ["maya"]),
        (10, "taken-2", ["desk", "lead"], ["ben", "ines", "lin"]),
        (30, "decided-1", ["lead"], ["lin"]),
    ]


def test_a_phase_that_begins_meanwhile(configure: Callable[[str], Settings]) -> None:
    """Opened at ten to midnight before polling day: from midnight on its policy holds, and what is late is due."""
    settings = configure(POLLS)
    at = datetime(2027, 3, 6, 23, 50, tzinfo=settings.calendar.zone)
    found = rehearse(settings, ["priority=P1"], at)
    assert [minute for minute, *_ in _steps(found, at)] == [10, 10, 30]
    assert found["phase"] == "before"


def test_a_candidate_brings_the_constituency(settings: Settings, now: datetime) -> None:
    """As when an alert is dispatched."""
    found = rehearse(settings, ["candidate=cheuk-mong-ching", "lang=zh-Hant,en"], now)
    assert found["traits"]["constituency"]
    assert found["traits"]["lang"] == ["en", "zh-Hant"]
    assert found["teams"] == ["desk-chinese"]
    assert found["priority"] == "P3"


@pytest.mark.parametrize(
    ("word", "mend"),
    [
        ("lang", "write KEY=VALUE"),
        ("colour=red", "a key of claim_type, lang"),
        ("lang=", "write KEY=VALUE"),
        ("lang=,en", "write KEY=VALUE"),
        ("lang=fr", "'zh-Hant'"),
        ("priority=P5", "'P1'"),
        ("claim_type=sacm", "sacm"),
        ("candidate=nobody", "watchlist.toml has no such id"),
        ("candidate=\x1b[31mx", "has no such id"),
    ],
)
def test_wrong_words_are_named_with_the_mend(settings: Settings, now: datetime, word: str, mend: str) -> None:
    """Exit 2 in one sentence, whatever is typed."""
    with pytest.raises(InputError, match=mend.replace("[", r"\[")):
        rehearse(settings, [word], now)


def test_on_the_command_line(folder: Path) -> None:
    """A page for people, one object for machines, exit 2 for wrong words; times without an offset are local."""
    shown = _run(folder, "claim_type=scam-lure", "--at", "2027-03-01T12:30")
    assert shown.exit_code == 0
    for words in (
        "P1 opened 2027-03-01 12:30, phase before",
        "owner: police-liaison, on shift: -",
        "by route > route.routes.0",
        "2027-03-01 12:45  level 1  not taken within 15 minutes: tells police-liaison (-)",
        "again every 30 minutes, 12 times",
    ):
        assert words in shown.stdout
    found = json.loads(_run(folder, "claim_type=scam-lure", "--at", "2027-03-01T12:30", "--json").stdout)
    assert found["take_due_at"] == "2027-03-01T12:45:00+08:00"
    wrong = CliRunner().invoke(cli, ["-c", str(folder / "pollwatch.toml"), "routes", "test", "lang=en", "--at", "x"])
    assert wrong.exit_code == 2
