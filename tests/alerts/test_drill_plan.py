"""`drill plan`: the simulation agrees with what is known in closed form, and says how many people a shift needs."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts import queue
from alerts.cli.drill_tables import _answer
from alerts.dispatch import dispatch
from alerts.drill_plan import HOURS, Load, interval, load_of, plan, simulate
from monitor.config import Settings
from monitor.errors import InputError
from monitor.store import Store
from monitor.types import ClaimType, Decision
from tests.alerts.rows import add_incident

CLI = [sys.executable, "-m", "alerts"]
ZONE = ZoneInfo("Asia/Hong_Kong")
MEAN_S = 300.0


def flat(**rates: float) -> Load:
    """The same rates at every hour: ``P1=20``."""
    return Load({(hour, int(name[1])): rate for hour in range(HOURS) for name, rate in rates.items()}, mean_s=MEAN_S)


def waits(load: Load, reviewers: int, *, days: int = 60, in_turn: bool = False) -> list[float]:
    """Of P1, the first day left out, in order."""
    found = simulate(load, reviewers, days * HOURS, Random(7), in_turn=in_turn)
    return sorted(wait for came, priority, wait in found if priority == 1 and came > HOURS * 3600)


def within(spans: Sequence[float], seconds: float) -> float:
    """The share of spans that are no longer."""
    return sum(span <= seconds for span in spans) / len(spans)


def erlang_c(an_hour: float, servers: int, seconds: float) -> float:
    """P(wait ≤ seconds) of M/M/c: Erlang's second formula (1917)."""
    load = an_hour * MEAN_S / 3600
    below = sum(load**k / math.factorial(k) for k in range(servers))
    full = load**servers / math.factorial(servers) * servers / (servers - load)
    return 1 - full / (below + full) * math.exp(-(servers - load) * seconds / MEAN_S)


@pytest.mark.parametrize("reviewers", [2, 3])
def test_one_priority_waits_as_erlang_says(reviewers: int) -> None:
    """M/M/c has a closed form: at five minutes and at one the simulated share lies close to it."""
    found = waits(flat(P1=14), reviewers)
    for seconds in (60, 300):
        assert abs(within(found, seconds) - erlang_c(14, reviewers, seconds)) < 0.025


def test_less_urgent_alerts_cost_a_p1_nothing_where_they_are_put_down() -> None:
    """With preemption P1 waits as if it were alone; in turn it waits longer."""
    busy = flat(P1=12, P3=20)
    alone = erlang_c(12, 3, 60)
    assert abs(within(waits(busy, 3), 60) - alone) < 0.025
    assert within(waits(busy, 3, in_turn=True), 60) < alone - 0.05


def test_every_alert_is_taken_and_second_opinions_need_another_person() -> None:
    """Work is conserved: each alert, and each second opinion, is taken once; alone nobody gives the second one."""
    load = Load({(hour, 2): 3.0 for hour in range(HOURS)}, observed=(60.0,), second=1.0)
    found = simulate(load, 3, HOURS, Random(1))
    firsts = simulate(load, 1, HOURS, Random(1))
    assert len(found) == len(firsts) > 100
    assert all(wait < math.inf for _, _, wait in found)
    assert sum(wait == math.inf for _, _, wait in firsts) == len(firsts) / 2


def test_a_shift_needs_more_people_when_more_comes_in() -> None:
    """The quiet night needs one, the busy evening more; where nothing is enough it says so; the same seed, the same."""
    rates = {(hour, 1): 1.0 if hour < 8 else 4.0 if hour < 16 else 18.0 for hour in range(22)}
    load = Load(rates, observed=(60.0, 120.0, 240.0), second=0.0)
    words = {"minutes": 5, "share": 0.95, "shift_h": 8, "seed": 1, "replications": 15}
    found = plan(load, range(1, 4), **words)
    night, day, evening = found["shifts"]
    assert night["need"] == 1
    assert 1 <= day["need"] <= evening["need"]
    assert evening["need"] >= 2
    assert [each["reviewers"] for each in evening["options"]] == [1, 2, 3]
    for shift in found["shifts"]:
        for each in shift["options"]:
            assert 0 <= each["low"] <= each["share"] <= each["high"] <= 1
    assert plan(load, range(1, 4), **words) == found
    assert plan(load, [1], **words)["shifts"][2]["need"] is None


def test_the_interval_narrows_and_is_never_certain() -> None:
    """A ratio over replications; where all were in time, three failures in so many cannot be excluded."""
    few, many = ([(8, 10), (9, 10), (10, 10), (7, 10)] * times for times in (1, 25))
    assert interval(few)["share"] == interval(many)["share"] == 0.85
    assert interval(many)["low"] > interval(few)["low"]
    assert interval([(50, 50)] * 6) == {"share": 1.0, "low": 0.99, "high": 1.0}
    assert interval([(0, 0)])["share"] is None


def row(clock: str, priority: int = 1, **keys: Any) -> dict[str, Any]:
    """An alert of a drill's report, opened at that hour and minute."""
    opened = datetime.fromisoformat(f"2027-03-14T{clock}:00+08:00")
    taken, decided = opened + timedelta(minutes=1), opened + timedelta(minutes=3)
    times = {"opened_at": opened.isoformat(), "taken_at": taken.isoformat(), "decided_at": decided.isoformat()}
    return {"priority": priority, "sample": None, "suppression": None, "opinions": 1, **times, **keys}


def test_a_load_is_read_from_alerts() -> None:
    """By the local hour and the day; samples and hidden alerts bring no work, and a second wait is no service."""
    rows = [
        row("09:05"),
        row("09:50"),
        row("23:10", 3, opinions=2),
        row("09:20", sample="random"),
        row("09:20", suppression="inhibited"),
        row("09:30", taken_at=None, decided_at=None),
    ]
    start = datetime(2027, 3, 13, 16, 0, tzinfo=UTC)
    load = load_of(rows, start, start + timedelta(days=2), ZONE)
    assert load.rates == {(9, 1): 1.5, (23, 3): 0.5}
    assert load.observed == (120.0, 120.0)
    assert load.second == pytest.approx(1 / 3)
    given = load_of(rows, start, start + timedelta(hours=3), ZONE, mean_s=40, second=0)
    assert (given.service_s, given.second, given.rates[9, 1]) == (40, 0, 3)


@pytest.mark.parametrize(
    ("rows", "words"),
    [([], "no alert to plan with"), ([row("09:05", taken_at=None, decided_at=None)], "--service 120")],
)
def test_without_alerts_or_times_there_is_no_plan(rows: list[dict[str, Any]], words: str) -> None:
    """And it says what to give."""
    start = datetime(2027, 3, 14, tzinfo=UTC)
    with pytest.raises(InputError, match=words):
        load_of(rows, start, start + timedelta(days=1), ZONE)


def test_a_shift_is_planned_from_the_store(store: Store, settings: Settings, folder: Path) -> None:
    """The alerts of the last days, with the times of their decisions; as JSON and for people."""
    now = datetime.now(UTC) - timedelta(hours=6)
    for number, claim_type in enumerate([ClaimType.SCAM_LURE, ClaimType.VOTING_PROCEDURE, ClaimType.COUNT_FRAUD]):
        add_incident(store, now, title=f"claim {number}", claim_type=claim_type, lang="en")
    dispatch(store, settings, now)
    alert = queue.take(store, settings, "maya", now + timedelta(minutes=2))["id"]
    queue.decide(store, settings, "maya", now + timedelta(minutes=4), alert, Decision.REFER, None, "passed on")
    words = ["drill", "plan", "--store", "--reviewers", "1-3", "--replications", "5"]
    done = subprocess.run([*CLI, *words, "--json"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["service_s"] == 120
    assert sum(shift["alerts"] for shift in found["shifts"]) == pytest.approx(3 / 7, abs=0.02)
    assert [len(shift["options"]) for shift in found["shifts"]] == [3, 3, 3]


def test_a_shift_is_planned_from_a_report(tmp_path: Path) -> None:
    """What `drill --json` prints is what `drill plan --from` reads; no store is needed."""
    report = {
        "zone": "Asia/Hong_Kong",
        "from": "2027-03-14T00:00:00+08:00",
        "to": "2027-03-15T00:00:00+08:00",
        "queue": [row(f"{hour:02}:15") for hour in range(8, 16)],
    }
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report), encoding="utf-8")
    words = ["drill", "plan", "--from", "report.json", "--reviewers", "1-2", "--replications", "30"]
    done = subprocess.run([*CLI, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == ["00–08: no P1 came", "08–16: 1", "16–24: no P1 came"]
    spoken = {**os.environ, "POLLWATCH_LANGUAGE": "zh-Hant"}
    done = subprocess.run([*CLI, *words], cwd=tmp_path, capture_output=True, text=True, check=True, env=spoken)
    assert done.stdout.splitlines()[-3:] == ["00–08: 沒有 P1 警示", "08–16: 1", "16–24: 沒有 P1 警示"]


@pytest.mark.parametrize(
    ("urgent", "need", "most", "words"),
    [
        (0.0, None, None, "no P1 came"),
        (3.0, 2, 1.0, "2"),
        (3.0, None, 0.9, "more than 4"),
        (0.1, None, 1.0, "too few P1 to be sure; give more --replications"),
        (0.1, None, None, "too few P1 to be sure; give more --replications"),
    ],
)
def test_an_answer_tells_too_few_people_from_too_few_alerts(
    urgent: float, need: int | None, most: float | None, words: str
) -> None:
    """Where all were in time and the interval is wide, more people would not help."""
    options = [{"reviewers": number, "share": most} for number in range(1, 5)]
    assert _answer({"urgent": urgent, "need": need, "options": options}, 0.95) == words


@pytest.mark.parametrize("words", [[], ["--store", "--from", __file__], ["--store", "--reviewers", "4-2"]])
def test_a_plan_says_what_it_wants(words: list[str], tmp_path: Path) -> None:
    """One source, and numbers that go up."""
    done = subprocess.run([*CLI, "drill", "plan", *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--from FILE, or --store" in done.stderr or "--reviewers" in done.stderr
