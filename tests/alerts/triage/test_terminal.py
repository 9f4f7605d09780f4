"""The desk as people run it: a shift played by keys alone, and every way in which a desk can end."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import queue
from alerts.dispatch import dispatch
from monitor.config import Settings
from monitor.store import Store
from monitor.types import AlertState, Decision, Review, Verdict
from tests.alerts.rows import WITHDRAWN, add_incident
from tests.alerts.triage.terminal import Terminal, terminal


@pytest.fixture(autouse=True)
def _five_alerts(store: Store, settings: Settings) -> None:
    now = datetime.now(UTC)
    add_incident(store, now, findings=[WITHDRAWN], outlets=["Harbour Daily", "翠灣時報"])
    titles = ("The pier is closed", "卓望晴的街站已取消？", "Ballots are traceable, says a clip", "翠灣北票站提早關門")
    for number, title in enumerate(titles):
        add_incident(store, now, title=title, score=0.6 - number / 100, matches=[], lang="en")
    dispatch(store, settings, now)


def _row(store: Store, alert_id: int) -> dict[str, Any]:
    return queue.show(store, alert_id, datetime.now(UTC))


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _holding(desk: Terminal, store: Store) -> None:
    desk.sees("of 5 alerts")
    desk.press("n")
    desk.sees("You hold this alert until")
    assert _row(store, 1)["holder"] == "maya"


def test_a_whole_shift_by_keys_alone(store: Store, settings: Settings) -> None:
    """Take, read, clarify; a second opinion by another person; undo; snooze; duplicate; both languages."""
    with (
        terminal(settings, "maya", (80, 24)) as maya,
        terminal(settings, "ben", (120, 40), "--language", "zh-Hant") as ben,
    ):
        _holding(maya, store)
        maya.press("down", "end")
        maya.sees("maya took it until")
        ben.sees("maya")  # sees who holds it
        maya.press("c", "f", "the roster has her as No. 1", "enter")
        maya.sees("waits for a second opinion")
        ben.sees("覆核")
        ben.press("2")
        ben.sees("等候覆核：不顯示首位審核者的意見。")
        assert "No. 1" not in ben.text
        ben.press("c", "m", "名單如此", "enter")
        ben.sees("兩人對警示 1 意見不一")
        ben.press("u")
        ben.sees("已撤回對警示 1 的決定")
        ben.press("c", "f", "名單如此", "enter")
        ben.sees("警示 1 已決定：澄清。")
        maya.press("n")
        maya.sees("pollwatch alert 2")
        maya.press("s", "1", "the harbour master answers", "enter")
        maya.sees("Alert 2 sleeps until")
        maya.press("n")
        maya.sees("pollwatch alert 3")
        maya.press("m", "2 the same rumour", "enter", "enter")
        maya.sees("Alert 3 is closed: its items are alert 2's now.")
        maya.press("q")
        _wait(lambda: maya.read(0.05) or (maya.process.poll() is not None and True))
        maya.until(lambda: maya.process.poll() is not None, "it ends")
        assert maya.process.returncode == 0
    first = _row(store, 1)
    assert (first["state"], first["verdict"]) == (AlertState.DECIDED, Verdict.FALSE)
    assert _row(store, 2)["state"] == AlertState.SNOOZED
    assert _row(store, 3)["decision"] == Decision.DUPLICATE
    assert first["review"] is Review.SECOND


@pytest.mark.parametrize("end", ["hang up", "terminate", "quit", "leave"])
def test_however_a_desk_ends_its_lease_is_given_back(store: Store, settings: Settings, end: str) -> None:
    """The line is cut, the process is told to go, somebody quits, somebody goes back to the queue."""
    with terminal(settings, "maya") as maya:
        _holding(maya, store)
        match end:
            case "hang up":
                maya.hang_up()
            case "terminate":
                maya.process.send_signal(signal.SIGTERM)
            case "quit":
                maya.press("q")
            case _:
                maya.press("escape")
                maya.sees("Alert 1 is back in the queue.")
        _wait(lambda: _row(store, 1)["holder"] is None)
        if end != "leave":
            if end != "hang up":
                maya.until(lambda: maya.process.poll() is not None, "it ends")
            codes = {"hang up": 128 + signal.SIGHUP, "terminate": 128 + signal.SIGTERM, "quit": 0}
            assert maya.process.wait(20) == codes[end]
    actions = [entry["action"] for entry in _row(store, 1)["history"]]
    assert actions == ["alert.open", "alert.take", "alert.release"]


def test_what_a_killed_desk_held_returns_by_itself(store: Store, settings: Settings) -> None:
    """`kill -9` leaves nobody to give it back: the lease runs out, and it is taken by somebody else."""
    with terminal(settings, "maya") as maya:
        _holding(maya, store)
        maya.process.kill()
        maya.process.wait()
    later = datetime.now(UTC) + timedelta(minutes=settings.triage.lease_minutes, seconds=1)
    assert queue.take(store, settings, "ben", later, 1)["holder"] == "ben"


def test_two_desks_see_each_other_within_two_seconds(store: Store, settings: Settings) -> None:
    """What one takes, the other shows as held."""
    with terminal(settings, "maya") as maya, terminal(settings, "ben") as ben:
        ben.sees("of 5 alerts")
        maya.sees("of 5 alerts")
        maya.press("t")
        maya.sees("You hold this alert")
        at = time.monotonic()
        ben.until(lambda: re.search(r"P\d\S? +\S+ +maya ", ben.text), "the holder")
        seen = time.monotonic() - at
        maya.press("escape")
        ben.until(lambda: not re.search(r"P\d\S? +\S+ +maya ", ben.text), "it is free")
    assert seen < 2


def test_no_colour_where_none_is_wanted(store: Store, settings: Settings) -> None:
    """NO_COLOR: not one colour is sent to the terminal, and the cursor is still seen."""
    with terminal(settings, "maya", environment={"NO_COLOR": "1"}) as maya:
        _holding(maya, store)
        maya.press("c")
        maya.sees("clarify. What is the claim")
        maya.press("escape", "escape")
        maya.sees("is back in the queue")
    attributes = {part for found in re.findall(rb"\x1b\[([0-9;]*)m", maya.written) for part in found.split(b";")}
    coloured = {b"%d" % code for code in (*range(30, 39), *range(40, 49), *range(90, 108))}
    assert not attributes & coloured
    assert b"7" in attributes


def test_hostile_titles_move_no_border(store: Store, settings: Settings) -> None:
    """Drawn by Textual, shown by another emulator with another table of widths: every column stays in its place."""
    now = datetime.now(UTC)
    hostile = (
        "\x1b[2J\x1b]0;owned\x07 \x1b[31mred",
        "\u202eright to left\u202c שלום مرحبا",
        "👩\u200d👩\u200d👧 🇭🇰 👍🏽 ❤\ufe0f 1\ufe0f\u20e3",
        "Z" + "\u0337\u0349" * 40 + " climbs",
        "ｆｕｌｌ　ｗｉｄｔｈ ㍻ 각 ᄀᄀ",
        "[bold red]markup[/] [@click=app.bell]click[/]",
        "\ue000\U000f1234\U0001fae0 \u0378",
    )
    for title in hostile:
        add_incident(store, now, title=title, findings=[WITHDRAWN], score=0.9)
    dispatch(store, settings, now)
    with terminal(settings, "maya", (100, 24)) as maya:
        maya.sees("of 12 alerts")
        maya.until(lambda: "climbs" in maya.text and "click" in maya.text, "the rows")
        heads = {line[:24] for line in maya.lines[4:10]}
        assert all(re.fullmatch(r"  P\d\S? +\S+ +-\s+", head) for head in heads), heads
        bar = {row: maya.screen.buffer[row][99].bg for row in range(3, 20)}
        assert len(set(bar.values())) <= 2  # the scroll bar: its track and its thumb
        assert "owned" not in maya.screen.title
        assert b"\x1b]0;owned" not in maya.written
        assert b"\xe2\x80\xae" not in maya.written
