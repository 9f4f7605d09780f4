"""The two drills that ship: whole polling days, bilingual, planted by hand; no copy of what the model learned from."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alerts.drill import Pace, make_folder, run
from alerts.drill_script import Script, read_script
from monitor import seeds
from monitor.reference import load_facts, load_watchlist
from monitor.types import ClaimType, Lang, Role
from tests.drills.build import OUT, WORLDS, World, read_plants, text_of

NAMES = [world.name for world in WORLDS]
GRAM = 8


@cache
def script(name: str) -> Script:
    """One of them."""
    return read_script(OUT / f"{name}.jsonl.gz")


@pytest.mark.parametrize("world", WORLDS, ids=NAMES)
def test_what_ships_is_what_the_builder_writes(world: World) -> None:
    """The plants stand in a file that people can read; `python -m tests.drills.build` makes the drill of it."""
    with gzip.open(OUT / f"{world.name}.jsonl.gz", "rt", encoding="utf-8") as file:
        assert file.read() == text_of(world)


def test_they_are_small() -> None:
    """Together under a megabyte."""
    assert sum(file.stat().st_size for file in OUT.iterdir()) < 1_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_drill_is_a_whole_polling_day(name: str) -> None:
    """Items, plants of every claim type, official and fact-check feeds, three scripts, outages, edits, removals."""
    found = script(name)
    stories = [(change.feed, story) for change in found.changes for story in change.add]
    assert len(found.stories) >= 3_000
    assert len(found.plants) >= 40
    assert {plant.claim_type for plant in found.plants.values()} == set(ClaimType)
    assert {feed.role for feed in found.header.feeds} == set(Role)
    assert {feed.lang for feed in found.header.feeds} >= {Lang.EN, Lang.HANT, Lang.HANS}
    assert {change.outage for change in found.changes} >= {"500", "503", "timeout", "html", ""}
    assert any(change.remove for change in found.changes)
    assert len(stories) > len(found.stories), "some are edited"
    opens, closes = (datetime.fromisoformat(found.header.election[f"polling_{end}"]) for end in ("opens", "closes"))
    assert found.start < opens.replace(tzinfo=found.zone) < closes.replace(tzinfo=found.zone) < found.end


@pytest.mark.parametrize("name", NAMES)
def test_plants_are_refuted_reworded_and_flooded(name: str) -> None:
    """Refutations come after what they refute; one rumour has four wordings and more, one comes in a flood."""
    found = script(name)
    first: dict[str, datetime] = {}
    for change in found.changes:
        for story in change.add:
            if story.plant:
                first.setdefault(story.plant.id, change.at)
            if story.refutes:
                assert first[story.refutes] < change.at
    assert len(set(found.refutations.values())) >= 12
    plants = read_plants(name)
    assert max(sum(other["kind"] == "~" for other in plant["others"]) for plant in plants) >= 3
    assert max(plant["flood"] for plant in plants) >= 50
    roles = {feed.feed: feed.role for feed in found.header.feeds}
    assert all(roles[feed] in (Role.OFFICIAL, Role.FACTCHECK) for feed, _ in found.refutations)
    assert all(roles[feed] in (Role.MEDIA, Role.COMMUNITY) for feed, _ in found.claims)


@pytest.mark.parametrize("name", NAMES)
def test_innocent_stories_vary(name: str) -> None:
    """No title stands twice but where it was corrected, and few texts do."""
    stories = [story for change in script(name).changes for story in change.add if not story.plant]
    titles = [story.title for story in stories]
    assert len(set(titles)) > 0.99 * len(titles)
    texts = [f"{story.title} {story.summary}" for story in stories]
    assert len({text[:40] for text in texts}) > 0.75 * len(texts)
    assert len({story.summary for story in stories}) > 0.8 * len(stories)


@pytest.mark.parametrize("name", NAMES)
def test_candidates_of_the_plants_are_on_the_watchlist(name: str, tmp_path: Path) -> None:
    """The files beside a drill can be read, and its plants speak of people who are in them."""
    settings = make_folder(script(name), tmp_path / "drill", None)
    _, watchlist = load_watchlist(settings)
    known = {candidate.id for candidate in watchlist.candidate}
    named = {plant.candidate for plant in script(name).plants.values() if plant.candidate}
    assert len(named) >= 5
    assert named <= known
    facts = load_facts(settings).polling
    opens = datetime.fromisoformat(script(name).header.election["polling_opens"])
    assert facts.opens == opens.time()


def _grams(text: str) -> set[str]:
    return {text[i : i + GRAM] for i in range(len(text) - GRAM + 1)}


def _texts(name: str) -> list[tuple[str, str]]:
    plants: list[dict[str, Any]] = read_plants(name)
    return [(text["title"], text["summary"]) for plant in plants for text in (plant, *plant["others"])]


@pytest.mark.parametrize("name", NAMES)
def test_no_plant_is_among_the_training_examples(name: str) -> None:
    """Otherwise a drill would show memory, not judgement; nor do the two drills, or the demo, share one."""
    others = [row["text"] for row in seeds.json_lines("examples.jsonl")]
    others += [f"{row['title']} {row['summary']}" for row in seeds.json_lines("demo/items.jsonl")]
    others += [" ".join(text) for other in NAMES if other != name for text in _texts(other)]
    index: dict[str, list[int]] = {}
    for number, text in enumerate(others):
        for gram in _grams(text):
            index.setdefault(gram, []).append(number)
    for title, summary in _texts(name):
        grams = _grams(f"{title} {summary}")
        shared: dict[int, int] = {}
        for gram in grams:
            for number in index.get(gram, ()):
                shared[number] = shared.get(number, 0) + 1
        assert max(shared.values(), default=0) / len(grams) < 0.25, title


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", NAMES)
def test_a_whole_day(name: str, tmp_path: Path) -> None:
    """At full speed: everything is collected, most of what was planted is flagged, and false alarms stay few."""
    found = script(name)
    pace = Pace(None, lambda: datetime.now(UTC))
    report = run(found, tmp_path / "drill", pace, found.header.reviewers, 1, print)
    print(json.dumps({key: value for key, value in report.items() if key not in ("plants", "queue", "hours")}))
    assert report["items"] + report["not_collected"] == len(found.stories)
    assert report["not_collected"] < 0.01 * len(found.stories)
    assert report["recall"] >= 0.7
    assert report["false_alarms_per_hour"] <= 4
    assert report["times"]["decision"]["n"] >= 0.9 * report["detected"]
