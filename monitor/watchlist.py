"""Which watched names stand in a text: one walk for all names, in 繁, 简 and Latin letters, either order. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ahocorasick_rs import AhoCorasick, MatchKind

from monitor.text import HAN, fold, fold_with_offsets, is_word_boundary
from monitor.types import Candidate, Match

_HYPHENS = "-‐‑–"
_JOINERS = str.maketrans(dict.fromkeys(f"{_HYPHENS}·・‧'’._", " "))
_TAG = 8  # letters from which a name in one word, as in #VivianCheuk, is no other word
_LATIN_TITLES = ("Mr", "Mrs", "Ms", "Miss", "Dr", "Prof", "Professor", "Councillor")
_HAN_TITLES = ("先生", "女士", "小姐", "太太", "博士", "教授", "議員", "醫生", "律師", "主席")
# Letters that are no other letter with an accent.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe"}
)
_COMPOUND_SURNAMES = ("歐陽", "司徒", "司馬", "上官", "諸葛", "皇甫", "端木", "夏侯", "尉遲", "公孫", "令狐")

# -- the forms of a name -----------------------------------------------------------------------------------------------


def name_forms(surname: str, given: str = "", english: str = "") -> list[str]:
    """Every usual order of a romanised name: ``Cheuk Mong-ching``, ``Vivian Cheuk``, ``VivianCheuk`` of tags …

    A surname alone is never a form: it names too many people.
    """
    forms = []
    initials = _initials(given)
    for family in dict.fromkeys((surname, surname.replace(" ", ""))):
        for personal in dict.fromkeys(spelling for spelling in (given, given.replace("-", "")) if spelling):
            forms += [f"{family} {personal}", f"{personal} {family}"]
            if english:
                forms += [
                    f"{english} {family} {personal}",
                    f"{family} {personal} {english}",
                    f"{english} {personal} {family}",
                ]
        if english:
            forms += [f"{english} {family}", f"{family} {english}"]
            forms += [joined for joined in (f"{english}{family}".replace(" ", ""),) if len(joined) >= _TAG]
            forms += [f"{english} {letters} {family}" for letters in initials]
    return forms


def uncertain_forms(names: Sequence[str], surname: str = "", given: str = "", english: str = "") -> list[str]:
    """Forms that others may bear: a surname with a title or initials, ``Ms Cheuk``, ``V. Cheuk``, ``卓女士``; and
    ``Cheuk, Vivian``, which may be two people of a list.

    ``names`` are the names as printed; the surname of a Chinese one is its first character, or two.
    """
    forms = []
    for family in dict.fromkeys((surname, surname.replace(" ", ""))) if surname else ():
        forms += [f"{title} {family}" for title in _LATIN_TITLES]
        forms += [f"{family}, {personal}" for personal in (english, given, given.replace("-", "")) if personal]
        for letters in (*_initials(given), *_initials(english)[:1]):
            forms += [f"{letters} {family}", f"{family} {letters}"]
    for name in names:
        if 2 <= len(name) <= 4 and all(map(HAN.match, name)):
            long = len(name) == 4 or fold(name).startswith(tuple(map(fold, _COMPOUND_SURNAMES)))
            forms += [name[: 2 if long and len(name) > 2 else 1] + title for title in _HAN_TITLES]
    return forms


def without_accents(name: str) -> str:
    """A Latin name as those write it who have no accents: ``Zofie Angstrom`` of ``Žofie Ångström``."""
    plain = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    return name if HAN.search(name) else plain.translate(_PLAIN_LETTERS)


def _initials(name: str) -> list[str]:
    """``M C`` and ``MC`` of ``Mong-ching``."""
    letters = [part[0] for part in re.split(r"[\s-]+", name) if part]
    return list(dict.fromkeys((" ".join(letters), "".join(letters)))) if letters else []


# -- finding them ------------------------------------------------------------------------------------------------------

# What may be joined to a name without being part of it: "ex-Perry Man", "Cheuk-led"; "Perry Man-kit" is another person.
_LATIN = re.compile(r"[A-Za-zÀ-ɏＡ-Ｚａ-ｚ]")
_PREFIX = re.compile(r"\b(?:ex|pro|anti|non|then|former|post|pre|un)$")
_SUFFIX = re.compile(r"(?:[a-z]*ed|run|style|era|like|friendly)\b")
# A surname with a title may be cut out of another name, as 文先生 out of 張沛文先生; after these it is not.
_OPENS_HAN = frozenset("的是和與及指說稱示對向由為請問給投持選讓叫而但了到以被把同跟令因使有在，。：；、「『“")
_OPENS_FOLDED = frozenset(fold("".join(sorted(_OPENS_HAN))))


@dataclass
class _Pattern:
    """What one folded pattern stands for, by candidate id: how the name is written."""

    certain: dict[str, str] = field(default_factory=dict)
    uncertain: dict[str, str] = field(default_factory=dict)
    context_of: set[str] = field(default_factory=set)
    blocks: bool = False  # a phrase that holds a name and is no name


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a pattern stands in a prepared text."""

    start: int
    end: int
    pattern: _Pattern


class Watchlist:
    """Finds names of candidates (and offices) in texts. Built once; matching is linear in the text."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self.candidates = {candidate.id: candidate for candidate in candidates}
        patterns: dict[str, _Pattern] = {}

        def pattern(words: str) -> _Pattern:
            key = " ".join(_prepare(words)[0].split())
            return patterns.setdefault(key, _Pattern()) if len(key) > 1 else _Pattern()

        for candidate in self.candidates.values():
            self._add(candidate, pattern)
        self._patterns = list(patterns.values())
        self._automaton = AhoCorasick(list(patterns), matchkind=MatchKind.Standard) if patterns else None

    @staticmethod
    def _add(candidate: Candidate, pattern: Callable[[str], _Pattern]) -> None:
        for name in (*candidate.names, *candidate.aliases):
            pattern(name).certain.setdefault(candidate.id, name)
        for name in candidate.uncertain:
            found = pattern(name)
            found.certain.pop(candidate.id, None)
            found.uncertain.setdefault(candidate.id, name)
        for word in (*candidate.context, *candidate.constituency, *candidate.party):
            pattern(word).context_of.add(candidate.id)
        for phrase in candidate.not_in:
            pattern(phrase).blocks = True

    def match(self, text: str) -> tuple[Match, ...]:
        """Every hit in order of place; of overlapping names the leftmost longest wins.

        A name that several candidates bear is a hit for each of them. An uncertain name takes only what certain ones
        leave.
        """
        if self._automaton is None:
            return ()
        folded, offsets = _prepare(text)
        # All overlapping places first: one that is cut out of a longer word must not hide the name beside it.
        places = [
            _Place(start, end, self._patterns[index])
            for index, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True)
            if is_word_boundary(folded, start, end)
        ]
        if not places:
            return ()

        def span(place: _Place) -> tuple[int, int]:
            return offsets[place.start], offsets[place.end - 1] + 1

        names = [place for place in places if place.pattern.certain and not _inside_another(text, *span(place))]
        certain = _leftmost_longest([*names, *(place for place in places if place.pattern.blocks)])
        known = {id for place in certain for id in place.pattern.certain}
        known |= {id for place in places for id in place.pattern.context_of}
        free = _free_of(certain, len(folded))
        uncertain = _leftmost_longest(
            place
            for place in places
            if not known.isdisjoint(place.pattern.uncertain)
            and free(place)
            and not _inside_another(text, *span(place))
            and not (_is_titled(folded, place) and _continues(folded, place.start))
        )
        hits = [
            Match(id, name, *span(place))
            for place in (*certain, *uncertain)
            for id, name in (place.pattern.uncertain | place.pattern.certain).items()
            if id in known
        ]
        return tuple(sorted(hits, key=lambda hit: hit.start))


def _leftmost_longest(places: Iterable[_Place]) -> list[_Place]:
    """Of overlapping places the leftmost, and of those that begin together the longest."""
    taken: list[_Place] = []
    for place in sorted(places, key=lambda place: (place.start, -place.end)):
        if not taken or place.start >= taken[-1].end:
            taken.append(place)
    return taken


def _free_of(taken: Sequence[_Place], length: int) -> Callable[[_Place], bool]:
    """Whether a place overlaps none of those that are taken."""
    covered = bytearray(length)
    for place in taken:
        covered[place.start : place.end] = b"\1" * (place.end - place.start)
    return lambda place: not any(covered[place.start : place.end])


def _inside_another(text: str, start: int, end: int) -> bool:
    """Whether a hyphen joins the name to one that is not listed: "Perry Man-kit" is not Perry Man."""
    if HAN.match(text[start]):
        return False
    before, after = text[max(0, start - 12) : start], text[end : end + 20]
    if (
        len(before) > 1
        and before[-1] in _HYPHENS
        and _LATIN.match(before[-2])
        and not _PREFIX.search(before[:-1].lower())
    ):
        return True
    return (
        len(after) > 1
        and after[0] in _HYPHENS
        and bool(_LATIN.match(after[1]))
        and not _SUFFIX.match(after[1:].lower())
    )


def _is_titled(folded: str, place: _Place) -> bool:
    return any(map(folded[place.start : place.end].endswith, _HAN_TITLES_FOLDED))


def _continues(folded: str, start: int) -> bool:
    """Whether the Han character before ``start`` may belong to the same name."""
    before = folded[start - 1] if start else " "
    return HAN.match(before) is not None and before not in _OPENS_FOLDED


_HAN_TITLES_FOLDED = tuple(map(fold, _HAN_TITLES))
_SPACES = re.compile(rf" {{2,}}|(?<={HAN.pattern}) (?={HAN.pattern})")


def _prepare(text: str) -> tuple[str, Sequence[int]]:
    """Folded, with everything that joins the parts of a name as one space, and the offsets into ``text``.

    Between Han characters of one line a space is dropped: a ballot prints 文　霖 where a text has 文霖.
    """
    folded, offsets = fold_with_offsets(text)
    folded = folded.translate(_JOINERS)
    cuts = list(_cuts(folded, text, offsets))
    if not cuts:
        return folded, offsets
    chars: list[str] = []
    kept: list[int] = []
    done = 0
    for start, end in [*cuts, (len(folded), len(folded))]:
        chars.append(folded[done:start])
        kept += offsets[done:start]
        done = end
    return "".join(chars), kept


def _cuts(folded: str, text: str, offsets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The spaces of a folded text that do not count."""
    for found in _SPACES.finditer(folded):
        start, end = found.span()
        if end - start > 1:
            between_han = start and end < len(folded) and HAN.match(folded[start - 1]) and HAN.match(folded[end])
            lines = any(text[offsets[i]] in "\n\r" for i in range(start, end))
            yield (start if between_han and not lines else start + 1), end
        elif text[offsets[start]] not in "\n\r":
            yield start, end
