"""One look at an address: what a feed there would bring, or which feeds a web page there names."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitor import robots
from monitor.config import Settings
from monitor.errors import FeedError, FeedErrorKind
from monitor.fetch import Fetcher
from monitor.fetched import Fetched, behind
from monitor.parse import find_feeds
from monitor.parsing import ParsePool
from monitor.types import Document


@dataclass(frozen=True, slots=True)
class Check:
    """What one look at an address found. Either ``document`` or ``error`` is set; ``feeds`` are other addresses.

    The kind of the error is ``blocked`` for an address that we may not fetch, ``robots`` for one that we should not.
    """

    url: str
    fetched: Fetched | None
    document: Document | None
    error: FeedError | None
    feeds: tuple[str, ...] = ()


async def check(settings: Settings, url: str, *, despite_robots: bool = False) -> Check:
    """Fetch ``url`` once, say what it holds, store nothing. A web page is searched for the feeds it names.

    An address that the host's robots.txt keeps from us is not fetched, unless ``despite_robots``.
    """
    fetched = None
    parser = ParsePool(settings.fetch.parse_timeout_s, settings.fetch.parse_memory_mb)
    async with parser, Fetcher(settings.fetch) as fetcher:
        try:
            if not (despite_robots or await _may_fetch(fetcher, url)):
                detail = f"{robots.address(url)} asks us not to fetch this address"
                return Check(url, None, None, FeedError(url, FeedErrorKind.ROBOTS, detail))
            fetched = await fetcher.get(url)
            zone = ZoneInfo(settings.election.timezone)
            document = await parser.parse(fetched.body, fetched.final_url, fetched.content_type, zone)
            return Check(url, fetched, document, None)
        except FeedError as error:
            found: tuple[str, ...] = ()
            if fetched is not None and error.kind is FeedErrorKind.HTML:
                found = find_feeds(fetched.body, fetched.final_url, fetched.content_type)
            return Check(url, fetched, None, behind(error, url), found)


async def _may_fetch(fetcher: Fetcher, url: str) -> bool:
    """What robots.txt says; a missing or unreachable one says nothing, and the feed itself will tell of the trouble."""
    try:
        answer = await fetcher.get(robots.address(url))
    except FeedError:
        return True
    return robots.allows(answer.body, url)
