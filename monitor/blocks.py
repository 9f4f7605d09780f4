"""A feed cut into its raw entries, so that only those not seen before need the slow parser. Pure.

Expat does the cutting: it is what feedparser reads well-formed documents with, so CDATA, comments and character
references are understood by both in the same way. Whatever is unusual is not cut at all, and then read whole.

The one fault that is common, an ampersand that begins no reference (``?a=1&b=2`` in an address, ``&nbsp;``), leaves the
elements what they are: such a document is cut as if something else stood there, and is said to be at ``fault``.
feedparser reads it with its other parser, for what is not well-formed.

feedparser keeps some state from one entry to the next, and from the feed to its entries. A document is cut only where
none of that state can carry anything from an entry over to another; what the entries take from the document around
them is ``Blocks.context``.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.parsers import expat

RULES = "4"  # of what is cut: blocks that were cut by others are not believed
MAX_BLOCKS = 2_000
MARK_BYTES = 12

_MAX_DEPTH = 10  # of the elements around an entry; feeds have two

_BLOCKS = frozenset({"item", "entry"})
# Inside of a block these begin another entry, or speak of the feed.
_NEVER_INSIDE = frozenset({"item", "entry", "channel", "feed", "rss", "rdf"})
# What feedparser reads as a text with a type. Inside of another one it loses count of both.
_TEXTS = frozenset({
    "abstract", "body", "browserfriendly", "content", "copyright", "description", "encoded", "fullitem", "info",
    "rights", "subtitle", "summary", "tagline", "title",
})  # fmt: skip
_NO_TEXT = ("media", "content")  # by the parser's own prefix
# Either of these tells the kind of feed for good; without, an entry could.
_ROOTS = frozenset({"rss", "feed"})
_VERSIONS = frozenset({"http://purl.org/rss/1.0/", "http://www.w3.org/2005/atom"})
_FIRST_RSS = "http://my.netscape.com/rdf/simple/0.9/"
_DECLARES, _PLAIN = b"\1", b"\0"  # the last byte of a mark
_FIRST = re.compile(rb"<(item|entry)[\s>]")
_STRAY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)")


@dataclass(frozen=True, slots=True)
class Blocks:
    """A document in UTF-8: ``head`` + ``blocks`` + ``tail``, white space and comments between blocks left out.

    ``marks`` are of MARK_BYTES: of a hash of each block, of what of the head changes the meaning of entries (the
    elements around them and every namespace), of the salt, and of whether there is a ``fault``, which is what expat
    says of the document; and a last byte of whether the block declares a prefix. ``more`` blocks follow beyond
    MAX_BLOCKS.
    """

    head: bytes
    blocks: tuple[bytes, ...]
    tail: bytes
    marks: tuple[bytes, ...]
    more: int = 0
    fault: str | None = None

    def without(self, dropped: Iterable[bool]) -> bytes:
        """The document without some of its blocks; ``dropped`` says of each whether it goes."""
        kept = (block for block, gone in zip(self.blocks, dropped, strict=True) if not gone)
        return b"".join((self.head, *kept, self.tail))


class _DoubtError(Exception):
    """Not a document to be cut."""


def cut(
    document: bytes, names: Mapping[str, str], salt: Sequence[str] = (), known: Collection[bytes] = frozenset()
) -> Blocks | None:
    """Cut ``document`` (UTF-8, whatever it declares), or None where its entries may lean on each other.

    ``names`` gives the parser's own prefix of each namespace it knows, by address in small letters. Not cut is what is
    not well-formed (but for stray ampersands without a comment or an instruction beside them), has a document type or
    entities, entries of unlike parents, inside each other, empty or with elements between or after them, a text inside
    of a text, an entry with a base address and a ``<div>`` in a text that is said to be escaped (the parser loses count
    of them), a namespace of an entry that has another prefix or a prefix that has another namespace elsewhere, a kind
    of feed that only an entry could tell, or no entries.

    ``known`` are marks that an earlier document gave with this ``salt``: they change nothing but the time it takes.
    """
    try:
        return _cut(document, names, salt, known)
    except _DoubtError:
        return None
    except expat.ExpatError as error:
        fault = f"malformed XML at line {error.lineno}: {expat.ErrorString(error.code)}"
    if b"<!--" in document or document.count(b"<?") > 1 or not _STRAY.search(document):
        return None  # the other parser has rules of its own for the first two
    try:
        return _cut(document, names, salt, known, fault)
    except (_DoubtError, expat.ExpatError):
        return None


def _cut(
    document: bytes,
    names: Mapping[str, str],
    salt: Sequence[str],
    known: Collection[bytes],
    fault: str | None = None,
) -> Blocks:
    """With a ``fault`` stray ampersands are passed over. Raises _DoubtError and ExpatError."""
    if known:
        with contextlib.suppress(_DoubtError, expat.ExpatError):
            return _Cutter(document, names, salt, fault).cut(frozenset(known))
    return _Cutter(document, names, salt, fault).cut(frozenset())  # what seemed known may stand in a comment, say


class _Cutter:
    """Follows the elements by their depth; one use."""

    def __init__(self, document: bytes, names: Mapping[str, str], salt: Sequence[str], fault: str | None) -> None:
        self.document = document
        self.text = document  # what expat is given: with known blocks as empty elements
        self.known: dict[int, list[tuple[bytes | None, bytes]]] = {}  # marks and bytes of those, by their places in it
        self.names = names
        self.salt = (*salt, "stray") if fault else salt
        self.fault = fault
        self.declarations: list[tuple[str | None, str]] = []  # of the element that comes next
        self.prefixes: dict[str, str] = {}  # and the namespaces they stand for
        self.spaces: set[str] = set()  # all of those
        self.versioned = False  # whether the head says which kind of feed this is
        self.context: list[str] = []
        self.around: list[str] = []  # the open elements outside of blocks, with their attributes
        self.parent: list[str] | None = None  # of all blocks
        self.inside = 0  # depth within a block
        self.based = self.divided = False  # whether the block holds a base address, or a <div> that should be escaped
        self.inside_text = 0  # the depth of the text that is open in it
        self.escaped = False  # whether that holds no elements, by what it says
        self.plain: set[str] = set()  # names inside of blocks that mean nothing to us
        self.attributes: set[str] = set()
        self.start = self.end = 0  # of the last block
        self.head: bytes | None = None
        self.found: list[tuple[bytes | None, bytes]] = []  # blocks with their marks, if they are known
        self.more = 0
        # As xml.sax makes it, so that names come in the same form: namespace, local name, prefix.
        self.parser = expat.ParserCreate("utf-8", " ")
        self.parser.namespace_prefixes = True
        self.parser.ordered_attributes = True
        self.parser.StartElementHandler = self.outside_start
        self.parser.EndElementHandler = self.outside_end
        self.parser.StartNamespaceDeclHandler = self.declared
        self.parser.StartDoctypeDeclHandler = self.doubt

    def cut(self, known: frozenset[bytes]) -> Blocks:
        """Raises _DoubtError and ExpatError."""
        first = _FIRST.search(self.document) if known else None
        if first is None:
            self.tell(self.document, True)
        else:
            self.tell(self.document[: first.start()], False)
            key = self.key(self.around)
            self.text = self.shortened(first, known, key)
            self.tell(self.text[first.start() :], True)
            if self.known or key != self.key(self.parent):
                raise _DoubtError  # not all were found, or something stands around them
        if self.head is None:
            raise _DoubtError
        key = self.key(self.parent)
        marks = tuple(mark or _mark(block, key) for mark, block in self.found)
        blocks = tuple(block for _, block in self.found)
        return Blocks(self.head, blocks, self.text[self.end :], marks, self.more, self.fault)

    def tell(self, text: bytes, last: bool) -> None:
        self.parser.Parse(_STRAY.sub(b"+", text) if self.fault else text, last)  # every byte keeps its place

    def key(self, around: Sequence[str] | None) -> bytes:
        """What is hashed with blocks that stand inside of these elements."""
        seed = "\n".join([*self.context, "", *(around or ())])
        return hashlib.sha256("\0".join((seed, *self.salt)).encode()).digest()

    def shortened(self, first: re.Match[bytes], known: frozenset[bytes], key: bytes) -> bytes:
        """The document with an empty element for every run of known blocks, but for those that declare a prefix."""
        begin, end = b"<" + first[1], b"</" + first[1] + b">"
        empty = begin + b"/>"
        parts: list[bytes] = []
        size, done, last = 0, 0, first.start()
        while (close := self.document.find(end, last)) >= 0:
            start, last = self.document.find(begin, last, close), close + len(end)
            block = self.document[start:last] if start >= 0 else b""
            mark = _hashed(block, key) + _PLAIN
            if mark in known:
                between, done = self.document[done:start], last
                if not parts or between.strip():
                    parts += (between, empty)
                    self.known[size + len(between)] = run = []
                    size += len(between) + len(empty)
                run.append((mark, block))
        return b"".join((*parts, self.document[done:]))

    def doubt(self, *_: object) -> None:
        raise _DoubtError

    def declared(self, prefix: str | None, uri: str | None) -> None:
        """Told before the element that declares it."""
        self.declarations.append((prefix, uri or ""))

    def outside_start(self, name: str, attributes: list[str]) -> None:
        local = _local(name)
        if local in _BLOCKS and self.around:
            self.begin(name, attributes)
            return
        if self.head is not None or len(self.around) >= _MAX_DEPTH:
            raise _DoubtError
        for prefix, uri in self.declarations:
            self.context.append(f"{prefix}={uri}")
            self.versioned |= uri.lower() in _VERSIONS or (prefix is None and uri.lower() == _FIRST_RSS)
            if prefix is not None:
                self.prefixes[prefix] = uri
                self.spaces.add(uri)
        self.declarations.clear()
        if not self.around:
            self.versioned |= local in _ROOTS and self.names.get(_namespace(name)) == ""
        self.around.append(f"{name} {attributes}")

    def outside_end(self, _name: str) -> None:
        self.around.pop()

    def begin(self, name: str, attributes: list[str]) -> None:
        """A block begins."""
        if self.parent is None:
            self.parent = list(self.around)
        if self.parent != self.around or not self.versioned:
            raise _DoubtError
        self.start = self.parser.CurrentByteIndex
        if self.head is None:
            self.head = self.text[: self.start]
        self.based = self.divided = False
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.inside_start, self.inside_end
        self.inside_start("", attributes)

    def inside_start(self, name: str, attributes: list[str]) -> None:
        self.inside += 1
        if name not in self.plain:
            self.look_at(name, attributes)
        if attributes and not self.attributes.issuperset(names := attributes[::2]):
            self.look_at_attributes(names)
        if self.declarations:
            self.declare_inside()

    def look_at(self, name: str, attributes: list[str]) -> None:
        local = _local(name)
        if local in _NEVER_INSIDE:
            raise _DoubtError
        if local in _TEXTS and (self.names.get(_namespace(name)), local) != _NO_TEXT:
            if self.inside_text:
                raise _DoubtError
            self.inside_text, self.escaped = self.inside, not _is_xml(attributes)
        elif local == "div":
            self.divided |= self.escaped and self.inside_text > 0
            self.doubt_bases()
        else:
            self.plain.add(name)

    def look_at_attributes(self, names: list[str]) -> None:
        bases = {name for name in names if _local(name) == "base"}
        self.based |= bool(bases)
        self.doubt_bases()
        self.attributes.update(set(names) - bases)

    def doubt_bases(self) -> None:
        if self.based and self.divided:
            raise _DoubtError

    def declare_inside(self) -> None:
        """The parser forgets no namespace: one that a block declares must mean the same in the whole document."""
        for prefix, uri in self.declarations:
            if prefix is None or self.prefixes.get(prefix) == uri:
                continue
            known = prefix in self.prefixes or uri in self.spaces
            if known or (prefix in self.names.values() and self.names.get(uri.lower()) != prefix):
                raise _DoubtError
            self.prefixes[prefix] = uri
            self.spaces.add(uri)
        self.declarations.clear()

    def inside_end(self, _name: str) -> None:
        if self.inside == self.inside_text:
            self.inside_text = 0
        self.inside -= 1
        if self.inside:
            return
        last = self.parser.CurrentByteIndex
        known = self.known.pop(self.start, None)
        if known is None and self.text[last : last + 2] != b"</":  # an empty element has no end of its own
            raise _DoubtError
        self.end = self.text.index(b">", self.start if known else last) + 1
        found = known or [(None, self.text[self.start : self.end])]
        room = max(0, MAX_BLOCKS - len(self.found))
        self.found += found[:room]
        self.more += len(found[room:])
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.outside_start, self.outside_end


def _mark(block: bytes, key: bytes) -> bytes:
    return _hashed(block, key) + (_DECLARES if b"xmlns:" in block else _PLAIN)


def _hashed(block: bytes, key: bytes) -> bytes:
    return hashlib.sha256(key + block).digest()[: MARK_BYTES - 1]


def _is_xml(attributes: Sequence[str]) -> bool:
    """Whether a text says that it holds elements; a type with a namespace may be one to the parser, or none."""
    types = [pair for pair in zip(attributes[::2], attributes[1::2], strict=True) if _local(pair[0]) == "type"]
    if len(types) != 1 or " " in types[0][0]:
        return False
    kind = types[0][1].lower()
    return kind == "xhtml" or kind.endswith("xml")


def _namespace(name: str) -> str:
    return name.split(" ", 1)[0].lower() if " " in name else ""


def _local(name: str) -> str:
    """The local name, in small letters as feedparser has it, of what expat gives: ``uri local prefix`` or less."""
    if " " not in name:
        return name.lower()
    return name.split(" ", 2)[1].lower()
