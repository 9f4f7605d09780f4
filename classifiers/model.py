"""What a text looks like: linear heads over one feature space, for label, stance and claim type, trained together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from classifiers import vectors
from classifiers.background import Background
from classifiers.examples import IMPERSONATION_TYPES, Example
from classifiers.features import TextFeatures
from classifiers.heads import Array, Head, fit_claim_type, fit_head, regression_of
from classifiers.terms import Kind, kind_of
from monitor.types import ClaimType, Label, Lang, Stance

# At the operating threshold at most this share of the genuine training texts of each language is flagged, judged out
# of fold. They are counter-examples, made of the same words as the falsehoods: of ordinary headlines it flags 0.5 %.
FALSE_FLAGS = 0.13
SUSPICIOUS = (Label.FALSE_INFORMATION, Label.IMPERSONATION)
LANGUAGES = ("en", "zh")
FORMAT = 7  # of `Model.state`; another number when older ones cannot be read any more
FORMAT_VECTORS = 8  # the same of a model that reads sentence vectors
THRESHOLD = 0.5  # every model is calibrated to have its operating point here
RARE = 1 / 2_000  # of the examples: stance and claim type learn nothing of terms that stand in fewer
# How a text is written has a head of its own: beside thousands of terms, which tell the seeds apart without it, it
# would learn next to nothing. With twice the share, twice as many real promotions of shops are flagged for little more
# that is found.
_STYLE_SHARE = 0.15
# Vectors are given this length and a head of their own, which counts so much beside that of words. On real text that
# neither saw, a share of 0.5 finds a little more, and flags 7 % of Chinese refutations instead of 4.5 %. With vectors
# three times as long, or one head for both, seeds teach less than words alone: they tell invented texts from real ones.
_VECTOR_LENGTH = 0.35
_VECTOR_SHARE = 0.25
# Lexemes have a head of their own as well, which counts the more, the more decisions there are on Chinese texts: after
# so many, half. On real text, what seeds alone teach of them makes headlines worse (at its whole weight the average
# precision falls from 0.48 to 0.32); what 600 decisions teach of them finds rumours that n-grams rank last.
_DECISIONS = 300
# What people decided teaches a head by itself, too, that knows no seed and is added to the one that learns from all; it
# counts the more, the more decisions there are in its language: after so many, half. By tests/benchmarks/warm.py.
_OWN_DECISIONS = 100
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the model thinks of one text."""

    probability: float  # that the text is suspicious, as calibrated on the training texts
    kind: Label  # what it is if it is suspicious
    stance: Stance
    claim_type: ClaimType  # the most likely one of its kind


@dataclass(frozen=True)
class Model:
    """A trained model. Immutable; two models trained from the same rows in the same order are equal."""

    features: TextFeatures
    label: Head  # SUSPICIOUS of English texts, then of Chinese ones: how far each is from genuine, in log-odds
    stance: Head
    claim_type: Head
    calibration: Array  # slope and intercept from `suspicion` to log-odds; a row for English, one for Chinese
    threshold: float  # score from which a text is flagged
    centre: Array | None = None  # the mean vector of the training texts; None: it reads no sentence vectors

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """An opinion on each text, in order."""
        return self.judge_rows(self.rows(texts))

    def rows(self, texts: Sequence[str]) -> Any:
        """What the heads read of each text: TF-IDF and, before the last column, its vector where it reads vectors."""
        rows = self.features.transform(texts)
        return rows if self.centre is None else _with_vectors(rows, vectors.vectors_of(texts), self.centre)

    def judge_rows(self, rows: Any) -> list[Opinion]:
        """An opinion on each of ``rows``: for callers who need them for reasons as well."""
        values = label_values(self.label, rows)
        kinds = [SUSPICIOUS[column] for column in values.argmax(axis=1)]
        poses = np.array([kind is Label.IMPERSONATION for kind in kinds], dtype=bool)
        allowed = poses[:, None] == [name in IMPERSONATION_TYPES for name in self.claim_type.classes]
        return [
            Opinion(float(probability), kind, Stance(stance), ClaimType(claim_type))
            for probability, kind, stance, claim_type in zip(
                calibrate(suspicion(values), self.calibration[chinese(rows)]),
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
            "lexemes": self.features.lexemes,
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
            **({} if self.centre is None else {"centre": self.centre}),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Model:
        """The inverse of ``state``."""
        features = TextFeatures(state["slope"], state["char_weight"], lexemes=state["lexemes"])
        features.codes_, features.idf_ = state["codes"], state["idf"]
        features.unseen_, features.pivots_ = state["unseen"], state["pivots"]
        heads = {
            name: Head(tuple(head["classes"]), head["weights"], head["intercepts"])
            for name, head in state["heads"].items()
        }
        return cls(
            features=features,
            calibration=state["calibration"],
            threshold=state["threshold"],
            centre=state.get("centre"),
            **heads,
        )

    def _heads(self) -> dict[str, Head]:
        return {
            "label": self.label,
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
    *,
    decisions: Sequence[float] | None = None,
    with_vectors: bool = False,
) -> tuple[Model, Array]:
    """Train on examples whose names are masked; returns the model and, for each example, its score out of fold.

    ``weights`` says how much each example counts beside the others; default: all alike. ``decisions`` says how many
    decisions of people each stands for; default: none. Where there are any on Chinese texts, labels are learned of
    lexemes as well; ``with_vectors``: of sentence vectors, which ``classifiers.vectors`` must have.
    Raises ValueError when one of the labels has too few examples.
    """
    weight = np.ones(len(examples)) if weights is None else np.asarray(weights, dtype=float)
    decided = np.zeros(len(examples)) if decisions is None else np.asarray(decisions, dtype=float)
    of_chinese = float(decided[[example.lang is not Lang.EN for example in examples]].sum())
    features = TextFeatures(background=background, lexemes=of_chinese > 0)
    texts = [example.text for example in examples]
    rows, centre = features.fit_transform(texts), None
    if with_vectors:
        found = vectors.vectors_of(texts)
        centre = found.mean(axis=0)
        rows = _with_vectors(rows, found, centre)
    blocks = _blocks(features, rows.shape[1], centre, of_chinese)
    labels = np.array([str(example.label) for example in examples])
    suspicious = labels != Label.GENUINE
    taught = _Taught(rows, labels, weight, decided, blocks)
    values = _out_of_fold(taught, [_stratum(example) for example in examples], random_state)
    script = chinese(rows)
    calibration = np.array([_calibration(values[script == which], suspicious[script == which]) for which in (0, 1)])
    scores = calibrate(values, calibration[script])
    label = _fit_label(taught, np.arange(len(labels)))
    del taught  # with its rows
    # With many classes, terms of hardly any example teach nothing, and take most of the time and of the memory.
    found_in = np.bincount(rows.indices, minlength=rows.shape[1])
    for block in blocks[1:]:
        found_in[block.columns] = 0  # stance and claim type are learned of n-grams
    repeated = np.flatnonzero(found_in >= max(2, len(examples) * RARE))
    width, rows = rows.shape[1], rows[:, repeated]  # the others are not needed any more
    model = Model(
        features=features,
        label=label,
        stance=fit_head(rows, [e.stance for e in examples], weight).spread(repeated, width),
        claim_type=fit_claim_type(rows, [e.claim_type for e in examples], weight).spread(repeated, width),
        calibration=calibration,
        threshold=THRESHOLD,
        centre=centre,
    )
    return model, scores


def vector_columns(width: int, centre: Array | None) -> slice:
    """Where vectors stand in rows of ``width`` columns: before the last one, which is the script."""
    return slice(width - 1 - (0 if centre is None else len(centre)), width - 1)


def _with_vectors(rows: Any, found: Array, centre: Array) -> Any:
    away = found - centre
    lengths = np.maximum(np.linalg.norm(away, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    placed = sparse.csr_array((_VECTOR_LENGTH * away / lengths).astype(np.float32))
    return sparse.csr_array(sparse.hstack([rows[:, :-1], placed, rows[:, [-1]]]))


@dataclass(frozen=True, slots=True)
class _Block:
    """Columns that have a head of their own."""

    columns: Array
    shares: Array  # what that head counts in English and in Chinese


def _blocks(features: TextFeatures, width: int, centre: Array | None, of_chinese: float) -> list[_Block]:
    """The first is of all columns that are in no other; ``of_chinese`` texts were decided on."""
    columns = np.arange(width)
    lexemes = np.flatnonzero(kind_of(features.codes_) == Kind.LEXEME)
    others = [
        _Block(columns[features.style_columns], np.full(2, _STYLE_SHARE)),
        _Block(lexemes, np.array([0, of_chinese / (of_chinese + _DECISIONS)])),
        _Block(columns[vector_columns(width, centre)], np.full(2, _VECTOR_SHARE)),
    ]
    others = [block for block in others if len(block.columns)]
    rest = np.setdiff1d(columns, np.concatenate([block.columns for block in others])) if others else columns
    return [_Block(rest, np.ones(2)), *others]


@dataclass(frozen=True, slots=True)
class _Taught:
    """What the head of labels learns from; all but the blocks have a row for each example."""

    rows: Any
    labels: Array
    weight: Array
    decided: Array  # how many decisions each stands for
    blocks: Sequence[_Block]


def _fit_label(taught: _Taught, known: Array) -> Head:
    """Each of SUSPICIOUS against genuine, apart from the other: false information and impersonation share few words.

    Each language learns from its own texts: what the other says of the signs, links and words that both use only
    disturbs. One that lacks a label altogether takes it from all. ``known`` are the places of the rows to learn from.

    Where people decided on texts of both labels, what those alone teach is added. The seeds are thousands, invented,
    and of subjects that a stream may not have; what reviewers saw is few, and of the very stream that is to be ranked.
    """
    script = chinese(taught.rows)[known]
    classes, weights, intercepts = [], [], []
    for which, language in enumerate(LANGUAGES):
        for label in SUSPICIOUS:
            own = known[script == which]
            coefficients, intercept = _fit_one(taught, own if _has_both(taught, own, label) else known, label, which)
            decided = own[taught.decided[own] > 0]
            if _has_both(taught, decided, label):
                count = taught.decided[decided].sum()
                share = count / (count + _OWN_DECISIONS)
                more, further = _fit_one(taught, decided, label, which)
                coefficients, intercept = coefficients + share * more, intercept + share * further
            classes.append(f"{language} {label}")
            weights.append(coefficients)
            intercepts.append(intercept)
    return Head(tuple(classes), np.asfortranarray(weights, dtype=np.float32), np.array(intercepts))


def _has_both(taught: _Taught, known: Array, label: Label) -> bool:
    return {label, Label.GENUINE} <= set(taught.labels[known])


def _fit_one(taught: _Taught, known: Array, label: Label, which: int) -> tuple[Array, float]:
    """One of SUSPICIOUS against genuine: a copy of the rows of two labels at a time is all that is made.

    Each of the blocks learns by itself; their sum, each counting its share in language ``which``, is one linear head
    again. (Begg, Gray: "Calculation of polychotomous logistic regression parameters using individualized regressions",
    1984.)

    Of reviewed texts few are suspicious. Were the classes balanced, those few would drown what was dismissed; left as
    they are, the proportions of the seeds, which mean nothing, would count. Each class weighs the root of its share.
    """
    rows, labels = taught.rows, taught.labels
    chosen = known[np.isin(labels[known], (Label.GENUINE, label))]
    target, part = labels[chosen] == label, taught.weight[chosen]
    if not target.any() or target.all():
        raise ValueError(f"there must be texts labelled {label} and {Label.GENUINE}")
    share = np.sqrt(part[~target].sum() / part[target].sum())
    balanced = np.where(target, share, 1) * part
    weights, intercept = np.zeros(rows.shape[1]), 0.0
    for block in taught.blocks:
        counts = block.shares[which]
        if not counts:
            continue
        seen = rows[chosen]
        if len(block.columns) < rows.shape[1]:
            seen = seen[:, block.columns]
        regression = regression_of(penalty=1.0)
        regression.fit(seen, target, sample_weight=balanced)
        weights[block.columns] = counts * regression.coef_[0]
        intercept += counts * regression.intercept_[0]
    return weights, intercept


def label_values(head: Head, rows: Any) -> Array:
    """How far each text is from genuine, in log-odds: a column for each of SUSPICIOUS, by the head of its language."""
    values = head.values(rows).reshape(rows.shape[0], len(LANGUAGES), len(SUSPICIOUS))
    return np.asarray(values[np.arange(len(values)), chinese(rows)])


def suspicion(values: Array) -> Array:
    """The log-odds that a text is suspicious, of whichever kind, from its ``label_values``."""
    return np.asarray(np.logaddexp.reduce(values, axis=1))


def calibrate(values: Array, calibration: Array) -> Array:
    """Decision values as probabilities, each by its row of ``calibration``."""
    return np.asarray(1 / (1 + np.exp(-(calibration[:, 0] * values + calibration[:, 1]))))


def chinese(rows: Any) -> Array:
    """Which rows of ``TextFeatures`` are Chinese texts, as 0 and 1: the place in LANGUAGES."""
    return np.asarray(rows[:, [-1]].toarray()[:, 0], dtype=int)


def _out_of_fold(taught: _Taught, strata: Sequence[str], random_state: int) -> Array:
    """For each example its ``suspicion`` by a head that did not see its label."""
    values = np.zeros(len(strata))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=random_state)
    for known, unseen in folds.split(strata, strata):
        head = _fit_label(taught, known)
        values[unseen] = suspicion(label_values(head, taught.rows[unseen]))
    return values


def _calibration(values: Array, suspicious: Array) -> Array:
    """Slope and intercept that carry ``suspicion`` to calibrated log-odds; the operating point lies at zero.

    The slope is Platt's ("Probabilistic outputs for support vector machines", 1999). His intercept would say how many
    of the training texts are suspicious, which means nothing; what matters is that English and Chinese scores mean the
    same, so each has its zero just above all but FALSE_FLAGS of its genuine training texts.
    """
    slope = LogisticRegression(C=1e6).fit(values[:, None], suspicious).coef_[0, 0]
    zero = np.nextafter(np.quantile(values[~suspicious], 1 - FALSE_FLAGS, method="higher"), np.inf)
    return np.array([slope, -slope * zero])


def _stratum(example: Example) -> str:
    return f"{'en' if example.lang is Lang.EN else 'zh'} {example.label}"
