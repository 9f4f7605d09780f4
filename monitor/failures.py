"""What a failure means beyond its own feed and moment: when a feed is given up, and whom a refusal concerns. Pure.

The weights are those of Media Cloud's fetcher, which watches some 180,000 feeds: a hard failure counts 1, a soft one
0.5 ("active feeds do return 404 and come back to life"), a temporary one 0.25, and a feed is given up at 30.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.errors import FeedError, FeedErrorKind
from monitor.links import registrable_domain
from monitor.types import Feed, Phase

HARD, SOFT, TEMPORARY = 1.0, 0.5, 0.25
UNRESOLVED = TEMPORARY / 4  # of a name: asked four times as often, see rhythm.DNS_BACKOFF_CAP_S
GIVE_UP = 30.0  # strikes; hard failures reach it in about two and a half days

_WEIGHTS = {
    FeedErrorKind.DNS: UNRESOLVED,
    FeedErrorKind.CONNECT: TEMPORARY,
    FeedErrorKind.TIMEOUT: TEMPORARY,
    FeedErrorKind.TLS: SOFT,  # certificates are renewed a day late
    FeedErrorKind.EMPTY: SOFT,
    FeedErrorKind.STALLED: SOFT,
    FeedErrorKind.INTERNAL: 0.0,  # our own fault
}
_NEVER = (Phase.POLLING_DAY, Phase.COUNT)  # the days on which no feed is given up
REFUSALS = (403, 429, 503)  # statuses that may concern more feeds than one


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a failure does to its feed; ``words`` are for people, empty when there is nothing to tell."""

    strikes: float
    disable: bool = False
    words: str = ""


def weight(error: FeedError) -> float:
    """How much a failure counts: HARD, SOFT, TEMPORARY or UNRESOLVED; nothing for a fault of ours."""
    if error.kind is FeedErrorKind.HTTP:
        passing = error.status is None or error.status in (404, 408, 425, 429) or error.status >= 500
        return SOFT if passing else HARD
    return _WEIGHTS.get(error.kind, HARD)


def consequence(feed: Feed, error: FeedError, phase: Phase) -> Consequence:
    """A feed that is gone (410), or has failed for too long, is disabled; the latter never while votes are cast."""
    strikes = feed.strikes + weight(error)
    again = f"`pollwatch feeds enable {feed.id}` asks it again"
    if error.kind is FeedErrorKind.GONE:
        return Consequence(strikes, disable=True, words=f"disabled, {again}")
    if strikes < GIVE_UP:
        return Consequence(strikes)
    failed = f"{feed.failures + 1} failures in a row"
    if phase in _NEVER:
        return Consequence(strikes, words=f"{failed}; it is asked on until the count is over, then disabled")
    return Consequence(strikes, disable=True, words=f"disabled after {failed}, {again}")


def concerned(refused: Feed, error: FeedError, feeds: Iterable[Feed]) -> list[int]:
    """The ids of the other ``feeds`` that should wait as long as ``refused``, which was answered 403, 429 or 503.

    "Too many requests" (429, or 503 with Retry-After) is about the host; "forbidden" (403) is so unless another feed
    of the host answered well when it was last asked. Either concerns the other hosts of the same registrable domain
    as far as none of their feeds did: behind one wall all hosts of an outlet are shut.
    """
    too_many = error.status == 429 or (error.status == 503 and error.retry_after_s is not None)
    if not too_many and error.status != 403:
        return []
    own = _host(refused.url)
    by_host: defaultdict[str, list[Feed]] = defaultdict(list)
    for feed in feeds:
        if feed.id != refused.id:
            by_host[_host(feed.url)].append(feed)
    domain = outlet_domain(refused)
    waiting: list[int] = []
    for host, those in by_host.items():
        answers = any(feed.last_success_at is not None and feed.error_kind is None for feed in those)
        if (host == own and too_many) or (not answers and host.endswith(domain) and registrable_domain(host) == domain):
            waiting += [feed.id for feed in those]
    return waiting


def outlet_domain(feed: Feed) -> str:
    """The registrable domain of a feed's host: what belongs to one outlet."""
    return registrable_domain(_host(feed.url))


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
