"""The files by which a server starts the daemon, with this program's paths in them, and watches it; nothing is
installed. Pure.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from string import Template

from monitor import __version__, seeds
from monitor.errors import InputError


class Kind(StrEnum):
    """What starts the daemon, or watches it."""

    SYSTEMD = "systemd"
    CONTAINER = "container"
    PROMETHEUS = "prometheus"


_FILES = {
    Kind.SYSTEMD: "deploy/pollwatch.service",
    Kind.CONTAINER: "deploy/Containerfile",
    Kind.PROMETHEUS: "deploy/prometheus.yml",
}


def deployment(kind: Kind, program: Path, folder: Path, user: str) -> str:
    """The text of one file. Raises InputError for a name or a path that the file cannot hold."""
    if not user or not user.isascii() or not user.replace("-", "").replace("_", "").isalnum() or user[0] == "-":
        raise InputError(f"--user {user}", "not the name of a user of this system")
    return Template(seeds.text(_FILES[kind])).substitute(
        user=user,
        program=_systemd_path(program),
        folder=_systemd_path(folder),
        home="read-only" if _under_home(program, folder) else "yes",
        version=__version__,
    )


def _systemd_path(path: Path) -> str:
    """As a unit file has it: `%` doubled, and nothing that its quoting could read otherwise."""
    if any(sign.isspace() or sign in "\"'\\$;#" or not sign.isprintable() for sign in str(path)):
        raise InputError(str(path), "a unit needs a path without spaces, quotes, `$`, `;`, `#` or a backslash")
    return str(path).replace("%", "%%")


def _under_home(*paths: Path) -> bool:
    """Whether one of them lies where ProtectHome would hide it."""
    return any(path.is_relative_to(home) for path in paths for home in ("/home", "/root", "/run/user"))
