"""Passes and workers that are killed: nothing is lost, nothing is doubled, nobody is left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from monitor.collect import collect
from monitor.config import Settings
from monitor.store import Store
from tests.fakes import ALLOW_LOOPBACK, FeedServer, item, rss
from tests.monitor.collecting import PASS, ROOT, environment, is_running, stored, watch


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched; nobody waits long."""
    return configure(ALLOW_LOOPBACK + "timeout_s = 3\nmax_bytes = 1000000\nparse_timeout_s = 2\n")


@pytest.mark.timeout(120)
def test_killed_at_any_moment_the_next_pass_brings_the_same_store(
    folder: Path, settings: Settings, server: FeedServer, now: datetime, store: Store, new_store: Callable[[], Store]
) -> None:
    """kill -9 during passes, over a version of the feeds and then over its edits: nothing lost, nothing doubled."""
    urls = [server.url(f"/{n}") for n in range(6)]
    undisturbed, disturbed = new_store(), store
    for each in (undisturbed, disturbed):
        watch(each, now, *urls)
    luck = random.Random(7)
    for version in ("first", "edited"):
        _serve_version(server, version)
        collect(undisturbed, settings, now, every=True)
        for _ in range(6):
            _kill_a_pass(folder, server, after_s=luck.uniform(0.0, 1.2))
        collect(disturbed, settings, now, every=True)
        assert stored(disturbed) == stored(undisturbed)


def _serve_version(server: FeedServer, version: str) -> None:
    for n in range(6):
        rows = [item(f"題{n}-{i}", f"{version} 內容 {i}" if i % 3 else "內容", guid=str(i)) for i in range(40)]
        server.put(f"/{n}", rss(*rows), etag=f'"{version}"', delay_s=0.1 * n)


def _kill_a_pass(folder: Path, server: FeedServer, after_s: float) -> None:
    """Start a pass and kill it ``after_s`` seconds after its first request."""
    server.requests.clear()
    process = subprocess.Popen(
        [sys.executable, "-c", PASS], env=environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not server.requests and process.poll() is None:
        time.sleep(0.01)
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("orphaned", [False, True])
def test_workers_die_with_their_parent(tmp_path: Path, orphaned: bool) -> None:
    """kill -9 of the parent: idle or busy, they go at once; had what they are forked from died as well, by an alarm."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, os, subprocess\n"
        "from zoneinfo import ZoneInfo\n"
        "import monitor.parsing as parsing\n"
        "async def main():\n"
        "    async with parsing.ParsePool(1.5, 400) as pool:\n"
        "        utc = ZoneInfo('UTC')\n"
        "        small = b\"<rss version='2.0'><channel><item/>\"\n"
        "        await pool.parse(small, 'http://a.example/', None, utc)\n"
        "        server = subprocess.run(['pgrep', '-P', str(os.getpid())], capture_output=True, text=True).stdout\n"
        "        subprocess.run(['pgrep', '-s', server.strip(), '-d', ' '])\n"
        "        await pool.parse(small + b'<item/>' * 900_000, 'http://a.example/', None, utc)\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    with_us = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(
        [sys.executable, script], env=with_us, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        workers = [int(pid) for pid in parent.stdout.readline().split()]
    server, *workers = workers
    assert workers
    time.sleep(0.3)
    if orphaned:
        os.kill(server, signal.SIGKILL)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 12
    while any(is_running(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [pid for pid in workers if is_running(pid)] == []
