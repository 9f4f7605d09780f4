"""What is new, what was edited, and when to look again. Pure: takes rows and ``now``, returns what should be done."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.errors import FeedError
from monitor.links import link_key
from monitor.text import HAN, clean
from monitor.types import Entry, Feed, Item

BACKOFF_CAP_S = 2 * 3600  # a feed that is back should be seen within hours, even after a week of failures
RETRY_AFTER_CAP_S = 24 * 3600
JITTER = 0.1  # feeds added together drift apart by up to this part of their interval

_SPACE_BESIDE_HAN = re.compile(rf"(?<={HAN.pattern}) | (?={HAN.pattern})")


@dataclass(frozen=True, slots=True)
class Changes:
    """What one document changes in the store. ``new`` keeps the order of the document."""

    new: tuple[Entry, ...]
    edited: tuple[tuple[Item, Entry], ...]  # what is stored, and what replaces its text
    moved: tuple[tuple[Item, Entry], ...]  # the same item under another guid; may be edited as well
    same: int


def decide(stored: Mapping[str, Item], entries: Iterable[Entry], now: datetime) -> Changes:
    """Compare a document with the items of its feed, ``stored`` by key.

    An edit is a change of the words a reader sees in title or summary; another date, other markup or other white
    space is none. An entry whose guid changed while link and title stayed is the same item. An entry that appears
    twice counts once. A publication date in the future becomes ``now``.
    """
    unique: dict[str, Entry] = {}
    for entry in entries:
        unique.setdefault(entry.key, entry)
    # Only items that left the document can have come back under another guid.
    gone = {_story(item): item for key, item in stored.items() if key not in unique and _story(item)}
    new, edited, moved = [], [], []
    for entry in unique.values():
        item = stored.get(entry.key)
        if item is None and (item := gone.pop(_story(entry), None)) is not None:
            moved.append((item, entry))
        if item is None:
            new.append(_not_in_future(entry, now))
        elif _words(item.title) != _words(entry.title) or _words(item.summary) != _words(entry.summary):
            edited.append((item, entry))
    return Changes(tuple(new), tuple(edited), tuple(moved), same=len(unique) - len(new) - len(edited))


def next_check(feed: Feed, now: datetime, error: FeedError | None = None) -> datetime:
    """When to fetch ``feed`` again after an attempt at ``now`` that ended with ``error``, or well.

    The interval; after failures it doubles each time up to BACKOFF_CAP_S, and is never shorter than the server
    asked for (Retry-After, up to a day). A jitter that depends only on the feed keeps feeds from moving in step.
    """
    delay = float(feed.interval_s)
    if error is not None:
        cap = max(delay, BACKOFF_CAP_S)
        delay = min(delay * 2 ** min(feed.failures + 1, 20), cap)
    delay *= 1 - JITTER * _fraction(feed.id)
    if error is not None and error.retry_after_s is not None:
        delay = max(delay, min(error.retry_after_s, RETRY_AFTER_CAP_S))
    return now + timedelta(seconds=delay)


def _story(entry: Entry | Item) -> tuple[str, str] | None:
    link, title = link_key(entry.link), _words(entry.title)
    return (link, title) if link and title else None


def _words(text: str) -> str:
    """The visible words; white space between Chinese characters is typesetting, not text."""
    return _SPACE_BESIDE_HAN.sub("", clean(text))


def _not_in_future(entry: Entry, now: datetime) -> Entry:
    if entry.published_at is not None and entry.published_at > now:
        return replace(entry, published_at=now)
    return entry


def _fraction(feed_id: int) -> float:
    digest = hashlib.sha256(str(feed_id).encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32
