"""The pages of the dashboard: which there are, and how each is answered.

Each is one request: style in the page, let in by its hash, no script, no picture but what is drawn in it. It is made in
a thread, in its reader's language, and given again for a few seconds.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from aiohttp import web

from alerts.render import render
from alerts.web.candidates import candidates
from alerts.web.feeds import feeds
from alerts.web.guard import PLAIN, STRICT
from alerts.web.incidents import incident, incidents
from alerts.web.kept import Kept
from alerts.web.look import Look, language
from alerts.web.model import card, model
from alerts.web.overview import overview
from alerts.web.parts import Link, Page, instant
from alerts.web.record import audit, silences
from monitor.config import Settings
from monitor.errors import NotFoundError
from monitor.language import LANGUAGES, _, speaking, term
from monitor.store import Store
from monitor.types import Lang, Said

KEPT_S = 5.0
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)  # the first of a document is ours
LAST_PAGE = 1000  # of a list that goes on

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Reader = Callable[[Look], Page | str]  # a page, or a whole document that was made elsewhere

PAGES: dict[str, Reader] = {
    "/": overview,
    "/incidents": incidents,
    r"/incidents/{id:\d{1,15}}": incident,
    "/feeds": feeds,
    "/candidates": candidates,
    "/model": model,
    "/model/card": card,
    "/silences": silences,
    "/audit": audit,
}


class Board:
    """Answers what is asked of the pages; ``problems`` tells what needs a person."""

    def __init__(self, store: Store, settings: Settings, problems: Callable[[], Awaitable[list[Said]]]) -> None:
        self._store, self._settings, self._problems = store, settings, problems
        self._kept: Kept[bytes | None] = Kept(KEPT_S)

    def routes(self) -> Iterator[tuple[str, Handler]]:
        """Every address with who answers it."""
        return ((path, partial(self._get, read)) for path, read in PAGES.items())

    async def _get(self, read: Reader, request: web.Request) -> web.Response:
        asked = request.query.get("lang")
        look = Look(
            store=self._store,
            settings=self._settings,
            now=datetime.now(UTC),
            lang=language(asked, request.headers.get("Accept-Language", "")),
            chosen=asked in LANGUAGES,
            problems=await self._problems() if read is overview else (),
            path=dict(request.match_info),
            page=_page_number(request.query.get("page", "1")),
        )
        body = await self._kept.get(f"{request.path} {look.page} {look.lang} {look.chosen}", partial(show, read, look))
        if not body:
            raise web.HTTPNotFound(text="there is no such page\n", headers=PLAIN)
        own = _hash(_STYLE.findall(body)[0])
        policy = f"default-src 'none'; style-src '{own}'; img-src data:; base-uri 'none'; form-action 'none'"
        headers = {
            **STRICT,
            "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
            "Content-Type": "text/html; charset=utf-8",
            "Content-Language": look.lang.value,
            "Vary": "Accept-Language",
        }
        return web.Response(body=body, headers=headers)


def show(read: Reader, look: Look) -> bytes:
    """The page as HTML; nothing where what it is about does not exist."""
    with speaking(look.lang):
        try:
            page = read(look)
        except NotFoundError:
            return b""
        if isinstance(page, str):
            return page.encode()
        return render("web_page.html", {"page": page, **_frame(look, read)}).encode()


@cache
def style() -> tuple[str, str]:
    """The style of every page, and its hash as a policy names it."""
    text = render("web.css", {})
    return text, _hash(text.encode())


def _hash(text: bytes) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}"


def _frame(look: Look, read: Reader) -> dict[str, Any]:
    other = next(lang for lang in LANGUAGES if lang is not look.lang)
    paths = {known: path for path, known in PAGES.items()}
    names = {
        overview: _("Now"),
        incidents: _("Incidents"),
        feeds: _("Feeds"),
        candidates: _("Candidates"),
        model: _("Model"),
        silences: _("Silences"),
        audit: _("Audit"),
    }
    here = paths[read].replace(r"{id:\d{1,15}}", look.path.get("id", ""))
    query = f"page={look.page}&" if look.page > 1 else ""
    return {
        "lang": look.lang.value,
        "style": style()[0],
        "election": look.settings.election.name,
        "phase": _("phase: {phase}").format(phase=term("phase", look.settings.calendar.phase(look.now))),
        "made": instant(look.now, look.zone),
        "zone": look.zone.key,
        "nav": [(Link(name, look.to(paths[each])), each is read) for each, name in names.items()],
        "other": {"lang": other.value, "href": f"{here}?{query}lang={other.value}"},
        "words": {
            "skip": _("Skip to the content"),
            "pages": _("Pages"),
            "as_of": _("As of"),
            "other": {Lang.EN: "English", Lang.HANT: "繁體中文"}[other],
            "note": _("A score is a reason to look, never a finding."),
            "read_only": _("This page changes nothing: alerts are decided at the desk."),
        },
    }


def _page_number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LAST_PAGE:
        return int(text)
    raise web.HTTPNotFound(text="there is no such page\n", headers=PLAIN)
