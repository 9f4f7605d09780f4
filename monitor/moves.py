"""When a permanent redirect is believed. Pure: what is stored and what was seen in, what should be stored out.

A 301 is easily said and as easily taken back (a hotel network, an outlet under attack, a slip in a configuration), so
the new address becomes the feed's own only after it has been the same for some days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.types import Feed

STABLE_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be remembered of a feed; with ``adopt``, ``target`` becomes its address and nothing else is."""

    target: str | None
    since: datetime | None
    adopt: bool = False


def settle(feed: Feed, seen: str | None, now: datetime) -> Move:
    """``seen`` is where a chain of permanent redirects led in an answer at ``now`` that could be read; None for none.

    From https nothing moves to http: it is followed, never stored.
    """
    if seen is None or seen == feed.url or (feed.url.startswith("https:") and not seen.startswith("https:")):
        return Move(None, None)
    if seen != feed.moved_to or feed.moved_since is None:
        return Move(seen, now)
    return Move(seen, feed.moved_since, adopt=now - feed.moved_since >= STABLE_FOR)
