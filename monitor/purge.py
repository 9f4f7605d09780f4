"""The stage that keeps nothing longer than `[retention]` says. What people decided, and the audit of it, stays."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.config import Settings
from monitor.evidence_purge import forget_evidence
from monitor.store import Connection, Store, audit, purging, runs
from monitor.types import LIVE, Decision, StageReport

ACTOR = "purge"
PAUSE_S = 0.15  # between two transactions: who waits for SQLite's lock looks ten times a second whether it is free


class Outcome(StrEnum):
    """What became of an item, by which it is kept longer or not."""

    QUIET = "quiet"  # no alert rests on it
    DISMISSED = "dismissed"  # every alert on it was dismissed, or was a duplicate
    DECIDED = "decided"  # somebody decided otherwise; or it is an answer to claims


Limits = Mapping[Outcome, datetime | None]  # what was seen before then goes; None: nothing goes


def purge(store: Store, settings: Settings, now: datetime, *, dry_run: bool = False) -> StageReport:
    """Remove what was seen longer ago than `[retention]` allows, page by page, each a transaction.

    Counts: the items removed as ``quiet, dismissed, decided``; those ``listed``, which are due but still stand in the
    document of their feed, from which they would come back as new; ``messages`` whose words were removed; and files of
    ``evidence`` from which what belonged to such items was cut. With ``dry_run`` nothing is changed, and the counts say
    what would be, but for evidence. The items of one incident go together, by the age
    of its newest, and none goes while an alert on it waits for somebody.
    """
    run = _Run(store, limits_at(settings, now), now, dry_run=dry_run)
    run.loose_items()
    run.incidents()
    run.messages(now - timedelta(days=settings.retention.messages_days))
    problems: tuple[str, ...] = ()
    if not dry_run:
        run.counts["evidence"], problems = forget_evidence(store, settings, now)
    gone = {name: number for name, number in run.counts.items() if number and name != "listed"}
    if gone and not dry_run:
        with store.write() as connection:
            audit.append(connection, now, ACTOR, "items.purge", "items", gone)
    return StageReport(ACTOR, dict(run.counts), problems)


def is_due(store: Store, settings: Settings, now: datetime) -> bool:
    """Whether none has ended today, in the election's zone, without an error."""
    with store.read() as connection:
        last = runs.latest(connection).get(ACTOR)
    if last is None or last["finished_at"] is None or last["error"]:
        return True
    zone = settings.calendar.zone
    return bool(last["finished_at"].astimezone(zone).date() < now.astimezone(zone).date())


def limits_at(settings: Settings, now: datetime) -> dict[Outcome, datetime | None]:
    """What `[retention]` means at this instant."""
    kept = settings.retention
    days = {Outcome.QUIET: kept.quiet_days, Outcome.DISMISSED: kept.dismissed_days, Outcome.DECIDED: kept.decided_days}
    return {outcome: None if number is None else now - timedelta(days=number) for outcome, number in days.items()}


def outcome_of(alerts: Iterable[tuple[str, str | None]]) -> Outcome | None:
    """What became of the items of an incident with alerts of these states and decisions; None: it is not over."""
    alerts = list(alerts)
    if any(state in LIVE for state, _ in alerts):
        return None
    if not alerts:
        return Outcome.QUIET
    if all(decision in (None, Decision.DISMISS, Decision.DUPLICATE) for _, decision in alerts):
        return Outcome.DISMISSED
    return Outcome.DECIDED


class _Run:
    """One purge."""

    def __init__(self, store: Store, limits: Limits, now: datetime, *, dry_run: bool) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys((*Outcome, "listed", "messages", "evidence"), 0))
        self._store, self._limits, self._now, self._dry_run = store, limits, now, dry_run
        self._newest = max(limit for limit in limits.values() if limit is not None)

    def loose_items(self) -> None:
        """What is in no incident."""
        after = 0
        with self._store.read() as connection:
            last = purging.last_item(connection, self._newest)
        while after < last:
            with self._page() as connection:
                page = purging.loose(connection, self._newest, after, last)
                outcomes = {each.id: Outcome.DECIDED if each.answers else Outcome.QUIET for each in page}
                due = {each.id: each.feed_id for each in page if self._over(outcomes[each.id], each.first_seen_at)}
                listed = purging.listed(connection, set(due.values()))
                going = [id for id in due if id not in listed]
                self.counts.update(Counter(outcomes[id] for id in going), listed=len(due) - len(going))
                if not self._dry_run:
                    purging.remove(connection, going)
            after = page[-1].id if page else last
            self._pause()

    def incidents(self) -> None:
        """What is in one, incident by incident."""
        after: int | None = 0
        while after is not None:
            with self._page() as connection:
                after = self._incident_page(connection, after)
            self._pause()

    def messages(self, before: datetime) -> None:
        """The words of what was sent or dropped."""
        while True:
            with self._page() as connection:
                found = purging.blank_messages(connection, before, dry=self._dry_run)
            self.counts["messages"] += found
            if not found or self._dry_run:
                return
            self._pause()

    def _incident_page(self, connection: Connection, after: int) -> int | None:
        """Incidents from the one after ``after``; returns after which the next page begins, None behind the last."""
        room = purging.PAGE
        page = purging.settled(connection, self._newest, after)
        for each in page:
            if room == 0:
                return after
            outcome = outcome_of(each.alerts)
            if outcome is not None and not each.waits and self._over(outcome, each.last_seen_at):
                feeds = purging.members(connection, each.id)
                if not purging.listed(connection, set(feeds.values())).isdisjoint(feeds):
                    self.counts["listed"] += len(feeds)
                    after = each.id
                    continue
                going = list(feeds) if self._dry_run else list(feeds)[:room]
                self.counts[outcome] += len(going)
                if not self._dry_run:
                    self._remove_from(connection, each.id, going, decided=bool(each.alerts))
                    room -= len(going)
                    if len(going) < len(feeds):  # what is left of it goes with the next page
                        return after
                    purging.blank_title(connection, each.id)
            after = each.id
        return after if len(page) == purging.PAGE else None

    def _remove_from(self, connection: Connection, incident_id: int, going: Sequence[int], *, decided: bool) -> None:
        """Remove items of an incident. If people decided on it, the audit keeps the hashes of what they had read."""
        if decided:
            texts = purging.texts(connection, going)
            rows = [{"item": id, "text_sha256": [_sha256(text) for text in texts[id]]} for id in going]
            subject = f"incident:{incident_id}"
            audit.append(connection, self._now, ACTOR, "incident.purge", subject, {"items": rows})
        purging.remove(connection, going)

    def _over(self, outcome: Outcome, seen_at: datetime) -> bool:
        limit = self._limits[outcome]
        return limit is not None and seen_at < limit

    def _page(self) -> AbstractContextManager[Connection]:
        return self._store.read() if self._dry_run else self._store.write()

    def _pause(self) -> None:
        if not self._dry_run:
            time.sleep(PAUSE_S)


def _sha256(text: str) -> str:
    """As an export of the audit has it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
