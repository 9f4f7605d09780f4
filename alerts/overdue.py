"""Whether the digest of today should have been with its receivers by now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitor.config import Settings
from monitor.store import Connection, notices

KIND = "digest"
GRACE = timedelta(minutes=15)  # for a mail server that asks us to come again


@dataclass(frozen=True, slots=True)
class Overdue:
    """The digest of ``date``: who has none written, who all have not had it, and whether it would be the first ever."""

    date: date
    unwritten: tuple[str, ...]
    unserved: tuple[str, ...]
    first: bool  # the program was just set up, late in the day


def due_date(settings: Settings, now: datetime) -> date | None:
    """Today, once the wall clock has passed the digest's time; None before."""
    calendar = settings.calendar
    today = calendar.local_date(now)
    return today if now >= calendar.at(today, settings.digest.time) else None


def overdue(connection: Connection, settings: Settings, now: datetime) -> Overdue | None:
    """What is late by more than GRACE; None when every receiver has had today's, or it is not time yet."""
    day = due_date(settings, now)
    if day is None:
        return None
    if now < settings.calendar.at(day, settings.digest.time) + GRACE:
        return None
    addresses = [receiver.address for receiver in settings.digest.receivers]
    written = notices.receivers_of(connection, KIND, day.isoformat())
    served = notices.served(connection, KIND, day.isoformat())
    late = Overdue(
        day,
        tuple(each for each in addresses if each not in written),
        tuple(each for each in addresses if each not in served),
        not written and notices.last_period_end(connection, KIND, day.isoformat()) is None,
    )
    return late if late.unserved else None
