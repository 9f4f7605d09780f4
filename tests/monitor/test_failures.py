"""What a failure means beyond its own feed and moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor.errors import FeedError, FeedErrorKind
from monitor.failures import GIVE_UP, HARD, SOFT, TEMPORARY, UNRESOLVED, concerned, consequence, weight
from monitor.types import Feed, Phase, Role

NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
FEED = Feed(id=3, url="https://harbour-daily.com.hk/rss", outlet="A", role=Role.MEDIA, lang=None, enabled=True)


def error(kind: str, status: int | None = None, retry_after_s: float | None = None) -> FeedError:
    """An error of the feed above."""
    return FeedError(FEED.url, FeedErrorKind(kind), "words", status=status, retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        *((error("http", status), SOFT) for status in (404, 408, 429, 500, 502, 503, 599)),
        *((error("http", status), HARD) for status in (400, 401, 403, 451)),
        (error("http"), SOFT),
        *((error(kind), TEMPORARY) for kind in ("connect", "timeout")),
        (error("dns"), UNRESOLVED),
        *((error(kind), SOFT) for kind in ("tls", "empty", "stalled")),
        *((error(kind), HARD) for kind in ("html", "not-a-feed", "encoding", "too-large", "redirect", "blocked")),
        (error("internal"), 0.0),
    ],
)
def test_failures_weigh_as_media_cloud_has_them(failure: FeedError, expected: float) -> None:
    """What may pass counts half or a quarter of what a person must mend; our own fault counts nothing."""
    assert weight(failure) == expected


def test_every_kind_has_a_weight() -> None:
    """A new kind of error counts as hard until somebody thinks about it."""
    assert {weight(error(kind)) for kind in FeedErrorKind} == {HARD, SOFT, TEMPORARY, UNRESOLVED, 0.0}


def test_a_feed_that_fails_for_too_long_is_given_up_with_words() -> None:
    """At thirty strikes, not before; the words name the count and the way back."""
    almost = replace(FEED, failures=29, strikes=GIVE_UP - 2 * HARD)
    then = consequence(almost, error("html"), Phase.CAMPAIGN)
    assert (then.strikes, then.disable, then.words) == (GIVE_UP - HARD, False, "")
    then = consequence(replace(almost, strikes=then.strikes), error("html"), Phase.CAMPAIGN)
    assert then.disable
    assert "30 failures in a row" in then.words
    assert "pollwatch feeds enable 3" in then.words


@pytest.mark.parametrize("phase", [Phase.POLLING_DAY, Phase.COUNT])
def test_no_feed_is_given_up_while_votes_are_cast_or_counted(phase: Phase) -> None:
    """It is asked on, and that is said; only one that is gone by its own word (410) is left, and that is said too."""
    then = consequence(replace(FEED, strikes=GIVE_UP), error("html"), phase)
    assert not then.disable
    assert "until the count is over" in then.words
    gone = consequence(FEED, error("gone", 410), phase)
    assert gone.disable
    assert "disabled" in gone.words


def feed(number: int, url: str, *, answers: bool | None = None) -> Feed:
    """A feed that was never asked, or that answered well or not when it was last asked."""
    state = {None: {}, True: {"last_success_at": NOW}, False: {"last_success_at": NOW, "error_kind": "http"}}[answers]
    return Feed(number, url, "B", Role.MEDIA, None, True, **state)  # type: ignore[arg-type]  # the fields above


OTHERS = [
    FEED,
    feed(4, "https://harbour-daily.com.hk/two", answers=True),
    feed(5, "https://Harbour-Daily.com.hk:8443/three"),
    feed(6, "https://news.harbour-daily.com.hk/rss"),
    feed(7, "https://sport.harbour-daily.com.hk/rss", answers=True),
    feed(8, "https://not-harbour-daily.com.hk/rss"),
    feed(9, "https://jade-bay.com.hk/rss"),
]


def test_too_many_requests_concerns_the_host() -> None:
    """All feeds of the host wait, and other hosts of the outlet that are not known to answer."""
    for refusal in (error("http", 429), error("http", 503, 60.0)):
        assert concerned(FEED, refusal, OTHERS) == [4, 5, 6]


def test_forbidden_concerns_a_host_that_answers_nobody() -> None:
    """One page that is forbidden stops no other feed; a wall stops them all."""
    assert concerned(FEED, error("http", 403), OTHERS) == [6]
    walled = [replace(other, error_kind="http") for other in OTHERS]
    assert concerned(FEED, error("http", 403), walled) == [4, 5, 6, 7]


def test_other_failures_concern_nobody_else() -> None:
    """A missing page, a fault of the server without a wish, a slow one."""
    for failure in (error("http", 404), error("http", 503), error("http", 500), error("timeout"), error("gone", 410)):
        assert concerned(FEED, failure, OTHERS) == []
