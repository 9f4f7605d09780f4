"""The stage that lets a few items a day be looked at though nobody flagged them, so that misses become visible."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from monitor import logs
from monitor.config import Settings
from monitor.store import Store, incidents, items
from monitor.types import StageReport

# "Nearly flagged" are so many of the highest scores of the day, as a share of all and at least.
_UNCERTAIN_SHARE = 0.05
_UNCERTAIN_LEAST = 20


class Sample(StrEnum):
    """How a sample was drawn."""

    UNCERTAIN = "uncertain"  # of those that were nearly flagged
    RANDOM = "random"  # of all others


def sample(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Draw yesterday's samples, once: each becomes an incident that is marked and stays alone. Counts: ``drawn``.

    Yesterday is the local day before ``now``. All are written in one transaction, or none.
    """
    zone = settings.calendar.zone
    today = now.astimezone(zone).date()
    day = today - timedelta(days=1)
    start, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (day, today))
    wanted = (settings.triage.samples_uncertain, settings.triage.samples_random)
    with store.read() as connection:
        nothing = not any(wanted) or incidents.sampled(connection, day.isoformat())
        if nothing or not incidents.unflagged(connection, start, end):
            return StageReport("sample", {"drawn": 0})
    with store.write() as connection:
        if incidents.sampled(connection, day.isoformat()):  # another process was faster
            return StageReport("sample", {"drawn": 0})
        drawn = draw(incidents.unflagged(connection, start, end), day, *wanted)
        for _id, item in sorted(items.by_id(connection, drawn).items()):
            incident_id = incidents.add(connection, item, None, now, sample=drawn[item.id], sampled_on=day.isoformat())
            incidents.add_item(connection, incident_id, item, "sample", 1.0, now)
            logs.tell("item.group", item=item.id, feed=item.feed_id, incident=incident_id, reason="sample")
    return StageReport("sample", {"drawn": len(drawn)})


def draw(scored: Sequence[tuple[int, float]], day: date, uncertain: int, random: int) -> dict[int, Sample]:
    """The items to look at, of pairs of id and score: so many of the highest scores, so many of the others.

    Chance is a hash of day and id: the same items are drawn whoever asks, and nobody can choose them.
    """
    ranked = sorted(scored, key=lambda pair: (-pair[1], pair[0]))
    nearly = max(_UNCERTAIN_LEAST, round(len(ranked) * _UNCERTAIN_SHARE))

    def lots(pairs: Sequence[tuple[int, float]], count: int) -> list[int]:
        return sorted((id for id, _ in pairs), key=lambda id: _lot(day, id))[:count]

    chosen = dict.fromkeys(lots(ranked[:nearly], uncertain), Sample.UNCERTAIN)
    return chosen | dict.fromkeys(lots(ranked[nearly:], random), Sample.RANDOM)


def _lot(day: date, item_id: int) -> bytes:
    return hashlib.sha256(f"{day.isoformat()} {item_id}".encode()).digest()
