"""Hours and days that come again: over midnight, and when the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alerts.intervals import Interval, OnDays, Window, is_within, stretches
from monitor.calendar import Calendar

HONG_KONG = Calendar(ZoneInfo("Asia/Hong_Kong"))
DUBLIN = Calendar(ZoneInfo("Europe/Dublin"))  # changes on 28 March and 31 October 2027, at one o'clock UTC


def _interval(**keys: Any) -> Interval:
    return Interval.model_validate({"name": "hours", **keys})


def _active(interval: Interval, local: str, calendar: Calendar = HONG_KONG) -> bool:
    return interval.active(datetime.fromisoformat(local).replace(tzinfo=calendar.zone), calendar)


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    """Saturday's night ends on Sunday morning; Friday's does not count; the end is not in it."""
    nights = _interval(times={"from": "22:00", "to": "06:00"}, weekdays="sat")
    assert not _active(nights, "2027-03-06T05:00")
    assert not _active(nights, "2027-03-06T21:59")
    assert _active(nights, "2027-03-06T22:00")
    assert _active(nights, "2027-03-07T05:59")
    assert not _active(nights, "2027-03-07T06:00")
    assert not _active(nights, "2027-03-07T23:00")


def test_dates_and_weekdays_must_both_hold() -> None:
    """One day, a range of days with both ends, and weekdays among them."""
    days = _interval(dates=["2027-03-01", "2027-03-05/2027-03-07"])
    assert [day for day in range(1, 9) if _active(days, f"2027-03-0{day}T12:00")] == [1, 5, 6, 7]
    sundays = _interval(dates="2027-03-01/2027-03-31", weekdays=["sun"])
    assert [day for day in range(10, 32) if _active(sundays, f"2027-03-{day}T00:00")] == [14, 21, 28]


def test_phases_of_the_election() -> None:
    """Active in the phases named, at the hours named."""
    zone = HONG_KONG.zone
    polls = (datetime(2027, 3, 7, 8, tzinfo=zone), datetime(2027, 3, 7, 22, tzinfo=zone))
    calendar = Calendar(zone, polling_opens=polls[0], polling_closes=polls[1])
    evening = _interval(phases=["polling-day", "count"], times=[{"from": "20:00", "to": "23:00"}])
    assert [_active(evening, f"2027-03-0{day}T21:00", calendar) for day in (6, 7, 8)] == [False, True, True]
    assert _active(evening, "2027-03-07T22:30", calendar)
    assert not _active(evening, "2027-03-07T19:00", calendar)


@pytest.mark.parametrize(
    ("first", "hours"),
    [("2027-03-27T22:00", 7), ("2027-10-30T22:00", 9), ("2027-06-01T22:00", 8)],
)
def test_a_night_in_which_the_clocks_change(first: str, hours: int) -> None:
    """From ten to six is seven hours in spring and nine in autumn, without a hole."""
    night = _interval(times={"from": "22:00", "to": "06:00"})
    start = datetime.fromisoformat(first).replace(tzinfo=DUBLIN.zone).astimezone(UTC)
    minutes = [night.active(start + timedelta(minutes=m), DUBLIN) for m in range(-1, hours * 60 + 1)]
    assert minutes == [False, *[True] * (hours * 60), False]


@given(
    st.sampled_from([date(2027, 3, 28), date(2027, 10, 31), date(2027, 6, 1)]),
    st.lists(st.builds(time, st.integers(0, 2), st.integers(0, 59)), min_size=1, max_size=5, unique=True),
    st.integers(0, 4 * 60),
)
def test_shifts_that_meet_leave_no_hole_and_no_overlap(day: date, clocks: list[Any], minute: int) -> None:
    """Whatever the hours at which they meet, also those that are skipped or repeated: one is on at any instant."""
    edges = sorted(clocks)
    windows = [
        Window.model_validate({"from": start, "to": end})
        for start, end in zip(edges, [*edges[1:], edges[0]], strict=True)
    ]
    now = DUBLIN.day_bounds(day)[0] + timedelta(minutes=minute)
    spans = [span for window in windows for span in stretches(day, day, OnDays(), window, DUBLIN)]
    assert sum(start <= now < end for start, end in spans) == 1
    assert sum(is_within(now, OnDays(), window, DUBLIN) for window in windows) == 1


@pytest.mark.parametrize(
    ("keys", "mend"),
    [
        ({"dates": "1 March"}, "try 2027-03-01"),
        ({"dates": "2027-03-07/2027-03-01"}, "ends before it begins"),
        ({"weekdays": "someday"}, "'mon'"),
        ({"times": {"from": "22:00Z", "to": "06:00"}}, "no zone"),
        ({"times": {"from": 22, "to": "06:00"}}, "in quotes"),
        ({"times": {"from": "22:00:30", "to": "06:00"}}, "hours and minutes only"),
        ({"times": []}, "at least 1"),
        ({"phases": "polling"}, "polling-day"),
    ],
)
def test_a_wrong_interval_says_what_it_should_be(keys: dict[str, Any], mend: str) -> None:
    """Not a date, not a day, a zone where none may be, nothing at all."""
    with pytest.raises(ValidationError, match=mend):
        _interval(**keys)
