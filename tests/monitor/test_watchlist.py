"""Which watched names stand in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.reference import CandidateEntry, LatinName, as_candidate, load_watchlist
from monitor.types import Candidate
from monitor.watchlist import Watchlist, name_forms, uncertain_forms

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


PLACED = Watchlist(
    as_candidate(CandidateEntry(id=id, names=(name,), latin=latin, constituency=("Jade Bay", "翠灣")), "watchlist.toml")
    for id, name, latin in (
        ("cheuk", "卓望晴", LatinName(surname="Cheuk", given="Mong-ching", english="Vivian")),
        ("au-yeung", "歐陽澤楷", LatinName(surname="Au Yeung", given="Chak-kai", english="Casper")),
    )
)


def found(text: str) -> list[tuple[str, str]]:
    """Who is named, and with which words of the text."""
    return [(match.candidate_id, text[match.start : match.end]) for match in WATCHLIST.match(text)]


@pytest.mark.parametrize(
    "name",
    [
        "卓望晴", "Vivian Cheuk", "VIVIAN CHEUK", "Cheuk Mong-ching", "Cheuk Mong Ching",
        "Mong-ching Cheuk", "Cheuk Mongching", "Vivian Cheuk Mong-ching", "Cheuk Vivian",
        "Ｖｉｖｉａｎ　Ｃｈｅｕｋ", "Vivian  Cheuk", "Cheuk Mong‑ching", "卓 望 晴", "卓　望晴", "卓 　望晴", "卓·望晴",
        "Vivian M.C. Cheuk", "Vivian MC Cheuk", "Vivian M C Cheuk",
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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Vivian Cheuk came. Ms Cheuk left early.", ["Vivian Cheuk", "Ms Cheuk"]),
        ("Vivian Cheuk came. Ms. CHEUK left early.", ["Vivian Cheuk", "Ms. CHEUK"]),
        ("V. Cheuk stands in Jade Bay", ["V. Cheuk"]),
        ("M.C. Cheuk stands in Jade Bay", ["M.C. Cheuk"]),
        ("卓望晴到場，卓女士早退", ["卓望晴", "卓女士"]),
        ("卓望晴到场。卓女士早退", ["卓望晴", "卓女士"]),
        ("翠灣的卓議員", ["卓議員"]),
        ("Casper Au Yeung spoke, then Dr Au-Yeung and Mr AuYeung", ["Casper Au Yeung", "Dr Au-Yeung", "Mr AuYeung"]),
        ("歐陽澤楷說，歐陽先生不同意", ["歐陽澤楷", "歐陽先生"]),
    ],
)
def test_titles_and_initials_beside_the_name_or_the_place(text: str, words: list[str]) -> None:
    """A surname with a title or initials counts where the text says who is meant."""
    assert [text[match.start : match.end] for match in PLACED.match(text)] == words


@pytest.mark.parametrize(
    "text",
    [
        "Ms Cheuk left early.", "V. Cheuk sings", "卓女士早退", "Mr Cheuk and Mr Au Yeung",
        "翠灣居民張沛卓女士",  # 卓女士 is cut out of a longer name
    ],
)  # fmt: skip
def test_titles_and_initials_alone_name_nobody(text: str) -> None:
    """Without the name, the constituency or the party anybody may be meant."""
    assert PLACED.match(text) == ()


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("Long May is a candidate of New Tide", ["Long May"]),
        ("Long may she reign", []),
        ("May Long met the press: Long may it last", ["May Long", "Long may"]),
        ("高山候選人", ["高山"]),
        ("昨日登上高山", []),
        ("候選人到高山劇場看戲", []),
        ("候選人高山到高山劇場看戲", ["高山"]),
        ("高山道的候選人", []),
    ],
)
def test_common_words_need_context(text: str, hits: list[str]) -> None:
    """A name that is a common word counts beside words of its candidate; inside a phrase of `not_in` never."""
    watchlist = Watchlist(
        [
            Candidate("may", ("May Long",), ("Long May",), uncertain=("Long May",), party=("New Tide",)),
            Candidate("ko", ("高山",), uncertain=("高山",), context=("候選人",), not_in=("高山劇場", "高山道")),
        ]
    )
    assert [text[match.start : match.end] for match in watchlist.match(text)] == hits


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("Vivian Cheuk-lam sings", []),
        ("Vivian Cheuk‑lam sings", []),
        ("Kit-Vivian Cheuk sings", []),
        ("the Vivian Cheuk-led team", ["Vivian Cheuk"]),
        ("a Vivian Cheuk-backed plan", ["Vivian Cheuk"]),
        ("pro-Vivian Cheuk posters", ["Vivian Cheuk"]),
        ("Vivian Cheuk - the winner", ["Vivian Cheuk"]),
        ("Vivian Cheuk-卓望晴", ["Vivian Cheuk", "卓望晴"]),
    ],
)
def test_a_name_inside_a_longer_name_is_nobody(text: str, hits: list[str]) -> None:
    """A hyphen that joins another part makes it another person; what English joins to a name does not."""
    assert [text[match.start : match.end] for match in PLACED.match(text)] == hits


@pytest.mark.parametrize("text", ["卓\n望晴", "卓 \n望晴", "主席卓。望晴天"])
def test_characters_on_two_lines_are_no_name(text: str) -> None:
    """A title ends in one character, the summary begins with two: nobody is named."""
    assert PLACED.match(text) == ()


def test_a_certain_name_is_not_hidden_by_an_uncertain_one() -> None:
    """ "Ms Cheuk Mong-ching" begins with a title and a surname; the whole name is what counts."""
    (match,) = PLACED.match("Ms Cheuk Mong-ching spoke")
    assert match.alias == "Cheuk Mong-ching"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('common = ["Nobody"]', r"watchlist.toml: ann: common: “Nobody” is none of the names; add it to aliases"),
        ('domains = ["https://ann.example/"]', r"ann: domains: “https://ann.example/” is no domain"),
        ('party = [" "]', r"candidate.0.party.0"),
        ('status_since = "soon"', r"candidate.0.status_since"),
    ],
)
def test_a_wrong_line_is_named_with_its_mend(settings: Settings, lines: str, message: str) -> None:
    """The file, the entry and the key."""
    path = settings.path(settings.files.watchlist)
    path.write_text(f'[[candidate]]\nid = "ann"\nnames = ["Ann Lee"]\n{lines}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_watchlist(settings)


def test_an_outlet_is_no_match(settings: Settings) -> None:
    """Its name is looked for by a rule, not by the watchlist: every report names some outlet."""
    watchlist, file = load_watchlist(settings)
    assert file.outlet
    assert watchlist.match(file.outlet[0].names[0]) == ()


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


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        (LatinName(surname="Cheuk", given="Mong-ching", english="Vivian"), "Vivian Cheuk"),
        (LatinName(surname="Chi", given="Hiu-laam"), "Chi Hiu-laam"),
        (LatinName(surname="Chi"), "Chi"),
    ],
)
def test_a_latin_name_is_printed_whole(name: LatinName, whole: str) -> None:
    """Who has no English name is not left with a surname, which many share."""
    assert name.whole == whole


def test_tags_and_names_with_a_comma() -> None:
    """#VivianCheuk is she; "Cheuk, Vivian" is where the text holds more of her; a short name in one word is a word."""
    cheuk = Candidate(
        "cheuk",
        ("卓望晴",),
        aliases=tuple(name_forms("Cheuk", "Mong-ching", "Vivian")),
        uncertain=tuple(uncertain_forms(["卓望晴"], "Cheuk", "Mong-ching", "Vivian")),
        constituency=("Jade Bay North",),
    )
    watchlist = Watchlist([cheuk])
    for text in ("#VivianCheuk again", "@viviancheuk", "看#ＶｉｖｉａｎＣｈｅｕｋ", "Jade Bay North: Cheuk, Vivian"):
        assert [match.candidate_id for match in watchlist.match(text)] == ["cheuk"], text
    assert watchlist.match("Cheuk, Vivian and others") == ()
    assert "AnnLi" not in name_forms("Li", "Ka-yan", "Ann")
