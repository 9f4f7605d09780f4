"""Style: what is counted of how a text is written, and what it says among the reasons."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.assess import Bench, Judged
from classifiers.explain import style_weights
from classifiers.mask import Mask
from classifiers.model import Model, label_values
from classifiers.rules import Reference
from classifiers.sentences import sentence
from classifiers.terms import terms_of
from monitor.language import render, speaking
from monitor.text import fold
from monitor.types import Candidate, Lang, Style
from monitor.watchlist import Watchlist


def counted(text: str) -> dict[Style, int]:
    """What occurs, and how often."""
    row = np.expm1(terms_of([fold(text)]).style[0]).round().astype(int)
    return {style: int(count) for style, count in zip(Style, row, strict=True) if count}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("投票站今晚八時關門", {}),
        ("速看！！！我哋被騙了！", {Style.EXCLAMATION: 4, Style.FIRST_PERSON: 1}),
        ("速看!!!我们被骗了!", {Style.EXCLAMATION: 4, Style.FIRST_PERSON: 1}),
        ("「假的」，他说“不是”", {Style.QUOTATION: 4}),
        ("#票站實況# ＃截屏", {Style.HASHTAG: 3}),
        ("I told my aunt: WE were not asked", {Style.FIRST_PERSON: 3}),
        ("Ｉ ｓａｗ ｉｔ！", {Style.FIRST_PERSON: 1, Style.EXCLAMATION: 1}),
        ("us? The US-based memo, mé, lå, wee", {Style.FIRST_PERSON: 2}),
        ('She said "no" to 候選人，我信 you', {Style.QUOTATION: 2, Style.FIRST_PERSON: 1}),
        ("", {}),
        ("🙂 привет", {}),
    ],
)
def test_what_is_counted(text: str, expected: dict[Style, int]) -> None:
    """In either script and width, in mixed texts, in words and not in parts of them."""
    assert counted(text) == expected


@given(st.lists(st.text('I we my us!?#"“」我俺x1 é\u0300/.:', max_size=30), max_size=5))
def test_texts_are_counted_together_as_a_plain_count_has_it(texts: list[str]) -> None:
    """Whatever stands beside them."""
    folded = [fold(text) for text in texts]
    words = r"(?<![a-zà-ɏ'’])(?:i|me|my|mine|we|us|our|ours)(?![a-zà-ɏ]|['’][a-zà-ɏ])"
    plain = {
        Style.EXCLAMATION: "!",
        Style.QUOTATION: '["“”„‟«»「」『』]',
        Style.HASHTAG: "#",
        Style.FIRST_PERSON: f"[我俺咱]|{words}",
    }
    found = np.expm1(terms_of(folded).style).round().astype(int).tolist()
    assert found == [[len(re.findall(plain[style], text)) for style in Style] for text in folded]


def test_it_moves_a_score_as_far_as_it_is_said_to(model: Model) -> None:
    """In either language; a text without any of it owes nothing to it."""
    for text in (
        "內部消息：電話銀行明日起收手續費，快轉告家人",
        "Inside news: the bank will charge for calls, tell all",
    ):
        plain, loud = model.rows([text]), model.rows([f"{text} #!!!"])
        assert style_weights(model, plain) == [{}]
        assert set(style_weights(model, loud)[0]) == {Style.EXCLAMATION, Style.HASHTAG}
        silenced = loud.toarray()
        silenced[:, model.features.style_columns] = 0
        moved = (label_values(model.label, loud) - label_values(model.label, type(loud)(silenced)))[0]
        assert min(abs(moved - sum(style_weights(model, loud)[0].values()))) < 1e-5


def test_it_is_one_line_of_the_reasons(model: Model) -> None:
    """After the words, in both languages, and only where something was counted."""
    bench = Bench("m", model, Watchlist([]), Mask([]), Reference.empty(), model.threshold)
    loud, plain = bench.assess([Judged("速看！我們的票被調包了！", Lang.HANT), Judged("今日有雨", Lang.HANT)])
    codes = [reason.code for reason in loud.reasons]
    assert codes.index("style") == codes.index("words") + 1
    assert "style" not in [reason.code for reason in plain.reasons]
    said = sentence("style", {"for": [("exclamation", 0.2), ("first-person", 0.1)], "against": []})
    assert said.text == "How it is written, for it: exclamation marks, I and we; against it: none."
    with speaking("zh-Hant"):
        assert "感嘆號" in render(said)
        assert "自稱" in render(said)


def test_who_is_named_is_no_style(model: Model) -> None:
    """A name that holds a word or a sign that is counted changes nothing once it is hidden."""
    mask = Mask([Candidate("a", ("我俺",), ("We Us",)), Candidate("b", ("簡曉",), ("Jane Roe",))])
    for one, other in (("我俺退選", "簡曉退選"), ("We Us withdrew", "Jane Roe withdrew")):
        assert counted(mask(one)) == counted(mask(other)) == {}
