"""What a text says in any language: watched names and places, numbers, dates, web addresses. Pure.

An anchor is a word such as ``name:man-pui-lam``, ``number:5000``, ``date:12-07`` or ``link:harbour.example/5``: a claim
and its translation share few words, but these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set

from classifiers.rules.numbers import COUNT, HAN_NUMBER, number
from monitor.links import link_key
from monitor.text import fold
from monitor.types import Candidate
from monitor.watchlist import Watchlist

LINK = re.compile(
    r"(?:https?://|www\.)[\x21-\x7e]{1,500}|(?<![a-z0-9.-])(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24}/[\x21-\x7e]{0,500}",
    re.IGNORECASE,
)
_NUMBER = re.compile(COUNT)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?P<{}>[12]?\d|3[01])(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"(?<!\d)(?P<han_month>\d{{1,2}}|{HAN_NUMBER}{{1,2}})月(?P<han_day>\d{{1,2}}|{HAN_NUMBER}{{1,3}})[日号]"
    rf"|\b(?P<before>{_MONTH})\.? {_DAY.format('after_month')}(?![\d,.]*\d)"
    rf"|(?<!\d){_DAY.format('before_month')} (?:of )?(?P<after>{_MONTH})\b"
    r"|(?<!\d)\d{4}-(?P<iso_month>[01]\d)-(?P<iso_day>[0-3]\d)(?!\d)"
)


def names_and_places(candidates: Iterable[Candidate]) -> Watchlist:
    """A watchlist of these people and offices and of their constituencies and parties.

    A constituency or party is known by its first name: the others, in other scripts, are the same place.
    """
    candidates = list(candidates)
    groups = {names for person in candidates for names in (person.constituency, person.party) if names}
    return Watchlist([*candidates, *(Candidate(id=names[0], names=names) for names in sorted(groups))])


def anchors(text: str, names: Watchlist) -> frozenset[str]:
    """The anchors of a text, ``kind:value``; ``names`` says whom and what to look for."""
    found = {f"name:{match.candidate_id}" for match in names.match(text)}
    found |= {f"link:{key}" for link in LINK.findall(text) if (key := link_key(_whole(link)))}
    folded = fold(LINK.sub(" ", text))
    found |= {f"date:{month:02}-{day:02}" for month, day in _dates(folded)}
    found |= {f"number:{value}" for value in _numbers(_DATE.sub(" ", folded))}
    return frozenset(found)


def at_odds(one: Set[str], other: Set[str], kind: str) -> bool:
    """Whether each of two texts has an anchor of this kind that the other lacks: another name, another number."""
    mine, yours = ({anchor for anchor in side if anchor.startswith(f"{kind}:")} for side in (one, other))
    return not mine <= yours and not yours <= mine


def _whole(link: str) -> str:
    link = link.rstrip(".,;:!?)]}'\"")
    return link if link.lower().startswith("http") else f"https://{link}"


def _dates(folded: str) -> Iterator[tuple[int, int]]:
    for found in _DATE.finditer(folded):
        name = found["before"] or found["after"]
        month = _MONTHS.index(name[:3]) + 1 if name else number(found["han_month"] or found["iso_month"])
        day = number(found["han_day"] or found["after_month"] or found["before_month"] or found["iso_day"])
        if month is not None and day is not None and 1 <= month <= 12 and 1 <= day <= 31:
            yield month, day


def _numbers(folded: str) -> Iterator[int]:
    """Numbers in figures, and in words from ten on: a one or a two in words is grammar more often than a figure."""
    for found in _NUMBER.finditer(folded):
        words = found.group()
        value = number(words)
        if value is not None and (value >= 10 or words[0] in "0123456789"):
            yield value
