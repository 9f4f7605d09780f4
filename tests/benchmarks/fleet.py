"""How fast a fleet asks feeds whose servers take their time: 1, 2 and 4 workers, one PostgreSQL. On demand:

    PYTHONPATH=. python tests/benchmarks/fleet.py --feeds 20000

Every feed has a host of its own, which answers after 200 ms: "not modified", or for one feed in fifty a document with
a new entry. A worker asks `--at-once` feeds at a time, so one alone can reach five times as many a second and no more:
what is shown is how the second and the fourth add to that, and how often somebody had to wait for another's writing.
At last one of two workers is killed half way. Exit 1: a feed was asked twice, or never, or a new entry is not there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from ctypes import c_int
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, text

from alerts import workers
from monitor.collect import HOSTS
from monitor.config import load_file
from monitor.starter import write_starter
from monitor.store import Store, fleet, open_store
from monitor.store.schema import feeds, items
from tests.fakes import item, rss
from tests.postgresql import PostgreSQL, postgresql

ANSWER_S = 0.2
NEWS = 50  # of so many feeds one has news
PARTS = 8  # jobs in all; a worker does one at a time
TICK_S = 5.0
LOOK_S = 0.05
TIMEOUT_S = 1800.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What one fleet did; ``waited`` is the share of looks at which a session waited for another one's writing."""

    seconds: float
    cpu_s: float
    waited: float
    twice: int
    never: int
    lost: int


class Site:
    """The feeds, each on a loopback address of its own; ``asked`` counts the requests to each."""

    def __init__(self, number: int) -> None:
        self.asked: Any = multiprocessing.get_context("fork").Array(c_int, number, lock=False)
        self.socket = socket.create_server(("0.0.0.0", 0), backlog=4096)  # noqa: S104 - all of 127.0.0.0/8
        self.port: int = self.socket.getsockname()[1]

    def url(self, number: int) -> str:
        """The address of a feed."""
        return f"http://127.{1 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}:{self.port}/feed"

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """In a process of its own."""
        for number in range(len(self.asked)):
            self.asked[number] = 0
        process = multiprocessing.get_context("fork").Process(target=lambda: asyncio.run(self._serve()), daemon=True)
        process.start()
        try:
            yield
        finally:
            process.kill()
            process.join()

    async def _serve(self) -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Answer(self), sock=self.socket)
        await server.serve_forever()


class _Answer(asyncio.Protocol):
    def __init__(self, site: Site) -> None:
        self._site = site
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._request += data
        if b"\r\n\r\n" not in self._request:
            return
        self._request = b""
        _, second, third, last = map(int, self._transport.get_extra_info("sockname")[0].split("."))
        number = (second - 1) * 62500 + third * 250 + last - 1
        self._site.asked[number] += 1
        head, body = "304 Not Modified", b""
        if number % NEWS == 0:
            head, body = "200 OK", rss(item(f"story {number}", guid=f"{number}")).encode()
        answer = f'HTTP/1.1 {head}\r\nETag: "x"\r\nContent-Length: {len(body)}\r\n\r\n'.encode() + body
        asyncio.get_running_loop().call_later(ANSWER_S, self._transport.write, answer)


class Bench:
    """Some feeds, and fleets that ask them."""

    def __init__(self, server: PostgreSQL, site: Site, folder: Path, at_once: int) -> None:
        self.server, self.site, self.folder = server, site, folder
        write_starter(folder)
        (folder / "pollwatch.toml").write_text(
            f'[fetch]\nallow_private = ["127.0.0.0/8"]\nconcurrency = {at_once}\n'
            f'[workers]\nengine = "procrastinate"\nparts = {PARTS}\n[evidence]\nenabled = false\n',
            encoding="utf-8",
        )

    def run(self, number: int, *, kill: bool = False) -> Figures:
        """Let ``number`` workers ask every feed once; with ``kill`` the first dies when half of them were asked."""
        with self.server.store() as url, contextlib.ExitStack() as stack:
            os.environ["POLLWATCH_DATABASE__URL"] = url
            settings = load_file(self.folder / "pollwatch.toml")
            store = stack.enter_context(contextlib.closing(open_store(settings.database_url)))
            workers.prepare(store)
            self._add_feeds(store)
            stack.enter_context(self.site.serving())
            started = [self._start() for _ in range(number)]
            stack.callback(_end, started)
            while _live(store) < number:
                time.sleep(LOOK_S)
            waits = stack.enter_context(_watching(store))
            begun = tick = time.monotonic()
            workers.defer(("collect",), store, settings, lambda: False)
            while (asked := _asked(store)) < len(self.site.asked):
                if kill and asked * 2 >= len(self.site.asked):
                    os.kill(started[0].pid, signal.SIGKILL)
                    kill = False
                if time.monotonic() > tick + TICK_S:
                    workers.defer(("collect",), store, settings, lambda: False)
                    tick = time.monotonic()
                if time.monotonic() > begun + TIMEOUT_S:
                    break
                time.sleep(LOOK_S)
            seconds = time.monotonic() - begun
            cpu_s = _end(started)
            with store.read() as connection:
                kept = connection.scalar(select(func.count()).select_from(items))
        counts = list(self.site.asked)
        lost = -(-len(counts) // NEWS) - (kept or 0)
        share = sum(waits) / max(1, len(waits))
        return Figures(seconds, cpu_s, share, sum(n > 1 for n in counts), counts.count(0), lost)

    def _add_feeds(self, store: Store) -> None:
        now = datetime.now(UTC)
        same = {"role": "media", "enabled": True, "failures": 0, "added_at": now, "etag": '"x"', "hub": ""}
        rows = [{"url": self.site.url(n), "outlet": f"outlet {n}", **same} for n in range(len(self.site.asked))]
        with store.write() as connection:
            connection.execute(insert(feeds), rows)

    def _start(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "alerts", "worker", "--stages", "collect", "--concurrency", "1"]
        with (self.folder / "worker.log").open("ab") as log:
            return subprocess.Popen(words, cwd=self.folder, stderr=log)


def _live(store: Store) -> int:
    with store.read() as connection:
        found = fleet.load(connection)
    return found.live if found else 0


def _asked(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).where(feeds.c.last_success_at.is_not(None))) or 0


@contextlib.contextmanager
def _watching(store: Store) -> Iterator[list[bool]]:
    """Whether somebody waited for a writer, at every look until the end."""
    found: list[bool] = []
    ended = threading.Event()

    def look() -> None:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'")
        while not ended.wait(LOOK_S):
            with store.read() as connection:
                found.append(bool(connection.scalar(query)))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _end(started: list[subprocess.Popen[bytes]]) -> float:
    """The processor seconds of the workers, parsers included."""
    cpu_s = 0.0
    for process in started:
        os.kill(process.pid, signal.SIGTERM)  # nobody has waited for it yet, so it is there, be it dead
    while started:
        process = started.pop()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu_s += usage.ru_utime + usage.ru_stime
    return cpu_s


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="A fleet of workers and feeds that take their time.")
    parser.add_argument("--feeds", type=int, default=20_000, metavar="N", help="Default: 20000.")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], metavar="N", help="Default: 1 2 4.")
    parser.add_argument("--at-once", type=int, default=32, metavar="N", help="Default: 32.")
    options = parser.parse_args(arguments)
    site = Site(options.feeds)
    faults = 0
    with postgresql() as server, tempfile.TemporaryDirectory(prefix="pollwatch-fleet-") as folder:
        bench = Bench(server, site, Path(folder), options.at_once)
        print(f"{options.feeds:,} feeds that answer after {ANSWER_S * 1000:.0f} ms; {os.cpu_count()} cores")
        print("workers  seconds  feeds/s  of one  CPU ms/feed  writers waited  twice  never  lost")
        one = 0.0
        for number in options.workers:
            found = bench.run(number)
            speed = options.feeds / found.seconds
            one = one or speed
            cost = found.cpu_s / options.feeds * 1000
            print(
                f"{number:7}{found.seconds:9.1f}{speed:9.0f}{speed / one:8.2f}{cost:13.2f}{found.waited:15.0%}"
                f"{found.twice:7}{found.never:7}{found.lost:6}",
                flush=True,
            )
            faults += found.twice + found.never + found.lost
        found = bench.run(2, kill=True)
        faults += found.never + found.lost + max(0, found.twice - HOSTS * options.at_once)
        print(f"one of two killed half way: {found.seconds:.1f} s; asked twice {found.twice}", end=" ")
        print(
            f"(the answers not written yet, {HOSTS * options.at_once} at most), never {found.never}, lost {found.lost}"
        )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
