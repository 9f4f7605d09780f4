"""The audit as files that hold up elsewhere: entries, the texts and bytes behind them, and a manifest of hashes.

JSON Lines, so that no spreadsheet takes a title for a formula; characters that nobody sees stand in it as escapes, so
that no terminal obeys one. Hashes are of the bytes of the files, and of the texts as stored, in UTF-8.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from monitor.config import Settings
from monitor.errors import EvidenceError, InputError
from monitor.evidence import folder_of
from monitor.evidence_read import take
from monitor.evidence_warc import Folder
from monitor.invisible import INVISIBLE
from monitor.store import Connection, Store, audit, evidence, exports
from monitor.store import alerts as alert_store
from monitor.types import Capture, join_text

Opener = Callable[[str], IO[bytes]]  # a new file of that name


def export(store: Store, settings: Settings, target: Path, since: datetime | None, now: datetime) -> dict[str, Any]:
    """Write `audit.jsonl`, `items.jsonl`, `evidence.jsonl`, `raw` and `manifest.json` into a new folder, or into a new
    file that ends in .zip.

    Returns the manifest: ``made_at``, ``since``, ``entries`` and ``items`` (numbers), ``first`` and ``last`` entry
    (``seq``, ``hash``), ``broken`` (as of `audit verify`), ``raw_bytes`` (``captures``: their number, ``without``: the
    items of which nothing was captured, ``broken``: a sentence for each capture that is not as it was written) and
    ``files`` (name to ``sha256``, ``bytes``). Raises InputError when the target is there already or cannot be written.
    """
    with store.read() as connection, opened(target) as opener:
        return _write(connection, opener, folder_of(settings), since, now)


@contextmanager
def opened(target: Path) -> Iterator[Opener]:
    """Where the files of an export go: a new folder, or a new file that ends in .zip.

    Raises InputError when it is there already or cannot be written.
    """
    try:
        with _opener(target) as opener:
            yield opener
    except FileExistsError:
        raise InputError(str(target), "is there already; name a new folder or .zip file") from None
    except OSError as error:
        raise InputError(str(target), f"cannot be written: {error.strerror}") from error


class Lines:
    """A file of JSON Lines that is being written, with its hash and size."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sha256, self.bytes, self.count = file, hashlib.sha256(), 0, 0

    def put(self, row: Mapping[str, Any]) -> None:
        """Write one row."""
        line = encode(row) + b"\n"
        self.file.write(line)
        self.sha256.update(line)
        self.bytes += len(line)
        self.count += 1

    @property
    def facts(self) -> dict[str, Any]:
        """What a manifest says of it."""
        return {"sha256": self.sha256.hexdigest(), "bytes": self.bytes}


def _write(
    connection: Connection, opener: Opener, source: Folder, since: datetime | None, now: datetime
) -> dict[str, Any]:
    alerts: set[int] = set()
    first: dict[str, Any] | None = None
    last: dict[str, Any] | None = None
    with opener("audit.jsonl") as file:
        entries = Lines(file)
        for entry in exports.entries(connection, since):
            entries.put(entry)
            last = {"seq": entry["seq"], "hash": entry["hash"]}
            first = first or last
            if id := alert_store.of_subject(entry["subject"]):
                alerts.add(id)
    item_ids = []
    with opener("items.jsonl") as file:
        items = Lines(file)
        for item in exports.items_of(connection, alerts):
            items.put(_with_hashes(item))
            item_ids.append(item["id"])
    captures = list(evidence.of_items(connection, item_ids))
    names = _raw_names(capture for _, capture in captures)
    broken = _write_raw(opener, source, {names[capture.file, capture.offset]: capture for _, capture in captures})
    with opener("evidence.jsonl") as file:
        kept = Lines(file)
        for item_id, capture in captures:
            name = names[capture.file, capture.offset]
            kept.put({**capture.as_json(), "item_id": item_id, "raw": None if name in broken else name})
    breach = audit.verify(connection)
    manifest = {
        "made_at": now,
        "since": since,
        "entries": entries.count,
        "items": items.count,
        "first": first,
        "last": last,
        "broken": {"seq": breach.seq, "reason": breach.reason, "text": breach.text} if breach else None,
        "raw_bytes": {
            "captures": len({capture.id for _, capture in captures}),
            "without": sorted(set(item_ids) - {item_id for item_id, _ in captures}),
            "broken": list(broken.values()),
        },
        "files": {"audit.jsonl": entries.facts, "items.jsonl": items.facts, "evidence.jsonl": kept.facts},
    }
    with opener("manifest.json") as file:  # last: an export that was cut off has none
        file.write(encode(manifest) + b"\n")
    return manifest


def _raw_names(captures: Iterable[Capture]) -> dict[tuple[str, int], str]:
    """The name of the bytes at each place, which entries of one document share; never .html: browsers run that."""
    names: dict[tuple[str, int], str] = {}
    for capture in captures:
        names.setdefault((capture.file, capture.offset), f"raw/{capture.id:06}-{capture.kind}.txt")
    return names


def _write_raw(opener: Opener, source: Folder, captures: Mapping[str, Capture]) -> dict[str, str]:
    """The bytes of captures by name, each in a file; returns a sentence for each that is not as it was written."""
    broken = {}
    for name, capture in captures.items():
        try:
            body = take(source, capture).body
        except EvidenceError as error:
            broken[name] = str(error)
            continue
        with opener(name) as file:
            file.write(body)
    return broken


def _with_hashes(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item and its earlier texts, each with the SHA-256 of title and summary as one text."""
    earlier = [{**text, "text_sha256": _text_sha256(text)} for text in item["revisions"]]
    return {**item, "text_sha256": _text_sha256(item), "revisions": earlier}


def _text_sha256(text: Mapping[str, Any]) -> str:
    return hashlib.sha256(join_text(text["title"], text["summary"]).encode("utf-8", "surrogatepass")).hexdigest()


def encode(row: Mapping[str, Any]) -> bytes:
    """One JSON object without a newline."""
    text = json.dumps(row, ensure_ascii=False, default=datetime.isoformat)
    return INVISIBLE.sub(lambda found: json.dumps(found.group())[1:-1], text).encode()


@contextmanager
def _opener(target: Path) -> Iterator[Opener]:
    if target.suffix.lower() == ".zip":
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
            yield lambda name: archive.open(name, "w", force_zip64=True)
    else:
        target.mkdir()

        def opened(name: str) -> IO[bytes]:
            (target / name).parent.mkdir(exist_ok=True)
            return (target / name).open("xb")

        yield opened
