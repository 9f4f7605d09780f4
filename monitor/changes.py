"""What is new and what was edited. Pure: takes rows and ``now``, returns what should be done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from monitor.links import link_key, short_name
from monitor.text import HAN, clean
from monitor.types import Document, Entry, Item

_Sign = tuple[str | None, ...]
_RANKS, _BY_NAME = 6, (1, 2, 4, 5)  # of what ``_signs`` gives
_NAME_ALONE = 5
ALIKE = 0.3  # share of common word pieces from which two texts under one guid are one story; unrelated ones have 0.1

# The number that a publishing system gives a story: /news/418057/polls-open. A date (2027-03, 2027-03-01) is none.
_STORY_NUMBER = re.compile(r"(?<!\d)(?!(?:19|20)\d\d(?:0[1-9]|1[0-2]))\d{5,18}(?!\d)")
# Forms of one sign, between which publishing systems change without anybody having written anything.
_FORMS = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # full-width
    | dict.fromkeys("‘’‚‛′", "'")
    | dict.fromkeys("“”„‟″＂", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"…": "..."}
)
_SPACE_BESIDE_HAN = re.compile(rf"(?<={HAN.pattern}) | (?={HAN.pattern})")


@dataclass(frozen=True, slots=True)
class Changes:
    """What one document changes in the store. ``new`` keeps the order of the document."""

    new: tuple[Entry, ...]
    edited: tuple[tuple[Item, Entry], ...]  # what is stored, and what replaces its text
    moved: tuple[tuple[Item, Entry], ...]  # the same item under another guid or link; may be edited as well
    same: int


def decide(stored: Mapping[str, Item], entries: Iterable[Entry], now: datetime) -> Changes:
    """Compare a document with the items of its feed, ``stored`` by key.

    An entry is the item with which it shares two of guid, link and title, or guid and story number, or the guid alone
    if the texts are alike: a new headline often brings a new address (with the old number in it, where addresses have
    one), and some outlets use one guid for story after story. An edit is a change of the words a reader sees in title
    or summary, or of the host that the link leads to; another date, other markup, other white space or another form of
    a sign (curly quotation marks, full width) is none. An entry that appears twice counts once. Entries of ``new`` and
    ``moved`` carry the key they are to be stored under. A publication date in the future becomes ``now``.
    """
    unique = _unique(list(entries))
    known = _recognise(list(stored.values()), unique)
    taken = set(stored)
    new, edited, moved = [], [], []
    for entry, item in zip(unique, known, strict=True):
        if item is None:
            new.append(_not_in_future(replace(entry, key=_free_key(entry, taken, now)), now))
            continue
        if item.guid != entry.guid:
            taken.discard(item.key)
            moved.append((item, replace(entry, key=_free_key(entry, taken, now))))
        elif item.link != entry.link:
            moved.append((item, replace(entry, key=item.key)))
        if _words_of(item) != _words_of(entry) and _as_read(item) != _as_read(entry):
            edited.append((item, entry))
    return Changes(tuple(new), tuple(edited), tuple(moved), same=len(unique) - len(new) - len(edited))


def word_for_word(
    stored: Mapping[str, Item], changes: Changes, added: Mapping[str, int], entries: Iterable[Entry]
) -> list[int | None]:
    """For each of ``entries`` the id of the item that holds its very words once ``changes`` are stored, or None.

    ``stored`` and ``entries`` are what ``decide`` was given, ``added`` are the ids of new items by key. Read back from
    that item, the entry is the same in every respect that ``decide`` looks at. One without a guid or a link to a story
    is left out: its item may go by a longer key.
    """
    words = {item.id: _words_of(item) for item in stored.values()}
    for item, entry in changes.moved:
        words[item.id] = (entry.guid, entry.link, *words[item.id][2:])
    for item, entry in changes.edited:
        words[item.id] = (*words[item.id][:2], entry.title, entry.summary)
    for entry in changes.new:
        words[added[entry.key]] = _words_of(entry)
    ids = {held: item_id for item_id, held in words.items()}
    return [ids.get(_words_of(entry)) if entry.guid or link_key(entry.link) else None for entry in entries]


def places(document: Document, changes: Changes, added: Mapping[str, int]) -> dict[int, int]:
    """By the id of each new and edited item, which of ``document.entries`` it is; ``added``: ids of new ones by key."""
    found: dict[tuple[str | None, ...], int] = {}
    for place, entry in enumerate(document.entries):
        found.setdefault(_words_of(entry), place)
    ids = {added[entry.key]: entry for entry in changes.new} | {item.id: entry for item, entry in changes.edited}
    named = ((item_id, found.get(_words_of(entry))) for item_id, entry in ids.items())
    return {item_id: place for item_id, place in named if place is not None}


def _unique(entries: Sequence[Entry]) -> list[Entry]:
    """Without the entries that bear the surest sign of one before them."""
    bearers = Counter(map(_name, entries))
    found: dict[object, Entry] = {}
    for place, entry in enumerate(entries):
        # Signs are dear, and an entry whose name is its own has no double.
        found.setdefault(_signs(entry)[0] if bearers[_name(entry)] > 1 else place, entry)
    return list(found.values())


def _recognise(items: Sequence[Item], entries: Sequence[Entry]) -> list[Item | None]:
    """For each entry the item that it is, or None; no item is found twice."""
    found = _untouched(items, entries)
    settled = {item.id for item in found if item is not None}
    items = [item for item in items if item.id not in settled]
    if not items:  # so it is for a new feed, and for most news of an old one
        return found
    places = [place for place, item in enumerate(found) if item is None]
    for place, item in zip(places, _by_signs(items, [entries[place] for place in places]), strict=True):
        found[place] = item
    return found


def _untouched(items: Sequence[Item], entries: Sequence[Entry]) -> list[Item | None]:
    """For each entry the item that says the same word for word, where nobody else bears their name.

    Nearly all are such. By signs they would find each other first, and as every sign that counts bearers holds the
    name, they change nothing for the others.
    """
    of_items, of_entries = Counter(map(_name, items)), Counter(map(_name, entries))
    alone = {name: item for item in items if of_items[name := _name(item)] == 1}
    found = [alone.get(name) if of_entries[name := _name(entry)] == 1 else None for entry in entries]
    return [
        item if item is not None and _words_of(item) == _words_of(entry) else None
        for item, entry in zip(found, entries, strict=True)
    ]


def _by_signs(items: Sequence[Item], entries: Sequence[Entry]) -> list[Item | None]:
    of_items, of_entries = [_signs(item) for item in items], [_signs(entry) for entry in entries]
    found: list[Item | None] = [None] * len(entries)
    free = dict(enumerate(items))
    for rank in range(_RANKS):
        bearers: dict[_Sign | None, int] = {}
        for number in free:
            bearers.setdefault(of_items[number][rank], number)
        in_items, in_entries = (Counter(signs[rank] for signs in those) for those in (of_items, of_entries))
        for place, signs in enumerate(of_entries):
            sign = signs[rank]
            # A guid that several stories use names none of them.
            ambiguous = rank in _BY_NAME and max(in_items[sign], in_entries[sign]) > 1
            if sign is None or sign not in bearers or found[place] is not None or ambiguous:
                continue
            if rank != _NAME_ALONE or _alike(free[bearers[sign]], entries[place]):
                found[place] = free.pop(bearers.pop(sign))
    return found


def _name(story: Entry | Item) -> str:
    """What it is called. Without a guid its address is its name."""
    return story.guid or link_key(story.link) or story.key


def _words_of(story: Entry | Item) -> tuple[str | None, str | None, str, str]:
    """All that is compared, as it was written."""
    return story.guid, story.link, story.title, story.summary


def _signs(story: Entry | Item) -> tuple[_Sign | None, ...]:
    """By what an entry is recognised, the surest sign first."""
    name, link, title = _name(story), link_key(story.link), _words(story.title)
    number = _STORY_NUMBER.search(link) if link else None
    return (
        (name, link, title),
        (name, link),
        (name, title),
        (link, title) if link and title else None,
        (story.guid, number.group()) if story.guid and number else None,
        (story.guid,) if story.guid else None,
    )


def _alike(item: Item, entry: Entry) -> bool:
    """Whether two texts are versions of one story: Jaccard similarity of their character trigrams."""
    a, b = (_pieces(f"{_words(story.title)} {_words(story.summary)}") for story in (item, entry))
    return len(a & b) >= ALIKE * max(1, len(a | b))


def _pieces(text: str) -> set[str]:
    folded = text.casefold()
    return {folded[start : start + 3] for start in range(len(folded) - 2)}


def _free_key(entry: Entry, taken: set[str], now: datetime) -> str:
    """The key of ``entry``, widened while another story has it, and added to ``taken``."""
    key = entry.key
    for part in filter(None, (entry.link, entry.title, now.isoformat())):
        if key in taken:
            key = short_name(f"{key}\n{part}")  # a line break is in no guid, link or title
    taken.add(key)
    return key


def _as_read(story: Entry | Item) -> tuple[str, str, str | None]:
    """What a reader sees of it, and where the link takes him."""
    host = urlsplit(story.link).hostname if story.link else None
    return _words(story.title), _words(story.summary), host


def _words(text: str) -> str:
    """The visible words; white space between Chinese characters and the form of a sign are typesetting, not text."""
    return _SPACE_BESIDE_HAN.sub("", clean(text)).translate(_FORMS)


def _not_in_future(entry: Entry, now: datetime) -> Entry:
    if entry.published_at is not None and entry.published_at > now:
        return replace(entry, published_at=now)
    return entry
