"""Terms: what the vectorised analyser finds is what a plain one finds, character by character."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.terms import BATCH, Kind, batches, terms_of
from monitor.text import fold

TEXTS = [
    "Ring 5555 0123 或上 eso-harbour.example/vote 查投票站 @ESO_hk $1,200!! don’t",
    "郎雪盈退選？假的！！！",
    "郎雪盈退选?假的!!!",
    "a",
    "",
    "   ",
    "🙂 привет こんにちは 투표 42",
    "見https://a.example/b？查詢",
    "rock'n'roll O'Neil's 'quoted' won't'",
    "１２：３０ 30% off",
]

_WORD = re.compile(r"[a-zà-ɏ]+(?:['’][a-zà-ɏ]+)*")
_TYPE = re.compile(
    r"""(?P<link>(?:https?://|www\.)[\x21-\x7e]+
      |\b(?:[a-z0-9-]{1,63}+\.){1,8}
       (?:com|net|org|info|biz|top|xyz|online|site|app|io|me|co|hk|cn|tw|uk|example|test)\b(?:/[\x21-\x7e]*)?)
      |(?P<account>@[a-z0-9_]{2,})|(?P<phone>\+?\d(?:[ -]?\d){6,})|(?P<number>\d+(?:[.,:]\d+)*)""",
    re.VERBOSE,
)
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def plain_terms(folded: str) -> Iterator[tuple[Kind, str, int, int]]:
    """The definition, written for reading: kind, term, start, end."""
    rest = folded
    for found in _TYPE.finditer(folded):
        name = found.lastgroup or ""
        if name == "number":
            name = str(min(sum(c.isdigit() for c in found.group()), 6))
        yield Kind.TYPE, name, *found.span()
        rest = rest[: found.start()] + " " * len(found.group()) + rest[found.end() :]
    for word in _WORD.finditer(rest):
        letters = word.group().replace("’", "'")
        yield Kind.WORD, letters, *word.span()
        padded = f" {letters} "
        for n in (3, 4, 5):
            for i in range(len(padded) - n + 1):
                start = word.start() + i - 1
                yield Kind.CHARS, padded[i : i + n], max(start, word.start()), min(start + n, word.end())
    for run in _HAN.finditer(rest):
        for n in (1, 2):
            for i in range(len(run.group()) - n + 1):
                yield Kind.HAN, run.group()[i : i + n], run.start() + i, run.start() + i + n
    for mark in re.finditer(r"[!?]+|[$€£¥%#]|[\u0250-\u1fff\u3041-\u30ff\uac00-\ud7a3]", rest):
        yield Kind.MARK, mark.group()[:2], *mark.span()


def places(texts: list[str]) -> list[tuple[int, Kind, int, int]]:
    """Where the analyser finds terms, denials apart."""
    terms = terms_of([fold(text) for text in texts])
    found = zip(
        terms.row.tolist(), map(Kind, terms.kind.tolist()), terms.start.tolist(), terms.end.tolist(), strict=True
    )
    return sorted(place for place in found if place[1] is not Kind.DENIAL)


def check(texts: list[str]) -> None:
    """The same places, and one code for one term."""
    expected = [(row, *term) for row, text in enumerate(texts) for term in plain_terms(fold(text))]
    assert places(texts) == sorted((row, kind, start, end) for row, kind, _, start, end in expected)
    terms = terms_of([fold(text) for text in texts])
    codes: dict[tuple[int, ...], list[int]] = {}  # two n-grams of a short word cover the same letters
    columns = (terms.row, terms.kind, terms.start, terms.end, terms.code)
    for *place, code in zip(*(column.tolist() for column in columns), strict=True):
        codes.setdefault(tuple(place), []).append(code)
    names: dict[int, tuple[object, ...]] = {}
    of_name: dict[tuple[object, ...], int] = {}
    for row, kind, term, start, end in expected:
        script = int(terms.chinese[row]) if kind in (Kind.MARK, Kind.TYPE) else 0
        name, code = (kind, term, script), codes[row, kind, start, end].pop(0)
        assert names.setdefault(code, name) == name
        assert of_name.setdefault(name, code) == code


def test_the_analyser_finds_what_the_definition_says() -> None:
    """Words, n-grams, Han characters, marks and types, in mixed scripts, alone and in a batch."""
    check(TEXTS)
    for text in TEXTS:
        check([text])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab'’é 票選选1２.-@$!?％🙂ひж\u3000\n"), max_size=24), max_size=4))
def test_any_text(texts: list[str]) -> None:
    """Whatever characters stand side by side."""
    check(texts)


def test_a_word_its_letters_and_its_ngrams_are_different_terms() -> None:
    """The kind is part of the code; so is the script for what both scripts use."""
    terms = terms_of(["ing", "45 ing", "45 票站站"])
    words = terms.code[terms.kind == Kind.WORD]
    assert len(set(words.tolist())) == 1
    assert not set(words.tolist()) & set(terms.code[terms.kind == Kind.CHARS].tolist())
    assert terms.chinese.tolist() == [0, 0, 1]
    assert len(set(terms.code[terms.kind == Kind.TYPE].tolist())) == 2


def test_denials_of_both_languages_are_found_in_every_script() -> None:
    """Each with its place; all are one term."""
    texts = [fold(text) for text in ("澄清：不實傳聞，並非事實", "Officials deny it", "投票站照常開放", "謠言")]
    terms = terms_of(texts)
    denials = terms.kind == Kind.DENIAL
    assert terms.row[denials].tolist() == [0, 0, 0, 1, 3]
    assert len(set(terms.code[denials].tolist())) == 1
    row, start, end = (column[denials][3] for column in (terms.row, terms.start, terms.end))
    assert texts[row][start:end] == "deny"


def test_nothing_has_no_terms() -> None:
    """No text, and texts without a term."""
    for texts in ([], ["", " ", "…"]):
        terms = terms_of(texts)
        assert len(terms.code) == 0
        assert len(terms.chinese) == len(texts)


def test_half_a_surrogate_pair_is_no_error() -> None:
    """Such text may come from a file of labels."""
    assert Kind.WORD in terms_of(["\ud800 word"]).kind


def test_batches_keep_order_and_size() -> None:
    """A long text is a batch of its own; nothing is lost; there is always one batch."""
    texts = ["a" * (BATCH // 2)] * 5 + ["b" * (3 * BATCH)] + ["c"]
    found = list(batches(texts))
    assert [text for batch in found for text in batch] == texts
    assert all(len(batch) == 1 or sum(map(len, batch)) <= BATCH for batch in found)
    assert list(batches([])) == [[]]


def test_a_code_does_not_depend_on_where_a_term_stands() -> None:
    """At the end of a long batch as at the start."""
    alone = terms_of(["票站 close"]).code
    far = terms_of(["x " * 5000, "票站 close"])
    assert np.array_equal(np.sort(alone), np.sort(far.code[far.row == 1]))
