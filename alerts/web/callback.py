"""`web`: the HTTP server. Health for a monitor, and the address at which hubs announce news of feeds (WebSub).

A proxy in front speaks TLS and lets the world reach `/websub/` only. Everybody may call what is public, so a call is
cheap until it has proved that it knows a secret: addresses are unguessable, bodies are hashed as they come and never
kept, and only so many are read at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from alerts.process import log_to_stderr, stop_signal
from alerts.status import status
from monitor.config import Settings
from monitor.errors import ConfigError, PollwatchError
from monitor.invisible import safe
from monitor.store import Store, subscriptions
from monitor.subscribe import hear, push
from monitor.types import Mode, Subscription
from monitor.websub import Claim, Reply

log = logging.getLogger(__name__)

AT_ONCE = 16  # deliveries that are read at the same time
BODY_WITHIN_S = 30.0
PUSH_GAP_S = 1.0  # from one delivery to the next of one hub for one feed: each costs a transaction
HEALTH_FOR_S = 5.0  # an answer of /healthz is given again for so long: it reads the state of every feed
STOP_WITHIN_S = 1.0


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whether a line of the server's log is: what is no HTTP is a stranger's, and must not fill the disk."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


_server_log = logging.getLogger(f"{__name__}.server")
_server_log.addFilter(_is_our_fault)

_PLAIN = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_LATER = {**_PLAIN, "Retry-After": "10"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def serve(store: Store, settings: Settings, ready: Callable[[str], None]) -> signal.Signals:
    """Serve until SIGTERM or SIGINT, and return which; ``ready`` is given the address. Raises ConfigError."""

    async def served() -> signal.Signals:
        stop = stop_signal()
        async with site(store, settings) as address:
            ready(address)
            return await stop

    log_to_stderr()
    return asyncio.run(served())


@contextlib.asynccontextmanager
async def site(store: Store, settings: Settings) -> AsyncIterator[str]:
    """The running server; gives its address. Raises ConfigError when it cannot listen there."""
    host, port = settings.web.host, settings.web.port
    # Tokens stand in addresses, so requests are not logged. Bodies stay as they were signed.
    runner = web.AppRunner(
        application(store, settings),
        access_log=None,
        logger=_server_log,
        auto_decompress=False,
        shutdown_timeout=STOP_WITHIN_S,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            mend = f"cannot listen on {host} port {port}: {error.strerror or error}; try another one"
            raise ConfigError(settings.file, "web.port", mend) from error
        where = f"[{host}]" if ":" in host else host
        yield f"http://{where}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def application(store: Store, settings: Settings) -> web.Application:
    """Every address that is served, and nothing else."""
    app = web.Application(middlewares=[_told])
    callback = _Callback(store, settings.fetch.max_bytes)
    app.router.add_get("/healthz", _Health(store, settings).get, allow_head=False)
    # As long as our tokens are: everything else is refused before the store is asked.
    app.router.add_get("/websub/{token:[A-Za-z0-9_-]{43}}", callback.get, allow_head=False)
    app.router.add_post("/websub/{token:[A-Za-z0-9_-]{43}}", callback.post)
    return app


@web.middleware
async def _told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A store that cannot be used is our trouble: the caller hears only to come again."""
    try:
        return await handler(request)
    except PollwatchError as error:
        log.error("%s: %s", request.method, error)  # noqa: TRY400 - the sentence says all
        return web.Response(status=503, text="not now\n", headers=_LATER)


class _Health:
    """`/healthz`: 200 when all is well, else 503 and the words of `status`."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._turn = asyncio.Lock()
        self._problems: list[str] = []
        self._until = 0.0

    async def get(self, request: web.Request) -> web.Response:
        async with self._turn:
            if time.monotonic() >= self._until:
                self._problems = await asyncio.to_thread(self._look)
                self._until = time.monotonic() + HEALTH_FOR_S
        lines = [safe(problem) for problem in self._problems] or ["ok"]
        return web.Response(status=503 if self._problems else 200, text="\n".join(lines) + "\n", headers=_PLAIN)

    def _look(self) -> list[str]:
        try:
            problems: list[str] = status(self._store, self._settings, datetime.now(UTC))["problems"]
        except PollwatchError as error:
            return [str(error)]
        return problems


class _Callback:
    """What a hub calls: GET to ask whether we meant it, POST to announce news."""

    def __init__(self, store: Store, max_bytes: int) -> None:
        self._store, self._max_bytes = store, max_bytes
        self._reading = 0
        self._pushed: dict[str, float] = {}  # by token; only who knew its secret gets in

    async def get(self, request: web.Request) -> web.Response:
        """Answers the challenge of what we asked for; everything else is unknown here."""
        found = await asyncio.to_thread(
            hear, self._store, request.match_info["token"], request.query, datetime.now(UTC)
        )
        match found.reply:
            case Reply.CONFIRM | Reply.ENDED:
                return web.Response(text=found.challenge, headers=_PLAIN)
            case Reply.DENIED:
                return web.Response(status=204, headers=_PLAIN)
            case Reply.UNKNOWN:
                raise web.HTTPNotFound(headers=_PLAIN)

    async def post(self, request: web.Request) -> web.Response:
        """Acknowledges at once; the news themselves are fetched from the outlet by the next pass."""
        token = request.match_info["token"]
        subscription = await asyncio.to_thread(self._find, token)
        if subscription is None:
            raise web.HTTPNotFound(headers=_PLAIN)
        if subscription.mode is Mode.UNSUBSCRIBE:
            raise web.HTTPGone(headers=_PLAIN)
        since = time.monotonic() - self._pushed.get(token, float("-inf"))
        if self._reading >= AT_ONCE or since < PUSH_GAP_S:
            raise web.HTTPTooManyRequests(headers=_LATER)
        self._reading += 1
        try:
            genuine = await self._is_genuine(request, subscription)
        finally:
            self._reading -= 1
        if genuine:
            self._pushed[token] = time.monotonic()
            await asyncio.to_thread(push, self._store, token, datetime.now(UTC))
        # The standard has a forged delivery ignored; whether it was believed is nobody's business.
        return web.Response(status=202, headers=_PLAIN)

    def _find(self, token: str) -> Subscription | None:
        with self._store.read() as connection:
            return subscriptions.find(connection, token)

    async def _is_genuine(self, request: web.Request, subscription: Subscription) -> bool:
        """Whether the body is signed with the subscription's secret. It is hashed as it comes, and not kept."""
        claim = Claim(request.headers.get("X-Hub-Signature"), subscription.secret)
        size = 0
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                async for part in request.content.iter_chunked(65_536):
                    size += len(part)
                    if size > self._max_bytes:
                        raise web.HTTPRequestEntityTooLarge(self._max_bytes, size, headers=_PLAIN)
                    claim.update(part)
        except TimeoutError:
            raise web.HTTPRequestTimeout(headers=_PLAIN) from None
        return claim.matches()
