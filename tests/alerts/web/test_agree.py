"""`status`, `/healthz` and /metrics are of one mind, whatever is wrong."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text, update

from alerts.cli import cli
from alerts.dispatch import dispatch
from alerts.pipeline import STAGES
from classifiers import registry
from monitor.collect import collect
from monitor.config import Settings, load_file
from monitor.errors import FeedErrorKind
from monitor.invisible import safe
from monitor.store import Store, feeds, runs, schema
from monitor.types import Lang, Role
from tests.alerts.rows import add_incident
from tests.alerts.web.desk import served
from tests.fakes import feed_server, item, rss

Fault = Callable[[Store, Settings], None]


def _well(store: Store, settings: Settings) -> None:
    """Every stage has just ended, there is a model, and the daemon's lock is the test's own business."""


def _a_stage_failed(store: Store, settings: Settings) -> None:
    with store.write() as connection:
        runs.finished(connection, "group", datetime.now(UTC), error="ValueError: \x1b[31m投票\u202e")


def _a_stage_hangs(store: Store, settings: Settings) -> None:
    with store.write() as connection:
        long_ago = datetime.now(UTC) - timedelta(hours=5)
        connection.execute(update(schema.runs).values(started_at=long_ago, finished_at=long_ago))


def _the_clock_went_back(store: Store, settings: Settings) -> None:
    with store.write() as connection:
        runs.finished(connection, "group", datetime.now(UTC) + timedelta(hours=3), report={})


def _a_feed_fails(store: Store, settings: Settings) -> None:
    with store.write() as connection:
        feeds.add(connection, "http://a.example/rss", datetime.now(UTC), outlet="A", role=Role.MEDIA, lang=Lang.EN)
        broken = {"error_kind": FeedErrorKind.TIMEOUT, "error_detail": "no answer", "failures": 9, "strikes": 9}
        connection.execute(update(schema.feeds).values(**broken, last_attempt_at=datetime.now(UTC)))


def _an_alert_is_late(store: Store, settings: Settings) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    add_incident(store, long_ago)
    dispatch(store, settings, long_ago)


def _the_routes_are_wrong(store: Store, settings: Settings) -> None:
    Path(settings.file).with_name("routes.toml").write_text("[route]\nteam = 3\n", encoding="utf-8")


def _the_store_is_damaged(store: Store, settings: Settings) -> None:
    with store.write() as connection:
        connection.execute(text("ALTER TABLE looked RENAME TO looked_away"))
        connection.execute(text("ALTER TABLE silences RENAME TO silences_away"))


@pytest.mark.parametrize(
    "fault",
    [
        _well,
        _a_stage_failed,
        _a_stage_hangs,
        _the_clock_went_back,
        _a_feed_fails,
        _an_alert_is_late,
        _the_routes_are_wrong,
        _the_store_is_damaged,
    ],
    ids=lambda fault: fault.__name__.strip("_"),
)
def test_the_same_verdict_in_the_same_words(store: Store, folder: Path, fault: Fault) -> None:
    """The exit code and the sentences of `status` are the answer of /healthz; `pollwatch_up` is that verdict."""
    file = folder / "pollwatch.toml"
    file.write_text('[web]\nport = 0\n[fetch]\nallow_private = ["127.0.0.0/8"]\n', encoding="utf-8")
    settings, now = load_file(file), datetime.now(UTC)
    registry.live(store, now)
    with feed_server() as server:
        url = server.put("/feed", rss(item("The ferry pier opens again")))
        with store.write() as connection:
            feeds.add(connection, url, now, outlet="Harbour Daily", role=Role.MEDIA, lang=Lang.EN)
        collect(store, settings, now)
    with store.write() as connection:
        for name, _ in STAGES:
            runs.started(connection, name, now)
            runs.finished(connection, name, now, report={})
    with store.lock("daemon"):
        fault(store, settings)
        with served(store, settings) as address:
            code, words = _asked(f"{address}/healthz")
            measured, figures = _asked(f"{address}/metrics")
            done = CliRunner().invoke(cli, ["-c", str(file), "status", "--json"])
    assert (done.exit_code == 0) == (code == 200) == (fault is _well), words
    if measured == 200:
        told = json.loads(done.stdout)
        assert [safe(problem) for problem in told["problems"]] == [line for line in words.splitlines() if line != "ok"]
        assert f"pollwatch_up {float(told['ok'])}" in figures
        assert f"pollwatch_problems {float(len(told['problems']))}" in figures
    else:  # nothing can be counted at all: one sentence, the same
        assert words.strip() in str(done.exception)
    assert not set("\x1b\u202e") & set(words)


def _asked(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
