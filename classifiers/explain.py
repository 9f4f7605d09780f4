"""Why a text got its score: the words that moved it, and everything else that counted, as reasons for a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from classifiers.heads import Array
from classifiers.model import SUSPICIOUS, Model, chinese, label_values, vector_columns
from classifiers.scoring import TRUSTED_ROLES, Scored
from classifiers.sentences import sentence
from classifiers.terms import batches
from monitor.text import HAN, fold, fold_with_offsets
from monitor.types import Candidate, Finding, Match, Reason, Role, Style

_SHOWN = 4  # fragments for, and as many against
# A text of WORDS words or more is unfamiliar when the model knows less than KNOWN of them. Of recorded German,
# Swedish, Slovak, Russian and Ukrainian headlines this finds 80 to 100 %, of English ones 1 to 2 % (foreign names), of
# Chinese ones and of the seeds out of fold none. The share of the squared norm that the features miss tells less: the
# rare words of any news are unseen too.
KNOWN = 0.25
WORDS = 10
_WORD = re.compile(r"[^\W_]+(?:['’.:/@-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of the original text and what it adds to the value of its label; above zero speaks for suspicious."""

    text: str
    weight: float
    start: int
    end: int


def fragments(model: Model, texts: Sequence[str], masked: Sequence[str], rows: Any) -> list[list[Fragment]]:
    """For each text the pieces that moved its score, by place.

    ``masked`` are the texts with names hidden, ``rows`` are the model's of those. Every term's contribution (its value
    times its weight) is shared out over the characters where it stands; what lies on one word, or on neighbouring Han
    characters that pull the same way, is one fragment.
    """
    folded, offsets = zip(*map(fold_with_offsets, masked), strict=True) if masked else ((), ())
    pulls = _pulls(model, folded, rows)
    return [_fragments(*one) for one in zip(texts, folded, offsets, pulls, strict=True)]


def _fragments(text: str, folded: str, offsets: Sequence[int], pull: Array) -> list[Fragment]:
    pieces = []
    for start, end in _pieces(folded, pull):
        first, last = offsets[start], offsets[end - 1] + 1
        pieces.append(Fragment(text[first:last], float(pull[start:end].sum()), first, last))
    return pieces


def vector_weights(model: Model, rows: Any) -> list[float | None]:
    """For each of the model's rows what its sentence vector adds to its value; None where the model reads none."""
    if model.centre is None:
        return [None] * rows.shape[0]
    placed = vector_columns(rows.shape[1], model.centre)
    weights = model.label.weights[_likeliest(model, rows), placed]
    return [float(value) for value in (rows[:, placed].toarray() * weights).sum(axis=1)]


def style_weights(model: Model, rows: Any) -> list[dict[Style, float]]:
    """For each of the model's rows what the way it is written adds to its value; what does not occur is left out."""
    placed = model.features.style_columns
    counts = rows[:, placed].toarray()
    weights = counts * model.label.weights[_likeliest(model, rows), placed]
    return [
        {style: float(weight) for style, weight, count in zip(Style, *row, strict=True) if count}
        for row in zip(weights, counts, strict=True)
    ]


def known_words(model: Model, masked: Sequence[str]) -> list[tuple[int, int]]:
    """For each text, its names hidden, how many of its words the model knows, and how many it has."""
    features = model.features
    counted = [features.known_words(features.terms(batch)) for batch in batches(fold(text) for text in masked)]
    return [(int(known), int(words)) for pair in counted for known, words in zip(*pair, strict=True)] if masked else []


@dataclass(frozen=True, slots=True)
class Seen:
    """What the model saw in one text."""

    pieces: Sequence[Fragment]
    known: tuple[int, int]  # see known_words
    style: Mapping[Style, float] = field(default_factory=dict)  # see style_weights
    vector: float | None = None  # see vector_weights


def seen(model: Model, texts: Sequence[str], masked: Sequence[str], rows: Any) -> list[Seen]:
    """For each text; ``masked`` are the same with their names hidden, ``rows`` what the model reads of those."""
    pieces = fragments(model, texts, masked, rows)
    known, styles, placed = known_words(model, masked), style_weights(model, rows), vector_weights(model, rows)
    return [Seen(*one) for one in zip(pieces, known, styles, placed, strict=True)]


def reasons(
    found: Seen,
    scored: Scored,
    findings: Sequence[Finding],
    matches: Sequence[Match],
    role: Role | None,
    candidates: Mapping[str, Candidate],
    *,
    ordinary: bool = False,
) -> tuple[Reason, ...]:
    """Everything that counted, the firmest first: findings, names, words, style, vector, claim type, stance, role.

    ``ordinary`` says that it reports what every polling day brings. Before what the model thinks of a text unlike any
    that it learned from, it says so.
    """
    told = [_reason("finding", finding.as_row()) for finding in findings]
    named = dict.fromkeys(match.candidate_id for match in matches)
    if named:
        names = [candidates[id].names[0] if id in candidates else id for id in named]
        told.append(_reason("match", {"candidates": list(named), "names": names}))
    if ordinary and not findings:
        told.append(_reason("ordinary", {}))
    told += _unfamiliar(*found.known)
    told += _words(found.pieces)
    told += _style(found.style)
    if found.vector is not None:
        told.append(_reason("vector", {"weight": round(found.vector, 3)}))
    if scored.flagged and scored.claim_type:
        told.append(_reason("claim-type", {"claim_type": scored.claim_type.value}))
    told.append(_reason("stance", {"stance": scored.stance.value}))
    if role in TRUSTED_ROLES:
        told.append(_reason("role", {"role": role}))
    return tuple(told)


def _reason(code: str, detail: Mapping[str, Any]) -> Reason:
    return Reason(code, sentence(code, detail).text, detail)


def _pulls(model: Model, folded: Sequence[str], rows: Any) -> Iterator[Array]:
    """For each folded text, what each of its characters adds to the value of the likeliest suspicious label."""
    weights, width = model.label.weights, model.label.weights.shape[1]
    likeliest = _likeliest(model, rows)
    done = 0
    for batch in batches(folded):
        values = rows[done : done + len(batch)]
        labels = np.repeat(likeliest[done : done + len(batch)], np.diff(values.indptr))
        done += len(batch)
        terms = model.features.terms(batch)
        column = model.features.columns(terms)
        seen = column >= 0
        # Every term of the batch finds its cell of the matrix; one that stands in several places shares its value.
        cells = np.repeat(np.arange(len(batch)), np.diff(values.indptr)) * width + values.indices
        cell = np.searchsorted(cells, terms.row[seen] * width + column[seen])
        value = values.data * weights[labels, values.indices] / np.maximum(np.bincount(cell, minlength=len(cells)), 1)
        firsts = np.cumsum([0, *(len(text) + 1 for text in batch)])
        start, end = (firsts[terms.row[seen]] + place[seen] for place in (terms.start, terms.end))
        share = value[cell] / (end - start)
        steps = np.bincount(start, weights=share, minlength=firsts[-1])  # how the pull changes with each character
        pull = np.cumsum(steps - np.bincount(end, weights=share, minlength=firsts[-1]))
        yield from (pull[first : first + len(text)] for first, text in zip(firsts[:-1], batch, strict=True))


def _likeliest(model: Model, rows: Any) -> Array:
    """Which row of the label head is the value of each text."""
    return np.asarray(chinese(rows) * len(SUSPICIOUS) + label_values(model.label, rows).argmax(axis=1))


def _pieces(folded: str, pull: Array) -> list[tuple[int, int]]:
    """Where the words of a folded text begin and end.

    Han characters have no spaces between words: they are cut where the pull turns strong, weak, or to the other side.
    """
    strong = np.abs(pull).mean() if len(pull) else 0.0
    side = np.where(np.abs(pull) > strong, np.sign(pull), 0)
    pieces = []
    for word in _WORD.finditer(folded):
        start, end = word.span()
        cuts = [start, end]
        for i in range(start + 1, end):
            han = HAN.match(folded[i]), HAN.match(folded[i - 1])
            if (all(han) and side[i] != side[i - 1]) or (any(han) and not all(han)):
                cuts.append(i)
        pieces += list(pairwise(sorted(cuts)))
    return pieces


def _unfamiliar(known: int, words: int) -> list[Reason]:
    if words < WORDS or known >= KNOWN * words:
        return []
    return [_reason("unfamiliar", {"known": known, "words": words})]


def _words(pieces: Sequence[Fragment]) -> list[Reason]:
    merged: dict[str, float] = {}
    for piece in pieces:
        merged[piece.text] = merged.get(piece.text, 0.0) + piece.weight
    # As they are shown: the last digits differ with what else is in a batch, and must not change the order of equals.
    shown = ((text, round(weight, 3)) for text, weight in merged.items() if weight)
    ranked = sorted(shown, key=lambda item: (-abs(item[1]), item[0]))
    ranked = [item for item in ranked if len(item[0]) > 1] or ranked
    speaking_for = [item for item in ranked if item[1] > 0][:_SHOWN]
    against = [item for item in ranked if item[1] < 0][:_SHOWN]
    if not ranked:
        return []
    return [_reason("words", {"for": speaking_for, "against": against})]


def _style(weights: Mapping[Style, float]) -> list[Reason]:
    shown = sorted(((style.value, round(weight, 3)) for style, weight in weights.items()), key=lambda one: -abs(one[1]))
    speaking_for, against = ([one for one in shown if one[1] * side > 0] for side in (1, -1))
    return [_reason("style", {"for": speaking_for, "against": against})] if speaking_for or against else []
