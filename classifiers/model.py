"""Linear heads over one feature space: suspicious or genuine, which kind, which stance, which claim type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from classifiers.background import Background
from classifiers.examples import IMPERSONATION_TYPES, Example
from classifiers.features import TextFeatures
from monitor.types import ClaimType, Label, Lang, Stance

Array = np.ndarray[Any, Any]

# At the operating threshold at most this share of the genuine training texts of each language is flagged, judged out
# of fold. They are counter-examples, made of the same words as the falsehoods: of ordinary headlines it flags 1 %.
FALSE_FLAGS = 0.15
THRESHOLD = 0.5  # every model is calibrated to have its operating point here
_FOLDS = 5
_TOLERANCE = 1e-3  # of a gradient; finer ones rank alike and take longer


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
    weights: Array  # (classes, features), float32, column by column: else each use would copy all of it
    intercepts: Array  # (classes,)

    def values(self, rows: Any) -> Array:
        """Decision values, one column a class."""
        return np.asarray(rows.astype(self.weights.dtype) @ self.weights.T + self.intercepts)

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
    calibration: Array  # slope and intercept from decision value to log-odds; a row for English, one for Chinese
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
                calibrate(self.suspicion.values(rows)[:, 0], self.calibration[chinese(rows)]),
                kinds,
                self.stance.best(rows),
                self.claim_type.best(rows, allowed),
                strict=True,
            )
        ]

    def state(self) -> dict[str, Any]:
        """Everything the model is, as arrays, numbers and texts: what the registry stores."""
        return {
            "slope": self.features.slope,
            "char_weight": self.features.char_weight,
            "pivots": self.features.pivots_,
            "codes": self.features.codes_,
            "idf": self.features.idf_,
            "unseen": self.features.unseen_,
            "heads": {
                name: {"classes": list(head.classes), "weights": head.weights, "intercepts": head.intercepts}
                for name, head in self._heads().items()
            },
            "calibration": self.calibration,
            "threshold": self.threshold,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Model:
        """The inverse of ``state``."""
        features = TextFeatures(slope=state["slope"], char_weight=state["char_weight"])
        features.codes_, features.idf_ = state["codes"], state["idf"]
        features.unseen_, features.pivots_ = state["unseen"], state["pivots"]
        heads = {
            name: Head(tuple(head["classes"]), head["weights"], head["intercepts"])
            for name, head in state["heads"].items()
        }
        return cls(features=features, calibration=state["calibration"], threshold=state["threshold"], **heads)

    def _heads(self) -> dict[str, Head]:
        return {
            "suspicion": self.suspicion,
            "kind": self.kind,
            "stance": self.stance,
            "claim_type": self.claim_type,
        }


# One thread: the matrices are small, so that more threads only wait for each other; and sums keep their order.
@threadpool_limits.wrap(limits=1)  # type: ignore[untyped-decorator]  # as above
def fit(
    examples: Sequence[Example],
    background: Background | None = None,
    random_state: int = 0,
    weights: Sequence[float] | None = None,
) -> tuple[Model, Array]:
    """Train on examples whose names are masked; returns the model and, for each example, its score out of fold.

    ``weights`` says how much each example counts beside the others; default: all alike.
    Raises ValueError when one of the labels has too few examples.
    """
    weight = np.ones(len(examples)) if weights is None else np.asarray(weights, dtype=float)
    features = TextFeatures(background=background)
    # Half the memory and a third of the time of 64 bits, and the same order of scores.
    rows = features.fit_transform([example.text for example in examples]).astype(np.float32)
    suspicious = np.array([example.suspicious for example in examples])
    values = _out_of_fold(rows, suspicious, weight, [_stratum(example) for example in examples], random_state)
    script = chinese(rows)
    calibration = np.array([_calibration(values[script == which], suspicious[script == which]) for which in (0, 1)])
    scores = calibrate(values, calibration[script])
    # With many classes, terms of a single example teach nothing and take three quarters of the time.
    repeated = np.flatnonzero(np.bincount(rows.indices, minlength=rows.shape[1]) > 1)
    model = Model(
        features=features,
        suspicion=_fit_suspicion(rows, suspicious, weight),
        kind=_fit_head(rows, [e.label if e.suspicious else None for e in examples], weight, penalty=1.0),
        stance=_fit_head(rows, [e.stance for e in examples], weight, penalty=0.1, columns=repeated),
        claim_type=_fit_head(rows, [e.claim_type for e in examples], weight, penalty=0.1, columns=repeated),
        calibration=calibration,
        threshold=THRESHOLD,
    )
    return model, scores


def _fit_suspicion(rows: Any, suspicious: Array, weight: Array) -> Head:
    """The head with one class: what speaks for suspicious."""
    head = _fit_head(rows, suspicious, weight, penalty=1.0)
    return Head(("suspicious",), np.asfortranarray(head.weights[1:]), head.intercepts[1:])


def _fit_head(
    rows: Any, targets: Sequence[Any] | Array, weight: Array, penalty: float, columns: Array | None = None
) -> Head:
    """A head for the examples that have a target, over some of the columns or all.

    ``weight`` is one of each example, ``penalty`` the strength of the L2 penalty.
    """
    known = np.flatnonzero([target is not None for target in targets])
    classes = [str(target) for target in targets if target is not None]
    texts = rows[known] if columns is None else rows[known][:, columns]
    # Newton's method keeps no history of gradients, each as large as all weights.
    regression = LogisticRegression(
        C=1 / penalty, class_weight="balanced", solver="newton-cg", max_iter=200, tol=_TOLERANCE
    )
    regression.fit(texts, classes, sample_weight=weight[known])
    weights, intercepts = regression.coef_, regression.intercept_
    if len(regression.classes_) == 2:  # scikit-learn gives the second class only
        weights, intercepts = np.vstack([-weights, weights]), np.array([-intercepts[0], intercepts[0]])
    if columns is not None:
        everywhere = np.zeros((len(weights), rows.shape[1]), dtype=np.float32)
        everywhere[:, columns] = weights
        weights = everywhere
    names = tuple(str(name) for name in regression.classes_)
    return Head(names, np.asfortranarray(weights, dtype=np.float32), intercepts)


def calibrate(values: Array, calibration: Array) -> Array:
    """Decision values as probabilities, each by its row of ``calibration``."""
    return np.asarray(1 / (1 + np.exp(-(calibration[:, 0] * values + calibration[:, 1]))))


def chinese(rows: Any) -> Array:
    """Which rows of ``TextFeatures`` are Chinese texts, as 0 and 1."""
    return np.asarray(rows[:, [-1]].toarray()[:, 0], dtype=int)


def _out_of_fold(rows: Any, suspicious: Array, weight: Array, strata: Sequence[str], random_state: int) -> Array:
    """For each example the decision value of a head that did not see its label."""
    values = np.zeros(len(suspicious))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=random_state)
    for known, unseen in folds.split(strata, strata):
        head = _fit_suspicion(rows[known], suspicious[known], weight[known])
        values[unseen] = head.values(rows[unseen])[:, 0]
    return values


def _calibration(values: Array, suspicious: Array) -> Array:
    """Slope and intercept that carry decision values to log-odds; the operating point lies at zero.

    The slope is Platt's ("Probabilistic outputs for support vector machines", 1999). His intercept would say how many
    of the training texts are suspicious, which means nothing; what matters is that English and Chinese scores mean the
    same, so each has its zero just above all but FALSE_FLAGS of its genuine training texts.
    """
    slope = LogisticRegression(C=1e6).fit(values[:, None], suspicious).coef_[0, 0]
    zero = np.nextafter(np.quantile(values[~suspicious], 1 - FALSE_FLAGS, method="higher"), np.inf)
    return np.array([slope, -slope * zero])


def _stratum(example: Example) -> str:
    return f"{'en' if example.lang is Lang.EN else 'zh'} {example.label}"
