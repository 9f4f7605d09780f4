"""Strangers' words as cells of a terminal: which characters are drawn, how wide they are, where a line is cut. Pure.

Terminals, multiplexers and the libraries that count for them disagree about the width of emoji sequences, flags,
variation selectors, spacing marks and whatever is newer than they are. Nothing that they disagree about is drawn: it is
left out, or replaced. What is left has one width for each character, whatever stands beside it, so that a text is as
wide as the sum of its characters and no title moves a border.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from rich.cells import get_character_cell_size

from monitor.invisible import INVISIBLE
from monitor.text import clean

INSTEAD = "□"  # of a character that cannot be drawn alike everywhere
CUT = "…"
_MARKS = 2  # combining marks on one letter; more of them climb into the lines above
_FLAGS = range(0x1F1E6, 0x1F200)  # two of them are one flag here and two letters there
_TONES = range(0x1F3FB, 0x1F400)  # change the emoji before them, or stand beside it
# Wide since Unicode 9 at the latest: every terminal of today knows them.
_EMOJI = (range(0x1F300, 0x1F650), range(0x1F680, 0x1F6C6), range(0x1F910, 0x1F93F))
_ASTRAL_SIGNS = range(0x1F000, 0x20000)
_SPACES = ("Zs", "Zl", "Zp")
_SPACE = re.compile(" {2,}")
# No line begins with these, none ends with those.
_CLOSING = frozenset(",.;:!?)]}%”’»›，。、；：！？）］｝」』】〉》〕…％")
_OPENING = frozenset("([{“‘«‹（［｛「『【〈《〔")

Piece = tuple[str, str]  # words, and the role in which they are painted
Line = list[Piece]


class _Drawn(dict[int, str]):
    """Code point to what is drawn for it, filled on first use."""

    def __missing__(self, code: int) -> str:
        self[code] = drawn = _draw(code)
        return drawn


class _Widths(dict[str, int]):
    """Drawn character to its cells, filled on first use."""

    def __missing__(self, char: str) -> int:
        self[char] = cells = _cells(char)
        return cells


def _draw(code: int) -> str:
    char = chr(code)
    category = unicodedata.category(char)
    if category in _SPACES or char in "\t\n":
        return " "
    if INVISIBLE.match(char) or category in ("Cc", "Cf", "Cs", "Me") or code in _TONES:
        return ""
    if code in _FLAGS:
        return chr(ord("A") + code - _FLAGS.start)
    if category in ("Cn", "Co", "Mc") or 0x1100 <= code < 0x1200:  # letters of Hangul join into one, or do not
        return INSTEAD
    if code in _ASTRAL_SIGNS and not any(code in known for known in _EMOJI):
        return INSTEAD
    return char if get_character_cell_size(char) == _cells(char) else INSTEAD


def _cells(char: str) -> int:
    if unicodedata.category(char) == "Mn":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


_DRAWN = _Drawn()
_WIDTHS = _Widths()


def drawable(text: str) -> str:
    """A piece of a line: what can be drawn of it; spaces at its ends are kept."""
    drawn = _SPACE.sub(" ", text.translate(_DRAWN))
    return drawn if drawn.isascii() or all(map(_WIDTHS.__getitem__, set(drawn))) else "".join(_few_marks(drawn))


@lru_cache(maxsize=8192)
def one_line(text: str) -> str:
    """A whole text as one line that can be drawn."""
    return drawable(clean(text))


def width(drawn: str) -> int:
    """How many cells a drawable text takes."""
    return len(drawn) if drawn.isascii() else sum(map(_WIDTHS.__getitem__, drawn))


@lru_cache(maxsize=8192)
def fit(text: str, cells: int) -> str:
    """Exactly so many cells of a text: filled up with spaces, or cut with an ellipsis."""
    line = one_line(text)
    if width(line) > cells:
        line = _head(line, cells - 1) + CUT if cells > 0 else ""
    return line + " " * (cells - width(line))


def fit_line(line: Iterable[Piece], cells: int) -> Line:
    """Exactly so many cells of drawable pieces."""
    fitted: Line = []
    left = cells
    for text, role in line:
        if width(text) > left:
            kept = _head(text, left - 1) + CUT if left > 0 else ""
            return [*fitted, (kept + " " * (left - width(kept)), role)]
        fitted.append((text, role))
        left -= width(text)
    return [*fitted, (" " * left, "text")] if left else fitted


def wrap(pieces: Iterable[Piece], cells: int, indent: int = 0) -> list[Line]:
    """Lines of at most so many cells; from the second on indented. Han text breaks between any two characters."""
    cells = max(cells, indent + 2)
    lines: list[Line] = [[]]
    used = 0
    for atom, role in _atoms(pieces, cells - indent):
        word = atom.rstrip(" ")
        if used + width(word) > cells:
            lines.append([(" " * indent, "text")] if indent else [])
            used = indent
        fitting = atom if used + width(atom) <= cells else word
        _add(lines[-1], fitting, role)
        used += width(fitting)
    return lines


def _add(line: Line, atom: str, role: str) -> None:
    if line and line[-1][1] == role:
        line[-1] = (line[-1][0] + atom, role)
    elif atom:
        line.append((atom, role))


def _atoms(pieces: Iterable[Piece], cells: int) -> Iterator[Piece]:
    """What stays on one line, cut where it is longer than a line."""
    for atom, role in _unbroken(pieces):
        rest = atom
        while width(rest.rstrip(" ")) > cells:
            head = _head(rest, cells)
            yield head, role
            rest = rest[len(head) :]
        yield rest, role


def _unbroken(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """What must stay on one line: a Latin word with the space behind it, a Han character with its punctuation."""
    for text, role in pieces:
        start = 0
        for index in range(1, len(text)):
            if _may_break(text[index - 1], text[index]):
                yield text[start:index], role
                start = index
        if text:
            yield text[start:], role


def _may_break(before: str, after: str) -> bool:
    if after == " " or _WIDTHS[after] == 0 or after in _CLOSING or before in _OPENING:
        return False
    return before == " " or _WIDTHS[before] == 2 or _WIDTHS[after] == 2


def _head(drawn: str, cells: int) -> str:
    """As much of the beginning as fits; a mark stays with its letter."""
    if drawn.isascii():
        return drawn[: max(cells, 0)]
    used = 0
    for index, char in enumerate(drawn):
        used += _WIDTHS[char]
        if used > cells:
            return drawn[:index]
    return drawn


def _few_marks(drawn: str) -> Iterator[str]:
    marks, base = 0, " "
    for char in drawn:
        if _WIDTHS[char]:
            marks, base = 0, char
        else:
            marks += 1
            if marks > _MARKS or base == " ":
                continue
        yield char


def text_of(line: Sequence[Piece]) -> str:
    """The words of a line alone."""
    return "".join(text for text, _ in line)
