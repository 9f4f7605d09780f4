"""Training from the store: what reaches the next model, when it is due, and when it becomes live by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from classifiers import registry, train
from classifiers.assess import assess
from classifiers.examples import Example
from classifiers.lessons import REVIEWED_WEIGHT, is_held_back
from monitor.config import Settings
from monitor.errors import ModelError, NotFoundError, RefusedError
from monitor.store import Connection, Store, audit, feeds, items, models
from monitor.store.schema import alerts, decisions, incident_items, incidents
from monitor.types import Entry, Label, Lang, Role

FALSE = "Forward now: the count at Osprey Valley was switched overnight, they are hiding 5,000 ballots"
LABELS = [Example("The kiosk by the pier sells maps", Label.GENUINE, Lang.EN)]
TRAINED = [number for number in range(1, 400) if not is_held_back(f"incident:{number}")]
HELD = [number for number in range(1, 400) if is_held_back(f"incident:{number}")]


def test_without_decisions_training_gives_the_seeds_model(store: Store, settings: Settings, now: datetime) -> None:
    """The same id as at first use, and not live."""
    id = train.train(store, settings, now)
    assert id == registry.default_model()[0]
    with store.read() as connection:
        assert models.live(connection) is None


@pytest.mark.parametrize("run", [train.train, train.learn])
def test_who_trains_is_waited_for(
    store: Store,
    settings: Settings,
    now: datetime,
    run: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As for the first model: however long it takes, and who waits says so."""
    monkeypatch.setattr(registry, "TOLD_S", 0.01)
    monkeypatch.setattr(train, "is_due", lambda *_: False)
    with ThreadPoolExecutor(1) as other:
        with store.lock("train"):
            waiting = other.submit(run, store, settings, now)
            while sum("waiting until the other model is trained" in told for told in caplog.messages) < 2:
                with pytest.raises(TimeoutError):
                    waiting.result(timeout=0.01)
        assert waiting.result(timeout=120)


def test_decisions_reach_the_next_model(store: Store, settings: Settings, now: datetime) -> None:
    """A dismissed text is judged more harmless by the model trained on it, of which every row can be listed."""
    _publish(store, now, [FALSE])
    assess(store, settings, now)
    before, old = registry.live(store, now)
    _decide(store, now, TRAINED[:1], ["watch", "dismiss"])
    id = train.train(store, settings, now)
    assert id.startswith("reviewed-")
    assert registry.live(store, now)[0] == before != id
    assert registry.load(store, id).judge([FALSE])[0].probability < old.judge([FALSE])[0].probability
    assert train.train(store, settings, now) == id
    with store.read() as connection:
        shown = registry.describe(models.get(connection, id))
        rows = registry.lessons_of(connection, id)
    assert shown["learned"] | {"seeds": 0} == {
        "seeds": 0,
        "reviewed": 1,
        "refutations": 0,
        "labels": 0,
        "stream": 1,
        "held_back": 0,
        "last_decision": 2,
    }
    assert len(rows) == shown["learned"]["seeds"] + 1
    (row,) = [row for row in rows if row["origin"] == "reviewed"]
    assert (row["item_id"], row["text"], row["label"], row["weight"]) == (1, FALSE, "genuine", REVIEWED_WEIGHT)


def test_the_text_that_was_decided_on_is_learned_not_the_outlets_correction(
    store: Store, settings: Settings, now: datetime
) -> None:
    """After the decision the outlet corrects itself, and is assessed again: the falsehood stays the falsehood."""
    false = "文沛霖已經退選，選票上沒有他的名字"
    correction = Entry("0", None, None, "更正：文沛霖並無退選，本報報道有誤", "", None, None)
    _publish(store, now, [false])
    assess(store, settings, now)
    _decide(store, now + timedelta(minutes=5), TRAINED[:1], ["watch"])
    with store.write() as connection:
        items.edit(connection, items.get(connection, 1), correction, now + timedelta(hours=1))
    assess(store, settings, now + timedelta(hours=1))
    with store.read() as connection:
        (row,) = models.reviewed(connection)
    assert row["text"] == false
    assert row["stance"] == "asserts"


def test_official_refutations_come_in_by_themselves(store: Store, settings: Settings, now: datetime) -> None:
    """Of official and fact-check feeds only, as they stand now, and held back or learned by their number."""
    _publish(store, now, ["選舉事務處澄清：票站如常開放"] * 6, role=Role.OFFICIAL)
    _publish(store, now, ["Harbour Check: no evidence that ballots were moved"] * 6, role=Role.FACTCHECK, name="f")
    _publish(store, now, ["Team denies that she has left the race"] * 6, name="m")
    assess(store, settings, now)
    id = train.train(store, settings, now)
    with store.read() as connection:
        learned = {row["item_id"] for row in registry.lessons_of(connection, id) if row["origin"] == "refutations"}
    assert learned == {number for number in range(1, 13) if not is_held_back(f"item:{number}")}


def test_learning_waits_for_time_and_decisions(store: Store, settings: Settings, now: datetime) -> None:
    """Both; decisions that a model knew of are not new."""
    _publish(store, now, [FALSE])
    assess(store, settings, now)
    tomorrow = now + timedelta(hours=settings.learn.every_hours)
    train.train(store, settings, now)
    _decide(store, now, TRAINED[:1], ["dismiss"] * (settings.learn.min_decisions - 1))
    assert not train.is_due(store, settings, tomorrow)
    _more(store, now)
    assert not train.is_due(store, settings, tomorrow - timedelta(seconds=1))
    assert train.is_due(store, settings, tomorrow)
    report = train.learn(store, settings, tomorrow)
    assert (report.counts["trained"], report.counts["promoted"]) == (True, False)
    assert not train.is_due(store, settings, tomorrow + timedelta(days=9))
    assert train.learn(store, settings, tomorrow + timedelta(days=9)).counts["trained"] is False


@pytest.mark.parametrize("promote", ["gated", "never"])
def test_a_model_that_is_no_worse_becomes_live_by_itself(
    store: Store, configure: Callable[[str], Settings], now: datetime, promote: str
) -> None:
    """With enough held-back decisions, unless it is forbidden; audited, with the reasons; and one command goes back."""
    settings = configure(f'[learn]\npromote = "{promote}"\nevery_hours = 1\nmin_decisions = 1\n')
    first = _desk_with_decisions(store, settings, now)
    later = now + timedelta(hours=2)
    report = train.learn(store, settings, later)
    id = str(report.counts["model"])
    with store.read() as connection:
        shown = registry.describe(models.get(connection, id))
        entries = audit.listing(connection, subject=registry.subject(id))
    assert shown["live"] is report.counts["promoted"] is (promote == "gated")
    assert any("all languages: average precision" in reason for reason in shown["reasons"])
    if promote == "never":
        assert "by hand only" in shown["reasons"][0]
        assert entries == []
        return
    assert [(entry["actor"], entry["action"]) for entry in entries] == [("learn", "model.promote")]
    assert entries[0]["detail"]["before"] == shown["follows"] == first
    assert registry.roll_back(store, later, "wing") == first
    _more(store, later)
    assert train.learn(store, settings, later + timedelta(hours=2)).counts["promoted"] is False  # the same rows
    with store.read() as connection:
        assert models.live(connection)["id"] == first  # type: ignore[index]  # there is one
        assert registry.describe(models.get(connection, id))["reasons"] == [f"wing rolled back from it to {first}."]
        assert audit.listing(connection)[-1]["action"] == "model.rollback"
        assert audit.verify(connection) is None


def test_there_is_nothing_to_roll_back_to_at_first(store: Store, now: datetime) -> None:
    """One sentence; nothing changes, and an earlier model that cannot be read is not made live."""
    with pytest.raises(RefusedError, match="models list"):
        registry.roll_back(store, now, "wing")
    first, _ = registry.live(store, now)
    with pytest.raises(RefusedError):
        registry.roll_back(store, now, "wing")
    with store.write() as connection:
        row = models.get(connection, first) | {"id": "reviewed-00000000", "live": False, "blob": b"damaged"}
        models.put(connection, row)
        models.promote(connection, "reviewed-00000000", now)
        models.promote(connection, first, now)
    with pytest.raises(ModelError, match="damaged"):
        registry.roll_back(store, now, "wing")
    with pytest.raises(ModelError, match="damaged"):
        registry.promote_by_hand(store, "reviewed-00000000", now, "wing")
    with pytest.raises(NotFoundError):
        registry.promote_by_hand(store, "reviewed-1", now, "wing")
    assert registry.live(store, now)[0] == first


def test_labelled_rows_reach_the_next_model(store: Store, settings: Settings, now: datetime) -> None:
    """Rows of a file count like decisions; a model from before rows were kept says so."""
    id = train.train(store, settings, now, LABELS)
    assert id.startswith("reviewed-")
    with store.write() as connection:
        models.put(connection, models.get(connection, id) | {"blob": b"", "lessons": None})
        with pytest.raises(ModelError, match="before its rows were kept"):
            registry.lessons_of(connection, id)


def _desk_with_decisions(store: Store, settings: Settings, now: datetime) -> str:
    """Forty incidents that are held back, half of them false, and some that teach; returns the live model."""
    texts = [
        text
        for number in range(20)
        for text in (f"Send the verification code to eso-verify{number}.example now", f"Pier {number} sells maps")
    ]
    _publish(store, now, [*texts, "The kiosk by the pier sells maps"])
    assess(store, settings, now)
    numbers = [*HELD[: len(texts)], TRAINED[0]]
    for place, number in enumerate(numbers):
        act = "refer" if place < len(texts) and place % 2 == 0 else "dismiss"
        _decide(store, now, [number], [act], item_id=place + 1, claim_type="scam-lure")
    return registry.live(store, now)[0]


def _publish(store: Store, now: datetime, texts: Sequence[str], role: Role = Role.MEDIA, name: str = "a") -> None:
    entries = [Entry(str(number), None, None, text, "", None, None) for number, text in enumerate(texts)]
    with store.write() as connection:
        feed, _ = feeds.add(connection, f"https://{name}.example/rss", now, outlet=name, role=role, lang=None)
        items.add(connection, [(feed.id, entry) for entry in entries], now)


def _decide(
    store: Store,
    now: datetime,
    numbers: Sequence[int],
    acts: Sequence[str],
    item_id: int = 1,
    claim_type: str | None = None,
) -> None:
    """For each number an incident with the item, an alert, and decisions on it in this order."""
    with store.write() as connection:
        for number in numbers:
            seen = {"created_at": now, "first_seen_at": now, "last_seen_at": now}
            connection.execute(insert(incidents).values(id=number, title="t", lang="en", claim_type=claim_type, **seen))
            member = {"item_id": item_id, "incident_id": number, "reason": "first", "similarity": 1, "added_at": now}
            connection.execute(insert(incident_items).values(member))
            alert = {"id": number, "incident_id": number, "state": "decided", "priority": 2, "priority_reasons": []}
            connection.execute(insert(alerts).values(alert | {"score": 0.9, "route": "desk", "opened_at": now}))
            for act in acts:
                _act(connection, number, act, now)


def _act(connection: Connection, alert_id: int, act: str, now: datetime) -> None:
    row = {"alert_id": alert_id, "reviewer": "wing", "decision": act, "reason": "not-false", "at": now}
    connection.execute(insert(decisions).values(row))


def _more(store: Store, now: datetime) -> None:
    """The same decision once more."""
    with store.write() as connection:
        _act(connection, TRAINED[0], "dismiss", now)
