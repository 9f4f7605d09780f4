"""How soon entries are seen by the rhythm of their feeds, beside fixed intervals with as many requests. On demand:

    POLLWATCH_SHARED=/path/to/shared python tests/benchmarks/rhythm.py

Two parts: recorded states of two real feeds (``$POLLWATCH_SHARED/feeds/series``, left out without the variable), and
feeds made up of inhomogeneous Poisson processes with office hours, where the truth is known. The schedule is the one
that ``collect`` uses; it learns only from what it saw at its own earlier polls.

Of a recorded feed the truth is known in the stretches between two states that share an entry, and from midnight to a
state of a feed that lists the current day alone. An entry appears at its own date, at the earliest after the last
state that does not list it, and is gone at the first state that no longer does. Time outside of these stretches does
not exist here, for neither side: no request, nothing to see, nothing to learn.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.parse import parse
from monitor.rhythm import Bounds, next_check, observe
from monitor.types import Document, Entry, Feed, Role

PHASES = 8  # of the fixed grid, and first polls of the rhythm
CAMPAIGN, POLLING_DAY = Bounds(300, 3600, 600), Bounds(60, 600, 600)
RECORDED = {"rnz": ("Pacific/Auckland", False), "straittimes": ("Asia/Singapore", True)}  # the second lists one day
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Story:
    """An entry, and from when to when its feed lists it."""

    entry: Entry
    appears: datetime
    gone: datetime


@dataclass(frozen=True)
class Source:
    """A feed of which the truth is known within ``stretches``; ``stories`` in the order in which they appear."""

    name: str
    zone: ZoneInfo
    stretches: Sequence[tuple[datetime, datetime]]
    stories: Sequence[Story]

    @property
    def seconds(self) -> float:
        return sum((end - start).total_seconds() for start, end in self.stretches)


@dataclass
class Seen:
    """What one schedule saw: delays in minutes, entries that no poll found, requests."""

    delays: list[float]
    missed: int = 0
    requests: int = 0


def replay(source: Source, polls: Iterator[datetime], tell: Schedule | None = None) -> Seen:
    """Ask at ``polls``; ``tell`` is a schedule that is told what each poll found."""
    appears = [story.appears for story in source.stories]
    found = Seen([])
    last: datetime | None = None
    for now in polls:
        found.requests += 1
        stretch = max(start for start, _ in source.stretches if start <= now)
        last = stretch if last is None or last < stretch else last
        fresh = source.stories[bisect_right(appears, last) : bisect_right(appears, now)]
        new = [story for story in fresh if story.gone > now]
        found.delays += [(now - story.appears).total_seconds() / 60 for story in new]
        found.missed += len(fresh) - len(new)
        if tell is not None:
            tell.saw([story.entry for story in new], last, now)
        last = now
    return found


class Schedule:
    """The schedule of ``collect`` for one source: iterate for the polls, ``saw`` tells it what one of them found."""

    def __init__(self, source: Source, bounds: Bounds, phase: float) -> None:
        self.source, self.bounds, self.phase = source, bounds, phase
        self.feed = Feed(1, "https://a.example/rss", source.name, Role.MEDIA, None, True)
        self.listed: list[Entry] = []
        self.due = NEVER

    def __iter__(self) -> Iterator[datetime]:
        for start, end in self.source.stretches:
            self.listed = [s.entry for s in self.source.stories if s.appears <= start < s.gone]
            if self.feed.rhythm is not None:
                self.feed = replace(self.feed, rhythm=replace(self.feed.rhythm, until=start))
            self.due = start + timedelta(seconds=self.bounds.default_s * self.phase)
            while self.due < end:
                yield self.due

    def saw(self, new: Sequence[Entry], since: datetime, now: datetime) -> None:
        """The document at ``now`` held ``new`` beside what was listed before; ``since`` was the last poll."""
        self.listed = [*new, *self.listed][:20]
        feed = replace(self.feed, last_success_at=since if self.feed.rhythm else None)
        rhythm = observe(feed, Document("", "rss20", tuple(self.listed)), new, now, self.source.zone)
        self.feed = replace(feed, rhythm=rhythm)
        self.due = next_check(self.feed, self.bounds, now, self.source.zone)


def grid(source: Source, interval_s: float, phase: float) -> Iterator[datetime]:
    """Polls at a fixed interval, wherever the truth is known."""
    step = timedelta(seconds=interval_s)
    origin = source.stretches[0][0] - step + step * phase
    for start, end in source.stretches:
        now = origin + step * ((start - origin) // step + 1)
        while now < end:
            yield now
            now += step


def recorded(folder: Path, name: str) -> Source:
    """The truth about one recorded series."""
    zone, one_day = ZoneInfo(RECORDED[name][0]), RECORDED[name][1]
    first: dict[str, tuple[Entry, datetime]] = {}
    gone: dict[str, datetime] = {}
    stretches: list[tuple[datetime, datetime]] = []
    before: tuple[datetime, set[str]] | None = None
    for file in sorted((folder / name).iterdir()):
        now = datetime.fromtimestamp(int(file.name.split("-")[0]), UTC)
        document = parse(file.read_bytes(), f"https://{name}.example/rss", "application/xml", zone)
        keys = {entry.key for entry in document.entries}
        if before is not None:
            gone |= {key: now for key in before[1] - keys if key not in gone}
            midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0).astimezone(UTC)
            start = before[0] if before[1] & keys else max(before[0], midnight) if one_day else now
            stretches.append((start, now))
        earliest = before[0] + timedelta(seconds=1) if before else now
        for entry in document.entries:
            appears = min(max(entry.published_at or now, earliest), now)
            first.setdefault(entry.key, (entry, appears))
        before = now, keys
    joined = join(stretches)
    stories = [Story(entry, appears, gone.get(key, NEVER)) for key, (entry, appears) in first.items()]
    known = [s for s in stories if any(start < s.appears <= end for start, end in joined)]
    return Source(name, zone, joined, sorted(known, key=lambda s: s.appears))


def join(stretches: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Stretches that touch made one; empty ones left out."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(s for s in stretches if s[0] < s[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def office(per_hour: float, seed: int, weeks: int = 6) -> Source:
    """A feed that brings ``per_hour`` entries in office hours, fewer in the evening and at weekends, few at night."""
    dice, zone = random.Random(seed), ZoneInfo("Asia/Hong_Kong")
    start = datetime(2027, 1, 4, tzinfo=zone).astimezone(UTC)
    end = start + timedelta(weeks=weeks)
    stories, now = [], start
    while (now := now + timedelta(hours=dice.expovariate(per_hour))) < end:
        local = now.astimezone(zone)
        share = 1.0 if 9 <= local.hour < 19 else 0.4 if 7 <= local.hour < 23 else 0.03
        if dice.random() < share * (0.4 if local.weekday() >= 5 else 1.0):
            key = str(len(stories))
            stories.append(Story(Entry(key, key, None, key, "", None, now), now, NEVER))
    return Source(f"{per_hour:g} an hour", zone, [(start, end)], stories)


def compare(sources: Sequence[Source], bounds: Bounds) -> None:
    """Print both sides for each source, each pair with equally many requests, and for all sources as one desk."""
    pooled: dict[str, list[Seen]] = {"rhythm": [], "fixed": []}
    for source in sources:
        sides: dict[str, list[Seen]] = {"rhythm": [], "fixed": []}
        for phase in range(PHASES):
            schedule = Schedule(source, bounds, phase / PHASES)
            sides["rhythm"].append(replay(source, iter(schedule), schedule))
        interval_s = source.seconds / statistics.mean(seen.requests for seen in sides["rhythm"])
        for phase in range(PHASES):
            sides["fixed"].append(replay(source, grid(source, interval_s, phase / PHASES)))
        show(f"{source.name}, fixed {interval_s / 60:.1f} min", sides)
        pooled["rhythm"] += sides["rhythm"]
    interval_s = sum(s.seconds for s in sources) * PHASES / sum(seen.requests for seen in pooled["rhythm"])
    for source in sources:
        pooled["fixed"] += [replay(source, grid(source, interval_s, phase / PHASES)) for phase in range(PHASES)]
    show(f"together, fixed {interval_s / 60:.1f} min", pooled)


def show(name: str, sides: dict[str, list[Seen]]) -> None:
    """Print one comparison: median, mean and 90th percentile of the delay in minutes, and the spread over phases."""
    print(f"  {name}")
    figures = {}
    for side, runs in sides.items():
        delays = [delay for seen in runs for delay in seen.delays]
        cuts = statistics.quantiles(delays, n=10)
        figures[side] = (cuts[4], statistics.mean(delays), cuts[8])
        medians = [statistics.median(seen.delays) for seen in runs if seen.delays]
        print(
            f"    {side:<7} {sum(s.requests for s in runs) / PHASES:>8.0f} requests, "
            f"{len(delays) / PHASES:>6.0f} seen, {sum(s.missed for s in runs) / PHASES:>4.1f} missed;  "
            f"median {cuts[4]:6.2f} ({min(medians):.2f} to {max(medians):.2f})  "
            f"mean {figures[side][1]:6.2f}  p90 {cuts[8]:6.2f}"
        )
    ratio = [a / b for a, b in zip(figures["rhythm"], figures["fixed"], strict=True)]
    print(f"    rhythm / fixed: median {ratio[0]:.2f}  mean {ratio[1]:.2f}  p90 {ratio[2]:.2f}")


def main() -> int:
    """Replay, simulate and print."""
    folder = os.environ.get("POLLWATCH_SHARED")
    if folder:
        sources = [recorded(Path(folder) / "feeds" / "series", name) for name in RECORDED]
        for source in sources:
            print(f"{source.name}: {len(source.stories)} entries in {source.seconds / 3600:.0f} hours of known truth")
        for name, bounds in (("campaign", CAMPAIGN), ("polling day", POLLING_DAY)):
            print(f"recorded, bounds of {name}")
            compare(sources, bounds)
    else:
        print("POLLWATCH_SHARED names no folder of recorded feeds", file=sys.stderr)
    print("made up, office hours, bounds of campaign")
    compare([office(rate, seed) for seed, rate in enumerate((0.1, 0.3, 1.0, 3.0, 10.0))], CAMPAIGN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
