"""What a text says of a watched candidate's status, number and constituency, against the roster. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from classifiers.rules.reading import HAN_NUMBER, Name, Sentence, any_of, number, refutes, sentences
from monitor.text import fold
from monitor.types import Candidate, ClaimType, Finding, Match

_LATIN_REACH, _HAN_REACH = 70, 24  # folded characters between a name and what is said of it


def check(text: str, matches: Sequence[Match], candidates: Mapping[str, Candidate]) -> tuple[Finding, ...]:
    """Findings ``roster-status``, ``roster-number`` and ``roster-constituency``, at most one of each per candidate."""
    people = [match for match in matches if match.candidate_id in candidates]
    if not people or refutes(text):
        return ()
    places = {fold(place): place for candidate in candidates.values() for place in candidate.constituency}
    found: dict[tuple[str, str], Finding] = {}
    for sentence in sentences(text, people):
        if sentence.asks:
            continue
        for name in sentence.names:
            candidate = candidates[name.id]
            for finding in (
                *_status(sentence, name, candidate, places),
                *_number(sentence, name, candidate),
                *_constituency(sentence, name, candidate, places),
            ):
                found.setdefault((finding.rule, name.id), finding)
    return tuple(found.values())


# -- status ------------------------------------------------------------------------------------------------------------

# What follows the verb must be the election, or the clause must end: "withdrew from the debate" is no withdrawal.
_ELECTION = (
    r"(?:(?!(?:as|at|before|after|during|ahead|since|until|for|in|on|over|to|and)\b)\w[\w'-]* ){0,5}?"
    r"(?:race|contest|election|by-election|poll|ballot|candidacy|nomination)\b"
)
_CLAUSE_END = (
    r"(?=\s*(?:$|[,.:;)\"'”’—–|])| (?:today|yesterday|tonight|this (?:morning|afternoon|evening|week)|last night|"
    r"on (?:mon|tues|wednes|thurs|fri|satur|sun)day|after|amid|citing|because|over)\b)"
)
_WITHDREW = (
    r"\b(?:withdrawn|withdraws|withdrew|is withdrawing|will withdraw|dropped out|drops out|dropping out|"
    r"pulled out|pulls out|stood down|bowed out|bows out|quits?)"
)
_GONE = re.compile(
    rf"{_WITHDREW} (?:from |of )?{_ELECTION}|"
    rf"\b(?:withdrawn|withdrew|dropped out|pulled out|dq'?e?d){_CLAUSE_END}|"
    rf"\bdisqualified(?:{_CLAUSE_END}| from (?:standing|running|contesting|{_ELECTION})| as a candidate\b)|"
    r"\b(?:is |was |are )?no longer (?:a candidate|standing|running|in the (?:race|contest|election)|on the ballot)\b|"
    r"\b(?:is|was) not (?:a|an official|a valid|a validated|a registered) candidate\b|"
    r"\b(?:is out of|has left|left) the (?:\w+ ){0,3}?(?:race|contest)\b|"
    r"\b(?:candidacy|nomination) (?:has been |was |is )?(?:withdrawn|cancelled|invalid(?:ated)?|revoked|rejected)\b|"
    r"退出[^,。:]{0,10}(?:选举|选战|竞选|角逐|参选|补选)|取消(?:了|其|他|她)?(?:的)?(?:参选人?|候选人?)?资格|"
    + any_of(
        "退選 棄選 不再參選 不再是候選人 並非候選人 不是候選人 撤回提名 撤回參選 喪失候選人資格 "
        "喪失參選資格 失去參選資格 失去候選人資格 提名無效 提名作廢 提名被取消 被dq 遭dq dq咗"
    )
)
_WITHDREW_FROM = re.compile(rf"{_WITHDREW} (?:from |of )?(?:the )?")  # then the name of a constituency
_GONE_NAME = re.compile(
    r"(?:\b(?:withdrawn|disqualified) candidate(?: no\.? ?\d+)?|\bdisqualif(?:ies|ied))\s*$|"
    + any_of("退選 棄選 被dq")
    + r"[的嘅](?:\d+号)?(?:候选人|参选人)?\s*$"
)
_STRIPS = re.compile(r"(?:取消|褫夺|撤销)(?:了|咗)?(?:\d+号)?(?:候选人|参选人)?\s*$")
_OF_STANDING = re.compile(r"\s*[的嘅]?(?:参选人?|候选人?)?的?(?:资格|提名)")

# Before the name: a condition, a wish, somebody else's demand.
_UNREAL_BEFORE = re.compile(
    r"\b(?:if|whether|unless|until|calls? for|calling for|called for|urg\w+|demand\w*|petition)\b|"
    + any_of("若 如果 假如 一旦 是否 會否 應否 可能 考慮 勸 促請 敦促 力促 要求 呼籲 否則 除非 險些 險遭")
)
_OF_THE_NAMED = re.compile(r"['’]s? (?!candidacy|nomination)|[的嘅](?!参选|候选|提名)")  # "Perry Man's rival has …"
# Between name and verb: somebody else is the subject, or it did not happen, or it happened in an earlier election.
_UNREAL_BETWEEN = re.compile(
    r"n't\b|\b(?:to|or) be\b|"
    r"\b(?:not|never|no(?!\. ?\d)|cannot|if|would|could|may|might|should|must|unless|whether|until|refus\w+|rul\w+ out|"
    r"almost|nearly|said|says|told|tells|welcomed|urg\w+|asked|asks|accused|rivals?|opponents?|before|after|when|"
    r"while|who had|years ago|last time|in (?:19|20)\d\d)\b|"
    r"(?:不(?![敌堪胜过久])|未|无|没|冇|唔|拒)[^,。]{0,5}$|"
    + any_of(
        "表示 指 稱 話 說 批評 回應 對手 質疑 促請 要求 呼籲 支持者 團隊 助理 太太 丈夫 若 如果 一旦 "
        "是否 會否 可能 或會 考慮 曾 年前 上屆 當年 險些 險遭"
    )
)


def _status(sentence: Sentence, name: Name, candidate: Candidate, places: Mapping[str, str]) -> Iterator[Finding]:
    span = _says_gone(sentence, name, places) if candidate.status == "validated" else None
    if span:
        yield Finding(
            rule="roster-status",
            claim_type=ClaimType.CANDIDATE_STATUS,
            text=f"It says that {candidate.names[0]} is no longer standing; the roster has a validated candidate.",
            evidence=sentence.quote(*span),
            rests_on=f"{candidate.source}: status = validated",
            weight=0.9,
        )


def _says_gone(sentence: Sentence, name: Name, places: Mapping[str, str]) -> tuple[int, int] | None:
    """The folded span that says the named candidate is gone."""
    before, after = sentence.folded[: name.start], sentence.folded[name.end :]
    if _UNREAL_BEFORE.search(before):
        return None
    if opening := _GONE_NAME.search(before):
        return opening.start(), name.end
    strips, standing = _STRIPS.search(before), _OF_STANDING.match(after)
    if strips and standing:
        return strips.start(), name.end + standing.end()
    if _OF_THE_NAMED.match(after):
        return None
    ends = [(gone.start(), gone.end()) for gone in _GONE.finditer(after)]
    for leaves in _WITHDREW_FROM.finditer(after):
        ends += [
            (leaves.start(), leaves.end() + len(place)) for place in places if after.startswith(place, leaves.end())
        ]
    for start, end in sorted(ends):
        if _reaches(sentence, name, start) and not _UNREAL_BETWEEN.search(after[:start]):
            return name.start, name.end + end
    return None


def _reaches(sentence: Sentence, name: Name, gap: int) -> bool:
    """Whether words ``gap`` characters after the name are still said of it: near, and nobody else named between."""
    between = sentence.folded[name.end : name.end + gap]
    near = gap <= (_LATIN_REACH if between.isascii() else _HAN_REACH)
    return near and not any(name.end <= other.start < name.end + gap for other in sentence.names)


# -- number ------------------------------------------------------------------------------------------------------------

_WORD = r"(?P<n>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?![\w.])"
_HAN = rf"(?P<n>\d{{1,2}}|{HAN_NUMBER}{{1,3}})号"
_BECOMES = r"(?:是|为|系|改为|改成|改做|改咗做|变成|变为|转为|应为|:)\s*"
_NUMBER_BEFORE = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:\bno\. ?|#)(?P<n>\d{1,2})(?: candidate)?:? *$",
        rf"\b(?:candidate|ballot|vote(?: for)?) (?:number|no\.?) ?{_WORD}:? *$",
        rf"(?<![\d月于在至]){_HAN}(?:候选人|参选人)?\s*$",  # 6月5號 is a date
    )
)
_NUMBER_AFTER = tuple(
    re.compile(pattern)
    for pattern in (
        # "Perry Man, No. 3 in the polls" is a rank.
        r"[,(]? ?(?:is |as )?(?:now )?(?:candidate )?(?:no\. ?|number |#)(?P<n>\d{1,2})(?!\d)(?! (?:in|on|at|seed)\b)",
        rf"[^.;]{{0,40}}?\b(?:candidate|ballot) (?:number|no\.?) (?:is |now |has (?:been )?changed to )*{_WORD}",
        rf"['’]s? (?:candidate |ballot )?number (?:on the ballot (?:paper )?)?"
        rf"(?:is|will be|has changed to|has been changed to|changed to) (?:no\. ?)?{_WORD}",
        rf"[^。:]{{0,24}}?(?:编号|号码)(?:由\d+号)?(?:已|现|现已|会|将)?{_BECOMES}{_HAN}?",
        rf"\s*(?:已|现|现在|而家|其实|已经)*{_BECOMES}{_HAN}(?!风|波|线|码头|楼|室|干线|晚|早|上|下|凌|日)",
        rf"\s*[(]?\s*{_HAN}(?=候选人|参选人|[,。;)!\s]|$)",
    )
)
_NOT = re.compile(r"\b(?:not|never)\b|n't\b|" + any_of("不是 並非 唔係 不應 不要 沒有 並無 曾 上屆"))


def _number(sentence: Sentence, name: Name, candidate: Candidate) -> Iterator[Finding]:
    if candidate.number is None:
        return
    for start, end, words in _numbers(sentence, name):
        said = number(words)
        if said is not None and said != candidate.number and not _NOT.search(sentence.folded[max(0, start - 6) : end]):
            yield Finding(
                rule="roster-number",
                claim_type=ClaimType.CANDIDATE_IDENTIFIER,
                text=f"It gives {candidate.names[0]} the number {said}; the roster has {candidate.number}.",
                evidence=sentence.quote(start, end),
                rests_on=f"{candidate.source}: number = {candidate.number}",
                weight=0.9,
            )
            return


def _numbers(sentence: Sentence, name: Name) -> Iterator[tuple[int, int, str]]:
    """The numbers given to the named candidate: folded span of name and number, and the number's words."""
    for pattern in _NUMBER_BEFORE:
        if found := pattern.search(sentence.folded, 0, name.start):
            yield found.start(), name.end, found["n"]
            return  # "2號戚啟航 3號…": the number before the name is the name's, one after it is the next one's
    for pattern in _NUMBER_AFTER:
        found = pattern.match(sentence.folded, name.end)
        if found and _reaches(sentence, name, found.end() - name.end) and not _starts_a_name(sentence, found.end()):
            yield name.start, found.end(), found["n"]


def _starts_a_name(sentence: Sentence, end: int) -> bool:
    """Whether a name follows at once, so that the number is that person's: "Vivian Cheuk, No. 2 Marcus Chik"."""
    if end >= len(sentence.folded):
        return False
    rest = sentence.original[sentence.offsets[end] :]
    return re.match(r"\s*:?\s*[A-Z]", rest) is not None or any(0 <= other.start - end <= 5 for other in sentence.names)


# -- constituency ------------------------------------------------------------------------------------------------------

# A place after "and" may belong to the other person of a list.
_PLACE_BEFORE = (
    r"(?<!and )(?<!& )(?<![及和与、/])(?P<place>{places})(?:选区|区)?(?: constituency| district)?[的嘅]?"
    r"(?: candidate(?: no\. ?\d+)?,? *|(?:候选人|参选人)(?:\d+号)?\s*|\d+号(?:候选人|参选人)?\s*)$"
)
_PLACE_AFTER = (
    r"(?:\s*\([^)]*\))?,? ?(?:(?:is |now |will be |who is )?(?:the |a )?(?:candidate (?:no\. ?\d+ )?(?:for|in) |"
    r"(?:standing|running|stands|runs) (?:in|for) |contest(?:s|ing) )(?P<place>{places})\b|"
    r"(?:将|会|已|宣布|现|改)*(?:出选|出战|参选|转战|竞逐|角逐)(?P<han>{places})(?![及和与、]))"
)


def _constituency(sentence: Sentence, name: Name, candidate: Candidate, places: Mapping[str, str]) -> Iterator[Finding]:
    own = {fold(place) for place in candidate.constituency}
    if not own:
        return
    either = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
    before = re.compile(_PLACE_BEFORE.format(places=either)).search(sentence.folded, 0, name.start)
    after = re.compile(_PLACE_AFTER.format(places=either)).match(sentence.folded, name.end)
    for found in (before, after):
        if found is None:
            continue
        place = found["place"] or found["han"]
        if place not in own and not _NOT.search(sentence.folded[max(0, found.start() - 6) : found.end()]):
            yield Finding(
                rule="roster-constituency",
                claim_type=ClaimType.CANDIDATE_IDENTIFIER,
                text=f"It puts {candidate.names[0]} in {places[place]}; the roster has {candidate.constituency[0]}.",
                evidence=sentence.quote(min(found.start(), name.start), max(found.end(), name.end)),
                rests_on=f"{candidate.source}: constituency = {candidate.constituency[0]}",
                weight=0.8,
            )
            return
