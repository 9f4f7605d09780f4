"""What a text says of polling hours, polling day, stations and the electorate, against the official facts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import time

from classifiers.rules.reading import COUNT, HAN_NUMBER, Sentence, any_of, number, refutes, sentences
from monitor.reference import FactsFile, Polling
from monitor.text import fold
from monitor.types import Candidate, ClaimType, Finding, Match

# Hours are also said of other polls: abroad, in prisons, in exhibitions. Such a sentence is not ours to check.
_ELSEWHERE = re.compile(
    r"\b(?:gmt|utc|bst|edt|est|et|cet|local time|prison\w*|penal|correctional|dedicated|exit polls?|opinion polls?|"
    r"primary|primaries|caucus\w*|presidential|parliamentary|senate|referendum|federal|mock|trial|exhibition)\b|"
    + any_of("模擬 當地時間 懲教 監獄 專用投票站 專用票站 民調 初選 總統 公投 國會 台灣 美國 日本 韓國 英國")
)
_REPORTED_PAST = re.compile(
    r"\b(?:years ago|in (?:19|20)\d\d|last election|previous)\b|" + any_of("上屆 往屆 當年 年前")
)


def check(
    text: str, matches: Sequence[Match], candidates: Mapping[str, Candidate], facts: FactsFile, facts_name: str
) -> tuple[Finding, ...]:
    """Findings ``facts-opens``, ``facts-closes``, ``facts-day``, ``facts-stations`` and ``facts-electorate``.

    At most one of each. A text that names no candidate, office or constituency of this election may speak of another:
    hours and day then weigh half, figures are left alone.
    """
    if refutes(text):
        return ()
    polling = facts.polling
    folded = fold(text)
    districts = {fold(place) for person in candidates.values() for place in person.constituency}
    ours = bool(matches) or any(place in folded for place in districts)
    found: dict[str, Finding] = {}
    for sentence in sentences(text):
        if sentence.asks or _ELSEWHERE.search(sentence.folded) or _REPORTED_PAST.search(sentence.folded):
            continue
        for finding in (
            *_hours(sentence, polling, facts_name, ours),
            *_day(sentence, polling, facts_name, ours),
            *(_figures(sentence, polling, facts_name, districts) if ours else ()),
        ):
            found.setdefault(finding.rule, finding)
    return tuple(found.values())


# -- hours -------------------------------------------------------------------------------------------------------------

_HAN_HOUR = rf"(?:\d{{1,2}}|{HAN_NUMBER}{{1,3}})"
_MORNING = ("凌晨", "清晨", "早上", "早晨", "上午", "朝早", "今早")
_NIGHT = ("晚上", "夜晚", "今晚", "当晚", "晚间", "晚")
_PERIOD = "(?:" + "|".join((*_MORNING, "中午", "正午", "下午", "下昼", "傍晚", *_NIGHT)) + ")"
_TIME = (
    r"(?:\d{1,2}(?:[:.]\d{2})? ?(?:a\.?m\b\.?|p\.?m\b\.?)|(?:[01]?\d|2[0-3]):[0-5]\d(?!\d)|\bnoon\b|\bmidnight\b|"
    rf"{_PERIOD}?{_HAN_HOUR}[时点](?:正|半|{_HAN_HOUR}分|\d{{2}})?)"
)
_CLOCK = re.compile(
    rf"(?P<period>{_PERIOD})?(?P<hour>\d{{1,2}}|{HAN_NUMBER}{{1,3}})"
    rf"(?:[:.](?P<colon>\d{{2}})|[时点](?P<half>半|正)?(?:(?P<minute>\d{{1,2}}|{HAN_NUMBER}{{1,3}})分?)?)?"
    r" ?(?:(?P<meridiem>[ap])\.?m\.?)?"
)
_TO = r"\s*(?:to|until|till|and|至|到|-|–|—|~)\s*"
_POLLS = (
    r"\b(?:polls|polling(?: stations?| places?| hours?)?|voting(?: hours?)?|stations)\b"
    r"(?: (?:in|at|across) [\w' ]{1,30}?)?"
)
_WILL = r"(?: (?:will|would|now|also|all|both|be|are|is|early|only|today|on polling day|this year|this time))*"
_STATIONS = r"(?:投票时间|投票站|票站|投票)"

_SPAN = re.compile(  # from … until …
    rf"(?:{_POLLS}{_WILL}(?: open| runs?| takes place)?(?: from|:| between)? ?|{_STATIONS}[^,。]{{0,12}}?)"
    rf"(?P<opens>{_TIME}){_TO}(?P<closes>{_TIME})"
)
_CLOSES = re.compile(
    rf"{_POLLS}{_WILL} (?:close[sd]?|closing|shuts?|ends?|stops?|open(?: only)? (?=until|till))(?: early)?"
    rf"(?:(?: at| by| until| till)? (?P<closes>{_TIME})| (?:at|until) (?P<hour>\d{{1,2}})\b(?!,\d| (?:per|of)\b))|"
    rf"\b(?:polling|vote|voting)\b.{{0,40}}\bdoors (?:will )?(?:shut|close) at (?P<doors>{_TIME})|"
    rf"{_STATIONS}[^。]{{0,14}}?(?P<han>{_TIME})(?:便|就|即|提早|准时|会|将)*(?:关闭|结束|截止|关门|止|停止)|"
    rf"{_STATIONS}[^。]{{0,10}}?(?:关闭|结束|截止|关门)(?:时间)?(?:提前|提早|改)?(?:是|为|至|到|于|:)?(?P<late>{_TIME})|"
    rf"{_STATIONS}[^。]{{0,10}}?(?:开放|开到|开至)(?:至|到)?(?P<till>{_TIME})(?!开)"
)
_OPENS = re.compile(
    rf"{_POLLS}{_WILL} (?:opens?|starts?|begins?)(?: only)?(?: at| from)? (?P<opens>{_TIME})(?!{_TO}{_TIME})|"
    rf"{_STATIONS}[^。]{{0,10}}?(?P<han>{_TIME})(?:才|便|就|会|将|准时)*(?:开放|开始|起开放|开门)"
)


def clock(words: str) -> tuple[time, ...]:
    """The times of day that folded words may mean: two when morning or evening is not said, none when nonsense."""
    if words in ("noon", "midnight"):
        return (time(12 if words == "noon" else 0),)
    found = _CLOCK.fullmatch(words)
    if found is None:
        return ()
    hour = number(found["hour"])
    minute = 30 if found["half"] == "半" else number(found["colon"] or found["minute"] or "0")
    if hour is None or minute is None or hour > 24 or minute > 59:
        return ()
    if hour > 12 or found["hour"].startswith("0"):
        return (time(hour % 24, minute),)
    first, second = time(hour % 12, minute), time(hour % 12 + 12, minute)
    if not found["period"] and not found["meridiem"]:
        return (first, second)
    night_twelve = hour == 12 and found["period"] in _NIGHT
    return (first,) if found["meridiem"] == "a" or found["period"] in _MORNING or night_twelve else (second,)


def _hours(sentence: Sentence, polling: Polling, facts_name: str, ours: bool) -> Iterator[Finding]:
    for key, official, patterns in (
        ("opens", polling.opens, (_SPAN, _OPENS)),
        ("closes", polling.closes, (_SPAN, _CLOSES)),
    ):
        if official is None:
            continue
        for pattern in patterns:
            for found in pattern.finditer(sentence.folded):
                words = found[key] if pattern is _SPAN else next(filter(None, found.groupdict().values()))
                said = clock(words.strip())
                if said and official.replace(second=0) not in said:
                    yield Finding(
                        rule=f"facts-{key}",
                        claim_type=ClaimType.VOTING_PROCEDURE,
                        text=f"It says that the poll {key} at {_shown(said)}; officially it {key} at {official:%H:%M}.",
                        evidence=sentence.quote(found.start(), found.end()),
                        rests_on=f"{facts_name}: polling.{key} = {official:%H:%M}",
                        weight=0.8 if ours else 0.4,
                    )


def _shown(said: tuple[time, ...]) -> str:
    return " or ".join(f"{moment:%H:%M}" for moment in said)


# -- polling day -------------------------------------------------------------------------------------------------------

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?:{'|'.join(_MONTHS)})[a-z]*"
_ORDINAL = r"(?:st|nd|rd|th)?"
_DAY = re.compile(
    r"\b(?:polling|election) day"
    r"(?: (?:is|was|will|be|has|been|now|moved|changed|postponed|delayed|brought|forward|put|back|to|on|for|falls))*"
    r":? (?:\w+day,? )?(?:the )?"
    rf"(?:(?P<d1>\d{{1,2}}){_ORDINAL}(?: of)? (?P<m1>{_MONTH})|(?P<m2>{_MONTH}) (?P<d2>\d{{1,2}}){_ORDINAL}\b)"
    r"(?:,? (?P<y1>\d{4}))?|"
    r"投票(?:日期|日)(?:已|将|会|现)*(?:是|为|定于|改为|改到|改在|延至|延期至|押后至|推迟至|提前至|于|在|:)?"
    rf"(?:(?P<y2>\d{{4}})年)?(?P<m3>\d{{1,2}}|{HAN_NUMBER}{{1,2}})月(?P<d3>\d{{1,2}}|{HAN_NUMBER}{{1,3}})[日号]"
)


def _day(sentence: Sentence, polling: Polling, facts_name: str, ours: bool) -> Iterator[Finding]:
    official = polling.day
    if official is None:
        return
    for found in _DAY.finditer(sentence.folded):
        year = found["y1"] or found["y2"]
        name = found["m1"] or found["m2"]
        month = _MONTHS.index(name[:3]) + 1 if name else number(found["m3"])
        day = number(found["d1"] or found["d2"] or found["d3"])
        if (year and int(year) != official.year) or (day, month) == (official.day, official.month):
            continue  # another year is another election
        yield Finding(
            rule="facts-day",
            claim_type=ClaimType.VOTING_PROCEDURE,
            text=f"It gives polling day as day {day} of month {month}; officially it is {official:%-d %B %Y}.",
            evidence=sentence.quote(found.start(), found.end()),
            rests_on=f"{facts_name}: polling.day = {official}",
            weight=0.8 if ours else 0.4,
        )


# -- figures -----------------------------------------------------------------------------------------------------------

_ELECTORS = re.compile(
    rf"(?P<n>{COUNT}) (?:registered |eligible |valid |marked )?(?:voters|electors|ballots|ballot papers|votes)\b|"
    rf"(?P<han>{COUNT})(?:名|位|个|张)?(?:已)?(?:登记)?(?:合资格)?(?:选民|选票|人投票|张票)|"
    rf"(?:投票人数|总票数|选民人数|选民总数)(?:达|为|是|有|超过|:)*(?P<tail>{COUNT})"
)
_STATIONS_OPEN = re.compile(
    rf"\b(?:only|total of|just) (?P<n>{COUNT}) (?:polling )?stations "
    r"(?:will |are |to |would )*(?:be )?(?:open|set up|operat)|"
    rf"(?:只|仅|合共|总共)(?:会|将)?(?:有|设|开放|开设|设立)(?P<han>{COUNT})个?(?:投票站|票站)"
)
_ROUNDING = 1.01  # a rounded figure may stand this far above the official one


def _figures(sentence: Sentence, polling: Polling, facts_name: str, districts: set[str]) -> Iterator[Finding]:
    if polling.electorate is not None:
        for found in _ELECTORS.finditer(sentence.folded):
            said = number(next(filter(None, found.groupdict().values())))
            if said is not None and said > polling.electorate * _ROUNDING:
                yield Finding(
                    rule="facts-electorate",
                    claim_type=ClaimType.COUNT_FRAUD,
                    text=f"It speaks of {said:,} electors or votes; the whole electorate is {polling.electorate:,}.",
                    evidence=sentence.quote(found.start(), found.end()),
                    rests_on=f"{facts_name}: polling.electorate = {polling.electorate}",
                    weight=0.8,
                )
    if polling.stations is None or any(place in sentence.folded for place in districts):
        return  # a part of the city has a part of the stations
    for found in _STATIONS_OPEN.finditer(sentence.folded):
        said = number(found["n"] or found["han"])
        if said is not None and said != polling.stations:
            yield Finding(
                rule="facts-stations",
                claim_type=ClaimType.VOTING_PROCEDURE,
                text=f"It says that {said:,} polling stations open; officially there are {polling.stations:,}.",
                evidence=sentence.quote(found.start(), found.end()),
                rests_on=f"{facts_name}: polling.stations = {polling.stations}",
                weight=0.7,
            )
