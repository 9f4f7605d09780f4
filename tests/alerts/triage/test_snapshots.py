"""What the screens look like: drawn cells beside those that were looked at and found good.

The pictures stand in ``screens/``, one file for each screen, size and language. ``DRAW_SCREENS=1`` draws them anew:
look at them before they are committed. Every screen is also walked over for colours: whatever is drawn is readable.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from sqlalchemy import insert, update
from wcwidth import wcswidth

from alerts import queue
from alerts.dispatch import dispatch
from alerts.triage import app
from alerts.triage.colours import AA, contrast
from monitor import language
from monitor.config import Settings
from monitor.language import _
from monitor.search import index
from monitor.store import Store
from monitor.store.schema import items, revisions
from monitor.types import Decision, Lang, Verdict
from tests.alerts.rows import WITHDRAWN, add_incident
from tests.alerts.triage.seats import Clock, Seat, play, seated

SCREENS = Path(__file__).parent / "screens"
SIZES = [(80, 24), (120, 40), (250, 70)]
LANGS = [Lang.EN, Lang.HANT]


@pytest.fixture(autouse=True)
def _no_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast the machine is that draws is no part of the pictures."""
    monkeypatch.setattr(app, "SILENT_S", 3600)
    monkeypatch.setattr(app, "PATIENCE_S", 3600)


@pytest.fixture(autouse=True)
def _morning(store: Store, settings: Settings, clock: Clock) -> None:
    """A queue with everything in it: overdue, held, asked twice, hostile, long, edited, in three scripts."""
    now = clock.now
    add_incident(
        store, now - timedelta(minutes=50), findings=[WITHDRAWN], outlets=["Harbour Daily", "翠灣時報", "Night Owl"]
    )
    rumours = (
        (
            "Ballots are traceable, says a clip that was shared in many groups since the early morning",
            "en",
            (),
        ),
        ("翠灣北票站今日提早關閉？網上瘋傳截圖", "zh-Hant", ("au-yeung-chak-kai",)),
        ("候选人已被取消资格？群组流传通告", "zh-Hans", ("cheuk-mong-ching", "au-yeung-chak-kai")),
        ("Ｆｕｌｌ ｗｉｄｔｈ 👩\u200d👧 🇭🇰 \u202eevil\u202c [bold]no markup[/] e" + "\u0301" * 9, "en", ()),
    )
    for number, (title, lang, matches) in enumerate(rumours):
        add_incident(store, now - timedelta(minutes=number), title=title, score=0.8, matches=matches, lang=lang)
    for number in range(80):
        add_incident(store, now, title=f"Story {number} of the pier", score=0.4, matches=[], lang="en")
    with store.write() as connection:
        earlier = {"item_id": 1, "revision": 0, "title": "卓望晴今早退選", "summary": "A rumour.", "raw_hash": "x"}
        times = {"seen_at": now - timedelta(minutes=50), "replaced_at": now - timedelta(minutes=30)}
        known = {key: value for key, value in {**earlier, **times}.items() if key in revisions.c}
        connection.execute(insert(revisions).values(**known))
        edited = {"revision": 1, "edited_at": now - timedelta(minutes=30)}
        connection.execute(update(items).where(items.c.id == 1).values(**edited))
    dispatch(store, settings, now - timedelta(minutes=40))
    queue.take(store, settings, "ben", now, 3)
    queue.take(store, settings, "lin", now, 4)
    queue.decide(store, settings, "lin", now, 4, Decision.CLARIFY, Verdict.FALSE, "ＳＥＣＲＥＴ")
    index(store, settings, now)


@asynccontextmanager
async def _opened(
    screen: str, store: Store, settings: Settings, clock: Clock, size: tuple[int, int], *, dark: bool = True
) -> AsyncIterator[Seat]:
    async with seated(store, settings, "maya", clock, size, dark=dark) as maya:
        listed = maya.desk.queue_screen.queue
        listed.go_to(listed.ids.index(1))
        await maya.until(lambda: listed.row, "the row is read")
        match screen:
            case "queue":
                if size[0] > 200:
                    await maya.sees(_("Why it is here"))
            case "alert":
                await maya.press("t")
                await maya.until(lambda: maya.desk.on_alert, "its screen")
            case "clarify":
                await maya.press("t")
                await maya.until(lambda: maya.desk.on_alert, "its screen, which stands behind the dialog")
                await maya.press("c", "m")
                await maya.type("half of it")
            case "dismiss":
                await maya.press("t", "d")
            case "filters":
                await maya.press("f")
            case "help":
                await maya.press("question_mark")
            case _:
                await maya.press("S")
                await maya.type("story 77")
                await maya.until(lambda: "Story 77" in maya.text, "what was found")
        await maya.pilot.pause()
        yield maya


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_screens_look_as_they_were_found_good(
    store: Store, settings: Settings, clock: Clock, size: tuple[int, int], lang: Lang
) -> None:
    """Queue, alert, and the dialogs over them, in both languages at three sizes."""
    language.use(lang)

    async def scene(screen: str) -> str:
        async with _opened(screen, store, settings, clock, size) as maya:
            for strip in maya.strips:
                assert cell_len(strip.text) == wcswidth(strip.text) == size[0]
            text = maya.text
            if maya.desk.on_alert:
                await maya.press("escape", "escape")
                await maya.until(lambda: maya.desk.on_alert is None, "the queue")
            return text

    for screen in ("queue", "alert", "clarify") if size[0] != 80 else ("queue", "alert", "clarify", "help", "filters"):
        drawn: list[str] = []

        async def keep(screen: str = screen, drawn: list[str] = drawn) -> None:
            drawn.append(await scene(screen))

        play(keep())
        file = SCREENS / f"{screen}-{size[0]}x{size[1]}-{lang}.txt"
        if os.environ.get("DRAW_SCREENS"):
            file.write_text(drawn[0] + "\n", encoding="utf-8")
        assert drawn[0] + "\n" == file.read_text(encoding="utf-8"), file.name
        assert "SECRET" not in drawn[0]


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_whatever_is_drawn_is_readable(store: Store, settings: Settings, clock: Clock, dark: bool) -> None:
    """WCAG AA for every word on every screen, as it is drawn."""

    async def scene(screen: str, poor: set[tuple[str, str, str]]) -> None:
        async with _opened(screen, store, settings, clock, (120, 40), dark=dark) as maya:
            for strip in maya.strips:
                for text, style, _control in strip:
                    if not text.strip() or not any(map(str.isalnum, text)) or style is None:
                        continue
                    assert style.color is not None
                    assert style.bgcolor is not None
                    ink, ground = (colour.get_truecolor().hex for colour in (style.color, style.bgcolor))
                    if contrast(ink, ground) < AA:
                        poor.add((text.strip(), ink, ground))
            if maya.desk.on_alert:
                await maya.press("escape", "escape")

    for screen in ("queue", "alert", "clarify", "dismiss", "filters", "help", "search"):
        poor: set[tuple[str, str, str]] = set()
        play(scene(screen, poor))
        assert poor == set(), screen
