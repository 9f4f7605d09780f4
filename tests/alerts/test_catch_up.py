"""Dispatch looks at incidents that are not as they were, and misses none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from alerts import dispatch as stage
from alerts import queue, silences
from alerts.dispatch import dispatch
from alerts.suppression import SilenceMatchers
from monitor.config import Settings
from monitor.store import Connection, Store, feeds, models, pending, regroup
from monitor.store.schema import feeds as feed_table
from monitor.types import Decision, Phase, Role
from tests.alerts.rows import add_incident, add_item, assess


def _left(store: Store) -> list[int]:
    with store.read() as connection:
        return pending.to_look_at(connection, 100)


def test_nothing_new_costs_no_look_at_any_alert(store: Store, settings: Settings, now: datetime) -> None:
    """With open alerts and nothing changed, no statement reads the items of an incident."""
    for number in range(5):
        add_incident(store, now, title=f"傳聞{number}")
    dispatch(store, settings, now)
    assert _left(store) == []
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    dispatch(store, settings, now)
    assert asked
    assert [statement for statement in asked if "FROM incident_items JOIN incidents" in statement] == []


def _joined(connection: Connection, now: datetime, incident_id: int) -> None:
    add_item(connection, now, incident_id, "Ferry Times", "卓望晴退選了？")


def _assessed(connection: Connection, now: datetime, incident_id: int) -> None:
    assess(connection, now, 1, score=0.9, model_id="m2")


def _withdrawn(connection: Connection, now: datetime, incident_id: int) -> None:
    regroup.withdraw(connection, 2)


def _other_role(connection: Connection, now: datetime, incident_id: int) -> None:
    url = connection.execute(feed_table.select()).first().url  # type: ignore[union-attr] # there is one
    feeds.add(connection, url, now, role=Role.OFFICIAL)


def _other_model(connection: Connection, now: datetime, incident_id: int) -> None:
    row = {"id": "m3", "created_at": now, "live": False, "data_sha256": "", "sha256": ""}
    models.put(connection, {**row, "versions": {}, "metrics": {}, "blob": b""})
    models.promote(connection, "m3", now)


@pytest.mark.parametrize("change", [_joined, _assessed, _withdrawn, _other_role, _other_model])
def test_whoever_changes_an_incident_notes_it(
    store: Store, settings: Settings, now: datetime, change: Callable[[Connection, datetime, int], None]
) -> None:
    """Another item, an opinion, an item that left, another role of its feed, another live model."""
    incident_id = add_incident(store, now, outlets=("Harbour Daily", "Harbour Post"))
    dispatch(store, settings, now)
    assert _left(store) == []
    with store.write() as connection:
        change(connection, now, incident_id)
    assert _left(store) == [incident_id]
    dispatch(store, settings, now)
    assert _left(store) == []


def test_an_alert_that_is_undecided_again_is_looked_at(store: Store, settings: Settings, now: datetime) -> None:
    """What grew while it was decided is as urgent as it should be once the decision is taken back."""
    incident_id = add_incident(store, now, score=0.7)
    dispatch(store, settings, now)
    alert_id = queue.take(store, settings, "maya", now)["id"]
    queue.decide(store, settings, "maya", now, alert_id, Decision.WATCH, None, "nothing new yet")
    with store.write() as connection:
        for outlet in ("Ferry Times", "Pier Post", "Hill Weekly", "Bay Echo"):
            item_id = add_item(connection, now, incident_id, outlet, "卓望晴退選？")
            assess(connection, now, item_id, score=0.99)
    dispatch(store, settings, now)
    before = queue.show(store, alert_id)["score"]
    queue.undo(store, settings, "maya", now, alert_id)
    dispatch(store, settings, now)
    assert (before, queue.show(store, alert_id)["score"]) == (0.7, 0.99)


def test_every_alert_is_looked_at_by_other_rules(store: Store, settings: Settings, now: datetime) -> None:
    """A silence, another phase or file of rules concern alerts whose incidents are as they were."""
    add_incident(store, now)
    dispatch(store, settings, now)
    digest = stage.rules_at(store, settings, now).digest
    assert stage.rules_at(store, settings, now + timedelta(minutes=5)).digest == digest
    rules = stage.rules_at(store, settings, now)
    assert replace(rules, terms=replace(rules.terms, phase=Phase.COUNT)).digest != digest
    matchers = SilenceMatchers.read(["candidate=cheuk-mong-ching"])
    silences.add(store, settings, matchers, "maya", "known", now, now + timedelta(hours=1))
    silenced = stage.rules_at(store, settings, now).digest
    routes = settings.path(settings.files.routes)
    routes.write_text(routes.read_text("utf-8").replace("step = -1", "step = -2", 1), "utf-8")
    assert len({digest, silenced, stage.rules_at(store, settings, now).digest}) == 3


def test_a_pass_by_older_rules_leaves_the_rest_to_the_newer(store: Store, settings: Settings, now: datetime) -> None:
    """A pass that does not know a silence strikes nothing off once another pass looks by it."""
    incident_id = add_incident(store, now)
    dispatch(store, settings, now)
    with store.write() as connection:
        pending.changed(connection, incident_id)
    rules = stage.rules_at(store, settings, now)
    begun: list[bool] = []

    def other_pass(*given: object) -> None:
        if not begun and "FROM to_dispatch" in str(given[2]):
            begun.append(True)
            with store.write() as connection:
                pending.look_by(connection, stage.ACTOR, "those of a new silence")

    event.listen(store.engine, "before_cursor_execute", other_pass)
    stage.catch_up(store, rules)
    assert begun
    assert _left(store) == [incident_id]
    dispatch(store, settings, now)
    assert _left(store) == []
