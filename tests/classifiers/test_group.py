"""Flagged items become incidents: the same ones however the stage is cut, killed or doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from classifiers import group as grouping
from classifiers import neardup
from classifiers.group import group
from monitor.config import Settings
from monitor.store import Store, incident_list, incidents
from monitor.store.schema import bands
from tests.classifiers.test_neardup import FERRY_HANS, FERRY_ZH, RAIL_EN
from tests.grouping import START, Row, assess, fill, partition
from tests.postgresql import url_of

STREETS = ("Heron", "Coral", "Juniper", "Saffron", "Mallard", "Pepper", "Thistle", "Walnut", "Cobalt", "Magpie")
SENTENCE = (
    "neighbours say that the ballot boxes from the hall near the market were carried out at night and counted twice "
    "while the cameras were dark and nobody from the campaign was let in to watch or to sign the sheet of results"
)


def rumours(count: int) -> list[Row]:
    """``count`` items of which about a third are near-copies of earlier ones, dates and feeds out of order."""
    chance = random.Random(7)
    rows: list[Row] = []
    for number in range(count):
        if rows and chance.random() < 0.35:
            words = chance.choice(rows).summary.split()
            words[chance.randrange(len(words))] = chance.choice(STREETS)
        else:
            words = [f"{chance.choice(STREETS)}{number}", *chance.sample(SENTENCE.split(), 24), chance.choice(STREETS)]
        minute = chance.choice([None, *range(500)])
        rows.append(Row(f"Item {number}", " ".join(words), feed=chance.randrange(1, 9), minute=minute))
    return rows


def test_copies_join_and_others_do_not(store: Store, settings: Settings, now: datetime) -> None:
    """One claim in three wordings, scripts and outlets is one incident; another story is another."""
    ids = fill(
        store,
        [
            Row(FERRY_ZH, feed=1, minute=5, claim_type="polling-disruption"),
            Row(FERRY_HANS.replace("放弃", "作罢"), feed=2, minute=9),
            Row(FERRY_ZH.replace("，", ","), feed=3, minute=7),
            Row(RAIL_EN, feed=3, minute=6),
            Row("Harmless", feed=1, minute=8, flagged=False),
        ],
    )
    report = group(store, settings, now)
    assert report.counts == {"items": 4, "incidents_new": 2, "joined": 2, "left": 0}
    assert partition(store) == {frozenset(ids[:3]), frozenset({ids[3]})}
    with store.read() as connection:
        ferry = incident_list.get(connection, 1)
    assert (len(ferry["items"]), ferry["outlets"]) == (3, ["Outlet 1", "Outlet 3", "Outlet 2"])
    assert (ferry["title"], ferry["claim_type"]) == (FERRY_ZH, "polling-disruption")
    assert ferry["last_seen_at"] - ferry["first_seen_at"] == timedelta(minutes=4)


def test_same_link_in_another_feed_joins(store: Store, settings: Settings, now: datetime) -> None:
    """One page carried by two feeds is one story whatever the headline; one feed may point all items at one page."""
    page = "https://harbour.example/story/5"
    ids = fill(
        store,
        [
            Row("Ballots found in the creek, says angler", feed=1, minute=1, link=page),
            Row("Something else entirely happened here", feed=2, minute=2, link=page + "/?utm_source=x#top"),
            Row("A third headline of the second outlet", feed=3, minute=3, link="https://harbour.example/"),
            Row("The front page again, other words now", feed=4, minute=4, link="https://harbour.example/"),
        ],
    )
    group(store, settings, now)
    assert partition(store) == {frozenset(ids[:2]), frozenset({ids[2]}), frozenset({ids[3]})}


def test_one_wording_about_two_people_is_two_claims(store: Store, settings: Settings, now: datetime) -> None:
    """A template reused against another candidate opens its own incident; a copy that names one more does not."""
    other = RAIL_EN.replace("Perry Man Pui-lam", "Marcus Chik Kai-hong")
    ids = fill(
        store,
        [
            Row(RAIL_EN, minute=1, names=("man",)),
            Row(other, minute=2, names=("chik",)),
            Row(RAIL_EN + " (ESO)", minute=3, names=("man", "eso")),
        ],
    )
    group(store, settings, now)
    assert partition(store) == {frozenset({ids[0], ids[2]}), frozenset({ids[1]})}


def test_a_falsehood_added_to_a_copy_is_another_claim(store: Store, settings: Settings, now: datetime) -> None:
    """A copy that contradicts a fact which the original leaves alone opens its own incident; a copy of it joins it."""
    notice = (
        "Kingfisher Point notice: bring your identity card, stations are easy to reach by bus and ferry, tell your "
        "neighbours and grandparents, and remember that polls close at {} on the day, so come early with your family"
    )
    closes = ("facts-closes", "facts.toml: polling.closes = 22:30")
    right, wrong, again, plain = fill(
        store,
        [
            Row("Notice", notice.format("10:30 pm"), feed=1, minute=1),
            Row("Notice", notice.format("6:00 pm"), feed=2, minute=2, findings=[closes]),
            Row("Notice!", notice.format("6:00 pm"), feed=3, minute=3, findings=[closes]),
            Row("A notice", notice.format("10:30 pm"), feed=4, minute=4),
        ],
    )
    group(store, settings, now)
    assert partition(store) == {frozenset({right, plain}), frozenset({wrong, again})}


def test_only_the_newest_assessment_of_the_current_text_counts(store: Store, settings: Settings, now: datetime) -> None:
    """A newer model that withdraws the flag takes the item out of the backlog, one that sets it puts it in."""
    cleared, raised, old = fill(
        store, [Row("First", minute=1), Row("Second", minute=2, flagged=False), Row("Third", minute=3, flagged=False)]
    )
    later = START + timedelta(hours=1)
    with store.write() as connection:
        assess(connection, cleared, model="m2", flagged=False, at=later)
        assess(connection, raised, model="m2", flagged=True, at=later)
        assess(connection, old, model="m2", revision=1, flagged=True, at=later)  # of a text that is not current
    group(store, settings, now)
    assert partition(store) == {frozenset({raised})}


def test_reposts_add_no_weight(store: Store, settings: Settings, now: datetime) -> None:
    """A flood of reposts is one incident, looked up by its original alone: the last costs what the first did."""
    fill(store, [Row(f"{FERRY_ZH} #{number}", feed=1 + number % 9, minute=number) for number in range(150)])
    assert group(store, settings, now).counts == {"items": 150, "incidents_new": 1, "joined": 149, "left": 0}
    with store.read() as connection:
        found = incidents.candidates_by_bands(connection, neardup.bands(neardup.signature(FERRY_ZH)))
    assert len(found) < 5


def variants(count: int) -> list[Row]:
    """Variations of one text, each with six of its sixty words replaced: many share bands, few are near-copies."""
    chance = random.Random(1)
    words = [f"w{number}ord" for number in range(400)]
    base = chance.choices(words, k=60)
    rows = []
    for minute in range(count):
        text = list(base)
        for _ in range(6):
            text[chance.randrange(60)] = chance.choice(words)
        rows.append(Row(" ".join(text), minute=minute))
    return rows


def test_a_flood_of_variants_costs_each_the_same(store: Store, settings: Settings, now: datetime) -> None:
    """However many share a band, a bounded number is found by it, and of those found a bounded number is compared."""
    rows = variants(400)
    fill(store, rows)
    group(store, settings, now)
    for row in rows:
        with store.read() as connection:
            found = incidents.candidates_by_bands(connection, neardup.bands(neardup.signature(row.title)))
        assert len(found) <= incidents.CANDIDATES
    with store.read() as connection:
        holders = connection.scalars(select(func.count()).select_from(bands).group_by(bands.c.band)).all()
    assert max(holders) == incidents.BAND_SIZE


def test_those_that_share_most_bands_are_compared(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for one candidate it is the original, though others share some bands and came earlier."""
    rows = [*variants(30), Row(RAIL_EN, minute=40)]
    fill(store, rows)
    group(store, settings, now)
    monkeypatch.setattr(incidents, "CANDIDATES", 1)
    own = neardup.bands(neardup.signature(RAIL_EN))
    others = neardup.bands(neardup.signature(rows[0].title))
    with store.read() as connection:
        (found,) = incidents.candidates_by_bands(connection, [*own, *others[:5]])
    assert found.minhash == neardup.signature(RAIL_EN)


def test_running_twice_changes_nothing(store: Store, settings: Settings, now: datetime) -> None:
    """A second run finds nothing to do."""
    fill(store, rumours(40))
    group(store, settings, now)
    before = partition(store)
    assert group(store, settings, now).counts == {"items": 0, "incidents_new": 0, "joined": 0, "left": 0}
    assert partition(store) == before


def test_titles_of_items_without_one(store: Store, settings: Settings, now: datetime) -> None:
    """A post without a title lends its first words to the incident."""
    fill(store, [Row("", summary=RAIL_EN.replace("\n", " "))])
    group(store, settings, now)
    with store.read() as connection:
        title = incident_list.get(connection, 1)["title"]
    assert title.startswith("Perry Man")
    assert len(title) <= 120


@pytest.mark.parametrize(("batch", "room"), [(1, 50), (7, 50), (1000, 50), (7, 2)])
def test_partition_does_not_depend_on_batches_or_row_ids(
    store: Store,
    settings: Settings,
    now: datetime,
    new_store: Callable[[], Store],
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    room: int,
) -> None:
    """What was published decides: not how many items a transaction takes, nor the order in which they were stored.

    That holds as well where there is ``room`` for few of the candidates.
    """
    monkeypatch.setattr(incidents, "CANDIDATES", room)
    monkeypatch.setattr(incidents, "BAND_SIZE", room)
    rows = [Row(r.title, r.summary, r.feed, number) for number, r in enumerate(rumours(120))]
    shuffled = random.Random(batch).sample(rows, len(rows))
    other = new_store()
    titles = [
        dict(zip(fill(target, given), (row.title for row in given), strict=True))
        for target, given in ((store, rows), (other, shuffled))
    ]
    group(store, settings, now)
    monkeypatch.setattr(grouping, "BATCH", batch)
    group(other, settings, now)
    one, two = (
        {frozenset(names[i] for i in members) for members in partition(target)}
        for target, names in ((store, titles[0]), (other, titles[1]))
    )
    assert one == two
    assert any(len(members) > 1 for members in one)


CHILD = """
import sys
from datetime import datetime, UTC
from classifiers import group
from pathlib import Path
from monitor.config import load_file
from monitor.store import open_store
group.BATCH = 5
store, settings = open_store(sys.argv[1]), load_file(Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
group.group(store, settings, datetime(2027, 3, 1, tzinfo=UTC))
"""


def _child(url: str, folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, url, str(folder / "pollwatch.toml")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _end(process: subprocess.Popen[str]) -> None:
    with process:
        assert process.wait(60) in (0, -signal.SIGKILL)


def test_killed_at_any_moment_and_run_again(
    store: Store, settings: Settings, folder: Path, now: datetime, new_store: Callable[[], Store]
) -> None:
    """kill -9 in the middle, over and over: afterwards the partition is that of an undisturbed run."""
    rows = rumours(90)
    fill(store, rows)
    group(store, settings, now)
    chance = random.Random()
    for attempt in range(4):
        disturbed = new_store()
        fill(disturbed, rows)
        for _ in range(2):
            before = partition(disturbed)
            process = _child(url_of(disturbed), folder)
            _go(process)
            while attempt % 2 and partition(disturbed) == before and process.poll() is None:
                time.sleep(0.001)  # every other time the kill falls after the first transaction at the earliest
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
            _end(process)
        group(disturbed, settings, now)
        assert partition(disturbed) == partition(store)


def test_two_processes_at_once_make_no_second_incident(
    store: Store, settings: Settings, folder: Path, now: datetime, new_store: Callable[[], Store]
) -> None:
    """Two runs on one store share the work; the partition is that of one."""
    rows = rumours(90)
    fill(store, rows)
    group(store, settings, now)
    shared = new_store()
    fill(shared, rows)
    processes = [_child(url_of(shared), folder) for _ in range(2)]
    for process in processes:
        _go(process)
    for process in processes:
        _end(process)
        assert process.returncode == 0
    assert partition(shared) == partition(store)
