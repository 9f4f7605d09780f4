"""Every key of the desk: it does something, is explained, and can be found by its name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from alerts import queue
from alerts.cli import cli
from alerts.dispatch import dispatch
from alerts.triage import keys
from alerts.triage.alert_screen import AlertScreen
from alerts.triage.app import Desk
from alerts.triage.cells import text_of, width
from alerts.triage.keys import Place
from alerts.triage.queue_screen import QueueScreen
from monitor.config import Settings
from monitor.store import Store
from monitor.types import AlertState
from tests.alerts.reviewing import two_alerts
from tests.alerts.rows import add_incident
from tests.alerts.triage.seats import Clock, play, seated

SCREENS: dict[Place, type] = {"queue": QueueScreen, "alert": AlertScreen}


@pytest.mark.parametrize("place", SCREENS)
def test_every_key_does_something_and_is_alone(place: Place) -> None:
    """An action of the screen, or of the program; no key stands for two."""
    for key in keys.at(place):
        name = key.action.partition("(")[0]
        where = Desk if name.startswith("app.") else SCREENS[place]
        assert callable(getattr(where, f"action_{name.removeprefix('app.')}")), key
    names = [key.key for key in keys.at(place)]
    assert len(names) == len(set(names))


def test_what_every_key_does_is_done_by_line_too() -> None:
    """README has each key with its commands, and each of these is there with its options."""
    text = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    table = text.partition("| key | by line |\n|---|---|\n")[2].partition("\n\n")[0]
    rows = [line.strip("|").split(" | ", 1) for line in table.splitlines()]
    named = [sign for row in rows for sign in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(named) == sorted({key.shown for key in keys.KEYS})
    for command in (words.split() for row in rows for words in re.findall(r"`([^`]+)`", row[1])):
        found: click.Command = cli
        for word in command:
            if isinstance(found, click.Group) and word in found.commands:
                found = found.commands[word]
        options = {option for each in found.params for option in each.opts}
        if found is not cli:
            assert {word for word in command if word.startswith("--")} <= options, command


@pytest.mark.parametrize("place", SCREENS)
@pytest.mark.parametrize("cells", [20, 80, 120, 250])
def test_the_footer_fits_and_begins_with_help(place: Place, cells: int) -> None:
    """At most two lines; what there is no room for, the help has."""
    lines = keys.footer(place, cells)
    assert len(lines) <= 2
    assert all(width(text_of(line).rstrip()) <= cells for line in lines)
    assert lines[0][0] == ("?", "key")


def test_the_palette_finds_a_command_by_its_name(store: Store, settings: Settings, clock: Clock) -> None:
    """Typed in words, run as by its key."""
    two_alerts(store, settings, clock.now)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("ctrl+p")
            await maya.sees("What do you want to do?")
            await maya.type("mark")
            await maya.sees("mark (Space)")
            await maya.press("enter")
            await maya.until(lambda: maya.desk.queue_screen.queue.marked == {1}, "it is marked")
            await maya.press("ctrl+p")
            await maya.type("filter")
            await maya.sees("filter (f)")
            await maya.press("enter")
            await maya.sees("Which alerts?")

    play(scene())


def test_language_and_colours_change_with_a_key(store: Store, settings: Settings, clock: Clock) -> None:
    """On the spot, on every screen; what was said in the other language goes."""
    two_alerts(store, settings, clock.now)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("enter")
            await maya.sees("Why it is here")
            dark = maya.strips[8].text, [style and style.bgcolor for _, style, _ in maya.strips[8]]
            await maya.press("R")
            await maya.sees("Nobody else holds alert 1.")
            await maya.press("L")
            await maya.sees("列入隊列的原因")
            assert "Nobody else holds" not in maya.text
            await maya.press("T")
            await maya.until(lambda: [style and style.bgcolor for _, style, _ in maya.strips[8]] != dark[1], "light")
            await maya.press("escape")
            await maya.sees("所有待處理警示")
            await maya.press("L")
            await maya.sees("all that wait for a person")

    play(scene())


def test_ctrl_c_leaves_from_a_dialog_and_gives_back(store: Store, settings: Settings, clock: Clock) -> None:
    """Whatever lies over the screen."""
    two_alerts(store, settings, clock.now)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("n", "c")
            await maya.sees("clarify. What is the claim")
            await maya.pilot.press("ctrl+c")
            await maya.until(lambda: maya.desk.return_code is not None or not maya.desk.is_running, "it ends")

    play(scene())
    assert queue.show(store, 1)["state"] == AlertState.OPEN


def test_the_mouse_works_too(store: Store, settings: Settings, clock: Clock) -> None:
    """A click goes to an alert, a double click opens it."""
    add_incident(store, clock.now, title="The pier is closed", lang="en")
    two_alerts(store, settings, clock.now)
    dispatch(store, settings, clock.now)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            listed = maya.desk.queue_screen.queue
            await maya.pilot.click(listed, offset=(20, 2))
            await maya.until(lambda: listed.at == listed.ids[2], "it is there")
            await maya.pilot.click(listed, offset=(20, 1), times=2)
            await maya.until(lambda: maya.desk.on_alert, "it is open")
            assert maya.desk.on_alert is not None
            assert maya.desk.on_alert.alert_id == listed.ids[1]

    play(scene())


def test_esc_does_not_hesitate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dialog closes 30 ms after Esc, or as late as the reviewer's own setting wants it."""
    asked = "import alerts.triage.app, textual.constants; print(textual.constants.ESCAPE_DELAY)"
    for own, waits in ((None, "0.03"), ("200", "0.2")):
        monkeypatch.delenv("ESCDELAY", raising=False)
        if own:
            monkeypatch.setenv("ESCDELAY", own)
        told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
        assert told.stdout.strip() == waits
