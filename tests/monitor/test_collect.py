"""One pass over the feeds: real HTTP, real worker processes, a real store."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import update

from monitor import writing
from monitor.collect import collect
from monitor.config import Settings
from monitor.store import Store, feeds, items, schema
from monitor.types import Lang, Role
from tests.fakes import ALLOW_LOOPBACK, FeedServer, item, rss
from tests.monitor.collecting import PASS, counts, environment, state_of, stored, watch, word_of


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched; nobody waits long."""
    return configure(ALLOW_LOOPBACK + "timeout_s = 3\nmax_bytes = 1000000\nparse_timeout_s = 2\n")


def test_a_first_pass_stores_and_a_second_stores_nothing(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """New entries in document order with outlet, role and language; then 304 and equal bytes are told apart."""
    a = server.put("/a", rss(item("甲", "選舉日", guid="1"), item("Two", "Polls", guid="2")), etag='"v1"')
    b = server.put("/b", rss(item("乙", guid="1")))
    watch(store, now, a, b)
    lines: list[str] = []
    first = collect(store, settings, now, progress=lines.append)
    assert counts(first, "feeds", "fetched", "failed", "items_new", "items_seen") == [2, 2, 0, 3, 3]
    assert first.counts["bytes"] == len(server.pages["/a"].body) + len(server.pages["/b"].body)
    assert len(lines) == 2
    with store.read() as connection:
        found = items.listing(connection, feed_id=state_of(store, a).id)
    assert [(i.title, i.lang, i.role, i.first_seen_at) for i in found] == [
        ("甲", Lang.HANT, Role.MEDIA, now),
        ("Two", Lang.EN, Role.MEDIA, now),
    ]
    before = stored(store)
    second = collect(store, settings, now + timedelta(hours=1))
    assert counts(second, "feeds", "fetched", "not_modified", "unchanged", "items_new") == [2, 0, 1, 1, 0]
    assert stored(store) == before
    assert word_of(store, a) == "ok"
    assert state_of(store, a).etag == '"v1"'
    assert state_of(store, a).last_new_at == now


def test_only_due_feeds_are_asked_unless_every_one_is_wanted(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """A feed rests for its interval; --all asks it anyway; a disabled one is left alone."""
    a, b = (server.put(path, rss(item("A", guid="1"))) for path in ("/a", "/b"))
    _, second = watch(store, now, a, b)
    with store.write() as connection:
        feeds.set_enabled(connection, second.id, enabled=False)
    assert collect(store, settings, now).counts["feeds"] == 1
    assert collect(store, settings, now + timedelta(minutes=5)).counts["feeds"] == 0
    assert collect(store, settings, now + timedelta(minutes=5), every=True).counts["feeds"] == 1
    assert collect(store, settings, now + timedelta(minutes=30)).counts["feeds"] == 1
    assert {path for path, _ in server.requests} == {"/a"}


def test_an_edited_entry_keeps_its_earlier_texts(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Exactly one item is edited; each earlier text stays with the span of time in which it stood."""
    texts = ["六時停止投票", "十時半停止投票", "十時半停止投票（更正）"]
    for hour, text in enumerate(texts):
        url = server.put("/a", rss(item("時間", text, guid="1"), item("B", "same", guid="2", date=f"0{hour}:00")))
        watch(store, now, url)
        report = collect(store, settings, now + timedelta(hours=hour), every=True)
        assert report.counts["items_edited"] == (hour > 0)
    with store.read() as connection:
        edited, other = items.listing(connection)
        earlier = items.earlier_texts(connection, edited.id)
        assert items.earlier_texts(connection, other.id) == []
    assert (edited.summary, edited.revision, edited.edited_at) == (texts[2], 2, now + timedelta(hours=2))
    assert [(row["summary"], row["seen_at"], row["replaced_at"]) for row in earlier] == [
        (texts[0], now, now + timedelta(hours=1)),
        (texts[1], now + timedelta(hours=1), now + timedelta(hours=2)),
    ]


def test_another_guid_moves_the_item(store: Store, settings: Settings, server: FeedServer, now: datetime) -> None:
    """Same link and title under a new guid is the same item, then and ever after."""
    link = "https://harbour-daily.example/news/1"
    for hour, (guid, summary) in enumerate([("old", "x"), ("new", "x"), ("new", "y")]):
        url = server.put("/a", rss(item("題", summary, guid=guid, link=link)))
        watch(store, now, url)
        collect(store, settings, now + timedelta(hours=hour), every=True)
    with store.read() as connection:
        (only,) = items.listing(connection)
    assert (only.key, only.guid, only.summary, only.revision) == ("new", "new", "y", 1)


@pytest.mark.parametrize("linked", [True, False])
def test_a_guid_used_again_is_another_story(
    store: Store, settings: Settings, server: FeedServer, now: datetime, linked: bool
) -> None:
    """With links and without, alone in the document and beside the story before it: three items, none edited."""

    def story(letter: str) -> str:
        link = f"https://harbour-daily.example/news/{letter}" if linked else ""
        return item(f"題{letter}", f"內容{letter}", guid="g", link=link)

    watch(store, now, server.url("/a"))
    for hour, letters in enumerate(["A", "BA", "B", "C", "CBA", "A"]):
        server.put("/a", rss(*map(story, letters)))
        collect(store, settings, now + timedelta(hours=hour), every=True)
    with store.read() as connection:
        found = items.listing(connection)
    assert sorted((i.title, i.summary, i.revision) for i in found) == [
        ("題A", "內容A", 0),
        ("題B", "內容B", 0),
        ("題C", "內容C", 0),
    ]


def test_a_changed_link_is_stored_and_another_host_is_an_edit(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Copies are sought by the link of today, and the link of yesterday stays with the earlier text."""
    links = [f"https://{host}/news/{n}" for host, n in (("a.example", 1), ("a.example", 2), ("a-example.example", 2))]
    watch(store, now, server.url("/a"))
    for hour, link in enumerate(links):
        server.put("/a", rss(item("題", guid="1", link=link)))
        report = collect(store, settings, now + timedelta(hours=hour), every=True)
        assert report.counts["items_edited"] == (hour == 2)
        with store.read() as connection:
            (only,) = items.listing(connection)
            link_key = connection.exec_driver_sql("SELECT link_key FROM items").scalar_one()
        assert (only.link, link_key) == (link, link.removeprefix("https://"))
    with store.read() as connection:
        assert [(row["title"], row["link"]) for row in items.earlier_texts(connection, only.id)] == [("題", links[1])]
    assert only.revision == 1


def test_the_interval_is_the_setting_of_today(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """A feed that has none of its own follows fetch.interval_s when it changes."""
    url = server.put("/a", rss(item("A", guid="1")))
    watch(store, now, url)
    for interval_s in (600, 7_200):
        settings = configure(ALLOW_LOOPBACK + f"interval_s = {interval_s}\n")
        collect(store, settings, now, every=True)
        due = state_of(store, url).next_check_at
        assert due is not None
        assert 0.9 * interval_s <= (due - now).total_seconds() <= interval_s


def test_a_pass_in_which_nothing_changed_starts_no_worker(
    store: Store, folder: Path, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Only the first of two passes, in which there is something to parse."""
    watch(store, now, server.put("/a", rss(item("A", guid="1")), etag='"v1"'))
    children = "import resource\nprint(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0)"
    for expected in ("True", "False"):
        program = f"{PASS}{children}"
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment(folder), capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == expected, done.stderr


def test_a_pass_does_not_wait_for_more_when_nothing_more_comes(
    store: Store, settings: Settings, server: FeedServer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the writer waits for, that much may come to be written together, is none of the last documents."""
    monkeypatch.setattr(writing, "LINGER_S", 60)
    watch(store, now, *(server.put(f"/{name}", rss(item(name, guid="1"))) for name in "abc"))
    assert collect(store, settings, now).counts["seconds"] < 15
    server.put("/a", rss(item("A", guid="1"), item("Two", guid="2")))
    server.put("/b", rss(item("B", guid="1")))
    found = collect(store, settings, now, every=True)
    assert counts(found, "fetched", "unchanged", "items_new", "items_edited") == [2, 1, 1, 2]
    assert found.counts["seconds"] < 15


def test_dates_of_the_future_and_without_a_zone(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """HKT is eight hours east, a date without zone is local to the election, one in the future is now."""
    dates = ["Mon, 01 Mar 2027 10:00:00 HKT", "2027-03-01 10:00", "Tue, 02 Mar 2027 10:00:00 HKT", "never"]
    url = server.put("/a", rss(*(item(str(n), guid=str(n), date=date) for n, date in enumerate(dates))))
    watch(store, now, url)
    collect(store, settings, now)
    with store.read() as connection:
        found = [i.published_at for i in items.listing(connection)]
    ten = now.replace(hour=2, minute=0)
    assert found == [ten, ten, now, None]


def test_the_rhythm_is_learned_from_what_a_feed_brings(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """From the dates of the first document, then from new entries; a poll without news leaves it as it is."""
    stamp = "%a, %d %b %Y %H:%M:%S +0000"

    def listed(*ages: float) -> str:
        return rss(
            *(item(f"題{age}", guid=str(age), date=(now - timedelta(hours=age)).strftime(stamp)) for age in ages)
        )

    url = server.put("/a", listed(*(n / 8 for n in range(1, 40))))
    watch(store, now, url)
    collect(store, settings, now, every=True)
    first = state_of(store, url)
    assert first.rhythm is not None
    assert first.next_check_at is not None
    assert (first.rhythm.until, first.rhythm.listed) == (now, 39)
    assert 25 < sum(first.rhythm.entries) < 39
    collect(store, settings, now + timedelta(minutes=10), every=True)
    assert state_of(store, url).rhythm == first.rhythm
    server.put("/a", listed(-0.25, *(n / 8 for n in range(1, 39))))
    later = now + timedelta(minutes=30)
    collect(store, settings, later, every=True)
    second = state_of(store, url).rhythm
    assert second is not None
    assert second.until == later
    assert sum(second.entries) == pytest.approx(sum(first.rhythm.entries) + 1, abs=0.1)
    assert sum(second.hours) == pytest.approx(sum(first.rhythm.hours) + 0.5, abs=0.1)


def test_a_fresh_answer_is_not_asked_for_again(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Cache-Control of a whole answer and of a 304; at first sight also what the feed says of itself."""
    cached = server.put("/a", rss(item("A", guid="1")), etag='"1"', headers={"Cache-Control": "max-age=3000"})
    spoken = server.put("/b", rss(item("A", guid="1")).replace("<channel>", "<channel><ttl>50</ttl>"))
    watch(store, now, cached, spoken)
    collect(store, settings, now)
    waits = [(state_of(store, url).next_check_at or now) - now for url in (cached, spoken)]
    assert waits == [timedelta(seconds=3000)] * 2
    later = now + timedelta(seconds=3000)
    assert collect(store, settings, later).counts["not_modified"] == 1
    assert state_of(store, cached).next_check_at == later + timedelta(seconds=3000)


def test_how_long_an_answer_took_is_kept(store: Store, settings: Settings, server: FeedServer, now: datetime) -> None:
    """Of the last good one; a failure leaves it."""
    url = server.put("/a", rss(item("A", guid="1")), delay_s=0.4)
    watch(store, now, url)
    collect(store, settings, now, every=True)
    took = state_of(store, url).answer_s
    assert took is not None
    assert 0.4 <= took < 3
    server.put("/a", "busy", status=503)
    collect(store, settings, now, every=True)
    assert state_of(store, url).answer_s == took


def test_the_hub_of_a_document_that_does_not_change_is_learned(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """From the Link header of a 304 or of the same bytes; what a silent header leaves unsaid stands."""
    hub, own = "https://hub.example/", "https://harbour-daily.example/rss"
    body = rss(item("甲", guid="1"))
    for url, validator in ((server.url("/a"), {"etag": '"1"'}), (server.url("/b"), {})):
        path = f"/{url[-1]}"
        watch(store, now, server.put(path, body, **validator))
        states = []
        for link in (None, f"<{hub}>; rel=hub", None, f"<{hub}2>; rel=hub, <{own}>; rel=self", f"<{hub}>; rel=hub"):
            server.put(path, body, headers={"Link": link} if link else {}, **validator)
            collect(store, settings, now, every=True)
            states.append((state_of(store, url).hub, state_of(store, url).topic))
        assert states == [("", None), (hub, url), (hub, url), (hub + "2", own), (hub, own)]


def test_the_hub_of_a_document_from_before_hubs_is_learned_once(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """After an upgrade, from the same bytes; a document that names none, or cannot be read again, is not read twice."""
    named = '<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="hub" href="https://hub.example/"/></channel>'
    url = server.put("/a", rss(item("甲", guid="1")).replace("</channel>", named))
    watch(store, now, url, server.put("/b", rss(item("B", guid="1"))))
    collect(store, settings, now)
    for before, hub in ((None, "https://hub.example/"), ("", "")):
        with store.write() as connection:
            connection.execute(update(schema.feeds).values(hub=before, topic=None))
        assert collect(store, settings, now, every=True).counts["unchanged"] == 2
        assert (state_of(store, url).hub, state_of(store, server.url("/b")).hub) == (hub, "")
    with store.read() as connection:
        assert len(items.listing(connection)) == 2
    unreadable = b"no feed at all"
    server.put("/a", unreadable)
    with store.write() as connection:
        sha256 = hashlib.sha256(unreadable).hexdigest()
        connection.execute(update(schema.feeds).values(hub=None, body_sha256=sha256))
    collect(store, settings, now, every=True)
    assert (state_of(store, url).hub, state_of(store, url).error_kind) == ("", None)


@pytest.mark.shared
def test_recorded_series_bring_edits_of_words_and_no_story_twice(
    store: Store, settings: Settings, server: FeedServer, shared: Path
) -> None:
    """Every eighth of the recorded states of two real feeds, through the whole stage at their own instants.

    No guid is stored twice, an edit changes visible words, what returns is not new, and neither feed looks unwell.
    """
    for name in ("rnz", "straittimes"):
        states = sorted((shared / "feeds" / "series" / name).iterdir())[:160:8]
        totals: Counter[str] = Counter()
        url = server.url(f"/{name}")
        for state in states:
            moment = datetime.fromtimestamp(int(state.name.split("-")[0]), UTC)
            server.put(f"/{name}", state.read_bytes())
            watch(store, moment, url)
            report = collect(store, settings, moment, every=True)
            assert report.counts["failed"] == 0
            totals.update({key: int(report.counts[key] or 0) for key in ("items_new", "items_edited", "items_seen")})
        with store.read() as connection:
            kept = items.listing(connection, feed_id=state_of(store, url).id)
            texts = [items.earlier_texts(connection, i.id) for i in kept]
        assert len({i.guid for i in kept}) == len(kept) == totals["items_new"] < totals["items_seen"]
        assert sum(i.revision for i in kept) == totals["items_edited"] < 0.1 * totals["items_seen"]
        for one, earlier in zip(kept, texts, strict=True):
            states_of_it = [(row["title"], row["summary"]) for row in earlier] + [(one.title, one.summary)]
            assert all(a != b for a, b in pairwise(states_of_it))
        assert word_of(store, url) == "ok"
