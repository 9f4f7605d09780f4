"""`demo`: hand-written sample feeds, served on loopback, through the real pipeline into a folder to explore."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from alerts import digest, pipeline, queue
from alerts.edition import edition, message, page
from alerts.naming import load_naming
from alerts.render import render
from alerts.sheet import Sheet, read_sheet
from monitor import config, language, seeds
from monitor.errors import InputError
from monitor.sections import DigestReceiver
from monitor.starter import write_starter
from monitor.store import Store, feeds, items, open_store
from monitor.text import from_html
from monitor.types import Lang, Role, StageReport

_LOOPBACK = '["127.0.0.0/8"]'


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo did: where, what each stage reported, the queue, and how the planted items fared."""

    folder: Path
    reports: Mapping[str, StageReport]
    alerts: Sequence[Mapping[str, Any]]
    sheets: Mapping[int, Sheet]  # the same as people read them, by id
    planted: int  # falsehoods among the samples, copies counted one by one
    detected: int  # of them, those that reached the queue
    false_alarms: int  # genuine items that reached the queue


def run(folder: Path, clock: Callable[[], datetime], progress: Callable[[str], None]) -> Outcome:
    """Serve, collect, assess, group, dispatch, write the digest. Raises InputError for a folder that is in use."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError(str(folder), "is not empty; name another folder: pollwatch demo DIR")
    started = clock()
    write_starter(folder)
    file = folder / config.DEFAULT_FILE
    text = file.read_text(encoding="utf-8")
    text = text.replace("allow_private = [] ", f"allow_private = {_LOOPBACK} ")
    text = text.replace("# pages = false", "pages = false  ")  # the outlets of the samples are not there to be asked
    file.write_text(text, encoding="utf-8")
    settings = config.load_file(file)
    store = open_store(settings.database_url)
    documents, rows = sample_documents(started)
    try:
        with serve(documents) as address:
            with store.write() as connection:
                for feed in seeds.toml("demo/feeds.toml")["feed"]:
                    feeds.add(
                        connection,
                        f"{address}/{feed['slug']}",
                        started,
                        outlet=feed["outlet"],
                        role=Role(feed["role"]),
                        lang=Lang(feed["lang"]),
                        enabled=True,  # those of communities too, which are invented
                    )
            progress(f"serving {len(documents)} sample feeds with {len(rows)} items on {address}")
            reports = pipeline.run_once(store, settings, clock, progress=progress)
        found = queue.listing(store, now=clock())
        naming = load_naming(settings)
        sheets = {row["id"]: read_sheet(store, settings, row["id"], "", clock(), naming) for row in found}
        summary = digest.compose(store, settings, settings.calendar.local_date(clock()), clock())
        made = edition(settings, summary, language.used())
        to = DigestReceiver(address=settings.digest.sender, lang=made.letter.lang)
        (folder / "digest.eml").write_bytes(message(settings, summary, made, to))
        (folder / "digest.html").write_text(page(made), encoding="utf-8")
        planted, detected, false_alarms = _score(store, rows)
        return Outcome(folder, reports, found, sheets, planted, detected, false_alarms)
    finally:
        store.close()


def sample_documents(now: datetime) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """The sample feeds as served, by file name, with dates relative to ``now``; and their items as written."""
    rows = [
        {**row, "published": (now - timedelta(minutes=row["minutes_ago"])).astimezone(UTC)}
        for row in seeds.json_lines("demo/items.jsonl")
    ]
    documents = {}
    for feed in seeds.toml("demo/feeds.toml")["feed"]:
        mine = sorted((r for r in rows if r["feed"] == feed["slug"]), key=lambda r: r["minutes_ago"])
        data = {"feed": feed, "items": mine, "now": now.astimezone(UTC)}
        documents[feed["slug"]] = render(f"demo/{feed['format']}.xml", data).encode()
    return documents, rows


@contextmanager
def serve(documents: Mapping[str, bytes]) -> Iterator[str]:
    """The documents on a free port of loopback; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = documents.get(self.path.removeprefix("/"))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the demo says itself what happens."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _score(store: Store, rows: Sequence[Mapping[str, Any]]) -> tuple[int, int, int]:
    """How many falsehoods were planted, how many of them are in an incident, how many other items are."""
    false = {(r["feed"], r["title"]) for r in rows if r["planted"] and r["planted"]["label"] != "genuine"}
    with store.read() as connection:
        hit = {(url.rpartition("/")[2], title) for url, title in items.in_incidents(connection)}
    plain = {(feed, from_html(title)) for feed, title in false}
    return len(plain), len(plain & hit), len(hit - plain)
