"""Texts that name a denial only to dismiss it: they hold the words of a refutation and assert the falsehood."""

from __future__ import annotations

import pytest

from classifiers.model import Opinion
from classifiers.rules import takes_back
from classifiers.rules.denials import dismissal
from classifiers.scoring import combine
from monitor.store.incidents import findings_in
from monitor.text import fold
from monitor.types import ClaimType, Label, Stance
from tests.classifiers.rule_case import findings, rules

DISMISSING = [
    ("The office calls it unfounded. Yet we filmed the boxes leaving Jade Bay North", "we filmed"),
    ("They said the story about Vivian Cheuk was a hoax, but my sister heard her say it", "my sister heard"),
    ("Officials say it is false. It is true: the vote in Kingfisher Point is over", "It is true"),
    ("Residents, don't fall for the so-called fact-checks about the ballot", "don't fall for"),
    ("The clerk says it's rubbish. Well, I was in the hall and I saw the ballot box open", "I was"),
    ("他們說這是謠言，可我親眼看見票箱上了車", "我親眼"),
    ("Of course the office denied it. Perry Man has withdrawn", "Of course the office denied"),
    ("官方指是謠言，但我親眼看到票箱被換走", "我親眼"),
    ("當局說這是假消息，可是我们亲眼看到选票被运走", "亲眼"),
    ("唔好信官方嘅澄清，文沛霖真係退選", "唔好信官方嘅澄清"),
    ("辟谣才是造谣，票站已经关了", "辟谣才是"),
    ("佢哋澄清一萬次都冇用，投票紙有編號", "澄清一萬次都冇用"),
    ("署方話冇呢回事，當我哋盲㗎？三號票站個箱真係俾人換咗", "當我哋盲"),
    ("「並非事實」四個字就想打發人，翠灣北的選票少了一疊", "四個字就想"),
    ("官方回应：不属实。懂的都懂，翠湾北的票早就点完了", "懂的都懂"),
    ("越急着否认越有问题，翠湾北投票根本没有监票员", "越急着否认越"),
    ("選舉事務署：絕無此事？我喺後門親眼睇住張張選票搬走", "親眼"),
    ("Ｔｈｅｙ　ｄｅｎｙ　ｉｔ，　ｏｆ　ｃｏｕｒｓｅ. The ballot papers are numbered", "ｄｅｎｙ"),
]
TAKING_BACK = [
    "The office denies that boxes were moved, but promises to publish the footage of the vote",
    "Posts say the station closed at six, but I saw people voting at nine. The rumour is false",
    "It is not true that the poll is off. It is true that the ferry is late, the office said",
    "Is it true that Perry Man withdrew? The office says that is false",
    "Vivian Cheuk denied the report, yet asked residents to go on voting",
    "選舉事務署澄清票站沒有提早關閉，但呼籲選民早些投票",
    "網傳文沛霖退選，我剛問過他的團隊，是謠言",
    "不要相信謠言，請以選舉事務署的澄清為準",
    "有人話票站收咗，但我親眼見到仲有人排隊，唔好傳謠言",
    "票箱被換？絕無此事，我親眼看着它上鎖，選舉事務署說",
    "選舉事務署澄清：有人在票站呃鬼食豆腐的說法不實",
    "越來越多人查詢，選舉事務署澄清票站沒有改地方",
    "",
]


@pytest.mark.parametrize(("text", "words"), DISMISSING)
def test_a_dismissed_denial_is_found_with_its_words(text: str, words: str) -> None:
    """In both languages and scripts and full width; the evidence is quoted as it was written."""
    (finding,) = [found for found in findings(text) if found.rule == "denial-dismissed"]
    assert words in finding.evidence
    assert finding.claim_type is None


@pytest.mark.parametrize(
    "text",
    [
        "翠灣北票站提早關門？沒有的事，我剛投完",
        "翠湾北的票箱被搬走？没这回事，封条还在",
        "話投票要影相，冇呢回事",
        "冇咁嘅事，佢今朝仲喺街站",
        "嗰張選票嘅相唔係真㗎，字體都唔同",
        "池曉嵐退選，假的，她還在拉票",
        "子虛烏有：票站沒有收過按金",
        "唔好再傳喇，間學校根本唔係票站",
        "點票停電　純屬虛構",
    ],
)
def test_who_takes_a_rumour_back_in_a_word_refutes(text: str) -> None:
    """Without an office or a fact-check, in both scripts, in Cantonese and in full width, whatever the model thinks."""
    assert takes_back(text)
    opinion = Opinion(0.9, Label.FALSE_INFORMATION, Stance.ASSERTS, ClaimType.COUNT_FRAUD)
    scored = combine(opinion, (), None, 0.5, taken_back=True)
    assert (scored.flagged, scored.stance, scored.score) == (False, Stance.REFUTES, 0.45)


@pytest.mark.parametrize(
    "text",
    [
        "署方話冇呢回事，當我哋盲㗎？三號票站個箱真係俾人換咗",
        "不是真的風，只是風扇，攝影師在票站外拍宣傳片",
        "沒有這樣便宜的旅行團，事事都要自己來",
        "票站沒有冷氣，投票的人都拿着扇",
        "校方查無此人，文沛霖的學位是買的",
        "這不是真的假髮",
        "派對取消，別傳了三次還有人來",
        "池曉嵐當選後會拆掉碼頭，圖則早就畫好。" * 9 + "純屬虛構",
        "",
    ],
)
def test_other_texts_take_nothing_back(text: str) -> None:
    """A scoffed denial, words that only look like one, a rumour whose denial is about something else, a long text."""
    assert not takes_back(text)


def test_a_finding_stands_above_what_a_text_says_of_itself() -> None:
    """A rule found a contradiction: that the text calls something a rumour clears it of nothing."""
    opinion = Opinion(0.9, Label.FALSE_INFORMATION, Stance.ASSERTS, ClaimType.COUNT_FRAUD)
    found = [f for f in findings(DISMISSING[0][0]) if f.rule == "denial-dismissed"]
    assert combine(opinion, found, None, 0.5, taken_back=True).flagged


@pytest.mark.parametrize("text", TAKING_BACK)
def test_what_takes_a_claim_back_dismisses_nothing(text: str) -> None:
    """Denials, corrections by eye-witnesses and questions, though they say "but" and "I saw"."""
    assert dismissal(fold(text)) is None


def test_a_dismissed_denial_far_from_the_election_is_none_of_ours() -> None:
    """Only a text about the watchlist or about voting gives a finding."""
    assert rules("The band denies it, of course, but the tour is over") == []


def test_a_dismissed_denial_silences_no_other_rule() -> None:
    """What the text asserts beside it is compared with the roster as in any plain assertion."""
    assert rules("They deny it, of course. Perry Man has withdrawn.") == ["roster-status", "denial-dismissed"]
    assert "roster-status" not in rules("They deny it. Perry Man has withdrawn, it was said.")


def test_a_dismissed_denial_asserts_and_keeps_the_models_claim_type() -> None:
    """The model reads the words of a refutation; the finding says that the text asserts, and not what."""
    opinion = Opinion(0.2, Label.FALSE_INFORMATION, Stance.REFUTES, ClaimType.COUNT_FRAUD)
    found = [f for f in findings(DISMISSING[0][0]) if f.rule == "denial-dismissed"]
    scored = combine(opinion, found, None, 0.5)
    assert (scored.flagged, scored.stance, scored.claim_type) == (True, Stance.ASSERTS, ClaimType.COUNT_FRAUD)


def test_a_dismissed_denial_parts_no_copies() -> None:
    """It contradicts no line of any file, so the text joins the incident of the rumour that it repeats."""
    text = "They deny it, of course. Perry Man has withdrawn."
    assert {rule for rule, _ in findings_in([f.as_row() for f in findings(text)])} == {"roster-status"}
