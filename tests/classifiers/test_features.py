"""Texts as vectors: one form for every script and width, background weights, length."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator

from classifiers.features import TextFeatures
from monitor.types import Style

TEXTS = [
    "票站今晚八時關門，請轉告街坊",
    "Polling stations close at six tonight",
    "選舉事務署澄清：投票時間不變",
    "Rain at noon",
]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("選舉事務署澄清", "选举事务署澄清"),
        ("Ｐｏｌｌｓ　ｃｌｏｓｅ　２２：３０", "polls close 22:30"),
        ("POLLING", "polling"),
        ("投\u200b票", "投票"),
        ("don’t", "don't"),
    ],
)
def test_script_width_and_case_make_no_difference(a: str, b: str) -> None:
    """The same text in another form has the same vector."""
    features = TextFeatures().fit([*TEXTS, a])
    assert np.array_equal(features.transform([a]).toarray(), features.transform([b]).toarray())


def test_length_is_normalised_by_pivot() -> None:
    """A slope of 1 gives every row the same norm; a smaller one lets long texts keep some of their weight."""
    long = " ".join(TEXTS[1::2])
    norms = {}
    for slope in (1.0, 0.4):
        rows = TextFeatures(slope).fit(TEXTS).transform([TEXTS[3], long]).toarray()[:, : -2 - len(Style)]
        norms[slope] = np.linalg.norm(rows, axis=1)
    assert norms[1.0] == pytest.approx([1, 1])
    assert norms[0.4][1] > 1.2 * norms[0.4][0]


def test_words_that_training_never_saw_count_for_the_length() -> None:
    """The more of a text is unknown, the less what is known of it says."""
    known, padded = TextFeatures().fit(TEXTS).transform(["Rain", "Rain over Pelloria and Quennland"]).toarray()
    shared = (known > 0) & (padded > 0)
    assert shared.any()
    assert (padded[shared] < known[shared]).all()


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    """By background text, not by the few training texts, where each stands once."""
    features = TextFeatures().fit(["the", "ballot"])
    assert (
        features.transform(["ballot"]).max()
        > 2 * features.transform(["the ballot"]).toarray()[0][features.transform(["the"]).toarray()[0] > 0].max()
    )


def test_the_last_columns_are_denials_up_to_two_the_style_and_the_script() -> None:
    """Refuting words weigh the same in short and long texts; a text with more Han than words is Chinese."""
    features = TextFeatures().fit(TEXTS)
    rows = features.transform(
        ["澄清：不實傳聞，並非事實！", "Officials deny it", "投票站照常開放", "謠言", "rain, 雨", "雨"]
    ).toarray()
    assert rows[:, len(features.codes_)].tolist() == [2, 1, 0, 1, 0, 0]
    assert rows[:, features.style_columns].any(axis=1).tolist() == [True, False, False, False, False, False]
    assert rows[:, -1].tolist() == [1, 0, 1, 1, 0, 1]
    assert features.style_columns.stop == rows.shape[1] - 1


def test_batches_make_no_difference() -> None:
    """A text has one vector, alone or among thousands."""
    features = TextFeatures().fit(TEXTS)
    texts = [f"{TEXTS[i % 4]} {i} {'x' * (i % 50)}" for i in range(6000)]
    together = features.transform(texts)
    for i in (0, 1, 3000, 5999):
        assert np.array_equal(together[[i]].toarray(), features.transform([texts[i]]).toarray())


def test_conventions_of_scikit_learn() -> None:
    """Its checks pass, those that there are for texts; __init__ only stores; transform before fit is refused."""
    with pytest.warns(SkipTestWarning, match="string=True"):
        check_estimator(TextFeatures())
    features = clone(TextFeatures(slope=0.3))
    assert features.get_params() == {"slope": 0.3, "char_weight": 0.3, "background": None, "lexemes": False}
    with pytest.raises(NotFittedError):
        features.transform(TEXTS)
    assert np.array_equal(features.fit_transform(TEXTS).toarray(), features.transform(TEXTS).toarray())


def test_texts_without_any_known_term_are_rows_of_nothing() -> None:
    """Empty, blank and foreign texts are no error; neither is no text at all."""
    features = TextFeatures().fit(TEXTS)
    assert features.transform(["", "  \n", "🙂🙂", "ヿ"]).nnz == 0
    assert features.transform([]).shape == (0, len(features.codes_) + 2 + len(Style))
