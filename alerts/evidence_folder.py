"""`evidence export`: what was captured of one alert, as a folder that anybody can open without this program.

Nothing in it runs: pages are text, their bytes carry names that end in .txt, and the index has no script and no link
that leads out of the folder. Names of files are numbers of ours, never words of theirs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from alerts import opinions
from alerts.render import render
from monitor.config import Settings
from monitor.errors import EvidenceError, InputError
from monitor.evidence import folder_of
from monitor.evidence_read import Taken, take, text_of
from monitor.evidence_warc import Folder
from monitor.invisible import INVISIBLE
from monitor.store import Connection, Store, alert_list, audit, decisions, evidence, exports
from monitor.store import alerts as alert_store
from monitor.types import Capture, CaptureKind, join_text

SHOWN = 4_000  # characters of a text that stand in the index; the file has all


def export(store: Store, settings: Settings, alert_id: int, target: Path, now: datetime) -> dict[str, Any]:
    """Write the folder ``target``, which must not be there yet.

    Returns ``alert``, ``items``, ``captures`` (numbers), ``broken`` (a sentence for each capture that is not as it was
    written) and ``files`` (name to SHA-256). Raises NotFoundError, and InputError when the target cannot be written.
    """
    with store.read() as connection:
        case = _case(connection, alert_id, now)
    try:
        target.mkdir()
        return _Writer(target, folder_of(settings)).write(case, settings, now)
    except FileExistsError:
        raise InputError(str(target), "is there already; name a new folder") from None
    except OSError as error:
        raise InputError(str(target), f"cannot be written: {error.strerror}") from error


def _case(connection: Connection, alert_id: int, now: datetime) -> dict[str, Any]:
    """Everything about an alert that is written, as the store has it."""
    row = alert_list.row(connection, alert_id, now)
    item_ids = evidence.items_of(connection, row["incident_id"])
    captures = list(evidence.of_items(connection, item_ids))
    files = {f"evidence:{capture.file}" for _, capture in captures}
    subject = alert_store.subject(alert_id)
    told = audit.listing(connection, subject=subject)
    if opinions.is_blind(row) or alert_id in decisions.awaited(connection):
        told = opinions.without_told(told, {subject})
    for file in sorted(files):
        told += audit.listing(connection, subject=file)
    pages = [(id, page) for id, page in evidence.pages_of(connection, item_ids) if page.captured_at is None]
    return {
        "alert": row,
        "items": list(exports.items_of(connection, [alert_id])),
        "captures": captures,
        "pages": pages,
        "audit": sorted(told, key=lambda entry: int(entry["seq"])),
    }


class _Writer:
    def __init__(self, target: Path, source: Folder) -> None:
        self.target, self.source = target, source
        self.sums: dict[str, str] = {}
        self.broken: list[str] = []

    def put(self, name: str, data: bytes) -> None:
        path = self.target / name
        path.parent.mkdir(exist_ok=True)
        with path.open("xb") as file:
            file.write(data)
        self.sums[name] = hashlib.sha256(data).hexdigest()

    def put_text(self, name: str, text: str) -> None:
        self.put(name, text.encode("utf-8-sig", "replace"))  # with a mark: no program need guess what it is

    def put_lines(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self.put(name, b"".join(_json(row) + b"\n" for row in rows))

    def write(self, case: Mapping[str, Any], settings: Settings, now: datetime) -> dict[str, Any]:
        shown = self.captures(case)
        self.put_lines("audit.jsonl", case["audit"])
        data = {**case, "shown": shown, "now": now, "zone": settings.calendar.zone, "broken": self.broken}
        self.put("index.html", render("evidence.html", data).encode("utf-8", "replace"))
        self.put_text("README.txt", render("evidence.txt", data))
        sums = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(self.sums.items()))
        (self.target / "SHA256SUMS").write_text(sums, encoding="ascii")  # last: a folder that was cut off has none
        made = {"alert": case["alert"]["id"], "items": len(case["items"]), "captures": len(shown)}
        return {**made, "broken": self.broken, "files": self.sums}

    def captures(self, case: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The files of each capture, and the rows that tell of them."""
        rows: dict[int, dict[str, Any]] = {}
        packed: dict[tuple[str, int], bytes] = {}  # by place: entries of one document share it
        texts = _texts(case["items"])
        for item_id, capture in case["captures"]:
            if capture.id in rows:  # one page, to which several items lead
                rows[capture.id]["item_ids"].append(item_id)
                continue
            row = {"number": len(rows) + 1, "item_ids": [item_id], **capture.as_json()}
            row |= {"text": "", "text_file": None, "raw_file": None}
            taken = self.take(capture)
            if taken is not None:
                packed[capture.file, capture.offset] = taken.packed
                row |= self.files_of(row["number"], capture, taken.body, texts.get((item_id, capture.revision), ""))
            rows[capture.id] = row
        told = [{key: value for key, value in row.items() if key != "text"} for row in rows.values()]
        self.put_lines("captures.jsonl", told)
        if packed:
            self.put("evidence.warc.gz", b"".join(packed.values()))
        return list(rows.values())

    def take(self, capture: Capture) -> Taken | None:
        try:
            return take(self.source, capture)
        except EvidenceError as error:
            self.broken.append(str(error))
            return None

    def files_of(self, number: int, capture: Capture, body: bytes, entry_text: str) -> dict[str, Any]:
        name = f"{number:03}-{capture.kind}.txt"
        text = text_of(capture, body) if capture.kind is CaptureKind.PAGE else entry_text
        self.put(f"raw/{name}", body)
        if not text:
            return {"raw_file": f"raw/{name}"}
        self.put_text(f"text/{name}", text)
        return {"raw_file": f"raw/{name}", "text_file": f"text/{name}", "text": text[:SHOWN]}


def _texts(items: Sequence[Mapping[str, Any]]) -> dict[tuple[int, int | None], str]:
    """What was stored of each revision of each item."""
    found: dict[tuple[int, int | None], str] = {}
    for item in items:
        for text in (item, *item["revisions"]):
            found[item["id"], text["revision"]] = join_text(text["title"], text["summary"])
    return found


def _json(row: Mapping[str, Any]) -> bytes:
    text = json.dumps(row, ensure_ascii=False, default=lambda value: value.isoformat())
    return INVISIBLE.sub(lambda found: json.dumps(found.group())[1:-1], text).encode()
