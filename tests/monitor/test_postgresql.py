"""PostgreSQL: what a server does that a file does not. Everything else is tested on it by TESTS_ON=postgresql."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from monitor.errors import BrokenStoreError, BusyError, ConfigError
from monitor.keep import keep
from monitor.parse import parse
from monitor.store import Store, audit, feeds, items, open_store
from tests.fakes import item, rss
from tests.postgresql import PostgreSQL, url_of

SECRET = "geheim"


@pytest.fixture
def store(postgresql_server: PostgreSQL) -> Iterator[Store]:
    """A store on the server, wherever the other tests have theirs."""
    with postgresql_server.store() as url:
        store = open_store(url)
        yield store
        store.close()


def _end_sessions(store: Store) -> None:
    """What a server does to all of us when it is told to, or when the cable is cut for long."""
    with store.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid != pg_backend_pid()"
            )
        )


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://desk:{SECRET}@host:port/pollwatch",
        f"postgresql://desk:{SECRET}@x:{SECRET}@host:5432/pollwatch",
        f"postgresql://desk:a@{SECRET}@host/pollwatch",
        f"postgresql://desk@host/pollwatch?password={SECRET}",
        f"postgresql+asyncpg://desk:{SECRET}@host/pollwatch",
        f"postgres://desk:{SECRET}@host/pollwatch",
    ],
)
def test_a_wrong_url_is_refused_without_showing_its_password(url: str) -> None:
    """The sentence names the key, and has no piece of the password in it."""
    with pytest.raises(ConfigError, match=r"database\.url") as caught:
        open_store(url)
    assert SECRET not in str(caught.value)


def test_a_server_that_is_not_there_is_one_line_without_the_password() -> None:
    """Of whatever the driver has to say."""
    store = open_store(f"postgresql://desk:{SECRET}@127.0.0.1:1/pollwatch")
    assert store.url == "postgresql+psycopg://desk:***@127.0.0.1:1/pollwatch"
    for use in (store.read, store.write):
        with pytest.raises(BrokenStoreError, match="port 1 failed") as caught, use():
            pass
        assert SECRET not in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(BrokenStoreError), store.lock("daemon"):
        pass
    store.close()


def test_without_the_driver_it_says_what_to_install() -> None:
    """The driver is an extra: most desks have no server."""
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from monitor.store import open_store; from monitor.errors import ConfigError\n"
        "try: open_store('postgresql://host/x')\n"
        "except ConfigError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "configuration: database.url: PostgreSQL needs its driver: pip install 'psycopg[binary]'\n"


def test_a_database_that_cannot_hold_every_script_is_refused(postgresql_server: PostgreSQL) -> None:
    """Before anything is written into it."""
    with postgresql_server.database("SQL_ASCII") as url:
        store = open_store(url)
        with pytest.raises(ConfigError, match="SQL_ASCII; create it with ENCODING 'UTF8'"), store.read():
            pass
        store.close()


def test_a_read_sees_one_state_and_writes_nothing(store: Store, now: datetime) -> None:
    """As in SQLite: what another commits meanwhile is not seen, and a read that writes is a fault."""
    with store.read() as connection:
        assert feeds.listing(connection) == []
        with store.write() as other:
            feeds.add(other, "https://a.example/rss", now)
        assert feeds.listing(connection) == []
    with pytest.raises(BrokenStoreError, match="read-only"), store.read() as connection:
        feeds.add(connection, "https://b.example/rss", now)


def test_one_writer_at_a_time(store: Store, now: datetime) -> None:
    """The second one begins when the first has committed, and sees what it wrote."""
    seen: list[int] = []

    def second() -> None:
        with store.write() as connection:
            seen.append(len(feeds.listing(connection)))

    with store.write() as connection:
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        feeds.add(connection, "https://a.example/rss", now)
    thread.join(10)
    assert seen == [1]


def test_a_server_that_restarts_fails_what_runs_and_nothing_after_it(
    store: Store, now: datetime, postgresql_server: PostgreSQL
) -> None:
    """The transaction is gone as a whole; the next one works without anybody opening the store again."""

    def interrupted() -> None:
        with store.lock("upgrade"), store.write() as connection:
            feeds.add(connection, "https://a.example/rss", now)
            postgresql_server.stop()
            try:
                with pytest.raises(BrokenStoreError), store.read():
                    pass
            finally:
                postgresql_server.start()
            feeds.add(connection, "https://b.example/rss", now)

    with pytest.raises(BrokenStoreError, match="cannot be used") as caught:
        interrupted()
    assert "\n" not in str(caught.value)
    with store.write() as connection:
        assert feeds.listing(connection) == []
        feeds.add(connection, "https://c.example/rss", now)
    with store.lock("upgrade"), store.read() as connection:
        assert [feed.url for feed in feeds.listing(connection)] == ["https://c.example/rss"]


def test_a_lost_lock_is_taken_again(store: Store) -> None:
    """The holder finds out at its next look, and others are kept out from then on."""
    with store.lock("daemon") as keep:
        keep()
        _end_sessions(store)
        assert not _is_held(store)
        keep()
        assert _is_held(store)
    assert not _is_held(store)


def test_a_lost_lock_that_another_has_taken_is_told(store: Store, new_session: Callable[[], Store]) -> None:
    """The first holder stops, and gives back nothing of the second one's."""
    other = new_session()
    with store.lock("daemon", busy="another one works") as keep:
        _end_sessions(store)
        with other.lock("daemon"):
            with pytest.raises(BusyError, match="another one works"):
                keep()
            with pytest.raises(BusyError):
                keep()
    with other.lock("daemon"):
        assert _is_held(store)


def test_who_lost_a_lock_leaves_without_an_error(store: Store) -> None:
    """What was done under it is done."""
    with store.lock("daemon"):
        _end_sessions(store)
    assert not _is_held(store)


def test_the_audit_cannot_be_emptied(store: Store, now: datetime) -> None:
    """A server has one more way than a file; see tests/alerts/test_audit.py for the others."""
    with store.write() as connection:
        audit.append(connection, now, "岑", "alert.take", "alert:1", {})
    with pytest.raises(IntegrityError, match="append-only"), store.write() as connection:
        connection.execute(text("TRUNCATE audit CASCADE"))
    with store.read() as connection:
        assert audit.head(connection)[0] == 1


def test_an_address_as_long_as_a_feed_may_name_stops_nothing(store: Store, now: datetime) -> None:
    """An index takes a third of a page; the names of an entry, and what they are widened to, stay below."""
    link = f"https://a.example/{_noise(1900)}"
    stories = [item(f"題{_noise(900)}{n}", "文", guid=_noise(2000), link=f"{link}{n}") for n in range(3)]
    same = [item(f"{n}{_noise(900)}", "文", guid="同", link=f"{link}?{n}") for n in range(3)]
    only_link = [item(f"題{n}", "文", link=f"{link}/x{n}") for n in range(3)]
    body = rss(*stories, *same, *only_link).encode()
    with store.write() as connection:
        feed = feeds.add(connection, "https://a.example/rss", now)[0]
        for _ in range(2):
            keep(connection, [(feed.id, parse(body, feed.url))], now)
        assert len(items.listing(connection)) == 9


def _noise(count: int) -> str:
    """Text that no index can press together."""
    dice = random.Random(count)
    return "".join(chr(dice.randrange(0x4E00, 0x9FA0)) for _ in range(count))


@pytest.fixture
def new_session(store: Store) -> Iterator[Callable[[], Store]]:
    """The same store as another process opens it."""
    opened: list[Store] = []

    def make() -> Store:
        opened.append(open_store(url_of(store)))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def _is_held(store: Store) -> bool:
    with store.read() as connection:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted"
        return bool(connection.execute(text(held)).scalar_one())
