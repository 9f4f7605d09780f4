"""The roster rule: status, number and constituency of watched candidates."""

from __future__ import annotations

import pytest

from classifiers.rules import Reference, check
from monitor.types import ClaimType
from tests.classifiers.rule_case import WATCHLIST, findings, rules


@pytest.mark.parametrize(
    "text",
    [
        "Perry Man Pui-lam has withdrawn from Kingfisher Point, posters already coming down",
        "Candidate No. 3 Perry Man quit the Kingfisher Point race on Tuesday night.",
        "Perry Man, candidate No. 3 for Kingfisher Point, has dropped out of the election.",
        "Vivian Cheuk disqualified over a missing signature",
        "Marcus Chik is no longer standing, a volunteer writes.",
        "It is official: Chi Hiu-laam was disqualified from running.",
        "PERRY MAN WITHDREW LAST NIGHT",
        "Perry Man's nomination has been revoked.",
        "文沛霖昨晚宣布退選，翠鳥角變兩人對決",
        "文沛霖昨晚宣布退选，翠鸟角变两人对决",
        "消息：戚啟航被ＤＱ！",
        "選舉主任取消戚啟航的參選資格",
        "文沛霖被褫奪參選資格",
        "卓望晴宣佈放棄參選",
        "卓望晴不敵壓力退選",
        "池曉嵐退出月升島選戰",
        "投咗俾棄選嘅池曉嵐等於廢票",
        "突發 Perry Man 今早棄選",
    ],
)
def test_gone_from_the_ballot(text: str) -> None:
    """A plain statement that a validated candidate is gone, in any script and width, rests on the roster's line."""
    (finding,) = findings(text)
    assert (finding.rule, finding.claim_type) == ("roster-status", ClaimType.CANDIDATE_STATUS)
    assert finding.rests_on.startswith("watchlist.toml: candidate ")
    assert finding.rests_on.endswith(": status = validated")
    assert finding.evidence in text


@pytest.mark.parametrize(
    "text",
    [
        "Perry Man has not withdrawn from the race.",
        "Perry Man denies he has withdrawn from the race.",
        "Has Perry Man withdrawn from the race?",
        "ESO clarifies: Perry Man remains a candidate\nReports claiming that Perry Man has withdrawn are wrong.",
        "Fact check: Perry Man has withdrawn from the race",
        "If Perry Man withdrew from the race, Sherry Long would win.",
        "Residents call for Perry Man to be disqualified from the election.",
        "Perry Man withdrew from Thursday's televised debate with a sore throat.",
        "Perry Man quit smoking before the election.",
        "Perry Man withdrew his remarks about the ferry.",
        "Perry Man's rival Lou Tai-fung has withdrawn from the race.",
        "Perry Man said Lou Tai-fung withdrew from the race.",
        "Vivian Cheuk urged supporters of Lou Tai-fung, who has withdrawn from the race, to turn out.",
        "Sherry Long Suet-ying has withdrawn from the race.",  # the roster says so, too
        "Perry Man was disqualified from driving for six months.",
        "Lou Tai-fung has withdrawn from the race.",
        "選舉事務署澄清文沛霖並無退選",
        "文沛霖沒有退選",
        "文沛霖否認退選傳聞",
        "文沛霖是否已退選？",
        "如果文沛霖退選，選情會大變。",
        "團體要求取消戚啟航參選資格",
        "文沛霖的對手羅泰豐退選",
        "文沛霖表示羅泰豐退選令人惋惜",
        "戚啟航四年前退選，今屆捲土重來",
        "戚启航不会退选",
        "戚啟航話絕對唔會退選",
        "郎雪盈今晨退選",
        "【諷刺】文沛霖宣布退選參加煮食比賽",
        "文沛霖退出電視辯論",
    ],
)
def test_still_on_the_ballot(text: str) -> None:
    """Denials, questions, conditions, other people, other withdrawals, satire and known withdrawals give nothing."""
    assert rules(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Vote No. 5 Perry Man on Sunday", 5),
        ("Perry Man, No. 5, wants a night ferry", 5),
        ("Perry Man is now candidate number five.", 5),
        ("Perry Man's number has changed to 6", 6),
        ("支持５號文沛霖", 5),
        ("文沛霖是五號候選人", 5),
        ("池曉嵐因為重新抽籤，由今日起編號改為2號", 2),
        ("池晓岚编号由4号改为十二号", 12),
        ("記得投2號卓望晴", 2),
        ("卓望晴（2號）昨日落區", 2),
        ("Reminder: Perry Man is number 5 in Jade Bay North, the leaflets had a misprint", 5),
    ],
)
def test_wrong_number(text: str, said: int) -> None:
    """A number given to a candidate that is not the roster's, as digit or word, full width too."""
    (finding,) = findings(text)
    assert (finding.rule, finding.claim_type) == ("roster-number", ClaimType.CANDIDATE_IDENTIFIER)
    assert f"the number {said};" in finding.text
    assert ": number = " in finding.rests_on


@pytest.mark.parametrize(
    "text",
    [
        "Vote No. 3 Perry Man on Sunday",
        "No. 1 Vivian Cheuk, No. 2 Marcus Chik and No. 3 Perry Man spoke.",
        "Vivian Cheuk, No. 1, and Marcus Chik, No. 2, shook hands.",
        "Perry Man, No. 1 in the polls, spoke first.",
        "Perry Man is number 3 in Jade Bay North.",
        "Perry Man is the number one choice of anglers.",
        "Perry Man is not No. 5 but No. 3.",
        "ESO clarifies that Perry Man is not candidate number five",
        "Is Perry Man No. 5 or No. 3?",
        "翠灣北候選人：1號卓望晴、2號戚啟航",
        "卓望晴1號、戚啟航2號、池曉嵐4號",
        "6月5號文沛霖落區",
        "文沛霖5號晚出席論壇",
        "文沛霖為５號風球下的街坊送飯",
        "池曉嵐的編號為四號，並無更改",
        "文沛霖不是5號",
    ],
)
def test_right_number_or_none(text: str) -> None:
    """Right numbers, lists, dates, typhoon signals, ranks, denials and questions give nothing."""
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Perry Man is standing in Moonrise Island",
        "Jade Bay North candidate Perry Man opened a stall",
        "翠灣北候選人文沛霖昨日落區",
        "文沛霖轉戰月升島",
        "文沛霖转战月升岛",
        "我係月升島3號文沛霖",
    ],
)
def test_wrong_constituency(text: str) -> None:
    """A candidate put into another constituency of the roster."""
    (finding,) = findings(text)
    assert finding.rule == "roster-constituency"
    assert finding.rests_on == "watchlist.toml: candidate man: constituency = Kingfisher Point"


@pytest.mark.parametrize(
    "text",
    [
        "Kingfisher Point candidate Perry Man visited Moonrise Island",
        "Jade Bay North and Kingfisher Point candidates Vivian Cheuk and Perry Man met.",
        "月升島及翠鳥角候選人文沛霖、池曉嵐同台",
        "翠灣北及翠鳥角候選人卓望晴、文沛霖同台",
        "文沛霖到月升島視察碼頭",
        "文沛霖不是翠灣北候選人文沛霖",
    ],
)
def test_right_constituency_or_none(text: str) -> None:
    """Visits, lists of several people and the right place give nothing."""
    assert rules(text) == []


def test_without_a_roster() -> None:
    """A text judged alone has nothing to contradict."""
    text = "Perry Man has withdrawn from the race"
    assert check(text, None, WATCHLIST.match(text), Reference.empty()) == ()
