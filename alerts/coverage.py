"""What the program covered and what it did not, as the digest and the dashboard show it.

Whoever reads that nothing was found must be able to see whether anything was looked at: which feeds are well, which
languages, outlets and claim types brought nothing in a week, what was dropped and why, and whether the model still
scores what comes in as it did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from monitor import health
from monitor.config import Settings
from monitor.store import Connection, Store, feeds, models, suppression
from monitor.store import coverage as rows
from monitor.types import ClaimType, Feed, Lang

WEEK = timedelta(days=7)
SAMPLED = 2000  # items whose scores are compared with as many of a week ago
ENOUGH = 200  # of them; fewer say nothing about drift
_BUCKETS = 10
# Siddiqi 2006, "Credit Risk Scorecards", on the population stability index.
_MOVED, _DRIFTED = 0.1, 0.25


class Drifting(StrEnum):
    """How far the scores of what comes in have moved within a week."""

    UNKNOWN = "unknown"
    STEADY = "steady"
    MOVED = "moved"
    DRIFTED = "drifted"


@dataclass(frozen=True, slots=True)
class Drift:
    """The live model's scores of the newest items beside those of a week ago.

    ``flagged`` and ``flagged_before`` are shares in [0, 1]; ``index`` is the population stability index of the scores
    in ten equal parts, None with too few. ``dismissed`` of the last ``decided`` alerts were found to be nothing.
    """

    model: str | None
    word: Drifting
    index: float | None
    items: int
    flagged: float | None
    flagged_before: float | None
    decided: int
    dismissed: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """As it stood at one instant; "lately" and "quiet" speak of the seven days before it.

    ``feeds`` is that of ``monitor.health.coverage``, ``disabled`` the feeds switched off lately. ``dropped`` is by what
    was dropped (``occasions`` and ``messages`` for receivers) and why; ``hidden`` are alerts, by what hides them.
    """

    feeds: Mapping[str, Any]
    disabled: Sequence[Mapping[str, Any]]
    quiet_langs: Sequence[str]
    quiet_outlets: Sequence[str]
    quiet_claim_types: Sequence[str]
    dropped: Mapping[str, Mapping[str, int]]
    hidden: Mapping[str, int]
    backlog: Mapping[str, int]  # unassessed, ungrouped, too_old, undispatched
    drift: Drift

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON: the counts of feeds and of the backlog stand at the top."""
        own = asdict(replace(self, feeds=health.as_json(self.feeds)))
        return {**own.pop("feeds"), **own.pop("backlog"), **own}


def read_coverage(store: Store, settings: Settings, now: datetime) -> Coverage:
    """Everything at one instant of the store."""
    with store.read() as connection:
        return coverage(connection, settings, now)


def coverage(connection: Connection, settings: Settings, now: datetime) -> Coverage:
    """As ``read_coverage``, within a read that sees more."""
    since = now - WEEK
    watched = feeds.listing(connection)
    return Coverage(
        feeds=health.coverage(watched, settings.calendar.zone),
        disabled=[_named(feed) for feed in watched if _lately_disabled(feed, since)],
        quiet_langs=_without(Lang, rows.langs_since(connection, Lang, since)),
        quiet_outlets=rows.quiet_outlets(connection, since),
        quiet_claim_types=_without(ClaimType, rows.claim_types_since(connection, since)),
        dropped=rows.dropped_since(connection, since),
        hidden=suppression.counts(connection, now),
        backlog=rows.backlog(connection),
        drift=_read_drift(connection, now),
    )


def drift(
    model: str | None,
    lately: Sequence[tuple[float, bool]],
    before: Sequence[tuple[float, bool]],
    ruled: tuple[int, int],
) -> Drift:
    """From scores and whether they flagged, of now and of a week ago, and the last decisions. Pure."""
    enough = min(len(lately), len(before)) >= ENOUGH
    index = _stability([score for score, _ in lately], [score for score, _ in before]) if enough else None
    return Drift(
        model=model,
        word=_word(index),
        index=None if index is None else round(index, 3),
        items=len(lately),
        flagged=_share(lately),
        flagged_before=_share(before),
        decided=ruled[0],
        dismissed=ruled[1],
    )


def _read_drift(connection: Connection, now: datetime) -> Drift:
    live = models.live(connection)
    if live is None:
        return drift(None, (), (), rows.rulings(connection))
    lately = rows.scores_before(connection, live["id"], now, SAMPLED)
    before = rows.scores_before(connection, live["id"], now - WEEK, SAMPLED)
    return drift(live["id"], lately, before, rows.rulings(connection))


def _lately_disabled(feed: Feed, since: datetime) -> bool:
    """What is switched off is not asked: whoever was asked lately was switched off since."""
    return not feed.enabled and feed.last_attempt_at is not None and feed.last_attempt_at >= since


def _named(feed: Feed) -> dict[str, Any]:
    shown = ("id", "outlet", "url", "role", "error_kind", "error_detail", "last_attempt_at")
    return {name: getattr(feed, name) for name in shown}


def _without(every: type[StrEnum], found: Sequence[str] | set[str]) -> list[str]:
    return [each.value for each in every if each.value not in found]


def _share(scores: Sequence[tuple[float, bool]]) -> float | None:
    return round(sum(flagged for _, flagged in scores) / len(scores), 4) if scores else None


def _stability(lately: Sequence[float], before: Sequence[float]) -> float:
    new, old = _shares(lately), _shares(before)
    return sum((n - o) * math.log(n / o) for n, o in zip(new, old, strict=True))


def _shares(scores: Sequence[float]) -> list[float]:
    """Of each bucket; half an item more in each, so that none is empty."""
    counts = [0.5] * _BUCKETS
    for score in scores:
        counts[min(int(score * _BUCKETS), _BUCKETS - 1)] += 1
    return [count / sum(counts) for count in counts]


def _word(index: float | None) -> Drifting:
    if index is None:
        return Drifting.UNKNOWN
    if index < _MOVED:
        return Drifting.STEADY
    return Drifting.MOVED if index < _DRIFTED else Drifting.DRIFTED
