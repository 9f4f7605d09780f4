"""From bytes to entries, hostile bytes included."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import feedparser
import pytest

from monitor.errors import FeedError, FeedErrorKind
from monitor.parse import MAX_ENTRIES, complete, parse
from monitor.types import Document, Entry
from tests.fakes import item, rss

URL = "https://harbour-daily.example/feeds/local.xml"
HONG_KONG = ZoneInfo("Asia/Hong_Kong")


def entries(body: str | bytes, content_type: str | None = None) -> tuple[Entry, ...]:
    """The entries of a document."""
    return document(body, content_type).entries


def document(body: str | bytes, content_type: str | None = None) -> Document:
    """A parsed document."""
    return parse(body.encode() if isinstance(body, str) else body, URL, content_type, HONG_KONG)


def kind_of(body: bytes, content_type: str | None = None) -> FeedErrorKind:
    """The kind of the error that parsing ends with."""
    with pytest.raises(FeedError) as caught:
        parse(body, URL, content_type)
    assert caught.value.detail
    return caught.value.kind


RSS1 = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://radio-lantern.example/"><title>燈籠電台</title></channel>
<item rdf:about="https://radio-lantern.example/1"><title>票站開放</title><link>https://radio-lantern.example/1</link>
<description>早上八時半起</description><dc:date>2027-03-14T08:30:00+08:00</dc:date></item></rdf:RDF>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Jade Bay Post</title>
<entry><id>tag:jade-bay-post.example,2027:1</id><title type="html">Turnout &amp;lt;b&amp;gt;up&amp;lt;/b&amp;gt;</title>
<link href="/news/1"/><updated>2027-03-14T10:00:00Z</updated><summary>By noon</summary></entry></feed>"""


@pytest.mark.parametrize(
    ("body", "version", "title", "link"),
    [
        (rss(item("選舉日", link="https://a.example/1")), "rss20", "選舉日", "https://a.example/1"),
        (RSS1, "rss10", "票站開放", "https://radio-lantern.example/1"),
        (ATOM, "atom10", "Turnout <b>up</b>", "https://harbour-daily.example/news/1"),
    ],
)
def test_the_three_families_give_the_same_entries(body: str, version: str, title: str, link: str) -> None:
    """RSS 2.0, RSS 1.0 and Atom; relative links become absolute; text that shows markup keeps it as text."""
    found = document(body)
    assert found.version == version
    assert (found.entries[0].title, found.entries[0].link) == (title, link)
    assert found.entries[0].published_at is None or found.entries[0].published_at.year == 2027


@pytest.mark.parametrize(
    ("attributes", "written", "read"),
    [
        ("", "Turnout &lt;b of all", "Turnout <b of all"),
        (' type="text"', "Turnout &lt;b of all", "Turnout <b of all"),
        (' type="text"', "選&lt;舉&gt;选 &amp;amp; ＶＯＴＥ\n", "選<舉>选 &amp; ＶＯＴＥ"),
        (' type="html"', "Turnout &lt;b&gt;of&lt;/b&gt; all &amp;amp;", "Turnout of all &"),
        (' type="xhtml"', '<div xmlns="http://www.w3.org/1999/xhtml"><p>Turnout<p/>of all</p></div>', "Turnout of all"),
    ],
)
def test_what_atom_calls_text_is_text(attributes: str, written: str, read: str) -> None:
    """Title, summary, content and the feed's own title lose their tags only where they are markup."""
    title = f"<title{attributes}>{written}</title>"
    body = (
        f'<feed xmlns="http://www.w3.org/2005/Atom">{title}'
        f"<entry><id>1</id>{title}<summary{attributes}>{written}</summary><content>other</content></entry>"
        f"<entry><id>2</id>{title}<content{attributes}>{written}</content></entry></feed>"
    )
    found = document(body)
    assert [found.title, *(text for entry in found.entries for text in (entry.title, entry.summary))] == [read] * 5


def test_rss_holds_markup_whatever_it_seems() -> None:
    """RSS has no types: what looks like plain text is read as HTML."""
    (entry,) = entries(rss(item("5 &lt; 6", "Turnout <b of all")))
    assert (entry.title, entry.summary) == ("5 < 6", "Turnout")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("comment", ["<!---->", "<!-- x -->\n", "<?x y?>"])
def test_comments_before_a_feed_are_no_puzzle(comment: str) -> None:
    """However many comments stand first, the feed is read."""
    body = rss(item("票站開放", guid="1")).partition("\n")[2]
    assert [entry.title for entry in entries(comment * 3_000 + body)] == ["票站開放"]


def test_markup_becomes_text() -> None:
    """Tags, entities, scripts, controls and bidi characters never get into an item; scripts' words neither."""
    title = "<b>卓望晴</b>：&amp;#36984;舉\u202e\u200b <script>alert(1)</script>"
    summary = "<p>One</p><p>Two<br/>three</p><style>p{}</style><img src=x onerror=alert(1)>&nbsp;end"
    (entry,) = entries(
        rss(f"<item><title><![CDATA[{title}]]></title><description><![CDATA[{summary}]]></description></item>")
    )
    assert entry.title.replace("&#36984;", "選") == "卓望晴：選舉"
    assert entry.summary == "One Two three end"


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://", "http://[::1/"]
)
def test_only_web_links_are_kept(link: str) -> None:
    """A link that is not http(s) is no link."""
    (entry,) = entries(rss(item("A", guid="1", link=link)))
    assert entry.link is None


def test_what_was_escaped_twice_is_read() -> None:
    """No reader is shown `&#8217;`; an ampersand that escapes nothing stays."""
    twice = "Lee&amp;amp;#8217;s R&amp;amp;D &amp;amp;quot;plan&amp;amp;quot; a&amp;b=1"
    for body in (
        f"<rss><channel><item><title>{twice}</title></item></channel></rss>",
        f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><title type='html'>{twice}</title></entry></feed>",
    ):
        assert [entry.title for entry in entries(body)] == ['Lee’s R&D "plan" a&b=1']


def test_entries_without_title_and_with_content_only() -> None:
    """A missing title stays empty; content:encoded stands in for a missing summary."""
    body = (
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        "<item><guid>1</guid><description>早報：天晴</description></item>"
        "<item><guid>2</guid><title>T</title><content:encoded>&lt;p&gt;Whole text&lt;/p&gt;</content:encoded></item>"
        "</channel></rss>"
    )
    first, second = entries(body)
    assert (first.title, first.summary) == ("", "早報：天晴")
    assert second.summary == "Whole text"


def test_identity_prefers_guid_then_link_then_title_and_never_the_date() -> None:
    """The same entry under another date keeps its key."""
    for parts in ({"guid": "g", "link": "https://a.example/1"}, {"link": "https://a.example/1"}, {}):
        keys = {
            entries(rss(item("題目", "text", date=date, **parts)))[0].key
            for date in ("", "Mon, 01 Mar 2027 04:00:00 GMT")
        }
        assert len(keys) == 1
        key = keys.pop()
        assert key == parts.get("guid", parts.get("link", key))
        assert key.startswith(("g", "https://", "text:"))


def test_a_guid_used_twice_does_not_merge_two_stories() -> None:
    """Different links, or different titles, under one guid are different entries; an exact repetition is not."""
    links = entries(rss(*(item("A", guid="same", link=f"https://a.example/{n}") for n in (1, 2))))
    assert len({entry.key for entry in links}) == 2
    titles = entries(rss(*(item(title, guid="same", link="https://a.example/") for title in "AB")))
    assert len({entry.key for entry in titles}) == 2
    repeated = entries(rss(item("A", guid="same"), item("A", guid="same")))
    assert len({entry.key for entry in repeated}) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"<!DOCTYPE html><html><head><title>News</title></head><body>404</body></html>", "html"),
        (b'<?xml version="1.0"?><!-- x --><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', "html"),
        (b"<!---->\n" * 1_000 + b"<HTML><p>News", "html"),
        (b'<?xml version="1.0"?><sitemap><url>https://a.example</url></sitemap>', "not-a-feed"),
        (b"Just some words.", "not-a-feed"),
        (b"<rss version='2.0'><channel><title>cut of", "not-a-feed"),
        (bytes(range(256)) * 20, "encoding"),
        (b"\0 \x1b", "empty"),
        (b"\xff\xfe<\x00r\x00s\x00s\x00>", "encoding"),
    ],
)
def test_what_is_no_feed_says_what_it_is(body: bytes, kind: str) -> None:
    """Empty, a web page, no feed at all, wrong encoding: one kind each, with a sentence."""
    assert kind_of(body) == kind


@pytest.mark.parametrize("body", [b"/etc/hostname", b"file:///etc/hostname", b"http://127.0.0.1:1/feed.xml"])
def test_a_body_that_spells_a_path_opens_nothing(body: bytes) -> None:
    """feedparser opens files and addresses it is given as strings; ours are never taken for one."""
    assert kind_of(body) == FeedErrorKind.NOT_A_FEED


def test_a_malformed_document_gives_what_can_be_read_and_a_warning() -> None:
    """A bare ampersand, or a document cut off in the middle, keeps the entries before it."""
    bare = document(rss("<item><title>Q&A <b>hour</title><guid>1</guid></item>", item("B", guid="2")))
    assert len(bare.entries) == 2
    assert bare.warning is not None
    cut = rss(item("甲", guid="1"), item("乙", guid="2"))[:-40]
    assert [entry.title for entry in document(cut).entries][:1] == ["甲"]
    assert "malformed" in (document(cut).warning or "")


def test_illegal_characters_and_blank_lines_do_no_harm() -> None:
    """NUL, form feed and white space before the XML declaration are dropped, and nobody need be warned."""
    found = document("\n\n " + rss(item("a\x00b\x0cc", guid="1")))
    assert found.entries[0].title == "abc"
    assert found.warning is None


@pytest.mark.parametrize("illegal", [*map(chr, {*range(0x20)} - {9, 10, 13}), "\ufffe", "\uffff"])
@pytest.mark.parametrize(
    "place", ["<rss", "投票", "1</guid", " x='", " note ", " raw ", "?>\n<item>", "<item>", "</channel>"]
)
def test_what_xml_forbids_is_left_out_wherever_it_stands(illegal: str, place: str) -> None:
    """In names and text, attributes, comments, CDATA, between elements; as well where a document is read in part."""
    second = "<item x='y'><!-- note --><title><![CDATA[ raw ]]></title></item><?pi ?>\n"
    clean = rss(item("投票", guid="1") + second + item("B"))
    assert place in clean
    hurt = clean.replace(place, place[0] + illegal + place[1:]).encode()
    found, expected = parse(hurt, URL), parse(clean.encode(), URL)
    assert (found.entries, found.warning, found.marks) == (expected.entries, None, expected.marks)
    known = frozenset(expected.marks[1:])
    part = parse(hurt, URL, known=known)
    assert (part.unread, part.entries) == (known, expected.entries[:1])


@pytest.mark.parametrize(
    ("codec", "declared", "header"),
    [
        ("utf-8", "utf-8", "text/xml"),
        ("utf-8", "utf-8", "text/xml; charset=iso-8859-1"),
        ("utf-8", "gb2312", None),
        ("utf-8-sig", "utf-8", None),
        ("utf-16", "utf-16", None),
        ("utf-16-be", "utf-16", None),
        ("big5hkscs", "big5", None),
        ("gb18030", "gb2312", "application/xml"),
        ("big5hkscs", "utf-8", "text/xml; charset=Big5"),
    ],
)
def test_the_encoding_is_found(codec: str, declared: str, header: str | None) -> None:
    """Header, declaration, byte order mark: the one that fits the bytes wins, and UTF-8 is known by itself."""
    text = "選舉事務署：投票時間" if codec != "gb18030" else "选举事务署：投票时间"
    body = f'<?xml version="1.0" encoding="{declared}"?>' + rss(item(text, guid="1")).split("\n", 1)[1]
    found = document(body.encode(codec), header)
    assert found.entries[0].title == text
    assert found.warning is None


@pytest.mark.parametrize("name", ["punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "hex"])
def test_what_only_python_calls_an_encoding_is_none(name: str) -> None:
    """A header with such a name is as good as none."""
    (entry,) = entries(rss(item("a-b \\u9078", guid="1")), f"text/xml; charset={name}")
    assert entry.title == "a-b \\u9078"


def test_a_few_broken_characters_are_forgiven_and_told() -> None:
    """One broken byte costs one character, not the feed."""
    body = rss(item("選舉事務署澄清投票時間", guid="1")).encode()
    found = document(body.replace("舉".encode(), b"\xe8\x88", 1))
    assert found.entries[0].title.startswith("選")
    assert "broken" in (found.warning or "")


def test_western_text_under_a_wrong_name_is_read() -> None:
    """Latin-1 that calls itself UTF-8 is read as Windows-1252, with a warning."""
    found = document(rss(item("L’élection à l’île", guid="1")).encode("cp1252"))
    assert found.entries[0].title == "L’élection à l’île"
    assert "windows-1252" in (found.warning or "")


def test_too_many_entries_are_cut_with_a_warning() -> None:
    """The first MAX_ENTRIES are read."""
    found = document(rss(*(item("A", guid=str(n)) for n in range(MAX_ENTRIES + 5))))
    assert len(found.entries) == MAX_ENTRIES
    assert "2,005" in (found.warning or "")


@pytest.mark.parametrize(
    "body",
    [
        rss(item("<!--" * 60_000, guid="1")),
        "<rss version='2.0'><channel><item><title>" + "<!--" * 60_000,
        rss(item("<" * 200_000, guid="1")),
        rss(item("&amp;" * 100_000, guid="1")),
        "<rss version='2.0'>" + "<a>" * 50_000,
        '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>' + rss(item("&c;", guid="1")),
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        + rss("<item><title>&x;</title><guid>1</guid></item>"),
    ],
)
def test_attacks_end_quickly(body: str) -> None:
    """Known ways to stall or fool a parser end in seconds, as entries or as an error."""
    begun = time.monotonic()
    try:
        titles = [entry.title for entry in entries(body)]
    except FeedError:
        titles = []
    assert time.monotonic() - begun < 10
    assert all(len(title) <= 1_000 for title in titles)
    assert Path("/etc/hostname").read_text().strip() not in titles


@pytest.mark.shared
def test_every_recorded_feed_is_read_as_feedparser_reads_it(shared: Path) -> None:
    """Every real and hard feed but JSON: no traceback, as many entries as feedparser finds, blank ones included."""
    paths = [*(shared / "feeds/real").iterdir(), *(shared / "feeds/hard").iterdir()]
    for path in sorted(path for path in paths if path.suffix != ".json"):
        body = path.read_bytes()
        with path.open("rb") as stream:
            wanted = len(feedparser.parse(stream, sanitize_html=False, resolve_relative_uris=False).entries)
        try:
            read = parse(body, URL)
            left_out = re.search(r"([\d,]+) of its entries left out", read.warning or "")
            found = len(read.entries) + (int(left_out[1].replace(",", "")) if left_out else 0)
        except FeedError:
            found = 0
        assert found == wanted, path.name


@pytest.mark.parametrize("before", ["<!---->" * 700, "<!--" * 1200, "\u2003" * 4900, "<?xml ?>" * 600])
def test_what_stands_before_the_first_element_is_read_once(before: str) -> None:
    """Comments and white space without end before the feed: telling it from a web page takes no time."""
    start = time.process_time()
    with contextlib.suppress(FeedError):
        document(before + rss(item("A title")))
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("elements", "seconds"),
    [
        ("", None),
        ("<ttl>60</ttl>", 3600),
        ("<ttl> 5 </ttl>", 300),
        ("<ttl>0</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("<ttl>-5</ttl>", None),
        ("<ttl>９</ttl>", None),
        ("<ttl>99999999999999999999</ttl>", None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 900),
        ("<sy:updatePeriod> Daily </sy:updatePeriod>", 86_400),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 3600),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>x</sy:updateFrequency>", None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>999999</sy:updateFrequency>", None),
        ("<sy:updatePeriod>fortnightly</sy:updatePeriod>", None),
        ("<ttl>10</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", 600),
    ],
)
def test_how_often_a_feed_says_it_changes(elements: str, seconds: int | None) -> None:
    """RSS ttl is in minutes; the syndication module says how many times a period; nonsense says nothing."""
    body = rss(item("A", guid="1")).replace(
        '<rss version="2.0"><channel>',
        f'<rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel>{elements}',
    )
    assert document(body).update_s == seconds


@pytest.mark.parametrize("known", [0, 1])
def test_an_entry_that_says_nothing_is_left_out_and_counted(known: int) -> None:
    """In every family of feeds, also beside entries that are not read again; a bare guid or date says nothing."""
    blank = (
        "<item><author>x</author></item>",
        item("", guid="7"),
        item("<b> </b>", "<p>\u3000</p>", date="Mon, 01 Mar 2027 10:00:00 HKT"),
    )
    body = rss(item("甲", guid="1"), blank[0], blank[1], item("", "內容"), blank[2], item("", link="/a")).encode()
    whole = parse(body, URL)
    assert [(e.title, e.summary, e.link) for e in whole.entries] == [
        ("甲", "", None),
        ("", "內容", None),
        ("", "", "https://harbour-daily.example/a"),
    ]
    assert whole.warning == "readable, but 3 of its entries left out, without title, text and link"
    again = parse(body, URL, known=whole.marks[:known])
    assert (again.marks, again.size, again.warning) == (whole.marks, 3, whole.warning)
    assert complete(again, dict(zip(whole.marks, whole.entries, strict=True))) == whole.entries
    as_json = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1"}, {"title": "乙"}]})
    found = parse(as_json.encode(), URL)
    assert [e.title for e in found.entries] == ["乙"]
    assert "1 of its entries left out" in (found.warning or "")


@pytest.mark.parametrize("before", ["", "<?xml version='1.0'?>\n", "<?xml version='1.0'?>"])
@pytest.mark.parametrize("type_of", ["", "<!DOCTYPE rss>\n"])
def test_the_line_of_a_fault_is_that_of_the_document(before: str, type_of: str) -> None:
    """Who looks there finds it, with or without a declaration, which feedparser puts there."""
    feed = "<rss version='2.0'><channel><title>A</title>\n<item><title>B & C</title></item>\n</channel></rss>"
    text = before + type_of + feed
    line = next(number for number, words in enumerate(text.splitlines(), 1) if "B & C" in words)
    warning = parse(text.encode(), "https://a.example/rss").warning
    assert warning is not None
    assert f"malformed XML at line {line}: " in warning
