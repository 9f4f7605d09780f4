"""Grave things said of a watched candidate: what the team would want to know of whether it is true or not. Pure.

No rule can tell a true accusation from an invented one; words of a model cannot either, for both look like news. What a
rule can tell is that, if this is false, it is the kind of falsehood the team exists for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from classifiers.rules.reading import Reading, Sentence, any_of
from monitor.types import Candidate, ClaimType, Finding, Said

GOES_ROUND = "goes-round"  # the rule whose texts report, and need not assert


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of allegation."""

    words: Said  # completes "It says of …"
    claim_type: ClaimType | None
    pattern: re.Pattern[str]
    weight: float
    rule: str = "allegation"


_KINDS = (
    _Kind(
        Said("that they lend their face to an investment"),
        ClaimType.SCAM_LURE,
        re.compile(
            r"(?a)\b(?:promot\w+|recommend\w*|endors\w+|unveil\w*|launch\w*|invest\w*|reveal\w*|"
            r"tell(?:s|ing)?|teach\w*|advertis\w+)\b.{0,60}?"
            r"\b(?:crypto\w*|bitcoin|\w*coins?|tokens?|trading (?:platform|app|bot|robot)|"
            r"investment (?:platform|app|scheme|"
            r"plan|fund)|(?:monthly|weekly|daily|guaranteed|sure|\d+ ?%) (?:returns?|profits?|dividends?)|"
            r"(?:returns?|profits?) of \d+ ?(?:%|per ?cent\b)|(?:doubled|tripled) (?:\w+ ){1,3}in)|"
            + any_of("推介 推薦 力推 代言 背書 投資 介紹 公開 教街坊 教大家 教人 叫街坊 叫大家 號召")
            + r"[^。]{0,30}?"
            + any_of(
                "投資平台 交易平台 投資計劃 投資群組 理財平台 虛擬貨幣 "
                "加密貨幣 比特幣 月回報 日回報 保證回報 穩賺 入金 炒幣 翻一番 穩賺冇蝕"
            )
        ),
        0.55,
    ),
    _Kind(
        Said("that a recording or picture shows them"),
        ClaimType.CANDIDATE_QUOTE,
        re.compile(
            r"(?a)\b(?:leaked|secret|hidden|undercover)\b.{0,25}?\b(?:audio|recordings?|video|tapes?|clips?|"
            r"footage|chats?|calls?|"
            r"messages?|e-?mails?|photos?|pictures?)\b|\bcaught on (?:tape|camera|film|video)\b|"
            + any_of("錄音 影片 片段 視頻 對話 短訊 照片 相片 私訊")
            + r"[^。]{0,12}?"
            + any_of("流出 外洩 外泄 洩漏 曝光 瘋傳")
            + r"|"
            + any_of("流出 外洩 偷拍 疑似")
            + r"[^。]{0,12}?"
            + any_of("錄音 影片 片段 視頻 對話 照片 相片")
        ),
        0.5,
    ),
    _Kind(
        Said("an offence, money or an allegiance kept secret"),
        ClaimType.CANDIDATE_FACT,
        re.compile(
            r"(?a)\b(?:arrested|detained|handcuffed|jailed|imprisoned|wanted by|charged with|raided|"
            r"money[- ]laundering|launder\w+|"
            r"embezzl\w+|kickbacks?|bribe[sd]?|bribery|slush fund|tax evasion|evaded tax(?:es)?|"
            r"vote[- ]buying|bought votes|"
            r"triads?|gangsters?|criminal record|drug (?:use|dealing|habit)|sexual(?:ly)? (?:assault\w*|harass\w*)|"
            r"foreign (?:funds?|funding|money|cash|agents?|passports?|citizen\w*|powers?|backers?|government)|"
            r"(?:second|dual|secret|hidden) (?:passport|nationality|citizenship|bank accounts?|family|"
            r"child|children|son|"
            r"daughter|debts?|deal|donors?)|secretly (?:holds?|owns?|took|takes|met|paid|signed|received)|"
            r"(?:drink|drunk)[- ]driv\w+|hit[- ]and[- ]run|gambling debts?|stole (?:from|money|cash|funds|donations)|"
            r"stealing (?:from|money|cash|funds|donations)|pocketed|plagiari[sz]\w+|fired (?:from \w+ (?:\w+ )?)?for|"
            r"love child|mistress|extramarital|affair with|bankrupt\w*|fake[d]? (?:\w+ )?(?:degree|"
            r"diploma|credentials|cv|"
            r"certificate)|forged (?:\w+ )?(?:degree|diploma|certificate|signatures?)|"
            r"never (?:graduated|finished (?:school|university|college|(?:his|her|their) degree))|"
            r"(?:degree|diploma|doctorate|certificate) (?:on \w+ \w+ )?(?:was|is|were) (?:bought|fake|forged|invented)|"
            r"bought (?:his|her|their|the) (?:\w+ ){0,2}(?:degree|diploma|doctorate)|"
            r"(?:has|had) died|found dead|critical condition|terminal(?:ly)? (?:ill|cancer))\b|"
            + any_of(
                "被捕 拘捕 被拘 遭拘 扣查 落網 通緝 潛逃 洗黑錢 洗錢 受賄 行賄 收賄 賄賂 貪污 "
                "貪汙 收受 收黑錢 黑金 回佣 逃稅 漏稅 "
                "買票 賄選 境外資金 境外勢力 外國勢力 "
                "外國資金 外國護照 外國國籍 雙重國籍 持有護照 間諜 私生子 私生女 婚外情 "
                "外遇 小三 包養 偷情 性侵 性騷擾 "
                "醉駕 酒駕 不顧而去 賭債 爛賭 偷錢 偷公款 虧空公款 挪用公款 買返嚟 "
                "非禮 吸毒 販毒 黑社會 黑幫 三合會 前科 案底 坐過監 破產 欠債 巨債 假學歷 "
                "學歷造假 偽造學歷 偽造文憑 假文憑 買文憑 冒認學歷 抄襲論文 離世 病危 猝死 昏迷"
            )
        ),
        0.45,
    ),
    _Kind(
        Said("that a clip of them goes round"),
        ClaimType.CANDIDATE_QUOTE,
        re.compile(
            r"(?a)\b(?:audio|recordings?|videos?|tapes?|clips?|footage|screenshots?|voice notes?|pictures?|photos?)\b"
            r".{0,40}?\b(?:going (?:a)?round|doing the rounds|circulat\w+|appears? to show|purport\w*|alleged\w*|"
            r"said to (?:show|be))\b|"
            + any_of("流傳 廣傳")
            + r"[^。]{0,10}?"
            + any_of("錄音 影片 片段 視頻 短片 對話 照片 相片")
        ),
        0.5,
        rule=GOES_ROUND,
    ),
    _Kind(
        Said("that a story about them goes round"),
        None,  # of what, is for the model to say
        re.compile(
            any_of("網上 網絡 群組 社交平台 坊間 有網民 網民")
            + r"[^。]{0,10}?"
            + any_of("流傳 廣傳 盛傳 傳言 傳出 聲稱 指稱 爆料")
        ),
        0.5,
        rule=GOES_ROUND,
    ),
)
_NEGATES = re.compile(
    r"\b(?:no|not|never|without|cleared of|acquitted|drops? (?:case|charges?)|against|fight\w*|combat\w*|"
    r"tackl\w*|pledg\w+|"
    r"calls? for|urg\w+|propos\w+|vow\w*|anti-\w+)\b|n't\b|"
    + any_of(
        "沒有 並無 未有 從未 無罪 撤銷控罪 不起訴 打擊 反對 促請 倡議 "
        "承諾 呼籲 建議 譴責 提倡 加強 防止 杜絕 慎防 提防 提醒"
    )
)
# Right before the name: "asked all officers to back …", "全力支持…".
_BACKS = re.compile(
    r"(?a)\b(?:back(?:s|ed|ing)?|endors(?:e[sd]?|ing)|support(?:s|ed|ing)?|vot(?:e|ing) for|campaign(?:s|ed|ing)? for|"
    r"sid(?:e|es|ed|ing) with)(?: candidate)?(?: no\.? ?\d+)? $|"
    + any_of("支持 力撐 力挺 撐 挺 推薦 票投 投畀 投給 背書")
    + r"(?:\d+号)?(?:候选人)?\s*$"
)
_DEEDS_OF_THE_NAMED = re.compile(r"['’]s?\b|[的嘅]")  # "supports Perry Man's call for …"
_BESIDE = 60  # folded characters between the name and what is said


def check(reading: Reading, candidates: Mapping[str, Candidate]) -> tuple[Finding, ...]:
    """``allegation``, the gravest thing the text says of one watched candidate, or ``goes-round``, that something does.

    It must stand in one sentence with the name, near it, and not be negated. None when the text takes something back.
    """
    if reading.denies:
        return ()
    found = [
        finding
        for sentence in reading.sentences
        for finding in (*_said(sentence, candidates), *_backed(sentence, candidates))
    ]
    return (max(found, key=lambda finding: finding.weight),) if found else ()


def _backed(sentence: Sentence, candidates: Mapping[str, Candidate]) -> Iterator[Finding]:
    """An office of the watchlist is said to take a candidate's side, which no office does."""
    if sentence.asks:
        return
    for office, person in pairwise(sentence.names):
        if office.id in candidates or person.id not in candidates:
            continue
        between = sentence.folded[office.end : person.start]
        negated = _NEGATES.search(between) or _DEEDS_OF_THE_NAMED.match(sentence.folded, person.end)
        if len(between) <= 2 * _BESIDE and _BACKS.search(between) and not negated:
            candidate = candidates[person.id]
            body = sentence.quote(office.start, office.end)
            yield Finding(
                rule="allegation",
                claim_type=ClaimType.FALSE_ENDORSEMENT,
                said=Said(
                    "It says that {body} takes the side of {name}, which no office does.",
                    {"body": body, "name": candidate.names[0]},
                ),
                evidence=sentence.quote(office.start, person.end),
                rests_on=candidate.source,
                weight=0.5,
            )


def _said(sentence: Sentence, candidates: Mapping[str, Candidate]) -> Iterator[Finding]:
    people = [name for name in sentence.names if name.id in candidates]
    # Of two people named together nobody can say by position whom it is about.
    if sentence.asks or not people or len({name.id for name in people}) > 1:
        return
    candidate = candidates[people[0].id]
    for kind in _KINDS:
        for said in kind.pattern.finditer(sentence.folded):
            near = any(said.start() - name.end <= _BESIDE and name.start - said.end() <= _BESIDE for name in people)
            # "never graduated" negates nothing but itself.
            negated = _NEGATES.search(sentence.folded, 0, said.start()) or _NEGATES.search(
                sentence.folded, said.start() + 1, said.end()
            )
            if near and not negated:
                yield Finding(
                    rule=kind.rule,
                    claim_type=kind.claim_type,
                    said=Said(
                        "It says of {name} {allegation}; nothing here knows whether it is so.",
                        {"name": candidate.names[0], "allegation": kind.words},
                    ),
                    evidence=sentence.quote(said.start(), said.end()),
                    rests_on=candidate.source,
                    weight=kind.weight,
                )
                break
