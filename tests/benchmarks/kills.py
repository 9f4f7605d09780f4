"""Does `pollwatch run` lose or double anything when it is killed again and again? On demand:

    PYTHONPATH=. python tests/benchmarks/kills.py [--kills 1000] [--seed 8] [--lanes 2] [--on postgresql] [--folder DIR]

Each lane has a store, a site of feeds that change all the time, a receiver and a mail server of its own, and a reviewer
who decides. Its daemon is killed with SIGKILL, started again, and killed again; how long each one lives is drawn in
processor time, so that a busy machine changes nothing. A feed lists something else only once the store has what it
listed, so that whatever was served must be there in the end. Every 40 kills, and at the end, one daemon is left alone
until there is nothing to do any more, and everything is counted (see tests/alerts/closing.py). Exit 1: something was
lost, doubled or left behind.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from alerts import pipeline, queue
from monitor.config import load_file
from monitor.errors import RefusedError
from monitor.evidence import folder_of
from monitor.evidence_read import verify
from monitor.starter import write_starter
from monitor.store import Store, audit, migrate, notices, open_store, outbox
from monitor.store import feeds as feed_rows
from monitor.store.schema import hosts
from monitor.text import clean
from monitor.types import Decision
from tests.alerts.closing import check_feeds, check_judged, check_mails, check_notices, check_served, left, missing
from tests.benchmarks.nursery import Nursery, nursery, survivors
from tests.benchmarks.stories import story
from tests.fakes import FeedServer, feed_server, item, rss
from tests.receiver import Inbox, receiver_server
from tests.smtp import Mailbox, smtp_server

HOSTS = 40
LISTED = 12  # entries of a feed at a time
CHANGES = 3  # before each start, and as many while a daemon lives
LIFE_CPU_S = 3.0  # most of a daemon's life: what a start and its first passes take
LIFE_S = 30.0  # by the clock, for one that only waits
QUIET_S = 300.0  # for the last daemon to finish
CHECK_EVERY = 40  # kills
MAIL_EVERY = 10  # kills from one new receiver of the digest to the next
FALSE = 0.4  # of all stories
RECEIVERS = ("desk", "night")

_TOML = """
[database]
url = "{url}"
[fetch]
allow_private = ["127.0.0.0/8"]
[daemon]
tick_s = 1
[evidence]
min_free_mb = 0
[learn]
min_decisions = 1000000
[digest]
time = 00:00:00
receivers = [{receivers}]
sender = "pollwatch <desk@harbour.example>"
[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
"""


class Site:
    """Feeds on hosts of their own, what they ever served, and what of it may be changed: what the store has."""

    def __init__(self, server: FeedServer, dice: random.Random) -> None:
        self.server, self.dice = server, dice
        self.urls = [f"http://127.0.0.{number + 2}:{server.port}/{number}" for number in range(HOSTS)]
        self.served: dict[tuple[str, str], list[str]] = {}
        self._entries: dict[str, dict[str, str]] = {url: {} for url in self.urls}
        self._unknown: set[tuple[str, str]] = set()
        self._numbers = 0
        for url in self.urls:
            self._put(url)

    def change(self) -> None:
        """A feed lists something new, or something it listed reads otherwise; what is old goes."""
        url = self.dice.choice(self.urls)
        known = [guid for guid in self._entries[url] if (url, guid) not in self._unknown]
        if known and self.dice.random() < 0.3:
            guid = self.dice.choice(known)
        else:
            self._numbers += 1
            guid = f"story-{self._numbers}"
            if len(self._entries[url]) >= LISTED:
                if not known:
                    return
                del self._entries[url][known[0]]
        self._write(url, guid)
        self._put(url)

    def _write(self, url: str, guid: str) -> None:
        told = self.served.setdefault((url, guid), [])
        number = f"{guid.rpartition('-')[2]}-{len(told)}"
        title, summary = story(self.dice, FALSE)
        told.append(clean(f"{title} ({number})"))  # as the store writes full-width letters
        self._unknown.add((url, guid))
        host = url.rpartition("/")[0]
        page = self.server.put(f"/story/{guid}", f"<html><body><p>{summary}</p></body></html>", headers=_HTML)
        link = host + page.partition(str(self.server.port))[2]
        self._entries[url][guid] = item(f"{title} ({number})", summary, guid=guid, link=link)

    def _put(self, url: str) -> None:
        self.server.put("/" + url.rpartition("/")[2], rss(*self._entries[url].values()))

    def learn(self, store: Store) -> None:
        """See what the store has by now."""
        unknown = {key: self.served[key] for key in self._unknown}
        self._unknown = missing(store, unknown)


_HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass
class Lane:
    """A store and all that is around it; what happened, and after how many kills copies are accounted for."""

    number: int
    folder: Path
    store: Store
    site: Site
    inbox: Inbox
    mailbox: Mailbox
    dice: random.Random
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    mails: int = 0
    kills: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)  # keys of messages that were unknown after a kill
    mailed: Counter[str] = field(default_factory=Counter)  # Message-IDs

    def configure(self, mails: int) -> None:
        """So many people get the digest."""
        self.mails = mails
        receivers = ", ".join(f'"reader-{number}@harbour.example"' for number in range(mails))
        url = self.store.engine.url.render_as_string(hide_password=False)
        (self.folder / "pollwatch.toml").write_text(
            _TOML.format(url=url, receivers=receivers, port=self.mailbox.port), encoding="utf-8"
        )

    def decide(self) -> None:
        """A reviewer takes what is most urgent and decides it."""
        settings, now = load_file(self.folder / "pollwatch.toml"), datetime.now(UTC)
        with contextlib.suppress(RefusedError):
            taken = queue.take(self.store, settings, "maya", now)["id"]
            queue.decide(self.store, settings, "maya", now, taken, Decision.DISMISS, None, "satire: seen it")
            self.counts["decisions"] += 1

    def live(self, daemons: Nursery, cpu_s: float) -> bool:
        """A daemon's life, that ends by SIGKILL once it has used so much processor time; whether it lived at all."""
        for _ in range(CHANGES):
            self.site.change()
        daemons.start()
        begun, changes = time.monotonic(), 0
        while time.monotonic() - begun < LIFE_S:
            used = daemons.cpu_s()
            if used is None or used >= cpu_s:
                break
            if changes < CHANGES and used >= cpu_s * changes / CHANGES:
                changes += 1
                self.site.change()
                if changes == CHANGES and self.dice.random() < 0.5:
                    self.decide()
            time.sleep(0.01)
        time.sleep(self.dice.uniform(0, 0.05))  # it may be waiting for somebody
        code = daemons.end(signal.SIGKILL)
        if code == 1:  # a server has not seen yet that the last one is gone
            self.counts["refused starts"] += 1
            return False
        assert code == -signal.SIGKILL, f"the daemon ended with {code}: {self.last_words()}"
        self.kills += 1
        return True

    def look(self) -> None:
        """After a kill: what was under way then, and what the store has by now."""
        self.inbox.settle()
        self.mailbox.settle()
        with self.store.read() as connection:
            untold = {message.key[:16] for message in outbox.unsent(connection)}
            unmailed = {notice.message_id for notice in notices.waiting(connection, "digest")}
        self.told.update(untold & {each.key for each in self.inbox.deliveries})
        self.mailed.update(unmailed & set(self.mailbox.ids()))
        self.site.learn(self.store)
        if self.dice.random() < 0.5:  # what half a minute does: so long a killed pass keeps its hosts from others
            with self.store.write() as connection:
                connection.execute(update(hosts).values(held_until=datetime(2000, 1, 1, tzinfo=UTC)))

    def finish(self, daemons: Nursery) -> None:
        """A daemon, until there is nothing to do any more; then everything is counted, from the beginning."""
        deadline = time.monotonic() + QUIET_S
        while True:
            daemons.start()
            while waits := self._waits():
                told = f"after {QUIET_S:g} s there are still {waits[:5]}: {self.last_words()}"
                assert time.monotonic() < deadline, told
                assert daemons.cpu_s() is not None, f"the daemon ended: {self.last_words()}"
                time.sleep(1)
            time.sleep(3)  # ticks in which nothing is to be done, unless an alert is due just now
            assert daemons.end(signal.SIGTERM) == 0, self.last_words()
            if not left(self.store):
                break
        self.check()

    def _waits(self) -> list[Any]:
        """What is still to be done, or is kept from others for half a minute by a pass that was killed."""
        with self.store.read() as connection:
            held = connection.scalars(select(hosts.c.host).where(hosts.c.holder.is_not(None))).all()
        return [*left(self.store), *missing(self.store, self.site.served), *self._unmailed(), *held]

    def _unmailed(self) -> list[str]:
        with self.store.read() as connection:
            today = load_file(self.folder / "pollwatch.toml").calendar.local_date(datetime.now(UTC))
            served = len(notices.served(connection, "digest", today.isoformat()))
        return [] if served == self.mails else [f"{self.mails - served} digests"]

    def check(self) -> None:
        """Nothing lost, nothing doubled, nothing left behind."""
        settings = load_file(self.folder / "pollwatch.toml")
        self.inbox.settle()
        self.mailbox.settle()
        assert left(self.store) == []
        check_served(self.store, self.site.served)
        check_feeds(self.store)
        self.counts |= check_judged(self.store)
        self.counts["edits"] = sum(len(titles) - 1 for titles in self.site.served.values())
        with self.store.read() as connection:
            entries = audit.listing(connection)
        self.counts["notices"] = len(self.inbox.deliveries)
        self.counts["copies of notices"] = check_notices(self.store, settings, entries, self.inbox, self.told)
        readers = [f"reader-{number}@harbour.example" for number in range(self.mails)]
        self.counts["digests"] = len(self.mailbox.messages)
        self.counts["copies of digests"] = check_mails(self.store, self.mailbox, readers, self.mailed)
        found = verify(self.store, folder_of(settings))
        assert found["ok"], found
        self.counts["captures"] = found["captures"]
        log = (self.folder / "log").read_text(encoding="utf-8")
        assert "Traceback" not in log, self.last_words()

    def last_words(self) -> str:
        """The end of the daemon's log."""
        return "\n".join((self.folder / "log").read_text(encoding="utf-8").splitlines()[-30:])


@contextlib.contextmanager
def lane(number: int, folder: Path, url: str, seed: int) -> Iterator[Lane]:
    """Everything up, the store made and the first model learned; at ``url``."""
    dice = random.Random(f"{seed} {number}")
    folder.mkdir()
    write_starter(folder)
    store = open_store(url, must_exist=False)
    with (
        contextlib.closing(store),
        feed_server(everywhere=True) as server,
        receiver_server() as inbox,
        smtp_server(folder) as mailbox,
    ):
        inbox.delay_s = 0.02
        migrate.upgrade(store)
        keys = {"group_wait_s": 0, "group_interval_s": 0, "repeat_interval_s": 604_800, "max_per_hour": 3600}
        with (folder / "routes.toml").open("a", encoding="utf-8") as file:
            for name in RECEIVERS:
                file.write(f'[[receiver]]\nname = "{name}"\n' + "".join(f"{k} = {v}\n" for k, v in keys.items()))
                (folder / name).write_text(inbox.address(name, "?rto=20"))
        made = Lane(number, folder, store, Site(server, dice), inbox, mailbox, dice)
        made.configure(0)
        settings = load_file(folder / "pollwatch.toml")
        stages = dict(pipeline.stages(settings))
        pipeline.run_stage("assess", stages["assess"], store, settings, lambda: datetime.now(UTC))
        with store.write() as connection:
            for address in made.site.urls:
                feed_rows.add(connection, address, datetime.now(UTC), interval_s=5)
        yield made


def run(made: Lane, kills: int, say: threading.Lock | None = None) -> Lane:
    """So many kills, then the end; prints how far it got where ``say`` keeps lines apart."""
    begun = time.monotonic()
    keys = {f"POLLWATCH_RECEIVER_{name.upper()}": (made.folder / name).read_text() for name in RECEIVERS}
    with nursery(made.folder, made.mark, keys) as daemons:
        while made.kills < kills:
            if made.kills % MAIL_EVERY == 0:
                made.configure(made.kills // MAIL_EVERY + 1)
            lived = made.live(daemons, made.dice.uniform(0, LIFE_CPU_S))
            made.look()
            if lived and made.kills % 10 == 0:
                _print(say, made, f"{made.kills} kills, {time.monotonic() - begun:.0f} s, {_state(made)}")
            if lived and (made.kills % CHECK_EVERY == 0 or made.kills == kills):
                made.finish(daemons)
                _print(say, made, f"{made.kills} kills, {time.monotonic() - begun:.0f} s: {_verdict(made)}")
    deadline = time.monotonic() + 40  # a busy parser has an alarm of its own
    while behind := survivors(made.mark):
        assert time.monotonic() < deadline, f"left behind: {behind}"
        time.sleep(0.2)
    return made


def _verdict(made: Lane) -> str:
    counted = ", ".join(f"{count} {name}" for name, count in made.counts.items())
    return f"nothing lost, nothing doubled: {counted}"


def _state(made: Lane) -> str:
    titles = sum(map(len, made.site.served.values()))
    return f"{titles} texts served, {len(made.inbox.deliveries)} notices, {len(made.mailbox.messages)} digests"


def _print(say: threading.Lock | None, made: Lane, words: str) -> None:
    if say:
        with say:
            print(f"{datetime.now(UTC):%H:%M:%S} lane {made.number}: {words}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, check, print."""
    parser = argparse.ArgumentParser(description="Does a daemon that is killed at random lose or double anything?")
    parser.add_argument("--kills", type=int, default=1000, metavar="N", help="Of all lanes together. Default: 1000.")
    parser.add_argument("--seed", type=int, default=8, metavar="N", help="Default: 8.")
    parser.add_argument("--lanes", type=int, default=2, metavar="N", help="Stores side by side. Default: 2.")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="A new folder, which is kept. Default: none is.")
    parser.add_argument("--on", choices=("sqlite", "postgresql"), default="sqlite", help="Default: sqlite.")
    options = parser.parse_args(arguments)
    say = threading.Lock()
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pollwatch-kills-")))
        folder.mkdir(exist_ok=True)
        urls = [f"sqlite:///{folder}/{number}/pollwatch.db" for number in range(options.lanes)]
        if options.on == "postgresql":
            from tests.postgresql import postgresql

            server = stack.enter_context(postgresql())
            urls = [stack.enter_context(server.database()) for _ in urls]
        lanes = [
            stack.enter_context(lane(number, folder / str(number), url, options.seed))
            for number, url in enumerate(urls)
        ]
        shares = [len(range(number, options.kills, options.lanes)) for number in range(options.lanes)]
        with ThreadPoolExecutor(options.lanes) as pool:
            running = [pool.submit(run, made, kills, say) for made, kills in zip(lanes, shares, strict=True)]
        failed = 0
        for made, future in zip(lanes, running, strict=True):
            if (error := future.exception()) is not None:
                failed += 1
                print(f"FAILED: lane {made.number} after {made.kills} kills", flush=True)
                traceback.print_exception(error)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
