"""What is asked of the web, and what came."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.errors import FeedError
from monitor.headers import as_came
from monitor.text import shorten
from monitor.types import Answer

MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. ``body`` is decompressed, and empty when ``not_modified``.

    ``moved_to`` is where the server says the address has gone for good (301, 308), up to the first temporary redirect.
    """

    status: int
    body: bytes
    final_url: str
    etag: str | None
    last_modified: str | None
    content_type: str | None
    not_modified: bool
    moved_to: str | None = None
    fresh_s: float | None = None  # how long a cache may still give this answer to others
    link: str | None = None  # its Link headers, joined by commas
    raw_headers: tuple[tuple[bytes, bytes], ...] = field(default=(), compare=False)  # all of them, as evidence
    at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)  # when it came
    seconds: float = field(default=0.0, compare=False)  # that it took, redirects included

    def answer(self, url: str, sha256: str) -> Answer:
        """It as evidence; ``url`` is what was asked for."""
        headers = as_came(self.raw_headers)
        return Answer(url, self.final_url, self.at, self.status, headers, sha256, len(self.body))


@dataclass(frozen=True, slots=True)
class Request:
    """A GET of ``url``; ``etag`` and ``last_modified`` as an earlier answer gave them.

    One that was redirected to another host is where it has come to: ``feed`` was asked for, and the rest is what was
    learnt on the way.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    feed: str = ""  # set by the first redirect
    moved_to: str | None = None
    for_good: bool = True  # no redirect was a temporary one
    left: int = MAX_REDIRECTS
    spent_s: float = 0.0  # by the hosts before

    @property
    def asked(self) -> str:
        """The address of the feed, by which errors are called."""
        return self.feed or self.url


def behind(error: FeedError, url: str) -> FeedError:
    """An error as it is for who asked for ``url``, and may have been redirected to where it was met."""
    if error.url == url:
        return error
    detail = way(url, error.url) + error.detail
    return FeedError(url, error.kind, detail, status=error.status, retry_after_s=error.retry_after_s)


def way(url: str, hop: str) -> str:
    """What an error says first that was met at ``hop`` on the way from ``url``; nothing where that is the same."""
    return "" if hop == url else f"redirects to {shorten(hop, 200)}: "
