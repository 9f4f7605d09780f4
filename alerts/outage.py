"""What is wrong with this machine, and not with everything it watches: no network, a clock that went back. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.errors import FeedErrorKind
from monitor.types import Said, host_of

LEAST_HOSTS = 3  # that cannot be reached: fewer may well be down together
AHEAD = timedelta(seconds=60)  # clocks of a fleet differ by less

_UNREACHED = (FeedErrorKind.DNS, FeedErrorKind.CONNECT, FeedErrorKind.TIMEOUT)


def unreached(feeds: Mapping[str, Any]) -> Said | None:
    """What to say of ``feeds`` (see ``health.coverage``) in one sentence when no server at all is heard any more."""
    rows = feeds["failing_feeds"]
    asked = feeds["total"] - feeds["disabled"] - feeds["new"]
    kinds = Counter(row["error_kind"] for row in rows)
    if feeds["failing"] < asked or not kinds.keys() <= set(_UNREACHED):
        return None
    if len({host_of(row["url"]) for row in rows}) < LEAST_HOSTS:
        return None
    form = Said(
        "none of {count} feeds can be reached ({feed_error}): see to this machine's network and name server "
        "(`getent hosts example.org`); the feeds are asked again by themselves"
    )
    return form.filled(count=asked, feed_error=kinds.most_common(1)[0][0])


def clock_went_back(ran: Mapping[str, Mapping[str, Any]], now: datetime, zone: ZoneInfo) -> Said | None:
    """What to say when a stage of ``ran`` (see ``runs.latest``) ended at a time that is still to come."""
    ended = max((row["finished_at"] for row in ran.values() if row["finished_at"]), default=now)
    if ended <= now + AHEAD:
        return None
    form = Said(
        "the clock went back: a stage ended at {at}, which is still to come; see that it is right (`timedatectl`)"
    )
    return form.filled(at=ended.astimezone(zone).strftime("%Y-%m-%d %H:%M"))
