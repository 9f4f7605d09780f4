"""The short way for usual dates reads what the long way reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hypothesis import example, given
from hypothesis import strategies as st

from monitor.dates import _read, _usual

_ZONES = ["GMT", "HKT", "UTC", "EST", "ZZZ", "Z", "+0800", "-0330", "+0075", "+9900", "+08:00", "", "MON", "AM"]


@st.composite
def _dates(draw: st.DrawFn) -> str:
    year, month, day, hour, minute, second = (
        draw(st.integers(low, high)) for low, high in ((1899, 2101), (1, 12), (0, 32), (0, 25), (0, 61), (0, 61))
    )
    name = draw(st.sampled_from(["Jan", "Feb", "Mar", "Sep", "Dec", "Sept", "mar"]))
    weekday = draw(st.sampled_from(["", "Mon, ", "Sun, ", "Mon ", "Xyz, "]))
    zone = draw(st.sampled_from(_ZONES))
    fraction = draw(st.sampled_from(["", ".5", ".123456"]))
    return draw(
        st.sampled_from(
            [
                f"{weekday}{day:02} {name} {year} {hour:02}:{minute:02}:{second:02} {zone}",
                f"{weekday}{day} {name} {year} {hour:02}:{minute:02} {zone}",
                f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}",
            ]
        )
    )


def _outcome(read: Callable[[str], datetime | None], raw: str) -> str | None:
    try:
        moment = read(raw)
    except ValueError:
        return "no date"
    return moment.isoformat() if moment else None


@given(_dates())
@example("Mon, 01 Mar 2027 10:00:00 HKT")
@example("2027-03-01T10:00:00.25+08:00")
def test_the_usual_forms_read_the_same(raw: str) -> None:
    """The same instant in the same zone; what is no date to one is none to the other."""
    short = _outcome(_usual, raw)
    if short is not None:
        assert short == _outcome(_read, raw)


def test_the_usual_forms_are_known() -> None:
    """The short way is taken at all."""
    for raw in ("Mon, 01 Mar 2027 10:00:00 +0800", "1 Mar 2027 10:00 HKT", "2027-03-01T10:00:00Z"):
        assert _usual(raw) == _read(raw)
        assert _usual(raw) is not None
