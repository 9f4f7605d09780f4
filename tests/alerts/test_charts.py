"""Charts as SVG text: what they say to who sees them, to who does not, and to a program that only knows SVG."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import resvg_py
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.charts import BY_DAY, BY_NIGHT, Colours, bars, spark, trend

DAYS = tuple(f"{day:02}.11." for day in range(1, 15))
SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = st.none() | st.floats(0, 1e12) | st.integers(0, 10**9)
HOSTILE = '</title></svg><script>alert(1)</script>"\x00\x1b\u202e\ufffe'


def _parsed(drawn: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn)  # noqa: S314 - of our own making


def _texts(drawn: str) -> list[str]:
    return [element.text or "" for element in _parsed(drawn).iter(f"{SVG}text")]


def _lines(drawn: str) -> list[list[tuple[float, float]]]:
    found = [element.attrib["points"].split() for element in _parsed(drawn).iter(f"{SVG}polyline")]
    return [[(float(x), float(y)) for x, y in (point.split(",") for point in points)] for points in found]


def test_a_trend_has_a_line_for_each_series_and_the_scale_is_round() -> None:
    """The axis ends at a round number above the most; the last day is always named; each series is in the legend."""
    drawn = trend("Flagged", DAYS, [("items", [*range(13), 33]), ("alerts", [1.0] * 14)], unit="a day")
    assert len(_lines(drawn)) == 2
    texts = _texts(drawn)
    assert [text for text in texts if text.isdigit()] == ["0", "10", "20", "30", "40"]
    assert texts[-2:] == ["items", "alerts"]
    assert "14.11." in texts
    assert "13.11." not in texts  # there is room for every second


def test_what_was_not_measured_is_a_gap() -> None:
    """No line leads across a day without a number, and a lonely day is a dot."""
    drawn = trend("Clocks", DAYS[:6], [("p50", [4, 5, None, 7, None, float("nan")])], unit="min")
    assert [len(line) for line in _lines(drawn)] == [2]
    assert len(list(_parsed(drawn).iter(f"{SVG}circle"))) == 3
    assert len(_texts(drawn)) == len(set(_texts(drawn)))  # one name in the legend, whatever the number of pieces


def test_words_can_be_read_on_a_telephone() -> None:
    """Between margins of 16 pixels on a screen of 360, in page and mail, they are 12 pixels high at least."""
    for drawn in (trend("Flagged", DAYS, [("items", [1.0] * 14)], unit="a day"), bars("Kinds", [("a", 3)], unit="b")):
        wide = float(_parsed(drawn).attrib["viewBox"].split()[2])
        assert float(_parsed(drawn).attrib["font-size"]) * (360 - 2 * 16) / wide >= 12


def test_who_does_not_see_it_is_told_title_and_numbers() -> None:
    """`<title>` and `<desc>` say what the picture does, the gaps too."""
    parsed = _parsed(trend("Clocks", DAYS[:3], [("p50", [4, None, 1.5])], unit="min"))
    assert parsed.findtext(f"{SVG}title") == "Clocks"
    assert parsed.findtext(f"{SVG}desc") == "p50: 01.11. 4, 02.11. –, 03.11. 1.5 (min)"
    assert parsed.attrib["role"] == "img"
    assert _parsed(bars("Kinds", [("騙局", 3)], unit="宗")).findtext(f"{SVG}desc") == "騙局: 3 宗"


def test_lines_are_told_apart_without_their_colours() -> None:
    """Three series, three kinds of dashes."""
    drawn = trend("Clocks", DAYS[:3], [(name, [1, 2, 3]) for name in "abc"], unit="min")
    lines = list(_parsed(drawn).iter(f"{SVG}polyline"))
    assert len({line.attrib.get("stroke-dasharray") for line in lines}) == 3


def test_bars_are_as_long_as_their_numbers() -> None:
    """In proportion to the longest; a zero is still a sliver; a name that is too long is cut, in either script."""
    drawn = bars("Kinds", [("Voting procedure", 8), ("冒充官方" * 20, 4), ("x" * 200, 0)], unit="alerts")
    wide = [float(bar.attrib["width"]) for bar in _parsed(drawn).iter(f"{SVG}rect")]
    assert wide[0] == pytest.approx(2 * wide[1], abs=0.1)
    assert 0 < wide[2] <= 1
    assert [len(text) for text in _texts(drawn) if text.endswith("…")] == [22, 44]


@pytest.mark.parametrize("colours", [BY_DAY, BY_NIGHT])
def test_a_program_for_mails_can_draw_them(colours: Colours) -> None:
    """With given colours no variable of a page is left, and resvg makes a picture of each."""
    for drawn in (
        trend("Flagged", DAYS, [("項目", range(14))], unit="每日", colours=colours),
        bars("Kinds", [("騙局", 3)], unit="宗", colours=colours),
        spark([1, None, 2, 3], colours=colours),
    ):
        assert "var(" not in drawn
        assert bytes(resvg_py.svg_to_bytes(svg_string=drawn)).startswith(b"\x89PNG")


def test_nothing_to_show_is_a_chart_too() -> None:
    """No day, no row, no number: still a picture that a program can read."""
    for drawn in (trend("t", (), [], unit="u"), trend("t", DAYS, [("s", [None] * 14)], unit="u")):
        assert not _lines(drawn)
    assert not list(_parsed(bars("t", [], unit="u")))[1:]
    assert not _lines(spark([None, None]))


def test_hostile_names_are_words() -> None:
    """Markup in a name is shown as it is written; what XML must not hold is gone."""
    for drawn in (trend(HOSTILE, [HOSTILE], [(HOSTILE, [1])], unit=HOSTILE), bars(HOSTILE, [(HOSTILE, 1)], unit="u")):
        assert not list(_parsed(drawn).iter(f"{SVG}script"))
        assert "alert(1)" in " ".join(_texts(drawn))


@given(st.lists(NUMBERS, max_size=20))
@example([5e-324])
def test_every_point_lies_in_the_picture(values: list[float | None]) -> None:
    """Whatever the numbers, nothing is drawn outside of the frame, and there are five marks at most."""
    drawn = trend("t", [str(day) for day in range(len(values))], [("s", values)], unit="")
    _left, _top, wide, high = map(float, _parsed(drawn).attrib["viewBox"].split())
    for points in (*_lines(drawn), *_lines(spark(values))):
        assert all(-0.1 <= x <= wide + 0.1 and -0.1 <= y <= high + 0.1 for x, y in points)
    marks = [
        e for e in _parsed(drawn).iter(f"{SVG}text") if e.attrib["text-anchor"] == "end" and e.attrib["x"] == "38.0"
    ]
    assert 2 <= len(marks) <= 5
