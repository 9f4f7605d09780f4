"""`run`: drives every stage, stops within ten seconds, refuses a second one, survives kill -9."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from alerts import demo
from alerts.daemon import most_passes
from alerts.running import PASS_S
from monitor.config import Settings, load_file
from monitor.starter import write_starter
from monitor.store import Store, decisions, feeds, open_store, runs
from monitor.store.schema import alerts, hosts
from monitor.types import Decision, Lang, Opinion, Review, Role
from tests.alerts.rows import add_incident
from tests.fakes import feed_server, item, rss
from tests.receiver import receiver_server

CLI = [sys.executable, "-m", "alerts"]


@contextmanager
def _daemon(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([*CLI, "run", *arguments], cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def _prepare(folder: Path, address: str, slugs: Iterable[str] = ()) -> Store:
    file = folder / "pollwatch.toml"
    file.write_text('[fetch]\nallow_private = ["127.0.0.0/8"]\n[daemon]\ntick_s = 1\n', encoding="utf-8")
    store = open_store(load_file(file).database_url)
    with store.write() as connection:
        for slug in slugs or demo.sample_documents(datetime.now(UTC))[0]:
            feeds.add(connection, f"{address}/{slug}", datetime.now(UTC), outlet=slug, role=Role.MEDIA, lang=Lang.EN)
    return store


def _state(store: Store) -> dict[str, Any]:
    """Everything a pass leaves behind, without ids and instants."""
    queries = {
        "items": "SELECT f.url, i.key, i.title, i.summary, i.revision, i.lang, i.published_at "
        "FROM items i JOIN feeds f ON f.id = i.feed_id",
        "revisions": "SELECT count(*) FROM revisions",
        "assessments": "SELECT f.url, i.key, a.revision, a.model_id, a.label, round(CAST(a.score AS numeric), 6), "
        "a.flagged, a.stance, a.claim_type, a.matches, a.findings, a.reasons FROM assessments a "
        "JOIN items i ON i.id = a.item_id JOIN feeds f ON f.id = i.feed_id",
        "incidents": "SELECT title, claim_type FROM incidents",
        "members": "SELECT n.title, f.url, i.key, x.reason FROM incidents n JOIN incident_items x "
        "ON x.incident_id = n.id JOIN items i ON i.id = x.item_id JOIN feeds f ON f.id = i.feed_id",
        "alerts": "SELECT n.title, a.state, a.priority, a.priority_reasons, round(CAST(a.score AS numeric), 6), "
        "a.route, a.level FROM alerts a JOIN incidents n ON n.id = a.incident_id",
        "captures": "SELECT f.url, i.key, c.kind, c.revision FROM captures c JOIN items i ON i.id = c.item_id "
        "JOIN feeds f ON f.id = i.feed_id",
        # One entry a file of evidence: how many there are depends on when a pass was killed.
        "audit": "SELECT action, count(*) FROM audit WHERE action != 'evidence.write' GROUP BY action",
        "feeds": "SELECT url, etag, body_sha256, failures, error_kind, enabled FROM feeds",
    }
    with store.read() as connection:
        return {name: sorted(map(str, connection.exec_driver_sql(query))) for name, query in queries.items()}


def test_it_works_until_sigterm_and_a_second_one_is_refused(folder: Path) -> None:
    """Alerts appear and the purge runs; a second daemon gets one sentence; SIGTERM ends the first in time."""
    documents, _ = demo.sample_documents(datetime.now(UTC))
    with demo.serve(documents) as address:
        store = _prepare(folder, address)
        with _daemon(folder) as process:
            deadline = time.monotonic() + 60
            while not _state(store)["alerts"]:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
            _wait_for(process, lambda: _ended(store, "purge"))
            second = subprocess.run([*CLI, "run"], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
            assert second.returncode == 1
            assert second.stderr.startswith("pollwatch: another pollwatch daemon works on this store")
            assert second.stderr.count("\n") == 1
            process.send_signal(signal.SIGTERM)
            asked = time.monotonic()
            assert process.wait(timeout=10) == 0
            assert time.monotonic() - asked < 10
        store.close()


@pytest.mark.parametrize(("name", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_slow_feed_does_not_keep_it_from_stopping(folder: Path, name: signal.Signals, code: int) -> None:
    """It ends in time, without a traceback, and the pass that was cut off is no failure of the feed."""
    with feed_server() as server:
        url = server.put("/slow", rss(), delay_s=60)
        store = _prepare(folder, url.rpartition("/")[0], ["slow"])
        with _daemon(folder) as process:
            deadline = time.monotonic() + 60
            while not server.requests:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.send_signal(name)
            assert process.wait(timeout=10) == code
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()
        with store.read() as connection:
            assert [feed.failures for feed in feeds.listing(connection)] == [0]
        store.close()


def test_a_tick_does_not_wait_for_the_slow_feeds_of_those_before(folder: Path) -> None:
    """Passes overlap: what falls due while four hosts drip, each asked at a tick of its own, is fetched at its time."""
    with ExitStack() as stack:
        slow = [stack.enter_context(feed_server()) for _ in range(4)]
        server = stack.enter_context(feed_server())
        for each in slow:
            each.put("/slow", delay_s=25)
        store = _prepare(folder, slow[0].url(""), ["slow"])
        with _daemon(folder) as process:
            _wait_for(process, lambda: slow[0].requests)
            begun = time.monotonic()
            for each in slow[1:]:
                _add(store, each.url("/slow"))
                _wait_for(process, lambda each=each: each.requests)  # type: ignore[misc]  # its own
            _add(store, server.put("/quick", rss(item("甲", guid="1"))))
            _wait_for(process, lambda: server.spans)
            assert time.monotonic() - begun < 20
            assert all(each.spans == [] for each in slow)
        store.close()


def _add(store: Store, url: str) -> None:
    with store.write() as connection:
        feeds.add(connection, url, datetime.now(UTC))


def test_no_tick_is_left_out_while_a_pass_lives_as_long_as_it_can() -> None:
    """There are passes for every tick of the longest life of one, whatever the configuration."""
    for tick_s, timeout_s, parse_timeout_s in ((1, 600.0, 20.0), (30, 30.0, 20.0), (3600, 1.0, 1.0), (7, 8.0, 9.5)):
        settings = Settings(
            daemon={"tick_s": tick_s}, fetch={"timeout_s": timeout_s, "parse_timeout_s": parse_timeout_s}
        )
        ticks = (PASS_S + timeout_s + parse_timeout_s) / tick_s
        assert ticks + 1 <= most_passes(settings) < ticks + 2


def _ended(store: Store, stage: str) -> bool:
    with store.read() as connection:
        row = runs.latest(connection).get(stage)
    return bool(row and row["finished_at"] and not row["error"])


def _wait_for(process: subprocess.Popen[str], happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_slow_receiver_holds_up_no_other_stage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While its service is waited for, the queue goes on."""
    with receiver_server() as inbox:
        inbox.delay_s = 20
        monkeypatch.setenv("POLLWATCH_RECEIVER_DESK", inbox.address("desk", "?rto=60"))
        with (folder / "routes.toml").open("a", encoding="utf-8") as file:
            file.write('[[receiver]]\nname = "desk"\ngroup_wait_s = 0\n')
        store = _prepare(folder, "http://127.0.0.1:1", ["nothing"])
        add_incident(store, datetime.now(UTC))
        with _daemon(folder):
            deadline = time.monotonic() + 60
            while not inbox.busy:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            asked = datetime.now(UTC)
            while _stages(store).get("escalate", {"started_at": asked})["started_at"] <= asked:
                assert inbox.busy
                time.sleep(0.05)
        store.close()


def test_it_learns_when_decisions_have_come_in(folder: Path) -> None:
    """In a process of its own, recorded like a stage; a daemon that is killed meanwhile leaves no process behind."""
    store = _prepare(folder, "http://127.0.0.1:1", ["nothing"])
    with (folder / "pollwatch.toml").open("a", encoding="utf-8") as file:
        file.write("[learn]\nmin_decisions = 1\n")
    incident_id = add_incident(store, datetime.now(UTC))
    with store.write() as connection:
        alert = {"incident_id": incident_id, "state": "decided", "priority": 2, "priority_reasons": []}
        row = insert(alerts).values(alert | {"score": 0, "route": "", "opened_at": datetime.now(UTC)})
        alert_id = connection.execute(row.returning(alerts.c.id)).scalar_one()
        opinion = Opinion(Review.FIRST, "wing", Decision.DISMISS, None, "not-false", datetime.now(UTC))
        decisions.add(connection, alert_id, opinion)
    with _daemon(folder):
        deadline = time.monotonic() + 120
        while not _stages(store).get("learn"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with store.lock("train", wait_s=10):  # held by nobody: the process died with the daemon
        pass
    assert _stages(store)["learn"]["finished_at"] is None
    with _daemon(folder) as process:
        deadline = time.monotonic() + 150
        while not _stages(store)["learn"]["finished_at"]:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        learned = _stages(store)["learn"]
        assert (learned["error"], learned["report"]["trained"]) == (None, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    store.close()


def _stages(store: Store) -> dict[str, Any]:
    with store.read() as connection:
        return runs.latest(connection)


def test_it_does_not_start_on_a_wrong_file(folder: Path) -> None:
    """One sentence before anything is fetched, for the daemon and for a single pass."""
    (folder / "watchlist.toml").write_text(
        '[[candidate]]\nid = "x"\nnames = ["某"]\nstatus = "winner"\n', encoding="utf-8"
    )
    for words in (["run"], ["run", "--once"]):
        done = subprocess.run([*CLI, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert "watchlist.toml: candidate.0.status" in done.stderr
        assert "Traceback" not in done.stderr


def test_once_reports_every_stage(folder: Path) -> None:
    """`run --once --json`: one object, a key for each stage, in the order of the flow."""
    documents, rows = demo.sample_documents(datetime.now(UTC))
    with demo.serve(documents) as address:
        _prepare(folder, address).close()
        done = subprocess.run([*CLI, "run", "--once", "--json"], cwd=folder, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    early = ["collect", "subscribe", "assess", "group", "sample", "index"]
    stages = [*early, "dispatch", "escalate", "notify", "digest", "capture"]
    assert list(report) == stages
    assert report["collect"]["items_new"] == len(rows)
    assert report["collect"]["failed"] == 0


@pytest.fixture
def desk(tmp_path: Path, new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Makes one more working folder with a store of its own, on which everything works from then on."""

    def make(name: str, address: str) -> Path:
        monkeypatch.setenv("POLLWATCH_DATABASE__URL", new_url())
        write_starter(tmp_path / name)
        _prepare(tmp_path / name, address).close()
        return tmp_path / name

    return make


def _kill_rounds(desk: Callable[[str, str], Path], stores: int) -> None:
    """Two kills on each of so many stores, each then compared with one that nobody disturbed."""
    dice = random.Random(stores)
    documents, _ = demo.sample_documents(datetime(2026, 3, 1, tzinfo=UTC))  # dates to come would be read as now
    with demo.serve(documents) as address:
        undisturbed = desk("undisturbed", address)
        began = time.monotonic()
        _run(undisturbed, "run", "--once")
        whole = time.monotonic() - began
        expected = _state_of(undisturbed)
        for number in range(stores):
            killed = desk(f"killed-{number}", address)
            for _ in range(2):
                process = subprocess.Popen([*CLI, "run", "--once"], cwd=killed, stderr=subprocess.DEVNULL)
                time.sleep(dice.uniform(0.2, whole))
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                _let_leases_run_out(killed)
            _run(killed, "run", "--once")  # one pass; feeds that answered before a kill are not due, and need not be
            found = _state_of(killed)
            for table, rows in expected.items():
                assert found[table] == rows, table
            _run(killed, "audit", "verify")


def _let_leases_run_out(folder: Path) -> None:
    """What half a minute does: a pass that was killed keeps its hosts from others until then."""
    store = open_store(load_file(folder / "pollwatch.toml").database_url)
    with store.write() as connection:
        connection.execute(update(hosts).values(held_until=datetime(2000, 1, 1, tzinfo=UTC)))
    store.close()


def _run(folder: Path, *words: str) -> None:
    subprocess.run([*CLI, *words], cwd=folder, check=True, capture_output=True)


def _state_of(folder: Path) -> dict[str, Any]:
    store = open_store(load_file(folder / "pollwatch.toml").database_url)
    try:
        return _state(store)
    finally:
        store.close()


def test_killed_at_random_moments_one_pass_restores_the_undisturbed_state(desk: Callable[[str, str], Path]) -> None:
    """kill -9 during a pass; the soak below does it fifty times."""
    _kill_rounds(desk, 3)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_killed_fifty_times(desk: Callable[[str, str], Path]) -> None:
    """The same, fifty times."""
    _kill_rounds(desk, 25)
