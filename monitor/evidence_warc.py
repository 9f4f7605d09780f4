"""WARC files (ISO 28500, version 1.1): the only user of warcio. Each is written whole, once, and never changed.

A file is built under a name that no reader looks for, and gets its own when the store knows what is in it (see
``settle``): a kill at any instant leaves no half file, and nothing twice.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import zlib
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from monitor import __version__
from monitor.errors import EvidenceError
from monitor.types import Answer, Exchange, Headers

SUFFIX = ".warc.gz"
LOCK = "capture"  # of the store: held by the one writer of the folder
_PART = ".part"
_VERSION = "WARC/1.1"
_OURS = re.compile(r"\d{4}-\d\d-\d\d/\d{6}-\d{3,}\.warc\.gz")
_NO_TEXT = re.compile(r"[^\x20-\x7e]")
_NO_TOKEN = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]")
_IN_ADDRESS = "%/:?#[]@!$&'()*+,;=~-._"
# The body is kept without this, and readers would look for it.
_UNDONE = {"transfer-encoding": "X-Archive-Orig-Transfer-Encoding"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the records of one capture lie within their file, and which of them is the one that matters."""

    offset: int
    length: int
    record_id: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Record:
    """A record read back. ``headers`` are those of HTTP, if it has any; ``body`` is what came with them."""

    id: str
    kind: str
    url: str
    headers: Headers
    body: bytes
    fault: str | None  # of its digests


class Warc:
    """A file in the making, in memory."""

    def __init__(self, now: datetime, contact: str) -> None:
        self._data = io.BytesIO()
        self._writer = WARCWriter(self._data, gzip=True, warc_version=_VERSION)
        self._now = now
        told = {"software": f"pollwatch/{__version__}", "format": "WARC File Format 1.1", "operator": contact}
        lines = "".join(f"{name}: {_line(text)}\r\n" for name, text in told.items() if text)
        self._write("warcinfo", None, now, lines.encode(), content_type="application/warc-fields")

    @property
    def data(self) -> bytes:
        """All of it."""
        return self._data.getvalue()

    @property
    def size(self) -> int:
        """In bytes."""
        return self._data.tell()

    def add_entry(self, answer: Answer, body: bytes, content_type: str) -> Place:
        """An entry as its feed served it, and what came with it."""
        begin = self._data.tell()
        at = answer.fetched_at
        record_id = self._write("resource", answer.url, at, body, content_type=content_type)
        told = [
            ("fetched-from", answer.final_url),
            ("status", str(answer.status)),
            ("body-sha256", answer.sha256),
            ("body-bytes", str(answer.bytes)),
            *((f"header-{name}", value) for name, value in answer.headers),
        ]
        lines = "".join(f"{_NO_TOKEN.sub('?', name)}: {_line(value)}\r\n" for name, value in told).encode()
        extra = {"WARC-Refers-To": record_id}
        self._write("metadata", answer.url, at, lines, content_type="application/warc-fields", extra=extra)
        return self._place(begin, record_id, body)

    def add_page(self, exchanges: Sequence[Exchange]) -> Place:
        """Every request that led to a page, each with its answer; the last answer is the one that matters."""
        begin, record_id = self._data.tell(), ""
        for exchange in exchanges:
            extra = {"WARC-Truncated": exchange.cut} if exchange.cut else {}
            record_id = self._write(
                "response", exchange.url, exchange.at, exchange.body, http=_answer(exchange), extra=extra
            )
            extra = {"WARC-Concurrent-To": record_id}
            self._write("request", exchange.url, exchange.at, b"", http=_request(exchange), extra=extra)
        return self._place(begin, record_id, exchanges[-1].body)

    def _place(self, begin: int, record_id: str, body: bytes) -> Place:
        return Place(begin, self._data.tell() - begin, record_id, hashlib.sha256(body).hexdigest(), len(body))

    def _write(
        self,
        kind: str,
        url: str | None,
        at: datetime,
        body: bytes,
        *,
        content_type: str = "",
        http: StatusAndHeaders | None = None,
        extra: dict[str, str] | None = None,
    ) -> str:
        """One record; returns its id."""
        headers = {"WARC-Date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), **(extra or {})}
        if kind != "warcinfo":
            headers["WARC-Payload-Digest"] = f"sha256:{hashlib.sha256(body).hexdigest()}"
        record = self._writer.create_warc_record(
            _address(url) if url else None,
            kind,
            payload=io.BytesIO(body),
            length=len(body),
            warc_content_type=_line(content_type),
            warc_headers_dict=headers,
            http_headers=http,
        )
        self._writer.write_record(record)
        return str(record.rec_headers.get_header("WARC-Record-ID"))


def _answer(exchange: Exchange) -> StatusAndHeaders:
    status = f"{exchange.status} {_line(exchange.reason)}".strip()
    return StatusAndHeaders(status, _http(exchange.headers), protocol=f"HTTP/{exchange.version}")


def _request(exchange: Exchange) -> StatusAndHeaders:
    parts = urlsplit(exchange.url)
    target = _address(parts.path or "/") + (f"?{_address(parts.query)}" if parts.query else "")
    return StatusAndHeaders(f"GET {target} HTTP/1.1", _http(exchange.sent), is_http_request=True)


def _http(headers: Headers) -> list[tuple[str, str]]:
    return [(_UNDONE.get(name.lower(), _NO_TOKEN.sub("?", name)), _line(value)) for name, value in headers]


def _address(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe=_IN_ADDRESS)


def _line(text: str) -> str:
    """Printable ASCII; all else, line ends first of all, in percent signs."""
    return _NO_TEXT.sub(lambda found: quote(found.group().encode("utf-8", "surrogatepass")), text)


class Folder:
    """Where the files lie. Only its one writer (see ``monitor.evidence``) calls what changes it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self, min_free_mb: int) -> None:
        """Make it, and see that there is room. Raises EvidenceError."""
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            free = shutil.disk_usage(self.path).free // 1_000_000
        except OSError as error:
            raise EvidenceError(str(self.path), f"cannot be made: {error.strerror}") from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise EvidenceError(str(self.path), "cannot be written: permission denied")
        if free < min_free_mb:
            detail = f"the disk has {free:,} MB left, less than evidence.min_free_mb; nothing is captured until it has"
            raise EvidenceError(str(self.path), detail)

    def write(self, data: bytes, now: datetime) -> str:
        """Put a file where no reader looks for it; returns the name that ``settle`` gives it. Raises EvidenceError."""
        day = self.path / now.astimezone(UTC).strftime("%Y-%m-%d")
        stem = now.astimezone(UTC).strftime("%H%M%S")
        try:
            day.mkdir(mode=0o700, exist_ok=True)
            number = 1
            while (path := day / f"{stem}-{number:03}{SUFFIX}").exists() or _part(path).exists():
                number += 1
            with _part(path).open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _sync(day)
            _sync(self.path)
        except OSError as error:
            raise EvidenceError(str(day), f"cannot be written: {error.strerror}") from error
        return f"{day.name}/{path.name}"

    def unsettled(self) -> list[str]:
        """The files that ``write`` has put here and ``settle`` has not seen."""
        parts = self.path.glob(f"*/*{SUFFIX}{_PART}")
        return sorted(f"{part.parent.name}/{part.name.removesuffix(_PART)}" for part in parts)

    def settle(self, names: Iterable[str], known: Container[str]) -> None:
        """Give the files that the store knows their names, and drop the others: nothing of them was recorded.

        Raises EvidenceError.
        """
        for name in names:
            path = self.path / name
            try:
                if name in known:
                    _part(path).chmod(0o400)
                    _part(path).rename(path)
                else:
                    _part(path).unlink()
                _sync(path.parent)
            except OSError as error:
                raise EvidenceError(str(path), f"cannot be written: {error.strerror}") from error

    def withdraw(self, name: str) -> None:
        """Take a file's name, as long as it is one of ours: ``settle`` deletes it once the store does not know it.

        Raises EvidenceError, also where it is not there: another machine's folder may have it.
        """
        path = self.path / name
        if not _OURS.fullmatch(name):
            raise EvidenceError(str(path), "is not the name of a file of evidence, and is left alone")
        try:
            path.rename(_part(path))
            _sync(path.parent)
        except FileNotFoundError:
            mend = f"is not there: a purge on the machine that has it removes it; {_lost(name)}"
            raise EvidenceError(str(path), mend) from None
        except OSError as error:
            raise EvidenceError(str(path), f"cannot be removed: {error.strerror}") from error

    def has(self, name: str) -> bool:
        """Whether a file is there, be it one that is about to get or to lose its name."""
        return any(path.exists() for path in (self.path / name, _part(self.path / name)))

    def names(self) -> list[str]:
        """Every file, in order."""
        return sorted(f"{path.parent.name}/{path.name}" for path in self.path.glob(f"*/*{SUFFIX}"))

    def read(self, name: str, offset: int = 0, length: int = -1) -> bytes:
        """Bytes of a file, one that is about to get its name included. Raises EvidenceError."""
        path = self.path / name
        try:
            with (path if path.exists() else _part(path)).open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except FileNotFoundError:
            raise EvidenceError(str(path), f"is not there: copy it back from a backup; {_lost(name)}") from None
        except OSError as error:
            raise EvidenceError(str(path), f"cannot be read: {error.strerror}") from error


def records(data: bytes, name: str) -> Iterator[Record]:
    """The records in some bytes of the file ``name``. Raises EvidenceError where they cannot be read."""
    try:
        for record in ArchiveIterator(io.BytesIO(data), check_digests=True):
            headers = record.http_headers.headers if record.http_headers else []
            about = record.rec_headers
            yield Record(
                id=str(about.get_header("WARC-Record-ID")),
                kind=str(record.rec_type),
                url=about.get_header("WARC-Target-URI") or "",
                headers=tuple((str(key), str(value)) for key, value in headers),
                body=record.raw_stream.read(),
                fault="; ".join(record.digest_checker.problems) or None,
            )
    except (ArchiveLoadFailed, EOFError, OSError, ValueError, zlib.error) as error:
        raise EvidenceError(name, f"is no WARC that can be read: {str(error).strip().partition(chr(10))[0]}") from error


def _lost(name: str) -> str:
    return f"if it is lost, `pollwatch evidence forget {name}` settles it"


def _part(path: Path) -> Path:
    return path.with_name(path.name + _PART)


def _sync(folder: Path) -> None:
    """A name is safe from a power cut once its folder is."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
