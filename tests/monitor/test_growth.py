"""Hostile text costs time in proportion to its length: no regular expression of the ground floor goes astray."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from monitor import opml
from monitor.blocks import cut
from monitor.dates import read_date
from monitor.encoding import decode
from monitor.errors import PollwatchError
from monitor.guard import check_url
from monitor.headers import fresh_s, retry_after_s
from monitor.invisible import safe
from monitor.links import link_key
from monitor.parse import find_feeds, parse
from monitor.text import clean, fold, from_html
from monitor.types import Candidate
from monitor.watchlist import Watchlist
from monitor.websub import Claim, discover
from tests.fakes import rss

WATCHLIST = Watchlist(
    [Candidate(id="a", names=("Ann Lee", "Ann Lee Ann")), Candidate(id="b", names=("Lee Wong", "Lee Ann", "望晴望晴"))]
)
READERS: dict[str, Callable[[str], object]] = {
    "clean": clean,
    "fold": fold,
    "from_html": from_html,
    "safe": safe,
    "watchlist": WATCHLIST.match,
    "link": link_key,
    "query": lambda text: link_key(f"https://a.example/s?{text}"),
    "guard": lambda text: check_url(f"https://a.example/{text}"),
    "date": read_date,
    "retry-after": lambda text: retry_after_s(text, datetime(2027, 3, 1, tzinfo=UTC)),
    "cache-control": lambda text: fresh_s(text, text),
    "links": lambda text: discover(text, (), "https://a.example/"),
    "signature": lambda text: Claim(text, "secret"),
    "header": lambda text: decode(b"<rss/>", text),
    "body": lambda text: decode(b"\xff" + text.encode()),
    "page": lambda text: find_feeds(text.encode(), "https://a.example/"),
    "opml": lambda text: opml.read(f"<opml>{text}".encode()),
    "feed": lambda text: parse(text.encode(), "https://a.example/"),
    "namespaces": lambda text: cut(rss(_item("<p xmlns:p{}='u{}'/>", len(text) // 4)).encode(), {"": ""}),
    "known": lambda text: cut(rss("<item><a/></item>" + _items(text)).encode(), {"": ""}, (), {b"x"}),
    "strays": lambda text: parse(rss(f"<item><a>{text.replace('<', '')}&b</a></item>").encode(), "https://a.example/"),
    "levels": lambda text: cut(rss(_item("<p>", len(text))).encode(), {"": ""}),
}


def _item(part: str, length: int) -> str:
    return f"<item>{''.join(part.format(n, n) for n in range(length))}</item>"


def _items(text: str) -> str:
    return text.replace("<p", "<item").replace("</p", "</item")


PIECES = [
    " ", "\n", "<", "<!--", "<!---->", "<?xml ", "<p ", "</p>", "<br/>", "&#1", "&a", "a=", "utm_", "%A4", "9", "年",
    "charset =", "max-age=", "<a>;rel=", ';rel="',
    "ann lee ", "joann lee wong", "望晴", "ＡＮＮ　", "选", "\u200b", "\u0315\u0300",
]  # fmt: skip


@pytest.mark.timeout(120)
@pytest.mark.parametrize("reader", READERS)
def test_four_times_the_text_takes_about_four_times_the_time(reader: str) -> None:
    """From 10,000 to 40,000 hostile characters; quadratic time would grow sixteenfold."""
    for piece in PIECES:
        shorter, longer = (_seconds(READERS[reader], (piece * length)[:length]) for length in (10_000, 40_000))
        assert longer < 8 * max(shorter, 0.02), f"{piece!r}: {shorter:.3f} s, then {longer:.3f} s"


def _seconds(read: Callable[[str], object], text: str) -> float:
    """The least of three CPU times; an answer in words that the text is no good is an answer."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        with suppress(PollwatchError, UnicodeError):
            read(text)
        times.append(time.process_time() - begun)
    return min(times)
