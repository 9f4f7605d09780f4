"""Reading only the entries that are new: the result is that of reading them all, and whatever is odd is read whole."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import blocks, feedparse
from monitor.errors import FeedError
from monitor.feedparse import NAMESPACES
from monitor.parse import complete, entry_key, parse
from monitor.types import Document, Entry
from tests.fakes import item, rss

URL = "https://harbour-daily.example/rss/local.xml"
ZONE = ZoneInfo("Asia/Hong_Kong")
STORIES = [item(f"題{n}", f"內容 {n} &amp; more", guid=str(n), link=f"/news/{n}") for n in range(6)]
ADDRESS = '<item><guid>9</guid><enclosure url="/a?b=1&c=2"/><title>R&D 研發&nbsp;&eacute;</title></item>'


def read(body: bytes | str, known: Collection[bytes] = ()) -> Document:
    """As a worker reads it."""
    return parse(body.encode() if isinstance(body, str) else body, URL, None, ZONE, known)


def remembered(document: Document) -> dict[bytes, Entry]:
    """What the store would hold of a document that was read whole, by mark."""
    plain = [replace(e, key=entry_key(e.guid, e.link, e.title, e.summary)) for e in document.entries]
    return dict(zip(document.marks, plain, strict=bool(document.marks)))


def assert_same(
    body: bytes | str, known: Collection[bytes], held: dict[bytes, Entry], whole: Document | None = None
) -> Document:
    """Reading the rest and completing it gives every field that reading all gives; returns what was read."""
    whole, rest = whole or read(body), read(body, known)
    assert complete(rest, {**remembered(whole), **held}) == whole.entries
    assert replace(rest, entries=(), unread=frozenset()) == replace(whole, entries=())
    return rest


def test_only_new_entries_are_read_again() -> None:
    """Two new ones among five old ones, in the order of the document; old ones that left are no matter."""
    before = read(rss(*STORIES[:5], title="Before"))
    body = rss(STORIES[5], *STORIES[:2], item("新", guid="x"), *STORIES[2:4], title="After")
    rest = assert_same(body, before.marks, remembered(before))
    assert [e.title for e in rest.entries] == ["題5", "新"]
    assert (len(rest.unread), rest.title) == (4, "After")


def test_a_changed_byte_makes_an_entry_new() -> None:
    """An edit is seen, were it one sign."""
    before = read(rss(*STORIES))
    rest = assert_same(rss(*STORIES).replace("內容 3", "內容 4"), before.marks, remembered(before))
    assert [e.summary for e in rest.entries] == ["內容 4 & more"]


def test_nothing_new_reads_the_feed_alone() -> None:
    """A new build date above the same entries."""
    before = read(rss(*STORIES))
    body = rss(*STORIES).replace("<item>", "<lastBuildDate>today</lastBuildDate><item>", 1)
    rest = assert_same(body, before.marks, remembered(before))
    assert (rest.entries, rest.title, len(rest.unread)) == ((), "Harbour Daily", 6)


def test_tags_in_cdata_and_comments_are_no_entries() -> None:
    """They are text to an XML parser, and so to us."""
    odd = "<item><title>a</title><description><![CDATA[</item><item>]]> x</description><!-- </item><item> --></item>"
    cutting = blocks.cut(rss(odd, STORIES[0]).encode(), NAMESPACES)
    assert cutting is not None
    assert cutting.blocks == (odd.encode(), STORIES[0].encode())
    assert_same(rss(odd, STORIES[0]), read(rss(odd)).marks, {})


def test_keys_are_told_apart_over_the_whole_document() -> None:
    """A new entry under a guid that an unread one has gets the longer key that it would get beside it."""
    first, second = (item(f"題{n}", guid="same", link=f"https://harbour-daily.example/{n}") for n in (1, 2))
    before = read(rss(first))
    rest = assert_same(rss(second, first), before.marks, remembered(before))
    assert [e.key for e in complete(rest, remembered(before))] == [
        f"same\nhttps://harbour-daily.example/{n}" for n in (2, 1)
    ]


def atom(*entries: str, around: str = "", head: str = "") -> str:
    """An Atom document of such entries."""
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {around}><title>海港</title>{head}{"".join(entries)}</feed>'


ENTRY = "<entry><id>tag:{0}</id><title>{0}</title><link href='{0}.html'/><content type='html'>text</content></entry>"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (atom(ENTRY.format(1)), atom(ENTRY.format(1), around='xml:base="https://other.example/"')),
        (rss(STORIES[0]), rss(STORIES[0]).replace("<channel>", '<channel xml:base="https://other.example/">')),
        (rss(STORIES[0]), rss(STORIES[0]).replace("<channel>", '<channel xmlns:x="urn:x">')),
    ],
)
def test_what_stands_around_the_entries_is_part_of_them(before: str, after: str) -> None:
    """The same bytes under another base address or namespace are another entry."""
    assert assert_same(after, read(before).marks, {}).unread == frozenset()


def test_another_address_or_zone_makes_every_entry_new() -> None:
    """Relative links and dates without a zone depend on them."""
    body = rss(*STORIES).encode()
    marks = set(read(body).marks)
    assert not parse(body, URL + "?2", None, ZONE, marks).unread
    assert not parse(body, URL, None, ZoneInfo("Asia/Tokyo"), marks).unread
    assert parse(body, URL, None, ZONE, marks).unread


HOSTILE = {
    "not well-formed": rss(*STORIES) + "<",
    "a stray ampersand and more": rss(*STORIES, ADDRESS) + "<",
    "a stray ampersand and a comment": rss(ADDRESS, "<item><guid>8</guid><!-- > --></item>", *STORIES),
    "a stray ampersand and an instruction": rss(ADDRESS, "<item><guid>8</guid><?php x ?></item>", *STORIES),
    "an unbalanced tag": rss(*STORIES, "<item><title>cut</item>"),
    "an entity of its own": '<!DOCTYPE rss [<!ENTITY e "x">]>' + rss(item("a &e;", guid="1")).split("\n", 1)[1],
    "an entry inside an entry": rss("<item><guid>1</guid><item><guid>2</guid></item></item>"),
    "an empty entry": rss("<item/>", *STORIES),
    "an entry inside and one outside": rss(*STORIES).replace("</channel>", "</channel><item><guid>9</guid></item>"),
    "the title after the entries": rss(*STORIES).replace("</channel>", "<title>late</title></channel>"),
    "an element between entries": rss(STORIES[0], "<image><title>x</title></image>", STORIES[1]),
    "a feed inside an entry": rss("<item><guid>1</guid><rss version='0.91'/></item>", *STORIES),
    "an attribute of the same name before it": rss("<item rss='1'><guid>1</guid><rss/></item>", *STORIES),
    "a base address that escapes": atom(
        "<entry xml:base='https://other.example/'><id>1</id><content type='html'><div>x</div></content></entry>",
        ENTRY.format(2),
    ),
    "a prefix that changes its meaning": rss(
        '<item xmlns:m="http://search.yahoo.com/mrss/"><guid>1</guid><m:title>x</m:title></item>',
        '<item xmlns:m="urn:other"><guid>2</guid><m:title>y</m:title></item>',
    ),
    "a well-known prefix for something else": rss(
        '<item xmlns:dc="urn:other"><guid>1</guid><dc:title>x</dc:title></item>'
    ),
    "a kind that only an entry tells": (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:p="http://purl.org/pie/">'
        '<p:item xmlns="http://purl.org/rss/1.0/"><p:title>a</p:title></p:item></rdf:RDF>'
    ),
    "entries far below": f"<rss>{'<channel>' * 20}{STORIES[0]}{'</channel>' * 20}</rss>",
    "no entries": rss(),
    "a text inside of a text": atom(
        "<entry><id>1</id><summary>x <title>y</title> z</summary></entry>",
        "<entry><id>2</id><title type='text'>a &lt;b&gt; c</title></entry>",
    ),
}  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_what_is_odd_is_read_whole(body: str) -> None:
    """Where entries may lean on each other or on what follows, or cannot be told apart, nothing is cut."""
    assert blocks.cut(body.encode(), NAMESPACES) is None
    try:
        whole = read(body)
    except FeedError:
        return
    assert whole.marks == ()
    assert read(body, [b"x" * blocks.MARK_BYTES]) == whole


def test_utf_16_is_cut_like_any_other() -> None:
    """The bytes that are marked are those of the text, whatever it came in."""
    before = read(rss(*STORIES[1:]))
    rest = read(rss(*STORIES).encode("utf-16"), before.marks)
    assert [e.title for e in rest.entries] == ["題0"]


def test_marks_that_stand_for_what_is_no_entry_are_not_believed() -> None:
    """feedparser finds no entry in an ``item`` of another namespace, so no mark can be given to it."""
    alien = rss(*STORIES).replace("<item>", '<x:item xmlns:x="urn:x">', 1).replace("</item>", "</x:item>", 1)
    assert read(alien).marks == ()
    cutting = blocks.cut(alien.encode(), NAMESPACES, _salt())
    assert cutting is not None
    assert len(cutting.blocks) == 6
    assert read(alien, cutting.marks[1:2]).entries == read(alien).entries


def _salt() -> tuple[str, ...]:
    from monitor.parse import _READER

    return (*_READER, URL, ZONE.key)


@pytest.mark.parametrize(
    "body",
    [
        rss(f"<!-- {STORIES[1]} -->", *STORIES[2:]),
        rss(f"<item><title>x</title><description><![CDATA[{STORIES[1]}]]></description></item>", *STORIES[2:]),
        rss(f"<item><title>x</title>{STORIES[1]}</item>", *STORIES[2:]),
        rss(*STORIES).replace("</channel>", f"</channel>{STORIES[1]}"),
        rss(*STORIES) + STORIES[1],
        rss(f"<?pi {STORIES[1]} ?>", *STORIES[2:]),
        rss(*STORIES[:2]).replace("<channel>", f"<channel><!--{STORIES[3]}--><link>/a</link>{STORIES[2]}"),
    ],
    ids=["comment", "CDATA", "entry", "elsewhere", "at the end", "instruction", "before its place"],
)
def test_known_bytes_where_no_entry_can_be_are_none(body: str) -> None:
    """Nobody can hide an entry, or show one that is not there, with the bytes of one that was."""
    known = set(read(rss(*STORIES)).marks)
    told = blocks.cut(body.encode(), NAMESPACES, _salt(), known)
    assert told == blocks.cut(body.encode(), NAMESPACES, _salt())
    try:
        whole = read(body)
    except FeedError:
        return
    assert_same(body, known, remembered(read(rss(*STORIES))), whole)


def test_known_blocks_that_declare_a_prefix_are_looked_at_again() -> None:
    """Each of two is well alone; in one document they call two namespaces by the same name."""
    one, other = (
        f'<item xmlns:m="{space}"><title>{space}</title><m:title>x</m:title></item>' for space in ("urn:a", "urn:b")
    )
    known = [read(rss(each)).marks[0] for each in (one, other)]
    assert blocks.cut(rss(one, other).encode(), NAMESPACES, _salt(), known) is None
    assert read(rss(one, STORIES[0]), known).unread == {known[0]}


@pytest.mark.parametrize(
    "head",
    ["<summary>a</summary><description>b</description>", "<body>x</body>", "<x:encoded>x</x:encoded>"],
    ids=["summary and description", "body", "content"],
)
def test_the_texts_of_a_feed_change_no_entry(head: str) -> None:
    """Whichever entry comes first, those of feedparser itself do."""
    both = "<item><guid>{}</guid><summary>摘要</summary><description>全文</description></item>"
    spaces = '<rss xmlns:x="http://purl.org/rss/1.0/modules/content/" '
    before, after = (
        rss(head, *map(both.format, numbers)).replace("<rss ", spaces, 1) for numbers in ((1, 2), (3, 1, 2))
    )
    known = read(before)
    rest = assert_same(after, known.marks, remembered(known))
    assert [entry.summary for entry in (*known.entries, *rest.entries)] == ["摘要"] * 3


def test_a_stray_ampersand_is_no_reason_to_read_all() -> None:
    """The commonest fault of real feeds: what is new is read as feedparser reads all of it, and the fault is told."""
    body = rss(ADDRESS, *STORIES)
    rest = assert_same(body, read(body).marks[1:], {})
    assert [entry.title for entry in rest.entries] == ["R&D; 研發 é"]  # in its own words
    assert rest.warning == "readable, but malformed XML at line 2: not well-formed (invalid token)"
    later = assert_same(rss(STORIES[0], item("新", guid="x"), ADDRESS), read(body).marks, remembered(read(body)))
    assert [entry.title for entry in later.entries] == ["新"]  # the fault stands in a known entry


def test_what_was_read_with_a_fault_is_read_again_without() -> None:
    """The two parsers may read the same bytes in two ways: marks of one are nothing to the other."""
    with_fault, without = rss(ADDRESS, *STORIES), rss(*STORIES)
    for before, after in ((with_fault, without), (without, with_fault)):
        assert not assert_same(after, read(before).marks, {}).unread


def test_of_more_entries_than_are_read_only_the_first_go_to_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is that of reading all of them, and what is known of the first is left unread."""
    many = [item(f"題{n}", guid=str(n)) for n in range(blocks.MAX_BLOCKS + 7)]
    body = rss(*many, title="許多").encode()
    first = read(body)
    rest = read(rss(item("新", guid="new"), *many), first.marks)
    monkeypatch.setattr("monitor.parse.cut", lambda *_: None)
    whole = read(body)
    assert (first.entries, first.warning, first.title) == (whole.entries, whole.warning, whole.title)
    assert [e.title for e in rest.entries] == ["新"]
    assert (len(rest.unread), len(rest.marks), "2,008 entries" in (rest.warning or "")) == (1_999, 2_000, True)


@pytest.mark.parametrize("kind", ["xhtml", "application/xhtml+xml", "TEXT/XML"])
def test_elements_of_a_text_that_says_it_holds_them_are_counted_well(kind: str) -> None:
    """As many feeds write: XHTML with a base address of its own, followed by entries with relative links."""
    based = (
        f"<entry><id>1</id><content type='{kind}' xml:base='https://other.example/'>"
        "<div xmlns='http://www.w3.org/1999/xhtml'><p>甲</p><div>乙</div></div></content><link href='a.html'/></entry>"
    )
    body = atom(based, ENTRY.format(2))
    rest = assert_same(body, read(body).marks[:1], {})
    assert [e.link for e in rest.entries] == ["https://harbour-daily.example/rss/2.html"]


def test_every_text_of_the_parser_is_known() -> None:
    """Whatever element makes feedparser count a text, of the version that is installed, is in our list."""
    strict, spaces = feedparse.feedparser.api.StrictFeedParser, set(NAMESPACES.values())
    found = set()
    for handler in (name.removeprefix("_start_") for name in dir(strict) if name.startswith("_start_")):
        parser = strict("https://a.example/", None, "utf-8")
        parser.infeed, parser.inentry, parser.entries = 1, 1, [feedparse.feedparser.util.FeedParserDict()]
        getattr(parser, f"_start_{handler}")({})
        if parser.incontent:
            prefix, _, local = handler.rpartition("_")
            found.add(local if prefix in spaces else handler)
    assert {"title", "summary", "encoded", "abstract"} <= found <= blocks._TEXTS


_texts = st.text(st.sampled_from("ab題投票票站站點點&<>'\"]! \n\u3000\xa0Ａ"), max_size=12)
_PLAIN = ["title", "description", "guid", "link", "pubDate", "category", "author", "body", "source"]
_tags = st.sampled_from([*_PLAIN, "dc:title", "media:title", "content:encoded"])

_inner = st.sampled_from(["", "", "", "<p>x</p>", "<div>x</div>", "<title>x</title>", "<description>x</description>"])


@st.composite
def _stories(draw: st.DrawFn, strays: tuple[str, ...] = ()) -> str:
    parts = []
    for tag, text in draw(st.lists(st.tuples(_tags, _texts), max_size=5)):
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")
        inside = draw(st.sampled_from([escaped, f"<![CDATA[{text.replace(']]>', '')}]]>", *strays]))
        parts.append(f"<{tag}>{inside}{draw(_inner)}</{tag}>")
    return f"<item>{''.join(parts)}</item>"


_frail = _stories(strays=("a&b", "&", "題&nbsp;目", "/a?b=1&c=&lt;"))
_feeds = st.one_of(
    *(st.tuples(st.lists(stories, max_size=6), st.lists(stories, max_size=3)) for stories in (_stories(), _frail))
)


@given(_feeds, st.randoms(use_true_random=False))
def test_any_feed_reads_the_same(feeds: tuple[list[str], list[str]], luck: random.Random) -> None:
    """Whatever part of a feed is known, and wherever new entries stand, whether it is well-formed or nearly."""
    old, new = feeds
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for uri, prefix in _SPACES.items())

    def feed(stories: list[str]) -> str:
        return rss(*stories).replace("<rss ", f"<rss {spaces} ", 1)

    mixed = old + new
    luck.shuffle(mixed)
    try:
        before = read(feed(old))
        known = [mark for mark in before.marks if luck.random() < 0.7]
        rest = assert_same(feed(mixed), known, remembered(before))
    except FeedError:
        return
    cuttings = [blocks.cut(feed(stories).encode(), NAMESPACES) for stories in (old, mixed)]
    if cuttings[1] is not None:  # a text inside of a text may be among them
        alike = cuttings[0] is not None and bool(cuttings[0].fault) == bool(cuttings[1].fault)
        assert rest.unread == (frozenset(known) if alike else frozenset())


_SPACES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://search.yahoo.com/mrss/": "media",
    "http://purl.org/rss/1.0/modules/content/": "content",
}


@pytest.mark.shared
@pytest.mark.parametrize("folder", ["real", "hard"])
def test_recorded_feeds_read_the_same(shared: Path, folder: str) -> None:
    """Every file, with nothing, everything and a random part of it known."""
    luck, cut = random.Random(3), 0
    for file in sorted((shared / "feeds" / folder).iterdir()):
        body = file.read_bytes()
        try:
            whole = read(body)
        except FeedError:
            with pytest.raises(FeedError):
                read(body, [b"x" * blocks.MARK_BYTES])
            continue
        cut += bool(whole.marks)
        for known in (whole.marks, luck.sample(whole.marks, luck.randint(0, len(whole.marks)))):
            assert assert_same(body, known, {}, whole).unread == frozenset(known), file.name
    assert cut > {"real": 155, "hard": 110}[folder]  # many hard ones hold nothing but an entry that says nothing


@pytest.mark.shared
@pytest.mark.parametrize("series", ["rnz", "straittimes"])
def test_recorded_series_read_the_same(shared: Path, series: str) -> None:
    """Every step with what the step before it left, whose entries are taken as they were read then."""
    held: dict[bytes, Entry] = {}
    unread = 0
    for file in sorted((shared / "feeds" / "series" / series).iterdir()):
        try:
            whole = read(file.read_bytes())
        except FeedError:
            continue
        unread += len(assert_same(file.read_bytes(), set(held), held, whole).unread)
        held = remembered(whole)
    assert unread > 2_000
