"""Stage capture: of every flagged item, and every one that is in an incident, the entry as its feed served it and the
page it leads to, as WARC; and later visits of those pages.

noted items -> entries kept by collect -> WARC; pages that are due -> lease of their host -> visit -> WARC

A file is written under a name that nobody reads, then the store is told in one transaction what is in it, and only
then it gets its name. Killed before that transaction nothing has happened, killed after it the next pass gives the
file its name.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from monitor import logs
from monitor.config import Settings
from monitor.errors import BlockedAddressError, BusyError
from monitor.evidence_plan import Meaning, Visit, judge
from monitor.evidence_visit import visit_all
from monitor.evidence_warc import LOCK, Folder, Place, Warc
from monitor.guard import check_url
from monitor.store import Connection, Store, audit, evidence, served
from monitor.store.evidence import Noted
from monitor.store.served import Served
from monitor.types import CaptureKind, Changed, Headers, Page, StageReport

log = logging.getLogger(__name__)

ACTOR = "capture"
MAX_VISITS = 100  # in one pass
OF_HOST = 5  # of them of one host, which the feeds need as well
FILE_BYTES = 16_000_000  # after which a file is written
FILE_S = 10.0  # and after which one is, however little is in it

_COUNTS = ("entries", "pages", "visits", "unchanged", "changed", "gone", "failed", "missing", "elsewhere", "dropped")


def capture(store: Store, settings: Settings, now: datetime) -> StageReport:
    """One pass over what waits. Counts: ``entries`` and ``pages`` captured, ``visits``, of which ``unchanged``,
    ``changed``, ``gone`` and ``failed``; ``missing`` (entries that are not kept any more), ``elsewhere`` (pages whose
    host another pass works on), ``dropped`` (documents of which nothing was flagged in time).

    Does nothing while another process captures. Raises EvidenceError where the folder cannot be used.
    """
    counts: Counter[str] = Counter()
    problems: tuple[str, ...] = ()
    try:
        with store.lock(LOCK):
            run = _Pass(store, settings, now, counts)
            run.begin()
            run.keep_entries()
            if settings.evidence.pages:
                run.keep_pages()
            run.forget()
    except BusyError:
        problems = ("another process captures at this moment",)
    return StageReport("capture", {name: counts[name] for name in _COUNTS}, problems)


def folder_of(settings: Settings) -> Folder:
    """Where the WARC files lie."""
    return Folder(settings.path(settings.evidence.directory))


@dataclass(slots=True)
class _Draft:
    """A file in the making, and what the store is to be told once it is written."""

    warc: Warc
    rows: list[dict[str, Any]] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    documents: dict[tuple[str, datetime], Place] = field(default_factory=dict)  # whole ones, by hash and instant

    def place(self, found: Served) -> Place:
        """Put an entry into the file; a whole document once, however many of its entries are captured."""
        answer, body = found.answer, found.body or b""
        if not found.whole:
            return self.warc.add_entry(answer, body, "application/xml")
        key = answer.sha256, answer.fetched_at
        if key not in self.documents:
            kind = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
            self.documents[key] = self.warc.add_entry(answer, body, kind or "application/octet-stream")
        return self.documents[key]

    @property
    def is_ripe(self) -> bool:
        return self.warc.size >= FILE_BYTES or time.monotonic() - self.begun >= FILE_S


class _Pass:
    def __init__(self, store: Store, settings: Settings, now: datetime, counts: Counter[str]) -> None:
        self.store, self.settings, self.now, self.counts = store, settings, now, counts
        self.folder = folder_of(settings)
        self.begun = time.monotonic()

    def clock(self) -> datetime:
        return self.now + timedelta(seconds=time.monotonic() - self.begun)

    def begin(self) -> None:
        """See that there is a folder with room, and finish what a pass that was killed has left."""
        self.folder.prepare(self.settings.evidence.min_free_mb)
        if left := self.folder.unsettled():
            with self.store.read() as connection:
                known = evidence.known(connection, left)
            self.folder.settle(left, known)

    def draft(self) -> _Draft:
        return _Draft(Warc(self.clock(), self.settings.fetch.contact))

    # Entries.

    def keep_entries(self) -> None:
        """Capture the entries of all that is noted, and note its pages."""
        while True:
            with self.store.read() as connection:
                noted = evidence.noted(connection, evidence.PAGE)
            if not noted:
                return
            self.keep_noted(noted)

    def keep_noted(self, noted: list[Noted]) -> None:
        draft, done = self.draft(), []
        for item in noted:
            draft.rows += self.entries_of(item, draft)
            done.append(item)
            if draft.is_ripe:
                self.write(draft, noted=done)
                draft, done = self.draft(), []
        self.write(draft, noted=done)

    def entries_of(self, item: Noted, draft: _Draft) -> Iterable[dict[str, Any]]:
        for revision, seen_at in item.texts:
            with self.store.read() as connection:
                found = served.entry(connection, item.item_id, item.feed_id, seen_at)
            if found is None or found.body is None:
                self.counts["missing"] += 1
                continue
            answer = found.answer
            row = _row(
                draft.place(found), answer.url, answer.final_url, answer.fetched_at, answer.status, answer.headers
            )
            about = {"kind": CaptureKind.ENTRY, "item_id": item.item_id, "revision": revision, "whole": found.whole}
            self.counts["entries"] += 1
            yield {**row, **about}

    # Pages.

    def keep_pages(self) -> None:
        """Visit the pages that are due and capture what is to be captured of them."""
        try:
            asyncio.run(self.visit_pages())
        except ExceptionGroup as group:  # a full disk, a lost store: one sentence, as from any other stage
            raise _first(group) from group

    async def visit_pages(self) -> None:
        """Visit what is due, and write what visits find as it comes; not every one in a file of its own."""
        with self.store.read() as connection:
            due = evidence.due(connection, self.now, MAX_VISITS, OF_HOST)
        if not due:
            return
        found: asyncio.Queue[Visit | None] = asyncio.Queue(OF_HOST)
        async with asyncio.TaskGroup() as tasks:
            visits = tasks.create_task(visit_all(self.store, self.settings, self.clock, due, found))
            while await self.keep_visits(found):
                pass
        self.counts["elsewhere"] += visits.result()

    async def keep_visits(self, found: asyncio.Queue[Visit | None]) -> bool:
        """Fill one file; returns whether more is to come."""
        draft, pages = self.draft(), list[Page]()
        more = True
        while more and not (pages and draft.is_ripe):
            try:
                async with asyncio.timeout(FILE_S):
                    visit = await found.get()
            except TimeoutError:
                continue
            more = visit is not None
            if visit is not None:
                meaning = judge(visit, self.clock(), self.settings.evidence.visits_h)
                self.count(meaning)
                pages.append(meaning.page)
                if meaning.record:
                    draft.rows.append(_page_row(visit, meaning, draft.warc))
        if pages:
            await asyncio.to_thread(self.write, draft, pages=pages)
        return more

    def count(self, meaning: Meaning) -> None:
        self.counts["visits"] += 1
        self.counts["pages"] += meaning.record
        if meaning.page.error:
            self.counts["failed"] += 1
            log.debug("page %s: %s", meaning.page.url, meaning.page.error)
        elif meaning.changed in (Changed.CHANGED, Changed.GONE):
            self.counts[str(meaning.changed)] += 1
        elif not meaning.record:
            self.counts["unchanged"] += 1

    # What both do.

    def write(self, draft: _Draft, *, noted: Iterable[Noted] = (), pages: Iterable[Page] = ()) -> None:
        """The file, if anything is in it; then all that the store is to know, in one transaction; then its name."""
        file = self.folder.write(draft.warc.data, self.clock()) if draft.rows else None
        with self.store.write() as connection:
            if file is not None:
                sha256 = hashlib.sha256(draft.warc.data).hexdigest()
                evidence.add_file(connection, file, self.clock(), sha256, len(draft.warc.data))
                evidence.add(connection, [{**row, "file": file} for row in draft.rows])
                _tell(connection, draft.rows, file)
                told = {"sha256": sha256, "captures": len(draft.rows)}
                audit.append(connection, self.clock(), ACTOR, "evidence.write", f"evidence:{file}", told)
            for item in noted:
                url = (item.link or "").replace(" ", "%20")  # as browsers read it
                if url and self.settings.evidence.pages and _is_fetched(url):
                    evidence.watch(connection, item.item_id, url, self.now)
            evidence.strike_off(connection, [item.item_id for item in noted])
            for page in pages:
                evidence.save(connection, page)
        if file is not None:
            self.folder.settle([file], [file])

    def forget(self) -> None:
        """Drop what was served so long ago that nobody is going to flag it, unless it still waits to be captured."""
        before = self.now - timedelta(hours=self.settings.evidence.keep_h)
        with self.store.read() as connection:
            waits = evidence.waits_since(connection)
            before = min(before, waits) if waits else before
            if not served.is_old(connection, before):
                return
        with self.store.write() as connection:
            self.counts["dropped"] += served.forget(connection, before)


def _tell(connection: Connection, rows: Iterable[Mapping[str, Any]], file: str) -> None:
    """A line for each item whose entry, or whose page, this file holds."""
    for row in rows:
        about = [row["item_id"]] if row["page_id"] is None else evidence.leading_to(connection, row["page_id"])
        for item_id in about:
            logs.tell("item.capture", item=item_id, kind=str(row["kind"]), status=row["status"], file=file)


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


def _is_fetched(url: str) -> bool:
    try:
        check_url(url)
    except BlockedAddressError:
        return False
    return True


def _page_row(visit: Visit, meaning: Meaning, warc: Warc) -> dict[str, Any]:
    first, last = visit.exchanges[0], visit.exchanges[-1]
    row = _row(warc.add_page(visit.exchanges), first.url, last.url, first.at, last.status, last.headers)
    about = {"kind": CaptureKind.PAGE, "page_id": meaning.page.id, "changed": meaning.changed, "cut": last.cut}
    return {**row, **about}


def _row(place: Place, url: str, final_url: str, at: datetime, status: int, headers: Headers) -> dict[str, Any]:
    """A row of the table ``captures``, with what both kinds of them have."""
    return {
        "item_id": None,
        "revision": None,
        "page_id": None,
        "cut": None,
        "whole": False,
        "changed": None,
        "url": url,
        "final_url": final_url,
        "captured_at": at,
        "status": status,
        "headers": [list(pair) for pair in headers],
        "sha256": place.sha256,
        "bytes": place.bytes,
        "offset": place.offset,
        "length": place.length,
        "record_id": place.record_id,
    }
