"""JSON Feed, well-meant and hostile."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor import jsonfeed
from monitor.errors import FeedError, FeedErrorKind
from monitor.parse import MAX_ENTRIES, parse
from monitor.types import Document

URL = "https://harbour-daily.example/feed.json"


def document(*items: Any, version: str = "https://jsonfeed.org/version/1.1", **parts: Any) -> Document:
    """The parsed feed of these items."""
    return parse(json.dumps({"version": version, "items": items, **parts}).encode(), URL)


def test_an_item_is_an_entry_like_any_other() -> None:
    """Both versions; addresses made absolute, markup made text, the instant in UTC."""
    item = {
        "id": "tag:5",
        "url": "/news/5",
        "title": "選舉事務署澄清 & more",
        "content_html": "<p>投票時間<b>不變</b></p><script>x()</script>",
        "date_published": "2027-03-01T12:30:00+08:00",
    }
    for version, word in (("https://jsonfeed.org/version/1", "json1"), ("http://jsonfeed.org/version/1.1", "json1.1")):
        found = document(item, version=version, title="海港日報")
        assert (found.title, found.version, found.warning) == ("海港日報", word, None)
        (entry,) = found.entries
        assert (entry.key, entry.guid, entry.link) == ("tag:5", "tag:5", "https://harbour-daily.example/news/5")
        assert (entry.title, entry.summary) == ("選舉事務署澄清 & more", "投票時間不變")
        assert str(entry.published_at) == "2027-03-01 04:30:00+00:00"


def test_what_is_missing_has_a_stand_in() -> None:
    """A number as id, a link blog's address, the summary before the text, no title, the date of a change."""
    numbered, linked, short, changed = document(
        {"id": 7, "content_text": "甲"},
        {"id": "", "external_url": "https://a.example/1", "url": ""},
        {"summary": "短", "content_text": "長"},
        {"title": "乙", "date_modified": "2027-03-01T00:00:00Z"},
    ).entries
    assert (numbered.guid, numbered.title, numbered.summary) == ("7", "", "甲")
    assert (linked.key, linked.link) == ("https://a.example/1", "https://a.example/1")
    assert short.summary == "短"
    assert changed.published_at is not None


def test_wrong_types_are_nothing_and_break_nothing() -> None:
    """Objects, lists, true, null and fractions where text belongs; items that are no objects."""
    wrong = {"id": [], "url": {"a": 1}, "title": True, "summary": 1.5, "content_html": None, "date_published": {}}
    (entry,) = document({**wrong, "content_text": "甲"}, 5, None, [], "x", title={}).entries
    assert (entry.guid, entry.link, entry.title, entry.summary, entry.published_at) == (None, None, "", "甲", None)
    assert document(wrong).entries == ()


def test_hostile_words_stay_words() -> None:
    """Half of a surrogate pair, escapes, javascript links, endless titles."""
    hostile = {"id": "a", "title": "甲\ud800\x1b[31m\u202e" + "長" * 5_000, "url": "javascript:alert(1)"}
    (entry,) = document(hostile).entries
    assert entry.title.startswith("甲[31m長")
    entry.title.encode()
    assert entry.link is None
    assert len(entry.title) == 1_000


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"a":', "not JSON"),
        ('{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 200_000, "too deeply"),
        ('{"version": "https://jsonfeed.org/version/1", "items": [{"id": ' + "9" * 5_000 + "}]}", "not JSON"),
        ('{"version": "https://jsonfeed.org/version/1", "items": {}}', "no JSON Feed"),
        ('{"version": 1, "items": []}', "no JSON Feed"),
        ('{"version": "https://other.example/jsonfeed.org/version/1", "items": []}', "no JSON Feed"),
        ('{"items": []}', "no JSON Feed"),
        ("{}", "no JSON Feed"),
    ],
)
def test_what_is_no_json_feed_is_refused_with_a_sentence(body: str, said: str) -> None:
    """Broken, bottomless, gigantic, or another kind of JSON."""
    with pytest.raises(FeedError, match=said) as caught:
        parse(body.encode(), URL)
    assert caught.value.kind is FeedErrorKind.NOT_A_FEED


def test_json_that_is_no_object_is_no_feed() -> None:
    """What the pure reader says when it is asked by itself."""
    with pytest.raises(ValueError, match="no JSON Feed"):
        jsonfeed.read("[1, 2]")


def test_too_many_items_are_cut_with_a_warning() -> None:
    """As for every other kind of feed."""
    found = document(*({"id": str(n), "title": "甲"} for n in range(MAX_ENTRIES + 1)))
    assert len(found.entries) == MAX_ENTRIES
    assert "first 2,000" in (found.warning or "")
