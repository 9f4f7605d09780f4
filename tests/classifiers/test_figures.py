"""Figures, intervals and curves: right on cases that can be counted by hand, and as scikit-learn counts them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from classifiers.figures import Judged, curves, figures, histogram, reliability, top_10


def judged(truth: object, scores: object, threshold: float = 0.5) -> Judged:
    """Texts of no kind, flagged from a threshold on."""
    true, said = np.asarray(truth, dtype=bool), np.asarray(scores, dtype=float)
    no = np.zeros(len(true), dtype=bool)
    return Judged(true, said, said >= threshold, top_10(said), no, no)


@pytest.fixture
def stream() -> Judged:
    """A thousand texts, some 8 % suspicious, whose scores help and often tie."""
    random = np.random.default_rng(7)
    truth = random.random(1000) < 0.08
    return judged(truth, np.clip(random.normal(0.3 + 0.25 * truth, 0.15), 0, 1).round(2))


def test_average_precision_is_scikit_learns(stream: Judged) -> None:
    """Also where scores tie, on the whole and on a resample."""
    assert figures(stream)["ap"] == pytest.approx(average_precision_score(stream.truth, stream.scores), abs=1e-4)
    drawn = stream.part(np.random.default_rng(1).integers(1000, size=1000))
    assert figures(drawn)["ap"] == pytest.approx(average_precision_score(drawn.truth, drawn.scores), abs=1e-4)


def test_work_saved_is_what_need_not_be_read() -> None:
    """Of 100 texts with 20 positives, 19 are 95 %: the last of these stands at place 40, so 60 % less 5 % is saved."""
    truth = np.zeros(100, dtype=bool)
    truth[[*range(18), 39, 99]] = True
    assert figures(judged(truth, np.linspace(1, 0, 100)))["wss_95"] == pytest.approx(0.55)


def test_a_constant_saves_nothing_and_ranks_nobody() -> None:
    """Reading in no order to 95 % of the positives means reading 95 % of the texts."""
    found = figures(judged([True] * 20 + [False] * 80, np.full(100, 0.4)))
    assert found["wss_95"] == pytest.approx(0)
    assert (found["recall_5"], found["in_top_10"]) == pytest.approx((0.05, 0.1))


def test_an_interval_holds_the_figure_and_tells_noise_from_signal(stream: Judged) -> None:
    """It is the same at every call; four times the texts make it about half as wide; it excludes chance."""
    found = figures(stream, resamples=500)
    assert found == figures(stream, resamples=500)
    for key, (low, high) in found["intervals"].items():
        assert low <= found[key] <= high or key.startswith("calibration"), key
    low, high = found["intervals"]["ap"]
    assert low > stream.truth.mean()
    more = figures(stream.part(np.tile(np.arange(1000), 4)), resamples=500)["intervals"]["ap"]
    assert 0.35 < (more[1] - more[0]) / (high - low) < 0.7


def test_an_interval_is_the_spread_of_resampled_figures(stream: Judged) -> None:
    """Drawing texts and measuring each draw anew gives the same spread as counting them in one matrix."""
    random = np.random.default_rng(11)
    drawn = [figures(stream.part(random.integers(1000, size=1000))) for _ in range(300)]
    intervals = figures(stream, resamples=500)["intervals"]
    for key in ("ap", "recall_10", "wss_95", "recall", "false_flags", "brier", "calibration_error"):
        low, high = np.percentile([one[key] for one in drawn], [2.5, 97.5])
        assert intervals[key] == pytest.approx([low, high], abs=0.25 * (high - low)), key


def test_no_interval_is_given_on_too_few_texts_or_where_nothing_varies() -> None:
    """Nine positives bound no recall; that none of forty was flagged does not mean that none ever is."""
    found = figures(judged([True] * 9 + [False] * 40, [0.9] * 4 + [0.1] * 45), resamples=100)
    assert found["false_flags"] == 0
    assert not {"ap", "recall", "recall_10", "wss_95", "false_flags"} & set(found["intervals"])
    assert "brier" in found["intervals"]


@pytest.mark.parametrize(("truth", "scores"), [([True], [1.0]), ([False] * 30, [0.0] * 30), ([True, False], [1, 1])])
def test_small_and_one_sided_sets_have_no_figure_rather_than_a_wrong_one(
    truth: list[bool], scores: list[float]
) -> None:
    """No warning, no division by nothing, None where a figure has no meaning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = figures(judged(truth, scores), resamples=20)
    if len(set(truth)) < 2:
        assert {found[key] for key in ("ap", "recall_10", "wss_95", "logit_shift")} == {None}
        assert found["calibration_error_shifted"] is None


def test_a_shift_to_the_prevalence_mends_scores_that_are_off_by_a_constant() -> None:
    """Scores that are right but for a constant in the log-odds lose their error; the shift is that constant."""
    odds = np.random.default_rng(3).normal(-3, 1.5, 20_000)
    truth = np.random.default_rng(4).random(20_000) < 1 / (1 + np.exp(-odds))
    found = figures(judged(truth, 1 / (1 + np.exp(-(odds + 2)))))
    assert found["calibration_error"] > 0.1
    assert found["calibration_error_shifted"] < 0.01
    assert found["logit_shift"] == pytest.approx(-2, abs=0.1)


def test_scores_of_nought_and_one_can_be_shifted() -> None:
    """They have no log-odds; they are taken for nearly sure."""
    found = figures(judged([True, False, False, False], [0.0, 0.0, 0.0, 1.0]))
    assert found["calibration_error_shifted"] is not None


def test_reliability_and_histogram_count_by_tenths() -> None:
    """Half of what is scored 0.25 is positive; the end of the scale belongs to the last bin."""
    texts = judged([True, False, False, True], [0.25, 0.25, 1.0, 1.0])
    assert reliability(texts) == [pytest.approx((0.25, 0.5, 2)), pytest.approx((1.0, 0.5, 2), abs=1e-5)]
    genuine, suspicious = histogram(texts)
    assert genuine == suspicious
    assert (genuine[2], genuine[9], sum(genuine)) == (0.5, 0.5, 1)


def test_curves_run_from_nothing_read_to_everything_found(stream: Judged) -> None:
    """Recall never falls; few points stand for many texts; the end of the precision curve is the prevalence."""
    precise, found = curves(stream, points=50)
    assert (found[0], found[-1]) == ((0, 0), (1, 1))
    assert found == sorted(found)
    assert len(precise) <= 50
    assert precise[-1][0] == 1
    assert all(0 <= value <= 1 for point in precise for value in point)
