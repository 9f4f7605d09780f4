"""Names hidden from the model, so that no candidate, party or place carries weight. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from monitor.text import HAN
from monitor.types import Candidate
from monitor.watchlist import Watchlist

HIDDEN = "\ue000"  # a character of no script: the features see a gap
_WORD = re.compile(r"[^\W\d_]{2,}")


class Mask:
    """Hides names, parties and constituencies of candidates: whole in any form, and the Latin parts of a name alone.

    Called with a text, gives one of the same length.
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
        return _WORD.sub(self._hidden, "".join(chars))

    def _hidden(self, word: re.Match[str]) -> str:
        return HIDDEN * len(word.group()) if word.group() in self._parts else word.group()
