"""The pieces of a text by which words are found in it, Chinese and spaced scripts alike. Pure.

Where a script has no spaces, each two neighbouring characters are a gram; of a spaced word its beginnings are, from
two letters on. So two characters find a text, and `elect` finds `election`, without reading it. What is longer than a
gram has several: whoever has them all is read, and holds the term or not.

Words that most texts have would lead to most texts, also where they hardly ever stand together. So two spaced words
that follow each other are looked up as a pair too: the first one whole, what stands between, how the second begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from monitor.errors import InputError
from monitor.text import HAN, fold, fold_with_offsets

MAX_WORDS = 500  # characters of a search
MAX_GRAMS = 12  # of one term that are looked up: more would hardly narrow it down
LONGEST = 12  # letters of the beginning of a spaced word
LEADS = (1, 2, 4, 8)  # letters of the second word of a pair
BETWEEN = 3  # signs between two words that are a pair

# Scripts without spaces between words: Thai to Myanmar, Khmer, kana and hangul, and Chinese.
_DENSE = r"\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\uac00-\ud7af" + HAN.pattern[1:-1]
_IN_WORD = rf"[^\W_{_DENSE}]"
_RUN = re.compile(rf"([{_DENSE}]+)|{_IN_WORD}+")
_TERM = re.compile(r'["“”]([^"“”]*)(?:["“”]|$)|([^\s"“”]+)')


@dataclass(frozen=True)
class Term:
    """A word or phrase that a text must hold, folded."""

    text: str

    @cached_property
    def grams(self) -> tuple[str, ...]:
        """What every text that holds it has; empty for a single character."""
        return tuple(dict.fromkeys(_lookups(self.text)))[:MAX_GRAMS]

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Of ``pairs`` of every text that holds it, the longest of each two words."""
        found = ((first, first + between + leads[-1]) for first, between, leads in _neighbours(self.text))
        return tuple(dict.fromkeys(found))[:MAX_GRAMS]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds it in a folded text: a spaced word from its beginning, anything else anywhere."""
        start = rf"(?<!{_IN_WORD})" if re.match(_IN_WORD, self.text) else ""
        return re.compile(start + re.escape(self.text))


def folded(text: str) -> str:
    """The form in which texts are searched: ``text.fold``, with an offset back for every character."""
    return fold_with_offsets(text)[0]


def terms(words: str) -> tuple[Term, ...]:
    """What is asked for: words, and phrases in quotation marks. Nothing else in ``words`` has a meaning of its own.

    Raises InputError when nothing of it is as long as two letters or characters.
    """
    if len(words) > MAX_WORDS:
        raise InputError("search", f"at most {MAX_WORDS} characters")
    asked = (fold(phrase or word) for phrase, word in _TERM.findall(words))
    found = tuple(Term(text) for text in dict.fromkeys(asked) if text)
    if not any(term.grams for term in found):
        raise InputError("search", "ask for a word of two letters or two Chinese characters at least")
    return found


def grams(text: str) -> set[str]:
    """Every gram of a folded text."""
    found: set[str] = set()
    end = -1
    for run in _RUN.finditer(text):
        word, start = run.group(), run.start()
        if start == end:  # between a spaced word and a character
            found.add(text[start - 1 : start + 1])
        if run.lastindex:
            found.update(map("".join, pairwise(word)))
        else:
            found.update(word[:length] for length in range(2, min(len(word), LONGEST) + 1))
        end = run.end()
    return found


def pairs(text: str) -> set[tuple[str, str]]:
    """Of each two spaced words that follow each other in a folded text: the first, and the pair with each lead."""
    return {(first, first + between + lead) for first, between, leads in _neighbours(text) for lead in leads}


def excerpt(text: str, wanted: Sequence[Term], width: int) -> str:
    """About ``width`` characters of ``text`` round the first place of one of the terms; its beginning where none is."""
    plain, offsets = fold_with_offsets(text)
    places = [place for term in wanted if (place := term.pattern.search(plain))]
    first = min(places, key=lambda place: place.start(), default=None)
    hit = offsets[first.start()] if first else 0
    start = max(0, min(hit - width // 3, len(text) - width))
    cut = text[start : start + width]
    return f"{'…' * (start > 0)}{cut}{'…' * (start + width < len(text))}".replace("\n", " ")


def _lookups(term: str) -> Iterator[str]:
    """The grams that narrow ``term`` down: of unspaced text all, of a spaced word its beginning."""
    end = -1
    for run in _RUN.finditer(term):
        word, start = run.group(), run.start()
        if start == end:
            yield term[start - 1 : start + 1]
        if run.lastindex:
            yield from map("".join, pairwise(word))
        elif len(word) > 1:
            yield word[:LONGEST]
        end = run.end()


def _neighbours(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Two spaced words that follow each other: the first, what stands between, the leads of the second."""
    before: re.Match[str] | None = None
    for run in _RUN.finditer(text):
        if run.lastindex:
            before = None
            continue
        if before is not None and run.start() - before.end() <= BETWEEN:
            word = run.group()
            between = text[before.end() : run.start()]
            yield before.group()[:LONGEST], between, [word[:length] for length in LEADS if length <= len(word)]
        before = run
