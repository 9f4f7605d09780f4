"""The web as it is: what outlets do to their feeds, over real HTTP, from the answer to the stored row."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.collect import collect
from monitor.config import Settings
from monitor.failures import GIVE_UP
from monitor.health import health
from monitor.moves import STABLE_FOR
from monitor.store import Store, feeds, items
from monitor.types import Feed, Item
from tests.fakes import ALLOW_LOOPBACK, FeedServer, feed_server, item, pack, rss
from tests.hub import wait_until

ELECTION = """
[election]
polling_opens = 2027-03-07T07:30:00
polling_closes = 2027-03-07T22:30:00
"""


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """A feed server."""
    with feed_server() as fake:
        yield fake


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched; there is an election in a week."""
    return configure(ALLOW_LOOPBACK + "timeout_s = 3\nmax_bytes = 1000000\nparse_timeout_s = 5\n" + ELECTION)


class Desk:
    """A store whose feeds are collected at the instants a test names."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self.lines: list[str] = []

    def watch(self, now: datetime, *urls: str) -> None:
        """Add feeds."""
        with self.store.write() as connection:
            for url in urls:
                feeds.add(connection, url, now)

    def collect(self, now: datetime, *, every: bool = True) -> dict[str, object]:
        """One pass; the lines it said are kept."""
        self.lines = []
        return collect(self.store, self.settings, now, every=every, progress=self.lines.append).as_json()

    def feed(self, number: int = 1) -> Feed:
        """A feed as stored."""
        with self.store.read() as connection:
            return feeds.get(connection, number)

    def health(self, number: int = 1) -> str:
        """How it is, in a word."""
        return health(self.feed(number), self.settings.calendar.zone).word

    def items(self) -> list[Item]:
        """Every item."""
        with self.store.read() as connection:
            return items.listing(connection)


@pytest.fixture
def desk(store: Store, settings: Settings) -> Desk:
    """An empty one."""
    return Desk(store, settings)


def test_a_permanent_redirect_becomes_the_address_after_days(desk: Desk, server: FeedServer, now: datetime) -> None:
    """Followed at once, told at once, stored after three days, asked directly from then on; items stay the feed's."""
    old = server.put("/old", status=301, headers={"Location": "/new"})
    new = server.put("/new", rss(item("甲", guid="1")), etag='"1"')
    desk.watch(now, old)
    desk.collect(now)
    assert f"moved to {new}" in desk.lines[0]
    assert (desk.feed().url, desk.feed().moved_to, desk.feed().moved_since) == (old, new, now)
    desk.collect(now + timedelta(days=1))
    assert "moved" not in desk.lines[0]
    desk.collect(now + STABLE_FOR)
    assert "its address from now on" in desk.lines[0]
    assert (desk.feed().url, desk.feed().moved_to, desk.feed().moved_since) == (new, None, None)
    server.requests.clear()
    desk.collect(now + STABLE_FOR + timedelta(days=1))
    assert [path for path, _ in server.requests] == ["/new"]
    assert len(desk.items()) == 1


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_is_followed_and_never_stored(
    desk: Desk, server: FeedServer, now: datetime, status: int
) -> None:
    """For as long as it lasts."""
    old = server.put("/old", status=status, headers={"Location": "/new"})
    server.put("/new", rss(item("甲", guid="1")))
    desk.watch(now, old)
    for days in (0, 4, 40):
        assert desk.collect(now + timedelta(days=days))["failed"] == 0
    assert (desk.feed().url, desk.feed().moved_to) == (old, None)


def test_a_redirect_to_a_page_or_that_is_taken_back_moves_nothing(
    desk: Desk, server: FeedServer, now: datetime
) -> None:
    """A login page is no feed; and what came back to its place is not moved."""
    old = server.put("/old", status=301, headers={"Location": "/login"})
    server.put("/login", "<html><body>Sign in</body></html>")
    desk.watch(now, old)
    for days in (0, 4):
        assert desk.collect(now + timedelta(days=days))["failed"] == 1
    assert (desk.feed().url, desk.feed().moved_to) == (old, None)
    server.put("/login", rss(item("甲", guid="1")))
    desk.collect(now + timedelta(days=5))
    assert desk.feed().moved_to == server.url("/login")
    server.put("/old", rss(item("甲", guid="1"), item("乙", guid="2")))
    desk.collect(now + timedelta(days=9))
    assert "no longer moved" in desk.lines[0]
    assert (desk.feed().url, desk.feed().moved_to, desk.feed().moved_since) == (old, None, None)


def test_a_feed_that_moves_onto_another_is_told_and_not_doubled(desk: Desk, server: FeedServer, now: datetime) -> None:
    """Two feeds keep their rows, and the operator hears which one to disable."""
    old = server.put("/old", status=308, headers={"Location": "/new"})
    new = server.put("/new", rss(item("甲", guid="1")))
    desk.watch(now, old, new)
    desk.collect(now)
    report = desk.collect(now + STABLE_FOR)
    assert (desk.feed(1).url, desk.feed(2).url) == (old, new)
    assert "which is feed 2 already: disable one" in str(report["problems"])


def test_a_feed_that_is_gone_is_disabled_and_can_be_enabled(desk: Desk, server: FeedServer, now: datetime) -> None:
    """410 is the server's last word; a person may ask again."""
    desk.watch(now, server.put("/a", "gone", status=410))
    report = desk.collect(now)
    assert not desk.feed().enabled
    assert "pollwatch feeds enable 1" in str(report["problems"])
    assert desk.collect(now + timedelta(days=1))["feeds"] == 0
    with desk.store.write() as connection:
        feeds.set_enabled(connection, 1, True)
    server.put("/a", rss(item("甲", guid="1")))
    assert desk.collect(now + timedelta(days=2))["items_new"] == 1


def test_a_feed_that_fails_for_days_is_disabled_but_not_on_polling_day(
    desk: Desk, server: FeedServer, now: datetime
) -> None:
    """Strikes add up by weight, success forgets them, and the words say what happens and how to undo it."""
    desk.watch(now, server.put("/a", "<html>not a feed</html>"))
    polling_day = datetime.fromisoformat("2027-03-07T12:00:00+08:00")
    for number in range(int(GIVE_UP) + 2):
        desk.collect(polling_day + timedelta(minutes=number))
    assert desk.feed().enabled
    assert desk.feed().strikes > GIVE_UP
    assert "until the count is over" in desk.lines[0]
    report = desk.collect(polling_day + timedelta(days=3))
    assert not desk.feed().enabled
    assert "disabled after 33 failures in a row" in str(report["problems"])
    with desk.store.write() as connection:
        assert feeds.set_enabled(connection, 1, True).strikes == 0
    server.put("/a", "busy", status=503)
    desk.collect(polling_day + timedelta(days=4))
    assert desk.feed().strikes == 0.5
    server.put("/a", rss(item("甲", guid="1")))
    desk.collect(polling_day + timedelta(days=5))
    assert desk.feed().strikes == 0


@pytest.mark.parametrize("wish", ["7200", "Mon, 01 Mar 2027 06:30:00 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_for_quiet_gets_it(
    desk: Desk, server: FeedServer, now: datetime, status: int, wish: str
) -> None:
    """Retry-After in both forms; the other feeds of the host are not asked in this pass nor before its end."""
    # The date is far from the clock of this machine: only its form matters here, so it must lie in the future.
    wish = "Fri, 01 Jan 2100 00:00:00 GMT" if "GMT" in wish else wish
    desk.settings = desk.settings.model_copy(
        update={"fetch": desk.settings.fetch.model_copy(update={"concurrency": 1})}
    )
    urls = [server.put(f"/{n}", "busy", status=status, headers={"Retry-After": wish}) for n in range(4)]
    desk.watch(now, *urls)
    report = desk.collect(now)
    assert (report["failed"], report["postponed"], len(server.requests)) == (1, 3, 1)
    wait = timedelta(days=1) if "GMT" in wish else timedelta(hours=2)
    assert [desk.feed(n).next_check_at for n in (1, 2, 3, 4)] == [now + wait] * 4
    assert [desk.feed(n).failures for n in (1, 2, 3, 4)] == [1, 0, 0, 0]
    assert desk.collect(now + wait - timedelta(seconds=1), every=False)["feeds"] == 0
    server.pages.update({f"/{n}": server.pages["/0"].__class__(rss(item("甲", guid="1")).encode()) for n in range(4)})
    assert desk.collect(now + wait, every=False)["fetched"] == 4


def test_a_host_that_asks_for_quiet_is_not_asked_meanwhile(desk: Desk, server: FeedServer, now: datetime) -> None:
    """Its other connection waits until it is stored who must wait; what was asked already may still be answered."""
    urls = [server.put(f"/{n}", rss(item("甲", guid="1"))) for n in range(40)]
    server.put("/0", "busy", status=429, headers={"Retry-After": "7200"}, delay_s=0.2)
    server.put("/1", rss(item("甲", guid="1")), delay_s=0.3)
    desk.watch(now, *urls)

    def write_for_long() -> None:
        wait_until(lambda: server.requests)
        with desk.store.write():
            time.sleep(1.0)

    other = threading.Thread(target=write_for_long)
    other.start()
    report = desk.collect(now)
    other.join()
    assert len(server.requests) <= desk.settings.fetch.per_host + 1
    assert report["postponed"] >= 37


def test_a_forbidden_page_stops_no_other_feed_and_no_feed_starves(
    desk: Desk, server: FeedServer, now: datetime
) -> None:
    """Behind a wall one feed is tried at a time, another each time, until one answers; then all are asked again."""
    desk.settings = desk.settings.model_copy(
        update={"fetch": desk.settings.fetch.model_copy(update={"concurrency": 1})}
    )
    urls = [server.put(f"/{n}", "no", status=403) for n in range(3)] + [server.put("/3", rss(item("甲", guid="1")))]
    desk.watch(now, *urls)
    for _ in range(12):
        desk.collect(now, every=False)
        now += timedelta(hours=3)
    assert desk.health(4) == "ok"
    server.requests.clear()
    report = desk.collect(now, every=False)
    assert (report["failed"], report["unchanged"], report["postponed"]) == (3, 1, 0)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_compressed_chinese_feed_in_an_old_encoding_is_stored(
    desk: Desk, server: FeedServer, now: datetime, encoding: str
) -> None:
    """Everything at once: Big5 that says nothing, packed, with dates of the Republic."""
    title = "選舉事務署澄清：網上流傳的投票時間並不正確，各票站晚上十時半關閉"
    body = rss(item(title, guid="1", date="民國116年3月1日 上午10:00")).split("\n", 1)[1]
    packed = pack(body.encode("big5"), encoding)
    desk.watch(now, server.put("/a", packed, headers={"Content-Encoding": encoding, "Content-Type": "text/xml"}))
    desk.collect(now)
    (stored,) = desk.items()
    assert (stored.title, str(stored.published_at)) == (title, "2027-03-01 02:00:00+00:00")
    assert desk.health() == "ok"


@pytest.mark.parametrize(
    "body",
    [
        rss(item("甲", guid="1")) + rss(item("乙", guid="2")),
        rss(item("甲", guid="1")) + "\n<!-- served from cache -->\n" + rss(item("乙", guid="2"), item("甲", guid="1")),
        "Warning: cannot connect in /var/www/db.php on line 3\n" + rss(item("甲", guid="1"), item("乙", guid="2")),
        "<br />\n<b>Notice</b>: Undefined index<br />\n" + rss(item("甲", guid="1"), item("乙", guid="2")),
        rss(item("甲", guid="1"), item("乙", guid="2")) + "\n<script>count()</script>",
        rss(item("甲", guid="1"), item("乙", guid="2"))[:-16],
    ],
)
def test_joined_littered_and_cut_documents_give_their_entries(
    desk: Desk, server: FeedServer, now: datetime, body: str
) -> None:
    """Each entry once, and a word that the document is malformed."""
    desk.watch(now, server.put("/a", body))
    desk.collect(now)
    assert sorted(stored.title for stored in desk.items()) == ["乙", "甲"]
    assert desk.health() == "malformed"
    desk.collect(now + timedelta(hours=1))
    assert len(desk.items()) == 2


ATOM = '<feed {}><title>x</title><entry><title>甲</title><id>tag:1</id><link rel="alternate" href="/1"/></entry></feed>'
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="{}"><channel><title>x</title></channel>'
    "<item><title>甲</title><link>/1</link></item></rdf:RDF>"
)


@pytest.mark.parametrize(
    "body",
    [
        *(
            f'<rss version="{version}"><channel><item><title>甲</title><link>/1</link></item></channel></rss>'
            for version in ("0.90", "0.91", "0.92", "0.93", "0.94", "2.0", "2.0.11", "")
        ),
        RDF.format("http://my.netscape.com/rdf/simple/0.9/"),
        RDF.format("http://purl.org/rss/1.0/"),
        ATOM.format('version="0.3" xmlns="http://purl.org/atom/ns#"'),
        ATOM.format('xmlns="http://www.w3.org/2005/Atom"'),
        '{"version": "https://jsonfeed.org/version/1", "items": [{"id": 1, "title": "甲", "url": "/1"}]}',
        '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "甲", "url": "/1"}]}',
    ],
)
def test_every_family_of_feeds_gives_the_same_item(desk: Desk, server: FeedServer, now: datetime, body: str) -> None:
    """RSS 0.9x to 2.0, RDF, Atom 0.3 and 1.0, JSON Feed."""
    desk.watch(now, server.put("/feeds/a", body))
    desk.collect(now)
    assert [(stored.title, stored.link) for stored in desk.items()] == [("甲", server.url("/1"))]


def test_guids_that_are_missing_empty_shared_or_changed_lose_and_double_nothing(
    desk: Desk, server: FeedServer, now: datetime
) -> None:
    """The link stands in for a guid, without its tracking; the title where there is neither."""
    first = [
        item("甲", link="https://a.example/1?utm_source=rss"),
        "<item><title>乙</title><guid></guid></item>",
        item("丙", guid="same", link="https://a.example/3"),
        item("丁", guid="same", link="https://a.example/4"),
        item("戊", guid="old", link="https://a.example/5"),
    ]
    then = [
        item("甲", link="https://a.example/1?utm_source=mail&fbclid=x"),
        "<item><title>乙</title></item>",
        *first[2:4],
        item("戊", guid="new", link="https://a.example/5"),
    ]
    url = server.put("/a", rss(*first))
    desk.watch(now, url)
    assert desk.collect(now)["items_new"] == 5
    random.Random(1).shuffle(then)  # the order of entries means nothing
    server.put("/a", rss(*then))
    report = desk.collect(now + timedelta(hours=1))
    assert (report["items_new"], report["items_edited"]) == (0, 0)
    server.put("/a", rss(*then[:2]))
    desk.collect(now + timedelta(hours=2))
    server.put("/a", rss(*first))  # what vanished returns
    assert desk.collect(now + timedelta(hours=3))["items_new"] == 0
    assert len(desk.items()) == 5


def test_titles_with_markup_and_dates_of_all_kinds(desk: Desk, server: FeedServer, now: datetime) -> None:
    """Markup becomes text; zones that feedparser misreads, missing and future dates become what can be trusted."""
    body = rss(
        item("<b>甲</b>&amp;<script>x()</script>", guid="1", date="Mon, 01 Mar 2027 12:00:00 HKT"),
        item("乙", guid="2", date="二〇二七年三月一日 上午十一時"),
        item("丙", guid="3", date="Mon, 01 Mar 2027 23:00:00 GMT"),
        item("丁", guid="4"),
    )
    desk.watch(now, server.put("/a", body))
    desk.collect(now)
    found = {stored.title: stored.published_at for stored in desk.items()}
    assert found == {
        "甲&": datetime.fromisoformat("2027-03-01T04:00:00Z"),
        "乙": datetime.fromisoformat("2027-03-01T03:00:00Z"),
        "丙": now,
        "丁": None,
    }


@pytest.mark.shared
def test_every_recorded_feed_goes_through_a_whole_pass(
    shared: Path, desk: Desk, server: FeedServer, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    """All hard and all real ones over HTTP: no fault of ours, a second pass stores nothing, no pass logs an error."""
    paths = sorted(p for kind in ("hard", "real") for p in (shared / "feeds" / kind).iterdir() if p.is_file())
    # A feed that a busy machine is late with would bring its items in the second pass.
    patient = {"per_host": 32, "max_bytes": 10_000_000, "timeout_s": 60.0, "parse_timeout_s": 60.0}
    desk.settings = desk.settings.model_copy(update={"fetch": desk.settings.fetch.model_copy(update=patient)})
    desk.watch(now, *(server.put(f"/{n}", path.read_bytes()) for n, path in enumerate(paths)))
    report = desk.collect(now)
    problems = str(report.get("problems"))
    assert report["feeds"] == len(paths) > 400
    assert report["fetched"] > 0.9 * len(paths)  # type: ignore[operator]  # a count
    assert "internal" not in problems
    assert "stalled" not in problems
    again = desk.collect(now + timedelta(hours=1))
    assert (again["items_new"], again["items_edited"]) == (0, 0)
    assert "Traceback" not in caplog.text
