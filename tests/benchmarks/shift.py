"""How fast the queue answers a reviewer when the store is large. On demand:

    python tests/benchmarks/shift.py [--items 1000000] [--store FILE]

Builds a store of ITEMS items, a tenth as many incidents, and an alert for each of these, of which a fifth waits for a
person and the rest is decided, one in a hundred of it as a clarification; some of what waits is inhibited by these, and
silences hide a part. Then asks for the first page of the queue, takes the most urgent alert and decides it, ROUNDS
times each, in this process, as one of a team of the rota. Prints the median, p95 and the worst in milliseconds, and the
same for the stages: a pass that has to look at every alert, one with nothing new, and one in which most of the queue
falls due at once. With ``--store`` a store that was built before is used again.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from alerts import queue
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from monitor.config import Settings, load_file
from monitor.starter import write_starter
from monitor.store import Store, audit, inhibitions, open_store, silences
from monitor.store.migrate import upgrade
from monitor.store.schema import alerts, assessments, comparisons, feeds, incident_items, incidents, items
from monitor.types import AlertState, ClaimType, Decision

ROUNDS = 200
PAGE = 50  # rows of the first page
FEEDS = 2_000
CHUNK = 10_000  # rows in one statement
NOW = datetime(2027, 3, 14, 12, tzinfo=UTC)
ROTA = """
[[team]]
name = "desk"
reviewers = ["maya", "ben"]
lead = "lin"

[[team]]
name = "desk-chinese"
reviewers = ["Ming", "yan"]
lead = "lin"

[[team]]
name = "police-liaison"
reviewers = ["omar"]
"""
SILENCES = 20
CLARIFIED = 101  # one alert in so many is a ruling that stands
INHIBITED = 400  # one in so many waits under such a ruling


def main() -> int:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path, help="keep the store here; one that exists is used as it is")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_starter(Path(folder))
        (Path(folder) / "rota.toml").write_text(ROTA, "utf-8")
        settings = load_file(Path(folder) / "pollwatch.toml")
        path = arguments.store or Path(folder) / "shift.db"
        built = path.exists()
        store = open_store(f"sqlite:///{path}", must_exist=False)
        if not built:
            started = time.monotonic()
            upgrade(store)
            build(store, arguments.items)
            print(
                f"built {arguments.items:,} items in {time.monotonic() - started:.0f} s, {path.stat().st_size >> 20} MB"
            )
        if arguments.store:  # what is measured changes it
            copy = Path(folder) / "copy.db"
            store.close()
            shutil.copy(path, copy)
            store = open_store(f"sqlite:///{copy}")
        _measure(store, settings)
        store.close()
    print(f"{'peak memory':<34}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10:>9} MB")
    return 0


def _measure(store: Store, settings: Settings) -> None:
    print(f"{'':<34}{'median':>9}{'p95':>9}{'worst':>9}  ms")
    _timed("dispatch, by other rules", lambda: dispatch(store, settings, NOW), rounds=1)
    _timed("alerts list, first page", lambda: queue.listing(store, limit=PAGE, now=NOW))
    taken: list[int] = []
    _timed("take the most urgent", lambda: taken.append(queue.take(store, settings, "Ming", NOW)["id"]))
    waiting = iter(taken)
    reason = "not-false: the outlet quotes the gazette"
    _timed("decide", lambda: queue.decide(store, settings, "Ming", NOW, next(waiting), Decision.DISMISS, None, reason))
    _timed("show one", lambda: queue.show(store, taken[0], NOW))
    _timed("dispatch, nothing new", lambda: dispatch(store, settings, NOW), rounds=3)
    _timed("escalate, most of the queue", lambda: escalate(store, settings, NOW), rounds=1)
    _timed("escalate, nothing new", lambda: escalate(store, settings, NOW), rounds=3)


def _timed(name: str, work: Callable[[], Any], rounds: int = ROUNDS) -> None:
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    print(f"{name:<34}{took[len(took) // 2]:>9.1f}{took[int(len(took) * 0.95)]:>9.1f}{took[-1]:>9.1f}")


def build(store: Store, count: int) -> None:
    """Fill an empty store with ``count`` items and what belongs to them."""
    rng = random.Random(0)
    types = list(ClaimType)
    with store.write() as connection:
        _many(connection, feeds, (_feed(number) for number in range(1, FEEDS + 1)))
    with store.write() as connection:
        _many(connection, items, (_item(number, rng) for number in range(1, count + 1)))
    groups = count // 10
    with store.write() as connection:
        _many(connection, incidents, (_incident(number, rng.choice(types)) for number in range(1, groups + 1)))
        # A fifth of all items is flagged, two in each incident.
        members = [(number * 5, (number - 1) // 2 + 1) for number in range(1, count // 5 + 1)]
        _many(connection, incident_items, (_member(item, incident) for item, incident in members))
        _many(connection, assessments, (_assessment(item, rng, rng.choice(types)) for item, _ in members))
    with store.write() as connection:
        _many(connection, alerts, (_alert(number, rng) for number in range(1, groups + 1)))
        _quieten(connection, groups)
        audit.append(connection, NOW, "benchmark", "store.build", "store", {"items": count})


def _quieten(connection: Connection, groups: int) -> None:
    """Silences, of which each hides the alerts of some incidents, and rulings with which all alerts were compared."""
    for number in range(1, SILENCES + 1):
        hidden = {"incident": [str(5 * (SILENCES * each + number)) for each in range(10)]}
        silences.add(connection, hidden, "Ming", "known and watched", NOW, NOW + timedelta(days=1))
    known = inhibitions.latest(connection)
    compared = ({"alert_id": number, "known": known, "texts": 2} for number in range(1, groups + 1))
    _many(connection, comparisons, compared)
    for number in range(INHIBITED, groups + 1, INHIBITED):
        inhibitions.add(connection, number, CLARIFIED, 0.9, NOW, (2, 2))


def _many(connection: Any, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    while chunk := list(islice(rows, CHUNK)):
        connection.execute(insert(table), chunk)


def _feed(number: int) -> dict[str, Any]:
    url = f"http://outlet-{number}.example/rss"
    return {"id": number, "url": url, "outlet": f"Outlet {number}", "role": "media", "added_at": NOW}


def _item(number: int, rng: random.Random) -> dict[str, Any]:
    words = " ".join(rng.choice(_WORDS) for _ in range(9))
    link = f"outlet-{number % FEEDS + 1}.example/{number}"
    return {
        "id": number,
        "feed_id": number % FEEDS + 1,
        "key": str(number),
        "guid": str(number),
        "link": f"http://{link}",
        "link_key": link,
        "title": words,
        "summary": f"{words}. " * 4,
        "lang": rng.choice(("en", "zh-Hant", "zh-Hans")),
        "published_at": NOW - timedelta(seconds=number),
        "first_seen_at": NOW - timedelta(seconds=number),
        "revision": 0,
    }


_WORDS = (
    "harbour",
    "ferry",
    "選舉",
    "投票",
    "候選人",
    "market",
    "bridge",
    "天氣",
    "leaflet",
    "街站",
    "council",
    "點票",
)


def _incident(number: int, claim_type: str) -> dict[str, Any]:
    row = {"id": number, "title": f"Claim {number} 傳聞", "claim_type": claim_type, "lang": "zh-Hant"}
    return {**row, "created_at": NOW, "first_seen_at": NOW - timedelta(minutes=number % 9000), "last_seen_at": NOW}


def _member(item: int, incident: int) -> dict[str, Any]:
    return {
        "item_id": item,
        "incident_id": incident,
        "reason": "first",
        "similarity": 1.0,
        "added_at": NOW - timedelta(days=3),
    }


def _assessment(item: int, rng: random.Random, claim_type: str) -> dict[str, Any]:
    named = rng.random() < 0.5
    return {
        "item_id": item,
        "revision": 0,
        "model_id": "seed-1",
        "label": "false-information",
        "score": rng.uniform(0.5, 1),
        "flagged": True,
        "stance": "asserts",
        "claim_type": claim_type,
        "matches": [{"candidate_id": "cheuk-mong-ching", "alias": "卓望晴", "start": 0, "end": 3}] if named else [],
        "findings": [],
        "reasons": [{"code": "words", "text": "Words that moved the score.", "detail": {}}],
        "assessed_at": NOW,
    }


def _alert(number: int, rng: random.Random) -> dict[str, Any]:
    waits, ruled = number % 5 == 0, number % CLARIFIED == 0 and number % 5 != 0
    inhibited = number % INHIBITED == 0
    opened = NOW - timedelta(minutes=number % 3000)
    return {
        "id": number,
        "incident_id": number,
        "state": AlertState.OPEN if waits else AlertState.CLOSED,
        "priority": rng.choice((1, 2, 2, 3, 3, 3, 4)),
        "priority_reasons": ["Starts at P2."],
        "level": 0,
        "score": rng.uniform(0.5, 1),
        "route": rng.choice(("desk", "desk-chinese", "police-liaison")),
        "opened_at": opened,
        "due_at": opened + timedelta(minutes=rng.choice((15, 60, 240))),
        "decided_at": None if waits else opened + timedelta(minutes=rng.randrange(1, 60)),
        "decision": None if waits else "clarify" if ruled else "dismiss",
        "verdict": "false" if ruled else None,
        "suppression": "inhibited" if inhibited else None,
        "inhibited_by": CLARIFIED if inhibited else None,
    }


if __name__ == "__main__":
    raise SystemExit(main())
