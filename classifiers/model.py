"""Linear heads over one feature space: suspicious or genuine, which kind, which stance, which claim type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from classifiers.examples import IMPERSONATION_TYPES, Example
from classifiers.features import TextFeatures
from monitor.types import ClaimType, Label, Lang, Stance

Array = np.ndarray[Any, Any]

# At the operating threshold at most this share of the genuine training texts is flagged, judged out of fold. The seeds'
# are counter-examples, made of the same words as the falsehoods: of ordinary news about one in fifty is flagged.
FALSE_FLAGS = 0.125
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the model thinks of one text."""

    probability: float  # that the text is suspicious, as calibrated on the training texts
    kind: Label  # what it is if it is suspicious
    stance: Stance
    claim_type: ClaimType  # the most likely one of its kind


@dataclass(frozen=True)
class Head:
    """A linear classifier with one row of weights a class."""

    classes: tuple[str, ...]
    weights: Array  # (classes, features), float32
    intercepts: Array  # (classes,)

    def values(self, rows: Any) -> Array:
        """Decision values, one column a class."""
        return np.asarray(rows @ self.weights.T + self.intercepts)

    def best(self, rows: Any, allowed: Array | None = None) -> list[str]:
        """The class with the highest value; ``allowed`` (rows, classes) leaves classes out."""
        values = self.values(rows)
        if allowed is not None:
            values = np.where(allowed, values, -np.inf)
        return [self.classes[column] for column in values.argmax(axis=1)]


@dataclass(frozen=True)
class Model:
    """A trained model. Immutable; two models trained from the same rows in the same order are equal."""

    features: TextFeatures
    suspicion: Head  # one class: suspicious
    kind: Head
    stance: Head
    claim_type: Head
    calibration: tuple[float, float]  # slope and intercept from decision value to log-odds
    threshold: float  # score from which a text is flagged

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """An opinion on each text, in order."""
        return self.judge_rows(self.features.transform(texts))

    def judge_rows(self, rows: Any) -> list[Opinion]:
        """An opinion on each row of ``features.transform``: for callers who need the rows for reasons as well."""
        kinds = self.kind.best(rows)
        poses = np.array([kind == Label.IMPERSONATION for kind in kinds], dtype=bool)
        allowed = poses[:, None] == [name in IMPERSONATION_TYPES for name in self.claim_type.classes]
        return [
            Opinion(float(probability), Label(kind), Stance(stance), ClaimType(claim_type))
            for probability, kind, stance, claim_type in zip(
                calibrate(self.suspicion.values(rows)[:, 0], self.calibration),
                kinds,
                self.stance.best(rows),
                self.claim_type.best(rows, allowed),
                strict=True,
            )
        ]

    def state(self) -> dict[str, Any]:
        """Everything the model is, as arrays, numbers and texts: what the registry stores."""
        vocabulary = self.features.vocabulary_
        return {
            "slope": self.features.slope,
            "pivot": self.features.pivot_,
            "terms": np.array(sorted(vocabulary, key=vocabulary.__getitem__)),
            "idf": self.features.idf_,
            "heads": {
                name: {"classes": list(head.classes), "weights": head.weights, "intercepts": head.intercepts}
                for name, head in self._heads().items()
            },
            "calibration": list(self.calibration),
            "threshold": self.threshold,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Model:
        """The inverse of ``state``."""
        features = TextFeatures(slope=state["slope"])
        features.vocabulary_ = {str(term): column for column, term in enumerate(state["terms"])}
        features.idf_, features.pivot_ = state["idf"], state["pivot"]
        heads = {
            name: Head(tuple(head["classes"]), head["weights"], head["intercepts"])
            for name, head in state["heads"].items()
        }
        slope, intercept = state["calibration"]
        return cls(features=features, calibration=(slope, intercept), threshold=state["threshold"], **heads)

    def _heads(self) -> dict[str, Head]:
        return {
            "suspicion": self.suspicion,
            "kind": self.kind,
            "stance": self.stance,
            "claim_type": self.claim_type,
        }


# One thread: the matrices are small, so that more threads only wait for each other; and sums keep their order.
@threadpool_limits.wrap(limits=1)  # type: ignore[untyped-decorator]  # as above
def fit(examples: Sequence[Example], random_state: int = 0) -> tuple[Model, Array]:
    """Train on examples; returns the model and, for each example, its calibrated score out of fold.

    The threshold is the lowest score at which at most ``FALSE_FLAGS`` of the genuine examples are flagged out of fold.
    Time grows with the cube of the number of examples, because the heads are fitted in the space that the texts span:
    under a second for 700, some seconds for 3,000. Raises ValueError when one of the labels has too few examples.
    """
    features = TextFeatures().fit([example.text for example in examples])
    counts = features.count(example.text for example in examples)
    suspicious = np.array([example.suspicious for example in examples])
    values = _out_of_fold(counts, suspicious, [_stratum(example) for example in examples], random_state)
    calibration = _platt(values, suspicious)
    scores = calibrate(values, calibration)
    space = _RowSpace(features.weigh(counts))
    model = Model(
        features=features,
        suspicion=space.fit_suspicion(suspicious),
        kind=space.fit([e.label if e.suspicious else None for e in examples], penalty=1.0),
        stance=space.fit([e.stance for e in examples], penalty=0.1),
        claim_type=space.fit([e.claim_type for e in examples], penalty=1.0),
        calibration=calibration,
        threshold=float(np.nextafter(np.quantile(scores[~suspicious], 1 - FALSE_FLAGS, method="higher"), 1)),
    )
    return model, scores


class _RowSpace:
    """The space that a few texts with very many features span, where fitting is fast and gives the same answer.

    The weights of a linear model with an L2 penalty are a combination of its training rows (the representer theorem),
    so it can be fitted on coordinates along the eigenvectors of the Gram matrix and carried back exactly.
    """

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        values, vectors = np.linalg.eigh((rows @ rows.T).toarray())
        kept = values > values.max() * 1e-9
        self._basis = vectors[:, kept]
        self._lengths = np.sqrt(values[kept])
        self._points = self._basis * self._lengths

    def fit_suspicion(self, suspicious: Array) -> Head:
        """The head with one class: what speaks for suspicious."""
        head = self.fit(suspicious, penalty=1.0)
        return Head(("suspicious",), head.weights[1:], head.intercepts[1:])

    def fit(self, targets: Sequence[Any] | Array, penalty: float) -> Head:
        """A head for the examples that have a target; ``penalty`` is the strength of the L2 penalty."""
        known = np.array([target is not None for target in targets])
        classes = [str(target) for target in targets if target is not None]
        regression = LogisticRegression(C=1 / penalty, class_weight="balanced", max_iter=2000).fit(
            self._points[known], classes
        )
        weights = (regression.coef_ / self._lengths) @ self._basis.T @ self.rows
        intercepts = regression.intercept_
        if len(regression.classes_) == 2:  # scikit-learn gives the second class only
            weights, intercepts = np.vstack([-weights, weights]), np.array([-intercepts[0], intercepts[0]])
        names = tuple(str(name) for name in regression.classes_)
        return Head(names, weights.astype(np.float32), intercepts)


def calibrate(values: Array, calibration: tuple[float, float]) -> Array:
    """Decision values as probabilities."""
    slope, intercept = calibration
    return np.asarray(1 / (1 + np.exp(-(slope * values + intercept))))


def _out_of_fold(counts: Any, suspicious: Array, strata: Sequence[str], random_state: int) -> Array:
    """For each example the decision value of a head that saw neither its label nor its words."""
    values = np.zeros(len(suspicious))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=random_state)
    for known, unseen in folds.split(strata, strata):
        features = TextFeatures().learn(counts[known])
        head = _RowSpace(features.weigh(counts[known])).fit_suspicion(suspicious[known])
        values[unseen] = head.values(features.weigh(counts[unseen]))[:, 0]
    return values


def _platt(values: Array, suspicious: Array) -> tuple[float, float]:
    """Slope and intercept of the log-odds. (Platt: "Probabilistic outputs for support vector machines", 1999.)"""
    regression = LogisticRegression(C=1e6).fit(values[:, None], suspicious)
    return float(regression.coef_[0, 0]), float(regression.intercept_[0])


def _stratum(example: Example) -> str:
    return f"{'en' if example.lang is Lang.EN else 'zh'} {example.label}"
