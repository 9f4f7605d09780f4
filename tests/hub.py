"""A WebSub hub for tests: real HTTP on loopback, as well or as badly behaved as the test wants it."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode

CHALLENGE = "a-random-word-0123456789"


def call(
    url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str = ""
) -> tuple[int, str]:
    """Status and text of one request, without following anything."""
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method or None)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Hub:
    """The requests it got, in order, and what came of its questions to the subscriber."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hub"
        self.asked: list[dict[str, str]] = []
        self.echoes: list[tuple[int, str]] = []  # what the subscriber answered to each question
        self.status = 202
        self.headers: dict[str, str] = {}
        self.delay_s = 0.0  # before it answers a request
        self.confirms = True  # asks the subscriber whether it meant it
        self.early = False  # asks before it answers
        self.lease_s: int | None = 864_000

    def question(self, asked: Mapping[str, str], **changes: str) -> tuple[int, str]:
        """Ask the subscriber to confirm a request; ``changes`` replace what is asked, `_` standing for a dot."""
        query = {"hub.mode": asked["hub.mode"], "hub.topic": asked["hub.topic"], "hub.challenge": CHALLENGE}
        if self.lease_s is not None and asked["hub.mode"] == "subscribe":
            query["hub.lease_seconds"] = str(self.lease_s)
        query |= {name.replace("_", ".", 1): value for name, value in changes.items()}
        return call(f"{asked['hub.callback']}?{urlencode({k: v for k, v in query.items() if v})}")

    def deliver(self, body: bytes = b"news", *, method: str = "sha256", secret: str | None = None) -> int:
        """Announce news to the last subscriber, signed; returns the status."""
        asked = next(form for form in reversed(self.asked) if form["hub.mode"] == "subscribe")
        key = asked["hub.secret"] if secret is None else secret
        signature = f"{method}={hmac.new(key.encode(), body, getattr(hashlib, method)).hexdigest()}"
        return call(asked["hub.callback"], body, {"X-Hub-Signature": signature})[0]


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub on a free port."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    httpd.daemon_threads = True
    hub = Hub(httpd.server_port)
    httpd.hub = hub  # type: ignore[attr-defined]  # how the handler finds it
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def wait_until(happened: Callable[[], object]) -> None:
    """Until something is so; what others do on their own time is not done yet when we look."""
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        time.sleep(hub.delay_s)
        hub.asked.append(form)
        confirms = hub.confirms and hub.status < 300
        if confirms and hub.early:
            hub.echoes.append(hub.question(form))
        self.send_response(hub.status)
        for name, value in {"Content-Length": "0", "Connection": "close", **hub.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        if confirms and not hub.early:
            hub.echoes.append(hub.question(form))

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""
