"""Tips by hand: an item like any other, marked, without the tipster, and nothing to disturb the feeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli.base import Context
from monitor.cli.items import items as items_command
from monitor.config import Settings
from monitor.errors import BlockedAddressError, ConfigError, InputError, NotFoundError
from monitor.health import coverage
from monitor.parse import MAX_SUMMARY, MAX_TITLE
from monitor.store import Store, feeds, items, summary
from monitor.text import page_text
from monitor.tips import Tip, add_tip
from monitor.types import Item, Role
from tests.fakes import ALLOW_LOOPBACK, FeedServer, feed_server

PAGE = """<!DOCTYPE html><html><head><title>票站&amp;渡輪 消息</title></head><body><nav><p>目錄</p></nav>
<article><h1>標題</h1><p>有人說<b>票站</b>已經關閉。</p><p>另有 &lt;傳單&gt;。<script>alert(1)</script></p></article>
<footer><p>版權</p></footer></body></html>"""
LEAFLET = "A leaflet says that the polls close at 20:00."


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """A web server."""
    with feed_server() as fake:
        yield fake


@pytest.fixture
def desk(configure: Callable[[str], Settings]) -> Settings:
    """A configuration in which the server may be asked."""
    return configure(ALLOW_LOOPBACK + "timeout_s = 2\n")


def tell(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    url: str | None = None,
    text: str | None = None,
    title: str | None = None,
    source: str = "hotline",
) -> Tip:
    """Add a tip."""
    return add_tip(store, settings, now, url=url, text=text, title=title, source=source)


def stored(store: Store) -> list[Item]:
    """All items, the first one first."""
    with store.read() as connection:
        return sorted(items.listing(connection), key=lambda item: item.id)


def test_a_tip_is_an_item_with_a_mark(store: Store, settings: Settings, now: datetime) -> None:
    """Cleaned like the text of a feed; what is kept of the tipster is the channel."""
    text = "\x1b[31m票站\u202e關閉\x00 甲" + "乙" * (MAX_SUMMARY + 5)
    tip = tell(store, settings, now, text=text, title="標\u200b題\r\n二" + "長" * MAX_TITLE, source="Hotline ")
    (item,) = stored(store)
    assert tip == Tip(item.id, is_new=True)
    assert (item.tip, item.outlet, item.role, item.first_seen_at) == ("hotline", "tip: hotline", Role.COMMUNITY, now)
    assert (item.link, item.published_at, item.lang) == (None, None, "zh-Hant")
    assert item.summary.startswith("[31m票站關閉 甲乙")
    assert item.title.startswith("標題 二長")
    assert (len(item.summary), len(item.title)) == (MAX_SUMMARY, MAX_TITLE)


def test_the_same_address_or_text_is_one_item(store: Store, settings: Settings, now: datetime) -> None:
    """By whatever channel, script, white space, or tracking parameter; a site without a story too."""
    first = tell(store, settings, now, url="https://rumours.example/post/5?utm_source=x", text="票站 關閉")
    for again in (
        {"url": "http://rumours.example/post/5/#top"},
        {"url": "https://rumours.example/post/5", "text": "Something else"},
        {"text": "票站关闭", "source": "colleague"},
        {"url": "https://other.example/1", "text": " 票站\n關閉 "},
    ):
        assert tell(store, settings, now, **again) == Tip(first.item_id, is_new=False)
    site = tell(store, settings, now, url="https://fake-bank.example/", text="A site posing as a bank")
    assert tell(store, settings, now, url="https://fake-bank.example/", text="Fake!", source="office").is_new is False
    assert site.is_new
    assert tell(store, settings, now, text=LEAFLET, source="office").is_new
    assert [item.tip for item in stored(store)] == ["hotline", "hotline", "office"]


@pytest.mark.parametrize(
    "source",
    [
        "陳大文",
        "Chan Tai Man",
        "+852 9123 4567",
        "91234567",
        "tai@harbour.example",
        "taiman",
        "",
        "hotline: Chan",
        "\u202e",
    ],
)
def test_a_tipster_is_not_kept(store: Store, settings: Settings, now: datetime, source: str) -> None:
    """Whatever is not a channel is refused with a sentence, which does not repeat it; nothing is stored."""
    with pytest.raises(InputError, match="hotline, colleague, office") as caught:
        tell(store, settings, now, text=LEAFLET, source=source)
    assert not source.strip() or source not in str(caught.value).replace("hotline, colleague, office", "")
    assert stored(store) == []


def test_channels_are_the_operators_words(store: Store, configure: Callable[[str], Settings], now: datetime) -> None:
    """Of any script; what could be a person's number or address is a fault of the configuration."""
    settings = configure('[tips]\nchannels = ["熱線", "walk-in"]\n')
    assert tell(store, settings, now, text=LEAFLET, source="熱線").is_new
    for wrong in ("Chan Tai Man", "91234567", "a@b.example", "x"):
        with pytest.raises(ConfigError, match=r"tips\.channels"):
            configure(f'[tips]\nchannels = ["{wrong}"]\n')


def test_a_tip_must_say_something(store: Store, settings: Settings, now: datetime) -> None:
    """And an address must be one of the web."""
    for nothing in ({}, {"title": "Only a title"}, {"text": "\u200b \n"}):
        with pytest.raises(InputError, match="--url, --text"):
            tell(store, settings, now, **nothing)
    for wrong in (
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://me:secret@x.example/",
        "x" * 3000,
        "no address",
    ):
        with pytest.raises(BlockedAddressError):
            tell(store, settings, now, url=wrong, text=LEAFLET)
    assert stored(store) == []


def test_the_page_is_read_once_when_there_is_no_text(
    store: Store, desk: Settings, server: FeedServer, now: datetime
) -> None:
    """Its title and main text are taken, without menus and scripts; a title that was given stays."""
    url = server.put("/a", PAGE, headers={"Content-Type": "text/html; charset=utf-8"})
    assert tell(store, desk, now, url=url).is_new
    assert not tell(store, desk, now, url=url).is_new
    (item,) = stored(store)
    assert (item.title, item.summary) == ("票站&渡輪 消息", "有人說票站已經關閉。 另有 <傳單>。")
    assert [path for path, _ in server.requests] == ["/a"]
    other = server.put("/b", PAGE, headers={"Content-Type": "text/html"})
    tell(store, desk, now, url=other, title="Mine")
    tell(store, desk, now, url=server.url("/c"), text=LEAFLET)
    assert [item.title for item in stored(store)] == ["票站&渡輪 消息", "Mine", ""]
    assert [path for path, _ in server.requests] == ["/a", "/b"]


def test_what_cannot_be_read_is_kept_as_a_link(store: Store, desk: Settings, server: FeedServer, now: datetime) -> None:
    """And the person is told why."""
    server.put("/pdf", b"%PDF-1.7", headers={"Content-Type": "application/pdf"})
    server.put("/empty", "<html><body><nav>menu</nav></body></html>", headers={"Content-Type": "text/html"})
    for path, why in (("/none", "404"), ("/pdf", "application/pdf"), ("/empty", "no text")):
        tip = tell(store, desk, now, url=server.url(path))
        assert tip.is_new
        assert why in str(tip.problem)
    assert [(item.title, item.summary) for item in stored(store)] == [("", "")] * 3


def test_a_private_address_is_never_fetched(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """The link is kept; nothing is asked, neither there nor where a public page would lead to it."""
    tip = tell(store, settings, now, url=server.put("/a", PAGE, headers={"Content-Type": "text/html"}))
    assert "blocked" in str(tip.problem)
    assert server.requests == []
    assert stored(store)[0].link == server.url("/a")


def test_tips_are_no_feed_to_watch(store: Store, settings: Settings, now: datetime) -> None:
    """Their feed is in no list, no coverage and no pass, cannot be switched on, and is never called silent."""
    with store.write() as connection:
        feeds.add(connection, "https://a.example/rss", now)
    tell(store, settings, now, text=LEAFLET)
    later = now + timedelta(days=9)
    with store.write() as connection:
        watched = feeds.listing(connection)
        assert [feed.url for feed in watched] == ["https://a.example/rss"]
        assert coverage(watched, settings.calendar.zone)["total"] == 1
        assert [feed.url for feed in feeds.due(connection, later)] == ["https://a.example/rss"]
        assert [feed.url for feed in feeds.due(connection, None)] == ["https://a.example/rss"]
        with pytest.raises(NotFoundError, match="tips"):
            feeds.set_enabled(connection, stored(store)[0].feed_id, True)
        collected = summary.collected(connection, now, later)
    assert (collected["items_new"], collected["tips"]) == (1, 1)


def test_by_line(folder: Path, store: Store, settings: Settings, now: datetime) -> None:
    """`items add` prints the item, `list` and `show` have the mark, a name is refused with exit 2."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(items_command, arguments, obj=Context(str(folder / "pollwatch.toml")))

    added = json.loads(run("add", "--text", LEAFLET, "--title", "Hours", "--from", "colleague", "--json").stdout)
    assert (added["tip"], added["title"], added["new"], added["problem"]) == ("colleague", "Hours", True, None)
    assert run("add", "--text", LEAFLET, "--from", "hotline").stdout == "item 1, which was reported before\n"
    assert json.loads(run("list", "--json").stdout)["tip"] == "colleague"
    assert "tip: colleague" in run("list").stdout
    assert "outlet: tip: colleague" in run("show", "1").stdout
    refused = run("add", "--text", LEAFLET, "--from", "Chan Tai Man")
    assert isinstance(refused.exception, InputError)
    assert refused.exception.exit_code == 2


def test_the_text_of_a_page() -> None:
    """Without an article all paragraphs, without paragraphs whatever it says; hostile markup costs no more."""
    assert page_text("<main><p>甲<p>乙</main><p>丙") == ("", "甲 乙")
    assert page_text("<p>甲</p><div>丁</div><p>乙") == ("", "甲 乙")
    assert page_text("<TITLE lang=zh>題</TITLE><div>甲</div><style>p{}</style>") == ("題", "甲")
    assert page_text("no markup") == ("", "no markup")
    for piece in ("<title", "<article>", "<div>", "<p>", "</p>", "<b><p>", "<div></x>", "<!--", "<p <p "):
        page_text(piece * 100_000)
