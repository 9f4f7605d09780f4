"""What outlets publish: feeds, what we know of their hubs and their rhythm, entries and items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit
from zlib import crc32

from monitor.types.witnessed import Raw


class Role(StrEnum):
    """What kind of outlet a feed belongs to."""

    OFFICIAL = "official"
    FACTCHECK = "factcheck"
    MEDIA = "media"
    COMMUNITY = "community"


class Lang(StrEnum):
    """Language and script of a text (BCP 47)."""

    EN = "en"
    HANT = "zh-Hant"
    HANS = "zh-Hans"


Names = Mapping[Lang, str]  # what somebody or something is called


@lru_cache(maxsize=4096)
def host_of(url: str) -> str:
    """The host of an address, with the port if it names one. Kept: it is asked for many times in a pass."""
    return urlsplit(url).netloc


class Part(NamedTuple):
    """One of ``of`` parts of the feeds, numbered from 0. Those of a host are in the same one, on every machine."""

    number: int
    of: int

    def holds(self, host: str) -> bool:
        """Whether the feeds of ``host`` are in this part."""
        return crc32(host.encode()) % self.of == self.number


WHOLE = Part(0, 1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a feed brought at which time of the local day. Older days weigh less; see ``monitor.rhythm``."""

    entries: tuple[float, ...]  # new ones, by half hour of the day
    hours: tuple[float, ...]  # in which it was watched, by half hour of the day
    until: datetime  # when it last brought something; up to here its hours are counted
    listed: int = 0  # entries of the document then
    update_s: int | None = None  # how often it says it changes
    lags: tuple[int, ...] = ()  # of its newest date behind our clock, in seconds, at the last polls


@dataclass(frozen=True, slots=True)
class Feed:
    """A URL we poll, with what is known of its health. Instants are aware, UTC."""

    id: int
    url: str
    outlet: str
    role: Role
    lang: Lang | None
    enabled: bool
    etag: str | None = None
    last_modified: str | None = None
    body_sha256: str | None = None
    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    last_new_at: datetime | None = None
    next_check_at: datetime | None = None
    interval_s: int | None = None  # set by the operator; None: by its rhythm
    failures: int = 0
    strikes: float = 0.0  # failures in a row by their weight, see monitor.failures
    error_kind: str | None = None
    error_detail: str | None = None
    warning: str | None = None
    folder: str | None = None
    moved_to: str | None = None
    moved_since: datetime | None = None
    answer_s: float | None = None  # how long its last good answer took
    rhythm: Rhythm | None = None
    hub: str | None = None  # that its last answer named, see monitor.websub; empty: none; None: nobody looked
    topic: str | None = None  # the address by which that hub knows it
    pushed_at: datetime | None = None  # when the hub last announced news; None without a live subscription
    channel: str | None = None  # by which tips come in, see monitor.tips; None: a URL we poll

    @property
    def host(self) -> str:
        """The host of its address, with the port if it names one."""
        return host_of(self.url)


class Mode(StrEnum):
    """What we want of a hub."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we asked of a hub for one feed, and until when it holds."""

    token: str  # the last part of its callback: who knows it may speak for the hub, if they know the secret too
    feed_id: int
    hub: str
    topic: str
    callback: str
    secret: str = field(repr=False)
    mode: Mode
    next_ask_at: datetime
    asks: int = 0  # requests since the hub last confirmed
    error: str | None = None  # of the last request
    lease_ends_at: datetime | None = None  # None: not confirmed


@dataclass(frozen=True, slots=True)
class Entry:
    """What the parser returned for one entry of a feed: text only, no markup, control characters removed."""

    key: str  # identity within its feed, see parse.entry_key
    guid: str | None
    link: str | None
    title: str
    summary: str
    published_raw: str | None
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed feed.

    ``marks`` stand for all its entries in order (those that say nothing are none), empty where they cannot be told
    apart before they are parsed. Those of ``unread`` were known already: their entries are not among ``entries`` (see
    parse.complete).
    """

    title: str
    version: str  # feedparser's word, e.g. "rss20"; or json1, json1.1
    entries: tuple[Entry, ...]
    warning: str | None = None  # set when the document was malformed but readable
    broken_off: bool = False  # it has no end
    update_s: int | None = None  # how often it says it changes (RSS ttl, sy:updatePeriod), in seconds
    marks: tuple[bytes, ...] = ()
    unread: frozenset[bytes] = frozenset()
    links: tuple[tuple[str, str], ...] = ()  # (rel, href) of its own links that concern WebSub: hub, self
    raw: Raw | None = field(default=None, compare=False)  # the bytes of ``entries``, as they were served

    @property
    def size(self) -> int:
        """How many entries it has, read or not."""
        return len(self.marks) if self.unread else len(self.entries)


@dataclass(frozen=True, slots=True)
class Item:
    """A stored, normalised entry. ``revision`` counts from 0; earlier texts are in the revisions table."""

    id: int
    feed_id: int
    key: str
    guid: str | None
    link: str | None
    title: str
    summary: str
    lang: Lang
    published_at: datetime | None
    first_seen_at: datetime
    edited_at: datetime | None
    revision: int
    outlet: str
    role: Role
    tip: str | None = None  # the channel by which it came in by hand

    @property
    def text(self) -> str:
        """Title and summary as one text."""
        return join_text(self.title, self.summary)


def join_text(title: str, summary: str) -> str:
    """Title and summary as one text; a summary that only repeats the title is left out."""
    if not summary or summary == title:
        return title
    return f"{title}\n{summary}" if title else summary
