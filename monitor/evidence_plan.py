"""When a page is visited, and what a visit means. Pure: takes what is known and what was found, says what to keep.

A page is *gone* when its server says so (404, 410, 451), *changed* when its main text has other words; other bytes
are no change. Each is recorded once, when it is first seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.errors import FeedError, FeedErrorKind
from monitor.types import Changed, Exchange, Page

# Between two attempts at one visit; after the last one it is given up.
BACKOFF = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4))
LONGEST_WAIT = timedelta(days=1)  # whatever a server asks for
GONE = frozenset({404, 410, 451})
MAX_HEADER = 1_000  # characters of a validator

_FOR_NOW = frozenset({408, 425, 429})
_FOR_GOOD = frozenset({FeedErrorKind.BLOCKED, FeedErrorKind.ROBOTS, FeedErrorKind.REDIRECT})


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit of a page found: each request and answer, and the error that it ended with.

    ``words`` is the hash of what its main text says; of what it is, where it is no text.
    """

    page: Page
    exchanges: tuple[Exchange, ...]
    error: FeedError | None
    words: str | None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is known of a page after a visit, and whether that visit is to be recorded, and as what."""

    page: Page
    record: bool
    changed: Changed | None = None


def judge(visit: Visit, now: datetime, visits_h: Sequence[float]) -> Meaning:
    """What a visit at ``now`` means, for a page that is visited ``visits_h`` hours after it was first captured."""
    page, status = visit.page, visit.exchanges[-1].status if visit.exchanges else None
    trouble = _trouble(visit)
    if trouble is None:
        return _answered(visit, status or 0, now, visits_h)
    final = visit.error is not None and visit.error.kind in _FOR_GOOD
    if not final and page.attempts < len(BACKOFF):
        wait = BACKOFF[page.attempts]
        if visit.retry_after_s is not None:
            wait = min(max(wait, timedelta(seconds=visit.retry_after_s)), LONGEST_WAIT)
        return Meaning(replace(page, attempts=page.attempts + 1, error=trouble, next_visit_at=now + wait), False)
    record = bool(visit.exchanges) and page.captured_at is None
    page = replace(page, attempts=0, error=trouble, captured_at=now if record else page.captured_at)
    return Meaning(replace(page, next_visit_at=_next(page, now, visits_h)), record)


def _answered(visit: Visit, status: int, now: datetime, visits_h: Sequence[float]) -> Meaning:
    """An answer that is no trouble."""
    page, last = visit.page, visit.exchanges[-1]
    first = page.captured_at is None
    page = replace(page, attempts=0, error=None, captured_at=page.captured_at or now)
    page = replace(page, next_visit_at=_next(page, now, visits_h))
    if status != 304 and status not in GONE and not 200 <= status < 300:
        # A wall: whether the page is still behind it nobody can say.
        return Meaning(replace(page, visits=page.visits + first, error=_said(last)), first)
    page = replace(page, visits=page.visits + 1)
    if status == 304 or (status in GONE and page.gone):
        return Meaning(page, False)
    if status in GONE:
        return Meaning(replace(page, gone=True), True, None if first else Changed.GONE)
    etag, last_modified = _kept(last, "etag"), _kept(last, "last-modified")
    page = replace(page, gone=False, words=visit.words, etag=etag, last_modified=last_modified)
    if first:
        return Meaning(page, True)
    if visit.words != visit.page.words:
        return Meaning(page, True, Changed.CHANGED)
    return Meaning(page, visit.page.gone, Changed.SAME if visit.page.gone else None)


def _trouble(visit: Visit) -> str | None:
    """Why a visit is no answer to go by, in words; None when it is one."""
    if visit.error is not None:
        return f"{visit.error.kind}: {visit.error.detail}"
    last = visit.exchanges[-1]
    if last.status in _FOR_NOW or last.status >= 500:
        return _said(last)
    return {"time": "timeout: the page broke off", "disconnect": "connect: the page broke off"}.get(last.cut or "")


def _said(exchange: Exchange) -> str:
    return f"http: the server answered {exchange.status} {exchange.reason}".strip()


def _next(page: Page, now: datetime, visits_h: Sequence[float]) -> datetime | None:
    """The next of the visits that are planned; None when there is none, or nothing to compare with."""
    if page.captured_at is None:
        return None
    planned = (page.captured_at + timedelta(hours=hours) for hours in visits_h)
    return next((instant for instant in planned if instant > now), None)


def _kept(exchange: Exchange, name: str) -> str | None:
    value = exchange.header(name)
    return value if value and len(value) <= MAX_HEADER and value.isascii() and value.isprintable() else None
