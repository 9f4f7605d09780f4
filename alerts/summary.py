"""The counts behind the digest, gathered once, so that its text, its HTML and its JSON cannot disagree."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from statistics import median_low
from typing import Any
from zoneinfo import ZoneInfo

from alerts.coverage import Coverage, coverage
from alerts.legs import MEASURED, measure
from alerts.parity import DAYS as PARITY_DAYS
from alerts.parity import Parity, read_parity
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.reference import load_watchlist
from monitor.store import Store, alert_list, passages, summary, versions
from monitor.types import Lang, Names, Phase, page_url

LISTED = 200  # alerts that are read; the rest is counted
SPREADING = 5
TREND_DAYS = 14


@dataclass(frozen=True, slots=True)
class Day:
    """A day up to the digest of ``date``: items flagged, alerts decided, and within how many minutes half of these."""

    date: date
    flagged: int
    decided: int
    decide_p50: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What the digest of ``date`` says about [start, end); the queue is as it stood at ``made_at``."""

    date: date
    start: datetime
    end: datetime
    made_at: datetime
    zone: ZoneInfo
    election: str
    phase: Phase
    queue: Mapping[str, Any]
    silences: Mapping[str, Any]
    alerts: Sequence[Mapping[str, Any]]  # the most urgent live ones, at most LISTED
    decisions_made: int
    decided: Sequence[Mapping[str, Any]]  # the newest of them
    clarified: Sequence[Mapping[str, Any]]  # what the public was told in the period, the newest first, with its `urls`
    spreading: Sequence[Mapping[str, Any]]  # what most items joined in the period
    missed: Sequence[Mapping[str, Any]]  # found false in the period, and nothing had flagged it
    slow: Mapping[str, int]  # of the alerts opened in the period: what came too late
    days: Sequence[Day]  # TREND_DAYS, each from one digest's time to the next; the last ends with the period
    collected: Mapping[str, Any]
    flagged: Mapping[str, Any]
    coverage: Coverage
    clocks: Mapping[str, Any]  # of the alerts opened in the period: legs by name, see alerts.legs
    names: Mapping[str, Names]  # of candidates and offices, by the id that alerts name them by
    parity: Parity | None  # of the seven days before ``end``; None: the watchlist cannot be read
    provenance: Mapping[str, Any]

    def sections(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return {
            "period": {"start": self.start.isoformat(), "end": self.end.isoformat(), "phase": self.phase.value},
            "open": {**self.queue, "alerts": list(self.alerts)},
            "silences": dict(self.silences),
            "decided": {"decisions": self.decisions_made, "newest": list(self.decided)},
            "clarified": list(self.clarified),
            "spreading": list(self.spreading),
            "missed": list(self.missed),
            "slow": dict(self.slow),
            "days": [asdict(day) for day in self.days],
            "clocks": dict(self.clocks),
            "found": {**self.collected, **self.flagged},
            "coverage": self.coverage.as_json(),
            "parity": self.parity.as_json() if self.parity else None,
            "provenance": dict(self.provenance),
        }


def gather(store: Store, settings: Settings, day: date, start: datetime, end: datetime, now: datetime) -> Summary:
    """Read everything the digest says, at one instant of the store: its list and its counts belong together.

    Parity, which is of a week and of no list, is read by itself.
    """
    calendar = settings.calendar
    names, parity = _people(store, settings, end)
    dates = [day - timedelta(days=back) for back in range(TREND_DAYS - 1, -1, -1)]
    starts = [calendar.at(each - timedelta(days=1), settings.digest.time) for each in dates]
    with store.read() as connection:
        return Summary(
            date=day,
            start=start,
            end=end,
            made_at=now,
            zone=calendar.zone,
            election=settings.election.name,
            phase=calendar.phase(now),
            queue=summary.queue(connection, now),
            silences=summary.silenced(connection, now),
            alerts=alert_list.listing(connection, limit=LISTED, now=now),
            decisions_made=summary.decisions_made(connection, start, end),
            decided=summary.decided(connection, start, end),
            clarified=[
                {**row, "urls": {lang: page_url(settings.publish.base_url, row["slug"], lang) for lang in _PAGES}}
                for row in versions.between(connection, start, end)
            ],
            spreading=summary.spreading(connection, start, end, SPREADING),
            missed=summary.missed(connection, start, end, SPREADING),
            slow=summary.slow(connection, start, end),
            days=by_day(
                dates,
                [*starts, end],
                summary.flagged_since(connection, starts[0]),
                summary.turns(connection, starts[0]),
            ),
            collected=summary.collected(connection, start, end),
            flagged=summary.flagged(connection, start, end),
            coverage=coverage(connection, settings, now),
            clocks=measure(passages.between(connection, start, end, newest=MEASURED))["legs"],
            names=names,
            parity=parity,
            provenance=summary.provenance(connection),
        )


_PAGES = (Lang.EN, Lang.HANT)


def by_day(
    dates: Sequence[date],
    bounds: Sequence[datetime],
    flagged: Iterable[tuple[datetime, int]],
    turns: Iterable[tuple[datetime, float]],
) -> list[Day]:
    """What happened on each of some days, which lie between ``bounds``, one more than there are days. Pure.

    ``flagged`` are instants and counts, ``turns`` instants of decisions and the minutes that they took.
    """
    counts = [0] * len(dates)
    took: list[list[float]] = [[] for _ in dates]
    for at, count in flagged:
        if bounds[0] <= at < bounds[-1]:
            counts[bisect_right(bounds, at) - 1] += count
    for at, minutes in turns:
        if bounds[0] <= at < bounds[-1]:
            took[bisect_right(bounds, at) - 1].append(minutes)
    return [
        Day(each, count, len(spans), round(median_low(spans), 2) if spans else None)
        for each, count, spans in zip(dates, counts, took, strict=True)
    ]


def _people(store: Store, settings: Settings, end: datetime) -> tuple[Mapping[str, Names], Parity | None]:
    """A watchlist that cannot be read must not keep the mail back; `status` and the other stages name its fault."""
    try:
        _watchlist, file = load_watchlist(settings)
        parity = read_parity(store, settings, end - timedelta(days=PARITY_DAYS), end)
    except ConfigError:
        return {}, None
    return file.spoken(), parity
