"""JSON Feed 1.0 and 1.1 (jsonfeed.org): what its strings say, whatever types a hostile document puts in their place.

Pure. Nothing is cleaned here: ``parse`` makes entries of it as it does of feedparser's answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/(\d(?:\.\d)?)/?")


@dataclass(frozen=True, slots=True)
class JsonItem:
    """One item: texts as written, empty where there is none. ``title`` and ``text`` are plain, ``html`` is markup."""

    id: str
    url: str
    title: str
    text: str
    html: str
    date: str


@dataclass(frozen=True, slots=True)
class JsonFeed:
    """A document; ``version`` is ``json1`` or ``json1.1``."""

    title: str
    version: str
    items: tuple[JsonItem, ...]
    feed_url: str = ""  # its own address
    hubs: tuple[str, ...] = ()  # that speak WebSub


def read(text: str) -> JsonFeed:
    """Raises ValueError with a sentence when ``text`` is not JSON, or not a JSON Feed."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
    except ValueError as error:  # not JSON, or a number of thousands of digits
        raise ValueError(f"not JSON: {str(error).partition(';')[0]}") from None
    items = document.get("items") if isinstance(document, dict) else None
    version = _VERSION.fullmatch(_string(document, "version")) if isinstance(items, list) else None
    if not isinstance(items, list) or version is None:
        raise ValueError("JSON, but no JSON Feed")
    return JsonFeed(
        title=_string(document, "title"),
        version=f"json{version[1]}",
        items=tuple(_item(each) for each in items if isinstance(each, dict)),
        feed_url=_string(document, "feed_url"),
        hubs=tuple(_hubs(document.get("hubs"))),
    )


def _hubs(raw: Any) -> Iterator[str]:
    for each in raw if isinstance(raw, list) else []:
        if isinstance(each, dict) and _string(each, "type").lower() == "websub":
            yield _string(each, "url")


def _item(raw: dict[str, Any]) -> JsonItem:
    """A link blog's ``external_url`` is what an item is about; ``url`` is its own address and comes first."""
    summary = _string(raw, "summary")
    return JsonItem(
        id=_string(raw, "id"),
        url=_string(raw, "url") or _string(raw, "external_url"),
        title=_string(raw, "title"),
        text=summary or _string(raw, "content_text"),
        html=_string(raw, "content_html"),
        date=_string(raw, "date_published") or _string(raw, "date_modified"),
    )


def _string(raw: dict[str, Any], name: str) -> str:
    """The text under ``name``; 1.0 let ids be numbers, and everything else is no text."""
    value = raw.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
