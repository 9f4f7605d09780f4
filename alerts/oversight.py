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
pollwatch watches public feeds around an election and queues what looks false for people, who decide. To check the pack:

  python3 -I -S verify.py

  counts.json           items, incidents and alerts of the period, and how long each step took, in minutes
  decisions.jsonl       every decision with its reason, withdrawn ones too, that retention has not removed since
  silences.jsonl        what was kept out of the queue, by whom, why, and how many alerts it hid
  clarifications.jsonl  what the public was told
  parity.json           how candidates and camps fared: items that name them, flagged, decided false, dismissed; ratio
                        is that of their false flags to everybody else's, low and high its 95 % interval; it warns
                        where enough was seen, the ratio lies outside 0.8 to 1.25 and the interval leaves out 1
  models.jsonl, cards/  every model, and what was said of it when it was made
  audit.jsonl           who did what, from the first entry to the last, in a chain of hashes
  manifest.json         SHA-256 of every file; its own stands in manifest.sha256
  verify.py             the program that checks; it needs nothing but Python 3.9

A file of no bytes says that there was nothing. Times of day are UTC. The verifier checks hashes, the chain, that each
decision stands in it, and the cards; counts and parity it takes as they are. A pack that was made anew as a whole fits
itself: compare the head of the audit with the one in a digest that was sent at the time.

這是監察用的紀錄，時段為 {start} 至 {end}。
pollwatch 在選舉期間監察公開的資訊源，把看似失實的內容交給人手判斷。核對方法：python3 -I -S verify.py

  counts.json           時段內的項目、事件和警報數目，以及每一步所需時間（分鐘）
  decisions.jsonl       每項決定及其理由，包括已收回的；其後按保留期刪除的不在其中
  silences.jsonl        哪些內容不入隊列、由誰決定、原因，以及隱藏了多少警報
  clarifications.jsonl  向公眾發布的內容
  parity.json           各候選人及陣營的情況：提及他們的項目，以及當中標示、裁定失實、駁回的數目；ratio 是誤標率與其他人
                        的比，low 和 high 是其 95% 區間；數據足夠、比率在 0.8 至 1.25 以外
                        而區間不含 1 時發出警告
  models.jsonl, cards/  每個模型，以及建立時對它的說明
  audit.jsonl           誰做了甚麼，由第一項至最後一項，以雜湊值相連
  manifest.json         每個檔案的 SHA-256；它本身的在 manifest.sha256
  verify.py             核對程式，只需 Python 3.9

空白檔案表示沒有有關紀錄。時間為協調世界時。核對程式檢查雜湊值、審計鏈、每項決定是否載於審計鏈，以及模型說明；數目和比率
則不會重新計算。整份重新製作的紀錄也會自相符合，所以請將審計鏈的末端與當時寄出的摘要比對。
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
