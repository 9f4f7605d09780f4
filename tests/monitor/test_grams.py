"""Words, phrases and the pieces they are found by."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import InputError
from monitor.grams import LEADS, LONGEST, MAX_GRAMS, MAX_WORDS, excerpt, folded, grams, pairs, terms
from monitor.postings import BLOCK, MANY, find, keeps_pairs, pack, place, place_of_pair, places

ALPHABET = "投票選选舉举A股ａbCdé9 -%_\"'*：の한ก\n"


def asked(words: str) -> list[str]:
    """The texts of the terms."""
    return [term.text for term in terms(words)]


def holds(text: str, words: str) -> bool:
    """Whether a text has every term, and, as the index sees it, whether it would be read at all."""
    plain = folded(text)
    found = all(term.pattern.search(plain) for term in terms(words))
    looked_at = all(set(term.grams) <= grams(plain) and set(term.pairs) <= pairs(plain) for term in terms(words))
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


@settings(deadline=None)
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
    looked_at = set(term.grams) <= grams(plain) and set(term.pairs) <= pairs(plain)
    assert looked_at or not term.pattern.search(plain)
    begins = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    assert term.pattern.search(plain) or not begins


def test_words_that_follow_each_other_are_looked_up_as_a_pair() -> None:
    """The first whole, the second by its beginning, with what stands between; across a sentence too, not further."""
    (term,) = terms('"the polling sta"')
    assert term.pairs == (("the", "the poll"), ("polling", "polling st"))
    for text, stand in (
        ("The polling stations", True),
        ("the polling of the station", False),
        ("polling the stations", False),
        ("breathe polling stations", False),
        ("the-polling station", False),
        ("the polling — station", False),
    ):
        assert (set(term.pairs) <= pairs(folded(text))) == stand
    assert holds("COVID-19 cases", '"covid-19 c"')
    assert holds("so it is. The end", '"is. the"')
    assert terms('"選舉 the 投票"')[0].pairs == terms('"ends .... here"')[0].pairs == terms("polling")[0].pairs == ()


def test_pairs_of_hostile_texts_are_few() -> None:
    """Words without end are cut, and so is what a search asks for."""
    assert pairs(f"{'x' * 9999} {'y' * 9999}") == {("x" * LONGEST, f"{'x' * LONGEST} {'y' * n}") for n in LEADS}
    assert pairs(" ".join("ab" * 1000)) == {("a", "a b"), ("b", "b a")}
    assert len(terms(f'"{" ".join(f"w{n}" for n in range(100))}"')[0].pairs) == MAX_GRAMS


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


def test_pairs_are_kept_where_the_first_word_is_common() -> None:
    """Else it leads to few texts by itself; whether they are kept is read from its own postings."""
    common = [(number, {"the"}) for number in range(MANY)]
    rare = [(number, {"harbour"}) for number in range(MANY - 1)]
    paired = [(7, {("the", "the h"), ("harbour", "harbour i"), ("a", "a h")}), (9, {("the", "the h")})]
    packed = pack([*common, *rare], paired)

    def kept(first: str, pair: str) -> list[int] | None:
        bucket, hashed = place_of_pair(pair)
        if not keeps_pairs(first, packed.get(place(first)[0])):
            return None
        return places(find(packed[bucket], hashed)) if bucket in packed else []

    assert kept("the", "the h") == [9, 7]
    assert kept("the", "the x") == []
    assert kept("harbour", "harbour i") is None
    assert kept("nowhere", "nowhere i") is None
    assert kept("a", "a h") == [7]


def test_words_of_one_hash_are_common_together() -> None:
    """As the search cannot tell them apart, the pairs of both are kept."""
    half = MANY // 2
    held = [(number, {"plumless" if number < half else "buckeroo"}) for number in range(MANY)]
    packed = pack(held, [(1, {("plumless", "plumless i")}), (99, {("buckeroo", "buckeroo o")})])
    for first, pair, number in (("plumless", "plumless i", 1), ("buckeroo", "buckeroo o", 99)):
        bucket, hashed = place_of_pair(pair)
        assert keeps_pairs(first, packed[place(first)[0]])
        assert places(find(packed[bucket], hashed)) == [number]
