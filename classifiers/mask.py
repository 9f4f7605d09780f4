"""Names and gender hidden from the model, so that no candidate, party or place carries weight. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from monitor.text import HAN
from monitor.types import Candidate
from monitor.watchlist import Watchlist

HIDDEN = "\ue000"  # a character of no script: the features see a gap
_WORD = re.compile(r"[^\W\d_]{2,}")
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}  # full-width letters


def _one_gender() -> dict[str, str]:
    """The English words that change with a person's gender, each with one that stands for both, as long as itself."""
    found = {}
    for neutral, words in {"he": ("she",), "his": ("him", "her", "hers"), "himself": ("herself",)}.items():
        for word in words:
            for form in (word, word.capitalize(), word.upper()):
                found[form] = neutral.ljust(len(word), HIDDEN)
    for title in ("Mrs", "Ms", "Miss"):  # "miss" is a verb
        found[title] = found[title.upper()] = "Mr".ljust(len(title), HIDDEN)
    return found | {word.translate(_WIDE): neutral for word, neutral in found.items()}


_ENGLISH = _one_gender()
_CHINESE_LETTERS = str.maketrans("她妳", "他你")
_CHINESE_TITLES = re.compile("女士|小姐")


class Mask:
    """Hides names, parties and constituencies of candidates: whole in any form, and the Latin parts of a name alone.

    Pronouns and titles stand for both genders. Called with a text, gives one of the same length.
    """

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        people = list(candidates)
        self._names = Watchlist(
            replace(person, aliases=(*person.aliases, *person.party, *person.constituency)) for person in people
        )
        written = (name for person in people for name in (*person.names, *person.aliases))
        parts = {part for name in written for part in _WORD.findall(name) if not HAN.search(part)}
        # "Long" and "LONG", never "long": only a capital tells a name from a word.
        self._parts = {form for part in parts if part[0].isupper() for form in (part, part.upper())}

    def __call__(self, text: str) -> str:
        chars = list(text)
        for match in self._names.match(text):
            chars[match.start : match.end] = HIDDEN * (match.end - match.start)
        chinese = _CHINESE_TITLES.sub("先生", "".join(chars).translate(_CHINESE_LETTERS))
        return _WORD.sub(self._hidden, chinese)

    def _hidden(self, word: re.Match[str]) -> str:
        written = word.group()
        return HIDDEN * len(written) if written in self._parts else _ENGLISH.get(written, written)
