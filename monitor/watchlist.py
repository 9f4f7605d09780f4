"""Which watched names stand in a text: one walk for all names, in 繁, 简 and Latin letters, either order. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ahocorasick_rs import AhoCorasick, MatchKind

from monitor.text import fold_with_offsets, is_word_boundary
from monitor.types import Candidate, Match

_JOINERS = str.maketrans(dict.fromkeys("-‐‑–·・‧'’._", " "))


def name_forms(surname: str, given: str = "", english: str = "") -> list[str]:
    """Every usual order of a romanised name: ``Cheuk Mong-ching``, ``Vivian Cheuk``, ``Mong-ching Cheuk`` …

    A surname alone is never a form: it names too many people.
    """
    forms = []
    for personal in dict.fromkeys(spelling for spelling in (given, given.replace("-", "")) if spelling):
        forms += [f"{surname} {personal}", f"{personal} {surname}"]
        if english:
            forms += [
                f"{english} {surname} {personal}",
                f"{surname} {personal} {english}",
                f"{english} {personal} {surname}",
            ]
    if english:
        forms += [f"{english} {surname}", f"{surname} {english}"]
    return forms


class Watchlist:
    """Finds names of candidates (and offices) in texts. Built once; matching is linear in the text."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self.candidates = {candidate.id: candidate for candidate in candidates}
        owners: dict[str, dict[str, str]] = {}  # of each pattern: who bears the name, and how theirs is written
        for candidate in self.candidates.values():
            for name in (*candidate.names, *candidate.aliases):
                pattern = " ".join(_prepare(name)[0].split())
                if len(pattern) > 1:
                    owners.setdefault(pattern, {}).setdefault(candidate.id, name)
        self._owners = list(owners.values())
        self._automaton = AhoCorasick(list(owners), matchkind=MatchKind.Standard) if owners else None

    def match(self, text: str) -> tuple[Match, ...]:
        """Every hit in order of place; of overlapping names the leftmost longest wins.

        A name that several candidates bear is a hit for each of them.
        """
        if self._automaton is None:
            return ()
        folded, offsets = _prepare(text)
        # All overlapping places first: one that is cut out of a longer word must not hide the name beside it.
        places = [
            (start, -end, pattern)
            for pattern, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True)
            if is_word_boundary(folded, start, end)
        ]
        hits: list[Match] = []
        free_from = 0
        for start, minus_end, pattern in sorted(places):
            if start >= free_from:
                free_from = -minus_end
                span = offsets[start], offsets[free_from - 1] + 1
                hits += [Match(owner, alias, *span) for owner, alias in self._owners[pattern].items()]
        return tuple(hits)


def _prepare(text: str) -> tuple[str, list[int]]:
    """Folded, with everything that joins the parts of a name as one space, and the offsets into ``text``."""
    folded, offsets = fold_with_offsets(text)
    chars: list[str] = []
    kept: list[int] = []
    for char, offset in zip(folded.translate(_JOINERS), offsets, strict=True):
        if char == " " and chars and chars[-1] == " ":
            continue
        chars.append(char)
        kept.append(offset)
    return "".join(chars), kept
