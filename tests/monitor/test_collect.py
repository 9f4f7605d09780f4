"""One pass over the feeds: real HTTP, real worker processes, a real store."""

from __future__ import annotations

import gzip
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor import collect as stage
from monitor.collect import collect
from monitor.config import Settings
from monitor.errors import BusyError
from monitor.health import health
from monitor.store import Store, feeds, items, open_store
from monitor.types import Feed, Lang, Role, StageReport
from tests.fakes import ALLOW_LOOPBACK, FeedServer, feed_server, gzip_bomb, item, rss

ROOT = Path(__file__).parents[2]
_PASS = """
from monitor.cli.base import Context
from monitor.cli.feeds import collect
collect(["--all"], obj=Context(None), standalone_mode=False)
"""


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """A feed server."""
    with feed_server() as fake:
        yield fake


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched; nobody waits long."""
    return configure(ALLOW_LOOPBACK + "timeout_s = 3\nmax_bytes = 1000000\nparse_timeout_s = 2\n")


def watch(store: Store, now: datetime, *urls: str) -> list[Feed]:
    """Add feeds."""
    with store.write() as connection:
        return [feeds.add(connection, url, now, outlet=f"Outlet {n}")[0] for n, url in enumerate(urls, 1)]


def state_of(store: Store, url: str) -> Feed:
    """The feed at ``url`` as stored."""
    with store.read() as connection:
        return next(feed for feed in feeds.listing(connection) if feed.url == url)


def word_of(store: Store, url: str) -> str:
    """Its health in a word."""
    return health(state_of(store, url), ZoneInfo("Asia/Hong_Kong")).word


def stored(store: Store) -> list[tuple[Any, ...]]:
    """Everything collected that does not depend on the order in which feeds answered."""
    with store.read() as connection:
        urls = {feed.id: (feed.url, feed.etag, feed.body_sha256, feed.error_kind) for feed in feeds.listing(connection)}
        return sorted(
            (
                urls[i.feed_id],
                i.key,
                i.title,
                i.summary,
                i.lang,
                i.revision,
                _texts(items.earlier_texts(connection, i.id)),
            )
            for i in items.listing(connection)
        )


def _texts(rows: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    return [(row["revision"], row["title"], row["summary"]) for row in rows]


def counts(report: StageReport, *names: str) -> list[Any]:
    """Some counts of a report."""
    return [report.counts[name] for name in names]


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


def test_passes_wait_for_each_other(
    store: Store, settings: Settings, server: FeedServer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass that began earlier must not write its older text last; one that waits too long says why."""
    watch(store, now, server.put("/a", rss(item("A", guid="1"))))
    monkeypatch.setattr(stage, "WAIT_S", 0.2)
    with store.lock("collect"), pytest.raises(BusyError, match="another pass"):
        collect(store, settings, now)
    assert server.requests == []
    monkeypatch.setattr(stage, "WAIT_S", 10)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with store.lock("collect"):
            held.set()
            release.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(10)
    threading.Timer(0.3, release.set).start()
    assert collect(store, settings, now).counts["items_new"] == 1
    assert release.is_set()
    other.join()


def test_a_silent_host_is_waited_for_once(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """Its other feeds fail at once with the same kind, each with a back-off of its own; other hosts are not held up."""
    settings = configure(ALLOW_LOOPBACK + "timeout_s = 1\n")
    with feed_server() as silent:
        dead = [silent.put(f"/{n}", rss(), delay_s=3) for n in range(16)]
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        dead += [f"http://127.0.0.1:{port}/{n}" for n in range(4)]
        good = server.put("/good", rss(item("A", guid="1")))
        watch(store, now, *dead, good)
        begun = time.monotonic()
        report = collect(store, settings, now)
        assert time.monotonic() - begun < 4  # one after the other, two at a time: 8 s
    assert counts(report, "failed", "fetched") == [20, 1]
    assert len(silent.requests) == settings.fetch.per_host
    states = [state_of(store, url) for url in dead]
    assert [feed.error_kind for feed in states] == ["timeout"] * 16 + ["connect"] * 4
    assert sum("earlier in this pass" in (feed.error_detail or "") for feed in states) >= 16
    assert len({feed.next_check_at for feed in states}) == 20


def test_one_slow_feed_does_not_silence_its_host(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """A host that has answered in this pass is there."""
    settings = configure(ALLOW_LOOPBACK + "timeout_s = 1\n")
    quick = server.put("/quick", rss(item("A", guid="1")))
    slow = server.put("/slow", rss(), delay_s=3)
    later = [server.put(f"/{n}", rss(item("A", guid="1")), delay_s=0.4) for n in range(6)]
    watch(store, now, quick, slow, *later)
    assert counts(collect(store, settings, now), "failed", "fetched") == [1, 7]


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


def hostile(server: FeedServer) -> dict[str, tuple[str, ...]]:
    """Addresses of feeds that go wrong, and the kinds of error each may end with; no kind: readable after all."""
    many = "<rss version='2.0'><channel>" + "<item/>" * 140_000
    compressed = {"Content-Encoding": "gzip"}
    return {
        server.put("/malformed", "<rss version='2.0'><channel><item><title>cut"): (),
        server.put("/nothing-left", "<rss version='2.0'><channel><titl"): ("not-a-feed",),
        server.put("/page", "<!doctype html><title>404</title>", headers={"Content-Type": "text/html"}): ("html",),
        server.put("/empty", ""): ("empty",),
        server.put("/big", "x", content_length=200_000_000): ("too-large",),
        server.put("/bomb", gzip_bomb(200_000_000), headers=compressed): ("too-large",),
        server.put("/endless", rss() * 50, endless=True): ("too-large",),
        server.put("/drip", " ", endless=True, pause_s=0.05): ("timeout",),
        server.put("/stall", gzip.compress(many.encode()), headers=compressed): ("stalled",),
        server.put("/encoding", bytes(range(256)) * 20): ("encoding",),
        server.put("/missing", "no", status=404): ("http",),
        server.put("/gone", "no", status=410): ("gone",),
        server.put("/loop", status=302, headers={"Location": "/loop"}): ("redirect",),
        server.put("/inside", status=302, headers={"Location": "http://10.0.0.1/"}): ("blocked",),
        "http://no-such-host.invalid/rss": ("dns",),
        "http://127.0.0.1:9/rss": ("blocked",),
        server.url("/plain").replace("http:", "https:"): ("tls",),
    }


def test_each_failing_feed_has_one_clear_error_and_the_others_are_stored(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Whatever feeds do, the healthy ones beside them are read, and nothing is written to the log of faults."""
    bad = hostile(server)
    good = [server.put(f"/good{n}", rss(item(f"好{n}", guid="1"))) for n in range(5)]
    watch(store, now, *bad, *good)
    begun = time.monotonic()
    report = collect(store, settings, now)
    assert time.monotonic() - begun < 20
    for url, kinds in bad.items():
        feed = state_of(store, url)
        assert (feed.error_kind in kinds) if kinds else feed.error_kind is None, (url, feed.error_kind)
        assert feed.failures == bool(kinds)
        assert not kinds or feed.error_detail
    assert all(word_of(store, url) == "ok" for url in good)
    failed = sum(bool(kinds) for kinds in bad.values())
    assert counts(report, "feeds", "failed", "fetched") == [len(bad) + 5, failed, 5 + len(bad) - failed]
    assert len(report.problems) == len(bad)
    assert word_of(store, server.url("/gone")) == "gone"
    assert any("enable" in problem for problem in report.problems)


def test_our_own_fault_with_one_feed_harms_no_other(
    store: Store, settings: Settings, server: FeedServer, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected exception (here from the store) is recorded as internal, logged, and undone as a whole."""
    bad = server.put("/bad", rss(item("before", guid="1"), item("poison", guid="2")))
    good = server.put("/good", rss(item("good", guid="1")))
    watch(store, now, bad, good)
    with store.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER poison BEFORE INSERT ON items WHEN NEW.title = 'poison' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    report = collect(store, settings, now)
    assert counts(report, "failed", "items_new") == [1, 1]
    assert [row[2] for row in stored(store)] == ["good"]
    assert state_of(store, bad).error_kind == "internal"
    assert state_of(store, bad).etag is None
    assert "/bad" in caplog.text


def test_failures_back_off_and_success_forgets_them(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Each failure waits longer, Retry-After is honoured, a good answer resets everything."""
    url = server.put("/a", "busy", status=503)
    watch(store, now, url)
    waits = []
    for _ in range(3):
        collect(store, settings, now, every=True)
        waits.append(state_of(store, url).next_check_at)
    assert waits == sorted(waits)
    assert state_of(store, url).failures == 3
    server.put("/a", "busy", status=429, headers={"Retry-After": "80000"})
    collect(store, settings, now, every=True)
    assert state_of(store, url).next_check_at == now + timedelta(seconds=80_000)
    server.put("/a", rss(item("A", guid="1")))
    collect(store, settings, now, every=True)
    feed = state_of(store, url)
    assert (feed.failures, feed.error_kind, feed.error_detail) == (0, None, None)
    assert word_of(store, url) == "ok"


def test_a_document_that_could_not_be_read_is_asked_for_again(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Its validators are not kept: a mended parser must not be told 304 for ever."""
    url = server.put("/a", "<html></html>", etag='"v1"')
    watch(store, now, url)
    for _ in range(2):
        assert collect(store, settings, now, every=True).counts["failed"] == 1
    assert "If-None-Match" not in server.requests[1][1]


def test_a_pass_in_which_nothing_changed_starts_no_worker(
    store: Store, folder: Path, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Only the first of two passes, in which there is something to parse."""
    watch(store, now, server.put("/a", rss(item("A", guid="1")), etag='"v1"'))
    audit = "import sys\nseen = set()\nsys.addaudithook(lambda name, args: seen.add(name))\n"
    for expected in ("True", "False"):
        program = f"{audit}{_PASS}print('subprocess.Popen' in seen)"
        done = subprocess.run(
            [sys.executable, "-c", program], env=_environment(folder), capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == expected, done.stderr


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


@pytest.mark.timeout(120)
def test_killed_at_any_moment_the_next_pass_brings_the_same_store(
    folder: Path, settings: Settings, server: FeedServer, now: datetime, tmp_path: Path
) -> None:
    """kill -9 during passes, over a version of the feeds and then over its edits: nothing lost, nothing doubled."""
    urls = [server.url(f"/{n}") for n in range(6)]
    undisturbed = _fresh_store(tmp_path / "undisturbed.db", now, urls)
    disturbed = _fresh_store(Path(settings.database_url.removeprefix("sqlite:///")), now, urls)
    luck = random.Random(7)
    for version in ("first", "edited"):
        _serve_version(server, version)
        collect(undisturbed, settings, now, every=True)
        for _ in range(6):
            _kill_a_pass(folder, server, after_s=luck.uniform(0.0, 1.2))
        collect(disturbed, settings, now, every=True)
        assert stored(disturbed) == stored(undisturbed)
    disturbed.close()
    undisturbed.close()


def _fresh_store(path: Path, now: datetime, urls: list[str]) -> Store:
    from monitor.store import migrate

    store = open_store(f"sqlite:///{path}", must_exist=False)
    migrate.upgrade(store)
    watch(store, now, *urls)
    return store


def _serve_version(server: FeedServer, version: str) -> None:
    for n in range(6):
        rows = [item(f"題{n}-{i}", f"{version} 內容 {i}" if i % 3 else "內容", guid=str(i)) for i in range(40)]
        server.put(f"/{n}", rss(*rows), etag=f'"{version}"', delay_s=0.1 * n)


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "POLLWATCH_CONFIG": str(folder / "pollwatch.toml")}


def _kill_a_pass(folder: Path, server: FeedServer, after_s: float) -> None:
    """Start a pass and kill it ``after_s`` seconds after its first request."""
    server.requests.clear()
    process = subprocess.Popen(
        [sys.executable, "-c", _PASS], env=_environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not server.requests and process.poll() is None:
        time.sleep(0.01)
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    """kill -9 of the parent: an idle worker goes at once, one that parses for ever by its own alarm."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, os, subprocess\n"
        "from zoneinfo import ZoneInfo\n"
        "import monitor.parsing as parsing\n"
        "async def main():\n"
        "    async with parsing.ParsePool(1.5, 400) as pool:\n"
        "        utc = ZoneInfo('UTC')\n"
        "        small = b\"<rss version='2.0'><channel><item/>\"\n"
        "        await pool.parse(small, 'http://a.example/', None, utc)\n"
        "        subprocess.run(['pgrep', '-P', str(os.getpid()), '-d', ' '])\n"
        "        await pool.parse(small + b'<item/>' * 900_000, 'http://a.example/', None, utc)\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert workers
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 12
    while any(_is_running(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [pid for pid in workers if _is_running(pid)] == []


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


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
