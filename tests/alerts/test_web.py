"""`web`: a hub on loopback announces news of a feed, strangers get nothing, a monitor hears how we are."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from alerts.status import status
from alerts.web import site
from monitor.collect import collect
from monitor.config import Settings, load_file
from monitor.store import Store, feeds, open_store, schema, subscriptions
from monitor.subscribe import subscribe
from monitor.types import Feed, Mode, StageReport, Subscription
from tests.fakes import ALLOW_LOOPBACK, FeedServer, feed_server, item, rss
from tests.hub import CHALLENGE, Hub, call, running_hub, wait_until

ATOM = "http://www.w3.org/2005/Atom"
STRANGER = "/websub/" + "x" * 43


@contextmanager
def served(store: Store, settings: Settings) -> Iterator[str]:
    """The web in a thread; gives its address."""
    loop, started, found = asyncio.new_event_loop(), threading.Event(), []
    stop = asyncio.Event()

    async def run() -> None:
        async with site(store, settings) as address:
            found.append(address)
            started.set()
            await stop.wait()
        await loop.shutdown_default_executor()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert started.wait(10)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


class Desk:
    """A store with one feed, the outlet's server and its hub, and the web that the hub can reach."""

    def __init__(self, store: Store, settings: Settings, server: FeedServer, hub: Hub) -> None:
        self.store, self.settings, self.server, self.hub = store, settings, server, hub
        self.publish("a")

    def publish(self, *titles: str, hub: str | None = None, **answer: object) -> None:
        """What the outlet lists from now on, under its hub (`hub`: another one, or none if empty)."""
        link = self.hub.url if hub is None else hub
        named = f'<a:link xmlns:a="{ATOM}" rel="hub" href="{link}"/></channel>' if link else "</channel>"
        self.server.put("/f", rss(*map(item, titles)).replace("</channel>", named), **answer)

    @property
    def feed(self) -> Feed:
        """The feed as stored."""
        with self.store.read() as connection:
            return feeds.get(connection, 1)

    @property
    def held(self) -> list[Subscription]:
        """What is subscribed."""
        with self.store.read() as connection:
            return subscriptions.listing(connection)

    def collect(self) -> StageReport:
        """A pass over every feed, now."""
        return collect(self.store, self.settings, datetime.now(UTC), every=True)

    def subscribe(self, after: timedelta = timedelta(0)) -> StageReport:
        """The stage, so much later; hubs that confirm have done so when it returns."""
        asked, echoed = len(self.hub.asked), len(self.hub.echoes)
        report = subscribe(self.store, self.settings, datetime.now(UTC) + after)
        if self.hub.confirms and self.hub.status < 300:
            wait_until(lambda: len(self.hub.echoes) - echoed == len(self.hub.asked) - asked)
        return report

    def ready(self) -> None:
        """One pass, and a confirmed subscription."""
        self.collect()
        self.subscribe()
        assert self.live

    @property
    def live(self) -> bool:
        """Whether exactly one subscription is confirmed."""
        return [(s.mode, s.asks, s.lease_ends_at is not None) for s in self.held] == [(Mode.SUBSCRIBE, 0, True)]

    @property
    def waits_s(self) -> float:
        """Until the feed is asked again."""
        assert self.feed.next_check_at is not None
        return (self.feed.next_check_at - datetime.now(UTC)).total_seconds()

    def rest(self) -> None:
        """As if the last fetch and the last announcement lay a quarter of an hour back."""
        with self.store.write() as connection:
            feed = self.feed
            earlier = {
                "last_attempt_at": feed.last_attempt_at and feed.last_attempt_at - timedelta(minutes=15),
                "pushed_at": feed.pushed_at and feed.pushed_at - timedelta(minutes=15),
            }
            connection.execute(update(schema.feeds).where(schema.feeds.c.id == feed.id).values(earlier))


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    """Loopback may be fetched, and hubs reach us there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return configure(
        ALLOW_LOOPBACK
        + f'timeout_s = 3\nmax_bytes = 100000\n[web]\nport = {port}\npublic_url = "http://127.0.0.1:{port}/"'
    )


@pytest.fixture
def desk(store: Store, settings: Settings, now: datetime) -> Iterator[Desk]:
    """Everything up."""
    with feed_server() as server, running_hub() as hub, served(store, settings):
        desk = Desk(store, settings, server, hub)
        with store.write() as connection:
            feeds.add(connection, server.url("/f"), now)
        yield desk


@pytest.mark.parametrize("early", [False, True], ids=["asks after its answer", "asks before its answer"])
def test_news_that_a_hub_announces_are_fetched_at_once(desk: Desk, early: bool) -> None:
    """Subscribed, confirmed, announced, fetched; as long as that works the feed is asked at the longest interval."""
    desk.hub.early = early
    desk.ready()
    assert desk.hub.echoes == [(200, CHALLENGE)]
    assert desk.feed.topic == desk.feed.url
    desk.rest()
    assert desk.waits_s > 60
    desk.publish("b", "a")
    assert desk.hub.deliver() == 202
    assert desk.waits_s < 0
    report = collect(desk.store, desk.settings, datetime.now(UTC))
    assert report.counts["items_new"] == 1
    assert desk.waits_s > 0.89 * desk.settings.rhythm.before[1]
    desk.rest()
    desk.publish("c", "b", "a")  # and nobody says so
    desk.collect()
    assert desk.waits_s < 0.8 * desk.settings.rhythm.before[1]


def test_a_subscription_asks_once(desk: Desk) -> None:
    """The stage runs at every tick, and two runs at once would not ask twice."""
    desk.ready()
    assert desk.subscribe().counts == {"begun": 0, "ended": 0, "asked": 0, "failed": 0}
    assert len(desk.hub.asked) == 1
    assert len(desk.hub.asked[0]["hub.callback"].rpartition("/")[2]) == 43


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_signature_of_the_standard_is_believed(desk: Desk, method: str) -> None:
    """Hubs choose."""
    desk.ready()
    desk.rest()
    assert desk.hub.deliver("選舉事務署澄清".encode() * 9_000, method=method) == 413
    assert desk.hub.deliver("選舉事務署澄清".encode() * 1_000, method=method) == 202
    assert desk.feed.pushed_at is not None


def test_a_forged_delivery_is_acknowledged_and_ignored(desk: Desk) -> None:
    """As the standard says; neither another secret, nor none, nor another body makes the feed due."""
    desk.ready()
    desk.rest()
    address = desk.hub.asked[0]["hub.callback"]
    before = desk.feed
    assert desk.hub.deliver(secret="guessed") == 202
    for headers in ({}, {"X-Hub-Signature": "sha256=" + "0" * 64}, {"X-Hub-Signature": "md5=00"}):
        assert call(address, b"news", headers)[0] == 202
    assert desk.feed == before


def test_strangers_find_nothing(desk: Desk) -> None:
    """No path but two, no token but ours, no other method, no question but the one we expect."""
    desk.ready()
    base, _, token = desk.hub.asked[0]["hub.callback"].rpartition("/websub/")
    for path in ("/", "/websub/", STRANGER, f"/websub/{token}x", "/websub/..%2f", f"{STRANGER}?hub.mode=subscribe"):
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


def test_a_hub_that_shouts_is_asked_to_come_later(desk: Desk) -> None:
    """Each believed delivery costs a transaction; a forged one costs its hash and shuts nobody out."""
    desk.ready()
    assert desk.hub.deliver(secret="guessed") == 202
    assert desk.hub.deliver() == 202
    assert desk.hub.deliver() == 429


def test_however_often_news_are_announced_the_outlet_is_spared(desk: Desk) -> None:
    """Half a minute lies between two fetches; one that fails is not asked sooner for it."""
    desk.ready()
    assert desk.hub.deliver() == 202
    assert 15 < desk.waits_s < 30
    desk.publish("a", status=503, headers={"Retry-After": "7200"})
    desk.collect()
    desk.rest()
    wait_until(lambda: desk.hub.deliver() == 202)
    assert desk.waits_s > 7000


def test_news_announced_while_the_feed_is_being_fetched_are_not_lost(desk: Desk) -> None:
    """What was on its way may be older than they."""
    desk.ready()
    desk.publish("b", "a", delay_s=1)
    seen = len(desk.server.requests)
    thread = threading.Thread(target=desk.collect)
    thread.start()
    wait_until(lambda: len(desk.server.requests) > seen)
    desk.rest()
    assert desk.hub.deliver() == 202
    thread.join()
    assert desk.feed.last_new_at is not None
    assert desk.waits_s < 0


def test_a_lease_is_renewed_at_the_same_address_and_lapses_without(desk: Desk) -> None:
    """Asked again when a quarter of it is left; a hub that does not confirm is relied on no longer."""
    desk.hub.lease_s = 86_400
    desk.ready()
    assert desk.hub.deliver() == 202
    first = desk.held[0]
    assert desk.subscribe(timedelta(hours=17)).counts["asked"] == 0
    desk.hub.lease_s = 172_800
    assert desk.subscribe(timedelta(hours=19)).counts["asked"] == 1
    assert desk.hub.asked[0] == desk.hub.asked[1]
    assert desk.live
    renewed = desk.held[0]
    assert first.lease_ends_at is not None
    assert renewed.lease_ends_at is not None
    assert renewed.lease_ends_at - first.lease_ends_at > timedelta(hours=23)
    desk.hub.confirms = False
    desk.subscribe(timedelta(hours=40))
    assert desk.feed.pushed_at is not None
    desk.subscribe(timedelta(hours=49))
    assert desk.feed.pushed_at is None
    assert desk.held[0].lease_ends_at is None
    desk.hub.confirms = True
    desk.subscribe(timedelta(days=4))
    assert desk.live


def test_a_hub_that_is_down_is_told_and_asked_later_and_the_feed_is_polled(desk: Desk) -> None:
    """An error in words beside the feed, no problem of the desk; later and later; one that is back is used."""
    desk.hub.status, desk.hub.headers = 503, {"Retry-After": "3600"}
    desk.collect()
    report = desk.subscribe()
    assert report.counts == {"begun": 1, "ended": 0, "asked": 1, "failed": 1}
    assert "503" in report.problems[0]
    found = status(desk.store, desk.settings, datetime.now(UTC))
    assert found["push"] == {"live": 0, "waiting": 1, "ending": 0}
    assert any(note.startswith("feed 1 has no push: hub http") for note in found["notes"])
    assert desk.subscribe(timedelta(minutes=50)).counts["asked"] == 0
    assert desk.waits_s < 0.8 * desk.settings.rhythm.before[1]
    desk.hub.status = 202
    assert desk.subscribe(timedelta(minutes=61)).counts["failed"] == 0
    assert desk.live
    assert status(desk.store, desk.settings, datetime.now(UTC))["push"] == {"live": 1, "waiting": 0, "ending": 0}


def test_a_hub_that_is_down_is_not_asked_for_each_of_its_feeds(desk: Desk) -> None:
    """They would only wait as long in vain, and the other hubs with them; the error stands with each."""
    with desk.store.write() as connection:
        for number in range(5):
            feeds.add(connection, desk.server.url(f"/f?{number}"), datetime.now(UTC))
            desk.server.pages[f"/f?{number}"] = desk.server.pages["/f"]
    desk.hub.status = 503
    desk.collect()
    assert desk.subscribe().counts == {"begun": 6, "ended": 0, "asked": 6, "failed": 6}
    assert len(desk.hub.asked) <= desk.settings.fetch.per_host
    assert all("503" in (each.error or "") for each in desk.held)


def test_a_hub_that_answers_too_late_but_has_confirmed_is_believed(desk: Desk) -> None:
    """Its confirmation counts, not what became of our request."""
    desk.hub.early = True
    desk.hub.status = 299
    desk.collect()
    with desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE feeds SET hub = hub || '?'")
    desk.hub.headers = {"Content-Length": "-1"}
    report = desk.subscribe()
    assert report.counts["failed"] == 1
    assert desk.live
    assert desk.held[0].error is None


def test_a_hub_that_says_no_is_asked_again_in_a_day(desk: Desk) -> None:
    """Its words stand in `status`, and the feed is polled in its own rhythm."""
    desk.ready()
    assert desk.hub.deliver() == 202
    assert desk.hub.question(desk.hub.asked[0], hub_mode="denied", hub_reason="topic unknown")[0] == 204
    assert desk.feed.pushed_at is None
    assert desk.held[0].error == "denied by the hub: topic unknown"
    assert desk.subscribe(timedelta(hours=23)).counts["asked"] == 0
    desk.subscribe(timedelta(hours=25))
    assert desk.live


@pytest.mark.parametrize("why", ["disabled", "drops its hub", "another hub", "no public address"])
def test_what_is_not_wanted_any_more_is_ended(desk: Desk, why: str, configure: Callable[[str], Settings]) -> None:
    """The hub is told, confirms, and is forgotten; until then its deliveries are refused."""
    desk.ready()
    assert desk.hub.deliver() == 202
    begun = 0
    if why == "disabled":
        with desk.store.write() as connection:
            feeds.set_enabled(connection, 1, False)
    elif why == "no public address":
        desk.settings = configure(ALLOW_LOOPBACK)
    else:
        begun = 1 if why == "another hub" else 0
        desk.publish("a", "b", hub=desk.hub.url + "?2" if begun else "")
        desk.collect()
    desk.hub.confirms = False
    assert desk.subscribe().counts == {"begun": begun, "ended": 1, "asked": 1 + begun, "failed": 0}
    assert desk.hub.deliver() == (202 if begun else 410)
    assert desk.feed.pushed_at is None or begun
    (ended,) = [form for form in desk.hub.asked if form["hub.mode"] == "unsubscribe"]
    assert desk.hub.question(ended) == (200, CHALLENGE)
    assert [s.mode for s in desk.held] == [Mode.SUBSCRIBE] * begun
    assert call(ended["hub.callback"], b"x")[0] == 404


def test_a_hub_that_never_confirms_an_end_is_forgotten_with_its_lease(desk: Desk) -> None:
    """Nobody asks a dead hub for ever."""
    desk.ready()
    with desk.store.write() as connection:
        feeds.set_enabled(connection, 1, False)
    desk.hub.status = 500
    desk.subscribe()
    assert [s.mode for s in desk.held] == [Mode.UNSUBSCRIBE]
    assert desk.subscribe(timedelta(days=11)).counts["asked"] == 0
    assert desk.held == []


def test_a_restart_between_request_and_confirmation_loses_nothing(
    folder: Path, settings: Settings, now: datetime
) -> None:
    """What was asked is in the store before the hub hears of it."""
    with feed_server() as server, running_hub() as hub:
        hub.confirms = False
        before = open_store(settings.database_url)
        desk = Desk(before, settings, server, hub)
        with before.write() as connection:
            feeds.add(connection, server.url("/f"), now)
        desk.collect()
        desk.subscribe()  # nothing is served: it has just been stopped
        before.close()
        desk.store = open_store(settings.database_url)
        with served(desk.store, settings):
            assert hub.question(hub.asked[0]) == (200, CHALLENGE)
            assert desk.live
            assert desk.subscribe().counts["asked"] == 0
            assert hub.deliver() == 202
        desk.store.close()


def test_a_hub_at_a_private_address_is_not_asked(desk: Desk, configure: Callable[[str], Settings]) -> None:
    """The guard of feeds is that of hubs: a feed must not make us post into our own network."""
    desk.collect()
    port = desk.settings.web.port
    desk.settings = configure(f'[web]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"')
    (problem,) = desk.subscribe().problems or [""]
    assert "blocked" in problem
    assert desk.hub.asked == []


def test_health_is_said_in_the_words_of_status(store: Store, settings: Settings) -> None:
    """503 and what needs a person, a line each; strangers' words are made safe."""
    with served(store, settings) as address:
        code, text = call(f"{address}/healthz")
    assert code == 503
    assert text.splitlines() == status(store, settings, datetime.now(UTC))["problems"]
    assert "no feeds yet" in text


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
