"""When a permanent redirect is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.moves import STABLE_FOR, Move, settle
from monitor.types import Feed, Role

NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
OLD, NEW = "https://a.example/rss", "https://b.example/rss"
FEED = Feed(id=3, url=OLD, outlet="A", role=Role.MEDIA, lang=None, enabled=True)


def test_a_new_address_is_believed_after_days_of_the_same() -> None:
    """Remembered when first seen, unchanged for three days, then adopted."""
    first = settle(FEED, NEW, NOW)
    assert first == Move(NEW, NOW)
    moving = replace(FEED, moved_to=first.target, moved_since=first.since)
    assert settle(moving, NEW, NOW + STABLE_FOR - timedelta(seconds=1)) == first
    assert settle(moving, NEW, NOW + STABLE_FOR) == Move(NEW, NOW, adopt=True)


def test_another_target_begins_anew_and_none_forgets() -> None:
    """What changes its mind is not stable."""
    moving = replace(FEED, moved_to=NEW, moved_since=NOW)
    later = NOW + STABLE_FOR
    assert settle(moving, "https://c.example/rss", later) == Move("https://c.example/rss", later)
    assert settle(moving, None, later) == Move(None, None)
    assert settle(moving, OLD, later) == Move(None, None)


def test_nothing_moves_from_https_to_http() -> None:
    """Such a redirect is followed, but who asks without TLS for ever could be told anything."""
    assert settle(FEED, "http://b.example/rss", NOW) == Move(None, None)
    assert settle(replace(FEED, url="http://a.example/rss"), OLD, NOW) == Move(OLD, NOW)
