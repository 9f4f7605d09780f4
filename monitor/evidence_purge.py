"""Evidence of what was purged goes as well: records that no capture needs any longer are cut out of their WARC file.

pages and captures of items that are gone -> files of which something went -> what is left of each, as a new file

What is left is on the disk, and known to the store, before the old file goes; and that is gone before the store forgets
it. Killed at any instant, the next purge goes on from there: nothing that is kept is lost, and nothing stays unknown.
"""

from __future__ import annotations

import hashlib
import zlib
from datetime import datetime, timedelta

from monitor.config import Settings
from monitor.errors import BusyError, EvidenceError
from monitor.evidence_warc import LOCK, Folder
from monitor.store import Store, audit, evidence, served

ACTOR = "purge"
WAIT_S = 30.0  # for a pass of capture, which writes to the same folder


def forget_evidence(store: Store, settings: Settings, now: datetime) -> tuple[int, tuple[str, ...]]:
    """Remove all evidence to which no item of the store leads.

    Returns the number of files that were cut or removed, and a sentence for each that could not be. Files of a folder
    that is not on this machine wait for a purge where it is.
    """
    while True:
        with store.write() as connection:
            if not evidence.forget_pages(connection):
                break
    if not settings.evidence.enabled:  # else its stage does so
        with store.write() as connection:
            served.forget(connection, now - timedelta(hours=settings.evidence.keep_h))
    folder = Folder(settings.path(settings.evidence.directory))
    if not folder.path.is_dir():
        return 0, ()
    try:
        with store.lock(LOCK, wait_s=WAIT_S):
            return _cut_files(store, folder, now)
    except BusyError:
        return 0, ("evidence is being captured at this moment: what is to go from its files goes with the next purge",)


def write_off(store: Store, settings: Settings, file: str, actor: str, reason: str, now: datetime) -> int:
    """Forget a file that somebody has lost, and what was captured in it; returns how many captures that were.

    The audit keeps its SHA-256. Raises NotFoundError, and EvidenceError when the file is there, or its whole folder is
    not: then a disk may be missing.
    """
    folder = Folder(settings.path(settings.evidence.directory))
    if not folder.path.is_dir():
        raise EvidenceError(str(folder.path), "is not there: is its disk mounted?")
    with store.lock(LOCK, wait_s=WAIT_S), store.write() as connection:
        if folder.has(file):
            raise EvidenceError(str(folder.path / file), "is there: only what is lost can be forgotten")
        sha256, lost = evidence.write_off(connection, file, now)
        told = {"sha256": sha256, "captures": lost, "reason": reason}
        audit.append(connection, now, actor, "evidence.forget", f"evidence:{file}", told)
    return lost


def _cut_files(store: Store, folder: Folder, now: datetime) -> tuple[int, tuple[str, ...]]:
    with store.read() as connection:
        left = folder.unsettled()
        known = evidence.known(connection, left)
        loose = evidence.loose(connection)
    problems, changed = [], 0
    try:
        folder.settle(left, known)
    except EvidenceError as error:
        return 0, (str(error),)
    for file, sha256 in loose:
        try:
            changed += _cut(store, folder, file, sha256, now)
        except EvidenceError as error:
            problems.append(str(error))
    return changed, tuple(problems)


def _cut(store: Store, folder: Folder, file: str, sha256: str, now: datetime) -> bool:
    """Bring one file up to what the store still knows of it; whether it was another. Raises EvidenceError."""
    with store.read() as connection:
        spans = sorted({(each.offset, each.length) for each in evidence.in_file(connection, file)})
    if spans:
        data = folder.read(file)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise EvidenceError(str(folder.path / file), "is not what was written, and stays; see `evidence verify`")
        spans.insert(0, (0, _first_member(data)))  # about the file itself
        if sum(length for _, length in spans) == len(data):
            with store.write() as connection:
                evidence.tighten(connection, file)
            return False
        _write_rest(store, folder, file, data, spans, now)
    folder.withdraw(file)
    with store.write() as connection:
        evidence.drop_file(connection, file)
        audit.append(connection, now, ACTOR, "evidence.remove", f"evidence:{file}", {"sha256": sha256})
    folder.settle([file], ())
    return True


def _write_rest(
    store: Store, folder: Folder, file: str, data: bytes, spans: list[tuple[int, int]], now: datetime
) -> None:
    """Put what is left of a file, by offset and length, into a new one, and let the store look for it there."""
    rest = b"".join(data[start : start + size] for start, size in spans)
    before, after = (hashlib.sha256(each).hexdigest() for each in (data, rest))
    places, end = {}, 0
    for start, size in spans:
        places[start], end = end, end + size
    name = folder.write(rest, now)
    told = {"sha256": before, "into": name, "into_sha256": after}
    with store.write() as connection:
        evidence.add_file(connection, name, now, after, len(rest))
        evidence.move(connection, file, name, places)
        audit.append(connection, now, ACTOR, "evidence.cut", f"evidence:{file}", told)
    folder.settle([name], [name])


def _first_member(data: bytes) -> int:
    """Where the first gzip member ends: each record is one."""
    unpacker = zlib.decompressobj(31)
    unpacker.decompress(data)
    return len(data) - len(unpacker.unused_data)
