"""A form that is posted to a hub: guarded and bounded like a GET, against a real hub on loopback."""

from __future__ import annotations

import asyncio

import pytest

from monitor.errors import FeedError, FeedErrorKind
from monitor.fetch import Fetcher
from monitor.fetched import MAX_REDIRECTS
from monitor.sections import Fetch
from tests.hub import running_hub
from tests.monitor.fetching import LOOPBACK


def post(url: str, **settings: object) -> FeedError | None:
    """The error that a POST ends with, if any."""

    async def once() -> None:
        async with Fetcher(Fetch(**{"allow_private": LOOPBACK, **settings})) as fetcher:
            await fetcher.post(url, {"name": "海 港"})

    try:
        asyncio.run(once())
    except FeedError as error:
        return error
    return None


def test_a_form_is_posted_and_refusals_are_told() -> None:
    """Any 2xx is an answer; the rest is an error with its status and what the server asks for."""
    with running_hub() as hub:
        hub.confirms = False
        assert post(hub.url) is None
        hub.status, hub.headers = 429, {"Retry-After": "7"}
        error = post(hub.url)
        assert [form["name"] for form in hub.asked] == ["海 港"] * 2
    assert error is not None
    assert (error.kind, error.status, error.retry_after_s) == (FeedErrorKind.HTTP, 429, 7)
    closed = post(hub.url)
    assert closed is not None
    assert closed.kind is FeedErrorKind.CONNECT


@pytest.mark.parametrize(
    ("status", "location", "kind"),
    [
        (307, "/other", FeedErrorKind.REDIRECT),
        (308, "/other", FeedErrorKind.REDIRECT),
        (303, "/other", FeedErrorKind.HTTP),
        (308, "", FeedErrorKind.HTTP),
        (308, "http://10.0.0.1/", FeedErrorKind.BLOCKED),
        (308, "file:///etc/passwd", FeedErrorKind.BLOCKED),
    ],
)
def test_a_post_follows_only_redirects_that_keep_it_one(status: int, location: str, kind: FeedErrorKind) -> None:
    """Every hop passes the guard, and there are five at most."""
    with running_hub() as hub:
        hub.status, hub.headers = status, {"Location": location} if location else {}
        error = post(hub.url)
        asked = len(hub.asked)
    assert error is not None
    assert error.kind is kind
    assert asked == (MAX_REDIRECTS + 1 if kind is FeedErrorKind.REDIRECT else 1)


def test_a_post_passes_the_guard_and_ends_in_time() -> None:
    """Like a GET."""
    with running_hub() as hub:
        private = post(hub.url, allow_private=())
        hub.delay_s = 2
        late = post(hub.url, timeout_s=0.3)
    assert private is not None
    assert late is not None
    assert (private.kind, late.kind) == (FeedErrorKind.BLOCKED, FeedErrorKind.TIMEOUT)
