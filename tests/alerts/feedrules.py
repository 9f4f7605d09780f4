"""The W3C feed validator's rules for RSS 2.0 and Atom 1.0, as far as they concern feeds of text and links.

Named after its messages (src/feedvalidator/logging.py of w3c/feedvalidator); what it only warns of is held as well.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import feedparser
from defusedxml.ElementTree import fromstring

ATOM = "{http://www.w3.org/2005/Atom}"
_RFC822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d "
    r"([+-]\d{4}|GMT)"
)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_HTML = re.compile(r"<[!/]?[a-zA-Z]|&(#\d+|\w+);")
_ELEMENTS = {"p", "br", "em", "strong", "a", "blockquote"}


class _Markup(HTMLParser):
    """Notes what a reader's program should not be given."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.risks: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        unsafe = [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "").lower()]
        self.risks += [f"SecurityRisk {tag} {name}" for name in unsafe]
        self.risks += [] if tag in _ELEMENTS else [f"SecurityRisk {tag}"]


def faults_of_rss(document: bytes, address: str) -> list[str]:
    """What the validator would say of an RSS document that is served at ``address``."""
    root = fromstring(document)
    channel = root.find("channel")
    if root.tag != "rss" or root.get("version") != "2.0" or channel is None:
        return ["InvalidRSSVersion"]
    needed = ("title", "link", "description")
    found = [f"Missing {name}" for name in needed if not (channel.findtext(name) or "").strip()]
    found += _repeated(channel, {"item", f"{ATOM}link"})
    found += _self_link(channel, address)
    found += _links(channel.findtext("link"))
    found += [] if _RFC822.fullmatch(channel.findtext("lastBuildDate") or "") else ["InvalidRFC2822Date of the channel"]
    guids = [item.findtext("guid") for item in channel.findall("item")]
    found += ["DuplicateItemGuid"] if len(set(guids)) < len(guids) else []
    for item in channel.findall("item"):
        found += [f"Missing {name} of an item" for name in (*needed, "guid") if not item.findtext(name)]
        found += _repeated(item, set())
        found += _links(item.findtext("link"))
        date, title = item.findtext("pubDate") or "", item.findtext("title") or ""
        found += [] if _RFC822.fullmatch(date) and parsedate_to_datetime(date) else [f"InvalidRFC2822Date {date}"]
        found += ["ContainsHTML"] if _HTML.search(title) else []
        found += _Markup(item.findtext("description") or "").risks
        guid = item.find("guid")
        permanent = guid is None or guid.get("isPermaLink", "true") == "true"
        found += ["InvalidPermalink"] if permanent and not (item.findtext("guid") or "").startswith("http") else []
    return [*found, *_parsed(document, "rss20")]


def faults_of_atom(document: bytes, address: str) -> list[str]:
    """The same of an Atom document."""
    root = fromstring(document)
    if root.tag != f"{ATOM}feed":
        return ["UndefinedElement"]
    found = _repeated(root, {f"{ATOM}entry", f"{ATOM}link", f"{ATOM}author"})
    found += _self_link(root, address)
    found += _required(root)
    found += [] if root.find(f"{ATOM}author/{ATOM}name") is not None else ["MissingAuthor"]
    entries = root.findall(f"{ATOM}entry")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    found += ["DuplicateIds"] if len({*ids, root.findtext(f"{ATOM}id")}) <= len(ids) else []
    for entry in entries:
        found += _required(entry) + _repeated(entry, {f"{ATOM}link"})
        alternates = [link for link in entry.findall(f"{ATOM}link") if link.get("rel", "alternate") == "alternate"]
        found += [] if alternates else ["MissingAlternateLink"]
        found += [fault for link in alternates for fault in _links(link.get("href"))]
        summary = entry.find(f"{ATOM}summary")
        if summary is None or not summary.text:
            found.append("MissingSummary")
        elif summary.get("type") == "html":
            found += _Markup(summary.text).risks
    return [*found, *_parsed(document, "atom10")]


def _required(element: Element) -> list[str]:
    found = [f"Missing {name}" for name in ("id", "title", "updated") if not element.findtext(f"{ATOM}{name}")]
    id = element.findtext(f"{ATOM}id") or ""
    found += [] if urlsplit(id).scheme else [f"InvalidFullLink {id}"]
    for name in ("updated", "published"):
        date = element.findtext(f"{ATOM}{name}")
        if date is not None:
            found += [] if _RFC3339.fullmatch(date) and datetime.fromisoformat(date) else [f"InvalidRFC3339Date {date}"]
    return found


def _self_link(element: Element, address: str) -> list[str]:
    links = [link.get("href") for link in element.findall(f"{ATOM}link") if link.get("rel") == "self"]
    return [] if links == [address] else ["MissingSelf, or SelfDoesntMatchLocation"]


def _repeated(element: Element, several: set[str]) -> list[str]:
    tags = [child.tag for child in element if child.tag not in several]
    return [f"DuplicateElement {tag}" for tag in sorted(set(tags)) if tags.count(tag) > 1]


def _links(address: str | None) -> list[str]:
    parts = urlsplit(address or "")
    return [] if parts.scheme in ("http", "https") and parts.netloc and (address or "").isascii() else ["InvalidLink"]


def _parsed(document: bytes, version: str) -> list[str]:
    found = feedparser.parse(document)
    well = not found.bozo and found.version == version
    return [] if well else [f"not well-formed {version}: {found.get('bozo_exception')}"]
