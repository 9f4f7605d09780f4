"""Setting up a working folder."""

from __future__ import annotations

from pathlib import Path

from monitor import config, seeds
from monitor.config import DEFAULT_FILE
from monitor.errors import InputError
from monitor.store import migrate, open_store

# Of each starter the folder among the seeds. All of them have the same files.
STARTERS = {"hongkong": "", "generic": "generic/"}
# Name in the working folder, name in the folder of the starter.
STARTER_FILES = {
    DEFAULT_FILE: "config.toml",
    "feeds.opml": "feeds.opml",
    "watchlist.toml": "watchlist.toml",
    "facts.toml": "facts.toml",
    "routes.toml": "routes.toml",
    "rota.toml": "rota.toml",
}


def write_starter(directory: Path, starter: str = "hongkong") -> tuple[list[str], list[str]]:
    """Write the files of a starter and an empty store; returns the names written and those left as they were.

    Raises InputError when the folder cannot be written.
    """
    written, kept = [], []
    contents = {name: seeds.text(STARTERS[starter] + seed) for name, seed in STARTER_FILES.items()}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            try:
                with (directory / name).open("x", encoding="utf-8") as file:
                    file.write(content)
                written.append(name)
            except FileExistsError:
                kept.append(name)
    except OSError as error:
        raise InputError(str(directory), f"cannot be written: {error.strerror}") from error
    settings = config.load_file(directory / DEFAULT_FILE)
    store = open_store(settings.database_url, must_exist=False)
    try:
        migrate.upgrade(store)
    finally:
        store.close()
    return written, kept
