"""Driving feedparser the short way: whatever is asked of its result is what the long way gives."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import feedparse
from monitor.blocks import cut
from monitor.errors import FeedError
from tests.fakes import item, rss

URL = "https://harbour-daily.example/rss/local.xml"
SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "h": "http://www.w3.org/1999/xhtml",
    "svg": "http://www.w3.org/2000/svg",
    "x": "urn:other",
    "a": "http://www.w3.org/2005/Atom",
}


def asked(data: bytes, *, sound: bool) -> Any:
    """All that is ever read of a result, or the error in words; ``sound``: the short way."""
    try:
        result = feedparse.read(data, URL, sound=sound)
    except FeedError as error:
        return error.detail
    of_entry, of_feed = feedparse.READ
    entries = [{name: dict.get(entry, name) for name in of_entry} for entry in result.entries]
    return result.version, {name: dict.get(result.feed, name) for name in of_feed}, entries


def assert_same(document: str | bytes) -> bool:
    """Both ways give the same; returns whether the document may be read the short way at all."""
    data = document.encode() if isinstance(document, str) else document
    if cut(data, feedparse.NAMESPACES) is None:
        return False
    assert asked(data, sound=True) == asked(data, sound=False)
    return True


IN_ENTRIES = {
    "authors": "<author><name>Ann</name><title>no title</title></author><dc:creator>Bo</dc:creator>",
    "a title inside of what is left out":
        "<media:content url='u'><x:y><media:title>late</media:title></x:y></media:content>",
    "a text inside of what is left out": "<category>a<description>b</description>c</category>",
    "an image": "<image><category>a</category><title>of the image</title><link>/i</link></image><guid>2</guid>",
    "a source": "<source url='/s'><category>a</category><title>of the source</title></source><title>own</title>",
    "markup": "<description><h:p>a<h:category/><category>b</category></h:p> c</description>",
    "a drawing": "<content:encoded><svg:svg><svg:link>a</svg:link></svg:svg></content:encoded><category>x</category>",
    "a date by another name": "<date>2027-03-01</date><modified>2027-03-02</modified><dc:date>2027-03-03</dc:date>",
    "a name that is asked for": "<id_detail>1</id_detail><published_parsed a='b'>2</published_parsed>",
    "a language and a base": "<category xml:lang='zh' xml:base='/x/'>a</category><link>y</link>",
    "a namespace that begins in what is left out":
        "<category xmlns:q='urn:q'><q:z/></category><q:title xmlns:q='urn:q'/>",
    "an xlink": "<category xmlns:xlink='http://www.w3.org/1999/xlink' xlink:href='/c'/><link>y</link>",
    "attributes in capitals": "<LINK HREF='/a' REL='ALTERNATE' href='/b'/><GUID isPermaLink='false'>g</GUID>",
    "pieces": "<title>a &amp; b &#x9078;\n<![CDATA[<b>c</b>]]>\n d</title>",
}  # fmt: skip


@pytest.mark.parametrize("inside", IN_ENTRIES.values(), ids=IN_ENTRIES)
def test_entries_are_those_of_the_long_way(inside: str) -> None:
    """Elements that are left out, stand inside of others, or hold what is read."""
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in SPACES.items())
    body = rss(f"<item>{inside}</item>", f"<item><title>t</title>{inside}</item>", item("甲", guid="1"))
    assert assert_same(body.replace("<rss ", f"<rss {spaces} ", 1))
    atom = f"<feed xmlns='{SPACES['a']}' {spaces}><entry><id>1</id>{inside}</entry></feed>"
    assert assert_same(atom)


@pytest.mark.parametrize(
    "head",
    [
        "<image><title>i</title><url>/i</url></image><generator>g</generator><ttl>5</ttl>",
        "<textinput><title>i</title><name>n</name></textinput><title>late</title>",
        "<category><title>x</title></category><a:link rel='hub' href='/hub'/><a:link rel='self' href='/me'/>",
        "<lastBuildDate>Mon, 01 Mar 2027 04:00:00 GMT</lastBuildDate><language>zh-HK</language>",
        "<description xml:base='/x/'>a<div><p>b</p><link>/d</link></div></description><title>t</title><link>/l</link>",
        "<summary>s</summary><description>d</description><subtitle><title>inner</title></subtitle><title>t</title>",
        "<description><svg:svg><svg:title>s</svg:title></svg:svg></description><title>t</title>",
    ],
)
def test_the_feed_is_that_of_the_long_way(head: str) -> None:
    """Title, rhythm and links, with elements around them that are left out."""
    spaces = f"<rss xmlns:a='{SPACES['a']}' xmlns:svg='{SPACES['svg']}' "
    assert assert_same(rss(f"{head}<item><guid>1</guid><link>x</link></item>").replace("<rss ", spaces, 1))


def test_what_windows_means_by_controls_is_what_feedparser_knows() -> None:
    """Its table as we keep it gives every character of every text what its own gives."""
    text = "".join(map(chr, range(sys.maxunicode + 1)))
    assert text.translate(feedparser.mixin._cp1252) == text.translate(feedparser.html._cp1252)
    read = feedparse.read(rss(item("\x93Count\x94 選\x85舉", "a")).encode(), URL)
    assert read.entries[0].title == "“Count” 選…舉"


def test_comments_that_look_like_document_types_are_left_to_feedparser() -> None:
    """It reads a version out of them."""
    document = rss(item("甲", guid="1")).partition("\n")[2]
    assert assert_same(f"<!--\n<!DOCTYPE rss netscape.com>\n-->{document}")


_TAGS = ["title", "link", "description", "guid", "category", "author", "name", "image", "source", "pubDate", "date",
         "media:content", "media:title", "media:description",
         "language", "summary", "subtitle", "rights", "div", "dc:creator", "dc:date", "content:encoded", "x:y", "h:div",
         "svg:svg", "a:summary", "a:content", "a:link", "enclosure"]  # fmt: skip
_attributes = st.sampled_from(
    [
        "",
        "",
        "",
        " type='html'",
        " type='xhtml'",
        " href='/h'",
        " xml:base='/b/'",
        " x:a='1'",
        " url='/u'",
        " rel='self'",
    ]
)


@st.composite
def _elements(draw: st.DrawFn, depth: int = 3) -> str:
    tag, attributes = draw(st.sampled_from(_TAGS)), draw(_attributes)
    inner = st.sampled_from(["", "a", " 題 ", "&lt;b&gt;", "<![CDATA[<i>x</i>]]>"])
    if depth:
        inner = inner | st.lists(_elements(depth - 1), max_size=3).map("".join)
    return f"<{tag}{attributes}>{draw(inner)}</{tag}>"


@given(st.lists(_elements(), max_size=4), st.lists(st.lists(_elements(), max_size=6), min_size=1, max_size=3))
def test_any_document_reads_the_same(head: list[str], entries: list[list[str]]) -> None:
    """Elements inside each other in every combination."""
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in SPACES.items())
    body = rss("".join(head), *(f"<item>{''.join(parts)}</item>" for parts in entries))
    assert_same(body.replace("<rss ", f"<rss {spaces} ", 1))


@pytest.mark.shared
def test_recorded_feeds_read_the_same(shared: Path) -> None:
    """Every file that may be read the short way."""
    short = 0
    for folder in ("real", "hard"):
        for file in sorted((shared / "feeds" / folder).iterdir()):
            data = file.read_bytes()
            try:
                text = data.decode("utf-8-sig").encode()
            except UnicodeDecodeError:
                continue
            short += assert_same(text.lstrip())
    assert short > 280
