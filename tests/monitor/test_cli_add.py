"""`feeds add` and `feeds check` look at an address before it is watched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli.base import Context
from monitor.cli.feeds import feeds
from monitor.config import Settings
from monitor.errors import BlockedAddressError, InputError
from tests.fakes import ALLOW_LOOPBACK, FeedServer, feed_server, item, rss

Run = Callable[..., Result]
KEEP_OUT = "User-agent: *\nDisallow: /kept/"


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """A feed server."""
    with feed_server() as fake:
        yield fake


@pytest.fixture
def run(folder: Path, configure: Callable[[str], Settings]) -> Run:
    """Run `pollwatch feeds …` in the working folder."""
    configure(ALLOW_LOOPBACK + "timeout_s = 1\n")

    def invoke(*arguments: str) -> Result:
        context = Context(str(folder / "pollwatch.toml"))
        return CliRunner().invoke(feeds, arguments, obj=context, catch_exceptions=False)

    return invoke


def watched(run: Run) -> list[dict[str, Any]]:
    """The feeds in the store."""
    return [json.loads(line) for line in run("list", "--json").stdout.splitlines()]


def page(*links: str, kind: str = "application/rss+xml") -> str:
    """A web page that names such feeds."""
    tags = "".join(f'<link rel="alternate" type="{kind}" href="{link}">' for link in links)
    return f"<!DOCTYPE html><html><head>{tags}</head><body>海港日報</body></html>"


def test_a_feed_is_fetched_once_and_watched(run: Run, server: FeedServer) -> None:
    """One look at robots.txt and one at the feed; nothing is stored of it yet; added again, nothing is fetched."""
    url = server.put("/a", rss(item("甲", guid="1")))
    added = run("add", url, "--folder", "香港/報章", "--json")
    assert added.exit_code == 0
    assert [path for path, _ in server.requests] == ["/robots.txt", "/a"]
    (feed,) = watched(run)
    run("add", url, "--folder", "/" * 50 + "香港//報章\x1b/")
    assert watched(run)[0]["folder"] == "香港/報章"
    assert (feed["url"], feed["folder"], feed["health"], feed["last_success_at"]) == (url, "香港/報章", "new", None)
    run("add", url, "--outlet", "海港日報")
    assert len(server.requests) == 2
    assert watched(run)[0]["outlet"] == "海港日報"


@pytest.mark.parametrize(
    "kind", ["application/rss+xml", "application/atom+xml", "application/feed+json", " Application/RDF+XML "]
)
def test_a_page_with_one_feed_stands_for_it(run: Run, server: FeedServer, kind: str) -> None:
    """Its address is what is watched, and said."""
    added = run("add", server.put("/", page("/rss", "/rss", kind=kind)))
    assert added.exit_code == 0
    assert [feed["url"] for feed in watched(run)] == [server.url("/rss")]
    assert f"its feed is {server.url('/rss')}" in added.stderr


def test_of_a_page_with_several_feeds_one_must_be_chosen(run: Run, server: FeedServer) -> None:
    """Each is named, none is taken."""
    url = server.put("/", page("/local", "https://other.example/rss", "javascript:alert(1)"))
    with pytest.raises(InputError, match="2 feeds") as caught:
        run("add", url)
    assert caught.value.exit_code == 2
    assert str(caught.value).splitlines()[1:] == [server.url("/local"), "https://other.example/rss"]
    assert watched(run) == []


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ({"status": 503}, "http"),
        ({"status": 404}, "http"),
        ({"status": 410}, "gone"),
        ({"body": "<html>Closed for maintenance</html>"}, "html"),
        ({"body": "no feed"}, "not-a-feed"),
        ({"delay_s": 2.0}, "timeout"),
    ],
)
def test_what_is_no_feed_now_is_watched_and_said_so(
    run: Run, server: FeedServer, answer: dict[str, Any], word: str
) -> None:
    """A feed is never refused for being down at the moment somebody adds it."""
    added = run("add", server.put("/a", **{"body": b"", **answer}))
    assert added.exit_code == 0
    assert f"no feed could be read there now ({word}: " in added.stderr
    assert len(watched(run)) == 1


def test_without_a_look_nothing_is_fetched(run: Run, server: FeedServer) -> None:
    """`--unchecked` takes the address as it is."""
    assert run("add", server.url("/a"), "--unchecked").exit_code == 0
    assert server.requests == []
    assert len(watched(run)) == 1


def test_robots_are_honoured_unless_told_otherwise(run: Run, server: FeedServer) -> None:
    """Said in words with the file that says so; nothing is fetched behind it; a flag overrides."""
    server.put("/robots.txt", KEEP_OUT, headers={"Content-Type": "text/plain"})
    url = server.put("/kept/rss", rss(item("甲", guid="1")))
    with pytest.raises(InputError, match=r"robots\.txt asks us not to .*--despite-robots"):
        run("add", url)
    checked = run("check", url, "--json")
    assert checked.exit_code == 1
    assert json.loads(checked.stdout)["error"]["kind"] == "robots"
    assert {path for path, _ in server.requests} == {"/robots.txt"}
    assert run("check", url, "--despite-robots").exit_code == 0
    assert run("add", url, "--despite-robots").exit_code == 0
    assert run("add", server.put("/open/rss", rss())).exit_code == 0
    assert len(watched(run)) == 2


def test_the_feed_of_a_page_is_asked_for_its_own_robots(run: Run, server: FeedServer) -> None:
    """A page may be open and its feed not."""
    server.put("/robots.txt", KEEP_OUT, headers={"Content-Type": "text/plain"})
    with pytest.raises(InputError, match="--despite-robots"):
        run("add", server.put("/", page("/kept/rss")))
    assert watched(run) == []


def test_what_may_not_be_fetched_is_refused(run: Run, configure: Callable[[str], Settings]) -> None:
    """A private address and another service's port, each with the setting that would allow it."""
    configure("")
    with pytest.raises(BlockedAddressError, match="allow_private"):
        run("add", "http://127.0.0.1/rss")
    with pytest.raises(BlockedAddressError, match="allow_ports"):
        run("add", "http://harbour-daily.example:6379/rss")
    assert watched(run) == []


@pytest.mark.parametrize("command", ["add", "check"])
def test_half_an_address_is_refused_with_its_mend(run: Run, command: str) -> None:
    """As people type it, or nothing at all."""
    for given, mend in (
        ("harbour.example/rss", "did you mean https://harbour.example/rss"),
        ("//harbour.example:8443/rss", "did you mean https://harbour.example:8443/rss"),
        (" ", "no address; give one as https://"),
    ):
        with pytest.raises(InputError, match=re.escape(mend)):
            run(command, given)


def test_what_a_button_copies_is_an_address(run: Run, server: FeedServer) -> None:
    """Browsers and outlets put `feed:` before addresses."""
    url = server.put("/a", rss(item("甲", guid="1")))
    assert "甲" in run("check", f"feed:{url}").stdout
    assert "1 entry\n" in run("check", url).stdout
    assert run("add", url.replace("http:", "feed:")).exit_code == 0
    assert watched(run)[0]["url"] == url


def test_a_permanent_redirect_is_told(run: Run, server: FeedServer) -> None:
    """The address is taken as given; `check` and `add` say where it leads."""
    server.put("/new", rss(item("甲", guid="1")))
    old = server.put("/old", status=301, headers={"Location": "/new"})
    assert json.loads(run("check", old, "--json").stdout)["moved_to"] == server.url("/new")
    assert f"moved for good to {server.url('/new')}" in run("add", old).stderr
    assert watched(run)[0]["url"] == old


def test_folders_go_in_and_out(run: Run, tmp_path: Path) -> None:
    """Import, export: the same folders; a list that names none changes none."""
    file = tmp_path / "list.opml"
    file.write_text(
        '<opml><body><outline text="官方"><outline text="選舉"><outline xmlUrl="https://a.example/rss"/></outline>'
        '</outline><outline xmlUrl="https://b.example/rss"/></body></opml>',
        encoding="utf-8",
    )
    run("import", str(file))
    assert {feed["url"]: feed["folder"] for feed in watched(run)} == {
        "https://a.example/rss": "官方/選舉",
        "https://b.example/rss": None,
    }
    exported = run("export").stdout
    assert '<outline text="官方">' in exported
    file.write_text('<opml><body><outline xmlUrl="https://a.example/rss"/></body></opml>', encoding="utf-8")
    run("import", str(file))
    assert run("export").stdout == exported
