"""Text as the rest of the house sees it: clean, folded to one form, with offsets kept. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import nh3

from monitor.invisible import INVISIBLE
from monitor.types import Lang

if TYPE_CHECKING:
    from opencc import OpenCC

_ONE_SPACE = re.compile(r"\s")
# NFC puts accents in order in time quadratic in their run; so long a run is taken in pieces, but its first few accents
# stay with their letter.
_MANY_SIGNS = re.compile(r"(?<=[^\w\s]{3})([^\w\s]{100})")
# The place before a tag that begins or ends a block; the tag itself is left to the HTML parser.
_BLOCK = re.compile(
    r"(?=</?(?:address|article|aside|blockquote|body|br|button|caption|center|dd|details|div|dl|dt|fieldset|figcaption"
    r"|figure|footer|form|h[1-6]|head|header|hr|html|legend|li|main|nav|ol|option|p|pre|section|select|summary|table"
    r"|tbody|td|textarea|tfoot|th|thead|title|tr|ul)[\s/>])",
    re.IGNORECASE,
)
MAX_PAGE = 1_000_000  # characters of a web page that are read
MAX_DEPTH = 1_000
# Tags of all elements but those that are never closed, or need not be.
_NESTING = re.compile(
    r"<(/?)(?!(?:area|base|br|col|dd|dt|embed|hr|img|input|li|link|meta|option|p|source|t[dhr]|track|wbr)\b)"
    r"([a-z][a-z0-9]{0,20})",
    re.IGNORECASE,
)
_PAGE_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,2000})", re.IGNORECASE)
_APART = {"aside", "footer", "form", "header", "nav", "noscript", "script", "style", "template", "title"}
HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN = re.compile(r"[A-Za-z]")
_WORDISH = re.compile(r"[A-Za-z0-9]")


def clean(text: str) -> str:
    """One line of visible text: controls, bidi and zero-width characters gone, white space folded, NFC."""
    parts = _MANY_SIGNS.split(INVISIBLE.sub("", text))
    return " ".join("".join(unicodedata.normalize("NFC", part) for part in parts).split())


def from_html(markup: str) -> str:
    """The text of an HTML fragment on one line; scripts and styles and their content are dropped.

    Blocks part words, inline tags do not.
    """
    if "<" in markup or "&" in markup:
        spaced = _BLOCK.sub(" ", markup)
        # nh3 answers with escaped text, so entities are decoded once, after the tags are gone.
        markup = html.unescape(nh3.clean(spaced, tags=set(), clean_content_tags={"script", "style"}))
    return clean(markup)


def page_text(markup: str) -> tuple[str, str]:
    """Title and main text of a web page: the paragraphs of its article, else all of them, else whatever it says.

    Menus, headers, footers, forms and scripts are left out.
    """
    page = _shallow(markup[:MAX_PAGE])
    title = _PAGE_TITLE.search(page)
    # nh3 closes what is open, so the patterns meet well-formed tags without attributes.
    body = nh3.clean(page, tags={"article", "main", "p"}, attributes={}, clean_content_tags=_APART)
    inside = re.search("<(article|main)>(.*)</(article|main)>", body, re.DOTALL)
    main = inside.group(2) if inside else body
    paragraphs = re.findall("<p>(.*?)</p>", main, re.DOTALL)
    return clean(html.unescape(title.group(1))) if title else "", from_html(" ".join(paragraphs) or main)


def _shallow(markup: str) -> str:
    """``markup`` up to where more than MAX_DEPTH elements are open: the parser's time is the square of their number."""
    opened: Counter[str] = Counter()
    depth = 0
    for tag in _NESTING.finditer(markup):
        closes, name = tag.group(1), tag.group(2).lower()
        if closes and not opened[name]:
            continue  # it closes nothing
        step = -1 if closes else 1
        opened[name] += step
        depth += step
        if depth > MAX_DEPTH:
            return markup[: tag.start()]
    return markup


@cache
def _to_simplified() -> OpenCC:
    import opencc  # here and below, because a parser folds nothing, and would wait for it

    return opencc.OpenCC("t2s")


@cache
def _to_traditional() -> OpenCC:
    import opencc

    return opencc.OpenCC("s2t")


class _FoldTable(dict[int, str]):
    """Code point to its folded form, filled on first use.

    Character by character on purpose: a phrase-wise conversion would let the same name fold differently
    inside two sentences, and offsets back to the original would be lost.
    """

    def __missing__(self, code: int) -> str:
        char = unicodedata.normalize("NFKC", chr(code)).casefold()
        if HAN.search(char):
            char = "".join(_to_simplified().convert(c) for c in char)
        folded = "" if INVISIBLE.match(char) else char
        self[code] = folded
        return folded


_FOLD = _FoldTable()


def fold(text: str) -> str:
    """The form in which texts are compared: NFKC, lower case, Simplified characters, white space folded."""
    return " ".join(text.translate(_FOLD).split())


def fold_with_offsets(text: str) -> tuple[str, Sequence[int]]:
    """``fold`` without its white-space folding, and for every folded character its index in ``text``."""
    folded = _ONE_SPACE.sub(" ", text.translate(_FOLD))
    if all(len(_FOLD[ord(char)]) == 1 for char in set(text)):  # nearly every text
        return folded, range(len(text))
    offsets: list[int] = []
    for index, char in enumerate(text):
        offsets.extend([index] * len(_FOLD[ord(char)]))
    return folded, offsets


def detect_lang(text: str) -> Lang:
    """English, Traditional or Simplified Chinese, by script; a guess for short or mixed text.

    A Han character outweighs a Latin letter by four: Chinese says in one what English says in about four.
    Traditional is the answer when the script does not tell.
    """
    han = [] if text.isascii() else HAN.findall(text)
    if not han or len(han) * 4 < len(_LATIN.findall(text)):
        return Lang.EN
    return Lang.HANS if sum(map(_script, han)) > 0 else Lang.HANT


@cache
def _script(char: str) -> int:
    """Of a Han character: 1 when only Simplified has it, -1 when only Traditional has it, else 0."""
    return int(_to_traditional().convert(char) != char) - int(_to_simplified().convert(char) != char)


def is_word_boundary(folded: str, start: int, end: int) -> bool:
    """Whether ``folded[start:end]`` is not cut out of a longer Latin word or number."""
    before = start > 0 and _WORDISH.match(folded[start - 1]) and _WORDISH.match(folded[start])
    after = end < len(folded) and _WORDISH.match(folded[end]) and _WORDISH.match(folded[end - 1])
    return not before and not after


def shorten(text: str, width: int) -> str:
    """At most ``width`` characters, an ellipsis where something was cut."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"
