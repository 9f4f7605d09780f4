"""What a text says in any language."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.anchors import anchors, at_odds, names_and_places
from monitor.types import Candidate
from monitor.watchlist import Watchlist

NOBODY = Watchlist([])
PEOPLE = names_and_places(
    [
        Candidate("man", ("文沛霖",), ("Perry Man",), constituency=("Kingfisher Point", "翠鳥角"), party=("新潮汐",)),
        Candidate("chik", ("戚啟航",), ("Marcus Chik",), constituency=("Kingfisher Point", "翠鳥角")),
    ]
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("912,346 voters", {"number:912346"}),
        ("1.2 million ballots", {"number:1200000"}),
        ("120萬張選票", {"number:1200000"}),
        ("１２０万张选票", {"number:1200000"}),
        ("五千名島民", {"number:5000"}),
        ("五千名岛民", {"number:5000"}),
        ("編號改為２號", {"number:2"}),
        ("一個票站，一位主任，the one and only", set()),
        ("12月7日投票", {"date:12-07"}),
        ("十二月七號投票", {"date:12-07"}),
        ("on 7 December", {"date:12-07"}),
        ("on the 7th of December, again", {"date:12-07"}),
        ("on Dec. 7, 2027", {"date:12-07", "number:2027"}),
        ("2027-12-07", {"date:12-07"}),
        ("13月40日", set()),  # no such day, and no numbers
        ("see https://Harbour.example/a/5?utm_source=x.", {"link:harbour.example/a/5"}),
        ("見harbour.example/a/5。", {"link:harbour.example/a/5"}),
        ("end.Then the next", set()),
        ("", set()),
    ],
)
def test_numbers_dates_and_addresses(text: str, wanted: set[str]) -> None:
    """One anchor for one thing, whatever the language, script and width; nothing for what only looks like it."""
    assert anchors(text, NOBODY) == wanted


@pytest.mark.parametrize(
    "text",
    ["Perry Man at Kingfisher Point", "文沛霖喺翠鳥角", "文沛霖在翠鸟角", "ＰＥＲＲＹ ＭＡＮ，翠鳥角"],
)
def test_names_and_places(text: str) -> None:
    """A person and a constituency are the same in every script; two people share one constituency."""
    assert anchors(text, PEOPLE) == {"name:man", "name:Kingfisher Point"}


def test_at_odds() -> None:
    """Only when each says something that the other does not, and only of the kind asked for."""
    one, other = {"number:6", "name:man"}, {"number:8", "name:man"}
    assert at_odds(one, other, "number")
    assert not at_odds(one, other, "name")
    assert not at_odds(one, one | other, "number")
    assert not at_odds(set(), other, "number")


@given(st.text(max_size=300))
def test_any_text_has_anchors(text: str) -> None:
    """No text breaks it."""
    assert all(":" in anchor for anchor in anchors(text, PEOPLE))


@pytest.mark.parametrize("piece", ["a.", "a-", "1,", "1 million ", "一", "十", "www.", "a.b/", "１", "dec 1", "1月"])
def test_four_times_the_text_takes_about_four_times_the_time(piece: str) -> None:
    """From 10,000 to 40,000 hostile characters; quadratic time would grow sixteenfold."""
    shorter, longer = (_seconds((piece * length)[:length]) for length in (10_000, 40_000))
    assert longer < 8 * max(shorter, 0.02)


def _seconds(text: str) -> float:
    times = []
    for _ in range(3):
        begun = time.process_time()  # what others on the machine do is no matter
        anchors(text, NOBODY)
        times.append(time.process_time() - begun)
    return min(times)
