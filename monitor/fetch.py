"""The only door to the web: polite, bounded, guarded requests. Nothing here knows what a feed is."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from monitor import __version__
from monitor.bodies import GZIP, gunzip, measure
from monitor.errors import BlockedAddressError, FeedError, FeedErrorKind
from monitor.fetched import MAX_REDIRECTS, Fetched, Request, behind, way
from monitor.guard import Network, check_address, check_port, check_url
from monitor.headers import PRINTABLE, as_came, destination, fresh_s, plain, retry_after_s, validator
from monitor.sections import Fetch
from monitor.text import clean, shorten
from monitor.turns import Turns
from monitor.types import Exchange, host_of

MAX_FIELD = 32_768  # bytes of one header: a Content-Security-Policy may have twelve thousand

_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/rdf+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.9, */*;q=0.5"
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_SAME_METHOD = frozenset({307, 308})
_AS_IT_IS = {"Accept-Encoding": "identity"}
_NO_ISSUER = 20  # OpenSSL's X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY


class Fetcher:
    """Fetches over one session; ``async with Fetcher(settings.fetch) as fetcher``.

    Every hop of every redirect and every address that DNS gives is checked by the guard.
    """

    def __init__(self, settings: Fetch) -> None:
        self._settings = settings
        self._allow: tuple[Network, ...] = tuple(ip_network(n, strict=False) for n in settings.allow_private)
        self.turns = Turns(settings, self._allow)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Fetcher:
        contact = PRINTABLE.fullmatch(self._settings.contact.strip())
        product = f"pollwatch/{__version__}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, socket_factory=self._open_socket),
            cookie_jar=aiohttp.DummyCookieJar(),  # one outlet's cookies are no business of the next request
            headers={"User-Agent": f"{product} (+{contact.group()})" if contact else product, "Accept": _ACCEPT},
            timeout=aiohttp.ClientTimeout(total=None),  # ours covers all hops together
            max_line_size=MAX_FIELD,
            max_field_size=MAX_FIELD,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, url: str, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """GET ``url`` following redirects wherever they lead; see ``ask``."""
        answer: Fetched | Request = Request(url, etag, last_modified)
        while isinstance(answer, Request):
            answer = await self.ask(answer)
        return answer

    async def ask(self, request: Request) -> Fetched | Request:
        """Follow redirects within a host; a request to be made in another host's turn is where the last one leads.

        Raises FeedError with one of the kinds dns, connect, tls, timeout, http, gone, too-large, redirect, blocked.
        """
        conditions = {"If-None-Match": request.etag, "If-Modified-Since": request.last_modified}
        headers = {name: value for name, value in conditions.items() if value}
        host = _host(request.url)
        if not self.turns.others_wait(host):
            # Nobody is going to use the connection again; of a thousand outlets a thousand would stand open.
            headers["Connection"] = "close"
        begun = time.monotonic() - request.spent_s
        try:
            async with asyncio.timeout(self._settings.timeout_s - request.spent_s):
                return await self._unpacked(request, host, headers, begun)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _as_feed_error(request.asked, error, self._settings.timeout_s, request.url) from error

    async def post(self, url: str, form: Mapping[str, str]) -> None:
        """POST ``form`` to ``url``, guarded like a GET; what a 2xx answer says is not read.

        A redirect that keeps the method (307, 308) is followed. Raises FeedError as ``get`` does.
        """
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await self._submit(url, form)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _as_feed_error(url, error, self._settings.timeout_s, url) from error

    async def _submit(self, url: str, form: Mapping[str, str]) -> None:
        if self._session is None:
            raise RuntimeError("use `async with Fetcher(...)`")
        self._check(url)
        hop = url
        for _ in range(MAX_REDIRECTS + 1):
            async with self._session.post(hop, data=form, allow_redirects=False) as response:
                if 200 <= response.status < 300:
                    return
                location = destination(response.headers.get("Location")) if response.status in _SAME_METHOD else ""
                if not location:
                    raise _refusal(url, response)
            hop = self._next_hop(url, hop, location)
        raise FeedError(url, FeedErrorKind.REDIRECT, f"more than {MAX_REDIRECTS} redirects, the last to {hop}")

    def _next_hop(self, url: str, hop: str, location: str) -> str:
        """Where ``hop`` redirects a request for ``url`` to. Raises BlockedAddressError when the guard says no."""
        target = urljoin(hop, location)
        try:
            self._check(target)
        except BlockedAddressError as error:
            raise BlockedAddressError(url, f"redirects to {shorten(error.url, 200)}: {error.detail}") from None
        return target

    async def _unpacked(
        self, request: Request, host: str, headers: Mapping[str, str], begun: float
    ) -> Fetched | Request:
        try:
            return await self._follow(request, host, headers, begun)
        except aiohttp.ClientPayloadError as error:
            if not isinstance(error.__cause__, ContentEncodingError):
                raise
        # Called compressed and is not, or not so: some servers mean it only when asked for the plain text.
        return await self._follow(request, host, {**headers, **_AS_IT_IS}, begun, unpack=False)

    async def _follow(
        self, request: Request, host: str, headers: Mapping[str, str], begun: float, *, unpack: bool = True
    ) -> Fetched | Request:
        if self._session is None:
            raise RuntimeError("use `async with Fetcher(...)`")
        asked, hop, moved_to, for_good = request.asked, request.url, request.moved_to, request.for_good
        if not request.feed:
            self._check(hop)
        for left in range(request.left, -1, -1):
            async with self._session.get(
                hop, headers=headers, allow_redirects=False, auto_decompress=unpack
            ) as response:
                if response.status not in _REDIRECTS:
                    try:
                        return await self._read(request, hop, moved_to, response, begun)
                    except FeedError as error:
                        raise behind(error, asked) from error.__cause__
                for_good = for_good and response.status in _PERMANENT
                location = destination(response.headers.get("Location"))
            if not location:
                raise FeedError(asked, FeedErrorKind.REDIRECT, f"{hop} redirects to nowhere", status=response.status)
            hop = self._next_hop(asked, hop, location)
            if for_good:
                moved_to = hop
            if left and _host(hop) != host:
                spent_s = time.monotonic() - begun
                conditions = (request.etag, request.last_modified)
                return Request(hop, *conditions, asked, moved_to, for_good, left - 1, spent_s)
        raise FeedError(asked, FeedErrorKind.REDIRECT, f"more than {MAX_REDIRECTS} redirects, the last to {hop}")

    async def _read(
        self, request: Request, hop: str, moved_to: str | None, response: aiohttp.ClientResponse, begun: float
    ) -> Fetched:
        status, headers = response.status, response.headers
        not_modified = status == 304 and bool(request.etag or request.last_modified)
        if status == 410:
            raise FeedError(hop, FeedErrorKind.GONE, "the server says this feed is gone for good (410)", status=410)
        if not not_modified and not 200 <= status < 300:
            raise _refusal(hop, response)
        return Fetched(
            status=status,
            body=b"" if not_modified else await self._body(hop, response),
            final_url=hop,
            etag=validator(headers.get("ETag")),
            last_modified=validator(headers.get("Last-Modified")),
            content_type=validator(headers.get("Content-Type")),
            not_modified=not_modified,
            moved_to=moved_to,
            fresh_s=fresh_s(headers.get("Cache-Control"), headers.get("Age")),
            link=", ".join(headers.getall("Link", ())) or None,
            raw_headers=response.raw_headers,
            seconds=time.monotonic() - begun,
        )

    async def _body(self, url: str, response: aiohttp.ClientResponse) -> bytes:
        limit = self._settings.max_bytes
        measure(url, response.content_length or 0, limit)
        # `response.read()` would unpack a compressed bomb whole; this stops one chunk after the limit.
        body = bytearray()
        async for chunk in response.content.iter_chunked(65_536):
            body += chunk
            measure(url, len(body), limit, response.content.total_raw_bytes)
        return gunzip(url, body, limit) if body.startswith(GZIP) else bytes(body)

    async def exchange(
        self, url: str, at: datetime, headers: Mapping[str, str], timeout_s: float, max_bytes: int
    ) -> Exchange:
        """GET ``url``, guarded, and follow no redirect: request and answer as they came, whatever the status.

        ``at`` is what the clock says.

        The body stays packed, and is cut off at ``max_bytes``, when the time is over or when it breaks off. Raises
        FeedError as ``get`` does when not even the headers came.
        """
        found: Exchange | None = None
        body, cut = bytearray(), "time"
        try:
            async with asyncio.timeout(timeout_s):
                if self._session is None:
                    raise RuntimeError("use `async with Fetcher(...)`")
                self._check(url)
                asked = {**headers, **_AS_IT_IS, "Connection": "close"}
                options: Any = {"headers": asked, "allow_redirects": False, "auto_decompress": False}
                async with self._session.get(url, **options) as answer:
                    found = _exchange(url, at, answer)
                    async for chunk in answer.content.iter_chunked(65_536):
                        body += chunk
                        if len(body) > max_bytes:
                            return replace(found, body=bytes(body[:max_bytes]), cut="length")
                return replace(found, body=bytes(body))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if found is None:
                raise _as_feed_error(url, error, timeout_s, url) from error
            cut = "time" if isinstance(error, TimeoutError) else "disconnect"
        return replace(found, body=bytes(body), cut=cut)

    def _check(self, url: str) -> None:
        check_port(check_url(url), self._settings.allow_ports)

    def _open_socket(self, address: tuple[Any, ...]) -> socket.socket:
        """aiohttp asks for a socket for every address it is about to connect to, literal or resolved."""
        family, kind, protocol, _, where = address
        try:
            check_address(where[0], self._allow)
        except BlockedAddressError as error:
            # Only OSErrors are understood here; aiohttp goes on to the next address and reports this one at the end.
            raise PermissionError(errno.EACCES, f"{error.url}: {error.detail}") from error
        return socket.socket(family, kind, protocol)


def _exchange(url: str, at: datetime, answer: aiohttp.ClientResponse) -> Exchange:
    """Without the body."""
    version = f"{answer.version.major}.{answer.version.minor}" if answer.version else "1.1"
    sent = tuple((str(key), str(value)) for key, value in answer.request_info.headers.items())
    reason = plain(answer.reason or "")
    headers = as_came(answer.raw_headers)
    return Exchange(url, at, sent, version, answer.status, reason, headers, b"")


def _host(url: str) -> str:
    return host_of(url).lower()


def _refusal(url: str, response: aiohttp.ClientResponse) -> FeedError:
    detail = clean(f"the server answered {response.status} {response.reason or ''}")
    quiet_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
    if quiet_s:
        detail += f" and asks for quiet for {quiet_s:.0f} s"
    return FeedError(url, FeedErrorKind.HTTP, detail, status=response.status, retry_after_s=quiet_s)


def _as_feed_error(url: str, error: Exception, timeout_s: float, hop: str) -> FeedError:
    """Our word for what aiohttp raised on the way to ``hop``. Order matters: its classes inherit from each other."""
    before = way(url, hop)
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, PermissionError):
        return BlockedAddressError(url, before + (error.os_error.strerror or str(error)))
    said = shorten(clean(_words_of(error)), 300)  # a server's own words may be part of it
    kinds: list[tuple[type[Exception], FeedErrorKind, str]] = [
        (TimeoutError, FeedErrorKind.TIMEOUT, f"no complete answer within {timeout_s:g} s"),
        (aiohttp.InvalidURL, FeedErrorKind.BLOCKED, "not an address that can be fetched"),
        (aiohttp.ClientConnectorDNSError, FeedErrorKind.DNS, "the host name does not resolve"),
        (aiohttp.ClientSSLError, FeedErrorKind.TLS, "no trusted TLS connection"),
        (aiohttp.ServerDisconnectedError, FeedErrorKind.CONNECT, "the server closed the connection"),
        (aiohttp.ClientPayloadError, FeedErrorKind.HTTP, "the body broke off or was badly compressed"),
        (aiohttp.ClientResponseError, FeedErrorKind.HTTP, "the answer was not proper HTTP"),
        (OSError, FeedErrorKind.CONNECT, "no connection"),
        (ValueError, FeedErrorKind.BLOCKED, "not an address that can be fetched"),
    ]
    for raised, kind, sentence in kinds:
        if isinstance(error, raised):
            return FeedError(url, kind, before + (sentence if kind is FeedErrorKind.TIMEOUT else f"{sentence}: {said}"))
    return FeedError(url, FeedErrorKind.HTTP, f"{before}the answer could not be read: {said}")


def _words_of(error: Exception) -> str:
    """What is wrong with a certificate, a name or a connection; the library's own words tell the address once more."""
    certificate = getattr(error, "certificate_error", None)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        said = certificate.verify_message.rstrip(".")
        # The commonest fault of outlets, which browsers hide: they know the missing certificate from elsewhere.
        return f"{said}; the server may leave one of its chain out" if certificate.verify_code == _NO_ISSUER else said
    if not isinstance(error, aiohttp.ClientConnectorError):
        return str(error)
    cause = error.os_error
    if isinstance(cause, ssl.SSLError):
        return (cause.reason or str(cause)).replace("_", " ").lower()
    if isinstance(error, aiohttp.ClientConnectorDNSError) or not cause.errno:
        return cause.strerror or str(error)
    return os.strerror(cause.errno)
