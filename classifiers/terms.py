"""What texts are made of, for whole batches at once: words, character n-grams, Han characters, pairs, lexemes, types.

Every term is a 64-bit code, in whose last bits stands its kind, with its place, so that weights can be shown on the
words that carry them. All texts of a batch are one array of characters; runs of one script are found with comparisons,
and the codes of all windows of one length come out of one difference of prefix sums.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from classifiers.lexemes import lexemes as cut
from classifiers.style import style_of

Array = np.ndarray[Any, Any]

# Words with which officials and fact-checkers take a falsehood back, in folded form (lower case, Simplified).
# They are rare in falsehoods: a column of their own keeps long texts from drowning them.
DENIAL = re.compile(
    r"澄清|不实|并非|绝无|并无此|反驳|驳斥|(?:不要|切勿|请勿|勿|唔好|不)轻信|谣言|谣传|辟谣|造谣|不属实|失实|子虚乌有"
    r"|没有根据|毫无根据|误传|误导|虚构|捏造|查核|事实核查|假消息|假新闻|骗局|慎防|提防"
    r"|\b(?:clarif\w*|refut\w*|rebut\w*|fictitious|unfounded|baseless|untrue|debunk\w*|den(?:y|ies|ied)|fiction"
    r"|hoax(?:es)?|fact.?check\w*|not true|not the case|no truth|no evidence|mislead\w*|record straight|beware"
    r"|wrong(?:ly)?|scams?)\b"
)
# What varies without meaning, in folded form.
_TYPES = re.compile(
    r"""(?P<link>  (?:https?://|www\.)[\x21-\x7e]+
                 | \b(?:[a-z0-9-]{1,63}+\.){1,8}
                   (?:com|net|org|info|biz|top|xyz|online|site|app|io|me|co|hk|cn|tw|uk|example|test)\b
                   (?:/[\x21-\x7e]*)? )
      | (?P<account> @[a-z0-9_]{2,} )
      | (?P<phone>   \+?\d(?:[ -]?\d){6,} )
      | (?P<number>  \d+(?:[.,:]\d+)* )""",
    re.VERBOSE,
)
BATCH = 100_000  # characters: bounds the memory for terms to some dozens of megabytes

_CHAR_NGRAMS = range(3, 6)
_HAN_NGRAMS = range(1, 3)


_KIND_BITS = np.uint64(7)


class Kind(IntEnum):
    """What a term is; the word ``a`` and the letter ``a`` are two terms."""

    WORD = 1
    CHARS = 2  # of a word, with the space before and after it
    HAN = 3
    MARK = 4  # and letters of other scripts
    TYPE = 5  # a link, an account, a telephone number, a number of so many digits
    DENIAL = 6
    LEXEME = 7  # a Chinese word, as a dictionary cuts it


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a batch as parallel arrays, in no order that means anything."""

    chinese: Array  # one a text: 1 when it has more Han characters than Latin words, else 0
    row: Array  # which text, int64
    code: Array  # uint64
    start: Array  # place in the folded text, int64
    end: Array
    style: Array  # how each text is written, see ``style_of``

    @property
    def kind(self) -> Array:
        """What each term is."""
        return kind_of(self.code)


def kind_of(code: Array) -> Array:
    """What the terms with these codes are."""
    return (code & _KIND_BITS).astype(np.int64)


def batches(folded: Iterable[str]) -> Iterator[list[str]]:
    """The texts in order, in batches of about BATCH characters; at least one batch."""
    batch: list[str] = []
    size = 0
    for text in folded:
        if batch and size + len(text) > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    yield batch


def terms_of(folded: Sequence[str], *, lexemes: bool = False) -> Terms:
    """Every term of texts that were folded by ``monitor.text`` (and hold no line break); ``lexemes`` if asked for."""
    joined = "\n".join(folded)
    chars = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    lengths = np.array([len(text) for text in folded], dtype=np.int64)
    firsts = np.concatenate([[0], np.cumsum(lengths + 1)])[: len(folded)]
    types = list(_typed(joined))
    script = _scripts(chars, types)
    words, *pieces = _words(chars, script)
    parts = [
        words,
        *pieces,
        *_han(chars, script),
        *_marks(chars, script),
        *(_lexemes(chars, script) if lexemes else ()),
        _fixed(Kind.TYPE, types),
        _fixed(Kind.DENIAL, [(*found.span(), 0) for found in DENIAL.finditer(joined)]),
    ]
    code, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    row = np.searchsorted(firsts, start, side="right") - 1
    kind = kind_of(code)
    chinese = _chinese(row, kind, end - start, len(folded))
    # A number or a link means one thing in an English message and another in a Chinese one.
    code[np.isin(kind, _OF_BOTH) & (chinese[row] == 1)] ^= np.uint64(_SALT) & ~_KIND_BITS
    style = style_of(chars, words[1], words[2], lengths)
    return Terms(chinese, row, code, start - firsts[row], end - firsts[row], style)


def _chinese(row: Array, kind: Array, length: Array, texts: int) -> Array:
    han = np.bincount(row[(kind == Kind.HAN) & (length == 1)], minlength=texts)
    words = np.bincount(row[kind == Kind.WORD], minlength=texts)
    return (han > words).astype(np.int64)


_OF_BOTH = (Kind.MARK, Kind.TYPE)

_Part = tuple[Array, Array, Array]  # code, start, end

_NONE, _LATIN, _HAN, _STOP, _SIGN, _OTHER = range(6)
_TABLE = np.zeros(0x30001, dtype=np.int8)  # the last place stands for every plane above
for _script, _ranges in {
    _LATIN: [(0x61, 0x7A), (0xE0, 0x24F)],
    _HAN: [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x30000)],
    _OTHER: [(0x250, 0x1FFF), (0x3041, 0x30FF), (0xAC00, 0xD7A3)],
    _STOP: [(ord(c), ord(c)) for c in "!?"],
    _SIGN: [(ord(c), ord(c)) for c in "$€£¥%#"],
}.items():
    for _low, _high in _ranges:
        _TABLE[_low : _high + 1] = _script
_APOSTROPHES = (0x27, 0x2019)

# A code is a polynomial in this odd number, modulo 2**64. Being odd it has an inverse, so that the hash of any window
# is a difference of prefix sums times a power; a final mixing spreads neighbouring texts over all bits.
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 2**64)
_SALT = 0xD1B54A32D192ED03  # no multiple of the base: a kind is no letter


def _scripts(chars: Array, types: Sequence[tuple[int, int, int]]) -> Array:
    """The script of each character; what belongs to a typed term has none."""
    script = _TABLE[np.minimum(chars, 0x30000).astype(np.int64)]
    if len(chars) > 2:
        apostrophe = np.isin(chars[1:-1], _APOSTROPHES) & (script[:-2] == _LATIN) & (script[2:] == _LATIN)
        chars[1:-1][apostrophe] = _APOSTROPHES[0]
        script[1:-1][apostrophe] = _LATIN
    for start, end, _ in types:
        script[start:end] = _NONE
    return script


def _runs(script: Array, wanted: int) -> tuple[Array, Array]:
    """Where the longest runs of one script start and end."""
    inside = np.concatenate([[False], script == wanted, [False]])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    return edges[::2], edges[1::2]


def _words(chars: Array, script: Array) -> Iterator[_Part]:
    """Words, and their character n-grams as if a space stood before and after each."""
    starts, ends = _runs(script, _LATIN)
    padded = ends - starts + 2
    firsts = np.cumsum(padded) - padded
    place = np.arange(padded.sum()) - np.repeat(firsts - starts + 1, padded)  # in the text; a space may be outside it
    left = np.repeat(firsts + padded, padded) - np.arange(padded.sum())  # characters to the end of the padded word
    space = (left == 1) | (left == np.repeat(padded, padded))
    letters = np.where(space, 0x20, chars[np.clip(place, 0, max(len(chars) - 1, 0))]) if len(place) else place
    hashes = _Windows(letters)
    yield _part(Kind.WORD, hashes.of(firsts + 1, firsts + padded - 1), starts, ends)
    for n in _CHAR_NGRAMS:
        at = np.flatnonzero(left >= n)
        begin, stop = place[at], place[at] + n
        begin, stop = begin + space[at], stop - (left[at] == n)
        yield _part(Kind.CHARS, hashes.of(at, at + n), begin, stop)


def _han(chars: Array, script: Array) -> Iterator[_Part]:
    """Han characters alone and in pairs."""
    starts, ends = _runs(script, _HAN)
    at = np.flatnonzero(script == _HAN)
    left = np.repeat(ends, ends - starts) - at
    hashes = _Windows(chars)
    for n in _HAN_NGRAMS:
        fits = at[left >= n]
        yield _part(Kind.HAN, hashes.of(fits, fits + n), fits, fits + n)


def _lexemes(chars: Array, script: Array) -> Iterator[_Part]:
    starts, ends = cut(chars, script == _HAN)
    yield _part(Kind.LEXEME, _Windows(chars).of(starts, ends), starts, ends)


def _marks(chars: Array, script: Array) -> Iterator[_Part]:
    """Signs and letters of other scripts one by one; of a run of ``!`` and ``?`` the first two."""
    hashes = _Windows(chars)
    single = np.flatnonzero((script == _SIGN) | (script == _OTHER))
    yield _part(Kind.MARK, hashes.of(single, single + 1), single, single + 1)
    starts, ends = _runs(script, _STOP)
    yield _part(Kind.MARK, hashes.of(starts, np.minimum(ends, starts + 2)), starts, ends)


def _typed(joined: str) -> Iterator[tuple[int, int, int]]:
    """Start, end and number of every typed term: 1 to 6 for numbers of so many digits, then link, account, phone."""
    for found in _TYPES.finditer(joined):
        start, end = found.span()
        if found.lastgroup == "number":
            yield start, end, min(sum(map(str.isdigit, found.group())), 6)
        else:
            yield start, end, {"link": 7, "account": 8, "phone": 9}[found.lastgroup or ""]


def _fixed(kind: Kind, found: Sequence[tuple[int, int, int]]) -> _Part:
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    return _part(kind, table[:, 2].astype(np.uint64), table[:, 0], table[:, 1])


class _Windows:
    """Hashes of any stretches of one array of characters."""

    def __init__(self, chars: Array) -> None:
        powers = np.full(len(chars) + 1, _INVERSE, dtype=np.uint64)
        powers[:1] = 1
        scaled = chars.astype(np.uint64) * np.cumprod(powers, dtype=np.uint64)[:-1]
        self._sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(scaled, dtype=np.uint64)])
        powers[1:] = _BASE
        self._powers = np.cumprod(powers, dtype=np.uint64)

    def of(self, starts: Array, ends: Array) -> Array:
        """The hash of each stretch; it does not depend on where it stands."""
        return np.asarray((self._sums[ends] - self._sums[starts]) * self._powers[starts])


def _part(kind: Kind, hashes: Array, start: Array, end: Array) -> _Part:
    """Codes are mixed as in splitmix64.

    (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014.)
    """
    code = hashes + np.uint64(int(kind) * _SALT % 2**64)
    code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    code = (code ^ (code >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (code ^ (code >> np.uint64(31))) & ~_KIND_BITS | np.uint64(kind), start, end
