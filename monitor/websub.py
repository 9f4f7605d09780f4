"""WebSub (W3C Recommendation, 23 January 2018): a hub tells us that a feed has news, instead of our asking. Pure.

What a hub delivers only says *when* to ask: the feed is fetched from its outlet as ever. So nobody, not even a hub,
can put words into an outlet's mouth, validators and hashes stay those of the outlet, and a delivery that is lost,
doubled, cut short or out of order costs nothing but time. Polling stays the net below.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urljoin

from monitor.errors import BlockedAddressError
from monitor.guard import check_url
from monitor.text import clean, shorten
from monitor.types import Feed, Mode, Subscription

LEASE = timedelta(days=10)  # what we ask for, and what a hub is taken to grant that does not say
LONGEST_LEASE = timedelta(days=30)
RETRY = timedelta(minutes=10)  # after a request that was not confirmed; doubled each time up to
LONGEST_RETRY = timedelta(days=1)
MAX_HEADER = 8_000  # characters of Link headers that are read
MAX_CHALLENGE = 1_000

_LINK = re.compile(r"<([^<>]*+)>([^<]*+)")
_REL = re.compile(r";\s*+rel\s*+=\s*+(?:\"([^\"]*+)\"|([^\s;,\"]++))", re.IGNORECASE)
_SIGNATURE = re.compile(r"(sha1|sha256|sha384|sha512)=([0-9a-f]{40,128})", re.IGNORECASE | re.ASCII)
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


def discover(header: str | None, links: Iterable[tuple[str, str]], url: str) -> tuple[str | None, str | None]:
    """The hub that a feed names and the address by which the hub knows it (section 4), or None for both.

    ``header`` is that of its Link headers, joined by commas; ``links`` are (rel, href) of the document fetched from
    ``url``. Headers come first. A feed that names no address of its own (``self``) is known by ``url``.
    """
    found = [*_header_links(header or ""), *links]
    hub = next((address for rel, href in found if rel == "hub" and (address := _address(href, url))), None)
    if hub is None:
        return None, None
    own = next((address for rel, href in found if rel == "self" and (address := _address(href, url))), None)
    return hub, own or url


def _header_links(header: str) -> Iterable[tuple[str, str]]:
    """The links of a header (RFC 8288), one for each of their relations."""
    for target, parameters in _LINK.findall(header[:MAX_HEADER]):
        rel = _REL.search(parameters)
        for word in (rel[1] or rel[2] or "").lower().split() if rel else ():
            yield word, target


def _address(href: str, base: str) -> str | None:
    """An absolute address that may be asked, or None."""
    href = clean(href)
    if not href:
        return None
    try:
        address = urljoin(base, href)
        check_url(address)
    except (BlockedAddressError, ValueError):
        return None
    return address


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done about subscriptions before any hub is asked."""

    begin: tuple[Feed, ...] = ()  # subscribe to these
    end: tuple[Subscription, ...] = ()  # unsubscribe
    forget: tuple[Subscription, ...] = ()  # nothing is left to end
    lapsed: tuple[Subscription, ...] = ()  # the hub announces nothing any more, until it confirms again


def plan(feeds: Iterable[Feed], subscriptions: Iterable[Subscription], public_url: str, now: datetime) -> Plan:
    """Compare what should be subscribed (enabled ``feeds`` that name a hub) with what is.

    ``public_url`` is where hubs reach us; empty: nowhere, and nothing is subscribed. A subscription at another hub,
    of another topic or to another address of ours is ended and begun anew.
    """
    wanted = {feed.id: feed for feed in feeds if feed.enabled and feed.hub and feed.topic and public_url}
    held: set[int] = set()
    end: list[Subscription] = []
    forget: list[Subscription] = []
    lapsed: list[Subscription] = []
    for each in subscriptions:
        live = each.lease_ends_at is not None and each.lease_ends_at > now
        feed = wanted.get(each.feed_id)
        if each.mode is Mode.UNSUBSCRIBE:
            if not live:
                forget.append(each)
        elif feed is None or (feed.hub, feed.topic, callback(public_url, each.token)) != _terms(each):
            (end if live else forget).append(each)
        else:
            held.add(each.feed_id)
            if each.lease_ends_at is not None and not live:
                lapsed.append(each)
    begin = tuple(feed for feed in wanted.values() if feed.id not in held)
    return Plan(begin, tuple(end), tuple(forget), tuple(lapsed))


def _terms(subscription: Subscription) -> tuple[str, str, str]:
    return subscription.hub, subscription.topic, subscription.callback


def callback(public_url: str, token: str) -> str:
    """The address that a hub is given, unguessable like its token."""
    return f"{public_url}/websub/{token}"


def form(subscription: Subscription) -> dict[str, str]:
    """The request to a hub (section 5.1)."""
    asked = {
        "hub.callback": subscription.callback,
        "hub.mode": subscription.mode.value,
        "hub.topic": subscription.topic,
    }
    if subscription.mode is Mode.SUBSCRIBE:
        asked |= {"hub.secret": subscription.secret, "hub.lease_seconds": f"{LEASE.total_seconds():.0f}"}
    return asked


def retry_at(subscription: Subscription, now: datetime, retry_after_s: float | None = None) -> datetime:
    """When to ask again if this request at ``now`` is never confirmed; a hub may ask for more time, up to a day."""
    doubled = RETRY * (1 << min(subscription.asks, 20))
    asked = timedelta(seconds=min(retry_after_s or 0.0, LONGEST_RETRY.total_seconds()))
    return now + max(min(doubled, LONGEST_RETRY), asked)


class Reply(StrEnum):
    """What a hub's question means for a subscription (section 5.3)."""

    CONFIRM = "confirm"  # it is ours, and holds until `lease_ends_at`
    ENDED = "ended"  # it is over, as we asked
    DENIED = "denied"  # the hub will not have it
    UNKNOWN = "unknown"  # we asked for no such thing


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer to a hub's question: echo ``challenge`` when it is set."""

    reply: Reply
    challenge: str = ""
    lease_ends_at: datetime | None = None
    next_ask_at: datetime | None = None  # to renew, before the lease ends
    words: str = ""  # why the hub denies


def verify(subscription: Subscription | None, query: Mapping[str, str], now: datetime) -> Verification:
    """Whether we asked for what the hub asks us to confirm, by the parameters of its request (section 5.3).

    Only what was asked for is confirmed: this mode, this topic, at this address of ours.
    """
    unknown = Verification(Reply.UNKNOWN)
    if subscription is None or query.get("hub.topic") != subscription.topic:
        return unknown
    mode = query.get("hub.mode")
    if mode == "denied":
        return Verification(Reply.DENIED, words=shorten(clean(query.get("hub.reason", "")), 300))
    challenge = query.get("hub.challenge", "")
    # Echoed, so it must be what it claims to be: a random word.
    if mode != subscription.mode or not challenge or len(challenge) > MAX_CHALLENGE:
        return unknown
    if not (challenge.isascii() and challenge.isprintable()):
        return unknown
    if subscription.mode is Mode.UNSUBSCRIBE:
        return Verification(Reply.ENDED, challenge)
    given = query.get("hub.lease_seconds", "")
    lease = min(timedelta(seconds=int(given)), LONGEST_LEASE) if _SECONDS.fullmatch(given) else LEASE
    # A quarter of the lease is left for a hub that is down just then.
    return Verification(Reply.CONFIRM, challenge, now + lease, now + max(lease * 0.75, RETRY))


class Claim:
    """A delivery's claim to come from the hub, to be held against its body (section 7)."""

    def __init__(self, header: str | None, secret: str) -> None:
        """``header``: X-Hub-Signature, ``method=hex``. Without a known method no body ever matches."""
        said = _SIGNATURE.fullmatch((header or "").strip())
        self._said = said[2].lower() if said else ""
        self._true = hmac.new(secret.encode(), digestmod=said[1].lower() if said else "sha256")

    def update(self, part: bytes) -> None:
        """The next part of the body."""
        self._true.update(part)

    def matches(self) -> bool:
        """Whether who signed all parts knew the secret."""
        return hmac.compare_digest(self._true.hexdigest(), self._said)
