"""Raw entries: the bytes that are kept of each are its own, whatever was left unread around it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from monitor.errors import FeedError
from monitor.parse import parse
from monitor.raw import MAX_PACKED, unpack
from monitor.types import Document
from tests.fakes import item, rss

URL = "https://harbour-daily.example/rss"


def _blocks(document: Document) -> list[bytes]:
    assert document.raw is not None
    body = unpack(document.raw.packed)
    return [body[start:end] for start, end in document.raw.spans]


def test_each_entry_has_its_own_bytes() -> None:
    """As they stand in the document, comments and character data included; of unread entries nothing is kept."""
    rows = [item("投票站", "內文", guid="1"), item("<![CDATA[x]]>&amp;", guid="2"), item("最後", guid="3")]
    body = rss(*rows).replace("</item><item>", "</item>\n<!-- 廣告 -->\n<item>").encode()
    whole = parse(body, URL)
    assert [block.decode() for block in _blocks(whole)] == rows
    later = parse(rss(item("新的", guid="4"), *rows).encode(), URL, known=whole.marks)
    assert [block.decode() for block in _blocks(later)] == [item("新的", guid="4")]
    assert parse(body, URL, known=whole.marks).raw is None


@pytest.mark.parametrize(
    "body",
    [
        rss(item("一", guid="1")).encode("utf-16"),
        rss(item("一\x0b", guid="1")).encode(),  # a character that XML does not allow
        rss(item("一", guid="1")).encode()[:-5],  # malformed
        rss(item("一", guid="1"), "<item></item>").encode(),  # one entry that says nothing
        json.dumps({"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "title": "一"}]}).encode(),
    ],
)
def test_where_entries_have_no_bytes_of_their_own_the_document_is_kept(body: bytes) -> None:
    """Exactly as it came, not as it was read."""
    raw = parse(body, URL, "text/xml; charset=utf-16" if body.startswith(b"\xff\xfe") else None).raw
    assert raw is not None
    assert (unpack(raw.packed), raw.spans) == (body, ())


def test_a_mark_at_the_beginning_is_no_reason_to_keep_all() -> None:
    """Entries stand in the document as they were read."""
    assert len(_blocks(parse(b"\xef\xbb\xbf\n" + rss(item("一", guid="1")).encode(), URL))) == 1


def test_what_is_too_large_is_not_kept() -> None:
    """Of a document that does not get small the hash alone stays."""
    noise = random.Random(1).randbytes(MAX_PACKED).hex()
    raw = parse(rss(item("一", noise, guid="1"), item("二", noise[::-1], guid="2")).encode(), URL).raw
    assert raw is not None
    assert raw.packed == b""


@pytest.mark.shared
def test_the_bytes_of_real_entries_say_what_the_entries_say(shared: Path) -> None:
    """Cut out of its feed and put back alone, each gives the same words."""
    alone = 0
    for file in sorted((shared / "feeds" / "series" / "rnz").iterdir())[:20]:
        document = parse(file.read_bytes(), URL)
        for entry, block in zip(document.entries, _blocks(document), strict=False):
            try:
                (found,) = parse(b'<rss version="2.0"><channel>' + block + b"</channel></rss>", URL).entries
            except (FeedError, ValueError):
                continue  # a namespace that only the feed declares
            assert (found.title, found.link, found.guid) == (entry.title, entry.link, entry.guid)
            alone += 1
    assert alone > 100
