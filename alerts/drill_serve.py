"""What the feeds of a drill serve: real HTTP on loopback, each outlet at a port of its own, as the script says.

A port each, because politeness and failures go by host: an outage of one outlet must be one outlet's.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from alerts.drill_script import Change, FeedEntry, Script
from alerts.render import render
from monitor.errors import InputError

_HTML = b"<!doctype html><html><title>Back soon</title><body>We are working on this page.</body></html>"
_XML, _PAGE = "application/xml; charset=utf-8", "text/html; charset=utf-8"
_LONGEST_S = 60.0  # that a request is left without an answer; the collector gives up long before


@dataclass
class _Feed:
    """One feed as it stands."""

    entry: FeedEntry
    listed: int
    items: dict[str, dict[str, Any]] = field(default_factory=dict)  # by guid, the oldest first
    outage: str = ""
    recorded: bytes | None = None
    body: bytes = b""
    etag: str = ""

    def apply(self, change: Change, script: Script) -> None:
        if change.outage is not None:
            self.outage = change.outage
        if change.body is not None or change.file is not None:
            self.recorded = _recorded(change, script)
        for guid in change.remove:
            self.items.pop(guid, None)
        for story in change.add:
            kept = self.items.get(story.guid, {}).get("published")
            self.items[story.guid] = {
                "guid": story.guid,
                "title": story.title,
                "summary": story.summary,
                "link": story.link_of(self.entry.feed),
                "published": (story.published or kept or change.at).astimezone(UTC),
            }
        for guid in list(self.items)[: max(0, len(self.items) - self.listed)]:
            del self.items[guid]

    def write(self, now: datetime) -> None:
        """Set the document that is served from now on."""
        if self.recorded is not None and not self.items:
            self.body = self.recorded
        else:
            feed = {"slug": self.entry.feed, "outlet": self.entry.outlet, "lang": self.entry.lang.value}
            data = {"feed": feed, "items": list(self.items.values())[::-1], "now": now.astimezone(UTC)}
            self.body = render(f"demo/{self.entry.format}.xml", data).encode()
        self.etag = f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'

    def answer(self, known: str | None) -> tuple[int, str, bytes]:
        """Status, content type and body for a request that knows this ETag."""
        if self.outage == "html":
            return 200, _PAGE, _HTML
        if self.outage:
            return int(self.outage), _PAGE, _HTML
        return (304, _XML, b"") if known == self.etag else (200, _XML, self.body)


class Served:
    """The feeds of a script on loopback; they change when ``advance`` is called."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._next = 0  # of the changes
        self._feeds = {entry.feed: _Feed(entry, script.header.listed) for entry in script.header.feeds}
        self._ports: dict[str, int] = {}
        self._over = threading.Event()
        for each in self._feeds.values():
            each.write(script.start)

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where each feed is, by its name."""
        return {name: f"http://127.0.0.1:{port}/{name}" for name, port in self._ports.items()}

    def advance(self, now: datetime) -> None:
        """Serve what the script says up to ``now``. Raises InputError for a file that cannot be read."""
        changed: dict[str, _Feed] = {}
        changes = self._script.changes
        while self._next < len(changes) and changes[self._next].at <= now:
            change = changes[self._next]
            changed[change.feed] = feed = self._feeds[change.feed]
            feed.apply(change, self._script)
            self._next += 1
        for feed in changed.values():
            feed.write(now)

    @contextlib.contextmanager
    def open(self) -> Iterator[Served]:
        """Answer requests until the end of the block."""
        with contextlib.ExitStack() as doors:
            doors.callback(self._over.set)  # before the servers are shut: none waits for a request that hangs
            for name, feed in self._feeds.items():
                self._ports[name] = doors.enter_context(_server(feed, self._over))
            yield self


@contextlib.contextmanager
def _server(feed: _Feed, over: threading.Event) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if feed.outage == "timeout":
                over.wait(_LONGEST_S)
                self.close_connection = True
                return
            status, kind, body = feed.answer(self.headers.get("If-None-Match"))
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                if not feed.outage:
                    self.send_header("ETag", feed.etag)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the drill says itself what happens."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _recorded(change: Change, script: Script) -> bytes:
    if change.file is None:
        return (change.body or "").encode()
    path = script.beside(change.file)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
