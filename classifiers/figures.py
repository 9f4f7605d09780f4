"""The figures of one judge on one set of labelled texts, each with its bootstrap interval, and their curves. Pure.

Every figure is a function of how often each text counts. Counting each once gives the figure; counting them as often as
they were drawn with replacement, 500 times over, gives its percentile interval (Efron, Tibshirani: "An introduction to
the bootstrap", 1993, chapter 13).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from classifiers.terms import Array

RESAMPLES = 500
LEVEL = 0.95  # of the intervals
ENOUGH = 10  # texts that a figure must rest on to have an interval
BINS = 10  # of equal width, for reliability and histograms

_CELLS = 500_000  # of one matrix of counts: bounds the memory to some dozens of megabytes
_SURE = 1e-6  # scores of 0 and 1 have no finite log-odds


@dataclass(frozen=True)
class Judged:
    """Texts and what a judge made of them, as parallel arrays."""

    truth: Array  # whether it is suspicious
    scores: Array  # in [0, 1]
    flagged: Array
    in_top_10: Array  # how much of it stands in the first tenth of the whole ranking: 0 or 1, less where scores tie
    news: Array  # whether it is ordinary news, or refutes
    refutation: Array

    def part(self, at: Array) -> Judged:
        """Some of the texts; their places in the whole ranking stay."""
        return Judged(*(column[at] for column in vars(self).values()))


def top_10(scores: Array) -> Array:
    """For each text how much of it stands in the first tenth of the ranking; texts that tie at the edge share seats."""
    if not len(scores):
        return np.zeros(0)
    seats = _seats(len(scores), 0.10)
    edge = np.sort(scores)[-seats]
    above, tied = scores > edge, scores == edge
    return np.asarray(above + tied * (seats - above.sum()) / tied.sum())


def figures(judged: Judged, resamples: int = 0) -> dict[str, Any]:
    """Every figure; None where it has no meaning.

    - ``n``, ``positives``; average precision ``ap``; the share of positives found after reading the top twentieth and
      tenth (``recall_5``, ``recall_10``). Equal scores share their places: a constant finds no more than chance.
    - ``wss_95``: what part of the texts need not be read to find 95 % of the positives, less the 5 % that reading in no
      order saves (Cohen, Hersh, Peterson, Yen: "Reducing workload in systematic review preparation using automated
      citation classification", JAMIA 13(2), 2006).
    - ``in_top_10``: the share of these texts that stand in the first tenth of the whole ranking, positive or not.
    - ``recall`` and ``false_flags`` at the operating threshold; ``false_flags_news`` and ``false_flags_refutations``
      of the genuine texts that are ordinary news, or that refute.
    - ``brier`` score; ``calibration_error``: what the mean score and the share of positives differ by, over ten equal
      bins weighted by their texts (Naeini, Cooper, Hauskrecht, AAAI 2015). ``calibration_error_shifted``: the same
      after ``logit_shift`` was added to the log-odds of every score, so that they average to the prevalence.

    With ``resamples``, ``intervals`` holds the lowest and highest of the middle 95 %. It has no figure that rests on
    fewer than ENOUGH texts, nor one that no resample moves: that none of twenty was flagged does not bound the share.
    """
    n, positives = len(judged.truth), int(judged.truth.sum())
    shift = _shift(judged)
    found = {key: _plain(values[0]) for key, values in _measured(judged, shift, np.ones((1, n))).items()}
    figures: dict[str, Any] = {"n": n, "positives": positives, **found, "logit_shift": _plain(shift)}
    if resamples:
        figures["intervals"] = _intervals(judged, shift, found, resamples)
    return figures


def reliability(judged: Judged, shift: float = 0.0) -> list[tuple[float, float, int]]:
    """For each tenth of the scale that has texts: their mean score, the share of positives, how many they are."""
    scores = _shifted(judged.scores, shift)
    bins = _bins(scores)
    return [
        (float(scores[bins == b].mean()), float(judged.truth[bins == b].mean()), int((bins == b).sum()))
        for b in np.unique(bins)
    ]


def histogram(judged: Judged) -> tuple[list[float], list[float]]:
    """The share of the genuine and of the suspicious texts in each tenth of the scale."""
    counts = [np.bincount(_bins(judged.scores[at]), minlength=BINS) for at in (~judged.truth, judged.truth)]
    genuine, suspicious = (list(map(float, count / max(count.sum(), 1))) for count in counts)
    return genuine, suspicious


def curves(judged: Judged, points: int = 200) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Recall with precision, and the share read with recall, at ``points`` places of the ranking or fewer."""
    read, hits = _ranking(judged, np.ones((1, len(judged.truth))))
    read, hits = read[0], hits[0]
    recall = hits / max(judged.truth.sum(), 1)
    # Where recall is even rather than the place, for most positives stand within the first few per cent.
    at = np.unique(np.searchsorted(recall, np.linspace(0, recall[-1], points)))
    precise = [(float(recall[i]), float(hits[i] / read[i])) for i in at]
    found = [(0.0, 0.0), *((float(read[i] / read[-1]), float(recall[i])) for i in at), (1.0, 1.0)]
    return precise, found


def _measured(judged: Judged, shift: float, counts: Array) -> dict[str, Array]:
    """Every figure for each row of ``counts`` (resamples, texts), nan where it has none."""
    truth = judged.truth.astype(float)
    total, positives = counts.sum(axis=1), counts @ truth
    both = np.where((positives > 0) & (positives < total), 1.0, np.nan)

    def share(of: Array, among: Array) -> Array:
        chosen = among.astype(float)
        return np.asarray(counts @ (of * chosen) / (counts @ chosen))

    with np.errstate(invalid="ignore", divide="ignore"):
        read, hits = _ranking(judged, counts)
        steps = np.diff(hits, axis=1, prepend=0)
        genuine = ~judged.truth
        return {
            "ap": both * np.nansum(steps * hits / read, axis=1) / positives,
            "recall_5": both * _hits_after(read, hits, _seats(total, 0.05)) / positives,
            "recall_10": both * _hits_after(read, hits, _seats(total, 0.10)) / positives,
            "wss_95": both * (1 - _hits_after(hits, read, np.ceil(0.95 * positives - 1e-9)) / total - 0.05),
            "in_top_10": counts @ judged.in_top_10 / total,
            "recall": share(judged.flagged, judged.truth),
            "false_flags": share(judged.flagged, genuine),
            "false_flags_news": share(judged.flagged, genuine & judged.news),
            "false_flags_refutations": share(judged.flagged, genuine & judged.refutation),
            "brier": both * (counts @ (judged.scores - truth) ** 2) / total,
            "calibration_error": _calibration_error(truth, judged.scores, counts),
            "calibration_error_shifted": _calibration_error(truth, _shifted(judged.scores, shift), counts),
        }


def _intervals(judged: Judged, shift: float, found: Mapping[str, Any], resamples: int) -> dict[str, list[float]]:
    n, positives = len(judged.truth), int(judged.truth.sum())
    rests_on = dict.fromkeys(found, n)
    rests_on |= dict.fromkeys(("ap", "recall_5", "recall_10", "wss_95", "recall"), positives)
    rests_on["false_flags"] = n - positives
    rests_on["false_flags_news"] = int((judged.news & ~judged.truth).sum())
    rests_on["false_flags_refutations"] = int((judged.refutation & ~judged.truth).sum())
    wanted = [key for key, value in found.items() if value is not None and rests_on[key] >= ENOUGH]
    if not wanted:
        return {}
    drawn = [_measured(judged, shift, counts) for counts in _draws(n, resamples)]
    tails = [50 * (1 - LEVEL), 50 * (1 + LEVEL)]
    intervals = {}
    for key in wanted:
        low, high = np.nanpercentile(np.concatenate([part[key] for part in drawn]), tails)
        if low < high:
            intervals[key] = [round(float(low), 4), round(float(high), 4)]
    return intervals


def _draws(n: int, resamples: int) -> Iterator[Array]:
    """How often each of ``n`` texts is drawn, in batches of resamples; the same for every judge, so that they pair."""
    random = np.random.default_rng(0)
    step = max(1, _CELLS // n)
    for first in range(0, resamples, step):
        rows = min(step, resamples - first)
        places = random.integers(n, size=(rows, n)) + np.arange(rows)[:, None] * n
        yield np.bincount(places.ravel(), minlength=rows * n).reshape(rows, n).astype(float)


def _ranking(judged: Judged, counts: Array) -> tuple[Array, Array]:
    """For each resample how many texts, and positives, are read by each distinct score, from the highest on."""
    order = np.argsort(-judged.scores, kind="stable")
    scores = judged.scores[order]
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    ranked = counts[:, order]
    return np.cumsum(ranked, axis=1)[:, ends], np.cumsum(ranked * judged.truth[order], axis=1)[:, ends]


def _hits_after(along: Array, wanted: Array, goal: Array) -> Array:
    """What ``wanted`` has come to where ``along`` reaches ``goal``, row by row; evenly spread over what ties there."""
    place = np.minimum((along < goal[:, None]).sum(axis=1), along.shape[1] - 1)
    rows, before = np.arange(len(along)), np.maximum(place - 1, 0)
    first = place == 0
    from_along, from_wanted = (np.where(first, 0, table[rows, before]) for table in (along, wanted))
    part = (goal - from_along) / (along[rows, place] - from_along)
    return np.asarray(from_wanted + part * (wanted[rows, place] - from_wanted))


def _seats(texts: Any, budget: float) -> Any:
    """How many texts a budget is, at least one."""
    return np.maximum(1, np.rint(texts * budget)).astype(int)


def _calibration_error(truth: Array, scores: Array, counts: Array) -> Array:
    bins = np.equal.outer(_bins(scores), np.arange(BINS)).astype(float)
    gaps = counts @ (bins * (truth - scores)[:, None])
    return np.asarray(np.abs(gaps).sum(axis=1) / counts.sum(axis=1))


def _bins(scores: Array) -> Array:
    return np.asarray(np.minimum((scores * BINS).astype(int), BINS - 1))


def _shift(judged: Judged) -> float:
    """What to add to all log-odds so that the scores average to the share of positives; nan when that is 0 or 1."""
    prevalence = judged.truth.mean() if len(judged.truth) else 0.0
    if not 0 < prevalence < 1:
        return float("nan")
    return float(brentq(lambda shift: _shifted(judged.scores, shift).mean() - prevalence, -50, 50))


def _shifted(scores: Array, shift: float) -> Array:
    return np.asarray(expit(logit(np.clip(scores, _SURE, 1 - _SURE)) + shift))


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
