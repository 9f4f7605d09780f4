"""Stage 1, collect: ask the feeds that are due, keep what is new and what was edited.

due feeds -> lease of their host -> fetch -> same bytes as last time? -> parse what is new (worker process) -> decide
-> store

Fetching is concurrent; one writer stores all of a feed at once, and many feeds in one transaction. A feed that fails
is data: its error is recorded with it and the pass goes on. Passes may overlap, in one process or several: each works
on the hosts whose lease it holds (see ``leases``), so none waits for a slow feed of another.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

from monitor import loop
from monitor.config import Settings
from monitor.fetch import Fetcher
from monitor.holding import Holding
from monitor.leases import Leases
from monitor.outage import may_last, unheard
from monitor.parsing import ParsePool
from monitor.records import Records
from monitor.rhythm import bounds_at, recovered_check
from monitor.silence import Patience, Recovery
from monitor.store import Store, feeds
from monitor.store.feeds import Due
from monitor.types import WHOLE, Part, StageReport
from monitor.visits import Pass, Progress
from monitor.writing import Writer

log = logging.getLogger(__name__)

HOSTS = 16  # held at the same time, for each feed that may be fetched at the same time: fewer, larger transactions

_COUNTS = ("fetched", "not_modified", "unchanged", "failed", "items_new", "items_edited", "items_seen", "bytes")
_NOT_ASKED = ("postponed", "elsewhere")
_LISTED = frozenset(_COUNTS[:4] + _NOT_ASKED)


def collect(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    every: bool = False,
    part: Part = WHOLE,
    within_s: float = inf,
    progress: Progress = log.debug,
) -> StageReport:
    """One pass over the due feeds (``every``: all) of one ``part``. ``progress`` is given one line for every feed.

    After ``within_s`` seconds it asks no more of them and leaves the rest, which stays due, to the next one.

    Counts: ``feeds`` = ``fetched`` (a new body was read) + ``not_modified`` (304) + ``unchanged`` (the same bytes
    as last time) + ``failed`` + ``postponed`` (their host refused another feed) + ``elsewhere`` (another pass works on
    their host, has just asked them, or will); ``items_new``, ``items_edited``, ``items_seen`` (entries of
    the bodies read), ``bytes`` (after decompression), ``seconds``. Running it twice, at once or again after a kill,
    stores nothing twice and puts no older text over a newer one.
    """
    begun = time.monotonic()
    with store.read() as connection:
        due = [each for each in feeds.due(connection, None if every else now) if part.holds(each.host)]
    run = loop.run(_collect(store, settings, now, begun, due, every, within_s, progress))
    counts, not_asked = ({name: run.counts[name] for name in names} for names in (_COUNTS, _NOT_ASKED))
    seconds, listed = round(time.monotonic() - begun, 3), sum(run.counts[name] for name in _LISTED)
    told = {"feeds": listed, **counts, "seconds": seconds, **not_asked}
    return StageReport("collect", told, tuple(sorted(run.problems)))


async def _collect(
    store: Store,
    settings: Settings,
    now: datetime,
    begun: float,
    due: list[Due],
    every: bool,
    within_s: float,
    progress: Progress,
) -> Pass:
    parser = ParsePool(settings.fetch.parse_timeout_s, settings.fetch.parse_memory_mb)
    gap = timedelta(seconds=settings.fetch.host_gap_s)
    records = Records(settings, now, bounds_at(settings, now), ZoneInfo(settings.election.timezone))
    fetcher, writer = Fetcher(settings.fetch), Writer(store)
    try:
        async with parser, fetcher, writer, Leases(writer, now, begun, gap) as leases, asyncio.TaskGroup() as tasks:
            recovery = Recovery(writer, _checks_after_outage(store, records) if due else {})
            holding = Holding(fetcher, writer, leases, HOSTS * settings.fetch.concurrency)
            run = Pass(
                records=records,
                every=every,
                until=begun + within_s,
                fetcher=fetcher,
                patience=Patience(fetcher, recovery),
                parser=parser,
                leases=leases,
                holding=holding,
                tasks=tasks,
                progress=progress,
                total=len(due),
            )
            await run.work(due)
            await recovery.end()
    except ExceptionGroup as group:  # of one: hosts could not be taken; a visit raises nothing
        raise group.exceptions[0] from group
    return run


def _checks_after_outage(store: Store, records: Records) -> dict[int, datetime]:
    """When to ask the feeds, by id, that cannot be reached because our own network is down; none if it is not."""
    with store.read() as connection:
        if not may_last(feeds.last_attempts(connection)):
            return {}
        silent = unheard(feeds.listing(connection, enabled=True))
    return {feed.id: recovered_check(feed.id, records.bounds, records.now) for feed in silent}
