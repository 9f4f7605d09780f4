"""Which watched names stand in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.reference import CandidateEntry, LatinName, as_candidate
from monitor.types import Candidate
from monitor.watchlist import Watchlist, name_forms

WATCHLIST = Watchlist(
    [
        as_candidate(
            CandidateEntry(
                id="cheuk", names=("卓望晴",), latin=LatinName(surname="Cheuk", given="Mong-ching", english="Vivian")
            ),
            "watchlist.toml",
        ),
        as_candidate(
            CandidateEntry(
                id="au-yeung",
                names=("歐陽澤楷",),
                latin=LatinName(surname="Au Yeung", given="Chak-kai", english="Casper"),
                aliases=("歐陽議員",),
            ),
            "watchlist.toml",
        ),
        Candidate(id="eso", names=("Electoral Services Office", "選舉事務署")),
    ]
)


def found(text: str) -> list[tuple[str, str]]:
    """Who is named, and with which words of the text."""
    return [(match.candidate_id, text[match.start : match.end]) for match in WATCHLIST.match(text)]


@pytest.mark.parametrize(
    "name",
    [
        "卓望晴", "Vivian Cheuk", "VIVIAN CHEUK", "Cheuk Mong-ching", "Cheuk Mong Ching",
        "Mong-ching Cheuk", "Cheuk Mongching", "Vivian Cheuk Mong-ching", "Cheuk Vivian",
        "Ｖｉｖｉａｎ　Ｃｈｅｕｋ", "Vivian  Cheuk", "Cheuk Mong‑ching",
    ],
)  # fmt: skip
def test_every_form_of_a_name_is_found(name: str) -> None:
    """Both name orders, hyphens, case, full-width letters; the span is exactly the name."""
    assert found(f"訪問：{name}，昨日") == [("cheuk", name)]


@pytest.mark.parametrize("text", ["欧阳泽楷出席论坛", "歐陽澤楷出席論壇", "歐陽議員：不實"])
def test_either_script_and_aliases_are_found(text: str) -> None:
    """A name listed in 繁 is found in 简, and an alias too."""
    assert [who for who, _ in found(text)] == ["au-yeung"]


@pytest.mark.parametrize(
    "text", ["", "Cheuk", "Ms Cheuk said", "Vivian", "Vivian Cheuks", "xVivian Cheuk", "卓望", "望晴"]
)
def test_parts_of_names_are_not_hits(text: str) -> None:
    """A surname alone, a given name alone, and words that only contain the name."""
    assert found(text) == []


def test_the_longest_of_overlapping_names_wins_and_all_are_found_in_order() -> None:
    """One hit for each mention."""
    text = "Vivian Cheuk Mong-ching met Casper Au Yeung; 選舉事務署 and 卓望晴 agreed."
    assert [words for _, words in found(text)] == [
        "Vivian Cheuk Mong-ching", "Casper Au Yeung", "選舉事務署", "卓望晴",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Joann Lee Wong said", ["Lee Wong"]),
        ("Ann Lee Wong said", ["Ann Lee"]),
        ("Ann Lee, Lee Wong", ["Ann Lee", "Lee Wong"]),
        ("Ｊｏａｎｎ　Ｌｅｅ　Ｗｏｎｇ", ["Ｌｅｅ　Ｗｏｎｇ"]),
        ("卓望晴雪盈說", ["卓望晴"]),
        ("訪晴雪盈、Joann Lee Wong和卓望晴", ["晴雪盈", "Lee Wong", "卓望晴"]),
        ("访晴雪莹Lee Wongs", ["晴雪莹"]),
    ],
)
def test_a_name_cut_out_of_a_word_hides_no_other(text: str, words: list[str]) -> None:
    """Names that overlap: only those that are whole words compete, and then the leftmost wins."""
    names = {"a": "Ann Lee", "b": "Lee Wong", "c": "卓望晴", "d": "晴雪盈", "e": "晴雪瑩"}
    watchlist = Watchlist(Candidate(id=id, names=(name,)) for id, name in names.items())
    assert [text[match.start : match.end] for match in watchlist.match(text)] == words


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("見歐陽楷。", "歐陽楷"),
        ("见欧阳楷。", "欧阳楷"),
        ("met ＡＮＮ　ＬＥＥ.", "ＡＮＮ　ＬＥＥ"),
        ("met Lee Ann.", "Lee Ann"),
    ],
)
def test_a_name_that_two_candidates_share_is_a_hit_for_both(text: str, name: str) -> None:
    """Nobody can tell from the name who is meant, so both are named; spellings of one candidate count once."""
    start = text.index(name)
    watchlist = Watchlist(
        [
            Candidate(id="first", names=("歐陽楷", "Ann Lee"), aliases=("欧阳楷", "Lee Ann")),
            Candidate(id="second", names=("欧阳楷", "ANN LEE"), aliases=("Lee-Ann",)),
        ]
    )
    hits = [(match.candidate_id, match.start, match.end) for match in watchlist.match(text)]
    assert hits == [(who, start, start + len(name)) for who in ("first", "second")]


def test_an_empty_watchlist_finds_nothing() -> None:
    """No candidates, no hits, no error."""
    assert Watchlist([]).match("卓望晴") == ()


def test_a_surname_alone_is_never_a_form() -> None:
    """It names too many people."""
    assert "Cheuk" not in name_forms("Cheuk", "Mong-ching", "Vivian")
    assert name_forms("Cheuk") == []


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_chinese_name_is_found_wherever_it_stands(before: str, after: str) -> None:
    """Any text around it leaves the name findable, with offsets into the original."""
    text = f"{before}。卓望晴。{after}"
    assert ("cheuk", "卓望晴") in found(text)
