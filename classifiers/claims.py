"""Known claims, and which of them a text repeats, in other words or in another language. Pure.

A text is a set of terms: beginnings of words (five letters, so that endings do not matter) and their runs of four
letters; single Han characters and pairs; anchors (`classifiers.anchors`). A term weighs the square of its IDF, as in a
product of two TF-IDF vectors; how often it stands in one text does not count. Similarity is the weight of the shared
terms over a geometric mean of the weights of both that leans to the asking text: 1 for equal sets, and comparable
between texts. It is the cosine with a milder penalty for long claims, as in Singhal, Buckley and Mitra, Pivoted
document length normalization (SIGIR 1996).

The terms are not those of `classifiers.terms`, which are made for whole batches and for a model that weighs each: with
words, four letters of words, Han characters and pairs from there, recall@5 of English claims falls from 0.940 to 0.923
(0.920 with beginnings of words cut from its n-grams), Chinese stays, and one text takes three times as long.

Measured with tests/benchmarks/match.py. BM25 over words, its fusion with character n-grams, lower powers of IDF, whole
words, trigrams and skipped pairs of characters, and other weights of the kinds of terms were no better.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from operator import add
from typing import Any
from zlib import crc32

import numpy as np
from scipy import sparse

from classifiers.anchors import LINK, anchors, at_odds
from monitor.text import HAN, fold
from monitor.types import Claim
from monitor.watchlist import Watchlist

# At most so much of a text is read, be it a claim or a question: memory and time are bounded for hostile ones too.
LONGEST = 1000

_LEAN = 0.3  # 0.5 would be the cosine: worse by 0.05 in recall@1 where Chinese headlines ask for long texts


class _Kind(IntEnum):
    """Kinds of terms; each has its own range of slots."""

    STEM = 0
    HAN = 1
    PAIR = 2
    ANCHOR = 3  # names, dates, addresses
    NUMBER = 4
    LETTERS = 5  # never looked up, only compared


_WEIGHTS = np.array([1.0, 0.5, 0.5, 1.0, 1.0, 0.2], dtype=np.float32)  # by kind
_KIND_BITS = 20  # terms are hashed into 2^20 slots a kind: memory does not grow with the vocabulary
_SLOTS = len(_Kind) << _KIND_BITS

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")  # #PollsClosed
_TOKEN = re.compile(rf"{HAN.pattern}+|(?:(?!{HAN.pattern})[^\W_])+(?:['’][a-z]+)?")

# The similarity from which a claim is shown: of those below, none in English and one in a hundred in short Chinese
# texts would have been a right one among the first five. And from which it may be confirmed: of 75 so confirmed in
# English all were right, of 1,490 news that repeat no claim one was confirmed.
SUGGESTED = 0.04
CONFIRMED = 0.3
# In Chinese, only the most similar claim may be confirmed, and only if the next is at most so similar, as a share of
# it: regular notices in one wording ("press conference, day 35") are as similar to each other as two wordings of one
# claim. Chosen on one half of the pairs, where 94 % of what is so confirmed is right and 38 % of the texts are
# confirmed; on the other half 94 % and 32 %. Without it 75 and 81 % were right, and no threshold reached 90.
_STANDS_OUT = 0.85
# Words and Han characters that both must share to be the same claim: with fewer, two headlines about one person are
# as similar as two wordings of one claim. So a short text is only ever a suggestion.
_SHARED_STEMS, _SHARED_HAN = 7, 12
# Where one text is Chinese and the other is not, anchors count, for less than words would. One name or two numbers in
# common say nothing: a number counts one, another anchor or a word two.
_ACROSS = 0.3
_ACROSS_EVIDENCE = 3

# The index: texts are compared one by one until there are so many that they are worth inverting; of inverted ones the
# best by rarest terms are compared, so that a million texts cost little more than a thousand.
_TAIL = 512
_POSTINGS = 300_000  # looked at for one question
_CANDIDATES = 200

_TINY = np.float32(1e-6)  # no division by nothing

Array = np.ndarray[Any, Any]


class Certainty(StrEnum):
    """How sure a match is: a suggestion for a person, or the same claim."""

    SUGGESTED = "suggested"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A known claim that a text repeats. ``similarity`` is in [0, 1]."""

    claim: Claim
    similarity: float
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it is compared: sorted slots of its terms, its anchors, whether it is mostly Chinese."""

    slots: Array
    anchors: frozenset[str]
    chinese: bool


def read(text: str, names: Watchlist) -> Reading:
    """What of a text counts."""
    text = text[:LONGEST]
    found = anchors(text, names)
    words: set[str] = set()
    chars: set[str] = set()
    pairs: set[str] = set()
    letters: set[str] = set()
    han = latin = 0
    for token in _TOKEN.findall(fold(_CAMEL.sub(" ", LINK.sub(" ", text)))):
        if HAN.match(token):
            han += len(token)
            chars.update(token)
            pairs.update(map(add, token, token[1:]))
        elif not token.isdigit():  # a number is an anchor
            latin += len(token)
            words.add(token[:5])
            padded = f" {token} "
            letters.update([padded[i : i + 4] for i in range(len(padded) - 3)])
    numbers = {anchor for anchor in found if anchor.startswith("number:")}
    slots = [
        *_slots(_Kind.STEM, words),
        *_slots(_Kind.HAN, chars),
        *_slots(_Kind.PAIR, pairs),
        *_slots(_Kind.ANCHOR, found - numbers),
        *_slots(_Kind.NUMBER, numbers),
        *_slots(_Kind.LETTERS, letters),
    ]
    return Reading(np.unique(np.array(slots, dtype=np.uint32)), found, han > 0 and han * 4 >= latin)


def _slots(kind: int, terms: Iterable[str]) -> list[int]:
    base, mask = kind << _KIND_BITS, (1 << _KIND_BITS) - 1
    # Not hash(), which differs between processes; an address may hold bytes that are no text.
    return [base | crc32(term.encode("utf-8", "surrogatepass")) & mask for term in terms]


class Index:
    """Known claims, found by what a text shares with them. Grows by ``add``; ``drop`` gives no memory back.

    A claim of 150 letters takes about 700 bytes beside its text, at most 10 KB; 30 MB are taken at once.
    """

    def __init__(self, names: Watchlist | None = None, background: Iterable[str] = ()) -> None:
        """``background`` are texts that are no claims, from which the first claims learn which terms are common."""
        self.names = names or Watchlist([])
        self.claims: list[Claim] = []
        self._dropped: set[int] = set()
        self._texts = 0  # background and claims
        self._found_in = np.zeros(_SLOTS, dtype=np.uint32)  # texts, for each slot
        self._slots = array("I")  # of all claims, one after another
        self._ends = array("q", [0])
        self._chinese = array("b")
        self._blocks: list[_Block] = []  # of the first claims; the others are the tail
        self._asked = np.zeros(_SLOTS, dtype=bool)  # whether a slot is in the question; all False between two
        for text in background:
            self._count(read(text, self.names))

    def add(self, claims: Iterable[Claim]) -> None:
        """Make claims known. One without a single word or number is left out."""
        for claim in claims:
            reading = read(claim.whole, self.names)
            if not len(reading.slots):
                continue
            self._count(reading)
            self.claims.append(claim)
            self._slots.frombytes(reading.slots.tobytes())
            self._ends.append(len(self._slots))
            self._chinese.append(reading.chinese)
            if len(self.claims) - self._inverted >= _TAIL:
                self._invert()

    def match(self, text: str, limit: int = 10) -> list[Repeat]:
        """The known claims that ``text`` repeats, at most ``limit``, the most similar first; of equals the older."""
        reading = read(text, self.names)
        if not len(reading.slots) or not self.claims:
            return []
        self._asked[reading.slots] = True
        try:
            return self._answer(reading, limit)
        finally:
            self._asked[reading.slots] = False

    def drop(self, number: int) -> None:
        """Find the claim at this place of ``claims`` no more."""
        self._dropped.add(number)

    @property
    def _inverted(self) -> int:
        return self._blocks[-1].end if self._blocks else 0

    def _count(self, reading: Reading) -> None:
        self._found_in[reading.slots] += 1
        self._texts += 1

    def _weights(self, slots: Array) -> Array:
        found_in = self._found_in[slots].astype(np.float32)
        idf = np.log1p((self._texts - found_in + 0.5) / (found_in + 0.5))
        return np.asarray(idf * idf * _WEIGHTS[slots >> _KIND_BITS])

    def _invert(self) -> None:
        """The tail becomes a block, and blocks of like size one: there are never more than log2 of all."""
        first, end = self._inverted, len(self.claims)
        while self._blocks and self._blocks[-1].end - self._blocks[-1].first <= end - first:
            first = self._blocks.pop().first
        ends = np.frombuffer(self._ends, dtype=np.int64)[first : end + 1]
        self._blocks.append(_Block.of(np.frombuffer(self._slots, dtype=np.uint32), ends, first))

    def _candidates(self, reading: Reading) -> Array:
        """Numbers of the inverted claims that share most weight with a text in its rarest terms."""
        wanted = reading.slots[reading.slots < _Kind.LETTERS << _KIND_BITS]
        found_in = self._found_in[wanted].astype(np.int64)
        rarest = np.argsort(found_in, kind="stable")
        wanted = wanted[rarest][np.cumsum(found_in[rarest]) <= _POSTINGS]
        weights = self._weights(wanted)
        parts = [block.best(wanted, weights, _CANDIDATES) for block in self._blocks]
        numbers = np.concatenate([numbers for numbers, _ in parts])
        scores = np.concatenate([scores for _, scores in parts])
        return np.sort(numbers[np.argsort(-scores, kind="stable")[:_CANDIDATES]])

    def _answer(self, reading: Reading, limit: int) -> list[Repeat]:
        numbers, similarity = self._compare(reading)
        nearest: dict[str, tuple[Claim, float]] = {}
        for place in np.argsort(-similarity, kind="stable"):
            if similarity[place] < SUGGESTED or len(nearest) > limit:  # one more: whether the last stands out
                break
            claim = self.claims[numbers[place]]
            if numbers[place] not in self._dropped:
                nearest.setdefault(claim.id, (claim, float(similarity[place])))
        found = list(nearest.values())
        confirmable = int(_stands_out(found)) if reading.chinese else len(found)
        return [
            Repeat(claim, similar, self._certainty(reading, claim, similar) if n < confirmable else Certainty.SUGGESTED)
            for n, (claim, similar) in enumerate(found[:limit])
        ]

    def _certainty(self, reading: Reading, claim: Claim, similarity: float) -> Certainty:
        sure = similarity >= CONFIRMED and same_claim(reading, read(claim.whole, self.names))
        return Certainty.CONFIRMED if sure else Certainty.SUGGESTED

    def _compare(self, reading: Reading) -> tuple[Array, Array]:
        """The numbers of the claims that were compared, in order, and the similarity of each."""
        flat, ends = np.frombuffer(self._slots, dtype=np.uint32), np.frombuffer(self._ends, dtype=np.int64)
        found = self._candidates(reading) if self._blocks else np.empty(0, dtype=np.int64)
        slots = np.concatenate([*(flat[ends[i] : ends[i + 1]] for i in found), flat[ends[self._inverted] :]])
        numbers = np.concatenate([found, np.arange(self._inverted, len(self.claims))])
        lengths = ends[numbers + 1] - ends[numbers]
        weights, shared = self._weights(slots), self._asked[slots]
        starts = np.cumsum(lengths) - lengths
        common, own = np.add.reduceat(weights * shared, starts), np.add.reduceat(weights, starts)
        similarity = _similarity(common, self._weights(reading.slots).sum(), own)
        foreign = np.frombuffer(self._chinese, dtype=np.bool_)[numbers] != reading.chinese
        if foreign.any():
            theirs = np.repeat(foreign, lengths)
            across = self._across(reading, slots[theirs], weights[theirs], shared[theirs], lengths[foreign])
            similarity[foreign] = np.maximum(similarity[foreign], across)
        return numbers, np.minimum(similarity, 1.0)

    def _across(self, reading: Reading, slots: Array, weights: Array, shared: Array, lengths: Array) -> Array:
        """The similarity to claims in the other language by what both can say.

        That is anchors, and Latin words in the Chinese text: all of those, but of the other text only the shared ones.
        """
        starts = np.cumsum(lengths) - lengths
        kinds, asked = slots >> _KIND_BITS, reading.slots >> _KIND_BITS
        figures = kinds == _Kind.NUMBER
        words = (kinds == _Kind.STEM) & (shared if reading.chinese else True)
        spoken = figures | words | (kinds == _Kind.ANCHOR)
        asking_words = (asked == _Kind.STEM) & reading.chinese
        asking_slots = reading.slots[(asked == _Kind.NUMBER) | (asked == _Kind.ANCHOR) | asking_words]

        def total(values: Array) -> Array:
            return np.add.reduceat(values, starts)

        asking = self._weights(asking_slots).sum()
        if not reading.chinese:
            asking = asking + total(weights * (words & shared))
        similarity = _similarity(total(weights * (shared & spoken)), asking, total(weights * spoken))
        evidence = total(np.where(shared & spoken, np.where(figures, 1, 2), 0))
        return np.where(evidence >= _ACROSS_EVIDENCE, _ACROSS * similarity, 0.0)


def same_claim(one: Reading, other: Reading) -> bool:
    """Whether two similar texts share enough words for one claim, unless each names or counts what the other does not.

    One wording about two people, or with two hours at which the polls close, is two claims.
    """
    shared = np.intersect1d(one.slots, other.slots) >> _KIND_BITS
    evidence = np.sum(shared == _Kind.STEM) / _SHARED_STEMS + np.sum(shared == _Kind.HAN) / _SHARED_HAN
    odds = (at_odds(one.anchors, other.anchors, kind) for kind in ("name", "number"))
    return bool(evidence >= 1) and not any(odds)


def _stands_out(found: Sequence[tuple[Claim, float]]) -> bool:
    """Whether the first of these, the most similar first, is much more similar than the next."""
    return len(found) < 2 or found[1][1] <= _STANDS_OUT * found[0][1]


def _similarity(common: Array, asking: Any, known: Array) -> Array:
    mean = np.maximum(asking, _TINY) ** (1 - _LEAN) * np.maximum(known, _TINY) ** _LEAN
    return np.asarray(common / mean)


@dataclass(frozen=True, slots=True)
class _Block:
    """The claims from ``first`` to before ``end``, inverted: which of them have a term."""

    first: int
    end: int
    terms: Array  # slots that occur, sorted
    starts: Array  # of the claims of each term, in ``holders``; one more at the end
    holders: Array  # claims, counted from ``first``

    @classmethod
    def of(cls, flat: Array, ends: Array, first: int) -> _Block:
        """Out of the slots of all claims and the ends of those from ``first`` on, the one before them included."""
        slots = flat[ends[0] : ends[-1]]
        looked_up = slots < _Kind.LETTERS << _KIND_BITS
        kept = np.concatenate([[0], np.cumsum(looked_up)])[ends - ends[0]]
        rows = sparse.csr_array(
            (np.ones(kept[-1], dtype=np.uint8), slots[looked_up].astype(np.int32), kept.astype(np.int32)),
            shape=(len(ends) - 1, _Kind.LETTERS << _KIND_BITS),
        )
        columns = rows.tocsc()  # a counting sort: the time grows with the terms and no faster
        terms = np.flatnonzero(np.diff(columns.indptr))
        starts = np.append(columns.indptr[terms], columns.indptr[-1])
        return cls(first, first + len(ends) - 1, terms.astype(np.uint32), starts, columns.indices)

    def best(self, wanted: Array, weights: Array, count: int) -> tuple[Array, Array]:
        """Numbers and scores of the claims with most weight in the wanted terms, about ``count`` of them."""
        places = np.searchsorted(self.terms, wanted)
        there = (places < len(self.terms)) & (self.terms[np.minimum(places, len(self.terms) - 1)] == wanted)
        spans = [(self.starts[place], self.starts[place + 1]) for place in places[there]]
        if not spans:
            return np.empty(0, dtype=np.int64), np.empty(0)
        holders = np.concatenate([self.holders[start:end] for start, end in spans])
        lengths = [end - start for start, end in spans]
        totals = np.bincount(holders, np.repeat(weights[there], lengths), minlength=self.end - self.first)
        if len(holders) > count * len(spans):  # a claim stands here at most once for each term
            holders = holders[np.argpartition(-totals[holders], count * len(spans))[: count * len(spans)]]
        holders = np.unique(holders)
        return holders.astype(np.int64) + self.first, totals[holders]
