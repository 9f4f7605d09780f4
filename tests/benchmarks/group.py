"""How long one new item waits to be grouped in a full store, and what the index of live claims takes. On demand:

    PYTHONPATH=. python tests/benchmarks/group.py [ITEMS [INCIDENTS]]

ITEMS synthetic items are stored (default 1,000,000), of which INCIDENTS (default 40,000: four in a hundred) are flagged
and are incidents of today, each of one item. Then the stage runs on one new item at a time, which is what the daemon
does all day: the first run builds the index. Half of the items are Chinese. CPU time, for a machine that does other
things beside.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert

from classifiers.group import group
from monitor.config import load_file
from monitor.starter import write_starter
from monitor.store import Store, open_store
from monitor.store.schema import assessments, incident_items, incidents, items
from monitor.text import detect_lang
from tests.benchmarks.match import synthetic
from tests.grouping import START, Row, fill

NEW = 100
_ROWS = 10_000


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    stored, flagged = [int(argument) for argument in arguments] + [1_000_000, 40_000][len(arguments) :]
    with tempfile.TemporaryDirectory() as folder:
        write_starter(Path(folder) / "desk")
        settings = load_file(Path(folder) / "desk" / "pollwatch.toml")
        store = open_store(settings.database_url)
        _fill(store, stored, flagged)
        before = _megabytes()
        took = []
        for number, text in enumerate(synthetic(NEW + 1, seed=2)):
            fill(store, [Row(text, minute=number)])
            start = time.process_time()
            group(store, settings, START + timedelta(hours=1))
            took.append(time.process_time() - start)
        store.close()
    first, rest = took[0], sorted(took[1:])
    print(f"{stored:,} items, {flagged:,} live incidents")
    print(f"  first pass, which builds the index: {first:.1f} s, {_megabytes() - before:.0f} MB more at the peak")
    print(f"  a pass with one new item: {rest[NEW // 2] * 1000:.1f} ms, p95 {rest[NEW * 95 // 100] * 1000:.1f} ms")
    return 0


def _fill(store: Store, stored: int, flagged: int) -> None:
    fill(store, [Row("The first", flagged=False)])  # and its feed
    texts = synthetic(stored, seed=1)
    item = {"feed_id": 1, "summary": "", "first_seen_at": START, "published_at": START, "revision": 0}
    _put(
        store,
        items,
        (
            {**item, "id": n, "key": str(n), "title": text, "lang": detect_lang(text)}
            for n, text in enumerate(texts, start=2)
        ),
    )
    ids = range(2, flagged + 2)
    seen = {"created_at": START, "first_seen_at": START, "last_seen_at": START}
    _put(store, incidents, ({"id": n, "title": "-", "lang": "en", **seen} for n in ids))
    member = {"reason": "first", "similarity": 1.0, "added_at": START, "revision": 0}
    _put(store, incident_items, ({"item_id": n, "incident_id": n, "wording": n, **member} for n in ids))
    opinion = {"model_id": "m1", "label": "false-information", "score": 0.9, "flagged": True, "stance": "asserts"}
    nothing: dict[str, Any] = {"matches": [], "findings": [], "reasons": [], "revision": 0, "assessed_at": START}
    _put(store, assessments, ({"item_id": n, **opinion, **nothing} for n in ids))


def _put(store: Store, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    while batch := list(islice(rows, _ROWS)):
        with store.write() as connection:
            connection.execute(insert(table), batch)


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
