"""What ``warm.py`` sets side by side: pollwatch's model, and a plain reference made of scikit-learn's parts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from classifiers.background import common_words
from classifiers.examples import Example, seed_examples
from classifiers.model import Array, Model, fit
from classifiers.scoring import combine
from monitor.text import fold
from monitor.types import Stance


class Judge(Protocol):
    """Something that learns from labelled texts and ranks others."""

    def learn(self, lessons: Sequence[Example], weights: Sequence[float]) -> None:
        """Learn from the seeds and from ``lessons``, each of which weighs so much beside a seed."""

    def scores(self, texts: Sequence[str]) -> tuple[Array, Array]:
        """For each text its score, and whether it is flagged."""

    def stances(self, texts: Sequence[str]) -> list[Stance]:
        """What each text is taken for."""


class Ours:
    """The model as it ships, or one that reads sentence vectors; ``stream`` are texts without labels, as a desk has."""

    def __init__(self, stream: Sequence[str], *, with_vectors: bool = False) -> None:
        self._with_vectors = with_vectors
        self._background = common_words().with_texts(stream)
        self._seeds = seed_examples()
        self._model: Model

    def learn(self, lessons: Sequence[Example], weights: Sequence[float]) -> None:
        """See ``Judge``."""
        weight = [1.0] * len(self._seeds) + list(weights)
        self._model, _ = fit(
            [*self._seeds, *lessons], self._background, weights=weight, with_vectors=self._with_vectors
        )

    def scores(self, texts: Sequence[str]) -> tuple[Array, Array]:
        """See ``Judge``."""
        scored = [combine(opinion, (), None, self._model.threshold) for opinion in self._model.judge(texts)]
        return np.array([one.score for one in scored]), np.array([one.flagged for one in scored])

    def stances(self, texts: Sequence[str]) -> list[Stance]:
        """See ``Judge``."""
        return [opinion.stance for opinion in self._model.judge(texts)]


class Plain:
    """Words, Han characters and pairs of them, ``char_wb`` 2 to 5; one logistic regression over both languages.

    Folded; document frequencies from the seeds and the ``stream``; pivoted length normalisation with a slope of 0.3.
    What weighs more than a seed weighs ``WEIGHT``, which is best for it.
    """

    SLOPE = 0.3
    WEIGHT = 4.0

    def __init__(self, stream: Sequence[str]) -> None:
        self._seeds = seed_examples()
        self._counters = (
            CountVectorizer(analyzer=_words),
            CountVectorizer(analyzer="char_wb", ngram_range=(2, 5), lowercase=False),
        )
        folded = [fold(text) for text in (*(seed.text for seed in self._seeds), *stream)]
        counts = sparse.csr_array(sparse.hstack([counter.fit_transform(folded) for counter in self._counters]))
        found_in = np.bincount(counts.indices, minlength=counts.shape[1])
        self._idf = np.log((1 + len(folded)) / (1 + found_in)) + 1
        self._pivot = float(self._weighed(counts)[1].mean())
        self._regression = LogisticRegression(class_weight="balanced", solver="newton-cg", tol=1e-3)

    def learn(self, lessons: Sequence[Example], weights: Sequence[float]) -> None:
        """See ``Judge``."""
        learned = [*self._seeds, *lessons]
        weight = [1.0] * len(self._seeds) + [min(weight, self.WEIGHT) for weight in weights]
        rows = self._rows([example.text for example in learned])
        self._regression.fit(rows, [example.suspicious for example in learned], sample_weight=weight)

    def scores(self, texts: Sequence[str]) -> tuple[Array, Array]:
        """See ``Judge``."""
        values = self._regression.decision_function(self._rows(texts))
        return values, values >= 0

    def stances(self, texts: Sequence[str]) -> list[Stance]:
        """It knows none."""
        return [Stance.ASSERTS] * len(texts)

    def _rows(self, texts: Sequence[str]) -> Any:
        folded = [fold(text) for text in texts]
        rows, norms = self._weighed(sparse.csr_array(sparse.hstack([one.transform(folded) for one in self._counters])))
        rows.data /= np.repeat((1 - self.SLOPE) * self._pivot + self.SLOPE * norms, np.diff(rows.indptr))
        return rows

    def _weighed(self, counts: Any) -> tuple[Any, Array]:
        """TF-IDF and the norm of each row."""
        data = (1 + np.log(counts.data)) * self._idf[counts.indices]
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        norms = np.sqrt(np.bincount(row, weights=data**2, minlength=counts.shape[0]))
        return sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape), norms


JUDGES: dict[str, Callable[[Sequence[str]], Judge]] = {
    "ours": Ours,
    "plain": Plain,
    "vectors": partial(Ours, with_vectors=True),
}

_RUN = re.compile(r"[a-z0-9']+|[\u3400-\u9fff]+")


def _words(folded: str) -> list[str]:
    found = []
    for run in _RUN.findall(folded):
        if run[0] < "\u3400":
            found.append(run)
        else:
            found += [*run, *(run[i : i + 2] for i in range(len(run) - 1))]
    return found
