"""Publishing that is killed in the middle, and by two at once: readers see the site of before, or that of after."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.config import Settings
from monitor.store import Store, audit
from monitor.types import ClarificationState
from tests.alerts.clarifying import RUMOUR, Desk, corrected, publishing

# Accesses before which a publisher dies; below 0: counted from the commit.
_POINTS = (*range(1, 60, 4), -1, -2, -3, -4, -5)


class Publishers:
    """Starts processes that publish, and waits for all of them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert self._answer() == "ready"

    def start(self, *die_before: int) -> list[dict[str, Any]]:
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps(die_before)}\n")
        self._process.stdin.flush()
        return list(self._answer())

    def _answer(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@pytest.fixture
def desk(store: Store, folder: Path, now: datetime) -> Desk:
    """With one clarification that is public."""
    desk = Desk(store, publishing(folder), now)
    desk.published()
    return desk


@contextlib.contextmanager
def _publishers(settings: Settings, now: datetime) -> Iterator[Publishers]:
    script = Path(__file__).parent / "publisher_process.py"
    command = [sys.executable, str(script), settings.file, now.isoformat()]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        yield Publishers(process)


def _site(desk: Desk) -> dict[str, bytes]:
    return {path.relative_to(desk.site).as_posix(): path.read_bytes() for path in desk.site.rglob("*.*")}


def _approved(desk: Desk, number: int) -> int:
    """A new page and a correction of an old one, ready to be published; returns the id of the new one."""
    id = desk.draft(desk.decided(f"{RUMOUR}，第{number}個群組也在傳", matches=[f"somebody-{number}"]))
    change = f"Change {number}."
    desk.edit(1, lambda text: corrected(text, change))
    for each in (id, 1):
        desk.approve(each)
    return id


def test_killed_at_any_access_readers_see_the_old_site_or_the_new_one(desk: Desk) -> None:
    """At every access to database or folder: never a mixture, nothing published that the audit does not know with two
    names, and the next call completes what was begun.
    """
    seen = set()
    with _publishers(desk.settings, desk.now) as publishers:
        for number, point in enumerate(_POINTS):
            id, old = _approved(desk, number), _site(desk)
            (end,) = publishers.start(point)
            left, state = _site(desk), desk.show(id)["state"]
            done, new = desk.publish(), _site(desk)
            assert left in (old, new), f"a mixture, killed before access {point}"
            assert old != new
            assert left == old or state is ClarificationState.PUBLISHED
            assert bool(done.written) == (left != new)
            assert desk.publish().written == ()
            _one_entry(desk, id)
            seen.add((end["killed"], state.value, left == old))
    assert {(True, "approved", True), (True, "published", True), (True, "published", False)} <= seen
    assert len(list((desk.site.parent / ".public.releases").iterdir())) <= 2


def _one_entry(desk: Desk, id: int) -> None:
    with desk.store.read() as connection:
        assert audit.verify(connection) is None
        entries = audit.listing(connection, subject=f"clarification:{id}")
    (published,) = [entry for entry in entries if entry["action"] == "clarification.publish"]
    assert (published["detail"]["writers"], published["detail"]["approved_by"]) == (["maya"], "ben")


def test_two_processes_publish_at_once(desk: Desk) -> None:
    """One does it, the other finds nothing left to do; neither shows less than the other."""
    with _publishers(desk.settings, desk.now) as publishers:
        for number in range(4):
            id = _approved(desk, number)
            ends = publishers.start(0, 0)
            assert sorted(len(end["done"]["published"]) for end in ends) == [0, 2]
            assert sorted(bool(end["done"]["written"]) for end in ends) == [False, True]
            _one_entry(desk, id)
            assert f"2027-03-01-{id}.html" in desk.file("index.html")
            assert desk.publish().written == ()
