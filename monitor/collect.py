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
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from monitor import robots
from monitor.changes import Changes, decide, word_for_word
from monitor.config import Settings
from monitor.errors import FeedError, FeedErrorKind
from monitor.failures import REFUSALS, Consequence, concerned, consequence, outlet_domain
from monitor.fetch import Fetched, Fetcher
from monitor.moves import settle
from monitor.parse import complete, entry_key, find_feeds
from monitor.parsing import ParsePool
from monitor.rhythm import Bounds, bounds_at, next_check, observe
from monitor.store import Connection, Store, feeds, items, marks
from monitor.types import Document, Entry, Feed, Item, StageReport
from monitor.websub import discover
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
    """What one look at an address found. Either ``document`` or ``error`` is set; ``feeds`` are other addresses.

    The kind of the error is ``blocked`` for an address that we may not fetch, ``robots`` for one that we should not.
    """

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
    as last time) + ``failed`` + ``postponed`` (their host refused another feed in this pass); ``items_new``,
    ``items_edited``, ``items_seen`` (entries of the bodies read), ``bytes`` (after decompression), ``seconds``.
    Running it twice, or again after a kill, stores nothing twice.

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
    postponed = {"postponed": run.counts["postponed"]}
    return StageReport(
        "collect", {"feeds": len(todo), **counts, "seconds": seconds, **postponed}, tuple(sorted(run.problems))
    )


async def _collect(
    store: Store, settings: Settings, now: datetime, todo: list[Feed], known: dict[int, bytes], progress: Progress
) -> _Pass:
    async with _parsers(settings) as parser, Fetcher(settings.fetch) as fetcher, Writer(store) as writer:
        run = _Pass(settings, now, bounds_at(settings, now), fetcher, parser, writer, progress, known, len(todo))
        async with asyncio.TaskGroup() as tasks:
            for feed in todo:
                tasks.create_task(run.visit(feed))
    return run


def _parsers(settings: Settings) -> ParsePool:
    return ParsePool(settings.fetch.parse_timeout_s, settings.fetch.parse_memory_mb)


async def check(settings: Settings, url: str, *, despite_robots: bool = False) -> Check:
    """Fetch ``url`` once, say what it holds, store nothing. A web page is searched for the feeds it names.

    An address that the host's robots.txt keeps from us is not fetched, unless ``despite_robots``.
    """
    fetched = None
    async with _parsers(settings) as parser, Fetcher(settings.fetch) as fetcher:
        try:
            if not (despite_robots or await _may_fetch(fetcher, url)):
                detail = f"{robots.address(url)} asks us not to fetch this address"
                return Check(url, None, None, FeedError(url, FeedErrorKind.ROBOTS, detail))
            fetched = await fetcher.get(url)
            zone = ZoneInfo(settings.election.timezone)
            document = await parser.parse(fetched.body, fetched.final_url, fetched.content_type, zone)
            return Check(url, fetched, document, None)
        except FeedError as error:
            found: tuple[str, ...] = ()
            if fetched is not None and error.kind is FeedErrorKind.HTML:
                found = find_feeds(fetched.body, fetched.final_url, fetched.content_type)
            return Check(url, fetched, None, error, found)


async def _may_fetch(fetcher: Fetcher, url: str) -> bool:
    """What robots.txt says; a missing or unreachable one says nothing, and the feed itself will tell of the trouble."""
    try:
        answer = await fetcher.get(robots.address(url))
    except FeedError:
        return True
    return robots.allows(answer.body, url)


@dataclass(slots=True)
class _Pass:
    settings: Settings
    now: datetime
    bounds: Bounds  # of every feed's interval, in this pass
    fetcher: Fetcher
    parser: ParsePool
    writer: Writer
    progress: Progress
    known: dict[int, bytes]  # packed marks, by feed
    total: int
    done: int = 0
    answered: set[str] = field(default_factory=set)  # hosts
    silent: dict[str, FeedErrorKind] = field(default_factory=dict)  # hosts, and how they failed
    waiting: set[int] = field(default_factory=set)  # feeds whose host refused another one
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    # Documents that wait to be stored; who has one lets the next feed have his place at the network.
    unstored: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_UNSTORED))

    @property
    def zone(self) -> ZoneInfo:
        """Of dates that name none, and of the hours of a feed's day."""
        return ZoneInfo(self.settings.election.timezone)

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

    def wait(self) -> str:
        """Leave a feed alone whose host has just refused another; its next check stands in the store already."""
        self.counts["postponed"] += 1
        return "postponed, its host refused another feed in this pass"

    async def update(self, feed: Feed) -> str:
        """Fetch, parse, store; returns what happened in a few words. Raises FeedError."""
        async with self.fetcher.turn(feed.url):
            if feed.id in self.waiting:
                return self.wait()
            try:
                fetched = await self.fetch(feed)
                self.counts["bytes"] += len(fetched.body)
                state = {"etag": fetched.etag, "last_modified": fetched.last_modified}
                if not fetched.not_modified:
                    state["body_sha256"] = hashlib.sha256(fetched.body).hexdigest()
                    if state["body_sha256"] != feed.body_sha256:
                        document = await self.read(fetched, self.known.get(feed.id, b""))
                        await self.unstored.acquire()
            except FeedError as error:
                return await self.fail(feed, error)  # before the next feed of this host has its turn
        if fetched.not_modified:
            state = {name: value for name, value in state.items() if value}
            outcome = await self.succeed(feed, fetched, "not_modified", state)
        elif state["body_sha256"] == feed.body_sha256:
            outcome = await self.succeed(feed, fetched, "unchanged", state)
        else:
            try:
                outcome = await self.store(feed, fetched, document, state)
            finally:
                self.unstored.release()
        return outcome + await self.follow(feed, fetched)

    async def read(self, fetched: Fetched, known: bytes = b"") -> Document:
        """Parse a body, but for the entries that are ``known`` (packed marks)."""
        return await self.parser.parse(
            fetched.body, fetched.final_url, fetched.content_type, self.zone, frozenset(marks.unpack(known))
        )

    async def store(self, feed: Feed, fetched: Fetched, document: Document, state: dict[str, Any]) -> str:
        """Keep what a document says; returns what it was in a few words."""
        try:
            changes = await self.writer.run(lambda c: self.keep(c, feed, fetched, document, state))
        except ForgottenError:
            whole = await self.read(fetched)
            changes = await self.writer.run(lambda c: self.keep(c, feed, fetched, whole, state))
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

    def keep(
        self, connection: Connection, feed: Feed, fetched: Fetched, document: Document, state: dict[str, Any]
    ) -> Changes:
        """The one transaction of a feed: its items and its state."""
        changes = keep(connection, feed.id, document, self.now)
        if changes.new:
            state = {**state, "last_new_at": self.now}
        rhythm = observe(feed, document, changes.new, self.now, self.zone)
        hub, topic = discover(fetched.link, document.links, fetched.final_url)
        state = {**state, "warning": document.warning, "hub": hub, "topic": topic}
        if rhythm is not feed.rhythm:
            state["rhythm"] = rhythm
        feed = replace(feed, rhythm=rhythm, last_new_at=state.get("last_new_at", feed.last_new_at))
        self.record_success(connection, feed, fetched, state)
        return changes

    async def succeed(self, feed: Feed, fetched: Fetched, outcome: str, state: dict[str, Any]) -> str:
        """Nothing to store but that the feed is well. ``outcome`` is the name of a count."""
        await self.writer.run(lambda c: self.record_success(c, feed, fetched, state))
        self.counts[outcome] += 1
        return outcome.replace("_", " ")

    def record_success(self, connection: Connection, feed: Feed, fetched: Fetched, state: dict[str, Any]) -> None:
        due = next_check(feed, self.bounds, self.now, self.zone, fresh_s=fetched.fresh_s)
        feeds.record_success(connection, feed.id, self.now, due, answer_s=round(fetched.seconds, 3), **state)

    async def follow(self, feed: Feed, fetched: Fetched) -> str:
        """Remember that the address has moved for good, and take the new one once it is believed; in words."""
        seen = feeds.canonical(fetched.moved_to) if fetched.moved_to else None
        move = settle(feed, seen, self.now)
        if not move.adopt and (move.target, move.since) == (feed.moved_to, feed.moved_since):
            return ""
        other = await self.writer.run(lambda c: feeds.record_move(c, feed.id, move))
        if other is not None:
            words = f"moved to {move.target}, which is feed {other.id} already: disable one of the two"
            self.problems.append(f"{feed.outlet} ({feed.url}): {words}")
        elif move.target is None:
            words = "no longer moved"
        else:
            words = f"moved to {move.target}" + (", its address from now on" if move.adopt else "")
        return f"; {words}"

    async def fail(self, feed: Feed, error: FeedError) -> str:
        """Record an error with its feed; a store that refuses even that is logged, and the other feeds go on."""
        self.counts["failed"] += 1
        phase = self.settings.calendar.phase(self.now)
        then = consequence(feed, error, phase)
        outcome = f"{error.kind}: {error.detail}" + (f"; {then.words}" if then.words else "")
        self.problems.append(f"{feed.outlet} ({feed.url}): {outcome}")
        due = next_check(feed, self.bounds, self.now, self.zone, error=error)
        try:
            self.waiting.update(await self.writer.run(lambda c: self.keep_failure(c, feed, error, due, then)))
        except Exception:
            log.exception("the error of feed %s could not be recorded", feed.id)
        return outcome

    def keep_failure(
        self, connection: Connection, feed: Feed, error: FeedError, due: datetime, then: Consequence
    ) -> list[int]:
        """The one transaction of a failure: the feed's own state, and the others that are to wait with it."""
        feeds.record_failure(connection, feed.id, self.now, due, error, strikes=then.strikes, disable=then.disable)
        if error.status not in REFUSALS:
            return []
        others = concerned(feed, error, feeds.mentioning(connection, outlet_domain(feed)))
        feeds.postpone(connection, others, due)
        return others


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
