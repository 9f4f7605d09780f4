"""What is wrong with this machine, and not with everything it watches: no network, a clock that went back. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.errors import UNREACHED, FeedErrorKind
from monitor.types import Feed, Said

LEAST_HOSTS = 3  # that cannot be reached: fewer may well be down together
FELL = timedelta(days=1)  # who was last read longer ago is down by himself
AHEAD = timedelta(seconds=60)  # clocks of a fleet differ by less

_UNASKED = (FeedErrorKind.BLOCKED, FeedErrorKind.INTERNAL)  # says nothing of the network


@dataclass(frozen=True, slots=True)
class Outage:
    """No server at all is heard any more: what to say in one sentence in place of one for each of ``feeds`` (ids)."""

    said: Said
    feeds: frozenset[int]


def unreached(feeds: Iterable[Feed]) -> Outage | None:
    """Whether none of the feeds that were asked last can be reached: all since a server was heard, whatever it said.

    Those that rarely have news are asked within hours, and are not waited for. A sentence needs LEAST_HOSTS hosts that
    were read within FELL of then: now and then a pass asks nothing but what has been down for long.
    """
    asked = [
        (feed, feed.last_attempt_at)
        for feed in feeds
        if feed.enabled and feed.last_attempt_at and feed.error_kind not in _UNASKED
    ]
    heard = max((at for feed, at in asked if feed.error_kind not in UNREACHED), default=None)
    since = [feed for feed, at in asked if heard is None or at > heard]
    fell = [feed for feed in since if heard is None or (feed.last_success_at and heard - feed.last_success_at < FELL)]
    if len({feed.host for feed in fell}) < LEAST_HOSTS:
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
