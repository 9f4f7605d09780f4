"""What a reviewer does at the desk, by keys alone, over a real store."""

from __future__ import annotations

import webbrowser
from datetime import timedelta
from typing import Any

import pytest
from textual.widgets import OptionList

from alerts import queue
from alerts.dispatch import dispatch
from alerts.triage.acting import is_web
from monitor.config import Settings
from monitor.search import index
from monitor.store import Store, items, relations
from monitor.types import AlertState, Decision, Review, Verdict
from tests.alerts.reviewing import Desk as ByLine
from tests.alerts.reviewing import two_alerts
from tests.alerts.rows import add_incident
from tests.alerts.triage.seats import Clock, play, seated


@pytest.fixture(autouse=True)
def _two_alerts(store: Store, settings: Settings, clock: Clock) -> None:
    two_alerts(store, settings, clock.now)


def _row(store: Store, alert_id: int = 1) -> dict[str, Any]:
    return queue.show(store, alert_id)


def test_clarify_takes_two_people_and_can_be_taken_back(store: Store, settings: Settings, clock: Clock) -> None:
    """Take, clarify with a verdict and a reason; it waits for somebody else; undo gives it back to who decided."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("n")
            await maya.sees("You hold this alert until 12:40.")
            await maya.press("c", "f")
            await maya.type("the roster has her")
            await maya.press("enter")
            await maya.sees("Alert 1 waits for a second opinion")
            assert maya.desk.on_alert is None
            row = _row(store)
            assert (row["state"], row["review"], row["holder"]) == (AlertState.SECOND_REVIEW, Review.SECOND, None)
            await maya.press("u")
            await maya.sees("The decision on alert 1 is taken back; you hold it again.")
            assert _row(store)["holder"] == "maya"
            await maya.press("escape")
            await maya.sees("Alert 1 is back in the queue.")
            assert _row(store)["state"] == AlertState.OPEN

    play(scene())


def test_a_second_opinion_is_blind(store: Store, settings: Settings, clock: Clock) -> None:
    """`2` takes what asks for one; nothing of the first is on the screen; the same words decide it."""
    by_line = ByLine(store, settings, clock.now)
    by_line.give("maya", Decision.CLARIFY, Verdict.FALSE)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("2")
            await maya.sees("you have given your opinion on alert 1")
        async with seated(store, settings, "ben", clock, (120, 60)) as ben:
            await ben.press("2")
            await ben.sees("Asks for a second opinion")
            assert "SECRET" not in ben.text
            assert "Ｓ" not in ben.text
            await ben.press("c", "f")
            await ben.type("agreed")
            await ben.press("enter")
            await ben.sees("Alert 1 is decided: clarify.")

    play(scene())
    assert _row(store)["verdict"] == Verdict.FALSE


def test_nothing_is_decided_without_a_lease(store: Store, settings: Settings, clock: Clock) -> None:
    """A deciding key asks to take the alert first; Esc leaves all as it was; another's is refused with the name."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("d")
            await maya.sees("You do not hold alert 1. Take it, and dismiss?")
            await maya.press("escape")
            assert _row(store)["holder"] is None
            await maya.press("d", "enter")
            await maya.sees("Alert 1: dismiss. Why?")
            await maya.press("s", "enter")
            await maya.sees("Alert 1 is decided: dismiss.")
            queue.take(store, settings, "ben", clock.now, 2)
            await maya.until(lambda: maya.desk.queue_screen.current, "the other is at the cursor")
            await maya.press("w", "enter")
            await maya.sees("alert 2 is held by ben")

    play(scene())
    assert _row(store)["state"] == AlertState.CLOSED
    assert _row(store)["decisions"][0]["reason"] == "satire"
    assert _row(store, 2)["decision"] is None


def test_a_dialog_stays_until_what_it_asks_is_answered(store: Store, settings: Settings, clock: Clock) -> None:
    """Without a choice or a reason, or with `other` and no words, it says what lacks; what was typed is kept."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("t", "r")
            await maya.press("enter", "enter")
            await maya.sees("! say why")
            await maya.type("for the police")
            await maya.press("enter")
            await maya.sees("Alert 1 is decided: refer.")
            await maya.press("t", "d", "enter")
            await maya.sees("! Choose first")
            await maya.type("z")
            await maya.sees("! Choose first")
            await maya.press("x", "enter")
            await maya.sees("! Write which other reason.")
            assert "▊  z" not in maya.text
            await maya.type("a test page")
            await maya.press("enter")
            await maya.sees("Alert 2 is decided: dismiss.")

    play(scene())
    assert _row(store, 2)["decisions"][0]["reason"] == "other: a test page"


def test_snooze_and_wake(store: Store, settings: Settings, clock: Clock) -> None:
    """Put off for two hours with a reason; a filter finds it; A wakes it."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("s", "3")
            await maya.type("the office answers")
            await maya.press("enter")
            await maya.sees("Alert 1 sleeps until 2027-03-01 14:30.")
            assert _row(store)["snoozed_until"] == clock.now + timedelta(hours=2)
            await maya.until(lambda: 1 not in maya.desk.queue_screen.queue.ids, "it is not listed")
            await maya.press("f")
            for _ in range(14):
                await maya.press("down")
            await maya.press("space", "enter")
            await maya.sees("FILTER snoozed")
            await maya.until(lambda: maya.desk.queue_screen.queue.ids == (1,), "it alone is listed")
            await maya.until(lambda: maya.desk.queue_screen.current, "it is read")
            await maya.press("A")
            await maya.sees("Alert 1 is awake.")

    play(scene())
    assert _row(store)["state"] == AlertState.OPEN


def test_a_duplicate_goes_to_the_other_alert(store: Store, settings: Settings, clock: Clock) -> None:
    """It must be another that is there; both are shown before anything is done; then the items are the other's."""
    with store.write() as connection:
        relations.relate(connection, 1, [(2, 0.4)], clock.now)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("t", "m")
            await maya.sees("Perhaps of: 2 A pier is closed")
            await maya.type("99 same leaflet")
            await maya.press("enter")
            await maya.sees("no alert 99")
            await maya.press(*["backspace"] * 15)
            await maya.type("#2 same leaflet")
            await maya.press("enter")
            await maya.sees("→ 2 A pier is closed")
            await maya.press("escape")
            assert _row(store)["holder"] == "maya"
            await maya.press("m")
            await maya.type("2 same leaflet")
            await maya.press("enter")
            await maya.sees("→ 2 A pier is closed")
            await maya.press("enter")
            await maya.sees("Alert 1 is closed: its items are alert 2's now.")
            assert maya.desk.on_alert is None
            await maya.press("enter")
            await maya.sees("pollwatch alert 2")

    play(scene())
    row, other = _row(store), _row(store, 2)
    assert (row["state"], row["decision"], row["suppression"]) == (AlertState.CLOSED, "duplicate", "duplicate")
    assert (row["incident_id"], other["items"], other["state"]) == (2, 2, AlertState.OPEN)


def test_marked_alerts_become_one_incident(store: Store, settings: Settings, clock: Clock) -> None:
    """The alert at the cursor is proposed, and typing replaces it; what another reviewer holds stays, and is told."""
    for _ in range(2):
        add_incident(store, clock.now, title="The pier is shut", score=0.3, matches=[], lang="en")
    dispatch(store, settings, clock.now)
    queue.take(store, settings, "ben", clock.now, 3)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("home")
            maya.desk.queue_screen.queue.marked |= {2, 3, 4}
            await maya.press("m")
            await maya.sees("Of which alert are 3 alerts duplicates?")
            await maya.sees("▊  1 ")
            await maya.type("1")
            assert "▊  1 1" not in maya.text
            await maya.press("enter")
            await maya.sees("Close 3 alerts, and put their items into the incident of alert 1?")
            await maya.press("enter")
            await maya.sees("2 alerts are closed: their items are alert 1's now. alert 3 is held by ben")
            assert not maya.desk.queue_screen.queue.marked

    play(scene())
    assert [_row(store, id)["incident_id"] for id in (1, 2, 3, 4)] == [1, 1, 3, 1]
    assert _row(store, 1)["state"] == AlertState.OPEN
    assert _row(store, 3)["holder"] == "ben"


def test_marked_alerts_are_dismissed_with_one_reason(store: Store, settings: Settings, clock: Clock) -> None:
    """Each by itself: what another reviewer holds stays, and is told."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("home", "space", "space")
            await maya.sees("* 2 marked")
            queue.take(store, settings, "ben", clock.now, 2)
            await maya.press("d", "n", "enter")
            await maya.sees("1 alert dismissed. alert 2 is held by ben")

    play(scene())
    assert _row(store)["state"] == AlertState.CLOSED
    assert _row(store, 2)["holder"] == "ben"


def test_take_away_send_back_reopen(store: Store, settings: Settings, clock: Clock) -> None:
    """With a reason each, as by line."""
    by_line = ByLine(store, settings, clock.now)
    by_line.act("take", "ben")

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.sees("ben")
            await maya.press("R")
            await maya.sees("Take alert 1 away from ben?")
            await maya.type("shift over")
            await maya.press("enter")
            await maya.sees("Alert 1 is free.")
            by_line.give("ben", Decision.CLARIFY, Verdict.FALSE)
            await maya.press("2", "B")
            await maya.type("look again")
            await maya.press("enter")
            await maya.sees("Alert 1 asks for a new first opinion.")

    play(scene())
    assert _row(store)["review"] == Review.FIRST
    by_line.act("take", "ben")
    by_line.act("decide", "ben", Decision.DISMISS, None, "opinion")
    index(store, settings, clock.now)

    async def later() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("S")
            await maya.type("卓望晴")
            await maya.sees("Enter to choose")
            await maya.press("enter")
            await maya.until(lambda: isinstance(maya.desk.focused, OptionList), "the first hit is chosen")
            await maya.press("enter")
            await maya.sees("Decided: dismiss")
            await maya.press("A")
            await maya.type("new facts")
            await maya.press("enter")
            await maya.sees("Alert 1 waits in the queue again.")

    play(later())
    assert _row(store)["state"] == AlertState.OPEN


def test_a_note_is_written_on_an_alert_that_somebody_else_holds(store: Store, settings: Settings, clock: Clock) -> None:
    """It stands on the alert's screen afterwards; one without words is refused, and the dialog stays."""
    queue.take(store, settings, "ben", clock.now, 1)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock, (120, 60)) as maya:
            await maya.press("enter", "N", "enter")
            await maya.sees("a note needs words")
            await maya.type("印務商說並無其事")
            await maya.press("enter")
            await maya.sees("Noted on alert 1.")
            await maya.sees("印務商說並無其事")

    play(scene())
    assert _row(store)["holder"] == "ben"
    assert [entry["actor"] for entry in _row(store)["history"] if entry["action"] == "alert.note"] == ["maya"]


def test_a_tip_is_taken_in_without_the_name_of_who_gave_it(store: Store, settings: Settings, clock: Clock) -> None:
    """By its channel; the same words again are the same item."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            for said in ("Taken in as item", "Known already, as item"):
                await maya.press("plus", "1")
                await maya.type("街坊來電：月升島票站今日不開門")
                await maya.press("enter")
                await maya.sees(said)

    play(scene())
    with store.read() as connection:
        (tip,) = [item for item in items.listing(connection) if item.tip]
    assert tip.tip == settings.tips.channels[0]
    assert "月升島票站今日不開門" in f"{tip.title} {tip.summary}"


def test_search_finds_either_script(store: Store, settings: Settings, clock: Clock) -> None:
    """Typed in Simplified characters, written in Traditional ones; a filter of words does the same."""

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("slash")
            await maya.type("卓望晴今早")
            await maya.press("enter")
            await maya.sees("FILTER “卓望晴今早”")
            await maya.until(lambda: maya.desk.queue_screen.queue.ids == (1,), "one is left")
            await maya.press("x")
            await maya.until(lambda: len(maya.desk.queue_screen.queue.ids) == 2, "both are back")

    play(scene())


def test_a_link_goes_to_a_browser_and_never_to_a_shell(
    store: Store, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Through webbrowser, as one argument."""
    log = tmp_path / "opened"
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf "%s|" "$@" > {log}\n')
    script.chmod(0o755)
    browser = webbrowser.GenericBrowser([str(script), "%s"])
    monkeypatch.setattr(webbrowser, "_tryorder", ["ours"])
    monkeypatch.setattr(webbrowser, "_browsers", {"ours": [None, browser]})

    async def scene() -> None:
        async with seated(store, settings, "maya", clock) as maya:
            await maya.press("o")
            await maya.sees("Opened: http://harbour-daily.example/1")

    play(scene())
    assert log.read_text() == "http://harbour-daily.example/1|"


@pytest.mark.parametrize(
    "link",
    ["", "javascript:alert(1)", "file:///etc/passwd", "http://", "https://a.example/\x1b]8;;", "http://a b/", "ftp://a.example",
     "http://[", "https://a.example/'$(touch x)", "//a.example/", "data:text/html,x"],
)  # fmt: skip
def test_what_is_no_web_address_is_not_opened(link: str) -> None:
    """Only http and https, with a host."""
    assert not is_web(link)
    assert is_web("https://harbour.example/選舉?a=1&b=2#c")
