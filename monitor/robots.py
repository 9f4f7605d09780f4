"""What an outlet's robots.txt asks of us (RFC 9309). Pure; the parser is Python's own."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit
from urllib.robotparser import RobotFileParser

NAME = "pollwatch"  # by which robots.txt knows us, as in the User-Agent
MAX_BYTES = 500_000  # RFC 9309 asks for no more to be read


def address(url: str) -> str:
    """Where the robots.txt that speaks of ``url`` lies."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))


def allows(body: bytes, url: str) -> bool:
    """Whether the robots.txt ``body`` leaves ``url`` to us. What cannot be read asks for nothing."""
    rules = RobotFileParser()
    rules.parse(body[:MAX_BYTES].decode("utf-8-sig", "replace").splitlines())
    return rules.can_fetch(NAME, url)
