"""What a text says of a watched candidate's status, number, constituency and party, against the roster. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from classifiers.rules import status
from classifiers.rules.numbers import HAN_NUMBER, number
from classifiers.rules.reading import Name, Reading, Sentence, any_of, reaches
from monitor.text import fold
from monitor.types import Candidate, ClaimType, Finding, Said


@dataclass(frozen=True)
class Roster:
    """The people of the roster, and how their constituencies and parties are found in folded text. Built once."""

    candidates: Mapping[str, Candidate]
    places: Mapping[str, str]  # folded to written
    parties: Mapping[str, str]
    place_patterns: tuple[re.Pattern[str], ...]
    party_patterns: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> Roster:
        """Of the candidates, without the offices."""
        people = {candidate.id: candidate for candidate in candidates}
        places = {fold(place): place for person in people.values() for place in person.constituency}
        parties = {fold(party): party for person in people.values() for party in person.party}
        return cls(
            people,
            places,
            parties,
            _compile((_PLACE_BEFORE, _PLACE_AFTER), places),
            _compile((_PARTY_BEFORE, _PARTY_AFTER), parties),
        )


def check(reading: Reading, roster: Roster, day: date | None = None) -> tuple[Finding, ...]:
    """Findings ``roster-status``, ``-number``, ``-constituency`` and ``-party``, at most one of each per candidate.

    ``day`` is the day of the text, if known.
    """
    if reading.denies or not any(match.candidate_id in roster.candidates for match in reading.matches):
        return ()
    found: dict[tuple[str, str], Finding] = {}
    for sentence in reading.sentences:
        if sentence.asks:
            continue
        for name in sentence.names:
            candidate = roster.candidates.get(name.id)
            if candidate is None:
                continue
            for finding in (
                *_status(reading, sentence, name, candidate, roster, day),
                *_number(sentence, name, candidate, roster),
                *_belongs(sentence, name, candidate, _CONSTITUENCY, roster.places, roster.place_patterns),
                *_belongs(sentence, name, candidate, _PARTY, roster.parties, roster.party_patterns),
            ):
                found.setdefault((finding.rule, name.id), finding)
    return tuple(found.values())


def _status(
    reading: Reading, sentence: Sentence, name: Name, candidate: Candidate, roster: Roster, day: date | None
) -> Iterator[Finding]:
    for finding in status.check(sentence, name, candidate, roster.places, day):
        # "… remains a candidate" takes a rumour back, unless it speaks of one who has withdrawn.
        if not reading.refutes or candidate.status in status.OUT:
            yield finding


# -- number ------------------------------------------------------------------------------------------------------------

_WORD = r"(?P<n>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?![\w.])"
_HAN = rf"(?P<n>\d{{1,2}}|{HAN_NUMBER}{{1,3}})号"
_BECOMES = r"(?:是|为|系|改为|改成|改做|改咗做|变成|变为|转为|应为|:)\s*"
_NUMBER_BEFORE = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:\bno\. ?|#)(?P<n>\d{1,2})(?: candidate)?:? *$",
        rf"\b(?:candidate|ballot|vote(?: for)?) (?:number|no\.?) ?{_WORD}:? *$",
        rf"\b(?:vote|tick|mark|choose|pick) (?:for )?(?:box |#)?{_WORD} (?:for|to (?:vote for|choose|back)) $",
        rf"(?<![\d月于在至]){_HAN}(?:候选人|参选人)?\s*$",  # 6月5號 is a date
    )
)
_NUMBER_AFTER = tuple(
    re.compile(pattern)
    for pattern in (
        # "Perry Man, No. 3 in the polls" is a rank, "No. 3 in Jade Bay North" a number.
        r"[,(]? ?(?:is |as )?(?:now )?(?:candidate )?(?:no\. ?|number |#)(?P<n>\d{1,2})(?!\d)"
        r"(?P<rank> (?:in|on|at|seed)\b)?",
        rf"[^.;]{{0,40}}?\b(?:candidate|ballot) (?:number|no\.?) (?:is |now |has (?:been )?changed to )*{_WORD}",
        rf"['’]s? (?:candidate |ballot )?number (?:on the ballot (?:paper )?)?"
        rf"(?:is|will be|has changed to|has been changed to|changed to) (?:no\. ?)?{_WORD}",
        rf"[^。:]{{0,24}}?(?:编号|号码)(?:由\d+号)?(?:已|现|现已|会|将)?{_BECOMES}{_HAN}?",
        rf"\s*(?:已|现|现在|而家|其实|已经)*{_BECOMES}{_HAN}(?!风|波|线|码头|楼|室|干线|晚|早|上|下|凌|日)",
        # What to mark for somebody: "… tick box 3", 想投戚啟航就揀5號.
        rf"[^.;]{{0,30}}?\b(?:tick|mark|choose|pick|circle|stamp) (?:(?:box |no\. ?|number |#){_WORD})",
        rf"[^。;]{{0,10}}?(?:拣|选|剔|圈|填|按|盖|印|投)(?:返|住|系)?{_HAN}(?!风|波|线|码头|楼|室|晚|早|上|下|凌|日)",
        r" ?\((?:no\. ?|#)?(?P<n>\d|1[0-2])\)",
        rf"\s*[(]?\s*{_HAN}(?=候选人|参选人|[,。;)!\s]|$)",
    )
)
_NOT = re.compile(r"\b(?:not|never)\b|n't\b|" + any_of("不是 並非 唔係 不應 不要 沒有 並無 曾 上屆"))


def _number(sentence: Sentence, name: Name, candidate: Candidate, roster: Roster) -> Iterator[Finding]:
    if candidate.number is None:
        return
    for start, end, words in _numbers(sentence, name, roster.places):
        said = number(words)
        if said is not None and said != candidate.number and not _NOT.search(sentence.folded[max(0, start - 6) : end]):
            yield Finding(
                rule="roster-number",
                claim_type=ClaimType.CANDIDATE_IDENTIFIER,
                said=_other_number(candidate, candidate.number, said, roster),
                evidence=sentence.quote(start, end),
                rests_on=f"{candidate.source}: number = {candidate.number}",
                weight=0.9,
            )
            return


def _other_number(candidate: Candidate, number: int, said: int, roster: Roster) -> Said:
    """With who really has that number in the candidate's constituency: two people taken for each other."""
    values = {"name": candidate.names[0], "said": said, "number": number}
    own = set(candidate.constituency)
    for other in roster.candidates.values():
        if other.number == said and other.id != candidate.id and own & set(other.constituency):
            return Said(
                "It gives {name} the number {said}; the roster has {number}, and {said} is {other}.",
                {**values, "other": other.names[0]},
            )
    return Said("It gives {name} the number {said}; the roster has {number}.", values)


def _numbers(sentence: Sentence, name: Name, places: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """The numbers given to the named candidate: folded span of name and number, and the number's words."""
    for pattern in _NUMBER_BEFORE:
        if found := pattern.search(sentence.folded, 0, name.start):
            yield found.start(), name.end, found["n"]
            return  # "2號戚啟航 3號…": the number before the name is the name's, one after it is the next one's
    for pattern in _NUMBER_AFTER:
        found = pattern.match(sentence.folded, name.end)
        if found is None:
            continue
        ranks = found.groupdict().get("rank")
        if ranks and not sentence.folded.startswith(tuple(f" {place}" for place in places), found.end()):
            continue
        end = found.start("rank") if ranks else found.end()
        if reaches(sentence, name, end - name.end) and not _starts_a_name(sentence, end):
            yield name.start, end, found["n"]


def _starts_a_name(sentence: Sentence, end: int) -> bool:
    """Whether a name follows at once, so that the number is that person's: "Vivian Cheuk, No. 2 Marcus Chik"."""
    if end >= len(sentence.folded):
        return False
    rest = sentence.original[sentence.offsets[end] :]
    return re.match(r"\s*:?\s*[A-Z]", rest) is not None or any(0 <= other.start - end <= 5 for other in sentence.names)


# -- constituency and party --------------------------------------------------------------------------------------------

# A place or party after "and" may belong to the other person of a list.
_NOT_OF_A_LIST = r"(?<!and )(?<!& )(?<![及和与、/])"
_CANDIDATE_NO = r"(?: candidate(?: no\. ?\d+)?,? *|(?:候选人|参选人)(?:\d+号)?\s*|\d+号(?:候选人|参选人)?\s*)"
_PLACE_BEFORE = rf"{_NOT_OF_A_LIST}(?P<said>{{words}})(?:选区|区)?(?: constituency| district)?[的嘅]?{_CANDIDATE_NO}$"
_PLACE_AFTER = (
    r"(?:\s*\([^)]*\))?,? ?(?:(?:is |now |will be |who is )?(?:the |a )?(?:candidate (?:no\. ?\d+ )?(?:for|in) |"
    r"(?:standing|running|stands|runs) (?:in|for) |contest(?:s|ing) )(?P<said>{words})\b|"
    r"(?:将|会|已|宣布|现|改)*(?:出选|出战|参选|转战|竞逐|角逐)(?P<han>{words})(?![及和与、]))"
)
_PARTY_BEFORE = rf"{_NOT_OF_A_LIST}(?P<said>{{words}})(?:['’]s)?[的嘅]?{_CANDIDATE_NO}$"
_PARTY_AFTER = (
    r"(?:\s*[(](?P<said>{words})[)]|,? (?:(?:is |was )?(?:a |the )?(?:candidate|member) )?(?:of|from|for) (?:the )?"
    r"(?P<of>{words})\b(?! (?:to|and|supporters?)\b)|"
    r"(?:代表|属于?|系|是|为)(?P<han>{words})(?:出选|参选|竞选|的?候选人|的?参选人|的?成员|,|$))"
)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the roster that says where a candidate belongs."""

    rule: str
    key: str
    weight: float


_CONSTITUENCY = _Line("roster-constituency", "constituency", 0.8)
_PARTY = _Line("roster-party", "party", 0.6)  # people change parties, and the roster may not have heard


def _compile(patterns: Iterable[str], words: Mapping[str, str]) -> tuple[re.Pattern[str], ...]:
    either = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return tuple(re.compile(pattern.replace("{words}", either)) for pattern in patterns) if words else ()


def _belongs(
    sentence: Sentence,
    name: Name,
    candidate: Candidate,
    line: _Line,
    words: Mapping[str, str],
    patterns: tuple[re.Pattern[str], ...],
) -> Iterator[Finding]:
    written: tuple[str, ...] = getattr(candidate, line.key)
    if not written or not patterns:
        return
    own = {fold(word) for word in written}
    before, after = patterns
    for found in (before.search(sentence.folded, 0, name.start), after.match(sentence.folded, name.end)):
        if found is None:
            continue
        said = next(filter(None, found.groupdict().values()))
        if said not in own and not _NOT.search(sentence.folded[max(0, found.start() - 6) : found.end()]):
            yield Finding(
                rule=line.rule,
                claim_type=ClaimType.CANDIDATE_IDENTIFIER,
                said=Said(
                    "It puts {name} in {said}; the roster has {written}.",
                    {"name": candidate.names[0], "said": words[said], "written": written[0]},
                ),
                evidence=sentence.quote(min(found.start(), name.start), max(found.end(), name.end)),
                rests_on=f"{candidate.source}: {line.key} = {written[0]}",
                weight=line.weight,
            )
            return
