"""Shared by the tests of the ground floor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes import FeedServer, feed_server


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """A feed server."""
    with feed_server() as fake:
        yield fake
