"""Linear heads: a row of weights for each class, and how they are learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.linear_model import LogisticRegression

from monitor.types import ClaimType

Array = np.ndarray[Any, Any]

_TOLERANCE = 1e-3  # of a gradient; finer ones rank alike and take longer


@dataclass(frozen=True)
class Head:
    """A linear classifier with one row of weights a class."""

    classes: tuple[str, ...]
    weights: Array  # (classes, features), float32, column by column: else each use would copy all of it
    intercepts: Array  # (classes,)

    def values(self, rows: Any) -> Array:
        """Decision values, one column a class."""
        return np.asarray(rows.astype(self.weights.dtype) @ self.weights.T + self.intercepts)

    def spread(self, columns: Array, width: int) -> Head:
        """The same over ``width`` features, of which this one knows those of ``columns``."""
        weights = np.zeros((len(self.weights), width), dtype=np.float32, order="F")
        weights[:, columns] = self.weights
        return Head(self.classes, weights, self.intercepts)

    def best(self, rows: Any, allowed: Array | None = None) -> list[str]:
        """The class with the highest value; ``allowed`` (rows, classes) leaves classes out."""
        values = self.values(rows)
        if allowed is not None:
            values = np.where(allowed, values, -np.inf)
        return [self.classes[column] for column in values.argmax(axis=1)]


def fit_claim_type(rows: Any, targets: Sequence[ClaimType | None], weight: Array) -> Head:
    """Each type against all others, one after the other: as good as all at once, in a fraction of the memory."""
    known = np.flatnonzero([target is not None for target in targets])
    types = np.array([str(target) for target in targets if target is not None])
    classes, rows, weight = np.unique(types), rows[known], weight[known]
    weights, intercepts = np.zeros((len(classes), rows.shape[1]), dtype=np.float32), np.zeros(len(classes))
    for place, name in enumerate(classes):
        # Of two classes, Newton's method copies all rows. A history of gradients of these few columns is smaller.
        regression = regression_of(penalty=0.05, class_weight="balanced", solver="lbfgs")
        regression.fit(rows, types == name, sample_weight=weight)
        weights[place], intercepts[place] = regression.coef_[0], regression.intercept_[0]
    return Head(tuple(map(str, classes)), weights, intercepts)


def fit_head(rows: Any, targets: Sequence[Any], weight: Array) -> Head:
    """A head for the examples that have a target; ``weight`` is one of each example."""
    known = np.flatnonzero([target is not None for target in targets])
    classes = [str(target) for target in targets if target is not None]
    regression = regression_of(penalty=0.1, class_weight="balanced")
    seen = rows if len(known) == len(targets) else rows[known]  # a copy of all rows is large
    regression.fit(seen, classes, sample_weight=weight[known])
    weights, intercepts = regression.coef_, regression.intercept_
    if len(regression.classes_) == 2:  # scikit-learn gives the second class only
        weights, intercepts = np.vstack([-weights, weights]), np.array([-intercepts[0], intercepts[0]])
    return Head(tuple(str(name) for name in regression.classes_), weights, intercepts)


def regression_of(
    penalty: float, class_weight: str | None = None, solver: Literal["newton-cg", "lbfgs"] = "newton-cg"
) -> LogisticRegression:
    """``penalty`` is the strength of the L2 penalty."""
    # Newton's method keeps no history of gradients, each as large as all weights.
    return LogisticRegression(C=1 / penalty, class_weight=class_weight, solver=solver, max_iter=200, tol=_TOLERANCE)
