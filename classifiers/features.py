"""Texts as vectors: words and character n-grams of Latin script, Han characters in ones to threes, types, denials.

One analyser serves both languages and mixed text. Every term knows where it stands, so that a weight can be shown on
the words that carry it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from monitor.text import fold

_TOKEN = re.compile(
    r"""(?P<link>  (?:https?://|www\.)[\x21-\x7e]+
                 | \b(?:[a-z0-9-]{1,63}+\.){1,8}
                   (?:com|net|org|info|biz|top|xyz|online|site|app|io|me|co|hk|cn|tw|uk|example|test)\b
                   (?:/[\x21-\x7e]*)? )
      | (?P<account> @[a-z0-9_]{2,} )
      | (?P<phone>   \+?\d(?:[ -]?\d){6,} )
      | (?P<number>  \d+(?:[.,:]\d+)* )
      | (?P<latin>   [a-zà-ɏ]+(?:['’][a-z]+)? )
      | (?P<han>     [㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]+ )
      | (?P<mark>    [!?]+ | [$€£¥%#] | [^\W\d_] )""",
    re.VERBOSE,
)
# Words with which officials and fact-checkers take a falsehood back, in folded form (lower case, Simplified).
# They are rare in falsehoods: a column of their own keeps long texts from drowning them.
DENIAL = re.compile(
    r"澄清|不实|并非|绝无|并无此|反驳|驳斥|(?:不要|切勿|请勿|勿|唔好|不)轻信|谣言|谣传|辟谣|造谣|不属实|失实|子虚乌有"
    r"|没有根据|毫无根据|误传|误导|虚构|捏造|查核|事实核查|假消息|假新闻|骗局|慎防|提防"
    r"|\b(?:clarif\w*|refut\w*|rebut\w*|fictitious|unfounded|baseless|untrue|debunk\w*|den(?:y|ies|ied)|fiction"
    r"|hoax(?:es)?|fact.?check\w*|not true|not the case|no truth|no evidence|mislead\w*|record straight|beware"
    r"|wrong(?:ly)?|scams?)\b"
)
_CHAR_NGRAMS = range(3, 6)
_HAN_NGRAMS = range(1, 4)


def spans(folded: str) -> Iterator[tuple[str, int, int]]:
    """Every term of a folded text with its start and end in it.

    Words are written ``=word``; what varies without meaning is replaced by its type: ``<link>``, ``<account>``,
    ``<phone>``, ``<3 digits>``.
    """
    for token in _TOKEN.finditer(folded):
        kind, word, start = token.lastgroup, token.group(), token.start()
        if kind == "han":
            for n in _HAN_NGRAMS:
                for i in range(len(word) - n + 1):
                    yield word[i : i + n], start + i, start + i + n
        elif kind == "latin":
            yield f"={word}", start, token.end()
            padded = f" {word} "
            for n in _CHAR_NGRAMS:
                for i in range(len(padded) - n + 1):
                    yield padded[i : i + n], max(start, start + i - 1), min(token.end(), start + i - 1 + n)
        elif kind == "number":
            yield f"<{min(sum(c.isdigit() for c in word), 6)} digits>", start, token.end()
        elif kind == "mark":
            yield word[:2], start, token.end()
        else:
            yield f"<{kind}>", start, token.end()


def terms(folded: str) -> list[str]:
    """Every term of a folded text."""
    return [term for term, _, _ in spans(folded)]


class TextFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """TF-IDF with pivoted length normalisation, and as the last column the count of denying words, at most two.

    A row is divided by ``(1 - slope) * pivot + slope * norm``, where the pivot is the mean norm of the training
    texts, so that headlines and long articles get comparable scores; a slope of 1 is the usual cosine normalisation.
    (Singhal, Buckley, Mitra: "Pivoted document length normalization", SIGIR 1996.) Term frequency counts as
    ``1 + log(tf)``, document frequency as in scikit-learn.

    Fitted: ``vocabulary_`` (term to column), ``idf_`` (one weight a term), ``pivot_``.
    """

    vocabulary_: dict[str, int]
    idf_: np.ndarray[Any, Any]
    pivot_: float

    def __init__(self, slope: float = 0.4) -> None:
        self.slope = slope

    def fit(self, texts: Sequence[str], y: object = None) -> TextFeatures:
        """Learn vocabulary, document frequencies and the pivot."""
        every_term = sorted({term for text in texts for term in terms(fold(text))})
        self.vocabulary_ = {term: column for column, term in enumerate(every_term)}
        return self.learn(self.count(texts))

    def transform(self, texts: Iterable[str]) -> Any:
        """A sparse matrix, one row a text; terms that training did not see are left out."""
        check_is_fitted(self)
        return self.weigh(self.count(texts))

    def count(self, texts: Iterable[str]) -> Any:
        """How often each term of the vocabulary stands in each text; the last column counts denials."""
        columns: list[int] = []
        values: list[int] = []
        ends = [0]
        for text in texts:
            folded = fold(text)
            counts = Counter(self.vocabulary_[term] for term in terms(folded) if term in self.vocabulary_)
            if denials := len(DENIAL.findall(folded)):
                counts[len(self.vocabulary_)] = min(denials, 2)
            columns += counts.keys()
            values += counts.values()
            ends.append(len(columns))
        data = np.array(values, dtype=float), np.array(columns, dtype=np.int32), np.array(ends, dtype=np.int32)
        return sparse.csr_array(data, shape=(len(ends) - 1, len(self.vocabulary_) + 1))

    def learn(self, counts: Any) -> TextFeatures:
        """Learn document frequencies and the pivot from the counts of the training texts.

        A term that none of them holds gets no weight, as if it were not in the vocabulary.
        """
        found_in = np.bincount(counts.indices, minlength=counts.shape[1])[:-1]
        self.idf_ = np.where(found_in > 0, np.log((1 + counts.shape[0]) / (1 + found_in)) + 1, 0)
        self.pivot_ = float(self._norms(self._tfidf(counts), counts).mean())
        return self

    def weigh(self, counts: Any) -> Any:
        """Counts as features."""
        values = self._tfidf(counts)
        divisor = (1 - self.slope) * self.pivot_ + self.slope * self._norms(values, counts)
        scaled = values / np.repeat(divisor, np.diff(counts.indptr))
        denial = counts.indices == len(self.idf_)
        data = np.where(denial, counts.data, scaled), counts.indices, counts.indptr
        return sparse.csr_array(data, shape=counts.shape)

    def _tfidf(self, counts: Any) -> Any:
        """The weighted term frequency of every stored count, nothing for denials."""
        return (1 + np.log(counts.data)) * np.append(self.idf_, 0.0)[counts.indices]

    def _norms(self, values: Any, counts: Any) -> Any:
        squares = sparse.csr_array((values**2, counts.indices, counts.indptr), shape=counts.shape)
        return np.sqrt(squares.sum(axis=1))
