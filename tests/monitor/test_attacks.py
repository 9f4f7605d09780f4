"""Servers that attack whoever asks them, and names that lead elsewhere the second time. See README, "Attackers"."""

from __future__ import annotations

import itertools
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from monitor.errors import FeedErrorKind
from monitor.parse import MAX_ENTRIES, parse
from tests.fakes import FeedServer, item, rss
from tests.monitor.fetching import error_of, get


@contextmanager
def speaking(lines: Callable[[], Iterator[bytes]]) -> Iterator[str]:
    """The address of a server that says nothing but these bytes to whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    asker, _ = server.accept()
                    with asker, suppress(OSError):
                        for line in lines():
                            asker.sendall(line)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/feed"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def _headers_without_end() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    for number in itertools.count():
        yield b"".join(b"X-%d-%d: %s\r\n" % (number, n, b"a" * 60) for n in range(100))


def _one_header_without_end() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Long: "
    while True:
        yield b"a" * 65_536


def _a_status_without_end() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 "
    while True:
        yield b"O" * 65_536


def _chunk_extensions_without_end() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"
    while True:
        yield b"x" * 65_536


def _trailers_without_end() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    for number in itertools.count():
        yield b"".join(b"T-%d-%d: %s\r\n" % (number, n, b"a" * 60) for n in range(100))


@pytest.mark.parametrize(
    "lines",
    [
        _headers_without_end,
        _one_header_without_end,
        _a_status_without_end,
        _chunk_extensions_without_end,
        _trailers_without_end,
    ],
    ids=lambda lines: lines.__name__.strip("_"),
)
def test_a_head_without_end_is_cut_off(lines: Callable[[], Iterator[bytes]]) -> None:
    """Whatever has no end is left long before the memory or the time is full, and told as one error."""
    with speaking(lines) as url:
        tracemalloc.start()
        began = time.monotonic()
        error = error_of(url, timeout_s=3)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert error.kind in (FeedErrorKind.HTTP, FeedErrorKind.CONNECT, FeedErrorKind.TIMEOUT)
    assert time.monotonic() - began < 30  # its time is over after three, on a machine that is not busy
    assert peak < 30_000_000
    assert len(str(error)) < 600


def test_answers_that_promise_an_answer_end_with_the_time() -> None:
    """`100 Continue` for ever is no answer."""

    def continued() -> Iterator[bytes]:
        while True:
            yield b"HTTP/1.1 100 Continue\r\n\r\n" * 100
            time.sleep(0.01)

    with speaking(continued) as url:
        assert error_of(url, timeout_s=1).kind == FeedErrorKind.TIMEOUT


def test_a_name_that_leads_elsewhere_the_second_time_leads_nowhere(
    server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name leads to an allowed address at first, to another when it is asked again: every connection is checked."""
    server.put("/feed", rss(item("secret", guid="1")))
    real = socket.getaddrinfo
    answers = itertools.chain(["127.0.0.2"], itertools.repeat("127.0.0.1"))

    def rebinding(host: str, port: int, *args: object, **more: object) -> list[object]:
        if host == "rebind.example":
            return list(real(next(answers), port, *args, **more))  # type: ignore[arg-type]
        return list(real(host, port, *args, **more))  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = f"http://rebind.example:{server.port}/feed"
    kinds = [error_of(url, allow_private=("127.0.0.2/32",), timeout_s=5).kind for _ in range(3)]
    assert kinds == [FeedErrorKind.CONNECT, FeedErrorKind.BLOCKED, FeedErrorKind.BLOCKED]
    assert not server.requests
    # With its network allowed the same name is reached: it was the guard that held, not the name.
    assert get(url, timeout_s=5).status == 200


@pytest.mark.soak
def test_of_a_feed_without_measure_the_first_entries_are_read() -> None:
    """A hundred thousand entries cost what the limits let them cost, and the feed says how many there were."""
    document = parse(rss(*(item(f"Entry {n}", guid=str(n)) for n in range(100_000))).encode(), "https://a.example/feed")
    assert len(document.entries) == MAX_ENTRIES
    assert document.warning is not None
    assert "100,000 entries" in document.warning
