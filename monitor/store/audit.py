"""Who did what, in a chain of hashes: an entry that is edited, removed or moved breaks every link after it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Text, cast, insert, select

from monitor.store.schema import audit
from monitor.types import Said

GENESIS = "0" * 64  # what the first entry follows


@dataclass(frozen=True, slots=True)
class Breach:
    """The first place where the chain does not hold: ``missing``, ``edited`` or ``unlinked``."""

    seq: int
    reason: str
    text: str  # one sentence


def append(
    connection: Connection, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any]
) -> int:
    """Add one entry inside the caller's transaction and return its number; ``detail`` holds JSON values and instants.

    The hash is the SHA-256 of the canonical JSON of every other field, the previous entry's hash among them. The
    caller holds the write lock, so that no two entries can follow the same one.
    """
    return append_all(connection, at, actor, [(action, subject, detail)])


def append_all(
    connection: Connection, at: datetime, actor: str, entries: Iterable[tuple[str, str, Mapping[str, Any]]]
) -> int:
    """Add entries of one actor and instant as ``append`` does, in one statement; returns the newest one's number.

    Each is an action, a subject and a detail.
    """
    last_seq, last_hash = head(connection)
    rows = []
    for action, subject, detail in entries:
        row = {
            "seq": last_seq + 1,
            "at": at,
            "actor": actor,
            "action": action,
            "subject": subject,
            "detail": {
                key: value.isoformat() if isinstance(value, datetime) else value for key, value in detail.items()
            },
            "prev_hash": last_hash,
        }
        last_seq, last_hash = last_seq + 1, _digest(row)
        rows.append({**row, "hash": last_hash})
    if rows:
        connection.execute(insert(audit), rows)
    return last_seq


def because(reason: Said) -> dict[str, Any]:
    """What a detail says of a reason that the program gives: in English, and as it can be said in any language."""
    return {"reason": reason.text, "said": asdict(reason)}


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the newest entry; 0 and 64 zeros when there is none."""
    row = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    return (row.seq, row.hash) if row else (0, GENESIS)


def verify(connection: Connection) -> Breach | None:
    """The first entry that is broken, or None. Reads entry by entry, whatever the length of the chain.

    Found are an edited, a missing and a reordered entry. Not found is a chain whose whole tail was cut off or written
    anew with fitting hashes: for that, compare with the head hash that stands in every digest already sent.
    """
    columns = [audit.c.seq, audit.c.actor, audit.c.action, audit.c.subject, audit.c.prev_hash, audit.c.hash]
    # As text, so that an entry damaged beyond reading is reported, not raised.
    raw = select(*columns, cast(audit.c.at, Text).label("at"), cast(audit.c.detail, Text).label("detail"))
    expected, follows = 1, GENESIS
    with connection.execute(raw.order_by(audit.c.seq).execution_options(yield_per=1000)) as rows:
        for row in map(dict, rows.mappings()):
            if row["seq"] != expected:
                return Breach(expected, "missing", f"entry {expected} is missing")
            if _digest_of_stored(row) != row["hash"]:
                return Breach(expected, "edited", f"entry {expected} was changed after it was written")
            if row["prev_hash"] != follows:
                return Breach(expected, "unlinked", f"entry {expected} does not follow the entry before it")
            expected, follows = expected + 1, row["hash"]
    return None


def listing(
    connection: Connection, *, since: datetime | None = None, subject: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """Entries in the order of writing; with ``limit``, the newest that many."""
    query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if since is not None:
        query = query.where(audit.c.at >= since)
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    return [dict(row) for row in connection.execute(query).mappings()][::-1]


def following(connection: Connection, seq: int, limit: int) -> list[dict[str, Any]]:
    """At most so many entries after number ``seq``, in the order of writing."""
    query = select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(limit)
    return [dict(row) for row in connection.execute(query).mappings()]


def _digest(entry: Mapping[str, Any]) -> str:
    written = {**entry, "at": entry["at"].astimezone(UTC).isoformat()}
    canonical = json.dumps(written, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _digest_of_stored(row: Mapping[str, Any]) -> str | None:
    """What the hash of a stored entry should be; None when it cannot be read."""
    try:
        at = datetime.fromisoformat(row["at"])
        entry = {**row, "at": at if at.tzinfo else at.replace(tzinfo=UTC), "detail": json.loads(row["detail"])}
        del entry["hash"]
        return _digest(entry)
    except (TypeError, ValueError):
        return None
