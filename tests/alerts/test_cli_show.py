"""`alerts show`, `note` and `decide` of several on the command line, in two languages and for screen readers."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert

from alerts.cli import cli
from alerts.dispatch import dispatch
from monitor import language
from monitor.cli.base import now
from monitor.config import Settings
from monitor.store import Store
from monitor.store.schema import revisions
from tests.alerts.rows import WITHDRAWN, add_incident

HOSTILE = "卓望晴退選\x1b[2J\u202e [bold]Vivian[/bold]"


@pytest.fixture(autouse=True)
def _alerts(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    add_incident(store, now(), title=HOSTILE, findings=[WITHDRAWN])
    for number in range(3):
        add_incident(store, now(), title=f"A fair on pier {number}", lang="en", matches=[], score=0.6)
    dispatch(store, settings, now())
    monkeypatch.setenv("POLLWATCH_REVIEWER", "maya")


def _run(settings: Settings, *words: str, **more: Any) -> Result:
    return CliRunner().invoke(cli, ["-c", settings.file, *words], **more)


def _said(settings: Settings, *words: str, **more: Any) -> str:
    result = _run(settings, *words, **more)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_same_alert_in_two_languages(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """By option, variable or configuration; JSON is the same in each."""
    english = _said(settings, "alerts", "show", "1")
    chinese = _said(settings, "--language", "zh-Hant", "alerts", "show", "1")
    assert "Why:" in english
    assert "WHY" not in english
    for words in (
        "警示 1  P1  第 0 級  待處理",
        "類型 候選人事實",
        "原因：",
        "規則發現：",
        "經過：",
        "依據：watchlist.toml",
    ):
        assert words in chinese
    as_json = ("alerts", "show", "1", "--json")
    assert json.loads(_said(settings, "--language", "zh-Hant", *as_json)) == json.loads(_said(settings, *as_json))
    monkeypatch.setenv("LC_ALL", "zh_HK.UTF-8")
    assert "待處理" in _said(settings, "alerts", "list")
    monkeypatch.setenv("POLLWATCH_LANGUAGE", "en")
    assert "open" in _said(settings, "alerts", "list")
    monkeypatch.delenv("POLLWATCH_LANGUAGE")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    file = Path(settings.file)
    file.write_text(file.read_text(encoding="utf-8") + '\n[triage]\nlanguage = "zh-Hant"\n', encoding="utf-8")
    assert "待處理" in _said(settings, "alerts", "list")
    language.use("en")


def test_the_holder_is_named(settings: Settings) -> None:
    """One line says how the alert stands, with the signs of the language."""
    _said(settings, "alerts", "take", "1")
    assert "處理中，由 maya 處理至" in _said(settings, "--language", "zh-Hant", "alerts", "show", "1")
    assert "leased, held by maya until" in _said(settings, "alerts", "show", "1")


def test_a_refusal_is_said_in_the_language(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """The program's own ending, with its exit code."""
    from alerts.cli import main

    for lang, words in (("zh-Hant", "現無人處理；用 `take` 接手"), ("en", "nobody holds alert 1 now; `take` holds it")):
        with pytest.raises(SystemExit) as ended:
            main(["-c", settings.file, "--language", lang, "alerts", "renew", "1"])
        assert ended.value.code == 1
        assert words in capsys.readouterr().err


def test_plain_is_one_thing_a_line(store: Store, settings: Settings) -> None:
    """No columns, no control characters; an edit told with signs, not by colour."""
    listed = _said(settings, "alerts", "list", "--plain").splitlines()
    assert listed[0] == "id: 1"
    assert "title: 卓望晴退選[2J [bold]Vivian[/bold]" in listed
    assert listed.count("") == 3
    with store.write() as connection:
        earlier = {"item_id": 1, "revision": 0, "title": "卓望晴參選", "summary": "", "link": None}
        connection.execute(insert(revisions).values(**earlier, seen_at=now(), replaced_at=now()))
    shown = _said(settings, "alerts", "show", "1", "--plain")
    assert "卓望晴[-參-]{+退+}選" in shown
    assert not set(shown) & {"\x1b", "\u202e", "\u2500"}


@pytest.mark.parametrize("no_color", ["", "1"])
def test_no_colour_reaches_a_terminal(settings: Settings, store: Store, no_color: str) -> None:
    """Marks are bold, italic or reversed, whatever NO_COLOR says; the only colour there could be is none."""
    store.close()
    main, side = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": no_color, "COLUMNS": "100"}
    command = [sys.executable, "-m", "alerts", "-c", settings.file, "alerts", "show", "1"]
    with subprocess.Popen(command, stdout=side, env=environment) as process:
        os.close(side)
        parts = []
        while part := _read(main):
            parts.append(part)
        assert process.wait() == 0
    os.close(main)
    shown = b"".join(parts).decode()
    assert "\x1b[4;7m卓望晴" in shown  # the watched name, reversed, in the words that a rule quotes
    codes = {code for sequence in shown.split("\x1b[")[1:] for code in sequence.partition("m")[0].split(";")}
    assert codes <= {"0", "1", "3", "4", "7", ""}


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other side is closed
        return b""


def test_a_note_is_shown_with_the_alert(settings: Settings) -> None:
    """One command to write it; it stands apart and in the history."""
    assert _said(settings, "alerts", "note", "1", "the office says: 仍在名單") == "noted on alert 1\n"
    shown = _said(settings, "alerts", "show", "1")
    assert shown.count("maya  wrote: the office says: 仍在名單") == 2
    assert "Notes:" in shown
    assert json.loads(_said(settings, "alerts", "note", "1", "again", "--json"))["id"] == 1
    assert _run(settings, "alerts", "note", "1", " ").exit_code != 0


def test_several_decided_at_once(settings: Settings) -> None:
    """By number or from stdin; a line each, what was refused on stderr, and 1 at the end if anything was."""
    dismiss = ("--decision", "dismiss", "--reason", "not-election: a fair")
    _said(settings, "alerts", "take", "3", "--reviewer", "ben")
    result = _run(settings, "alerts", "decide", "2", "3", "99", *dismiss)
    assert result.exit_code == 1
    assert result.stdout == "alert 2 is closed: dismiss\n"
    assert result.stderr.splitlines()[0].startswith("! alert 3 is held by ben until ")
    assert result.stderr.splitlines()[1].startswith("! no alert 99")
    lines = _run(settings, "alerts", "decide", "-", *dismiss, "--json", input="4\n\n3\n")
    first, second = map(json.loads, lines.stdout.splitlines())
    assert (lines.exit_code, first["id"], first["decision"]) == (1, 4, "dismiss")
    assert (second["id"], second["refused"]["reason"]) == (3, "held")
    assert _run(settings, "alerts", "decide", "-", *dismiss, input="four\n").exit_code == 2
    one = _run(settings, "alerts", "decide", "1", *dismiss)
    assert one.exit_code == 1, "a single one is decided by its holder only"
