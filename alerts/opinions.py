"""Opinions: why one dismisses, what the second may not see of the first, and how well the two agree. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

from monitor.types import Review

_TOLD = ("decision", "verdict", "reason")  # what a decision says
_TELLING = ("alert.decide", "alert.note")  # of who gives an opinion, a note may tell it
UNCLEAR = "unclear"  # the claim type of an incident without one


def split_dismissal(reason: str) -> tuple[str, str]:
    """The code that a dismissal begins with (see ``transitions.DismissReason``), and the words that follow it."""
    code, _colon, words = reason.partition(":")
    return code.strip(), words.strip()


def is_blind(row: Mapping[str, Any]) -> bool:
    """Whether an alert (a row of `alerts list`) waits for an opinion that must not know the first one."""
    return row["review"] is Review.SECOND and row["decision"] is None


def without_opinions(decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The decisions on an alert, withdrawn ones too: who decided and when, not what."""
    return [{**row, **dict.fromkeys(_TOLD)} for row in decisions]


def without_told(entries: Sequence[Mapping[str, Any]], subjects: Collection[str]) -> list[dict[str, Any]]:
    """Audit entries, those of decisions and notes on these ``subjects`` without what was decided or written."""
    return [
        {**entry, "detail": {}} if entry["action"] in _TELLING and entry["subject"] in subjects else dict(entry)
        for entry in entries
    ]


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Agreement of two raters beyond chance, at most 1; 0 is what chance gives. None where it is not defined.

    Jacob Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960),
    37-46: (p_o - p_e) / (1 - p_e), with the share p_o of pairs that agree and the share p_e that would if each rater
    kept their own frequencies. It is not defined without pairs, and where both always say the same one thing.
    """
    if not pairs:
        return None
    total = len(pairs)
    first, second = (Counter(side) for side in zip(*pairs, strict=True))
    by_chance = sum(first[answer] * second[answer] for answer in first)  # times total²
    if by_chance == total * total:
        return None
    agreed = sum(one == two for one, two in pairs)
    return (agreed * total - by_chance) / (total * total - by_chance)


def agreement(pairs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows ``claim_type, lang, pairs, agreed, kappa`` of ``decisions.pairs``; None as a claim type or language: all.

    First all pairs, then each claim type, each language, and each claim type in each language.
    """
    kinds = sorted({row["claim_type"] or UNCLEAR for row in pairs})
    langs = sorted({row["lang"] for row in pairs})
    groups = [(None, None), *((kind, None) for kind in kinds), *((None, lang) for lang in langs)]
    groups += [(kind, lang) for kind in kinds for lang in langs]
    rows = [_group(pairs, kind, lang) for kind, lang in groups]
    return [row for row in rows if row["pairs"]]


def _group(pairs: Sequence[Mapping[str, Any]], kind: str | None, lang: str | None) -> dict[str, Any]:
    mine = [
        (row["first"], row["second"])
        for row in pairs
        if kind in (None, row["claim_type"] or UNCLEAR) and lang in (None, row["lang"])
    ]
    agreed = sum(first == second for first, second in mine)
    return {"claim_type": kind, "lang": lang, "pairs": len(mine), "agreed": agreed, "kappa": kappa(mine)}
