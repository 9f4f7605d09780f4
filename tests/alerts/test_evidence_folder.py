"""`evidence`: what reviewers, clerks and scripts see of what was captured; a folder that nothing hostile runs in."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, select

from alerts.cli import cli
from alerts.dispatch import dispatch
from alerts.evidence_folder import export
from alerts.export import export as export_audit
from monitor.config import Settings
from monitor.errors import InputError, NotFoundError
from monitor.evidence import capture
from monitor.store import Store, evidence, pending
from monitor.store.schema import incident_items, incidents, items
from tests.alerts.reviewing import FALSE, SECRET, Desk, two_alerts
from tests.fakes import ALLOW_LOOPBACK, feed_server
from tests.monitor.capturing import STORY, captured, check, publish

HOSTILE = '<script>alert(1)</script>\x1b[31m\u202e卓望晴"><img src=x onerror=alert(1)>'
PAGE = f"<!doctype html><meta http-equiv=refresh content='0;url=//evil.example'><p>{HOSTILE}</p><script>x</script>"


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched."""
    return configure(ALLOW_LOOPBACK)


@pytest.fixture
def case(store: Store, settings: Settings, now: datetime) -> Settings:
    """Alert 1: two hostile stories, one of whose pages is gone later; alert 2 is about something else."""
    with feed_server() as server:
        page = server.put("/a b\u202e.html?<script>", PAGE, headers={"Content-Type": "text/html", "X-Odd": "<i>"})
        server.pages["/a%20b.html?%3Cscript%3E"] = server.pages["/a b\u202e.html?<script>"]
        other = server.put("/other", STORY.format("另一則"), headers={"Content-Type": "text/html"})
        title = HOSTILE.replace("\x1b", "")  # which no XML may hold: the feed would be kept whole
        publish(store, settings, server, now, (title, page), ("另一則", other), ("無頁", server.url("/none")))
        _make_alerts(store, settings, now)
        capture(store, settings, now)
        server.put("/other", "gone", status=410)
        capture(store, settings, now + timedelta(hours=2))
    return settings


def _make_alerts(store: Store, settings: Settings, now: datetime) -> None:
    with store.write() as connection:
        ids = connection.scalars(select(items.c.id).order_by(items.c.id)).all()
        seen = {"created_at": now, "first_seen_at": now, "last_seen_at": now, "lang": "zh-Hant"}
        for number, members in enumerate((ids[:2], ids[2:]), 1):
            connection.execute(insert(incidents).values(id=number, title="一則傳聞", **seen))
            for id in members:
                why = {"reason": "first", "similarity": 1.0, "added_at": now}
                connection.execute(insert(incident_items).values(item_id=id, incident_id=number, **why))
        pending.changed(connection, 1, 2)
    dispatch(store, settings, now)


class _Tags(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _run(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(cli, ["-c", str(settings.file), *words])


def test_a_folder_for_somebody_without_this_program(
    case: Settings, store: Store, tmp_path: Path, now: datetime
) -> None:
    """Every byte as it came, its text, the record, both languages, and sums that `sha256sum` accepts."""
    out = tmp_path / "alert"
    made = export(store, case, 1, out, now)
    assert (made["items"], made["captures"], made["broken"]) == (2, 5, [])
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=out, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == len(list(out.rglob("*"))) - 3  # two folders, and the sums themselves
    rows = [json.loads(line) for line in (out / "captures.jsonl").read_bytes().splitlines()]
    assert [row["sha256"] for row in rows] == [made["files"][row["raw_file"]] for row in rows]
    assert sorted(row["changed"] or "" for row in rows) == ["", "", "", "gone", "same"]
    assert PAGE.encode() in [(out / row["raw_file"]).read_bytes() for row in rows]
    texts = "".join((out / row["text_file"]).read_text("utf-8-sig") for row in rows if row["text_file"])
    assert "卓望晴" in texts
    assert "\x1b" not in texts + (out / "index.html").read_text()
    audit = [json.loads(line) for line in (out / "audit.jsonl").read_bytes().splitlines()]
    assert {entry["action"] for entry in audit} == {"alert.open", "evidence.write"}
    readme = (out / "README.txt").read_text("utf-8-sig")
    assert "sha256sum -c SHA256SUMS" in readme
    assert "瀏覽器" in readme
    assert check(out) == 0


def test_nothing_hostile_runs_in_it(case: Settings, store: Store, tmp_path: Path, now: datetime) -> None:
    """No script, no link that leads out, no name of theirs on a file, and no page under a name that a browser obeys."""
    out = tmp_path / "alert"
    export(store, case, 1, out, now)
    tags = _Tags((out / "index.html").read_text("utf-8")).found
    assert not {"script", "img", "iframe", "object", "form", "base"} & {tag for tag, _ in tags}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    links = [attributes["href"] or "" for tag, attributes in tags if tag == "a"]
    assert links
    assert all(re.fullmatch(r"(raw|text)/[0-9]{3}-(page|entry)\.txt", link) for link in links)
    assert [a["content"] for t, a in tags if t == "meta" and a.get("http-equiv")] == [
        "default-src 'none'; style-src 'unsafe-inline'"
    ]
    names = [path.name for path in out.rglob("*") if path.is_file()]
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", name) for name in names)
    assert [name for name in names if name.endswith(".html")] == ["index.html"]


def test_a_first_opinion_is_not_in_it_while_a_second_one_is_awaited(
    store: Store, settings: Settings, tmp_path: Path, now: datetime
) -> None:
    """Who gives the second opinion may look at the evidence: in no file of it stands what the first one was."""
    two_alerts(store, settings, now)
    Desk(store, settings, now).give("wing", *FALSE)
    export(store, settings, 1, tmp_path / "alert", now)
    files = [path for path in (tmp_path / "alert").rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET in path.read_text() or "SECRET" in path.read_text()]
    assert "alert.decide" in (tmp_path / "alert" / "audit.jsonl").read_text()


def test_what_cannot_be_written_or_found_is_one_sentence(
    case: Settings, store: Store, tmp_path: Path, now: datetime
) -> None:
    """Nothing is overwritten, and no folder is made for an alert that is not there."""
    with pytest.raises(InputError, match="is there already"):
        export(store, case, 1, tmp_path, now)
    with pytest.raises(InputError, match="cannot be written"):
        export(store, case, 1, tmp_path / "no" / "where", now)
    with pytest.raises(NotFoundError):
        export(store, case, 99, tmp_path / "new", now)
    assert not (tmp_path / "new").exists()


def test_by_line(case: Settings, store: Store, tmp_path: Path) -> None:
    """`list` of one alert and of all, `verify`, `export`, for people and for scripts."""
    rows = [json.loads(line) for line in _run(case, "evidence", "list", "1", "--json").stdout.splitlines()]
    assert [(row["kind"], row["status"], row["changed"]) for row in rows] == [
        ("entry", 200, None),
        ("page", 200, "same"),
        ("entry", 200, None),
        ("page", 200, None),
        ("page", 410, "gone"),
    ]
    assert len(_run(case, "evidence", "list", "--json").stdout.splitlines()) == 7
    plain = _run(case, "evidence", "list").stdout
    assert "gone" in plain
    assert "\u202e" not in plain
    assert _run(case, "evidence", "list", "99").exit_code == 2 or _run(case, "evidence", "list", "99").exception
    assert "7 captures in 17 records of 3 files, as they were written" in _run(case, "evidence", "verify").stdout
    done = _run(case, "evidence", "export", "1", "--out", str(tmp_path / "alert"))
    assert done.stdout == f"wrote 5 captures of 2 items to {tmp_path}/alert\n"
    with store.read() as connection:
        told = evidence.of_incident(connection, 1)
    assert [set(row) for row in told] == [{"item_id", "kind", "url", "captured_at", "sha256", "status", "changed"}] * 5


@pytest.mark.parametrize("harm", ["edited", "cut", "missing"])
def test_a_file_that_was_touched_is_named_and_the_rest_is_exported(
    case: Settings, store: Store, tmp_path: Path, now: datetime, harm: str
) -> None:
    """One bit, one byte less, the whole file: `verify` says which, exit 1; exports go on without it and say so."""
    found = captured(store)[0]
    path = case.path(case.evidence.directory) / found.file
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    if harm == "edited":
        data[found.offset + found.length // 2] ^= 1
    path.write_bytes(data if harm == "edited" else data[:-1])
    if harm == "missing":
        path.unlink()
    answer = _run(case, "evidence", "verify", "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["broken"]["file"] == found.file
    assert _run(case, "evidence", "verify").stdout.startswith(f"evidence {path}")
    done = _run(case, "evidence", "export", "1", "--out", str(tmp_path / "alert"))
    lost = {"edited": 1, "cut": 0, "missing": 2}[harm]
    assert (done.exit_code, len(done.stderr.splitlines())) == (1 if lost else 0, lost)
    manifest = export_audit(store, case, tmp_path / "audit", None, now)
    assert len(manifest["raw_bytes"]["broken"]) == {"edited": 1, "cut": 1, "missing": 3}[harm]


def test_the_audit_export_has_the_bytes_of_every_item(
    case: Settings, store: Store, tmp_path: Path, now: datetime
) -> None:
    """Each named item with its entry and page, the headers of the answer, and files that hash to what is said."""
    manifest = export_audit(store, case, tmp_path / "audit", None, now)
    assert manifest["raw_bytes"] == {"captures": 7, "without": [], "broken": []}
    rows = [json.loads(line) for line in (tmp_path / "audit" / "evidence.jsonl").read_bytes().splitlines()]
    assert {row["item_id"] for row in rows} == {1, 2, 3}
    for row in rows:
        assert sha256((tmp_path / "audit" / row["raw"]).read_bytes()).hexdigest() == row["sha256"]
        assert "content-type" in {name.lower() for name, _ in row["headers"]}
