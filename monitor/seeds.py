"""The plain data that ships with the program: inside the package when installed, beside it in a checkout."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any


@cache
def folder() -> Path:
    """Where the seed files are."""
    package = Path(__file__).parent
    installed = package / "seed_data"
    return installed if installed.is_dir() else package.parent / "seeds"


def text(name: str) -> str:
    """One seed file as text."""
    return (folder() / name).read_text(encoding="utf-8")


def toml(name: str) -> dict[str, Any]:
    """One seed file of TOML."""
    return tomllib.loads(text(name))


def json_lines(name: str) -> Iterator[dict[str, Any]]:
    """The rows of one seed file of JSON Lines."""
    for line in text(name).splitlines():
        if line.strip():
            yield json.loads(line)
