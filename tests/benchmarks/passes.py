"""One pass of a contestant that is a library, in a process of its own: `python passes.py NAME STEP FOLDER`.

`FOLDER/urls` holds one address a line. The step `prepare` makes what a first pass needs. `update` is a pass, and
prints one JSON object: `pass_s`, the seconds that the library's own call took, and for pollwatch `stall_s`, the longest
time for which its event loop came to no turn, and `failed`, the number of feeds that failed. Libraries are imported
where they are used: `reader` has an environment of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CONCURRENCY = 32  # of the raw loop: the default of pollwatch's fetch.concurrency
READER_WORKERS = 10  # the default of its command line; more threads share one interpreter
SOAK_INTERVAL_S = 30  # between two checks of a feed; the shortest that pollwatch allows
BEAT_S = 0.01
ROWS = 500  # of the floor, in one transaction


class Watch:
    """Notes by how much an event loop was late at most, from its creation to its end."""

    def __init__(self) -> None:
        self.stall_s = 0.0
        self.beats = 0

    def follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at ``loop`` again in BEAT_S."""
        loop.call_later(BEAT_S, self._beat, loop, loop.time() + BEAT_S)

    def _beat(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self.stall_s = max(self.stall_s, loop.time() - due)
        self.beats += 1
        self.follow(loop)


def prepare_pollwatch(folder: Path, interval_s: int | None = None) -> None:
    """A working folder as `pollwatch init` writes it, with the feeds, each asked every ``interval_s`` seconds."""
    from monitor.config import load_file
    from monitor.starter import write_starter
    from monitor.store import feeds, open_store

    write_starter(folder)
    with closing(open_store(load_file(folder / "pollwatch.toml").database_url)) as store, store.write() as connection:
        for url in _urls(folder):
            feeds.add(connection, url, datetime.now(UTC), interval_s=interval_s)


def update_pollwatch(folder: Path) -> dict[str, Any]:
    """What `pollwatch collect --all` does, progress on stderr included."""
    from monitor import loop
    from monitor.cli.base import say
    from monitor.collect import collect
    from monitor.config import load_file
    from monitor.store import migrate, open_store

    watch = Watch()
    made = loop.new_event_loop

    def watched() -> asyncio.AbstractEventLoop:
        new = made()
        watch.follow(new)
        return new

    loop.new_event_loop = watched
    settings = load_file(folder / "pollwatch.toml")
    with closing(open_store(settings.database_url)) as store:
        migrate.check(store)
        begun = time.perf_counter()
        report = collect(store, settings, datetime.now(UTC), every=True, progress=say)
        pass_s = time.perf_counter() - begun
    if not watch.beats:
        raise RuntimeError("the event loop of the pass was not watched")
    return {"pass_s": pass_s, "stall_s": watch.stall_s, "failed": report.counts["failed"]}


def prepare_raw(folder: Path) -> None:
    """Nothing is known yet."""
    (folder / "validators.json").write_text("{}")


def update_raw(folder: Path) -> dict[str, Any]:
    """Download every body and keep nothing but the validators: no client that reads can be faster."""
    import aiohttp  # noqa: F401 - its loading is no part of the pass, for this loop as for the others

    urls = _urls(folder)
    validators = json.loads((folder / "validators.json").read_text())
    begun = time.perf_counter()
    asyncio.run(_download(urls, validators, _drop))
    pass_s = time.perf_counter() - begun
    (folder / "validators.json").write_text(json.dumps(validators))
    return {"pass_s": pass_s}


async def _download(
    urls: list[str], validators: dict[str, dict[str, str]], keep: Callable[[str, int, bytes], Awaitable[None]]
) -> None:
    import aiohttp

    todo = iter(urls)
    names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def work() -> None:
            for url in todo:
                async with session.get(url, headers=validators.get(url)) as response:
                    body = await response.read()
                    sent = {names[key]: response.headers[key] for key in names if key in response.headers}
                    validators[url] = sent or validators.get(url, {})
                await keep(url, response.status, body)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(CONCURRENCY):
                tasks.create_task(work())


async def _drop(_url: str, _status: int, _body: bytes) -> None:
    """Of what came nothing is kept."""


def prepare_floor(folder: Path) -> None:
    """A store of two tables."""
    prepare_raw(folder)
    with closing(sqlite3.connect(folder / "floor.db")) as store, store:
        store.execute("PRAGMA journal_mode = WAL")
        store.execute("CREATE TABLE feeds (url TEXT PRIMARY KEY, validators TEXT, sha256 TEXT, asked REAL)")
        store.execute("CREATE TABLE items (url TEXT, name TEXT, title TEXT, summary TEXT, UNIQUE (url, name))")


def update_floor(folder: Path) -> dict[str, Any]:
    """The raw loop, feedparser as pollwatch drives it, and the rows: what is left when all the rest costs nothing.

    Of a document that is known feedparser is given the head and the first entry, which is found without looking. No
    address is checked, no host spared, nothing compared, and no feed has a next check.
    """
    import aiohttp  # noqa: F401 - as above

    urls = _urls(folder)
    validators = json.loads((folder / "validators.json").read_text())
    with ProcessPoolExecutor() as parsers, closing(sqlite3.connect(folder / "floor.db")) as store:
        store.execute("PRAGMA synchronous = FULL")
        begun = time.perf_counter()
        seen: dict[str, str] = dict(store.execute("SELECT url, sha256 FROM feeds"))
        feeds: list[tuple[str, str, str, float]] = []
        items: list[tuple[str, str, str, str]] = []

        def write() -> None:
            with store:
                store.executemany("INSERT OR REPLACE INTO feeds VALUES (?, ?, ?, ?)", feeds)
                store.executemany("INSERT OR IGNORE INTO items VALUES (?, ?, ?, ?)", items)
            feeds.clear()
            items.clear()

        async def keep(url: str, status: int, body: bytes) -> None:
            sha256 = hashlib.sha256(body).hexdigest() if status == 200 else seen[url]
            if seen.get(url) != sha256:
                loop = asyncio.get_running_loop()
                items.extend(await loop.run_in_executor(parsers, _parsed, body, url, url in seen))
            feeds.append((url, json.dumps(validators[url]), sha256, time.time()))
            if len(feeds) >= ROWS:
                write()

        asyncio.run(_download(urls, validators, keep))
        write()
        pass_s = time.perf_counter() - begun
    (folder / "validators.json").write_text(json.dumps(validators))
    return {"pass_s": pass_s}


def _parsed(body: bytes, url: str, known: bool) -> list[tuple[str, str, str, str]]:
    """The entries of a document as rows; of a ``known`` one the first."""
    from monitor import feedparse
    from monitor.errors import FeedError
    from tests.benchmarks.corpus import first_alone

    try:
        found = feedparse.read(first_alone(body) if known else body, url, sound=True)
    except FeedError:
        return []
    return [
        (url, str(each.get("id") or each.get("link", place)), str(each.get("title", "")), str(each.get("summary", "")))
        for place, each in enumerate(found.entries)
    ]


def prepare_reader(folder: Path) -> None:
    """A database with the feeds."""
    from reader import make_reader

    with make_reader(str(folder / "reader.sqlite"), search_enabled=False) as reader:
        for url in _urls(folder):
            reader.add_feed(url)


def update_reader(folder: Path) -> dict[str, Any]:
    """All feeds, due or not, without the search index that we have none of either."""
    from reader import make_reader

    with make_reader(str(folder / "reader.sqlite"), search_enabled=False) as reader:
        begun = time.perf_counter()
        reader.update_feeds(scheduled=False, workers=READER_WORKERS)
        return {"pass_s": time.perf_counter() - begun}


def _urls(folder: Path) -> list[str]:
    return (folder / "urls").read_text().split()


STEPS: dict[tuple[str, str], Callable[[Path], Any]] = {
    ("pollwatch", "prepare"): prepare_pollwatch,
    ("pollwatch", "update"): update_pollwatch,
    ("pollwatch", "prepare-soak"): lambda folder: prepare_pollwatch(folder, SOAK_INTERVAL_S),
    ("raw", "prepare"): prepare_raw,
    ("raw", "update"): update_raw,
    ("floor", "prepare"): prepare_floor,
    ("floor", "update"): update_floor,
    ("reader", "prepare"): prepare_reader,
    ("reader", "update"): update_reader,
}

if __name__ == "__main__":
    _, contestant, step, where = sys.argv
    found = STEPS[contestant, step](Path(where))
    if found is not None:
        print(json.dumps(found))
