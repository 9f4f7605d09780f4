"""Reading the dates that feeds really write. Pure.

feedparser takes HKT and a dozen other zones for UTC and misreads dates by year first, so the string is read here
and its answer is used only when we cannot.

Some abbreviations name several zones: CST is China Standard Time to a desk in Asia and Central Standard Time to one in
America. What they mean where the reader is (``zone``, the election's time zone) decides: see ``_ELSEWHERE``.
"""

from __future__ import annotations

import calendar
import re
import time
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, partial
from typing import Any

from dateutil import parser

FIRST_YEAR, LAST_YEAR = 1990, 2100  # outside of these a date is a fault

# Hours east of Greenwich. CST and the other American names are as RFC 822 has them, unless _ELSEWHERE knows better.
_HOURS = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "SAST": 2,
    "EET": 2, "EEST": 3, "MSK": 3, "GST": 4, "PKT": 5, "IST": 5.5, "NPT": 5.75, "ICT": 7, "WIB": 7,
    "HKT": 8, "SGT": 8, "MYT": 8, "PHT": 8, "PHST": 8, "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "ACDT": 10.5,
    "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
# What abbreviations mean to a reader in a zone, or in one whose name begins so.
_ELSEWHERE: Mapping[str, Mapping[str, float]] = {
    "Asia/": {"CST": 8},  # China; a desk in Asia that means Chicago says so in figures
    "Asia/Manila": {"PST": 8},
    "Asia/Kuala_Lumpur": {"MST": 8},
    "Asia/Dhaka": {"BST": 6},
    "Asia/Jerusalem": {"IST": 2},
    "Asia/Tel_Aviv": {"IST": 2},
    "Asia/Riyadh": {"AST": 3},
    "Asia/Baghdad": {"AST": 3},
    "Asia/Kuwait": {"AST": 3},
    "Australia/": {"EST": 10, "CST": 9.5, "EDT": 11, "CDT": 10.5},
    "Europe/Dublin": {"IST": 1},
    "America/Havana": {"CST": -5, "CDT": -4},
    "Pacific/Bougainville": {"BST": 11},
}
_MONTH_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_RFC_822 = re.compile(
    rf"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d{{1,2}}) ({'|'.join(_MONTH_NAMES)}) ((?:19|20)\d\d)"
    r" (\d\d):(\d\d)(?::(\d\d))? (?:([A-Z]{3,4})|([+-])(\d\d)(\d\d))",
    re.ASCII,
)
_RFC_3339 = re.compile(r"(?:19|20)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_CHINESE_DAY = re.compile(r"(\d{4})\s*[年/.-]\s*(\d{1,2})\s*[月/.-]\s*(\d{1,2})\s*[日號号]?")
_CHINESE_TIME = re.compile(
    r"(上午|下午|凌晨|清晨|早上|中午|傍晚|晚上)?\s*(\d{1,2})\s*[:時时點点]\s*(\d{1,2})?\s*分?(?:\s*:?\s*(\d{1,2})\s*秒?)?"
)
_HALVES = ("上午", "下午", "凌晨", "清晨", "早上", "中午", "傍晚", "晚上")
_WEEKDAY = re.compile(
    r"\(?(?:星期|週|周|禮拜|礼拜)[一二三四五六日天]\)?|\([一二三四五六日]\)|^[一二三四五六日](?=,)|[월화수목금토일]요일"
)
_KOREAN = (
    ("오전", "上午"),
    ("오후", "下午"),
    ("년", "年"),
    ("월", "月"),
    ("일", "日"),
    ("시", "時"),
    ("분", "分"),
    ("초", "秒"),
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NUMERAL = re.compile(r"[〇○零一二三四五六七八九十百廿卅]{1,8}(?=\s*[年月日號号時时點点分秒])")
_DIGITS = {"〇": 0, "○": 0, "零": 0, **{sign: value for value, sign in enumerate("一二三四五六七八九", 1)}}
_REPUBLIC = re.compile(r"(?:中華民國|中华民国|民國|民国)\s*(\d{1,3})\s*年|(?<!\d)(1\d\d)\s*年")
_REPUBLIC_FOUNDED = 1911
_HALF_PAST = re.compile(r"([時时點点])半")
_SHARP = re.compile(r"(?<=[時时點点])[正整]")
_MONTH = re.compile(r"(\d{1,2})月")  # 22 11月 2027, of systems that translate the name of the month alone
_BRACKETS = re.compile(r"(?<![+-]\d{4})(?<![+-]\d\d:\d\d) \(([A-Za-z]{2,5})\)$")  # 16:05 (HKT)
_OFFSET = re.compile(r"\b(?:GMT|UTC)\s?(?=[+-]\d)")  # dateutil reads the sign after a name as POSIX does, the other way
_DOTTED_TIME = re.compile(r"(\d{4},? )(\d{1,2})\.(\d{2})(?!\d)")  # 1 Maret 2027 12.30
_DAY_OR_MONTH_FIRST = re.compile(r"^\D{0,12}(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}\b")

# Words that tell nothing: days of the week and what joins a date to its time. `mar` is left to the months.
_IGNORED = """
    de del le à às as las los er um pada pukul jam feira
    lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim
    segunda terça quarta quinta sexta sábado domingo seg ter qua qui sex sáb sab dom
    lunes martes miércoles jueves viernes mié jue vie
    senin selasa rabu kamis jumat sabtu minggu ahad isnin khamis jumaat sen sel rab kam jum
"""
_MONTHS = """
    jan january janvier janv janeiro enero januari
    feb february février fevrier févr fevereiro fev febrero februari pebrero
    mar march mars março marco marzo maret mac marso
    apr april avril avr abril abr
    may mai maio mayo mei
    jun june juin junho junio juni hunyo
    jul july juillet juil julho julio juli julai hulyo
    aug august août aout agosto ago agustus agu ogos
    sep sept september septembre setembro set septiembre setyembre
    oct october octobre outubro out octubre oktober okt oktubre
    nov november novembre novembro noviembre nobyembre
    dec december décembre decembre déc dezembro dez diciembre dic desember des disember dis disyembre
"""


class _Words(parser.parserinfo):
    """English, French, Spanish, Portuguese, Indonesian, Malay and Filipino, as outlets around the harbour write."""

    JUMP = [*parser.parserinfo.JUMP, *_IGNORED.split()]  # noqa: RUF012 - dateutil's own way to give words
    # Its stubs want three names for each month.
    MONTHS: Any = [tuple(line.split()) for line in _MONTHS.strip().splitlines()]  # noqa: RUF012 - as above


_PARSER = parser.parser(_Words())
_DEFAULTS = (datetime(2000, 1, 1), datetime(2004, 2, 2))  # noqa: DTZ001 - only the gaps of a naive date


def read_date(raw: str, zone: tzinfo = UTC, parsed: time.struct_time | None = None) -> datetime | None:
    """The instant that ``raw`` names, in UTC; None when it names none that can be trusted.

    ``zone`` is for dates without one, and says which of several zones an abbreviation means; ``parsed`` is what
    feedparser made of it, used when the string is beyond us, unless it is in Chinese, Japanese or Korean, of which it
    takes another day. A numeric date of which nobody can say whether day or month comes first is not guessed at.
    """
    if re.fullmatch(r"\d{10}|\d{13}", raw, re.ASCII):
        return _plausible(datetime.fromtimestamp(int(raw[:10]), UTC))
    try:
        hours = _hours(str(zone))
        moment = _usual(raw, hours) or _read(raw[:100], hours)
    except (ValueError, OverflowError, TypeError):
        moment = None if _CJK.search(raw) else _from_struct(parsed)
    if moment is None:
        return None
    try:
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return _plausible(moment)


@cache
def _hours(zone: str) -> Mapping[str, float]:
    """What abbreviations mean to a reader in ``zone``; of two that begin alike the longer name counts."""
    found = dict(_HOURS)
    for name in sorted(_ELSEWHERE):
        if zone.startswith(name):
            found |= _ELSEWHERE[name]
    return found


def _usual(raw: str, zones: Mapping[str, float]) -> datetime | None:
    """The two forms of nearly all feeds, RFC 822 and RFC 3339, as ``_read`` reads them but thirty times as fast."""
    if _RFC_3339.fullmatch(raw):
        return datetime.fromisoformat(raw)
    found = _RFC_822.fullmatch(raw)
    if found is None:
        return None
    day, month, year, hour, minute, second, name, sign, hours, minutes = found.groups()
    if name is None:
        east = timedelta(hours=int(hours), minutes=int(minutes))
        zone = timezone(east if sign == "+" else -east)
    elif name in zones:
        zone = timezone(timedelta(hours=zones[name]))
    else:
        return None
    return datetime(
        int(year), _MONTH_NAMES.index(month) + 1, int(day), int(hour), int(minute), int(second or 0), tzinfo=zone
    )


def _read(raw: str, zones: Mapping[str, float]) -> datetime | None:
    """Raises ValueError when the string is not a whole date."""
    raw = _OFFSET.sub("", _WEEKDAY.sub(" ", unicodedata.normalize("NFKC", raw)))
    raw = _BRACKETS.sub(r" \1", _DOTTED_TIME.sub(r"\1\2:\3", raw))
    for korean, chinese in _KOREAN:
        raw = raw.replace(korean, chinese)
    numeric = _DAY_OR_MONTH_FIRST.match(raw)
    if numeric and numeric[1] != numeric[2] and max(int(numeric[1]), int(numeric[2])) <= 12:
        return None
    if "年" in raw or any(half in raw for half in _HALVES):
        raw = _from_chinese(raw)
    elif "月" in raw:
        raw = _MONTH.sub(lambda month: f" {_month_name(int(month[1]))} ", _figures(raw))
    elif re.fullmatch(r"\d+", raw, re.ASCII) and len(raw) not in (8, 12, 14):
        raise ValueError("a number")
    # dateutil fills gaps from a default: where two defaults disagree, the day was not in the string.
    named = partial(_zone, zones)
    first, second = (_PARSER.parse(raw, default=default, tzinfos=named) for default in _DEFAULTS)
    if first != second:
        raise ValueError("not a whole date")
    return first


def _zone(zones: Mapping[str, float], name: str | None, offset_s: int | None) -> tzinfo | None:
    if offset_s is not None:
        return timezone(timedelta(seconds=offset_s))
    if name is None:
        return None
    if name.upper() not in zones:
        raise ValueError(f"no zone {name}")
    return timezone(timedelta(hours=zones[name.upper()]))


def _from_chinese(raw: str) -> str:
    """``2027-3-1 16:5:0`` out of the many ways to write it; a year of the Republic (民國) is counted from 1911."""
    raw = _SHARP.sub("", _HALF_PAST.sub(r"\g<1>30分", _figures(raw)))
    raw = _REPUBLIC.sub(lambda year: f"{int(year[1] or year[2]) + _REPUBLIC_FOUNDED}年", raw)
    day = _CHINESE_DAY.search(raw)
    if day is None:
        raise ValueError("not a whole date")
    rest = raw[: day.start()] + " " + raw[day.end() :]
    written = "-".join(day.groups())
    clock = _CHINESE_TIME.search(rest)
    if clock is None:
        return f"{written} {rest}"
    half, hour, minute, second = clock.groups()
    hours = int(hour)
    if half in ("傍晚", "晚上") and hours == 12:
        raise ValueError("midnight, of which nobody can say of which day")
    if (half in ("下午", "傍晚", "晚上") and hours < 12) or (half == "中午" and hours < 3):
        hours += 12
    elif half in ("上午", "凌晨", "清晨", "早上") and hours == 12:
        hours = 0
    return f"{written} {hours}:{minute or 0}:{second or 0} {rest[: clock.start()]} {rest[clock.end() :]}"


def _figures(raw: str) -> str:
    return _NUMERAL.sub(lambda run: str(_number(run[0])), raw)


def _month_name(month: int) -> str:
    if not 1 <= month <= 12:
        raise ValueError("not a month")
    return _MONTH_NAMES[month - 1]


def _number(numeral: str) -> int:
    """二〇二七 digit by digit, 二十一 and 一百一十六 by tens and hundreds."""
    numeral = numeral.replace("廿", "二十").replace("卅", "三十")
    if "十" not in numeral and "百" not in numeral:
        return int("".join(str(_DIGITS[sign]) for sign in numeral))
    total = digit = 0
    for sign in numeral:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        else:
            total += (digit or 1) * (10 if sign == "十" else 100)
            digit = 0
    return total + digit


def _from_struct(parsed: time.struct_time | None) -> datetime | None:
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _plausible(moment: datetime) -> datetime | None:
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None
