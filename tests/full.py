"""A small disk that can be filled, for what happens when there is no room."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(megabytes: float) -> Iterator[Path]:
    """An empty file system of that size; the test is skipped where nobody may mount one."""
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    size = f"size={int(megabytes * 1024)}k,mode=0755"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


def fill_up(folder: Path) -> Path:
    """Leave no room on the disk; returns the file to remove when there is to be some again."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    return filler


@contextmanager
def remount(folder: Path, how: str) -> Iterator[None]:
    """What ``small_disk`` gave, mounted so ("ro"); nobody may have a file of it open for writing."""
    subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
