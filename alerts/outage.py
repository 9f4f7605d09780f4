"""What is wrong with this machine, and not with everything it watches: no network, a clock that went back. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.outage import unheard
from monitor.types import Feed, Said

AHEAD = timedelta(seconds=60)  # clocks of a fleet differ by less


@dataclass(frozen=True, slots=True)
class Outage:
    """No server at all is heard any more: what to say in one sentence in place of one for each of ``feeds`` (ids)."""

    said: Said
    feeds: frozenset[int]


def unreached(feeds: Iterable[Feed]) -> Outage | None:
    """Whether none of the feeds that were asked last can be reached, see ``monitor.outage``."""
    since = unheard(feeds)
    if not since:
        return None
    form = Said(
        "none of the {count} feeds asked last can be reached ({feed_error}): see to this machine's network and name "
        "server (`getent hosts example.org`); the feeds are asked again by themselves"
    )
    commonest = Counter(feed.error_kind for feed in since).most_common(1)[0][0]
    return Outage(form.filled(count=len(since), feed_error=commonest), frozenset(feed.id for feed in since))


def clock_went_back(ran: Mapping[str, Mapping[str, Any]], now: datetime, zone: ZoneInfo) -> Said | None:
    """What to say when a stage of ``ran`` (see ``runs.latest``) ended at a time that is still to come."""
    ended = max((row["finished_at"] for row in ran.values() if row["finished_at"]), default=now)
    if ended <= now + AHEAD:
        return None
    form = Said(
        "the clock went back: a stage ended at {at}, which is still to come; see that it is right (`timedatectl`)"
    )
    return form.filled(at=ended.astimezone(zone).strftime("%Y-%m-%d %H:%M"))
