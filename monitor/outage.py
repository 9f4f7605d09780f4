"""Whether it is our own network that is down, and not everything that is watched. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from monitor.errors import UNREACHED, FeedErrorKind
from monitor.types import Feed

LEAST_HOSTS = 3  # that cannot be reached: fewer may well be down together
FELL = timedelta(days=1)  # who was last read longer ago is down by himself
UNASKED = (FeedErrorKind.BLOCKED, FeedErrorKind.INTERNAL)  # says nothing of the network


def unheard(feeds: Iterable[Feed]) -> list[Feed]:
    """The feeds that were asked since a server was heard, whatever it said; none unless that means our own network.

    Those that rarely have news are asked within hours, and are not waited for. It takes LEAST_HOSTS hosts that were
    read within FELL of then: now and then a pass asks nothing but what has been down for long.
    """
    asked = [
        (feed, feed.last_attempt_at)
        for feed in feeds
        if feed.enabled and feed.last_attempt_at and feed.error_kind not in UNASKED
    ]
    heard = max((at for feed, at in asked if feed.error_kind not in UNREACHED), default=None)
    since = [feed for feed, at in asked if heard is None or at > heard]
    fell = [feed for feed in since if heard is None or (feed.last_success_at and heard - feed.last_success_at < FELL)]
    return since if len({feed.host for feed in fell}) >= LEAST_HOSTS else []


def may_last(latest: Mapping[str | None, datetime]) -> bool:
    """Whether it is worth asking ``unheard``: ``latest`` is when feeds were asked last, by how that ended."""
    unreached = max((at for kind, at in latest.items() if kind in UNREACHED), default=None)
    heard = max((at for kind, at in latest.items() if kind not in (*UNREACHED, *UNASKED)), default=None)
    return unreached is not None and (heard is None or unreached > heard)
