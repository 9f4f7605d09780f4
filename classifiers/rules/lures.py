"""Messages that ask the reader for codes, card numbers or money, and names used to lead elsewhere. Pure.

The patterns follow what police and computer emergency teams publish of phishing, advance-fee and investment fraud:
a reader addressed, something asked for or promised, a way to answer. A warning has the same words and negates them; a
report has them in the third person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifiers.rules.addresses import Body, Host
from classifiers.rules.reading import ITS_OWN, Reading, Sentence, any_of
from monitor.reference import Telephones
from monitor.types import ClaimType, Finding, Said

# -- who speaks to whom ------------------------------------------------------------------------------------------------

# Words of warnings, reports and court news: one of them anywhere, and the text is about lures rather than one.
_ABOUT_LURES = re.compile(
    r"\b(?:scam\w*|swindl\w*|fraudsters?|phishing|bogus|fake|impersonat\w+|impostors?|beware|victims?|"
    r"police (?:said|say|warn\w*|arrest\w*)|arrested|warns?|warned|warning (?:the )?(?:public|residents|voters|people)|"
    r"on alert|stay alert|be vigilant)\b|"
    + any_of(
        "騙徒 騙案 騙局 受騙 被騙 防騙 詐騙手法 電騙 行騙 騙子 騙取 慎防 提防 偽冒 冒充 假冒 冒認 假網站 釣魚 "
        "受害人 受害者 事主 被捕 拘捕 刑拘 破獲 呼籲市民 提醒市民 提高警惕 提高警覺 警方提醒 民警提醒 切勿輕信 反詐"
    )
)
_NEGATES = re.compile(
    r"\b(?:never|not(?! (?:yet|only))|no one|nobody|without|rather than|refuse|avoid|stop)\b|n[’']t\b|"
    + any_of("勿 不要 不會 不得 不可 不應 不需 無須 毋須 從不 絕不 不用 唔好 唔會 唔使 拒絕 避免")
)
_NEGATED_AFTER = re.compile(r" (?:to|with) (?:no ?one|nobody|any(?:one|body))\b")
_ADDRESSES_READER = re.compile(
    r"(?a)\b(?:you|your|yours|u|ur|dear)\b|[你您]|(?<![邀申促聘敦])请|\b(?:whatsapp|wechat|telegram)(?: me)?:? ?\+?\d|"
    + any_of("閣下 貴戶 尊敬的 親愛的 加我 搵我")
)

# -- what is asked for -------------------------------------------------------------------------------------------------

_MONEY = r"(?:(?:hk|us|a|rmb|nt)?[$£€¥] ?\d[\d,.]*|\d[\d,.]* ?(?:dollars|pounds|usdt|btc|元|蚊|块))"
_CODES = (
    r"\b(?:(?:verification|security|confirmation|activation|sms) codes?|one[- ]time (?:passwords?|codes?|pins?)|otp|"
    r"passwords?|passcodes?|pin(?: number)?|cvv|(?:bank |credit |debit )?card (?:numbers?|details)|bank (?:details|"
    r"accounts?(?: numbers?| details)?)|account numbers?|(?:identity|id) card (?:numbers?|details|photos?)|"
    r"hkid(?: number)?|login details|online banking|seed phrase)\b"
)
_HAN_CODES = any_of(
    "驗證碼 校驗碼 動態碼 密碼 口令 信用卡 銀行戶口 銀行賬戶 銀行帳戶 銀行賬號 銀行帳號 銀行卡 提款卡 "
    "戶口號碼 賬戶號碼 卡號 身份證號 身分證號 身份證正面 身分證正面 身份證照片 身分證照片 "
    "身份證副本 身分證副本 網上銀行 網銀 助記詞"
)
_FEE = (
    rf"(?:{_MONEY}|\b(?:fee|deposit|fine|bail|tax|charge|usdt|bitcoin|btc|crypto\w*|gift cards?|vouchers?|fps|payme|"
    r"alipay|wechat pay|qr code|wallet)\b)"
)
_HAN_FEE = any_of(
    "手續費 行政費 保證金 按金 押金 解凍 罰款 登記費 費用 款項 安全賬戶 安全帳戶 指定賬戶 指定帳戶 指定戶口 "
    "指定賬號 指定帳號 以下戶口 以下賬戶 以下帳戶 以下賬號 轉數快 fps payme 支付寶 微信 二維碼 usdt 比特幣 虛擬貨幣 "
    "加密貨幣 點數卡 禮物卡 轉賬 轉帳 錢 資金"
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of lure."""

    words: Said  # completes "It …"
    pattern: re.Pattern[str]
    weight: float
    needs_way: bool  # counts only where the text gives a link, a number or an account to answer to


_KINDS = (
    _Kind(
        Said("asks for secret numbers or codes"),
        re.compile(
            r"\b(?:enter|reply|provide|confirm|verify|submit|send|give|input|key in|fill in|type|text|share|update)\b"
            rf".{{0,60}}?{_CODES}|"
            + any_of("輸入 回覆 回復 提供 填寫 填上 填報 提交 發送 告訴 告知 報上 俾 畀 核實 更新 驗證 上傳 上載 拍攝")
            + rf".{{0,24}}?{_HAN_CODES}"
        ),
        0.6,
        needs_way=False,
    ),
    _Kind(
        Said("asks for a payment"),
        re.compile(
            rf"\b(?:pay|transfer|remit|top up|deposit|send|scan)\b.{{0,50}}?{_FEE}|"
            + any_of("繳付 繳交 繳納 支付 付款 匯款 轉賬 轉帳 過數 入數 充值 打款 存入 代付 掃描 掃碼")
            + rf".{{0,30}}?{_HAN_FEE}"
        ),
        0.5,
        needs_way=True,
    ),
    _Kind(
        Said("asks the reader to pay or lend for the sender"),
        re.compile(
            r"\b(?:lend me|pay (?:it |this |them )?for me|transfer (?:it |the money |some money )?for me|"
            r"buy (?:me )?(?:some |a few )?gift cards for me)\b|"
            r"(?:帮|替)(?:我|忙)[^,。]{0,12}(?:转账|转帐|转数|转钱|入[\d一二三四五六七八九十]|过数|入数|转一下|转给|付款|付一下|汇款|垫付|代付|打款|充值|买点数卡)|"
            r"借(?:给我|我)[^,。]{0,6}\d"
        ),
        0.4,
        needs_way=False,
    ),
    _Kind(
        Said("names a case against the reader and demands cooperation"),
        re.compile(
            r"\byour (?:name|account|identity|bank card)\b.{0,60}?\b(?:money laundering|criminal case|fraud case)\b"
            r".{0,80}?\b(?:cooperate|transfer|download|add|call|provide)\b|"
            + any_of("你 您 名下 閣下")
            + rf"[^。]{{0,30}}?{any_of('涉嫌 洗黑錢 洗錢 通緝')}[^。]{{0,60}}?"
            + any_of("配合 轉賬 轉帳 下載 添加 提供 保密")
        ),
        0.5,
        needs_way=False,
    ),
    _Kind(
        Said("promises a sure gain or a gift"),
        re.compile(
            r"\bguaranteed (?:\w+ ){0,3}?(?:returns?|profits?|income|cash|prize)\b|"
            r"\brisk[- ]free (?:returns?|profits?)\b|"
            rf"\bdouble your money\b|\bearn {_MONEY} ?(?:a|per|every) day\b|"
            rf"\b(?:won|awarded|selected)\b.{{0,60}}?"
            rf"(?:{_MONEY}|\b(?:prize|reward|bonus|award|vouchers?|gift cards?)\b)|"
            r"\bclaim (?:your|ur|the|this)\b.{0,30}?\b(?:prize|reward|refund|gift|vouchers?|cash|award|subsidy)\b|"
            rf"\b(?:vote|voting|voted)\b.{{0,50}}?\b(?:get|receive|win|claim|collect|earn)\b.{{0,30}}?"
            rf"(?:{_MONEY}|\b(?:vouchers?|coupons?|gift cards?|gifts?|cash)\b)|"
            r"(?:保证|稳赚|包赚|零风险|无风险)[^,。]{0,6}(?:回报|收益|获利|盈利|不赔)|稳赚不赔|日赚|"
            rf"投(?:完|咗|了)?票[^。]{{0,20}}?{any_of('送 領 換 派 贈 即得 可得 賺')}[^。]{{0,12}}?"
            rf"(?:{_MONEY}|{any_of('現金 禮券 禮物卡 超市券 購物券 紅包 八達通 獎金')})|"
            + any_of("中獎 獲獎 獲選 抽中")
            + rf"[^。]{{0,24}}?{any_of('領取 兌換 領獎')}"
        ),
        0.5,
        needs_way=True,
    ),
    _Kind(
        Said("threatens or presses the reader to follow a link"),
        re.compile(
            r"\b(?:suspended|expires?|expired|lapses?|lapsed|blocked|frozen|cancelled|removed|deactivated|overdue|"
            r"lose your)\b.{0,90}?"
            r"\b(?:click|tap|log in|sign in|visit|follow|verify|confirm|re-?register|renew|reactivate)\b|"
            r"\b(?:click|tap|log in|sign in|follow)\b.{0,60}?"
            r"\b(?:verify|confirm|reactivate|unlock|avoid|claim|renew)\b|"
            + any_of("失效 過期 停用 凍結 取消資格 註銷 逾期 除名 限制")
            + rf"[^。]{{0,40}}?{any_of('點擊 按此 按以下 點開 登入 登錄 掃描 驗證 核實 認證 更新')}|"
            + any_of("點擊 按此 按以下 點開 登入 登錄 掃描")
            + rf"[^。]{{0,30}}?{any_of('驗證 核實 認證 解凍 激活 啟動 領取 兌換')}"
        ),
        0.5,
        needs_way=True,
    ),
)
_WAY = re.compile(
    r"\b(?:links?|click|tap|qr|fps|payme|whatsapp|telegram)\b|" + any_of("連結 鏈接 按此 點擊 二維碼 轉數快")
)
_ASKS_TO_ACT = re.compile(
    r"\b(?:log ?in|sign in|register|verify|confirm|apply|claim|check your|update your|fill in|download|"
    r"click|tap|scan)\b|" + any_of("登入 登錄 登記 核實 驗證 確認 查詢 申請 領取 更新 填寫 下載 點擊 按此 掃描")
)

# -- telephone numbers -------------------------------------------------------------------------------------------------

_PHONE = re.compile(r"(?<![\d.,/-])\+?\d(?:(?:[ ()-]{0,2}|\.)\d){6,14}(?![\d/])")
_DATE = re.compile(r"(?:19|20)\d\d[-.]\d\d?[-.]\d\d?")
_CALL = re.compile(
    r"\b(?:call|dial|ring|phone|tel|text|txt|sms|whatsapp|wechat|telegram|signal|line|contact|message|hotline)\b|"
    + any_of("致電 打電話 撥打 撥電 來電 聯絡 聯繫 聯系 微信 電報 短信 短訊 訊息 加我 加qq 添加 熱線 電話")
)
_CALL_REACH = 40  # folded characters between the request to call and the number
_SAME_NUMBER = 7  # last digits that make two numbers one, with or without country code


def check(
    reading: Reading,
    elsewhere: Sequence[Host],
    page: str | None,
    named: Sequence[Body],
    telephones: Telephones,
    facts_name: str,
    *,
    verified_only: bool,
) -> tuple[Finding, ...]:
    """Findings ``office-asks`` or ``lure``, ``name-elsewhere`` and ``lure-phone``, at most one of each.

    ``elsewhere`` are the hosts the text leads to that belong to no verified body and not to its own outlet, ``page`` is
    the host it stands on itself unless that is verified, ``named`` the bodies it names; ``verified_only`` says that it
    leads to verified hosts and nowhere else.
    """
    numbers = _numbers(reading.folded)
    findings = list(_reported(numbers, telephones, facts_name))
    addressed = _ADDRESSES_READER.search(reading.folded) is not None
    if not (findings or addressed) or reading.denies or _ABOUT_LURES.search(reading.folded):
        return ()
    if not addressed:
        return tuple(findings)
    unknown = [found for found in numbers if not _known(found.group(), telephones.official)]
    lure = None if verified_only else _lure(reading, way=bool(elsewhere or unknown or _WAY.search(reading.folded)))
    if lure:
        findings.append(_lure_finding(lure, elsewhere[0].name if elsewhere else page, named))
    elif named and elsewhere:
        findings += _name_elsewhere(reading, elsewhere, named[0])
    if not findings or findings[0].rule != "lure-phone":
        findings += _phone(reading, unknown, lure, named, facts_name)
    return tuple(findings)


@dataclass(frozen=True, slots=True)
class _Lure:
    kind: _Kind
    sentence: Sentence
    start: int
    end: int


def _lure(reading: Reading, *, way: bool) -> _Lure | None:
    """The heaviest lure of the text that is not negated."""
    best: _Lure | None = None
    addressed = [_ADDRESSES_READER.search(sentence.folded) is not None for sentence in reading.sentences]
    for place, sentence in enumerate(reading.sentences):
        if not any(addressed[max(0, place - 1) : place + 2]):  # here or in a neighbour
            continue
        for kind in _KINDS:
            if (kind.needs_way and not way) or (best and best.kind.weight >= kind.weight):
                continue
            found = kind.pattern.search(sentence.folded)
            if found and not (
                _NEGATES.search(sentence.folded[: found.end()]) or _NEGATED_AFTER.match(sentence.folded, found.end())
            ):
                best = _Lure(kind, sentence, found.start(), found.end())
    return best


def _lure_finding(lure: _Lure, host: str | None, named: Sequence[Body]) -> Finding:
    words = lure.sentence.quote(lure.start, lure.end)
    if named and host:
        body = named[0]
        return Finding(
            rule="office-asks",
            claim_type=body.claim_type,
            said=Said(
                "It {lure} in the name of {body} and leads to {host}, which is not theirs.",
                {"lure": lure.kind.words, "body": body.name, "host": host},
            ),
            evidence=words,
            rests_on=f"{body.source}: domains = {', '.join(body.domains)}",
            weight=0.7,
        )
    return Finding(
        rule="lure",
        claim_type=ClaimType.SCAM_LURE,
        said=Said("It {lure}.", {"lure": lure.kind.words}),
        evidence=words,
        rests_on=ITS_OWN.form,
        weight=lure.kind.weight,
    )


def _name_elsewhere(reading: Reading, elsewhere: Sequence[Host], body: Body) -> Iterator[Finding]:
    for sentence in reading.sentences:
        asks = _ASKS_TO_ACT.search(sentence.folded)
        host = next((host.name for host in elsewhere if host.name in sentence.folded), None)
        if asks and host and not _NEGATES.search(sentence.folded):
            yield Finding(
                rule="name-elsewhere",
                claim_type=body.claim_type,
                said=Said(
                    "It names {body} and sends the reader to {host}, which is not theirs.",
                    {"body": body.name, "host": host},
                ),
                evidence=sentence.quote(asks.start(), len(sentence.folded)),
                rests_on=f"{body.source}: domains = {', '.join(body.domains)}",
                weight=0.4,
            )
            return


def _numbers(folded: str) -> list[re.Match[str]]:
    return [found for found in _PHONE.finditer(folded) if not _DATE.match(found.group())]


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def _known(number: str, listed: Sequence[str]) -> str | None:
    """The listed number that this one is, with or without a country code."""
    end = _digits(number)[-_SAME_NUMBER:]
    return next((known for known in listed if _digits(known)[-_SAME_NUMBER:] == end), None)


def _reported(numbers: Sequence[re.Match[str]], telephones: Telephones, facts_name: str) -> Iterator[Finding]:
    for found in numbers:
        if known := _known(found.group(), telephones.reported):
            yield Finding(
                rule="lure-phone",
                claim_type=ClaimType.SCAM_LURE,
                said=Said(
                    "It gives the telephone number {number}, which is known from scams.", {"number": found.group()}
                ),
                evidence=found.group(),
                rests_on=f"{facts_name}: telephones.reported = {known}",
                weight=0.8,
            )
            return


def _phone(
    reading: Reading, numbers: Sequence[re.Match[str]], lure: _Lure | None, named: Sequence[Body], facts_name: str
) -> Iterator[Finding]:
    """A number to call that nobody knows, beside a lure; a body that is named makes it that body's impersonation."""
    if lure is None:
        return
    for found in numbers:
        before = reading.folded[max(0, found.start() - _CALL_REACH) : found.start()]
        if _CALL.search(before):
            yield Finding(
                rule="lure-phone",
                claim_type=named[0].claim_type if named else ClaimType.SCAM_LURE,
                said=_wants_a_call(lure, found.group(), named),
                evidence=found.group(),
                rests_on=f"{facts_name}: telephones.official",
                weight=0.4,
            )
            return


def _wants_a_call(lure: _Lure, number: str, named: Sequence[Body]) -> Said:
    values = {"lure": lure.kind.words, "number": number}
    if named:
        return Said(
            "It {lure} and wants a call to {number}, in the name of {body}, a number nobody knows.",
            {**values, "body": named[0].name},
        )
    return Said("It {lure} and wants a call to {number}, a number nobody knows.", values)
