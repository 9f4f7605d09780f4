"""Addresses that imitate a verified domain: confusable letters, typos, added words, other suffixes. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from classifiers.rules.addresses import Body, Host, decoded, is_of, labels
from monitor.links import host_parts
from monitor.types import Finding, Said

# Letters to the one they pass for: an excerpt of Unicode TR39's confusables, and pairs that print like one letter.
_CONFUSABLE = str.maketrans(
    "0" "1iıіιӏ" "3е" "5ѕ" "ј" "аα" "оοօ" "рρ" "с" "уү" "хχ" "һ" "ԁ" "ոν" "ԛ" "ѡω" "кκ" "м" "тτ" "в" "υ",
    "o" "llllll" "ee" "ss" "j" "aa" "ooo" "pp" "c" "yy" "xx" "h" "d" "nv" "q" "ww" "kk" "m" "tt" "b" "u",
)  # fmt: skip
_PAIRS = (("rn", "m"), ("vv", "w"))
# Words that a false page adds to a body's name to look like its counter.
_COUNTER_WORDS = frozenset(
    {
        *("account", "accounts", "alert", "ballot", "claim", "confirm", "election", "elections", "gov", "government"),
        *("help", "hk", "id", "identity", "info", "login", "logon", "notice", "official", "online", "pay", "payment"),
        *("poll", "polling", "portal", "refund", "register", "registration", "reward", "secure", "security", "service"),
        *("services", "signin", "support", "update", "verification", "verified", "verify", "vote", "voter", "voters"),
        *("voting", "web"),
    }
)
_DISTINCTIVE = 9  # letters from which a name is its owner's wherever it stands; "police" is many people's
_TYPO = 6  # letters from which one changed letter under the same suffix is no accident
_WHOLE = 8  # letters of a whole domain from which finding it inside another name is no accident


@dataclass(frozen=True, slots=True)
class Way:
    """How an address imitates a domain, in words, and how strongly that speaks for deceit."""

    words: Said
    weight: float


def check(hosts: Iterable[Host | str], bodies: Sequence[Body]) -> tuple[Finding, ...]:
    """Findings ``lookalike-domain``, one for each imitating host."""
    verified = [domain for body in bodies for domain in body.domains]
    findings = []
    seen = set()
    for named in hosts:
        host, user = (named.name, named.user) if isinstance(named, Host) else (named, "")
        if host in seen or is_of(host, verified):
            continue
        seen.add(host)
        found = _imitated(host, user, bodies)
        if found:
            body, domain, way = found
            findings.append(
                Finding(
                    rule="lookalike-domain",
                    claim_type=body.claim_type,
                    said=Said(
                        "The address {host} imitates {domain} of {body}: {way}.",
                        {"host": host, "domain": domain, "body": body.name, "way": way.words},
                    ),
                    evidence=f"{user}@{host}" if user else host,
                    rests_on=f"{body.source}: domains = {domain}",
                    weight=way.weight,
                )
            )
    return tuple(findings)


def _imitated(host: str, user: str, bodies: Sequence[Body]) -> tuple[Body, str, Way] | None:
    """Whose domain the host imitates most, and how."""
    found = None
    for body in bodies:
        for domain in body.domains:
            way = Way(Said("the domain stands before the @"), 0.9) if user and is_of(user, [domain]) else None
            way = way or imitation(host, domain)
            if way and (found is None or way.weight > found[2].weight):
                found = body, domain, way
    return found


def imitation(host: str, verified: str) -> Way | None:
    """How ``host`` imitates the domain ``verified``; None when it does not. That it is not verified is the caller's.

    Only a name of nine letters or with a hyphen is distinctive enough that another suffix or any added word counts:
    ``police.example`` does not imitate ``police.test``, ``police-login.test`` does.
    """
    real = host_parts(verified)
    name = real.name or real.suffix.partition(".")[0]
    whole = _squeeze(verified)
    if _squeeze(host) == whole and host != verified:
        return Way(Said("the same domain with other dots and hyphens"), 0.9)
    same_suffix = host_parts(host).suffix == real.suffix
    ways = (
        _label_imitates(decoded(label), name, whole, real.suffix, same_suffix=same_suffix) for label in labels(host)
    )
    return max(filter(None, ways), key=lambda way: way.weight, default=None)


def _label_imitates(  # noqa: PLR0911 - one way of imitating a line, the firmest first
    label: str, name: str, whole: str, suffix: str, *, same_suffix: bool
) -> Way | None:
    distinctive = (len(name) >= _DISTINCTIVE or "-" in name) and name not in _COUNTER_WORDS
    seen, real = _skeleton(label), _skeleton(name)
    words = label.split("-")
    if seen == real and label != name:
        return Way(Said("characters that look alike"), 0.9)
    if seen == real and distinctive:
        return Way(Said("the same name elsewhere"), 0.7)
    if len(words) > 1 and name in words and set(words) - {name} <= _COUNTER_WORDS | set(suffix.split(".")):
        return Way(Said("the name with the words of a counter added"), 0.9)
    if seen != real and distinctive and _squeeze(name) in _squeeze(label):
        return Way(Said("the same name with something added"), 0.9 if "-" in label else 0.7)
    if (distinctive or (same_suffix and len(name) >= _TYPO)) and one_edit(seen, real):
        return Way(Said("one letter changed"), 0.9 if distinctive else 0.6)
    if len(whole) >= _WHOLE and whole in _squeeze(label):
        return Way(Said("the whole domain inside another name"), 0.9)
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
