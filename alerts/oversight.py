"""What an outsider needs to check a period: counts, decisions, silences, parity, cards, the audit, and a verifier.

Reviewers stand in it by the names under which they acted: the chain of the audit holds them, and a pack that hid them
could not be checked against it. Who gets a pack is the team's to decide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import monitor
from alerts.export import Lines, Opener, encode, opened
from alerts.legs import measure
from alerts.parity import read_parity
from classifiers import registry
from monitor.config import Settings
from monitor.store import (
    Connection,
    Store,
    audit,
    decisions,
    exports,
    models,
    passages,
    silences,
    summary,
    versions,
)

README = """\
A pack for oversight of pollwatch, of what was done from {start} to {end}.

  counts.json           items, incidents, alerts and how long they took
  decisions.jsonl       every decision of the period with its reason, withdrawn ones too
  silences.jsonl        what was kept out of the queue, by whom, why, and how many alerts it hid
  clarifications.jsonl  what the public was told
  parity.json           how candidates and camps fared
  models.jsonl, cards/  every model, and what was said of it when it was made
  audit.jsonl           who did what, from the first entry to the last, in a chain of hashes
  manifest.json         SHA-256 of every file; its own stands in manifest.sha256
  verify.py             checks all of this with nothing but Python: python3 -I -S verify.py

A pack that was made anew as a whole fits itself: compare the head of the audit with the one in a digest of the time.

供監察之用：{start} 至 {end} 的紀錄。以 python3 -I -S verify.py 核對每個檔案、審計鏈及每項決定；
並將審計鏈的末端與當時寄出的摘要比對。
"""


def export(
    store: Store, settings: Settings, target: Path, start: datetime, end: datetime, now: datetime
) -> dict[str, Any]:
    """Write the pack of [start, end) into a new folder, or into a new file that ends in .zip; returns its manifest.

    That is ``made_at``, ``since``, ``until``, ``program``, ``audit`` (``seq`` and ``hash`` of its head), ``broken`` (as
    of `audit verify`), ``decisions`` (their number) and ``files`` (name to ``sha256``, ``bytes``). Raises InputError
    when the target is there already or cannot be written, and ConfigError.
    """
    parity = read_parity(store, settings, start, end).as_json()
    with opened(target) as opener, store.read() as connection:
        pack = _Pack(opener)
        period = {"since": start, "until": end}
        pack.put("README.txt", README.format(start=start.isoformat(), end=end.isoformat()).encode())
        pack.put("verify.py", files("alerts").joinpath("oversight_verify.py").read_bytes())
        made = pack.put_rows("decisions.jsonl", decisions.between(connection, start, end))
        pack.put_rows("silences.jsonl", _silences(connection, start, end, now))
        pack.put_rows("clarifications.jsonl", versions.between(connection, start, end))
        pack.put("counts.json", encode({**period, **_counts(connection, start, end), "decisions": made}))
        pack.put("parity.json", encode({**period, **parity}))
        _put_models(connection, pack)
        pack.put_rows("audit.jsonl", exports.entries(connection))
        seq, head = audit.head(connection)
        breach = audit.verify(connection)
        manifest = {
            "made_at": now,
            **period,
            "program": monitor.__version__,
            "audit": {"seq": seq, "hash": head},
            "broken": {"seq": breach.seq, "reason": breach.reason, "text": breach.text} if breach else None,
            "decisions": made,
            "files": dict(sorted(pack.files.items())),
        }
        body = encode(manifest)
        pack.put("manifest.json", body)
        pack.put("manifest.sha256", f"{hashlib.sha256(body).hexdigest()}  manifest.json\n".encode())
    return manifest


class _Pack:
    """Files that are being written, with what the manifest says of each."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self.files: dict[str, dict[str, Any]] = {}

    def put(self, name: str, body: bytes) -> None:
        with self._opener(name) as file:
            file.write(body)
        self.files[name] = {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}

    def put_rows(self, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """JSON Lines; returns how many."""
        with self._opener(name) as file:
            lines = Lines(file)
            for row in rows:
                lines.put(row)
        self.files[name] = lines.facts
        return lines.count


def _counts(connection: Connection, start: datetime, end: datetime) -> dict[str, Any]:
    clocks = measure(passages.between(connection, start, end))
    return {
        **summary.collected(connection, start, end),
        **summary.flagged(connection, start, end),
        "alerts": clocks["alerts"],
        "clocks": clocks["legs"],
        "decisions_in_force": summary.decisions_made(connection, start, end),
    }


def _silences(connection: Connection, start: datetime, end: datetime, now: datetime) -> list[dict[str, Any]]:
    """Those that held at some time of the period."""
    rows = silences.listing(connection, now, every=True)
    return [row for row in rows if row["starts_at"] < end and row["ends_at"] > start]


def _put_models(connection: Connection, pack: _Pack) -> None:
    """Every model, for any of them may have judged an item of the period; with the file of its card where it has one.

    A card is written as it is kept, changed or not: the verifier compares it with its hash.
    """
    rows = []
    for row in models.listing(connection):
        card = models.card(connection, row["id"])
        name = None if card is None else f"cards/{row['id']}.json"
        if card is not None and name is not None:
            pack.put(name, card)
        rows.append({**registry.describe(row), "card": name})
    pack.put_rows("models.jsonl", rows)
