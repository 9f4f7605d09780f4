"""The script of a drill: what it may say, what its feeds serve, and the folder that it is played in."""

from __future__ import annotations

import gzip
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerts.cli.drill import drill as command
from alerts.drill import make_folder
from alerts.drill_script import read_script, shipped
from alerts.drill_serve import Served
from monitor.errors import InputError
from tests.alerts.scripts import HEAD, PLANT, change, story, write

WRONG = [
    (["{"], "script.jsonl:1: is no JSON object of whole characters"),
    ([{**HEAD, "zone": "Mars/Olympus"}], "zone: not a time zone"),
    ([{**HEAD, "feeds": []}], "feeds"),
    ([{**HEAD, "feeds": [HEAD["feeds"][0]] * 2}], "names a feed twice"),
    ([{**HEAD, "feed": 1}], "feed: no such key"),
    ([HEAD, change("08:10", "evening")], "script.jsonl:2: there is no feed evening; the header has daily, office"),
    ([HEAD, change("08:10"), change("08:09")], "script.jsonl:3: 2027-03-14T00:09:00+00:00 comes before the line above"),
    ([HEAD, change("07:59")], "comes before the line above or the start"),
    ([{**HEAD, "end": "2027-03-14T08:05"}, change("08:10")], "the end, 2027-03-14T00:05:00+00:00, comes before"),
    ([HEAD, change("08:10", add=[story("a", plant={"id": "p1", "claim_type": "lies"})])], "add.0.plant.claim_type"),
    (
        [
            HEAD,
            change("08:10", add=[story("a", plant=PLANT), story("b", plant={**PLANT, "claim_type": "count-fraud"})]),
        ],
        "plant p1 was scam-lure before",
    ),
    ([HEAD, change("08:10", "office", add=[story("a", refutes="p7")])], "refutes p7, which is not planted"),
    ([HEAD, change("08:10", outage="418")], "outage"),
    ([{**HEAD, "election": {'x"\n[database]\nurl': "sqlite:////tmp/desk.db"}}], "election."),
    ([{**HEAD, "start": "1066-10-14T09:00"}], "start: not between the years 2000 and 2100"),
    ([{**HEAD, "end": "2027-05-01T09:00"}], "lasts more than 31 days"),
    ([HEAD, '{"at": "2027-03-14T08:10", "feed": "daily", "body": "\\ud800"}'], "of whole characters"),
    ([HEAD, "[1]"], "script.jsonl:2: is no JSON object of whole characters"),
    ([HEAD, "[" * 100_000], "script.jsonl:2: is no JSON object of whole characters"),
]


@pytest.mark.parametrize(("lines", "words"), WRONG)
def test_a_wrong_script_names_its_line(tmp_path: Path, lines: list[Any], words: str) -> None:
    """File, line and mend, before anything is played."""
    with pytest.raises(InputError, match=r"script\.jsonl") as caught:
        read_script(write(tmp_path / "script.jsonl", *lines))
    assert words in str(caught.value)
    assert str(tmp_path / "script.jsonl") in str(caught.value)


@pytest.mark.parametrize("data", [b"\x1f\x8b broken", b"\xff\xfe\x00", gzip.compress(b'{"drill"', mtime=0)[:-9]])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, data: bytes) -> None:
    """Neither a broken archive nor another encoding ends in a traceback."""
    file = tmp_path / "day.jsonl.gz"
    file.write_bytes(data)
    with pytest.raises(InputError, match=r"day\.jsonl\.gz"):
        read_script(file)


def test_the_feeds_serve_what_the_script_says(tmp_path: Path) -> None:
    """Items come, change and go at their instants, newest first, the oldest cut off; an unchanged feed answers 304."""
    recorded = "<rss><channel><title>塔樓</title></channel></rss>"
    (tmp_path / "state.xml").write_text(recorded, encoding="utf-8")
    lines = (
        {**HEAD, "listed": 2},
        change("08:10", add=[story("a", "鐘樓停擺"), story("b")]),
        change("08:20", add=[story("c"), story("b", "Ferry on time")]),
        change("08:30", remove=["c"]),
        change("08:40", outage="503"),
        change("08:50", outage="html"),
        change("09:00", outage=""),
        change("09:10", "office", file="state.xml"),
        change("09:20", "office", body="<rss/>"),
    )
    script = read_script(write(tmp_path / "day.jsonl", *lines))
    with Served(script).open() as served:

        def look(clock: str, feed: str = "daily", etag: str = "") -> tuple[int, str, str]:
            served.advance(datetime.fromisoformat(f"2027-03-14T{clock}:00+08:00"))
            request = urllib.request.Request(served.addresses[feed], headers={"If-None-Match": etag} if etag else {})
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return answer.status, answer.read().decode(), answer.headers["ETag"] or ""
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode(), ""

        assert look("08:05")[1].count("<item>") == 0
        status, body, etag = look("08:10")
        assert (status, body.count("<item>")) == (200, 2)
        assert body.index("Ferry late") < body.index("鐘樓停擺")
        assert look("08:15", etag=etag)[0] == 304
        status, body, _ = look("08:20", etag=etag)
        assert status == 200
        assert "鐘樓停擺" not in body, "a feed lists two"
        assert "Ferry on time" in body
        assert "00:10:00 +0000" in body, "an edit keeps the date"
        assert look("08:30")[1].count("<item>") == 1
        assert look("08:40")[0] == 503
        assert look("08:50")[:2] == (200, look("08:50")[1])
        assert "<html>" in look("08:50")[1]
        assert look("09:00")[1].count("<item>") == 1
        assert look("09:10", "office")[1] == recorded
        assert look("09:20", "office")[1] == "<rss/>"


def test_an_item_is_known_by_its_link_where_its_guid_is_not_served(tmp_path: Path) -> None:
    """RSS 1.0 has no guid, and Atom's is read as a part of the feed's address, whose port is another in each run."""
    lines = (HEAD, change("08:10", add=[story("塔 1"), story("b", link="https://quay.example/b")]))
    script = read_script(write(tmp_path / "day.jsonl", *lines))
    own = "https://daily.example/%E5%A1%94%201"
    assert script.named("daily", "http://127.0.0.1:4711/塔 1", own) == ("daily", "塔 1")
    assert script.named("daily", None, "https://quay.example/b") == ("daily", "b")
    assert script.named("daily", "b", None) == ("daily", "b")
    assert script.named("office", None, "https://quay.example/b") == ("office", "")


@pytest.mark.parametrize("name", ["../secret.xml", "/etc/hostname"])
def test_a_script_reads_only_what_lies_beside_it(tmp_path: Path, name: str) -> None:
    """A drill from a stranger gets at nothing else, neither as a feed nor as a watchlist."""
    script = read_script(write(tmp_path / "day.jsonl", {**HEAD, "watchlist": name}, change("08:10", file=name)))
    with pytest.raises(InputError, match="lie beside it"):
        make_folder(script, tmp_path / "drill", None)
    with pytest.raises(InputError, match="lie beside it"):
        Served(script).advance(script.end)


def test_a_shipped_drill_goes_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From any folder; a file of that name comes first, and a name that nothing bears is told those that there are."""
    assert {name: file.name for name, file in shipped().items()} == {
        name: f"{name}.jsonl.gz" for name in ("harbour", "saltmarsh")
    }

    def drill(*words: str) -> Result:
        return CliRunner().invoke(command, words)

    monkeypatch.chdir(tmp_path)
    wrong = drill("harbor")
    assert wrong.exit_code == 2
    assert "there is no file harbor, and no such drill ships; those are harbour, saltmarsh" in wrong.stderr
    assert "harbour, saltmarsh" in " ".join(drill("run", "--help").stdout.split())
    (tmp_path / "harbour").mkdir()  # such as the folder of an earlier one
    begun = drill("harbour", "--out", "elsewhere/drill.html")
    assert "no folder elsewhere" in begun.stderr, "it was found and read"
    write(tmp_path / "saltmarsh", HEAD, "[1]")
    assert "saltmarsh:2: is no JSON object" in str(drill("saltmarsh").exception)


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    """Nothing is ever overwritten."""
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="is not empty"):
        make_folder(read_script(write(tmp_path / "day.jsonl", HEAD)), tmp_path, None)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["day.jsonl", "mine.txt"]


def test_wrong_dates_of_a_script_are_told_by_their_name(tmp_path: Path) -> None:
    """What pollwatch.toml would refuse is refused in the words of the script."""
    script = read_script(write(tmp_path / "day.jsonl", {**HEAD, "election": {"polling_open": "2027-03-14T08:30"}}))
    with pytest.raises(InputError, match=r"day\.jsonl: election\.polling_open: no such key"):
        make_folder(script, tmp_path / "drill", None)


def test_a_paced_day_begins_now(tmp_path: Path) -> None:
    """Every instant is moved and the day passes so many times as fast; the polls open and close with it."""
    election = {"polling_opens": "2027-03-14T08:30:00", "polling_closes": "2027-03-14T22:30:00"}
    written = "2027-03-14T07:00:00"
    lines = ({**HEAD, "election": election}, change("10:00", add=[story("a", published=written)]))
    script = read_script(write(tmp_path / "day.jsonl", *lines))
    begin = datetime(2027, 1, 5, 6, 0, tzinfo=UTC)
    moved = script.moved(begin, 60)
    assert (moved.start, moved.end) == (begin, begin + timedelta(minutes=3))
    assert moved.changes[0].at == begin + timedelta(minutes=2)
    assert moved.changes[0].add[0].published == begin - timedelta(minutes=1)
    assert moved.header.election["polling_opens"] == (begin + timedelta(seconds=30)).isoformat()
    make_folder(moved, tmp_path / "drill", None)
