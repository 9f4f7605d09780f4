"""The polling hours a text gives, against the official ones. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import time

from classifiers.rules.numbers import HAN_NUMBER, number
from classifiers.rules.reading import Sentence
from monitor.reference import Polling
from monitor.types import ClaimType, Finding, Said

_HAN_HOUR = rf"(?:\d{{1,2}}|{HAN_NUMBER}{{1,3}})"
_MORNING = ("凌晨", "清晨", "早上", "早晨", "上午", "朝早", "今早", "朝")
_NIGHT = ("晚上", "夜晚", "今晚", "当晚", "晚间", "晚")
_HOURS = "one two three four five six seven eight nine ten eleven twelve"
_EN_HOUR = rf"(?:\d{{1,2}}|{'|'.join(_HOURS.split())})\b"
_PERIOD = "(?:" + "|".join((*_MORNING, "中午", "正午", "下午", "下昼", "傍晚", *_NIGHT)) + ")"
# Four digits; from 1900 to 2059 they are a year unless they say that they are hours.
_MILITARY = (
    r"(?<![\d,.])(?:(?:0\d|1[0-8]|2[1-3])[0-5]\d(?: ?(?:hours|hrs))?|"
    r"(?:19|20)[0-5]\d ?(?:hours|hrs)|(?<=\bat )20[0-5]\d)(?![\d,.]\d|\w)"
)
_TIME = (
    r"(?:\d{1,2}(?:[:.]\d{2})? ?(?:a\.?m\b\.?|p\.?m\b\.?)|(?:[01]?\d|2[0-3]):[0-5]\d(?!\d)|"
    r"\b(?:1[3-9]|2[0-3])\.[0-5]\d(?![\d%]| (?:per|points))|\bnoon\b|\bmidnight\b|"
    rf"\b(?:half(?: past)?|quarter (?:past|to)) {_EN_HOUR}|\b{_EN_HOUR} o['’]?clock\b|{_MILITARY}|"
    rf"{_PERIOD}?{_HAN_HOUR}[时点](?:正|半|[一三]刻|{_HAN_HOUR}分|\d{{2}})?)"
)
_CLOCK = re.compile(
    rf"(?P<period>{_PERIOD})?(?P<hour>\d{{1,2}}|{HAN_NUMBER}{{1,3}})"
    rf"(?:[:.](?P<colon>\d{{2}})|[时点]?(?P<half>半|正)|[时点](?P<quarters>[一三])刻|[时点](?:(?P<minute>\d{{1,2}}|{HAN_NUMBER}{{1,3}})分?)?)?"
    r" ?(?:(?P<meridiem>[ap])\.?m\.?)?"
)
_SPOKEN = re.compile(rf"(?:(?P<part>half|quarter)(?: (?P<way>past|to))? )?(?P<hour>{_EN_HOUR})(?: o['’]?clock)?")
_FOUR_DIGITS = re.compile(r"(?P<hour>\d{2})(?P<minute>\d{2})(?: ?(?:hours|hrs))?")
_TO = r"\s*(?:to|until|till|and|至|到|-|–|—|~)\s*"
_POLLS = (
    r"\b(?:polls|polling(?: stations?| places?| hours?)?|voting(?: hours?)?|stations)\b"
    r"(?: (?:in|at|across) [\w' ]{1,30}?)?(?: ?[\u4e00-\u9fff]{1,6},?(?= ))?"  # "polling hour 改咗 close at 7pm"
)
_WILL = r"(?: (?:will|would|now|also|all|both|be|are|is|early|only|today|on polling day|this year|this time))*"
_STATIONS = r"(?:投票时间|投票站|票站|投票)"

_SPAN = re.compile(  # from … until …
    rf"(?a)(?:{_POLLS}{_WILL}(?: open| runs?| takes place)?(?: from|:| between)? ?|{_STATIONS}[^,。]{{0,12}}?)"
    rf"(?P<opens>{_TIME}){_TO}(?P<closes>{_TIME})"
)
_BY_DAY_AND_NIGHT = re.compile(  # 朝九晚十: an hour of the morning and one of the night, and no more words
    rf"{_STATIONS}[^,。]{{0,12}}?(?P<opens>朝{_HAN_HOUR}半?)[至到]?(?P<closes>晚{_HAN_HOUR}半?)(?![时点分])"
)
_CLOSES = re.compile(
    rf"(?a){_POLLS}{_WILL} (?:close[sd]?|closing|shuts?|ends?|finish(?:es)?|stops?|"
    rf"open(?: only)? (?=until|till))(?: (?:an?|half an|one|two) hours?)?(?: early)?,?"
    rf"(?:(?: at| by| until| till)? (?P<closes>{_TIME})|"
    rf" (?:at|until) (?P<hour>\d{{1,2}}\.[0-5]\d\b|{_EN_HOUR})(?![,.]\d| (?:per|of)\b))|"
    rf"\b(?:polling|vote|voting)\b.{{0,40}}\bdoors (?:will )?(?:shut|close) at (?P<doors>{_TIME})|"
    rf"{_STATIONS}[^。]{{0,14}}?(?P<han>{_TIME})(?:便|就|即|提早|准时|会|将)*(?:关闭|结束|截止|关门|止|停止|收工|收档|落闸)|"
    rf"{_STATIONS}[^。]{{0,10}}?(?:关闭|结束|截止|关门|收工)(?:时间)?(?:提前|提早|改)?(?:是|为|至|到|于|:)?(?P<late>{_TIME})|"
    rf"{_STATIONS}[^。]{{0,10}}?(?:开放|开到|开至)(?:至|到)?(?P<till>{_TIME})(?!开)|"
    rf"(?P<stop>{_TIME})(?:便|就|即|提早|会|将)*(?:截止|结束|停止)投票"
)
_OPENS = re.compile(
    rf"(?a){_POLLS}{_WILL} (?:opens?|starts?|begins?)(?: only)?(?: at| from)? (?P<opens>{_TIME})(?!{_TO}{_TIME})|"
    rf"{_STATIONS}[^。]{{0,10}}?(?P<han>{_TIME})(?:才|先|便|就|会|将|准时)*(?:开放|开始|起开放|开门)"
)


_OF_THE_POLL = re.compile(rf"(?a){_POLLS}|{_STATIONS}")
_ANY_TIME = re.compile(_TIME)

_OTHER_OPENING = Said("It says that the poll opens at {said}; officially it opens at {official}.")
_OTHER_CLOSE = Said("It says that the poll closes at {said}; officially it closes at {official}.")


def clock(words: str) -> tuple[time, ...]:
    """The times of day that folded words may mean: two when morning or evening is not said, none when nonsense."""
    if words in ("noon", "midnight"):
        return (time(12 if words == "noon" else 0),)
    if spoken := _SPOKEN.fullmatch(words):
        return _either_half(spoken)
    found = _FOUR_DIGITS.fullmatch(words) or _CLOCK.fullmatch(words)
    return _of_day(found.groupdict()) if found else ()


def _of_day(found: Mapping[str, str | None]) -> tuple[time, ...]:
    """The parts of a time of day, as ``_CLOCK`` and ``_FOUR_DIGITS`` name them."""
    hour = number(found["hour"] or "")
    minute = 30 if found.get("half") == "半" else number(found.get("colon") or found["minute"] or "0")
    if quarters := found.get("quarters"):
        minute = 15 if quarters == "一" else 45
    if hour is None or minute is None or hour > 24 or minute > 59:
        return ()
    if hour > 12 or "period" not in found or (found["hour"] or "").startswith("0"):
        return (time(hour % 24, minute),)
    first, second = time(hour % 12, minute), time(hour % 12 + 12, minute)
    if not found["period"] and not found["meridiem"]:
        return (first, second)
    night_twelve = hour == 12 and found["period"] in _NIGHT
    return (first,) if found["meridiem"] == "a" or found["period"] in _MORNING or night_twelve else (second,)


def _either_half(spoken: re.Match[str]) -> tuple[time, ...]:
    """``eight``, ``half past eight``, ``quarter to eight o'clock``: before noon and after it."""
    hour = number(spoken["hour"])
    if hour is None or hour > 12:
        return (time(hour),) if hour and hour < 24 and not spoken["part"] else ()
    minutes = {"half": 30, "quarter": 15, None: 0}[spoken["part"]]
    since_midnight = hour % 12 * 60 + (-minutes if spoken["way"] == "to" else minutes)
    return tuple(sorted(time(*divmod((since_midnight + half) % (24 * 60), 60)) for half in (0, 12 * 60)))


def check(sentence: Sentence, polling: Polling, facts_name: str, *, ours: bool) -> Iterator[Finding]:
    """Findings ``facts-opens`` and ``facts-closes``."""
    for key, official, patterns, form in (
        ("opens", polling.opens, (_SPAN, _BY_DAY_AND_NIGHT, _OPENS), _OTHER_OPENING),
        ("closes", polling.closes, (_SPAN, _BY_DAY_AND_NIGHT, _CLOSES), _OTHER_CLOSE),
    ):
        if official is None:
            continue
        for pattern in patterns:
            for found in pattern.finditer(sentence.folded):
                words = (
                    found[key]
                    if pattern in (_SPAN, _BY_DAY_AND_NIGHT)
                    else next(filter(None, found.groupdict().values()))
                )
                said = clock(words.strip())
                if said and official.replace(second=0) not in said:
                    yield Finding(
                        rule=f"facts-{key}",
                        claim_type=ClaimType.VOTING_PROCEDURE,
                        said=form.filled(said=_shown(said), official=f"{official:%H:%M}"),
                        evidence=sentence.quote(found.start(), found.end()),
                        rests_on=f"{facts_name}: polling.{key} = {official:%H:%M}",
                        weight=0.8 if ours else 0.4,
                    )


def all_official(folded: str, polling: Polling) -> bool:
    """Whether a folded text speaks of the poll and gives its opening and its close, and no other time of day."""
    if not _OF_THE_POLL.search(folded):
        return False
    official = {polling.opens, polling.closes} - {None}
    said = [clock(found.group().strip()) for found in _ANY_TIME.finditer(folded)]
    given = {time for time in official if any(time in meant for meant in said)}
    return len(official) == 2 and given == official and all(official & set(meant) for meant in said)


def _shown(said: tuple[time, ...]) -> Said:
    first, *second = (f"{moment:%H:%M}" for moment in said)
    return Said("{first} or {second}", {"first": first, "second": second[0]}) if second else Said(first)
