"""Other words for one claim join its incident; what only may be the same is noted; what moves away leaves."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from classifiers import live
from classifiers.claims import Certainty, Index, Repeat
from classifiers.group import ACTOR, group, same_claim
from monitor.config import Settings
from monitor.store import Store, audit, incident_list, incidents, regroup
from monitor.store.incidents import Member
from monitor.store.schema import incident_items, items, revisions, signatures
from monitor.text import fold
from monitor.types import Claim
from tests.grouping import START, Row, assess, fill, partition

BOXES = "Ballot boxes from the hall in Heron Street were carried out at night by the fish market and counted twice."
BOXES_AGAIN = (
    "Neighbours tell us: at night the ballot boxes were carried from the hall in Heron Street to the fish market, "
    "where they were counted a second time."
)
CAMERAS = "the caretaker had switched off the corridor cameras for repairs that evening, "
BOXES_AND_CAMERAS = f"{BOXES_AGAIN[:-1]}; {CAMERAS}neighbours tell us."
CAMERAS_ALONE = f"Neighbours tell us that {CAMERAS}and the ladder stood in the way."
FERRY = "The ferry company will refuse passengers who cannot show a stamp that proves they voted for the new pier."
BOXES_ZH = "蒼鷺街禮堂的投票箱深夜被人經魚市場搬走，其後重複點算兩次，選票數目多出一倍。"
BOXES_ZH_AGAIN = "街坊目擊深夜有人將投票箱由蒼鷺街禮堂搬走，經過魚市場，選票其後被重複點算。"
FERRY_ZH = "渡輪公司將拒載未能證明自己曾投票支持新碼頭方案的乘客，登船前須出示蓋印。"


def reasons(store: Store) -> dict[int, str]:
    """Why each item stands where it stands."""
    with store.read() as connection:
        rows = connection.execute(select(incident_items.c.item_id, incident_items.c.reason))
        return {row.item_id: row.reason for row in rows}


def edit(store: Store, item_id: int, title: str, *, names: tuple[str, ...] = (), flagged: bool = True) -> None:
    """The outlet changes its text, and the new one is assessed."""
    later = START + timedelta(hours=2)
    with store.write() as connection:
        row = connection.execute(select(items).where(items.c.id == item_id)).one()
        earlier = {"item_id": item_id, "revision": row.revision, "title": row.title, "summary": row.summary}
        connection.execute(insert(revisions).values(**earlier, seen_at=row.first_seen_at, replaced_at=later))
        changed = {"title": title, "summary": "", "revision": row.revision + 1, "edited_at": later}
        connection.execute(update(items).where(items.c.id == item_id).values(**changed))
        assess(connection, item_id, revision=row.revision + 1, flagged=flagged, names=names, at=later)


@pytest.mark.parametrize(
    ("claim", "again", "other"),
    [
        (BOXES, BOXES_AGAIN, FERRY),
        (BOXES_ZH, BOXES_ZH_AGAIN, FERRY_ZH),
        (BOXES_ZH, fold(BOXES_ZH_AGAIN), FERRY_ZH),  # Simplified
        (fold(BOXES_ZH), BOXES_ZH_AGAIN, fold(FERRY_ZH)),
    ],
)
def test_a_repeated_claim_joins(
    store: Store, settings: Settings, now: datetime, claim: str, again: str, other: str
) -> None:
    """In other words, in either script; another claim does not. Each item says why, and how similar it was."""
    first, repeat, apart = fill(
        store, [Row(claim, minute=1), Row(again, feed=2, minute=2), Row(other, feed=3, minute=3)]
    )
    group(store, settings, now)
    assert partition(store) == {frozenset({first, repeat}), frozenset({apart})}
    assert reasons(store) == {first: "first", repeat: "same-claim", apart: "first"}


def test_joins_make_no_chain(store: Store, settings: Settings, now: datetime) -> None:
    """What repeats only an item that itself joined by claim does not join."""
    first, repeat, third = fill(
        store, [Row(BOXES, minute=1), Row(BOXES_AND_CAMERAS, feed=2, minute=2), Row(CAMERAS_ALONE, feed=3, minute=3)]
    )
    known = Index()
    known.add([Claim("repeat", BOXES_AND_CAMERAS), Claim("other", FERRY)])
    assert known.match(CAMERAS_ALONE)[0].certainty is Certainty.CONFIRMED
    group(store, settings, now)
    assert partition(store) == {frozenset({first, repeat}), frozenset({third})}


@pytest.mark.parametrize(
    ("row", "is_related"),
    [
        (Row(BOXES_AGAIN, names=("man",), feed=2, minute=2), True),
        (Row(BOXES_AGAIN, names=("cheuk", "man"), feed=2, minute=2), True),
        (Row(BOXES_AGAIN, names=("chik",), feed=2, minute=2), False),
        (Row(BOXES_AGAIN, names=("cheuk",), findings=[("facts-count", "facts.toml")], feed=2, minute=2), True),
    ],
)
def test_other_people_or_a_new_finding_make_another_incident(
    store: Store, settings: Settings, now: datetime, row: Row, is_related: bool
) -> None:
    """The same words about others, or against one more fact; where they may be one, that is noted."""
    names = ("cheuk", "man") if row.names == ("man",) else ("cheuk",)
    fill(store, [Row(BOXES, names=names, minute=1), row])
    assert group(store, settings, now).counts["incidents_new"] == 2
    with store.read() as connection:
        assert bool(incidents.related_to(connection, 1)) == is_related


def test_a_short_text_joins_nothing(store: Store, settings: Settings, now: datetime) -> None:
    """A headline of few words may be about it; it is a person who says so."""
    fill(store, [Row(BOXES, minute=1), Row("Heron Street: ballot boxes counted twice?", feed=2, minute=2)])
    assert group(store, settings, now).counts["incidents_new"] == 2
    with store.read() as connection:
        assert [row["id"] for row in incidents.related_to(connection, 2)] == [1]


def test_the_decision_takes_the_most_similar_that_fits() -> None:
    """An incident that is gone, or about others, is passed over; only what is confirmed is joined."""
    sure = [Repeat(Claim(str(id), ""), 0.9 - id / 10, Certainty.CONFIRMED) for id in (1, 2, 3, 4, 5)]
    members = [
        Member(10, 2, b"", frozenset({"chik"})),
        Member(11, 3, b"", frozenset({"man"})),
        Member(12, 4, b"", frozenset({"man"}), frozenset({("r", "l")})),
    ]
    found = same_claim(sure, frozenset({"man"}), frozenset({("r", "l")}), members)
    assert found.copy is not None
    assert (found.copy.incident_id, found.copy.reason) == (4, "same-claim")
    unsure = [Repeat(repeat.claim, repeat.similarity, Certainty.SUGGESTED) for repeat in sure]
    noted = same_claim(unsure, frozenset({"man"}), frozenset(), members)
    assert (noted.copy, [id for id, _ in noted.related]) == (None, [3, 4])


def test_a_claim_is_joined_as_long_as_it_is_live(store: Store, settings: Settings, now: datetime) -> None:
    """What was last seen longer ago than `triage.live_days` is joined by copies only."""
    fill(store, [Row(BOXES, minute=1)])
    group(store, settings, now)
    fill(store, [Row(BOXES_AGAIN, feed=2, minute=2), Row(BOXES + "!", feed=3, minute=3)])
    later = START + timedelta(days=settings.triage.live_days, minutes=5)
    assert group(store, settings, later).counts == {"items": 2, "incidents_new": 1, "joined": 1, "left": 0}


def test_an_edited_text_that_says_something_else_leaves(store: Store, settings: Settings, now: datetime) -> None:
    """It gets an incident of its own, with an audit entry; what it leaves is still found by its claim and by copies."""
    moved, stays = fill(store, [Row(BOXES, minute=1), Row(BOXES_AGAIN, feed=2, minute=2)])
    group(store, settings, now)
    edit(store, moved, FERRY)
    assert group(store, settings, now).counts == {"items": 0, "incidents_new": 0, "joined": 0, "left": 1}
    assert partition(store) == {frozenset({moved}), frozenset({stays})}
    assert group(store, settings, now).counts["left"] == 0
    with store.read() as connection:
        (entry,) = audit.listing(connection, subject=regroup.subject(1))
        assert incident_list.get(connection, 1)["first_seen_at"] == START + timedelta(minutes=2, seconds=1)
        assert set(connection.scalars(select(signatures.c.item_id))) == {moved, stays}
    assert (entry["actor"], entry["action"]) == (ACTOR, "incident.leave")
    assert entry["detail"]["item"] == moved
    assert entry["detail"]["into"] == 2
    assert "changed" in entry["detail"]["reason"]
    copies = fill(store, [Row(FERRY + "!", feed=3, minute=5), Row(BOXES_AGAIN + "!", feed=3, minute=6)])
    group(store, settings, now)
    assert partition(store) == {frozenset({moved, copies[0]}), frozenset({stays, copies[1]})}


def test_an_edited_text_that_says_the_same_stays(store: Store, settings: Settings, now: datetime) -> None:
    """A corrected letter, other words for the claim, or a corrected text that is flagged no more: nothing moves."""
    first, second, third = fill(
        store, [Row(BOXES, minute=1), Row(BOXES + " (ESO)", feed=2, minute=2), Row(BOXES_AGAIN, feed=3, minute=3)]
    )
    group(store, settings, now)
    edit(store, first, BOXES.replace("twice", "twice over"))
    edit(store, second, BOXES_AGAIN)
    edit(store, third, "Correction: all boxes stayed in the hall", flagged=False)
    assert group(store, settings, now).counts["left"] == 0
    assert partition(store) == {frozenset({first, second, third})}


def test_a_new_name_in_an_edited_copy_makes_it_leave(store: Store, settings: Settings, now: datetime) -> None:
    """Hardly a word is changed, but it is about somebody else now."""
    first, second = fill(
        store, [Row(BOXES, names=("man",), minute=1), Row(BOXES + "!", names=("man",), feed=2, minute=2)]
    )
    group(store, settings, now)
    edit(store, second, BOXES + "!!", names=("chik",))
    assert group(store, settings, now).counts["left"] == 1
    assert partition(store) == {frozenset({first}), frozenset({second})}


def test_an_item_alone_is_its_incident(store: Store, settings: Settings, now: datetime) -> None:
    """Whatever becomes of its text, it stays, and its new text is the claim by which others join."""
    (only,) = fill(store, [Row(BOXES, minute=1)])
    group(store, settings, now)
    edit(store, only, FERRY)
    assert group(store, settings, now).counts["left"] == 0
    old, new = fill(store, [Row(BOXES_AGAIN, feed=2, minute=5), Row("Hear: " + FERRY, feed=3, minute=6)])
    group(store, settings, now)
    assert partition(store) == {frozenset({only, new}), frozenset({old})}


def test_the_index_kept_in_memory_says_what_a_new_one_says(store: Store, settings: Settings, now: datetime) -> None:
    """After edits and moves by others, the index of the last pass holds for each incident what the store holds."""
    ids = fill(store, [Row(BOXES, minute=1), Row(FERRY, feed=2, minute=2), Row(BOXES_ZH, feed=3, minute=3)])
    group(store, settings, now)
    with store.write() as connection:  # as another process would
        regroup.merge(connection, 2, 1, now)
    edit(store, ids[2], FERRY_ZH)
    group(store, settings, now)
    kept = live.borrow(store, settings, now)
    fresh = live.borrow(store, settings, now)
    assert kept is not fresh
    with store.read() as connection:
        kept.update(connection)
        fresh.update(connection)
    for text in (BOXES_AGAIN, FERRY, BOXES_ZH_AGAIN, FERRY_ZH):
        old, new = ([(r.claim.id, r.certainty) for r in index.index.match(text)] for index in (kept, fresh))
        assert old == new


def test_a_pass_that_fails_leaves_no_index(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it took back is in no memory: the next pass groups as if it had never been."""
    first, repeat = fill(store, [Row(BOXES, minute=1), Row(BOXES_AGAIN, feed=2, minute=2)])
    with monkeypatch.context() as broken:
        broken.setattr(incidents, "relate", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            group(store, settings, now)
    group(store, settings, now)
    assert partition(store) == {frozenset({first, repeat})}
