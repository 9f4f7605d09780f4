"""One alert's screen: everything for a decision, whole at every size, and nothing of a first opinion."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts import queue
from alerts.dispatch import dispatch
from alerts.sheet import Diff, HistoryLine, KnownClaim, Passage, Sheet, SheetItem
from alerts.spans import Span
from alerts.triage import document
from alerts.triage.cells import text_of, width
from alerts.triage.session import Session
from monitor.config import Settings
from monitor.store import Store
from monitor.types import Lang
from tests.alerts.rows import WITHDRAWN, add_incident
from tests.alerts.triage.seats import Clock, play, seated

LONG = "Every ballot of Moonrise Island is numbered and each of the numbers is written beside a voter's name "


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (250, 70)])
def test_no_word_is_cut_at_the_right(store: Store, settings: Settings, clock: Clock, size: tuple[int, int]) -> None:
    """Scrolled through from top to bottom, every word of a long text was seen."""
    wanted = [f"word{number}" for number in range(300)]
    add_incident(store, clock.now, title=" ".join(wanted), findings=[WITHDRAWN], outlets=["Harbour Daily"])
    dispatch(store, settings, clock.now)

    async def scene() -> None:
        async with seated(store, settings, "maya", clock, size) as maya:
            await maya.press("enter")
            await maya.until(lambda: maya.desk.on_alert, "its screen")
            seen: set[str] = set()
            before = ""
            while before != maya.text:
                before = maya.text
                seen |= set(before.split())
                await maya.press("pagedown")
            assert [word for word in wanted if word not in seen] == []

    play(scene())


def _sheet(store: Store, settings: Settings, clock: Clock) -> Sheet:
    add_incident(store, clock.now, title=LONG, findings=[WITHDRAWN], lang="en")
    dispatch(store, settings, clock.now)
    row = queue.listing(store, now=clock.now)[0]
    early = clock.now - timedelta(hours=3)
    known = KnownClaim("The ballots of Moonrise Island are numbered", None, None, "ruling", 0.61, None, "alert:7")
    answer = KnownClaim("選票上並無編號", "https://office.example/1", "選舉事務署", "official", 0.4, early, "item:5")
    edit = Diff(early, (("=", "Every ballot is "), ("-", "marked"), ("+", "numbered\x1b[31m")))
    item = SheetItem(1, "Harbour Daily", "media", None, early, early, LONG, "https://harbour.example/1", (edit,))
    passage = Passage(1, LONG, "", (Span(6, 12, "weight", 0.4), Span(16, 31, "match")), Lang.EN)
    evidence = (
        {"item_id": 1, "kind": "page", "url": "https://harbour.example/1", "captured_at": early, "sha256": "ab" * 32}
        | {"status": 404, "changed": "gone"},
    )
    note = HistoryLine(early, "maya", "the printer says otherwise")
    about = ("卓望晴",)
    reasons, claims = ("A reason.",), (known, answer)
    return Sheet(row, False, "desk", about, (passage,), reasons, (), claims, (item,), evidence, (), (note,), ())


@pytest.mark.parametrize("cells", [40, 78, 118, 200])
def test_a_whole_sheet_fits_its_width(store: Store, settings: Settings, clock: Clock, cells: int) -> None:
    """Words and names in their own roles, edits with signs, claims beside statements, evidence."""
    session = Session(store, settings, "maya", clock)
    lines = document.lines(_sheet(store, settings, clock), session, clock.now, cells)
    assert all(width(text_of(line)) <= cells for line in lines)
    pieces = [piece for line in lines for piece in line]
    assert ("ballot", "weight") in pieces
    assert any("Moonrise" in text for text, role in pieces if role == "match")
    text = "".join("".join(text_of(line).split()) for line in lines)
    if cells < document.WIDE:  # lines of two columns have the words of both
        for words in ("[-marked-]{+numbered[31m+}", "thepageisgone", "0.61", "theprintersaysotherwise"):
            assert words in text
    if cells == 40:  # one below the other; side by side where there is room
        assert "(official,選舉事務署2027-03-01)" in text
        assert "(ourruling)" in text
    heading = [text_of(line) for line in lines if "Nearest known claims" in text_of(line)]
    assert len(heading) == 1
    assert ("Official statements" in heading[0]) == (cells in (78, 118, 200))
