"""`db upgrade` from every earlier schema, with rows in every table."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from monitor.errors import BrokenStoreError, StaleSchemaError
from monitor.links import link_key
from monitor.store import audit, feeds, migrate, open_store, schema
from tests.filling import contents, fill


@pytest.mark.parametrize("earlier", migrate.known()[:-1])
def test_every_earlier_schema_is_carried_over_with_all_its_rows(
    new_url: Callable[[], str], earlier: str, now: datetime
) -> None:
    """Each value of each row is there afterwards, the audit verifies, the schema is this program's, and it works.

    What is made of other rows may be made anew.
    """
    store = open_store(new_url(), must_exist=False)
    with store.write() as connection:
        migrate.create(connection, earlier)
        fill(connection)
        before = contents(connection)
    with pytest.raises(StaleSchemaError, match=f"has schema {earlier}, .*run `pollwatch db upgrade`"):
        migrate.check(store)
    assert migrate.upgrade(store) == migrate.known()[-1]
    with store.read() as connection:
        after = contents(connection)
        assert audit.verify(connection) is None
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    del before["alembic_version"]
    for table in schema.metadata.sorted_tables:
        if table.info.get("derived"):
            before.pop(table.name, None)
    for table, rows in before.items():
        kept = [{column: row[column] for column in rows[0]} for row in after[table][: len(rows)]]
        assert kept == rows, table
    with store.write() as connection:
        assert feeds.add(connection, "https://b.example/rss", now)[0].id == len(before["feeds"]) + 1
    store.close()


def test_an_upgrade_that_fails_changes_nothing(new_url: Callable[[], str]) -> None:
    """All steps are one transaction: a disk that fills up in the middle leaves the store as the old program had it."""
    store = open_store(new_url(), must_exist=False)
    with store.write() as connection:
        migrate.create(connection, "0003")
        fill(connection)
        connection.execute(text("CREATE TABLE looked (in_the_way INTEGER)"))  # where one of the last steps makes one
        before = contents(connection)
    with pytest.raises(BrokenStoreError, match="looked"):
        migrate.upgrade(store)
    with store.read() as connection:
        assert contents(connection) == before
    store.close()


def test_canonical_links_become_those_of_today(new_url: Callable[[], str]) -> None:
    """Copies that come after the upgrade are found beside stories that came before it."""
    links = ["https://www.a.example/1", "https://m.a.example/2", "https://a.example/3/amp"]
    store = open_store(new_url(), must_exist=False)
    with store.write() as connection:
        migrate.create(connection, "0020")
        fill(connection)
        for item_id, link in enumerate(links, 1):
            row = {"key": link.removeprefix("https://"), "id": item_id}
            connection.execute(text("UPDATE items SET link_key = :key WHERE id = :id"), row)
    migrate.upgrade(store)
    with store.read() as connection:
        found = list(connection.scalars(text("SELECT link_key FROM items ORDER BY id")))
    store.close()
    assert found == [link_key(link) for link in links] == ["a.example/1", "a.example/2", "a.example/3"]


def test_the_rhythm_of_a_feed_is_read_as_it_was_written_before(new_url: Callable[[], str], now: datetime) -> None:
    """Days of watching are not begun anew; a feed without a rhythm stays without."""
    counts = {"entries": [0, 1500, *range(46)], "hours": [*range(47), 90_250]}
    written = {**counts, "lags": [0, -600], "listed": 20, "update_s": None, "until": now.isoformat()}
    store = open_store(new_url(), must_exist=False)
    with store.write() as connection:
        migrate.create(connection, "0021")
        fill(connection)
        connection.execute(text("UPDATE feeds SET rhythm = NULL"))
        connection.execute(text("UPDATE feeds SET rhythm = :rhythm WHERE id = 2"), {"rhythm": json.dumps(written)})
        # What else of the rows that stand there no feed could hold.
        connection.execute(text("UPDATE feeds SET role = 'media', lang = NULL, error_kind = NULL"))
    migrate.upgrade(store)
    with store.read() as connection:
        found = {feed.id: feed.rhythm for feed, _ in feeds.as_they_stand(connection, range(1, 4)).values()}
    store.close()
    assert (found[1], found[3]) == (None, None)
    assert found[2] is not None
    assert found[2].entries == pytest.approx([n / 1000 for n in counts["entries"]])
    assert found[2].hours == pytest.approx([n / 1000 for n in counts["hours"]])
    assert (found[2].lags, found[2].listed, found[2].update_s, found[2].until) == ((0, -600), 20, None, now)
