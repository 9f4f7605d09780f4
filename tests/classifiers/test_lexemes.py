"""Words of Chinese: where a dictionary cuts, that they take no weight from other terms, and when they count."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import registry
from classifiers.examples import Example, seed_examples
from classifiers.explain import fragments
from classifiers.features import TextFeatures
from classifiers.heads import Array
from classifiers.lessons import REVIEWED_WEIGHT, Lesson, Origin
from classifiers.lexemes import lexemes
from classifiers.mask import HIDDEN, Mask
from classifiers.model import LANGUAGES, Model, chinese, fit, label_values
from classifiers.terms import Kind, kind_of, terms_of
from monitor.text import HAN, fold
from monitor.types import Candidate, Label, Lang

TEXTS = [
    "渡輪碼頭今晚關閉，請改乘巴士；查詢 5555 0123",
    "您好，您的渡輪卡已被凍結，請即按 safe-pier.example 輸入密碼",
    "选举事务署澄清，网上讯息并非事实",
    "Pier 碼頭 closed, take the 巴士",
    "The library opens late on Sundays",
    "",
]


def cut(text: str) -> list[str]:
    """The lexemes of a text, folded."""
    folded = fold(text)
    terms = terms_of([folded], lexemes=True)
    found = terms.kind == Kind.LEXEME
    return [folded[start:end] for start, end in zip(terms.start[found], terms.end[found], strict=True)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("投票站照常開放", ["投票站", "照常", "开放"]),
        ("選舉事務處辟謠", ["选举", "事务处", "辟谣"]),
        ("渡輪ＰＩＥＲ３碼頭", ["渡轮", "码头"]),
        ("投\n票", ["投", "票"]),
        ("𠝹票", ["𠝹", "票"]),
        ("rain at noon 42", []),
        ("", []),
    ],
)
def test_a_dictionary_says_where_words_end(text: str, words: list[str]) -> None:
    """In either script and any width; what is not Han is not read; a character that it lacks is a word by itself."""
    assert cut(text) == words


@given(st.text(st.sampled_from("投票站選舉香港渡輪𠝹龘ab1 ，。\n🙂\ue000\ud800"), max_size=40))
def test_every_han_character_is_in_one_lexeme(text: str) -> None:
    """None is lost, none counts twice, and no word reaches over a gap, whatever stands in it."""
    chars = np.array([ord(char) for char in text], dtype=np.uint64)
    han = np.array([HAN.match(char) is not None for char in text], dtype=bool)
    starts, ends = lexemes(chars, han)
    assert all(end <= start for end, start in zip(ends[:-1], starts[1:], strict=True))
    covered = [place for start, end in zip(starts, ends, strict=True) for place in range(start, end)]
    assert covered == np.flatnonzero(han).tolist()


def test_a_book_without_a_space_is_read() -> None:
    """One word, one character, and a text of a hundred thousand characters: the cut does not lose its place."""
    for text in ("投票站", "票"):
        assert cut(text * 30_000)[-1] == text


def test_a_hidden_name_parts_words() -> None:
    """What is masked is in no lexeme, and what stands before and after it are not one word."""
    mask = Mask([Candidate("a", ("湯瑞霖",), ())])
    assert cut(mask("湯瑞霖退選")) == cut(f"{HIDDEN}退選")
    assert cut(f"投{HIDDEN}票") == ["投", "票"]


def test_what_is_a_lexeme_is_one_term_wherever_it_stands() -> None:
    """It shares its code with the same word of another text, and none with the same characters as a pair."""
    terms = terms_of([fold("今晚巴士"), fold("乘巴士"), fold("巴，士")], lexemes=True)
    bus = (terms.kind == Kind.LEXEME) & (terms.end - terms.start == 2) & (terms.row < 2)
    codes = {row: set(terms.code[bus & (terms.row == row)].tolist()) for row in (0, 1)}
    assert len(codes[0] & codes[1]) == 1
    assert not (codes[0] | codes[1]) & set(terms.code[terms.kind == Kind.HAN].tolist())


def test_lexemes_take_nothing_from_other_terms() -> None:
    """All other columns are as they are without them: they have a norm of their own."""
    plain, more = (TextFeatures(lexemes=wanted).fit(TEXTS) for wanted in (False, True))
    others = kind_of(more.codes_) != Kind.LEXEME
    assert not np.any(kind_of(plain.codes_) == Kind.LEXEME)
    assert np.array_equal(more.codes_[others], plain.codes_)
    last = np.arange(len(others), more.transform([]).shape[1])  # denials, style and script
    kept = np.append(np.flatnonzero(others), last)
    assert np.array_equal(more.transform(TEXTS).toarray()[:, kept], plain.transform(TEXTS).toarray())
    of_lexemes = more.transform(TEXTS).toarray()[:, np.flatnonzero(~others)]
    assert of_lexemes.any(axis=1).tolist() == [True, True, True, True, False, False]


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """Some dozens of seeds of each language and label."""
    chosen: dict[str, list[Example]] = defaultdict(list)
    for example in seed_examples():
        chosen[f"{example.lang is Lang.EN} {example.label}"].append(example)
    return [example for part in chosen.values() for example in part[:40]]


def decided(examples: Sequence[Example], count: float, *, english: bool = False) -> list[float]:
    """So many decisions, shared out over the Chinese examples, or over the English ones."""
    places = [(example.lang is Lang.EN) is english for example in examples]
    return [count / sum(places) * place for place in places]


@pytest.fixture(scope="module")
def model(examples: list[Example]) -> Model:
    """A small model that learned from decisions."""
    return fit(examples, decisions=decided(examples, 300))[0]


def weights_of(model: Model, language: str) -> Array:
    """The weights of lexemes in the label heads of a language."""
    heads = [place for place, name in enumerate(model.label.classes) if name.startswith(language)]
    found = np.flatnonzero(kind_of(model.features.codes_) == Kind.LEXEME)
    return np.asarray(model.label.weights[np.ix_(heads, found)])


def others_of(model: Model, language: str) -> Array:
    """The weights of all other terms there."""
    heads = [place for place, name in enumerate(model.label.classes) if name.startswith(language)]
    found = np.flatnonzero(kind_of(model.features.codes_) != Kind.LEXEME)
    return np.asarray(model.label.weights[np.ix_(heads, found)])


def test_without_decisions_no_lexeme_is_read(examples: list[Example]) -> None:
    """What seeds teach of them is not good enough: such a model needs no dictionary."""
    plain, _ = fit(examples)
    assert not plain.features.lexemes
    assert not np.any(kind_of(plain.features.codes_) == Kind.LEXEME)


def test_lexemes_count_the_more_the_more_was_decided(examples: list[Example], model: Model) -> None:
    """Half their weight after 300 decisions, three quarters after 900; English decisions say nothing of Chinese."""
    more, _ = fit(examples, decisions=decided(examples, 900))
    assert np.abs(weights_of(model, "zh")).max() > 0.01
    # What was decided counts the more, too, whatever it is learned of: that growth is left out.
    grown = (np.abs(others_of(more, "zh")).max(axis=1) / np.abs(others_of(model, "zh")).max(axis=1))[:, None]
    assert weights_of(more, "zh") == pytest.approx(1.5 * grown * weights_of(model, "zh"), abs=1e-5)
    english, _ = fit(examples, decisions=decided(examples, 900, english=True))
    assert not english.features.lexemes


def test_only_labels_of_chinese_texts_are_learned_of_lexemes(model: Model) -> None:
    """English heads, stance and claim type are as they are without."""
    assert LANGUAGES == ("en", "zh")
    assert not weights_of(model, "en").any()
    found = np.flatnonzero(kind_of(model.features.codes_) == Kind.LEXEME)
    assert not model.stance.weights[:, found].any()
    assert not model.claim_type.weights[:, found].any()


def test_it_comes_back_from_the_registry(model: Model) -> None:
    """A stored model judges like the one in memory, and says which dictionary it was made with."""
    blob = registry.dumps(model)
    loaded = registry.loads("m", blob, hashlib.sha256(blob).hexdigest(), registry.versions())
    assert loaded.judge(TEXTS) == model.judge(TEXTS)
    assert "rjieba" in registry.versions()


def test_training_twice_gives_the_same_model(examples: list[Example], model: Model) -> None:
    """To the last bit of every weight."""
    again, _ = fit(examples, decisions=decided(examples, 300))
    assert again.label.weights.tobytes() == model.label.weights.tobytes()
    assert again.features.pivots_.tobytes() == model.features.pivots_.tobytes()
    assert again.judge(TEXTS) == model.judge(TEXTS)


def test_alone_as_together(model: Model) -> None:
    """A text has one score, whatever else is in its batch."""
    together = [one.probability for one in model.judge(TEXTS)]
    assert together == pytest.approx([model.judge([text])[0].probability for text in TEXTS], abs=1e-6)


@pytest.mark.parametrize("text", TEXTS[:4])
def test_what_lexemes_add_is_shown_on_their_words(model: Model, text: str) -> None:
    """The fragments carry the whole value, but for marks between words and the script's share; they do not overlap."""
    row = model.rows([text])
    values = label_values(model.label, row)[0]
    likeliest = chinese(row)[0] * len(values) + values.argmax()
    value = float(values.max() - model.label.intercepts[likeliest])
    value -= float(model.label.weights[likeliest, -1]) * row.toarray()[0, -1]
    pieces = fragments(model, [text], [text], row)[0]
    assert sum(piece.weight for piece in pieces) == pytest.approx(value, abs=0.12)
    assert all(a.end <= b.start for a, b in pairwise(pieces))


def test_what_is_not_a_decision_is_none() -> None:
    """Seeds and refutations stand for none; the copies of an incident share one; a labelled row is one."""
    example = Example("雨", Label.GENUINE, Lang.HANT)
    assert Lesson(example, Origin.SEEDS).decisions == 0
    assert Lesson(example, Origin.REFUTATIONS).decisions == 0
    assert Lesson(example, Origin.REVIEWED, REVIEWED_WEIGHT / 4).decisions == 0.25
    assert Lesson(example, Origin.LABELS, REVIEWED_WEIGHT).decisions == 1
