"""Scripts of a day, written line by line, for the tests of `drill`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

START = "2027-03-14T08:00:00"
HEAD: dict[str, Any] = {
    "drill": "two feeds",
    "start": START,
    "feeds": [{"feed": "daily", "outlet": "Quay Daily"}, {"feed": "office", "outlet": "Office", "role": "official"}],
}
PLANT = {"id": "p1", "claim_type": "scam-lure"}


def write(file: Path, *lines: Mapping[str, Any] | str) -> Path:
    """A script of these lines, the header first; strings stand as they are."""
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    file.write_text("\n".join(texts), encoding="utf-8")
    return file


def change(clock: str, feed: str = "daily", **keys: Any) -> dict[str, Any]:
    """A line of a script."""
    return {"at": f"2027-03-14T{clock}:00", "feed": feed, **keys}


def story(guid: str, title: str = "Ferry late", **keys: Any) -> dict[str, Any]:
    """An item of a script."""
    return {"guid": guid, "title": title, **keys}
