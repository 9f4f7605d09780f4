"""Hosts that a text names or links to, and the bodies whose addresses are verified. Pure: nothing is looked up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.links import host_parts
from monitor.types import ClaimType

# Letters with accents, Greek, Cyrillic, Armenian: an address may be written in what passes for Latin, or in Han.
_LABEL = r"[a-z0-9\u00df-\u024f\u0370-\u03ff\u0400-\u052f\u0561-\u0587-]"
_IP = r"(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)"
_HOST = re.compile(
    rf"(?<!{_LABEL})(?P<user>https?://(?:{_LABEL}{{1,63}}\.){{1,8}}{_LABEL}{{2,63}}(?::[^\s/@]{{0,60}})?@)?"
    rf"(?P<scheme>https?://)?(?P<host>{_IP}|(?:{_LABEL}{{1,63}}\.){{1,8}}{_LABEL}{{2,63}})(?!{_LABEL}|@)"
)
_MOST_HOSTS = 200  # of one text; each is compared with every verified domain
_LONGEST_HOST = 253  # RFC 1035
_LONGEST_LABEL = 63  # RFC 1035; punycode is decoded in time quadratic in its length


@dataclass(frozen=True, slots=True)
class Body:
    """A candidate, office or outlet with the domains it really uses."""

    id: str
    name: str
    domains: tuple[str, ...]  # lower case, without "www."
    claim_type: ClaimType  # of texts that pose as this body
    source: str  # "watchlist.toml: office eso": the entry a finding rests on


@dataclass(frozen=True, slots=True)
class Host:
    """A host as a folded text names it; ``user`` is what stands before an @ in its address and looks like a host."""

    name: str
    start: int
    end: int
    user: str = ""


def hosts_in(folded: str) -> list[Host]:
    """The first 200 hosts that a folded text names, with or without ``https://``; a number or a file name is none."""
    if "." not in folded:
        return []
    found: list[Host] = []
    for match in _HOST.finditer(folded):
        if len(found) == _MOST_HOSTS:
            break
        host = match["host"]
        if match["scheme"] or match["user"] or (host_parts(host).suffix and not re.fullmatch(_IP, host)):
            user = (match["user"] or "").partition("://")[2].rstrip("@").partition(":")[0]
            found.append(Host(host, match.start("host"), match.end(), user))
    return found


def host_of(link: str | None) -> str | None:
    """The host of an item's own link; None when it has none, or one that no name server would know."""
    try:
        host = urlsplit(link or "").hostname
    except ValueError:
        return None
    return host if host and len(host) <= _LONGEST_HOST else None


def is_of(host: str, domains: Sequence[str]) -> bool:
    """Whether the host is one of the domains or below one."""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def decoded(label: str) -> str:
    """A label as a reader's browser may show it."""
    if not label.startswith("xn--") or len(label) > _LONGEST_LABEL:
        return label
    try:
        return label.removeprefix("xn--").encode("ascii").decode("punycode").lower()
    except UnicodeError:
        return label


def labels(host: str) -> Iterator[str]:
    """Every label of a host that its owner could choose."""
    found = host_parts(host)
    yield from (*found.under, found.name)
