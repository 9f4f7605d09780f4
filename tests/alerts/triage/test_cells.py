"""Strangers' words as cells: as wide as every library counts them, and nothing in them that steers a terminal."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import wcswidth, wcwidth

from alerts.triage.cells import Piece, drawable, fit, fit_line, one_line, text_of, width, wrap
from monitor.invisible import INVISIBLE

# What has broken other programs: sequences that join, turn, widen, climb, colour or link.
NASTY = (
    "\x1b[31m",
    "\x1b]8;;http://a.example\x07",
    "\x9b2J",
    "\u202e",
    "\u2066",
    "\u200f",
    "👩‍👩‍👧",
    "🏳️‍🌈",
    "🇭🇰",
    "👍🏽",
    "❤️",
    "1️⃣",
    "❤︎",
    "e\u0301",
    "Z̷͉̀͛ä̶́l̵̈g̸o̴",
    "ｆｕｌｌ",
    "ﾊﾝｶｸ",
    "각",
    "각",
    "ᄀ" * 3,
    "नमस्ते",
    "ไทย",
    "שלום",
    "مرحبا",
    "؀1",
    "\u3000",
    "\u00a0",
    "\u2028",
    "\t",
    "\r\n",
    "[bold red]x[/]",
    "[@click=app.bell]x[/]",
    "卓望晴",
    "㍻",
    "Ⅷ",
    "🫠",
    "🀄",
    "⌚",
    "\U000e0041",
    "\uf8ff",
    "\u0378",
    "…",
    "“”",
)
titles = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=6)), max_size=12).map("".join)


def test_every_character_is_as_wide_as_all_count_it() -> None:
    """Of all that Unicode has: what is drawn for it is as wide for us as for rich, which draws, and for wcwidth."""
    for code in range(sys.maxunicode + 1):
        drawn = drawable(f"a{chr(code)}")[1:]
        assert width(drawn) == cell_len(drawn), hex(code)
        assert all(wcwidth(char) >= 0 for char in drawn), hex(code)
        assert sum(map(wcwidth, drawn)) == width(drawn), hex(code)


@given(titles, st.integers(0, 40))
def test_a_hostile_title_fills_its_column_and_no_more(title: str, cells: int) -> None:
    """Exactly the width that was asked for, whoever counts; no control, no invisible and no joining character."""
    drawn = fit(title, cells)
    assert width(drawn) == cell_len(drawn) == wcswidth(drawn) == cells
    assert not INVISIBLE.search(drawn)
    assert not {unicodedata.category(char) for char in drawn} & {"Cc", "Cf", "Cs", "Co", "Cn", "Me", "Zl", "Zp"}


@given(titles)
def test_drawing_twice_changes_nothing(title: str) -> None:
    """What can be drawn stays as it is."""
    assert one_line(one_line(title)) == one_line(title)


@given(
    st.lists(st.tuples(titles.map(drawable), st.sampled_from(("text", "weight", "match"))), max_size=5),
    st.integers(8, 50),
)
def test_wrapped_text_stays_between_its_borders(pieces: Sequence[Piece], cells: int) -> None:
    """No line is wider than it may be, and no word is lost."""
    lines = wrap(pieces, cells, indent=2)
    assert all(width(text_of(line)) <= cells for line in lines)
    assert "".join(map(text_of, lines)).replace(" ", "") == "".join(text for text, _ in pieces).replace(" ", "")
    for line in lines:
        assert width(text_of(fit_line(line, cells))) == cells


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("🇭🇰 號外", "HK 號外"),
        ("👍🏽 ok", "👍 ok"),
        ("👩\u200d👧", "👩👧"),
        ("❤\ufe0f", "❤"),
        ("a" + "\u0301" * 50, "á\u0301\u0301"),
        ("\u0301卓", "卓"),
        ("\u202eevil\u202c", "evil"),
        ("\x1b[2Jx", "[2Jx"),
        ("Ｐｅｒｒｙ\u3000Ｍａｎ", "Ｐｅｒｒｙ Ｍａｎ"),
        ("\ue000\U000f0000", "□□"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_what_is_drawn_instead(text: str, drawn: str) -> None:
    """Flags become letters, sequences their parts, floods of marks a few; markup is words."""
    assert one_line(text) == drawn


def test_a_wide_character_is_not_cut_in_half() -> None:
    """Where it does not fit, an ellipsis and a space stand."""
    assert fit("卓望晴", 5) == "卓望…"
    assert fit("卓望晴", 4) == "卓… "
    assert fit("卓望晴", 6) == "卓望晴"


def test_lines_break_where_people_break_them() -> None:
    """Between words, between Han characters; not before a full stop, not after an opening bracket."""
    pieces = [("卓望晴今早退選。「假」 a long word", "text")]
    assert [text_of(line) for line in wrap(pieces, 12)] == ["卓望晴今早退", "選。「假」 a", "long word"]
