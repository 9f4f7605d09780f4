"""One polite, bounded, guarded GET, against real HTTP on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import __version__
from monitor.config import Fetch
from monitor.errors import FeedError, FeedErrorKind
from monitor.fetch import MAX_REDIRECTS, Fetched, Fetcher, retry_after_s
from tests.fakes import FeedServer, feed_server, gzip_bomb

LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture
def server() -> Iterator[FeedServer]:
    """A feed server."""
    with feed_server() as fake:
        yield fake


def get(url: str, etag: str | None = None, last_modified: str | None = None, **settings: object) -> Fetched:
    """Fetch once; loopback is allowed unless the test says otherwise."""

    async def once() -> Fetched:
        async with Fetcher(Fetch(**{"allow_private": LOOPBACK, **settings})) as fetcher:
            return await fetcher.get(url, etag, last_modified)

    return asyncio.run(once())


def error_of(url: str, **settings: object) -> FeedError:
    """The error that fetching ends with."""
    with pytest.raises(FeedError) as caught:
        get(url, **settings)
    assert caught.value.url == url
    return caught.value


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
    """Seconds and HTTP dates; nonsense is no wish."""
    now = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
    assert retry_after_s("120", now) == 120
    assert retry_after_s("Mon, 01 Mar 2027 04:31:00 GMT", now) == 60
    assert retry_after_s("Mon, 01 Mar 2027 04:00:00 GMT", now) == 0
    for nonsense in (None, "", "soon", "-5", "１２", "9" * 40, "Mon, 99 Mar 2027 04:31:00 GMT"):
        assert retry_after_s(nonsense, now) is None


def test_retry_after_reaches_the_error(server: FeedServer) -> None:
    """What the server asked for stands in the error."""
    error = error_of(server.put("/a", "busy", status=429, headers={"Retry-After": "77"}))
    assert error.retry_after_s == 77


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
    "location", ["file:///etc/passwd", "http://10.0.0.1/", "http://169.254.169.254/latest", "http://user:pw@127.0.0.1/"]
)
def test_every_hop_passes_the_guard(server: FeedServer, location: str) -> None:
    """A redirect cannot lead where a first address could not."""
    url = server.put("/a", status=302, headers={"Location": location})
    assert error_of(url).kind == FeedErrorKind.BLOCKED


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "2130706433", "127.1", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_refused_however_they_are_spelled(server: FeedServer, host: str) -> None:
    """Literals in every notation and names that resolve to loopback are refused at the socket; nothing is asked."""
    server.put("/a", "secret")
    error = error_of(f"http://{host}:{server.port}/a", allow_private=())
    assert error.kind == FeedErrorKind.BLOCKED
    assert server.requests == []


def test_a_body_over_the_limit_is_dropped_early(server: FeedServer) -> None:
    """A claimed 200 MB is refused unread; an endless body is cut at the limit."""
    claimed = server.put("/claimed", "x", content_length=200_000_000)
    assert error_of(claimed).kind == FeedErrorKind.TOO_LARGE
    endless = server.put("/endless", b" " * 65_536, endless=True)
    assert error_of(endless, max_bytes=1_000_000).kind == FeedErrorKind.TOO_LARGE


def test_a_compressed_body_is_read_and_a_bomb_is_not(server: FeedServer) -> None:
    """gzip is transparent; what would unpack to 300 MB ends at the limit."""
    plain = server.put("/gz", gzip.compress(b"feed"), headers={"Content-Encoding": "gzip"})
    assert get(plain).body == b"feed"
    bomb = server.put("/bomb", gzip_bomb(300_000_000), headers={"Content-Encoding": "gzip"})
    assert error_of(bomb).kind == FeedErrorKind.TOO_LARGE


_EIGHT_AT_ONCE = """
import asyncio, sys
from pathlib import Path
from monitor.config import Fetch
from monitor.fetch import Fetcher

async def main(url):
    async with Fetcher(Fetch(allow_private=("127.0.0.0/8",), max_bytes=10_000_000)) as fetcher:
        return await asyncio.gather(*(fetcher.get(url) for _ in range(8)), return_exceptions=True)

print(*{error.kind for error in asyncio.run(main(sys.argv[1]))})
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_bombs_do_not_fill_the_memory(server: FeedServer) -> None:
    """Eight bombs of 300 MB at once cost little more than eight bodies at the limit of 10 MB."""
    bomb = server.put("/bomb", gzip_bomb(300_000_000), headers={"Content-Encoding": "gzip"})
    # A process of its own: in ours the making of the bomb would set the peak.
    done = subprocess.run([sys.executable, "-c", _EIGHT_AT_ONCE, bomb], capture_output=True, text=True, check=True)
    kinds, peak_kb = done.stdout.splitlines()
    assert kinds == FeedErrorKind.TOO_LARGE
    assert int(peak_kb) < 250_000  # about 50 MB of it are Python and aiohttp


def test_a_broken_body_is_an_error(server: FeedServer) -> None:
    """Not gzip though it says so; fewer bytes than promised."""
    broken = server.put("/gz", b"not gzip at all", headers={"Content-Encoding": "gzip"})
    assert error_of(broken).kind == FeedErrorKind.HTTP
    short = server.put("/short", b"half", content_length=1_000)
    assert error_of(short).kind == FeedErrorKind.HTTP


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
    assert error_of(f"https://127.0.0.1:{server.port}/").kind == FeedErrorKind.TLS


def test_a_self_signed_certificate_is_refused(tmp_path: Path) -> None:
    """Certificates are checked."""
    certificate = _self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_shake_once, args=(listener, context), daemon=True)
        thread.start()
        error = error_of(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join(5)
    assert error.kind == FeedErrorKind.TLS


def test_one_host_is_not_crowded(server: FeedServer) -> None:
    """No more than ``per_host`` feeds of one host are worked on at once, and waiting costs no time limit."""
    for index in range(6):
        server.put(f"/{index}", "x", delay_s=0.2)
    busy = 0
    most = 0

    async def visit(fetcher: Fetcher, url: str) -> None:
        nonlocal busy, most
        async with fetcher.turn(url):
            busy += 1
            most = max(most, busy)
            await fetcher.get(url)
            busy -= 1

    async def all_of_them() -> None:
        async with Fetcher(Fetch(allow_private=LOOPBACK, per_host=2, timeout_s=0.5)) as fetcher:
            await asyncio.gather(*(visit(fetcher, server.url(f"/{index}")) for index in range(6)))

    asyncio.run(all_of_them())
    assert most == 2


def _shake_once(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):  # the client refuses, as it should
        context.wrap_socket(connection, server_side=True).close()


def _self_signed(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + certificate.public_bytes(pem))
    return file
