"""The contestants: how each is set up, what one pass over all feeds is, and how many items it has kept.

Peers are set up as their own documentation advises for many feeds.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.benchmarks.report import FLOOR, OURS, RAW

ROOT = Path(__file__).resolve().parents[2]
PASSES = Path(__file__).with_name("passes.py")

# One thread is its fastest on loopback: of 1, 2, 4, 16 and 32, more ones only wait for each other's transactions.
_NEWSBOAT_CONFIG = """
auto-reload no
reload-threads 1
download-timeout 60
"""
# The recipe of its README for sending validators, without -z: that sends the time of the last download, which is not
# the feed's Last-Modified and makes a strict server send everything again.
_SFEEDRC = """
sfeedpath="{folder}/feeds"
maxjobs=16
fetch() {{
	etag="{folder}/etags/$(basename "$3")"
	curl -L --max-redirs 0 -H "User-Agent:" -f -s -m 60 --compressed \\
		--etag-save "${{etag}}" --etag-compare "${{etag}}" "$2" 2>/dev/null
}}
feeds() {{
{feeds}
}}
"""
# Some of its own requirements are first imported when a feed is added.
_READER_PROBE = "from reader import make_reader; make_reader(':memory:').add_feed('http://127.0.0.1/')"


class Contestant(ABC):
    """Somebody who reads feeds and keeps everything in one folder; `FOLDER/urls` holds one address a line."""

    name: str
    settles = False  # sends validators only after a second download, and is given that before they are measured

    @abstractmethod
    def missing(self) -> str | None:
        """Why it cannot take part, with the mend; None when it can."""

    @abstractmethod
    def prepare(self, folder: Path) -> None:
        """Everything that a first pass needs; nothing is fetched yet. Raises CalledProcessError."""

    @abstractmethod
    def command(self) -> list[str]:
        """One pass over all feeds, to be run in the folder."""

    @abstractmethod
    def items(self, folder: Path) -> int | None:
        """How many items it has kept; None when it keeps none."""

    def env(self, folder: Path) -> dict[str, str]:
        """The environment of its processes, without the person's own settings."""
        return {**_plain_env(), "HOME": str(folder), "TERM": "dumb"}

    def own_figures(self, folder: Path) -> dict[str, Any]:
        """What the last pass measured itself, see passes.py; `fault`, in words, when it broke off."""
        return {}


class Library(Contestant):
    """One of passes.py: the raw loop, the floor, pollwatch or reader."""

    def __init__(self, name: str, python: str, probe: str, database: str = "", table: str = "") -> None:
        self.name = name
        self._python = python
        self._probe = probe
        self._database, self._table = database, table

    def missing(self) -> str | None:
        command = [self._python, "-c", self._probe]
        done = subprocess.run(command, env=self.env(Path()), capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return None
        said = _last_line(done.stderr)
        return (
            f"{self.name} does not run with {self._python} ({said}); README.md beside this file says how to set it up"
        )

    def prepare(self, folder: Path) -> None:
        command = [self._python, str(PASSES), self.name, "prepare", "."]
        subprocess.run(command, cwd=folder, env=self.env(folder), check=True)

    def command(self) -> list[str]:
        return [self._python, str(PASSES), self.name, "update", "."]

    def items(self, folder: Path) -> int | None:
        return _count(folder / self._database, self._table) if self._database else None

    def env(self, folder: Path) -> dict[str, str]:
        return our_env() if self.name in (RAW, FLOOR, OURS) else _plain_env()

    def own_figures(self, folder: Path) -> dict[str, Any]:
        lines = (folder / "stdout").read_text().splitlines()
        if lines:
            figures: dict[str, Any] = json.loads(lines[-1])
            return figures
        return {"fault": f"it broke off: {_last_line((folder / 'stderr').read_text(errors='replace'))}"}


class Newsboat(Contestant):
    """newsboat, reloading without its screen."""

    name = "newsboat"
    settles = True

    def missing(self) -> str | None:
        return None if shutil.which("newsboat") else "newsboat is not installed: apt install newsboat"

    def prepare(self, folder: Path) -> None:
        (folder / "config").write_text(_NEWSBOAT_CONFIG)

    def command(self) -> list[str]:
        return ["newsboat", "-q", "-x", "reload", "-u", "urls", "-c", "cache.db", "-C", "config"]

    def items(self, folder: Path) -> int | None:
        return _count(folder / "cache.db", "rss_item")


class Sfeed(Contestant):
    """sfeed_update, which keeps one file of lines for each feed."""

    name = "sfeed"

    def missing(self) -> str | None:
        return None if shutil.which("sfeed_update") else "sfeed is not installed: apt install sfeed"

    def prepare(self, folder: Path) -> None:
        (folder / "etags").mkdir()
        urls = (folder / "urls").read_text().split()
        feeds = "\n".join(f'\tfeed "{number}" "{url}"' for number, url in enumerate(urls))
        (folder / "sfeedrc").write_text(_SFEEDRC.format(folder=folder, feeds=feeds))

    def command(self) -> list[str]:
        return ["sfeed_update", "sfeedrc"]

    def items(self, folder: Path) -> int | None:
        return sum(file.read_bytes().count(b"\n") for file in (folder / "feeds").iterdir())


def contestants(peers: Sequence[str], reader_python: str) -> list[Contestant]:
    """The raw loop, the floor, pollwatch and the named peers.

    Raises ValueError for a peer that is unknown or not installed.
    """
    known: dict[str, Contestant] = {
        "reader": Library("reader", reader_python, _READER_PROBE, "reader.sqlite", "entries"),
        "newsboat": Newsboat(),
        "sfeed": Sfeed(),
    }
    for peer in peers:
        if peer not in known:
            raise ValueError(f"no such peer: {peer}; there are {', '.join(known)}")
    raw = Library(RAW, sys.executable, "import aiohttp")
    ours = Library(OURS, sys.executable, "import monitor.collect", "pollwatch.db", "items")
    floor = Library(FLOOR, sys.executable, "import aiohttp, monitor.feedparse", "floor.db", "items")
    entrants = [raw, floor, ours, *(known[peer] for peer in dict.fromkeys(peers))]
    problems = [problem for entrant in entrants if (problem := entrant.missing())]
    if problems:
        raise ValueError("; ".join(problems))
    return entrants


def our_env() -> dict[str, str]:
    """The environment in which this checkout runs and may fetch from loopback, without the person's own settings."""
    return {**_plain_env(), "PYTHONPATH": str(ROOT), "POLLWATCH_FETCH__ALLOW_PRIVATE": '["127.0.0.0/8"]'}


def _plain_env() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("POLLWATCH_", "PYTHON"))}


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def _count(database: Path, table: str) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        number: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
    return number
