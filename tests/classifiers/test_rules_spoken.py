"""The rules on what people write as they speak: Cantonese, mixed sentences, clock times, days told from today."""

from __future__ import annotations

from datetime import date

import pytest

from classifiers.model import Opinion
from classifiers.rules import facts
from classifiers.rules.numbers import number, share
from classifiers.rules.reading import Reading
from classifiers.scoring import combine
from monitor.text import fold
from monitor.types import ClaimType, Label, Stance
from tests.classifiers.rule_case import REFERENCE, WATCHLIST, findings, rules


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("廿一", 21),
        ("卅", 30),
        ("玖萬", 90_000),
        ("壹佰貳拾叁", 123),
        ("陸千", 6000),
        ("參選", None),
        ("廿二萬", 220_000),
    ],
)
def test_numerals_of_ballot_papers_and_calendars(words: str, value: int | None) -> None:
    """壹貳叁, 廿 and 卅 are numbers; 參 alone is not, for it begins 參選."""
    assert number(fold(words)) == value


def test_eleven_tenths_are_more_than_all() -> None:
    """十一成 is 110 per cent."""
    assert share("十一成") == 110


@pytest.mark.parametrize(
    ("text", "rule", "said"),
    [
        ("翠灣北今屆投票時間朝八晚十", "facts-closes", "22:00"),
        ("翠灣北票站朝九晚八半", "facts-closes", "20:30"),
        ("翠灣北票站今屆下晝五點收工", "facts-closes", "17:00"),
        ("翠灣北票站今晚九點三刻落閘", "facts-closes", "21:45"),
        ("翠灣北票站廿一點關閉", "facts-closes", "21:00"),
        ("翠灣北票站晚上捌時關閉", "facts-closes", "20:00"),
        ("翠灣北polling hour 改咗 close at 7pm", "facts-closes", "19:00"),
        ("Jade Bay North polls shut at half past eight", "facts-closes", "20:30"),
        ("Jade Bay North polls close at half eight tonight", "facts-closes", "20:30"),
        ("Jade Bay North polls close at quarter to ten", "facts-closes", "21:45"),
        ("Jade Bay North: polls close at eight o'clock sharp", "facts-closes", "20:00"),
        ("Jade Bay North stations close at 20.30", "facts-closes", "20:30"),
        ("Jade Bay North polling hours are ０８００-2200", "facts-opens", "08:00"),
        ("Voting in Kingfisher Point ends an hour early, at 9.30pm", "facts-closes", "21:30"),
        ("翠灣北投票日改咗去三月廿一號", "facts-day", "21"),
        ("Jade Bay North: polling day has been pushed back to 21 March", "facts-day", "21"),
        ("翠灣北投票日是2027/3/21", "facts-day", "21"),
        ("卓望晴退咗選", "roster-status", "no longer standing"),
        ("卓望晴俾人DQ咗", "roster-status", "no longer standing"),
        ("卓望晴已經withdraw咗", "roster-status", "no longer standing"),
        ("Marcus Chik threw in the towel an hour ago", "roster-status", "no longer standing"),
        ("Marcus Chik quits, his agent says", "roster-status", "no longer standing"),
        ("Vivian Cheuk has been kicked off the ballot", "roster-status", "no longer standing"),
        ("想投卓望晴記住係揀5號", "roster-number", "number 5"),
        ("To vote for Vivian Cheuk, tick box 3", "roster-number", "number 3"),
        ("Vote 2 for Vivian Cheuk", "roster-number", "number 2"),
        ("Vivian Cheuk (2)", "roster-number", "number 2"),
        ("Sherry Long never finished school", "allegation", "an offence"),
        ("戚啟航醉駕撞死人", "allegation", "an offence"),
        ("短片見到戚啟航教街坊用AI炒幣，話穩賺", "allegation", "investment"),
        ("Perry Man in this clip tells pensioners to buy HarbourCoin", "allegation", "investment"),
        ("The Electoral Services Office told staff to back Sherry Long", "allegation", "takes the side"),
        ("選舉事務署叫職員票投2號戚啟航", "allegation", "takes the side"),
    ],
)
def test_what_is_said_in_passing_is_read(text: str, rule: str, said: str) -> None:
    """Each contradicts a line or says something grave, in words that no official would use."""
    assert said in {found.rule: found.text for found in findings(text)}.get(rule, "")


@pytest.mark.parametrize(
    "text",
    [
        "翠灣北投票時間朝八半晚十半",
        "翠灣北票站廿二點半關閉",
        "Jade Bay North polls close at half past ten",
        "Jade Bay North polling from 0830 to 2230",
        "Jade Bay North polls closed in 2023 with a turnout of 40%",
        "Polls in Jade Bay North opened at 8.30am; by 11am the queue had reached the ferry",
        "翠灣北票站在晚上10時30分結束後，職員會在11時開始點票",
        "Vivian Cheuk quit smoking an hour ago",
        "卓望晴退選傳聞",
        "卓望晴退出辯論",
        "1號卓望晴2號戚啟航",
        "Vivian Cheuk (1) and Marcus Chik (2)",
        "卓望晴於3號碼頭拉票",
        "卓望晴揀3號風球之後先取消街站",
        "Vivian Cheuk (38) thanked her team",
        "Electoral Services Office supports Perry Man's call for brighter lamps",
        "選舉事務署不支持任何候選人，卓望晴說",
        "Perry Man backs the Electoral Services Office on queues",
        "有人話戚啟航欠債嗰個post係假㗎",
        "Vivian Cheuk tells residents that returns of library books are late",
    ],
)
def test_ordinary_words_of_the_same_kind_give_nothing(text: str) -> None:
    """The official hours in any form, years, ranks and ages, talk of a talk, and what takes a claim back."""
    assert rules(text) == []


@pytest.mark.parametrize(
    ("text", "said_on", "wrong"),
    [
        ("Jade Bay North: polling day is this Sunday", date(2027, 3, 3), True),
        ("Jade Bay North: polling day is this Sunday", date(2027, 3, 10), False),
        ("翠灣北聽日就係投票日", date(2027, 3, 10), True),
        ("翠灣北聽日就係投票日", date(2027, 3, 13), False),
        ("翠灣北投票日係下星期日", date(2027, 3, 20), False),  # said after the poll: of another one
        ("翠灣北投票日係下星期日", date(2027, 2, 22), True),
        ("翠灣北投票日係下星期日", date(2027, 3, 7), False),  # a week that begins on Sunday
        ("翠灣北投票日係下星期日", date(2027, 3, 5), False),  # and one that begins on Monday
        ("翠灣北：聽日係咪投票日？聽日係投票日？", date(2027, 3, 10), False),
        ("翠灣北聽日就係投票日", None, False),
        ("翠灣北投票日是民國116年3月14日", date(2027, 3, 10), False),
        ("翠灣北投票日是民國一一六年三月廿一日", date(2027, 3, 10), True),
        ("民國115年3月21日投票的翠灣北鄉選", date(2027, 3, 10), False),
        ("翠灣北農曆3月21日投票", date(2027, 3, 10), False),
    ],
)
def test_days_told_from_the_day_of_the_text(text: str, said_on: date | None, wrong: bool) -> None:
    """``this Sunday``, 聽日, 下星期日 by either beginning of the week; other calendars are read or left alone."""
    polling = REFERENCE.facts.polling.model_copy(update={"day": date(2027, 3, 14)})
    official = REFERENCE.facts.model_copy(update={"polling": polling})
    found = facts.check(Reading(text, WATCHLIST.match(text)), REFERENCE.roster, official, "facts.toml", said_on)
    assert [finding.rule for finding in found] == ["facts-day"] * wrong


@pytest.mark.parametrize(
    "text",
    [
        "A clip going around appears to show Vivian Cheuk shouting at a bus driver",
        "有網民聲稱池曉嵐團隊派禮券，機構不評論個別個案",
        "群组流传一段池晓岚的录音，本报正查证",
    ],
)
def test_news_that_something_goes_round_about_a_candidate_reports(text: str) -> None:
    """It is worth a look whatever it turns out to be; the text itself need not assert it."""
    found = findings(text)
    assert [finding.rule for finding in found] == ["goes-round"]
    for stance in (Stance.REFUTES, Stance.UNRELATED):  # no word of the text takes anything back
        opinion = Opinion(0.1, Label.FALSE_INFORMATION, stance, ClaimType.CANDIDATE_FACT)
        scored = combine(opinion, found, None, 0.5)
        assert (scored.stance, scored.flagged) == (Stance.REPORTS, True)
    assert (found[0].claim_type is None) is ("聲稱" in text)  # a clip is a quotation; a story may be anything
    both = (*found, *findings("卓望晴是3號"))
    assert combine(opinion, both, None, 0.5).stance is Stance.ASSERTS


@pytest.mark.parametrize(
    "text",
    [
        "Vivian Cheuk's video on rents was watched 40,000 times",
        "A video going round shows a cat on a tram",
        "專家教市民分辨網上流傳的AI假片",
        "網上流傳文沛霖退選的訊息，與事實不符",
        "文沛霖在網上直播回應市民",
    ],
)
def test_news_of_clips_in_general_and_what_is_taken_back_does_not(text: str) -> None:
    """Deepfakes as such, a candidate's own clip, a refutation."""
    assert "goes-round" not in rules(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("幫我入三千蚊去呢個戶口先，聽日還返你", "lure"),
        ("投完票影張相返嚟即送$200超市券，WhatsApp +852 6123 4567", "lure"),
        ("你嘅選民資格就嚟過期，要俾驗證碼我先可以更新", "lure"),
        ("call 9555.0147 now", "lure-phone"),
        ("致電９５５５　０１４７", "lure-phone"),
        ("Dear voter, the Electoral Services Office asks you to register at http://198.51.100.7/f", "name-elsewhere"),
    ],
)
def test_lures_in_cantonese_dotted_numbers_and_bare_addresses(text: str, rule: str) -> None:
    """A colleague's transfer, a gift for a picture, a code; a reported number in any shape; a host that is a number."""
    assert rule in rules(text)


def test_a_bare_address_is_quoted_whole() -> None:
    """Not its first three numbers."""
    text = "You can register with the Electoral Services Office at http://198.51.100.7/f"
    assert "198.51.100.7, which" in findings(text)[0].text
    assert rules("It was version 1.2.3.4 of the 2027.03.14 list") == []
