"""What is new, what was edited, when to look again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.changes import BACKOFF_CAP_S, JITTER, RETRY_AFTER_CAP_S, Changes, decide, next_check
from monitor.errors import FeedError, FeedErrorKind
from monitor.links import link_key
from monitor.types import Entry, Feed, Item, Lang, Role

NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)
FEED = Feed(id=3, url="https://a.example/rss", outlet="A", role=Role.MEDIA, lang=None, enabled=True, interval_s=600)


def entry(key: str, title: str = "投票時間", summary: str = "由早上八時半起", **parts: object) -> Entry:
    """An entry as the parser returns it."""
    plain = Entry(key, key, f"https://a.example/{key}", title, summary, None, None)
    return replace(plain, **parts)  # type: ignore[arg-type]  # the fields of Entry


def kept(entries: Sequence[Entry]) -> dict[str, Item]:
    """The items that these entries became."""
    return {
        e.key: Item(
            id=number, feed_id=3, key=e.key, guid=e.guid, link=e.link, title=e.title, summary=e.summary, lang=Lang.HANT,
            published_at=e.published_at, first_seen_at=NOW, edited_at=None, revision=0, outlet="A", role=Role.MEDIA,
        )
        for number, e in enumerate(entries)
    }  # fmt: skip


def outcome(changes: Changes) -> tuple[int, int, int, int]:
    """How many are new, edited, moved, the same."""
    return len(changes.new), len(changes.edited), len(changes.moved), changes.same


def test_everything_is_new_to_an_empty_store_in_the_order_of_the_document() -> None:
    """New entries keep their order; one that stands twice counts once."""
    changes = decide({}, [entry("b"), entry("a"), entry("b"), entry("c")], NOW)
    assert [e.key for e in changes.new] == ["b", "a", "c"]


def test_an_edit_is_a_change_of_visible_words() -> None:
    """Title or summary; the item that is edited comes along."""
    stored = kept([entry("a"), entry("b"), entry("c")])
    changes = decide(stored, [entry("a", title="投票時間延長"), entry("b", summary="由早上九時起"), entry("c")], NOW)
    assert [(item.key, e.key) for item, e in changes.edited] == [("a", "a"), ("b", "b")]
    assert outcome(changes) == (0, 2, 0, 1)


@pytest.mark.parametrize(
    "same",
    [
        {"published_at": NOW, "published_raw": "today"},
        {"title": " 投票 時間\u200b"},
        {"summary": "由 早上\n八時半　起"},
        {"link": "https://a.example/other"},
        {"title": "投票\u202e時間"},
    ],
)
def test_other_changes_are_no_edits(same: dict[str, object]) -> None:
    """Dates, links, white space (Chinese has none that matters) and invisible characters."""
    assert outcome(decide(kept([entry("a")]), [entry("a", **same)], NOW)) == (0, 0, 0, 1)


@pytest.mark.parametrize(("before", "after"), [("No change", "Nochange"), ("8 am", "9 am"), ("選舉", "选举")])
def test_small_changes_of_words_are_edits(before: str, after: str) -> None:
    """A space between English words matters, and so does another script."""
    assert outcome(decide(kept([entry("a", title=before)]), [entry("a", title=after)], NOW)) == (0, 1, 0, 0)


def test_what_vanished_and_returns_is_not_new() -> None:
    """The store forgets nothing."""
    stored = kept([entry("a"), entry("b")])
    assert outcome(decide(stored, [entry("b")], NOW)) == (0, 0, 0, 1)
    assert outcome(decide(stored, [entry("a"), entry("b")], NOW)) == (0, 0, 0, 2)


def test_another_guid_with_the_same_link_and_title_is_the_same_item() -> None:
    """It moves to the new key; a changed summary is an edit of it."""
    stored = kept([entry("old", link="https://a.example/story")])
    renamed = entry("new", link="https://A.example/story/?utm_source=rss#top")
    assert outcome(decide(stored, [renamed], NOW)) == (0, 0, 1, 1)
    assert outcome(decide(stored, [replace(renamed, summary="改了")], NOW)) == (0, 1, 1, 0)


def test_two_listed_entries_are_never_merged() -> None:
    """While the old guid is still listed, the new one is another item; so is one with another title or no link."""
    old = entry("old", link="https://a.example/story")
    stored = kept([old])
    assert outcome(decide(stored, [old, replace(old, key="new")], NOW)) == (1, 0, 0, 1)
    assert outcome(decide(stored, [replace(old, key="new", title="另一題")], NOW)) == (1, 0, 0, 0)
    assert outcome(decide(kept([replace(old, link=None)]), [replace(old, key="new", link=None)], NOW)) == (1, 0, 0, 0)
    assert outcome(decide(stored, [replace(old, key="x"), replace(old, key="y")], NOW)) == (1, 0, 1, 1)


def test_a_date_in_the_future_becomes_now() -> None:
    """Past dates stay, missing ones stay missing."""
    later, earlier = NOW + timedelta(hours=8), NOW - timedelta(hours=8)
    found = decide({}, [entry("a", published_at=later), entry("b", published_at=earlier), entry("c")], NOW).new
    assert [e.published_at for e in found] == [NOW, earlier, None]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["甲", "乙", "A B"])), max_size=8))
def test_a_document_decided_twice_changes_nothing_the_second_time(pairs: list[tuple[str, str]]) -> None:
    """Whatever a document holds, once it is stored it is the same."""
    entries = [entry(key, title=title) for key, title in pairs]
    first = decide({}, entries, NOW)
    assert outcome(decide(kept(first.new), entries, NOW)) == (0, 0, 0, len(first.new))


def delay(error: FeedError | None = None, **state: object) -> float:
    """Seconds until the next check."""
    return (next_check(replace(FEED, **state), NOW, error) - NOW).total_seconds()  # type: ignore[arg-type]


def test_a_healthy_feed_is_checked_at_its_interval() -> None:
    """A little earlier, by an amount that depends on the feed alone."""
    assert 600 * (1 - JITTER) <= delay() <= 600
    assert delay() == delay()
    assert len({delay(id=n) for n in range(20)}) == 20


def test_failures_double_the_interval_up_to_a_cap() -> None:
    """A dead feed is asked less and less, but never forgotten."""
    error = FeedError(FEED.url, FeedErrorKind.TIMEOUT, "late")
    delays = [delay(error, failures=n) for n in range(30)]
    assert delays == sorted(delays)
    assert delays[0] > 600
    assert delays[-1] <= BACKOFF_CAP_S
    assert delay(error, interval_s=86_400) >= 86_400 * (1 - JITTER)


def test_the_server_s_wish_is_honoured() -> None:
    """Retry-After is a lower bound, within reason."""
    asked = [FeedError(FEED.url, FeedErrorKind.HTTP, "429", retry_after_s=s) for s in (1.0, 7_200.0, 1e9)]
    short, long, absurd = (delay(error) for error in asked)
    assert short > 600
    assert long == 7_200
    assert absurd == RETRY_AFTER_CAP_S


@pytest.mark.parametrize(
    ("link", "key"),
    [
        (None, None),
        ("https://a.example/", None),
        ("https://a.example", None),
        ("http://[::1/", None),
        ("https://A.Example:443/News/1/", "a.example/News/1"),
        ("http://a.example:80/news/1#top", "a.example/news/1"),
        ("http://a.example:8080/news/1", "a.example:8080/news/1"),
        ("https://a.example/?id=7&utm_source=x&fbclid=y", "a.example?id=7"),
        ("https://a.example/n?b=2&a=1&empty=", "a.example/n?b=2&a=1&empty="),
        ("https://a.example/新聞/一", "a.example/新聞/一"),
    ],
)
def test_links_have_one_canonical_form(link: str | None, key: str | None) -> None:
    """Scheme, case of the host, port, fragment, tracking, trailing slash do not matter; a bare site is no story."""
    assert link_key(link) == key
