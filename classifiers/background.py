"""How common terms are in ordinary text: from word frequencies that ship with a library, and from the team's feeds.

A few hundred examples cannot tell a rare word from a common one; text without labels can.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import wordfreq

from classifiers.terms import Array, Kind, batches, kind_of, terms_of
from monitor.text import fold

TEXTS = 20_000  # what the word frequencies count for
WORDS_IN_A_TEXT = 200

_LANGUAGES = ("en", "zh")
_COUNTED = (Kind.TYPE, Kind.MARK, Kind.DENIAL)  # no word list holds them


@dataclass(frozen=True)
class Background:
    """In how many of ``texts`` texts each of ``codes`` (ascending) is found."""

    texts: float
    codes: Array
    found_in: Array

    def idf(self, training: Background) -> Array:
        """Inverse document frequency, smoothed as scikit-learn does, of the terms of the ``training`` texts.

        What word lists cannot hold (numbers, links, marks) is counted in the training texts alone.
        """
        here = np.log((1 + self.texts) / (1 + self._found(training.codes))) + 1
        there = np.log((1 + training.texts) / (1 + training.found_in)) + 1
        return np.where(np.isin(kind_of(training.codes), _COUNTED), there, here)

    @property
    def rarest(self) -> float:
        """The inverse document frequency of a term that was never seen."""
        return float(np.log(1 + self.texts)) + 1

    def with_texts(self, texts: Iterable[str]) -> Background:
        """The same with texts of the team's own feeds counted in."""
        counted = self
        for batch in batches(fold(text) for text in texts):
            terms = terms_of(batch, lexemes=True)
            by_text = np.lexsort([terms.code, terms.row])
            code, row = terms.code[by_text], terms.row[by_text]
            first = np.ones(len(code), dtype=bool)
            first[1:] = (code[1:] != code[:-1]) | (row[1:] != row[:-1])
            codes = np.concatenate([counted.codes, code[first]])
            found_in = np.concatenate([counted.found_in, np.ones(first.sum())])
            counted = _summed(counted.texts + len(batch), codes, found_in)
        return counted

    @classmethod
    def of(cls, texts: Iterable[str]) -> Background:
        """What some texts say by themselves."""
        return cls(0, np.zeros(0, dtype=np.uint64), np.zeros(0)).with_texts(texts)

    def _found(self, code: Array) -> Array:
        if not len(self.codes):
            return np.zeros(len(code))
        place = np.minimum(np.searchsorted(self.codes, code), len(self.codes) - 1)
        return np.where(self.codes[place] == code, self.found_in[place], 0.0)


@cache
def common_words() -> Background:
    """What the word frequencies of ``wordfreq`` say of texts of WORDS_IN_A_TEXT words, English and Chinese alike.

    A term that makes up the part ``p`` of all words is in a text of ``n`` words with probability ``1 - exp(-p * n)``.
    Han pairs that no word holds, because they stand where two words meet, count as never seen.
    """
    table = _summed(TEXTS, np.zeros(0, dtype=np.uint64), np.zeros(0))
    for language in _LANGUAGES:
        frequencies = wordfreq.get_frequency_dict(language, wordlist="small")
        wordfreq.get_frequency_dict.cache_clear()  # it would keep what is read once
        wordfreq.get_frequency_list.cache_clear()
        left = np.fromiter(frequencies.values(), dtype=float)
        for batch in batches(fold(word) for word in frequencies):
            terms = terms_of(batch, lexemes=True)
            codes = np.concatenate([table.codes, terms.code])
            table = _summed(TEXTS, codes, np.concatenate([table.found_in, left[terms.row]]))
            left = left[len(batch) :]
    return Background(TEXTS, table.codes, TEXTS * -np.expm1(-table.found_in * WORDS_IN_A_TEXT))


def _summed(texts: float, codes: Array, amounts: Array) -> Background:
    distinct, place = np.unique(codes, return_inverse=True)
    return Background(texts, distinct, np.bincount(place, weights=amounts, minlength=len(distinct)))
