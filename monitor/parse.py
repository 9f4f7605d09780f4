"""From bytes to entries. Pure, and made for hostile documents.

RSS, RDF and Atom are feedparser's (see ``feedparse``); JSON Feed, which it does not know, is read by ``jsonfeed``.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.parsers import expat
from zoneinfo import ZoneInfo

from monitor import __version__, feedparse, jsonfeed
from monitor.blocks import MAX_BLOCKS, RULES, Blocks, cut
from monitor.dates import read_date
from monitor.encoding import decode, decode_to_utf8
from monitor.errors import FeedError, FeedErrorKind
from monitor.jsonfeed import JsonItem
from monitor.links import is_plain, short_name
from monitor.raw import raw_of
from monitor.text import clean, from_html, shorten
from monitor.types import Document, Entry

MAX_ENTRIES = MAX_BLOCKS
MAX_TITLE = 1_000  # characters
MAX_SUMMARY = 20_000
MAX_ADDRESS = 2_000
MAX_LINKS = 10  # of the feed itself
MAX_PAGE = 2_000_000  # of a web page: some name their feeds behind a megabyte of scripts
MAX_PAGE_TAGS = 1_000  # of a web page that may name a feed

UTC = ZoneInfo("UTC")

# Marks speak of what this very reader made of an entry.
_READER = (__version__, RULES, feedparse.VERSION, expat.EXPAT_VERSION)

_ILLEGAL_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BEFORE = "\ufeff \t\r\n"
# Possessive: if it could give comments back, it could read them in exponentially many ways.
_HTML = re.compile(r"(?:<\?xml[^>]*>|<!--.*?-->|\s)*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_FEED_TYPES = frozenset({
    "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "application/xml",
    "text/xml",
})  # fmt: skip
# What may name a feed, and what must be passed over because such a tag in it is none.
_PAGE_TAG = re.compile(r"<!--|<(?:script|style|template)\b|<(?:link|base|a)\s[^<>]++>", re.IGNORECASE)
_ENDS = {"<!--": "-->", "<script": "</script", "<style": "</style", "<template": "</template"}
# Of a text that was escaped once too often.
_ENTITY = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|[lr][sd]quo|hellip|[mn]dash|#\d{2,5}|#x[0-9a-f]{2,5});", re.IGNORECASE
)
_NUMBER = re.compile(r"\d{1,6}", re.ASCII)
_PERIODS = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}


def parse(
    body: bytes,
    url: str,
    content_type: str | None = None,
    zone: ZoneInfo = UTC,
    known: Collection[bytes] = (),
) -> Document:
    """The entries of the feed ``body``, fetched from ``url``.

    ``content_type`` is the HTTP header; ``zone`` is the time zone of dates that name none. A document that is
    malformed but readable gives its entries and a ``warning``, as does one with entries that say nothing at all: no
    title, no text, no link; these are left out, and so is an entry in which a document breaks off. Entries that
    bear one of the marks ``known``, from an earlier document of the same address, are left out: see ``complete``.

    Raises FeedError of kind empty, html, not-a-feed or encoding.
    """
    if not body.strip():
        raise FeedError(url, FeedErrorKind.EMPTY, "the body is empty")
    try:
        markup, data, warning = decode_to_utf8(body, content_type)
    except UnicodeError as error:
        raise FeedError(url, FeedErrorKind.ENCODING, str(error)) from error
    cutting, salt = None, (*_READER, url, zone.key)
    if markup.startswith("<") and not _HTML.match(markup):
        cutting = cut(data, feedparse.NAMESPACES, salt, known)
    if cutting is None or cutting.fault:  # else expat has seen that there is nothing that XML forbids
        markup, legal = _legal(markup)
        if not markup:
            raise FeedError(url, FeedErrorKind.EMPTY, "nothing in the body can be read")
        if _HTML.match(markup):
            raise FeedError(url, FeedErrorKind.HTML, "a web page, not a feed")
        if legal != data and not markup.startswith("{"):
            data, cutting = legal, cut(legal, feedparse.NAMESPACES, salt, known)
    try:
        if markup.startswith("{"):
            document = _json_document(markup, url, zone, warning)
        else:
            document = _cut_document(data, cutting, url, zone, warning, known)
    except FeedError as error:
        if error.kind is FeedErrorKind.NOT_A_FEED and "html" in (content_type or "").lower():
            raise FeedError(url, FeedErrorKind.HTML, "a web page, not a feed") from error
        raise
    return replace(document, raw=raw_of(document, body, data, cutting))


def _cut_document(
    data: bytes, cutting: Blocks | None, url: str, zone: ZoneInfo, warning: str | None, known: Collection[bytes]
) -> Document:
    unread = frozenset(cutting.marks if cutting else ()).intersection(known)
    if cutting and (unread or cutting.more):
        result = _rest(cutting, [mark in unread for mark in cutting.marks], url)
        if result is not None:
            return _xml_document(result, url, zone, warning, cutting, unread, cutting.more)
    result = feedparse.read(data, url, sound=cutting is not None and not cutting.fault)
    if feedparse.breaks_off(result) and len(result.entries) > 1 and _ends_in_entry(data):
        del result.entries[-1]  # half a headline is none, and would be an edit once the rest comes
    return _xml_document(result, url, zone, warning, cutting, frozenset())


def _ends_in_entry(data: bytes) -> bool:
    markup = data.lower()
    begun, ended = (max(markup.rfind(tag) for tag in tags) for tags in ((b"<item", b"<entry"), (b"</item", b"</entry")))
    return begun > ended


def _legal(markup: str) -> tuple[str, bytes]:
    """What XML allows of a document, from its first sign on, and the same in UTF-8."""
    markup = _ILLEGAL_IN_XML.sub("", markup.lstrip(_BEFORE)).lstrip(_BEFORE)
    return markup, markup.encode("utf-8", "replace")


def complete(document: Document, known: Mapping[bytes, Entry]) -> tuple[Entry, ...]:
    """Every entry of ``document`` in order, with those ``known`` by their marks in the places of the unread.

    An unread one that is not known is left out.
    """
    read = iter(document.entries)
    entries = [known.get(mark) if mark in document.unread else next(read) for mark in document.marks]
    return tuple(_with_distinct_keys(filter(None, entries))) if document.unread else document.entries


def _json_document(text: str, url: str, zone: ZoneInfo, warning: str | None) -> Document:
    try:
        feed = jsonfeed.read(text)
    except ValueError as error:
        raise FeedError(url, FeedErrorKind.NOT_A_FEED, shorten(clean(str(error)), 300)) from error
    read = [_json_entry(item, url, zone) for item in feed.items[:MAX_ENTRIES]]
    entries = list(filter(_says_anything, read))
    return Document(
        title=clean(feed.title)[:MAX_TITLE],
        version=feed.version,
        entries=tuple(_with_distinct_keys(entries)),
        warning=_warning(warning, _too_many(len(feed.items)), _blank(len(read) - len(entries))),
        links=(*(("hub", hub) for hub in feed.hubs[:MAX_LINKS]), ("self", feed.feed_url)),
    )


def _warning(*found: str | None) -> str | None:
    words = "; ".join(filter(None, found))
    return f"readable, but {words}" if words else None


def _too_many(entries: int) -> str | None:
    return f"{entries:,} entries, of which the first {MAX_ENTRIES:,} were read" if entries > MAX_ENTRIES else None


def _blank(entries: int) -> str | None:
    return f"{entries:,} of its entries left out, without title, text and link" if entries else None


def entry_key(guid: str | None, link: str | None, title: str, summary: str) -> str:
    """The identity of an entry within its feed: guid, else link, else a hash of the title (of the text, untitled).

    Never the date: feeds change dates without changing anything else.
    """
    return guid or short_name(link or "") or "text:" + hashlib.sha256((title or summary).encode()).hexdigest()


def find_feeds(body: bytes, url: str, content_type: str | None = None) -> tuple[str, ...]:
    """The feeds that the web page ``body`` names in ``<link rel="alternate">``, as absolute addresses."""
    try:
        markup, _ = decode(body, content_type)
    except UnicodeError:
        return ()
    finder = _FeedLinks()
    for tag in _page_tags(markup[:MAX_PAGE]):
        finder.feed(tag)
    base = _address(finder.base, url) or url
    found = (_address(href, base) for href in finder.hrefs)
    return tuple(dict.fromkeys(address for address in found if address))


def _page_tags(page: str) -> Iterator[str]:
    """The tags of a page that may name a feed, or what addresses are relative to.

    The pages of video sites are too large for a parser, and hostile ones too slow; they are read in linear time.
    """
    place, tags = 0, 0
    lower = page.lower()
    while tags < MAX_PAGE_TAGS and (tag := _PAGE_TAG.search(page, place)):
        end = _ENDS.get(tag[0].lower())
        if end is None:
            place = tag.end()
            if "alternate" in (found := tag[0].lower()) or found.startswith("<base"):
                tags += 1
                yield tag[0]
        elif (place := lower.find(end, tag.end())) < 0:
            return


class _FeedLinks(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        kind = values.get("type", "").partition(";")[0].strip().lower()
        if tag == "base":
            self.base = self.base or values.get("href", "")
        elif "alternate" in values.get("rel", "").lower().split() and kind in _FEED_TYPES:
            self.hrefs.append(values.get("href", ""))


def _rest(cutting: Blocks, unread: Sequence[bool], url: str) -> Any:
    """What feedparser makes of the document without its ``unread`` entries; None if that is not what was expected."""
    try:
        result = feedparse.read(cutting.without(unread), url, sound=not cutting.fault, loose=bool(cutting.fault))
    except FeedError:
        return None
    expected = len(unread) - sum(unread)
    return result if len(result.entries) == expected and not feedparse.is_broken(result) else None


def _xml_document(
    result: Any,
    url: str,
    zone: ZoneInfo,
    warning: str | None,
    cutting: Blocks | None,
    unread: frozenset[bytes],
    more: int = 0,
) -> Document:
    marks, fault = (cutting.marks, cutting.fault) if cutting else ((), None)
    complaint = fault or feedparse.complaint(result)
    if not result.entries and not unread and (complaint or not result.version):
        raise FeedError(url, FeedErrorKind.NOT_A_FEED, complaint or "no RSS, RDF, Atom or JSON Feed in it")
    atom = result.version.startswith("atom")
    read = [_entry(raw, url, zone, atom=atom) for raw in result.entries[:MAX_ENTRIES]]
    listed = max(len(marks), len(result.entries)) + more
    entries = list(filter(_says_anything, read))
    told_apart = unread or (len(result.entries) == len(marks) and (fault or not feedparse.is_broken(result)))
    if told_apart and len(entries) < len(read):
        said = map(_says_anything, read)
        marks = tuple(mark for mark in marks if mark in unread or next(said))
    return Document(
        title=_title(result.feed, atom=atom),
        version=result.version,
        entries=tuple(entries if unread else _with_distinct_keys(entries)),
        warning=_warning(warning, complaint, _too_many(listed), _blank(len(read) - len(entries))),
        broken_off=feedparse.breaks_off(result),
        update_s=_update_s(result.feed),
        links=_links(result.feed),
        marks=marks if told_apart else (),
        unread=unread,
    )


def _update_s(feed: Any) -> int | None:
    """How often a feed says it changes: RSS ``ttl`` in minutes, or so many times a period of the syndication module."""
    ttl = str(feed.get("ttl", "")).strip()
    if _NUMBER.fullmatch(ttl):
        return int(ttl) * 60 or None
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "")).strip().lower())
    frequency = str(feed.get("sy_updatefrequency", "1")).strip()
    if period is None or not _NUMBER.fullmatch(frequency):
        return None
    return period // max(1, int(frequency)) or None


def _links(feed: Any) -> tuple[tuple[str, str], ...]:
    """Where a feed says that its news are announced (hub), and what its own address is."""
    found = [(str(link.get("rel")), str(link.get("href", ""))) for link in feed.get("links", [])]
    return tuple(pair for pair in found if pair[0] in ("hub", "self"))[:MAX_LINKS]


def _entry(raw: Any, url: str, zone: ZoneInfo, *, atom: bool) -> Entry:
    title = _title(raw, atom=atom)
    summary = _summary(raw, atom=atom)
    link = _address(str(raw.get("link", "")), url)
    guid = short_name(clean(str(raw.get("id", "")))) or None
    published_raw, parsed = _date(raw)
    return Entry(
        key=entry_key(guid, link, title, summary),
        guid=guid,
        link=link,
        title=title,
        summary=summary,
        published_raw=published_raw,
        published_at=read_date(published_raw, zone, parsed) if published_raw else None,
    )


def _says_anything(entry: Entry) -> bool:
    return bool(entry.title or entry.summary or entry.link)


def _json_entry(item: JsonItem, url: str, zone: ZoneInfo) -> Entry:
    title = clean(item.title)[:MAX_TITLE]
    summary = (clean(item.text) or from_html(item.html))[:MAX_SUMMARY]
    link = _address(item.url, url)
    guid = short_name(clean(item.id)) or None
    date = clean(item.date)[:200] or None
    return Entry(
        key=entry_key(guid, link, title, summary),
        guid=guid,
        link=link,
        title=title,
        summary=summary,
        published_raw=date,
        published_at=read_date(date, zone) if date else None,
    )


def _title(raw: Any, *, atom: bool) -> str:
    return _text(str(raw.get("title", "")), [raw.get("title_detail")], atom=atom)[:MAX_TITLE]


def _summary(raw: Any, *, atom: bool) -> str:
    """The summary, or what stands in for it; feedparser itself copies the content there when there is no other."""
    contents = raw.get("content", [])
    value = raw.get("summary") or next((part.value for part in contents if part.get("value")), "")
    return _text(str(value), [raw.get("summary_detail"), *contents], atom=atom)[:MAX_SUMMARY]


def _text(value: str, constructs: Iterable[Any], *, atom: bool) -> str:
    """``value`` as text; ``constructs`` are the elements it may come from, with their types.

    Only Atom means it when it says text (RFC 4287, 3.1.1.1); RSS says nothing and holds HTML. Entities that are left in
    HTML were escaped twice.
    """
    kind = next((part.get("type") for part in constructs if part and part.get("value") == value), None)
    if atom and kind == "text/plain":
        return clean(value)
    text = from_html(value)
    return clean(_ENTITY.sub(lambda entity: html.unescape(entity[0]), text)) if "&" in text else text


def _date(raw: Any) -> tuple[str | None, Any]:
    for name in ("published", "updated", "created"):
        # feedparser's own ``get`` takes an empty date of publication for the update, and warns that it will not.
        value = clean(str(dict.get(raw, name) or ""))[:200]
        if value:
            return value, dict.get(raw, f"{name}_parsed")
    return None, None


def _address(link: str, base: str) -> str | None:
    """An absolute http(s) address, or None."""
    link = clean(link)
    if is_plain(link):
        return link if len(link) <= MAX_ADDRESS else None
    if not link:
        return None
    try:
        absolute = urljoin(base, link)
        parts = urlsplit(absolute)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or len(absolute) > MAX_ADDRESS:
        return None
    return absolute


def _with_distinct_keys(entries: Iterable[Entry]) -> Iterable[Entry]:
    """Widen the key of entries that share one though they differ: guid and link, then guid, link and title."""
    entries = list(entries)
    for part in ("link", "title"):
        shared = Counter(key for key, *_ in {(e.key, e.link, e.title) for e in entries})
        entries = [
            replace(e, key=short_name(f"{e.key}\n{getattr(e, part)}")) if shared[e.key] > 1 else e for e in entries
        ]
    return entries
