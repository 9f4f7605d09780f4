"""What is stored of a document whose old entries were not read again: the same, row by row, as of the whole one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from monitor.errors import FeedError
from monitor.keep import keep
from monitor.parse import parse
from monitor.store import Connection, Store, feeds, marks
from monitor.types import Document
from tests.fakes import item, rss

URL = "https://harbour-daily.example/rss/local.xml"


def pass_over(connection: Connection, feed_id: int, body: bytes, now: datetime, *, whole: bool) -> int:
    """One look at a feed; returns how many entries were left unread."""
    known = () if whole else marks.unpack(marks.packed(connection, [feed_id]).get(feed_id, b""))
    document = parse(body, URL, known=known)
    assert keep(connection, [(feed_id, document)], now) != [None]
    return len(document.unread)


def rows(connection: Connection, feed_id: int) -> list[tuple[Any, ...]]:
    """Everything stored of a feed, earlier texts included, but the ids."""
    query = """
        SELECT i.key, i.guid, i.link, i.link_key, i.title, i.summary, i.lang, i.published_raw, i.published_at,
               i.first_seen_at, i.edited_at, i.revision, r.revision, r.title, r.summary, r.link, r.seen_at,
               r.replaced_at
        FROM items i LEFT JOIN revisions r ON r.item_id = i.id WHERE i.feed_id = :feed ORDER BY i.id, r.revision"""
    return [tuple(row) for row in connection.execute(text(query), {"feed": feed_id})]


def replay(store: Store, now: datetime, bodies: Iterable[bytes]) -> tuple[int, int]:
    """The same documents to two feeds, one of which reads only what is new; returns unread entries and rows."""
    unread = 0
    with store.write() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM feeds").scalar_one()
        pair = [feeds.add(connection, f"https://{n}.example/rss", now)[0].id for n in (count, count + 1)]
    for hour, body in enumerate(bodies):
        with store.write() as connection:
            try:
                for feed_id, whole in zip(pair, (True, False), strict=True):
                    unread += pass_over(connection, feed_id, body, now + timedelta(hours=hour), whole=whole)
            except FeedError:
                continue
            first, second = (rows(connection, feed_id) for feed_id in pair)
            assert first == second
    return unread, len(first)


def test_edits_returns_moves_and_guids_used_again(store: Store, now: datetime) -> None:
    """Every way in which an entry can be a known item, beside entries that were left unread."""
    link = "https://harbour-daily.example/{}".format
    a, b, c = (item(f"題{n}", f"內容{n}", guid=n, link=link(n)) for n in "abc")
    versions = [
        [a, b, c],
        [item("新", guid="d"), a, b, c],
        [a, item("題b", "更正", guid="b", link=link("b")), c],  # edited
        [a, c],
        [a, b, c],  # back, with the first text
        [a, item("題b", "內容b", guid="b2", link=link("b")), c],  # another guid
        [a, b, item("題c", "內容c", guid="c", link=link("c2"))],  # another link
        [item("另一個故事", "完全不同", guid="a", link=link("x")), a, b],  # a guid used again, beside the story before
        [item("題a", "第二個版本", guid="a", link=link("a")), a, b],  # the same signs twice: the first one counts
        [a, b],
        [item("題ａ", "內容 a", guid="a", link=link("a")), b],  # only typesetting
        [item("無號", "x"), item("無號", "y"), a, b],  # nothing but titles
        [item("無號", "x"), a, b],
    ]
    unread, stored = replay(store, now, (rss(*stories).encode() for stories in versions))
    assert unread > 15
    assert stored >= 8


_STORIES = st.builds(
    lambda title, text, guid, link: item(title, text, guid=guid, link=link),
    st.sampled_from(["投票", "投 票", "点票", "Polls"]),
    st.sampled_from(["", "甲乙丙丁戊己", "甲乙丙丁戊", "closed early"]),
    st.sampled_from(["", "1", "2", "1 https://a.example/1", "https://a.example/1", "a.example/1"]),
    st.sampled_from(
        ["", "https://a.example/1", "https://a.example/2", "https://a.example/1?utm_id=2", "https://a.example/"]
    ),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(_STORIES, min_size=1, max_size=5), min_size=2, max_size=6))
def test_any_history_is_stored_the_same(store: Store, now: datetime, versions: Sequence[Sequence[str]]) -> None:
    """Stories that share guids, links, titles and texts in every combination, in any order."""
    replay(store, now, (rss(*stories).encode() for stories in versions))


_HISTORIES = st.lists(st.lists(_STORIES, min_size=1, max_size=4), min_size=3, max_size=3)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(_HISTORIES, min_size=3, max_size=3))
def test_feeds_are_kept_together_as_they_are_alone(
    store: Store, now: datetime, histories: Sequence[Sequence[Sequence[str]]]
) -> None:
    """Also where several of them use one guid or link, and where one has to be read again."""
    with store.write() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM feeds").scalar_one()
        added = [feeds.add(connection, f"https://{count + n}.example/rss", now)[0].id for n in range(6)]
        alone, together = added[:3], added[3:]
        for hour, versions in enumerate(zip(*histories, strict=True)):
            bodies = [rss(*stories).encode() for stories in versions]
            instant = now + timedelta(hours=hour)
            for feed_id, body in zip(alone, bodies, strict=True):
                pass_over(connection, feed_id, body, instant, whole=False)
            if hour == 1:
                marks.put(connection, {together[0]: {}})  # forgotten
            known = marks.packed(connection, alone)
            documents = [
                (feed_id, parse(body, URL, known=marks.unpack(known.get(other, b"")) if hour else ()))
                for feed_id, other, body in zip(together, alone, bodies, strict=True)
            ]
            kept = keep(connection, documents, instant)
            again = [
                (id_, parse(body, URL)) for id_, body, each in zip(together, bodies, kept, strict=True) if not each
            ]
            assert len(again) <= len([document for _, document in documents if document.unread])
            assert None not in keep(connection, again, instant)
        assert [rows(connection, id_) for id_ in alone] == [rows(connection, id_) for id_ in together]


@pytest.mark.sqlite
def test_a_long_history_costs_nothing(store: Store, now: datetime) -> None:
    """What is new is looked for by its names, not among all that a feed has ever published."""

    def steps(old: int) -> int:
        """Of the database's machine, in hundreds, to keep two documents beside so many old items."""
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        def told(feed_id: int, names: Iterable[object]) -> tuple[int, Document]:
            stories = (item(f"題{name}", guid=f"{name}", link=f"https://{feed_id}.example/{name}") for name in names)
            return feed_id, parse(rss(*stories).encode(), URL)

        with store.write() as connection:
            both = [feeds.add(connection, f"https://{old}.example/{n}", now)[0].id for n in "ab"]
            keep(connection, [told(feed_id, range(old)) for feed_id in both], now)
            new = [told(feed_id, ["新"]) for feed_id in both]
            driver = connection.connection.dbapi_connection
            assert driver is not None
            driver.set_progress_handler(count, 100)
            keep(connection, new, now)
            driver.set_progress_handler(None, 0)
        return counted

    steps(1)  # what is made ready once
    assert steps(3_000) < 2 * steps(30) + 5


@pytest.mark.shared
@pytest.mark.timeout(600)
@pytest.mark.parametrize("series", ["rnz", "straittimes"])
def test_recorded_series_are_stored_the_same(shared: Path, store: Store, now: datetime, series: str) -> None:
    """Months of two real feeds, after every step."""
    files = sorted((shared / "feeds" / "series" / series).iterdir())
    unread, stored = replay(store, now, (file.read_bytes() for file in files))
    assert unread > 2_000
    assert stored > 1_000


def test_a_guid_that_reads_like_a_longer_key_stops_no_feed(store: Store, now: datetime) -> None:
    """Written with a space it is no key that another story would be given: those are parted by a line break."""
    link = "https://a.example/1"
    versions = [[item("甲", guid=f"1 {link}"), item("乙", guid="1")], [item("丙", guid="1", link=link)]]
    assert replay(store, now, (rss(*stories).encode() for stories in versions))[1] == 3


def test_a_link_that_was_a_guid_stops_no_feed(store: Store, now: datetime) -> None:
    """An item that lost its link keeps the key made of guid and link, which a story without a guid comes upon."""
    guid = link = "https://a.example/1"
    versions = [
        [item("投票", guid=guid, link="https://a.example/2")],
        [item("点票", guid=guid, link=link)],
        [item("点票", guid=guid)],
        [item("投票", link=link)],
    ]
    assert replay(store, now, (rss(*stories).encode() for stories in versions))[1] == 3


def test_hundreds_of_new_entries_beside_unread_ones(store: Store, now: datetime) -> None:
    """More names than one query may hold."""
    old = [item(f"題{n}", guid=f"{n}", link=f"https://a.example/{n}") for n in range(700)]
    new = [item(f"新{n}", guid=f"x{n}", link=f"https://a.example/x{n}") for n in range(700)]
    assert replay(store, now, [rss(*old).encode(), rss(*new, *old[:600]).encode()]) == (600, 1_400)


def test_what_the_store_forgot_is_read_again(store: Store, now: datetime) -> None:
    """A mark whose item is gone, or that another pass has replaced, is refused before anything is written."""
    body = rss(item("甲", guid="1"), item("乙", guid="2")).encode()
    with store.write() as connection:
        feed_id = feeds.add(connection, URL, now)[0].id
        pass_over(connection, feed_id, body, now, whole=True)
        known = marks.unpack(marks.packed(connection, [feed_id])[feed_id])
        document = parse(body, URL, known=known)
        marks.put(connection, {feed_id: dict(list(known.items())[:1])})
        assert keep(connection, [(feed_id, document)], now) == [None]
        marks.put(connection, {feed_id: dict.fromkeys(known, 99)})
        assert keep(connection, [(feed_id, document)], now) == [None]


def test_a_document_that_cannot_be_cut_leaves_no_marks(store: Store, now: datetime) -> None:
    """They would be those of the document before it."""
    body = rss(item("甲", guid="1")).encode()
    with store.write() as connection:
        feed_id = feeds.add(connection, URL, now)[0].id
        pass_over(connection, feed_id, body, now, whole=True)
        assert marks.unpack(marks.packed(connection, [feed_id])[feed_id])
        pass_over(connection, feed_id, body + b"<", now, whole=False)
        assert marks.unpack(marks.packed(connection, [feed_id])[feed_id]) == {}


def test_marks_are_bounded(store: Store, now: datetime) -> None:
    """Those of one document, whatever came before it."""
    with store.write() as connection:
        feed_id = feeds.add(connection, URL, now)[0].id
        for day in range(4):
            body = rss(*(item(f"題{day}-{n}", guid=f"{day}-{n}") for n in range(30))).encode()
            pass_over(connection, feed_id, body, now, whole=False)
        assert len(marks.unpack(marks.packed(connection, [feed_id])[feed_id])) == 30
