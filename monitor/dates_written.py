"""Dates that are written out, in many languages and orders. Pure.

A module of its own, loaded with the first such date: nearly all feeds use forms that ``dates`` reads without dateutil,
and every parser would wait for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from functools import partial
from typing import Any

from dateutil import parser

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


def read(raw: str, zones: Mapping[str, float]) -> datetime | None:
    """The instant that ``raw`` names, naive without a zone; None where nobody can say which number is the day.

    ``zones`` are hours east of Greenwich by abbreviation. Raises ValueError when the string is not a whole date, and
    OverflowError and TypeError as dateutil does.
    """
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
    return str(_Words.MONTHS[month - 1][0])


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
