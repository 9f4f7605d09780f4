"""`web`: strangers get nothing, a monitor hears how we are."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from alerts.status import status
from monitor.config import Settings, load_file
from monitor.store import Store
from tests.alerts.web.desk import STRANGER, Desk, served
from tests.hub import call, wait_until


def test_strangers_find_nothing(desk: Desk) -> None:
    """No path but ours, no token but ours, no other method, no question but the one we expect."""
    desk.ready()
    base, _, token = desk.hub.asked[0]["hub.callback"].rpartition("/websub/")
    for path in ("/x", "/websub/", STRANGER, f"/websub/{token}x", "/websub/..%2f", f"{STRANGER}?hub.mode=subscribe"):
        assert call(base + path)[0] == call(base + path, b"x")[0] == 404
    assert (
        call(f"{base}/websub/{token}", method="HEAD")[0] == call(f"{base}/websub/{token}", b"", method="PUT")[0] == 405
    )
    for changes in ({"hub_topic": "http://x.example/"}, {"hub_mode": "unsubscribe"}, {"hub_challenge": "a\nb"}):
        assert desk.hub.question(desk.hub.asked[0], **changes)[0] == 404
    assert call(f"{base}/websub/{token}?hub.topic=%ff%00&hub.mode=%ff")[0] == 404
    assert desk.live


def test_what_is_no_http_is_refused_and_fills_no_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Garbage, endless headers, bytes where none belong."""
    for sent in (b"\x16\x03\x01", b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000, b"GET /?\xff HTTP/1.1"):
        with socket.create_connection(("127.0.0.1", desk.settings.web.port), timeout=10) as caller:
            caller.sendall(sent + b"\r\n\r\n")
            assert b" 400 " in caller.recv(100)
    assert caplog.records == []


def test_health_is_said_in_the_words_of_status(store: Store, settings: Settings) -> None:
    """503 and what needs a person, a line each; strangers' words are made safe."""
    with served(store, settings) as address:
        code, text = call(f"{address}/healthz")
    assert code == 503
    assert text.splitlines() == status(store, settings, datetime.now(UTC))["problems"]
    assert "no feeds yet" in text


def test_a_monitor_may_ask_for_the_head_alone(store: Store, settings: Settings) -> None:
    """Many do by default: the status and the kind of text of GET, and no text."""
    with served(store, settings) as address:
        for path in ("/healthz", "/metrics", "/", "/feeds", "/clarifications.xml", "/x"):
            asked, headed = _answer(f"{address}{path}", "GET"), _answer(f"{address}{path}", "HEAD")
            assert headed[:2] == asked[:2], path
            assert headed[2] == b"", path


def _answer(url: str, method: str) -> tuple[int, str | None, bytes]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    with closing(connection):
        connection.request(method, parts.path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()


def test_a_store_that_cannot_be_used_is_no_secret_to_a_monitor(store: Store, settings: Settings) -> None:
    """503 in a sentence for the monitor; the callback only asks the hub to come again."""
    with store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE subscriptions RENAME TO other")
    with served(store, settings) as address:
        assert call(f"{address}/healthz")[0] == 503
        assert call(f"{address}{STRANGER}", b"x") == (503, "not now\n")


def _web(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "alerts", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_command_serves_until_sigterm(folder: Path) -> None:
    """It says where; a second one on the same port gets one sentence."""
    (folder / "pollwatch.toml").write_text("[web]\nport = 0\n", encoding="utf-8")
    process = _web(folder, "web", "--json")
    try:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]
        assert call(f"{address}/healthz")[0] == 503
        (folder / "pollwatch.toml").write_text(f"[web]\nport = {address.rpartition(':')[2]}\n", encoding="utf-8")
        second = _web(folder, "web")
        _, said = second.communicate(timeout=30)
        assert second.returncode == 2
        assert said.startswith("pollwatch: pollwatch.toml: web.port: cannot listen on 127.0.0.1 port ")
        assert said.count("\n") == 1
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_the_daemon_serves_it_when_it_is_configured(folder: Path, settings: Settings) -> None:
    """With `[web]` in the configuration, and only then."""
    process = _web(folder, "run")
    try:
        address = f"http://127.0.0.1:{settings.web.port}/healthz"

        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", settings.web.port)) == 0

        wait_until(answers)
        assert call(address)[0] == 503
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
    assert process.returncode == 0
    (folder / "pollwatch.toml").write_text("", encoding="utf-8")
    assert not load_file(folder / "pollwatch.toml").serves_web
    assert settings.serves_web
