"""Texts as vectors: one form for every script and width, types, length."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from classifiers.features import TextFeatures, spans, terms
from monitor.text import fold

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
    ],
)
def test_script_width_and_case_make_no_difference(a: str, b: str) -> None:
    """The same text in another form has the same vector."""
    features = TextFeatures().fit([*TEXTS, a])
    assert np.array_equal(features.transform([a]).toarray(), features.transform([b]).toarray())


def test_terms_of_a_mixed_text() -> None:
    """Words and their n-grams, Han characters in ones to threes, and types for what varies without meaning."""
    found = terms(fold("Ring 5555 0123 或上 eso-harbour.example/vote 查投票站 @ESO_hk $1,200!!"))
    assert {"=ring", " ri", "ring ", "<phone>", "<link>", "<account>", "$", "<4 digits>", "!!"} <= set(found)
    assert {"投", "投票", "投票站"} <= set(found)
    assert not any("5555" in term or "harbour" in term for term in found)


def test_a_link_ends_where_chinese_begins() -> None:
    """Chinese puts no space after an address."""
    assert [t for t in terms("见https://a.example/b？查询") if len(t) > 3] == ["<link>"]


def test_every_span_holds_its_term() -> None:
    """Spans lie inside the text and on the words they stand for."""
    folded = fold("Vivian Cheuk’s 票站 moved to 12 Pier Road")
    for term, start, end in spans(folded):
        assert 0 <= start < end <= len(folded)
        if not term.startswith("<"):
            assert folded[start:end] == term.strip(" ").removeprefix("=")


def test_length_is_normalised_by_pivot() -> None:
    """A slope of 1 gives every row the same norm; a smaller one lets long texts keep some of their weight."""
    long = " ".join(TEXTS)
    norms = {}
    for slope in (1.0, 0.4):
        rows = TextFeatures(slope).fit(TEXTS).transform([TEXTS[3], long]).toarray()[:, :-1]
        norms[slope] = np.linalg.norm(rows, axis=1)
    assert norms[1.0] == pytest.approx([1, 1])
    assert norms[0.4][1] > 1.3 * norms[0.4][0]


def test_denials_are_counted_to_two_in_the_last_column() -> None:
    """Refuting words weigh the same in short and long texts, in both languages and scripts."""
    rows = (
        TextFeatures().fit(TEXTS).transform(["澄清：不實傳聞，並非事實", "Officials deny it", "投票站照常開放", "謠言"])
    )
    assert rows.toarray()[:, -1].tolist() == [2, 1, 0, 1]


def test_conventions_of_scikit_learn() -> None:
    """__init__ only stores; clone works; transform before fit is refused; fit_transform equals fit and transform."""
    features = clone(TextFeatures(slope=0.3))
    assert features.get_params() == {"slope": 0.3}
    with pytest.raises(NotFittedError):
        features.transform(TEXTS)
    assert np.array_equal(features.fit_transform(TEXTS).toarray(), features.transform(TEXTS).toarray())


def test_texts_without_any_known_term_are_rows_of_nothing() -> None:
    """Empty, blank and foreign texts are no error; neither is no text at all."""
    features = TextFeatures().fit(TEXTS)
    assert features.transform(["", "  \n", "🙂🙂", "ヿ"]).nnz == 0
    assert features.transform([]).shape == (0, len(features.vocabulary_) + 1)
