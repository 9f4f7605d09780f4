"""A pass over feeds, as ``collect`` begins it: calls on hosts, visits to their feeds, and what becomes of each."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from monitor.changes import Changes
from monitor.errors import FeedError, FeedErrorKind
from monitor.failures import REFUSALS
from monitor.fetch import Fetcher
from monitor.fetched import Fetched, Request, behind
from monitor.holding import BusyHostError, Holding, Place
from monitor.leases import LeaseLostError, Leases
from monitor.moves import settle
from monitor.parsing import ParsePool
from monitor.records import Records
from monitor.room import Room
from monitor.silence import Patience
from monitor.store import Connection, feeds, marks
from monitor.store.feeds import Due
from monitor.types import Document, Feed
from monitor.websub import discover

log = logging.getLogger(__name__)

MAX_UNSTORED = 24_000_000  # bytes of documents that wait to be read or stored
LEAST_UNSTORED = 64_000  # that each of them counts for

Progress = Callable[[str], None]
_State = tuple[Feed, bytes]  # with its packed marks
_Call = tuple[Place, list[Due], dict[int, _State]]


@dataclass(frozen=True, slots=True)
class _Visit:
    """A user of the place."""

    place: Place
    feed: Feed
    known: bytes  # packed marks


@dataclass(slots=True)
class Pass:
    """One pass, with what it works with; one use."""

    records: Records
    every: bool
    until: float  # by time.monotonic()
    fetcher: Fetcher
    patience: Patience
    parser: ParsePool
    leases: Leases
    holding: Holding
    tasks: asyncio.TaskGroup
    progress: Progress
    total: int
    done: int = 0
    away: int = 0  # visits whose feed is being asked or read; all others wait for the writer
    calls: asyncio.Queue[_Call | None] = field(default_factory=asyncio.Queue)  # on hosts that are held
    waiting: set[int] = field(default_factory=set)  # feeds whose host refused another one
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    # Of documents that wait to be read or stored: who has one there lets the next feed have his place at the network.
    unstored: Room = field(default_factory=lambda: Room(MAX_UNSTORED))

    async def work(self, due: list[Due]) -> None:
        """Take hosts that are free, a bundle at a time, and call on each; more once some were given back."""
        hosts: dict[str, list[Due]] = {}
        for each in due:
            hosts.setdefault(each.host, []).append(each)
        names, callers = deque(hosts), min(self.records.settings.fetch.concurrency, len(hosts))
        for _ in range(callers):
            self.tasks.create_task(self.call())
        most = callers  # at first: nobody waits for hosts that he cannot call on yet
        while names and not self.is_late():
            room, most = min(self.holding.room, len(names), most), len(names)
            bundle = {name: hosts[name] for name in (names.popleft() for _ in range(room))}
            free, found = await self.holding.take(bundle, partial(self.look, bundle=bundle))
            for name, listed in bundle.items():
                if name in free:
                    self.calls.put_nowait((free[name], listed, found))
                elif name in self.holding:  # a guest has brought it here in this very moment
                    names.append(name)
                else:
                    for each in listed:
                        self.say(each.outlet, self.leave())
            await (self.holding.half_empty() if names else self.holding.empty())
        for _ in range(callers):
            self.calls.put_nowait(None)
        for each in (each for name in names for each in hosts[name]):
            self.say(each.outlet, self.leave())

    def is_late(self) -> bool:
        """Whether the rest is for the next pass."""
        return time.monotonic() > self.until

    def look(self, connection: Connection, names: Collection[str], bundle: dict[str, list[Due]]) -> dict[int, _State]:
        """The feeds of these hosts as they stand."""
        return feeds.as_they_stand(connection, [each.id for name in names for each in bundle[name]])

    async def call(self) -> None:
        """Call on one host after the other: most have one feed, and need no task of their own."""
        while (call := await self.calls.get()) is not None:
            place, listed, found = call
            wanted = [found[each.id] for each in listed if self.wants(each, found.get(each.id))]
            place.users += len(wanted)
            self.holding.leave(place)
            if len(wanted) == 1 and not place.rest_s:
                await self.visit(place, *wanted[0], alone=True)
            else:
                for feed, known in wanted:
                    self.tasks.create_task(self.visit(place, feed, known))

    def wants(self, due: Due, found: _State | None) -> bool:
        """Whether a listed feed is still to be asked, as it stands now; otherwise why not is said."""
        feed = found[0] if found else None
        if feed is None or not feed.enabled:
            self.total -= 1  # switched off since it was listed
        elif (feed.host, feed.last_attempt_at) != (due.host, due.last_attempt_at):
            self.say(due.outlet, self.leave())
        elif not self.every and feed.next_check_at is not None and feed.next_check_at > self.records.now:
            self.say(due.outlet, self.wait())
        else:
            return True
        return False

    async def visit(self, place: Place, feed: Feed, known: bytes, *, alone: bool = False) -> None:
        """Everything about one feed up to what is to be written of it. Never raises."""
        visit = _Visit(place, feed, known)
        self.away += 1
        try:
            await self.update(visit, alone=alone)
        except Exception as error:  # noqa: BLE001 - recorded with the feed
            await self.give_up(visit, error)
        finally:
            self.back()

    def back(self) -> None:
        """A visit is over but for what is to be written of it; after the last one nothing comes to be written with."""
        self.away -= 1
        if not self.away:
            self.holding.hurry()

    def end(self, visit: _Visit, outcome: str) -> None:
        """A visit is over, and what happened is told in a few words."""
        self.holding.leave(visit.place)
        self.say(visit.feed.outlet, outcome)

    def say(self, outlet: str, outcome: str) -> None:
        """One more feed is done."""
        self.done += 1
        self.progress(f"{self.done}/{self.total} {outlet}: {outcome}")

    def wait(self) -> str:
        """Leave a feed alone whose host has just refused another; its next check stands in the store already."""
        self.counts["postponed"] += 1
        return "postponed, its host refused another feed"

    def leave(self) -> str:
        """Leave a feed to the pass that has its host, had it since this one began, or will have it."""
        self.counts["elsewhere"] += 1
        return "left to another pass, which works on its host, has just asked it, or comes next"

    async def give_up(self, visit: _Visit, error: Exception) -> None:
        """End a visit that met an error, which is recorded with the feed. Never raises."""
        feed = visit.feed
        try:
            if isinstance(error, LeaseLostError | BusyHostError):
                visit.place.lost |= isinstance(error, LeaseLostError)
                outcome = self.leave()
            elif isinstance(error, FeedError):
                outcome = await self.fail(feed, behind(error, feed.url))
            else:
                log.error("feed %s (%s)", feed.id, feed.url, exc_info=error)
                detail = f"{type(error).__name__}: {error}"
                outcome = await self.fail(feed, FeedError(feed.url, FeedErrorKind.INTERNAL, detail))
        except LeaseLostError:
            visit.place.lost = True
            outcome = self.leave()
        self.end(visit, outcome)

    def later(self, visit: _Visit, work: Coroutine[Any, Any, None]) -> None:
        """Go on with a visit in a task, and end it should that fail."""

        async def go_on() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - recorded with the feed
                await self.give_up(visit, error)
            finally:
                self.back()

        self.away += 1
        self.tasks.create_task(go_on())

    async def update(self, visit: _Visit, *, alone: bool) -> None:
        """Fetch, and hand in what is to be stored, or have it read first. Raises LeaseLostError, BusyHostError.

        A redirect to another host waits for that host's turn.
        """
        feed, place = visit.feed, visit.place
        request = Request(feed.url, feed.etag, feed.last_modified)
        if place.rest_s:
            await asyncio.sleep(place.rest_s)
        turn = self.fetcher.turns.of(feed.url, alone=alone)
        while True:
            async with turn:
                if place.refusals.locked():
                    async with place.refusals:
                        pass
                if feed.id in self.waiting:
                    return self.end(visit, self.wait())
                if self.is_late():
                    return self.end(visit, self.leave())
                if place.lost:
                    raise LeaseLostError
                try:
                    answer = await self.patience.ask(request)
                    if isinstance(answer, Fetched):
                        return await self.hear(visit, answer)
                except FeedError as error:
                    # Before the next feed of this host is asked, be it in this turn or in one beside it.
                    async with place.refusals if error.status in REFUSALS else contextlib.nullcontext():
                        return await self.give_up(visit, error)
            request, turn = answer, self.holding.guest(answer.url)

    async def hear(self, visit: _Visit, fetched: Fetched) -> None:
        """What an answer is good for. Raises FeedError."""
        feed = visit.feed
        self.counts["bytes"] += len(fetched.body)
        state: dict[str, Any] = {"etag": fetched.etag, "last_modified": fetched.last_modified}
        if fetched.not_modified:
            state = {name: value for name, value in state.items() if value and value != getattr(feed, name)}
            state |= await self.hub(feed, fetched, visit.known)
            return self.succeed(visit, fetched, "not_modified", state)
        state["body_sha256"] = hashlib.sha256(fetched.body).hexdigest()
        if state["body_sha256"] == feed.body_sha256:
            if not (feed.etag or feed.last_modified):  # none were kept: it breaks off, or came without
                state = {"body_sha256": state["body_sha256"]}
            state |= await self.hub(feed, fetched, visit.known)
            return self.succeed(visit, fetched, "unchanged", state)
        await self.unstored.take(_room_of(fetched))
        return self.later(visit, self.digest(visit, fetched, state, visit.known))

    async def digest(self, visit: _Visit, fetched: Fetched, state: dict[str, Any], known: bytes = b"") -> None:
        """Read one of the ``unstored`` documents, but for the entries that are ``known``, and hand it in."""
        try:
            document = await self.read(fetched, known)
        except BaseException:
            self.unstored.give_back(_room_of(fetched))
            raise
        self.store(visit, fetched, document, state)

    async def read(self, fetched: Fetched, known: bytes = b"") -> Document:
        """Parse a body, but for the entries that are ``known`` (packed marks)."""
        return await self.parser.parse(
            fetched.body, fetched.final_url, fetched.content_type, self.records.zone, frozenset(marks.unpack(known))
        )

    def store(self, visit: _Visit, fetched: Fetched, document: Document, state: dict[str, Any]) -> None:
        """Hand in what a document says; once it is kept it is none of the ``unstored`` any more."""

        def stored(changes: Changes | None, error: Exception | None) -> None:
            if error is None and changes is None:  # the store does not hold any more what was left unread
                self.later(visit, self.digest(visit, fetched, state))
                return
            self.unstored.give_back(_room_of(fetched))
            if error is not None:
                self.later(visit, self.give_up(visit, error))
            elif changes is not None:
                self.follow(visit, fetched, self.brought(visit.feed, document, changes))

        answer = (visit.feed, fetched, document, state)
        self.holding.hand_in(visit.place, self.records.keep, answer, stored, last=False)

    def brought(self, feed: Feed, document: Document, changes: Changes) -> str:
        """Count what a document has brought; in a few words."""
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

    def succeed(self, visit: _Visit, fetched: Fetched, outcome: str, state: dict[str, Any]) -> None:
        """Nothing to store but that the feed is well. ``outcome`` is the name of a count."""
        feed = visit.feed
        moves = _moves(feed, fetched)

        def stored(_: None, error: Exception | None) -> None:
            if error is not None:
                self.later(visit, self.give_up(visit, error))
                return
            self.counts[outcome] += 1
            words = outcome.replace("_", " ")
            if moves:
                self.follow(visit, fetched, words)
            else:
                self.say(feed.outlet, words)

        answer = (feed, fetched.fresh_s, fetched.seconds, state)
        self.holding.hand_in(visit.place, self.records.keep_well, answer, stored, last=not moves)

    def follow(self, visit: _Visit, fetched: Fetched, outcome: str) -> None:
        """The last thing of a feed that is well: where it moves to."""
        if _moves(visit.feed, fetched):
            self.later(visit, self.move(visit, fetched, outcome))
        else:
            self.end(visit, outcome)

    async def move(self, visit: _Visit, fetched: Fetched, outcome: str) -> None:
        """Remember that the address has moved for good, and take the new one once it is believed."""
        feed = visit.feed
        seen = feeds.canonical(fetched.moved_to) if fetched.moved_to else None
        move = settle(feed, seen, self.records.now)
        if not move.adopt and (move.target, move.since) == (feed.moved_to, feed.moved_since):
            return self.end(visit, outcome)
        try:
            other = await self.leases.write(feed.host, lambda c: feeds.record_move(c, feed.id, move))
        except LeaseLostError:
            return self.end(visit, outcome)  # it is stored; who has the host now will see the move as well
        if other is not None:
            words = f"moved to {move.target}, which is feed {other.id} already: disable one of the two"
            self.problems.append(f"{feed.outlet} ({feed.url}): {words}")
        elif move.target is None:
            words = "no longer moved"
        else:
            words = f"moved to {move.target}" + (", its address from now on" if move.adopt else "")
        return self.end(visit, f"{outcome}; {words}")

    async def fail(self, feed: Feed, error: FeedError) -> str:
        """Record an error with its feed; a store that refuses even that is logged, and the other feeds go on.

        Returns what it was in a few words. Raises LeaseLostError: then it is no error of the feed.
        """
        outcome, work = self.records.failure(feed, error)
        try:
            self.waiting.update(await self.leases.write(feed.host, work))
        except LeaseLostError:
            raise
        except Exception:
            log.exception("the error of feed %s could not be recorded", feed.id)
        self.counts["failed"] += 1
        self.problems.append(f"{feed.outlet} ({feed.url}): {outcome}")
        return outcome


def _room_of(fetched: Fetched) -> int:
    return max(len(fetched.body), LEAST_UNSTORED)


def _moves(feed: Feed, fetched: Fetched) -> bool:
    return feed.moved_to is not None or fetched.moved_to is not None
