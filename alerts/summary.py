"""The counts behind the digest, gathered once, so that its text, its HTML and its JSON cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from alerts.legs import measure
from monitor.config import Settings
from monitor.health import coverage
from monitor.store import Store, alert_list, feeds, passages, summary, versions
from monitor.types import Lang, Phase, page_url

# The clocks of the mail, and what it calls them.
LEGS = (
    ("feed", "Published to first seen"),
    ("alert", "Assessed to alerted"),
    ("take", "Alerted to taken"),
    ("decide", "Taken to decided"),
    ("clarify", "Decided to clarified"),
    ("whole", "First seen to clarified"),
)
SHOWN = 12  # alerts listed in the mail; the rest is counted


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
    alerts: Sequence[Mapping[str, Any]]  # the most urgent live ones, at most SHOWN
    decisions_made: int
    decided: Sequence[Mapping[str, Any]]  # the newest of them
    clarified: Sequence[Mapping[str, Any]]  # what the public was told in the period, the newest first, with its `url`
    collected: Mapping[str, Any]
    flagged: Mapping[str, Any]
    backlog: Mapping[str, int]
    feeds: Mapping[str, Any]
    clocks: Mapping[str, Any]  # of the alerts opened in the period: legs by name, see alerts.legs
    provenance: Mapping[str, Any]

    @property
    def headline(self) -> str:
        """What a lead must know before opening the mail."""
        live, overdue = self.queue["live"], self.queue["overdue"]
        if not live:
            return "nothing to decide"
        urgent = self.queue["by_priority"].get("P1", 0)
        parts = [f"{live} to decide", f"{urgent} urgent" if urgent else "", f"{overdue} past due" if overdue else ""]
        return ", ".join(part for part in parts if part)

    def sections(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return {
            "period": {"start": self.start.isoformat(), "end": self.end.isoformat(), "phase": self.phase.value},
            "open": {**self.queue, "alerts": list(self.alerts)},
            "silences": dict(self.silences),
            "decided": {"decisions": self.decisions_made, "newest": list(self.decided)},
            "clarified": list(self.clarified),
            "clocks": dict(self.clocks),
            "found": {**self.collected, **self.flagged},
            "coverage": {**self.feeds, **self.backlog},
            "provenance": dict(self.provenance),
        }


def gather(store: Store, settings: Settings, day: date, start: datetime, end: datetime, now: datetime) -> Summary:
    """Read everything the digest says, at one instant of the store: its list and its counts belong together."""
    calendar = settings.calendar
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
            alerts=alert_list.listing(connection, limit=SHOWN, now=now),
            decisions_made=summary.decisions_made(connection, start, end),
            decided=summary.decided(connection, start, end),
            clarified=[
                {**row, "url": page_url(settings.publish.base_url, row["slug"], Lang.EN)}
                for row in versions.between(connection, start, end)
            ],
            collected=summary.collected(connection, start, end),
            flagged=summary.flagged(connection, start, end),
            backlog=summary.backlog(connection),
            feeds=coverage(feeds.listing(connection), calendar.zone),
            clocks=measure(passages.between(connection, start, end))["legs"],
            provenance=summary.provenance(connection),
        )
