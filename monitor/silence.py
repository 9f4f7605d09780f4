"""What a pass learns from silence: of a host, whose other feeds would only wait in vain; of all, about our network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from monitor.errors import UNREACHED, FeedError, FeedErrorKind
from monitor.fetch import Fetcher
from monitor.fetched import Fetched, Request
from monitor.outage import UNASKED
from monitor.store import feeds
from monitor.types import host_of
from monitor.writing import Writer


class Recovery:
    """What follows once a server is heard again: who was not is asked soon, at ``checks`` by id of feed.

    That is in the store before anything is that was heard, from which nobody could tell any more that there was an
    outage: who is killed in between, or works beside others in a fleet, does it once more, and to the same end.
    """

    def __init__(self, writer: Writer, checks: Mapping[int, datetime]) -> None:
        self._writer, self._checks = writer, checks
        self._telling = asyncio.Lock()
        self._is_over = False

    async def heard(self) -> None:
        """A server has answered. Returns when what follows is in the store."""
        if not self._checks or self._is_over:
            return
        async with self._telling:
            if not self._is_over:
                await self._hasten()
                self._is_over = True

    async def end(self) -> None:
        """The pass is done: feeds that it had asked in vain just before are asked soon as well."""
        if self._is_over:
            await self._hasten()

    async def _hasten(self) -> None:
        await self._writer.run(lambda connection: feeds.hasten(connection, self._checks))


class Patience:
    """Asks for one pass, and waits once for a host that is silent.

    One that has answered is not silent when one of its feeds is slow.
    """

    def __init__(self, fetcher: Fetcher, recovery: Recovery) -> None:
        self._fetcher, self._recovery = fetcher, recovery
        self._answered: set[str] = set()
        self._silent: dict[str, FeedErrorKind] = {}

    async def ask(self, request: Request) -> Fetched | Request:
        """See ``Fetcher.ask``."""
        host = host_of(request.url)
        if host in self._silent and host not in self._answered:
            raise FeedError(request.asked, self._silent[host], "the host did not answer earlier in this pass")
        try:
            answer = await self._fetcher.ask(request)
        except FeedError as error:
            if error.kind in UNREACHED:
                self._silent.setdefault(host, error.kind)
            else:
                self._answered.add(host)
                if error.kind not in UNASKED:
                    await self._recovery.heard()
            raise
        self._answered.add(host)
        await self._recovery.heard()
        return answer
