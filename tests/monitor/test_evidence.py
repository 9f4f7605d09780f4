"""Capture: what a feed served and where it leads, kept as it came, once; and looked at again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from monitor.collect import collect
from monitor.config import Settings
from monitor.evidence import capture
from monitor.store import Store, served
from monitor.types import CaptureKind, Changed
from tests.fakes import ALLOW_LOOPBACK, FeedServer, item, rss
from tests.monitor.capturing import STORY, bodies, captured, check, flag, page_of, publish
from tests.monitor.collecting import watch

ENTRY, PAGE = CaptureKind.ENTRY, CaptureKind.PAGE


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched; nobody waits long."""
    return configure(ALLOW_LOOPBACK + "timeout_s = 3\n[evidence]\ntimeout_s = 1\nmax_bytes = 100000\n")


def test_entry_and_page_are_kept_byte_for_byte(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """As warcio reads them back; with address, status, headers and SHA-256 in the store."""
    page = server.put("/story", STORY.format("題一"), headers={"Content-Type": "text/html", "X-Who": "an outlet"})
    publish(store, settings, server, now, ("題一", page), ("題二", ""))
    report = capture(store, settings, now)
    assert (report.counts["entries"], report.counts["pages"], report.problems) == (2, 1, ())
    entries, pages = captured(store, ENTRY), captured(store, PAGE)
    assert bodies(settings, entries[0])["resource"] == item("題一", "題一 的內文。", link=page).encode()
    assert b"status: 200\r\n" in bodies(settings, entries[0])["metadata"]
    assert bodies(settings, pages[0])["response"] == STORY.format("題一").encode()
    for found in (*entries, *pages):
        body = bodies(settings, found)["response" if found.kind is PAGE else "resource"]
        assert (found.sha256, found.bytes, found.status) == (hashlib.sha256(body).hexdigest(), len(body), 200)
    assert (pages[0].url, pages[0].changed, ("X-Who", "an outlet") in pages[0].headers) == (page, None, True)
    assert check(settings.path(settings.evidence.directory)) == 0
    server.requests.clear()
    again = capture(store, settings, now)
    assert [value for value in again.counts.values() if value] == server.requests == []
    assert len(captured(store)) == 3
