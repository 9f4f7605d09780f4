"""Captures that are killed: no record is lost, none is doubled, and every file can be read."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.config import Settings
from monitor.evidence import capture, folder_of
from monitor.evidence_read import verify
from monitor.store import Store, hosts
from monitor.store.schema import hosts as host_table
from tests.fakes import ALLOW_LOOPBACK, FeedServer
from tests.monitor.capturing import STORY, captured, check, publish
from tests.monitor.collecting import environment

PASS = """
import datetime, monitor.evidence as stage
from monitor.cli.base import Context
stage.FILE_BYTES = 1_000  # a file for each page: many instants to be killed at
with Context(None).store() as (store, settings):
    stage.capture(store, settings, datetime.datetime.fromisoformat("{now}"))
"""


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched."""
    return configure(ALLOW_LOOPBACK + "[evidence]\nrobots = false\n")


@pytest.mark.timeout(240)
def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(
    folder: Path, store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """kill -9 during passes: in the end each entry and page is captured once, and files and store agree."""
    pages = [server.put(f"/{n}", STORY.format(f"頁{n}"), delay_s=0.03) for n in range(30)]
    publish(store, settings, server, now, *((f"題{n}", page) for n, page in enumerate(pages)))
    luck = random.Random(3)
    for _ in range(8):
        _kill_a_pass(folder, server, now, luck.uniform(0.0, 0.4))
        _free_hosts(store)
    while capture(store, settings, now).counts["visits"]:
        pass
    found = captured(store)
    assert Counter((c.kind, c.item_id or c.page_id) for c in found).most_common(1)[0][1] == 1
    assert len(found) == 60
    checked = verify(store, folder_of(settings))
    assert (checked["ok"], checked["captures"], checked["unlisted"]) == (True, 60, [])
    assert check(settings.path(settings.evidence.directory)) == 0
    assert not list(settings.path(settings.evidence.directory).rglob("*.part"))


def _kill_a_pass(folder: Path, server: FeedServer, now: datetime, after_s: float) -> None:
    """Start a pass and kill it ``after_s`` seconds after its first request."""
    server.requests.clear()
    script = PASS.format(now=now.isoformat())
    process = subprocess.Popen([sys.executable, "-c", script], env=environment(folder), stderr=subprocess.DEVNULL)
    while not server.requests and process.poll() is None:
        time.sleep(0.005)
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _free_hosts(store: Store) -> None:
    """The lease of a pass that was killed runs out; the clock of this test stands still."""
    with store.write() as connection:
        for holder in connection.scalars(select(host_table.c.holder)).all():
            hosts.release_all(connection, holder, datetime.fromisoformat("2027-03-01T00:00:00+00:00"))
