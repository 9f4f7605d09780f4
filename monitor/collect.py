"""Stage 1, collect: ask the feeds that are due, keep what is new and what was edited.

due feeds -> fetch -> same bytes as last time? -> parse what is new (worker process) -> decide -> store

Fetching is concurrent; one writer stores all of a feed at once, and many feeds in one transaction. A feed that fails
is data: its error is recorded with it and the pass goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from monitor.changes import Changes, decide, next_check, word_for_word
from monitor.config import Settings
from monitor.errors import FeedError, FeedErrorKind
from monitor.fetch import Fetched, Fetcher
from monitor.parse import complete, entry_key, find_feeds
from monitor.parsing import ParsePool
from monitor.store import Connection, Store, feeds, items, marks
from monitor.types import Document, Entry, Feed, Item, StageReport
from monitor.writing import Writer

log = logging.getLogger(__name__)

WAIT_S = 60.0  # for the pass of another process; most take a fraction of it
MAX_UNSTORED = 64
BUSY = "another pass over the feeds of this store is running; try again when it is done"

_UNREACHED = (FeedErrorKind.DNS, FeedErrorKind.CONNECT, FeedErrorKind.TIMEOUT)

Progress = Callable[[str], None]

_COUNTS = ("fetched", "not_modified", "unchanged", "failed", "items_new", "items_edited", "items_seen", "bytes")


@dataclass(frozen=True, slots=True)
class Check:
    """What one look at an address found. Either ``document`` or ``error`` is set; ``feeds`` are other addresses."""

    url: str
    fetched: Fetched | None
    document: Document | None
    error: FeedError | None
    feeds: tuple[str, ...] = ()


def collect(
    store: Store, settings: Settings, now: datetime, *, every: bool = False, progress: Progress | None = None
) -> StageReport:
    """One pass over the due feeds (``every``: all that are enabled). ``progress`` is given one line for every feed.

    Counts: ``feeds`` = ``fetched`` (a new body was read) + ``not_modified`` (304) + ``unchanged`` (the same bytes
    as last time) + ``failed``; ``items_new``, ``items_edited``, ``items_seen`` (entries of the bodies read),
    ``bytes`` (after decompression), ``seconds``. Running it twice, or again after a kill, stores nothing twice.

    Two passes at once could put an older text over a newer one: raises BusyError when another runs for longer than
    WAIT_S from now.
    """
    with store.lock("collect", wait_s=WAIT_S, busy=BUSY):
        begun = time.monotonic()
        with store.read() as connection:
            todo = feeds.listing(connection, enabled=True) if every else feeds.due(connection, now)
            known = marks.packed(connection, [feed.id for feed in todo])
        run = asyncio.run(_collect(store, settings, now, todo, known, progress or log.debug))
    counts = {name: run.counts[name] for name in _COUNTS}
    seconds = round(time.monotonic() - begun, 3)
    return StageReport("collect", {"feeds": len(todo), **counts, "seconds": seconds}, tuple(sorted(run.problems)))


async def _collect(
    store: Store, settings: Settings, now: datetime, todo: list[Feed], known: dict[int, bytes], progress: Progress
) -> _Pass:
    with _parsers(settings) as parser:
        async with Fetcher(settings.fetch) as fetcher, Writer(store) as writer:
            run = _Pass(settings, now, fetcher, parser, writer, progress, known, total=len(todo))
            async with asyncio.TaskGroup() as tasks:
                for feed in todo:
                    tasks.create_task(run.visit(feed))
    return run


def _parsers(settings: Settings) -> ParsePool:
    return ParsePool(settings.fetch.parse_timeout_s, settings.fetch.parse_memory_mb)


async def check(settings: Settings, url: str) -> Check:
    """Fetch ``url`` once, say what it holds, store nothing. A web page is searched for the feeds it names."""
    fetched = None
    with _parsers(settings) as parser:
        async with Fetcher(settings.fetch) as fetcher:
            try:
                fetched = await fetcher.get(url)
                zone = ZoneInfo(settings.election.timezone)
                document = await parser.parse(fetched.body, fetched.final_url, fetched.content_type, zone)
                return Check(url, fetched, document, None)
            except FeedError as error:
                found: tuple[str, ...] = ()
                if fetched is not None and error.kind is FeedErrorKind.HTML:
                    found = find_feeds(fetched.body, fetched.final_url, fetched.content_type)
                return Check(url, fetched, None, error, found)


@dataclass(slots=True)
class _Pass:
    settings: Settings
    now: datetime
    fetcher: Fetcher
    parser: ParsePool
    writer: Writer
    progress: Progress
    known: dict[int, bytes]  # packed marks, by feed
    total: int
    done: int = 0
    answered: set[str] = field(default_factory=set)  # hosts
    silent: dict[str, FeedErrorKind] = field(default_factory=dict)  # hosts, and how they failed
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    # Documents that wait to be stored; who has one lets the next feed have his place at the network.
    unstored: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_UNSTORED))

    async def visit(self, feed: Feed) -> None:
        """Everything about one feed. Never raises: whatever goes wrong is recorded with the feed."""
        try:
            outcome = await self.update(feed)
        except FeedError as error:
            outcome = await self.fail(feed, error)
        except Exception as error:
            log.exception("feed %s (%s)", feed.id, feed.url)
            detail = f"{type(error).__name__}: {error}"
            outcome = await self.fail(feed, FeedError(feed.url, FeedErrorKind.INTERNAL, detail))
        self.done += 1
        self.progress(f"{self.done}/{self.total} {feed.outlet}: {outcome}")

    async def update(self, feed: Feed) -> str:
        """Fetch, parse, store; returns what happened in a few words. Raises FeedError."""
        async with self.fetcher.turn(feed.url):
            fetched = await self.fetch(feed)
            self.counts["bytes"] += len(fetched.body)
            state = {"etag": fetched.etag, "last_modified": fetched.last_modified}
            if not fetched.not_modified:
                state["body_sha256"] = hashlib.sha256(fetched.body).hexdigest()
                if state["body_sha256"] != feed.body_sha256:
                    document = await self.read(fetched, self.known.get(feed.id, b""))
                    await self.unstored.acquire()
        if fetched.not_modified:
            return await self.succeed(feed, "not_modified", {name: value for name, value in state.items() if value})
        if state["body_sha256"] == feed.body_sha256:
            return await self.succeed(feed, "unchanged", state)
        try:
            return await self.store(feed, fetched, document, state)
        finally:
            self.unstored.release()

    async def read(self, fetched: Fetched, known: bytes = b"") -> Document:
        """Parse a body, but for the entries that are ``known`` (packed marks)."""
        zone = ZoneInfo(self.settings.election.timezone)
        return await self.parser.parse(
            fetched.body, fetched.final_url, fetched.content_type, zone, frozenset(marks.unpack(known))
        )

    async def store(self, feed: Feed, fetched: Fetched, document: Document, state: dict[str, Any]) -> str:
        """Keep what a document says; returns what it was in a few words."""
        try:
            changes = await self.writer.run(lambda c: self.keep(c, feed, document, state))
        except ForgottenError:
            whole = await self.read(fetched)
            changes = await self.writer.run(lambda c: self.keep(c, feed, whole, state))
        new, edited, seen = len(changes.new), len(changes.edited), document.size
        self.counts.update(fetched=1, items_new=new, items_edited=edited, items_seen=seen)
        outcome = f"{new} new, {edited} edited of {seen}"
        if document.warning:
            self.problems.append(f"{feed.outlet} ({feed.url}): {document.warning}")
            outcome += f"; {document.warning}"
        return outcome

    async def fetch(self, feed: Feed) -> Fetched:
        """Ask the host, unless it has been silent in this pass: its other feeds would only wait as long in vain.

        A host that answered before is not silent when one of its feeds is slow.
        """
        host = urlsplit(feed.url).netloc
        if host in self.silent and host not in self.answered:
            raise FeedError(feed.url, self.silent[host], "the host did not answer earlier in this pass")
        try:
            fetched = await self.fetcher.get(feed.url, feed.etag, feed.last_modified)
        except FeedError as error:
            if error.kind in _UNREACHED:
                self.silent.setdefault(host, error.kind)
            else:
                self.answered.add(host)
            raise
        self.answered.add(host)
        return fetched

    def keep(self, connection: Connection, feed: Feed, document: Document, state: dict[str, Any]) -> Changes:
        """The one transaction of a feed: its items and its state."""
        changes = keep(connection, feed.id, document, self.now)
        if changes.new:
            state = {**state, "last_new_at": self.now}
        state = {**state, "warning": document.warning}
        feeds.record_success(connection, feed.id, self.now, self.next_check(feed), **state)
        return changes

    async def succeed(self, feed: Feed, outcome: str, state: dict[str, Any]) -> str:
        """Nothing to store but that the feed is well. ``outcome`` is the name of a count."""
        due = self.next_check(feed)
        await self.writer.run(lambda c: feeds.record_success(c, feed.id, self.now, due, **state))
        self.counts[outcome] += 1
        return outcome.replace("_", " ")

    async def fail(self, feed: Feed, error: FeedError) -> str:
        """Record an error with its feed; a store that refuses even that is logged, and the other feeds go on."""
        self.counts["failed"] += 1
        outcome = f"{error.kind}: {error.detail}"
        if error.kind is FeedErrorKind.GONE:
            outcome += f"; disabled, `pollwatch feeds enable {feed.id}` asks it again"
        self.problems.append(f"{feed.outlet} ({feed.url}): {outcome}")
        due = self.next_check(feed, error)
        try:
            await self.writer.run(lambda c: feeds.record_failure(c, feed.id, self.now, due, error))
        except Exception:
            log.exception("the error of feed %s could not be recorded", feed.id)
        return outcome

    def next_check(self, feed: Feed, error: FeedError | None = None) -> datetime:
        return next_check(feed, self.settings.fetch.interval_s, self.now, error)


class ForgottenError(Exception):
    """Entries of a document were left unread, and the store does not hold them any more: read it whole."""


def keep(connection: Connection, feed_id: int, document: Document, now: datetime) -> Changes:
    """Compare a document with what is stored of its feed at this instant; write items, edits and marks.

    Raises ForgottenError.
    """
    apart, held = _unread(connection, feed_id, document)
    entries = complete(document, {mark: _as_entry(item) for mark, item in held.items()})
    known = items.stored(connection, feed_id, entries, {item.id: item for item in held.values()})
    changes = decide(known, entries, now)
    for item, entry in changes.moved:
        items.move(connection, item, entry)
    for item, entry in changes.edited:
        items.edit(connection, item, entry, now)
    added = items.add(connection, feed_id, changes.new, now)
    ids = word_for_word(known, changes, added, entries)
    # Without marks nothing of this document can be left unread next time.
    marked = zip((mark for mark in document.marks if mark not in apart), ids, strict=True) if document.marks else ()
    marks.put(connection, feed_id, {**apart, **{mark: item_id for mark, item_id in marked if item_id is not None}})
    return changes


def _unread(connection: Connection, feed_id: int, document: Document) -> tuple[dict[bytes, int], dict[bytes, Item]]:
    """The items that stand for the unread entries of ``document``, by mark: their ids, or themselves.

    Their ids alone where none of them shares a guid or link with an entry that was read: then they are what they were,
    and change nothing for the others. Else all of them are read back, for the decision to see what it always sees.
    """
    if not document.unread:
        return {}, {}
    stored = marks.unpack(marks.packed(connection, [feed_id]).get(feed_id, b""))
    ids = {mark: stored[mark] for mark in document.unread if mark in stored}
    present, shared = items.sharing(connection, set(ids.values()), document.entries)
    if len(ids) < len(document.unread) or present < len(set(ids.values())):
        raise ForgottenError
    if not shared:
        return ids, {}
    held = items.by_id(connection, set(ids.values()))
    return {}, {mark: held[item_id] for mark, item_id in ids.items()}


def _as_entry(item: Item) -> Entry:
    """The entry that ``item`` holds word for word, but for the date as it was written."""
    key = entry_key(item.guid, item.link, item.title, item.summary)
    return Entry(key, item.guid, item.link, item.title, item.summary, None, item.published_at)
