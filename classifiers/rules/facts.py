"""What a text says of hours, day, stations, turnout and documents, against the official facts. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from classifiers.rules import day, documents, figures, hours
from classifiers.rules.reading import Reading, any_of
from classifiers.rules.roster import Roster
from monitor.reference import FactsFile
from monitor.text import fold
from monitor.types import Finding

_OF_VOTING = re.compile(r"(?a)\b(?:poll|vot|ballot|elect|station|turnout)|[投票选]")
# Hours are also said of other polls: abroad, in prisons, in exhibitions. Such a sentence is not ours to check.
_ELSEWHERE = re.compile(
    r"\b(?:gmt|utc|bst|edt|est|et|cet|local time|prison\w*|penal|correctional|dedicated|exit polls?|opinion polls?|"
    r"primary|primaries|caucus\w*|presidential|parliamentary|senate|referendum|federal|mock|trial|exhibition)\b|"
    + any_of("模擬 當地時間 懲教 監獄 專用投票站 專用票站 民調 初選 總統 公投 國會 台灣 美國 日本 韓國 英國")
)
_REPORTED_PAST = re.compile(
    r"\b(?:years ago|in (?:19|20)\d\d|last election|previous)\b|" + any_of("上屆 往屆 當年 年前")
)


def is_of_voting(reading: Reading) -> bool:
    """Whether the text speaks of a vote at all."""
    return _OF_VOTING.search(reading.folded) is not None


def check(
    reading: Reading, roster: Roster, facts: FactsFile, facts_name: str, said_on: date | None = None
) -> tuple[Finding, ...]:
    """Findings ``facts-opens``, ``-closes``, ``-day``, ``-stations``, ``-electorate``, ``-turnout``, ``-identity``.

    At most one of each. A text that names no candidate, office or constituency of this election may speak of another:
    hours, day and documents then weigh half, figures are left alone. ``said_on`` is the day of the text, if known.
    """
    if not is_of_voting(reading) or reading.refutes:
        return ()
    figured = {fold(name) for constituency in facts.constituency for name in constituency.names}
    places = {*roster.places, *figured}
    ours = bool(reading.matches) or any(place in reading.folded for place in places)
    document_patterns = documents.patterns(facts.identity)
    found: dict[str, Finding] = {}
    for sentence in reading.sentences:
        if sentence.asks or _ELSEWHERE.search(sentence.folded) or _REPORTED_PAST.search(sentence.folded):
            continue
        for finding in (
            *hours.check(sentence, facts.polling, facts_name, ours=ours),
            *day.check(sentence, facts.polling, facts_name, said_on, ours=ours),
            *documents.check(sentence, document_patterns, facts_name, ours=ours),
        ):
            found.setdefault(finding.rule, finding)
    if ours:
        for finding in figures.check(_plain(reading, places), facts, facts_name):
            found.setdefault(finding.rule, finding)
    return tuple(found.values())


def _plain(reading: Reading, places: Collection[str]) -> list[figures.Statement]:
    """The sentences that speak of this election now, each with the places it names, or else the text names."""
    of_text = frozenset(place for place in places if place in reading.folded)
    said = []
    for sentence in reading.sentences:
        if not (sentence.asks or _ELSEWHERE.search(sentence.folded) or _REPORTED_PAST.search(sentence.folded)):
            own = frozenset(place for place in of_text if place in sentence.folded)
            said.append(figures.Statement(sentence, own or of_text, named=bool(own)))
    return said
