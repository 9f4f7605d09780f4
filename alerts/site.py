"""A folder of files that changes as a whole: whoever reads it sees the files of before, or those of after.

The folder is a link to one of its releases, which lie beside it. A new release is written and synced completely, then
the link is replaced by one rename; killed at any instant, it shows the old release or the new one.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import InputError


@dataclass(frozen=True, slots=True)
class Release:
    """A complete set of files, ready to be shown; ``changed`` are the paths that differ from what is shown now."""

    directory: Path
    place: Path
    changed: tuple[str, ...]


def differing(directory: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Paths of ``files`` that the folder does not hold as they are here, and of those that it holds besides."""
    shown = _paths(directory)
    new = [path for path, content in files.items() if path not in shown or not _holds(directory / path, content)]
    return tuple(sorted([*new, *(path for path in shown if path not in files)]))


def prepare(directory: Path, files: Mapping[str, bytes]) -> Release | None:
    """Write and sync a release of these files beside ``directory``; None when it shows just these already.

    Nothing that is shown changes. The caller holds a lock: what killed writers left behind is removed here.
    Raises InputError when the folder is not a release of ours, or cannot be written.
    """
    _require_ours(directory)
    changed = differing(directory, files)
    if not changed:
        return None
    release = Release(directory, _releases(directory) / f"release-{uuid.uuid4().hex}", changed)
    try:
        _releases(directory).mkdir(parents=True, exist_ok=True)
        _tidy(directory)
        _write(release, files)
    except OSError as error:
        drop(release)
        raise InputError(str(directory), f"cannot be written: {error.strerror or error}") from error
    return release


def show(release: Release) -> None:
    """Replace what the folder shows by this release. Raises InputError."""
    directory = release.directory
    fresh = _releases(directory) / f"link-{release.place.name}"
    try:
        fresh.symlink_to(Path(_releases(directory).name) / release.place.name)  # as seen from where it goes
        if directory.is_dir() and not directory.is_symlink():
            directory.rmdir()  # empty: prepare looked
        fresh.replace(directory)
        _sync(directory.parent)
    except OSError as error:
        raise InputError(str(directory), f"cannot be replaced: {error.strerror or error}") from error


def drop(release: Release) -> None:
    """Remove a release that is not to be shown."""
    shutil.rmtree(release.place, ignore_errors=True)


def _releases(directory: Path) -> Path:
    return directory.parent / f".{directory.name}.releases"


def _require_ours(directory: Path) -> None:
    """Raises InputError: no file of somebody else's is lost."""
    if directory.is_symlink():
        if (directory.parent / directory.readlink()).parent != _releases(directory):
            raise InputError(str(directory), "is a link to something else; name a folder that does not exist yet")
    elif directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(str(directory), "is not empty and not ours; name a folder that does not exist yet")


def _paths(directory: Path) -> set[str]:
    if not directory.is_dir():
        return set()
    root = directory.resolve()
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _write(release: Release, files: Mapping[str, bytes]) -> None:
    release.place.mkdir()
    changed = frozenset(release.changed)
    for path, content in files.items():
        _put(release.place / path, content, release.directory / path, same=path not in changed)
    for folder in (*(path for path in release.place.rglob("*") if path.is_dir()), release.place, release.place.parent):
        _sync(folder)


def _put(path: Path, content: bytes, shown: Path, *, same: bool) -> None:
    """One file of a release, synced; what does not change is the same file on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if same:
        with suppress(OSError):  # a file system without hard links
            os.link(shown, path)
            return
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _tidy(directory: Path) -> None:
    """Remove releases but the one that is shown: what it replaced was kept for readers who had begun."""
    shown = directory.resolve() if directory.is_symlink() else None
    for path in _releases(directory).iterdir():
        if path.is_symlink():
            path.unlink()
        elif path.resolve() != shown:
            shutil.rmtree(path, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make renames and new names in it last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
