"""Capture: what a feed served and where it leads, kept as it came, once; and looked at again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import hypothesis
import pytest
from hypothesis import strategies as st

from monitor.collect import collect
from monitor.config import Settings
from monitor.evidence import capture
from monitor.evidence_warc import Folder, Warc, records
from monitor.store import Store, hosts, served
from monitor.types import Answer, CaptureKind, Changed, Exchange
from tests.fakes import ALLOW_LOOPBACK, FeedServer, gzip_bomb, item, rss
from tests.monitor.capturing import STORY, bodies, captured, check, flag, page_of, publish, seen
from tests.monitor.collecting import watch

ENTRY, PAGE = CaptureKind.ENTRY, CaptureKind.PAGE


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched; nobody waits long."""
    return configure(ALLOW_LOOPBACK + "timeout_s = 3\n[evidence]\ntimeout_s = 1\nmax_bytes = 100000\n")


def test_entry_and_page_are_kept_byte_for_byte(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """As warcio reads them back; with address, status, headers and SHA-256 in the store."""
    page = server.put("/story", STORY.format("題一"), headers={"Content-Type": "text/html", "X-Who": "an outlet"})
    publish(store, settings, server, now, ("題一", page), ("題二", ""))
    report = capture(store, settings, now)
    assert (report.counts["entries"], report.counts["pages"], report.problems) == (2, 1, ())
    entries, pages = captured(store, ENTRY), captured(store, PAGE)
    assert bodies(settings, entries[0])["resource"] == item("題一", "題一 的內文。", link=page).encode()
    assert b"status: 200\r\n" in bodies(settings, entries[0])["metadata"]
    assert bodies(settings, pages[0])["response"] == STORY.format("題一").encode()
    for found in (*entries, *pages):
        body = bodies(settings, found)["response" if found.kind is PAGE else "resource"]
        assert (found.sha256, found.bytes, found.status) == (hashlib.sha256(body).hexdigest(), len(body), 200)
    assert (pages[0].url, pages[0].changed, ("X-Who", "an outlet") in pages[0].headers) == (page, None, True)
    assert check(settings.path(settings.evidence.directory)) == 0
    server.requests.clear()
    again = capture(store, settings, now)
    assert [value for value in again.counts.values() if value] == server.requests == []
    assert len(captured(store)) == 3


def test_an_entry_outlives_its_feed_and_its_first_text(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Dropped by the feed, or edited, before anybody flagged it: both texts are there, each with its instant."""
    url = server.put("/feed", rss(item("投票站關閉", "甲", guid="1"), item("別的", guid="2")))
    watch(store, now, url)
    collect(store, settings, now, every=True)
    server.put("/feed", rss(item("投票站照常", "甲", guid="1")))
    collect(store, settings, now + timedelta(minutes=1), every=True)
    server.put("/feed", rss(item("新聞", guid="3")))
    collect(store, settings, now + timedelta(minutes=2), every=True)
    flag(store, now)
    assert capture(store, settings, now + timedelta(minutes=3)).counts["entries"] == 4
    found = [(c.revision, bodies(settings, c)["resource"].decode()) for c in captured(store)]
    assert found[0] == (0, item("投票站關閉", "甲", guid="1"))
    assert found[1] == (1, item("投票站照常", "甲", guid="1"))
    assert [text for _, text in found[2:]] == [item("別的", guid="2"), item("新聞", guid="3")]


@pytest.mark.parametrize("encoding", ["big5", "gb18030", "utf-16"])
def test_what_has_no_bytes_of_its_own_is_kept_with_its_document(
    store: Store, settings: Settings, server: FeedServer, now: datetime, encoding: str
) -> None:
    """A feed in another encoding is kept whole, exactly as it came, never as what we made of it."""
    text = rss(item("投票站關閉", "內文", guid="1"), item("別的", guid="2")).replace("UTF-8", encoding)
    watch(
        store,
        now,
        server.put("/feed", text.encode(encoding), headers={"Content-Type": f"text/xml; charset={encoding}"}),
    )
    collect(store, settings, now, every=True)
    flag(store, now)
    capture(store, settings, now)
    found = captured(store)
    assert [c.whole for c in found] == [True, True]
    assert {bodies(settings, c)["resource"] for c in found} == {text.encode(encoding)}
    assert len({(c.file, c.offset) for c in found}) == 1  # written once


def test_raw_entries_are_dropped_in_time_but_not_while_they_are_waited_for(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Nobody flags them for two days: gone; what is noted stays, and is captured, however late that is."""
    watch(store, now, server.put("/feed", rss(item("題", guid="1"))))
    collect(store, settings, now, every=True)
    assert capture(store, settings, now + timedelta(hours=47)).counts["dropped"] == 0
    flag(store, now)
    late = capture(store, settings, now + timedelta(hours=49))
    assert (late.counts["entries"], late.counts["dropped"]) == (1, 1)
    with store.read() as connection:
        assert not served.is_old(connection, now + timedelta(days=99))


def test_not_enabled_nothing_is_kept(
    configure: Callable[[str], Settings], store: Store, server: FeedServer, now: datetime
) -> None:
    """Neither raw entries nor files; with `pages = false` entries alone."""
    settings = configure(ALLOW_LOOPBACK + "[evidence]\nenabled = false\n")
    publish(store, settings, server, now, ("題", server.put("/story", "x")))
    with store.read() as connection:
        assert not served.is_old(connection, now + timedelta(days=99))
    settings = configure(ALLOW_LOOPBACK + "[evidence]\npages = false\n")
    server.put("/feed", rss(item("新的", guid="9", link=server.url("/story"))))
    collect(store, settings, now + timedelta(hours=1), every=True)
    flag(store, now)
    counts = capture(store, settings, now + timedelta(hours=1)).counts
    assert (counts["entries"], counts["missing"], counts["visits"]) == (1, 1, 0)
    assert "/story" not in [path for path, _ in server.requests]


# What pages do.


def test_a_redirect_into_a_private_network_is_not_followed(
    configure: Callable[[str], Settings], store: Store, server: FeedServer, now: datetime
) -> None:
    """The guard of feeds holds at every hop; the answer that tried it is kept, and it is not tried again."""
    settings = configure('[fetch]\nallow_private = ["127.0.0.1/32"]\nhost_gap_s = 0\n')
    page = server.put("/story", status=302, headers={"Location": "http://10.0.0.1/admin"})
    publish(store, settings, server, now, ("題", page))
    report = capture(store, settings, now)
    assert (report.counts["failed"], report.counts["pages"]) == (1, 1)
    stored = page_of(store, page)
    assert "blocked" in (stored.error or "")
    assert "10.0.0.1" in (stored.error or "")
    found = captured(store, PAGE)[0]
    assert (found.status, dict(found.headers)["Location"]) == (302, "http://10.0.0.1/admin")


def test_redirects_are_kept_and_bounded(store: Store, settings: Settings, server: FeedServer, now: datetime) -> None:
    """Each hop with request and answer; a loop ends."""
    end = server.put("/end", STORY.format("終點"))
    page = server.put("/story", status=301, headers={"Location": "/end"})
    loop = server.put("/loop", status=302, headers={"Location": "/loop"})
    publish(store, settings, server, now, ("題", page), ("圈", loop))
    capture(store, settings, now)
    first, second = captured(store, PAGE)
    assert {(c.url, c.final_url, c.status) for c in (first, second)} == {(page, end, 200), (loop, loop, 302)}
    assert [path for path, _ in server.requests].count("/loop") == 6
    assert page_of(store, loop).error == "redirect: more than 5 redirects"


@pytest.mark.parametrize(
    ("answer", "cut", "attempts"),
    [
        ({"body": b"<p>" + b"x" * 1000, "endless": True}, "length", 1),
        ({"body": b"<p>slow", "endless": True, "pause_s": 0.1}, "time", 5),
        ({"body": b"<p>half", "content_length": 1000}, "disconnect", 5),
    ],
)
def test_endless_slow_and_broken_pages_are_kept_as_far_as_they_came(
    store: Store,
    settings: Settings,
    server: FeedServer,
    now: datetime,
    answer: dict[str, object],
    cut: str,
    attempts: int,
) -> None:
    """Within size and time; what broke off is asked for again first."""
    body = answer.pop("body")
    page = server.put("/story", body, headers={"Content-Type": "text/html"}, **answer)  # type: ignore[arg-type]
    publish(store, settings, server, now, ("題", page))
    for hour in range(attempts):
        assert captured(store, PAGE) == []
        capture(store, settings, now + timedelta(days=hour))
    found = captured(store, PAGE)[0]
    assert (found.cut, found.bytes <= 100_000) == (cut, True)
    assert bodies(settings, found)["response"].startswith(b"<p>")
    assert check(settings.path(settings.evidence.directory)) == 0


def test_a_bomb_is_kept_as_it_came_and_never_unpacked_whole(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """A thousandfold, sent though nothing compressed was asked for: its own bytes are the evidence."""
    bomb = gzip_bomb(50_000_000)
    page = server.put("/story", bomb, headers={"Content-Encoding": "gzip", "Content-Type": "text/html"})
    publish(store, settings, server, now, ("題", page))
    capture(store, settings, now)
    assert captured(store, PAGE)[0].sha256 == hashlib.sha256(bomb).hexdigest()
    assert dict(server.requests)["/story"]["Accept-Encoding"] == "identity"


def test_robots_are_heeded_where_asked(
    configure: Callable[[str], Settings], store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """By default; asked for once a pass; the entry is kept all the same."""
    server.put("/robots.txt", "User-agent: *\nDisallow: /private/")
    pages = [server.put(f"/private/{n}", "x") for n in range(2)]
    publish(store, settings, server, now, *((f"題{n}", page) for n, page in enumerate(pages)))
    report = capture(store, settings, now)
    assert (report.counts["entries"], report.counts["pages"], report.counts["failed"]) == (2, 0, 2)
    asked = [path for path, _ in server.requests]
    assert (asked.count("/robots.txt"), "/private/0" in asked) == (1, False)
    assert "robots" in (page_of(store, pages[0]).error or "")
    assert page_of(store, pages[0]).next_visit_at is None
    settings = configure(ALLOW_LOOPBACK + "[evidence]\nrobots = false\n")
    publish(store, settings, server, now + timedelta(hours=1), ("新題", server.put("/private/9", "x")))
    assert capture(store, settings, now + timedelta(hours=1)).counts["pages"] == 1


def test_what_fails_for_a_while_is_tried_again_and_then_recorded(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """A server error is asked again with growing pauses, as late as it asks; in the end its answer is the evidence."""
    page = server.put("/story", "down", status=503, headers={"Retry-After": "7200"})
    publish(store, settings, server, now, ("題", page))
    capture(store, settings, now)
    waits = (page_of(store, page).next_visit_at or now) - now
    assert timedelta(hours=2) <= waits < timedelta(hours=3)
    assert capture(store, settings, now + timedelta(hours=1)).counts["visits"] == 0
    for day in range(1, 5):
        capture(store, settings, now + timedelta(days=day))
    assert [(c.status, c.changed) for c in captured(store, PAGE)] == [(503, None)]
    assert page_of(store, page).next_visit_at is not None


def test_a_page_that_was_never_there_is_evidence_too(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """404 is an answer: recorded once, and not asked again in vain before the next visit."""
    publish(store, settings, server, now, ("題", server.url("/nothing")))
    capture(store, settings, now)
    capture(store, settings, now + timedelta(minutes=30))
    assert [(c.status, c.changed) for c in captured(store, PAGE)] == [(404, None)]
    assert [path for path, _ in server.requests].count("/nothing") == 1


def test_later_visits_find_what_changed_and_what_is_gone_once(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Other bytes with the same words are no change; other words are one; a page that is away is gone; back is back."""
    page = server.put("/story", STORY.format("票站六時關閉"), etag='"1"')
    publish(store, settings, server, now, ("題", page))
    versions: list[tuple[str, int]] = [
        (STORY.format("票站六時關閉").replace("Home", "首頁").replace("<p>", "<p class=x> "), 200),
        (STORY.format("票站照常開放"), 200),
        ("away", 404),
        ("away", 410),
        (STORY.format("票站照常開放"), 200),
    ]
    hours = (0, 1, 6, 24, 72, 168)
    found = []
    for hour, (body, status) in zip(hours, [(STORY.format("票站六時關閉"), 200), *versions], strict=True):
        server.put("/story", body, status=status, headers={"Content-Type": "text/html"}, etag=f'"{hour}"')
        capture(store, settings, now + timedelta(hours=hour, minutes=min(hour, 10)))
        found.append(len(captured(store, PAGE)))
    assert found == [1, 1, 2, 3, 3, 4]
    assert [(c.status, c.changed) for c in captured(store, PAGE)] == [
        (200, None),
        (200, Changed.CHANGED),
        (404, Changed.GONE),
        (200, Changed.SAME),
    ]
    assert page_of(store, page).next_visit_at is None


def test_a_page_that_did_not_change_costs_a_304(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Its validators go back as they came, and nothing is recorded."""
    page = server.put("/story", STORY.format("題"), etag='W/"1"')
    publish(store, settings, server, now, ("題", page))
    capture(store, settings, now)
    server.requests.clear()
    assert seen(store) == [None]
    assert capture(store, settings, now + timedelta(hours=2)).counts["unchanged"] == 1
    assert dict(server.requests)["/story"]["If-None-Match"] == 'W/"1"'
    assert len(captured(store, PAGE)) == 1
    assert seen(store) == [Changed.SAME]
    server.put("/story", "log in first", status=403)
    capture(store, settings, now + timedelta(hours=7))
    server.put("/story", "away", status=404)
    capture(store, settings, now + timedelta(hours=25))
    assert seen(store) == [None, Changed.GONE]


def test_a_page_is_visited_once_however_many_items_lead_to_it(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """And no host more than a few times in a pass, nor while another pass works on it."""
    page = server.put("/story", STORY.format("題"))
    publish(store, settings, server, now, *((f"題{n}", page) for n in range(9)))
    assert capture(store, settings, now).counts["visits"] == 1
    publish(store, settings, server, now, *((f"號{n}", server.url(f"/n{n}")) for n in range(7)))
    host = page.split("/")[2]
    with store.write() as connection:
        hosts.take(connection, [host], "a pass over the feeds", now, now + timedelta(minutes=1))
    assert capture(store, settings, now).counts["elsewhere"] == 5
    later = now + timedelta(minutes=2)
    assert [capture(store, settings, later).counts["visits"] for _ in range(3)] == [5, 2, 0]


def test_hostile_headers_and_addresses_are_written_in_one_line(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Whatever stands in them, the file is read back by warcio with every digest right, and no header is invented."""
    odd = {
        "Content-Type": 'text/html; x="é"',
        "X-Odd": "é;a=b\t\x7f\u00a0WARC-Type: metadata",
        "Transfer-Encoding": "identity",
    }
    page = server.put("/%0d%0aWARC-Type:%20x/題?a=%00&b=<script>", "<p>題", headers=odd)
    server.pages[quote("/%0d%0aWARC-Type:%20x/題?a=%00&b=<script>", safe="/%?&=:")] = server.pages.pop(
        "/%0d%0aWARC-Type:%20x/題?a=%00&b=<script>"
    )
    publish(store, settings, server, now, ("題\x1b[31m\u202e", page))
    capture(store, settings, now)
    assert check(settings.path(settings.evidence.directory)) == 0
    found = captured(store, PAGE)[0]
    data = Folder(settings.path(settings.evidence.directory)).read(found.file, found.offset, found.length)
    kinds = [record.kind for record in records(data, found.file)]
    assert kinds == ["response", "request"]
    assert all(text.isprintable() for pair in found.headers for text in pair if text.isascii())


_TEXT = st.text(max_size=30) | st.sampled_from(["\r\nWARC-Type: x", "\ud800", "é;a=b", "\0", "", "gzip", "chunked"])


@hypothesis.given(st.lists(st.tuples(_TEXT, _TEXT), max_size=4), _TEXT, _TEXT, st.binary(max_size=50))
def test_whatever_a_server_says_can_be_written_and_read_back(
    headers: list[tuple[str, str]], reason: str, path: str, body: bytes
) -> None:
    """Names and values of headers, reasons, addresses: every digest is right and the body is what came."""
    now = datetime(2027, 3, 1, tzinfo=UTC)
    warc = Warc(now, reason)
    exchange = Exchange(f"http://a.example/{path}", now, tuple(headers), "1.1", 200, reason, tuple(headers), body)
    answer = Answer(exchange.url, exchange.url, now, 200, tuple(headers), "0", 1)
    places = [warc.add_page([exchange]), warc.add_entry(answer, body, path)]
    found = {record.id: record for record in records(warc.data, "x")}
    assert len(found) == 5
    assert [(found[place.record_id].body, found[place.record_id].fault) for place in places] == [(body, None)] * 2
    assert places[-1].offset + places[-1].length == warc.size


@pytest.mark.parametrize("encoding", ["big5", "gb18030"])
@pytest.mark.parametrize("where", ["header", "meta", "nowhere"])
def test_chinese_pages_are_compared_by_their_words(
    store: Store, settings: Settings, server: FeedServer, now: datetime, encoding: str, where: str
) -> None:
    """In whatever encoding, said or not; the same words in UTF-8 later on are no change, other words are one."""
    text = "選舉事務處表示，所有投票站今日照常開放，市民可於晚上十時半前投票，請帶備身分證正本。" * 3
    meta = f'<meta charset="{encoding}">' if where == "meta" else ""
    kind = f"text/html; charset={encoding}" if where == "header" else "text/html"
    page = server.put("/story", f"{meta}<p>{text}</p>".encode(encoding), headers={"Content-Type": kind})
    publish(store, settings, server, now, ("題", page))
    capture(store, settings, now)
    server.put("/story", f"<p>{text}</p>", headers={"Content-Type": "text/html; charset=utf-8"})
    assert capture(store, settings, now + timedelta(hours=2)).counts["unchanged"] == 1
    server.put("/story", f"<p>{text}更正</p>", headers={"Content-Type": "text/html; charset=utf-8"})
    assert capture(store, settings, now + timedelta(hours=7)).counts["changed"] == 1


# The folder.
