"""Stretches of local time that come again: the hours of a route, the shifts of a rota. Pure.

A stretch belongs to the local day on which it begins, also when it ends after midnight. Its ends are instants, found
with the calendar of the election, so that two shifts that meet at an hour meet when the clocks change as well: the hour
that an autumn change repeats belongs to what is on then until the first time at which the clock shows its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from alerts.tables import AtLeastOne, Name, Several, Table
from monitor.calendar import Calendar
from monitor.types import Phase


class Weekday(StrEnum):
    """In the order of ``date.weekday``."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


def _written(value: Any) -> Any:
    if not isinstance(value, str | time):  # a number would be read as seconds
        raise ValueError('write a local time in quotes; try "22:00"')  # noqa: TRY004 - pydantic reads it
    return value


def _local(clock: time) -> time:
    if clock.tzinfo is not None:
        raise ValueError("a local time has no zone; try 22:00")
    if clock.second or clock.microsecond:
        raise ValueError("a local time has hours and minutes only; try 22:00")
    return clock


def _days(value: Any) -> Any:
    """``2027-03-01`` as a range of one day; ``2027-03-01/2027-03-07`` as one of seven (ISO 8601)."""
    first, slash, last = str(value).partition("/")
    try:
        days = date.fromisoformat(first), date.fromisoformat(last if slash else first)
    except ValueError:
        raise ValueError(f"“{value}” is no date; try 2027-03-01, or 2027-03-01/2027-03-07") from None
    if days[0] > days[1]:
        raise ValueError(f"“{value}” ends before it begins")
    return days


Clock = Annotated[time, BeforeValidator(_written), AfterValidator(_local)]
Days = Annotated[tuple[date, date], BeforeValidator(_days)]


class OnDays(Table):
    """On which local days: every key given must hold, with any of its values; without keys, every day."""

    weekdays: Annotated[tuple[Weekday, ...], Several, AtLeastOne] | None = None
    dates: Annotated[tuple[Days, ...], Several, AtLeastOne] | None = None

    def holds(self, day: date) -> bool:
        """Whether ``day`` is one of them."""
        right_weekday = self.weekdays is None or tuple(Weekday)[day.weekday()] in self.weekdays
        return right_weekday and (self.dates is None or any(first <= day <= last for first, last in self.dates))


class Window(Table):
    """From one local time until another; until the next day where that is not later: equal ones are a whole day."""

    start: Clock = Field(alias="from")
    end: Clock = Field(alias="to")


WHOLE_DAY = Window.model_validate({"from": time(), "to": time()})


class Interval(OnDays):
    """A ``[[time_interval]]``. ``phases`` are those of the election's calendar."""

    name: Name
    times: Annotated[tuple[Window, ...], Several, AtLeastOne] = (WHOLE_DAY,)
    phases: Annotated[tuple[Phase, ...], Several, AtLeastOne] | None = None

    def active(self, now: datetime, calendar: Calendar) -> bool:
        """Whether ``now`` lies in it."""
        if self.phases is not None and calendar.phase(now) not in self.phases:
            return False
        return any(is_within(now, self, window, calendar) for window in self.times)


def is_within(now: datetime, days: OnDays, window: Window, calendar: Calendar) -> bool:
    """Whether ``now`` lies in ``window`` as it begins on one of ``days``."""
    today = calendar.local_date(now)
    return any(start <= now < end for start, end in stretches(today, today, days, window, calendar))


def stretches(
    first: date, last: date, days: OnDays, window: Window, calendar: Calendar
) -> Iterator[tuple[datetime, datetime]]:
    """When ``window`` begins and ends, as instants, for those of ``days`` whose stretch may reach into first … last."""
    day = first - timedelta(days=1)
    while day <= last:
        if days.holds(day):
            until = day if window.end > window.start else day + timedelta(days=1)
            yield calendar.at(day, window.start), calendar.at(until, window.end)
        day += timedelta(days=1)
