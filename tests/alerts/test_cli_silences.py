"""`silences` on the command line, and what `alerts`, `status` and the digest say of what is hidden."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from alerts import digest
from alerts.cli.daemon import status
from alerts.cli.queue import alerts
from alerts.cli.silences import silences
from alerts.dispatch import dispatch
from alerts.edition import edition
from alerts.front import headline
from monitor.cli.base import Context, now
from monitor.config import Settings
from monitor.errors import InputError, RefusedError, UnfitActError
from monitor.store import Store
from monitor.types import Lang
from tests.alerts.rows import WITHDRAWN, add_incident

HOSTILE = "節目\x1b[2J\u202e [bold]玩笑[/bold]"
REASON = ("--reason", HOSTILE)


@pytest.fixture(autouse=True)
def _two_alerts(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    add_incident(store, now(), findings=[WITHDRAWN])
    add_incident(store, now(), title="Perry Man quits", matches=["man-pui-lam"], score=0.65, lang="en")
    dispatch(store, settings, now())
    monkeypatch.setenv("POLLWATCH_REVIEWER", "maya\x1b]0;x\x07")


def _run(settings: Settings, group: click.Command, *words: str) -> Result:
    return CliRunner().invoke(group, words, obj=Context(settings.file))


def _json(settings: Settings, group: click.Command, *words: str) -> list[Any]:
    result = _run(settings, group, *words, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_add_list_expire(settings: Settings) -> None:
    """The promised keys, how many it hides, P1 said so; nothing in a reason or a name steers the terminal."""
    (row,) = _json(settings, silences, "add", "candidate=cheuk-mong-ching", "--for", "4h", *REASON)
    promised = "id matchers author reason starts_at ends_at suppressed"
    assert set(promised.split()) <= set(row)
    assert (row["id"], row["matchers"], row["suppressed"]) == (1, {"candidate": ["cheuk-mong-ching"]}, 1)
    assert (row["would_hide"], row["would_hide_p1"]) == (1, 1)
    assert datetime.fromisoformat(row["ends_at"]) - datetime.fromisoformat(row["starts_at"]) == timedelta(hours=4)
    listed = _run(settings, silences, "list")
    for shown in (listed.output, row["author"], row["reason"]):
        assert not set(shown) & {"\x1b", "\x07", "\u202e"}
    assert "candidate=cheuk-mong-ching" in listed.stdout
    assert "[bold]玩笑[/bold]" in listed.stdout
    ended = _run(settings, silences, "expire", "1", "--reason", "over", "--author", "岑")
    assert ended.stdout == "silence 1 is over; it hid 1 alert\n"
    assert _run(settings, silences, "list").output == "nothing is silenced\n"
    assert [(row["id"], row["expired_by"]) for row in _json(settings, silences, "list", "--all")] == [(1, "岑")]
    assert isinstance(_run(settings, silences, "expire", "1", "--reason", "again").exception, RefusedError)


def test_a_dry_run_only_says(settings: Settings) -> None:
    """How many it would hide now, and that one of them is P1."""
    result = _run(settings, silences, "add", "candidate=cheuk-mong-ching", "--for", "4h", "--dry-run", *REASON)
    assert result.stdout == "this would hide 1 alert now\n"
    assert result.stderr == "! 1 alert of them is P1\n"
    assert _json(settings, silences, "list", "--all") == []
    assert len(_json(settings, alerts, "list")) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lang=en", "--for", "15d"], "ends within 14 days"),
        (["lang=en", "--until", "2026-01-01"], "ends within 14 days"),
        (["lang=en", "--for", "4w"], "not a length"),
        (["lang=en", "--for", "99999d"], "ends within 14 days"),
        (["lang=en", "--until", "tomorrow"], "not a time"),
        (["lang=en"], "say how long"),
        (["lang=en", "--for", "4h", "--until", "2026-12-01"], "say how long"),
        (["--for", "4h"], "Missing argument"),
        (["words=polls", "--for", "4h"], "is no key of a silence"),
    ],
)
def test_what_it_lacks_is_refused(settings: Settings, words: list[str], message: str) -> None:
    """Exit 2, with the mend; nothing is written."""
    result = _run(settings, silences, "add", *words, *REASON)
    told = result.output + str(result.exception)
    assert message in told
    assert result.exit_code == 2 or isinstance(result.exception, InputError | UnfitActError)
    assert _json(settings, silences, "list", "--all") == []


def test_a_reason_is_needed(settings: Settings) -> None:
    """One of spaces and escapes is none."""
    assert _run(settings, silences, "add", "lang=en", "--for", "4h").exit_code == 2
    refused = _run(settings, silences, "add", "lang=en", "--for", "4h", "--reason", " \x1b ").exception
    assert isinstance(refused, UnfitActError)


def test_hidden_alerts_are_found_and_counted(settings: Settings, store: Store) -> None:
    """Not in the queue; under `--suppressed`, `--all` and their number, in `status` and in both forms of the digest."""
    until = (now() + timedelta(hours=5)).astimezone(UTC).isoformat()
    _json(settings, silences, "add", "lang=zh-Hant", "--until", until, *REASON)
    assert [row["id"] for row in _json(settings, alerts, "list")] == [2]
    assert [row["suppression"] for row in _json(settings, alerts, "list", "--suppressed")] == ["silence"]
    assert len(_json(settings, alerts, "list", "--all")) == 2
    assert "silence" in _run(settings, alerts, "list", "--suppressed").stdout
    assert "suppressed: silence" in _run(settings, alerts, "show", "1").stdout
    shown = _run(settings, status)
    assert "hidden 1 silenced, 0 inhibited, by 1 silence and by clarifications" in shown.stdout
    assert shown.stdout.count("queue  ") == 1
    assert "note: silence 1 of maya" in shown.stderr
    assert "\x1b" not in shown.output
    summary = digest.compose(store, settings, settings.calendar.local_date(now()), now())
    assert headline(summary) == "1 to decide"
    assert summary.sections()["silences"]["active"] == 1
    made = edition(settings, summary, Lang.EN)
    for told in (made.text, made.html):
        assert "alerts hidden by them" in told
        assert "and gives back 1 alert" in told
        assert "節目" in told
        assert "\x1b" not in told
