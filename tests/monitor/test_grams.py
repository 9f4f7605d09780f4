"""Words, phrases and the pieces they are found by."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import InputError
from monitor.grams import LONGEST, MAX_GRAMS, MAX_WORDS, excerpt, folded, grams, terms
from monitor.postings import BLOCK, find, pack, place, places

ALPHABET = "投票選选舉举A股ａbCdé9 -%_\"'*：の한ก\n"


def asked(words: str) -> list[str]:
    """The texts of the terms."""
    return [term.text for term in terms(words)]


def holds(text: str, words: str) -> bool:
    """Whether a text has every term, and, as the index sees it, whether it would be read at all."""
    plain = folded(text)
    found = all(term.pattern.search(plain) for term in terms(words))
    looked_at = all(set(term.grams) <= grams(plain) for term in terms(words))
    assert looked_at or not found
    return found


def test_words_and_phrases() -> None:
    """Every word for itself; what stands in quotation marks, also curly or full-width ones, is one phrase."""
    assert asked("Polling　STATION 選舉") == ["polling", "station", "选举"]
    assert asked('"polling  station" “兩個 字” closed') == ["polling station", "两个 字", "closed"]
    assert asked('"never ends') == ["never ends"]
    assert asked("選舉 选举") == ["选举"]


def test_signs_have_no_meaning() -> None:
    """What a query language would take for an operator is a word like any other."""
    for words in ("100%_done*", "NEAR(a", "-draft", "kind:note", "^start", "a'; DROP TABLE items"):
        assert holds(f"so {words} it says", words)
    assert not holds("100 or done", "100%")
    assert not holds("the draft", "-draft")


@pytest.mark.parametrize("words", ["", "a", "法", " ", '""', "%%", "🙂🙂", "\u202e\u200b", "a 法 b"])
def test_nothing_long_enough_is_refused(words: str) -> None:
    """Two letters or characters are the least; a single one beside a longer word is looked for in the text."""
    with pytest.raises(InputError, match="two"):
        terms(words)
    assert holds("法庭 選舉", "選舉 法")
    assert not holds("選舉", "選舉 法")


def test_a_search_of_any_length_is_bounded() -> None:
    """Too long is refused; long has few grams, which every text with it has."""
    with pytest.raises(InputError, match=str(MAX_WORDS)):
        terms("選" * (MAX_WORDS + 1))
    long = "".join(chr(0x4E00 + n) for n in range(MAX_WORDS))
    assert len(terms(long)[0].grams) == MAX_GRAMS
    assert holds(f"前{long}後", long)
    assert holds("x" * 10_000, "x" * MAX_WORDS)


def test_spaced_words_are_found_by_their_beginning_dense_scripts_anywhere() -> None:
    """Whatever stands beside them."""
    assert holds("The Electoral Office", "elect office")
    assert not holds("The Electoral Office", "oral")
    assert holds("候選人名單", "選人名")
    assert holds("買A股的人", "a股")
    assert holds("COVID疫苗", "疫苗")
    assert holds("新冠COVID疫苗", "covid疫苗")
    assert holds("第5號票站", "5號")
    assert holds("ウェブサイト", "サイト")
    assert holds("투표소가 닫혔다", "투표소")
    assert holds("misinformationcampaigns", "misinformationcam")
    assert not holds("misinformationcampaigns", "misinformationcax")


def test_one_form_for_all_scripts() -> None:
    """Traditional and Simplified, full-width, capitals, invisible characters between the letters."""
    for text in ("選舉ＡＢＣ", "选举abc", "選\u200b舉\u202eAbC"):
        for words in ("選舉", "选举", "ａｂｃ", "ABC", "選舉abc"):
            assert holds(text, words)


@given(st.text(ALPHABET, max_size=60), st.data())
def test_whatever_is_cut_out_of_a_text_is_found(text: str, data: st.DataObject) -> None:
    """A piece that begins where a word does is found, as a phrase, and the index leads to it."""
    start = data.draw(st.integers(0, len(text)))
    piece = text[start : data.draw(st.integers(start, len(text)))].replace('"', " ")
    plain, cut = folded(text.replace('"', " ")), folded(piece)
    try:
        (term,) = terms(f'"{piece}"')
    except (InputError, ValueError):
        return
    if "  " in cut.strip():  # a phrase's spaces are folded; those of collected texts are already
        return
    assert set(term.grams) <= grams(plain) or not term.pattern.search(plain)
    begins = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    assert term.pattern.search(plain) or not begins


def test_the_excerpt_shows_the_place_as_it_was_written() -> None:
    """Whatever the script asked in; cut on both sides, and the beginning where a title has it."""
    text = "甲" * 300 + "新界東點票ＯＫ" + "乙" * 300
    shown = excerpt(text, terms("点票ok"), 60)
    assert "點票ＯＫ" in shown
    assert (len(shown), shown[0], shown[-1]) == (62, "…", "…")
    assert excerpt("短的點票", terms("点票"), 60) == "短的點票"
    assert excerpt("ﬁ" * 40 + "\n選舉", terms("選舉"), 20).endswith("ﬁ 選舉")
    assert excerpt("nothing of it", terms("選舉"), 60) == "nothing of it"


def test_grams_of_hostile_texts_are_few() -> None:
    """A word without end has the beginnings of a word; signs have none."""
    assert len(grams("x" * 100_000)) == LONGEST - 1
    assert grams("%_*'\"" * 1000) == set()


def test_postings_give_back_what_was_packed() -> None:
    """Rare and common grams, the first and the last place, and none for what nobody has."""
    rng = random.Random(3)
    words = [f"g{n}" for n in range(300)]
    held = [(number, {word for n, word in enumerate(words) if rng.random() < 1 / (n + 1)}) for number in range(BLOCK)]
    packed = pack(held)
    for word in words:
        bucket, hashed = place(word)
        assert places(find(packed[bucket], hashed)) == [number for number, has in reversed(held) if word in has]
    bucket, hashed = place("g0")
    assert places(find(packed[bucket], hashed)) == list(range(BLOCK - 1, -1, -1))
    assert find(packed[bucket], hashed ^ 0x80000000) == 0
    assert pack([]) == {}


def test_grams_of_one_hash_share_their_places() -> None:
    """So that no text is missed: these two have one CRC-32."""
    assert place("plumless") == place("buckeroo")
    packed = pack([(3, {"plumless", "buckeroo"}), (5, {"buckeroo"}), (9, {"plumless"})])
    bucket, hashed = place("plumless")
    assert places(find(packed[bucket], hashed)) == [9, 5, 3]
