"""A desk that a hub on loopback can reach: store, web, an outlet and its hub."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from alerts.web import site
from monitor.collect import collect
from monitor.config import Settings
from monitor.store import Store, feeds, schema, subscriptions
from monitor.subscribe import subscribe
from monitor.types import Feed, Mode, StageReport, Subscription
from tests.fakes import FeedServer, item, rss
from tests.hub import Hub, wait_until

ATOM = "http://www.w3.org/2005/Atom"
STRANGER = "/websub/" + "x" * 43


@contextmanager
def served(store: Store, settings: Settings) -> Iterator[str]:
    """The web in a thread; gives its address."""
    loop, started, found = asyncio.new_event_loop(), threading.Event(), []
    stop = asyncio.Event()

    async def run() -> None:
        async with site(store, settings) as address:
            found.append(address)
            started.set()
            await stop.wait()
        await loop.shutdown_default_executor()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert started.wait(10)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


class Desk:
    """A store with one feed, the outlet's server and its hub, and the web that the hub can reach."""

    def __init__(self, store: Store, settings: Settings, server: FeedServer, hub: Hub) -> None:
        self.store, self.settings, self.server, self.hub = store, settings, server, hub
        self.publish("a")

    def publish(self, *titles: str, hub: str | None = None, **answer: object) -> None:
        """What the outlet lists from now on, under its hub (`hub`: another one, or none if empty)."""
        link = self.hub.url if hub is None else hub
        named = f'<a:link xmlns:a="{ATOM}" rel="hub" href="{link}"/></channel>' if link else "</channel>"
        self.server.put("/f", rss(*map(item, titles)).replace("</channel>", named), **answer)

    @property
    def feed(self) -> Feed:
        """The feed as stored."""
        with self.store.read() as connection:
            return feeds.get(connection, 1)

    @property
    def held(self) -> list[Subscription]:
        """What is subscribed."""
        with self.store.read() as connection:
            return subscriptions.listing(connection)

    def collect(self) -> StageReport:
        """A pass over every feed, now."""
        return collect(self.store, self.settings, datetime.now(UTC), every=True)

    def subscribe(self, after: timedelta = timedelta(0)) -> StageReport:
        """The stage, so much later; hubs that confirm have done so when it returns."""
        asked, echoed = len(self.hub.asked), len(self.hub.echoes)
        report = subscribe(self.store, self.settings, datetime.now(UTC) + after)
        if self.hub.confirms and self.hub.status < 300:
            wait_until(lambda: len(self.hub.echoes) - echoed == len(self.hub.asked) - asked)
        return report

    def ready(self) -> None:
        """One pass, and a confirmed subscription."""
        self.collect()
        self.subscribe()
        assert self.live

    @property
    def live(self) -> bool:
        """Whether exactly one subscription is confirmed."""
        return [(s.mode, s.asks, s.lease_ends_at is not None) for s in self.held] == [(Mode.SUBSCRIBE, 0, True)]

    @property
    def waits_s(self) -> float:
        """Until the feed is asked again."""
        assert self.feed.next_check_at is not None
        return (self.feed.next_check_at - datetime.now(UTC)).total_seconds()

    def rest(self) -> None:
        """As if the last fetch and the last announcement lay a quarter of an hour back."""
        with self.store.write() as connection:
            feed = self.feed
            earlier = {
                "last_attempt_at": feed.last_attempt_at and feed.last_attempt_at - timedelta(minutes=15),
                "pushed_at": feed.pushed_at and feed.pushed_at - timedelta(minutes=15),
            }
            connection.execute(update(schema.feeds).where(schema.feeds.c.id == feed.id).values(earlier))
