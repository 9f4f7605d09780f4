"""What is new, what was edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import changes as module
from monitor.changes import Changes, decide
from monitor.links import link_key
from monitor.types import Entry, Item, Lang, Role

NOW = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)


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
        {"title": "投票\u202e時間"},
    ],
)
def test_other_changes_are_no_edits(same: dict[str, object]) -> None:
    """Dates, white space (Chinese has none that matters) and invisible characters."""
    assert outcome(decide(kept([entry("a")]), [entry("a", **same)], NOW)) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("The office’s “final” word – 10.30 pm…", 'The office\'s "final" word - 10.30 pm...'),
        ("票站於10:30關閉(更新),請留意", "票站於１０：３０關閉（更新），請留意"),
    ],
)
def test_another_form_of_a_sign_is_no_edit(before: str, after: str) -> None:
    """Curly and straight quotation marks, dashes, full and half width; a sign more or less is an edit."""
    for one, other in ((before, after), (after, before)):
        assert outcome(decide(kept([entry("a", title=one)]), [entry("a", title=other)], NOW)) == (0, 0, 0, 1)
    assert outcome(decide(kept([entry("a", title=before)]), [entry("a", title=after + "?")], NOW)) == (0, 1, 0, 0)


def test_another_link_is_stored_and_another_host_is_an_edit() -> None:
    """The look-alike rule must see where a link leads now; another path or scheme of the same host reads the same."""
    stored = kept([entry("a")])
    for link in ("https://a.example/other", "http://A.example/a", "https://a.example/a?utm_source=rss"):
        changes = decide(stored, [entry("a", link=link)], NOW)
        assert outcome(changes) == (0, 0, 1, 1)
        assert (changes.moved[0][1].link, changes.moved[0][1].key) == (link, "a")
    for link in ("https://a-example.example/a", None):
        assert outcome(decide(stored, [entry("a", link=link)], NOW)) == (0, 1, 1, 0)


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

    def story(guid: str, **parts: object) -> Entry:
        return entry(guid, **{"link": "https://a.example/story", **parts})

    old = story("old")
    stored = kept([old])
    assert outcome(decide(stored, [old, story("new")], NOW)) == (1, 0, 0, 1)
    assert outcome(decide(stored, [story("new", title="另一題")], NOW)) == (1, 0, 0, 0)
    assert outcome(decide(kept([story("old", link=None)]), [story("new", link=None)], NOW)) == (1, 0, 0, 0)
    assert outcome(decide(stored, [story("x"), story("y")], NOW)) == (1, 0, 1, 1)


def polls(*documents: Sequence[Entry]) -> list[Item]:
    """The items after these documents, one poll after the other, as the store would keep them."""
    stored: dict[int, Item] = {}
    for number, document in enumerate(documents):
        changes = decide({i.key: i for i in stored.values()}, document, NOW)
        for item, after in changes.moved:
            stored[item.id] = replace(stored[item.id], key=after.key, guid=after.guid, link=after.link)
        for item, after in changes.edited:
            known = stored[item.id]
            stored[item.id] = replace(known, title=after.title, summary=after.summary, revision=known.revision + 1)
        for item in kept(changes.new).values():
            stored[number * 100 + item.id] = replace(item, id=number * 100 + item.id)
        assert len({item.key for item in stored.values()}) == len(stored)
    return list(stored.values())


def reused(letter: str, link: str | None = "") -> Entry:
    """A story under a guid that the outlet uses again and again, with the key that the parser gives it when alone."""
    return entry("g", title=f"題{letter}", summary=letter, link=f"https://a.example/{letter}" if link == "" else link)


def listed(*stories: Entry) -> list[Entry]:
    """Several such stories in one document, with the keys that the parser widened."""
    return [replace(e, key=f"g {e.link} {e.title}" if e.link is None else f"g {e.link}") for e in stories]


def test_a_guid_used_again_does_not_overwrite_a_story() -> None:
    """One entry a poll, each with its own link: three items, none edited; and each is known again."""
    a, b, c = reused("A"), reused("B"), reused("C")
    items = polls([a], [b], [c], listed(a, c), [b], [a])
    assert [(item.title, item.revision) for item in items] == [("題A", 0), ("題B", 0), ("題C", 0)]
    assert len({item.key for item in items}) == 3
    edited = polls([a], [b], [replace(b, title="改題")], [a])
    assert [(item.title, item.revision) for item in edited] == [("題A", 0), ("改題", 1)]


@pytest.mark.parametrize(
    ("before", "after", "edited"),
    [
        (
            ("Polls close at 10:30 pm on Sunday", "The office confirmed the hours for all 186 stations."),
            ("Polls to close at 10:30 pm, office confirms", "The office confirmed the hours for all 186 stations."),
            True,
        ),
        (
            ("投票站晚上十時半關閉", "選舉事務署公布一百八十六個票站的開放時間。"),
            ("票站十時半關閉", "選舉事務署公布一百八十六個票站的開放時間。"),
            True,
        ),
        (
            ("Polls close at 10:30 pm on Sunday", "The office confirmed the hours for all 186 stations."),
            ("Ferry to Moonrise Island delayed by fog", "Passengers waited for two hours at the pier."),
            False,
        ),
        (
            ("投票站晚上十時半關閉", "選舉事務署公布票站時間。"),
            ("月升島渡輪因大霧延誤", "乘客在碼頭等候兩小時。"),
            False,
        ),
    ],
)
def test_a_new_headline_with_a_new_address_under_one_guid(
    before: tuple[str, str], after: tuple[str, str], edited: bool
) -> None:
    """Alike texts are one story, edited and moved; unlike ones are two stories under a guid used again."""
    old, new = (
        entry("g", title=title, summary=summary, link=f"https://a.example/{number}")
        for number, (title, summary) in enumerate((before, after))
    )
    assert outcome(decide(kept([old]), [new], NOW)) == ((0, 1, 1, 0) if edited else (1, 0, 0, 0))


@pytest.mark.parametrize(
    ("before", "after", "edited"),
    [
        ("/news/418057/live-count-on-moonrise-island", "/news/418057/harbour-seat-goes-to-a-recount", True),
        ("/news?id=418057&t=live", "/news?id=418057&t=recount", True),
        ("/news/418057/live-count-on-moonrise-island", "/news/418099/harbour-seat-goes-to-a-recount", False),
        ("/2027-03/20270301/live-count-on-moonrise-island", "/2027-03/20270301/harbour-seat-goes-to-a-recount", False),
        ("/202703/live-count", "/202703/recount", False),
        ("/live-count-1200-ballots", "/recount-1200-ballots", False),
    ],
)
def test_a_story_number_in_the_address_outlives_headline_and_text(before: str, after: str, edited: bool) -> None:
    """A live page that ends as a report shares no word with its beginning; a date in an address is no such number."""
    old = entry("g", "現場：月升島點票", "票箱陸續運抵。", link=f"https://a.example{before}")
    new = entry(
        "g", "海港區議席須重新點算", "兩名候選人只差三票，選管會稍後公布安排。", link=f"https://a.example{after}"
    )
    assert outcome(decide(kept([old]), [new], NOW)) == ((0, 1, 1, 0) if edited else (1, 0, 0, 0))


def test_a_story_number_that_several_listed_entries_share_names_none_of_them() -> None:
    """A page about one incident may be listed under one guid with several headlines; none takes another's place."""
    address = "https://a.example/news/418057/"
    first = entry("g", "票站甲開放", "早上", link=f"{address}a")
    two = [entry("g", t, s, link=address + s) for t, s in (("候選人辯論", "b"), ("渡輪停航", "c"))]
    assert outcome(decide(kept([first]), two, NOW)) == (2, 0, 0, 0)


def test_a_guid_used_again_without_links_neither_doubles_nor_overwrites() -> None:
    """Once several stories are known to share the guid, it names none of them: then the title decides."""
    a, b, c = (reused(letter, link=None) for letter in "ABC")
    items = polls([a], listed(b, a), [b], [c], listed(a, b, c))
    assert [(item.title, item.revision) for item in items] == [("題A", 0), ("題B", 0), ("題C", 0)]
    assert [item.revision for item in polls([a], [replace(a, summary="改")], [replace(a, title="改")])] == [2]


def test_two_stories_that_swap_their_guids_stay_two() -> None:
    """Keys are unique at every step, whatever moves where."""
    x, y = entry("x", title="甲"), entry("y", title="乙")
    swapped = [replace(x, key="y", guid="y"), replace(y, key="x", guid="x")]
    items = polls([x, y], swapped, [x, y])
    assert [(item.title, item.link, item.revision) for item in items] == [
        ("甲", "https://a.example/x", 0),
        ("乙", "https://a.example/y", 0),
    ]


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


_STORIES = st.builds(
    lambda guid, link, title: Entry(guid or link or f"text:{title}", guid, link, title, "", None, None),
    st.sampled_from([None, "g", "h"]),
    st.sampled_from([None, "https://a.example/1", "https://a.example/2"]),
    st.sampled_from(["甲", "乙", "丙"]),
)


@given(st.lists(st.lists(_STORIES, max_size=4, unique_by=lambda e: e.key), max_size=6))
def test_keys_stay_unique_and_the_last_document_is_kept(documents: list[list[Entry]]) -> None:
    """However guids, links and titles change hands between polls, what stands in the feed stands in the store."""
    items = polls(*documents)
    last = documents[-1] if documents else []
    assert {(e.guid, e.link, e.title) for e in last} <= {(i.guid, i.link, i.title) for i in items}


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
        ("http://www.a.example/news/1/", "a.example/news/1"),
        ("https://m.a.example/news/1", "a.example/news/1"),
        ("https://amp.a.example:8080/news/1", "a.example:8080/news/1"),
        ("https://a.example/news/1/amp/", "a.example/news/1"),
        ("https://a.example/amp/news/1", "a.example/news/1"),
        ("https://a.example/news/1.amp.html", "a.example/news/1.html"),
        ("https://a.example/news/1?amp&outputType=amp&id=2", "a.example/news/1?id=2"),
        ("https://m.example/camp/1", "m.example/camp/1"),
        ("https://a.example/lamp", "a.example/lamp"),
        ("https://a.example/amplifier", "a.example/amplifier"),
    ],
)
def test_links_have_one_canonical_form(link: str | None, key: str | None) -> None:
    """Scheme, case of the host, port, fragment, tracking, trailing slash, www, telephones and AMP do not matter.

    A bare site is no story.
    """
    assert link_key(link) == key


_SOME = st.sampled_from([None, "1", "2", "a.example/1"])
_ENTRIES = st.lists(
    st.builds(
        lambda key, guid, link, title, text: Entry(key, guid, link and f"https://{link}", title, text, None, None),
        st.sampled_from("kl"),
        _SOME,
        _SOME,
        st.sampled_from(["投票", "投 票", "票站"]),
        st.sampled_from(["", "甲乙丙丁", "甲乙丙"]),
    ),
    max_size=6,
)


@given(_ENTRIES, _ENTRIES)
def test_entries_that_nobody_touched_are_found_without_their_signs(before: list[Entry], after: list[Entry]) -> None:
    """The short way for the many gives what the long way gives, for them and for all others."""
    stored = list(kept([replace(e, key=str(n)) for n, e in enumerate(before)]).values())
    unique = module._unique(after)
    first: dict[object, Entry] = {}
    for entry in after:
        first.setdefault(module._signs(entry)[0], entry)
    assert unique == list(first.values())
    assert module._recognise(stored, unique) == module._by_signs(stored, unique)
