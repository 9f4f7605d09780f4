"""Tips by hand: what a hotline or a colleague reports becomes an item and takes the way of all items.

Kept is what was reported, and by which channel it came; never who told it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from logging import DEBUG

from monitor import logs
from monitor.config import Settings
from monitor.encoding import decode
from monitor.errors import FeedError, FeedErrorKind, InputError
from monitor.fetch import Fetcher
from monitor.fetched import Fetched
from monitor.guard import check_url
from monitor.links import link_key
from monitor.parse import MAX_SUMMARY, MAX_TITLE
from monitor.store import Store, tips
from monitor.text import clean, fold, page_text, shorten
from monitor.types import Entry


@dataclass(frozen=True, slots=True)
class Tip:
    """What became of a tip: its item, whether that is new, and why its page could not be read, if so."""

    item_id: int
    is_new: bool
    problem: str | None = None


def add_tip(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    url: str | None,
    text: str | None,
    title: str | None,
    source: str,
) -> Tip:
    """Take in what was reported by the channel ``source``. The same address or the same text again is the same item.

    Without a text the page at ``url`` is read, once and under the guard of all fetching; if that cannot be, the link
    alone is kept. Raises InputError for a channel that is not in `tips.channels` and for a tip that says nothing,
    BlockedAddressError for what is no address of a web page.
    """
    channel = _channel(source, settings.tips.channels)
    link, said, heading = clean(url or "") or None, clean(text or "")[:MAX_SUMMARY], clean(title or "")[:MAX_TITLE]
    if link is None and not said:
        raise InputError("tip", "say what was reported: --url, --text or both")
    if link is not None:
        check_url(link)
    keys = _keys(link, said)
    with store.read() as connection:
        known = tips.find(connection, keys, link)
    if known is not None:
        return Tip(known, is_new=False)
    problem = None
    if link is not None and not said:
        try:
            found_title, said = asyncio.run(_read_page(settings, link))
            heading = heading or found_title
        except FeedError as error:
            problem = f"only the link is kept, for its page could not be read: {error.kind}: {error.detail}"
    entry = Entry(keys[0], None, link, heading, said, None, None)
    with store.write() as connection:
        known = tips.find(connection, keys, link)
        if known is not None:
            return Tip(known, is_new=False)
        item_id = tips.add(connection, channel, entry, now)
        logs.tell("item.collect", DEBUG, item=item_id, channel=channel)
        return Tip(item_id, True, problem)


def _channel(source: str, channels: Collection[str]) -> str:
    """Raises InputError without repeating ``source``: it may be a name, and errors end up in logs."""
    channel = clean(source).casefold()
    if channel in channels:
        return channel
    raise InputError(
        "--from",
        f"name the channel by which the tip came, never who told it: {', '.join(channels)}; "
        "a name, a telephone number or a mail address is not kept (others: tips.channels)",
    )


def _keys(link: str | None, text: str) -> list[str]:
    """The names of a tip, by text and by address; white space and script make no other text."""
    words = "".join(fold(text).split())
    by_text = [f"text:{hashlib.sha256(words.encode()).hexdigest()}"] if words else []
    return by_text + ([f"link:{hashlib.sha256((link_key(link) or link).encode()).hexdigest()}"] if link else [])


async def _read_page(settings: Settings, url: str) -> tuple[str, str]:
    """Title and main text of a web page. Raises FeedError."""
    async with Fetcher(settings.fetch) as fetcher:
        return _page(url, await fetcher.get(url))


def _page(url: str, fetched: Fetched) -> tuple[str, str]:
    if "html" not in (fetched.content_type or "").lower():
        kind = shorten(fetched.content_type or "nothing that says what it is", 80)
        raise FeedError(url, FeedErrorKind.NOT_A_PAGE, f"no web page but {kind}")
    try:
        markup, _ = decode(fetched.body, fetched.content_type)
    except UnicodeError as error:
        raise FeedError(url, FeedErrorKind.ENCODING, str(error)) from error
    title, text = page_text(markup)
    if not text:
        raise FeedError(url, FeedErrorKind.EMPTY, "the page holds no text")
    return title[:MAX_TITLE], text[:MAX_SUMMARY]
