"""Search, and the stage that keeps up what it rests on.

index: look for what is new -> number it, a page in each transaction -> give full blocks their postings, one each

Search reads only what the stage has numbered: what came in since its last pass is found after the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from monitor.config import Settings
from monitor.grams import grams, pairs, terms
from monitor.postings import pack
from monitor.store import Store, texts
from monitor.store.search import Asked
from monitor.store.search import search as find
from monitor.types import SearchHit, StageReport, TextKind

PAGE = 500  # texts in one transaction
PAUSE_S = 0.05  # between two of them: others write too
PASS_TEXTS = 20_000  # in one pass: a store that was never indexed is caught up with in several
PASS_BLOCKS = 4  # about a second of computing each


def index(store: Store, settings: Settings, now: datetime) -> StageReport:  # noqa: ARG001 - as every stage is called
    """Stage: number texts that are new or edited, and pack the blocks that are full."""
    numbered = sealed = 0
    while numbered < PASS_TEXTS and (count := _take_in(store)):
        numbered += count
    for block in _full(store)[:PASS_BLOCKS]:
        _seal(store, block)
        sealed += 1
    return StageReport("index", {"indexed": numbered, "packed": sealed})


def rebuild(store: Store, progress: Callable[[int], None] = lambda _: None) -> int:
    """Index everything anew; returns how many texts there are. ``progress`` is told their number now and then.

    Killed, it is finished by the passes that follow; until then only a part is found.
    """
    with store.write() as connection:
        texts.clear(connection)
    numbered = 0
    while count := _take_in(store):
        numbered += count
        for block in _full(store):
            _seal(store, block)
            progress(numbered)
    with store.read() as connection:
        return texts.count(connection)


def search(
    store: Store,
    words: str,
    *,
    limit: int = 50,
    before: int | None = None,
    since: datetime | None = None,
    feed_ids: Sequence[int] | None = None,
    kind: TextKind | None = None,
) -> list[SearchHit]:
    """Texts that hold every word and every phrase (in quotation marks) of ``words``, the newest first.

    Scripts, full-width forms and capitals make no difference; a word of a spaced script is found by its beginning.
    ``before`` is the ``number`` of the last hit of the page before. Raises InputError when no word is long enough.
    """
    asked = Asked(terms(words), before, since, feed_ids, kind)
    with store.read() as connection:
        return find(connection, asked, limit)


def _take_in(store: Store) -> int:
    """One page; returns how much it was, 0: all is done."""
    count = None
    while count is None:
        with store.read() as connection:
            new = texts.coming(connection, PAGE)
        with store.write() as connection:
            count = texts.take_in(connection, new, PAGE)
    if count >= PAGE:
        time.sleep(PAUSE_S)
    return count


def _full(store: Store) -> list[int]:
    with store.read() as connection:
        return texts.full(connection)


def _seal(store: Store, block: int) -> None:
    """Computed before the transaction: nobody waits for it."""
    with store.read() as connection:
        held = texts.held(connection, block)
    packed = pack(
        ((text.place, grams(text.folded) | text.marks) for text in held),
        ((text.place, pairs(text.folded)) for text in held),
    )
    with store.write() as connection:
        texts.seal(connection, block, packed, len(held))
