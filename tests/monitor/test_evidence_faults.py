"""Capture where the folder cannot be used, the disk fills up, another process captures or one was killed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from monitor.config import Settings
from monitor.errors import EvidenceError
from monitor.evidence import capture
from monitor.evidence_warc import Folder
from monitor.store import Store, hosts
from monitor.types import CaptureKind
from tests.fakes import ALLOW_LOOPBACK, FeedServer
from tests.monitor.capturing import STORY, bodies, captured, publish

ENTRY, PAGE = CaptureKind.ENTRY, CaptureKind.PAGE


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched; nobody waits long."""
    return configure(ALLOW_LOOPBACK + "timeout_s = 3\n[evidence]\ntimeout_s = 1\nmax_bytes = 100000\n")


def test_a_folder_that_cannot_be_used_stops_nothing_else(
    store: Store, settings: Settings, server: FeedServer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in its place, no room left: one sentence, nothing is lost, and all is captured once it is mended."""
    publish(store, settings, server, now, ("題", ""))
    place = settings.path(settings.evidence.directory)
    place.write_text("in the way")
    with pytest.raises(EvidenceError, match="cannot be made: File exists"):
        capture(store, settings, now)
    place.unlink()
    full = settings.model_copy(update={"evidence": settings.evidence.model_copy(update={"min_free_mb": 10**12})})
    with pytest.raises(EvidenceError, match="min_free_mb"):
        capture(store, full, now + timedelta(days=9))
    assert capture(store, settings, now + timedelta(days=9)).counts["entries"] == 1


def test_a_disk_that_fills_up_in_the_middle_is_one_sentence(
    configure: Callable[[str], Settings], store: Store, server: FeedServer, now: datetime
) -> None:
    """While pages are visited as well; what was found is fetched again once there is room."""
    settings = configure(ALLOW_LOOPBACK + "[evidence]\nenabled = false\n")
    publish(store, settings, server, now, ("題", server.put("/story", STORY.format("題"))))
    settings = configure(ALLOW_LOOPBACK)
    place = settings.path(settings.evidence.directory)
    place.mkdir()
    (place / "2027-03-01").write_text("in the way, as a full disk is")
    with pytest.raises(EvidenceError, match="cannot be written: File exists"):
        capture(store, settings, now)
    (place / "2027-03-01").unlink()
    with store.write() as connection:  # the lease of a host that could not be given back runs out
        hosts.release(connection, {server.url("").split("/")[2]: now}, "")
    assert capture(store, settings, now + timedelta(minutes=1)).counts["pages"] == 1


def test_two_at_once_are_one(store: Store, settings: Settings, server: FeedServer, now: datetime) -> None:
    """While another process captures nothing is done twice."""
    publish(store, settings, server, now, ("題", ""))
    with store.lock("capture"):
        report = capture(store, settings, now)
    assert (report.counts["entries"], len(report.problems)) == (0, 1)
    assert capture(store, settings, now).counts["entries"] == 1


def test_what_a_kill_left_is_finished_or_dropped(
    store: Store, settings: Settings, server: FeedServer, now: datetime
) -> None:
    """Killed before the store knew: the file is dropped and written anew. Killed after: it gets its name."""
    publish(store, settings, server, now, ("題", ""))
    capture(store, settings, now)
    folder = Folder(settings.path(settings.evidence.directory))
    (name,) = folder.names()
    path = folder.path / name
    path.rename(f"{path}.part")
    (path.parent / "235959-001.warc.gz.part").write_bytes(b"half a reco")
    assert bodies(settings, captured(store)[0])["resource"]  # readers find it even so
    capture(store, settings, now)
    assert [str(file.relative_to(folder.path)) for file in folder.path.glob("*/*")] == [name]
    assert path.stat().st_mode & 0o222 == 0
