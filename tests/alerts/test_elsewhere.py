"""An election anywhere else: an invented country, its own time zone with daylight saving, accents, one language."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from alerts import clarifications, digest, queue
from alerts.edition import edition
from alerts.pipeline import run_once
from alerts.publish import publish
from alerts.routing import load_routes
from alerts.status import check_configuration, unset
from monitor import seeds
from monitor.cli.setup import init
from monitor.config import Settings, load_file
from monitor.reference import load_watchlist
from monitor.starter import STARTER_FILES, STARTERS, write_starter
from monitor.store import Store, alert_list, feeds, open_store
from monitor.text import HAN
from monitor.types import Decision, Lang, Phase, Role, Verdict
from tests.fakes import FeedServer, feed_server, item, rss

# The clocks of this zone go back by an hour in the night before polling day, 4 April 2027.
CONFIG = """
[election]
name = "Vellmark votes"
timezone = "America/Santiago"
nomination_opens = 2027-02-01
nomination_closes = 2027-02-14
polling_opens = 2027-04-04T08:00:00
polling_closes = 2027-04-04T18:00:00
[publish]
languages = ["en"]
base_url = "https://clarify.vellmark.example"
name_en = "Vellmark Response Team"
contact_en = "Telephone 800 555 0100"
[triage]
language = "en"
[fetch]
allow_private = ["127.0.0.0/8"]
[evidence]
enabled = false
"""
WATCHLIST = """
[[candidate]]
id = "zofie"
names = ["Žofie Ångström-Núñez"]
latin = { surname = "Ångström-Núñez", given = "Žofie" }
number = 1
constituency = ["Føllum"]
party = ["Grønn Kyst"]
status = "validated"
[[candidate]]
id = "iker"
names = ["Íker Łuczak"]
latin = { surname = "Łuczak", given = "Íker" }
number = 2
constituency = ["Føllum"]
party = ["Mar Aberto"]
status = "validated"
[[office]]
id = "commission"
names = ["Electoral Commission of Vellmark"]
domains = ["commission.vellmark.example"]
"""
MORNING = datetime(2027, 4, 4, 11, 30, tzinfo=UTC)  # 07:30 there; the day before it was 08:30


@pytest.fixture
def vellmark(tmp_path: Path, new_url: Callable[[], str]) -> Settings:
    """A working folder of the generic starter, filled in for Vellmark."""
    write_starter(tmp_path / "desk", "generic")
    (tmp_path / "desk" / "watchlist.toml").write_text(WATCHLIST, encoding="utf-8")
    (tmp_path / "desk" / "pollwatch.toml").write_text(CONFIG, encoding="utf-8")
    return load_file(tmp_path / "desk" / "pollwatch.toml")


def _published(server: FeedServer, role: Role, path: str, *items: str) -> tuple[str, Role]:
    return server.put(path, rss(*items, title=path)), role


def _run(store: Store, settings: Settings, now: datetime) -> None:
    """A morning's feeds, read over HTTP and taken through every stage."""
    at = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    with feed_server() as server:
        found = [
            _published(
                server,
                Role.MEDIA,
                "/gazette",
                item(
                    "BREAKING: Zofie Angstrom-Nunez has secretly withdrawn, votes for her will be thrown away",
                    "Insiders confirm that Angstrom-Nunez Zofie of Grønn Kyst is no candidate any more. Share now!",
                    guid="1",
                    date=at,
                ),
                item("Ferry to Føllum runs every hour on Sunday", "A quiet morning at the pier.", guid="2", date=at),
            ),
            _published(
                server,
                Role.MEDIA,
                "/notes",
                item("Polling stations in Føllum close at 15:00 today, voters told to hurry", guid="3", date=at),
            ),
        ]
        with store.write() as connection:
            for url, role in found:
                feeds.add(connection, url, now, role=role, lang=Lang.EN)
        run_once(store, settings, lambda: now)


def test_the_whole_flow(vellmark: Settings) -> None:
    """From feeds to alerts, a decision, a clarification by two people in one language, and the digest of the day."""
    store = open_store(vellmark.database_url)
    try:
        _run(store, vellmark, MORNING)
        with store.read() as connection:
            alerts = alert_list.listing(connection, now=MORNING)
        (about,) = [row for row in alerts if row["matches"] == ["zofie"]]
        assert about["claim_type"] == "candidate-status"
        assert about["priority"] == "P1"
        assert not [row for row in alerts if "Ferry" in row["title"]]
        queue.take(store, vellmark, "ana", MORNING, about["id"])
        decision = Decision.CLARIFY, Verdict.FALSE, "the roster of the commission"
        queue.decide(store, vellmark, "ana", MORNING, about["id"], *decision)
        second = [row for row in _live(store) if row["id"] == about["id"]]
        if second:  # a second opinion is asked for
            queue.take(store, vellmark, "bruno", MORNING, about["id"])
            queue.decide(store, vellmark, "bruno", MORNING, about["id"], *decision)
        _clarified(store, vellmark, about["id"])
        _told(store, vellmark)
    finally:
        store.close()


def _live(store: Store) -> list[dict[str, object]]:
    with store.read() as connection:
        return alert_list.listing(connection, now=MORNING)


def _clarified(store: Store, settings: Settings, alert_id: int) -> None:
    """Drafted in one language, the name as it is printed; approved by another; pages of that language alone."""
    drafted = clarifications.draft(store, settings, "ana", MORNING, alert_id)
    text = str(clarifications.show(store, settings, drafted["id"])["text"])
    assert "[zh-Hant" not in text
    assert "Žofie Ångström-Núñez" in text
    clarifications.approve(store, settings, "bruno", MORNING, drafted["id"])
    done = publish(store, settings, "ana", MORNING)
    assert done.problems == ()
    site = settings.path(settings.publish.directory)
    pages = {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.*")}
    assert not [path for path in pages if path.startswith("zh-Hant/")]
    assert [path for path in pages if path.startswith("en/") and path.endswith(".html")]
    assert not [path for path, page in pages.items() if HAN.search(page)]
    assert "-04:00" in pages["clarifications.atom"]


def _told(store: Store, settings: Settings) -> None:
    """The digest in English, its times by the clocks of that day."""
    night = datetime(2027, 4, 4, 3, 30, tzinfo=UTC)  # 23:30 for the second time
    assert settings.calendar.phase(night) is Phase.CAMPAIGN
    assert settings.calendar.phase(night + timedelta(hours=1)) is Phase.POLLING_DAY
    now = datetime(2027, 4, 4, 12, 0, tzinfo=UTC)
    summary = digest.compose(store, settings, date(2027, 4, 4), now)
    shown = edition(settings, summary, Lang.EN).text
    assert "Vellmark votes" in shown
    assert "Žofie" in shown or "Zofie" in shown
    assert summary.decisions_made == 1
    assert not HAN.search(shown)
    json.dumps(summary.sections(), default=str)


def test_names_are_found_with_and_without_accents(vellmark: Settings) -> None:
    """Either order, initials and titles, as printed or as a keyboard without accents has them."""
    watchlist, _ = load_watchlist(vellmark)
    for text in (
        "Žofie Ångström-Núñez",
        "Zofie Angstrom-Nunez",
        "ANGSTROM-NUNEZ ZOFIE",
        "Ångström-Núñez Žofie",
        "Iker Luczak of Mar Aberto",
        "Mr Luczak of Mar Aberto",
    ):
        assert {match.candidate_id for match in watchlist.match(text)} in ({"zofie"}, {"iker"}), text
    assert watchlist.match("a luczakian sofa") == ()


def test_each_starter_is_whole(tmp_path: Path) -> None:
    """The same files in each, valid, said to be samples; the generic one names no place and has one script."""
    (choice,) = [parameter.type for parameter in init.params if parameter.name == "starter"]
    assert list(getattr(choice, "choices", ())) == list(STARTERS)
    for starter, place in STARTERS.items():
        directory = tmp_path / starter
        written, _ = write_starter(directory, starter)
        assert sorted(written) == sorted(STARTER_FILES)
        settings = load_file(directory / "pollwatch.toml")
        assert check_configuration(settings.file) == []
        assert sum("invented sample" in note.text for note in unset(settings)) == 2
        assert load_routes(settings)
        for seed in STARTER_FILES.values():
            if place:
                assert not HAN.search(seeds.text(place + seed)), seed
                assert "hong" not in seeds.text(place + seed).lower(), seed
    one, other = (load_routes(load_file(tmp_path / name / "pollwatch.toml")) for name in STARTERS)
    assert (one.targets, one.escalation, one.priority) == (other.targets, other.escalation, other.priority)


def test_publish_takes_one_language_or_two(configure: Callable[[str], Settings]) -> None:
    """English stands in every list; a language without fixed words is refused at once."""
    assert configure('[publish]\nlanguages = ["zh-Hant", "en"]\n').publish.languages == (Lang.EN, Lang.HANT)
    for wrong in ('["zh-Hant"]', "[]", '["zh-Hans", "en"]'):
        with pytest.raises(Exception, match=r"publish\.languages"):
            configure(f"[publish]\nlanguages = {wrong}\n")
