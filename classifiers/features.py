"""Texts as vectors: TF-IDF with inverse document frequencies from background text and pivoted length normalisation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from classifiers.background import Background, common_words
from classifiers.terms import Array, Kind, Terms, batches, kind_of, terms_of
from monitor.text import fold
from monitor.types import Style


class TextFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """TF-IDF with pivoted length normalisation; behind it columns of denials (two at most), style and script.

    A row is divided by ``(1 - slope) * pivot + slope * norm``, where the pivot is the mean norm of the training
    texts of its script, so that headlines and long articles get comparable scores; a slope of 1 is the usual cosine
    normalisation. (Singhal, Buckley, Mitra: "Pivoted document length normalization", SIGIR 1996.) The norm counts every
    term of the text, also those that training did not see. Lexemes, which are read where ``lexemes`` says so, have a
    norm of their own: they say once more what other terms say, and would take half of their weight. Term frequency
    counts as ``1 + log(tf)``; document frequencies come from ``background`` (default: common English and Chinese
    words). A word has many character n-grams: they weigh ``char_weight`` times what a word weighs.

    Fitted: ``codes_`` (ascending, one a column), ``idf_`` (weights included), ``unseen_`` (what a term without a
    column adds to the squared norm, by kind), ``pivots_`` (of English and of Chinese texts; of lexemes in the second
    column).
    """

    codes_: Array
    idf_: Array
    unseen_: Array
    pivots_: Array

    def __init__(
        self,
        slope: float = 0.6,
        char_weight: float = 0.3,
        background: Background | None = None,
        lexemes: bool = False,
    ) -> None:
        self.slope = slope
        self.char_weight = char_weight
        self.background = background
        self.lexemes = lexemes

    def fit(self, texts: Sequence[str], y: object = None) -> TextFeatures:
        """Learn vocabulary, weights and the pivot."""
        background = common_words() if self.background is None else self.background
        training = Background.of(texts)
        weights = np.ones(len(Kind) + 1)
        weights[Kind.CHARS] = self.char_weight
        weights[Kind.DENIAL] = 0  # it has a column of its own
        weights[Kind.LEXEME] = self.lexemes
        idf = weights[kind_of(training.codes)] * background.idf(training)
        self.codes_, self.idf_ = training.codes[idf > 0], idf[idf > 0]
        self.unseen_ = (weights * background.rarest) ** 2
        norms: list[list[Array]] = [[], []]  # of English and of Chinese texts
        for batch in batches(fold(text) for text in texts):
            terms = self.terms(batch)
            for norm, chinese in zip(self._norms(*self._count(terms)), terms.chinese, strict=True):
                norms[chinese].append(norm)
        self.pivots_ = np.array([np.mean(part or norms[0] + norms[1], axis=0) for part in norms])
        return self

    def transform(self, texts: Iterable[str]) -> Any:
        """A sparse matrix, one row a text; terms that training did not see are left out.

        In single precision: half the memory of 64 bits, and a third of the time to train, for the same order of scores.
        """
        check_is_fitted(self)
        rows = [self.weigh(self.terms(batch)) for batch in batches(fold(text) for text in texts)]
        return sparse.csr_array(sparse.vstack(rows)) if len(rows) > 1 else rows[0]

    def terms(self, folded: Sequence[str]) -> Terms:
        """What is read of folded texts."""
        return terms_of(folded, lexemes=self.lexemes)

    def columns(self, terms: Terms) -> Array:
        """The column of each term; -1 for what training did not see."""
        if not len(self.codes_):
            return np.full(len(terms.code), -1)
        place = np.minimum(np.searchsorted(self.codes_, terms.code), len(self.codes_) - 1)
        column = np.where(self.codes_[place] == terms.code, place, -1)
        return np.where(terms.kind == Kind.DENIAL, len(self.codes_), column)

    @property
    def style_columns(self) -> slice:
        """Where stands how a text is written (``Style``)."""
        start = len(self.codes_) + 1
        return slice(start, start + len(Style))

    def known_words(self, terms: Terms) -> tuple[Array, Array]:
        """For each text how many of its words have a column, and how many words it has.

        Each Han character, and each letter of a script that is neither, counts as a word; the latter is never known.
        """
        han = (terms.kind == Kind.HAN) & (terms.end - terms.start == 1)
        words = (terms.kind == Kind.WORD) | han
        known = words & (self.columns(terms) >= 0)
        every = words | (terms.kind == Kind.MARK)
        texts = len(terms.chinese)
        return np.bincount(terms.row[known], minlength=texts), np.bincount(terms.row[every], minlength=texts)

    def weigh(self, terms: Terms) -> Any:
        """Terms as features, one row a text."""
        counts, unseen = self._count(terms)
        divisor = (1 - self.slope) * self.pivots_[terms.chinese] + self.slope * self._norms(counts, unseen)
        scaled = self._tfidf(counts) / divisor[_rows(counts), self._group(counts)]
        data = np.where(counts.indices == len(self.idf_), np.minimum(counts.data, 2), scaled).astype(np.float32)
        words = sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape)
        last = np.column_stack([terms.style, terms.chinese]).astype(np.float32)
        return sparse.csr_array(sparse.hstack([words, sparse.csr_array(last)]))

    def _count(self, terms: Terms) -> tuple[Any, Array]:
        """How often each column stands in each text, and what the terms without one add to its squared norms."""
        column = self.columns(terms)
        seen = column >= 0
        width = len(self.codes_) + 1
        cells, times = np.unique(terms.row[seen] * width + column[seen], return_counts=True)
        row, kept = np.divmod(cells, width)
        ends = np.searchsorted(row, np.arange(len(terms.chinese) + 1))
        places = kept.astype(np.int32), ends.astype(np.int32)  # half of what numpy gives, and there are millions
        counts = sparse.csr_array((times.astype(float), *places), shape=(len(terms.chinese), width))
        row, kind = terms.row[~seen], terms.kind[~seen]
        return counts, _by_group(row, kind == Kind.LEXEME, self.unseen_[kind], len(terms.chinese))

    def _tfidf(self, counts: Any) -> Array:
        """The weighted term frequency of every stored count, nothing for denials."""
        return np.asarray((1 + np.log(counts.data)) * np.append(self.idf_, 0.0)[counts.indices])

    def _norms(self, counts: Any, unseen: Array) -> Array:
        """Of each text the norm of its lexemes, in the second column, and that of all else."""
        seen = _by_group(_rows(counts), self._group(counts), self._tfidf(counts) ** 2, counts.shape[0])
        return np.asarray(np.sqrt(seen + unseen))

    def _group(self, counts: Any) -> Array:
        """Of every stored count whether it is of a lexeme, as 0 and 1."""
        if not self.lexemes:
            return np.zeros(len(counts.indices), dtype=np.int64)
        code = self.codes_.take(counts.indices, mode="clip")  # the column of denials has no code, and no weight here
        return np.asarray(kind_of(code) == Kind.LEXEME, dtype=np.int64)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _rows(counts: Any) -> Array:
    return np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))


def _by_group(row: Array, group: Array, amounts: Array, texts: int) -> Array:
    return np.bincount(row * 2 + group, weights=amounts, minlength=2 * texts).reshape(texts, 2)
