"""What a captured page says, and when it says something else. Pure, and linear in the size of what it is given.

No tree is built, for trees of hostile pages take time without end: only tags are looked at, in one walk.
"""

from __future__ import annotations

import hashlib
import html
import re
import zlib
from collections.abc import Iterator

from monitor.encoding import decode
from monitor.text import HAN, clean, fold
from monitor.types import Exchange

MAX_MARKUP = 1_000_000  # characters of a page that are read

_TOKEN = re.compile(r"<!--|<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})(?![a-zA-Z0-9])[^<>]*+>|<[!?][^<>]*+>")
_META = re.compile(rb"""<meta[^<>]{0,200}?charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_HTML = re.compile(rb"\s*<(?:!doctype|html|head|body|div|p|article|meta|script|!--)", re.IGNORECASE)
_NO_WORD = re.compile(r"[\W_]+")
_BESIDE_HAN = re.compile(rf"(?<={HAN.pattern}) | (?={HAN.pattern})")  # Chinese parts no words
_NO_TEXT = frozenset({"script", "style", "template", "noscript", "iframe", "svg", "math", "select", "button"})
_UNNESTED = frozenset({"script", "style", "noscript", "iframe"})  # what looks like a tag in them is none
_AROUND = frozenset({"nav", "aside", "footer", "menu"})
_STORIES = frozenset({"article", "main"})
_INLINE = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "ins", "kbd", "mark", "q", "rp", "rt", "ruby",
    "s", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip
_MOSTLY = 0.5  # of a block in links, from which it leads elsewhere


def page_text(exchange: Exchange, max_bytes: int) -> str | None:
    """The main text of an answer; None where it is no text, or packed in a way that we did not ask for."""
    content_type = exchange.header("content-type") or ""
    kind = content_type.partition(";")[0].strip().lower()
    body = _unpacked(exchange, max_bytes)
    if body is None or (kind and not kind.startswith("text/") and kind != "application/xhtml+xml"):
        return None
    declared = _META.search(body[:2_000])
    if declared and "charset" not in content_type.lower():
        content_type = f"text/html; charset={declared.group(1).decode('ascii')}"
    try:
        markup, _ = decode(body[: 4 * MAX_MARKUP], content_type)
    except UnicodeError:
        return None
    if "html" in kind or _HTML.match(body):
        return main_text(markup)
    return "\n".join(filter(None, map(clean, markup[:MAX_MARKUP].splitlines())))


def main_text(markup: str) -> str:
    """What a web page has to say, a line for each block: without menus, footers and lists of links.

    A block leads elsewhere when most of it is links (Kohlschütter, Fankhauser and Nejdl: Boilerplate Detection using
    Shallow Text Features, 2010). Where the page says what its story is, all else is left out.
    """
    markup = markup[:MAX_MARKUP]
    blocks = list(_blocks(markup, _NO_TEXT | _AROUND)) or list(_blocks(markup, _NO_TEXT))
    stories: dict[int, int] = {}
    for story, text in blocks:
        stories[story] = stories.get(story, 0) + len(text)
    told = {story: length for story, length in stories.items() if story}
    chosen = max(told, key=lambda story: told[story]) if told else 0
    return "\n".join(text for story, text in blocks if story == chosen)


def words_hash(text: str) -> str | None:
    """A hash of the words of a text and of nothing else, as type, case, script, punctuation; None without any."""
    words = _BESIDE_HAN.sub("", _NO_WORD.sub(" ", fold(text))).strip()
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest() if words else None


def _unpacked(exchange: Exchange, max_bytes: int) -> bytes | None:
    packing = (exchange.header("content-encoding") or "").strip().lower()
    if packing in ("", "identity"):
        return exchange.body
    if packing not in ("gzip", "x-gzip", "deflate"):
        return None
    try:
        return zlib.decompressobj(wbits=47 if packing != "deflate" else 15).decompress(exchange.body, max_bytes)
    except zlib.error:
        return None


def _blocks(markup: str, without: frozenset[str]) -> Iterator[tuple[int, str]]:
    """The blocks that are not mostly links, each with the number of the story it belongs to; 0: to none."""
    block = _Block()
    story = stories = depth = 0
    place = 0
    while found := _TOKEN.search(markup, place):
        block.add(markup[place : found.start()])
        place = found.end()
        if found.group() == "<!--":
            end = markup.find("-->", place)
            place = len(markup) if end < 0 else end + 3
            continue
        ends, name = bool(found.group(1)), (found.group(2) or "").lower()
        if name in without and not ends:
            place = _end_of(markup, name, place)
        block.linked = not ends if name == "a" else block.linked
        if name in _INLINE or not name:
            continue
        if text := block.take():
            yield story, text
        if name in _STORIES:
            depth = max(0, depth - 1) if ends else depth + 1
            stories += depth == 1 and not ends
            story = stories if depth else 0
    block.add(markup[place:])
    if text := block.take():
        yield story, text


def _end_of(markup: str, name: str, place: int) -> int:
    """Behind the end of the element ``name`` that begins before ``place``; of the markup, when it has none."""
    depth = 1
    for found in re.compile(rf"<(/?){name}(?![a-z0-9])[^<>]*+>", re.IGNORECASE).finditer(markup, place):
        depth += -1 if found.group(1) else name not in _UNNESTED
        if not depth:
            return found.end()
    return len(markup)


class _Block:
    """The text between two tags that part it, and how much of that is in links."""

    def __init__(self) -> None:
        self.linked = False
        self.parts: list[str] = []
        self.links: list[str] = []

    def add(self, text: str) -> None:
        if text:
            self.parts.append(text)
            if self.linked:
                self.links.append(text)

    def take(self) -> str:
        """What was added since the last time, on one line; empty where it leads elsewhere."""
        if not self.parts:
            return ""
        text, links = (clean(html.unescape("".join(parts))) for parts in (self.parts, self.links))
        self.parts, self.links = [], []
        return "" if len(links) > _MOSTLY * len(text) else text
