"""What goes wrong around the program: nobody is blamed for it, `status` names it with its mend, and it is over after.

A disk that is full and a store that is locked or lost: test_lost_disk, test_lost_server.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from alerts import digest
from alerts.outage import clock_went_back, unreached
from alerts.status import status
from monitor import loop
from monitor.collect import collect
from monitor.config import Settings, load_file
from monitor.errors import FeedError, FeedErrorKind
from monitor.rhythm import DNS_BACKOFF_CAP_S
from monitor.store import Store, feeds, items, notices, outbox, runs, stamps
from monitor.store.schema import hosts
from monitor.types import Feed, Role
from tests.alerts.rows import add_incident
from tests.alerts.telling import Tell, notify_at, open_alerts
from tests.fakes import ALLOW_LOOPBACK, FeedServer, feed_server, item, rss
from tests.hub import call
from tests.receiver import Inbox
from tests.smtp import smtp_server

NAMES = ("harbour.example", "quay.example", "ferry.example", "hill.example")


def _resolver(monkeypatch: pytest.MonkeyPatch, *, answers: bool) -> None:
    """This machine's resolver: it knows every name as loopback, or refuses every question."""
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        if host in NAMES:
            if not answers:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            host = "127.0.0.1"
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(loop, "new_event_loop", asyncio.new_event_loop)  # uvloop asks the system's own


def _stories(server: FeedServer) -> None:
    for name in NAMES:
        server.put(f"/{name}", rss(item(f"渡輪改期 {name}", guid=name)))


def _add_feeds(store: Store, server: FeedServer, now: datetime) -> None:
    with store.write() as connection:
        for name in NAMES:
            feeds.add(connection, f"http://{name}:{server.port}/{name}", now, outlet=name)


def test_no_feed_is_blamed_for_a_resolver_that_refuses(
    store: Store, configure: Callable[[str], Settings], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One problem with its mend in place of one a feed, none disabled in a week; half an hour later all is read."""
    settings = configure(ALLOW_LOOPBACK)
    with feed_server() as server:
        _stories(server)
        _add_feeds(store, server, now)
        _resolver(monkeypatch, answers=False)
        moment = now
        for _ in range(4):
            collect(store, settings, moment, every=True)
            moment += timedelta(days=2)
        (said,) = [each for each in status(store, settings, moment)["problems"] if "feed" in each]
        assert said.startswith(
            "none of the 4 feeds asked last can be reached (dns): see to this machine's network and "
        )
        monkeypatch.undo()
        _resolver(monkeypatch, answers=True)
        with store.read() as connection:
            known = feeds.listing(connection)
        assert all(each.enabled for each in known)
        waits = [
            each.next_check_at - each.last_attempt_at for each in known if each.next_check_at and each.last_attempt_at
        ]
        assert max(waits) <= timedelta(seconds=DNS_BACKOFF_CAP_S)
        collect(store, settings, moment)
        assert not [each for each in status(store, settings, moment)["problems"] if "feed" in each]
        with store.read() as connection:
            assert len(items.listing(connection)) == len(NAMES)


def test_an_outage_is_told_before_the_last_feed_was_asked(store: Store, settings: Settings, now: datetime) -> None:
    """One sentence from the first feeds on, beside one that is asked in two hours and one that failed before."""
    later = now + timedelta(minutes=10)
    with store.write() as connection:
        for number, name in enumerate((*NAMES, "quiet.example", "gone.example"), 1):
            feeds.add(connection, f"https://{name}/rss", now, outlet=name)
            feeds.record_success(connection, number, now, later, last_new_at=now)
        gone = FeedError("https://gone.example/rss", FeedErrorKind.HTTP, "the server answered 404", status=404)
        feeds.record_failure(connection, 6, now, later, gone, strikes=1)
        for number, name in enumerate(NAMES, 1):
            lost = FeedError(f"https://{name}/rss", FeedErrorKind.DNS, "the host name does not resolve")
            feeds.record_failure(connection, number, later, later, lost, strikes=1)
    said = [each for each in status(store, settings, later)["problems"] if "feed" in each]
    assert len(said) == 2
    assert said[0].startswith("none of the 4 feeds asked last can be reached (dns)")
    assert said[1].startswith("feed 6 gone.example fails: http: the server answered 404")
    with store.write() as connection:
        feeds.record_success(connection, 5, later, later, last_new_at=now)
    said = [each for each in status(store, settings, later)["problems"] if "feed" in each]
    assert sorted(each.split()[1] for each in said) == ["1", "2", "3", "4", "6"]


def test_feeds_that_are_down_by_themselves_are_named(now: datetime) -> None:
    """One sentence for all only where no server is heard: not for one host, another fault, or beside a feed that is."""
    down = [_feed(number, name, now, FeedErrorKind.DNS) for number, name in enumerate(NAMES, 1)]
    off = replace(_feed(5, "off.example", now, FeedErrorKind.HTTP), enabled=False)
    ours = _feed(6, "inside.example", now, FeedErrorKind.BLOCKED)  # no server said so
    outage = unreached([*down, off, ours])
    assert outage is not None
    assert outage.feeds == {1, 2, 3, 4}
    assert unreached([*down, _feed(7, "well.example", now, None)]) is None
    assert unreached([*down[1:], _feed(1, "a.example", now, FeedErrorKind.HTTP)]) is None
    assert unreached([replace(each, url=f"https://a.example/{each.id}") for each in down]) is None
    assert unreached([]) is None
    # Since then a pass has asked nothing but what was down before.
    well = _feed(7, "well.example", now - timedelta(minutes=1), None)
    old = now - timedelta(days=3)
    assert unreached([*down, well]) is None
    assert unreached([*(replace(each, last_success_at=old) for each in down), well]) is None
    assert unreached([*(replace(each, last_success_at=well.last_success_at) for each in down), well]) is not None


def _feed(number: int, host: str, at: datetime, error: FeedErrorKind | None) -> Feed:
    """Asked at that time; never read before when it failed."""
    url = f"https://{host}/rss"
    read = None if error else at
    return Feed(number, url, host, Role.MEDIA, None, True, last_attempt_at=at, last_success_at=read, error_kind=error)


@contextlib.contextmanager
def _mute_server() -> Iterator[tuple[int, list[socket.socket]]]:
    """A mail server that accepts whoever comes, and never says a word; its port, and who came."""
    came: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    came.append(server.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1], came
        finally:
            over.set()
            thread.join()
            for each in came:
                each.close()


_MAIL = """
[digest]
time = 00:00:00
receivers = ["lead@harbour.example"]
sender = "pollwatch <desk@harbour.example>"
[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
timeout_s = 600
"""


@contextlib.contextmanager
def _daemon(folder: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    words = command or ("-m", "alerts", "run")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, *words], cwd=folder, stdin=subprocess.PIPE, stderr=log, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait_for(folder: Path, process: subprocess.Popen[str], happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_mail_server_that_hangs_holds_up_no_alert(store: Store, folder: Path, tmp_path: Path) -> None:
    """While it is waited for, incidents become alerts, and status and /healthz say the same; later it has one mail."""
    web = _free_port()
    with _mute_server() as (port, came):
        (folder / "pollwatch.toml").write_text(
            f"[daemon]\ntick_s = 1\n[web]\nport = {web}\n{_MAIL.format(port=port)}", encoding="utf-8"
        )
        with _daemon(folder) as process:
            _wait_for(folder, process, lambda: came)
            add_incident(store, datetime.now(UTC))
            _wait_for(folder, process, lambda: _alerts(store))
            settings = load_file(folder / "pollwatch.toml")
            code, health = call(f"http://127.0.0.1:{web}/healthz")
            assert code == 503
            for problems in (status(store, settings, datetime.now(UTC))["problems"], health.splitlines()):
                assert any(each.endswith("to lead@harbour.example is not sent: not tried yet") for each in problems)
            assert len(came) == 1
    with smtp_server(tmp_path) as mailbox:
        file = folder / "pollwatch.toml"
        file.write_text(_MAIL.format(port=mailbox.port), encoding="utf-8")
        for _ in range(2):
            digest.digest(store, load_file(file), datetime.now(UTC) + timedelta(seconds=1))
        assert len(mailbox.messages) == 1


def _alerts(store: Store) -> int:
    with store.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM alerts").scalar_one())


# Moves the clock of a daemon by so many seconds for each line that comes in.
_MOVED = """
import sys, threading, time_machine
from datetime import datetime, timedelta, UTC
import alerts.cli
clock = time_machine.travel(datetime.now(UTC), tick=True)
traveller = clock.start()
def listen():
    for line in sys.stdin:
        traveller.shift(float(line))
threading.Thread(target=listen, daemon=True).start()
alerts.cli.main(["run"])
"""
DAY_S, TWO_HOURS_S = 86_400, 7_200


def test_the_clock_may_be_set_forward_and_back(store: Store, folder: Path) -> None:
    """A day on, and back again, and two hours further: what is published is read within the minute, each item once."""
    (folder / "pollwatch.toml").write_text(ALLOW_LOOPBACK + "[daemon]\ntick_s = 1\n", encoding="utf-8")
    with feed_server() as server, _daemon(folder, "-c", _MOVED) as process:
        with store.write() as connection:
            url = server.put("/a", rss(item("before", guid="1")))
            feeds.add(connection, url, datetime.now(UTC), interval_s=3600)
        _wait_for(folder, process, lambda: _titles(store) == ["before"])
        told = ["before"]
        for number, seconds in enumerate((DAY_S, -DAY_S - TWO_HOURS_S)):
            told.append(f"story {number}")
            server.put("/a", rss(*(item(title, guid=title) for title in told[1:]), item("before", guid="1")))
            assert process.stdin
            print(seconds, file=process.stdin, flush=True)
            _wait_for(folder, process, lambda: _titles(store) == sorted(told))
        add_incident(store, datetime.now(UTC) - timedelta(seconds=TWO_HOURS_S))
        _wait_for(folder, process, lambda: _alerts(store))
    log = (folder / "log").read_text()
    assert re.search("the clock went back by (93600|7200) seconds", log)  # 7200: on and back between two looks
    assert "Traceback" not in log


def _titles(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(each.title for each in items.listing(connection) if not each.title.startswith("卓"))


def test_nothing_waits_for_a_time_that_a_wrong_clock_wrote(store: Store, now: datetime) -> None:
    """Feeds, hosts, messages and mails; what waits for a time of its own goes on waiting."""
    later = now + timedelta(days=1)
    with store.write() as connection:
        for name, at in (("ahead", later), ("right", now)):
            feed = feeds.add(connection, f"https://{name}.example/rss", now)[0]
            feeds.record_success(connection, feed.id, at, at + timedelta(hours=2))
            outbox.freeze(connection, name, "desk", b"{}", (), at)
            hosts_until = at + timedelta(seconds=30)
            connection.execute(hosts.insert().values(host=name, holder="x", held_until=hosts_until))
            mail = {"kind": "digest", "message_id": name, "message": b"", "period_end": now, "now": now}
            notices.queue(connection, date="2027-03-01", receiver=name, **mail)
            notices.failed(connection, notices.waiting(connection, "digest")[-1].id, at, "451 later")
        assert stamps.put_right(connection, now + timedelta(seconds=10)) == 1
        assert stamps.put_right(connection, now + timedelta(seconds=10)) == 0
        moment = now + timedelta(seconds=10)
        assert [each.outlet for each in feeds.due(connection, moment)] == ["ahead.example"]
        assert [each.key for each in outbox.unsent(connection) if each.next_try_at <= moment] == ["right", "ahead"]
        assert dict(connection.execute(select(hosts.c.host, hosts.c.holder)).all()) == {"ahead": None, "right": "x"}
        assert [each.tried_at for each in notices.waiting(connection, "digest")] == [None, now]


def test_a_notice_does_not_wait_for_the_time_that_was(
    store: Store, settings: Settings, receivers: Tell, inbox: Inbox, now: datetime
) -> None:
    """Alerts of before and after the clock was put back are told at once, and each once."""
    receivers("desk", group_wait_s=30, group_interval_s=300)
    open_alerts(store, settings, now + timedelta(hours=2))
    notify_at(store, settings, now + timedelta(hours=2), 30, 31)
    open_alerts(store, settings, now + timedelta(hours=2, seconds=40))
    notify_at(store, settings, now, 0, 1)
    open_alerts(store, settings, now + timedelta(seconds=2))
    notify_at(store, settings, now, 300, 301)
    assert [each.alerts for each in inbox.of("desk")] == [[1], [2], [3]]


def test_status_says_that_the_clock_went_back(store: Store, settings: Settings, now: datetime) -> None:
    """And says so no longer once a stage has ended by the right clock."""
    with store.write() as connection:
        runs.started(connection, "group", now + timedelta(hours=2))
        runs.finished(connection, "group", now + timedelta(hours=2), report={})
    problems = status(store, settings, now)["problems"]
    assert "the clock went back: a stage ended at 2027-03-01 14:30, which is still to come" in problems[0]
    assert clock_went_back({"group": {"finished_at": now + timedelta(seconds=59)}}, now, settings.calendar.zone) is None
    assert clock_went_back({"group": {"finished_at": None}}, now, settings.calendar.zone) is None
