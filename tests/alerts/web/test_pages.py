"""The dashboard: each page says what the store holds, to its reader, in one request that runs nothing."""

from __future__ import annotations

import asyncio
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.message import Message
from html.parser import HTMLParser
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from alerts.dispatch import dispatch
from alerts.status import status
from alerts.web import board as pages
from alerts.web import kept
from alerts.web.kept import Kept
from alerts.web.look import language
from alerts.web.model import interval, reliability
from alerts.web.overview import in_time
from alerts.web.parts import web_address
from monitor.config import Settings
from monitor.store import Store
from monitor.store.board import Ruling
from tests.alerts.rows import WITHDRAWN, add_incident
from tests.alerts.web.desk import served
from tests.alerts.web.filled import REVIEWERS, SECRET, fill
from tests.hub import call

PATHS = ("/", "/incidents", "/feeds", "/candidates", "/model", "/silences", "/audit")
MIN = timedelta(minutes=1)


class _Tags(HTMLParser):
    """Every tag with its attributes, and what stands open at the end."""

    _VOID = frozenset({"meta", "link", "br", "img", "circle", "path", "polyline", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, Mapping[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._VOID:
            assert self.open.pop() == tag


def _get(address: str, **headers: str) -> tuple[int, Message, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=named), timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def test_every_page_says_what_is_there_in_both_languages(
    store: Store, settings: Settings, configure: Callable[[str], Settings]
) -> None:
    """Strangers' words are words, nothing is loaded or run, no reviewer is named, a blind opinion stays so."""
    settings = configure("[web]\nport = 0\n[election]\nname = 'A <b>bold</b> election'")
    found = fill(store, settings, datetime.now(UTC))
    with served(store, settings) as address:
        for path in (*PATHS, *(f"/incidents/{id}" for id in found.values())):
            for lang, other in (("en", "zh-Hant"), ("zh-Hant", "en")):
                code, headers, text = _get(f"{address}{path}?lang={lang}")
                assert code == 200, path
                _require_harmless(headers, text)
                assert f'<html lang="{lang}">' in text
                assert f'hreflang="{other}" href="{path}?lang={other}"' in text
                assert "A &lt;b&gt;bold&lt;/b&gt; election" in text
                assert not any(name in text for name in (*REVIEWERS, SECRET)), path
                hrefs = [attributes["href"] or "" for tag, attributes in _Tags(text).seen if tag == "a"]
                assert all(f"lang={lang}" in href for href in hrefs if href.startswith("/") and other not in href)
        assert "P1" in _get(f"{address}/?lang=en")[2]
        assert "卓望晴" in _get(f"{address}/candidates?lang=zh-Hant")[2]
        needed = _get(f"{address}/?lang=zh-Hant")[2].partition("須人手處理</h2>")[2]
        assert "從未執行：`pollwatch run`" in needed
        assert "nothing has run" not in needed
        spread = _get(f"{address}/?lang=zh-Hant")[2].partition("正在擴散</h2>")[2]
        assert f"/incidents/{found['hostile']}?" in spread.partition("</section>")[0]
        for path, words in {
            "/incidents": ("watch", "dismiss", "waits for another opinion"),
            "/feeds": ("a page, no feed", "gone", "failing"),
            "/candidates": ("Vivian Cheuk", "not enough"),
            "/model": ("seed-1", "0.81", "<svg", "67"),
            "/silences": ("lin", "incident = "),
            "/audit": ("alert.decide", "silence.add"),
        }.items():
            text = _get(f"{address}{path}?lang=en")[2]
            assert all(word in text for word in words), path


def _require_harmless(headers: Message, text: str) -> None:
    tags = _Tags(text)
    assert tags.open == []
    assert not {"script", "img", "iframe", "form", "object", "base"} & {tag for tag, _ in tags.seen}
    for tag, attributes in tags.seen:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert tag == "a" or not any("//" in (attributes.get(name) or "") for name in ("href", "src"))
    assert "49" not in re.findall(r"\{\{ 7\*7 \}\}|>49<", text)
    assert not re.search("[\u202e\x1b]", text)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src '{pages.style()[1]}'; img-src data:;")
    assert "frame-ancestors 'none'" in policy
    assert pages.style()[0] in text
    for name, value in {
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
    }.items():
        assert headers[name] == value


def test_an_empty_store_has_pages_too(store: Store, configure: Callable[[str], Settings]) -> None:
    """Each says that there is nothing; what is not there is not found; nothing but reading is allowed."""
    with served(store, configure("[web]\nport = 0")) as address:
        for path in PATHS:
            assert _get(address + path)[0] == 200, path
        for path in (
            "/incidents/1",
            "/incidents/x",
            "/incidents?page=0",
            "/incidents?page=x",
            "/feeds?page=99999",
            "/x",
        ):
            assert _get(address + path)[0] == 404, path
        for path in ("/", "/incidents", "/metrics"):
            assert call(address + path, b"x")[0] == 405


def test_metrics_are_what_status_says(store: Store, configure: Callable[[str], Settings]) -> None:
    """Read back by Prometheus's own parser: health, queue and feeds agree with `status`, and with /healthz."""
    settings = configure("[web]\nport = 0")
    fill(store, settings, datetime.now(UTC))
    with served(store, settings) as address:
        health = _get(f"{address}/healthz")
        code, headers, text = _get(f"{address}/metrics")
    assert code == 200
    assert headers["Content-Type"].startswith("text/plain; version=")
    read = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    found = status(store, settings, datetime.now(UTC))
    assert (health[0], health[2].splitlines()) == (503, found["problems"])
    assert read["pollwatch_up",] == 0
    assert read["pollwatch_problems",] == len(found["problems"])
    assert read["pollwatch_feeds", "failing"] == found["feeds"]["failing"] == 2
    assert read["pollwatch_alerts", "second_review"] == found["queue"]["second_review"] == 1
    assert sum(read["pollwatch_alerts_waiting", f"P{each}"] for each in range(1, 5)) == found["queue"]["live"]
    assert read["pollwatch_alerts_hidden", "silence"] == 1
    assert read["pollwatch_leg_seconds", "decide", "0.5"] == found["clocks"]["legs"]["decide"]["p50"] * 60
    assert read["pollwatch_model_info", "seed-1"] == 1


def test_the_feed_of_clarifications_is_the_file_that_was_published(
    store: Store, configure: Callable[[str], Settings], folder: Path
) -> None:
    """Byte for byte, for everybody."""
    (folder / "public").mkdir()
    (folder / "public" / "clarifications.xml").write_bytes("<rss>澄清</rss>".encode())
    with served(store, configure("[web]\nport = 0")) as address:
        code, headers, text = _get(f"{address}/clarifications.xml", Host="feeds.example")
    assert (code, text) == (200, "<rss>澄清</rss>")
    assert headers["Content-Type"] == "application/rss+xml; charset=utf-8"


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        ("zh-Hant", "en", "zh-Hant"),
        ("fr", "zh-HK,zh;q=0.9,en;q=0.8", "zh-Hant"),
        (None, "en-GB,en;q=0.9,zh-TW;q=0.8", "en"),
        (None, "fr,en;q=0.1,zh;q=0.2", "zh-Hant"),
        (None, "zh;q=0,en;q=0.1", "en"),
        (None, "zh;q=nan,de", "en"),
        (None, "", "en"),
        ("zh-Hans", "*" * 5000, "en"),
    ],
)
def test_a_page_speaks_what_its_reader_asked_for(asked: str | None, accepted: str, expected: str) -> None:
    """By the address first, then by what the browser likes best; English where it names none of ours."""
    assert language(asked, accepted) == expected


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "//x", "http://", "ftp://x", "http://[", None]
)
def test_only_addresses_of_the_web_are_links(link: str | None) -> None:
    """What a browser would run, or cannot open, stands there as words."""
    assert web_address(link) is None
    assert web_address("https://harbour.example/1") == "https://harbour.example/1"


def test_in_time_are_those_that_kept_their_target() -> None:
    """What waits beyond it has missed it; what waits within it says nothing yet."""
    assert in_time([], 5 * MIN) is None
    assert in_time([(None, 4 * MIN)], 5 * MIN) is None
    spans = [(5 * MIN, 9 * MIN), (6 * MIN, 9 * MIN), (None, 9 * MIN), (None, 4 * MIN)]
    assert in_time(spans, 5 * MIN) == pytest.approx(1 / 3)


def test_a_point_of_the_curve_needs_decisions() -> None:
    """Five of a tenth of the scale; the share is of those that were not dismissed; 1 belongs to the last tenth."""
    rulings = (
        [Ruling(0.5, "dismiss", None)] * 4 + [Ruling(1.0, "clarify", "false")] * 4 + [Ruling(0.9, "dismiss", None)]
    )
    ((score, share),) = reliability(rulings)
    assert (score, share) == (pytest.approx(0.98), 0.8)


def test_an_interval_holds_its_share() -> None:
    """Wilson's, by the book: 81 of 263 is 0.255 to 0.366 (Newcombe 1998, "Two-sided confidence intervals", table I)."""
    assert interval(81, 263) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))
    assert interval(0, 20)[0] == 0
    assert interval(20, 20)[1] == 1


def test_many_readers_cost_one_look() -> None:
    """Who asks at the same time gets the same answer; a fault is told to each and not kept; the rest makes room."""

    async def ask() -> None:
        made = threading.Semaphore(0)
        answers: Kept[str] = Kept(60)

        def make() -> str:
            made.release()
            return "page"

        assert await asyncio.gather(*(answers.get("a", make) for _ in range(20))) == ["page"] * 20
        assert made.acquire(blocking=False)
        assert not made.acquire(blocking=False)
        with pytest.raises(ZeroDivisionError):
            await answers.get("b", lambda: str(1 // 0))
        assert await answers.get("b", make) == "page"
        for number in range(3 * kept.MOST):
            await answers.get(f"page {number}", make)
        assert len(answers._answers) == kept.MOST

    asyncio.run(ask())


def test_a_team_bears_the_name_of_the_reader_s_language(store: Store, configure: Callable[[str], Settings]) -> None:
    """An alert says for whom it was opened, in Chinese never by the name that routes.toml knows the team by."""
    settings, now = configure("[web]\nport = 0"), datetime.now(UTC)
    incident = add_incident(store, now, findings=[WITHDRAWN])
    dispatch(store, settings, now)
    with served(store, settings) as address:
        english, chinese = (_get(f"{address}/incidents/{incident}?lang={lang}")[2] for lang in ("en", "zh-Hant"))
    assert "for team desk-chinese" in english
    assert "中文組" in chinese
    assert "desk-chinese" not in chinese
