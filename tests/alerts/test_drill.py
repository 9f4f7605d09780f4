"""`drill`: a scripted day through the real stages, in a store of its own, scored; the same for the same seed."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.cli.drill_tables import print_report
from alerts.drill import Pace, run
from alerts.drill_page import page
from alerts.drill_people import finding
from alerts.drill_report import Threshold, outcome, why
from alerts.drill_script import Model, Plant, parse_model, parse_speed, read_script
from monitor.errors import InputError
from monitor.language import render, speaking
from monitor.store import open_store, traces
from monitor.types import ClaimType, Decision, Role, Verdict
from tests.alerts.scripts import HEAD, change, story, write

pytestmark = pytest.mark.timeout(900)  # a drill trains a model first, which takes long on a machine that is busy
CLI = [sys.executable, "-m", "alerts"]
SHIPPED = Path(__file__).parents[2] / "seeds" / "drills"
HONG_KONG = ZoneInfo("Asia/Hong_Kong")


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first hours of the Harbour City drill, thinned out to some sixty items."""
    with gzip.open(SHIPPED / "harbour.jsonl.gz", "rt", encoding="utf-8") as lines:
        head, *rows = [json.loads(line) for line in lines]
    kept, innocent = [], 0
    for row in rows:
        (item,) = row.get("add") or [{}]
        marked = "plant" in item or "refutes" in item
        innocent += bool(item) and not marked
        if (
            row["at"] < "2027-03-14T10:30:00"
            and "-copy-" not in item.get("guid", "")
            and (marked or innocent % 16 == 1)
        ):
            kept.append(row)
    known = {row["add"][0]["plant"]["id"] for row in kept if row.get("add") and "plant" in row["add"][0]}
    kept = [row for row in kept if row["add"][0].get("refutes") in {None, *known}]
    outage = [
        {"at": "2027-03-14T07:00:00", "feed": "harbour-zh", "outage": "500"},
        {"at": "2027-03-14T07:40:00", "feed": "harbour-zh", "outage": ""},
    ]
    head |= {"start": "2027-03-14T05:30:00", "end": "2027-03-14T11:00:00", "pass_s": 1800}
    rows = sorted([*kept, *outage], key=lambda row: row["at"])
    return write(tmp_path_factory.mktemp("drill") / "morning.jsonl", head, *rows)


@pytest.fixture(scope="module")
def played(morning: Path) -> dict[str, Any]:
    """The report of the command on that morning, while the environment names the store of a desk and a receiver."""
    desk = morning.parent / "desk.db"
    named = {"POLLWATCH_DATABASE__URL": f"sqlite:///{desk}", "POLLWATCH_DIGEST__RECEIVERS": '["lead@example.org"]'}
    done = subprocess.run(
        [*CLI, "drill", str(morning), "--json", "--out", str(morning.parent / "drill.html")],
        cwd=morning.parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **named},
    )
    assert done.returncode == 0, done.stderr
    assert not desk.exists(), "a drill must not touch the store of the desk"
    assert not (morning.parent / "pollwatch.db").exists()
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_a_drill_scores_what_was_planted(morning: Path, played: Mapping[str, Any]) -> None:
    """Counts agree with the script, a refutation is no false alarm, and what was missed says its score and why."""
    script = read_script(morning)
    assert played["planted"] == len(script.plants) >= 8
    assert played["not_collected"] <= 2
    assert played["items"] + played["not_collected"] == len(script.stories) >= 50
    assert played["detected"] == sum(row["detected"] for row in played["plants"]) >= played["planted"] / 2
    assert played["recall"] == round(played["detected"] / played["planted"], 4)
    assert played["refutations"] >= 3
    assert played["refutations_flagged"] == 0
    assert played["false_alarms"] == sum(not row["planted"] and not row["sample"] for row in played["queue"]) <= 6
    assert sum(row["items"] for row in played["hours"]) == played["items"]
    for row in played["plants"]:
        assert (row["why"] is None) is row["detected"]
        assert row["detected"] or row["score"] is None or row["threshold"] > 0
        times = [row[key] for key in ("flag_s", "take_s", "decision_s") if row[key] is not None]
        assert times == sorted(times)
        assert all(0 <= time < 6 * 3600 for time in times)
    spans = sorted(row["flag_s"] for row in played["plants"] if row["detected"])
    assert played["p50_s"] == spans[(len(spans) + 1) // 2 - 1]
    assert {row["lang"] for row in played["by_lang"]} >= {"en", "zh-Hant"}
    assert sum(row["planted"] for row in played["by_claim_type"]) == played["planted"]
    assert played["times"]["decision"]["n"] > 0


def test_the_same_seed_gives_the_same_report(morning: Path, played: Mapping[str, Any], tmp_path: Path) -> None:
    """Byte for byte, but for the seconds on the wall; in another process and folder, at other ports."""
    script = read_script(morning)
    again = run(script, tmp_path / "drill", Pace(None, lambda: datetime.now(UTC)), script.header.reviewers, 1, str)
    one, other = ({**report, "seconds": 0} for report in (played, json.loads(json.dumps(again))))
    assert json.dumps(one) == json.dumps(other)
    listed = subprocess.run(
        [*CLI, "-c", "drill/pollwatch.toml", "feeds", "list", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={name: value for name, value in os.environ.items() if name != "POLLWATCH_DATABASE__URL"},
    )
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert len(rows) == len(script.header.feeds), "the folder is left, and its store can be looked at"


def test_the_page_shows_both_languages_and_runs_nothing(morning: Path, played: Mapping[str, Any]) -> None:
    """A timeline with a row for every plant, in English and in Chinese; no script, nothing remote."""
    html = (morning.parent / "drill.html").read_text(encoding="utf-8")
    assert html == page(played, HONG_KONG)
    assert '<section lang="en">' in html
    assert '<section lang="zh-Hant">' in html
    assert "What was missed" in html
    assert "漏報" in html
    assert html.count("<g><title>") == 2 * played["planted"]
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")


def test_the_table_speaks_both_languages(played: Mapping[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """What JSON codes, people read in words: why a plant was missed, its claim type, the summing up."""
    unseen = why(None, {}, Threshold(0.5, 0.06))
    missed = [{**row, "detected": False, "said": asdict(unseen)} for row in played["plants"]]
    code = missed[0]["claim_type"]
    for lang, words in (("en", ("why missed", "falsehoods were flagged among")), ("zh-Hant", ("漏報原因", "獲標記"))):
        with speaking(lang):
            print_report({**played, "plants": missed})
            shown = capsys.readouterr().out
            assert render(unseen) in shown
        assert all(each in shown for each in words)
        assert (code in shown) == (lang == "en")


def test_titles_are_text_on_the_page(played: Mapping[str, Any]) -> None:
    """What a feed says is never markup."""
    nasty = '<script>alert(1)</script>"&'
    plants = [
        {**row, "title": nasty, "detected": False, "said": {"form": nasty, "values": {}}} for row in played["plants"]
    ]
    html = page({**played, "plants": plants, "drill": nasty}, HONG_KONG)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > len(plants)


def test_people_work_the_queue_of_a_paced_drill(tmp_path: Path) -> None:
    """From another process, on the real desk in the drill's folder; the report counts what they decided.

    An hour passes in seconds: feeds are asked again in time, although real ones would be left alone for minutes.
    """
    text = {"title": "Hurry, the polls close at 5 pm today", "summary": "The hours were cut. Pass it on!"}
    plant = {"id": "p1", "claim_type": "voting-procedure"}
    lines = (
        {**HEAD, "end": "2027-03-14T09:10:00"},
        change("08:00", add=[story("a")]),
        change("08:00", "office", add=[story("n", "Polls close at 10.30 pm")]),
        change("08:25", add=[{"guid": "b", **text, "plant": plant}]),
    )
    folder = tmp_path / "drill"
    told: list[list[dict[str, Any]]] = []

    def desk(*words: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            [*CLI, "-c", str(folder / "pollwatch.toml"), "alerts", *words, "--reviewer", "maya", "--json"],
            capture_output=True,
            text=True,
            check=False,
            env={name: value for name, value in os.environ.items() if name != "POLLWATCH_DATABASE__URL"},
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def clock() -> datetime:
        """The wall's; a reviewer acts as soon as there is something to act on."""
        file = folder / "pollwatch.db"
        if not told and file.exists():
            with contextlib.closing(open_store(f"sqlite:///{file}")) as store, store.read() as connection:
                waits = traces.of_alerts(connection)
            if waits:
                told.append(desk("take"))
                reason = ["--decision", "dismiss", "--reason", "opinion: a drill"]
                told.append(desk("decide", str(waits[0]["id"]), *reason))
        return datetime.now(UTC)

    report = run(read_script(write(tmp_path / "day.jsonl", *lines)), folder, Pace(600.0, clock), None, 1, str)
    assert len(told) == 2
    assert (report["items"], report["planted"], report["detected"]) == (3, 1, 1)
    (row,) = report["plants"]
    assert (row["decision"], row["outcome"]) == ("dismiss", "wrong")
    assert 0 <= row["flag_s"] <= row["take_s"] <= row["decision_s"]
    assert report["times"]["decision"]["n"] == 1


def test_a_pace_waits_for_the_clock_on_the_wall() -> None:
    """And at full speed for nothing."""
    start = datetime(2027, 1, 5, 6, 0, tzinfo=UTC)
    reads: list[datetime] = []

    def clock() -> datetime:
        reads.append(start + timedelta(milliseconds=200 * len(reads)))
        return reads[-1]

    Pace(1.0, clock).wait(start + timedelta(milliseconds=300))
    assert len(reads) == 3
    Pace(None, clock).wait(start + timedelta(days=1))
    assert len(reads) == 3


SPECS: list[tuple[str | None, Callable[[Model], bool] | None]] = [
    (None, lambda model: model.number == 3),
    ("5", lambda model: model.number == 5 and model.take_s == 7),
    ("number=2, decide_s=30,error=0.5", lambda model: (model.number, model.decide_s, model.error) == (2, 30, 0.5)),
    ("people", None),
    ("none", None),
]


@pytest.mark.parametrize(("spec", "holds"), SPECS)
def test_reviewers_are_asked_for_in_a_few_words(spec: str | None, holds: Callable[[Model], bool] | None) -> None:
    """A number, or keys that replace those of the script."""
    model = parse_model(Model(take_s=7), spec)
    assert (model is None) if holds is None else (model is not None and holds(model))


@pytest.mark.parametrize("spec", ["0", "41", "number=x", "eyes=2", "error=1.1", ""])
def test_reviewers_that_cannot_be_are_refused(spec: str) -> None:
    """With the keys that there are."""
    with pytest.raises(InputError, match="write people, none, 3, or number, take_s"):
        parse_model(Model(), spec)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "fast", "1e9"])
def test_a_speed_is_a_number_or_max(text: str) -> None:
    """Nothing that would stop the clock, or wait for ever."""
    with pytest.raises(InputError, match="--speed"):
        parse_speed(text)
    assert parse_speed("max") is None
    assert parse_speed("2.5") == 2.5


@pytest.mark.parametrize("claim_type", list(ClaimType))
def test_scripted_reviewers_decide_as_the_taxonomy_says(claim_type: ClaimType) -> None:
    """What cannot be ruled on by this desk is referred, satire is watched, the rest clarified; an error lets it go."""
    plant = Plant(id="p1", claim_type=claim_type)
    decision, verdict, reason = finding(plant, errs=False)
    referred = {ClaimType.VOTE_BUYING_RUMOUR, ClaimType.INTIMATE_IMAGE_EXTORTION}
    if claim_type in referred:
        assert (decision, verdict) == (Decision.REFER, None)
    elif claim_type is ClaimType.OPINION_OR_SATIRE:
        assert (decision, verdict) == (Decision.WATCH, Verdict.SATIRE)
    else:
        assert (decision, verdict) == (Decision.CLARIFY, Verdict.FALSE)
    assert reason == "drill: p1"
    assert finding(plant, errs=True)[0] is Decision.DISMISS
    assert finding(None, errs=False)[0] is Decision.DISMISS
    assert finding(None, errs=True)[0] is Decision.CLARIFY
    decided = {"decided_at": datetime(2027, 1, 1, tzinfo=UTC), "decision": decision}
    assert outcome(plant, decided) == "right"
    let_go = "right" if claim_type is ClaimType.OPINION_OR_SATIRE else "wrong"
    assert outcome(plant, {**decided, "decision": Decision.DISMISS}) == let_go
    assert outcome(plant, None) == "undecided"


ROW: dict[str, Any] = {
    "feed": "daily",
    "score": 0.4,
    "stance": "asserts",
    "flagged": False,
    "matches": ["someone"],
    "findings": [],
}
REASONS = [
    (None, "its feed dropped it before it was collected"),
    ({**ROW, "score": None}, "it was not assessed"),
    ({**ROW, "feed": "office"}, "its outlet is trusted: official"),
    ({**ROW, "stance": "refutes"}, "it was taken for a text that says otherwise: refutes"),
    ({**ROW, "flagged": True}, "it was flagged, but is in no alert"),
    (ROW, "it scored 0.40 of 0.50"),
    ({**ROW, "matches": []}, "it scored 0.40 of 0.56, and names nobody who is watched"),
]


@pytest.mark.parametrize(("row", "words"), REASONS)
def test_what_was_missed_says_why(row: Mapping[str, Any] | None, words: str) -> None:
    """The first of the reasons that kept it out of the queue."""
    assert why(row, {"office": Role.OFFICIAL}, Threshold(0.5, 0.06)).text == words
