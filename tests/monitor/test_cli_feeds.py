"""The commands of the ground floor, as a script or a person uses them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli.base import Context
from monitor.cli.feeds import collect, feeds
from monitor.cli.items import items
from monitor.config import Settings
from monitor.errors import BlockedAddressError, InputError, NotFoundError
from tests.fakes import ALLOW_LOOPBACK, FeedServer, feed_server, item, rss

FEED_KEYS = "id url outlet role lang enabled health last_success_at next_check_at failures interval_s"
ITEM_KEYS = "id feed_id outlet role guid link title summary published_at first_seen_at edited_at lang revisions tip"
COLLECT_KEYS = "feeds fetched not_modified unchanged failed items_new items_edited items_seen bytes seconds"

Run = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """A feed server."""
    with feed_server() as fake:
        yield fake


@pytest.fixture
def run(folder: Path, configure: Callable[[str], Settings]) -> Run:
    """Run a command in the working folder."""
    configure(ALLOW_LOOPBACK)
    commands = {"feeds": feeds, "collect": collect, "items": items}

    def invoke(name: str, *arguments: str) -> Result:
        context = Context(str(folder / "pollwatch.toml"))
        return CliRunner().invoke(commands[name], arguments, obj=context, catch_exceptions=False)

    return invoke


def rows(result: Result) -> list[dict[str, Any]]:
    """The JSON Lines of stdout."""
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_feeds_are_added_listed_and_switched(run: Run) -> None:
    """Defaults are the host name and media; every promised key is there; enable undoes disable."""
    url = "https://harbour-daily.example/rss"
    (added,) = rows(run("feeds", "add", url, "--json"))
    assert " ".join(added).startswith(FEED_KEYS)
    assert (added["outlet"], added["role"], added["health"]) == ("harbour-daily.example", "media", "new")
    (again,) = rows(run("feeds", "add", url, "--role", "community", "--outlet", "海港日報", "--json"))
    assert (again["id"], again["role"], again["outlet"]) == (added["id"], "community", "海港日報")
    assert rows(run("feeds", "add", url, "--json"))[0]["outlet"] == "海港日報"
    assert rows(run("feeds", "disable", "1", "--json"))[0]["health"] == "disabled"
    assert rows(run("feeds", "enable", "1", "--json"))[0]["health"] == "new"
    assert len(rows(run("feeds", "list", "--json"))) == 1
    assert "海港日報" in run("feeds", "list").stdout


def test_the_list_is_in_the_language_of_who_reads_it(
    run: Run, server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headings, words of health and notes; machines read the same whatever the language."""
    missing = server.put("/missing", status=404)
    run("feeds", "add", missing, "--outlet", "海港日報", "--role", "official")
    run("collect", "--all")
    (english,) = rows(run("feeds", "list", "--json"))
    assert english["health"] == "failing"
    monkeypatch.setenv("POLLWATCH_LANGUAGE", "zh-Hant")
    heading, line = run("feeds", "list").stdout.splitlines()
    assert heading.split() == [
        "編號",
        "媒體",
        "類別",
        "語文",
        "狀況",
        "失敗次數",
        "上次正常",
        "下次讀取",
        "備註",
        "網址",
    ]
    assert line.split()[:5] == ["1", "海港日報", "官方", "-", "失效"]
    assert rows(run("feeds", "list", "--json")) == [english]


def test_who_is_not_asked_has_no_next_check(run: Run, server: FeedServer) -> None:
    """One that is gone was due again, as it seemed."""
    run("feeds", "add", server.put("/gone", status=410))
    run("collect")
    (row,) = [json.loads(line) for line in run("feeds", "list", "--json").stdout.splitlines()]
    assert (row["health"], row["next_check_at"]) == ("gone", None)


def test_wrong_words_are_refused(run: Run, tmp_path: Path) -> None:
    """An address that is none, an id that is none, a file that is none: one sentence each, nothing stored."""
    with pytest.raises(BlockedAddressError):
        run("feeds", "add", "ftp://harbour-daily.example/rss")
    with pytest.raises(NotFoundError):
        run("feeds", "enable", "7")
    with pytest.raises(InputError):
        run("feeds", "import", str(tmp_path / "none.opml"))
    assert run("feeds", "add", "https://a.example/", "--role", "boss").exit_code == 2
    assert rows(run("feeds", "list", "--json")) == []


def test_lists_go_in_and_out(run: Run, folder: Path, tmp_path: Path) -> None:
    """The starter list, imported twice, is there once; exported it can be imported elsewhere."""
    (first,) = rows(run("feeds", "import", str(folder / "feeds.opml"), "--json"))
    assert first["added"] == first["feeds"] >= 20
    (second,) = rows(run("feeds", "import", str(folder / "feeds.opml"), "--json"))
    assert (second["added"], second["known"]) == (0, first["feeds"])
    copy = tmp_path / "copy.opml"
    copy.write_text(run("feeds", "export").stdout, encoding="utf-8")
    assert rows(run("feeds", "import", str(copy), "--json"))[0]["known"] == first["feeds"]


def test_what_is_disabled_stays_so_elsewhere(run: Run, tmp_path: Path) -> None:
    """Exported, imported over the same feeds and over none: `enabled` goes both ways, and one address is one feed."""
    for name in ("a", "b"):
        run("feeds", "add", f"https://{name}.example/rss")
    assert rows(run("feeds", "add", "HTTPS://B.example:443/rss#top", "--json"))[0]["id"] == 2
    run("feeds", "disable", "1")
    copy = tmp_path / "copy.opml"
    copy.write_text(run("feeds", "export").stdout, encoding="utf-8")
    run("feeds", "enable", "1")
    run("feeds", "disable", "2")
    run("feeds", "import", str(copy))
    assert [feed["enabled"] for feed in rows(run("feeds", "list", "--json"))] == [False, True]
    copy.write_text(copy.read_text(encoding="utf-8").replace(".example", ".test"), encoding="utf-8")
    run("feeds", "import", str(copy))
    listed = rows(run("feeds", "list", "--json"))
    assert [(feed["url"], feed["enabled"]) for feed in listed[2:]] == [
        ("https://a.test/rss", False),
        ("https://b.test/rss", True),
    ]


def test_the_interval_shown_is_the_one_that_holds(run: Run, configure: Callable[[str], Settings]) -> None:
    """A feed follows the setting, whenever it was added."""
    run("feeds", "add", "https://harbour-daily.example/rss")
    configure("[fetch]\ninterval_s = 1200\n")
    assert rows(run("feeds", "list", "--json"))[0]["interval_s"] == 1200


@pytest.mark.parametrize(
    "words",
    [
        ("items", "show", "{}"),
        ("items", "list", "--feed", "{}"),
        ("items", "list", "--limit", "{}"),
        ("feeds", "enable", "{}"),
        ("feeds", "disable", "{}"),
    ],
)
def test_numbers_that_no_store_holds_are_refused(run: Run, words: tuple[str, ...]) -> None:
    """A sentence and exit 2, not a traceback."""
    for number in ("9" * 20, "0", "-1"):
        result = run(words[0], *(word.format(number) for word in words[1:]))
        assert result.exit_code == 2
        assert "Traceback" not in result.output


def test_one_bad_line_of_a_list_stores_nothing(run: Run, tmp_path: Path) -> None:
    """A list is imported whole or not at all."""
    file = tmp_path / "bad.opml"
    file.write_text('<opml><outline xmlUrl="https://a.example/"/><outline xmlUrl="ftp://b.example/"/></opml>')
    with pytest.raises(InputError):
        run("feeds", "import", str(file))
    assert rows(run("feeds", "list", "--json")) == []


def test_collect_and_items_keep_their_promises(run: Run, server: FeedServer) -> None:
    """Keys, counts, an edit, and what `show` adds."""
    run("feeds", "add", server.put("/a", rss(item("甲", "first", guid="1"), item("B", guid="2"))))
    report = rows(run("collect", "--json"))[0]
    assert " ".join(report).startswith(COLLECT_KEYS)
    assert report["items_new"] == 2
    server.put("/a", rss(item("甲", "second", guid="1"), item("B", guid="2")))
    assert rows(run("collect", "--all", "--json"))[0]["items_edited"] == 1
    listed = rows(run("items", "list", "--json"))
    assert [" ".join(row) for row in listed] == [ITEM_KEYS, ITEM_KEYS]
    assert [row["revisions"] for row in listed] == [1, 0]
    assert len(rows(run("items", "list", "--limit", "1", "--json"))) == 1
    assert rows(run("items", "list", "--since", "2099-01-01", "--json")) == []
    assert len(rows(run("items", "list", "--feed", "1", "--since", "2020-01-01T00:00", "--json"))) == 2
    (shown,) = rows(run("items", "show", str(listed[0]["id"]), "--json"))
    assert [text["summary"] for text in shown["revisions"]] == ["first"]
    assert shown["assessment"] is None
    assert [text["link"] for text in shown["revisions"]] == [None]
    assert "first" in run("items", "show", str(listed[0]["id"])).stdout
    assert "甲" in run("items", "list").stdout
    assert run("items", "list", "--since", "yesterday").exit_code == 2
    with pytest.raises(NotFoundError):
        run("items", "show", "99")
    with pytest.raises(NotFoundError):
        run("items", "list", "--feed", "99")


def test_an_earlier_link_is_shown(run: Run, server: FeedServer) -> None:
    """Where the link led before it led to another host."""
    run("feeds", "add", server.put("/a", rss(item("甲", guid="1", link="https://a.example/1"))))
    run("collect")
    server.put("/a", rss(item("甲", guid="1", link="https://a-example.example/1")))
    run("collect", "--all")
    shown = run("items", "show", "1").stdout
    assert shown.index("https://a-example.example/1") < shown.index("https://a.example/1")


def test_collect_tells_people_what_failed(run: Run, server: FeedServer) -> None:
    """A pass in which a feed failed is done: exit 0, counts on stdout, the sentence on stderr."""
    run("feeds", "add", server.put("/a", "<html></html>"), "--outlet", "Jade Bay Post")
    result = run("collect")
    assert result.exit_code == 0
    assert "1 failed" in result.stdout
    assert "Jade Bay Post" in result.stderr
    (feed,) = rows(run("feeds", "list", "--json"))
    assert (feed["health"], feed["failures"]) == ("html", 1)
    assert feed["error"].startswith("html: ")


def test_check_says_what_would_be_stored_and_stores_nothing(run: Run, server: FeedServer) -> None:
    """A feed: its entries. Anything else: exit 1 and why."""
    good = server.put("/rss", rss(item("甲\u202e\x1b[31m", guid="1", date="2027-03-01 10:00"), title="海港日報"))
    (found,) = rows(run("feeds", "check", good, "--json"))
    assert (found["ok"], found["title"], found["version"]) == (True, "海港日報", "rss20")
    assert [row["published_at"] for row in found["items"]] == ["2027-03-01T02:00:00+00:00"]
    assert "海港日報" in run("feeds", "check", good).stdout
    assert "\x1b" not in run("feeds", "check", good).stdout
    missing = run("feeds", "check", server.url("/none"), "--json")
    assert missing.exit_code == 1
    assert json.loads(missing.stdout)["error"]["kind"] == "http"
    assert rows(run("feeds", "list", "--json")) == []


def test_check_finds_the_feeds_of_a_page(run: Run, server: FeedServer) -> None:
    """The address of a web page names the feeds it offers."""
    page = '<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head></html>'
    result = run("feeds", "check", server.put("/", page), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["feeds"] == [server.url("/rss")]
    assert server.url("/rss") in run("feeds", "check", server.url("/")).stdout


@pytest.mark.parametrize("command", [feeds, collect, items])
def test_every_help_has_an_example(command: Any) -> None:
    """A real line to type."""
    commands = getattr(command, "commands", {"": command}).values()
    for each in commands:
        assert "pollwatch " in (each.epilog or "")
