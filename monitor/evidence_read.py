"""Reading back what was captured, and whether it is still what was written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from monitor.errors import EvidenceError
from monitor.evidence_text import page_text
from monitor.evidence_warc import Folder, Record, records
from monitor.store import Store, evidence
from monitor.types import Capture, Exchange


@dataclass(frozen=True, slots=True)
class Taken:
    """A capture read back: its payload, and the bytes of the WARC file that hold all its records."""

    body: bytes
    packed: bytes


def take(folder: Folder, capture: Capture) -> Taken:
    """What was captured, as it was written. Raises EvidenceError where it is not there or not the same."""
    packed = folder.read(capture.file, capture.offset, capture.length)
    where = f"{folder.path / capture.file}, capture {capture.id}"
    if len(packed) < capture.length:
        raise EvidenceError(where, "the file is cut off")
    found = {record.id: record for record in sound(records(packed, where), where)}
    record = found.get(capture.record_id)
    if record is None:
        raise EvidenceError(where, f"record {capture.record_id} is not in it")
    if hashlib.sha256(record.body).hexdigest() != capture.sha256:
        raise EvidenceError(where, "its SHA-256 is not the one in the store")
    return Taken(record.body, packed)


def sound(found: Iterable[Record], where: str) -> list[Record]:
    """The records, all of whose digests are right. Raises EvidenceError."""
    every = []
    for record in found:
        if record.fault:
            raise EvidenceError(where, f"record {record.id} was changed: {record.fault}")
        every.append(record)
    return every


def text_of(capture: Capture, body: bytes) -> str:
    """The main text of a captured page; empty where it has none."""
    answer = Exchange(
        capture.final_url, capture.captured_at, (), "1.1", capture.status, "", capture.headers, body, capture.cut
    )
    return page_text(answer, len(body) * 20 + 1_000_000) or ""


def verify(store: Store, folder: Folder) -> dict[str, Any]:
    """Read every record of every file back, and compare with the store.

    ``ok``, ``files``, ``records`` and ``captures`` (numbers that were read), ``broken`` (the first file that is not as
    it was written, or None: ``file``, ``text``), ``unlisted`` (files in the folder that the store does not know).
    """
    with store.read() as connection:
        listed = evidence.files(connection)
    read = {"files": 0, "records": 0, "captures": 0}
    broken = None
    for file, sha256, _ in listed:
        try:
            read["records"] += len(_whole(folder, file, sha256))
            with store.read() as connection:
                captures = evidence.in_file(connection, file)
            for capture in captures:
                take(folder, capture)
            read["captures"] += len(captures)
            read["files"] += 1
        except EvidenceError as error:
            broken = {"file": file, "text": str(error)}
            break
    unlisted = sorted(set(folder.names()) - {file for file, _, _ in listed})
    return {"ok": broken is None, **read, "broken": broken, "unlisted": unlisted}


def _whole(folder: Folder, file: str, sha256: str) -> list[Record]:
    """All records of a file, which name the first broken one; else that its bytes are others."""
    data = folder.read(file)
    where = str(folder.path / file)
    found = sound(records(data, where), where)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise EvidenceError(where, "its bytes are not those that were written")
    return found
