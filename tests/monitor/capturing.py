"""What tests of evidence share: feeds with items that somebody flagged, and what was captured of them."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from monitor.collect import collect
from monitor.config import Settings
from monitor.evidence_warc import Folder
from monitor.store import Store, evidence, pending
from monitor.store.schema import assessments, items, page_items, pages
from monitor.types import Capture, CaptureKind, Changed, Page
from tests.fakes import FeedServer, item, rss
from tests.monitor.collecting import watch

STORY = "<html><head><title>t</title></head><body><nav><a href=/>Home</a></nav><p>{}</p></body></html>"


def publish(store: Store, settings: Settings, server: FeedServer, now: datetime, *stories: tuple[str, str]) -> None:
    """A pass over one feed with these stories, by title and link, each of which is flagged then."""
    url = server.put("/feed", rss(*(item(title, f"{title} 的內文。", link=link) for title, link in stories)))
    watch(store, now, url)
    collect(store, settings, now, every=True)
    flag(store, now)


def flag(store: Store, now: datetime) -> None:
    """Somebody finds every item of the store suspect, as it is now."""
    why = {"matches": [], "findings": [], "reasons": [], "stance": "asserts", "label": "false-information"}
    with store.write() as connection:
        there = select(assessments.c.item_id).where(assessments.c.revision == items.c.revision)
        rows = connection.execute(select(items.c.id, items.c.revision).where(items.c.id.not_in(there))).all()
        for row in rows:
            opinion = {"item_id": row.id, "revision": row.revision, "model_id": "m", "score": 1, "flagged": True}
            connection.execute(insert(assessments).values(**opinion, assessed_at=now, **why))
        pending.assessed(connection, [row.id for row in rows])


def captured(store: Store, kind: CaptureKind | None = None) -> list[Capture]:
    """All captures, or those of one kind, in the order in which they were made."""
    with store.read() as connection:
        found = [c for file, _, _ in evidence.files(connection) for c in evidence.in_file(connection, file)]
    return sorted((c for c in found if kind in (None, c.kind)), key=lambda c: c.id)


def seen(store: Store) -> list[Changed | None]:
    """What people are shown of each page, in the order of its captures: how it compares with before."""
    with store.read() as connection:
        found = list(evidence.of_items(connection, evidence.items_of(connection)))
    return [capture.changed for _, capture in found if capture.kind is CaptureKind.PAGE]


def page_of(store: Store, url: str) -> Page:
    """The page at ``url`` as stored."""
    with store.read() as connection:
        query = select(page_items.c.item_id).join(pages, pages.c.id == page_items.c.page_id).where(pages.c.url == url)
        return next(page for _, page in evidence.pages_of(connection, connection.scalars(query).all()))


def bodies(settings: Settings, capture: Capture) -> dict[str, bytes]:
    """The payloads that warcio itself finds in the bytes of a capture, by the type of record; of several the last."""
    data = Folder(settings.path(settings.evidence.directory)).read(capture.file, capture.offset, capture.length)
    return {record.rec_type: record.raw_stream.read() for record in ArchiveIterator(io.BytesIO(data))}


def check(folder: Path) -> int:
    """What `warcio check` ends with, over every file of a folder."""

    class Command:
        inputs = [str(path) for path in sorted(folder.glob("**/*.warc.gz"))]  # noqa: RUF012 - as argparse gives it
        verbose = False

    return int(Checker(Command()).process_all())
