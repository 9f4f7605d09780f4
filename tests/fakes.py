"""A feed server for tests: real HTTP on loopback, every answer as the test wants it."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ALLOW_LOOPBACK = '[fetch]\nallow_private = ["127.0.0.0/8"]\n'


@dataclass
class Page:
    """What one path answers. With ``etag`` or ``last_modified`` a matching conditional request gets 304."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    delay_s: float = 0.0  # before the answer
    endless: bool = False  # repeats the body until the client goes away
    pause_s: float = 0.0  # between the repetitions
    content_length: int | None = None  # what is claimed; default: the truth


class FeedServer:
    """Pages by path; the requests it got, in order, as (path, headers), and when each came and was done with."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.spans: list[tuple[float, float]] = []  # in order of their end, by time.monotonic

    def put(self, path: str, body: bytes | str = b"", **answer: object) -> str:
        """Answer ``path`` with this from now on; returns its address."""
        data = body.encode() if isinstance(body, str) else body
        self.pages[path] = Page(data, **answer)  # type: ignore[arg-type]  # the fields of Page
        return self.url(path)

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def feed_server(tls: ssl.SSLContext | None = None, *, everywhere: bool = False) -> Iterator[FeedServer]:
    """A running server on a free port; with a TLS context it speaks HTTPS, and ``url`` does not know.

    With ``everywhere`` it listens on every address, so that 127.0.0.2 and those after it are hosts of their own.
    """
    httpd = ThreadingHTTPServer(("" if everywhere else "127.0.0.1", 0), _Handler)
    if tls is not None:
        httpd.socket = tls.wrap_socket(httpd.socket, server_side=True)
    httpd.daemon_threads = True
    fake = FeedServer(httpd.server_port)
    httpd.fake = fake  # type: ignore[attr-defined]  # how the handler finds it
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        fake: FeedServer = self.server.fake  # type: ignore[attr-defined]
        came = time.monotonic()
        fake.requests.append((self.path, dict(self.headers)))
        page = fake.pages.get(self.path, Page(b"no such page", status=404))
        self.close_connection = True
        time.sleep(page.delay_s)
        with suppress(ConnectionError):  # the client had enough: that is what some tests are about
            self._answer(page)
        fake.spans.append((came, time.monotonic()))

    def _answer(self, page: Page) -> None:
        asked = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
        fresh = (page.etag and asked[0] == page.etag) or (page.last_modified and asked[1] == page.last_modified)
        self.send_response(304 if fresh else page.status)
        headers = {"Content-Type": "application/xml", "Connection": "close", **page.headers}
        headers |= {k: v for k, v in {"ETag": page.etag, "Last-Modified": page.last_modified}.items() if v}
        if not fresh and not page.endless:
            headers["Content-Length"] = str(len(page.body) if page.content_length is None else page.content_length)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        while not fresh:
            self.wfile.write(page.body)
            self.wfile.flush()
            if not page.endless:
                break
            time.sleep(page.pause_s)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def pack(body: bytes, encoding: str) -> bytes:
    """``body`` under that Content-Encoding; ``raw-deflate`` is the deflate that some servers send instead."""
    if encoding == "br":
        import brotli

        return brotli.compress(body, quality=4)
    if encoding == "zstd":
        from backports import zstd

        return zstd.compress(body)
    windows = {"gzip": 31, "deflate": 15, "raw-deflate": -15}
    packer = zlib.compressobj(wbits=windows[encoding])
    return packer.compress(body) + packer.flush()


def gzip_bomb(size: int) -> bytes:
    """``size`` bytes of feed-like white space, compressed about a thousandfold."""
    return gzip.compress(b"<rss><channel>" + b" " * size)


def item(title: str, summary: str = "", *, guid: str = "", link: str = "", date: str = "") -> str:
    """One RSS item; empty parts are left out."""
    parts = {"title": title, "description": summary, "guid": guid, "link": link, "pubDate": date}
    tags = "".join(f"<{tag}>{escape(text, quote=False)}</{tag}>" for tag, text in parts.items() if text)
    tags = tags.replace("<guid>", '<guid isPermaLink="false">')
    return f"<item>{tags}</item>"


def rss(*items: str, title: str = "Harbour Daily") -> str:
    """An RSS 2.0 document of such items."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<rss version="2.0"><channel><title>{title}</title>{"".join(items)}</channel></rss>'
    )
