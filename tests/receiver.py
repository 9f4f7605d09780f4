"""A service that receivers point at, for tests: real HTTP on loopback, each path answering as the test wants it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG_S = 1.0


@dataclass
class Delivery:
    """One message that came in whole: to whom, what, and whether it was answered with 200."""

    path: str
    raw: bytes
    accepted: bool

    @property
    def title(self) -> str:
        return str(json.loads(self.raw)["title"])

    @property
    def body(self) -> str:
        return str(json.loads(self.raw)["message"])

    @property
    def key(self) -> str:
        found = re.search(r"\(([0-9a-f]{16})\)$", self.title)
        assert found, self.title
        return found[1]

    @property
    def alerts(self) -> list[int]:
        """The alerts that it names."""
        return [int(id) for id in re.findall(r"^P\d (?:alert|警示) (\d+)[:：]", self.body, re.MULTILINE)]


@dataclass
class Inbox:
    """What came in, and how paths answer: `200`, another status, `hang`, `close` unread, `drop` after reading."""

    port: int = 0
    deliveries: list[Delivery] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    before_answer: Callable[[], object] = lambda: None
    busy: int = 0

    def address(self, path: str, options: str = "") -> str:
        """The Apprise URL of a path."""
        return f"json://127.0.0.1:{self.port}/{path}{options}"

    def of(self, path: str) -> list[Delivery]:
        """What was accepted at one path."""
        return [each for each in self.deliveries if each.path == f"/{path}" and each.accepted]

    def settle(self) -> None:
        """Wait until every request that came in is answered."""
        deadline = time.monotonic() + 10
        time.sleep(0.05)
        while self.busy and time.monotonic() < deadline:
            time.sleep(0.01)


@contextmanager
def receiver_server() -> Iterator[Inbox]:
    """An inbox on a free port of loopback."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.busy += 1
            try:
                self._answer()
            finally:
                inbox.busy -= 1

        def _answer(self) -> None:
            answer = inbox.answers.get(self.path.strip("/"), "200")
            if answer == "close":
                self.close_connection = True
                return
            size = int(self.headers["Content-Length"])
            raw = self.rfile.read(size)
            if len(raw) < size:  # its sender was killed between head and body
                self.close_connection = True
                return
            time.sleep(inbox.delay_s)
            inbox.deliveries.append(Delivery(self.path, raw, accepted=answer == "200"))
            inbox.before_answer()
            if answer == "hang":
                time.sleep(HANG_S)
            if answer == "drop":
                self.close_connection = True
                return
            self.send_response(int(answer) if answer.isdecimal() else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A sender that was killed in the middle is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    inbox.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
