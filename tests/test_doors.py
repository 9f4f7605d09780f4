"""The doors that strangers reach hold for whatever Hypothesis makes up."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests import doors
from tests.fakes import item, rss

# What markup, tables and numbers are made of, so that made-up inputs get past the first line of a parser.
_WORDS = st.sampled_from([
    "<item>", "</item>", "<title>", "</title>", "<![CDATA[", "]]>", "<!--", "-->", "&amp;", "&#x0;", "&#55357;",
    "<guid>", "<link>", "<rss>", "</rss>", "<entry>", "<feed xmlns='http://www.w3.org/2005/Atom'>", "<opml>", "<body>",
    "/>",
    "<outline xmlUrl='https://a.example/' text='甲'", ">", "=", "[", "]", "{", "}", '"', "'", "'\''", '"""',
    "[fetch]", "[[candidate]]", "names", "allow_private", "true", "1e999", "-0", "1970-01-01", "\\u0000", "\\ud800",
    "候選人", "候选人", "Ｖｉｖｉａｎ", "民國", "\u202e", "\u200d", "𠮷", "e\u0301", "NaN", "null", '{"text": "a",',
    '"link":', '"published_at":', '"9999-12-31T23:59:60Z"', "\n", "\t", "\r", "\0", "\x1b[31m",
])  # fmt: skip
_BYTES = st.one_of(
    st.binary(max_size=400),
    st.lists(_WORDS, max_size=60).map(lambda words: " ".join(words).encode("utf-8", "surrogatepass")),
)
_FEED = st.lists(_WORDS, max_size=30).map(lambda words: b"\0" + rss(item(" ".join(words), guid="1"), *words).encode())
_OPML = st.lists(_WORDS, max_size=30).map(lambda words: f"<opml><body>{' '.join(words)}</body></opml>".encode())


@settings(max_examples=150, deadline=None)
@given(st.one_of(_BYTES, _FEED))
def test_any_document_is_entries_or_an_error(data: bytes) -> None:
    """And what is known of it is read the same the second time."""
    doors.feed(data)


@settings(max_examples=100, deadline=None)
@given(st.one_of(_BYTES, _OPML))
def test_any_list_is_feeds_or_an_error(data: bytes) -> None:
    """None of which is no address."""
    doors.feed_list(data)


@settings(max_examples=60, deadline=None)
@given(_BYTES)
def test_any_file_is_settings_or_an_error(data: bytes) -> None:
    """In one sentence."""
    doors.configuration(data)


@settings(max_examples=60, deadline=None)
@given(_BYTES)
def test_any_line_is_an_answer_or_an_error(data: bytes) -> None:
    """With a score that can be compared."""
    doors.texts(data)
