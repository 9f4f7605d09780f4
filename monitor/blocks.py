"""A feed cut into its raw entries, so that only those not seen before need the slow parser. Pure.

Expat does the cutting: it is what feedparser reads well-formed documents with, so CDATA, comments and character
references are understood by both in the same way. Whatever is unusual is not cut at all, and then read whole.

feedparser keeps some state from one entry to the next, and from the feed to its entries. A document is cut only where
none of that state can carry anything from an entry over to another; what the entries take from the document around
them is ``Blocks.context``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.parsers import expat

MAX_BLOCKS = 2_000
MARK_BYTES = 12

_MAX_DEPTH = 10  # of the elements around an entry; feeds have two

_BLOCKS = frozenset({"item", "entry"})
# Inside of a block these begin another entry, or speak of the feed.
_NEVER_INSIDE = frozenset({"item", "entry", "channel", "feed", "rss", "rdf"})
# Before the first block these mark the first entry as one that has had its content.
_NEVER_BEFORE = frozenset({"content", "encoded", "fullitem", "body"})
# Either of these tells the kind of feed for good; without, an entry could.
_ROOTS = frozenset({"rss", "feed"})
_VERSIONS = frozenset({"http://purl.org/rss/1.0/", "http://www.w3.org/2005/atom"})
_FIRST_RSS = "http://my.netscape.com/rdf/simple/0.9/"


@dataclass(frozen=True, slots=True)
class Blocks:
    """A document in UTF-8: ``head`` + ``blocks`` + ``tail``, white space and comments between blocks left out.

    ``context`` is all of the head that changes what an entry means: the elements around it and every namespace.
    """

    head: bytes
    blocks: tuple[bytes, ...]
    tail: bytes
    context: bytes

    def marks(self, *salt: str) -> tuple[bytes, ...]:
        """The mark of each block: MARK_BYTES of a hash of its bytes, its context and ``salt``."""
        seed = hashlib.blake2b(self.context, digest_size=32)
        for word in salt:
            seed.update(b"\0" + word.encode())
        key = seed.digest()
        return tuple(hashlib.blake2b(block, key=key, digest_size=MARK_BYTES).digest() for block in self.blocks)

    def without(self, dropped: Iterable[bool]) -> bytes:
        """The document without some of its blocks; ``dropped`` says of each whether it goes."""
        kept = (block for block, gone in zip(self.blocks, dropped, strict=True) if not gone)
        return b"".join((self.head, *kept, self.tail))


class _DoubtError(Exception):
    """Not a document to be cut."""


def cut(document: bytes, names: Mapping[str, str]) -> Blocks | None:
    """Cut ``document`` (UTF-8, whatever it declares), or None where its entries may lean on each other.

    ``names`` gives the parser's own prefix of each namespace it knows, by address in small letters. Not cut is
    what is not well-formed, has a document type or entities, entries of unlike parents, inside each other, empty or
    with elements between or after them, a base address inside of an entry beside a ``<div>`` (the parser loses count of
    them), a namespace of an entry that has another prefix or a prefix that has another namespace elsewhere, a kind of
    feed that only an entry could tell, more than MAX_BLOCKS entries, or none.
    """
    try:
        cutter = _Cutter(document, names)
        cutter.parser.Parse(document, True)
        return cutter.blocks()
    except (_DoubtError, expat.ExpatError):
        return None


class _Cutter:
    """Follows the elements by their depth; one use."""

    def __init__(self, document: bytes, names: Mapping[str, str]) -> None:
        self.document = document
        self.names = names
        self.declarations: list[tuple[str | None, str]] = []  # of the element that comes next
        self.prefixes: dict[str, str] = {}  # and the namespaces they stand for
        self.spaces: set[str] = set()  # all of those
        self.versioned = False  # whether the head says which kind of feed this is
        self.context: list[str] = []
        self.around: list[str] = []  # the open elements outside of blocks, with their attributes
        self.parent: list[str] | None = None  # of all blocks
        self.inside = 0  # depth within a block
        self.based = self.divided = False  # whether blocks hold a base address, or a <div> that is no escaped text
        self.elements: set[str] = set()  # names inside of blocks that were looked at
        self.attributes: set[str] = set()
        self.start = 0
        self.spans: list[tuple[int, int]] = []
        # As xml.sax makes it, so that names come in the same form: namespace, local name, prefix.
        self.parser = expat.ParserCreate("utf-8", " ")
        self.parser.namespace_prefixes = True
        self.parser.ordered_attributes = True
        self.parser.StartElementHandler = self.outside_start
        self.parser.EndElementHandler = self.outside_end
        self.parser.StartNamespaceDeclHandler = self.declared
        self.parser.StartDoctypeDeclHandler = self.doubt

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
        if self.spans or local in _NEVER_BEFORE or len(self.around) >= _MAX_DEPTH:
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
        if self.parent != self.around or len(self.spans) >= MAX_BLOCKS or not self.versioned:
            raise _DoubtError
        self.start = self.parser.CurrentByteIndex
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.inside_start, self.inside_end
        self.inside_start("", attributes)

    def inside_start(self, name: str, attributes: list[str]) -> None:
        self.inside += 1
        if name not in self.elements:
            self.look_at(name)
        if attributes and not self.attributes.issuperset(names := attributes[::2]):
            self.look_at_attributes(names)
        if self.declarations:
            self.declare_inside()

    def look_at(self, name: str) -> None:
        local = _local(name)
        self.divided |= local == "div"
        if local in _NEVER_INSIDE or (self.based and self.divided):
            raise _DoubtError
        self.elements.add(name)

    def look_at_attributes(self, names: list[str]) -> None:
        self.based |= any(_local(name) == "base" for name in names)
        if self.based and self.divided:
            raise _DoubtError
        self.attributes.update(names)

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
        self.inside -= 1
        if self.inside:
            return
        last = self.parser.CurrentByteIndex
        if self.document[last : last + 2] != b"</":  # an empty element has no end of its own
            raise _DoubtError
        self.spans.append((self.start, self.document.index(b">", last) + 1))
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.outside_start, self.outside_end

    def blocks(self) -> Blocks:
        if not self.spans:
            raise _DoubtError
        return Blocks(
            head=self.document[: self.spans[0][0]],
            blocks=tuple(self.document[start:end] for start, end in self.spans),
            tail=self.document[self.spans[-1][1] :],
            context="\n".join([*self.context, "", *(self.parent or [])]).encode(),
        )


def _namespace(name: str) -> str:
    return name.split(" ", 1)[0].lower() if " " in name else ""


def _local(name: str) -> str:
    """The local name, in small letters as feedparser has it, of what expat gives: ``uri local prefix`` or less."""
    if " " not in name:
        return name.lower()
    return name.split(" ", 2)[1].lower()
