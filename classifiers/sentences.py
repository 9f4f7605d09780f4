"""What the reasons of an assessment say, made of their code and detail: for rows of any age, in any language. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

from monitor.types import HARMLESS_STANCES, Said, Stance, Style

_STANCES = {
    Stance.ASSERTS: Said("seems to assert its claim"),
    Stance.REPORTS: Said("seems to report a claim"),
    Stance.REFUTES: Said("seems to refute a claim"),
    Stance.QUESTIONS: Said("seems to ask about a claim"),
    Stance.SATIRISES: Said("seems to be satire"),
    Stance.UNRELATED: Said("seems to carry no claim"),
}

_STYLES = {
    Style.EXCLAMATION: Said("exclamation marks"),
    Style.QUOTATION: Said("quotation marks"),
    Style.HASHTAG: Said("hashtags"),
    Style.FIRST_PERSON: Said("I and we"),
}


def sentence(code: str, detail: Mapping[str, Any]) -> Said:  # noqa: PLR0911 - one case for each code
    """What a reason with this code says. Raises KeyError for a code or a detail that no program ever wrote."""
    match code:
        case "finding":
            return found(detail)
        case "match":
            return Said("Names {names}.", {"names": detail.get("names") or detail["candidates"]})
        case "ordinary":
            return Said("It reports what every polling day brings, so only a far higher score is flagged.")
        case "unfamiliar":
            return Said(
                "The model has not seen text like this: it knows {known} of {words} words, so its score says little.",
                {"known": detail["known"], "words": detail["words"]},
            )
        case "words":
            return Said(
                "Words that speak for it: {weighed_for}; against it: {weighed_against}.",
                {"weighed_for": _quoted(detail["for"]), "weighed_against": _quoted(detail["against"])},
            )
        case "style":
            return Said(
                "How it is written, for it: {weighed_for}; against it: {weighed_against}.",
                {"weighed_for": _styles(detail["for"]), "weighed_against": _styles(detail["against"])},
            )
        case "vector":
            weight = detail["weight"]
            if weight > 0:
                return Said(
                    "Its sentence vector, what it says as a whole, speaks for it: {weight}.", {"weight": weight}
                )
            return Said(
                "Its sentence vector, what it says as a whole, speaks against it: {weight}.", {"weight": weight}
            )
        case "claim-type":
            return Said("Looks like {claim_type}.", {"claim_type": detail["claim_type"]})
        case "stance":
            return _stance(Stance(detail["stance"]))
        case "role":
            return Said("The outlet's role is {role}; such are never flagged.", {"role": detail["role"]})
        case _:
            raise KeyError(code)


def stored(reason: Mapping[str, Any]) -> Said:
    """What a stored reason says; the English sentence that stands beside it where code and detail do not tell."""
    try:
        return sentence(reason["code"], reason["detail"])
    except (KeyError, TypeError, ValueError):
        return Said.read(reason["text"])


def found(finding: Mapping[str, Any]) -> Said:
    """What a stored finding says: one of an earlier program in English alone."""
    return Said.read(finding.get("said") or finding["text"])


def _stance(stance: Stance) -> Said:
    if stance in HARMLESS_STANCES:
        return Said("The text {seems}; that is never flagged.", {"seems": _STANCES[stance]})
    return Said("The text {seems}.", {"seems": _STANCES[stance]})


def _quoted(words: Sequence[Iterable[Any]]) -> Said:
    return _listed([Said("“{word}”", {"word": text}) for text, _weight in words])


def _styles(styles: Sequence[Iterable[Any]]) -> Said:
    return _listed([_STYLES[Style(name)] for name, _weight in styles])


def _listed(parts: Sequence[Said]) -> Said:
    return reduce(lambda first, then: Said("{first}, {then}", {"first": first, "then": then}), parts or [Said("none")])
