"""Commands of a shift in Traditional Chinese: what people read is, what machines read is not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from alerts import incidents, silences
from alerts.cli import cli
from alerts.dispatch import dispatch
from alerts.suppression import SilenceMatchers
from monitor import language
from monitor.cli.base import now
from monitor.config import Settings
from monitor.store import Store
from monitor.types import Lang
from tests.alerts.rows import add_incident


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("incidents", "list"), "最後見於"),
        (("incidents", "show", "1"), "已併入 2"),
        (("silences", "list"), "隱藏對象"),
        (("silences", "add", "incident=1", "--for", "1h", "--reason", "稍後", "--dry-run"), "現時會隱藏"),
        (("clocks",), "則警示；以分鐘計"),
        (("routes", "test", "claim_type=scam-lure"), "如無人處理"),
        (("status",), "隊列 1 則待處理"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_tables_and_sentences(store: Store, settings: Settings, words: tuple[str, ...], says: str) -> None:
    """In the language asked for; the keys of JSON stay as they are."""
    moment = now()
    for title in ("碼頭關閉", "碼頭關閉了"):
        add_incident(store, moment, title=title, outlets=["翠灣時報"])
    dispatch(store, settings, moment)
    incidents.merge(store, settings, "岑", moment, 2, 1, "同一錄音")
    matchers = SilenceMatchers.read(["claim_type=opinion-or-satire"])
    silences.add(store, settings, matchers, "岑", "節目", moment, moment + timedelta(hours=1))
    try:
        shown = CliRunner().invoke(cli, ["-c", settings.file, "--language", "zh-Hant", *words]).stdout
        as_json = CliRunner().invoke(cli, ["-c", settings.file, "--language", "zh-Hant", *words, "--json"]).stdout
    finally:
        language.use(Lang.EN)
    assert says in shown
    for row in as_json.splitlines():
        assert all(key.isascii() for key in json.loads(row))
