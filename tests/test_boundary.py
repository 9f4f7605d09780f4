"""What the program must never become, held in code: no profiles, no verdict on opinion, nothing done without people."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import alerts
import classifiers
import monitor
from alerts.cli import cli
from alerts.routing import load_routes
from classifiers.registry import default_model
from monitor import opml, seeds, taxonomy
from monitor.config import Settings
from monitor.errors import RefusedError
from monitor.parse import parse
from monitor.purge import is_due, purge
from monitor.store import Store, feeds, items, schema
from monitor.types import Capture, ClaimType, Entry, Item, Match, Role
from tests.alerts.clarifying import Desk, complete, publishing

PEOPLE = re.compile(
    r"(^|_)(author|byline|creator|contributor|poster|speaker|account|user|username|handle|nick\w*|profile|avatar|"
    r"e?mail|phone|telephone|gender|sex|birth\w*|age|address|ip|follower|friend|dossier|suspect)s?($|_)"
)
OURS = {"silences.author"}  # a member of the team, who answers for what it hides
STARTERS = ("feeds.opml", "generic/feeds.opml")


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for package in (monitor, classifiers, alerts):
        assert package.__file__
        root = Path(package.__file__).parent
        for file in sorted(root.rglob("*.py")):
            name = f"{root.name}/{file.relative_to(root).as_posix()}"
            yield name, ast.parse(file.read_text(encoding="utf-8"))


def _callers(method: str) -> set[str]:
    """The files in which something of this name is called."""
    return {
        name
        for name, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and method in (getattr(node.func, "attr", None), getattr(node.func, "id", None))
    }


# -- nobody's identity -------------------------------------------------------------------------------------------------


def test_no_table_has_room_for_an_author() -> None:
    """No table and no column is for who wrote a text, or for anything about them."""
    columns = {f"{table.name}.{column.name}" for table in schema.metadata.tables.values() for column in table.columns}
    assert len(columns) > 100
    assert {name for name in columns if PEOPLE.search(name.partition(".")[2])} == OURS
    assert not [name for name in schema.metadata.tables if PEOPLE.search(name)]
    assert PEOPLE.search("author_name")  # the pattern finds what it is for
    assert PEOPLE.search("usernames")


def test_no_row_and_no_model_file_has_room_either() -> None:
    """Neither what a parser returns, nor an item, nor a match, nor what a model is stored as."""
    names = {field.name for kind in (Entry, Item, Match, Capture) for field in fields(kind)}
    state = default_model()[1].state()
    assert not [name for name in (*names, *state, *state["heads"]) if PEOPLE.search(name)]
    learned = set(next(iter(seeds.json_lines("examples.jsonl"))))
    assert not [name for name in learned if PEOPLE.search(name)]


def test_what_a_feed_says_of_its_authors_is_left_there() -> None:
    """Names and addresses of RSS, Dublin Core, Media RSS and Atom go no further than the parser."""
    rss = """<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>Pier Notes</title>
      <managingEditor>odile@pier.example (Odile Marsh)</managingEditor>
      <item><title>The pier opens</title><link>https://pier.example/1</link><description>At nine.</description>
      <author>odile@pier.example (Odile Marsh)</author><dc:creator>Odile Marsh</dc:creator>
      <itunes:author>Odile Marsh</itunes:author></item></channel></rss>"""
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Pier Notes</title><id>urn:1</id>
      <updated>2027-03-01T00:00:00Z</updated><entry><title>The pier opens</title><id>urn:2</id>
      <updated>2027-03-01T00:00:00Z</updated><summary>At nine.</summary>
      <author><name>Odile Marsh</name><email>odile@pier.example</email></author>
      <contributor><name>Odile Marsh</name></contributor></entry></feed>"""
    for body in (rss, atom):
        document = parse(body.encode(), "https://pier.example/feed")
        assert [entry.title for entry in document.entries] == ["The pier opens"]
        assert "odile" not in repr(document).lower()


# -- what is watched, and for how long ---------------------------------------------------------------------------------


@pytest.mark.parametrize("starter", STARTERS)
def test_no_starter_watches_a_community(starter: str) -> None:
    """Outlets, officials and fact-checkers alone."""
    lines = opml.read(seeds.text(starter).encode(), starter)
    assert lines
    assert all(line.role is not Role.COMMUNITY for line in lines)


def test_a_feed_of_a_community_is_off_until_somebody_enables_it(settings: Settings, store: Store) -> None:
    """Added by line or imported, it is not polled; the command says how to watch it."""
    url = "https://forum.example/rss"
    added = _run(settings, "feeds", "add", url, "--role", "community", "--unchecked", "--json")
    assert json.loads(added.stdout)["enabled"] is False
    assert "`pollwatch feeds enable 1`" in added.stderr
    with store.read() as connection:
        assert feeds.listing(connection, enabled=True) == []
    assert json.loads(_run(settings, "feeds", "enable", "1", "--json").stdout)["enabled"] is True
    with store.write() as connection:
        assert feeds.add(connection, "https://paper.example/rss", datetime.now().astimezone())[0].enabled
        assert not feeds.add(connection, "https://b.example/", datetime.now().astimezone(), role=Role.COMMUNITY)[
            0
        ].enabled


def test_retention_is_on_by_default(settings: Settings, store: Store, now: datetime) -> None:
    """The starter configuration forgets what nothing rests on, and the daemon does it without being asked."""
    assert settings.retention.quiet_days <= 90
    assert settings.retention.dismissed_days <= 365
    assert is_due(store, settings, now)
    entries = [Entry(key, None, None, f"Pier {key} opens", "At nine.", None, None) for key in ("1", "2")]
    long_ago = now - timedelta(days=settings.retention.quiet_days + 2)
    with store.write() as connection:
        feed = feeds.add(connection, "https://pier.example/rss", long_ago)[0]
        items.add(connection, [(feed.id, entry) for entry in entries], long_ago)
    purge(store, settings, now)
    with store.read() as connection:
        assert [item.key for item in items.listing(connection)] == ["2"]  # the newest number is never given again


# -- what is judged ----------------------------------------------------------------------------------------------------


def test_there_is_no_claim_type_for_incitement_or_opinion() -> None:
    """Nobody is looked for who calls for abstention, boycott or a blank vote, nor for what they think of anybody."""
    forbidden = re.compile(
        r"incit|boycott|abstain|abstention|blank (vote|ballot)|sediti|煽|杯葛|白票|不投票|顛覆", re.I
    )
    told = json.dumps(seeds.toml("taxonomy.toml"), ensure_ascii=False)
    assert not forbidden.findall(told)
    assert not [claim_type for claim_type in ClaimType if forbidden.search(claim_type)]
    assert taxonomy.load()[ClaimType.OPINION_OR_SATIRE].priority == 4


# -- what is done ------------------------------------------------------------------------------------------------------


def test_nothing_is_published_without_two_people(store: Store, folder: Path, now: datetime) -> None:
    """By the real commands: who wrote cannot approve, what nobody else approved is not written, an edit asks again."""
    settings = publishing(folder)
    alert_id = Desk(store, settings, now).decided()
    assert _run(settings, "clarifications", "draft", str(alert_id), "--reviewer", "maya").exit_code == 0
    text = folder / "text.txt"
    text.write_text(complete(_run(settings, "clarifications", "show", "1").stdout), encoding="utf-8")
    assert _run(settings, "clarifications", "edit", "1", "--file", str(text), "--reviewer", "maya").exit_code == 0
    for name in ("maya", "MAYA", " maya ", "ｍａｙａ"):
        assert _run(settings, "clarifications", "approve", "1", "--reviewer", name).exit_code == 1, name
    assert _public(settings) == []
    assert _run(settings, "clarifications", "approve", "1", "--reviewer", "ben").exit_code == 0
    text.write_text(_run(settings, "clarifications", "show", "1").stdout.replace("2345 6789", "2345 6780"), "utf-8")
    assert _run(settings, "clarifications", "edit", "1", "--file", str(text), "--reviewer", "ben").exit_code == 0
    assert _run(settings, "clarifications", "approve", "1", "--reviewer", "ben").exit_code == 1
    assert _public(settings) == []
    assert _run(settings, "clarifications", "approve", "1", "--reviewer", "cara").exit_code == 0
    assert len(_public(settings)) == 2  # in two languages


def _public(settings: Settings) -> list[Path]:
    """The pages of clarifications after another `publish`."""
    _run(settings, "publish", "--reviewer", "maya")
    pages = settings.path(settings.publish.directory).rglob("*.html")
    return [page for page in pages if "ClaimReview" in page.read_text(encoding="utf-8")]


def test_only_people_decide_and_approve() -> None:
    """A decision and an approval are made where a person gives them: by line and at the desk, in no stage."""
    assert _callers("Decide") == {"alerts/queue.py"}
    assert _callers("Approve") == {"alerts/clarifications.py"}
    by_people = ("alerts/cli/", "alerts/triage/", "alerts/queue.py")  # the last: several dismissed at once
    for act in ("decide_many", "approve"):
        assert _callers(act), act
        assert all(name.startswith(by_people) for name in _callers(act)), act


def test_nothing_is_posted_or_reported(settings: Settings) -> None:
    """The web is read; the one thing sent to it asks a hub of a feed for news. Mails and notices go to whom the team
    names, and the starter names nobody.
    """
    assert _callers("post") == {"monitor/fetch.py", "monitor/subscribe.py"}
    assert not _callers("urlopen") | _callers("patch")
    assert settings.digest.receivers == ()
    assert load_routes(settings).receiver == ()


def _run(settings: Settings, *words: str) -> Result:
    done = CliRunner().invoke(cli, ["-c", settings.file, *words])
    if isinstance(done.exception, RefusedError):
        done.exit_code = done.exception.exit_code
    return done
