"""Background: how common a term is in ordinary text."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.background import TEXTS, Background, common_words
from classifiers.terms import Array, Kind, terms_of
from monitor.text import fold


def idf(background: Background, *words: str) -> list[float]:
    """The inverse document frequency of words."""
    found = []
    for word in words:
        terms = terms_of([fold(word)])
        kind, length = (Kind.HAN, len(word)) if terms.chinese[0] else (Kind.WORD, len(word))
        whole = (terms.kind == kind) & (terms.end - terms.start == length)
        training = Background(1, terms.code[whole], np.ones(1))
        found.append(float(background.idf(training)[0]))
    return found


def test_common_words_weigh_less_than_rare_ones_in_both_languages_and_scripts() -> None:
    """Function words least, then everyday words, then words of a trade; Traditional and Simplified alike."""
    the, house, ballot, nonsense = idf(common_words(), "the", "house", "ballot", "zzyzzyx")
    assert 1 <= the < house < ballot < nonsense == pytest.approx(common_words().rarest)
    of, election, voter = idf(common_words(), "的", "選舉", "選民")
    assert of < election < voter
    assert idf(common_words(), "选举", "选民") == [election, voter]


def test_the_teams_own_texts_are_counted_in() -> None:
    """What the feeds repeat every day becomes common."""
    before = common_words()
    after = before.with_texts([f"Jade Bay ferry notice {i}" for i in range(500)])
    assert after.texts == TEXTS + 500
    assert idf(after, "ferry")[0] < idf(before, "ferry")[0]
    assert idf(after, "ballot")[0] > idf(before, "ballot")[0]


def test_a_term_counts_once_a_text() -> None:
    """Document frequency, not term frequency; and batches make no difference."""
    codes = terms_of(["ferry"]).code
    counted = Background.of(["ferry ferry ferry", "no boat"])
    assert counted.texts == 2
    assert found(counted, codes) == [1.0] * len(codes)


def test_what_word_lists_cannot_hold_is_counted_in_the_training_texts() -> None:
    """Links and numbers would otherwise look like the rarest of words."""
    training = Background.of(["see www.a.example now", "call 5555 0123", "see www.b.example"])
    weights = common_words().idf(training)
    types = (training.codes & np.uint64(7)) == Kind.TYPE
    assert sorted(weights[types].tolist()) == pytest.approx([np.log(4 / 3) + 1, np.log(4 / 2) + 1])


def test_no_text_at_all() -> None:
    """An empty store changes nothing."""
    assert np.array_equal(common_words().with_texts([]).found_in, common_words().found_in)
    assert len(Background.of([]).codes) == 0


def found(background: Background, codes: Array) -> list[float]:
    """In how many texts each code stands."""
    return [float(background.found_in[background.codes == code][0]) for code in codes]
