"""The documents of the benchmarks: real feeds or synthetic ones, copied so that no two feeds share a guid or a link.

Everything works on bytes and leaves the rest of a document as its publisher wrote it, faults included.
"""

from __future__ import annotations

import argparse
import os
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

_SKIPPED = rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>"
_ENTRY = re.compile(_SKIPPED + rb"|<(?:(?P<prefix>[\w.-]+):)?(?P<tag>item|entry)(?=[\s>/])", re.DOTALL)
# What a publisher calls an entry: the end of its guid, and the host of its address.
_GUID = re.compile(rb"([^\s>]|\]\]>)(\s*</(?:[\w.-]+:)?(?:guid|id)\s*>)")
_LINK = re.compile(rb"(<(?:[\w.-]+:)?(?:link|origLink)(?:\s[^<>]*)?>\s*(?:<!\[CDATA\[\s*)?https?://)", re.IGNORECASE)
_ADDRESS = re.compile(rb"(<(?:[\w.-]+:)?(?:link|item)\s[^<>]*?(?:href|about)\s*=\s*[\"']https?://)", re.IGNORECASE)

_PLACES = ("Harbour", "Tin Ping", "Lower Quay", "北角碼頭", "東涌街市", "海滨公园")
_EVENTS = ("ferry timetable changes", "library opens late", "market is repaired", "渡輪班次更改", "图书馆延长开放时间")


def add_feeds_dir(parser: argparse.ArgumentParser) -> None:
    """The option that names the real feeds."""
    shared = os.environ.get("POLLWATCH_SHARED")
    parser.add_argument(
        "--feeds-dir",
        type=Path,
        default=Path(shared) / "feeds" / "real" if shared else None,
        metavar="DIR",
        help="Real feeds to copy; default: $POLLWATCH_SHARED/feeds/real, else synthetic ones are made.",
    )


def documents(folder: Path | None) -> list[bytes]:
    """The XML feeds of ``folder`` that list at least one entry, in order of name; without a folder, synthetic ones.

    Raises OSError when the folder cannot be read, and ValueError when it holds no such feed.
    """
    if folder is None:
        return list(_synthetic(60))
    found = [file.read_bytes() for file in sorted(folder.iterdir()) if file.suffix != ".json"]
    listed = [body for body in found if count_entries(body)]
    if not listed:
        raise ValueError(f"{folder} holds no RSS or Atom document with an entry; name another with --feeds-dir")
    return listed


def count_entries(body: bytes) -> int:
    """How many entries a document lists."""
    return sum(1 for _ in _entries(body))


def copy_of(body: bytes, number: int) -> bytes:
    """``body`` with guids and links that no copy of another number has."""
    first = next(_entries(body)).start()
    mark = b"\\g<1>c%d." % number
    entries = _GUID.sub(b"\\g<1>/c%d\\g<2>" % number, body[first:])
    return body[:first] + _ADDRESS.sub(mark, _LINK.sub(mark, entries))


def with_new_entry(body: bytes, name: str, at: datetime) -> bytes:
    """``body`` with one more well-formed entry in front of the first: RSS, RDF or Atom, as its neighbours are."""
    first = next(_entries(body))
    head = body[: first.start()]
    prefix = (first["prefix"] + b":" if first["prefix"] else b"").decode()
    link = f"http://new.harbour-daily.example/{name}"
    title = f"Pier {name}: the evening ferry leaves from the other side"
    text = f"From tonight the ferry of pier {name} leaves from the other side, says the harbour office."
    if first["tag"] == b"entry":
        old = b"http://purl.org/atom/ns#" in head
        dates = ("issued", "modified") if old else ("published", "updated")
        parts = f'<{prefix}link rel="alternate" type="text/html" href="{link}"/>{_element(prefix, "id", link)}'
        parts += "".join(_element(prefix, date, at.isoformat()) for date in dates)
        entry = f"<{prefix}entry>{_element(prefix, 'title', title)}{parts}{_element(prefix, 'summary', text)}"
        entry += f"</{prefix}entry>"
    else:
        rdf = b"<rdf:RDF" in head
        parts = "".join(
            _element(prefix, tag, words) for tag, words in (("title", title), ("link", link), ("description", text))
        )
        if not rdf:
            parts += f'<{prefix}guid isPermaLink="false">{link}</{prefix}guid>'
            parts += _element(prefix, "pubDate", format_datetime(at))
        about = f' rdf:about="{link}"' if rdf else ""
        entry = f"<{prefix}item{about}>{parts}</{prefix}item>"
    return head + entry.encode("ascii") + b"\n" + body[first.start() :]


def first_alone(body: bytes) -> bytes:
    """``body`` without all entries but the first, cut where they seem to end."""
    first = next(_entries(body))
    end = b"</" + (first["prefix"] + b":" if first["prefix"] else b"") + first["tag"] + b">"
    its_end, last = body.find(end, first.end()), body.rfind(end)
    return body[: its_end + len(end)] + body[last + len(end) :] if its_end >= 0 else body


def _entries(body: bytes) -> Iterator[re.Match[bytes]]:
    return (match for match in _ENTRY.finditer(body) if match["tag"])


def _element(prefix: str, tag: str, text: str) -> str:
    return f"<{prefix}{tag}>{text}</{prefix}{tag}>"


def _synthetic(count: int) -> Iterator[bytes]:
    """Feeds of the size of real ones: 10 to 50 entries with a kilobyte or two of text; RSS, RDF and Atom in turn."""
    chance = random.Random(20270301)
    for number in range(count):
        kind = ("rss", "atom", "rdf")[number % 3]
        entries = "".join(_synthetic_entry(chance, kind, number, place) for place in range(chance.randint(10, 50)))
        title = f"Harbour Daily {number}"
        home = f"http://harbour-daily.example/{number}/"
        if kind == "rss":
            text = f'<rss version="2.0"><channel><title>{title}</title><link>{home}</link>{entries}</channel></rss>'
        elif kind == "atom":
            text = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>{title}</title><id>{home}</id>{entries}</feed>'
        else:
            text = (
                '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
                f'<channel rdf:about="{home}"><title>{title}</title><link>{home}</link></channel>{entries}</rdf:RDF>'
            )
        yield f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _synthetic_entry(chance: random.Random, kind: str, feed: int, place: int) -> str:
    link = f"http://harbour-daily.example/{feed}/{place}"
    title = f"{chance.choice(_PLACES)}: {chance.choice(_EVENTS)} ({place})"
    words = [f"{chance.choice(_PLACES)} {chance.choice(_EVENTS)}." for _ in range(chance.randint(20, 60))]
    text = f"&lt;p&gt;{' '.join(words)}&lt;/p&gt;"
    at = datetime(2027, 3, 1, tzinfo=UTC) - timedelta(hours=place)
    if kind == "atom":
        return (
            f'<entry><title>{title}</title><link href="{link}"/><id>{link}</id><updated>{at.isoformat()}</updated>'
            f'<summary type="html">{text}</summary></entry>'
        )
    parts = f"<title>{title}</title><link>{link}</link><description>{text}</description>"
    if kind == "rdf":
        return f'<item rdf:about="{link}">{parts}</item>'
    return f"<item>{parts}<guid>{link}</guid><pubDate>{format_datetime(at)}</pubDate></item>"
