"""Check a pack for oversight: every file, every entry of the audit, every decision. Needs nothing but Python 3.9.

    python3 -I -S verify.py             # in the unpacked folder
    python3 -I -S verify.py PACK.zip    # or a folder, or a .zip, from elsewhere

Ends with 0 when everything holds, with 1 at the first thing that does not, which it names, and with 2 when there is
nothing to check. A pack that was made anew as a whole fits itself again: compare the head of the audit that is printed
at the end with the one in a digest which was sent at the time.

It is part of pollwatch, and is written into every pack as `verify.py`.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

GENESIS = "0" * 64
_CHUNK = 1 << 20


class Broken(Exception):  # noqa: N818 - read as a sentence: raise Broken("…")
    """The first thing that does not hold, in one sentence."""


class Pack:
    """A folder or a .zip."""

    def __init__(self, path: Path) -> None:
        self.folder = path if path.is_dir() else None
        self.archive = None if path.is_dir() else zipfile.ZipFile(path)

    def names(self) -> set[str]:
        """The files in it."""
        if self.folder is not None:
            return {each.relative_to(self.folder).as_posix() for each in self.folder.rglob("*") if not each.is_dir()}
        names = self.archive.namelist() if self.archive else []
        if len(set(names)) < len(names):
            raise Broken("the archive holds two files of one name")
        return {name for name in names if not name.endswith("/")}

    def open(self, name: str) -> IO[bytes]:
        """One file. Raises Broken when it is not there, or lies elsewhere."""
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts:
            raise Broken(f"{name} is no name of a file of this pack")
        try:
            if self.folder is not None:
                if (self.folder / name).is_symlink():
                    raise Broken(f"{name} is a link to elsewhere")
                return (self.folder / name).open("rb")
            assert self.archive is not None  # noqa: S101 - one of the two
            return self.archive.open(name)
        except (OSError, KeyError):
            raise Broken(f"{name} is missing") from None

    def json(self, name: str) -> Any:
        """One file of JSON."""
        with self.open(name) as file:
            return _json(file.read(), name)

    def lines(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The rows of a file of JSON Lines, each with where it stands."""
        with self.open(name) as file:
            for number, line in enumerate(file, 1):
                where = f"{name}, line {number}"
                row = _json(line, where)
                if not isinstance(row, dict):
                    raise Broken(f"{where} is no object")
                yield where, row


def verify(pack: Pack) -> list[str]:
    """What was checked and holds, a sentence each. Raises Broken at the first thing that does not."""
    manifest = _manifest(pack)
    _files(pack, manifest["files"])
    head, acts = _chain(pack, manifest["audit"])
    decisions = _decisions(pack, acts)
    alone = _alone(acts, manifest["since"], manifest["until"])
    cards = _cards(pack)
    return [
        f"files as they were written: {len(manifest['files'])}",
        f"entries of the audit, in an unbroken chain: {head['seq']}",
        f"decisions that stand in the audit: {decisions}",
        f"decisions of the period that stand in the audit alone (purged since, or left out): {alone}",
        f"cards that were made with their models: {cards}",
        f"head of the audit: {head['hash']}",
        f"compare it with the digest of {manifest['made_at'][:10]} or a later one",
    ]


def _manifest(pack: Pack) -> dict[str, Any]:
    with pack.open("manifest.sha256") as file:
        expected = file.read(_CHUNK).split()[:1]
    with pack.open("manifest.json") as file:
        body = file.read()
    if expected != [hashlib.sha256(body).hexdigest().encode()]:
        raise Broken("manifest.json is not as it was written, or manifest.sha256 is not")
    manifest = _json(body, "manifest.json")
    if not isinstance(manifest, dict) or not {"files", "audit", "made_at", "since", "until"} <= set(manifest):
        raise Broken("manifest.json is none")
    return manifest


def _files(pack: Pack, files: dict[str, Any]) -> None:
    present = pack.names() - {"manifest.json", "manifest.sha256"}
    for name in sorted(set(files) - present):
        raise Broken(f"{name} is missing")
    for name in sorted(present - set(files)):
        if "__pycache__" not in name:
            raise Broken(f"{name} does not belong to this pack")
    for name, facts in sorted(files.items()):
        digest, size = hashlib.sha256(), 0
        with pack.open(name) as file:
            while size <= facts["bytes"] and (part := file.read(_CHUNK)):
                digest.update(part)
                size += len(part)
        if (digest.hexdigest(), size) != (facts["sha256"], facts["bytes"]):
            raise Broken(f"{name} is not as it was written")


def _chain(pack: Pack, expected: dict[str, Any]) -> tuple[dict[str, Any], dict[tuple[str, ...], int]]:
    """The newest entry, and how often which decision stands in the chain."""
    seq, follows = 0, GENESIS
    acts: dict[tuple[str, ...], int] = {}
    for where, entry in pack.lines("audit.jsonl"):
        seq += 1
        if entry.get("seq") != seq:
            raise Broken(f"{where}: entry {seq} is missing")
        bare = {key: value for key, value in entry.items() if key != "hash"}
        canonical = json.dumps(bare, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if entry.get("hash") != hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest():
            raise Broken(f"{where}: entry {seq} was changed after it was written")
        if entry.get("prev_hash") != follows:
            raise Broken(f"{where}: entry {seq} does not follow the entry before it")
        follows = entry["hash"]
        if entry["action"] == "alert.decide":
            act = _act(entry["subject"], entry["actor"], entry["at"], entry["detail"])
            acts[act] = acts.get(act, 0) + 1
    if (seq, follows) != (expected["seq"], expected["hash"]):
        raise Broken(f"the audit ends at entry {seq}, not at {expected['seq']} with the hash of the manifest")
    return expected, acts


def _decisions(pack: Pack, acts: dict[tuple[str, ...], int]) -> int:
    """Every decision stands in the audit, as often as here; returns how many there are, and leaves the rest."""
    count = 0
    for where, row in pack.lines("decisions.jsonl"):
        act = _act(f"alert:{row['alert_id']}", row["reviewer"], row["at"], row)
        acts[act] = acts.get(act, 0) - 1
        if acts[act] < 0:
            raise Broken(f"{where}: this decision on alert {row['alert_id']} does not stand in the audit")
        count += 1
    return count


def _alone(acts: dict[tuple[str, ...], int], since: str, until: str) -> int:
    """How many of the acts that are left fall into the period."""
    start, end = datetime.fromisoformat(since), datetime.fromisoformat(until)
    return sum(left for act, left in acts.items() if start <= datetime.fromisoformat(act[2]) < end)


def _act(subject: str, actor: str, at: str, said: dict[str, Any]) -> tuple[str, ...]:
    return (subject, actor, at, *(str(said[key]) for key in ("decision", "verdict", "reason")))


def _cards(pack: Pack) -> int:
    """Every card has the hash that the registry keeps of it; returns how many there are."""
    count = 0
    for where, model in pack.lines("models.jsonl"):
        if model.get("card_sha256"):
            with pack.open(model["card"]) as file:
                if hashlib.sha256(file.read()).hexdigest() != model["card_sha256"]:
                    raise Broken(f"{where}: {model['card']} is not the card that was made with this model")
            count += 1
    return count


def _json(data: bytes, where: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise Broken(f"{where} is no JSON") from None


def main(arguments: list[str]) -> int:
    """Say what holds, or what does not first; returns the exit code."""
    path = Path(arguments[0]) if arguments else Path(__file__).parent
    try:
        pack = Pack(path)
    except (OSError, zipfile.BadZipFile) as error:
        sys.stderr.write(f"{ascii(str(path))[1:-1]} cannot be read: {ascii(str(error))[1:-1]}\n")
        return 2
    try:
        sentences = verify(pack)
    except Broken as broken:
        sys.stderr.write(f"BROKEN: {ascii(str(broken))[1:-1]}\n")
        return 1
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        sys.stderr.write(f"BROKEN: a row is not as this program writes them: {error!r}\n")
        return 1
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        sys.stderr.write(f"BROKEN: a file cannot be read: {ascii(str(error))[1:-1]}\n")
        return 1
    for sentence in sentences:
        sys.stdout.write(f"{sentence}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
