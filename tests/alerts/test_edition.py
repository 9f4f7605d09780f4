"""The digest as it is read: the same in text and HTML, in two languages, small enough for every mail program."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from alerts import digest
from alerts.card import find_faces
from alerts.edition import LARGEST_HTML, Edition, edition, letter, message, page
from alerts.forms import as_csv
from alerts.letter import Letter
from alerts.paper import as_pdf
from alerts.summary import Summary, by_day
from monitor.calendar import Calendar
from monitor.config import Settings, load_file
from monitor.errors import ConfigError, InputError
from monitor.sections import DigestReceiver
from monitor.starter import write_starter
from monitor.store import Store, open_store
from monitor.types import Lang
from tests.alerts.mornings import busy_morning

MORNING = datetime(2027, 3, 1, 0, 0, 5, tzinfo=UTC)
TODAY = date(2027, 3, 1)


def _has_font() -> bool:
    try:
        find_faces(None)
    except InputError:
        return False
    return True


needs_font = pytest.mark.skipif(not _has_font(), reason="no font with the characters of Hong Kong")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[tuple[Store, Settings]]:
    """A store and its configuration, on a morning on which everything has happened."""
    folder = tmp_path_factory.mktemp("morning")
    write_starter(folder)
    settings = load_file(folder / "pollwatch.toml")
    shutil.copy(empty_store, folder / "pollwatch.db")
    with closing(open_store(f"sqlite:///{folder}/pollwatch.db")) as store:
        busy_morning(store, MORNING)
        yield store, settings


@pytest.fixture
def settings(desk: tuple[Store, Settings]) -> Settings:
    """That configuration."""
    return desk[1]


@pytest.fixture(scope="module")
def busy(desk: tuple[Store, Settings]) -> Summary:
    """What the digest of that morning rests on."""
    return digest.compose(*desk, TODAY, MORNING)


def _facts(made: Letter) -> Iterator[str]:
    """Every word of a letter that a reader is to see."""
    yield made.headline
    yield from (*made.about, *made.foot)
    for section in (*made.front, *made.annex):
        yield section.heading
        for block in section.blocks:
            if block.kind == "table":
                yield from (cell for row in (block.head, *block.rows) for cell in row)  # type: ignore[union-attr]  # kind says so
            else:
                names = ("text", "detail", "mark", "warning", "title", "said", "url")
                yield from (value for name in names if (value := getattr(block, name, "")))


def _tags(html: str) -> set[str]:
    found: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _attributes: found.add(tag)  # type: ignore[method-assign]  # all we want of it
    parser.feed(html)
    return found


def _shown(html: str) -> str:
    """What a browser shows of it, alternative texts and addresses included."""
    words = re.sub(r'<(?:img|a) [^>]*?(?:alt|href)="([^"]*)"[^>]*>', r" \1 ", html)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", words)))


@needs_font
@pytest.mark.font
@pytest.mark.parametrize("lang", [Lang.EN, Lang.HANT])
def test_text_and_html_say_the_same(settings: Settings, busy: Summary, lang: Lang) -> None:
    """Every fact of the letter stands in both, in the order in which it was written."""
    made = edition(settings, busy, lang)
    facts = list(_facts(made.letter))
    assert len(facts) > 150
    for form in (made.text.casefold(), _shown(made.html).casefold()):
        place = 0
        for fact in facts:
            found = form.find(fact.casefold(), place)
            assert found >= 0, fact
            place = found if fact in made.letter.about else place
    assert made.html.count("<img ") == len(made.letter.pictures) == 4


def test_the_front_page_answers_four_questions(busy: Summary) -> None:
    """What needs a decision, what was clarified, what spreads, what we missed or were slow on."""
    decide, clarified, spreading, missed = letter(busy, Lang.EN).front
    assert [section.heading for section in (decide, clarified, spreading, missed)] == [
        "To decide today",
        "Clarified",
        "Spreading",
        "Missed or slow",
    ]
    said = {section.heading: " ".join(_words(section.blocks)) for section in (decide, clarified, spreading, missed)}
    assert "past due since" in said["To decide today"]
    assert "about" in said["To decide today"]
    assert "Vivian Cheuk is still standing" in said["Clarified"]
    assert "new items" in said["Spreading"]
    assert "Nothing had flagged it" in said["Missed or slow"]
    assert "1 feed fails." in said["Missed or slow"]
    assert "was not taken in time" in said["Missed or slow"]


def test_a_receiver_reads_his_language(busy: Summary) -> None:
    """Chinese throughout, its own title of a clarification among it; English words are names and addresses alone."""
    chinese = letter(busy, Lang.HANT)
    words = " ".join(_facts(chinese))
    assert chinese.subject.startswith("pollwatch 日報 2027-03-01：")
    assert "卓望晴仍然是候選人" in words
    assert "Vivian Cheuk is still standing" not in words
    latin = set(re.findall(r"[a-z]{4,}", words))
    assert "並非不實：the gazette says so" in words
    assert "not-false" not in words
    assert not latin & {"waiting", "flagged", "items", "alert", "outlet", "since", "hidden", "decided", "spreading"}
    english = letter(busy, Lang.EN)
    assert len(english.front) == len(chinese.front)
    assert [len(section.blocks) for section in english.annex] == [len(section.blocks) for section in chinese.annex]


def test_the_annex_proves_that_it_ran(busy: Summary) -> None:
    """Coverage, what stopped coming, what was dropped, silences that end, model and audit, even when all is quiet."""
    said = {section.heading: " ".join(_words(section.blocks)) for section in letter(busy, Lang.EN).annex}
    assert "a web page instead of a feed" in said["Coverage"]
    assert "switched off this week" in said["Coverage"]
    assert "Quiet Bay Gazette" in said["What stopped coming"]
    assert "decided meanwhile (dismiss)" in said["Dropped"]
    assert "ends 1 Mar 16:00 and hides nothing" in said["Hidden"]
    assert said["Hidden"].count("silence 1 of lin") == 1
    assert "by maya: not false: the gazette says so" in said["Decided"]
    assert "Model: seed-1" in said["Proof"]
    assert busy.provenance["audit_hash"] in said["Proof"]


def test_nothing_is_fetched_and_the_dark_style_stays(settings: Settings, busy: Summary) -> None:
    """No picture, font, style or script from elsewhere; what asks for the reader's screen is kept as a style sheet."""
    html = edition(settings, busy, Lang.EN).html
    assert re.findall(r'(?:src|srcset|background)="(?!cid:)', html) == []
    assert "url(" not in html
    assert "@import" not in html
    assert "<script" not in html
    assert "<link" not in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert "@media (max-width: 480px)" in html
    assert 'style="' in html


@pytest.mark.parametrize("words", ["&<>\"'" * 400, "<b onload=x>" * 200, "謠" * 3000, "x" * 5000])
def test_hostile_lengths_keep_the_mail_small(settings: Settings, busy: Summary, words: str) -> None:
    """Gmail cuts a mail at 102 KB: titles, outlets and reasons as long as strangers like do not get it there."""
    feeds = busy.coverage.feeds
    rows = [{**row, "outlet": words, "error_detail": words, "health": "html"} for row in feeds["failing_feeds"]]
    covered = replace(
        busy.coverage,
        feeds={**feeds, "failing": 90, "failing_feeds": rows * 50, "unwell_feeds": rows * 50},
        disabled=[{**row, "outlet": words} for row in busy.coverage.disabled] * 50,
        quiet_outlets=[words] * 500,
        dropped={"occasions": {f"{n} {words}": n for n in range(1, 9)}, "messages": {}},
    )
    idle = [{**row, "author": words, "reason": words} for row in busy.silences["expiring"]] * 50
    hostile = replace(
        busy,
        alerts=[{**row, "title": words, "outlets": [words] * 40, "holder": words} for row in busy.alerts] * 30,
        decided=[{**row, "title": words, "reason": words, "reviewer": words} for row in busy.decided] * 50,
        spreading=[{**row, "title": words} for row in busy.spreading],
        silences={**busy.silences, "expiring": idle, "idle": idle},
        coverage=covered,
        election=words,
    )
    made = edition(settings, hostile, Lang.EN)
    assert len(made.html.encode()) <= LARGEST_HTML
    assert "b" not in _tags(made.html)
    assert "more: pollwatch" in made.text


def _parsed(settings: Settings, summary: Summary, made: Edition, lang: Lang) -> EmailMessage:
    receiver = DigestReceiver(address="陳組長 <lead@harbour.example>", lang=lang)
    return cast(EmailMessage, message_from_bytes(message(settings, summary, made, receiver), policy=default))


@needs_font
@pytest.mark.font
def test_the_mail_holds_what_its_html_shows(settings: Settings, busy: Summary) -> None:
    """Each cid: is a PNG of the same message, by day and by night; headers say what it is and whose language."""
    made = edition(settings, busy, Lang.HANT)
    mail = _parsed(settings, busy, made, Lang.HANT)
    assert mail["Content-Language"] == "zh-Hant"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == "<pollwatch-digest.localhost>"
    assert re.fullmatch(r"<digest\.2027-03-01\.[0-9a-f]{20}@localhost>", str(mail["Message-ID"]))
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "multipart/related"]
    images = {
        str(part["Content-ID"])[1:-1]: part.get_content()
        for part in mail.walk()
        if part.get_content_maintype() == "image"
    }
    assert set(re.findall(r'"cid:([^"]+)"', made.html)) == set(images)
    assert len(images) == 8
    assert all(data.startswith(b"\x89PNG") for data in images.values())
    assert '"cid:' not in page(made)


def test_without_a_font_the_numbers_are_written_out(
    settings: Settings, busy: Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server without fonts sends the mail all the same, and it says why the charts are missing."""
    lost = settings.model_copy(update={"publish": settings.publish.model_copy(update={"font": Path("none.otf")})})
    made = edition(lost, busy, Lang.EN)
    assert made.pictures == ()
    assert "none.otf" in made.problems[0]
    assert "The charts are left out: " in made.text
    assert all(picture.said in _shown(made.html) for picture in made.letter.pictures)


def test_without_typst_the_mail_goes_without_its_pdf(
    settings: Settings, busy: Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra, and large: what cannot be made is left out, the mail says so, and `config check` has the mend."""
    monkeypatch.setattr("alerts.paper.find_spec", lambda _name: None)
    asked = settings.model_copy(update={"digest": settings.digest.model_copy(update={"attach": ("pdf",)})})
    made = edition(asked, busy, Lang.EN)
    assert made.files == ()
    assert "pip install typst" in made.text
    assert "without PDF" in made.problems[-1]


def test_a_spreadsheet_takes_nothing_for_a_formula() -> None:
    """Whatever starts as one is disarmed; numbers stay numbers, and breaks stay in their cell."""
    hostile = ["=1+1", "+852", "-2", "@SUM(A1)", "\tx", "\rx", "plain", 'say "no"', "two\nlines"]
    data = as_csv(["n", "title"], [(number, words) for number, words in enumerate(hostile)])
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [row[1] for row in rows[1:7]] == [f"'{words}" for words in hostile[:6]]
    assert [row[1] for row in rows[7:]] == hostile[6:]
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(len(hostile))]


@needs_font
@pytest.mark.font
def test_files_are_attached_on_request(settings: Settings, busy: Summary) -> None:
    """The alerts as CSV and the letter as PDF, beside the parts of the mail; without the request neither."""
    asked = settings.model_copy(update={"digest": settings.digest.model_copy(update={"attach": ("csv", "pdf")})})
    mail = _parsed(asked, busy, edition(asked, busy, Lang.HANT), Lang.HANT)
    files = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert list(files) == ["pollwatch-2027-03-01.csv", "pollwatch-2027-03-01.pdf"]
    rows = list(csv.DictReader(io.StringIO(files["pollwatch-2027-03-01.csv"].removeprefix("\ufeff"))))
    assert {row["what"] for row in rows} == {"waiting", "decided"}
    assert rows[0]["title"]
    assert files["pollwatch-2027-03-01.pdf"].startswith(b"%PDF-")
    assert mail.get_body(("html",)) is not None


@needs_font
@pytest.mark.font
def test_words_in_a_pdf_are_words(busy: Summary) -> None:
    """What would be markup for Typst is data: it is set as it stands, and reads no file."""
    hostile = '#read("/etc/passwd") $x$ *bold* \\ #panic()'
    alerts = [{**alert, "title": hostile} for alert in busy.alerts]
    assert as_pdf(letter(replace(busy, alerts=alerts), Lang.EN), None).startswith(b"%PDF-")


def test_receivers_have_a_language_or_are_addresses(folder: Path) -> None:
    """The plain list of before means English; a table names the language; nobody stands twice."""
    file = folder / "pollwatch.toml"

    def read(receivers: str) -> list[tuple[str, str]]:
        file.write_text(f"[digest]\nreceivers = {receivers}\n", encoding="utf-8")
        return [(each.address, each.lang) for each in load_file(file).digest.receivers]

    assert read('["a@b.example", "陳 <c@d.example>"]') == [("a@b.example", "en"), ("陳 <c@d.example>", "en")]
    assert read('["a@b.example", { address = "c@d.example", lang = "zh-Hant" }]')[1] == ("c@d.example", "zh-Hant")
    for wrong in ('["a@b.example", "A <A@b.example>"]', '[{ address = "a@b.example", lang = "fr" }]', '["nobody"]'):
        with pytest.raises(ConfigError, match=r"digest\.receivers"):
            read(wrong)


def test_the_last_of_the_fourteen_days_is_that_of_the_mail(busy: Summary) -> None:
    """On the first morning of all there is something to see: each day ends when its mail is due."""
    assert (busy.days[0].date, busy.days[-1].date) == (date(2027, 2, 16), TODAY)
    assert busy.days[-1].flagged >= busy.flagged["incidents_new"] > 0
    said = {section.heading: " ".join(_words(section.blocks)) for section in letter(busy, Lang.EN).annex}
    assert "the last one at 1 Mar 08:00" in said["Fourteen days"]
    assert f"1 Mar {busy.days[-1].flagged}" in said["Fourteen days"]


def test_days_are_those_of_the_wall() -> None:
    """A day of 23 hours and one of 25 hold what happened on them, and what is not of these days is left out."""
    calendar = Calendar(zone=ZoneInfo("Europe/Dublin"))
    dates = [date(2027, 3, 27), date(2027, 3, 28), date(2027, 3, 29)]
    flagged = [(datetime(2027, 3, 27, 0, tzinfo=UTC), 1), (datetime(2027, 3, 28, 22, 59, tzinfo=UTC), 2)]
    flagged += [(datetime(2027, 3, 28, 23, tzinfo=UTC), 4), (datetime(2027, 3, 29, 23, tzinfo=UTC), 8)]
    turns = [(datetime(2027, 3, 28, 12, tzinfo=UTC), float(minutes)) for minutes in (5, 50, 7)]
    bounds = [calendar.day_bounds(dates[0])[0], *(calendar.day_bounds(each)[1] for each in dates)]
    days = by_day(dates, bounds, flagged, turns)
    assert [(day.flagged, day.decided, day.decide_p50) for day in days] == [(1, 0, None), (2, 3, 7.0), (4, 0, None)]


def _words(blocks: object) -> Iterator[str]:
    for block in blocks:  # type: ignore[attr-defined]  # blocks of a section
        if block.kind == "table":
            yield from (cell for row in block.rows for cell in row)
        else:
            yield from (
                str(getattr(block, name, "")) for name in ("mark", "text", "detail", "warning", "title", "said")
            )
