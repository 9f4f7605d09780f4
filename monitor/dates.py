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
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache

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
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


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
        moment = _usual(raw, hours) or _written(raw[:100], hours)
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
    """The two forms of nearly all feeds, RFC 822 and RFC 3339, as dateutil reads them but thirty times as fast."""
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


def _written(raw: str, zones: Mapping[str, float]) -> datetime | None:
    from monitor.dates_written import read  # here, because few feeds need it, and every parser would wait for it

    return read(raw, zones)


def _from_struct(parsed: time.struct_time | None) -> datetime | None:
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _plausible(moment: datetime) -> datetime | None:
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None
