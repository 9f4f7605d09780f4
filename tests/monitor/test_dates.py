"""Dates as feeds really write them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.dates import _hours, _usual, read_date
from monitor.dates_written import read as _read

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
_HOURS = _hours("Asia/Hong_Kong")


@pytest.mark.parametrize(
    ("raw", "utc"),
    [
        ("Mon, 01 Mar 2027 16:05:00 HKT", "2027-03-01 08:05"),
        ("Mon, 01 Mar 2027 16:05:00 SGT", "2027-03-01 08:05"),
        ("Mon, 01 Mar 2027 16:05:00 PHT", "2027-03-01 08:05"),
        ("Mon, 01 Mar 2027 16:05:00 JST", "2027-03-01 07:05"),
        ("Mon, 01 Mar 2027 16:05:00 AEST", "2027-03-01 06:05"),
        ("Mon, 01 Mar 2027 16:05:00 IST", "2027-03-01 10:35"),
        ("Thu, 01 Jul 2027 16:05:00 BST", "2027-07-01 15:05"),
        ("Mon, 01 Mar 2027 16:05:00 EST", "2027-03-01 21:05"),
        ("Mon, 01 Mar 2027 16:05:00 GMT", "2027-03-01 16:05"),
        ("Mon, 01 Mar 2027 16:05:00 Z", "2027-03-01 16:05"),
        ("Mon, 01 Mar 2027 16:05:00 +0800", "2027-03-01 08:05"),
        ("Mon, 01 Mar 2027 16:05:00 +0800 (HKT)", "2027-03-01 08:05"),
        ("2027-03-01T16:05:00+08:00", "2027-03-01 08:05"),
        ("2027-03-01T16:05:00", "2027-03-01 08:05"),
        ("2027/03/01 16:05", "2027-03-01 08:05"),
        ("31/12/2026 16:05", "2026-12-31 08:05"),
        ("2027年3月1日", "2027-02-28 16:00"),
        ("2027年3月1日 16:05", "2027-03-01 08:05"),
        ("2027年3月1日 星期一 下午4時05分", "2027-03-01 08:05"),
        ("2027年03月01日（星期一）上午8:05", "2027-03-01 00:05"),
        ("2027-03-01 16:05 GMT+8", "2027-03-01 08:05"),
        ("2027-03-01 16:05:00 UTC-5", "2027-03-01 21:05"),
        ("2027/03/01 16:05 (星期一)", "2027-03-01 08:05"),
        ("２０２７年３月１日　１６：０５", "2027-03-01 08:05"),
        ("2027年3月1日(一) 16:05", "2027-03-01 08:05"),
        ("二〇二七年三月一日", "2027-02-28 16:00"),
        ("二零二七年十二月廿一日", "2027-12-20 16:00"),
        ("二○二七年三月一日星期一下午四時零五分", "2027-03-01 08:05"),
        ("二零二七年三月三十一日（星期三）晚上十時半", "2027-03-31 14:30"),
        ("2027年3月1日清晨6点半", "2027-02-28 22:30"),
        ("民國116年3月1日", "2027-02-28 16:00"),
        ("中華民國一百一十六年三月一日 16:05", "2027-03-01 08:05"),
        ("116年3月1日16時05分", "2027-03-01 08:05"),
        ("lundi 1er mars 2027 à 16h05", "2027-03-01 08:05"),
        ("12 août 2027", "2027-08-11 16:00"),
        ("qui, 04 mar 2027 16:05:00 -0300", "2027-03-04 19:05"),
        ("segunda-feira, 1 de março de 2027 às 16:05", "2027-03-01 08:05"),
        ("31 de diciembre de 2026", "2026-12-30 16:00"),
        ("Senin, 01 Maret 2027 15.05 WIB", "2027-03-01 08:05"),
        ("5 Ogos 2027", "2027-08-04 16:00"),
        ("1 Marso 2027", "2027-02-28 16:00"),
        ("2027/03/01 下午 04:05:00", "2027-03-01 08:05"),
        ("2027-03-01 上午 8:05", "2027-03-01 00:05"),
        ("2027/3/1 上午 12:05", "2027-02-28 16:05"),
        ("2027年3月1日下午四時正", "2027-03-01 08:00"),
        ("週一, 01 三月 2027 16:05:00 +0800", "2027-03-01 08:05"),
        ("一, 01 3月 2027 16:05:00 +0800", "2027-03-01 08:05"),
        ("星期一 三月 01 16:05:00 CST 2027", "2027-03-01 08:05"),
        ("2027년 3월 1일 월요일 오후 4:05", "2027-03-01 08:05"),
        ("Mon, 01 Mar 2027 16:05:00 (HKT)", "2027-03-01 08:05"),
        ("Mon, 01 Mar 2027 16:05:00 +0900 (JST)", "2027-03-01 07:05"),
        ("1 Maret 2027, 15.05 WIB", "2027-03-01 08:05"),
        ("1803888300", "2027-03-01 08:05"),
        ("1803888300000", "2027-03-01 08:05"),
    ],
)
def test_dates_are_read_as_their_authors_meant_them(raw: str, utc: str) -> None:
    """Zone names, zone-less local times, Chinese dates and epoch numbers."""
    assert read_date(raw, HONG_KONG) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    ["", "soon", "March 2027", "16:05", "03/04/2027", "0000-00-00", "0001-01-01", "1970-01-01",
     "9999-12-31 23:00 -0800", "12345", "2027-13-45", "2027年", "三月一日", "昨天", "丙午年正月初一",
     "三十月 1 2027", "3月1日 16:05", "下午4:05", "2027年3月1日晚上12時", "十" * 100 + "年",
     "民國年3月1日", "3/4/民國116年", "9" * 5_000, "Mon, 01 Mar 2027 99:99:99 GMT"],
)  # fmt: skip
def test_what_is_no_certain_date_is_none(raw: str) -> None:
    """Half dates, absurd years and dates whose day and month nobody can tell apart are not guessed at."""
    assert read_date(raw, HONG_KONG) is None


@pytest.mark.parametrize(
    ("name", "zone", "hours"),
    [
        ("CST", "Asia/Hong_Kong", 8),
        ("CST", "Asia/Taipei", 8),
        ("CST", "America/Chicago", -6),
        ("CST", "America/Havana", -5),
        ("CST", "UTC", -6),
        ("IST", "Asia/Hong_Kong", 5.5),
        ("IST", "Asia/Jerusalem", 2),
        ("IST", "Europe/Dublin", 1),
        ("BST", "Europe/London", 1),
        ("BST", "Asia/Dhaka", 6),
        ("PST", "Asia/Hong_Kong", -8),
        ("PST", "Asia/Manila", 8),
        ("EST", "Australia/Sydney", 10),
        ("EST", "America/New_York", -5),
    ],
)
def test_an_abbreviation_means_what_it_means_where_the_desk_is(name: str, zone: str, hours: float) -> None:
    """In the usual form, in any other, and after full-width figures; a zone in figures says all itself."""
    expected = datetime(2027, 3, 1, 16, 5, tzinfo=timezone(timedelta(hours=hours)))
    for raw in (
        f"Mon, 01 Mar 2027 16:05:00 {name}",
        f"2027-03-01 16:05 {name}",
        f"２０２７年３月１日　１６：０５ {name}",
    ):
        assert read_date(raw, ZoneInfo(zone)) == expected
    figures = read_date("Mon, 01 Mar 2027 16:05:00 -0600", ZoneInfo(zone))
    assert figures == datetime(2027, 3, 1, 22, 5, tzinfo=UTC)


def test_feedparser_has_no_word_in_chinese_or_korean() -> None:
    """It finds a date in them, of another day: none is better."""
    wrong = time.struct_time((2027, 3, 1, 0, 0, 0, 0, 60, 0))
    for raw in ("2027年3月11日半夜", "令和9年3月11日", "2027년 3월 11일 낮"):
        assert read_date(raw, HONG_KONG, wrong) is None


def test_feedparser_has_the_word_when_the_string_is_beyond_us() -> None:
    """A zone we do not know, or another language: what feedparser made of it counts."""
    parsed = time.gmtime(1803888300)
    assert read_date("lundi 1er mars, midi", HONG_KONG, parsed) == datetime(2027, 3, 1, 8, 5, tzinfo=UTC)
    assert read_date("Mon, 01 Mar 2027 08:05:00 XYZT", HONG_KONG, parsed) == datetime(2027, 3, 1, 8, 5, tzinfo=UTC)


_ZONES = ["GMT", "HKT", "UTC", "EST", "CST", "ZZZ", "Z", "+0800", "-0330", "+0075", "+9900", "+08:00", "", "MON", "AM"]


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


def _outcome(read: Callable[[str, Mapping[str, float]], datetime | None], raw: str) -> str | None:
    try:
        moment = read(raw, _HOURS)
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
        assert _usual(raw, _HOURS) == _read(raw, _HOURS)
        assert _usual(raw, _HOURS) is not None
