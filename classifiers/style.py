"""How a text is written, whatever it says: how loud, in whose words and in whose name.

Terms say so too, among hundreds of others; a few counts with weights of their own are heard. They are of those by which
Castillo, Mendoza and Poblete tell credible messages from others ("Information credibility on Twitter", WWW 2011), and
quotation marks. Nothing that says who wrote is among them, nor how long a text is: invented falsehoods differ from
invented genuine texts in their length as real ones do not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from monitor.types import Style

Array = np.ndarray[Any, Any]

# In folded form: small letters, Simplified characters, no full width.
_SIGNS = {
    Style.EXCLAMATION: "!",
    Style.QUOTATION: '"“”„‟«»「」『』',
    Style.HASHTAG: "#",
    Style.FIRST_PERSON: "我俺咱",
}
_FIRST_PERSON = ("i", "me", "my", "mine", "we", "us", "our", "ours")
_LONGEST = max(map(len, _FIRST_PERSON))
_LETTERS = 0x250  # more than the code of any of a word
_PLACES = {style: place for place, style in enumerate(Style)}
_NOTHING = len(Style)
_OF_SIGN = np.full(0x10000, _NOTHING, dtype=np.int8)
for _style, _signs in _SIGNS.items():
    _OF_SIGN[[ord(sign) for sign in _signs]] = _PLACES[_style]


def style_of(chars: Array, starts: Array, ends: Array, lengths: Array) -> Array:
    """How each text is written: a row a text, a column a ``Style``, each as ``ln(1 + count)``.

    ``chars`` are the code points of all texts, folded, with one between two of them; ``starts`` and ``ends`` are of the
    English words among them, ``lengths`` of the texts.
    """
    signs = _OF_SIGN[np.minimum(chars, len(_OF_SIGN) - 1).astype(np.int64)]
    signed = np.flatnonzero(signs != _NOTHING)
    persons = starts[np.isin(_letters(chars, starts, ends), [_number(word) for word in _FIRST_PERSON])]
    firsts = np.cumsum(lengths + 1) - (lengths + 1)
    row = np.searchsorted(firsts, np.concatenate([signed, persons]), side="right") - 1
    column = np.concatenate([signs[signed], np.full(len(persons), _PLACES[Style.FIRST_PERSON])]).astype(np.int64)
    counts = np.bincount(row * len(Style) + column, minlength=len(lengths) * len(Style))
    return np.asarray(np.log1p(counts.reshape(len(lengths), len(Style))))


def _letters(chars: Array, starts: Array, ends: Array) -> Array:
    """A number for each short word, which says its letters; 0 for a longer one."""
    numbers = np.zeros(len(starts), dtype=np.int64)
    for place in range(_LONGEST):
        at = starts + place
        inside = at < ends
        numbers = np.where(inside, numbers * _LETTERS + chars[np.minimum(at, len(chars) - 1)].astype(np.int64), numbers)
    return np.where(ends - starts <= _LONGEST, numbers, 0)


def _number(word: str) -> int:
    number = 0
    for letter in word:
        number = number * _LETTERS + ord(letter)
    return number
