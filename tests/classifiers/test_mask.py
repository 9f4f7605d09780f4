"""The mask: no name carries weight."""

from __future__ import annotations

import pytest

from classifiers.mask import HIDDEN, Mask
from classifiers.model import Model
from monitor.reference import seed_candidates
from monitor.types import Candidate

MASK = Mask(seed_candidates())


def hidden(text: str) -> str:
    """The text with each hidden character as a dot."""
    return MASK(text).replace(HIDDEN, "·")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("卓望晴已退選", "···已退選"),
        ("卓望晴（燈塔聯盟）在翠灣北拉票", "···（····）在···拉票"),
        ("翠湾北候选人郎雪盈", "···候选人···"),
        ("Vivian Cheuk of the Lighthouse Alliance", "············ of the ···················"),
        ("CHEUK Mong-ching and Ms Cheuk", "················ and ········"),
        ("Ｃａｓｐｅｒ Au Yeung 參選", "··············· 參選"),
        ("how long can a man wait", "how long can a man wait"),
        ("Sherry was there, Perry Man too", "······ was there, ········· too"),
        ("", ""),
    ],
)
def test_names_parties_and_places_are_hidden_in_every_form(text: str, masked: str) -> None:
    """Whole names in any script, width and order; parts of a Latin name where a capital tells them from words."""
    assert hidden(text) == masked
    assert len(MASK(text)) == len(text)


@pytest.mark.parametrize(
    "sentence",
    [
        "{0} secretly took HK$3 million from a foreign foundation, insiders say",
        "緊急！{0}今早已被拘捕，票站職員話佢已經退選，速轉發",
        "「{0}」推介全新投資平台，掃描二維碼入金，保證月回報三成",
        "{0} visits the fish market and listens to hawkers",
    ],
)
def test_the_model_cannot_tell_candidates_apart(model: Model, sentence: str) -> None:
    """The same sentence about any candidate, in any form of the name, has one score."""
    names = [
        "卓望晴",
        "戚啟航",
        "戚启航",
        "Vivian Cheuk",
        "Cheuk Mong-ching",
        "Perry Man",
        "Sherry Long",
        "Casper Au Yeung",
    ]
    scores = {opinion.probability for opinion in model.judge([MASK(sentence.format(name)) for name in names])}
    assert max(scores) - min(scores) < 1e-9


def test_the_words_around_a_name_keep_their_places() -> None:
    """A person of another roster is no name here."""
    mask = Mask([Candidate("x", ("池曉嵐", "Chi Hiu-laam"), ("Hiu-laam Chi",))])
    assert mask("卓望晴 met 池曉嵐").replace(HIDDEN, "·") == "卓望晴 met ···"


def test_without_a_roster_nothing_is_hidden() -> None:
    """The text alone."""
    assert Mask([])("Vivian Cheuk 卓望晴") == "Vivian Cheuk 卓望晴"
