"""What every polling day brings and no fact contradicts: a candidate votes, the official hours, a turnout. Pure.

Such texts have all their words in common with falsehoods about the poll, so a model of words takes them for some. The
patterns are for folded text.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from classifiers.rules import hours
from classifiers.rules.reading import Reading
from monitor.reference import Polling

_LONGEST = 400  # folded characters; a longer text says more than that somebody voted

_VOTES = re.compile(  # right after a name
    r"(?a)(?:,? [\w,' -]{0,70}?)?\b(?:votes?|voted|casts? (?:his|her|their|a) (?:vote|ballot)|to vote|"
    r"casting (?:his|her|their) (?:vote|ballot))\b(?! (?:for|against|twice|again|two|three|out|down)\b)|"
    r"(?:,? [\w,' -]{0,70}?)?\bqueue[sd]?\b|"
    r"[^。;,]{0,24}?(?:投票|投下[^。]{0,6}票|投咗票|投了票|vote ?咗)(?!给|畀|俾|两次)"
)
_TURNOUT = re.compile(
    r"(?a)\bturnout\b[^.]{0,60}?\d{1,2}(?:\.\d{1,2})? ?(?:%|per ?cent)|"
    r"\d{1,2}(?:\.\d{1,2})? ?(?:%|per ?cent)[^.]{0,40}?\bhad voted|"
    r"投票率[^。]{0,16}?(?:\d{1,2}(?:\.\d{1,2})? ?%|百分之|[一二三四五六七八九]成)"
)
# A claim stands beside the ordinary thing, or something is not in order.
_MORE = re.compile(
    r"(?a)\b(?:leaked|secret\w*|caught|bribe\w*|fraud\w*|fake\w*|rigg\w+|stolen|stole|illegal\w*|without|twice|arrest\w*|"
    r"dead|ghost\w*|impossible|withdr\w+|disqualif\w+|camera|recordings?|audio|videos?|clips?|footage|calls|called|numbered|paid|pays|cash|vouchers?|click|link|"
    r"https?|whatsapp|telegram|share this|pass it on|wake up|they (?:don't|do not) want)\b|[!?]{2}|"
    r"内定|造假|作弊|种票|买票|派钱|现金|礼券|冒|假|换票|幽灵|死人|重复|两次|退选|取消资格|被捕|拘捕|偷|塞|编号|镜头|转发|转账|"
    r"录音|影片|片段|视频|早就|内幕|爆料|点击|连结|唔使|不用|不能|不得|唔得|冇得|无效|作废|收咗|提早|提前"
)


def is_ordinary(reading: Reading, candidates: Collection[str], polling: Polling) -> bool:
    """Whether the text is short, reports one of these things and says nothing else that stands out.

    ``candidates`` are the ids of those who may be said to vote; an office does not. That no rule found anything in the
    text is for the caller to know.
    """
    folded = reading.folded
    if len(folded) > _LONGEST or reading.dismisses or _MORE.search(folded):
        return False
    return (
        _TURNOUT.search(folded) is not None
        or hours.all_official(folded, polling)
        or any(
            name.id in candidates and _VOTES.match(sentence.folded, name.end)
            for sentence in reading.sentences
            for name in sentence.names
        )
    )
