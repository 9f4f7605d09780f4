"""A real SMTP server on loopback for tests: STARTTLS or TLS, login, refusals on demand."""

from __future__ import annotations

import re
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LOGIN = ("desk", "correct horse")


def shown(message: EmailMessage) -> str:
    """The HTML of a mail as its reader's program shows it: its pictures in their places, as the main part of a page."""
    body = message.get_body(("html",))
    assert body is not None
    html = str(body.get_content())
    for part in message.walk():
        if part.get_content_maintype() == "image":
            data = b64encode(part.get_content()).decode()
            html = html.replace(f'"cid:{part["Content-ID"][1:-1]}"', f'"data:{part.get_content_type()};base64,{data}"')
    return re.sub(r"(<body[^>]*>)(.*)(</body>)", r"\1<main>\2</main>\3", html, flags=re.DOTALL)


@dataclass
class Mailbox:
    """What the server accepted, and the answers it is to give instead."""

    port: int = 0
    ca_file: Path = Path()
    messages: list[bytes] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)  # receiver to answer
    open: int = 0  # connections, of a server that does not encrypt
    # Asked at each step of a delivery, "rcpt", "data" or "accepted" (before the answer): an answer in place of ours,
    # or "drop", which closes the connection in the middle of the message.
    watch: Callable[[str], str | None] = lambda _step: None

    def settle(self) -> None:
        """Wait until every client is gone and what it had sent was dealt with."""
        deadline = time.monotonic() + 10
        while self.open:
            assert time.monotonic() < deadline, "a client hangs"
            time.sleep(0.005)

    def parsed(self) -> list[EmailMessage]:
        """The accepted messages."""
        return [cast(EmailMessage, message_from_bytes(m, policy=default)) for m in self.messages]

    def ids(self, after: int = 0) -> list[str]:
        """The Message-IDs of all but the first ``after``, in order of arrival."""
        heads = (message_from_bytes(m.partition(b"\r\n\r\n")[0], policy=default) for m in self.messages[after:])
        return [str(head["Message-ID"]) for head in heads]

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if refusal := self.refuse.get(address) or self.watch("rcpt"):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.messages.append(cast(bytes, envelope.content))
        self.receivers += envelope.rcpt_tos
        self.watch("accepted")
        return "250 accepted"


def _authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
    return AuthResult(success=given == LOGIN, handled=False)


@contextmanager
def smtp_server(folder: Path, security: str = "none") -> Iterator[Mailbox]:
    """A server on a free port of loopback; ``security`` is none, starttls or tls, the last two with login."""
    mailbox = Mailbox()
    context: ssl.SSLContext | None = None
    if security != "none":
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        mailbox.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(mailbox.ca_file))
    options: dict[str, Any] = {"hostname": "127.0.0.1", "port": 0}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if security == "tls":
        options["ssl_context"] = context
    if security != "none":
        options |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": security == "starttls"}
    controller = _Controller(mailbox, **options)
    controller.start()
    mailbox.port = controller.port
    try:
        yield mailbox
    finally:
        controller.stop()


class _Server(SMTP):
    """Counts its connections, and breaks one off in the middle of a message where the mailbox says so."""

    def connection_made(self, transport: Any) -> None:
        self.event_handler.open += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.event_handler.open -= 1

    async def smtp_DATA(self, arg: str) -> None:
        if self.event_handler.watch("data") != "drop":
            await super().smtp_DATA(arg)
            return
        await self.push("354 go on")
        await self._reader.read(1000)
        self.transport.abort()


class _Controller(Controller):
    """Port 0 is a real choice here: the system picks a free one."""

    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
