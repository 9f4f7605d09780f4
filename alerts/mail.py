"""Building a message that no header can be injected into, and handing it to a real SMTP server."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from monitor.config import Settings
from monitor.errors import ConfigError, MailError
from monitor.text import clean
from monitor.types import Lang

Session = smtplib.SMTP  # what `connect` gives and `deliver` takes


def message_id(kind: str, date: str, receiver: str, sender: str) -> str:
    """The one Message-ID of a kind, date and receiver: a copy sent twice shows as a copy."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return f"<{kind}.{date}.{hashlib.sha256(receiver.encode()).hexdigest()[:20]}@{domain}>"


@dataclass(frozen=True, slots=True)
class Part:
    """Something that goes with a message: a picture that its HTML shows as ``cid:``, or a file for the reader."""

    name: str  # the Content-ID without its brackets, or the name of the file
    type: str  # such as image/png
    data: bytes


def build(  # noqa: PLR0913 - a keyword for each part of a message
    *,
    sender: str,
    receiver: str,
    lang: Lang,
    subject: str,
    id: str,
    date: datetime,
    text: str,
    html: str,
    list_name: str,
    pictures: Sequence[Part] = (),
    files: Sequence[Part] = (),
) -> bytes:
    """A message with a text and an HTML part that say the same, as the bytes to send."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(sender)
    message["To"] = _address(receiver)
    message["Subject"] = clean(subject)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = id
    message["Auto-Submitted"] = "auto-generated"
    message["List-Id"] = f"<{list_name}.{parseaddr(sender)[1].rpartition('@')[2]}>"
    message.set_content(text)
    page = EmailMessage(policy=SMTP)
    page.set_content(html, subtype="html")
    for picture in pictures:
        main, _slash, sub = picture.type.partition("/")
        page.add_related(picture.data, main, sub, cid=f"<{picture.name}>", disposition="inline")
    message.make_alternative()
    message.attach(page)
    message["Content-Language"] = lang  # last: the message's own Content- headers go over to its first part
    for file in files:
        main, _slash, sub = file.type.partition("/")
        words = {"charset": "utf-8"} if main == "text" else {}
        message.add_attachment(file.data, main, sub, filename=file.name, params=words)
    return message.as_bytes()


def _address(mailbox: str) -> Address:
    name, plain = parseaddr(mailbox)
    return Address(clean(name), addr_spec=plain)


@contextmanager
def connect(settings: Settings) -> Iterator[Session]:
    """A session with the configured server, encrypted and logged in as configured.

    Raises MailError when the server cannot be reached, is not who it says, or refuses the login; ConfigError when a
    file that the configuration names cannot be read.
    """
    smtp = settings.smtp
    # What the configuration names is read before a connection is opened.
    tls = _tls(settings) if smtp.security != "none" else None
    password = settings.smtp_password if smtp.username else ""
    session: smtplib.SMTP | None = None
    try:
        if smtp.security == "tls":
            session = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=smtp.timeout_s, context=tls)
        else:
            session = smtplib.SMTP(smtp.host, smtp.port, timeout=smtp.timeout_s)
            if tls:
                session.starttls(context=tls)
        if smtp.username:
            session.login(smtp.username, password)
    except (smtplib.SMTPException, OSError) as error:
        if session is not None:
            session.close()
        raise MailError(f"{smtp.host}:{smtp.port}", f"the server cannot be used: {_said(error)}") from error
    try:
        yield session
    finally:
        # The messages were accepted or refused by now: a server that is rude at the end changes nothing.
        with suppress(smtplib.SMTPException, OSError):
            session.quit()
        session.close()


def deliver(session: Session, settings: Settings, receiver: str, message: bytes) -> None:
    """Hand over one message; returns only once the server has accepted it. Raises MailError."""
    try:
        session.sendmail(parseaddr(settings.digest.sender)[1], [parseaddr(receiver)[1]], message)
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(receiver, _said(error)) from error


def _tls(settings: Settings) -> ssl.SSLContext:
    ca_file = settings.smtp.ca_file
    if ca_file is None:
        return ssl.create_default_context()
    path = settings.path(ca_file)
    try:
        return ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(settings.file, "smtp.ca_file", f"{path} is not a readable certificate file") from error


def _said(error: Exception) -> str:
    """What the server said, on one line; never what we sent, which may hold a password."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reason = next(iter(error.recipients.values()))
        return clean(f"{code} {_words(reason)}")
    if isinstance(error, smtplib.SMTPResponseException):
        return clean(f"{error.smtp_code} {_words(error.smtp_error)}")
    return clean(str(error)) or type(error).__name__


def _words(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
