"""The benchmarks measure what they say: documents that differ, costs that are counted, verdicts that can fail."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.parse import parse
from monitor.types import Entry
from tests.benchmarks.contestants import PASSES, our_env
from tests.benchmarks.corpus import copy_of, count_entries, documents, with_new_entry
from tests.benchmarks.passes import Watch
from tests.benchmarks.report import (
    COLD,
    FLOOR,
    NOT_MODIFIED,
    ONE_NEW,
    OURS,
    RAW,
    Figures,
    Measurement,
    table,
    targets,
)
from tests.fakes import feed_server, item, rss

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")
AT = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)

ODD = {
    "CDATA": "<rss version='2.0'><channel><!-- <item> --><item><guid>\n<![CDATA[http://a.example/1]]>\n</guid>"
    "<link><![CDATA[http://a.example/1]]></link><title>渡輪</title></item></channel></rss>",
    "Atom 0.3": "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title>渡轮</title><id>tag:a.example,1</id>"
    "<link rel='alternate' type='text/html' href='http://a.example/1'/></entry></feed>",
    "a prefix": "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:entry><a:title>Ferry</a:title><a:id>1</a:id>"
    "<a:link href='http://a.example/1'/></a:entry></a:feed>",
    "no guid": rss(item("Ferry", link="http://a.example/1")),
    "no link": rss(item("Ferry", guid="a-1")),
}


def _samples() -> list[bytes]:
    return [*documents(None)[:6], *(text.encode() for text in ODD.values())]


def _entries(body: bytes) -> tuple[Entry, ...]:
    return parse(body, "http://feed.example/", None, ZoneInfo("Asia/Hong_Kong")).entries


@pytest.mark.parametrize("body", _samples())
def test_copies_list_the_same_stories_under_names_of_their_own(body: bytes) -> None:
    """As many entries with the same words; no guid and no link of one copy is one of another."""
    one, two = _entries(copy_of(body, 1)), _entries(copy_of(body, 2))
    assert len(one) == len(two) == count_entries(body)
    for left, right in zip(one, two, strict=True):
        assert (left.title, left.summary) == (right.title, right.summary)
        assert (left.guid, left.link) != (right.guid, right.link)
        assert left.guid != right.guid or not left.guid
        assert left.link != right.link or not left.link


@pytest.mark.parametrize("body", _samples())
def test_a_new_entry_is_one_more_before_the_others(body: bytes) -> None:
    """Whatever the format, it is read with title and link, and the others are what they were."""
    entries = _entries(with_new_entry(body, "r1-7", AT))
    assert entries[1:] == _entries(body)
    assert entries[0].link == "http://new.harbour-daily.example/r1-7"
    assert "pier r1-7" in entries[0].title.lower()
    assert entries[0].published_at == (None if b"<rdf:RDF" in body else AT)
    assert _entries(with_new_entry(body, "r2-7", AT))[0].guid != entries[0].guid or entries[0].guid is None


def test_the_watch_sees_a_stall_of_any_event_loop() -> None:
    """Whoever made it."""
    watch = Watch()

    async def stall() -> None:
        watch.follow(asyncio.get_running_loop())
        await asyncio.sleep(0.05)
        time.sleep(0.2)  # noqa: ASYNC251 - the stall that is to be seen
        await asyncio.sleep(0.05)

    asyncio.run(stall())
    assert watch.stall_s > 0.15


@ON_LINUX
def test_the_cost_of_children_counts_also_when_their_parent_is_gone(tmp_path: Path) -> None:
    """A process that outlives its parent for a moment is waited for: its memory and CPU time belong to the command."""
    orphan = "import time; block = bytearray(80_000_000)\nwhile time.process_time() < 0.6: pass"
    command = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {orphan!r}]); time.sleep(0.3)"
    usage = _measured(tmp_path, command, timeout_s=20)
    assert usage["peak_rss"] > 80_000_000
    assert usage["cpu_s"] > 0.5
    assert usage["ended"]


@ON_LINUX
def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """Nothing is left running, and the measurement says so."""
    command = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    usage = _measured(tmp_path, command, timeout_s=0.5)
    assert not usage["ended"]
    assert usage["wall_s"] < 30
    assert usage["left"] == 0


def _measured(folder: Path, command: str, timeout_s: float) -> dict[str, float]:
    """``measure`` in a process of its own: who adopts orphans does so for ever."""
    code = (
        "import json, sys; from dataclasses import asdict; from pathlib import Path\n"
        "from tests.benchmarks.processes import adopt_orphans, measure\n"
        "adopt_orphans()\n"
        f"usage = measure([sys.executable, '-c', {command!r}], {{}}, Path({str(folder)!r}), {timeout_s})\n"
        "children = Path('/proc/self/task').joinpath(str(__import__('os').getpid()), 'children').read_text().split()\n"
        "print(json.dumps({**asdict(usage), 'left': len(children)}))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=our_env(), capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def test_a_pass_of_pollwatch_is_the_real_one(tmp_path: Path) -> None:
    """The runner sets up a store, collects over HTTP, and reports its time, its stalls and its failures."""
    with feed_server() as server:
        urls = [server.put("/a", rss(item("渡輪改道", guid="a"))), server.url("/missing")]
        (tmp_path / "urls").write_text("\n".join(urls))
        for step in ("prepare", "update"):
            command = [sys.executable, str(PASSES), "pollwatch", step, "."]
            done = subprocess.run(command, cwd=tmp_path, env=our_env(), capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    assert figures["failed"] == 1
    assert figures["pass_s"] > 0
    assert figures["stall_s"] >= 0


def test_the_floor_reads_what_is_new(tmp_path: Path) -> None:
    """All entries of a first document, the first one of a later document, and none of what has not changed."""
    with feed_server() as server:
        rows = [item(f"渡輪{n}", guid=str(n)) for n in range(3)]
        (tmp_path / "urls").write_text(server.put("/a", rss(*rows[1:]), etag='"1"'))
        _floor(tmp_path, "prepare")
        assert _floor(tmp_path, "update") == 2
        server.put("/a", rss(*rows), etag='"2"')
        assert _floor(tmp_path, "update") == 3
        assert _floor(tmp_path, "update") == 3


def _floor(folder: Path, step: str) -> int:
    """How many items it holds after a step."""
    subprocess.run([sys.executable, str(PASSES), FLOOR, step, "."], cwd=folder, env=our_env(), check=True)
    with closing(sqlite3.connect(folder / "floor.db")) as store:
        count: int = store.execute("SELECT count(*) FROM items").fetchone()[0]
    return count


def _measurement(scenario: str, contestant: str, pass_s: float, round_: int = 0, **other: object) -> Measurement:
    values = {
        "process_s": pass_s,
        "cpu_s": pass_s,
        "peak_mb": 100.0,
        "stall_s": 0.1 if contestant == OURS else None,
        "items": 10,
        "items_new": 10,
        "answers": {200: 2},
        "fault": None,
    }
    return Measurement(2, round_, scenario, contestant, pass_s, **{**values, **other})  # type: ignore[arg-type]


def _verdicts(*measurements: Measurement) -> dict[str, str]:
    return {target.words: target.verdict for target in targets(Figures(measurements))}


def test_targets_hold_and_are_missed() -> None:
    """Against the loop, against the peers, by stall and by memory; what was not measured is not said to hold."""
    good = (_measurement(COLD, OURS, 10.0), _measurement(COLD, "sfeed", 10.5), _measurement(COLD, "reader", 31.0))
    assert _verdicts(*good)["cold: no slower than sfeed"] == "holds"
    assert _verdicts(*good)["cold: at least 3 x faster than reader"] == "holds"
    assert _verdicts(*good)["all 304: at most 1.5 x the raw loop"] == "not measured"
    bad = _verdicts(
        _measurement(COLD, OURS, 11.0, stall_s=0.31, peak_mb=251),
        _measurement(COLD, "sfeed", 10.5),
        _measurement(COLD, "reader", 31.0),
        _measurement(NOT_MODIFIED, RAW, 1.0),
        _measurement(NOT_MODIFIED, OURS, 1.6),
    )
    assert bad["cold: no slower than sfeed"] == "MISSED"
    assert bad["cold: at least 3 x faster than reader"] == "MISSED"
    assert bad["all 304: at most 1.5 x the raw loop"] == "MISSED"
    assert bad["the event loop never stalls longer than 0.3 s"] == "MISSED"
    assert bad["peak memory under 250 MB, workers included"] == "MISSED"


def test_a_peer_that_left_work_undone_is_not_called_fast() -> None:
    """Neither as the fastest peer nor in a ratio; the table says what it left. The floor is no peer."""
    measurements = [
        _measurement(ONE_NEW, OURS, 1.0),
        _measurement(ONE_NEW, FLOOR, 0.5),
        _measurement(ONE_NEW, "sfeed", 0.1, fault="only 3 new items were kept"),
        _measurement(ONE_NEW, "newsboat", 6.0),
    ]
    figures = Figures(measurements)
    assert figures.fastest_peer(ONE_NEW) == "newsboat"
    assert figures.ratio(ONE_NEW, "sfeed", OURS) is None
    assert _verdicts(*measurements)["one new each: at least 5 x faster than the fastest peer (newsboat)"] == "holds"
    assert any("left undone: only 3 new items" in line for line in table(figures))


def test_a_pass_of_ours_that_left_work_undone_holds_no_target() -> None:
    """Quick, small and without stalls is also who does nothing."""
    verdicts = _verdicts(_measurement(COLD, OURS, 0.1, fault="500 feeds failed"), _measurement(COLD, "sfeed", 9.0))
    assert set(verdicts.values()) == {"not measured"}


def test_ratios_are_taken_within_a_round() -> None:
    """A machine that was twice as slow in one round changes no ratio."""
    measurements = [
        _measurement(COLD, name, pass_s * slow, round_)
        for round_, slow in enumerate((1, 2, 1.5))
        for name, pass_s in ((RAW, 1.0), (OURS, 3.0))
    ]
    assert Figures(measurements).ratio(COLD, OURS, RAW) == pytest.approx(3.0)
