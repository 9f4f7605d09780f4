"""No secret in what is printed, logged, exported, served or shown of processes."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from alerts.cli import cli
from alerts.dispatch import dispatch
from alerts.notify import notify
from alerts.web.board import PAGES
from alerts.web.guard import Guard
from monitor.config import Settings, load_file
from monitor.errors import BlockedAddressError, BrokenStoreError, ConfigError
from monitor.evidence_warc import Warc
from monitor.fetch import Fetcher
from monitor.guard import check_url
from monitor.parsing import ParsePool
from monitor.store import Store, open_store
from tests.alerts.rows import add_incident
from tests.alerts.web.desk import served
from tests.fakes import feed_server, rss
from tests.logged import logged

SECRETS = {
    "POLLWATCH_SMTP__PASSWORD": "hush-of-the-mail-server",
    "POLLWATCH_WEB__TOKEN": "hush-of-the-dashboard-000",
    "POLLWATCH_WEB__PROXY_SECRET": "hush-of-the-proxy-0000000",
    "POLLWATCH_RECEIVER_DESK": "json://desk:hush-of-the-receiver@127.0.0.1:9/hush-of-the-path",
}
DSN = "postgresql://desk:hush%2Fof-the-store@127.0.0.1:1/pollwatch"


@pytest.fixture
def desk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A desk that has every secret there is, in its environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    toml = '[smtp]\nusername = "desk"\n[web]\nport = 0\nproxy_header = "X-Desk"\n'
    (folder / "pollwatch.toml").write_text(toml, encoding="utf-8")
    routes = folder / "routes.toml"
    routes.write_text(routes.read_text(encoding="utf-8").partition("[[receiver]]")[0] + '[[receiver]]\nname = "desk"\n')
    return load_file(folder / "pollwatch.toml")


def _environments_of_children() -> list[bytes]:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [Path(f"/proc/{child}/environ").read_bytes() for child in children]


@pytest.mark.parametrize(
    "words",
    [
        ("config", "check", "--json"),
        ("status", "--json"),
        ("notify", "list", "--json"),
        ("notify", "test", "desk"),
        ("routes", "test", "priority=P1", "--json"),
        ("audit", "export", "{folder}/pack"),
        ("audit", "export", "{folder}/oversight.zip", "--oversight", "--since", "2027-02-01", "--until", "2027-04-01"),
        ("db", "upgrade", "--json"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_no_command_prints_or_writes_one(
    desk: Settings, store: Store, folder: Path, now: datetime, words: tuple[str, ...]
) -> None:
    """Neither on stdout nor on stderr, nor in any file that it leaves."""
    add_incident(store, now)
    dispatch(store, desk, now)
    before = set(folder.rglob("*"))
    done = CliRunner().invoke(cli, ["-c", desk.file, *(word.format(folder=folder) for word in words)])
    assert "Traceback" not in done.output
    assert "hush" not in done.output
    assert not isinstance(done.exception, BaseException) or "hush" not in str(done.exception)
    left = [file for file in set(folder.rglob("*")) - before if file.is_file()]
    assert not [file.name for file in left if b"hush" in file.read_bytes()]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLLWATCH_DATABASE__URL", DSN),
        ("POLLWATCH_DATABASE__URL", "postgresql://desk:hush@[::1/x"),
        ("POLLWATCH_DATABASE__URL", "postgresql://desk:hush@hush@127.0.0.1/x"),
        ("POLLWATCH_DATABASE__URL", "oracle://desk:hush@127.0.0.1/x"),
        ("POLLWATCH_DATABASE__URL", "postgresql://desk:hush@127.0.0.1:port/x"),
        ("POLLWATCH_WEB__TOKEN", "hush"),  # too short
        ("POLLWATCH_SMTP", '{"password": "hush"}'),
        ("POLLWATCH_SMTP__PASSWORT", "hush"),
    ],
)
def test_a_wrong_one_is_named_and_not_shown(
    desk: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The moment at which secrets are most likely to be shown is that of a fault in them."""
    monkeypatch.setenv(name, value)
    for words in (["web"], ["config", "check", "--json"]):
        done = CliRunner().invoke(cli, ["-c", desk.file, *words])
        if name == "POLLWATCH_WEB__TOKEN" and words != ["web"]:
            continue
        assert done.exit_code != 0
        assert "hush" not in done.output + str(done.exception)


def test_no_object_shows_one_where_a_debugger_or_a_traceback_prints_it(
    desk: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings, the guard of the pages, the store."""
    monkeypatch.setenv("POLLWATCH_DATABASE__URL", DSN)
    settings = load_file(Path(desk.file))
    store = open_store(settings.database_url)
    for each in (settings, Guard.of(desk), store, store.engine, store.url):
        assert "hush" not in repr(each)
        assert "hush" not in str(each)
    store.close()


def test_an_error_of_the_database_is_logged_without_its_password(
    desk: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With everything that stands behind it: the driver's error, and the address as it was given."""
    monkeypatch.setenv("POLLWATCH_DATABASE__URL", DSN)
    with logged(style="console") as written:
        store = open_store(load_file(Path(desk.file)).database_url)
        with pytest.raises(BrokenStoreError) as caught, store.read():
            pass
        logging.getLogger("alerts").error("%s", DSN, exc_info=caught.value)
        store.close()
    assert "BrokenStoreError" in written.getvalue()
    assert "hush" not in written.getvalue() + str(caught.value)


def test_the_password_of_the_database_may_come_from_a_file(
    configure: Callable[[str], Settings], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spelt as addresses need it; a url that has one of its own, or no user, is refused."""
    monkeypatch.delenv("POLLWATCH_DATABASE__URL", raising=False)
    (folder / "db.password").write_text("hush/of: 投@x\n", encoding="utf-8")
    toml = '[database]\nurl = "{}"\npassword_file = "db.password"\n'
    given = configure(toml.format("postgresql://desk@db.example:5433/x?sslmode=require")).database_url
    store = open_store(given)
    assert (store.engine.url.password, store.engine.url.host) == ("hush/of: 投@x", "db.example")
    assert store.engine.url.query == {"sslmode": "require"}
    store.close()
    for url in ("sqlite:///pollwatch.db", "postgresql://db.example/x", "postgresql://desk:own@db.example/x"):
        with pytest.raises(ConfigError, match=r"database.password_file: is for a url without a password"):
            _ = configure(toml.format(url)).database_url


def test_no_page_and_no_figure_holds_one(desk: Settings, store: Store, now: datetime) -> None:
    """Every address of the dashboard, let in by its token; and what is said to who is not let in."""
    with served(store, desk) as address:
        for path in (*PAGES, "/metrics", "/healthz"):
            for token in (SECRETS["POLLWATCH_WEB__TOKEN"], "wrong"):
                asked = urllib.request.Request(address + path, headers={"Authorization": f"Bearer {token}"})
                try:
                    with urllib.request.urlopen(asked, timeout=10) as answer:
                        said, headers = answer.read(), str(answer.headers)
                except urllib.error.HTTPError as error:
                    said, headers = error.read(), str(error.headers)
                assert b"hush" not in said
                assert "hush" not in headers


def test_processes_beside_it_have_none(desk: Settings) -> None:
    """The daemon has none among its arguments; what parses documents of strangers has none in its environment."""
    with subprocess.Popen(
        [sys.executable, "-m", "alerts", "-c", desk.file, "run"], stderr=subprocess.DEVNULL
    ) as daemon:
        time.sleep(0.5)
        assert b"hush" not in Path(f"/proc/{daemon.pid}/cmdline").read_bytes()
        daemon.kill()

    async def environments() -> list[bytes]:
        async with ParsePool(20, 1000) as pool:
            await pool.parse(
                rss("<item><title>a</title></item>").encode(), "http://a.example/", None, desk.calendar.zone
            )
            return _environments_of_children()

    found = asyncio.run(environments())
    assert found
    assert not [each for each in found if b"hush" in each or b"POLLWATCH" in each]


def test_no_request_and_no_record_of_one_bears_any(desk: Settings, now: datetime) -> None:
    """Outlets are told who asks, and nothing else; an address with a password is never asked, stored or repeated."""
    with feed_server() as server:
        url = server.put("/feed", rss())
        open_desk = desk.model_copy(update={"fetch": desk.fetch.model_copy(update={"allow_private": ("127.0.0.0/8",)})})

        async def ask() -> None:
            async with Fetcher(open_desk.fetch) as fetcher:
                await fetcher.get(url)

        asyncio.run(ask())
        ((_, headers),) = server.requests
    assert not {name.lower() for name in headers} & {"authorization", "cookie", "proxy-authorization"}
    assert "hush" not in str(headers)
    assert b"hush" not in Warc(now, desk.fetch.contact).data
    with pytest.raises(BlockedAddressError) as caught:
        check_url("https://ming:hush@harbour-daily.example/rss")
    assert "hush" not in str(caught.value) + caught.value.url
    assert "https://harbour-daily.example/rss" in str(caught.value)


def test_the_log_of_a_failing_receiver_holds_no_address(desk: Settings, store: Store, now: datetime) -> None:
    """Its service cannot be reached: that is told by the receiver's name."""
    routes = Path(desk.file).with_name("routes.toml")
    routes.write_text(routes.read_text(encoding="utf-8") + "group_wait_s = 0\n", encoding="utf-8")
    add_incident(store, now)
    dispatch(store, desk, now)
    with logged() as written:
        report = notify(store, desk, now)
    assert report.counts["failed"] == 1
    assert "receiver desk" in report.problems[0]
    assert "hush" not in written.getvalue() + json.dumps(report.as_json())
