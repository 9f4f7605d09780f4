"""What counts as a known claim."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from monitor.store import Store, claims, incidents
from monitor.store.schema import alerts, assessments, feeds, incident_items
from monitor.types import Claim, Verdict
from tests.grouping import START, Row, assess, fill

DECIDED = START + timedelta(hours=1)


def rule(store: Store, item_ids: list[int], *verdicts: str | None) -> int:
    """Put items into an incident that got these verdicts one after another; returns its id."""
    with store.write() as connection:
        (first,) = incidents.flagged(connection, item_ids[:1])
        incident_id = incidents.add(connection, first.item, None, DECIDED)
        connection.execute(
            insert(incident_items),
            [
                {"item_id": id, "incident_id": incident_id, "reason": "first", "similarity": 1.0, "added_at": DECIDED}
                for id in item_ids
            ],
        )
        for verdict in verdicts:
            connection.execute(
                insert(alerts).values(
                    incident_id=incident_id,
                    state="closed",
                    priority=2,
                    priority_reasons=[],
                    score=0.9,
                    route="default",
                    opened_at=START,
                    decision="clarify",
                    verdict=verdict,
                )
            )
    return incident_id


def known(store: Store) -> list[Claim]:
    """As the stages read them."""
    with store.read() as connection:
        return claims.known(connection)


def test_an_empty_store_knows_nothing(store: Store) -> None:
    """No claims is an answer."""
    assert known(store) == []


def test_every_item_of_an_incident_with_a_verdict_is_a_wording(store: Store) -> None:
    """The last verdict counts; what is undecided, or decided not to be about facts, is unknown."""
    ids = fill(store, [Row(f"Title {number}", "Words" if number else "", minute=number) for number in range(6)])
    one = rule(store, ids[:2], "unproven", None, "false")
    other = rule(store, ids[2:3], "true")
    rule(store, ids[3:4], "opinion")
    rule(store, ids[4:5], None)
    rule(store, ids[5:6], "false", "out_of_scope")
    assert known(store) == [
        Claim(f"incident-{one}", "Title 0", verdict=Verdict.FALSE),
        Claim(f"incident-{one}", "Title 1\nWords", verdict=Verdict.FALSE),
        Claim(f"incident-{other}", "Title 2\nWords", verdict=Verdict.TRUE),
    ]


@pytest.mark.parametrize(("role", "counts"), [("official", True), ("factcheck", True), ("media", False)])
def test_what_official_and_fact_check_feeds_refute_is_known(store: Store, role: str, counts: bool) -> None:
    """Only their refutations, by the assessment in force of the present text."""
    refuted, _, earlier = fill(store, [Row("Refuted"), Row("Reported"), Row("Refuted once")])
    with store.write() as connection:
        connection.execute(update(feeds).values(role=role))
        mine = assessments.c.item_id.in_([refuted, earlier])
        connection.execute(update(assessments).where(mine).values(stance="refutes"))
        assess(connection, earlier, model="m2", flagged=False, at=DECIDED)  # a newer model thinks otherwise
    assert known(store) == ([Claim(f"item-{refuted}", "Refuted")] if counts else [])


def test_a_verdict_outranks_a_refutation_and_the_newest_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item is one claim, and memory is bounded."""
    ids = fill(store, [Row("A"), Row("B"), Row("C")])
    with store.write() as connection:
        connection.execute(update(feeds).values(role="official"))
        connection.execute(update(assessments).values(stance="refutes"))
    ruled = rule(store, ids[1:2], "false")
    assert [claim.id for claim in known(store)] == [f"item-{ids[0]}", f"incident-{ruled}", f"item-{ids[2]}"]
    monkeypatch.setattr(claims, "LIMIT", 2)
    assert [claim.id for claim in known(store)] == [f"incident-{ruled}", f"item-{ids[2]}"]
