"""Stage: subscribe to the hubs that feeds name, renew before leases end, unsubscribe from what is not wanted any more.

plan, in one transaction -> ask the hubs -> record what failed, one transaction each

Hubs confirm on their own time, often before they answer, by a request to the callback that ``web`` serves: see
``hear`` below. That a hub was asked is therefore stored before it is; a request that gets lost is made again later.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from monitor.config import Settings
from monitor.errors import FeedError
from monitor.fetch import Fetcher
from monitor.rhythm import pushed_check
from monitor.store import Connection, Store, feeds, subscriptions
from monitor.types import Mode, StageReport, Subscription
from monitor.websub import LONGEST_RETRY, Reply, Verification, callback, form, plan, retry_at, verify

TOKEN_BYTES = 32


def subscribe(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Ask each hub for what is due. Without ``web.public_url`` nothing is subscribed, and what was is ended.

    Counts: ``begun``, ``ended`` (subscriptions, by our own will), ``asked`` = requests to hubs, of which ``failed``.
    """
    counts: Counter[str] = Counter()
    with store.write() as connection:
        _apply_plan(connection, settings.web.public_url, now, counts)
        due = subscriptions.due(connection, now)
        for each in due:
            subscriptions.record_ask(connection, each.token, retry_at(each, now))
    problems = asyncio.run(_ask(store, settings, due, now)) if due else []
    counts.update(asked=len(due), failed=len(problems))
    return StageReport(
        "subscribe", {name: counts[name] for name in ("begun", "ended", "asked", "failed")}, tuple(sorted(problems))
    )


def _apply_plan(connection: Connection, public_url: str, now: datetime, counts: Counter[str]) -> None:
    todo = plan(feeds.with_hub(connection), subscriptions.listing(connection), public_url, now)
    for each in todo.forget:
        subscriptions.forget(connection, each)
    for each in todo.end:
        subscriptions.end(connection, each, now)
    for each in todo.lapsed:
        subscriptions.lapse(connection, each)
    for feed in todo.begin:
        token, secret = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES)
        address = callback(public_url, token)
        hub, topic = feed.hub or "", feed.topic or ""  # feeds without are never planned
        subscriptions.add(
            connection, Subscription(token, feed.id, hub, topic, address, secret, Mode.SUBSCRIBE, next_ask_at=now)
        )
    counts.update(begun=len(todo.begin), ended=len(todo.end))


async def _ask(store: Store, settings: Settings, due: list[Subscription], now: datetime) -> list[str]:
    """Ask the hubs, several at a time; returns a sentence for each request that failed.

    One that is silent or asks for quiet is not asked for its other feeds: they would only wait as long in vain.
    """
    problems: list[str] = []
    shut: dict[str, FeedError] = {}

    async def ask(fetcher: Fetcher, subscription: Subscription) -> None:
        try:
            async with fetcher.turns.of(subscription.hub):
                if subscription.hub in shut:
                    raise shut[subscription.hub]
                await fetcher.post(subscription.hub, form(subscription))
        except FeedError as error:
            if error.status in (None, 429, 503):
                shut[subscription.hub] = error
            again = retry_at(subscription, now, error.retry_after_s)
            with store.write() as connection:
                words = f"{error.kind}: {error.detail}"
                subscriptions.record_failure(connection, subscription.token, again, words)
            problems.append(f"hub {subscription.hub} of {subscription.topic}: {words}")

    async with Fetcher(settings.fetch) as fetcher, asyncio.TaskGroup() as tasks:
        for each in due:
            tasks.create_task(ask(fetcher, each))
    return problems


def hear(store: Store, token: str, query: Mapping[str, str], now: datetime) -> Verification:
    """A hub asks at the callback of ``token`` whether it understood us, or says no; record it, in one transaction."""
    with store.read() as connection:
        found = verify(subscriptions.find(connection, token), query, now)
    if found.reply is Reply.UNKNOWN:  # a stranger's call never waits for the write lock, nor makes others wait
        return found
    with store.write() as connection:
        subscription = subscriptions.find(connection, token)
        found = verify(subscription, query, now)
        if subscription is not None:
            _record(connection, subscription, found, now)
    return found


def _record(connection: Connection, subscription: Subscription, found: Verification, now: datetime) -> None:
    match found.reply:
        case Reply.CONFIRM:
            subscriptions.confirm(connection, subscription.token, found.lease_ends_at, found.next_ask_at)
        case Reply.ENDED:
            subscriptions.forget(connection, subscription)
        case Reply.DENIED:
            words = f"denied by the hub: {found.words or 'no reason given'}"
            subscriptions.lapse(connection, subscription, error=words, next_ask_at=now + LONGEST_RETRY)


def push(store: Store, token: str, now: datetime) -> None:
    """The hub has announced news: the next pass over the feeds fetches them, from the outlet itself."""
    with store.write() as connection:
        subscription = subscriptions.find(connection, token)
        if subscription is None or subscription.mode is Mode.UNSUBSCRIBE:
            return  # ended while its body was read
        feed = feeds.get(connection, subscription.feed_id)
        feeds.push(connection, feed.id, now, pushed_check(feed, now))
