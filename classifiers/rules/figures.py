"""Stations, electors, votes and turnout as a text counts them: against the facts, and against each other. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifiers.rules.numbers import COUNT, SHARE, number, share
from classifiers.rules.reading import Sentence
from monitor.reference import FactsFile, Figures
from monitor.text import fold
from monitor.types import ClaimType, Finding, Said

_ROUNDING = 1.01  # a rounded figure may stand this far above the official one
_POINTS = 3.0  # percentage points by which a rounded turnout may differ from the votes it speaks of


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence and the folded names of the places it speaks of; none means the whole election."""

    sentence: Sentence
    places: frozenset[str]
    named: bool  # in the sentence itself, not only elsewhere in the text


@dataclass(frozen=True, slots=True)
class _Count:
    value: float
    said: Statement
    start: int
    end: int

    def quote(self) -> str:
        return self.said.sentence.quote(self.start, self.end)


_PEOPLE = r"(?:people|persons|voters|electors|residents|citizens)"
_REGISTERED = re.compile(
    rf"(?P<n>{COUNT}) (?:registered|eligible) (?:voters|electors)\b|"
    rf"\belectorate of (?:only |about |some )?(?P<of>{COUNT})|"
    rf"\b(?:only |has |have )(?P<only>{COUNT}) (?:voters|electors)\b(?! (?:voted|turned|have))|"
    rf"(?:登记选民|合资格选民|选民总数|选民人数|选民)(?:共|总数|人数|只|仅)*(?:达|为|是|有|得|:)+(?P<tail>{COUNT})|"
    rf"(?P<han>{COUNT})(?:名|位|个)?(?:已登记|登记|合资格)的?选民"
)
_VOTED = re.compile(
    rf"(?P<n>{COUNT}) (?:{_PEOPLE} )?(?:have |had )?(?:already )?"
    r"(?:voted|turned out|cast (?:their |a )?(?:votes?|ballots?))\b|"
    rf"(?P<cast>{COUNT}) (?:votes|ballots|ballot papers) (?:were |have been |had been )?(?:cast|issued)\b|"
    rf"(?P<han>{COUNT})(?:人|名选民|位选民|个选民)(?:已|已经)?(?:投票|投了票|投咗票|领取选票)|"
    rf"(?:投票人数|投票总人数)(?:达|为|是|有|超过|:)*(?P<tail>{COUNT})"
)
_COUNTED = re.compile(
    rf"(?P<n>{COUNT}) (?:valid |marked )?(?:votes|ballots|ballot papers) (?:were |was |are |have been |had been )?"
    rf"(?:counted|found|in the (?:ballot )?box(?:es)?|came out)\b|"
    rf"\b(?:counted|found|held|contained) (?P<after>{COUNT}) (?:valid |marked )?(?:votes|ballots|ballot papers)\b|"
    rf"(?:点出|点算出|数出|开出|点得|箱内有|有|共)(?P<han>{COUNT})张(?:选票|票)|总票数(?:达|为|是|有|超过|:)*(?P<tail>{COUNT})"
)
_ANY = re.compile(  # whatever is counted in electors or votes
    rf"(?P<n>{COUNT}) (?:registered |eligible |valid |marked )?(?:voters|electors|ballots|ballot papers|votes)\b|"
    rf"(?P<people>{COUNT}) {_PEOPLE} (?:have |had )?(?:already )?voted\b|"
    rf"(?P<han>{COUNT})(?:名|位|个|张)?(?:已)?(?:登记)?(?:合资格)?(?:选民|选票|人投票|张票)|"
    rf"(?:投票人数|总票数|选民人数|选民总数)(?:达|为|是|有|超过|:)*(?P<tail>{COUNT})"
)
_TURNOUT = re.compile(
    rf"\bturnout\b(?! (?:rose|fell|up|down|gap|increased?|dropped))[^.,;]{{0,40}}?(?P<en>{SHARE})(?! points)|"
    rf"(?P<before>{SHARE}) turnout\b|"
    rf"投票率(?!上升|下跌|增加|减少|增|跌)[^,。;]{{0,14}}?(?P<han>{SHARE})"
)
_CHANGE = re.compile(
    r"\b(?:by|rose|fell|rise|drop|increase\w*|up|down|higher|lower|points)\b|上升|下跌|增加|减少|高出|低于|高于"
)
_STATIONS_OPEN = re.compile(
    rf"\b(?:only|total of|just) (?P<n>{COUNT}) (?:polling )?stations "
    r"(?:will |are |to |would )*(?:be )?(?:open|set up|operat)|"
    rf"\b(?P<cut>{COUNT}) (?:polling )?stations (?:will |are to |would )(?:be )?(?:open|set up|operate)\b|"
    rf"(?:只|仅|合共|总共|一共)(?:会|将)?(?:有|设|开放|开设|设立)(?P<han>{COUNT})个?(?:投票站|票站)"
)


def check(said: Sequence[Statement], facts: FactsFile, facts_name: str) -> Iterator[Finding]:
    """``facts-electorate``, ``facts-turnout`` and ``facts-stations``; the firmest of each first."""
    areas = _Areas(facts, facts_name)
    registered, voted, counted = (_counts(said, pattern) for pattern in (_REGISTERED, _VOTED, _COUNTED))
    yield from _above_the_electorate(_counts(said, _ANY), areas)
    yield from _against_each_other(registered, voted, counted)
    yield from _turnout(said, [*voted, *counted], areas)
    yield from _above_the_published([*voted, *counted], areas)
    yield from _stations(said, areas)


class _Areas:
    """The figures of the whole and of each constituency, and how findings name their lines."""

    def __init__(self, facts: FactsFile, facts_name: str) -> None:
        self._whole, self._name = facts.polling, facts_name
        self._by_place = {fold(name): area for area in facts.constituency for name in area.names}

    def of(self, places: frozenset[str]) -> tuple[Figures, str] | None:
        """The figures of these places with the beginning of their line; None where the facts have no such area."""
        if not places:
            return self._whole, f"{self._name}: polling"
        areas = {id(area): area for place in places if (area := self._by_place.get(place))}
        if len(areas) != 1 or any(place not in self._by_place for place in places):
            return None
        (area,) = areas.values()
        return area, f"{self._name}: constituency {area.names[0]}:"

    @property
    def whole(self) -> tuple[Figures, str]:
        """The whole election."""
        return self._whole, f"{self._name}: polling"


def _counts(said: Sequence[Statement], pattern: re.Pattern[str]) -> list[_Count]:
    found = []
    for one in said:
        for hit in pattern.finditer(one.sentence.folded):
            value = number(next(filter(None, hit.groupdict().values())))
            if value is not None:
                found.append(_Count(value, one, *hit.span()))
    return found


def _finding(rule: str, said: Said, evidence: str, rests_on: str, weight: float) -> Finding:
    claim_type = ClaimType.VOTING_PROCEDURE if rule == "facts-stations" else ClaimType.COUNT_FRAUD
    return Finding(rule, claim_type, said, evidence, rests_on, weight)


def _line(line: str, key: str, value: int) -> str:
    return f"{line}{'.' if line.endswith('polling') else ' '}{key} = {value}"


def _above_the_electorate(counts: Sequence[_Count], areas: _Areas) -> Iterator[Finding]:
    for count in counts:
        figures, line = areas.of(count.said.places) or areas.whole
        if figures.electorate is not None and count.value > figures.electorate * _ROUNDING:
            yield _finding(
                "facts-electorate",
                Said(
                    "It speaks of {count:,} electors or votes; the electorate there is {electorate:,}.",
                    {"count": count.value, "electorate": figures.electorate},
                ),
                count.quote(),
                _line(line, "electorate", figures.electorate),
                0.8,
            )


def _against_each_other(
    registered: Sequence[_Count], voted: Sequence[_Count], counted: Sequence[_Count]
) -> Iterator[Finding]:
    """More votes than electors, or more ballots than voters, by the text's own figures for one place."""
    pairs = (
        (registered, [*voted, *counted], Said("It counts {high:,} votes for {low:,} electors (“{quote}”).")),
        (voted, counted, Said("It counts {high:,} ballots for {low:,} people who voted (“{quote}”).")),
    )
    for fewer, more, said in pairs:
        for low in fewer:
            for high in more:
                if high.value > low.value and high.said.places == low.said.places and high.value < low.value * 20:
                    yield _finding(
                        "facts-turnout",
                        said.filled(high=high.value, low=low.value, quote=low.quote()),
                        high.quote(),
                        "its own figures",
                        0.7,
                    )
                    return


def _turnout(said: Sequence[Statement], votes: Sequence[_Count], areas: _Areas) -> Iterator[Finding]:
    for one in said:
        for hit in _TURNOUT.finditer(one.sentence.folded):
            percent = share(next(filter(None, hit.groupdict().values())))
            if percent is None or _CHANGE.search(hit.group()):
                continue
            quote = one.sentence.quote(*hit.span())
            if percent > 100:
                more = Said("It gives a turnout of {percent:g} %: more votes than electors.", {"percent": percent})
                yield _finding("facts-turnout", more, quote, "arithmetic: a turnout is at most 100 %", 0.7)
            area = areas.of(one.places)
            if area is None or area[0].electorate is None:
                continue
            figures, line = area
            for count in votes:
                really = 100 * count.value / (area[0].electorate or 1)
                if _of_one(one, count.said) and really <= 100 and abs(really - percent) > _POINTS:
                    yield _finding(
                        "facts-turnout",
                        Said(
                            "It gives a turnout of {percent:g} %, but its {count:,} votes are {really:.1f} %.",
                            {"percent": percent, "count": count.value, "really": really},
                        ),
                        quote,
                        _line(line, "electorate", figures.electorate or 0),
                        0.4,
                    )


def _of_one(one: Statement, other: Statement) -> bool:
    """Whether both speak of the same people: a turnout of all may stand before the voters of one constituency."""
    return one is other or (one.places == other.places and one.named == other.named)


def _above_the_published(votes: Sequence[_Count], areas: _Areas) -> Iterator[Finding]:
    for count in votes:
        area = areas.of(count.said.places)
        if area and area[0].voted is not None and count.value > area[0].voted * _ROUNDING:
            yield _finding(
                "facts-turnout",
                Said(
                    "It counts {count:,} votes; {voted:,} people voted there.",
                    {"count": count.value, "voted": area[0].voted},
                ),
                count.quote(),
                _line(area[1], "voted", area[0].voted),
                0.7,
            )


def _stations(said: Sequence[Statement], areas: _Areas) -> Iterator[Finding]:
    for count in _counts(said, _STATIONS_OPEN):
        area = areas.of(count.said.places)
        if area is None or area[0].stations is None or count.value == area[0].stations:
            continue
        yield _finding(
            "facts-stations",
            Said(
                "It says that {count:,} polling stations open; officially there are {stations:,}.",
                {"count": count.value, "stations": area[0].stations},
            ),
            count.quote(),
            _line(area[1], "stations", area[0].stations),
            0.7,
        )
