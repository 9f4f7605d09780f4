"""Allegations: grave things said of one watched candidate, in plain assertion."""

from __future__ import annotations

import pytest

from classifiers.rules import Reference, check
from monitor.types import ClaimType
from tests.classifiers.rule_case import findings, rules


@pytest.mark.parametrize(
    ("text", "claim_type", "said"),
    [
        ("Sherry Long arrested for money laundering, sources say", ClaimType.CANDIDATE_FACT, "arrested"),
        ("卓望晴被揭收受境外資金三百萬", ClaimType.CANDIDATE_FACT, "收受"),
        ("郎雪盈今早喺機場俾人拘捕", ClaimType.CANDIDATE_FACT, "拘捕"),
        ("池晓岚被曝在外面有私生子", ClaimType.CANDIDATE_FACT, "私生子"),
        ("Marcus Chik secretly holds a second passport", ClaimType.CANDIDATE_FACT, "secretly holds"),
        ("爆料：文沛霖嘅學歷造假", ClaimType.CANDIDATE_FACT, "學歷造假"),
        ("Ｌｅａｋｅｄ　ａｕｄｉｏ of Vivian Cheuk laughing at pensioners", ClaimType.CANDIDATE_QUOTE, "Ｌｅａｋｅｄ"),
        ("戚啟航酒後失言影片流出", ClaimType.CANDIDATE_QUOTE, "影片流出"),
        ("Perry Man promotes new crypto platform", ClaimType.SCAM_LURE, "promotes new crypto"),
        ("文沛霖推介全新投資平台，保證月回報三成", ClaimType.SCAM_LURE, "推介全新投資平台"),
    ],
)
def test_grave_things_are_found_with_their_words(text: str, claim_type: ClaimType, said: str) -> None:
    """In both languages and scripts; the finding quotes the words and names the roster's line."""
    (finding,) = [f for f in findings(text) if f.rule == "allegation"]
    assert finding.claim_type is claim_type
    assert said in finding.evidence
    assert finding.rests_on.startswith("watchlist.toml: candidate ")
    assert "nothing here knows whether it is so" in finding.text


@pytest.mark.parametrize(
    "text",
    [
        "Sherry Long visits the fish market",
        "郎雪盈落區派傳單，與街坊合照",
        "Vivian Cheuk denies she was arrested",
        "卓望晴澄清從未收受境外資金",
        "Was Marcus Chik arrested last night?",
        "Perry Man pledges to fight bribery",
        "文沛霖促請加強打擊洗黑錢",
        "郎雪盈呼籲市民提防投資平台騙案",
        "Police arrested three men in Osprey Valley",
        "警方拘捕三人涉嫌洗黑錢",
        "Sherry Long was cleared of bribery",
        "Vivian Cheuk accused Marcus Chik over a bribery case",
        "Sherry Long opened the harbour walk, and much later that very same afternoon police said a "
        "fisherman was arrested",
        "",
    ],
)
def test_ordinary_news_pledges_denials_and_others_give_nothing(text: str) -> None:
    """No name, no gravity, negated, asked, far away, or of two people nobody knows which."""
    assert "allegation" not in rules(text)


def test_one_finding_a_text_the_gravest() -> None:
    """Many words do not add up."""
    text = "卓望晴被捕。卓望晴推介投資平台。卓望晴受賄。"
    found = [finding for finding in findings(text) if finding.rule == "allegation"]
    assert [finding.claim_type for finding in found] == [ClaimType.SCAM_LURE]


def test_all_candidates_are_treated_alike() -> None:
    """The same words about each give the same weight."""
    names = ["卓望晴", "戚啟航", "文沛霖", "郎雪盈", "池曉嵐"]
    weights = {f.weight for name in names for f in findings(f"{name}今早被捕") if f.rule == "allegation"}
    assert len(weights) == 1


def test_without_a_roster_nobody_is_accused() -> None:
    """The text alone names no candidate."""
    assert check("Sherry Long arrested", None, (), Reference.empty()) == ()
