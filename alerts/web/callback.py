"""`/websub/`: the address at which hubs announce news of feeds.

A proxy in front speaks TLS and lets the world reach `/websub/` only. Everybody may call what is public, so a call is
cheap until it has proved that it knows a secret: addresses are unguessable, bodies are hashed as they come and never
kept, and only so many are read at the same time.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from aiohttp import web

from alerts.web.guard import LATER, PLAIN
from monitor.store import Store, subscriptions
from monitor.subscribe import hear, push
from monitor.types import Mode, Subscription
from monitor.websub import Claim, Reply

AT_ONCE = 16  # deliveries that are read at the same time
BODY_WITHIN_S = 30.0
PUSH_GAP_S = 1.0  # from one delivery to the next of one hub for one feed: each costs a transaction


class Callback:
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
                return web.Response(text=found.challenge, headers=PLAIN)
            case Reply.DENIED:
                return web.Response(status=204, headers=PLAIN)
            case Reply.UNKNOWN:
                raise web.HTTPNotFound(headers=PLAIN)

    async def post(self, request: web.Request) -> web.Response:
        """Acknowledges at once; the news themselves are fetched from the outlet by the next pass."""
        token = request.match_info["token"]
        subscription = await asyncio.to_thread(self._find, token)
        if subscription is None:
            raise web.HTTPNotFound(headers=PLAIN)
        if subscription.mode is Mode.UNSUBSCRIBE:
            raise web.HTTPGone(headers=PLAIN)
        since = time.monotonic() - self._pushed.get(token, float("-inf"))
        if self._reading >= AT_ONCE or since < PUSH_GAP_S:
            raise web.HTTPTooManyRequests(headers=LATER)
        self._reading += 1
        try:
            genuine = await self._is_genuine(request, subscription)
        finally:
            self._reading -= 1
        if genuine:
            self._pushed[token] = time.monotonic()
            await asyncio.to_thread(push, self._store, token, datetime.now(UTC))
        # The standard has a forged delivery ignored; whether it was believed is nobody's business.
        return web.Response(status=202, headers=PLAIN)

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
                        raise web.HTTPRequestEntityTooLarge(self._max_bytes, size, headers=PLAIN)
                    claim.update(part)
        except TimeoutError:
            raise web.HTTPRequestTimeout(headers=PLAIN) from None
        return claim.matches()
