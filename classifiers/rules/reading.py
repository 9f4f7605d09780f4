"""How the rules read: text folded sentence by sentence, its numbers, and the words that take a claim back. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.text import clean, fold, fold_with_offsets, shorten
from monitor.types import Match

# A full stop before a space ends a sentence, unless it belongs to an abbreviation: "No. 3", "Mr. Chan", "8 p.m."
# Here and below: a run of equal characters is tried once, from its first and as a whole, or the time to read a long
# one grows with its square.
_SENTENCE_END = re.compile(
    r"[。！？!?；;\n]+|"
    r"(?:(?<!\.)\.{2,}+|(?<!\bNo)(?<!\bno)(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bMrs)(?<!\b[A-Za-z])\.)"
    r"(?=[\s\"'”’)]+\S|\s*$)"
)
_LONGEST = 500  # characters of a sentence


def any_of(words: str) -> str:
    """A regular expression for folded text: any of these words, written in either script with spaces between."""
    return "(?:" + "|".join(re.escape(fold(word)) for word in words.split()) + ")"


REFUTING = re.compile(
    r"\b(?:clarif(?:y|ie[sd]|ication)|den(?:y|ie[sd]|ying|ials?)|refut\w+|debunk\w*|fact[- ]?check\w*|false(?:ly)?|"
    r"fake news|hoax\w*|untrue|not true|no truth|fabricat\w+|misinformation|disinformation|baseless|unfounded|"
    r"misleading|rumou?rs?|satire|satirical|parody|still standing|remains? (?:a|the|on)\b[^.]{0,30}\bcandidate)\b|"
    + any_of(
        "澄清 否認 闢謠 辟謠 不實 失實 並非事實 不是事實 不屬實 並不屬實 謠言 假新聞 假消息 虛假 "
        "偽造 查核 求證 子虛烏有 無中生有 毫無根據 並無其事 沒有這回事 冇呢回事 駁斥 諷刺 惡搞 "
        "純屬虛構 戲仿"
    )
)


@dataclass(frozen=True, slots=True)
class Name:
    """A watched name in a sentence; ``start`` and ``end`` count characters of ``Sentence.folded``."""

    id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: its folded text (length kept, so that spaces may repeat) and the watched names in it."""

    original: str
    folded: str
    offsets: Sequence[int]
    names: tuple[Name, ...]
    asks: bool  # ends with a question mark

    def quote(self, start: int, end: int) -> str:
        """The original words of a folded span, as evidence."""
        return shorten(clean(self.original[self.offsets[start] : self.offsets[end - 1] + 1]), 160)


def refutes(text: str) -> bool:
    """Whether the text takes something back, checks it or jokes.

    One such word anywhere silences the roster and facts rules: they exist for plain assertions, and a text that
    quotes a rumour to correct it must never be flagged for the quotation.
    """
    return REFUTING.search(fold(text)) is not None


def sentences(text: str, matches: Sequence[Match] = ()) -> Iterator[Sentence]:
    """The sentences of ``text`` in order, each with the matches inside it; ``matches`` are in order of place.

    One longer than 500 characters is cut, so that the time to read a text grows with its length and no faster.
    """
    starts = [match.start for match in matches]
    for start, end, asks in _spans(text):
        original = text[start:end]
        folded, offsets = fold_with_offsets(original)
        inside = matches[bisect_left(starts, start) : bisect_left(starts, end)]
        names = tuple(
            Name(
                match.candidate_id,
                bisect_left(offsets, match.start - start),
                bisect_left(offsets, match.end - start),
            )
            for match in inside
            if match.end <= end
        )
        if folded.strip():
            yield Sentence(original, folded, offsets, names, asks)


def _spans(text: str) -> Iterator[tuple[int, int, bool]]:
    """Start and end of every sentence, and whether it ends with a question mark."""
    start = 0
    for stop, following in [
        *((found.start(), found.end()) for found in _SENTENCE_END.finditer(text)),
        (len(text),) * 2,
    ]:
        asks = bool(set("?？") & set(text[stop:following]))
        for cut in range(start, stop, _LONGEST):
            yield cut, min(cut + _LONGEST, stop), asks
        start = following


_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}
_ENGLISH_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_ENGLISH = {word: value for value, word in enumerate(_ENGLISH_WORDS.split())}
_MAGNITUDES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "m": 1_000_000, "k": 1000} | _MYRIADS

HAN_NUMBER = "[零〇一二两三四五六七八九十百千万亿]"
COUNT = (
    rf"(?:\d[\d,]*+(?:\.\d++)? ?(?:(?:hundred|thousand|million)\b|[mk]\b|[万亿千])*|{HAN_NUMBER}++"
    rf"|\b(?:{'|'.join(_ENGLISH)})\b(?: (?:hundred|thousand|million)\b)*)"
)
_LARGEST = 10**12  # what is said of an election is smaller; beyond it stand telephone numbers and mischief
_LONGEST_NUMBER = 40  # characters


def number(words: str) -> int | None:
    """The value of a folded number: ``912,346``, ``1.2 million``, ``120万``, ``九十一万二千``, ``five``.

    None when it is no number, or one above a million million.
    """
    words = words.strip()
    if len(words) > _LONGEST_NUMBER:
        return None
    value = _value(words)
    return value if value is not None and value <= _LARGEST else None


def _value(words: str) -> int | None:
    if words and all(char in _DIGITS or char in _UNITS or char in _MYRIADS for char in words):
        return _han_number(words)
    found = re.fullmatch(r"(\d[\d,]*(?:\.\d+)?|[a-z]+)((?: ?(?:hundred|thousand|million|m|k|[万亿千]))*)", words)
    if found is None:
        return None
    head = found.group(1).replace(",", "")
    value = float(_ENGLISH[head]) if head in _ENGLISH else float(head) if head[0].isdigit() else None
    if value is None:
        return None
    for magnitude in re.findall(r"hundred|thousand|million|m|k|[万亿千]", found.group(2)):
        value *= 1000 if magnitude == "千" else _MAGNITUDES[magnitude]
    return round(value)


def _han_number(words: str) -> int:
    if not any(char in _UNITS or char in _MYRIADS for char in words):  # digit by digit: 二〇二七
        return int("".join(str(_DIGITS[char]) for char in words))
    total = section = digit = 0
    for char in words:
        if char == "亿":
            total, section, digit = (total + section + digit) * _MYRIADS[char], 0, 0
        elif char == "万":
            total, section, digit = total + (section + digit) * _MYRIADS[char], 0, 0
        elif char in _UNITS:
            section, digit = section + (digit or 1) * _UNITS[char], 0
        else:
            digit = _DIGITS[char]
    return total + section + digit
