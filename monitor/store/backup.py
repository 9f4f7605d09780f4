"""Backups, restoring them, and moving to another database.

A backup is one SQLite file, of whatever database: a store that any program can read, and ours can work on. Its header
carries a checksum of the whole file, so that a backup that was damaged on its shelf is known before it replaces
anything. A plain copy of a store's file has none, and is restored as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from monitor.errors import BrokenStoreError, BusyError, InputError, NewerSchemaError, StoreError
from monitor.store import audit, carry, fleet, migrate, postgresql, sqlite
from monitor.store.engine import Connection, Store, integrity, open_store

_MAGIC = b"SQLite format 3\0"
_CHECKSUM, _KIND, _HEADER = 60, 68, 100  # offsets: two fields of the header that SQLite leaves to applications
_BACKUP = b"poll"
_BUSY = "a pollwatch daemon works on this store; stop it first"
_WORKERS = "workers are up on this store; stop them first (one that died counts for a while)"


@dataclass(frozen=True, slots=True)
class Content:
    """What a store holds: by this a backup or a copy is proved to be whole."""

    schema: str
    rows: dict[str, int]  # by table
    audit_head: str  # the hash of the newest entry
    audit_broken: str | None  # where the chain does not hold: it did not before either


class _UnsoundError(Exception):
    """A file is no store of ours, or a damaged one."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


def backup(store: Store, target: Path) -> dict[str, Any]:
    """Write the store as it is at this instant to a new file, while others work on it.

    The file gets its name once a store was restored from it that holds the same rows and the same audit chain. Returns
    ``file, bytes`` and the fields of Content. Raises InputError when the file is there already or cannot be written,
    BusyError while another backup is made, StoreError for a damaged store or a full disk.
    """
    if target.exists():
        raise InputError(str(target), "is there already, and no backup is ever overwritten; name a new file")
    with (
        store.lock("backup", busy="another backup of this store is being made"),
        _writing(target),
        _folder(target.parent) as folder,
    ):
        made = folder / "backup.db"
        try:
            made.touch(mode=0o600)
            with store.read() as connection:
                held = _content(connection)
                _snapshot(connection, made)
            _seal(made)
            _prove(made, folder / "scratch.db", held)
        except (_UnsoundError, BrokenStoreError) as error:
            raise StoreError(f"no backup of {store.url} was made in {target}: {error.detail}") from error
        size = made.stat().st_size
        sqlite.name(made, target)
    return {"file": str(target), "bytes": size, **asdict(held)}


def before_upgrade(store: Store, now: datetime) -> Path | None:
    """Back up a store of an older schema beside itself: with that, an upgrade can be taken back by the older program.

    Returns the file; None where nothing is to be upgraded. Raises what ``backup`` does, BusyError while a daemon works
    on the store, and StoreError on a server, whose tables of an older schema only its own tools can copy.
    """
    found = migrate.refuse_newer(store)
    if found in (None, migrate.wanted()) or (store.path is None and store.engine.dialect.name == "sqlite"):
        return None
    if store.path is None:
        mend = "back it up with pg_dump, then run `pollwatch db upgrade --no-backup`"
        raise StoreError(f"the store {store.url} has schema {found}, and is on a server: {mend}")
    target = store.path.with_name(f"{store.path.name}.schema_{found}_{now.astimezone(UTC):%Y%m%d_%H%M%S}")
    with store.lock("daemon", busy=_BUSY):
        backup(store, target)
    return target


def restore(file: Path, url: str, now: datetime, *, replace: bool = False) -> dict[str, Any]:
    """Make the store at ``url`` what a backup holds, brought up to this program's schema.

    Nothing is changed before all of the file was read and found sound. Returns ``url, kept`` (where the old store is
    now, or None) and the fields of Content. Raises InputError for a file that is no backup or damaged,
    NewerSchemaError, StoreError when the store has data and ``replace`` is not set, BusyError while somebody works on
    it.
    """
    with contextlib.closing(open_store(url, must_exist=False)) as store, store.lock("daemon", busy=_BUSY):
        _refuse_workers(store)
        empty = _is_empty(store)
        if not empty and not replace:
            raise StoreError(f"the store {store.url} has data: --replace puts the backup there and keeps the old one")
        kept = None if empty else f"replaced_{now.astimezone(UTC):%Y%m%d_%H%M%S}"
        with _writing(store.path or file), _folder(store.path.parent if store.path else None) as folder:
            made = folder / "restored.db"
            try:
                held = _unpack(file, made)
            except (_UnsoundError, BrokenStoreError) as error:
                raise InputError(str(file), f"cannot be restored: {error.detail}") from error
            if store.path:
                store.close()
                aside = store.path.with_name(f"{store.path.name}.{kept}") if kept else None
                sqlite.put_in_place(made, store.path, aside)
                return {"url": store.url, "kept": aside and str(aside), **asdict(held)}
            with contextlib.closing(open_store(f"sqlite:///{made}")) as restored, restored.read() as source:
                _fill(store, source, aside=kept)
            return {"url": store.url, "kept": kept and f"schema {kept}", **asdict(held)}


def copy(store: Store, url: str) -> dict[str, Any]:
    """Put everything that the store holds into the empty one at ``url``, of whatever database, or nothing.

    Row by row the copy is compared with what was read before it is there. Returns ``url`` and the fields of Content.
    Raises StoreError when the other store has data, InputError for a row that it does not take, BusyError while a
    daemon works on either.
    """
    with contextlib.closing(open_store(url, must_exist=False)) as target, contextlib.ExitStack() as locks:
        for each in (store, target):
            locks.enter_context(each.lock("daemon", busy=_BUSY))
            _refuse_workers(each)
        if not _is_empty(target):
            raise StoreError(f"the store {target.url} has data: name an empty database")
        with store.read() as source:
            return {"url": target.url, **asdict(_fill(target, source))}


def _fill(store: Store, source: Connection, aside: str | None = None) -> Content:
    """In one transaction: what is in ``store`` moves to the schema ``aside``, if any, and all of ``source`` comes."""
    with store.write() as target:
        if aside:
            postgresql.set_aside(target, aside)
        migrate.create(target)
        carry.carry(source, target)
        wrong = carry.difference(source, target)
        held = _content(target)
        if wrong or held != _content(source):
            raise StoreError(f"{store.url} took other rows than it was given: {wrong or 'the audit differs'}")
    return held


def _refuse_workers(store: Store) -> None:
    """Raises BusyError while workers of a fleet are up."""
    if store.engine.dialect.name == "postgresql":
        with store.read() as connection:
            queue = fleet.load(connection)
        if queue is not None and queue.live:
            raise BusyError("workers", _WORKERS)


def _is_empty(store: Store) -> bool:
    """Whether nothing would be lost with it. What nobody can read is not empty."""
    if store.path and not store.path.exists():
        return True
    try:
        migrate.refuse_newer(store)
        with store.read() as connection:
            return all(count <= _of_new()[table] for table, count in carry.counts(connection).items())
    except NewerSchemaError:
        return False
    except BrokenStoreError:
        if store.path:
            return False
        raise


@cache
def _of_new() -> dict[str, int]:
    """The rows of a store that was just made: migrations write some."""
    with contextlib.closing(open_store("sqlite:///:memory:")) as store:
        migrate.upgrade(store)
        with store.read() as connection:
            return carry.counts(connection)


def _content(connection: Connection) -> Content:
    breach = audit.verify(connection)
    head = audit.head(connection)[1]
    return Content(migrate.version(connection) or "", carry.counts(connection), head, breach.text if breach else None)


def _snapshot(connection: Connection, made: Path) -> None:
    """Write what ``connection`` sees to an empty file."""
    if connection.dialect.name == "sqlite":
        sqlite.copy_pages(connection, made)
        return
    filled = made.with_suffix(".filled")
    with contextlib.closing(open_store(f"sqlite:///{filled}", must_exist=False)) as store:
        _fill(store, connection)
    sqlite.copy_file(filled, made)
    filled.unlink()


def _prove(file: Path, scratch: Path, held: Content) -> None:
    """Restore a store from a backup, for a trial. Raises _UnsoundError when it does not hold this."""
    if _unpack(file, scratch, upgrade=False) != held:
        raise _UnsoundError("what was read back from it is not what the store holds")


def _unpack(file: Path, made: Path, *, upgrade: bool = True) -> Content:
    """Write the store that a file holds to ``made``, with this program's schema or its own. Raises _UnsoundError."""
    _check_seal(file)
    made.touch(mode=0o600)
    sqlite.copy_file(file, made)
    _stamp(made, bytes(4), bytes(4))  # a store that is worked on has no checksum
    with contextlib.closing(open_store(f"sqlite:///{made}")) as store:
        if problems := integrity(store):
            raise _UnsoundError(f"it is damaged: {problems[0]}")
        with store.read() as connection:
            if migrate.version(connection) is None:
                raise _UnsoundError("it holds no pollwatch store")
        try:
            if upgrade:
                migrate.upgrade(store)
        except NewerSchemaError as error:
            raise NewerSchemaError(str(file), error.found) from None
        with store.read() as connection:
            return _content(connection)


def _seal(file: Path) -> None:
    _stamp(file, bytes(4), _BACKUP)
    _stamp(file, _checksum(file), _BACKUP)
    with file.open("rb") as written:
        os.fsync(written.fileno())


def _check_seal(file: Path) -> None:
    """Raises InputError for a file that cannot be read, _UnsoundError for one that is no store or was damaged."""
    try:
        with file.open("rb") as opened:
            header = opened.read(_HEADER)
        if not header.startswith(_MAGIC):
            raise _UnsoundError("it is no backup and no SQLite file")
        sealed = header[_KIND : _KIND + 4] == _BACKUP
        if sealed and header[_CHECKSUM : _CHECKSUM + 4] != _checksum(file):
            raise _UnsoundError("it is damaged: its checksum does not fit")
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {error.strerror}") from error


def _stamp(file: Path, checksum: bytes, kind: bytes) -> None:
    with file.open("r+b") as opened:
        for offset, value in ((_CHECKSUM, checksum), (_KIND, kind)):
            opened.seek(offset)
            opened.write(value)


def _checksum(file: Path) -> bytes:
    """Four bytes of the SHA-256 of a file, its own place taken as zeros."""
    with file.open("rb") as opened:
        header = opened.read(_HEADER)
        digest = hashlib.sha256(header[:_CHECKSUM] + bytes(4) + header[_CHECKSUM + 4 :])
        while block := opened.read(1 << 20):
            digest.update(block)
    return digest.digest()[:4]


@contextlib.contextmanager
def _folder(beside: Path | None) -> Iterator[Path]:
    """A folder for what is not whole yet, on the disk where it will be."""
    folder = Path(tempfile.mkdtemp(prefix=".pollwatch-", dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise InputError(str(file), f"{error.filename2 or error.filename} is there already") from error
    except OSError as error:
        raise InputError(str(file), f"cannot be written: {error.strerror}") from error
