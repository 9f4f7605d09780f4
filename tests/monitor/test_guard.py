"""Which addresses may be fetched."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from monitor.errors import BlockedAddressError
from monitor.guard import check_address, check_port, check_url


@pytest.mark.parametrize(
    "url",
    [
        "http://harbour-daily.example/rss.xml",
        "https://harbour-daily.example:8443/feed?lang=zh#top",
        "https://海港日報.example/新聞.xml",
        "http://[2606:4700::1111]/feed",
    ],
)
def test_plain_web_addresses_pass(url: str) -> None:
    """http and https with a host are fine, ports and scripts of any kind included."""
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "rss.xml",
        "ftp://harbour-daily.example/rss.xml",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://harbour-daily.example/",
        "http:///rss.xml",
        "http://user:secret@harbour-daily.example/",
        "http://user@harbour-daily.example/",
        "http://@harbour-daily.example/",
        "http://harbour-daily.example:99999/",
        "http://harbour-daily.example/a b",
        "http://harbour-daily.example/\r\nHost: other.example",
        "http://harbour-daily.example/\x00",
        "http://harbour-daily.example\\@other.example/",
        "http://[::1/",
        "http://harbour-daily.example/" + "a" * 3_000,
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """Other schemes, credentials, controls, broken and endless addresses never reach the network."""
    with pytest.raises(BlockedAddressError):
        check_url(url)


def test_only_ports_of_the_web_are_asked() -> None:
    """80, 443 and what web servers use beside them; a named port is opened alone."""
    for url in ("http://a.example/", "https://a.example/", "http://a.example:8080/", "https://a.example:8443/"):
        check_port(check_url(url))
    for port in (1, 22, 25, 81, 465, 3306, 5060, 5432, 6379, 6667, 9200, 10080, 11211):
        with pytest.raises(BlockedAddressError, match=f"port {port} .*allow_ports"):
            check_port(check_url(f"http://a.example:{port}/"), allow=(82,))
    check_port(check_url("http://a.example:81/"), allow=(81,))


@pytest.mark.parametrize(
    "ip", ["1.1.1.1", "8.8.8.8", "203.80.96.10", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_pass(ip: str) -> None:
    """Public addresses, wrapped ones included."""
    check_address(ip)


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",  # noqa: S104 - nothing is bound to it
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.88.99.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "not an address",
    ],
)
def test_private_addresses_are_refused(ip: str) -> None:
    """Loopback, private, link-local, multicast, reserved; also inside IPv4-mapped, 6to4 and NAT64 addresses."""
    with pytest.raises(BlockedAddressError):
        check_address(ip)


def test_a_named_network_may_be_fetched_and_nothing_beside_it() -> None:
    """``allow_private`` opens exactly what it names, wrapped or not."""
    allow = (ip_network("127.0.0.0/8"), ip_network("fd00::/8"))
    check_address("127.0.0.1", allow)
    check_address("::ffff:127.0.0.1", allow)
    check_address("fd12::1", allow)
    for other in ("10.0.0.1", "::1", "169.254.169.254"):
        with pytest.raises(BlockedAddressError, match="allow_private"):
            check_address(other, allow)
