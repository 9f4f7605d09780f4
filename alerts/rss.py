"""The feeds of clarifications: RSS 2.0 and Atom 1.0, by the rules of the W3C's feed validator. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from monitor.types import Lang

SHOWN = 100  # entries, the newest

_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"

# A reader may take the title of an RSS item for HTML: as their full-width twins these signs mean nothing to it.
_PLAIN = {ord(sign): chr(ord(sign) + 0xFEE0) for sign in "<>&"}


@dataclass(frozen=True, slots=True)
class Channel:
    """Who tells, and where; the addresses end in the names of the files."""

    title: str
    description: str
    author: str
    home: str
    rss: str
    atom: str
    id: str  # permanent, a URI


@dataclass(frozen=True, slots=True)
class Entry:
    """One page. ``id`` is a permanent URI, ``html`` what it says in short."""

    id: str
    url: str
    lang: Lang
    title: str
    html: str
    published_at: datetime
    updated_at: datetime


def newest(entries: Sequence[Entry]) -> list[Entry]:
    """At most SHOWN, those that changed last first."""
    return sorted(entries, key=lambda entry: entry.updated_at, reverse=True)[:SHOWN]


def rss(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """The RSS document; there is an entry at least."""
    shown = newest(entries)
    root = ET.Element("rss", {"version": "2.0", "xmlns:atom": _ATOM, "xmlns:dc": _DC})
    top = ET.SubElement(root, "channel")
    _text(top, "title", channel.title.translate(_PLAIN))
    _text(top, "link", channel.home)
    _text(top, "description", channel.description)
    _text(top, "lastBuildDate", format_datetime(shown[0].updated_at))
    ET.SubElement(top, "atom:link", {"rel": "self", "type": "application/rss+xml", "href": channel.rss})
    for entry in shown:
        item = ET.SubElement(top, "item")
        _text(item, "title", entry.title.translate(_PLAIN))
        _text(item, "link", entry.url)
        _text(item, "description", entry.html)
        _text(item, "pubDate", format_datetime(entry.published_at))
        _text(item, "guid", entry.id).set("isPermaLink", "false")
        _text(item, "dc:language", entry.lang.value)
    return _bytes(root)


def atom(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """The Atom document; there is an entry at least."""
    shown = newest(entries)
    root = ET.Element("feed", {"xmlns": _ATOM})
    _text(root, "id", channel.id)
    _text(root, "title", channel.title)
    _text(root, "subtitle", channel.description)
    _text(root, "updated", shown[0].updated_at.isoformat(timespec="seconds"))
    _text(ET.SubElement(root, "author"), "name", channel.author)
    ET.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": channel.atom})
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": channel.home})
    for entry in shown:
        element = ET.SubElement(root, "entry", {"xml:lang": entry.lang.value})
        _text(element, "id", entry.id)
        _text(element, "title", entry.title)
        link = {"rel": "alternate", "type": "text/html", "hreflang": entry.lang.value, "href": entry.url}
        ET.SubElement(element, "link", link)
        _text(element, "published", entry.published_at.isoformat(timespec="seconds"))
        _text(element, "updated", entry.updated_at.isoformat(timespec="seconds"))
        _text(element, "summary", entry.html).set("type", "html")
    return _bytes(root)


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = text
    return element


def _bytes(root: ET.Element) -> bytes:
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"
