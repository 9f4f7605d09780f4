"""Who may read the pages, by which name they are reached, and what a browser may do with them.

The server listens on loopback and lets in who can reach it there. On any other address it wants a secret: a token,
which a browser sends as the password of Basic and a scraper as Bearer, or a header that a proxy sets once it knows who
is there. A page of somebody else's that makes a browser call us under a name of its own (DNS rebinding) gets nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

from monitor.config import Settings
from monitor.errors import ConfigError

PLAIN = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
LATER = {**PLAIN, "Retry-After": "10"}
# What holds for everything that a browser may show: nothing is loaded, framed, sent or told to others.
STRICT = {
    **PLAIN,
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
_ASK = {**STRICT, "WWW-Authenticate": 'Basic realm="pollwatch", charset="UTF-8"'}
SHORTEST = 16  # characters of a secret

_FORWARDED = ("Forwarded", "X-Forwarded-For", "Via")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Guard:
    """The names by which the pages may be reached, and the secrets of which one must be known; none: anybody may."""

    names: frozenset[str]
    token: str = field(default="", repr=False)
    header: str = ""
    header_secret: str = field(default="", repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Guard:
        """What the configuration asks for. Raises ConfigError for a bind that would let in anybody."""
        section = settings.web
        token, header_secret = settings.web_token, settings.web_proxy_secret
        for key, secret in (("token", token), ("proxy_secret", header_secret)):
            if secret and len(secret) < SHORTEST:
                raise ConfigError(settings.file, f"web.{key}", f"needs {SHORTEST} characters or more")
        if bool(section.proxy_header) != bool(header_secret):
            mend = "needs both the name of a header and POLLWATCH_WEB__PROXY_SECRET or web.proxy_secret_file"
            raise ConfigError(settings.file, "web.proxy_header", mend)
        if not (token or header_secret or is_loopback(section.host)):
            mend = (
                f"{section.host} can be reached from outside: set POLLWATCH_WEB__TOKEN or web.token_file, or "
                "web.proxy_header with its secret, or listen on 127.0.0.1"
            )
            raise ConfigError(settings.file, "web.host", mend)
        names = {*_LOOPBACK, section.host.lower()}
        if token or header_secret:  # what only loopback is to read has no name outside of it
            names.add((urlsplit(section.public_url).hostname or "localhost").lower())
        return cls(frozenset(names), token, section.proxy_header, header_secret)

    def check(self, request: web.Request) -> None:
        """Raises the answer to give instead of a page: 421 for a name that is not ours, 401 without a secret."""
        if _name(request.headers.get("Host", "")) not in self.names:
            text = "not a name of this server: use 127.0.0.1, or set public_url in [web]\n"
            raise web.HTTPMisdirectedRequest(text=text, headers=STRICT)
        if not self._knows(request):
            raise web.HTTPUnauthorized(text="a secret is needed: see [web] in README\n", headers=_ASK)

    def _knows(self, request: web.Request) -> bool:
        if not (self.token or self.header_secret):
            # A proxy on this machine comes from loopback, too, and may be asked by anybody.
            return not any(name in request.headers for name in _FORWARDED)
        by_token = bool(self.token) and _equal(_presented(request.headers.get("Authorization", "")), self.token)
        by_proxy = bool(self.header_secret) and _equal(request.headers.get(self.header, ""), self.header_secret)
        return by_token or by_proxy


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name(host: str) -> str:
    """The name in a Host header, without port, brackets and the dot of the root."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _presented(authorization: str) -> str:
    """The token of a Bearer, the password of a Basic; empty for anything else."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        plain = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
    return plain.partition(":")[2]


def _equal(given: str, secret: str) -> bool:
    """In the same time whatever is given."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), secret.encode())
