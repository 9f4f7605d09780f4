"""The polling day a text gives, against the official one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from classifiers.rules.numbers import HAN_NUMBER, number
from classifiers.rules.reading import Sentence, any_of
from monitor.reference import Polling
from monitor.types import ClaimType, Finding, Said

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?:{'|'.join(_MONTHS)})[a-z]*"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY_NAMES = (
    *(Said("Monday"), Said("Tuesday"), Said("Wednesday"), Said("Thursday"), Said("Friday"), Said("Saturday")),
    Said("Sunday"),
)
_MONTH_NAMES = (
    *(Said("January"), Said("February"), Said("March"), Said("April"), Said("May"), Said("June"), Said("July")),
    *(Said("August"), Said("September"), Said("October"), Said("November"), Said("December")),
)
_HAN_WEEKDAYS = "一二三四五六日"
_ORDINAL = r"(?:st|nd|rd|th)?"
_HAN_DATE = (
    rf"(?<!历)(?:(?P<{{p}}y>\d{{{{4}}}}|[零〇一二三四五六七八九]{{{{4}}}}|"
    rf"民国(?:\d{{{{2,3}}}}|{HAN_NUMBER}{{{{2,5}}}}))年)?(?P<{{p}}m>\d{{{{1,2}}}}|{HAN_NUMBER}{{{{1,2}}}})月"
    rf"(?P<{{p}}d>\d{{{{1,2}}}}|{HAN_NUMBER}{{{{1,3}}}})[日号]"
)
_DAY = re.compile(
    r"\b(?:(?:polling|election|voting) day|the election|the poll|polling|voting|the vote)"
    r"(?: (?:in|at|for) [\w' ]{1,30}?)?"
    r"(?: (?:is|was|will|be|has|been|now|moved|changed|postponed|delayed|rescheduled|pushed|set|"
    r"brought|forward|put|back|takes|place|to|on|until|for|falls|opens?|held))+"
    r":? (?:\w+day,? )?(?:the )?"
    rf"(?:(?P<d1>\d{{1,2}}){_ORDINAL}(?: of)? (?P<m1>{_MONTH})|(?P<m2>{_MONTH}) (?P<d2>\d{{1,2}}){_ORDINAL}\b)"
    r"(?:,? (?P<y1>\d{4}))?|"
    r"\b(?:polling|election|voting) day:? \(?(?:(?P<d5>\d{1,2})[/.](?P<m5>\d{1,2})(?:[/.](?P<y5>\d{4}))?)\b|"
    r"(?:\b(?:polling|election|voting) day(?: is| on)?:? ?|投票日期?(?:已|将|会|改)*(?:是|系|为|到|至|:)?)"
    r"(?P<y6>\d{4})[-/.](?P<m6>\d{1,2})[-/.](?P<d6>\d{1,2})\b|"
    r"(?:投票|选举|补选)(?:日期|日)?(?:已经|已|将|会|现|而家|突然)*(?:是|系|为|定于|改咗去|改咗|改左|改去|推咗去|改为|改到|改在|改期至|延至|延期至|押后至|推迟至|"
    rf"推迟到|延期到|提前至|提前到|于|在|:)?{_HAN_DATE.format(p='x')}|"
    rf"{_HAN_DATE.format(p='z')}(?:\([一二三四五六日]\))?(?:才|先|是|为)*(?:投票|举行选举|选举日)"
)
_WEEKDAY = re.compile(
    r"\b(?:polling|election|voting) day (?:is|has been moved to|moved to|now falls on|is now(?: on)?|will be(?: on)?) "
    rf"(?:a |on )?(?P<en>{'|'.join(_WEEKDAYS)})\b(?!,? (?:the )?\d| \w+ \d)|"
    rf"投票日?(?:已|将|会)?(?:改为|改到|改在|改期至|延至|押后至|提前至)(?:下|本|这个?)?(?:星期|周|礼拜)(?P<han>[{_HAN_WEEKDAYS}天])"
)
# Days told from the day of the text.
_NEAR_DAYS = {"today": 0, "tomorrow": 1, "今日": 0, "今天": 0, "听日": 1, "明天": 1, "明日": 1, "后日": 2, "后天": 2}
_NEAR = "|".join(_NEAR_DAYS)
_HAN_WEEK = rf"(?:今个|本|这个?|呢个|下个?)(?:星期|周|礼拜)[{_HAN_WEEKDAYS}天]"
_RELATIVE = re.compile(
    rf"(?a)\b(?:polling|election|voting) day is (today|tomorrow|this (?:coming )?(?:{'|'.join(_WEEKDAYS)}))\b|"
    r"\b(today|tomorrow) is (?:polling|election|voting) day\b|"
    rf"(?:投票|选举)日(?:就|正)?(?:是|系|在|喺)({_NEAR}|{_HAN_WEEK})|({_NEAR}|{_HAN_WEEK})(?:就|正)?(?:是|系)(?:投票|选举)日"
)
_REPUBLIC = 1911  # the year before the first of 民國
_OFF = re.compile(
    r"\b(?:the )?(?:election|polling day|the poll|voting) (?:has been |is |was |will be )(?:called off|cancelled|"
    r"postponed|suspended indefinitely|scrapped)\b|"
    r"(?:选举|投票|补选)(?:日)?(?:已经|已|将|会|宣布|突然|全面)*(?:取消|押后|延期|推迟|暂停|中止|告吹)"
)
_UNREAL = re.compile(
    r"\b(?:if|unless|whether|not|never|no plans?|could|may|might|should|would|calls? for|wants?|urg\w+|demand\w*)\b|"
    + any_of("若 如果 假如 一旦 是否 會否 應否 可能 不會 沒有 並無 並未 無意 要求 促請 呼籲 考慮 建議 倘 上次")
)


def check(
    sentence: Sentence, polling: Polling, facts_name: str, said_on: date | None, *, ours: bool
) -> Iterator[Finding]:
    """``facts-day``: another date or weekday than the official one, or that the poll is off.

    ``said_on`` is the day of the text, if known.
    """
    official = polling.day
    if official is None:
        return
    told = _relative(sentence, official, said_on) if ours else ()
    said_of = (*_dates(sentence, official), *_weekdays(sentence, official), *told, *_off(sentence, ours=ours))
    for said, start, end in said_of:
        yield Finding(
            rule="facts-day",
            claim_type=ClaimType.VOTING_PROCEDURE,
            said=Said("It {said}; officially polling day is {official}.", {"said": said, "official": _shown(official)}),
            evidence=sentence.quote(start, end),
            rests_on=f"{facts_name}: polling.day = {official}",
            weight=0.8 if ours else 0.4,
        )


def _shown(day: date) -> Said:
    named = {"weekday": _WEEKDAY_NAMES[day.weekday()], "month": _MONTH_NAMES[day.month - 1]}
    return Said("{weekday} {day} {month} {year}", {**named, "day": day.day, "year": day.year})


def _dates(sentence: Sentence, official: date) -> Iterator[tuple[Said, int, int]]:
    for found in _DAY.finditer(sentence.folded):
        groups = found.groupdict()
        year = _year(next(filter(None, (groups[key] for key in ("y1", "y5", "y6", "xy", "zy"))), ""))
        name = groups["m1"] or groups["m2"]
        month = (
            _MONTHS.index(name[:3]) + 1
            if name
            else number(groups["m5"] or groups["m6"] or groups["xm"] or groups["zm"] or "")
        )
        day = number(next(filter(None, (groups[key] for key in ("d1", "d2", "d5", "d6", "xd", "zd"))), ""))
        if (year and year != official.year) or (day, month) == (official.day, official.month):
            continue  # another year is another election
        if (groups["m5"] and (month, day) == (official.day, official.month)) or _unreal(sentence, found):
            continue  # month before day, as some write it
        yield Said("gives polling day as day {day} of month {month}", {"day": day, "month": month}), *found.span()


def _year(words: str) -> int | None:
    """A year of the common era; 民國 counts from 1911."""
    republic = words.removeprefix("民国")
    year = number(republic)
    return year + _REPUBLIC if year is not None and republic != words else year


def _relative(sentence: Sentence, official: date, said_on: date | None) -> Iterator[tuple[Said, int, int]]:
    """Polling day is "tomorrow", 下星期日: told from the day of the text, of which nothing is said after the poll."""
    if said_on is None or said_on > official:
        return
    for found in _RELATIVE.finditer(sentence.folded):
        start, end = found.span(found.lastindex or 0)
        if official not in _meant(sentence.folded[start:end], said_on) and not _unreal(sentence, found):
            form = Said("gives polling day as “{words}”, said on {said_on}")
            yield form.filled(words=sentence.quote(start, end), said_on=_shown(said_on)), *found.span()


def _meant(words: str, said_on: date) -> set[date]:
    """The days that the words may mean; a week begins on Monday for some and on Sunday for others."""
    if words in _NEAR_DAYS:
        return {said_on + timedelta(days=_NEAR_DAYS[words])}
    if words.startswith("this"):
        wanted = _WEEKDAYS.index(words.rsplit(maxsplit=1)[-1])
        return {said_on + timedelta(days=(wanted - said_on.weekday()) % 7)}
    wanted = _HAN_WEEKDAYS.index(words[-1].replace("天", "日"))
    monday = said_on - timedelta(days=said_on.weekday())
    sunday = said_on - timedelta(days=(said_on.weekday() + 1) % 7)
    later = 7 if words.startswith("下") else 0
    return {monday + timedelta(days=wanted + later), sunday + timedelta(days=(wanted + 1) % 7 + later)}


def _weekdays(sentence: Sentence, official: date) -> Iterator[tuple[Said, int, int]]:
    for found in _WEEKDAY.finditer(sentence.folded):
        said = _WEEKDAYS.index(found["en"]) if found["en"] else _HAN_WEEKDAYS.index(found["han"].replace("天", "日"))
        if said != official.weekday() and not _unreal(sentence, found):
            yield Said("gives polling day as a {weekday}", {"weekday": _WEEKDAY_NAMES[said]}), *found.span()


def _off(sentence: Sentence, *, ours: bool) -> Iterator[tuple[Said, int, int]]:
    if not ours:
        return  # other elections are put off every week
    for found in _OFF.finditer(sentence.folded):
        if not _unreal(sentence, found) and not re.match(r"至|到| (?:to|until)\b", sentence.folded[found.end() :]):
            yield Said("says that the poll is off"), *found.span()


def _unreal(sentence: Sentence, found: re.Match[str]) -> bool:
    """Whether what is said is a condition, a wish or a denial."""
    return _UNREAL.search(sentence.folded[max(0, found.start() - 40) : found.end()]) is not None
