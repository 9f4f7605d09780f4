"""Evidence of items that were purged goes too, and what is kept stays exactly what it was."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config import Settings
from monitor.errors import EvidenceError, NotFoundError
from monitor.evidence import capture, folder_of
from monitor.evidence_purge import forget_evidence, write_off
from monitor.evidence_read import take, verify
from monitor.purge import purge
from monitor.store import Store, audit, evidence, purging, served
from monitor.store import feeds as feed_rows
from monitor.store import items as item_rows
from monitor.types import CaptureKind
from tests.fakes import FeedServer, feed_server
from tests.monitor.capturing import STORY, captured, publish

OPEN = '[fetch]\nallow_private = ["127.0.0.0/8"]\nhost_gap_s = 0\n'


class Kept:
    """Three flagged items, each with its entry and its page captured."""

    def __init__(self, store: Store, settings: Settings, server: FeedServer, now: datetime) -> None:
        self.store, self.settings = store, settings
        self.folder = folder_of(settings)
        links = [server.put(f"/story-{n}", STORY.format(f"第{n}則的全文，ｓｔｏｒｙ {n}")) for n in range(3)]
        publish(store, settings, server, now, *((f"Story {n}", link) for n, link in enumerate(links)))
        capture(store, settings, now)
        with store.read() as connection:
            self.ids = sorted(each.id for each in item_rows.listing(connection))

    def remove(self, *ids: int) -> None:
        with self.store.write() as connection:
            purging.remove(connection, ids)

    def bytes_of(self) -> bytes:
        """All that is on the disk, unpacked."""
        return b"".join(gzip.decompress(file.read_bytes()) for file in sorted(self.folder.path.rglob("*.gz*")))

    def actions(self) -> list[str]:
        with self.store.read() as connection:
            assert audit.verify(connection) is None
            return [entry["action"] for entry in audit.listing(connection) if entry["action"].startswith("evidence")]


@pytest.fixture
def server() -> Any:
    with feed_server() as found:
        yield found


@pytest.fixture
def kept(store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime) -> Kept:
    return Kept(store, configure(OPEN), server, now)


def test_what_was_purged_is_cut_out_and_the_rest_is_what_it_was(kept: Kept, now: datetime) -> None:
    """Entry and page of one item of three: its words are nowhere on the disk, the others read back as before, every
    hash holds, and the audit says what became of which file. A second time nothing is left to do.
    """
    before = {c.id: take(kept.folder, c).body for c in captured(kept.store)}
    assert len(before) == 6
    kept.remove(kept.ids[1])
    changed, problems = forget_evidence(kept.store, kept.settings, now)
    assert (changed >= 1, problems) == (True, ())
    after = {c.id: take(kept.folder, c).body for c in captured(kept.store)}
    assert len(after) == 4
    assert after == {id: before[id] for id in after}
    words = kept.bytes_of()
    assert ("第1則".encode() in words, b"Story 1<" in words) == (False, False)
    assert "第2則".encode() in words
    found = verify(kept.store, kept.folder)
    assert (found["ok"], found["captures"], found["unlisted"]) == (True, 4, [])
    assert {"evidence.cut", "evidence.remove"} <= set(kept.actions())
    assert forget_evidence(kept.store, kept.settings, now) == (0, ())


def test_a_file_of_which_nothing_is_left_goes(kept: Kept, now: datetime) -> None:
    """With the pages that were watched; no visit of them is due any more."""
    kept.remove(*kept.ids)
    forget_evidence(kept.store, kept.settings, now)
    assert kept.folder.names() == []
    assert not list(kept.folder.path.rglob("*.part"))
    with kept.store.read() as connection:
        assert evidence.loose(connection) == evidence.files(connection) == []
        assert evidence.due(connection, now + timedelta(days=30), 10, 10) == []


@pytest.mark.parametrize("instant", range(9))
def test_killed_at_any_step_the_next_purge_finishes(
    kept: Kept, now: datetime, monkeypatch: pytest.MonkeyPatch, instant: int
) -> None:
    """At every call that changes the disk or the store: what is kept can be read afterwards, what is not is gone."""

    class KilledError(BaseException):
        pass

    left = instant

    def perhaps(call: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*given: Any, **named: Any) -> Any:
            nonlocal left
            if left == 0:
                left = -1
                raise KilledError
            left -= 1
            return call(*given, **named)

        return instead

    folder = type(kept.folder)
    kept.remove(kept.ids[0])
    with monkeypatch.context() as patch:
        for name in ("write", "settle", "withdraw"):
            patch.setattr(folder, name, perhaps(getattr(folder, name)))
        for name in ("move", "drop_file", "add_file"):
            patch.setattr(evidence, name, perhaps(getattr(evidence, name)))
        try:
            forget_evidence(kept.store, kept.settings, now)
        except KilledError:
            assert left == -1
    forget_evidence(kept.store, kept.settings, now)
    found = verify(kept.store, kept.folder)
    assert (found["ok"], found["captures"], found["unlisted"]) == (True, 4, [])
    assert not list(kept.folder.path.rglob("*.part"))
    assert "第0則".encode() not in kept.bytes_of()


def test_a_file_that_was_changed_stays_and_is_told(kept: Kept, now: datetime) -> None:
    """What somebody altered is proof of that: nothing of it is cut, and the purge says so."""
    name = captured(kept.store, CaptureKind.ENTRY)[0].file
    path = kept.folder.path / name
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    kept.remove(kept.ids[0])
    _, problems = forget_evidence(kept.store, kept.settings, now)
    assert [problem for problem in problems if name in problem and "is not what was written" in problem]
    assert path.exists()


def test_a_file_that_is_lost_is_told_with_its_mend_until_somebody_settles_it(kept: Kept, now: datetime) -> None:
    """The sentence of purge and verify names the command; after it neither speaks of the file, the audit says who and
    why, and pages of which nothing is left are captured again.
    """
    name = captured(kept.store, CaptureKind.PAGE)[0].file
    (kept.folder.path / name).unlink()
    kept.remove(kept.ids[0])
    now += timedelta(hours=1)
    for _ in range(2):
        (problem,) = forget_evidence(kept.store, kept.settings, now)[1]
        assert f"`pollwatch evidence forget {name}`" in problem
    broken = verify(kept.store, kept.folder)["broken"]
    assert f"`pollwatch evidence forget {name}`" in broken["text"]
    left = sum(each.file == name for each in captured(kept.store))
    assert write_off(kept.store, kept.settings, name, "dora", "disk 2 died", now) == left
    assert forget_evidence(kept.store, kept.settings, now) == (0, ())
    assert verify(kept.store, kept.folder)["ok"]
    with kept.store.read() as connection:
        entry = audit.listing(connection, subject=f"evidence:{name}")[-1]
    assert (entry["actor"], entry["action"]) == ("dora", "evidence.forget")
    assert (entry["detail"]["captures"], entry["detail"]["reason"]) == (left, "disk 2 died")
    capture(kept.store, kept.settings, now + timedelta(minutes=1))
    assert len([each for each in captured(kept.store) if each.kind is CaptureKind.PAGE]) == 2
    assert verify(kept.store, kept.folder)["ok"]


def test_what_is_there_is_not_forgotten(kept: Kept, now: datetime) -> None:
    """Nor anything while the whole folder is away, as a disk that is not mounted; a name nobody knows is said to be."""
    name = kept.folder.names()[0]
    before = captured(kept.store)
    with pytest.raises(EvidenceError, match="is there: only what is lost"):
        write_off(kept.store, kept.settings, name, "dora", "", now)
    with pytest.raises(NotFoundError, match="no file of evidence 2027-03-01/1"):
        write_off(kept.store, kept.settings, "2027-03-01/1.warc.gz", "dora", "", now)
    kept.folder.path.rename(kept.folder.path.with_name("unmounted"))
    with pytest.raises(EvidenceError, match="is its disk mounted"):
        write_off(kept.store, kept.settings, name, "dora", "", now)
    assert captured(kept.store) == before


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "2027-03-01/../../pollwatch.db", "pollwatch.db"])
def test_a_tampered_store_deletes_no_other_file(tmp_path: Path, settings: Settings, name: str) -> None:
    """Names come from the store, which somebody may have written to."""
    with pytest.raises(EvidenceError, match="is left alone"):
        folder_of(settings).withdraw(name)


def test_a_folder_on_another_machine_waits_for_its_own_purge(kept: Kept, now: datetime) -> None:
    """Of a fleet, a worker may purge that has no such folder: files are not forgotten there."""
    away = kept.folder.path.rename(kept.folder.path.with_name("elsewhere"))
    kept.remove(*kept.ids)
    assert forget_evidence(kept.store, kept.settings, now) == (0, ())
    away.rename(kept.folder.path)
    assert forget_evidence(kept.store, kept.settings, now)[0] >= 1
    assert kept.folder.names() == []


def test_a_file_in_another_folder_of_a_fleet_is_not_said_to_be_gone(kept: Kept, now: datetime) -> None:
    """A worker with a folder of its own says where it is to be purged; there it goes, and the audit says so once."""
    names = kept.folder.names()
    away = kept.folder.path.rename(kept.folder.path.with_name("elsewhere"))
    kept.folder.prepare(0)
    kept.remove(*kept.ids)
    changed, problems = forget_evidence(kept.store, kept.settings, now)
    assert (changed, len(problems)) == (0, len(names))
    assert all("a purge on the machine that has it" in problem for problem in problems)
    assert "evidence.remove" not in kept.actions()
    kept.folder.path.rmdir()
    away.rename(kept.folder.path)
    assert forget_evidence(kept.store, kept.settings, now) == (len(names), ())
    assert kept.folder.names() == []
    assert kept.actions().count("evidence.remove") == len(names)


def test_the_daily_purge_does_it(kept: Kept, now: datetime) -> None:
    """Quiet items after their days, once their feed lists them no more; raw entries go without evidence as well."""
    with kept.store.write() as connection:
        for feed in feed_rows.listing(connection):
            feed_rows.set_enabled(connection, feed.id, False)
    counts = purge(kept.store, kept.settings, now + timedelta(days=400), dry_run=True).counts
    assert counts["evidence"] == 0
    assert len(kept.folder.names()) >= 1
    report = purge(kept.store, kept.settings, now + timedelta(days=400))
    assert (report.counts["quiet"], report.problems) == (counts["quiet"], ())
    left = captured(kept.store)
    words = kept.bytes_of()
    for number, id in enumerate(kept.ids):
        stays = id in {c.item_id for c in left}
        assert (f"第{number}則".encode() in words) == stays
    assert verify(kept.store, kept.folder)["ok"]


def test_entries_are_forgotten_where_evidence_was_switched_off(
    store: Store, configure: Callable[[str], Settings], server: FeedServer, now: datetime
) -> None:
    """Its stage does not run any more, which forgets them otherwise."""
    settings = configure(OPEN)
    publish(store, settings, server, now, ("Story", server.put("/story", STORY.format("words"))))
    off = configure(OPEN + "[evidence]\nenabled = false\n")
    forget_evidence(store, off, now + timedelta(hours=1))
    with store.read() as connection:
        assert served.is_old(connection, now + timedelta(days=1))
    forget_evidence(store, off, now + timedelta(days=30))
    with store.read() as connection:
        assert not served.is_old(connection, now + timedelta(days=60))
