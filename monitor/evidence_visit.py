"""Visits of pages: robots.txt, redirects, the page. Guarded, polite and bounded like the fetching of feeds."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

from monitor import robots
from monitor.config import Settings
from monitor.errors import FeedError, FeedErrorKind
from monitor.evidence_plan import Visit
from monitor.evidence_text import page_text, words_hash
from monitor.fetch import Fetcher
from monitor.fetched import MAX_REDIRECTS
from monitor.headers import retry_after_s
from monitor.leases import Leases
from monitor.sections import Evidence
from monitor.store import Store
from monitor.text import clean
from monitor.types import Exchange, Page
from monitor.writing import Writer

log = logging.getLogger(__name__)

HOSTS = 8  # visited at the same time

_ACCEPT = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def visit_all(
    store: Store,
    settings: Settings,
    clock: Callable[[], datetime],
    pages: Iterable[Page],
    found: asyncio.Queue[Visit | None],
) -> int:
    """Visit ``pages``, those of a host one after the other, and put each visit into ``found``, and None at the end.

    A host is asked only while its lease is held, as by every pass over the feeds. Returns how many pages were left to
    another pass.
    """
    hosts: dict[str, list[Page]] = {}
    for page in pages:
        hosts.setdefault(page.host, []).append(page)
    gap = timedelta(seconds=settings.fetch.host_gap_s)
    begun = time.monotonic()
    fetcher, writer = Fetcher(settings.fetch), Writer(store)
    async with fetcher, writer, Leases(writer, clock(), begun, gap) as leases, asyncio.TaskGroup() as tasks:
        visitor = _Visitor(fetcher, settings.evidence, clock)
        slots = asyncio.Semaphore(HOSTS)

        async def call_on(name: str) -> int:
            async with slots:
                return await visitor.call_on(name, hosts[name], writer, leases, found)

        calls = [tasks.create_task(call_on(name)) for name in hosts]
        left = sum(await asyncio.gather(*calls))
        await found.put(None)
    return left


class _Visitor:
    """What a host's robots.txt says is asked once."""

    def __init__(self, fetcher: Fetcher, settings: Evidence, clock: Callable[[], datetime]) -> None:
        self._fetcher, self._settings, self._clock = fetcher, settings, clock
        self._rules: dict[str, bytes] = {}

    async def call_on(
        self, name: str, pages: Sequence[Page], writer: Writer, leases: Leases, found: asyncio.Queue[Visit | None]
    ) -> int:
        """Everything of one host; returns how many pages of it were left to another pass."""
        free = await writer.run(lambda connection: leases.take(connection, [name]))
        if name not in free:
            return len(pages)
        gap_s = self._fetcher.turns.gap_s(name)
        try:
            await asyncio.sleep(leases.rest_s(free[name], gap_s))
            for page in pages:
                await found.put(await self.visit(page))
        finally:
            leases.give_back(name, gap_s)
        return 0

    async def visit(self, page: Page) -> Visit:
        """Ask for a page, conditionally if it was there before. Never raises: errors are part of what it finds."""
        exchanges: list[Exchange] = []
        try:
            async with self._fetcher.turns.of(page.url):
                await self._follow(page, exchanges)
            last = exchanges[-1]
            words = await asyncio.to_thread(self._words, last)
        except FeedError as error:
            return Visit(page, tuple(exchanges), error, None, error.retry_after_s)
        except Exception as error:  # one page must not keep us from all others
            log.exception("page %s", page.url)
            fault = FeedError(page.url, FeedErrorKind.INTERNAL, f"{type(error).__name__}: {error}")
            return Visit(page, tuple(exchanges), fault, None)
        return Visit(page, tuple(exchanges), None, words, retry_after_s(last.header("retry-after"), self._clock()))

    async def _heed_robots(self, url: str) -> None:
        """Raises FeedError where robots.txt keeps the page from us; one that cannot be had asks for nothing."""
        if not self._settings.robots:
            return
        address = robots.address(url)
        if address not in self._rules:
            try:
                self._rules[address] = (await self._fetcher.get(address)).body
            except FeedError:
                self._rules[address] = b""
        if not robots.allows(self._rules[address], url):
            raise FeedError(url, FeedErrorKind.ROBOTS, f"{address} asks us not to fetch this page")

    async def _follow(self, page: Page, exchanges: list[Exchange]) -> None:
        """Redirects up to the page, within the time for all of them together."""
        begun, url = time.monotonic(), page.url
        conditions = {} if page.gone else {"If-None-Match": page.etag, "If-Modified-Since": page.last_modified}
        headers = {**_ACCEPT, **{name: value for name, value in conditions.items() if value}}
        for _ in range(MAX_REDIRECTS + 1):
            left = self._settings.timeout_s - (time.monotonic() - begun)
            if left <= 0:
                raise FeedError(page.url, FeedErrorKind.TIMEOUT, f"not there within {self._settings.timeout_s:g} s")
            await self._heed_robots(url)
            found = await self._fetcher.exchange(url, self._clock(), headers, left, self._settings.max_bytes)
            exchanges.append(found)
            target = clean(found.header("location") or "").replace(" ", "%20")
            if found.status not in _REDIRECTS or not target:
                return
            try:
                url = urljoin(url, target)
                urlsplit(url)
            except ValueError as error:
                raise FeedError(page.url, FeedErrorKind.REDIRECT, f"redirects to no address: {error}") from None
        raise FeedError(page.url, FeedErrorKind.REDIRECT, f"more than {MAX_REDIRECTS} redirects")

    def _words(self, last: Exchange) -> str | None:
        if not 200 <= last.status < 300:
            return None
        text = page_text(last, self._settings.max_bytes)
        return (words_hash(text) if text else None) or hashlib.sha256(last.body).hexdigest()
