"""Lists of feeds, in and out."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import opml, seeds
from monitor.errors import InputError
from monitor.opml import FeedLine
from monitor.types import Feed, Lang, Role

NESTED = """<?xml version="1.0"?>
<opml version="2.0"><head><title>x</title></head><body>
<outline text="Folder"><outline text="Deeper">
  <outline type="rss" text="t" title="海港日報" xmlUrl="https://harbour-daily.example/rss?a=1&amp;b=2"/>
</outline></outline>
<outline text="Clear Water Desk" XMLURL="https://clear-water.example/rss" role="factcheck" lang="zh-Hant"/>
<outline text="again" xmlUrl="https://clear-water.example/rss"/>
<outline text="only a folder"/>
</body></opml>"""


def test_folders_are_opened_and_attributes_kept() -> None:
    """Nested outlines, either case of xmlUrl, every address once, our own attributes."""
    assert opml.read(NESTED.encode()) == [
        FeedLine("https://harbour-daily.example/rss?a=1&b=2", "海港日報", folder="Folder/Deeper"),
        FeedLine("https://clear-water.example/rss", "Clear Water Desk", Role.FACTCHECK, Lang.HANT),
    ]


def test_what_is_written_is_read_back() -> None:
    """Quotes, ampersands, both scripts, missing languages and what is disabled survive."""
    feeds = [
        Feed(1, 'https://a.example/?x="1"&y=2', 'Q&A <"日報">', Role.OFFICIAL, Lang.HANT, True),
        Feed(2, "https://b.example/", "乙\n丙\x00", Role.COMMUNITY, None, False),
    ]
    assert opml.read(opml.write(feeds).encode()) == [
        FeedLine('https://a.example/?x="1"&y=2', 'Q&A <"日報">', Role.OFFICIAL, Lang.HANT, True),
        FeedLine("https://b.example/", "乙 丙", Role.COMMUNITY, None, False),
    ]


def test_folders_come_back_as_they_were() -> None:
    """Inside each other, with strange names, beside feeds without one; written again, nothing changes any more."""
    written = """<opml><body>
    <outline text="亞洲 &amp; Asia"><outline text="香港/Hong Kong">
        <outline xmlUrl="https://a.example/1"/></outline><outline xmlUrl="https://a.example/2"/></outline>
    <outline xmlUrl="https://a.example/3"/>
    <outline title="官方"><outline xmlUrl="https://a.example/4"/><outline xmlUrl="https://a.example/1"/></outline>
    <outline><outline xmlUrl="https://a.example/5"/></outline></body></opml>"""
    lines = opml.read(written.encode())
    assert {line.url[-1]: line.folder for line in lines} == {
        "1": "亞洲 & Asia/香港／Hong Kong",
        "2": "亞洲 & Asia",
        "3": None,
        "4": "官方",
        "5": None,
    }
    feeds = [Feed(n, line.url, "A", Role.MEDIA, None, True, folder=line.folder) for n, line in enumerate(lines, 1)]
    again = opml.write(feeds)
    assert {(line.url, line.folder) for line in opml.read(again.encode())} == {
        (line.url, line.folder) for line in lines
    }
    assert '<outline text="亞洲 &amp; Asia">' in again


def test_a_bottomless_list_is_read_to_its_end() -> None:
    """Six thousand folders inside each other cost neither the stack nor the square of their number."""
    depth = 6_000
    feed = '<outline xmlUrl="https://a.example/{}"/>'
    body = "".join(f'<outline text="{"長" * 200}{n % 7}">' + feed.format(n) for n in range(depth))
    (first, *_, last) = opml.read(f"<opml>{body}{'</outline>' * depth}</opml>".encode())
    assert last.folder is not None
    assert first.folder is not None
    assert last.folder.count("/") + 1 == opml.MAX_DEPTH
    assert len(last.folder) < opml.MAX_DEPTH * (opml.MAX_FOLDER + 1)


def test_bare_ampersands_are_forgiven() -> None:
    """Half of the lists in circulation have them."""
    body = b'<opml><body><outline text="A & B &amp; C" xmlUrl="https://a.example/?a=1&b=2"/></body></opml>'
    assert opml.read(body) == [FeedLine("https://a.example/?a=1&b=2", "A & B & C")]


@pytest.mark.parametrize("url", ["feed://a.example/rss", "feed:http://a.example/rss", "feed://http://a.example/rss"])
def test_addresses_that_say_what_they_lead_to_are_read(url: str) -> None:
    """Some programs export them so; they are http."""
    assert opml.read(f'<opml><body><outline xmlUrl="{url}"/></body></opml>'.encode()) == [
        FeedLine("http://a.example/rss")
    ]


BOMB = """<!DOCTYPE o [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><opml><body><outline text="&b;" xmlUrl="https://a.example"/>
</body></opml>"""
EXTERNAL = '<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml><body><outline text="&x;"/></body></opml>'


@pytest.mark.parametrize(
    ("body", "mend"),
    [
        ("", "not well-formed"),
        ("<opml><body>", "not well-formed"),
        ("<html><body/></html>", "not OPML"),
        (BOMB, "entities"),
        (EXTERNAL, "entities"),
        ('<opml><outline xmlUrl="javascript:alert(1)"/></opml>', "only http"),
        ('<opml><outline xmlUrl="file:///etc/passwd"/></opml>', "only http"),
        ('<opml><outline xmlUrl="https://user:pw@a.example/"/></opml>', "user name"),
        ('<opml><outline xmlUrl="https://a.example/" role="boss"/></opml>', "official"),
        ('<opml><outline xmlUrl="https://a.example/" lang="klingon"/></opml>', "zh-Hant"),
        ('<opml><outline xmlUrl="https://a.example/" enabled="perhaps"/></opml>', "true or false"),
        ('<opml><outline xmlUrl="https://a.example:22/"/></opml>', "fetch.allow_ports"),
        ('<?xml version="1.0" encoding="big5"?><opml/>', "UTF-8"),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(tmp_path: Path, body: str, mend: str) -> None:
    """Every fault names the file and what is wrong."""
    file = tmp_path / "list.opml"
    file.write_text(body, encoding="utf-8")
    with pytest.raises(InputError, match=mend) as caught:
        opml.read(file)
    assert str(file) in str(caught.value)


def test_all_faults_of_a_list_are_told_at_once() -> None:
    """Nobody mends a list of two hundred one address at a time; of very many the first ten."""
    feeds = "".join(f'<outline xmlUrl="{scheme}://a.example/{n}"/>' for n in range(6) for scheme in ("https", "ftp"))
    with pytest.raises(InputError) as caught:
        opml.read(f"<opml>{feeds}</opml>".encode(), "list")
    faults = [f"xmlUrl ftp://a.example/{n}: only http:// and https:// addresses are fetched" for n in range(6)]
    assert str(caught.value) == f"list: {'; '.join(faults)}"
    with pytest.raises(InputError, match=r"ftp://b\.example/3: [^;]+; and 2 more$"):
        opml.read(f"<opml>{feeds}{feeds.replace('a.example', 'b.example')}</opml>".encode())


def test_a_port_that_the_settings_allow_is_read() -> None:
    """As `feeds add` takes it."""
    body = b'<opml><outline xmlUrl="https://a.example:22/"/></opml>'
    assert [line.url for line in opml.read(body, allow_ports=(22,))] == ["https://a.example:22/"]


def test_missing_and_giant_files_are_refused(tmp_path: Path) -> None:
    """No traceback for a missing file or a folder, no memory for a giant."""
    giant = tmp_path / "giant.opml"
    with giant.open("wb") as file:
        file.truncate(opml.MAX_BYTES + 2)
    for path in (tmp_path / "none.opml", tmp_path, giant):
        with pytest.raises(InputError, match=str(path)):
            opml.read(path)


def test_the_starter_list_is_whole() -> None:
    """Every feed of it names outlet, role and language."""
    lines = opml.read(seeds.text("feeds.opml").encode())
    assert len(lines) >= 20
    assert all(line.outlet and line.role and line.lang for line in lines)
    assert {line.role for line in lines} >= {Role.OFFICIAL, Role.FACTCHECK, Role.MEDIA}


@pytest.mark.shared
def test_public_lists_are_read(shared: Path) -> None:
    """Lists by country, as they circulate; the one with bare quotation marks inside attributes is refused by line.

    Written again, every feed stands in the folder in which it stood.
    """
    folders: set[str | None] = set()
    for path in sorted(p for p in (shared / "feeds/opml").rglob("*") if p.is_file()):
        if path.name == "Russia.opml":
            with pytest.raises(InputError, match="line 20"):
                opml.read(path)
        else:
            lines = opml.read(path)
            assert lines, path
            feeds = [Feed(1, x.url, x.outlet or "A", Role.MEDIA, None, True, folder=x.folder) for x in lines]
            kept = {(x.url, x.folder) for x in opml.read(opml.write(feeds).encode())}
            assert kept == {(x.url, x.folder) for x in lines}, path
            folders |= {x.folder for x in lines}
    assert len(folders) > 5
