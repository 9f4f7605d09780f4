"""Whether a sentence says that a candidate is out of the election, or in it, against the roster's status. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date

from classifiers.rules.reading import Name, Sentence, any_of, reaches
from monitor.types import Candidate, ClaimType, Finding, Said

_STANDING = {"declared": 0.6, "nominated": 0.6, "validated": 0.9}  # status, and the weight of "is out" against it
OUT = {"withdrawn": 0.7, "disqualified": 0.7}  # status, and the weight of "is standing" against it


def check(
    sentence: Sentence, name: Name, candidate: Candidate, places: Collection[str], day: date | None
) -> Iterator[Finding]:
    """``roster-status``: the named candidate is said to be out and is standing, or the other way round.

    ``places`` are the folded names of constituencies, ``day`` the day of the text, if known. A status with a day holds
    from that day on: of a text from before it the roster says nothing.
    """
    since = candidate.status_since
    if day and since and day < since:
        return
    if candidate.status in _STANDING:
        span = _says_out(sentence, name, places)
        form = Said("It says that {name} is no longer standing; the roster has a {candidate_status} candidate.")
    else:
        span = _says_standing(sentence, name)
        form = Said("It says that {name} is standing; the roster has a {candidate_status} candidate.")
    if span:
        yield Finding(
            rule="roster-status",
            claim_type=ClaimType.CANDIDATE_STATUS,
            said=form.filled(name=candidate.names[0], candidate_status=candidate.status),
            evidence=sentence.quote(*span),
            rests_on=f"{candidate.source}: status = {candidate.status}" + (f" since {since}" if since else ""),
            weight=(_STANDING | OUT)[candidate.status],
        )


# -- out of the election -----------------------------------------------------------------------------------------------

# What follows the verb must be the election, or the clause must end: "withdrew from the debate" is no withdrawal.
_ELECTION = (
    r"(?:(?!(?:as|at|before|after|during|ahead|since|until|for|in|on|over|to|and)\b)\w[\w'-]* ){0,5}?"
    r"(?:race|contest|election|by-election|poll|ballot|candidacy|nomination)\b"
)
_CLAUSE_END = (
    r"(?=\s*(?:$|[,.:;)\"'”’—–|])| (?:today|yesterday|tonight|this (?:morning|afternoon|evening|week)|last night|"
    r"just now|(?:an?|two|three|\d+) (?:hours?|minutes?) ago|"
    r"on (?:mon|tues|wednes|thurs|fri|satur|sun)day|after|amid|citing|because|over)\b)"
)
_WITHDREW = (
    r"\b(?:withdrawn|withdraws|withdrew|is withdrawing|will withdraw|dropped out|drops out|dropping out|"
    r"pulled out|pulls out|stood down|bowed out|bows out|quits?)"
)
_OUT_SAID = re.compile(
    rf"(?a){_WITHDREW} (?:from |of )?{_ELECTION}|"
    rf"\b(?:withdrawn|withdrew|dropped out|pulled out|threw in the towel|quits?|dq'?e?d){_CLAUSE_END}|"
    rf"\bdisqualified(?:{_CLAUSE_END}| from (?:standing|running|contesting|{_ELECTION})| as a candidate\b)|"
    r"\b(?:is |was |are )?no longer (?:a candidate|standing|running|in the (?:race|contest|election)|on the ballot)\b|"
    r"\b(?:is|was) not (?:(?:a|an official|a valid|a validated|a registered) "
    r"candidate(?! (?:of|from)\b)|standing|on the ballot)\b|"
    r"\b(?:is out of|has left|left) the (?:\w+ ){0,3}?(?:race|contest)\b|"
    r"\b(?:has been |was )?(?:struck|removed|taken|kicked|thrown) (?:off|from) the ballot\b|"
    r"\b(?:candidacy|nomination) (?:has been |was |is )?(?:withdrawn|cancelled|invalid(?:ated)?|revoked|rejected)\b|"
    r"退出[^,。:]{0,10}(?:选举|选战|竞选|角逐|参选|补选)|"
    r"(?:退|弃)(?:咗|左|了)选|宣布退出(?=[,。!;)]|$)|(?:俾|畀|被|遭)(?:人)?dq|\bwithdraw\w* ?[咗了]|"
    r"(?:取消|褫夺)(?:了|其|他|她)?(?:的)?(?:参选人?|候选人?)?资格|"
    + any_of(
        "退選 棄選 放棄參選 退出選戰 不再參選 不再是候選人 並非候選人 不是候選人 唔再係候選人 唔係候選人 "
        "撤回提名 撤回參選 喪失候選人資格 喪失參選資格 失去參選資格 失去候選人資格 提名無效 提名作廢 "
        "提名被取消 被dq 遭dq dq咗 從選票上除名 被除名"
    )
)
_ONLY_TALK = re.compile(r"[的嘅]?(?:传闻|谣传|疑云|之说|说法|风波)")  # after it: 退選傳聞
_WITHDREW_FROM = re.compile(rf"{_WITHDREW} (?:from |of )?(?:the )?")  # then the name of a constituency
_OUT_BEFORE = re.compile(
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


def _says_out(sentence: Sentence, name: Name, places: Collection[str]) -> tuple[int, int] | None:
    """The folded span that says the named candidate is out."""
    before, after = sentence.folded[: name.start], sentence.folded[name.end :]
    if _UNREAL_BEFORE.search(before):
        return None
    if opening := _OUT_BEFORE.search(before):
        return opening.start(), name.end
    strips, standing = _STRIPS.search(before), _OF_STANDING.match(after)
    if strips and standing:
        return strips.start(), name.end + standing.end()
    if _OF_THE_NAMED.match(after):
        return None
    ends = [(out.start(), out.end()) for out in _OUT_SAID.finditer(after) if not _ONLY_TALK.match(after, out.end())]
    for leaves in _WITHDREW_FROM.finditer(after):
        ends += [
            (leaves.start(), leaves.end() + len(place)) for place in places if after.startswith(place, leaves.end())
        ]
    for start, end in sorted(ends):
        if reaches(sentence, name, start) and not _UNREAL_BETWEEN.search(after[:start]):
            return name.start, name.end + end
    return None


# -- standing ----------------------------------------------------------------------------------------------------------

_STANDING_SAID = re.compile(
    r"\b(?:is|remains) (?:still |now )?(?:a|an|the|our|your)? ?(?:official |valid |validated |registered )?candidate\b|"
    r"\bis (?:still |back )?(?:standing (?:in|for)\b|running (?:in|for)\b|still (?:standing|running)|"
    r"in the (?:race|contest|election)|on the ballot)|"
    r"\b(?:has not|hasn't|has never|did not|didn't|never) (?:withdrawn?|withdrew|dropped out|quit|been disqualified)\b|"
    r"(?<![不非未唔])(?:是|系|为)[^,。:]{0,6}?(?:候选人|参选人)|"
    r"(?:仍|仍然|依然|继续|照样|会继续|将继续)(?:参选|竞选|出选)|"
    r"(?:没有|并没有|并无|未有|从未|未曾|冇)(?:退选|弃选|被dq|被取消资格)|仍(?:然)?在选票上"
)
_VOTE_FOR = re.compile(
    r"\b(?:vote|votes|voting|ballots?) (?:for )?(?:candidate )?(?:no\.? ?\d+:?,? )?$|"
    r"(?:投|投给|票投|投票给|投俾|投票支持)(?:\d+号)?(?:候选人|参选人)?\s*$"
)
_NOT_STANDING = re.compile(
    r"\b(?:not|never|no longer|former|was|were|had been|if|would|could|until|before|resign\w*|by-election)\b|"
    + any_of("不再 不是 並非 唔係 曾 曾經 原本 本來 前任 上屆 當年 年前 若 如果 不要 切勿 不能 無法 不可 唔好 不會")
)


def _says_standing(sentence: Sentence, name: Name) -> tuple[int, int] | None:
    """The folded span that says the named candidate is standing; none when the sentence speaks of the way out too."""
    before, after = sentence.folded[: name.start], sentence.folded[name.end :]
    if _UNREAL_BEFORE.search(before) or _OF_THE_NAMED.match(after):
        return None
    said = _STANDING_SAID.search(after)
    if said and reaches(sentence, name, said.start()) and not _NOT_STANDING.search(before + after[: said.start()]):
        return name.start, name.end + said.end()
    opening = _VOTE_FOR.search(before)
    if opening and not _NOT_STANDING.search(before) and not _OUT_SAID.search(after):
        return opening.start(), name.end
    return None
