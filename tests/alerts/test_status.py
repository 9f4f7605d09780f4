"""`status` and the exit of the program: what is wrong is said, in a sentence, with the right code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.pipeline import STAGES
from alerts.status import check_configuration, look, status
from monitor.config import Settings
from monitor.errors import FeedError, FeedErrorKind
from monitor.language import render, speaking
from monitor.store import Store, feeds, runs
from monitor.text import HAN

CLI = [sys.executable, "-m", "alerts"]


def _problems(store: Store, settings: Settings, now: datetime) -> list[str]:
    return [p for p in status(store, settings, now)["problems"] if "feeds" not in p and "model" not in p]


def test_a_stage_that_hangs_does_not_hide_behind_the_others(store: Store, settings: Settings, now: datetime) -> None:
    """Each is judged by itself: never run, begun and never finished, failed."""
    with store.write() as connection:
        for name, _ in STAGES:
            runs.started(connection, name, now)
            runs.finished(connection, name, now, report={})
    assert _problems(store, settings, now + timedelta(minutes=5)) == []
    later = now + timedelta(hours=3)
    with store.write() as connection:
        for name, _ in STAGES:
            runs.started(connection, name, later)
            if name not in ("collect", "assess"):
                runs.finished(connection, name, later, report={})
        runs.finished(connection, "assess", later, error="OSError: no space")
    collect, assess = _problems(store, settings, later)
    assert collect.startswith("collect last finished 2027-03-01 12:30, last begun 2027-03-01 15:30")
    assert assess == "assess failed: OSError: no space"


def test_a_daemon_that_is_down_is_one_sentence(store: Store, settings: Settings, now: datetime) -> None:
    """Everything ended, and nothing has begun since: that is not the fault of each stage."""
    with store.write() as connection:
        for name, _ in STAGES:
            runs.started(connection, name, now)
            runs.finished(connection, name, now, report={})
    assert _problems(store, settings, now + timedelta(hours=3)) == [
        "no stage has begun since 2027-03-01 12:30: is `pollwatch run` up?"
    ]
    with store.write() as connection:
        runs.started(connection, "collect", now + timedelta(minutes=1))  # and hangs: that is another matter
    assert len(_problems(store, settings, now + timedelta(hours=3))) == len(STAGES)


def test_an_error_stays_until_the_next_run_has_ended(store: Store, settings: Settings, now: datetime) -> None:
    """A stage that fails at every tick must not look well while it tries again."""
    with store.write() as connection:
        for name, _ in STAGES:
            runs.started(connection, name, now)
            runs.finished(connection, name, now, report={})
        runs.finished(connection, "group", now, error="it broke")
        runs.started(connection, "group", now + timedelta(seconds=30))
    assert _problems(store, settings, now + timedelta(minutes=1)) == ["group failed: it broke"]


def test_each_line_of_status_says_its_own_thing(settings: Settings) -> None:
    """No line begins like another: what is counted twice is believed nowhere."""
    done = subprocess.run([*CLI, "-c", str(settings.file), "status"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    begins = [line.split()[0] for line in done.stdout.splitlines()]
    assert {"feeds", "queue", "model", "daemon", "people"} <= set(begins)
    assert len(begins) == len(set(begins)), done.stdout


def test_what_is_probably_not_meant_is_noted(store: Store, settings: Settings, now: datetime) -> None:
    """Nobody gets the mail, no polling day, the invented sample still in place: notes, not faults."""
    notes = " ".join(status(store, settings, now)["notes"])
    for words in ("digest.receivers", "polling_opens", "watchlist.toml is still", "facts.toml is still"):
        assert words in notes


def test_feeds_that_need_a_person_are_problems(store: Store, settings: Settings, now: datetime) -> None:
    """One that cannot be read, with its last good answer, and one that is silent; a slow one is only listed."""
    with store.write() as connection:
        for number in (1, 2, 3):
            feeds.add(connection, f"https://a.example/{number}", now, outlet=f"Outlet {number}")
            feeds.record_success(connection, number, now, now, last_new_at=now if number != 2 else None, answer_s=20.0)
        error = FeedError("https://a.example/1", FeedErrorKind.DNS, "the host name does not resolve")
        feeds.record_failure(connection, 1, now, now, error, strikes=1)
    found = status(store, settings, now)
    assert [problem for problem in found["problems"] if problem.startswith("feed ")] == [
        "feed 1 Outlet 1 fails: dns: the host name does not resolve, last good answer 2027-03-01 12:30",
        "feed 2 Outlet 2 is silent: it answers, but has not listed one entry yet; its last answer took 20 s",
    ]
    assert [(row["id"], row["health"]) for row in found["feeds"]["unwell_feeds"]] == [(2, "silent"), (3, "slow")]


def test_what_needs_a_person_is_said_in_the_language_of_the_reader(
    store: Store, settings: Settings, now: datetime
) -> None:
    """Each sentence has its Chinese form, with names of codes and times as people write them; JSON stays English."""
    with store.write() as connection:
        feeds.add(connection, "https://a.example/1", now, outlet="海港日報")
        error = FeedError("https://a.example/1", FeedErrorKind.DNS, "the host name does not resolve")
        feeds.record_failure(connection, 1, now, now, error, strikes=1)
        runs.started(connection, "assess", now - timedelta(hours=2))
        runs.finished(connection, "assess", now, error="OSError: no space")
    found = look(store, settings, now)
    with speaking("zh-Hant"):
        said = [render(sentence) for sentence in (*found["problems"], *found["notes"])]
    assert all(HAN.search(sentence) for sentence in said), said
    fails = "來源 1（海港日報）讀取失敗：找不到伺服器名稱（the host name does not resolve），上次正常回應：從未"
    assert fails in said
    assert "工序 assess 失敗：OSError: no space" in said
    english = status(store, settings, now)
    assert [sentence.text for sentence in found["problems"]] == english["problems"]
    assert "assess failed: OSError: no space" in english["problems"]


def _run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*CLI, *words], cwd=folder, capture_output=True, check=False, env={**os.environ, **environment}, timeout=60
    )


@pytest.mark.sqlite  # whoever runs a server looks after its files
@pytest.mark.parametrize("words", [["items", "list"], ["status"], ["alerts", "list"], ["db", "upgrade"]])
def test_a_damaged_store_is_one_sentence(folder: Path, words: list[str]) -> None:
    """Never a traceback; `db check` calls it damage and answers no."""
    (folder / "pollwatch.db").write_bytes(b"this is not a database" * 500)
    done = _run(folder, *words)
    assert done.returncode == 2
    assert done.stderr.startswith(b"pollwatch: the store sqlite:///")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.sqlite
def test_db_check_answers_no_for_a_damaged_store(folder: Path) -> None:
    """Pages overwritten in the middle are what a dying disk leaves."""
    path = folder / "pollwatch.db"
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 9 * 4096] = os.urandom(6 * 4096)
    path.write_bytes(content)
    done = _run(folder, "db", "check", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["problems"]


def test_a_locale_without_our_characters_and_a_full_device_are_no_tracebacks(folder: Path) -> None:
    """Cron runs in odd environments."""
    odd = _run(folder, "feeds", "add", "https://a.example/rss", "--outlet", "海港日報", PYTHONIOENCODING="ascii")
    assert odd.returncode == 0
    listed = _run(folder, "feeds", "list", PYTHONIOENCODING="ascii")
    assert listed.returncode == 0
    assert b"\\u6d77" in listed.stdout
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*CLI, "items", "list", "--json"], cwd=folder, stdout=full, stderr=subprocess.PIPE, check=False
        )
        assert done.returncode == 0  # nothing to print
        done = subprocess.run([*CLI, "feeds", "list"], cwd=folder, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["items", "list", "--json"], ["feeds", "list"], ["config", "check", "--json"]])
def test_a_closed_pipe_is_no_fault(folder: Path, words: list[str]) -> None:
    """The reader is gone before the first word, as after `pollwatch … | head -1` under pipefail."""
    _run(folder, "feeds", "add", "https://a.example/rss")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run([*CLI, *words], cwd=folder, stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert done.returncode == 0
    assert b"Error" not in done.stderr


def test_wrong_words_end_with_2(folder: Path) -> None:
    """Ids beyond what a database counts, times beyond the calendar, an act that contradicts itself."""
    for words in (
        ["alerts", "show", "9" * 20],
        ["items", "show", "9" * 20],
        ["audit", "list", "--since", "0001-01-01"],
        ["digest", "--date", "0001-01-01"],
        ["alerts", "take", "--reviewer", " "],
        ["models", "evaluate", "--model", "nope"],
        ["nonsense"],
    ):
        done = _run(folder, *words)
        assert done.returncode == 2, words
        assert b"Traceback" not in done.stderr, words


def test_a_folder_of_evidence_that_cannot_be_is_a_fault_of_the_configuration(folder: Path) -> None:
    """Named with its key before the daemon starts; not where nothing is captured."""
    file = folder / "pollwatch.toml"
    text = file.read_text(encoding="utf-8")
    wrong = text.replace('directory = "evidence"', 'directory = "no/such/place"')
    file.write_text(wrong, encoding="utf-8")
    (problem,) = check_configuration(str(file))
    assert f"evidence.directory: {folder}/no/such is no folder that can be written" in problem
    file.write_text(wrong.replace("[evidence]", "[evidence]\nenabled = false"), encoding="utf-8")
    assert check_configuration(str(file)) == []
