"""What ``warm.py`` sets side by side: the model as it ships, and one that reads sentence vectors beside the words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import numpy as np

from classifiers.background import common_words
from classifiers.examples import Example, seed_examples
from classifiers.heads import Array
from classifiers.model import Model, fit
from classifiers.scoring import combine
from monitor.types import Stance


class Judge(Protocol):
    """Something that learns from labelled texts and ranks others."""

    def learn(self, lessons: Sequence[Example], weights: Sequence[float], decisions: int) -> None:
        """Learn from the seeds and from ``lessons``, each of which weighs so much beside a seed.

        The first ``decisions`` of them are what people decided.
        """

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

    def learn(self, lessons: Sequence[Example], weights: Sequence[float], decisions: int) -> None:
        """See ``Judge``."""
        self._model, _ = fit(
            [*self._seeds, *lessons],
            self._background,
            weights=[1.0] * len(self._seeds) + list(weights),
            decisions=[0.0] * len(self._seeds) + [float(place < decisions) for place in range(len(lessons))],
            with_vectors=self._with_vectors,
        )

    def scores(self, texts: Sequence[str]) -> tuple[Array, Array]:
        """See ``Judge``."""
        scored = [combine(opinion, (), None, self._model.threshold) for opinion in self._model.judge(texts)]
        return np.array([one.score for one in scored]), np.array([one.flagged for one in scored])

    def stances(self, texts: Sequence[str]) -> list[Stance]:
        """See ``Judge``."""
        return [opinion.stance for opinion in self._model.judge(texts)]


JUDGES: dict[str, Callable[[Sequence[str]], Judge]] = {"words": Ours, "vectors": partial(Ours, with_vectors=True)}
