"""There and back: an upgrade keeps what was there, and the older program can go on with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from alerts.cli import cli
from monitor.errors import BusyError, StoreError
from monitor.store import backup, migrate, open_store
from tests.filling import contents, fill

ROOT = Path(__file__).parent.parent.parent
EARLIER, NOW_HEAD = migrate.known()[-2:]


def _older_program(folder: Path) -> Path:
    """This program without its last migration: all that an older one does not know."""
    for package in ("monitor", "classifiers", "alerts", "seeds"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    (last,) = (folder / "monitor/store/migrations/versions").glob(f"{NOW_HEAD}_*.py")
    last.unlink()
    return folder


def _older(program: Path, desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "alerts", *words],
        cwd=desk,
        env={**os.environ, "PYTHONPATH": str(program)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.sqlite
def test_an_upgrade_can_be_taken_back(folder: Path, tmp_path: Path) -> None:
    """A store of an earlier schema with rows in every table is upgraded by the command, which says where the backup
    is; the older program refuses the upgraded store, restores the backup, and has every row that it had.
    """
    desk_store = folder / "pollwatch.db"
    desk_store.unlink()
    with (
        contextlib.closing(open_store(f"sqlite:///{desk_store}", must_exist=False)) as store,
        store.write() as connection,
    ):
        migrate.create(connection, EARLIER)
        fill(connection)
        before = contents(connection)
    done = CliRunner().invoke(cli, ["-c", str(folder / "pollwatch.toml"), "db", "upgrade"])
    assert done.exit_code == 0, done.output
    (kept,) = folder.glob(f"pollwatch.db.schema_{EARLIER}_*")
    assert str(kept) in done.stderr
    assert kept.stat().st_mode & 0o077 == 0
    program = _older_program(tmp_path / "older")
    refused = _older(program, folder, "db", "check")
    assert refused.returncode == 2
    assert f"has schema {NOW_HEAD}, which this program does not know: upgrade pollwatch" in refused.stderr
    back = _older(program, folder, "db", "restore", str(kept), "--replace")
    assert back.returncode == 0, back.stderr
    assert _older(program, folder, "db", "check").returncode == 0
    with contextlib.closing(open_store(f"sqlite:///{desk_store}")) as store, store.read() as connection:
        assert contents(connection) == before


def test_nothing_is_backed_up_where_nothing_changes(folder: Path, now: datetime) -> None:
    """A second upgrade, a store that is not there yet, and `--no-backup` leave no file behind."""
    file = str(folder / "pollwatch.toml")
    for words in ([], ["--json"]):
        done = CliRunner().invoke(cli, ["-c", file, "db", "upgrade", *words])
        assert done.exit_code == 0, done.output
    assert '"backup": null' in done.output
    if (made := folder / "pollwatch.db").exists():
        made.unlink()
        with (
            contextlib.closing(open_store(f"sqlite:///{made}", must_exist=False)) as store,
            store.write() as connection,
        ):
            migrate.create(connection, EARLIER)
        assert CliRunner().invoke(cli, ["-c", file, "db", "upgrade", "--no-backup"]).exit_code == 0
    assert not list(folder.glob("*.schema_*"))


def test_an_older_store_is_not_changed_under_a_daemon_or_without_a_backup(
    new_url: object, tmp_path: Path, now: datetime
) -> None:
    """A daemon of the older program still works on it; on a server the mend is named. Nothing was changed."""
    assert callable(new_url)
    with contextlib.closing(open_store(new_url(), must_exist=False)) as store:
        with store.write() as connection:
            migrate.create(connection, EARLIER)
        if store.path is None:
            with pytest.raises(StoreError, match=r"pg_dump, then run `pollwatch db upgrade --no-backup`"):
                backup.before_upgrade(store, now)
        else:
            with store.lock("daemon"), pytest.raises(BusyError, match="stop it first"):
                backup.before_upgrade(store, now)
        with store.read() as connection:
            assert migrate.version(connection) == EARLIER
