"""`audit export`: files that can be checked elsewhere, with nothing in them that steers a program."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from alerts.cli import cli
from alerts.dispatch import dispatch
from alerts.export import export
from monitor.config import Settings
from monitor.errors import InputError
from monitor.store import Store, items
from monitor.store.schema import items as item_table
from monitor.types import Entry
from tests.alerts.rows import add_incident, unlock_audit

HOSTILE = '=HYPERLINK("http://evil.example")\x1b[31m\u202e卓望晴'


def _rows(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def _two_alerts(store: Store, settings: Settings, now: datetime) -> None:
    add_incident(store, now, title=HOSTILE, outlets=["Harbour Daily", "Quay News"])
    add_incident(store, now, title="not asked for")
    dispatch(store, settings, now)
    with store.write() as connection:
        item = items.get(connection, connection.scalars(select(item_table.c.id).order_by(item_table.c.id)).first() or 0)
        edited = Entry(item.key, item.guid, item.link, "卓望晴澄清參選", "新的一段", None, None)
        items.edit(connection, item, edited, now + timedelta(minutes=5))
    add_incident(store, now, title="later")
    dispatch(store, settings, now + timedelta(hours=1))


@pytest.mark.parametrize("name", ["evidence", "evidence.zip"])
def test_every_hash_can_be_checked(store: Store, settings: Settings, tmp_path: Path, now: datetime, name: str) -> None:
    """Of the files in the manifest, of each text in the items, of each entry in the chain; earlier texts are there."""
    _two_alerts(store, settings, now)
    manifest = export(store, settings, tmp_path / name, None, now)
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            files = {each: archive.read(each) for each in archive.namelist()}
    else:
        files = {each.name: each.read_bytes() for each in (tmp_path / name).iterdir()}
    assert set(files) == {"audit.jsonl", "items.jsonl", "evidence.jsonl", "manifest.json"}
    assert json.loads(files["manifest.json"])["files"] == manifest["files"]
    for each, facts in manifest["files"].items():
        assert (hashlib.sha256(files[each]).hexdigest(), len(files[each])) == (facts["sha256"], facts["bytes"])
    entries, found = _rows(files["audit.jsonl"]), _rows(files["items.jsonl"])
    assert (
        (manifest["entries"], manifest["items"], manifest["broken"]) == (len(entries), len(found), None) == (3, 4, None)
    )
    assert manifest["last"] == {"seq": 3, "hash": entries[-1]["hash"]}
    for before, entry in zip([{"hash": "0" * 64}, *entries], entries, strict=False):
        assert entry["prev_hash"] == before["hash"]
        bare = {key: value for key, value in entry.items() if key != "hash"}
        canonical = json.dumps(bare, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert entry["hash"] == hashlib.sha256(canonical.encode()).hexdigest()
    first = found[0]
    assert first["text_sha256"] == hashlib.sha256("卓望晴澄清參選\n新的一段".encode()).hexdigest()
    assert [text["title"] for text in first["revisions"]] == [HOSTILE]
    assert set(first["feed"]) == {"url", "outlet", "role", "etag", "last_modified", "body_sha256", "last_success_at"}
    assert manifest["raw_bytes"] == {"captures": 0, "without": [item["id"] for item in found], "broken": []}


def test_nothing_in_it_steers_a_program(store: Store, settings: Settings, tmp_path: Path, now: datetime) -> None:
    """No line starts as a formula, no control or bidi character stands raw; read back they are as they were."""
    _two_alerts(store, settings, now)
    export(store, settings, tmp_path / "evidence", None, now)
    data = (tmp_path / "evidence" / "items.jsonl").read_bytes()
    assert b"\x1b" not in data
    assert "\u202e" not in data.decode()
    assert all(line.startswith(b"{") for line in data.splitlines())
    assert "卓望晴" in data.decode()
    assert _rows(data)[1]["title"] == HOSTILE


def test_only_since(store: Store, settings: Settings, tmp_path: Path, now: datetime) -> None:
    """The entries of the time asked for, and the items of their alerts alone."""
    _two_alerts(store, settings, now)
    manifest = export(store, settings, tmp_path / "late", now + timedelta(minutes=1), now)
    found = _rows((tmp_path / "late" / "items.jsonl").read_bytes())
    assert (manifest["entries"], [item["title"] for item in found]) == (1, ["later"])
    assert export(store, settings, tmp_path / "none", now + timedelta(days=1), now)["last"] is None


def test_a_target_that_is_there_or_cannot_be_is_one_sentence(
    store: Store, settings: Settings, tmp_path: Path, now: datetime
) -> None:
    """Nothing is overwritten."""
    (tmp_path / "there.zip").write_text("mine")
    for target in (tmp_path, tmp_path / "there.zip"):
        with pytest.raises(InputError, match="is there already"):
            export(store, settings, target, None, now)
    assert (tmp_path / "there.zip").read_text() == "mine"
    for target in (tmp_path / "no" / "folder", tmp_path / "no" / "file.zip"):
        with pytest.raises(InputError, match="cannot be written: No such file"):
            export(store, settings, target, None, now)


def test_by_line(store: Store, settings: Settings, folder: Path, tmp_path: Path, now: datetime) -> None:
    """The manifest on stdout; a broken chain is exported all the same, and the answer is no."""
    _two_alerts(store, settings, now)
    base = ["-c", str(folder / "pollwatch.toml"), "audit", "export"]
    done = CliRunner().invoke(cli, [*base, str(tmp_path / "a"), "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["entries"] == 3
    assert (
        f"wrote 3 entries and 4 items to {tmp_path}/b" in CliRunner().invoke(cli, [*base, str(tmp_path / "b")]).stdout
    )
    with store.write() as connection:
        unlock_audit(connection)
        connection.execute(text("UPDATE audit SET actor = 'ben' WHERE seq = 2"))
    broken = CliRunner().invoke(cli, [*base, str(tmp_path / "c"), "--json"])
    assert broken.exit_code == 1
    assert json.loads(broken.stdout)["broken"]["seq"] == 2
