"""What search rests on: kept up beside edits, removals, kills and other indexers, carried over from older stores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text

from monitor.config import Settings
from monitor.errors import InputError
from monitor.postings import BUCKETS
from monitor.search import PASS_BLOCKS, index, rebuild, search
from monitor.store import Store, audit, feeds, migrate, open_store, schema, texts
from monitor.types import TextKind
from tests.monitor.searching import fill_block, found, publish, rewrite


def test_edits_before_and_after_indexing_leave_every_text_once(store: Store, settings: Settings, now: datetime) -> None:
    """An item edited twice before the stage sees it, and again after; run twice, nothing is doubled."""
    (item_id,) = publish(store, now, "第一版 選舉")
    rewrite(store, item_id, "第二版 選舉", now)
    rewrite(store, item_id, "第三版 選舉", now)
    for _ in range(2):
        index(store, settings, now)
        assert found(store, "選舉") == ["第三版 選舉", "第二版 選舉", "第一版 選舉"]
    rewrite(store, item_id, "第四版 選舉", now)
    rewrite(store, item_id, "第五版 選舉", now)
    assert index(store, settings, now).counts == {"indexed": 1, "packed": 0}
    assert found(store, "選舉", kind=TextKind.REVISION) == ["第四版 選舉", "第三版 選舉", "第二版 選舉", "第一版 選舉"]
    assert found(store, "選舉", kind=TextKind.ITEM) == ["第五版 選舉"]
    assert index(store, settings, now).counts == {"indexed": 0, "packed": 0}


def test_a_killed_pass_loses_and_doubles_nothing(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off inside a transaction of numbering, and inside one of packing: the next pass does it whole."""
    ids = publish(store, now, "選舉丁", "選舉乙")
    rewrite(store, ids[0], "選舉甲", now)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(texts, "insert_new", killed)
    with pytest.raises(KeyboardInterrupt):
        index(store, settings, now)
    monkeypatch.undo()
    assert found(store, "選舉") == []
    fill_block(store, settings, now)
    with store.write() as connection:
        connection.execute(delete(schema.blocks))
    monkeypatch.setattr(texts, "_within", killed)
    with pytest.raises(KeyboardInterrupt):
        index(store, settings, now)
    monkeypatch.undo()
    assert index(store, settings, now).counts == {"indexed": 0, "packed": 1}
    assert found(store, "選舉") == ["選舉乙", "選舉甲", "選舉丁"]


def test_what_changes_between_looking_and_numbering(store: Store, settings: Settings, now: datetime) -> None:
    """An item that is edited or removed meanwhile, and another process that was faster: nothing lost, nothing twice."""
    first, second, third = publish(store, now, "選舉甲", "選舉乙", "選舉丙")
    with store.read() as connection:
        new = texts.coming(connection, 9)
    rewrite(store, first, "選舉丁", now)
    with store.write() as connection:
        connection.execute(delete(schema.items).where(schema.items.c.id == second))
        assert texts.take_in(connection, new, 9) == 3
        assert texts.take_in(connection, new, 9) is None
    index(store, settings, now)
    assert found(store, "選舉") == ["選舉丁", "選舉丙", "選舉甲"]
    assert found(store, "選舉", kind=TextKind.ITEM) == ["選舉丁", "選舉丙"]
    assert {hit.item_id for hit in search(store, "選舉")} == {first, third}


def test_several_indexers_at_once_share_the_work(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage, a second daemon's and `items reindex`: every text has one number, and all end."""
    titles = [f"選舉 {number}" for number in range(40)]
    publish(store, now, *titles)
    monkeypatch.setattr("monitor.search.PAGE", 3)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: index(store, settings, now), range(3)))
    assert found(store, "選舉") == titles[::-1]


def test_two_at_once_pack_a_block_once(store: Store, settings: Settings, now: datetime) -> None:
    """Who comes second finds it done; who packed texts of which one has gone since writes nothing."""
    ids = publish(store, now, "選舉甲", "選舉乙")
    fill_block(store, settings, now)
    with store.write() as connection:
        texts.seal(connection, 0, {1: b"wrong"}, 2)
        texts.forget(connection, ids[:1])
        texts.seal(connection, 0, {1: b"wrong"}, 2)
        assert connection.scalar(select(func.count()).select_from(schema.blocks)) == 0
    index(store, settings, now)
    assert found(store, "選舉") == ["選舉乙"]


def test_removed_items_leave_the_index(store: Store, settings: Settings, now: datetime) -> None:
    """With their words: in a full block too, and when the rows go without a word to the index."""
    first, second, third = publish(store, now, "選舉鑫甲", "選舉乙", "選舉丙")
    fill_block(store, settings, now)
    with store.write() as connection:
        before = connection.scalar(select(func.count()).select_from(schema.postings))
        texts.forget(connection, [first])
        connection.execute(delete(schema.items).where(schema.items.c.id == first))
        connection.execute(delete(schema.items).where(schema.items.c.id == second))  # as by hand
    assert found(store, "選舉") == ["選舉丙"]
    index(store, settings, now)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.postings)) < before
    assert found(store, "選舉") == ["選舉丙"]
    publish(store, now, "選舉丁")
    with store.write() as connection:
        connection.execute(delete(schema.items).where(schema.items.c.id == third))
    for _ in range(2):
        index(store, settings, now)
    assert found(store, "選舉") == ["選舉丁"]


def test_a_rebuilt_index_finds_the_same(store: Store, settings: Settings, now: datetime) -> None:
    """Also of a store that was copied without it: the stage starts anew by itself."""
    ids = publish(store, now, "選舉甲", "選舉乙")
    rewrite(store, ids[1], "選舉丙", now)
    fill_block(store, settings, now)
    expected = found(store, "選舉")
    assert rebuild(store) == 3
    assert sorted(found(store, "選舉")) == sorted(expected)
    with store.write() as connection:
        for table in schema.metadata.tables.values():
            if table.info.get("derived"):
                connection.execute(delete(table))
    index(store, settings, now)
    assert sorted(found(store, "選舉")) == sorted(expected)


def test_a_store_of_an_earlier_schema_is_carried_over(
    new_url: Callable[[], str], settings: Settings, now: datetime
) -> None:
    """What it holds is found after `db upgrade` and a pass; no feed of it takes tips."""
    old = open_store(new_url(), must_exist=False)
    values = {"at": f"{now:%Y-%m-%d %H:%M:%S}", "yes": True}
    with old.write() as connection:
        migrate.create(connection, "0013")
        for statement in (
            "INSERT INTO feeds (id, url, outlet, role, enabled, failures, added_at) "
            "VALUES (7, 'https://a.example/rss', '海港日報', 'media', :yes, 0, :at)",
            "INSERT INTO items (id, feed_id, key, title, summary, lang, first_seen_at, edited_at, revision) "
            "VALUES (9, 7, 'k', '票站關閉', '', 'zh-Hant', :at, :at, 1)",
            "INSERT INTO revisions (item_id, revision, title, summary, seen_at, replaced_at) "
            "VALUES (9, 0, '票站開放', '', :at, :at)",
        ):
            connection.execute(text(statement), values)
    migrate.upgrade(old)
    index(old, settings, now)
    assert found(old, "票站") == ["票站關閉", "票站開放"]
    with old.read() as connection:
        assert feeds.get(connection, 7).channel is None
    old.close()


def test_postings_without_pairs_are_made_anew(new_url: Callable[[], str], settings: Settings, now: datetime) -> None:
    """What an earlier version packed is forgotten by `db upgrade`, found meanwhile, and packed by the next passes."""
    old = open_store(new_url(), must_exist=False)
    with old.write() as connection:
        migrate.create(connection, "0018")
    publish(old, now, "the poll of the day", "of the poll")
    fill_block(old, settings, now)
    with old.write() as connection:
        connection.execute(delete(schema.postings).where(schema.postings.c.bucket >= BUCKETS))
    migrate.upgrade(old)
    for packed in (1, 0):
        assert found(old, '"the poll"') == ["of the poll", "the poll of the day"]
        assert index(old, settings, now).counts["packed"] == packed
    old.close()


def test_an_older_store_is_caught_up_with_in_parts(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass is bounded, whatever waits."""
    publish(store, now, *(f"選舉 {number}" for number in range(7)))
    monkeypatch.setattr("monitor.search.PAGE", 2)
    monkeypatch.setattr("monitor.search.PASS_TEXTS", 3)
    assert [index(store, settings, now).counts["indexed"] for _ in range(3)] == [4, 3, 0]
    assert len(found(store, "選舉")) == 7
    assert PASS_BLOCKS > 0


def test_what_says_nothing_is_looked_at_once(store: Store, settings: Settings, now: datetime) -> None:
    """Acts without words, and items without: a pass ends, and the next one has nothing to do."""
    publish(store, now, "")
    with store.write() as connection:
        audit.append(connection, now, "岑", "silence.add", "silence:1", {})
    assert [index(store, settings, now).counts["indexed"] for _ in range(2)] == [2, 0]
    with pytest.raises(InputError):
        search(store, "")


def test_the_collector_waits_for_no_index(store: Store, settings: Settings, now: datetime) -> None:
    """An edit notes one row; a new item nothing."""
    (item_id,) = publish(store, now, "選舉甲")
    index(store, settings, now)
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM to_index")).scalar_one() == 0
    rewrite(store, item_id, "選舉乙", now)
    with store.read() as connection:
        assert list(connection.scalars(select(schema.to_index.c.item_id))) == [item_id]
