"""One polite, bounded, guarded GET, against real HTTP on loopback."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from monitor import __version__
from monitor.errors import FeedErrorKind
from monitor.fetch import Fetcher
from monitor.fetched import MAX_REDIRECTS, Fetched
from monitor.headers import destination, fresh_s, retry_after_s, validator
from monitor.sections import Fetch
from tests.fakes import FeedServer, feed_server
from tests.monitor.fetching import LOOPBACK, error_of, get


def test_an_answer_comes_with_its_validators_and_its_address(server: FeedServer) -> None:
    """Body, status, content type, validators and final address are what the server gave."""
    url = server.put("/a", "海港", etag='W/"x-1"', last_modified="Mon, 01 Mar 2027 04:00:00 GMT")
    assert get(url) == Fetched(
        200, "海港".encode(), url, 'W/"x-1"', "Mon, 01 Mar 2027 04:00:00 GMT", "application/xml", not_modified=False
    )


def test_who_asks_is_said_honestly(server: FeedServer) -> None:
    """The User-Agent names program, version and the contact of the team."""
    url = server.put("/a", "x")
    get(url, contact="desk@eso-harbour.example")
    get(url, contact="")
    get(url, contact="desk\r\nX-Evil: 1")
    agents = [headers["User-Agent"] for _, headers in server.requests]
    plain = f"pollwatch/{__version__}"
    assert agents == [f"{plain} (+desk@eso-harbour.example)", plain, plain]


def test_validators_go_back_byte_for_byte(server: FeedServer) -> None:
    """A strange ETag is opaque: it is sent as it came, and 304 answers it."""
    strange = 'W/"a,b;c \\"d\\"--gzip"'
    assert validator('"票站"') == '"票站"', "UTF-8 can be sent back as it came"
    assert validator('"caf\udce9"') is None, "other bytes cannot"
    url = server.put("/a", "x", etag=strange)
    first = get(url)
    again = get(url, first.etag, first.last_modified)
    assert again.not_modified
    assert again.body == b""
    assert server.requests[1][1]["If-None-Match"] == strange
    assert "If-Modified-Since" not in server.requests[1][1]


def test_a_304_that_nobody_asked_for_is_an_error(server: FeedServer) -> None:
    """Without a condition 304 tells nothing: it must not pass for `nothing new`."""
    assert error_of(server.put("/a", status=304)).kind == FeedErrorKind.HTTP


@pytest.mark.parametrize(
    ("status", "kind"), [(403, "http"), (404, "http"), (410, "gone"), (429, "http"), (500, "http"), (503, "http")]
)
def test_refusals_keep_their_status(server: FeedServer, status: int, kind: str) -> None:
    """A refusal is an error that names the status; 410 has a kind of its own."""
    error = error_of(server.put("/a", "no", status=status))
    assert (error.kind, error.status) == (kind, status)
    assert str(status) in error.detail


def test_retry_after_is_read_in_both_forms() -> None:
    """Seconds, however many, and HTTP dates; nonsense is no wish."""
    now = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
    assert retry_after_s("120", now) == 120
    assert retry_after_s("Mon, 01 Mar 2027 04:31:00 GMT", now) == 60
    assert retry_after_s("Mon, 01 Mar 2027 04:00:00 GMT", now) == 0
    assert retry_after_s("9" * 5_000, now) == 999_999_999
    for nonsense in (None, "", "soon", "-5", "１２", "Mon, 99 Mar 2027 04:31:00 GMT"):
        assert retry_after_s(nonsense, now) is None


def test_retry_after_reaches_the_error(server: FeedServer) -> None:
    """What the server asked for stands in the error."""
    error = error_of(server.put("/a", "busy", status=429, headers={"Retry-After": "77"}))
    assert error.retry_after_s == 77
    assert error.detail == "the server answered 429 Too Many Requests and asks for quiet for 77 s"


def test_redirects_are_followed_and_counted(server: FeedServer) -> None:
    """A few hops are fine, the final address is told; a loop and a redirect to nowhere are errors."""
    target = server.put("/new", "here")
    first = server.put("/old", status=301, headers={"Location": "/new"})
    assert get(first).final_url == target
    loop = server.put("/loop", status=302, headers={"Location": "/loop"})
    assert error_of(loop).kind == FeedErrorKind.REDIRECT
    assert sum(path == "/loop" for path, _ in server.requests) == MAX_REDIRECTS + 1
    assert error_of(server.put("/lost", status=302)).kind == FeedErrorKind.REDIRECT


@pytest.mark.parametrize(
    ("page", "kind", "said"),
    [
        ({"status": 404}, FeedErrorKind.HTTP, "the server answered 404 Not Found"),
        ({"status": 503, "headers": {"Retry-After": "9"}}, FeedErrorKind.HTTP, "the server answered 503 "),
        ({"status": 410}, FeedErrorKind.GONE, "the server says this feed is gone for good (410)"),
        ({"body": "x" * 20_000}, FeedErrorKind.TOO_LARGE, "the body is larger than 10,000 bytes"),
    ],
)
def test_an_error_behind_a_redirect_names_who_answered(
    server: FeedServer, page: dict[str, object], kind: FeedErrorKind, said: str
) -> None:
    """The feed itself is well: who looks for the fault must know where."""
    last = server.put("/last", **page)
    server.put("/middle", status=301, headers={"Location": "/last"})
    error = error_of(server.put("/feed", status=302, headers={"Location": "/middle"}), max_bytes=10_000)
    assert (error.url, error.kind) == (server.url("/feed"), kind)
    assert error.detail.startswith(f"redirects to {last}: {said}")
    assert (error.status, error.retry_after_s) == (page.get("status"), 9 if page.get("status") == 503 else None)
    assert error_of(last, max_bytes=10_000).detail.startswith(said)


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [((301,), "/1"), ((308, 301), "/2"), ((301, 302), "/1"), ((302, 301), None), ((307,), None), ((303,), None)],
)
def test_only_a_permanent_redirect_is_a_new_address(
    server: FeedServer, statuses: tuple[int, ...], moved: str | None
) -> None:
    """What follows a temporary redirect is nobody's permanent word; all of them are followed."""
    for number, status in enumerate(statuses):
        server.put(f"/{number}", status=status, headers={"Location": f"/{number + 1}"})
    server.put(f"/{len(statuses)}", "here")
    found = get(server.url("/0"))
    assert found.body == b"here"
    assert found.moved_to == (moved and server.url(moved))


@pytest.mark.parametrize(
    ("location", "asked"), [("/caf\udce9", "/caf%E9"), ("/a b", "/a%20b"), ("/\u7968", "/%E7%A5%A8")]
)
def test_a_redirect_is_read_as_its_bytes_mean(location: str, asked: str) -> None:
    """Servers write bytes beyond ASCII into Location; none may get lost, or the address is another one."""
    given = destination(location)
    assert quote(given, safe="/%") == asked
    given.encode()  # it is stored


def test_large_headers_are_read(server: FeedServer) -> None:
    """Outlets name hundreds of advertisers in theirs."""
    policy = {"Content-Security-Policy": "https://ads.example " * 800}
    assert get(server.put("/a", "x", headers=policy)).body == b"x"


def test_ports_of_other_services_are_not_asked() -> None:
    """A feed address cannot be used to talk to a database or a mail server, directly or by a redirect."""
    for port in (22, 25, 81, 5432, 6379):
        assert f"port {port}" in error_of(f"http://127.0.0.1:{port}/").detail
    with feed_server() as server:
        url = server.put("/a", status=302, headers={"Location": "http://127.0.0.1:6379/"})
        error = error_of(url)
        assert error.kind == FeedErrorKind.BLOCKED
        assert "fetch.allow_ports" in error.detail
    assert error_of("http://127.0.0.1:81/", allow_ports=(81,)).kind == FeedErrorKind.CONNECT


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://10.0.0.1/", "http://169.254.169.254/latest", "http://user:pw@127.0.0.1/"]
)
def test_every_hop_passes_the_guard(server: FeedServer, location: str) -> None:
    """A redirect cannot lead where a first address could not."""
    url = server.put("/a", status=302, headers={"Location": location})
    error = error_of(url)
    assert error.kind == FeedErrorKind.BLOCKED
    assert "pw" not in error.detail, "a password is in every list of feeds"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "2130706433", "127.1", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_refused_however_they_are_spelled(server: FeedServer, host: str) -> None:
    """Literals in every notation and names that resolve to loopback are refused at the socket; nothing is asked."""
    server.put("/a", "secret")
    error = error_of(f"http://{host}:{server.port}/a", allow_private=())
    assert error.kind == FeedErrorKind.BLOCKED
    assert server.requests == []


@pytest.mark.parametrize("page", [{"delay_s": 2.0}, {"endless": True, "pause_s": 0.05}])
def test_the_time_limit_covers_everything(server: FeedServer, page: dict[str, object]) -> None:
    """A late answer and a body that drips both end at the limit."""
    url = server.put("/slow", "x", **page)
    begun = time.monotonic()
    assert error_of(url, timeout_s=0.4).kind == FeedErrorKind.TIMEOUT
    assert time.monotonic() - begun < 1.5


def test_dns_and_connection_are_told_apart(server: FeedServer) -> None:
    """A name that does not exist, and a port where nobody listens."""
    assert error_of("http://no-such-host.invalid/feed").kind == FeedErrorKind.DNS
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert error_of(f"http://127.0.0.1:{port}/").kind == FeedErrorKind.CONNECT


def test_a_server_without_trusted_tls_is_told_apart(server: FeedServer) -> None:
    """https on a plain port ends as kind tls."""
    error = error_of(f"https://127.0.0.1:{server.port}/")
    assert error.kind == FeedErrorKind.TLS
    assert "Cannot connect to host" not in error.detail  # the library's words, which tell the address again


def test_what_is_wrong_behind_a_redirect_is_said_of_the_address_there(server: FeedServer) -> None:
    """An inner address, a name, a closed port: who reads it must not look for the fault at the feed's own host."""
    with feed_server() as closed:
        port = closed.port
    for place, kind, said in (
        ("http://10.0.0.7/rss", FeedErrorKind.BLOCKED, "10.0.0.7: not a public address"),
        ("http://desk.invalid/rss", FeedErrorKind.DNS, "the host name does not resolve: "),
        (f"http://127.0.0.1:{port}/rss", FeedErrorKind.CONNECT, "no connection: Connection refused"),
    ):
        error = error_of(server.put("/feed", status=302, headers={"Location": place}))
        assert error.kind == kind
        assert error.detail.startswith(f"redirects to {place}: {said}")
        assert "Cannot connect to host" not in error.detail


_ONCE = """
import asyncio, sys
from monitor.sections import Fetch
from monitor.errors import FeedError
from monitor.fetch import Fetcher

async def main(url):
    async with Fetcher(Fetch(allow_private=("127.0.0.0/8",))) as fetcher:
        try:
            print((await fetcher.get(url)).status)
        except FeedError as error:
            print(error.kind, error.detail)

asyncio.run(main(sys.argv[1]))
"""
_PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("host", "expires", "trusted", "said"),
    [
        ("127.0.0.1", None, True, "200"),
        ("127.0.0.1", _PAST, True, "tls no trusted TLS connection: certificate has expired"),
        ("other.example", None, True, "tls no trusted TLS connection: IP address mismatch"),
        ("127.0.0.1", None, False, "tls no trusted TLS connection: self-signed certificate"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(
    tmp_path: Path, host: str, expires: datetime | None, trusted: bool, said: str
) -> None:
    """Expired, for another host, signed by itself: refused, each in its own words; a good one is fine."""
    authority, stranger = trustme.CA(), trustme.CA()
    certificate = authority.issue_cert(host, not_after=expires)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if not trusted:  # the chain ends in a certificate that only the server knows
        chain = certificate.private_key_and_cert_chain_pem.bytes() + authority.cert_pem.bytes()
        (tmp_path / "chain.pem").write_bytes(chain)
        context.load_cert_chain(tmp_path / "chain.pem")
    (authority if trusted else stranger).cert_pem.write_to_path(tmp_path / "ca.pem")
    with feed_server(context) as secure:
        secure.put("/a", "x")
        done = subprocess.run(  # trust is read once in the life of a process
            [sys.executable, "-c", _ONCE, f"https://127.0.0.1:{secure.port}/a"],
            env={**os.environ, "SSL_CERT_FILE": str(tmp_path / "ca.pem")},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.startswith(said)


def test_one_host_is_not_crowded(server: FeedServer) -> None:
    """No more than ``per_host`` feeds of one host are worked on at once, and waiting costs no time limit."""
    for index in range(6):
        server.put(f"/{index}", "x", delay_s=0.2)
    busy = 0
    most = 0

    async def visit(fetcher: Fetcher, url: str) -> None:
        nonlocal busy, most
        async with fetcher.turns.of(url):
            busy += 1
            most = max(most, busy)
            await fetcher.get(url)
            busy -= 1

    async def all_of_them() -> None:
        async with Fetcher(Fetch(allow_private=LOOPBACK, per_host=2, timeout_s=0.5)) as fetcher:
            await asyncio.gather(*(visit(fetcher, server.url(f"/{index}")) for index in range(6)))

    asyncio.run(all_of_them())
    assert most == 2


def test_a_connection_that_nobody_needs_again_is_closed(server: FeedServer) -> None:
    """The last feed of a host in a pass asks to close; one with others behind it does not."""
    for name in ("/1", "/2", "/3"):
        server.put(name, "x")

    async def visit(fetcher: Fetcher, url: str) -> None:
        async with fetcher.turns.of(url):
            await fetcher.get(url)

    async def all_of_them() -> None:
        async with Fetcher(Fetch(allow_private=LOOPBACK, per_host=1)) as fetcher:
            await asyncio.gather(*(visit(fetcher, server.url(name)) for name in ("/1", "/2", "/3")))

    asyncio.run(all_of_them())
    assert [headers.get("Connection") for _, headers in server.requests] == [None, None, "close"]


def test_turns_of_one_host_keep_a_gap_unless_it_is_ours() -> None:
    """Two hosts do not wait for each other; an address that ``allow_private`` names waits for nothing."""
    urls = ["https://a.example/1", "https://a.example/2", "https://b.example/1", "http://127.0.0.1:80/1"]

    async def begin(fetcher: Fetcher, url: str, begun: dict[str, float], start: float) -> None:
        async with fetcher.turns.of(url):
            begun[url] = begun.get(url, time.monotonic() - start)

    async def all_of_them() -> dict[str, float]:
        begun: dict[str, float] = {}
        async with Fetcher(Fetch(allow_private=LOOPBACK, per_host=2, host_gap_s=0.4)) as fetcher:
            start = time.monotonic()
            turns = [begin(fetcher, url, begun, start) for url in (*urls, urls[3])]
            await asyncio.gather(*turns)
        return begun

    begun = asyncio.run(all_of_them())
    assert begun["https://a.example/2"] - begun["https://a.example/1"] >= 0.39
    assert max(begun["https://b.example/1"], begun["http://127.0.0.1:80/1"]) < begun["https://a.example/2"]


@pytest.mark.parametrize(
    ("cache_control", "age", "seconds"),
    [
        ("max-age=600", None, 600),
        ("Public, MAX-AGE=600, s-maxage=5", "90", 510),
        ('max-age="600"', " 90 ", 510),
        ("max-age=60", "90", 0),
        ("max-age=600", "soon", 600),
        ("no-cache, max-age=600", None, None),
        ("max-age=600, no-store", None, None),
        ("x-max-age=600", None, None),
        ("s-maxage=600", None, None),
        ("max-age=", None, None),
        ("max-age=99999999999", None, None),
        (None, "90", None),
    ],
)
def test_how_long_an_answer_stays_fresh(cache_control: str | None, age: str | None, seconds: float | None) -> None:
    """Lifetime less age, as a private cache reckons; nonsense promises nothing."""
    assert fresh_s(cache_control, age) == seconds


def test_link_headers_come_with_the_answer(server: FeedServer) -> None:
    """As they stand."""
    url = server.put("/a", "x", headers={"Link": '<https://hub.example/>; rel="hub"'})
    assert get(url).link == '<https://hub.example/>; rel="hub"'
