"""What tests of fetching share: one fetch, and the error that one ends with."""

from __future__ import annotations

import asyncio

import pytest

from monitor.errors import FeedError
from monitor.fetch import Fetcher
from monitor.fetched import Fetched
from monitor.sections import Fetch

LOOPBACK = ("127.0.0.0/8",)


def get(url: str, etag: str | None = None, last_modified: str | None = None, **settings: object) -> Fetched:
    """Fetch once; loopback is allowed unless the test says otherwise."""

    async def once() -> Fetched:
        async with Fetcher(Fetch(**{"allow_private": LOOPBACK, **settings})) as fetcher:
            return await fetcher.get(url, etag, last_modified)

    return asyncio.run(once())


def error_of(url: str, **settings: object) -> FeedError:
    """The error that fetching ends with."""
    with pytest.raises(FeedError) as caught:
        get(url, **settings)
    assert caught.value.url == url
    return caught.value
