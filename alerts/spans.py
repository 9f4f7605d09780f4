"""Where in an item's own text stand the words that count: of the model, of the watchlist, of findings. Pure.

What was compared is folded text; what is shown is the original, in which one character may be several folded ones
(``ﬁ``, ``㍿``) and several may be none. Every span is therefore mapped back, and takes in the marks that belong to its
last letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from monitor.text import fold, fold_with_offsets, is_word_boundary

MOST = 500  # whoever repeats one word without end makes no screen slow
Kind = Literal["weight", "match", "finding"]
_SPACES = re.compile(r" {2,}")


@dataclass(frozen=True, slots=True)
class Span:
    """``text[start:end]`` counts for something. ``weight`` is the model's: above zero it speaks for a falsehood."""

    start: int
    end: int
    kind: Kind
    weight: float = 0.0


def spans(
    text: str,
    *,
    words: Iterable[tuple[str, float]] = (),
    matches: Iterable[Mapping[str, Any]] = (),
    quotes: Iterable[str] = (),
    same_text: bool = True,
) -> tuple[Span, ...]:
    """The spans of ``text`` in order of place, of those that begin together the longer first, the first MOST of them.

    ``words`` are weighed ones, marked wherever they stand in whatever script or width; ``matches`` rows of the
    watchlist's hits, whose offsets hold where the text is the ``same_text`` that was matched, else their alias is
    looked for; ``quotes`` the evidence of findings, cut at an ellipsis, each marked where it first stands. Spans of
    different words may overlap.
    """
    looked = _Looked(text)
    found = [Span(*place, "weight", weight) for word, weight in words for place in islice(looked.every(word), MOST)]
    for match in matches:
        if same_text and 0 <= match["start"] < match["end"] <= len(text):
            found.append(Span(*looked.whole(match["start"], match["end"]), "match"))
        elif not same_text:
            found += [Span(*place, "match") for place in looked.every(match["alias"])]
    for quote in quotes:
        found += [Span(*place, "finding") for place in islice(looked.every(quote.rstrip("…"), whole_words=False), 1)]
    return tuple(sorted(dict.fromkeys(found), key=lambda span: (span.start, -span.end, span.kind)))[:MOST]


class _Looked:
    """A text folded once, to find words in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded, self._offsets = _squeezed(*fold_with_offsets(text))

    def every(self, words: str, *, whole_words: bool = True) -> Iterator[tuple[int, int]]:
        """Start and end in the original of each place where ``words`` stand; places do not overlap."""
        wanted = fold(words)
        at = self._folded.find(wanted) if wanted else -1
        while at >= 0:
            end = at + len(wanted)
            if not whole_words or is_word_boundary(self._folded, at, end):
                yield self.whole(self._offsets[at], self._offsets[end - 1] + 1)
            at = self._folded.find(wanted, end)

    def whole(self, start: int, end: int) -> tuple[int, int]:
        """With the marks after its last letter, which no screen can draw apart from it."""
        while end < len(self._text) and _belongs_to_the_letter_before(self._text[end]):
            end += 1
        return start, end


def _belongs_to_the_letter_before(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Me", "Mc") or "\ufe00" <= char <= "\ufe0f" or char == "\u200d"


def _squeezed(folded: str, offsets: Sequence[int]) -> tuple[str, Sequence[int]]:
    """With one space for several, as ``fold`` has it."""
    parts: list[str] = []
    kept: list[int] = []
    done = 0
    for run in _SPACES.finditer(folded):
        parts.append(folded[done : run.start() + 1])
        kept += offsets[done : run.start() + 1]
        done = run.end()
    return ("".join([*parts, folded[done:]]), [*kept, *offsets[done:]]) if parts else (folded, offsets)
