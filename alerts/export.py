"""The audit as files that hold up elsewhere: entries, the texts behind them, and a manifest of hashes.

JSON Lines, so that no spreadsheet takes a title for a formula; characters that nobody sees stand in it as escapes, so
that no terminal obeys one. Hashes are of the bytes of the files, and of the texts as stored, in UTF-8.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from monitor.errors import InputError
from monitor.invisible import INVISIBLE
from monitor.store import Connection, Store, audit, exports
from monitor.store import alerts as alert_store
from monitor.types import join_text

RAW = "not stored: pollwatch keeps the text of each entry, not its bytes; `feed` has the headers of the last answer"

Opener = Callable[[str], IO[bytes]]  # a new file of that name


def export(store: Store, target: Path, since: datetime | None, now: datetime) -> dict[str, Any]:
    """Write `audit.jsonl`, `items.jsonl` and `manifest.json` into a new folder, or into a new file that ends in .zip.

    Returns the manifest: ``made_at``, ``since``, ``entries`` and ``items`` (numbers), ``first`` and ``last`` entry
    (``seq``, ``hash``), ``broken`` (as of `audit verify`), ``raw_bytes`` and ``files`` (name to ``sha256``, ``bytes``).
    Raises InputError when the target is there already or cannot be written.
    """
    try:
        with store.read() as connection, _opener(target) as opener:
            return _write(connection, opener, since, now)
    except FileExistsError:
        raise InputError(str(target), "is there already; name a new folder or .zip file") from None
    except OSError as error:
        raise InputError(str(target), f"cannot be written: {error.strerror}") from error


class _Lines:
    """A file of JSON Lines that is being written, with its hash and size."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sha256, self.bytes, self.count = file, hashlib.sha256(), 0, 0

    def put(self, row: Mapping[str, Any]) -> None:
        line = _json(row) + b"\n"
        self.file.write(line)
        self.sha256.update(line)
        self.bytes += len(line)
        self.count += 1

    @property
    def facts(self) -> dict[str, Any]:
        return {"sha256": self.sha256.hexdigest(), "bytes": self.bytes}


def _write(connection: Connection, opener: Opener, since: datetime | None, now: datetime) -> dict[str, Any]:
    alerts: set[int] = set()
    first: dict[str, Any] | None = None
    last: dict[str, Any] | None = None
    with opener("audit.jsonl") as file:
        entries = _Lines(file)
        for entry in exports.entries(connection, since):
            entries.put(entry)
            last = {"seq": entry["seq"], "hash": entry["hash"]}
            first = first or last
            if id := alert_store.of_subject(entry["subject"]):
                alerts.add(id)
    with opener("items.jsonl") as file:
        items = _Lines(file)
        for item in exports.items_of(connection, alerts):
            items.put(_with_hashes(item))
    breach = audit.verify(connection)
    manifest = {
        "made_at": now,
        "since": since,
        "entries": entries.count,
        "items": items.count,
        "first": first,
        "last": last,
        "broken": {"seq": breach.seq, "reason": breach.reason, "text": breach.text} if breach else None,
        "raw_bytes": RAW,
        "files": {"audit.jsonl": entries.facts, "items.jsonl": items.facts},
    }
    with opener("manifest.json") as file:  # last: an export that was cut off has none
        file.write(_json(manifest) + b"\n")
    return manifest


def _with_hashes(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item and its earlier texts, each with the SHA-256 of title and summary as one text."""
    earlier = [{**text, "text_sha256": _text_sha256(text)} for text in item["revisions"]]
    return {**item, "text_sha256": _text_sha256(item), "revisions": earlier}


def _text_sha256(text: Mapping[str, Any]) -> str:
    return hashlib.sha256(join_text(text["title"], text["summary"]).encode("utf-8", "surrogatepass")).hexdigest()


def _json(row: Mapping[str, Any]) -> bytes:
    text = json.dumps(row, ensure_ascii=False, default=datetime.isoformat)
    return INVISIBLE.sub(lambda found: json.dumps(found.group())[1:-1], text).encode()


@contextmanager
def _opener(target: Path) -> Iterator[Opener]:
    if target.suffix.lower() == ".zip":
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
            yield lambda name: archive.open(name, "w", force_zip64=True)
    else:
        target.mkdir()
        yield lambda name: (target / name).open("xb")
