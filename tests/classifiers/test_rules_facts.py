"""The facts rule: hours, day, stations and electorate."""

from __future__ import annotations

from datetime import time

import pytest

from classifiers.rules import Reference, check
from classifiers.rules.hours import clock
from classifiers.rules.numbers import number
from tests.classifiers.rule_case import findings, rules


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("8pm", [time(20)]),
        ("8:30 p.m.", [time(20, 30)]),
        ("8.30 am", [time(8, 30)]),
        ("20:30", [time(20, 30)]),
        ("08:30", [time(8, 30)]),
        ("8:30", [time(8, 30), time(20, 30)]),
        ("12 p.m.", [time(12)]),
        ("12 am", [time(0)]),
        ("noon", [time(12)]),
        ("midnight", [time(0)]),
        ("晚上八时半", [time(20, 30)]),
        ("下午6时", [time(18)]),
        ("二十二时三十分", [time(22, 30)]),
        ("中午12时", [time(12)]),
        ("晚上12点", [time(0)]),
        ("凌晨一点", [time(1)]),
        ("八时正", [time(8), time(20)]),
        ("25:00", []),
        ("八时九十分", []),
        ("teatime", []),
    ],
)
def test_clock(words: str, meaning: list[time]) -> None:
    """Times as English and Chinese write them; without morning or evening they may mean either."""
    assert list(clock(words)) == meaning


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("912,346", 912_346),
        ("1.2 million", 1_200_000),
        ("120万", 1_200_000),
        ("九十一万二千三百四十六", 912_346),
        ("二〇二七", 2027),
        ("十二", 12),
        ("两百", 200),
        ("一亿二千万", 120_000_000),
        ("five", 5),
        ("three hundred", 300),
        ("many", None),
        ("", None),
    ],
)
def test_number(words: str, value: int | None) -> None:
    """Numbers as English and Chinese write them."""
    assert number(words) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Polling stations in Jade Bay North will close at 8 pm this year", "facts-closes"),
        ("Polls close at 9:30 p.m., not a minute later. Tell Vivian Cheuk's team.", "facts-closes"),
        ("Jade Bay North: stations close at 6 this year instead of 10:30", "facts-closes"),
        ("Kingfisher Point polling hours: 8:30 am to 6pm", "facts-closes"),
        ("Polls open at 10 a.m. in Moonrise Island", "facts-opens"),
        ("翠灣北票站今年提早於晚上八時半關閉", "facts-closes"),
        ("翠湾北投票站下午6时截止，请早投票", "facts-closes"),
        ("月升島投票時間改為上午八時半至晚上１０時正", "facts-closes"),
        ("翠灣北票站中午12時才開放", "facts-opens"),
        ("翠灣北票站十點先開門", "facts-opens"),
        ("翠灣北今年下午五時截止投票", "facts-closes"),
        ("Polling in Jade Bay North finishes at 7pm this time", "facts-closes"),
        ("Polling day has been moved to 21 March, says a friend of Perry Man", "facts-day"),
        ("翠灣北投票日改為三月二十一日", "facts-day"),
        ("文沛霖話：全市只開放１２個票站", "facts-stations"),
        ("1.2 million ballots were counted, Marcus Chik says", "facts-electorate"),
        ("翠灣北點票站點出120萬張選票", "facts-electorate"),
    ],
)
def test_contradicts(text: str, rule: str) -> None:
    """A figure that contradicts the facts file gives one finding that names the file's line and quotes the text."""
    (finding,) = findings(text)
    assert finding.rule == rule
    assert finding.rests_on.startswith("facts.toml: polling.")
    assert finding.evidence in text


@pytest.mark.parametrize(
    "text",
    [
        "Polling stations open from 8.30 am to 10.30 pm for every elector",
        "Polls close at 10:30 on Sunday, says Vivian Cheuk",
        "Polls close at 22:30.",
        "投票時間由上午８時３０分至晚上１０時３０分",
        "投票时间为早上八点半至晚上十点半，翠湾北不变",
        "ESO: it is false that Jade Bay North polls close at 8 pm",
        "選舉事務署澄清，翠灣北票站並非晚上八時關閉",
        "Do polls in Jade Bay North close at 8 pm?",
        "Mock polling stations in Jade Bay North open from 10 am to 6 pm this weekend.",
        "翠灣北模擬票站於上午十時至下午六時開放",
        "A queue formed outside the Jade Bay North polling station at 7 am.",
        "Doors open at 7 pm for the candidates' forum with Vivian Cheuk.",
        "Polls close at 8 pm local time in the presidential election.",
        "Dedicated polling stations in prisons open from 9 am to 4 pm.",
        "Trains to Jade Bay North stop at 1 am on polling day.",
        "投票日是3月14日，翠灣北見",
        "Polling day was 8 March 2023 last time in Jade Bay North.",
        "Polling day is Sunday 14 March 2027",
        "翠灣北共設12個票站",
        "Turnout in Jade Bay North: 48,210 ballots by noon.",
        "卓望晴說全市有912,346名選民",
        "The film sold 1.2 million tickets; votes for best song close at 6 pm.",
        "159 million votes were cast across the country last November",
    ],
)
def test_agrees_or_speaks_of_something_else(text: str) -> None:
    """Right figures, refutations, questions, other elections, other doors and parts of the city give nothing."""
    assert rules(text) == []


def test_weighs_less_when_it_may_be_another_election() -> None:
    """Hours without any name of this election may belong to another one."""
    (named,) = findings("Polls close at 8 pm in Jade Bay North")
    (bare,) = findings("Polls close at 8 pm")
    assert bare.weight < named.weight


def test_without_facts() -> None:
    """A line that is left out of the facts file contradicts nothing."""
    assert check("Polls close at 8 pm", None, (), Reference.empty()) == ()
