"""When to ask each feed again, from what it brought before. Pure: takes rows and ``now``.

A feed is modelled as a Poisson process whose rate depends on the time of day, as Sia, Cho and Cho do ("Efficient
Monitoring Algorithm for Fast News Alerts", IEEE TKDE 19(7), 2007): entries and hours watched are counted for each half
hour of the local day and forgotten exponentially. The next check falls where the expected number of entries that wait
unseen reaches a threshold, so that polls lie as dense as news. (They place polls by the square root of the rate, which
is best for the mean delay; in proportion to the rate the median is shorter and the mean still better than at fixed
intervals: ``tests/benchmarks/rhythm.py`` compares.) What caches and the feed itself say of its next change bounds the
wait from below, or stands in for a history that is not there yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from monitor.config import Settings
from monitor.errors import UNREACHED, FeedError, FeedErrorKind
from monitor.types import Document, Entry, Feed, Rhythm

BACKOFF_CAP_S = 2 * 3600  # a feed that is back should be seen within hours, even after a week of failures
# A name that does not resolve is cheap to ask again, and it may be our own resolver that fails, for every feed at once.
DNS_BACKOFF_CAP_S = BACKOFF_CAP_S / 4
RETRY_AFTER_CAP_S = 24 * 3600
JITTER = 0.1  # feeds added together drift apart by up to this part of their interval

BINS = 48  # of a local day
BIN_S = 86_400 / BINS
HALF_LIFE = timedelta(days=14)  # of what is remembered: long enough to know a day, short enough to follow a campaign
FIRST_LOOK = timedelta(days=7)  # how far back the dates of a feed's first document are believed
LONGEST_GAP = timedelta(days=1)  # after a longer silence of ours the list may have turned over: nothing is learned
NEIGHBOURS = 2  # half hours on either side that lend their rate to one of which little is known
NEIGHBOURS_H = 1.0  # hours of watching that this loan is worth
GUESS_H = 2.0  # hours of watching that the guess before any history is worth
LAGS = 8  # polls whose newest date is remembered
PUSH_GAP = timedelta(seconds=30)  # from one fetch to the next, however often a hub announces news
PUSHED = timedelta(minutes=10)  # news that were found within so long of an announcement are what it was about


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which intervals a feed is asked now, and ``default_s``, the interval of one without history (seconds)."""

    shortest_s: float
    longest_s: float
    default_s: float

    @property
    def threshold(self) -> float:
        """How many entries may be expected to wait: one an hour gives the geometric mean of shortest and longest."""
        return sqrt(self.shortest_s * self.longest_s) / 3600


def bounds_at(settings: Settings, now: datetime) -> Bounds:
    """What the election phase asks for. A phase that begins within the longest interval counts if it is stricter."""
    first = settings.rhythm.of(settings.calendar.phase(now))
    later = settings.rhythm.of(settings.calendar.phase(now + timedelta(seconds=first[1])))
    shortest_s, longest_s = min(first, later, key=lambda pair: (pair[1], pair[0]))
    return Bounds(shortest_s, longest_s, _within(settings.fetch.interval_s, shortest_s, longest_s))


def next_check(
    feed: Feed,
    bounds: Bounds,
    now: datetime,
    zone: ZoneInfo,
    *,
    fresh_s: float | None = None,
    error: FeedError | None = None,
) -> datetime:
    """When to fetch ``feed`` again after an attempt at ``now`` that ended with ``error``, or well.

    The feed's own interval if the operator set one; else the longest while a hub announces its news; else by its
    rhythm, within ``bounds``, and not while the answer is fresh to a cache (``fresh_s``). After failures the interval
    doubles each time up to a cap, see ``_backoff``, and is never shorter than the server asked for (Retry-After, up to
    a day). A jitter that depends only on the feed keeps feeds from moving in step; it loosens the
    bounds, not the moment at which news is expected.
    """
    loose = 1 - JITTER * _fraction(feed.id)
    if error is not None:
        first_s, cap_s = _backoff(bounds, error.kind)
        delay = float(feed.interval_s or first_s)
        delay = min(delay * 2 ** min(feed.failures + 1, 20), max(delay, cap_s)) * loose
        if error.retry_after_s is not None:
            delay = max(delay, min(error.retry_after_s, RETRY_AFTER_CAP_S))
    elif feed.interval_s is not None:
        delay = feed.interval_s * loose
    elif announced(feed):
        delay = bounds.longest_s * loose
    else:
        own = Bounds(bounds.shortest_s * loose, bounds.longest_s * loose, bounds.default_s * loose)
        wait = _wait_s(feed.rhythm or _unknown(now), own, now, zone)
        delay = _within(max(wait, fresh_s or 0.0), own.shortest_s, own.longest_s)
    return now + timedelta(seconds=delay)


def _backoff(bounds: Bounds, kind: FeedErrorKind) -> tuple[float, float]:
    """From which interval failures double, and up to which, in seconds.

    A server that was not heard has no work with us, and the fault may be in our own network, for every feed at once:
    then half a minute without it must not cost the polling day twenty.
    """
    if kind not in UNREACHED:
        return bounds.default_s, BACKOFF_CAP_S
    if kind is FeedErrorKind.DNS:
        return bounds.shortest_s, min(DNS_BACKOFF_CAP_S, bounds.longest_s / 2)
    return bounds.shortest_s, min(BACKOFF_CAP_S, bounds.longest_s * 2)


def announced(feed: Feed) -> bool:
    """Whether a hub is to be relied on: it announced what the feed brought last.

    News that nobody announced, and an announcement after which nothing was found (a cache in between was still old),
    bring the feed back to its own rhythm, until the hub is right again.
    """
    if feed.pushed_at is None or feed.last_new_at is None:
        return False
    return timedelta(0) <= feed.last_new_at - feed.pushed_at <= PUSHED


def pushed_check(feed: Feed, now: datetime) -> datetime | None:
    """When to fetch ``feed`` whose hub announces news at ``now``: at once, but not twice within PUSH_GAP.

    A feed that fails is not asked sooner than it would be: its server may have asked for quiet.
    """
    if feed.next_check_at is None or feed.failures:
        return feed.next_check_at
    rested = feed.last_attempt_at + PUSH_GAP if feed.last_attempt_at else now
    return min(feed.next_check_at, max(now, rested))


def recovered_check(feed_id: int, bounds: Bounds, now: datetime) -> datetime:
    """When to fetch a feed again that was unreached like all others, once a server is heard at ``now``.

    Within the shortest interval, in which feeds that are so asked together lie evenly.
    """
    return now + timedelta(seconds=bounds.shortest_s * _fraction(feed_id))


def observe(feed: Feed, document: Document, new: Sequence[Entry], now: datetime, zone: ZoneInfo) -> Rhythm:
    """What is known of the feed once ``document`` was read at ``now`` and ``new`` of its entries were new.

    An entry counts at its own date if that lies between the last good answer and ``now``, else half way between. Of a
    first document the dates are believed, the oldest tenth left out: it may be pinned. Where nothing is new the rhythm
    stays as it is: the silence since then is known from ``until``.
    """
    before, since = feed.rhythm, feed.last_success_at
    if before is None or since is None:
        return _first(document, now, zone)
    if not new:
        return before
    seen: dict[str, Any] = {"until": now, "listed": document.size, "update_s": document.update_s}
    if now - since > LONGEST_GAP or now <= before.until:
        return replace(before, **seen)
    between = since + (now - since) / 2
    dates = [e.published_at if e.published_at and since < e.published_at <= now else between for e in new]
    lags = before.lags if (lag := _lag_s(document, since, now, zone)) is None else (*before.lags, lag)[-LAGS:]
    entries, hours = _counted(before, before.until, dates, now, zone)
    return replace(before, entries=entries, hours=hours, lags=lags, **seen)


def expected(rhythm: Rhythm, start: datetime, end: datetime, zone: ZoneInfo) -> float:
    """How many entries a feed of this rhythm brings between two instants."""
    days, rest = divmod(end - start, timedelta(days=1))
    whole = sum(_rate(rhythm, number, 0.0) for number in range(BINS)) * BIN_S / 3600 if days > 0 else 0.0
    part = sum(_rate(rhythm, number, 0.0) * hours for number, hours in _bins(end - rest, rest, zone))
    return days * whole + part


def clock_error_s(rhythm: Rhythm) -> int:
    """By how much the dates of a feed run behind our clock (negative: ahead of it), in seconds; 0: not known to.

    The newest listed date of the last polls that brought something, in the middle of them.
    """
    return int(median(rhythm.lags)) if len(rhythm.lags) > LAGS // 2 else 0


def _wait_s(rhythm: Rhythm, bounds: Bounds, now: datetime, zone: ZoneInfo) -> float:
    """Seconds until the expected number of unseen entries reaches the threshold, at most the longest interval.

    Never more than half of what the feed lists may wait, or some would be gone before they are seen.
    """
    threshold = min(bounds.threshold, max(rhythm.listed, 1) / 2)
    guess_s = _within(rhythm.update_s or bounds.default_s, bounds.shortest_s, bounds.longest_s)
    guess = threshold / guess_s * 3600
    watched = sum(rhythm.hours) + GUESS_H
    silence = max(0.0, (now - rhythm.until).total_seconds() / 3600)
    fading = watched / (watched + silence)  # a feed that fell silent is asked less and less
    waiting = waited = 0.0
    for number, hours in _bins(now, timedelta(seconds=bounds.longest_s), zone):
        rate = _rate(rhythm, number, guess) * fading
        if rate > 0 and waiting + rate * hours >= threshold:
            return waited + (threshold - waiting) / rate * 3600
        waiting += rate * hours
        waited += hours * 3600
    return waited


def _rate(rhythm: Rhythm, number: int, guess: float) -> float:
    """Entries an hour in one half hour of the day: what was counted there, held up by its neighbours and a guess."""
    entries = hours = 0.0
    for near in range(number - NEIGHBOURS, number + NEIGHBOURS + 1):
        entries += rhythm.entries[near % BINS]
        hours += rhythm.hours[near % BINS]
    around = (entries + guess * GUESS_H) / (hours + GUESS_H)
    return (rhythm.entries[number] + around * NEIGHBOURS_H) / (rhythm.hours[number] + NEIGHBOURS_H)


def _unknown(now: datetime) -> Rhythm:
    return Rhythm(entries=(0.0,) * BINS, hours=(0.0,) * BINS, until=now)


def _first(document: Document, now: datetime, zone: ZoneInfo) -> Rhythm:
    blank = replace(_unknown(now), listed=document.size, update_s=document.update_s)
    dates = sorted(e.published_at for e in document.entries if e.published_at and e.published_at <= now)
    dates = [date for date in dates[len(dates) // 10 :] if date >= now - FIRST_LOOK]
    if len(dates) < 2:
        return blank
    entries, hours = _counted(blank, dates[0], dates[1:], now, zone)
    return replace(blank, entries=entries, hours=hours)


def _counted(
    rhythm: Rhythm, start: datetime, dates: Sequence[datetime], now: datetime, zone: ZoneInfo
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Entries and hours of ``rhythm`` with a stretch of watching up to ``now``, in which entries came at ``dates``."""
    kept = 0.5 ** ((now - start) / HALF_LIFE)
    entries, hours = [n * kept for n in rhythm.entries], [n * kept for n in rhythm.hours]
    days, rest = divmod(now - start, timedelta(days=1))
    for number in range(BINS if days else 0):
        hours[number] += days * BIN_S / 3600
    for number, part in _bins(now - rest, rest, zone):
        hours[number] += part
    for date in dates:
        entries[int(_second_of_day(date, zone) // BIN_S)] += 1
    return tuple(entries), tuple(hours)


def _bins(start: datetime, span: timedelta, zone: ZoneInfo) -> Iterator[tuple[int, float]]:
    """The half hours of the day that a span touches, in order, each with its hours inside the span."""
    second, left = _second_of_day(start, zone), span.total_seconds()
    while left > 0:
        number = int(second // BIN_S)
        step = min(left, (number + 1) * BIN_S - second)
        yield number % BINS, step / 3600
        second, left = (number + 1) * BIN_S, left - step


def _second_of_day(instant: datetime, zone: ZoneInfo) -> float:
    local = instant.astimezone(zone)
    return local.hour * 3600.0 + local.minute * 60 + local.second


def _lag_s(document: Document, since: datetime, now: datetime, zone: ZoneInfo) -> int | None:
    """How far the newest date lies before the last good answer, though something is new; negative: after ``now``.

    None when it has no date, or only a day: midnight.
    """
    newest = max((e.published_at for e in document.entries if e.published_at), default=None)
    if newest is None or _second_of_day(newest, zone) == 0 or _second_of_day(newest, ZoneInfo("UTC")) == 0:
        return None
    if newest > now:
        return int((now - newest).total_seconds())
    return max(0, int((since - newest).total_seconds()))


def _within(value: float, least: float, most: float) -> float:
    return max(least, min(value, most))


def _fraction(feed_id: int) -> float:
    digest = hashlib.sha256(str(feed_id).encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32
