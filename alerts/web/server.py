"""The server's life, and every address that it knows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from alerts.pages import RSS
from alerts.process import stop_signal
from alerts.status import look
from alerts.web import metrics
from alerts.web.board import Board
from alerts.web.callback import Callback
from alerts.web.guard import LATER, PLAIN, STRICT, Guard
from alerts.web.kept import Kept
from monitor.config import Settings
from monitor.errors import ConfigError, PollwatchError
from monitor.invisible import safe
from monitor.store import Store
from monitor.types import Said

log = logging.getLogger(__name__)

HEALTH_FOR_S = 5.0  # an answer of /healthz and of /metrics is given again for so long: both read every feed
STOP_WITHIN_S = 1.0


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whether a line of the server's log is: what is no HTTP is a stranger's, and must not fill the disk."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


_server_log = logging.getLogger(f"{__name__}.server")
_server_log.addFilter(_is_our_fault)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def serve(store: Store, settings: Settings, ready: Callable[[str], None]) -> signal.Signals:
    """Serve until SIGTERM or SIGINT, and return which; ``ready`` is given the address. Raises ConfigError."""

    async def served() -> signal.Signals:
        stop = stop_signal()
        async with site(store, settings) as address:
            ready(address)
            return await stop

    return asyncio.run(served())


@contextlib.asynccontextmanager
async def site(store: Store, settings: Settings) -> AsyncIterator[str]:
    """The running server; gives its address. Raises ConfigError when it cannot listen there, or must not."""
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
    """Every address that is served, and nothing else. Raises ConfigError for a bind that would let in anybody."""
    app = web.Application(middlewares=[_told])
    guard, callback = Guard.of(settings), Callback(store, settings.fetch.max_bytes)
    health = _Health(store, settings)
    board = Board(store, settings, health.problems)
    app.router.add_get("/healthz", health.get)
    app.router.add_get("/metrics", _guarded(guard, health.metrics))
    app.router.add_get(f"/{RSS}", _Clarifications(settings).get)
    for path, handler in board.routes():
        app.router.add_get(path, _guarded(guard, handler))
    # As long as our tokens are: everything else is refused before the store is asked. A hub asks with GET alone.
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
        return web.Response(status=503, text="not now\n", headers=LATER)


def _guarded(guard: Guard, handler: Handler) -> Handler:
    async def checked(request: web.Request) -> web.StreamResponse:
        guard.check(request)
        return await handler(request)

    return checked


class _Health:
    """`/healthz`: 200 when all is well, else 503 and the words of `status`. `/metrics`: the figures behind them."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._kept: Kept[Mapping[str, Any] | PollwatchError] = Kept(HEALTH_FOR_S)

    async def problems(self) -> list[Said]:
        """What needs a person now, a sentence each."""
        found = await self._kept.get("", self._look)
        return [Said(str(found))] if isinstance(found, PollwatchError) else list(found["problems"])

    async def get(self, request: web.Request) -> web.Response:
        problems = await self.problems()
        lines = [safe(problem.text) for problem in problems] or ["ok"]
        return web.Response(status=503 if problems else 200, text="\n".join(lines) + "\n", headers=PLAIN)

    async def metrics(self, request: web.Request) -> web.Response:
        found = await self._kept.get("", self._look)
        if isinstance(found, PollwatchError):
            raise found
        body = await asyncio.to_thread(metrics.exposition, found)
        return web.Response(body=body, headers={**STRICT, "Content-Type": metrics.CONTENT_TYPE})

    def _look(self) -> Mapping[str, Any] | PollwatchError:
        try:
            return look(self._store, self._settings, datetime.now(UTC))
        except PollwatchError as error:
            return error


class _Clarifications:
    """`/clarifications.xml`: the feed that `publish` wrote, for who cannot reach the folder. It is public."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.path(settings.publish.directory) / RSS

    async def get(self, request: web.Request) -> web.Response:
        try:
            body = await asyncio.to_thread(self._file.read_bytes)
        except OSError:
            raise web.HTTPNotFound(text="nothing was published yet\n", headers=PLAIN) from None
        return web.Response(body=body, headers={**STRICT, "Content-Type": "application/rss+xml; charset=utf-8"})
