"""`db backup`, `restore` and `copy`: whole or not at all, and whatever they are kept on may lie."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from monitor.errors import BusyError, InputError, NewerSchemaError, StoreError
from monitor.store import Connection, Store, audit, backup, feeds, migrate, open_store, schema
from tests.filling import contents, fill
from tests.full import small_disk
from tests.postgresql import PostgreSQL, url_of


@pytest.fixture
def full(store: Store) -> Store:
    """The store with rows in every table."""
    with store.write() as connection:
        fill(connection)
    return store


@pytest.fixture
def file(full: Store, tmp_path: Path) -> Path:
    """A backup of it."""
    backup.backup(full, tmp_path / "backup.db")
    return tmp_path / "backup.db"


@contextlib.contextmanager
def _opened(url: str) -> Iterator[Store]:
    with contextlib.closing(open_store(url)) as store:
        yield store


def _rows(store: Store) -> object:
    with store.read() as connection:
        return _brought_back(store, connection)


def _brought_back(store: Store, connection: Connection) -> object:
    """What a backup is to bring back: of a server, nothing that its stages make of other rows (see ``carry``)."""
    derived = {table.name for table in schema.metadata.sorted_tables if table.info.get("derived")}
    found = contents(connection)
    return {name: rows for name, rows in found.items() if store.path is not None or name not in derived}


def _comparable(store: Store) -> object:
    """The rows as ``_rows`` gives them, when they are to be compared with those of the other database.

    But for those that are made of others.
    """
    with store.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in schema.metadata.sorted_tables
            if not table.info.get("derived")
        }


def test_a_backup_brings_every_row_back(
    full: Store, file: Path, new_url: Callable[[], str], tmp_path: Path, now: datetime
) -> None:
    """Into an empty store, whose keys are counted on; and the backup is one file, which others cannot read."""
    url = new_url()
    restored = backup.restore(file, url, now)
    assert (restored["kept"], restored["audit_broken"], restored["rows"]["items"]) == (None, None, 3)
    with _opened(url) as store:
        assert _rows(store) == _rows(full)
        assert migrate.check(store)
        with store.write() as connection:
            assert feeds.add(connection, "https://b.example/rss", now)[0].id == 4
            assert audit.append(connection, now, "岑", "alert.take", "alert:1", {}) == 4
            assert audit.verify(connection) is None
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "backup"))] == ["backup.db"]


def test_a_backup_is_of_one_instant_while_others_write(full: Store, tmp_path: Path, now: datetime) -> None:
    """Nobody waits for it, and what belongs together is in it together."""
    written: list[float] = []
    stop = threading.Event()

    def write() -> None:
        with _opened(url_of(full)) as other:
            while not stop.is_set():
                with other.write() as connection:
                    added = feeds.add(connection, f"https://{len(written)}.example/rss", now)[0]
                    audit.append(connection, now, "岑", "feed.add", f"feed:{added.id}", {"x": "題" * 2000})
                written.append(time.monotonic())

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(3):
            while len(written) < 50 * (number + 1):
                time.sleep(0.01)
            begun = time.monotonic()
            made = backup.backup(full, tmp_path / f"{number}.db")
            assert any(begun < instant < time.monotonic() for instant in written)
            assert made["rows"]["feeds"] == made["rows"]["audit"] > 50 * (number + 1)
    finally:
        stop.set()
        thread.join()


def test_a_backup_overwrites_nothing(full: Store, file: Path) -> None:
    """Whatever is there stays as it is."""
    before = file.read_bytes()
    with pytest.raises(InputError, match="is there already"):
        backup.backup(full, file)
    assert file.read_bytes() == before
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        backup.backup(full, file.parent / "none" / "backup.db")


@pytest.mark.mount
def test_a_backup_that_finds_no_room_leaves_nothing(full: Store) -> None:
    """It says so, and the disk is as it was."""
    with small_disk(0.4) as folder:
        with pytest.raises((StoreError, InputError), match=r"disk is full|No space left|disk I/O error"):
            backup.backup(full, folder / "backup.db")
        assert list(folder.iterdir()) == []


def test_a_broken_chain_is_backed_up_as_it_is_and_told(
    full: Store, tmp_path: Path, new_url: Callable[[], str], now: datetime
) -> None:
    """A store that somebody meddled with is evidence as well."""
    with full.write() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER audit_refuses_update"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_refuses"))
        connection.execute(update(schema.audit).where(schema.audit.c.seq == 2).values(actor="somebody"))
    made = backup.backup(full, tmp_path / "backup.db")
    assert made["audit_broken"] == "entry 2 was changed after it was written"
    assert backup.restore(tmp_path / "backup.db", new_url(), now)["audit_broken"] == made["audit_broken"]


def test_a_store_with_data_is_replaced_only_when_told_and_kept(
    file: Path, new_store: Callable[[], Store], now: datetime
) -> None:
    """The old one is still there under its new name, with every row."""
    other = new_store()
    with other.write() as connection:
        feeds.add(connection, "https://b.example/rss", now)
    before = _rows(other)
    with pytest.raises(StoreError, match="has data: --replace"):
        backup.restore(file, url_of(other), now)
    assert _rows(other) == before
    other.close()
    kept = backup.restore(file, url_of(other), now, replace=True)["kept"]
    with other.read() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.items)) == 3
    if other.path:
        with _opened(f"sqlite:///{kept}") as old:
            assert _rows(old) == before
    else:
        with other.write() as connection:
            connection.execute(text(f"SET LOCAL search_path = {kept.removeprefix('schema ')}"))
            assert _brought_back(other, connection) == before


@pytest.mark.sqlite  # a server's files are its own
def test_a_damaged_store_is_replaced_only_when_told_and_kept(file: Path, tmp_path: Path, now: datetime) -> None:
    """That is what backups are for."""
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this was a store" * 500)
    with pytest.raises(StoreError, match="--replace"):
        backup.restore(file, f"sqlite:///{broken}", now)
    kept = backup.restore(file, f"sqlite:///{broken}", now, replace=True)["kept"]
    assert Path(kept).read_bytes() == b"this was a store" * 500
    with _opened(f"sqlite:///{broken}") as store:
        assert migrate.check(store)


def test_nothing_is_restored_under_a_daemon(file: Path, full: Store, now: datetime) -> None:
    """Nor copied: what it writes meanwhile would be lost."""
    with full.lock("daemon"):
        for act in (
            lambda: backup.restore(file, url_of(full), now, replace=True),
            lambda: backup.copy(full, f"sqlite:///{file}.copy"),
        ):
            with pytest.raises(BusyError, match="stop it first"):
                act()


@pytest.mark.sqlite  # in PostgreSQL the old tables are moved under everybody's hands
def test_nothing_is_restored_while_somebody_has_the_store_open(file: Path, full: Store, now: datetime) -> None:
    """Who had the old file open would go on to write into it."""
    before = _rows(full)
    with full.read() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(BusyError, match="stop every pollwatch first"):
            backup.restore(file, url_of(full), now, replace=True)
    assert _rows(full) == before


def test_a_damaged_backup_is_refused(file: Path, full: Store, tmp_path: Path, now: datetime) -> None:
    """Wherever a bit has flipped, wherever it was cut off; and the store is as it was."""
    whole, before = file.read_bytes(), _rows(full)
    dice = random.Random(1)
    broken = tmp_path / "broken.db"
    places = [60, 63, 100, len(whole) - 1, *(dice.randrange(100, len(whole)) for _ in range(12))]
    for place in places:
        broken.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
        with pytest.raises(InputError, match=r"broken.db: cannot be restored: it is damaged: its checksum"):
            backup.restore(broken, url_of(full), now, replace=True)
    for length in (0, 50, 100, 4096, len(whole) // 2, len(whole) - 1):
        broken.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"broken.db: cannot be restored: (it is|database disk image is)"):
            backup.restore(broken, url_of(full), now, replace=True)
    assert _rows(full) == before


def test_what_is_no_backup_is_refused(tmp_path: Path, new_url: Callable[[], str], now: datetime) -> None:
    """One sentence with the file's name, and no store is made."""
    url = new_url()
    text_file, other = tmp_path / "notes.txt", tmp_path / "other.db"
    text_file.write_text("a list of things to do\n" * 20, encoding="utf-8")
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE things (x)")
    for file, words in ((tmp_path / "none", "No such file"), (text_file, "no backup"), (other, "no pollwatch store")):
        with pytest.raises(InputError, match=f"{file.name}: .*{words}"):
            backup.restore(file, url, now)
    with contextlib.closing(open_store(url, must_exist=False)) as store, store.read() as connection:
        assert migrate.version(connection) is None


def test_a_backup_of_a_newer_program_is_refused(tmp_path: Path, new_url: Callable[[], str], now: datetime) -> None:
    """The sentence names the file."""
    newer = tmp_path / "newer.db"
    with contextlib.closing(open_store(f"sqlite:///{newer}", must_exist=False)) as store:
        migrate.upgrade(store)
        with store.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchemaError, match=r"newer.db has schema 9999"):
        backup.restore(newer, new_url(), now)


def test_a_plain_copy_of_an_older_store_is_restored_and_upgraded(
    tmp_path: Path, new_url: Callable[[], str], now: datetime
) -> None:
    """What `cp` or sqlite3's .backup made, before there was a `db backup`."""
    older, url = tmp_path / "older.db", new_url()
    with contextlib.closing(open_store(f"sqlite:///{older}", must_exist=False)) as store, store.write() as connection:
        migrate.create(connection, "0002")
        fill(connection)
    before = older.read_bytes()
    assert backup.restore(older, url, now)["rows"]["items"] == 3
    assert older.read_bytes() == before
    with _opened(url) as store:
        assert migrate.check(store)


def test_a_store_is_copied_to_a_server_and_back(
    full: Store, postgresql_server: PostgreSQL, tmp_path: Path, now: datetime
) -> None:
    """Every value is the same to whoever reads it, the audit verifies, and keys are counted on."""
    with postgresql_server.database() as url:
        copied = backup.copy(full, url)
        assert (copied["rows"]["feeds"], copied["audit_broken"]) == (3, None)
        with _opened(url) as server:
            assert _comparable(server) == _comparable(full)
            with pytest.raises(StoreError, match="has data: name an empty database"):
                backup.copy(full, url)
            backup.backup(server, tmp_path / "server.db")
            backup.restore(tmp_path / "server.db", f"sqlite:///{tmp_path}/again.db", now)
            with _opened(f"sqlite:///{tmp_path}/again.db") as again:
                assert _comparable(again) == _comparable(full)
            with server.write() as connection:
                assert feeds.add(connection, "https://b.example/rss", now)[0].id == 4


@pytest.mark.sqlite  # the server would not have taken it in the first place
def test_a_copy_is_whole_or_not_there(full: Store, postgresql_server: PostgreSQL) -> None:
    """A row that the server does not take is named by table and key, and no table is left behind."""
    with full.write() as connection:
        connection.execute(update(schema.revisions).where(schema.revisions.c.item_id == 2).values(title="a\0b"))
    with postgresql_server.database() as url:
        with pytest.raises(InputError, match=r"table revisions, row 1, 1 or one of the 2 after it: .*NUL"):
            backup.copy(full, url)
        with _opened(url) as server, server.read() as connection:
            assert migrate.version(connection) is None


@pytest.mark.sqlite
def test_a_copy_that_is_killed_leaves_nothing_and_can_be_made_again(
    full: Store, postgresql_server: PostgreSQL, now: datetime
) -> None:
    """At any moment: the server throws away what was not finished."""
    with full.write() as connection:
        for number in range(4000):
            audit.append(connection, now, "岑", "alert.take", f"alert:{number}", {"x": "題" * 100})
    code = (
        "import sys; from monitor.store import backup, open_store; print('begun', flush=True); "
        "backup.copy(open_store(sys.argv[1]), sys.argv[2])"
    )
    with postgresql_server.database() as url:
        for killed, wait_s in enumerate((0.05, 0.1, 0.2, 0.4)):
            command = [sys.executable, "-c", code, url_of(full), url]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                assert process.stdout
                process.stdout.readline()
                time.sleep(wait_s)
                process.kill()
            if process.returncode == 0:  # a fast machine was done before it was killed again
                assert killed
                return
            with _opened(url) as server, server.read() as connection:
                assert migrate.version(connection) is None
        assert backup.copy(full, url)["rows"]["audit"] == 4003


def test_the_commands(folder: Path, store: Store, new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON on stdout, sentences on stderr, 2 for what is refused; a password is never shown."""
    with store.write() as connection:
        fill(connection)
    store.close()

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "alerts", "db", *words]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)

    made = json.loads(run("backup", "b.db", "--json").stdout)
    assert (made["file"], made["rows"]["audit"], made["audit_broken"], made["evidence"]) == ("b.db", 3, None, None)
    (folder / "evidence").mkdir()
    told = run("backup", "c.db")
    assert told.stderr == f"copy the evidence now, it is not in c.db: {folder / 'evidence'}\n"
    assert told.stdout.startswith("c.db holds ")
    again = run("backup", "b.db")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "pollwatch: b.db: is there already, and no backup is ever overwritten; name a new file\n"
    refused = run("restore", "b.db")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--replace" in refused.stderr
    replaced = run("restore", "b.db", "--replace")
    assert (replaced.returncode, "is kept as" in replaced.stderr) == (0, True)
    assert f"holds {sum(made['rows'].values())} rows" in replaced.stdout
    monkeypatch.setenv("POLLWATCH_DATABASE__URL", url := new_url())
    assert json.loads(run("restore", "b.db", "--json").stdout)["kept"] is None
    copied = json.loads(run("copy", f"sqlite:///{folder}/copy.db", "--json").stdout)
    assert copied["rows"] == made["rows"]
    assert url
