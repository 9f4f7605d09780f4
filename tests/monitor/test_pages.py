"""Web pages in the place of feeds: recognised, and searched for the feeds they name."""

from __future__ import annotations

import pytest

from monitor.errors import FeedError, FeedErrorKind
from monitor.parse import find_feeds, parse
from tests.fakes import item, rss

URL = "https://harbour-daily.example/news/"


def test_the_feeds_of_a_page_are_found() -> None:
    """Alternate links of feed types, made absolute; nothing else."""
    page = b"""<html><head><link rel="stylesheet" href="/a.css"><link rel="alternate" type="application/rss+xml"
    href="/rss.xml"><LINK REL='alternate feed' TYPE='Application/Atom+XML' HREF='https://b.example/atom'>
    <link rel="alternate" type="application/rss+xml" href="javascript:x"><link rel="alternate" hreflang="zh" href="/zh">
    <link rel="alternate" type="application/rss+xml" href="/rss.xml"></head>"""
    assert find_feeds(page, URL) == ("https://harbour-daily.example/rss.xml", "https://b.example/atom")


@pytest.mark.parametrize(
    "page",
    [
        '<base href="https://b.example/news/"><link rel=alternate type=application/rss+xml href=rss.xml>',
        '<link rel="alternate" type="application/rss+xml" href=news/rss.xml><base href="//b.example"><base href="/x">',
        f'<script>{"var a;" * 200_000}</script><link rel="alternate" type="text/xml" href="https://b.example/news/rss.xml">',
        '<!-- <link rel="alternate" type="text/xml" href=/old> --><script>"<link rel=alternate type=text/xml href=/o>"'
        '</script><a rel="alternate" type="application/rss+xml; charset=utf-8" href="https://b.example/news/rss.xml">RSS',
    ],
)
def test_the_feed_of_a_page_is_found_wherever_it_stands(page: str) -> None:
    """Relative to the page's base, behind a megabyte of scripts, with a charset; not in comments and scripts."""
    assert find_feeds(f"<!doctype html><title>選舉</title>{page}".encode(), URL) == ("https://b.example/news/rss.xml",)


@pytest.mark.parametrize(
    "page", ["<title>Hello</title><p>x", "Warning: x in y.php\n<!doctype html><html>", "<h1>404</h1>"]
)
def test_what_is_sent_as_a_page_is_called_one(page: str) -> None:
    """Whatever it begins with; what is sent as a page and is a feed is a feed."""
    with pytest.raises(FeedError) as caught:
        parse(page.encode(), URL, "text/html; charset=utf-8")
    assert caught.value.kind == FeedErrorKind.HTML
    assert parse(rss(item("A", guid="1")).encode(), URL, "text/html").entries
