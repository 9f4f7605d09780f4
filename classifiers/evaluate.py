"""How good a model is: by rank, at the operating threshold, by language and by kind; beside two plain baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from classifiers.examples import Example, read_word
from classifiers.model import Array, Model, fit
from classifiers.scoring import combine
from monitor.errors import InputError
from monitor.text import detect_lang
from monitor.types import Label, Lang

_BINS = 10


def measure(
    suspicious: Sequence[bool], scores: Array, flagged: Array, groups: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Every figure for one set of judged texts.

    ``n``, ``positives``, average precision ``ap``, the share of positives found after reading the top twentieth and
    tenth (``recall_5``, ``recall_10``), ``recall`` and ``false_flags`` at the threshold, ``brier`` score and
    ``calibration_error`` (expected, ten equal bins). For each of ``groups`` (a name, and a word for each text) the
    same again under ``by_<name>``, without further groups. A figure that has no meaning there is None.
    """
    truth = np.asarray(suspicious, dtype=bool)
    figures = _figures(truth, scores, flagged)
    for name, words in groups.items():
        places = {word: np.array([w == word for w in words]) for word in sorted(set(words))}
        figures[f"by_{name}"] = {word: _figures(truth[at], scores[at], flagged[at]) for word, at in places.items()}
    return figures


def evaluate(
    model: Model,
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    examples: Sequence[Example],
    mask: Callable[[str], str] = str,
) -> dict[str, Any]:
    """Figures on labelled rows, each with the words that name its line; baselines learn from ``examples``.

    ``mask`` hides from all of them what the model is not to see.

    A row has ``text`` and ``label``, or ``y`` (1 for suspicious); optional ``lang`` and ``kind``.
    Raises InputError naming the line.
    """
    texts = [mask(_text(row, where)) for where, row in rows]
    truth = [_truth(row, where) for where, row in rows]
    langs = [
        str(read_word(row, "lang", Lang, where) or detect_lang(t)) for (where, row), t in zip(rows, texts, strict=True)
    ]
    groups = {"lang": langs}
    if any("kind" in row for _, row in rows):
        groups["kind"] = [str(row.get("kind", "")) for _, row in rows]
    if not texts:
        raise InputError("evaluation", "there is no row to judge")
    scores, flagged = _judge(model, texts)
    plain = _baseline(examples)(texts)
    return {
        "model": measure(truth, scores, flagged, groups),
        "baseline": measure(truth, plain, plain >= 0.5, groups),
        "majority": _majority(truth, groups),
    }


def cross_validate(examples: Sequence[Example], folds: int = 5, random_state: int = 0) -> dict[str, Any]:
    """The same figures on examples that the model judged did not see, with the share of right stances and kinds."""
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
    truth = [example.suspicious for example in examples]
    groups = {
        "lang": [str(example.lang) for example in examples],
        "stance": [str(example.stance) for example in examples],
    }
    shares = {"stance_accuracy": right_stance / len(examples), "kind_accuracy": right_kind / sum(truth)}
    return {
        "model": measure(truth, scores, flagged, groups) | shares,
        "baseline": measure(truth, plain, plain >= 0.5, groups),
        "majority": _majority(truth, groups),
    }


def _judge(model: Model, texts: Sequence[str]) -> tuple[Array, Array]:
    scored = [combine(opinion, (), None, model.threshold) for opinion in model.judge(texts)]
    return np.array([s.score for s in scored]), np.array([s.flagged for s in scored], dtype=bool)


def _baseline(examples: Sequence[Example]) -> Callable[[Sequence[str]], Array]:
    """scikit-learn's defaults, word TF-IDF and logistic regression: what our features must beat."""
    plain = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    plain.fit([example.text for example in examples], [example.suspicious for example in examples])
    return lambda texts: np.asarray(plain.predict_proba(texts)[:, 1])


def _majority(truth: Sequence[bool], groups: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """A judge that says genuine to everything."""
    return measure(truth, np.zeros(len(truth)), np.zeros(len(truth), dtype=bool), groups)


def _figures(truth: Array, scores: Array, flagged: Array) -> dict[str, Any]:
    positives = int(truth.sum())
    order = np.argsort(-scores, kind="stable")
    # Equal scores share their places: a constant score finds no more than chance.
    ranked = bool(positives) and positives < len(truth)
    return {
        "n": len(truth),
        "positives": positives,
        "ap": _rounded(average_precision_score(truth, scores)) if ranked else None,
        "recall_5": _recall_after(truth[order], scores[order], 0.05) if ranked else None,
        "recall_10": _recall_after(truth[order], scores[order], 0.10) if ranked else None,
        "recall": _rounded(flagged[truth].mean()) if positives else None,
        "false_flags": _rounded(flagged[~truth].mean()) if positives < len(truth) else None,
        "brier": _rounded(brier_score_loss(truth, scores)) if ranked else None,
        "calibration_error": _rounded(_calibration_error(truth, scores)),
    }


def _recall_after(truth: Array, scores: Array, budget: float) -> float:
    """Share of positives within the first ``budget`` of a ranking; where scores tie at the edge, the expected share."""
    seats = max(1, round(len(truth) * budget))
    edge = scores[seats - 1]
    above, tied = scores > edge, scores == edge
    share = (seats - above.sum()) / tied.sum()
    return _rounded((truth[above].sum() + share * truth[tied].sum()) / truth.sum())


def _calibration_error(truth: Array, scores: Array) -> float:
    bins = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    gaps = [abs(truth[bins == b].mean() - scores[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return float(sum(gaps))


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _text(row: Mapping[str, Any], where: str) -> str:
    text = row.get("text")
    if not isinstance(text, str):
        raise InputError(where, "`text` is missing")
    return text


def _truth(row: Mapping[str, Any], where: str) -> bool:
    if "y" in row and "label" not in row:
        if row["y"] not in (0, 1):
            raise InputError(where, "`y` must be 0 or 1")
        return bool(row["y"])
    label = read_word(row, "label", Label, where)
    if label is None:
        raise InputError(where, "needs `label`, or `y`")
    return label is not Label.GENUINE
