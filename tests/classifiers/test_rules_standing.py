"""The roster rule on status with a day, on parties, and on two people taken for each other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from classifiers.assess import assess
from classifiers.rules import check
from monitor.config import Settings
from monitor.store import Store, assessments, feeds, items
from monitor.types import ClaimType, Entry, Role
from tests.classifiers.rule_case import REFERENCE, WATCHLIST, findings, rules


@pytest.mark.parametrize(
    "text",
    [
        "Sherry Long is a candidate in Kingfisher Point",
        "Sherry Long is still standing in Kingfisher Point, her volunteers write",
        "Sherry Long remains a candidate, the leaflet insists.",
        "Sherry Long has not withdrawn, whatever the ferry captain says.",
        "Vote for Sherry Long on Sunday",
        "Give your vote for No. 1 Sherry Long!",
        "SHERRY LONG IS ON THE BALLOT",
        "Sherry Long Suet-ying is running for Kingfisher Point again",
        "郎雪盈仍是翠鳥角候選人",
        "郎雪盈仍然參選，街坊放心",
        "郎雪盈没有退选，张贴海报照旧",
        "郎雪盈冇退選，照樣擺街站",
        "星期日記得投給郎雪盈",
        "支持翠鳥角，票投１號郎雪盈",
        "郎雪盈繼續競選",
        "Sherry Long 仍然係候選人",
    ],
)
def test_said_to_stand(text: str) -> None:
    """A plain statement that one who has withdrawn stands rests on the roster's line, and names its day."""
    (finding,) = findings(text)
    assert (finding.rule, finding.claim_type) == ("roster-status", ClaimType.CANDIDATE_STATUS)
    assert finding.rests_on == "watchlist.toml: candidate long: status = withdrawn since 2027-02-20"
    assert finding.evidence in text


@pytest.mark.parametrize(
    "text",
    [
        "Sherry Long was a candidate in Kingfisher Point until February.",
        "Sherry Long has withdrawn.",
        "Sherry Long, who has withdrawn from the race, thanked her team.",
        "Sherry Long is no longer a candidate",
        "Is Sherry Long still standing?",
        "Sherry Long's sister is a candidate in the parents' council.",
        "It is not true that Sherry Long is still a candidate.",
        "Do not vote for Sherry Long: she has withdrawn.",
        "If Sherry Long is a candidate next time, I will help.",
        "Former contender Sherry Long is in the audience tonight.",
        "郎雪盈曾是翠鳥角候選人",
        "郎雪盈不再參選",
        "郎雪盈已經退選",
        "郎雪盈不是候選人",
        "切勿投給郎雪盈，她已退選",
        "選舉事務署澄清：郎雪盈並非候選人",
        "郎雪盈表示會支持其他候選人",
        "如果郎雪盈仍然參選就好",
    ],
)
def test_not_said_to_stand(text: str) -> None:
    """The past, questions, conditions, denials and warnings give nothing."""
    assert rules(text) == []


def _on(text: str, day: int) -> list[str]:
    moment = datetime(2027, 2, day, 18, tzinfo=UTC)  # the small hours of the next day in Hong Kong
    return [finding.rule for finding in check(text, None, WATCHLIST.match(text), REFERENCE, moment)]


def test_a_status_holds_from_its_day_on() -> None:
    """What was written before the withdrawal was no falsehood then; the day is the election's, not Greenwich's."""
    text = "Sherry Long is a candidate in Kingfisher Point"
    assert _on(text, 18) == []
    assert _on(text, 19) == ["roster-status"]


def test_an_item_is_held_against_the_status_of_its_day(store: Store, settings: Settings, now: datetime) -> None:
    """The stage tells the day of an item: of its last edit, else of its publication, else of when it was first seen."""
    path = settings.path(settings.files.watchlist)
    words = path.read_text(encoding="utf-8")
    since = 'status = "withdrawn"\nstatus_since = 2027-02-20'
    path.write_text(words.replace('status = "validated"', since), encoding="utf-8")
    text = "Perry Man is a candidate in Kingfisher Point, says leaflet"
    days = (datetime(2027, 2, 18, tzinfo=UTC), datetime(2027, 2, 25, tzinfo=UTC), None)
    with store.write() as connection:
        feed, _ = feeds.add(
            connection, "https://a.example/rss", now, outlet="Jade Bay Post", role=Role.MEDIA, lang=None
        )
        entries = [Entry(f"k{i}", None, None, f"{text} {i}", "", None, day) for i, day in enumerate(days)]
        items.add(connection, [(feed.id, entry) for entry in entries], now)
    assess(store, settings, now)
    with store.read() as connection:
        rows = [assessments.for_item(connection, id)[0] for id in (1, 2, 3)]
    assert [[finding["rule"] for finding in row["findings"]] for row in rows] == [
        [],
        ["roster-status"],
        ["roster-status"],
    ]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Vivian Cheuk is candidate number 2", "戚啟航"),
        ("支持２號卓望晴", "戚啟航"),
        ("No. 1 Marcus Chik opened his stall", "卓望晴"),
        ("戚启航编号改为1号", "卓望晴"),
    ],
)
def test_two_people_taken_for_each_other(text: str, other: str) -> None:
    """A number that another candidate of the same constituency bears: the finding says who."""
    (finding,) = findings(text)
    assert finding.rule == "roster-number"
    assert finding.text.endswith(f" is {other}.")


@pytest.mark.parametrize(
    "text",
    [
        "Banyan Forum candidate Vivian Cheuk opened a stall",
        "Lighthouse Alliance's candidate No. 2 Marcus Chik smiled",
        "Marcus Chik (Lighthouse Alliance) leads the list",
        "Vivian Cheuk of the Banyan Forum met the fishermen",
        "Marcus Chik is a candidate of the Lighthouse Alliance",
        "Vivian Cheuk is a member of Banyan Forum",
        "榕樹論壇候選人卓望晴昨日落區",
        "榕树论坛候选人卓望晴昨日落区",
        "戚啟航（燈塔聯盟）今早派傳單",
        "戚啟航代表燈塔聯盟參選",
        "卓望晴屬榕樹論壇的成員",
        "榕樹論壇嘅候選人卓望晴話會派飯",
        "BANYAN FORUM CANDIDATE VIVIAN CHEUK",
        "Ｂａｎｙａｎ　Ｆｏｒｕｍ candidate Vivian Cheuk waved",
        "戚啟航是燈塔聯盟候選人",
    ],
)
def test_wrong_party(text: str) -> None:
    """A candidate given to another party of the roster."""
    (finding,) = findings(text)
    assert (finding.rule, finding.claim_type) == ("roster-party", ClaimType.CANDIDATE_IDENTIFIER)
    assert ": party = " in finding.rests_on


@pytest.mark.parametrize(
    "text",
    [
        "Lighthouse Alliance candidate Vivian Cheuk opened a stall",
        "Marcus Chik (Banyan Forum) leads the list",
        "Vivian Cheuk debated with the Banyan Forum",
        "Banyan Forum and Vivian Cheuk disagree about the ferry",
        "Lighthouse Alliance and Banyan Forum candidates Vivian Cheuk and Marcus Chik met",
        "Vivian Cheuk is not a candidate of the Banyan Forum",
        "Vivian Cheuk called for Banyan Forum to publish its accounts",
        "Perry Man of the Banyan Forum",  # the roster gives him no party
        "Is Vivian Cheuk a member of Banyan Forum?",
        "Banyan Forum denies that its candidate is Vivian Cheuk",
        "燈塔聯盟候選人卓望晴昨日落區",
        "卓望晴批評榕樹論壇",
        "榕樹論壇和卓望晴同台",
        "戚啟航不是燈塔聯盟候選人",
        "卓望晴與榕樹論壇候選人戚啟航握手",
    ],
)
def test_right_party_or_none(text: str) -> None:
    """The right party, rivals in one sentence, denials and questions give nothing."""
    assert rules(text) == []
