"""What a page says: its words, not its markup, its menus or its bytes; in time linear in its size."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime

import pytest

from monitor.evidence_text import main_text, page_text, words_hash
from monitor.types import Exchange

PAGE = """<!DOCTYPE html><html><head><title>標題</title><script>if (a<b) document.write("<script>")</script>
<style>p {{ x }}</style></head><body><nav><a href=/>主頁</a><p>選單</nav>{story}
<aside>熱門</aside><ul><li><a href=1>另一則新聞</a></li></ul><footer>版權 {year}</footer></body></html>"""


def _exchange(body: bytes, **headers: str) -> Exchange:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange("http://a.example/", datetime(2027, 3, 1, tzinfo=UTC), (), "1.1", 200, "OK", pairs, body)


def test_what_surrounds_the_story_is_left_out() -> None:
    """Menus, footers, lists of links, scripts; blocks are lines, and inline tags part no word."""
    page = PAGE.format(story="<h1>投票站</h1><p>今日<b>照</b>常&amp;開放<br>至<a href=x>十時半</a>為止</p>", year=2027)
    assert main_text(page) == "標題\n投票站\n今日照常&開放\n至十時半為止"


def test_where_the_page_names_its_story_nothing_else_counts() -> None:
    """The longest article; what stands beside it may change as it likes."""
    first = PAGE.format(
        story="<div>五分鐘前</div><article><h1>題</h1><p>內文一段。</article><article>短</article>", year=1
    )
    later = PAGE.format(story="<div>兩日前</div><article class=x><h1>題</h1><p>內文一段。</article>", year=2)
    assert main_text(first) == main_text(later) == "題\n內文一段。"


def test_a_page_that_is_nothing_but_a_menu_keeps_it() -> None:
    """Better too much than nothing to compare."""
    assert main_text("<nav>一則短訊</nav>") == "一則短訊"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("票站六時關閉。", "票站 六時關閉", True),  # punctuation and white space
        ("Polls close at SIX", "polls　close at ｓｉｘ!", True),  # case, full width
        ("投票站關閉", "投票站关闭", True),  # the other script
        ("票站六時關閉", "票站十時關閉", False),
        ("did vote", "did not vote", False),
    ],
)
def test_words_are_what_counts(one: str, other: str, same: bool) -> None:
    """Two texts are one when their words are."""
    assert (words_hash(one) == words_hash(other)) is same
    assert words_hash("。！ ") is None


@pytest.mark.parametrize("encoding", ["utf-8", "big5", "gb18030", "utf-16"])
def test_a_page_says_its_encoding_in_its_head_or_in_its_header(encoding: str) -> None:
    """Either is believed."""
    text = "選舉事務處澄清，投票站今日照常開放"
    meta = f"<meta http-equiv=Content-Type content='text/html; charset={encoding}'>"
    by_header = _exchange(f"<p>{text}</p>".encode(encoding), Content_Type=f"text/html; charset={encoding}")
    by_head = _exchange(f"{meta}<p>{text}</p>".encode(encoding), Content_Type="text/html")
    assert page_text(by_header, 10_000) == text
    assert page_text(by_head, 10_000) == text


def test_packed_bodies_are_unpacked_within_bounds() -> None:
    """Two packings that every server knows; a bomb up to its limit; a picture is no text."""
    body = "<p>照常</p>".encode()
    packer = zlib.compressobj(wbits=31)
    gzipped = packer.compress(body) + packer.flush()
    assert page_text(_exchange(gzipped, Content_Type="text/html", Content_Encoding="gzip"), 999) == "照常"
    assert (
        page_text(_exchange(zlib.compress(body), Content_Type="text/html", Content_Encoding="deflate"), 999) == "照常"
    )
    bomb = zlib.compress(b"<p>" + b"x" * 50_000_000)
    assert len(page_text(_exchange(bomb, Content_Type="text/html", Content_Encoding="deflate"), 9_999) or "") < 10_000
    assert page_text(_exchange(b"\x89PNG", Content_Type="image/png"), 999) is None
    assert page_text(_exchange(body, Content_Type="text/html", Content_Encoding="br"), 999) is None
    assert page_text(_exchange(b"no gzip", Content_Type="text/html", Content_Encoding="gzip"), 999) is None


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    ["<div>", "<p>", "<a><b>", "<article>", "<table><tr><td>", "<!--", "<", "&", "<nav>", "<script>", "<a ", "</p>"],
)
def test_a_hostile_page_takes_no_longer_than_its_size(piece: str) -> None:
    """A megabyte of any tag, open or broken: no tree is built. (A tree of the first one takes minutes.)"""
    main_text(piece * (1_000_000 // len(piece)))
