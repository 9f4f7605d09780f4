"""Addresses that imitate a verified domain, and an office's name used to ask for codes or money. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from classifiers.rules.reading import Sentence, any_of, refutes, sentences
from monitor.reference import OfficeEntry
from monitor.text import fold
from monitor.types import ClaimType, Finding, Match

# Letters to the one they pass for: an excerpt of Unicode TR39's confusables, and pairs that print like one letter.
_CONFUSABLE = str.maketrans(
    "0" "1iıіιӏ" "3е" "5ѕ" "ј" "аα" "оοօ" "рρ" "с" "уү" "хχ" "һ" "ԁ" "ոν" "ԛ" "ѡω" "кκ" "м" "тτ" "в" "υ",
    "o" "llllll" "ee" "ss" "j" "aa" "ooo" "pp" "c" "yy" "xx" "h" "d" "nv" "q" "ww" "kk" "m" "tt" "b" "u",
)  # fmt: skip
_PAIRS = (("rn", "m"), ("vv", "w"))
_LABEL = r"[a-z0-9\u00df-\u024f\u0370-\u03ff\u0400-\u052f\u0561-\u0587-]"
_HOST = re.compile(rf"(?<!{_LABEL})(?:{_LABEL}{{1,63}}\.){{1,8}}{_LABEL}{{2,63}}")

_WARNS = re.compile(
    r"\b(?:never|not|beware|scam\w*|fraud\w*|phishing|bogus|fake|impersonat\w+|warn\w*|suspicious|victims?|arrest\w*)\b|n't\b|"
    + any_of(
        "勿 慎防 提防 騙 詐 不會 從不 絕不 偽冒 冒充 假冒 可疑 受害 被捕 拘捕 警告 提醒 釣魚 唔會 唔好 假網站 冒認"
    )
)
_ADDRESSES_READER = re.compile(r"\byour?\b|[你您]|" + any_of("閣下 貴戶"))
_ASKS_FOR_SECRET = re.compile(
    r"\b(?:enter|reply|provide|confirm|verify|submit|send|give|input|fill in|pay|transfer)\b.{0,60}?"
    r"\b(?:verification codes?|security codes?|one-time (?:passwords?|codes?)|otp|passwords?|passcodes?|pin|cvv|"
    r"card (?:number|details)|bank (?:details|account)|fee|deposit)\b|"
    + any_of("輸入 回覆 回復 提供 填寫 填上 提交 繳付 繳交 支付 轉賬 轉帳 匯款")
    + r".{0,30}?"
    + any_of("驗證碼 密碼 信用卡 銀行戶口 銀行賬戶 提款卡 手續費 行政費 保證金")
)


def check(
    text: str, link: str | None, matches: Sequence[Match], offices: Sequence[OfficeEntry], watchlist_name: str
) -> tuple[Finding, ...]:
    """Findings ``lookalike-domain``, one for each imitating host, and ``office-asks``, at most one.

    A text that warns may name the false address; its own link may not be one.
    """
    verified = [domain.lower().removeprefix("www.") for office in offices for domain in office.domains]
    if not offices:
        return ()
    warns = refutes(text) or _WARNS.search(fold(text)) is not None
    own = [host for host in [_host_of(link)] if host]
    named = [found.group() for found in _HOST.finditer(fold(text))]
    findings = list(_domains(own if warns else [*own, *named], offices, verified, watchlist_name))
    elsewhere = [host for host in named or own if not _is_verified(host, verified)]
    if elsewhere and not warns:
        findings += _asks(text, elsewhere[0], matches, offices, watchlist_name)
    return tuple(findings)


# -- imitating domains -------------------------------------------------------------------------------------------------


def _domains(
    hosts: Sequence[str], offices: Sequence[OfficeEntry], verified: Sequence[str], watchlist_name: str
) -> Iterator[Finding]:
    for host in dict.fromkeys(hosts):
        if _is_verified(host, verified):
            continue
        for office in offices:
            ways = ((domain, imitation(host, domain)) for domain in office.domains)
            domain, way = next(((domain, way) for domain, way in ways if way), ("", None))
            if way:
                yield Finding(
                    rule="lookalike-domain",
                    claim_type=ClaimType.IMPERSONATION_AUTHORITY,
                    text=f"The address {host} imitates {domain} of {office.names[0]}: {way}.",
                    evidence=host,
                    rests_on=f"{watchlist_name}: office {office.id}: domains = {domain}",
                    weight=0.9,
                )
                break


def imitation(host: str, verified: str) -> str | None:
    """How ``host`` imitates the domain ``verified``, in words; None when it does not. Equal domains are the caller's.

    Only a name of nine letters or with a hyphen is distinctive enough that another suffix, an added word or one edit
    counts: ``police.example`` does not imitate ``police.test``.
    """
    verified = verified.lower().removeprefix("www.")
    name = verified.split(".")[0]
    distinctive = len(name) >= 9 or "-" in name
    whole = _squeeze(verified)
    for raw in host.split(".")[:-1]:
        label = _decode(raw)
        if _skeleton(label) == _skeleton(name):
            if label != name:
                return "characters that look alike"
            if distinctive:
                return "the same name elsewhere"
        elif distinctive and _squeeze(name) in _squeeze(label):
            return "the same name with something added"
        elif distinctive and one_edit(_skeleton(label), _skeleton(name)):
            return "one letter changed"
        if len(whole) >= 8 and whole in _squeeze(label):
            return "the whole domain inside another name"
    return None


def one_edit(a: str, b: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours turns ``a`` into ``b``."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    swapped = len(rest_a) > 1 and rest_a[1] + rest_a[0] + rest_a[2:] == rest_b
    return swapped or rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:]


def _skeleton(label: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", label) if not unicodedata.combining(c))
    plain = plain.translate(_CONFUSABLE)
    for pair, letter in _PAIRS:
        plain = plain.replace(pair, letter)
    return plain


def _squeeze(label: str) -> str:
    return re.sub(r"[-.]", "", _skeleton(label))


def _decode(label: str) -> str:
    """A label as a reader's browser may show it."""
    if not label.startswith("xn--"):
        return label
    try:
        return label.removeprefix("xn--").encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _host_of(link: str | None) -> str | None:
    try:
        return urlsplit(link or "").hostname
    except ValueError:
        return None


def _is_verified(host: str, verified: Sequence[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in verified)


# -- an office that asks -----------------------------------------------------------------------------------------------


def _asks(
    text: str, host: str, matches: Sequence[Match], offices: Sequence[OfficeEntry], watchlist_name: str
) -> Iterator[Finding]:
    by_id = {office.id: office for office in offices}
    named = next((by_id[match.candidate_id] for match in matches if match.candidate_id in by_id), None)
    if named is None or not named.domains or not _ADDRESSES_READER.search(fold(text)):
        return
    for sentence in sentences(text):
        if found := _ASKS_FOR_SECRET.search(sentence.folded):
            yield _office_asks(sentence, found, named, host, watchlist_name)
            return


def _office_asks(
    sentence: Sentence, found: re.Match[str], office: OfficeEntry, host: str, watchlist_name: str
) -> Finding:
    return Finding(
        rule="office-asks",
        claim_type=ClaimType.IMPERSONATION_AUTHORITY,
        text=f"It asks for codes or money in the name of {office.names[0]} and leads to {host}, which is not theirs.",
        evidence=sentence.quote(found.start(), found.end()),
        rests_on=f"{watchlist_name}: office {office.id}: domains = {', '.join(office.domains)}",
        weight=0.7,
    )
