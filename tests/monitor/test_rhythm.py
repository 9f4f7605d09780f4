"""When each feed is asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Settings
from monitor.errors import ConfigError, FeedError, FeedErrorKind
from monitor.rhythm import (
    BACKOFF_CAP_S,
    BINS,
    DNS_BACKOFF_CAP_S,
    HALF_LIFE,
    JITTER,
    PUSH_GAP,
    PUSHED,
    RETRY_AFTER_CAP_S,
    Bounds,
    announced,
    bounds_at,
    clock_error_s,
    expected,
    next_check,
    observe,
    pushed_check,
)
from monitor.types import Document, Entry, Feed, Role

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)  # Monday, 12:30 in Hong Kong
FEED = Feed(id=3, url="https://a.example/rss", outlet="A", role=Role.MEDIA, lang=None, enabled=True)
CAMPAIGN = Bounds(300, 3600, 600)
POLLING_DAY = Bounds(60, 600, 600)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def local(hour: int, minute: int = 0, day: int = 1) -> datetime:
    """An instant of March 2027 by the clock of Hong Kong."""
    return datetime(2027, 3, day, hour, minute, tzinfo=HONG_KONG).astimezone(UTC)


def document(dates: Iterable[datetime | None], update_s: int | None = None) -> Document:
    """A document whose entries have these dates."""
    entries = [Entry(str(n), str(n), None, str(n), "", None, date) for n, date in enumerate(dates)]
    return Document("", "rss20", tuple(entries), update_s=update_s)


def read(feed: Feed, now: datetime, dates: Sequence[datetime | None], update_s: int | None = None) -> Feed:
    """``feed`` after a poll at ``now`` that brought new entries with these dates."""
    found = document(dates, update_s)
    rhythm = observe(feed, found, found.entries, now, HONG_KONG)
    return replace(feed, rhythm=rhythm, last_success_at=now, last_new_at=now if dates else feed.last_new_at)


def fed(hours: Sequence[int], per_hour: int, days: int = 14, until: datetime = NOW) -> Feed:
    """A feed that brought so many entries, evenly, in each of these hours of every day, asked on the hour."""
    begun = until.replace(minute=0) - days * DAY
    feed = read(FEED, begun, [])
    for hour in range(1, 24 * days + 1):
        now = begun + hour * HOUR
        there = (now - HOUR).astimezone(HONG_KONG).hour in hours
        feed = read(feed, now, [now - HOUR * (n + 0.5) / per_hour for n in range(per_hour if there else 0)])
    return feed


def wait(feed: Feed, now: datetime = NOW, bounds: Bounds = CAMPAIGN, **given: float | None) -> float:
    """Minutes until the next check, the jitter of the bounds aside."""
    return (next_check(feed, bounds, now, HONG_KONG, **given) - now).total_seconds() / 60  # type: ignore[arg-type]


OFFICE = fed(range(9, 19), 2)


def test_a_feed_without_history_has_the_default_interval() -> None:
    """A little earlier, by an amount that depends on the feed alone, so that feeds added together drift apart."""
    assert 10 * (1 - JITTER) <= wait(FEED) <= 10
    assert wait(FEED) == wait(FEED)
    assert len({wait(replace(FEED, id=n)) for n in range(20)}) == 20
    assert wait(read(FEED, NOW, [None] * 20)) == pytest.approx(wait(FEED))


def test_the_operator_s_interval_wins() -> None:
    """Over the rhythm, the bounds of the phase and what caches say."""
    for seconds in (45, 86_400):
        own = replace(OFFICE, interval_s=seconds)
        assert seconds / 60 * (1 - JITTER) <= wait(own, fresh_s=7200) <= seconds / 60


def test_polls_lie_where_news_is() -> None:
    """Often in the hours that bring news, rarely at night, within the bounds of the phase."""
    assert 300 * (1 - JITTER) <= wait(OFFICE, local(11)) * 60 < 800
    assert 3600 * (1 - JITTER) <= wait(OFFICE, local(1)) * 60 <= 3600
    assert wait(OFFICE, local(11), POLLING_DAY) < wait(OFFICE, local(11)) / 4
    assert wait(OFFICE, local(1), POLLING_DAY) <= 10


def test_the_more_it_brings_the_more_often_it_is_asked() -> None:
    """From the longest interval to the shortest."""
    waits = [wait(fed(range(24), n), local(11)) for n in (0, 1, 2, 3, 12)]
    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) == len(waits)
    assert waits[0] >= 60 * (1 - JITTER)
    assert waits[-1] <= 5


def test_polls_gather_where_the_news_of_the_day_comes_at_once() -> None:
    """Few in the hours before, the shortest interval from its first minutes on."""
    morning, now = fed([5], 20), local(0)
    polls = []
    while (now := now + timedelta(minutes=wait(morning, now))) < local(6):
        polls.append(now)
    assert sum(poll < local(5) for poll in polls) <= 9
    assert sum(poll >= local(5) for poll in polls) >= 11
    assert min(poll for poll in polls if poll >= local(5)) < local(5, 6)


def test_the_local_day_counts_whatever_the_zone() -> None:
    """The same history in another zone is asked for at another hour; half-hour zones and clock changes included."""
    for name in ("America/St_Johns", "Asia/Kathmandu", "Europe/Dublin"):
        zone = ZoneInfo(name)
        start = datetime(2027, 3, 20, tzinfo=zone).astimezone(UTC)
        feed = replace(FEED, last_success_at=start)
        feed = replace(feed, rhythm=observe(FEED, document([]), (), start, zone))
        for hour in range(1, 24 * 14):  # the clocks of Dublin change on 28 March
            now = start + hour * HOUR
            new = document([now - HOUR / 8 * n for n in (1, 3, 5, 7)] if 8 <= now.astimezone(zone).hour < 20 else [])
            feed = replace(feed, rhythm=observe(feed, new, new.entries, now, zone), last_success_at=now)
        noon, night = (datetime(2027, 4, 5, hour, tzinfo=zone) for hour in (12, 2))
        waits = [next_check(feed, CAMPAIGN, at, zone) - at for at in (noon, night)]
        assert waits[0] < waits[1] / 2


def test_what_the_feed_says_stands_in_for_a_history_and_no_longer() -> None:
    """RSS ttl or sy:updatePeriod set the first interval, within the bounds; what it brings outweighs it."""
    for minutes, shown in ((1, 5), (30, 30), (1440, 60)):
        told = read(FEED, NOW, [None] * 20, minutes * 60)
        assert shown * (1 - JITTER) <= wait(told) <= shown
    assert OFFICE.rhythm is not None
    told = replace(OFFICE, rhythm=replace(OFFICE.rhythm, update_s=3600))
    assert wait(told, local(11)) < 1.3 * wait(OFFICE, local(11))


def test_while_the_answer_is_fresh_to_a_cache_nobody_asks() -> None:
    """Cache-Control is a lower bound, up to the longest interval of the phase."""
    assert wait(OFFICE, local(11), fresh_s=1800) == 30
    assert 60 * (1 - JITTER) <= wait(OFFICE, local(11), fresh_s=86_400) <= 60
    assert wait(OFFICE, local(11), POLLING_DAY, fresh_s=86_400) <= 10
    assert wait(OFFICE, local(11), fresh_s=0) == wait(OFFICE, local(11), fresh_s=None) == wait(OFFICE, local(11))


def test_never_more_than_half_of_the_list_may_wait() -> None:
    """A short list turns over sooner."""
    assert OFFICE.rhythm is not None
    wide = Bounds(600, 86_400, 600)
    waits = [wait(replace(OFFICE, rhythm=replace(OFFICE.rhythm, listed=n)), local(9), wide) for n in (1, 2, 4, 100)]
    assert waits == sorted(waits)
    assert waits[0] < waits[2] / 2 < waits[3]
    assert waits[0] * 2 / 60 <= 0.6  # half an entry at two an hour


def test_the_dates_of_a_first_document_are_a_history() -> None:
    """Up to a week, the oldest tenth left out; old pinned entries and dates of the future change little."""
    dates = [NOW - HOUR / 4 * n for n in range(1, 31)]
    busy = wait(read(FEED, NOW, dates))
    assert busy < 8
    pinned = [*dates, NOW - 6 * DAY, NOW - 900 * DAY, NOW + 30 * DAY, None]
    assert wait(read(FEED, NOW, pinned)) == pytest.approx(busy, rel=0.1)
    assert wait(read(FEED, NOW, [NOW - 3 * DAY * n for n in range(1, 31)])) > 30


def test_a_feed_that_falls_silent_is_asked_less_and_less() -> None:
    """Its rhythm itself stays known, for the day it wakes up."""
    waits = [wait(OFFICE, local(11) + days * DAY) for days in (0, 7, 30, 200)]
    assert waits == sorted(waits)
    assert waits[-1] >= 60 * (1 - JITTER)


def test_old_habits_are_forgotten() -> None:
    """After two half-lives what a feed does now weighs three times what it did."""
    night = OFFICE
    for n in range(2 * HALF_LIFE.days):
        for hour in range(24):
            now = NOW + n * DAY + hour * HOUR
            night = read(night, now + HOUR, [now + HOUR / 2] * 2 if now.astimezone(HONG_KONG).hour < 6 else [])
    assert wait(night, NOW + 30 * DAY - 10 * HOUR) < wait(night, NOW + 30 * DAY)


def test_nothing_new_changes_nothing() -> None:
    """The very same object: nothing is written for it."""
    assert observe(OFFICE, document([NOW]), (), NOW + HOUR, HONG_KONG) is OFFICE.rhythm


def test_after_a_long_absence_of_ours_nothing_is_learned() -> None:
    """The list may have turned over; the rhythm from before holds, counted from now on."""
    back = read(OFFICE, NOW + 9 * DAY, [NOW + 8 * DAY] * 40)
    assert back.rhythm is not None
    assert OFFICE.rhythm is not None
    assert (back.rhythm.entries, back.rhythm.until) == (OFFICE.rhythm.entries, NOW + 9 * DAY)


def test_an_entry_counts_where_it_appeared() -> None:
    """At its own date between the polls; with another date or none half way between them."""
    for date, number in ((local(13, 5), 26), (local(8), 27), (None, 27), (local(20), 27)):
        feed = replace(read(FEED, local(12, 50), []), last_success_at=local(12, 50))
        rhythm = read(feed, local(14, 20), [date]).rhythm
        assert rhythm is not None
        assert [n for n, entries in enumerate(rhythm.entries) if entries] == [number]
        assert sum(rhythm.hours) == pytest.approx(1.5)


def test_what_is_to_be_expected_adds_up() -> None:
    """Two parts of a span are the span; a whole day is every half hour once."""
    assert OFFICE.rhythm is not None
    start, middle, end = NOW, NOW + 3.3 * DAY, NOW + 5 * DAY
    parts = expected(OFFICE.rhythm, start, middle, HONG_KONG) + expected(OFFICE.rhythm, middle, end, HONG_KONG)
    assert parts == pytest.approx(expected(OFFICE.rhythm, start, end, HONG_KONG))
    assert 80 < expected(OFFICE.rhythm, start, end, HONG_KONG) < 110  # twenty a day


def test_a_clock_that_is_off_is_known_after_some_polls() -> None:
    """Its newest date, in the middle of some polls: eight hours behind, eight ahead; a day without a time says none."""
    for hours in (8, 0, -8):
        feed = read(FEED, NOW, [NOW - hours * HOUR])
        for n in range(1, 10):
            now = NOW + n * HOUR / 3
            feed = read(feed, now, [now - HOUR / 6 - hours * HOUR])
            assert feed.rhythm is not None
            assert n > 4 or clock_error_s(feed.rhythm) == 0
        assert clock_error_s(feed.rhythm) / 3600 == pytest.approx(hours, abs=0.5)  # type: ignore[arg-type]
    day_only = read(FEED, local(8), [local(0)])
    for hour in range(9, 20):
        day_only = read(day_only, local(hour), [local(0)])
    assert day_only.rhythm is not None
    assert clock_error_s(day_only.rhythm) == 0


_MOMENTS = st.one_of(st.none(), st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)))


@given(
    st.lists(st.tuples(st.floats(-2, 400), st.lists(_MOMENTS, max_size=6)), max_size=6),
    st.one_of(st.none(), st.integers(1, 60_000_000)),
)
def test_whatever_a_feed_holds_the_next_check_stays_within_the_bounds(
    polls: list[tuple[float, list[datetime | None]]], update_s: int | None
) -> None:
    """Hostile dates, a clock of ours that steps back, an absurd ttl: nothing is counted negative, nothing overflows."""
    feed, now = FEED, NOW
    for hours, dates in polls:
        now += timedelta(hours=hours)
        feed = read(feed, now, dates, update_s)
        assert feed.rhythm is not None
        assert min(*feed.rhythm.entries, *feed.rhythm.hours) >= 0
        assert len(feed.rhythm.entries) == len(feed.rhythm.hours) == BINS
        for bounds in (CAMPAIGN, POLLING_DAY):
            assert bounds.shortest_s * 0.9 <= wait(feed, now, bounds) * 60 + 1e-3
            assert wait(feed, now, bounds) * 60 <= bounds.longest_s + 1e-3


def failing(error: FeedError, interval_s: int = 600, **state: int) -> float:
    """Seconds until the next check after a failure."""
    feed = replace(FEED, interval_s=interval_s, **state)  # type: ignore[arg-type]  # the fields of Feed
    return (next_check(feed, CAMPAIGN, NOW, HONG_KONG, error=error) - NOW).total_seconds()


def test_failures_double_the_interval_up_to_a_cap() -> None:
    """A dead feed is asked less and less, but never forgotten."""
    error = FeedError(FEED.url, FeedErrorKind.TIMEOUT, "late")
    delays = [failing(error, failures=n) for n in range(30)]
    assert delays == sorted(delays)
    assert delays[0] > 600
    assert delays[-1] <= BACKOFF_CAP_S
    assert failing(error, interval_s=86_400) >= 86_400 * (1 - JITTER)


def test_on_polling_day_who_was_not_heard_is_asked_soon_again() -> None:
    """It may be our own network; a server that answers with an error is left its peace on that day as well."""

    def delays(kind: FeedErrorKind, bounds: Bounds) -> list[float]:
        error = FeedError(FEED.url, kind, "")
        fallen = (replace(FEED, failures=n) for n in range(12))
        return [(next_check(feed, bounds, NOW, HONG_KONG, error=error) - NOW).total_seconds() for feed in fallen]

    dns, timeout, http = (
        delays(kind, POLLING_DAY) for kind in (FeedErrorKind.DNS, FeedErrorKind.TIMEOUT, FeedErrorKind.HTTP)
    )
    assert max(dns[0], timeout[0]) <= 120
    assert max(dns) <= 300
    assert max(timeout) <= 1_200
    assert http[0] > 1_000
    assert max(delays(FeedErrorKind.DNS, CAMPAIGN)) <= DNS_BACKOFF_CAP_S < max(delays(FeedErrorKind.TIMEOUT, CAMPAIGN))


def test_the_server_s_wish_is_honoured() -> None:
    """Retry-After is a lower bound, within reason."""
    asked = [FeedError(FEED.url, FeedErrorKind.HTTP, "429", retry_after_s=s) for s in (1.0, 7_200.0, 1e9)]
    short, long, absurd = (failing(error) for error in asked)
    assert short > 600
    assert long == 7_200
    assert absurd == RETRY_AFTER_CAP_S


DATES = """
[election]
nomination_opens = 2027-01-11
nomination_closes = 2027-01-24
polling_opens = 2027-03-14T08:30:00
polling_closes = 2027-03-14T22:30:00
[fetch]
interval_s = 1200
"""


def test_the_phase_sets_the_bounds(configure: Callable[[str], Settings]) -> None:
    """Closer on polling day and during the count; a stricter phase counts from one longest interval before it."""
    settings = configure(DATES)
    assert bounds_at(configure(""), NOW) == Bounds(600, 7200, 600)
    assert bounds_at(settings, datetime(2026, 12, 1, tzinfo=UTC)) == Bounds(600, 7200, 1200)
    assert bounds_at(settings, datetime(2027, 1, 12, tzinfo=UTC)) == Bounds(300, 3600, 1200)
    assert bounds_at(settings, NOW) == Bounds(300, 3600, 1200)
    assert bounds_at(settings, local(22, 30, day=13)) == Bounds(300, 3600, 1200)
    for hour, day in ((9, 14), (23, 14)):
        assert bounds_at(settings, local(hour, day=day)) == POLLING_DAY
    assert bounds_at(settings, local(23, 30, day=13)) == POLLING_DAY
    assert bounds_at(settings, local(12, day=16)) == Bounds(600, 7200, 1200)


@pytest.mark.parametrize("pair", ["[3600, 300]", "[5, 60]", "[60, 90000]", "[60]", "60"])
def test_bounds_that_make_no_sense_are_refused(configure: Callable[[str], Settings], pair: str) -> None:
    """With the key in the sentence."""
    with pytest.raises(ConfigError, match=r"rhythm\.polling_day"):
        configure(f"[rhythm]\npolling_day = {pair}\n")


def test_a_feed_whose_hub_announced_its_last_news_is_asked_at_the_longest_interval() -> None:
    """Not one whose hub missed them, or announced what was not found; the operator's own interval and failures hold."""
    told = replace(OFFICE, pushed_at=NOW - HOUR, last_new_at=NOW - HOUR + PUSHED)
    assert announced(told)
    assert wait(told) > 60 * (1 - JITTER) > 2 * wait(OFFICE)
    assert wait(told, bounds=POLLING_DAY) <= 10
    missed = replace(told, last_new_at=NOW)
    found_nothing = replace(told, pushed_at=NOW)
    for other in (missed, found_nothing, replace(told, pushed_at=None), replace(told, last_new_at=None)):
        assert not announced(other)
        assert wait(other) == wait(OFFICE)
    assert wait(replace(told, interval_s=120)) <= 2
    error = FeedError(told.url, FeedErrorKind.HTTP, "503", status=503)
    assert wait(told, error=error) == wait(OFFICE, error=error)


def test_announced_news_are_fetched_at_once_but_not_twice_in_half_a_minute() -> None:
    """Never later than the feed would have been asked anyway; one that fails is left alone until then."""
    due = replace(FEED, next_check_at=NOW + HOUR, last_attempt_at=NOW - HOUR)
    assert pushed_check(due, NOW) == NOW
    assert pushed_check(replace(due, last_attempt_at=NOW), NOW) == NOW + PUSH_GAP
    assert pushed_check(replace(due, last_attempt_at=NOW, next_check_at=NOW + PUSH_GAP / 2), NOW) == NOW + PUSH_GAP / 2
    assert pushed_check(replace(due, failures=1), NOW) == NOW + HOUR
    assert pushed_check(FEED, NOW) is None
