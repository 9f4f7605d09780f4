"""Where in an item's own text the words stand that count."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.edits import LONGEST, word_diff
from alerts.spans import MOST, spans
from monitor.text import fold


def _marked(text: str, **what: object) -> list[str]:
    return [text[span.start : span.end] for span in spans(text, **what)]  # type: ignore[arg-type]  # as given


@pytest.mark.parametrize(
    ("text", "word", "marked"),
    [
        ("卓望晴今早突然退選？", "退選", ["退選"]),
        ("卓望晴今早突然退选，街坊說退選", "退選", ["退选", "退選"]),  # one word in both scripts
        ("ＶＩＶＩＡＮ　Ｃｈｅｕｋ has quit", "vivian cheuk", ["ＶＩＶＩＡＮ　Ｃｈｅｕｋ"]),
        ("The ﬁgures, the figures", "figures", ["ﬁgures", "figures"]),  # one character that folds to two
        ("㍿候選人", "候選人", ["候選人"]),  # what stands before is four characters folded
        ("a\u200bb with\u00adin quit", "quit", ["quit"]),  # what stands before is none
        ("so  many\n spaces quit", "many spaces", ["many\n spaces"]),
        ("A cafe\u0301 owner", "cafe\u0301", ["cafe\u0301"]),
        ("退選\ufe00了", "退選", ["退選\ufe00"]),  # a sign that chooses how the letter looks goes with it
        ("man, woman, many, man", "man", ["man", "man"]),  # no piece of a longer word
        ("", "退選", []),
        ("退選", "", []),
    ],
)
def test_words_are_found_in_the_text_as_it_was_written(text: str, word: str, marked: list[str]) -> None:
    """Whatever folding does to the offsets, the span covers the whole characters and the marks on them."""
    assert _marked(text, words=[(word, 0.4)]) == marked
    assert all(span.weight == 0.4 and span.kind == "weight" for span in spans(text, words=[(word, 0.4)]))


def test_names_and_evidence_are_marked_apart() -> None:
    """A name by its offsets, an old text's by its alias; evidence, cut at an ellipsis, where it stands."""
    text = "卓望晴今早突然退選，卓望晴未有回應"
    match = {"candidate_id": "cheuk", "alias": "卓望晴", "start": 0, "end": 3}
    assert [(s.start, s.end, s.kind) for s in spans(text, matches=[match], quotes=["卓望晴今早突然退選…"])] == [
        (0, 9, "finding"),
        (0, 3, "match"),
    ]
    moved = f"更正：{text}"
    assert [(s.start, s.end) for s in spans(moved, matches=[match], same_text=False)] == [(3, 6), (13, 16)]
    beyond = {**match, "end": 99}
    assert spans(text, matches=[beyond]) == ()
    assert spans(text, quotes=["nowhere"]) == ()


def test_a_word_without_end_is_marked_so_often_and_no_more() -> None:
    """The first places, so that what draws them is never asked for more."""
    found = spans("退選 " * 5000, words=[("退選", 0.4)])
    assert (len(found), found[-1].start) == (MOST, (MOST - 1) * 3)


_texts = st.text(alphabet="退選选卓 ﬁ㍿ａA\u0301\u200d\u00ad\n.9é", max_size=40)


@given(_texts, _texts)
def test_spans_lie_in_the_text_and_hold_the_word(text: str, word: str) -> None:
    """For any text and any word: within bounds, not empty, and what is marked folds to the word and its marks."""
    for span in spans(text, words=[(word, 1.0)]):
        assert 0 <= span.start < span.end <= len(text)
        assert fold(word).replace(" ", "") in fold(text[span.start : span.end]).replace(" ", "")


def test_edits_are_told_word_by_word() -> None:
    """English by word, Han by character; what did not change stands once."""
    assert word_diff("The poll closes at 22:30 today", "The poll closes at 18:30 today") == (
        ("=", "The poll closes at "),
        ("-", "22"),
        ("+", "18"),
        ("=", ":30 today"),
    )
    assert word_diff("卓望晴已退選", "卓望晴未退選") == (("=", "卓望晴"), ("-", "已"), ("+", "未"), ("=", "退選"))
    assert word_diff("退选", "退選") == (("=", "退"), ("-", "选"), ("+", "選"))  # another script is an edit
    assert word_diff("caf\u0065\u0301", "cafe") == (("-", "cafe\u0301"), ("+", "cafe"))
    assert word_diff("a", "a") == (("=", "a"),)
    assert word_diff("", "") == ()


@given(st.text(alphabet="ab退選 .\n\u0301", max_size=60), st.text(alphabet="ab退選 .\n\u0301", max_size=60))
def test_a_diff_holds_both_texts(before: str, after: str) -> None:
    """Nothing is lost and nothing is added, and no two pieces beside each other have one mark."""
    told = word_diff(before, after)
    assert "".join(text for mark, text in told if mark != "+") == before
    assert "".join(text for mark, text in told if mark != "-") == after
    assert all(one[0] != other[0] for one, other in pairwise(told))


def test_a_rewritten_text_is_shown_as_a_whole() -> None:
    """Beyond so many changed words nobody reads single ones, and the time to find them would grow with the square."""
    before, after = "ab " * LONGEST, "ba " * LONGEST
    assert word_diff(f"Same. {before}End.", f"Same. {after}End.") == (
        ("=", "Same. "),
        ("-", before.rstrip()),
        ("+", after.rstrip()),
        ("=", " End."),
    )
