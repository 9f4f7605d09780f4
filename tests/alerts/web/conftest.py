"""Shared by the tests of the web."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from monitor.config import Settings
from monitor.store import Store, feeds
from tests.alerts.web.desk import Desk, served
from tests.fakes import ALLOW_LOOPBACK, feed_server
from tests.hub import running_hub


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched, and hubs reach us there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return configure(
        ALLOW_LOOPBACK
        + f'timeout_s = 3\nmax_bytes = 100000\n[web]\nport = {port}\npublic_url = "http://127.0.0.1:{port}/"'
    )


@pytest.fixture
def desk(store: Store, settings: Settings, now: datetime) -> Iterator[Desk]:
    """Everything up."""
    with feed_server() as server, running_hub() as hub, served(store, settings):
        desk = Desk(store, settings, server, hub)
        with store.write() as connection:
            feeds.add(connection, server.url("/f"), now)
        yield desk
