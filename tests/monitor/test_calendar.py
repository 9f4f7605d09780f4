"""Phases and wall clocks, over clock changes and leap days too."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.calendar import Calendar
from monitor.types import Phase

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
DUBLIN = ZoneInfo("Europe/Dublin")


def _election() -> Calendar:
    return Calendar(
        zone=HONG_KONG,
        nomination_opens=date(2027, 1, 11),
        nomination_closes=date(2027, 1, 24),
        polling_opens=datetime(2027, 3, 14, 8, 30, tzinfo=HONG_KONG),
        polling_closes=datetime(2027, 3, 14, 22, 30, tzinfo=HONG_KONG),
    )


@pytest.mark.parametrize(
    ("local", "phase"),
    [
        (datetime(2027, 1, 10, 23, 59), Phase.BEFORE),
        (datetime(2027, 1, 11, 0, 0), Phase.NOMINATION),
        (datetime(2027, 1, 24, 23, 59), Phase.NOMINATION),
        (datetime(2027, 1, 25, 0, 0), Phase.CAMPAIGN),
        (datetime(2027, 3, 13, 23, 59), Phase.CAMPAIGN),
        (datetime(2027, 3, 14, 0, 0), Phase.POLLING_DAY),
        (datetime(2027, 3, 14, 22, 29), Phase.POLLING_DAY),
        (datetime(2027, 3, 14, 22, 30), Phase.COUNT),
        (datetime(2027, 3, 15, 22, 30), Phase.AFTER),
    ],
)
def test_each_phase_begins_at_its_minute(local: datetime, phase: Phase) -> None:
    """The phase changes at local midnights and at the close of the poll."""
    assert _election().phase(local.replace(tzinfo=HONG_KONG)) == phase


def test_without_dates_it_is_before() -> None:
    """An empty calendar is no fault."""
    assert Calendar(zone=HONG_KONG).phase(datetime(2027, 1, 1, tzinfo=UTC)) == Phase.BEFORE


def test_a_day_has_23_24_or_25_hours() -> None:
    """Periods follow the wall clock, not the number of seconds."""
    calendar = Calendar(zone=DUBLIN)
    hours = {
        day: (calendar.day_bounds(day)[1] - calendar.day_bounds(day)[0]) / timedelta(hours=1)
        for day in (date(2027, 3, 28), date(2027, 10, 31), date(2028, 2, 29))
    }
    assert hours == {date(2027, 3, 28): 23, date(2027, 10, 31): 25, date(2028, 2, 29): 24}


def test_a_skipped_and_a_repeated_hour_have_one_instant() -> None:
    """08:00 is easy; 01:30 on the two odd nights must neither vanish nor come twice, nor come after two o'clock."""
    calendar = Calendar(zone=DUBLIN)
    assert calendar.at(date(2027, 3, 28), time(1, 30)) == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    assert calendar.at(date(2027, 3, 28), time(1, 59, 59, 9)) == calendar.at(date(2027, 3, 28), time(2, 0))
    assert calendar.at(date(2027, 10, 31), time(1, 30)) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
