"""How the rules read: a text folded once, sentence by sentence, and the words that take a claim back. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from classifiers.rules import denials
from monitor.text import clean, fold, fold_with_offsets, shorten
from monitor.types import Match, Said

# A full stop before a space ends a sentence, unless it belongs to an abbreviation: "No. 3", "Mr. Chan", "8 p.m."
# Here and below: a run of equal characters is tried once, from its first and as a whole, or the time to read a long
# one grows with its square.
_SENTENCE_END = re.compile(
    r"[。！？!?；;\n]+|"
    r"(?:(?<!\.)\.{2,}+|(?<!\bNo)(?<!\bno)(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bMrs)(?<!\b[A-Za-z])\.)"
    r"(?=[\s\"'”’)]+\S|\s*$)"
)
ITS_OWN = Said("its own words")  # what a finding rests on that needs no line of any file
_LONGEST = 500  # characters of a sentence
_LATIN_REACH, _HAN_REACH = 70, 24  # folded characters between a name and what is said of it


def any_of(words: str) -> str:
    """A regular expression for folded text: any of these words, written in either script with spaces between."""
    return "(?:" + "|".join(re.escape(fold(word)) for word in words.split()) + ")"


_DENIES = re.compile(
    r"(?a)\b(?:clarif(?:y|ie[sd]|ication)|den(?:y|ie[sd]|ying|ials?)|refut\w+|debunk\w*|fact[- ]?check\w*|false(?:ly)?|"
    r"fake news|hoax\w*|untrue|not true|no truth|fabricat\w+|misinformation|disinformation|baseless|unfounded|"
    r"misleading|rumou?rs?|(?:is|was) (?:a |an )?(?:fake|deepfake|forgery)|satire|satirical|parody)\b|"
    + any_of(
        "澄清 否認 闢謠 辟謠 不實 失實 並非事實 不是事實 不屬實 並不屬實 謠言 假新聞 假消息 虛假 "
        "偽造 查核 求證 子虛烏有 無中生有 毫無根據 並無其事 沒有這回事 冇呢回事 駁斥 諷刺 惡搞 "
        "純屬虛構 戲仿 與事實不符 不符事實 係假㗎 係假嘅 係假的 是假的 係流料 係老作 老作嘅 作故仔 屈佢嘅 同名同姓 "
        "是假冒的 係假冒嘅 是合成的 係合成嘅 是剪接的 係剪接嘅 是擺拍的 係擺拍"
    )
)
_WARNS = re.compile(
    r"(?a)\b(?:never|not|beware|scam\w*|fraud\w*|phishing|bogus|fake|impersonat\w+|warn\w*|suspicious|victims?|arrest\w*)\b|n't\b|"
    + any_of(
        "勿 慎防 提防 騙 詐 不會 從不 絕不 偽冒 冒充 假冒 可疑 受害 被捕 拘捕 警告 提醒 釣魚 唔會 唔好 假網站 冒認"
    )
)
_REAFFIRMS = re.compile(r"\b(?:still standing|remains? (?:a|the|on)\b[^.]{0,30}\bcandidate)\b")


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
        return _quote(self.original, self.offsets, start, end)


class Reading:
    """One text as the rules read it: what several of them need is worked out once, and only if one needs it."""

    def __init__(self, text: str, matches: Sequence[Match] = ()) -> None:
        self.text = text
        self.matches = matches  # in order of place, offsets into ``text``

    @cached_property
    def folded(self) -> str:
        """The text in the form in which texts are compared; offsets into the original are lost."""
        return fold(self.text)

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """Every sentence, in order."""
        return tuple(sentences(self.text, self.matches))

    @cached_property
    def denies(self) -> bool:
        """Whether the text takes something back, checks it or jokes.

        One such word anywhere silences the roster and facts rules: they exist for plain assertions, and a text that
        quotes a rumour to correct it must never be flagged for the quotation. But one that dismisses a denial takes
        nothing back.
        """
        return _DENIES.search(self.folded) is not None and self.dismisses is None

    @cached_property
    def dismisses(self) -> str | None:
        """The words, as they were written, with which the text dismisses somebody's denial."""
        folded, offsets = fold_with_offsets(self.text)
        span = denials.dismissal(folded)
        return span and _quote(self.text, offsets, *span)

    @cached_property
    def takes_back(self) -> bool:
        """Whether it says outright, in few words, that a rumour is none."""
        return denials.takes_back(self.folded) and self.dismisses is None

    @cached_property
    def warns(self) -> bool:
        """Whether the text denies, or warns of something: then it may name a false address."""
        return self.denies or _WARNS.search(self.folded) is not None

    @cached_property
    def refutes(self) -> bool:
        """Whether it denies, or says that somebody is still a candidate."""
        return self.denies or _REAFFIRMS.search(self.folded) is not None


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


def _quote(original: str, offsets: Sequence[int], start: int, end: int) -> str:
    return shorten(clean(original[offsets[start] : offsets[end - 1] + 1]), 160)


def reaches(sentence: Sentence, name: Name, gap: int) -> bool:
    """Whether words ``gap`` characters after the name are still said of it: near, and nobody else named between."""
    between = sentence.folded[name.end : name.end + gap]
    near = gap <= (_LATIN_REACH if between.isascii() else _HAN_REACH)
    return near and not any(name.end <= other.start < name.end + gap for other in sentence.names)


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
