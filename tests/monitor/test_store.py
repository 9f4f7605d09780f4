"""The store: opening, migrating, refusing, locking."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError, StatementError

from monitor.blocks import MARK_BYTES
from monitor.errors import BusyError, ConfigError, MissingStoreError, NewerSchemaError, StaleSchemaError
from monitor.store import (
    Store,
    alerts,
    engine,
    evidence,
    feeds,
    hosts,
    incidents,
    items,
    marks,
    migrate,
    models,
    open_store,
    outbox,
    pending,
    schema,
)
from monitor.types import Decision, Opinion, Review, Verdict
from tests.postgresql import url_of


def test_a_missing_store_says_what_to_run(tmp_path: Path) -> None:
    """Opening never creates by accident."""
    with pytest.raises(MissingStoreError, match="pollwatch init"):
        open_store(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["", "not a url", "mysql://x/y"])
def test_an_unusable_url_is_a_configuration_fault(url: str) -> None:
    """The key is named."""
    with pytest.raises(ConfigError, match=r"database\.url"):
        open_store(url)


def test_upgrade_twice_is_upgrade_once(store: Store) -> None:
    """`db upgrade` can be run at every start."""
    assert migrate.upgrade(store) == migrate.upgrade(store) == migrate.check(store)


def test_the_migrations_make_exactly_the_schema(store: Store) -> None:
    """A table or column that only one side knows is found here, not on polling day."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_an_existing_store_is_carried_over(new_url: Callable[[], str], now: datetime) -> None:
    """What the first schema held is there after `db upgrade`, unchanged; what is new is empty."""
    old = open_store(new_url(), must_exist=False)
    config = Config()
    config.set_main_option("script_location", "monitor.store:migrations")
    with old.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        row = {"url": "https://a.example/rss", "outlet": "海港日報", "role": "media", "at": f"{now:%Y-%m-%d %H:%M:%S}"}
        row |= {"yes": True, "blob": b"\0"}
        connection.execute(
            text(
                "INSERT INTO feeds (id, url, outlet, role, enabled, failures, etag, added_at, last_success_at) "
                "VALUES (7, :url, :outlet, :role, :yes, 0, 'W/\"v1\"', :at, :at)"
            ),
            row,
        )
        connection.execute(
            text(
                "INSERT INTO items (id, feed_id, key, title, summary, lang, first_seen_at, revision) "
                "VALUES (9, 7, 'k', '題', '文', 'zh-Hant', :at, 0)"
            ),
            row,
        )
        connection.execute(
            text(
                "INSERT INTO models (id, created_at, live, data_sha256, sha256, versions, metrics, blob) "
                "VALUES ('reviewed-1', :at, :yes, 'd', 's', '{}', '{}', :blob)"
            ),
            row,
        )
        for statement in (
            "INSERT INTO audit (seq, at, actor, action, subject, detail, prev_hash, hash) "
            "VALUES (41, :at, 'clock', 'alert.open', 'alert\\:3', '{}', '', 'h')",
            "INSERT INTO incidents (id, title, lang, created_at, first_seen_at, last_seen_at) "
            "VALUES (5, '題', 'zh-Hant', :at, :at, :at)",
            "INSERT INTO alerts (id, incident_id, state, priority, priority_reasons, level, score, route, opened_at, "
            "decided_at, decision, verdict) "
            "VALUES (3, 5, 'decided', 1, '[]', 2, 0.9, 'desk', :at, :at, 'clarify', 'false')",
            "INSERT INTO decisions (id, alert_id, reviewer, decision, verdict, reason, at) "
            "VALUES (4, 3, '岑', 'clarify', 'false', '名單', :at)",
        ):
            connection.execute(text(statement), row)
    with pytest.raises(StaleSchemaError, match="pollwatch db upgrade"):
        migrate.check(old)
    migrate.upgrade(old)
    with old.read() as connection:
        model = models.live(connection)
        feed, kept = feeds.get(connection, 7), items.get(connection, 9)
        assert outbox.position(connection) == 41  # receivers are not told of the past
        alert = alerts.get(connection, 3)
        assert models.last_decision(connection) == 4
    assert (alert.state, alert.level, alert.decided_at, alert.verdict) == ("decided", 2, now, "false")
    assert (alert.review, alert.due_from, alert.snoozed_until) == ("first", None, None)
    assert (alert.suppression, alert.inhibited_by) == (None, None)
    assert (alert.take_steps, alert.decide_steps, alert.told_at, alert.expiries) == (2, 0, None, 0)
    assert alert.opinions == (Opinion(Review.FIRST, "岑", Decision.CLARIFY, Verdict.FALSE, "名單", now),)
    assert (feed.strikes, feed.folder, feed.moved_to) == (0.0, None, None)
    assert (feed.url, feed.outlet, feed.etag, feed.last_success_at) == (row["url"], "海港日報", 'W/"v1"', now)
    assert (feed.rhythm, feed.answer_s, kept.title) == (None, None, "題")
    assert (feed.hub, feed.topic, feed.pushed_at) == (None, None, None)
    with old.write() as connection:
        assert hosts.take(connection, [feed.host], "a pass", now, now) == {"a.example": None}
        marks.put(connection, {7: {b"m" * MARK_BYTES: 9}})
        assert marks.unpack(marks.packed(connection, [7])[7]) == {b"m" * MARK_BYTES: 9}
    assert model
    assert (model["id"], model["data_sha256"], model["learned"], model["judgement"]) == ("reviewed-1", "d", None, None)
    assert (model["promoted_at"], model["follows"]) == (None, None)
    old.close()


def test_incidents_of_an_older_store_keep_their_items_and_get_a_claim(
    new_url: Callable[[], str], now: datetime
) -> None:
    """After `db upgrade` each is found by the words of its first item, and nothing of it counts as changed since."""
    old = open_store(new_url(), must_exist=False)
    config = Config()
    config.set_main_option("script_location", "monitor.store:migrations")
    at = f"{now:%Y-%m-%d %H:%M:%S}"
    with old.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")

        def run(statement: str, **values: object) -> None:
            connection.execute(text(statement), {"at": at, **values})

        run(
            "INSERT INTO feeds (id, url, outlet, role, enabled, failures, added_at) "
            "VALUES (1, 'u', 'o', 'media', :yes, 0, :at)",
            yes=True,
        )
        for item, revision, reason in ((1, 2, "first"), (2, 0, "near-copy"), (3, 1, "first")):
            incident = 1 if item < 3 else 2
            run(
                "INSERT INTO items (id, feed_id, key, title, summary, lang, first_seen_at, revision) "
                "VALUES (:item, 1, :key, 'A title', '', 'en', :at, :revision)",
                item=item,
                key=f"k{item}",
                revision=revision,
            )
            if reason == "first":
                run(
                    "INSERT INTO incidents (id, title, lang, created_at, first_seen_at, last_seen_at) "
                    "VALUES (:incident, 'A title', 'en', :at, :at, :at)",
                    incident=incident,
                )
                run(
                    "INSERT INTO alerts (incident_id, state, priority, priority_reasons, level, score, route, "
                    "opened_at) VALUES (:incident, 'open', 2, '[]', 0, 0.5, 'desk', :at)",
                    incident=incident,
                )
            values = {"item": item, "incident": incident, "reason": reason}
            run("INSERT INTO incident_items VALUES (:item, :incident, :reason, 1.0, :at)", **values)
    migrate.upgrade(old)
    with old.write() as connection:
        found = [(w.item_id, w.incident_id) for w in incidents.wordings(connection, 0, now - timedelta(days=1), 10)]
        assert found == [(1, 1), (3, 2)]
        revisions = select(schema.incident_items.c.revision).order_by(schema.incident_items.c.item_id)
        assert connection.scalars(revisions).all() == [2, 0, 1]
        assert connection.scalars(select(schema.incidents.c.merged_into)).all() == [None, None]
        assert connection.scalars(select(schema.alerts.c.sample)).all() == [None, None]
        incidents.add_wording(connection, 2)
        assert [w.item_id for w in incidents.wordings(connection, 3, now - timedelta(days=1), 10)] == [2]
        alert = {"incident_id": 1, "state": "open", "priority": 1, "priority_reasons": [], "score": 1, "route": "r"}
        with pytest.raises(IntegrityError):  # what the schema before it held, this one holds
            connection.execute(insert(schema.alerts).values(**alert, opened_at=now))
    old.close()


def test_a_stale_and_a_newer_schema_are_refused(new_url: Callable[[], str], store: Store) -> None:
    """With the exact command to run, or with a word that the program is too old."""
    empty = open_store(new_url(), must_exist=False)
    with pytest.raises(StaleSchemaError, match="pollwatch db upgrade"):
        migrate.check(empty)
    empty.close()
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchemaError, match="upgrade pollwatch"):
        migrate.check(store)
    with pytest.raises(NewerSchemaError):
        migrate.upgrade(store)


def test_instants_come_back_as_they_were(store: Store) -> None:
    """Aware, in UTC, whatever zone they were given in; a naive one is refused."""
    given = datetime(2027, 3, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=8)))
    row = {"stage": "x", "started_at": given}
    with store.write() as connection:
        connection.execute(insert(schema.runs).values(row))
    with store.read() as connection:
        found = connection.scalar(select(schema.runs.c.started_at))
    assert found == given
    assert found.tzinfo is UTC
    with pytest.raises(StatementError, match="naive"), store.write() as connection:
        connection.execute(insert(schema.runs).values({**row, "started_at": given.replace(tzinfo=None)}))


def test_the_audit_table_refuses_to_be_rewritten(store: Store) -> None:
    """By the database itself, not by our good manners."""
    row = {"seq": 1, "at": datetime.now(UTC), "actor": "a", "action": "b", "subject": "c", "detail": {}}
    with store.write() as connection:
        connection.execute(insert(schema.audit).values({**row, "prev_hash": "", "hash": "x"}))
    for statement in ("UPDATE audit SET actor = 'z'", "DELETE FROM audit"):
        with pytest.raises(DatabaseError, match="append-only"), store.write() as connection:
            connection.execute(text(statement))


def test_a_lock_is_held_by_one_process_and_dies_with_it(store: Store) -> None:
    """A second holder gets a sentence; a killed one blocks nobody."""
    code = (
        "import sys, time; from monitor.store import open_store\n"
        "with open_store(sys.argv[1]).lock('daemon'): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, url_of(store)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match="already runs"), store.lock("daemon", busy="it already runs"):
            pass
        with store.lock("another"):
            pass
        holder.kill()
    with store.lock("daemon", wait_s=5):
        pass


@pytest.mark.sqlite  # a server checks its own pages, and nobody turns its foreign keys off by accident
def test_a_damaged_store_is_told(store: Store) -> None:
    """Orphans are what a careless repair leaves."""
    assert engine.integrity(store) == []
    with store.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("INSERT INTO bands VALUES (1, 99)")
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN")
    assert engine.integrity(store) == ["row 1 of table bands points to a missing row of items"]


def test_what_waited_in_an_older_store_is_looked_at(tmp_path: Path, now: datetime) -> None:
    """After `db upgrade` group finds each flagged item in no incident, dispatch each incident without an alert, and
    capture each item that somebody still looks at.
    """
    old = open_store(f"sqlite:///{tmp_path}/old.db", must_exist=False)
    config = Config()
    config.set_main_option("script_location", "monitor.store:migrations")
    seen = {"created_at": now, "first_seen_at": now, "last_seen_at": now}
    thought = {"revision": 0, "model_id": "m", "label": "l", "score": 1, "stance": "asserts", "assessed_at": now}
    why: dict[str, list[str]] = {"matches": [], "findings": [], "reasons": []}
    with old.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0012")
        feed = {"id": 1, "url": "u", "outlet": "o", "role": "media", "enabled": True, "failures": 0, "strikes": 0}
        connection.execute(insert(schema.feeds).values(**feed, added_at=now))
        for id, flagged in ((1, True), (2, False)):
            item = {"id": id, "feed_id": 1, "key": str(id), "title": "t", "summary": "", "lang": "en"}
            connection.execute(insert(schema.items).values(**item, first_seen_at=now))
            connection.execute(insert(schema.assessments).values(item_id=id, flagged=flagged, **thought, **why))
        for id in (1, 2):
            connection.execute(insert(schema.incidents).values(id=id, title="t", lang="en", **seen))
        alert = {"incident_id": 1, "state": "open", "priority": 1, "priority_reasons": [], "score": 1, "route": "r"}
        connection.execute(insert(schema.alerts).values(**alert, opened_at=now))
        member = {"item_id": 2, "incident_id": 1, "reason": "sample", "similarity": 1, "added_at": now}
        connection.execute(insert(schema.incident_items).values(**member))
    migrate.upgrade(old)
    with old.write() as connection:
        assert incidents.backlog(connection, now) == [1]
        assert [noted.item_id for noted in evidence.noted(connection, 9)] == [2]  # of an open alert
        assert pending.to_look_at(connection, 9) == [2]
        pending.look_by(connection, "dispatch", "rules")
        assert pending.to_look_at(connection, 9) == [1, 2]
    old.close()
