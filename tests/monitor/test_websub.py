"""WebSub, decided: what a feed names, what is to be asked of hubs, what is confirmed, what is genuine."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.parse import parse
from monitor.types import Feed, Mode, Role, Subscription
from monitor.websub import (
    LEASE,
    LONGEST_LEASE,
    LONGEST_RETRY,
    RETRY,
    Claim,
    Plan,
    Reply,
    callback,
    discover,
    form,
    plan,
    retry_at,
    verify,
)
from tests.fakes import item, rss

NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
URL = "https://harbour-daily.example/rss"
HUB = "https://hub.example/"
US = "https://watch.example"
FEED = Feed(7, URL, "Harbour Daily", Role.MEDIA, None, enabled=True, hub=HUB, topic=URL)
ASKED = Subscription("t" * 43, 7, HUB, URL, callback(US, "t" * 43), "secret", Mode.SUBSCRIBE, NOW)
LIVE = replace(ASKED, lease_ends_at=NOW + timedelta(days=1))
QUESTION = {"hub.mode": "subscribe", "hub.topic": URL, "hub.challenge": "word", "hub.lease_seconds": "3600"}


@pytest.mark.parametrize(
    "document",
    [
        rss(item("a")).replace(
            "<channel>",
            '<channel xmlns:a="http://www.w3.org/2005/Atom"><a:link rel="hub" href="/hub"/>'
            '<a:link rel="self" href="/f"/>',
        ),
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>海港日報</title><link rel="hub" href="/hub"/>'
        '<link rel="self" href="/f"/><link href="/"/><entry><title>a</title></entry></feed>',
        json.dumps({
            "version": "https://jsonfeed.org/version/1.1",
            "feed_url": "/f",
            "hubs": [{"type": "rssCloud", "url": "/no"}, {"type": "WebSub", "url": "/hub"}, 5, {"type": []}],
            "items": [],
        }),
    ],
)  # fmt: skip
def test_every_family_of_feeds_names_its_hub(document: str) -> None:
    """RSS by Atom's element, Atom by its own, JSON Feed by its `hubs`; addresses are made absolute."""
    links = parse(document.encode(), URL).links
    assert discover(None, links, URL) == ("https://harbour-daily.example/hub", "https://harbour-daily.example/f")


def test_an_entry_names_no_hub() -> None:
    """What stands inside an entry was perhaps written by a stranger."""
    link = '<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="hub" href="https://evil.example/"/></item>'
    assert parse(rss(item("a")).replace("</item>", link).encode(), URL).links == ()


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f'<{HUB}>; rel="hub", <https://a.example/f>; rel=self', (HUB, "https://a.example/f")),
        (f"<{HUB}>;REL=HUB", (HUB, URL)),
        (f'<{HUB}>; title="x"; rel="hub self"', (HUB, HUB)),
        ('<https://one.example/>; rel="hub", <https://two.example/>; rel="hub"', ("https://one.example/", URL)),
        (f'<javascript:x>; rel="hub", <>; rel=hub, <{HUB}>; rel="hub"', (HUB, URL)),
        ('<https://a.example/f>; rel="self"', (None, None)),
        ('<https://user:pw@a.example/>; rel="hub"', (None, None)),
        (f"{HUB}; rel=hub", (None, None)),
        (f'<{HUB}>; rel="hub', (None, None)),
        ("<https://[::1>; rel=hub", (None, None)),
        ("<" * 9_000, (None, None)),
    ],
)
def test_link_headers_are_read(header: str, found: tuple[str | None, str | None]) -> None:
    """In every spelling that the standard allows; what may not be asked is passed over."""
    assert discover(header, (), URL) == found


def test_headers_come_before_the_document_and_the_address_stands_in_for_self() -> None:
    """The order of the standard, for hub and self each."""
    links = [("hub", "https://in.example/"), ("self", "https://in.example/f")]
    assert discover(f'<{HUB}>; rel="hub"', links, URL) == (HUB, "https://in.example/f")
    assert discover(None, [("hub", HUB)], URL) == (HUB, URL)


def test_what_is_wanted_is_begun_and_what_is_not_is_ended() -> None:
    """Nothing to do when it is as it should be; each thing that changes ends the old and begins the new."""
    assert plan([FEED], [ASKED], US, NOW) == plan([FEED], [LIVE], US, NOW) == Plan()
    assert plan([FEED], [], US, NOW) == Plan(begin=(FEED,))
    for changed in (replace(FEED, hub="https://other.example/"), replace(FEED, topic=URL + "?2")):
        assert plan([changed], [LIVE], US, NOW) == Plan(begin=(changed,), end=(LIVE,))
    assert plan([FEED], [LIVE], "https://new.example", NOW) == Plan(begin=(FEED,), end=(LIVE,))
    for gone in (replace(FEED, enabled=False), replace(FEED, hub=None, topic=None)):
        assert plan([gone], [LIVE], US, NOW) == Plan(end=(LIVE,))
        assert plan([gone], [ASKED], US, NOW) == Plan(forget=(ASKED,))
    assert plan([FEED], [LIVE], "", NOW) == Plan(end=(LIVE,))
    assert plan([FEED], [], "", NOW) == Plan()


def test_a_lease_that_is_over_is_told_once_and_an_ended_one_is_forgotten() -> None:
    """What a hub does not confirm in time, it does not hold either."""
    over = replace(LIVE, lease_ends_at=NOW)
    assert plan([FEED], [over], US, NOW) == Plan(lapsed=(over,))
    ending = replace(LIVE, mode=Mode.UNSUBSCRIBE)
    assert plan([FEED], [ending], US, NOW) == Plan(begin=(FEED,))
    done = replace(over, mode=Mode.UNSUBSCRIBE)
    assert plan([FEED], [done], US, NOW) == Plan(begin=(FEED,), forget=(done,))


def test_the_request_is_that_of_the_standard() -> None:
    """A secret goes along only with the wish to subscribe."""
    assert form(ASKED) == {
        "hub.callback": f"https://watch.example/websub/{'t' * 43}",
        "hub.mode": "subscribe",
        "hub.topic": URL,
        "hub.secret": "secret",
        "hub.lease_seconds": "864000",
    }
    assert set(form(replace(ASKED, mode=Mode.UNSUBSCRIBE))) == {"hub.callback", "hub.mode", "hub.topic"}


def test_a_hub_that_does_not_confirm_is_asked_later_and_later() -> None:
    """From ten minutes to a day; a hub may ask for more time, up to a day."""
    waits = [retry_at(replace(ASKED, asks=asks), NOW) - NOW for asks in (0, 1, 2, 8, 2_000)]
    assert waits == [RETRY, 2 * RETRY, 4 * RETRY, LONGEST_RETRY, LONGEST_RETRY]
    assert retry_at(ASKED, NOW, 3600) == NOW + timedelta(hours=1)
    assert retry_at(ASKED, NOW, 1e12) == NOW + LONGEST_RETRY


def test_only_what_was_asked_for_is_confirmed() -> None:
    """This mode, this topic, a challenge that is a word."""
    assert verify(ASKED, QUESTION, NOW).challenge == "word"
    for wrong in (
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
        {"hub.topic": URL + "/"},
        {"hub.challenge": ""},
        {"hub.challenge": "a\r\nb"},
        {"hub.challenge": "選"},
        {"hub.challenge": "x" * 1_001},
    ):
        assert verify(ASKED, {**QUESTION, **wrong}, NOW).reply is Reply.UNKNOWN
    assert verify(None, QUESTION, NOW).reply is Reply.UNKNOWN
    assert verify(ASKED, {}, NOW).reply is Reply.UNKNOWN
    ending = replace(LIVE, mode=Mode.UNSUBSCRIBE)
    assert verify(ending, {**QUESTION, "hub.mode": "unsubscribe"}, NOW).reply is Reply.ENDED
    assert verify(ending, QUESTION, NOW).reply is Reply.UNKNOWN


@pytest.mark.parametrize(
    ("given", "lease", "renewed"),
    [
        ("86400", timedelta(days=1), timedelta(hours=18)),
        ("60", timedelta(minutes=1), RETRY),
        ("0", timedelta(0), RETRY),
        ("", LEASE, LEASE * 0.75),
        ("-5", LEASE, LEASE * 0.75),
        ("٣", LEASE, LEASE * 0.75),
        ("9" * 9, LONGEST_LEASE, LONGEST_LEASE * 0.75),
        ("9" * 400, LEASE, LEASE * 0.75),
    ],
)
def test_a_lease_is_renewed_before_it_ends(given: str, lease: timedelta, renewed: timedelta) -> None:
    """When a quarter of it is left, and however short it is never more often than every ten minutes."""
    found = verify(ASKED, {**QUESTION, "hub.lease_seconds": given}, NOW)
    assert (found.lease_ends_at, found.next_ask_at) == (NOW + lease, NOW + renewed)


def test_a_hub_may_say_no() -> None:
    """In its own words, made safe."""
    found = verify(LIVE, {"hub.mode": "denied", "hub.topic": URL, "hub.reason": "not\x1b[31m \u202etoday"}, NOW)
    assert (found.reply, found.words) == (Reply.DENIED, "not[31m today")
    assert verify(LIVE, {"hub.mode": "denied", "hub.topic": "https://x.example/"}, NOW).reply is Reply.UNKNOWN


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_method_of_the_standard_is_checked(method: str) -> None:
    """In parts and in capitals; another body, another secret and another method are not genuine."""
    body = "海港日報".encode()
    signature = hmac.new(b"secret", body, getattr(hashlib, method)).hexdigest()
    for header in (f"{method}={signature}", f" {method.upper()}={signature.upper()} "):
        claim = Claim(header, "secret")
        claim.update(body[:5])
        assert not claim.matches()
        claim.update(body[5:])
        assert claim.matches()
    for header, secret in ((f"{method}={signature}", "other"), (f"{method}={signature[:-2]}00", "secret")):
        claim = Claim(header, secret)
        claim.update(body)
        assert not claim.matches()


@pytest.mark.parametrize(
    "header", [None, "", "sha256=", "md5=" + "0" * 32, "sha256=é", "sha256=" + "0" * 64, "=" * 9_000]
)
def test_what_is_not_signed_is_not_genuine(header: str | None) -> None:
    """Not even an empty body."""
    assert not Claim(header, "secret").matches()
