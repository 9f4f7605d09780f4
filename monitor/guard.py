"""Which addresses may be fetched: public http(s) ones on web ports; others only when named. Pure.

``check_url`` and ``check_port`` look at the words of a URL before each hop. What a host name really leads to is known
only when a socket is opened, so ``check_address`` is asked there, once for every address that DNS gave.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from monitor.errors import BlockedAddressError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL = 2_000  # characters

# White space and controls split requests; a backslash is read as a slash by some parsers and not by others.
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_NAT64 = IPv6Network("64:ff9b::/96")
# Unprivileged ports that are not the web's: those the Fetch standard of the browsers blocks, and common databases,
# caches, desktops and consoles, which an answer or even a request may harm.
_OTHER_SERVICES = frozenset({
    1433, 1434, 1521, 1719, 1720, 1723, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061,
    5432, 5672, 5900, 5984, 6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 8500, 9042, 9092, 9200,
    9300, 10080, 10250, 11211, 15672, 27017,
})  # fmt: skip
# Neither is private by the registry, and neither leads to a web server of the public internet.
_NOT_PUBLIC: tuple[Network, ...] = (IPv4Network("192.88.99.0/24"), IPv6Network("64:ff9b:1::/48"))


def check_url(url: str) -> SplitResult:
    """Raise BlockedAddressError unless ``url`` is plain http or https with a host and without credentials.

    Returns its parts.
    """
    if len(url) > MAX_URL:
        raise BlockedAddressError(url[:80] + "…", f"longer than {MAX_URL} characters")
    if _UNSAFE.search(url):
        raise BlockedAddressError(repr(url), "holds white space, control characters or a backslash")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BlockedAddressError(url, f"not an address: {error}") from None
    if parts.scheme not in ("http", "https"):
        raise BlockedAddressError(url, "only http:// and https:// addresses are fetched")
    if not host:
        raise BlockedAddressError(url, "names no host")
    if "@" in parts.netloc:
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()  # it is told, stored and logged
        raise BlockedAddressError(bare, "carries a user name or password")
    return parts


def check_port(parts: SplitResult, allow: Container[int] = ()) -> None:
    """Raise BlockedAddressError unless an address that ``check_url`` passed leads to a port where feeds are served.

    Those are 80, 443 (also unsaid) and from 1024 on all that belong to no other known service; and those in ``allow``.
    """
    port = parts.port
    if port is None:
        return
    if port in (80, 443) or port in allow or (port >= 1024 and port not in _OTHER_SERVICES):
        return
    raise BlockedAddressError(
        parts.geturl(), f"port {port} is another service's; name it in fetch.allow_ports if a feed is served there"
    )


def check_address(ip: str, allow: Iterable[Network] = ()) -> None:
    """Raise BlockedAddressError unless ``ip`` is public or inside one of the networks ``allow``.

    An IPv4 address wrapped in IPv6 (mapped, 6to4, NAT64) is judged by what it wraps.
    """
    try:
        address = _unwrap(ip_address(ip))
    except ValueError:
        raise BlockedAddressError(ip, "not an IP address") from None
    if any(address.version == network.version and address in network for network in allow):
        return
    if not _is_public(address):
        raise BlockedAddressError(
            ip, "not a public address; name its network in fetch.allow_private if it should be fetched"
        )


def _unwrap(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    if any(address.version == network.version and address in network for network in _NOT_PUBLIC):
        return False
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or site_local)
