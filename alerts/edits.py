"""What an outlet changed in a text, word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

from monitor.text import HAN

Mark = Literal["+", "-", "="]

# A word of a script with spaces, one Han character, white space, or one sign; each with the marks that belong to it.
_TOKEN = re.compile(
    rf"(?:{HAN.pattern}|(?:(?!{HAN.pattern})[^\W_])+|\s+|.)[\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f\u200d]*"
)
LONGEST = 800  # changed words of a text that are told apart; beyond it a rewritten passage is shown as a whole


def word_diff(before: str, after: str) -> tuple[tuple[Mark, str], ...]:
    """The two texts as one: what stayed (``=``), went (``-``) and came (``+``), in order; what went before what came.

    Joined, what is not ``+`` is ``before``, what is not ``-`` is ``after``. Han is compared by character, other
    scripts by word. The comparison is `difflib`'s; between equal beginnings and ends it looks at LONGEST words, so
    that the time to compare grows with the text and no faster.
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    middle = _changes(old[head : len(old) - tail], new[head : len(new) - tail])
    pieces = [("=", old[:head]), *middle, ("=", old[len(old) - tail :])]
    told = [(mark, "".join(words)) for mark, words in pieces if words]
    merged = ((mark, "".join(text for _, text in run)) for mark, run in groupby(told, key=lambda piece: piece[0]))
    return tuple(merged)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    if max(len(old), len(new)) > LONGEST:
        yield from (("-", old), ("+", new))
        return
    for kind, start, end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        if kind == "equal":
            yield "=", old[start:end]
        else:
            yield from (("-", old[start:end]), ("+", new[new_start:new_end]))
