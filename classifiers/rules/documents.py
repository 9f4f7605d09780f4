"""What a text says a voter must show, against the official list. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from classifiers.rules.reading import Sentence, any_of
from monitor.reference import Identity
from monitor.text import fold
from monitor.types import ClaimType, Finding, Said


@dataclass(frozen=True, slots=True)
class Claim:
    """One way to contradict the list: its pattern, what it says in a sentence, and the line it contradicts."""

    pattern: re.Pattern[str]
    said: Said
    line: str


_GOOD = (
    r"(?: or \w[\w ]{0,30}?)? (?:(?:is|are|will be|would be|counts? as) (?:also |now |already |just )?"
    r"(?:enough|accepted|fine|ok|okay|valid|allowed|sufficient|acceptable)|"
    r"(?:will|would) (?:also )?(?:do|suffice|work)|suffices|works)\b"
)
_ENOUGH_HAN = r"(?:都|也|亦|便|就|即|已|同样)*(?:可以|可|能|得|有效|足够|够|获接受|接受|代替|入场|行)(?!能|疑)"
_ANY_PAPER = r"(?:id|ids|identity documents?|identity cards?|identification|proof of identity|papers)"
_VOTES = re.compile(r"\b(?:vot\w+|poll\w*|ballots?|station)\b|[投票选]")
_UNREAL = re.compile(r"\b(?:if|whether|unless|used to|in case)\b|" + any_of("如果 若 是否 假如 以為 倘"))
_NEGATED = re.compile(r"\b(?:not|never|no longer|cannot)\b|n[’']t\b|" + any_of("不 未 無法 唔 切勿"))


# In the patterns below <accepted>, <unfit> and <not_needed> stand for the documents of the facts file.
_NONE_NEEDED = (
    rf"\b(?:no {_ANY_PAPER} (?:is |are |will be )?(?:needed|required|necessary)|"
    rf"vote without (?:an? |any |showing (?:an? |any )?)?(?:{_ANY_PAPER}|<accepted>)|"
    r"(?:do not|don't|need not|no need to) (?:need|have to|bring|show|carry) ?(?:to )?(?:bring |show |carry )?"
    rf"(?:any |an? |your )?(?:{_ANY_PAPER}|<accepted>))\b|"
    r"(?:无须|无需|毋须|不用|不需要?|不必|唔使|免)(?:再)?(?:携带|出示|带备|带|查|查看)(?:任何)?"
    r"(?:身分证明|身份证明|证件|<accepted>)"
)
_FIT_REFUSED = (
    r"<accepted> (?:is|are|will be) (?:no longer|not) (?:accepted|valid|enough|allowed)|"
    r"(?:不再接受|不接受|不收|唔收|拒收|no longer accept (?:the |your |an? )?)<accepted>|"
    r"<accepted>(?:已|将|会|都|也)*(?:不获接受|不再接受|不被接受|不再有效|无效|失效|不能用|唔收|作废)"
)
_UNFIT_ENOUGH = (
    rf"<unfit>{_GOOD}|\bvote with (?:just |only )?(?:an? |your |the )?<unfit>|<unfit>{_ENOUGH_HAN}|"
    r"(?:凭|持|出示|带|用|拎)(?:着|住)?<unfit>(?:便|就|即|也|都|亦)*(?:可|能|去)?投票|接受<unfit>"
)
_MORE_NEEDED = (
    r"\b(?:must|need to|have to|has to|required to|obliged to|remember to) (?:also )?(?:bring|show|present|carry|have)"
    r" (?:an? |your |their |the )?(?:\w+ ){0,3}?<not_needed>|"
    r"\bwithout (?:an? |your |their |the )?<not_needed>[^.]{0,40}\b(?:cannot|can't|not be|turned away|no vote|refused)|"
    r"\b<not_needed> (?:is|are) (?:required|mandatory|compulsory|necessary)|"
    r"(?:必须|必需|一定要|(?<![无毋不免])(?:须|要|需要?))(?:同时|先|另外)?(?:携带|出示|带备|带|持有|扫描?|展示)"
    r"[^,。]{0,8}?<not_needed>|"
    r"(?:没有|冇|无|未带|忘记带)<not_needed>[^。]{0,8}?(?:不能|不可|不得|不准|唔可以|唔俾|无法|拒绝)"
)


@cache
def patterns(identity: Identity) -> tuple[Claim, ...]:
    """How texts contradict this list; an empty line of it gives none."""
    unfit = (*identity.refused, *identity.not_needed)
    accepted = _either(identity.accepted)
    if unfit:
        accepted = f"(?!{_either(unfit)}){accepted}"  # the copy of a fit document is another document
    lines = (
        ("<accepted>", identity.accepted, accepted, _NONE_NEEDED, Said("It says that no document is needed.")),
        (
            "<accepted>",
            identity.accepted,
            accepted,
            _FIT_REFUSED,
            Said("It says that an accepted document is refused."),
        ),
        ("<unfit>", unfit, _either(unfit), _UNFIT_ENOUGH, Said("It says that another paper is enough.")),
        (
            *("<not_needed>", identity.not_needed, _either(identity.not_needed), _MORE_NEEDED),
            Said("It says that a paper must be shown that is not asked for."),
        ),
    )
    return tuple(
        Claim(re.compile(template.replace(mark, words)), said, f"{_KEYS[mark]} = {', '.join(documents)}")
        for mark, documents, words, template, said in lines
        if documents
    )


_KEYS = {"<accepted>": "accepted", "<unfit>": "refused or not_needed", "<not_needed>": "not_needed"}


def check(sentence: Sentence, claims: Sequence[Claim], facts_name: str, *, ours: bool) -> Iterator[Finding]:
    """``facts-identity``: the sentence is about voting and contradicts the list of documents."""
    if not claims or not _VOTES.search(sentence.folded):
        return
    for claim in claims:
        found = claim.pattern.search(sentence.folded)
        before = sentence.folded[: found.start()] if found else ""
        if found is None or _UNREAL.search(before) or _NEGATED.search(before[-16:]):
            continue
        yield Finding(
            rule="facts-identity",
            claim_type=ClaimType.VOTING_PROCEDURE,
            said=claim.said,
            evidence=sentence.quote(*found.span()),
            rests_on=f"{facts_name}: identity.{claim.line}",
            weight=0.7 if ours else 0.35,
        )
        return


def _either(words: Sequence[str]) -> str:
    return f"(?:{'|'.join(re.escape(fold(word)) for word in sorted(words, key=len, reverse=True))})"
