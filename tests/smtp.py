"""A real SMTP server on loopback for tests: STARTTLS or TLS, login, refusals on demand."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
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


@dataclass
class Mailbox:
    """What the server accepted, and the answers it is to give instead."""

    port: int = 0
    ca_file: Path = Path()
    messages: list[bytes] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)  # receiver to answer

    def parsed(self) -> list[EmailMessage]:
        """The accepted messages."""
        return [cast(EmailMessage, message_from_bytes(m, policy=default)) for m in self.messages]

    def ids(self) -> list[str]:
        """Their Message-IDs, in order of arrival."""
        return [str(message["Message-ID"]) for message in self.parsed()]

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.messages.append(cast(bytes, envelope.content))
        self.receivers += envelope.rcpt_tos
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


class _Controller(Controller):
    """Port 0 is a real choice here: the system picks a free one."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
