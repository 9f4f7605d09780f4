"""What every page must be like, whoever made it: seen at three widths, by day and by night."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import urldefrag, urlsplit

from playwright.sync_api import Browser, Page

WIDTHS = (360, 768, 1440)
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


Scheme = Literal["light", "dark"]


@dataclass
class Seen:
    """A page in the browser, and what it did: its requests, and words on the console."""

    page: Page
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)


@contextmanager
def opened(browser: Browser) -> Iterator[Seen]:
    """A fresh reader."""
    context = browser.new_context()
    seen = Seen(context.new_page())
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("console", lambda message: seen.console.append(message.text))
    seen.page.on("pageerror", lambda error: seen.console.append(str(error)))
    try:
        yield seen
    finally:
        context.close()


def look(seen: Seen, url: str, scheme: Scheme, widths: tuple[int, ...] = WIDTHS) -> None:
    """Open a page and look at it, on a wide screen by day or on a telephone by night.

    It is one request, to loopback or of a file, but for pictures that stand in it; says nothing on the console; scrolls
    sideways at no width; and axe finds nothing in it.
    """
    seen.requests.clear()
    seen.console.clear()
    seen.page.emulate_media(color_scheme=scheme)
    assert urlsplit(url).scheme == "file" or urlsplit(url).hostname == "127.0.0.1"
    answer = seen.page.goto(url)
    assert answer is None or answer.ok, url
    asked = [urldefrag(each).url for each in seen.requests if not each.startswith("data:")]
    assert asked == [urldefrag(url).url]
    for width in widths if scheme == "light" else reversed(widths):
        seen.page.set_viewport_size({"width": width, "height": 900})
        wide = seen.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{url} is {wide} wide at {width}"
    _require_accessible(seen.page)
    assert seen.console == [], url


def _require_accessible(page: Page) -> None:
    page.evaluate(_AXE)
    found: dict[str, Any] = page.evaluate(
        "options => axe.run(document, options)", {"runOnly": _RULES, "resultTypes": ["violations"]}
    )
    faults = [
        {"rule": each["id"], "nodes": [(node["html"][:200], node.get("failureSummary")) for node in each["nodes"][:3]]}
        for each in found["violations"]
    ]
    assert not faults, f"{page.url}: {json.dumps(faults, indent=1, ensure_ascii=False)}"
