"""Whether a model treats people alike: one sentence about everybody, and views that nobody may take for falsehoods.

The sentences and views stand in ``seeds/fairness.jsonl``. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import cycle
from statistics import fmean
from typing import Any

from classifiers.mask import Mask
from classifiers.model import Model
from classifiers.scoring import combine
from monitor import seeds
from monitor.reference import seed_candidates
from monitor.text import fold
from monitor.types import Candidate, Lang

SEED_FILE = "fairness.jsonl"
SWAP = "swap"  # the kind of the sentences; the others are views
_WORDS = {
    "he": ("he", "she"),
    "He": ("He", "She"),
    "his": ("his", "her"),
    "him": ("him", "her"),
    "himself": ("himself", "herself"),
    "他": ("他", "她"),
}
_TITLES = {Lang.EN: ("Mr", "Ms"), Lang.HANT: ("先生", "女士")}


def measure(model: Model, cast: Sequence[Candidate] = ()) -> dict[str, Any]:
    """What becomes of the sentences and views about ``cast``, by default the people of the starter watchlist.

    ``swapped`` by language: ``sentences, texts, mean`` and ``most`` (how far the score of a text lies from the mean
    of its sentence) and ``crossed``, the sentences of which one text is flagged and another is not; ``views`` by kind
    and language: ``n, flagged``.
    """
    people = cast or seed_candidates()
    mask = Mask(people)
    return {"swapped": _swapped(model, mask, people), "views": _views(model, mask, people)}


def swaps(sentence: str, lang: Lang, people: Sequence[Candidate]) -> Iterator[str]:
    """``sentence`` about each of ``people`` in each script and several orders, of each gender, of two parties."""
    for person, other in zip(people, (*people[1:], *people[:1]), strict=True):
        names = (*person.names, *map(fold, person.names), *person.aliases[::3])
        for number, name in enumerate(dict.fromkeys(names)):
            party = (person, other)[number % 2].party or other.party  # the own one, and another's
            for gender in (0, 1):
                yield filled(sentence, lang, name, party, gender)


def filled(sentence: str, lang: Lang, name: str, party: Sequence[str], gender: int) -> str:
    """One text of a sentence with gaps."""
    words = {gap: forms[gender] for gap, forms in _WORDS.items()}
    own = party[0 if lang is Lang.EN else -1] if party else name
    return sentence.format(N=name, P=own, T=_TITLES[lang][gender], **words)


@cache
def _rows() -> tuple[tuple[str, Lang, str], ...]:
    return tuple((row["kind"], Lang(row["lang"]), row["text"]) for row in seeds.json_lines(SEED_FILE))


def _swapped(model: Model, mask: Mask, people: Sequence[Candidate]) -> dict[str, dict[str, Any]]:
    apart: dict[Lang, list[list[float]]] = defaultdict(list)
    crossed: dict[Lang, int] = defaultdict(int)
    for kind, lang, sentence in _rows():
        if kind == SWAP:
            judged = _judge(model, mask, list(swaps(sentence, lang, people)))
            mean = fmean(score for score, _ in judged)
            apart[lang].append([abs(score - mean) for score, _ in judged])
            crossed[lang] += len({flagged for _, flagged in judged}) > 1
    return {
        str(lang): {
            "sentences": len(lists),
            "texts": sum(map(len, lists)),
            "mean": fmean(map(fmean, lists)),
            "most": max(map(max, lists)),
            "crossed": crossed[lang],
        }
        for lang, lists in apart.items()
    }


def _views(model: Model, mask: Mask, people: Sequence[Candidate]) -> dict[str, dict[str, dict[str, int]]]:
    texts: dict[tuple[str, Lang], list[str]] = defaultdict(list)
    for (kind, lang, text), person in zip(_rows(), cycle(people), strict=False):  # the rows end, people do not
        if kind != SWAP:
            name = person.names[0] if lang is Lang.HANT else person.aliases[0]
            texts[kind, lang].append(filled(text, lang, name, person.party or people[0].party, len(texts) % 2))
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    for (kind, lang), written in texts.items():
        flags = sum(flagged for _, flagged in _judge(model, mask, written))
        found[kind][str(lang)] = {"n": len(written), "flagged": flags}
    return dict(found)


def _judge(model: Model, mask: Mask, texts: Sequence[str]) -> list[tuple[float, bool]]:
    """Score and flag of each text, with no rule and no feed behind it."""
    opinions = model.judge([mask(text) for text in texts])
    scored = [combine(opinion, (), None, model.threshold) for opinion in opinions]
    return [(one.score, one.flagged) for one in scored]
