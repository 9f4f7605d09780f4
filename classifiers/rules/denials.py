"""Texts that take a rumour back in a word, and texts that name a denial only to dismiss it. Pure.

The latter ("they call it baseless, but I watched …") hold the words of a refutation and assert the falsehood all the
same. The patterns are for folded text.
"""

from __future__ import annotations

import re

_REACH = 90  # folded characters from a denial to the word that turns against it, and from there to the witness

_UNTRUE = (
    r"(?:baseless|unfounded|untrue|false|fake|fiction|nonsense|rubbish|made up|fabricated|(?:not|never) true|"
    r"an? (?:hoax|lie|smear|rumou?r|fake)|misinformation|disinformation|all (?:lies|rumou?rs))"
)
# Somebody else's denial; the writer's own has no "they say" before it.
_DENIAL = re.compile(
    r"(?a)\b(?:den(?:y|ies|ied)|clarif(?:y|ies|ied))\b|"
    rf"\b(?:says?|said|call(?:s|ed|ing)?|claim(?:s|ed)?|insist(?:s|ed)?|tell(?:s|ing)? (?:you|us)|told (?:you|us|me))"
    rf"\b[^.!?]{{0,40}}?\b{_UNTRUE}\b|"
    rf"\b{_UNTRUE}[\"”',. ]{{1,4}}(?:say|says|said)\b|"
    r"(?:话|说|称|指|讲|当)(?:这|呢|那)?(?:个|些|啲)?(?:都|全)?(?:是|系|为|成)?(?:谣言|假消息|假新闻|流言|不实|失实|假的?|老作|冇呢回事|没有这回事)|"
    r"否认|澄清|辟谣"
)
_TURN = re.compile(
    r"(?a)\b(?:but|yet|except|well,? i|so why|then why|then explain|explain that|funny (?:how|that))\b|"
    r"但|不过|可是|然而|偏偏|明明|可(?=我|是)|点解|为什么|为何"
)
# A denial in Chinese as it is quoted or retold, and words that scoff at it without a witness.
_HAN_DENIAL = re.compile(
    r"并无(?:此|其)事|绝无此事|没有(?:此事|这回事|的事)|冇(?:呢|咁|嗰)(?:回|样)?(?:嘅)?事|查无(?:此事|实据)|"
    r"纯属(?:捏造|虚构|造谣|谣言)|并非事实|不是事实|不属实|不实|从未|从来(?:没有?|冇)|旧(?:视频|影片|片|闻)|"
    r"辟谣|澄清|否认|声明|律师信|说没有|话冇"
)
_SCOFFS = re.compile(
    r"懂的都懂|[心肚]里?(?:没|冇|无)鬼|即系有|[踩戳]中?痛(?:脚|处)|当(?:我|我哋|我们|大家|市民)(?:系|是)?(?:盲|傻|瞎|三岁)|"
    r"(?:骗|氹|呃)鬼(?!食)|鬼(?:才|先)(?:会)?信|哪有这么巧|边有咁啱|"
    r"难道(?:佢|佢哋|他|他们|她)?(?:会|肯)(?:承?认|讲)|(?:佢|佢哋)会认咩|"
    r"(?:几个|[一二两三四五六七八九十]个)字就(?:想|可以)|(?:每次|次次)都(?:是|系)(?:这|呢)(?:一)?句"
)
_ASKED = re.compile(r"[\"”」』]?\?")  # right after the denial: "not true? I saw …"
_WITNESS = re.compile(
    r"(?a)\b(?:i|we|my|our)\b[^.!?]{0,30}?\b(?:saw|seen|watched|heard|filmed|recorded|counted|was|were|have|know|stood|"
    r"got|witnessed)\b|"
    r"(?:我|我哋|我们|我朋友|我家人|我同事)[^,。]{0,10}?(?:亲眼|亲耳|亲身|见到|睇到|看到|看见|听到|拍到|影到|在场|喺度)|"
    r"有片为证|有图为证|有相为证|有录音|影片喺度|片喺度"
)
_ALL_THE_SAME = re.compile(
    r"(?<!\bif )(?<!whether )(?<!think )\b(?:it|this|that)(?:['’]s| is| really is) (?:all |absolutely |very |100 ?% )?"
    r"(?:true|real)\b(?! that)|\bit happened\b|千真万确|(?<!是不)(?:是|系)真的?[,。!]|真系"
)
_DISMISSES = re.compile(
    r"(?a)\b(?:do not|don['’]t|never|stop) (?:believe|trust|listen to|buy|fall for) "
    r"(?:(?:the|their|those|these|any|all|so-called|official) ){0,2}[\"“‘']?"
    r"(?:fact[- ]?check\w*|denials?|clarifications?|debunk\w*|rebuttals?|"
    r"official (?:line|story|version))|"
    r"\b(?:this|that|it)(?:['’]s| is| was) (?:no|not an?|not just an?) "
    r"(?:rumou?r|hoax|fake news|misinformation|joke)\b|"
    r"\b(?:den(?:y|ies|ied) (?:it|this|that|everything),? of course|of course (?:they|he|she|the \w+) "
    r"(?:deny|denies|denied|(?:will|would) deny))\b|"
    r"(?:唔好|唔使|不要|别|无谓|千祈唔好)(?:再|去)?(?:信|相信|听)(?:晒|埋)?(?:佢哋|他们|官方|政府|当局)?(?:的|嘅)?"
    r"(?:啲|什么|那些|这些|所谓)?(?:的|嘅)?(?:辟谣|澄清|查核|事实查核|否认)|"
    r"(?:辟谣|澄清|查核|否认)(?:的|嘅|那个|嗰个)?(?:才|先)(?:是|系)|"
    r"(?:澄清|辟谣|否认)(?:几多次|多少次|一万次|十次)?(?:都|也)(?:冇用|没用|无用|唔使信|冇人信|没人信|无人信)|"
    r"越(?:是)?(?:急着?)?(?:说没有|话冇|否认|澄清|辟谣|解释)[^。!?]{0,6}?越|所谓的?(?:辟谣|澄清|否认)|"
    r"(?:不是|并非|唔系|绝非)(?:谣言|流言|谣传|假消息|假新闻|老作|作故仔)(?![所中称说])|"
    r"(?:官方|政府|当局|佢哋|他们)(?:梗系|当然|肯定)(?:会)?(?:否认|唔认|不认|澄清)"
)


# What somebody says who takes a rumour back in a word, without an office behind it.
_OUTRIGHT = re.compile(
    r"(?:并无|绝无|没有|查无)(?:此|其)事|(?:没有?|冇)(?:这|那|呢|咁|嗰)(?:么)?(?:回|样|种|嘅)?事|(?<!有)没有的事|"
    r"纯属(?:捏造|虚构|造谣|谣言)|子虚乌有|并非事实|不是事实|(?:系|是)(?:流|假)(?:料|嘢)|唔系真(?:㗎|嘅|噶)|"
    r"(?:不是真的|(?:^|[,。:;!? ])假(?:嘅|㗎|的)|(?:唔好|不要|别)再?乱?(?:传|转)(?:啦|喇|了|呀|开去))(?=[,。!; ]|$)"
)
_SHORT = 160  # folded characters; in a longer text such words may be about something beside it


def takes_back(folded: str) -> bool:
    """Whether a short text says outright that a rumour is none; it may do so only to dismiss it: see ``dismissal``."""
    return len(folded) <= _SHORT and _OUTRIGHT.search(folded) is not None


def dismissal(folded: str) -> tuple[int, int] | None:
    """The folded span with which a text dismisses a denial; None when it does not.

    The gaps are looked at one after another, each of a bounded length, so that the time grows with the text.
    """
    if plain := _DISMISSES.search(folded):
        return plain.span()
    for denial in _HAN_DENIAL.finditer(folded):
        reach = denial.end() + _REACH
        asked = _ASKED.match(folded, denial.end())
        scoff = _SCOFFS.search(folded, denial.start(), reach) or (asked and _WITNESS.search(folded, asked.end(), reach))
        if scoff:
            return denial.start(), scoff.end()
    for denial in _DENIAL.finditer(folded):
        turn = _TURN.search(folded, denial.end(), denial.end() + _REACH)
        witness = turn and _WITNESS.search(folded, turn.end(), turn.end() + _REACH)
        witness = witness or _ALL_THE_SAME.search(folded, denial.end(), denial.end() + _REACH)
        if witness:
            return denial.start(), witness.end()
    return None
