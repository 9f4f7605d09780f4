"""The log: one line for each thing, which steers nobody's terminal, says what happened alone, and holds no secret."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from monitor import logs
from monitor.store import Store
from tests.logged import logged

HOSTILE = "Polls\x1b[2J\r\nclose\u202e 投票\u200b完\u2028ＡＢ\x9b31m"
log = logging.getLogger("monitor.tests")


@pytest.mark.parametrize("style", ["console", "json"])
def test_words_of_strangers_stay_on_their_line_and_steer_nothing(style: logs.Style) -> None:
    """In a value, in a message of ``logging``, inside of a list and in a traceback: no control, no direction."""
    with logged(style) as written:
        logs.tell("item.collect", item=1, title=HOSTILE, more=[HOSTILE, {"deep": HOSTILE}])
        log.warning("feed %s", HOSTILE)
        log.error("it failed", exc_info=ValueError(HOSTILE))
    text = written.getvalue()
    assert not set("\x1b\r\u202e\u200b\u2028\x9b") & set(text)
    assert "投票完" in text
    begun = [line for line in text.splitlines() if line.startswith(("{", "20"))]
    assert len(begun) == 3
    if style == "json":
        assert len(text.splitlines()) == 3
        assert json.loads(begun[0])["more"][1]["deep"] == "Polls[2J close 投票完 ＡＢ31m"


def test_lines_of_the_program_and_of_libraries_have_the_same_keys() -> None:
    """When, how grave, who, what: a program that gathers logs reads one kind of line."""
    with logged() as written:
        logs.tell("stage.finish", stage="collect", feeds=3)
        logging.getLogger("aiohttp.server").error("it says %d things", 2)
    ours, others = written.lines()
    assert {"timestamp", "level", "logger", "event"} <= ours.keys() & others.keys()
    assert (ours["stage"], ours["feeds"], others["event"]) == ("collect", 3, "it says 2 things")


@pytest.mark.parametrize(
    ("level", "told"),
    [("debug", ["a", "b", "c", "lib"]), ("info", ["b", "c", "lib"]), ("warning", ["c", "lib"]), ("error", [])],
)
def test_a_level_holds_for_what_is_below_it(level: logs.Level, told: list[str]) -> None:
    """What every library says at `info` is nobody's business, unless everything is asked for."""
    with logged(level=level) as written:
        logs.tell("a", logging.DEBUG)
        logs.tell("b")
        log.warning("c")
        logging.getLogger("alembic.runtime").debug("noise")
        logging.getLogger("alembic.runtime").warning("lib")
    assert [line["event"] for line in written.lines()] == told


def test_what_was_rolled_back_is_never_said(store: Store) -> None:
    """A line waits for the commit: before it nothing is written, after an error nothing ever is."""
    with logged() as written:
        with store.write():
            logs.tell("item.group", item=1)
            assert written.getvalue() == ""
        assert [line["item"] for line in written.lines("item.group")] == [1]

        def fail() -> None:
            with store.write():
                logs.tell("item.group", item=2)
                raise RuntimeError("cut off")

        with pytest.raises(RuntimeError):
            fail()
        logs.tell("item.group", item=3)
    assert [line["item"] for line in written.lines("item.group")] == [1, 3]


def test_a_commit_that_fails_is_no_news(store: Store) -> None:
    """The database refuses at the very end: what was done inside was not done."""
    with logged() as written:

        def break_off() -> None:
            with store.write() as connection:
                logs.tell("item.group", item=1)
                connection.invalidate()
                connection.exec_driver_sql("SELECT 1")

        with pytest.raises(Exception, match=r"invalidate|reconnect|rolled back|closed"):
            break_off()
    assert written.lines("item.group") == []


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_secret_that_was_read_stands_in_no_line(style: logs.Style) -> None:
    """In a message, a key, or the chain of errors behind a traceback; spelt as it is, or as addresses spell it."""
    secret = "p@ss/wörd#1"
    with logged(style) as written:
        logs.hide(secret)
        logs.hide("")
        logs.tell("stage.finish", url=f"postgresql://desk:{secret}@db/x")
        error = RuntimeError(f"no store with {secret}")
        error.__cause__ = ConnectionError("postgresql://desk:p%40ss%2Fw%C3%B6rd%231@db/x")
        log.error("it failed with %s", secret, exc_info=error)
    text = written.getvalue()
    assert secret not in text
    assert "p%40ss" not in text
    assert text.count("***") >= 4
    assert "ConnectionError" in text


def test_a_fault_of_the_program_shows_no_secret_either() -> None:
    """What nobody caught ends the process with a traceback, which goes the way of every line, without variables."""
    code = (
        "from monitor import logs\n"
        "logs.to_stderr('console', 'info')\n"
        "logs.hide('correct-horse')\n"
        "password = 'correct-horse'\n"
        "raise RuntimeError(f'refused for {password}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "RuntimeError: refused for ***" in done.stderr
    assert "correct-horse'" not in done.stderr.replace("password = 'correct-horse'", "")


def test_a_command_without_a_line_loads_no_structlog() -> None:
    """Most commands say nothing: they do not wait for its libraries."""
    code = "import sys; from monitor import logs; logs.to_stderr('json', 'info'); print('structlog' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
