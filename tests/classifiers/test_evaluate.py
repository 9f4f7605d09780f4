"""Figures: right on cases that can be counted by hand, and our model beside its baselines."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.evaluate import cross_validate, evaluate, measure
from classifiers.examples import seed_examples
from classifiers.model import Model
from monitor.errors import InputError


def test_figures_counted_by_hand() -> None:
    """Twenty texts, two positives, at ranks 1 and 3."""
    scores = np.linspace(0.95, 0, 20)
    truth = [i in (0, 2) for i in range(20)]
    figures = measure(truth, scores, scores >= 0.84, {"lang": ["en"] * 10 + ["zh-Hant"] * 10})
    assert figures["ap"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)
    assert (figures["recall_5"], figures["recall_10"]) == (0.5, 0.5)
    assert figures["recall"] == 1
    assert figures["false_flags"] == pytest.approx(1 / 18, abs=1e-4)
    assert figures["brier"] == pytest.approx(np.mean((scores - np.array(truth)) ** 2), abs=1e-4)
    assert figures["by_lang"]["en"]["positives"] == 2
    assert figures["by_lang"]["zh-Hant"]["ap"] is None


def test_equal_scores_rank_no_better_than_chance() -> None:
    """A judge that says the same to everything finds the share it reads, whatever the order of the rows."""
    figures = measure([True] * 5 + [False] * 95, np.zeros(100), np.zeros(100, dtype=bool), {})
    assert figures["ap"] == pytest.approx(0.05)
    assert (figures["recall_5"], figures["recall_10"]) == pytest.approx((0.05, 0.10))


def test_perfectly_calibrated_scores_have_no_error() -> None:
    """Of the texts scored 0.25, a quarter is positive."""
    figures = measure([True, False, False, False] * 10, np.full(40, 0.25), np.zeros(40, dtype=bool), {})
    assert figures["calibration_error"] == 0


def test_rows_with_y_label_and_kind(model: Model) -> None:
    """`label` or `y` gives the truth; kinds and languages are broken out; both baselines stand beside the model."""
    rows = [
        (
            "line 1",
            {"text": "Enter your one-time code at kb-safe.example or your account is closed", "y": 1, "kind": "scam"},
        ),
        ("line 2", {"text": "月升島渡輪星期日加開兩班", "label": "genuine", "kind": "news"}),
        ("line 3", {"text": "Rain is expected over Jade Bay", "y": 0, "kind": "news", "lang": "en"}),
    ]
    figures = evaluate(model, rows, seed_examples()).figures()
    assert set(figures) == {"model", "baseline", "majority"}
    assert figures["model"]["ap"] == 1
    assert figures["model"]["by_kind"]["news"]["n"] == 2
    assert set(figures["model"]["by_lang"]) == {"en", "zh-Hant"}
    assert figures["majority"]["recall"] == 0


def test_what_is_news_and_what_refutes_is_told_by_kind_or_stance() -> None:
    """Flags on them are counted apart, in every group; a text without a word is in no group of that name."""
    kinds = ["news", "news_local", "newsreel", "factcheck", "", "scam"]
    stances = ["", "", "", "", "refutes", "asserts"]
    flagged = np.array([True, False, True, False, True, True])
    truth = [False] * 5 + [True]
    figures = measure(truth, flagged * 0.9, flagged, {"kind": kinds, "stance": stances})
    assert figures["false_flags_news"] == 0.5
    assert figures["false_flags_refutations"] == 0.5
    assert set(figures["by_kind"]) == {"news", "news_local", "newsreel", "factcheck", "scam"}
    assert figures["by_stance"]["refutes"]["false_flags_refutations"] == 1
    assert figures["by_kind"]["newsreel"]["false_flags_news"] is None


def test_a_group_is_placed_in_the_ranking_of_the_whole() -> None:
    """A refutation among the first tenth of all texts is seen, though alone among refutations it means nothing."""
    kinds = ["factcheck", *["news"] * 18, "factcheck"]
    figures = measure([False, True] * 10, np.linspace(1, 0, 20), np.zeros(20, dtype=bool), {"kind": kinds})
    assert figures["in_top_10"] == 0.1
    assert figures["by_kind"]["factcheck"]["in_top_10"] == 0.5
    assert figures["by_kind"]["news"]["in_top_10"] == pytest.approx(1 / 18, abs=1e-4)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"y": 1}, "`text`"),
        ({"text": "x"}, "`label`, or `y`"),
        ({"text": "x", "y": 2}, "`y` must be"),
        ({"text": "x", "label": "maybe"}, "`label` must be"),
        ({"text": "x", "y": 0, "kind": ["news"]}, "`kind` must be"),
        ({"text": "x", "y": 0, "stance": "denies"}, "`stance` must be"),
        ({"text": "x", "y": 0, "claim_type": "rumour"}, "`claim_type` must be"),
    ],
)
def test_a_wrong_row_is_named(model: Model, row: dict[str, object], fault: str) -> None:
    """Nothing is measured on a guess."""
    with pytest.raises(InputError, match=f"^line 7: .*{fault}"):
        evaluate(model, [("line 7", row)], seed_examples())


def test_nothing_to_measure_is_said(model: Model) -> None:
    """An empty file is an error, not a table of nothing."""
    with pytest.raises(InputError, match="no row"):
        evaluate(model, [], seed_examples())


def test_the_model_beats_its_baselines_on_seeds_it_did_not_see() -> None:
    """Cross-validated on the seeds: ahead of the majority and of plain TF-IDF.

    Few refutations are flagged, though many of the seeds' hold no word of denial and repeat their rumour's words.
    """
    figures = cross_validate(seed_examples()).figures()
    ours, plain, majority = figures["model"], figures["baseline"], figures["majority"]
    assert ours["ap"] > plain["ap"] > majority["ap"]
    assert ours["recall"] > 2 * ours["false_flags"]
    assert ours["by_stance"]["refutes"]["false_flags"] <= 0.25
    assert ours["kind_accuracy"] > 0.7
