"""Feeds and runs as the store keeps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from monitor.store import Store, feeds, runs
from monitor.types import Lang, Rhythm, Role, StageReport


def test_a_feed_added_again_takes_what_is_given(store: Store, now: datetime) -> None:
    """The address is the identity; role and language change only when named."""
    url = "https://eso-harbour.example/rss"
    with store.write() as connection:
        first, new = feeds.add(connection, url, now, outlet="ESO", role=Role.OFFICIAL)
        again, new_again = feeds.add(connection, url, now, lang=Lang.HANT)
    assert (new, new_again) == (True, False)
    assert again == replace(first, lang=Lang.HANT)


@pytest.mark.parametrize(
    ("given", "stored_as"),
    [
        ("HTTPS://A.example/RSS", "https://a.example/RSS"),
        ("https://a.example:443/rss", "https://a.example/rss"),
        ("http://a.example:80/rss?Q=1", "http://a.example/rss?Q=1"),
        ("http://a.example:443/rss", "http://a.example:443/rss"),
        ("https://a.example/rss#top", "https://a.example/rss"),
        ("https://a.example", "https://a.example/"),
        ("http://[2001:DB8::1]:80/rss", "http://[2001:db8::1]/rss"),
    ],
)
def test_addresses_have_one_form(store: Store, now: datetime, given: str, stored_as: str) -> None:
    """Case of scheme and host, the scheme's own port and the fragment make no other feed."""
    with store.write() as connection:
        first, new = feeds.add(connection, given, now)
        _, new_again = feeds.add(connection, stored_as, now)
    assert (first.url, new, new_again) == (stored_as, True, False)


def test_the_last_run_of_each_stage_is_kept(store: Store, now: datetime) -> None:
    """Started, then finished with a report or an error; what the last one did stays until the next has ended."""
    later = now + timedelta(minutes=1)
    report = StageReport("collect", {"feeds": 2}).as_json()
    with store.write() as connection:
        runs.started(connection, "collect", now)
        runs.finished(connection, "collect", later, report=report)
        runs.started(connection, "assess", now)
        runs.finished(connection, "assess", later, error="no model")
        found = runs.latest(connection)
        assert found["collect"] == {"started_at": now, "finished_at": later, "report": {"feeds": 2}, "error": None}
        assert (found["assess"]["report"], found["assess"]["error"]) == (None, "no model")
        runs.started(connection, "assess", later)
        again = {**found["assess"], "started_at": later}
        assert runs.latest(connection)["assess"] == again


def test_a_rhythm_comes_back_as_it_was(store: Store, now: datetime) -> None:
    """To a thousandth of a count, in under a kilobyte; a pass that says nothing of it leaves it."""
    counted = tuple(number / 7 for number in range(48))
    rhythm = Rhythm(counted, counted[::-1], until=now, listed=20, update_s=3600, lags=(0, -600, 7))
    with store.write() as connection:
        feed, _ = feeds.add(connection, "https://a.example/rss", now)
        assert feed.rhythm is None
        feeds.record_success(connection, feed.id, now, now, rhythm=rhythm)
        feeds.record_success(connection, feed.id, now, now, etag="x")
        kept = feeds.get(connection, feed.id).rhythm
        size = connection.scalar(text("SELECT length(CAST(rhythm AS TEXT)) FROM feeds"))
    assert kept is not None
    assert replace(kept, entries=(), hours=()) == replace(rhythm, entries=(), hours=())
    assert kept.entries == pytest.approx(rhythm.entries, abs=0.0006)
    assert kept.hours == pytest.approx(rhythm.hours, abs=0.0006)
    assert size is not None
    assert size < 1000
