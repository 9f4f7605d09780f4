"""Stage 1, collect: ask the feeds that are due, keep what is new and what was edited.

due feeds -> lease of their host -> fetch -> same bytes as last time? -> parse what is new (worker process) -> decide
-> store

Fetching is concurrent; one writer stores all of a feed at once, and many feeds in one transaction. A feed that fails
is data: its error is recorded with it and the pass goes on. Passes may overlap, in one process or several: each works
on the hosts whose lease it holds (see ``leases``), so none waits for a slow feed of another.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from monitor.changes import Changes
from monitor.config import Settings
from monitor.errors import FeedError, FeedErrorKind
from monitor.failures import REFUSALS, Consequence, concerned, consequence, outlet_domain
from monitor.fetch import Fetched, Fetcher
from monitor.keep import keep, keep_well
from monitor.leases import LeaseLostError, Leases
from monitor.moves import settle
from monitor.parsing import ParsePool
from monitor.rhythm import Bounds, bounds_at, next_check, observe
from monitor.store import Connection, Store, feeds, marks
from monitor.store.feeds import Due
from monitor.types import WHOLE, Document, Feed, Part, StageReport
from monitor.websub import discover
from monitor.writing import Writer

log = logging.getLogger(__name__)

MAX_UNSTORED = 64
HOSTS = 8  # held at the same time, for each feed that may be fetched at the same time
_UNREACHED = (FeedErrorKind.DNS, FeedErrorKind.CONNECT, FeedErrorKind.TIMEOUT)

Progress = Callable[[str], None]
_State = tuple[Feed, bytes]  # with its packed marks
_Answer = tuple[Feed, Fetched, Document, dict[str, Any]]  # with columns of the feed that it changes

_COUNTS = ("fetched", "not_modified", "unchanged", "failed", "items_new", "items_edited", "items_seen", "bytes")
_NOT_ASKED = ("postponed", "elsewhere")
_LISTED = frozenset(_COUNTS[:4] + _NOT_ASKED)


def collect(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    every: bool = False,
    part: Part = WHOLE,
    progress: Progress = log.debug,
) -> StageReport:
    """One pass over the due feeds (``every``: all) of one ``part``. ``progress`` is given one line for every feed.

    Counts: ``feeds`` = ``fetched`` (a new body was read) + ``not_modified`` (304) + ``unchanged`` (the same bytes) +
    ``failed`` + ``postponed`` (their host refused another feed) + ``elsewhere`` (another pass works on their host, or
    has asked them since this one began); ``items_new``, ``items_edited``, ``items_seen`` (entries of the bodies read),
    ``bytes`` (after decompression), ``seconds``. Run twice, at once or after a kill, it stores nothing twice or older.
    """
    begun = time.monotonic()
    with store.read() as connection:
        due = [each for each in feeds.due(connection, None if every else now) if part.holds(each.host)]
    run = asyncio.run(_collect(store, settings, now, begun, due, every, progress))
    counts = {name: run.counts[name] for name in _COUNTS + _NOT_ASKED}
    seconds = round(time.monotonic() - begun, 3)
    listed = sum(run.counts[name] for name in _LISTED)
    return StageReport("collect", {"feeds": listed, **counts, "seconds": seconds}, tuple(sorted(run.problems)))


async def _collect(
    store: Store, settings: Settings, now: datetime, begun: float, due: list[Due], every: bool, progress: Progress
) -> _Pass:
    parser = ParsePool(settings.fetch.parse_timeout_s, settings.fetch.parse_memory_mb)
    gap, bounds = timedelta(seconds=settings.fetch.host_gap_s), bounds_at(settings, now)
    fetcher, writer = Fetcher(settings.fetch), Writer(store)
    async with parser, fetcher, writer, Leases(writer, now, begun, gap) as leases:
        run = _Pass(settings, now, bounds, every, fetcher, parser, writer, leases, progress, len(due))
        try:
            await run.work(due)
        except ExceptionGroup as group:  # of one: hosts could not be taken; a visit raises nothing
            raise group.exceptions[0] from group
    return run


@dataclass(slots=True)
class _Pass:
    settings: Settings
    now: datetime
    bounds: Bounds  # of every feed's interval, in this pass
    every: bool
    fetcher: Fetcher
    parser: ParsePool
    writer: Writer
    leases: Leases
    progress: Progress
    total: int
    done: int = 0
    held: int = 0  # hosts
    given_back: asyncio.Event = field(default_factory=asyncio.Event)  # one of them was
    lost: set[str] = field(default_factory=set)  # hosts that another pass took: their other feeds are not asked
    alone: set[str] = field(default_factory=set)  # hosts of which one feed is asked
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

    async def work(self, due: list[Due]) -> None:
        """Take hosts that are free, a bundle at a time, and call on each; more once some were given back."""
        hosts: dict[str, list[Due]] = {}
        for each in due:
            hosts.setdefault(each.host, []).append(each)
        names, at_once = iter(hosts), self.settings.fetch.concurrency
        async with asyncio.TaskGroup() as tasks:
            while bundle := {name: hosts[name] for name in islice(names, HOSTS * at_once - self.held)}:
                free, found = await self.writer.run(partial(self.take, bundle=bundle))
                self.held += len(free)
                for name, listed in bundle.items():
                    if name in free:
                        tasks.create_task(self.call_on(name, free[name], listed, found))
                    else:
                        for each in listed:
                            self.say(each.outlet, self.leave())
                while self.held > (HOSTS - 1) * at_once:
                    self.given_back.clear()
                    await self.given_back.wait()

    def take(
        self, connection: Connection, bundle: dict[str, list[Due]]
    ) -> tuple[dict[str, datetime | None], dict[int, _State]]:
        """Which hosts were free, and from when on each may be asked; their feeds as they stand in that instant."""
        free = self.leases.take(connection, list(bundle))
        ids = [each.id for name in free for each in bundle[name]]
        known = marks.packed(connection, ids)
        return free, {feed.id: (feed, known.get(feed.id, b"")) for feed in feeds.by_id(connection, ids)}

    async def call_on(self, name: str, free_at: datetime | None, listed: list[Due], found: dict[int, _State]) -> None:
        """Everything about one host that the pass holds. Never raises."""
        gap_s = self.fetcher.gap_s(name)
        wanted = [found[each.id] for each in listed if self.wants(each, found.get(each.id))]
        if wanted:
            await self.leases.rest(free_at, gap_s)
            if len(wanted) == 1:
                self.alone.add(name)
            first, *others = (self.visit(feed, known) for feed, known in wanted)
            await (asyncio.gather(first, *others) if others else first)  # most hosts have one feed: no task for it
        await self.leases.give_back(name, gap_s)
        self.held -= 1
        self.given_back.set()

    def wants(self, due: Due, found: _State | None) -> bool:
        """Whether a listed feed is still to be asked, as it stands now; otherwise why not is said."""
        feed = found[0] if found else None
        if feed is None or not feed.enabled:
            self.total -= 1  # switched off since it was listed
        elif (feed.host, feed.last_attempt_at) != (due.host, due.last_attempt_at):
            self.say(due.outlet, self.leave())
        elif not self.every and feed.next_check_at is not None and feed.next_check_at > self.now:
            self.say(due.outlet, self.wait())
        else:
            return True
        return False

    async def visit(self, feed: Feed, known: bytes) -> None:
        """Everything about one feed. Never raises: whatever goes wrong is recorded with the feed."""
        try:
            outcome = await self.ask(feed, known)
        except LeaseLostError:
            self.lost.add(feed.host)
            outcome = self.leave()
        self.say(feed.outlet, outcome)

    async def ask(self, feed: Feed, known: bytes) -> str:
        """Returns what happened in a few words, be it an error. Raises LeaseLostError."""
        try:
            return await self.update(feed, known)
        except LeaseLostError:
            raise
        except FeedError as error:
            return await self.fail(feed, error)
        except Exception as error:
            log.exception("feed %s (%s)", feed.id, feed.url)
            detail = f"{type(error).__name__}: {error}"
            return await self.fail(feed, FeedError(feed.url, FeedErrorKind.INTERNAL, detail))

    def say(self, outlet: str, outcome: str) -> None:
        """One more feed is done."""
        self.done += 1
        self.progress(f"{self.done}/{self.total} {outlet}: {outcome}")

    def wait(self) -> str:
        """Leave a feed alone whose host has just refused another; its next check stands in the store already."""
        self.counts["postponed"] += 1
        return "postponed, its host refused another feed"

    def leave(self) -> str:
        """Leave a feed to the pass that has its host, or had it since this one began."""
        self.counts["elsewhere"] += 1
        return "left to another pass, which works on its host or has just asked it"

    async def update(self, feed: Feed, known: bytes) -> str:
        """Fetch, parse all but the ``known`` entries, store; returns what happened in a few words.

        Raises FeedError and LeaseLostError.
        """
        async with self.fetcher.turn(feed.url):
            if feed.id in self.waiting:
                return self.wait()
            if feed.host in self.lost:
                raise LeaseLostError
            try:
                fetched = await self.fetch(feed)
                self.counts["bytes"] += len(fetched.body)
                state = {"etag": fetched.etag, "last_modified": fetched.last_modified}
                if not fetched.not_modified:
                    state["body_sha256"] = hashlib.sha256(fetched.body).hexdigest()
                if state.get("body_sha256", feed.body_sha256) != feed.body_sha256:
                    document = await self.read(fetched, known)
                    await self.unstored.acquire()
                else:
                    state |= await self.hub(feed, fetched, known)
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
        changes = await self.leases.write_together(feed.host, self.keep, (feed, fetched, document, state))
        if changes is None:
            document = await self.read(fetched)
            changes = await self.leases.write_together(feed.host, self.keep, (feed, fetched, document, state))
        if changes is None:
            raise RuntimeError("of a document that was read whole nothing can be missing")
        new, edited, seen = len(changes.new), len(changes.edited), document.size
        self.counts.update(fetched=1, items_new=new, items_edited=edited, items_seen=seen)
        outcome = f"{new} new, {edited} edited of {seen}"
        if document.warning:
            self.problems.append(f"{feed.outlet} ({feed.url}): {document.warning}")
            outcome += f"; {document.warning}"
        return outcome

    async def hub(self, feed: Feed, fetched: Fetched, known: bytes) -> dict[str, str | None]:
        """Hub and topic as an answer without a new document names them; none where it changes nothing.

        Where its headers are silent the last document's word stands. That is read here, once, if it came before we
        looked for hubs.
        """
        unread = feed.hub is None and not fetched.not_modified
        if not unread and fetched.link is None:
            return {}
        links: Iterable[tuple[str, str]] = [("hub", feed.hub or ""), ("self", feed.topic or "")]
        if unread:
            with contextlib.suppress(FeedError):  # it is no error of the feed: its items were read when it came
                links = (await self.read(fetched, known)).links
        hub, topic = discover(fetched.link, links, fetched.final_url)
        if hub is None:
            return {"hub": "", "topic": None} if unread else {}
        return {"hub": hub, "topic": topic}

    async def fetch(self, feed: Feed) -> Fetched:
        """Ask the host, unless it has been silent in this pass: its other feeds would only wait as long in vain.

        A host that answered before is not silent when one of its feeds is slow.
        """
        host = feed.host
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

    def keep(self, connection: Connection, answers: list[_Answer]) -> list[Changes | None]:
        """Write the items and the state of feeds; nothing, and None, for a document that is to be read whole."""
        documents = [(feed.id, document) for feed, _, document, _ in answers]
        told = answers if self.settings.evidence.enabled else []
        served = {feed.id: fetched.answer(feed.url, state["body_sha256"]) for feed, fetched, _, state in told}
        found = keep(connection, documents, self.now, served)
        rows = [self.kept(*answer, changes) for answer, changes in zip(answers, found, strict=True) if changes]
        feeds.record_successes(connection, rows)
        return found

    def kept(
        self, feed: Feed, fetched: Fetched, document: Document, state: dict[str, Any], changes: Changes
    ) -> dict[str, Any]:
        """A feed of which ``changes`` were written, as a row for the store."""
        if changes.new:
            state = {**state, "last_new_at": self.now}
        rhythm = observe(feed, document, changes.new, self.now, self.zone)
        hub, topic = discover(fetched.link, document.links, fetched.final_url)
        state = {**state, "warning": document.warning, "hub": hub or "", "topic": topic}
        if rhythm is not feed.rhythm:
            state["rhythm"] = rhythm
        feed = replace(feed, rhythm=rhythm, last_new_at=state.get("last_new_at", feed.last_new_at))
        return self.success(feed, fetched, state)

    async def succeed(self, feed: Feed, fetched: Fetched, outcome: str, state: dict[str, Any]) -> str:
        """Nothing to store but that the feed is well. ``outcome`` is the name of a count."""
        moves = feed.moved_to is not None or fetched.moved_to is not None
        leave_s = self.fetcher.gap_s(feed.host) if feed.host in self.alone and not moves else None
        await self.leases.write_together(feed.host, keep_well, self.success(feed, fetched, state), leave_s=leave_s)
        self.counts[outcome] += 1
        return outcome.replace("_", " ")

    def success(self, feed: Feed, fetched: Fetched, state: dict[str, Any]) -> dict[str, Any]:
        due = next_check(feed, self.bounds, self.now, self.zone, fresh_s=fetched.fresh_s)
        return feeds.success(feed.id, self.now, due, answer_s=round(fetched.seconds, 3), **state)

    async def follow(self, feed: Feed, fetched: Fetched) -> str:
        """Remember that the address has moved for good, and take the new one once it is believed; in words."""
        seen = feeds.canonical(fetched.moved_to) if fetched.moved_to else None
        move = settle(feed, seen, self.now)
        if not move.adopt and (move.target, move.since) == (feed.moved_to, feed.moved_since):
            return ""
        try:
            other = await self.leases.write(feed.host, lambda c: feeds.record_move(c, feed.id, move))
        except LeaseLostError:
            return ""  # what it found is stored; who has the host now will see the move as well
        if other is not None:
            words = f"moved to {move.target}, which is feed {other.id} already: disable one of the two"
            self.problems.append(f"{feed.outlet} ({feed.url}): {words}")
        elif move.target is None:
            words = "no longer moved"
        else:
            words = f"moved to {move.target}" + (", its address from now on" if move.adopt else "")
        return f"; {words}"

    async def fail(self, feed: Feed, error: FeedError) -> str:
        """Record an error with its feed; a store that refuses even that is logged, and the other feeds go on.

        Raises LeaseLostError: then it is no error of the feed.
        """
        phase = self.settings.calendar.phase(self.now)
        then = consequence(feed, error, phase)
        outcome = f"{error.kind}: {error.detail}" + (f"; {then.words}" if then.words else "")
        due = next_check(feed, self.bounds, self.now, self.zone, error=error)
        try:
            others = await self.leases.write(feed.host, lambda c: self.keep_failure(c, feed, error, due, then))
            self.waiting.update(others)
        except LeaseLostError:
            raise
        except Exception:
            log.exception("the error of feed %s could not be recorded", feed.id)
        self.counts["failed"] += 1
        self.problems.append(f"{feed.outlet} ({feed.url}): {outcome}")
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
