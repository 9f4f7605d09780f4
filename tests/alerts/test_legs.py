"""How long each leg took: quantiles that are times which occurred, by language, role and claim type."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from alerts import digest, queue
from alerts.cli import cli
from alerts.dispatch import dispatch
from alerts.edition import edition
from alerts.legs import measure, quantile
from alerts.status import status
from monitor.config import Settings
from monitor.store import Store, passages
from monitor.store.schema import assessments, feeds, items
from monitor.types import Decision, Lang, Passage, Verdict
from tests.alerts.clarifying import Desk, complete, corrected, publishing
from tests.alerts.rows import add_incident, add_item, assess

START = datetime(2027, 3, 7, 1, 0, tzinfo=UTC)


def _after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


PASSAGE = Passage(
    lang="en",
    role="media",
    claim_type="scam-lure",
    published_at=START,
    seen_at=_after(4),
    flagged_at=_after(5),
    alerted_at=_after(5.5),
    taken_at=_after(9),
    decided_at=_after(29),
    clarified_at=_after(40),
)


def test_each_leg_of_one_alert() -> None:
    """Feed lag apart from the program's and from people's."""
    found = measure([PASSAGE])
    assert {leg: (row["lag"], row["p50"]) for leg, row in found["legs"].items()} == {
        "feed": ("feed", 4),
        "flag": ("program", 1),
        "alert": ("program", 0.5),
        "take": ("people", 3.5),
        "decide": ("people", 20),
        "people": ("people", 23.5),
        "clarify": ("people", 11),
        "whole": ("all", 36),
    }


def test_quantiles_are_times_that_occurred_and_groups_stand_apart() -> None:
    """Of 1 … 10 minutes half took 5 or less, nine of ten 9; one that took a day does not move them as a mean would."""
    several = [replace(PASSAGE, taken_at=PASSAGE.alerted_at + timedelta(minutes=n)) for n in range(1, 11)]
    several[9] = replace(several[9], taken_at=PASSAGE.alerted_at + timedelta(days=1), lang="zh-Hant", claim_type=None)
    found = measure(several)
    assert found["alerts"] == 10
    assert found["legs"]["take"] == {"lag": "people", "n": 10, "p50": 5, "p90": 9}
    assert {lang: legs["take"]["p90"] for lang, legs in found["by"]["lang"].items()} == {"en": 9, "zh-Hant": 1440}
    assert set(found["by"]["claim_type"]) == {"scam-lure", "unclear"}
    assert found["by"]["role"]["media"]["take"]["n"] == 10


def test_what_is_not_reached_is_not_in_it() -> None:
    """An alert that nobody took has no such leg; a date after we saw it tells nothing of the feed."""
    waiting = replace(PASSAGE, taken_at=None, decided_at=None, clarified_at=None, published_at=_after(90))
    found = measure([PASSAGE, waiting])
    counts = {leg: row["n"] for leg, row in found["legs"].items()}
    assert counts == {"feed": 1, "flag": 2, "alert": 2, "take": 1, "decide": 1, "people": 1, "clarify": 1, "whole": 1}
    assert measure([])["legs"]["take"] == {"lag": "people", "n": 0, "p50": None, "p90": None}


@given(st.lists(st.timedeltas(timedelta(), timedelta(days=9)), min_size=1), st.integers(1, 100))
def test_the_nearest_rank(spans: list[timedelta], percent: int) -> None:
    """The smallest observed time within which at least so many percent went."""
    ordered = sorted(spans)
    found = quantile(ordered, percent)
    assert found in ordered
    within = sum(span <= found for span in ordered)
    assert within * 100 >= percent * len(ordered)
    assert sum(span < found for span in ordered) < math.ceil(percent * len(ordered) / 100)


@pytest.fixture
def desk(store: Store, settings: Settings, folder: Path, now: datetime) -> Store:
    """Published at half past noon, seen after 3 minutes, flagged after 4, opened at 5, taken at 7, decided at 15.

    The clarification is drafted at 16 and published at 20; a correction at 50 is no first word to readers.
    """

    def after(minutes: int) -> datetime:
        return now + timedelta(minutes=minutes)

    incident = add_incident(store, now)
    with store.write() as connection:
        copy = add_item(connection, after(60), incident, "翠灣時報", "卓望晴退選")
        assess(connection, after(61), copy, score=0.9)
        assess(connection, after(40), 1, score=0.9, model_id="seed-2")  # a later model's opinion is not the first
        connection.execute(update(items).where(items.c.id == 1).values(first_seen_at=after(3)))
        connection.execute(update(assessments).where(assessments.c.model_id == "seed-1").values(assessed_at=after(4)))
        connection.execute(update(feeds).where(feeds.c.id == 1).values(role="community"))
    dispatch(store, settings, after(5))
    row = queue.take(store, settings, "maya", after(7))
    queue.decide(store, settings, "maya", after(15), row["id"], Decision.CLARIFY, Verdict.PARTLY_FALSE, "名單上仍有她")
    id = Desk(store, settings, after(16)).draft(row["id"])
    full = Desk(store, publishing(folder), after(20))
    full.edit(id, complete)
    full.approve(id)
    full.publish()
    later = Desk(store, publishing(folder), after(50))
    later.edit(id, corrected)
    later.approve(id)
    later.publish()
    return store


def test_the_store_knows_every_instant(desk: Store, now: datetime) -> None:
    """Of the item seen first; the earliest assessment that flagged; only alerts opened in the period."""
    with desk.read() as connection:
        (passage,) = passages.between(connection, now, now + timedelta(hours=2))
        assert list(passages.between(connection, now + timedelta(hours=1), now + timedelta(hours=2))) == []
    instants = ("published_at", "seen_at", "flagged_at", "alerted_at", "taken_at", "decided_at", "clarified_at")
    minutes = [(getattr(passage, instant) - now) / timedelta(minutes=1) for instant in instants]
    assert minutes == [0, 3, 4, 5, 7, 15, 20]
    assert (passage.lang, passage.role, passage.claim_type) == ("zh-Hant", "community", "candidate-fact")


def test_clocks_on_the_command_line(store: Store, settings: Settings, folder: Path) -> None:
    """One object for machines, a table for people, of the alerts opened since then."""
    opened = datetime.now(UTC) - timedelta(days=2)  # the command reads the real clock
    add_incident(store, opened)
    dispatch(store, settings, opened)
    queue.take(store, settings, "maya", opened + timedelta(minutes=6))
    words = ["-c", str(folder / "pollwatch.toml"), "clocks"]
    found = json.loads(CliRunner().invoke(cli, [*words, "--json"]).stdout)
    assert (found["alerts"], found["legs"]["take"]["p90"]) == (1, 6)
    assert set(found) == {"since", "alerts", "legs", "by"}
    table = CliRunner().invoke(cli, words).stdout.splitlines()
    assert [line.split() for line in table if " take " in line][:2] == [
        ["all", "take", "people", "1", "6.00", "6.00"],
        ["zh-Hant", "take", "people", "1", "6.00", "6.00"],
    ]
    yesterday = (opened + timedelta(days=1)).isoformat()
    result = CliRunner().invoke(cli, [*words, "--since", yesterday])
    assert (result.exit_code, "0 alerts since" in result.stdout) == (0, True)
    assert "no alert was opened in that time" in result.stderr


def test_clocks_in_status_and_in_the_mail(desk: Store, settings: Settings, now: datetime) -> None:
    """`status` has the last day, the mail its period."""
    later = now + timedelta(hours=3)
    legs = status(desk, settings, later)["clocks"]["legs"]
    assert (legs["feed"]["p50"], legs["take"]["p90"], legs["whole"]["p50"]) == (3, 2, 17)
    assert status(desk, settings, now + timedelta(days=2))["clocks"]["legs"]["take"]["n"] == 0
    summary = digest.compose(desk, settings, settings.calendar.local_date(later), later)
    assert summary.sections()["clocks"]["decide"]["p50"] == 8
    mail = edition(settings, summary, Lang.EN).text
    assert "Alerted to taken | 1 | 2 min | 2 min" in mail
    assert "Decided to clarified | 1 | 5 min | 5 min" in mail
