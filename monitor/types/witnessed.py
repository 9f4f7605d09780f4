"""What is kept as evidence: bytes as they came over the wire, and what was said with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Headers = tuple[tuple[str, str], ...]  # in order; bytes as Latin-1 characters, without control characters


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered to one request, but for the body. ``sha256`` and ``bytes`` are of the body, unpacked."""

    url: str
    final_url: str
    fetched_at: datetime
    status: int
    headers: Headers
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Raw:
    """The bytes of the entries of a document as they were served, compressed (see monitor.raw).

    ``spans`` gives start and end of each entry of the document within the unpacked bytes. Without any, these are the
    whole document: its entries cannot be told apart. ``packed`` is empty where it would be too large.
    """

    packed: bytes
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request for a page and its answer. ``body`` is as it came, compressed or not, and not chunked.

    ``cut`` says why there is no more of it: length, time, disconnect.
    """

    url: str
    at: datetime
    sent: Headers
    version: str  # of HTTP, as 1.1
    status: int
    reason: str
    headers: Headers
    body: bytes
    cut: str | None = None

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


class CaptureKind(StrEnum):
    """What was captured of an item."""

    ENTRY = "entry"
    PAGE = "page"


class Changed(StrEnum):
    """How a page compares with what was captured of it before."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Page:
    """The page that an item leads to, and what is known of it."""

    id: int
    url: str
    host: str
    noted_at: datetime
    next_visit_at: datetime | None = None
    visits: int = 0  # that ended with an answer to go by
    attempts: int = 0  # since the last such visit
    captured_at: datetime | None = None  # for the first time
    error: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    words: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Capture:
    """What was captured of an entry or a page, and where it lies: see the table ``captures``."""

    id: int
    kind: CaptureKind
    item_id: int | None
    revision: int | None
    page_id: int | None
    url: str
    final_url: str
    captured_at: datetime
    status: int
    headers: Headers
    sha256: str
    bytes: int
    cut: str | None
    whole: bool
    changed: Changed | None
    file: str
    offset: int
    length: int
    record_id: str

    def as_json(self) -> Mapping[str, Any]:
        """Its fields by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
