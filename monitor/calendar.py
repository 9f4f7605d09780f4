"""Election phases from one table of instants. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.types import Phase


@dataclass(frozen=True, slots=True)
class Calendar:
    """The dates of one election, local to ``zone``. A date that is None leaves its phase out."""

    zone: ZoneInfo
    nomination_opens: date | None = None
    nomination_closes: date | None = None
    polling_opens: datetime | None = None
    polling_closes: datetime | None = None
    count_ends: datetime | None = None

    def phase(self, now: datetime) -> Phase:
        """The phase at ``now`` (aware). Polling day begins at local midnight, the count when the polls close."""
        local = now.astimezone(self.zone)
        if self.polling_opens and self.polling_closes:
            ends = self.count_ends or self.polling_closes + timedelta(days=1)
            if now >= ends:
                return Phase.AFTER
            if now >= self.polling_closes:
                return Phase.COUNT
            if local.date() >= self.polling_opens.astimezone(self.zone).date():
                return Phase.POLLING_DAY
        if self.nomination_closes and local.date() > self.nomination_closes:
            return Phase.CAMPAIGN
        if self.nomination_opens and local.date() >= self.nomination_opens:
            return Phase.NOMINATION
        return Phase.BEFORE

    def turns(self) -> list[datetime]:
        """The instants at which one phase may give way to another."""
        days = [
            self.nomination_opens,
            self.nomination_closes and self.nomination_closes + timedelta(days=1),
            self.polling_opens and self.local_date(self.polling_opens),
        ]
        closes = self.polling_closes
        instants = [closes, self.count_ends or (closes and closes + timedelta(days=1))]
        return sorted([*(self.at(day, time()) for day in days if day), *(each for each in instants if each)])

    def local_date(self, now: datetime) -> date:
        """The date on the wall at ``now``."""
        return now.astimezone(self.zone).date()

    def at(self, day: date, clock: time) -> datetime:
        """The first instant of ``day`` at which the wall clock shows ``clock`` or later, as UTC.

        In the hour that a spring change skips, this is the moment after the jump; in the hour that an autumn
        change repeats, it is the first of the two.
        """
        local = datetime.combine(day, clock.replace(fold=0), tzinfo=self.zone)
        instant = local.astimezone(UTC)
        shown = instant.astimezone(self.zone)
        return instant if shown.replace(tzinfo=None) == local.replace(tzinfo=None) else self._jump_before(instant)

    def _jump_before(self, instant: datetime) -> datetime:
        """When the clocks were last put forward before ``instant``, a day at most."""
        after = instant.replace(microsecond=0)
        before = after - timedelta(days=1)
        new = after.astimezone(self.zone).utcoffset()
        while after - before > timedelta(seconds=1):
            middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
            if middle.astimezone(self.zone).utcoffset() == new:
                after = middle
            else:
                before = middle
        return after

    def day_bounds(self, day: date) -> tuple[datetime, datetime]:
        """First instant of the local day and of the next, as UTC; 23 or 25 hours apart at a clock change."""
        return self.at(day, time()), self.at(day + timedelta(days=1), time())
