"""What every polling day brings: short news of a candidate who votes, a turnout, the official hours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from classifiers.assess import Bench, Judged
from classifiers.model import Model, Opinion
from classifiers.rules import is_of_this_election, is_ordinary
from classifiers.scoring import ORDINARY_MARGIN, combine
from monitor.config import Settings
from monitor.types import ClaimType, Label, Lang, Stance
from tests.classifiers.rule_case import REFERENCE, WATCHLIST, findings


@pytest.mark.parametrize(
    "text",
    [
        "Vivian Cheuk votes in Jade Bay North with her parents",
        "Perry Man, wearing a borrowed raincoat, cast his ballot at ten past nine",
        "Marcus Chik arrived at the school on foot with his daughter, to vote before church",
        "Hiu-laam Chi queued for a quarter of an hour",
        "Vivian Cheuk voted at noon and bought a melon on the way home",
        "卓望晴攜同父母投票，下午落區",
        "戚启航上午在翠湾北投下选票",
        "Vivian Cheuk 今朝 vote 咗",
        "Turnout stood at 41.5 per cent at seven in the evening",
        "截至下午三時，翠灣北投票率三成一",
        "Ｔｕｒｎｏｕｔ at noon: ２２%",
        "Polling stations open from 8.30 am to 10.30 pm. Bring your identity card",
        "投票時間為上午八時三十分至晚上十時三十分",
    ],
)
def test_what_every_polling_day_brings(text: str) -> None:
    """In both languages, both scripts, mixed and full width; the rules have nothing against it."""
    assert is_ordinary(text, WATCHLIST.match(text), REFERENCE)
    assert findings(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Vivian Cheuk votes twice in Jade Bay North",
        "Perry Man voted without showing any paper",
        "Vote for Marcus Chik",
        "Vivian Cheuk says her rival will lose",
        "戚啟航投票兩次，有片",
        "卓望晴投票後被捕",
        "Turnout stood at 41.5 per cent, and the dead helped",
        "投票率三成一？有人塞票先真",
        "Polling stations open from 8.30 am to 10.30 pm, except in Lantern Hill where they close at 6 pm",
        "The shop opens from 8.30 am to 10.30 pm",
        "投票時間上午八時三十分至晚上十時三十分，有學生證就唔使帶身份證",
        "Perry Man votes. " + "The harbour was grey and the gulls were loud. " * 12,
        "In a recording Perry Man sneers at those who vote",
        "Perry Man calls voters sheep",
        "Perry Man laughs at voters in Osprey Valley",
        "選舉事務署話，投票都係嘥時間",
        "卓望晴講過，邊個投票都一樣",
        "They deny it, of course. Perry Man votes in Osprey Valley",
        "",
    ],
)
def test_what_says_more_is_not_ordinary(text: str) -> None:
    """A word of wrongdoing, another hour, a vote for somebody, a dismissed denial, a long text."""
    assert not is_ordinary(text, WATCHLIST.match(text), REFERENCE)


def test_an_ordinary_text_is_flagged_only_far_above_the_threshold() -> None:
    """Its score stays; where a rule found something, it is ordinary no more."""
    high, higher = (
        Opinion(p, Label.FALSE_INFORMATION, Stance.ASSERTS, ClaimType.COUNT_FRAUD)
        for p in (0.5 + ORDINARY_MARGIN - 0.01, 0.5 + ORDINARY_MARGIN)
    )
    found = findings("卓望晴是3號")
    assert [combine(opinion, (), None, 0.5, ordinary=True).flagged for opinion in (high, higher)] == [False, True]
    assert combine(high, (), None, 0.5, ordinary=True).score == combine(high, (), None, 0.5).score
    assert combine(high, found, None, 0.5, ordinary=True).flagged


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("The Jade Bay North polling station is dark", True),
        ("翠灣北票站停電", True),
        ("Vivian Cheuk opened a fair", True),
        ("The Jade Bay North swimming pool is closed", False),
        ("A polling station in Kestermouth is dark", False),
    ],
)
def test_voting_in_a_constituency_of_the_watchlist_is_about_this_election(text: str, ours: bool) -> None:
    """A station is rumoured to be shut without anybody being named; a pool in the same place is not our business."""
    assert is_of_this_election(text, WATCHLIST.match(text), REFERENCE) is ours


def test_the_reason_says_that_it_is_ordinary(model: Model, settings: Settings) -> None:
    """A reader of the listing sees why a high score opened no alert; a text with a finding has no such reason."""
    bench = replace(Bench.of("seed", model, settings), threshold=0.05)
    texts = ["Vivian Cheuk votes in Jade Bay North with her parents", "Vivian Cheuk (2) votes in Jade Bay North"]
    codes = [
        {reason.code for reason in assessment.reasons}
        for assessment in bench.assess([Judged(text, Lang.EN) for text in texts])
    ]
    assert ["ordinary" in found for found in codes] == [True, False]
    assert "finding" in codes[1]
