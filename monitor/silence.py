"""Hosts that were silent in a pass: their other feeds would only wait as long in vain."""

from __future__ import annotations

from monitor.errors import UNREACHED, FeedError, FeedErrorKind
from monitor.fetch import Fetcher
from monitor.fetched import Fetched, Request
from monitor.types import host_of


class Patience:
    """Asks for one pass, and waits once for a host that is silent.

    One that has answered is not silent when one of its feeds is slow.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
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
            raise
        self._answered.add(host)
        return answer
