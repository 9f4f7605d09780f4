"""Training from decisions: what each teaches, and that nothing is promoted by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from classifiers import registry
from classifiers.assess import assess
from classifiers.examples import Example
from classifiers.train import from_decision, train
from monitor.config import Settings
from monitor.store import Store, feeds, items, models
from monitor.store.schema import alerts, decisions, incident_items, incidents
from monitor.types import ClaimType, Entry, Label, Lang, Role, Stance

ROW = {
    "text": "文沛霖已經退選",
    "lang": "zh-Hant",
    "label": "false-information",
    "stance": "asserts",
    "claim_type": "candidate-status",
    "verdict": None,
    "reason": "not-false",
}


@pytest.mark.parametrize(
    ("changed", "label"),
    [
        ({"decision": "dismiss"}, Label.GENUINE),
        ({"decision": "dismiss", "reason": "satire: every April"}, Label.GENUINE),
        ({"decision": "dismiss", "reason": "opinion"}, Label.GENUINE),
        ({"decision": "dismiss", "reason": "duplicate-story: see alert 5"}, None),
        ({"decision": "dismiss", "reason": "not-election"}, None),
        ({"decision": "dismiss", "reason": "other: no idea"}, None),
        ({"decision": "clarify", "verdict": "false"}, Label.FALSE_INFORMATION),
        ({"decision": "clarify", "verdict": "misleading", "label": "impersonation"}, Label.IMPERSONATION),
        ({"decision": "clarify", "verdict": "partly_false", "label": "genuine"}, Label.FALSE_INFORMATION),
        ({"decision": "clarify", "verdict": "true"}, None),
        ({"decision": "clarify", "verdict": "unproven"}, None),
        ({"decision": "refer", "claim_type": "scam-lure"}, Label.IMPERSONATION),
        ({"decision": "refer", "claim_type": "impersonation-media"}, Label.IMPERSONATION),
        ({"decision": "refer"}, None),
        ({"decision": "refer", "claim_type": None}, None),
        ({"decision": "watch"}, None),
        ({"decision": "duplicate"}, None),
    ],
)
def test_what_a_decision_teaches(changed: dict[str, str], label: Label | None) -> None:
    """Only what a person found out is learned."""
    learned = from_decision(ROW | changed)
    assert (learned.label if learned else None) is label


def test_stance_and_claim_type_are_learned_from_confirmed_falsehoods_only() -> None:
    """Nobody looked at those of a dismissed text."""
    dismissed = from_decision(ROW | {"decision": "dismiss"})
    confirmed = from_decision(ROW | {"decision": "clarify", "verdict": "false"})
    assert dismissed == Example(ROW["text"] or "", Label.GENUINE, Lang.HANT)
    assert confirmed
    assert (confirmed.stance, confirmed.claim_type) == (Stance.ASSERTS, ClaimType.CANDIDATE_STATUS)


def test_without_decisions_training_gives_the_seeds_model(store: Store, settings: Settings, now: datetime) -> None:
    """The same id as at first use, and not live."""
    id = train(store, settings, now)
    assert id == registry.default_model()[0]
    with store.read() as connection:
        assert models.live(connection) is None


def test_decisions_reach_the_next_model(store: Store, settings: Settings, now: datetime) -> None:
    """A dismissed text is judged more harmless by the model trained on it; the live model stays until promoted."""
    title = "Forward now: the count at Osprey Valley was switched overnight, they are hiding 5,000 ballots"
    with store.write() as connection:
        feed, _ = feeds.add(
            connection, "https://a.example/rss", now, outlet="Jade Bay Post", role=Role.MEDIA, lang=None
        )
        items.add(connection, feed.id, [Entry("k", None, None, title, "", None, None)], now)
    assess(store, settings, now)
    before, old = registry.live(store, now)
    _decide(store, now, ["watch", "dismiss"])
    id = train(store, settings, now)
    assert id.startswith("reviewed-")
    assert registry.live(store, now)[0] == before != id
    new = registry.load(store, id)
    assert new.judge([title])[0].probability < old.judge([title])[0].probability
    assert train(store, settings, now) == id


def test_the_text_that_was_decided_on_is_learned_not_the_outlets_correction(
    store: Store, settings: Settings, now: datetime
) -> None:
    """After the decision the outlet corrects itself, and is assessed again: the falsehood stays the falsehood."""
    false = Entry("k", None, None, "文沛霖已經退選，選票上沒有他的名字", "", None, None)
    correction = Entry("k", None, None, "更正：文沛霖並無退選，本報報道有誤", "", None, None)
    with store.write() as connection:
        feed, _ = feeds.add(connection, "https://a.example/rss", now)
        items.add(connection, feed.id, [false], now)
    assess(store, settings, now)
    _decide(store, now + timedelta(minutes=5), ["watch"])
    with store.write() as connection:
        items.edit(connection, items.get(connection, 1), correction, now + timedelta(hours=1))
    assess(store, settings, now + timedelta(hours=1))
    with store.read() as connection:
        (row,) = models.reviewed(connection)
    assert row["text"] == false.title
    assert row["stance"] == "asserts"


def test_labelled_rows_reach_the_next_model(store: Store, settings: Settings, now: datetime) -> None:
    """Rows of a file count like decisions."""
    rows = [Example("The kiosk by the pier sells maps", Label.GENUINE, Lang.EN)]
    assert train(store, settings, now, rows).startswith("reviewed-")


def _decide(store: Store, now: datetime, acts: list[str]) -> None:
    """An incident with the first item, an alert, and decisions on it in this order."""
    with store.write() as connection:
        connection.execute(
            insert(incidents).values(id=1, title="t", lang="en", created_at=now, first_seen_at=now, last_seen_at=now)
        )
        connection.execute(
            insert(incident_items).values(item_id=1, incident_id=1, reason="first", similarity=1, added_at=now)
        )
        connection.execute(
            insert(alerts).values(
                id=1,
                incident_id=1,
                state="decided",
                priority=2,
                priority_reasons=[],
                score=0.9,
                route="desk",
                opened_at=now,
            )
        )
        for act in acts:
            connection.execute(
                insert(decisions).values(alert_id=1, reviewer="wing", decision=act, reason="not-false", at=now)
            )
