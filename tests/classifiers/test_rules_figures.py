"""The facts rule on figures, the day and documents; numbers and shares as texts write them."""

from __future__ import annotations

import pytest

from classifiers.rules.numbers import number, share
from monitor.text import fold
from monitor.types import ClaimType
from tests.classifiers.rule_case import findings, rules


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("1億2000萬", 120_000_000),
        ("12萬3千", 123_000),
        ("３萬", 30_000),
        ("九萬五千", 95_000),
        ("sixty-two", 62),
        ("ninety thousand", 90_000),
        ("two hundred thousand", 200_000),
        ("sixty-ninety", None),
        ("seventeen", 17),
    ],
)
def test_counts(words: str, value: int | None) -> None:
    """Mixed digits and numerals, compound English words."""
    assert number(fold(words)) == value


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("62.3%", 62.3),
        ("６２％", 62),
        ("sixty per cent", 60),
        ("104 percent", 104),
        ("百分之六十二點三", 62.3),
        ("百分之一百零四", 104),
        ("百分之62", 62),
        ("一百三十巴仙", 130),
        ("62巴仙", 62),
        ("六成半", 65),
        ("6成", 60),
        ("十成", 100),
        ("大半", None),
    ],
)
def test_shares(words: str, value: float | None) -> None:
    """Per cent in both languages and in tenths."""
    assert share(fold(words)) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        # more than there are
        ("Lantern Hill counted 75,000 votes by midnight", "facts-electorate"),
        ("燈籠山有七萬五千名選民", "facts-electorate"),
        ("燈籠山點出８萬張選票，多過人口", "facts-electorate"),
        ("1.5 million people voted, says Perry Man", "facts-electorate"),
        ("卓望晴：全市有一百二十萬選民", "facts-electorate"),
        # by the text's own figures
        ("Jade Bay North has 40,000 registered voters. 52,000 people voted.", "facts-turnout"),
        ("Jade Bay North: 30,000 people voted, yet 41,000 ballots were counted", "facts-turnout"),
        ("翠灣北登記選民有4萬，點票站點出5萬張選票", "facts-turnout"),
        ("翠灣北只有三萬人投票。點票站卻數出四萬張票！", "facts-turnout"),
        # shares
        ("Turnout in Jade Bay North hit 104%, explain that", "facts-turnout"),
        ("翠灣北投票率高達百分之一百零四", "facts-turnout"),
        ("翠湾北投票率竟达１１２％", "facts-turnout"),
        ("Lantern Hill: 30,000 people voted, a turnout of 80%", "facts-turnout"),
        ("燈籠山投票率為八成，共有3萬人投票", "facts-turnout"),
        ("Turnout in Lantern Hill was 80%. By then 30,000 people voted in Lantern Hill.", "facts-turnout"),
        # against what was published after the close
        ("Lantern Hill found 45,000 ballots in the boxes", "facts-turnout"),
        ("燈籠山有四萬五千人投票", "facts-turnout"),
        # stations
        ("Only nine polling stations will open in Lantern Hill", "facts-stations"),
        ("燈籠山只開放三個票站", "facts-stations"),
        ("Perry Man: only 20 stations will open across the city", "facts-stations"),
    ],
)
def test_does_not_add_up(text: str, rule: str) -> None:
    """Figures above the official ones, or that contradict each other, with the line they rest on."""
    found = [finding for finding in findings(text) if finding.rule == rule]
    assert len(found) == 1
    assert found[0].evidence in text
    assert found[0].rests_on
    assert found[0].claim_type in (ClaimType.COUNT_FRAUD, ClaimType.VOTING_PROCEDURE)


@pytest.mark.parametrize(
    "text",
    [
        "Lantern Hill: 31,200 people voted, a turnout of 52%",
        "燈籠山有31,200人投票，投票率52%",
        "Lantern Hill has 60,000 registered voters; 31,000 people voted.",
        "Lantern Hill has 12 stations and 60,000 electors",
        "燈籠山共設12個票站",
        "Turnout in Jade Bay North rose by 120% against noon of the last count",
        "Turnout in Jade Bay North was up 104% in an hour",
        "Jade Bay North: 30,000 people voted and 29,950 ballots were counted.",
        "Vivian Cheuk won 12,000 votes, Marcus Chik 9,000 votes.",
        "翠灣北投票率約六成",
        "翠灣北投票率上升兩成",
        "選舉事務署澄清，燈籠山並沒有點出八萬張選票，說法不實",
        "Did Lantern Hill count 75,000 votes?",
        "Lantern Hill and Jade Bay North together counted 75,000 votes",
        "Lantern Hill and Moonrise Island together counted 75,000 votes",
        "Turnout reaches 51.8% by half past eight. The office said that 9,000 people voted in Lantern Hill by eight.",
        "投票率五成二。燈籠山有九千人投票。",
        "Turnout hit 104% in a village across the sea, say observers of the presidential vote",
        "Only 9 polling stations will open in Jade Bay North",  # nobody published how many open there
        "The bakery sold 75,000 buns in Lantern Hill.",
    ],
)
def test_adds_up(text: str) -> None:
    """Right figures, changes, sums over places, results, denials and places without figures give nothing."""
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Polling day has been moved to Monday, tell Jade Bay North",
        "Jade Bay North: polling day is now Saturday",
        "The election is on 21 March, says Perry Man",
        "Polling day: 21/3, pass it on. Vivian Cheuk",
        "Jade Bay North's election has been called off",
        "Voting in Jade Bay North now takes place on Saturday 13 March",
        "The poll was cancelled this morning, Marcus Chik says",
        "翠灣北投票日改為星期一",
        "翠灣北投票日改到下禮拜三",
        "翠灣北３月２１日才投票",
        "翠灣北投票改期至三月二十一日",
        "翠灣北選舉取消，唔使去票站",
        "翠湾北补选押后，票站不开",
        "文沛霖話投票日延至2027年3月28日",
        "文沛霖話投票日延至二〇二七年三月二十八日",
        "翠灣北 polling day 改咗，Polling day is 15 March",
    ],
)
def test_another_day(text: str) -> None:
    """Another date or weekday, in digits or numerals, or no poll at all."""
    (finding,) = findings(text)
    assert finding.rule == "facts-day"
    assert finding.rests_on == "facts.toml: polling.day = 2027-03-14"


@pytest.mark.parametrize(
    "text",
    [
        "Polling day is Sunday, remind Jade Bay North",
        "Polling day: 14/3, Jade Bay North",
        "Polling day: 3/14, Jade Bay North",
        "翠灣北投票日是星期日",
        "翠灣北三月十四日投票",
        "翠灣北二〇二七年三月十四日投票",
        "The Moonrise Island ferry poll has been postponed? Nobody knows.",
        "If the typhoon comes the election will be postponed in Jade Bay North.",
        "Marcus Chik says there are no plans, and the poll is not cancelled.",
        "文沛霖要求選舉押後",
        "颱風若襲，翠灣北選舉可能押後",
        "選舉事務署：翠灣北選舉沒有取消",
        "The school council election has been cancelled.",
        "The election of 2023 was on 5 March 2023 in Jade Bay North.",
        "Polling day in Jade Bay North is not on 21 March.",
    ],
)
def test_the_right_day_or_none(text: str) -> None:
    """The official day in every spelling, conditions, demands, denials and other elections give nothing."""
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "No ID is needed to vote in Jade Bay North",
        "You can vote without an identity card in Jade Bay North",
        "Voters in Jade Bay North need not bring any identification",
        "A student card is enough to vote, says Vivian Cheuk",
        "A photo of the identity card will do at Jade Bay North polling stations",
        "You must bring your poll card or you cannot vote. Jade Bay North",
        "Jade Bay North voters have to show a vaccination record",
        "Identity cards: the identity card is no longer accepted at Jade Bay North polling stations",
        "Jade Bay North voters don't need ID",
        "翠灣北投票無須攜帶身份證",
        "翠灣北投票唔使帶身份證",
        "翠灣北票站：學生證也可以",
        "憑身份證副本便可投票，翠灣北街坊請留意",
        "翠湾北选民必须带备投票通知卡",
        "翠灣北投票需要出示疫苗紀錄",
        "冇投票通知卡就唔可以投票，翠灣北街坊注意",
        "翠灣北票站不再接受身份證，只收護照",
    ],
)
def test_wrong_documents(text: str) -> None:
    """No document, an unfit one, one that nobody asks for, or a fit one refused."""
    (finding,) = findings(text)
    assert finding.rule == "facts-identity"
    assert finding.rests_on.startswith("facts.toml: identity.")
    assert finding.evidence in text


@pytest.mark.parametrize(
    "text",
    [
        "Bring your identity card to vote in Jade Bay North",
        "A student card is not accepted at polling stations in Jade Bay North.",
        "You need not bring your poll card to vote in Jade Bay North",
        "No vaccination record is needed to vote in Jade Bay North",
        "A student card is enough for the library in Jade Bay North.",
        "Can I vote with a student card in Jade Bay North?",
        "ESO clarifies: an identity card is needed to vote in Jade Bay North",
        "It is false that no ID is needed to vote in Jade Bay North",
        "If you lost your identity card, call us before you vote, Jade Bay North",
        "翠灣北選民投票請帶身份證",
        "翠灣北投票不接受學生證",
        "翠灣北投票不接受身份證副本",
        "學生證不可以代替身份證投票，翠灣北",
        "翠灣北選民毋須帶投票通知卡",
        "翠灣北投票無須出示疫苗紀錄",
        "選舉事務署澄清，學生證不能用作投票，翠灣北亦然",
    ],
)
def test_right_documents(text: str) -> None:
    """What the list says, negations, questions, corrections and libraries give nothing."""
    assert rules(text) == []
