"""Do memory and open files stay flat over a week? 500 feeds, 200,000 items, a clock of its own. On demand:

    PYTHONPATH=. python tests/benchmarks/week.py [--feeds 500] [--items 200000] [--days 7] [--folder DIR]

Every stage runs each simulated half hour, as the daemon runs them, in this process: the real collector over HTTP, with
edits among the stories, receivers, the digest of each morning by SMTP, reviewers who decide what waits, and the daily
purge, with a retention of two days so that a week meets it. Outlets, receivers and mail server are a process of their
own. After each hour memory and open files are read. Exit 1: over the last five days one of them grew, by the slope of a
line through all hours, by more than its bound; or a story or an edit was lost or doubled.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from alerts import pipeline, queue
from alerts.process import give_memory_back
from monitor import purge
from monitor.config import load_file
from monitor.errors import RefusedError
from monitor.sections import Retention
from monitor.starter import write_starter
from monitor.store import feeds, migrate, open_store
from monitor.types import Decision
from tests.alerts.closing import check_judged
from tests.benchmarks.stories import story
from tests.fakes import item, rss
from tests.receiver import receiver_server
from tests.smtp import smtp_server

START = datetime(2027, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=30)
HOURS = 24
LISTED = 15  # stories of a feed at a time
FALSE = 0.02  # of all stories
EDITED = 0.03
QUIET_H = 2  # at the end
EDIT_H = 3  # from a story to its edit
DECISIONS = 40  # of the reviewers, each step
MEASURED_DAYS = 5  # the last ones
GROWTH_MB = 25.0  # more than this, over all that is measured, is a leak
GROWTH_FILES = 5.0
RECEIVERS = ("desk", "night")
_TOML = """
[fetch]
allow_private = ["127.0.0.0/8"]
[evidence]
min_free_mb = 0
[digest]
receivers = ["lead@harbour.example", {{ address = "ps@harbour.example", lang = "zh-Hant" }}]
sender = "pollwatch <desk@harbour.example>"
[smtp]
host = "127.0.0.1"
port = {smtp}
security = "none"
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What outlets tell, by number: story k of feed n is the same in every process."""

    feeds: int
    items: int
    days: int

    def told(self, hour: float) -> int:
        """How many stories each feed has told by then, in hours from the start."""
        return int(self.items / self.feeds * max(hour, 0) / self.last_h)

    @property
    def last_h(self) -> int:
        """The hour of the last news: after it every feed is asked once more."""
        return self.days * HOURS - QUIET_H

    def document(self, feed: int, hour: float, port: int) -> str:
        """What it lists then, the newest first."""
        hour = min(hour, self.last_h)
        told = self.told(hour)
        return rss(*(self._entry(feed, k, hour, port) for k in range(told - 1, max(told - LISTED, 0) - 1, -1)))

    def is_edited(self, feed: int, number: int, hour: float) -> bool:
        """Whether a story reads otherwise by then than it did at first."""
        due = random.Random(f"edit {feed} {number}").random() < EDITED
        return due and self.told(hour - EDIT_H) > number

    def _entry(self, feed: int, number: int, hour: float, port: int) -> str:
        title, summary = story(random.Random(f"{feed} {number}"), FALSE)
        edited = " (corrected)" if self.is_edited(feed, number, hour) else ""
        link = f"http://127.0.1.1:{port}/story/{feed}-{number}"
        return item(f"{title} {feed}-{number}{edited}", summary, guid=f"{feed}-{number}", link=link)


def serve(plan: Plan) -> None:
    """Be outlets, receivers and mail server until standard input ends; its lines are the hours, as they come.

    Says the three ports first, and at the end how many notices and mails came in.
    """
    hour = 0.0

    class Outlets(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, kind, name = f"{self.path}/".split("/", 2)
            text, type_ = "<html><body><p>As told.</p></body></html>", "text/html; charset=utf-8"
            if kind == "feed":
                text, type_ = plan.document(int(name.strip("/")), hour, server.server_port), "application/xml"
            self.send_response(404 if kind == "robots.txt" else 200)
            self.send_header("Content-Type", type_)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    with Server(("", 0), Outlets) as server, receiver_server() as inbox, smtp_server(Path()) as mailbox:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, inbox.port, mailbox.port, flush=True)
        for line in sys.stdin:
            hour = float(line)
            print("so it is", flush=True)
        print(len(inbox.deliveries), len(mailbox.messages), flush=True)


@dataclass(frozen=True, slots=True)
class Look:
    """This process and its children at the end of a simulated hour."""

    hour: float
    rss_mb: float
    files: int
    processes: int


class Week:
    """The stages on one store, step by step."""

    def __init__(self, plan: Plan, folder: Path, world: subprocess.Popen[str]) -> None:
        self.plan, self.folder, self.counts = plan, folder, Counter[str]()
        self._world = world
        ports = self.ask().split()
        write_starter(folder)
        (folder / "pollwatch.toml").write_text(_TOML.format(smtp=ports[2]), encoding="utf-8")
        keys = "group_wait_s = 0\ngroup_interval_s = 0\nmax_per_hour = 3600\nrepeat_interval_s = 604800\n"
        with (folder / "routes.toml").open("a", encoding="utf-8") as file:
            for name in RECEIVERS:
                file.write(f'[[receiver]]\nname = "{name}"\n{keys}')
                os.environ[f"POLLWATCH_RECEIVER_{name.upper()}"] = f"json://127.0.0.1:{ports[1]}/{name}"
        # Shorter than the configuration allows: a week is to meet it.
        kept = Retention.model_construct(quiet_days=2, dismissed_days=3, decided_days=3, messages_days=2)
        self.settings = load_file(folder / "pollwatch.toml").model_copy(update={"retention": kept})
        self.store = open_store(self.settings.database_url, must_exist=False)
        migrate.upgrade(self.store)
        with self.store.write() as connection:
            for n in range(plan.feeds):
                url = f"http://127.0.{2 + n // 250}.{n % 250 + 1}:{ports[0]}/feed/{n}"
                feeds.add(connection, url, START, interval_s=3600)

    def ask(self, hour: float | None = None) -> str:
        """Tell the world what hour it is, if given; its answer."""
        assert self._world.stdin
        assert self._world.stdout
        if hour is not None:
            print(hour, file=self._world.stdin, flush=True)
        return self._world.stdout.readline()

    def step(self, now: datetime) -> None:
        """Half an hour: every stage, the purge once a day, and what the reviewers get done."""
        self.ask((now - START) / timedelta(hours=1))
        for name, stage in pipeline.stages(self.settings):
            report = pipeline.run_stage(name, stage, self.store, self.settings, lambda: now)
            if report.problems:
                raise SystemExit(f"{name} at {now}: {report.problems[:3]}")
            self.counts.update({f"{name} {k}": v for k, v in report.counts.items() if isinstance(v, int)})
        if purge.is_due(self.store, self.settings, now):
            report = pipeline.run_stage(pipeline.PURGE, purge.purge, self.store, self.settings, lambda: now)
            self.counts.update({f"purge {k}": v for k, v in report.counts.items() if isinstance(v, int)})
        for number in range(DECISIONS):
            try:
                taken = queue.take(self.store, self.settings, "maya", now)["id"]
            except RefusedError:  # nothing waits
                break
            given = Decision.WATCH if number % 5 == 0 else Decision.DISMISS
            queue.decide(self.store, self.settings, "maya", now, taken, given, None, "satire: seen it")
            self.counts["decisions"] += 1
        give_memory_back()  # as the daemon does, at a time of its own


def look(hour: float) -> Look:
    """How much this process and its children hold now."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return Look(hour, pages * os.sysconf("SC_PAGE_SIZE") / 1e6, files, len(children))


def grown(looks: Sequence[Look], series: str) -> float:
    """By how much ``series`` rises from the first look to the last: the slope of a line through all, times its length.

    There must be two or more.
    """
    hours = [each.hour for each in looks]
    slope = statistics.linear_regression(hours, [getattr(each, series) for each in looks]).slope
    return slope * (hours[-1] - hours[0])


def live(week: Week) -> list[Look]:
    """The whole time, a line for each day; what was seen at each hour."""
    looks, begun = [], time.monotonic()
    steps = round(week.plan.days * HOURS * timedelta(hours=1) / STEP)
    for number in range(1, steps + 1):
        week.step(START + number * STEP)
        hour = number * STEP / timedelta(hours=1)
        if hour == int(hour):
            looks.append(look(hour))
        if hour % HOURS == 0 or hour == 1:
            day = looks[-HOURS:]
            size = (week.folder / "pollwatch.db").stat().st_size / 1e6
            print(
                f"hour {hour:4.0f}: {day[-1].rss_mb:6.1f} MB (at most {max(each.rss_mb for each in day):.1f}), "
                f"{day[-1].files} files, {day[-1].processes} children, store {size:.0f} MB, "
                f"{week.counts['collect items_new']:,} items, {week.counts['collect items_edited']:,} edits, "
                f"{week.counts['assess flagged']:,} flagged, {week.counts['dispatch opened']:,} alerts, "
                f"{week.counts['decisions']:,} decisions, {week.counts['notify sent']:,} notices, "
                f"{week.counts['digest sent']} mails, {week.counts['purge quiet'] + week.counts['purge dismissed']:,} "
                f"purged, {time.monotonic() - begun:.0f} s",
                flush=True,
            )
    return looks


def faults(week: Week, looks: Sequence[Look]) -> Iterator[str]:
    """What grew, and what was lost or doubled; prints what the series say."""
    measured = [each for each in looks if each.hour > (week.plan.days - MEASURED_DAYS) * HOURS]
    for series, unit, bound in (("rss_mb", "MB", GROWTH_MB), ("files", "files", GROWTH_FILES)):
        values = [getattr(each, series) for each in measured]
        found = grown(measured, series)
        print(f"{min(values):.0f} to {max(values):.0f} {unit}, grew by {found:+.1f} (up to {bound:g} is flat)")
        if found > bound:
            yield f"it grew by {found:.1f} {unit}, more than {bound:g}"
    told = week.plan.told(week.plan.last_h)
    edits = sum(week.plan.is_edited(feed, k, week.plan.last_h) for feed in range(week.plan.feeds) for k in range(told))
    wanted = {"collect items_new": told * week.plan.feeds, "collect items_edited": edits}
    for name, count in wanted.items():
        if week.counts[name] != count:
            yield f"{name}: {week.counts[name]:,}, not {count:,}"
    print(f"at the end: {check_judged(week.store)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Live it, judge it."""
    parser = argparse.ArgumentParser(description="Do memory and open files stay flat over a simulated week?")
    parser.add_argument("--feeds", type=int, default=500, metavar="N", help="Default: 500.")
    parser.add_argument("--items", type=int, default=200_000, metavar="N", help="Default: 200000.")
    parser.add_argument("--days", type=int, default=7, metavar="N", help="Default: 7.")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="A new folder, which is kept. Default: none is.")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    plan = Plan(options.feeds, options.items, options.days)
    if options.serve:
        serve(plan)
        return 0
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pollwatch-week-")))
        folder.mkdir(exist_ok=True)
        command = [sys.executable, __file__, "--serve", f"--feeds={plan.feeds}", f"--items={plan.items}"]
        world = subprocess.Popen(
            [*command, f"--days={plan.days}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        stack.enter_context(world)
        week = Week(plan, folder, world)
        stack.callback(week.store.close)
        problems = list(faults(week, live(week)))
        assert world.stdin
        world.stdin.close()
        notices, mails = map(int, week.ask().split())
        if (notices, mails) != (week.counts["notify sent"], week.counts["digest sent"]):
            problems.append(f"{notices} notices and {mails} mails came in, not as many as were sent")
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
