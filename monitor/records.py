"""What a pass writes of each feed that it asked: what it brought and that it is well, or how it failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from monitor.changes import Changes
from monitor.config import Settings
from monitor.errors import FeedError
from monitor.failures import REFUSALS, Consequence, concerned, consequence, outlet_domain
from monitor.fetched import Fetched
from monitor.keep import keep
from monitor.rhythm import Bounds, next_check, observe
from monitor.store import Connection, feeds
from monitor.types import Document, Feed
from monitor.websub import discover

_State = dict[str, Any]  # columns of a feed that an answer changes
Answered = tuple[Feed, Fetched, Document, _State]
Well = tuple[Feed, float | None, float, _State]  # its `fresh_s` and `seconds`: many bodies would wait with the answers


@dataclass(frozen=True, slots=True)
class Records:
    """Of one pass."""

    settings: Settings
    now: datetime
    bounds: Bounds  # of every feed's interval
    zone: ZoneInfo  # of dates that name none, and of the hours of a feed's day

    def keep(self, connection: Connection, answers: list[Answered]) -> list[Changes | None]:
        """Write the items and the state of feeds; nothing, and None, for a document that is to be read whole."""
        documents = [(feed.id, document) for feed, _, document, _ in answers]
        told = answers if self.settings.evidence.enabled else []
        served = {feed.id: fetched.answer(feed.url, state["body_sha256"]) for feed, fetched, _, state in told}
        found = keep(connection, documents, self.now, served)
        rows = [self.kept(*answer, changes) for answer, changes in zip(answers, found, strict=True) if changes]
        feeds.record_successes(connection, rows)
        return found

    def keep_well(self, connection: Connection, answers: list[Well]) -> list[None]:
        """Write nothing but that these feeds are well.

        What is decided for many in a row takes a third of the time that it takes between one request and the next.
        """
        feeds.record_successes(connection, [self.success(*answer) for answer in answers])
        return [None] * len(answers)

    def kept(
        self, feed: Feed, fetched: Fetched, document: Document, state: dict[str, Any], changes: Changes
    ) -> dict[str, Any]:
        """A feed of which ``changes`` were written, as a row for the store."""
        if changes.new:
            state = {**state, "last_new_at": self.now}
        rhythm = observe(feed, document, changes.new, self.now, self.zone)
        hub, topic = discover(fetched.link, document.links, fetched.final_url)
        state = {**state, "warning": document.warning, "hub": hub or "", "topic": topic}
        if document.broken_off:  # the rest may come under the same validators, which must not be answered with 304
            state |= {"etag": None, "last_modified": None}
        if rhythm is not feed.rhythm:
            state["rhythm"] = rhythm
        feed = replace(feed, rhythm=rhythm, last_new_at=state.get("last_new_at", feed.last_new_at))
        return self.success(feed, fetched.fresh_s, fetched.seconds, state)

    def success(self, feed: Feed, fresh_s: float | None, seconds: float, state: dict[str, Any]) -> dict[str, Any]:
        """A feed that is well, as a row for the store."""
        due = next_check(feed, self.bounds, self.now, self.zone, fresh_s=fresh_s)
        return feeds.success(feed.id, self.now, due, answer_s=round(seconds, 3), **state)

    def failure(self, feed: Feed, error: FeedError) -> tuple[str, Callable[[Connection], list[int]]]:
        """An error in a few words, and what records it; that returns the other feeds that are to wait with this one."""
        then = consequence(feed, error, self.settings.calendar.phase(self.now))
        outcome = f"{error.kind}: {error.detail}" + (f"; {then.words}" if then.words else "")
        due = next_check(feed, self.bounds, self.now, self.zone, error=error)
        return outcome, partial(self.keep_failure, feed=feed, error=error, due=due, then=then)

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
