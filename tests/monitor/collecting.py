"""What tests of passes over feeds share: feeds to watch, what is stored of them, and a pass in a process of its own."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.health import health
from monitor.store import Store, feeds, items
from monitor.types import Feed, StageReport

ROOT = Path(__file__).parents[2]
PASS = """
from monitor.cli.base import Context
from monitor.cli.feeds import collect
collect(["--all"], obj=Context(None), standalone_mode=False)
"""


def watch(store: Store, now: datetime, *urls: str) -> list[Feed]:
    """Add feeds."""
    with store.write() as connection:
        return [feeds.add(connection, url, now, outlet=f"Outlet {n}")[0] for n, url in enumerate(urls, 1)]


def state_of(store: Store, url: str) -> Feed:
    """The feed at ``url`` as stored."""
    with store.read() as connection:
        return next(feed for feed in feeds.listing(connection) if feed.url == url)


def word_of(store: Store, url: str) -> str:
    """Its health in a word."""
    return health(state_of(store, url), ZoneInfo("Asia/Hong_Kong")).word


def stored(store: Store) -> list[tuple[Any, ...]]:
    """Everything collected that does not depend on the order in which feeds answered."""
    with store.read() as connection:
        urls = {feed.id: (feed.url, feed.etag, feed.body_sha256, feed.error_kind) for feed in feeds.listing(connection)}
        return sorted(
            (
                urls[i.feed_id],
                i.key,
                i.title,
                i.summary,
                i.lang,
                i.revision,
                _texts(items.earlier_texts(connection, i.id)),
            )
            for i in items.listing(connection)
        )


def _texts(rows: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    return [(row["revision"], row["title"], row["summary"]) for row in rows]


def counts(report: StageReport, *names: str) -> list[Any]:
    """Some counts of a report."""
    return [report.counts[name] for name in names]


def environment(folder: Path) -> dict[str, str]:
    """Of a process that works in ``folder``."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "POLLWATCH_CONFIG": str(folder / "pollwatch.toml")}


def is_running(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
