"""How good a model is: by rank, at the operating threshold, by language and by kind; beside two plain baselines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from classifiers.examples import Example, read_word
from classifiers.figures import RESAMPLES, Judged, figures, top_10
from classifiers.heads import Array
from classifiers.model import Model, fit
from classifiers.scoring import combine
from monitor.errors import InputError
from monitor.text import detect_lang
from monitor.types import ClaimType, Label, Lang, Stance

NEWS = re.compile(r"news(?:[_-].*)?")
REFUTATION_KINDS = frozenset({"factcheck", "clarification", "refutation"})


@dataclass(frozen=True)
class Evaluation:
    """What every judge made of the same labelled texts."""

    truth: Array
    groups: Mapping[str, Sequence[str]]  # by what to break the figures out; a word for each text, empty if unknown
    judges: Mapping[str, tuple[Array, Array]]  # scores and flags of `model`, `baseline`, `majority`
    shares: Mapping[str, float] = field(default_factory=dict)  # figures of the model alone

    def figures(self) -> dict[str, Any]:
        """The figures of every judge as ``measure`` gives them, with intervals; those of the model first."""
        measured = {name: measure(self.truth, *judge, self.groups, RESAMPLES) for name, judge in self.judges.items()}
        measured["model"] |= self.shares
        return measured

    def judged(self, name: str) -> Judged:
        """What one judge made of all texts, for curves."""
        return _judged(self.truth, *self.judges[name], self.groups)


def measure(
    suspicious: Sequence[bool] | Array,
    scores: Array,
    flagged: Array,
    groups: Mapping[str, Sequence[str]],
    resamples: int = 0,
) -> dict[str, Any]:
    """Every figure for one set of judged texts: see ``classifiers.figures.figures``.

    For each of ``groups`` (a name, and a word for each text) the same again under ``by_<name>``, without further
    groups; a text whose word is empty is in none. The groups ``kind`` and ``stance`` tell what is news (a kind that
    is ``news`` or begins with ``news_`` or ``news-``) and what refutes (the kinds ``factcheck``, ``clarification`` and
    ``refutation``, the stance ``refutes``).
    """
    judged = _judged(np.asarray(suspicious, dtype=bool), scores, flagged, groups)
    measured = figures(judged, resamples)
    for name, words in groups.items():
        measured[f"by_{name}"] = {word: figures(judged.part(at), resamples) for word, at in _places(words)}
    return measured


def evaluate(
    model: Model,
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    examples: Sequence[Example],
    mask: Callable[[str], str] = str,
) -> Evaluation:
    """Judge labelled rows, each with the words that name its line; baselines learn from ``examples``.

    ``mask`` hides from all of them what the model is not to see.

    A row has ``text`` and ``label``, or ``y`` (1 for suspicious); optional ``lang``, ``kind`` (any word), ``stance``
    and ``claim_type``. Raises InputError naming the line.
    """
    texts = [mask(_text(row, where)) for where, row in rows]
    truth = np.array([_truth(row, where) for where, row in rows], dtype=bool)
    if not texts:
        raise InputError("evaluation", "there is no row to judge")
    groups: dict[str, list[str]] = {
        "lang": [
            read_word(row, "lang", Lang, where) or detect_lang(text)
            for (where, row), text in zip(rows, texts, strict=True)
        ],
        "kind": [_kind(row, where) for where, row in rows],
        "stance": [read_word(row, "stance", Stance, where) or "" for where, row in rows],
        "claim_type": [read_word(row, "claim_type", ClaimType, where) or "" for where, row in rows],
    }
    said = {name: [str(word) for word in words] for name, words in groups.items() if any(words)}
    return _beside(truth, said, _judge(model, texts), _baseline(examples)(texts))


def cross_validate(examples: Sequence[Example], folds: int = 5, random_state: int = 0) -> Evaluation:
    """The same on examples that the model judged did not see, with the share of right stances and kinds."""
    strata = [f"{example.lang} {example.label}" for example in examples]
    scores, plain = np.zeros(len(examples)), np.zeros(len(examples))
    flagged = np.zeros(len(examples), dtype=bool)
    right_stance = right_kind = 0
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=random_state).split(strata, strata):
        known = [examples[i] for i in train]
        unseen = [examples[i] for i in test]
        texts = [example.text for example in unseen]
        model, _ = fit(known, random_state=random_state)
        scores[test], flagged[test] = _judge(model, texts)
        plain[test] = _baseline(known)(texts)
        for example, opinion in zip(unseen, model.judge(texts), strict=True):
            right_stance += opinion.stance is example.stance
            right_kind += example.suspicious and opinion.kind is example.label
    truth = np.array([example.suspicious for example in examples], dtype=bool)
    groups = {
        "lang": [str(example.lang) for example in examples],
        "stance": [str(example.stance or "") for example in examples],
        "claim_type": [str(example.claim_type or "") for example in examples],
    }
    shares = {"stance_accuracy": right_stance / len(examples), "kind_accuracy": right_kind / int(truth.sum())}
    return _beside(truth, groups, (scores, flagged), plain, shares)


def _beside(
    truth: Array,
    groups: Mapping[str, Sequence[str]],
    judged: tuple[Array, Array],
    plain: Array,
    shares: Mapping[str, float] | None = None,
) -> Evaluation:
    """A model's scores and flags beside plain ones, and beside a judge that says genuine to everything."""
    silent = np.zeros(len(truth)), np.zeros(len(truth), dtype=bool)
    judges = {"model": judged, "baseline": (plain, plain >= 0.5), "majority": silent}
    return Evaluation(truth, groups, judges, shares or {})


def _judge(model: Model, texts: Sequence[str]) -> tuple[Array, Array]:
    scored = [combine(opinion, (), None, model.threshold) for opinion in model.judge(texts)]
    return np.array([s.score for s in scored]), np.array([s.flagged for s in scored], dtype=bool)


def _baseline(examples: Sequence[Example]) -> Callable[[Sequence[str]], Array]:
    """scikit-learn's defaults, word TF-IDF and logistic regression: what our features must beat."""
    plain = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    plain.fit([example.text for example in examples], [example.suspicious for example in examples])
    return lambda texts: np.asarray(plain.predict_proba(texts)[:, 1])


def _judged(truth: Array, scores: Array, flagged: Array, groups: Mapping[str, Sequence[str]]) -> Judged:
    nothing = [""] * len(truth)
    kinds, stances = groups.get("kind", nothing), groups.get("stance", nothing)
    news = np.array([bool(NEWS.fullmatch(kind)) for kind in kinds], dtype=bool)
    refutes = [
        kind in REFUTATION_KINDS or stance == Stance.REFUTES for kind, stance in zip(kinds, stances, strict=True)
    ]
    return Judged(truth, scores, flagged, top_10(scores), news, np.array(refutes, dtype=bool))


def _places(words: Sequence[str]) -> Iterator[tuple[str, Array]]:
    """Each word but the empty one, in order, and the places where it stands."""
    distinct, which = np.unique(np.array(words, dtype=object), return_inverse=True)
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which, minlength=len(distinct)))[:-1]
    for word, at in zip(distinct, np.split(order, ends), strict=True):
        if word:
            yield str(word), at


def _text(row: Mapping[str, Any], where: str) -> str:
    text = row.get("text")
    if not isinstance(text, str):
        raise InputError(where, "`text` is missing")
    return text


def _kind(row: Mapping[str, Any], where: str) -> str:
    kind = row.get("kind")
    if not isinstance(kind, str | None):
        raise InputError(where, "`kind` must be a word")
    return kind or ""


def _truth(row: Mapping[str, Any], where: str) -> bool:
    if "y" in row and "label" not in row:
        if row["y"] not in (0, 1):
            raise InputError(where, "`y` must be 0 or 1")
        return bool(row["y"])
    label = read_word(row, "label", Label, where)
    if label is None:
        raise InputError(where, "needs `label`, or `y`")
    return label is not Label.GENUINE
