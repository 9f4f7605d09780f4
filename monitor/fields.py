"""What a value of the configuration may be, where its type does not say it. Pure."""

from __future__ import annotations

import ipaddress
from email.utils import parseaddr
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("not a time zone name; try Asia/Hong_Kong") from error
    return name


def _mailbox(address: str) -> str:
    _, plain = parseaddr(address)
    if any(c in address for c in "\r\n\0") or "@" not in plain or plain.startswith("@") or plain.endswith("@"):
        raise ValueError("not a mail address; try name@example.org")
    if not plain.isascii():
        raise ValueError("only ASCII addresses; write an international domain in its xn-- form")
    return address


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError('not a network; try "127.0.0.0/8"') from error
    return text


Zone = Annotated[str, AfterValidator(_zone)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Network = Annotated[str, AfterValidator(_network)]
