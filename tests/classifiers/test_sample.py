"""A few items a day are looked at though nobody flagged them: drawn once, by lot, and marked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from alerts import queue
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from classifiers.group import group
from classifiers.sample import Sample, draw, sample
from monitor.config import Settings
from monitor.store import Store, audit, incident_list, incidents, models
from monitor.store import alerts as alert_store
from monitor.store.schema import assessments, feeds
from monitor.store.schema import incidents as table
from monitor.types import ClaimType, Decision
from tests.alerts.rows import QUIET, add_incident
from tests.grouping import START, Row, assess, fill, partition

DAY = date(2027, 3, 1)
NEXT = datetime(2027, 3, 2, 0, 0, 30, tzinfo=ZoneInfo("Asia/Hong_Kong"))  # just after midnight
STREETS = ("Heron", "Coral", "Juniper", "Saffron", "Mallard")


def quiet(count: int, **given: object) -> list[Row]:
    """Items of one day that nobody flagged, hardly alike."""
    return [
        Row(f"{STREETS[n % 5]} {n}", f"word{n} w{n}x w{n}y", minute=n % 600, flagged=False, **given)  # type: ignore[arg-type]  # as given
        for n in range(count)
    ]


def drawn(store: Store) -> Counter[str | None]:
    """How many incidents of each kind there are."""
    with store.read() as connection:
        return Counter(connection.scalars(select(table.c.sample)))


def test_samples_are_drawn_once_a_day(store: Store, settings: Settings) -> None:
    """Three that were nearly flagged and three of the others, however often it runs; tomorrow others."""
    fill(store, quiet(60))
    assert sample(store, settings, NEXT).counts == {"drawn": 6}
    for again in (NEXT, NEXT + timedelta(hours=23)):
        assert sample(store, settings, again).counts == {"drawn": 0}
    assert drawn(store) == {"uncertain": 3, "random": 3}
    assert sample(store, settings, NEXT + timedelta(days=1)).counts == {"drawn": 0}  # nothing was seen that day


def test_only_yesterdays_unflagged_media_items_are_drawn(store: Store, settings: Settings) -> None:
    """Neither what is flagged or grouped, nor officials, nor another local day; nobody flagged the last second."""
    midnight = int((NEXT.replace(second=0) - START).total_seconds() // 60)  # minutes from START
    (wanted, *_) = fill(
        store,
        [
            Row("The last minute of the day", minute=midnight - 1, flagged=False),
            Row("Flagged", minute=5),
            Row("Today", minute=midnight, flagged=False),
            Row("The day before", minute=midnight - 1441, flagged=False),
            Row("An office says", minute=6, feed=2, flagged=False),
        ],
    )
    with store.write() as connection:
        connection.execute(update(feeds).where(feeds.c.id == 2).values(role="official"))
    assert sample(store, settings, NEXT).counts == {"drawn": 1}
    assert partition(store) == {frozenset({wanted})}


def test_no_samples_where_none_are_wanted(store: Store, configure: Callable[[str], Settings]) -> None:
    """`samples_uncertain` and `samples_random` may be 0, one or both."""
    fill(store, quiet(40))
    assert sample(store, configure("[triage]\nsamples_uncertain = 0\nsamples_random = 0\n"), NEXT).counts["drawn"] == 0
    assert sample(store, configure("[triage]\nsamples_uncertain = 0\nsamples_random = 2\n"), NEXT).counts["drawn"] == 2
    assert drawn(store) == {"random": 2}


def test_killed_in_the_middle_all_or_none(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails at any item leaves nothing; the next pass draws the same ones."""
    fill(store, quiet(60))
    add_item, left = incidents.add_item, [4]

    def dying(*given: object) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        add_item(*given)  # type: ignore[arg-type]  # as given

    with monkeypatch.context() as broken:
        broken.setattr(incidents, "add_item", dying)
        with pytest.raises(KeyboardInterrupt):
            sample(store, settings, NEXT)
    assert partition(store) == set()
    assert sample(store, settings, NEXT).counts == {"drawn": 6}


def test_the_lot_is_fair_and_the_same_for_everybody() -> None:
    """The order of the rows makes no difference, the day does; over many days everyone's turn comes."""
    scored = [(id, id / 1000) for id in range(100)]
    once = draw(scored, DAY, 3, 3)
    assert draw(random.Random(1).sample(scored, 100), DAY, 3, 3) == once
    assert draw(scored, DAY + timedelta(days=1), 3, 3) != once
    nearly = {id for id, kind in once.items() if kind is Sample.UNCERTAIN}
    assert len(nearly) == 3
    assert min(nearly) >= 80
    turns = Counter(id for n in range(600) for id in draw(scored, DAY + timedelta(days=n), 3, 3))
    assert set(turns) == set(range(100))
    assert max(turns.values()) < 3 * 600 * 3 / 20
    assert draw(scored[:4], DAY, 3, 3).keys() <= {0, 1, 2, 3}
    assert draw([], DAY, 3, 3) == {}


def test_a_sample_is_an_alert_at_p4_that_says_so_and_never_escalates(
    store: Store, settings: Settings, now: datetime
) -> None:
    """However long it waits, and though somebody held it; it is found by its mark."""
    fill(store, quiet(40, names=("man",), claim_type="count-fraud"))
    sample(store, settings, NEXT)
    assert dispatch(store, settings, NEXT).counts == {"opened": 6, "raised": 0, **QUIET}
    for row in queue.listing(store):
        assert (row["priority"], row["level"], row["due_at"]) == ("P4", 0, None)
        assert row["sample"] in ("uncertain", "random")
        assert row["priority_reasons"][0].startswith("A sample: nobody flagged it")
    other = add_incident(store, NEXT, score=0.1, matches=(), claim_type=ClaimType.OPINION_OR_SATIRE)
    dispatch(store, settings, NEXT)
    first = queue.take(store, settings, "maya", NEXT)
    assert (first["incident_id"], first["priority"]) == (other, "P4")  # samples wait behind all others
    queue.decide(store, settings, "maya", NEXT, first["id"], Decision.DISMISS, None, "opinion")
    taken = queue.take(store, settings, "maya", NEXT)
    assert taken["due_at"] is None
    for days in (1, 30):
        escalate(store, settings, NEXT + timedelta(days=days))
        assert dispatch(store, settings, NEXT + timedelta(days=days)).counts == {"opened": 0, "raised": 0, **QUIET}
    assert {(row["level"], row["state"], row["due_at"]) for row in queue.listing(store)} == {(0, "open", None)}


def test_a_decision_on_a_sample_is_learned(store: Store, settings: Settings) -> None:
    """Like any other: a miss that was found teaches."""
    fill(store, quiet(1))
    sample(store, settings, NEXT)
    dispatch(store, settings, NEXT)
    row = queue.take(store, settings, "maya", NEXT)
    queue.decide(store, settings, "maya", NEXT, row["id"], Decision.DISMISS, None, "not-false")
    with store.read() as connection:
        (learned,) = models.reviewed(connection)
    assert (learned["decision"], learned["reason"]) == ("dismiss", "not-false")


def test_what_is_flagged_joins_no_sample(store: Store, settings: Settings) -> None:
    """Neither a copy nor the same page: it would wait at P4 with it."""
    page = "https://harbour.example/story/5"
    text = "Ballot boxes from the hall in Heron Street were carried out at night and counted twice by the market"
    fill(store, [Row(text, feed=1, minute=1, flagged=False, link=page)])
    sample(store, settings, NEXT)
    fill(store, [Row(text + "!", feed=2, minute=1000, link=page), Row(text + "?", feed=3, minute=1001)])
    assert group(store, settings, NEXT).counts == {"items": 2, "incidents_new": 1, "joined": 1, "left": 0}


def test_a_sample_that_is_flagged_after_all_is_an_incident(store: Store, settings: Settings) -> None:
    """A newer model thinks otherwise: the alert gets its priority and its clock, and copies join."""
    text = "Ballot boxes from the hall in Heron Street were carried out at night and counted twice by the market"
    (id,) = fill(store, [Row(text, flagged=False)])
    sample(store, settings, NEXT)
    dispatch(store, settings, NEXT)
    with store.write() as connection:
        given = {"flagged": True, "claim_type": "count-fraud", "names": ("man",)}
        assess(connection, id, model="m2", at=NEXT, **given)
    group(store, settings, NEXT)
    assert drawn(store) == {None: 1}
    assert dispatch(store, settings, NEXT).counts == {"opened": 0, "raised": 1, **QUIET}
    assert dispatch(store, settings, NEXT).counts == {"opened": 0, "raised": 0, **QUIET}
    (row,) = queue.listing(store)
    assert (row["sample"], row["claim_type"], row["due_at"] is None) == (None, "count-fraud", False)
    assert row["priority"] < "P4"
    fill(store, [Row(text + "!", feed=2, minute=1000, names=("man",))])
    assert group(store, settings, NEXT).counts["joined"] == 1
    with store.read() as connection:
        history = audit.listing(connection, subject=alert_store.subject(row["id"]))
        assert len(incident_list.get(connection, 1)["items"]) == 2
        assert connection.scalar(select(func.count()).select_from(assessments)) == 3
    assert [entry["action"] for entry in history] == ["alert.open", "alert.reprioritise"]
