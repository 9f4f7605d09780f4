"""feedparser, the parser of record, and how it is driven: the only file that knows it. Pure.

Its own sanitiser and link rewriting stay off: we keep text, not markup, and they can be stalled.

A well-formed document is read by feedparser's own class for such documents, but the events of expat go to it directly,
instead of by way of xml.sax, which takes longer than feedparser itself, and elements are left out that change nothing
of what is ever asked of the result (``READ``): their events are never told. Whatever is not well-formed goes the long
way.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, TypeVar
from xml.parsers import expat
from xml.sax import SAXException, SAXParseException

import feedparser

from monitor.errors import FeedError, FeedErrorKind
from monitor.links import is_plain
from monitor.text import clean, shorten

R = TypeVar("R")

VERSION: str = feedparser.__version__
NAMESPACES = {uri.lower(): prefix for uri, prefix in feedparser.api.StrictFeedParser.namespaces.items()}

_TEXTS = ("id", "link", "title", "summary", "content", "published", "updated", "created")
# What may be asked: of an entry, and of a feed.
READ = (
    frozenset(name + part for name in _TEXTS for part in ("", "_detail", "_parsed")),
    frozenset({"title", "title_detail", "ttl", "sy_updateperiod", "sy_updatefrequency", "link", "links"}),
)
# Elements with a handler of their own that does nothing to these, nor to how later elements are understood: what
# they note (that an author is open, say) is undone at their end. By the names of their handlers.
_HARMLESS = frozenset({
    "author", "dc_creator", "name", "email", "uri", "category", "dc_subject", "keywords", "media_content",
    "media_group", "media_thumbnail", "media_credit", "media_category", "media_keywords", "media_rating",
})  # fmt: skip
_OF_FEED = _HARMLESS | {"lastbuilddate", "pubdate", "published", "updated", "language", "generator", "webmaster"}
# Of one inside of another the parser loses count, as of a <div> in one that is said to be escaped.
_TEXTS_OF_FEED = frozenset({"description", "subtitle", "tagline", "itunes_subtitle", "copyright", "rights"})
_MISCOUNTED = frozenset({"div", "xhtml_div"})
_ENTRY, _FEED, _INSIDE = 0, 1, 2  # where an element stands; the last: inside of what is left out of a feed
_UNREAD = (_HARMLESS | {"enclosure"}, _OF_FEED | _TEXTS_OF_FEED, _OF_FEED)
_Strict: Any = feedparser.api.StrictFeedParser
_FOREIGN = {"math": "http://www.w3.org/1998/Math/MathML", "svg": "http://www.w3.org/2000/svg"}
_NO_END = ("no element found", "unclosed token", "unclosed CDATA section")  # expat's words
_W3 = "http://www.w3.org/"
_NAMES, _LONGEST = 2_000, 200  # elements and attributes that are remembered from one document to the next; characters
_LINES_BEFORE = "lines_before"  # the declaration that feedparser puts before a document without one

# feedparser tries these first; the entries of a document that was cut are told apart by expat (see blocks).
feedparser.api.PREFERRED_XML_PARSERS = []
_slow_absolute, _slow_join = feedparser.urls.make_safe_absolute_uri, feedparser.urls._urljoin


@lru_cache(maxsize=64)
def _absolute(base: str, link: str | None = None) -> str:
    return base if base == link and is_plain(base) else str(_slow_absolute(base, link))


def _join(base: str, link: str) -> str:
    return link if is_plain(link) else str(_slow_join(base, link))


# It joins the base address anew for every element, nearly always with itself: a tenth of its time; and every address
# with that base: a thirteenth.
feedparser.mixin.make_safe_absolute_uri, feedparser.mixin._urljoin = _absolute, _join

_Dict: Any = feedparser.util.FeedParserDict
_slow_get, _slow_contains = _Dict.get, _Dict.__contains__
_KEYS = frozenset({*_Dict.keymap, "category", "enclosures", "license", "updated", "updated_parsed"})


def _get(self: Any, key: str, default: Any = None) -> Any:
    return _slow_get(self, key, default) if key in _KEYS else dict.get(self, key, default)


def _contains(self: Any, key: str) -> bool:
    return bool(_slow_contains(self, key) if key in _KEYS else dict.__contains__(self, key))


def _end_guid(self: Any) -> None:
    value = self.pop("id")
    self._save("guidislink", self.guidislink and "link" not in self._get_context())
    if self.guidislink:
        self._save("link", self.resolve_uri(value) if value else value)


_Namespace: Any = feedparser.namespaces._base.Namespace
_their_start_item = _Namespace._start_item


def _start_item(self: Any, attributes: dict[str, str]) -> None:
    self.hasContent = 0
    _their_start_item(self, attributes)


# A guid is a name, and stays as it was written: joined with the base, every entry would be another one as soon as the
# feed moves. Where it stands for the link it is an address all the same.
feedparser.mixin._FeedParserMixin.can_be_relative_uri.discard("id")
_Namespace._end_guid = _Namespace._end_id = _end_guid
# A feed that had a summary and a description changed what the same elements of its first entry mean: it would read
# otherwise as soon as another one came before it.
_Namespace._start_item = _Namespace._start_entry = _start_item

# All but a few keys mean themselves; asking for them its way is a sixth of its time. What it copies deeply is flat.
_Dict.get, _Dict.__contains__ = _get, _contains
feedparser.mixin.copy = SimpleNamespace(deepcopy=_Dict)
# It translates every text by a dictionary of what Windows means by 27 control characters, and looks in vain for all
# others: a seventh of its time. A list that has each of them finds it three times as fast.
_table: list[int | str] = list(range(0x10000))
for _code, _character in feedparser.html._cp1252.items():
    _table[_code] = _character
feedparser.mixin._cp1252 = _table


def read(data: bytes, url: str, *, sound: bool = False, loose: bool = False) -> Any:
    """What feedparser makes of a document in UTF-8; ``sound``: it is well-formed and has no document type.

    ``loose``: it is a part of one that is not well-formed and has no document type, and read as that would be.
    Raises FeedError of kind not-a-feed.
    """
    try:
        if sound and (result := _Reader(url).read(data)) is not None:
            return result
        if loose:
            return _loosely(data, url)
        return _at_length(data, url)
    except MemoryError:
        raise
    except Exception as error:  # feedparser was written for well-meant feeds; what breaks it is no feed to us
        detail = shorten(clean(f"cannot be parsed: {type(error).__name__}: {error}"), 300)
        raise FeedError(url, FeedErrorKind.NOT_A_FEED, detail) from error


def _at_length(data: bytes, url: str) -> Any:
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    # A stream, never bytes: feedparser would take bytes that spell a path for a file to open.
    stream = io.BytesIO(data)
    result = feedparser.parse(stream, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    result[_LINES_BEFORE] = 0 if data.startswith(b"<?xml") else 1
    return result


def _loosely(data: bytes, url: str) -> Any:
    found = feedparser.api.LooseFeedParser(_base(url), None, "utf-8", {})
    found.resolve_relative_uris = found.sanitize_html = False
    found.feed(data.decode("utf-8", "replace"))
    return _Dict(bozo=False, entries=found.entries, feed=found.feeddata, version=found.version)


def _base(url: str) -> str:
    absolute = feedparser.mixin.make_safe_absolute_uri
    return str(absolute("", url) or absolute(url))


def is_broken(result: Any) -> bool:
    """Whether feedparser had to read it without an XML parser."""
    return isinstance(result.get("bozo_exception"), SAXException)


def complaint(result: Any) -> str | None:
    """What is wrong with the document, in words."""
    error = result.get("bozo_exception")
    if not isinstance(error, SAXParseException):
        return None  # what feedparser thinks of the encoding is about our own header
    return f"malformed XML at line {error.getLineNumber() - result[_LINES_BEFORE]}: {error.getMessage()}"


def breaks_off(result: Any) -> bool:
    """Whether the document has no end: more of it may have been meant to come."""
    error = result.get("bozo_exception")
    return isinstance(error, SAXParseException) and error.getMessage() in _NO_END


def _remembering(function: Callable[..., R]) -> Callable[..., R]:
    """The same, and quick about names that it was given before; an attacker's long ones are not kept in memory."""
    known = lru_cache(maxsize=_NAMES)(function)
    return lambda name, *rest: known(name, *rest) if len(name) <= _LONGEST else function(name, *rest)


class _Reader:
    """Tells feedparser's class for well-formed documents what expat finds; one use.

    Names and attributes are made as xml.sax and ``startElementNS`` make them, once for each name.
    """

    def __init__(self, url: str) -> None:
        self.strict = _Strict(_base(url), None, "utf-8")
        self.strict.resolve_relative_uris = self.strict.sanitize_html = False
        self.begun: dict[str, str] = {}  # tags by expat's names
        self.ended: dict[str, str] = {}
        self.unread: dict[tuple[str, int], bool] = {}  # by tag and place
        self.levels = [-1, -1]  # the depths of an entry and of the feed, whose elements may be left out
        self.entries = 0
        self.place = _FEED
        self.open: list[tuple[str, list[str], dict[str, str]]] = []  # elements that are being left out
        self.parser = expat.ParserCreate("utf-8", " ")
        self.parser.namespace_prefixes = self.parser.ordered_attributes = self.parser.buffer_text = True
        self.parser.StartNamespaceDeclHandler = self.declare
        self.listen()

    def read(self, data: bytes) -> Any:
        """The result, or None where it takes all of feedparser."""
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:  # it looks for them in comments, too
            return None
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError:
            return None
        finally:
            del self.parser  # each holds the other, and this one the document
        found = self.strict
        return _Dict(bozo=False, entries=found.entries, feed=found.feeddata, version=found.version)

    def listen(self) -> None:
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.end
        self.parser.CharacterDataHandler = self.strict.handle_data

    def declare(self, prefix: str | None, uri: str | None) -> None:
        self.strict.startPrefixMapping(prefix, uri)
        for names in (self.begun, self.ended, self.unread):
            names.clear()

    def start(self, name: str, attributes: list[str]) -> None:
        strict = self.strict
        tag = self.begun.get(name) or self.tag(name)
        self.place = _ENTRY if strict.inentry else _FEED
        if strict.depth == self.levels[self.place] and self.leave_out(tag):
            self.open.append((name, attributes, strict.decls))
            strict.decls = {}
            self.place = _ENTRY if strict.inentry else _INSIDE
            self.parser.StartElementHandler, self.parser.EndElementHandler = self.start_unread, self.end_unread
            self.parser.CharacterDataHandler = None
            return
        strict.unknown_starttag(tag, self.attributes(name, attributes))
        if len(strict.entries) != self.entries:
            self.entries = len(strict.entries)
            self.levels[_ENTRY] = strict.depth
        elif tag in ("channel", "feed"):
            self.levels[_FEED] = strict.depth

    def end(self, name: str) -> None:
        self.strict.unknown_endtag(self.ended.get(name) or self.end_tag(name))

    def start_unread(self, name: str, attributes: list[str]) -> None:
        """Inside of what is left out: unless this element is left out too, those around it are told after all."""
        if self.is_unread(self.begun.get(name) or self.tag(name)):
            self.open.append((name, attributes, self.strict.decls))
            self.strict.decls = {}
            return
        decls, around = self.strict.decls, self.open
        self.open = []
        self.listen()
        for outer, given, declared in around:
            self.strict.decls = declared
            self.strict.unknown_starttag(self.tag(outer), self.attributes(outer, given))
        self.strict.decls = decls
        self.strict.unknown_starttag(self.tag(name), self.attributes(name, attributes))

    def end_unread(self, _name: str) -> None:
        self.open.pop()
        if not self.open:
            self.listen()

    def leave_out(self, tag: str) -> bool:
        """Whether an element of an entry or of the feed itself need not be told."""
        if not self.is_unread(tag):
            return False
        strict = self.strict
        inside = strict.incontent or strict.insource or strict.inimage or strict.intextinput or strict.svgOK
        return not (inside or strict.inauthor or strict.incontributor or strict.inpublisher)

    def is_unread(self, tag: str) -> bool:
        known = self.unread.get((tag, self.place))
        if known is None:
            known = self.unread[tag, self.place] = self.judge(tag)
        return known

    def judge(self, tag: str) -> bool:
        prefix, _, suffix = tag.rpartition(":")
        if ":" in prefix:
            return False
        prefix = self.strict.namespacemap.get(prefix, prefix)
        return _is_unread(f"{prefix}_{suffix}" if prefix else suffix, self.place)

    def tag(self, name: str) -> str:
        """As ``startElementNS`` has it."""
        found = _usual_tag(name)
        if not found:
            uri, local = _parted(name)
            if "backend.userland.com/rss" in uri.lower():
                uri = "http://backend.userland.com/rss"
            found = self.prefixed(uri, local).lower()
        self.begun[name] = found
        return found

    def end_tag(self, name: str) -> str:
        """As ``endElementNS`` has it."""
        self.ended[name] = found = _usual_tag(name) or self.prefixed(*_parted(name)).lower()
        return found

    def prefixed(self, uri: str, local: str) -> str:
        prefix = NAMESPACES.get(uri.lower())
        if not prefix and uri:
            prefix = next((name for name, value in self.strict.namespaces_in_use.items() if name and value == uri), "")
        return f"{prefix}:{local}" if prefix else local

    def attributes(self, name: str, attributes: list[str]) -> list[tuple[str, str]]:
        """Pairs as ``startElementNS`` makes them: by their namespace, then as they are written."""
        if not attributes and not self.strict.decls and not name.startswith(_W3):
            return []
        found, self.strict.decls = self.strict.decls, {}
        uri, local = _parted(name)
        if _FOREIGN.get(local.lower()) == uri:
            found["xmlns"] = uri
        keys = list(map(_key, attributes[::2]))
        for place in (0, 1):
            for key, value in zip(keys, attributes[1::2], strict=True):
                found[key[place]] = value
        return list(found.items())


@_remembering
def _key(attribute: str) -> tuple[str, str]:
    """The name of an attribute by its namespace, and as it is written."""
    uri, local = _parted(attribute)
    prefix = NAMESPACES.get(uri.lower(), "")
    parts = attribute.split()
    written = f"{parts[2]}:{local}" if len(parts) == 3 else local
    return (f"{prefix}:{local}" if prefix else local).lower(), written.lower()


@_remembering
def _usual_tag(name: str) -> str | None:
    """The tag of an element in no namespace, or in one that the parser knows: the same in every document."""
    uri, local = _parted(name)
    prefix = NAMESPACES.get(uri.lower()) if uri else ""
    return None if prefix is None else (f"{prefix}:{local}" if prefix else local).lower()


@_remembering
def _is_unread(handler: str, place: int) -> bool:
    """Whether an element changes nothing of what is asked."""
    if handler in _MISCOUNTED:
        return False
    if hasattr(_Strict, f"_start_{handler}") or hasattr(_Strict, f"_end_{handler}"):
        return handler in _UNREAD[place]
    stored = _Dict.keymap.get(handler, handler)
    return not READ[min(place, _FEED)].intersection([stored] if isinstance(stored, str) else stored)


@_remembering
def _parted(name: str) -> tuple[str, str]:
    """Namespace and local name of what expat gives: ``uri local prefix`` or less. Raises ValueError."""
    parts = name.split()
    if len(parts) > 3:
        raise ValueError("an address with spaces")  # as feedparser finds
    return ("", name) if len(parts) == 1 else (parts[0], parts[1])
