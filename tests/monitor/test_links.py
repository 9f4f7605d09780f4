"""The canonical form of a link."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feedparse import _slow_join
from monitor.links import is_plain, link_key, registrable_domain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("?q=%A4%A4", "?q=%A4%E5"),  # 中 and 文 in Big5
        ("?%A4%A4=1", "?%A4%E5=1"),
        ("?q=%D6%D0", "?q=%CE%C4"),  # 中 and 文 in GBK
        ("?q=%A4%A4", "?q=%EF%BF%BD%EF%BF%BD"),
        ("?q=中", "?q=文"),
    ],
)
def test_different_queries_are_different_stories(one: str, other: str) -> None:
    """Whatever encoding the site has chosen, its bytes are kept."""
    keys = {link_key(f"https://a.example/story{query}") for query in (one, other)}
    assert len(keys) == 2


def test_one_query_has_one_form() -> None:
    """Case of the escapes, escapes that were not needed, and tracking beside bytes that are no UTF-8."""
    assert link_key("https://a.example/s?q=%a4%A4&utm_source=%A4") == "a.example/s?q=%A4%A4"
    assert link_key("https://a.example/s?q=選") == link_key("https://a.example/s?q=%E9%81%B8")
    assert link_key("https://a.example/s?q=%41") == "a.example/s?q=A"


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_only_equal_bytes_are_equal(one: bytes, other: bytes) -> None:
    """Two values share a key when, and only when, they are the same bytes."""
    keys = [link_key("https://a.example/s?q=" + "".join(f"%{byte:02x}" for byte in value)) for value in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("rss.news.harbour-daily.com.hk", "harbour-daily.com.hk"),
        ("harbour-daily.com", "harbour-daily.com"),
        ("desk.blogspot.com", "desk.blogspot.com"),
        ("news.gov.hk", "news.gov.hk"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("com.hk", "com.hk"),
        ("", ""),
    ],
)
def test_what_one_outlet_registered_is_found(host: str, domain: str) -> None:
    """Public suffixes of several labels, hosting services, addresses and bare names."""
    assert registrable_domain(host) == domain


@given(
    st.sampled_from(["https://harbour-daily.example/rss?x=1", "http://harbour-daily.example/a/b;c/../rss", "rss", ""]),
    st.one_of(
        st.from_regex(r"https?://[a-zA-Z0-9.-]*(:[0-9]*)?/*[!-~選é]*", fullmatch=True),
        st.text("htps:/.?#;&=[]@%\\選\t 0", max_size=30).map("http://a.example/{}".format),
    ),
)
def test_a_plain_address_stays_what_it_is(base: str, link: str) -> None:
    """Joined with any base, by the standard library and by feedparser."""
    if is_plain(link):
        assert urljoin(base, link) == link
        assert _slow_join(base, link) == link
        assert urlsplit(link).hostname


@pytest.mark.parametrize(
    ("link", "plain"),
    [
        ("https://harbour-daily.example/news/5?id=7&x=%E9%81%B8", True),
        ("http://harbour-daily.example:8080/", True),
        ("https://harbour-daily.example/news/5?", False),
        ("https://harbour-daily.example/news/5#top", False),
        ("https://harbour-daily.example/news;5", False),
        ("https://harbour-daily.example/選舉", False),
        ("https:///harbour-daily.example/news", False),
        ("https://harbour-daily.example", False),
        ("https://harbour-daily.example/news\n", False),
        ("/news/5", False),
    ],
)
def test_what_is_plain(link: str, plain: bool) -> None:
    assert is_plain(link) is plain
