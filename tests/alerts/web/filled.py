"""A store in which every page has something to show, and strangers have tried their best."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import cache

from alerts import queue, silences
from alerts.dispatch import dispatch
from alerts.suppression import SilenceMatchers
from classifiers.card import card
from classifiers.lessons import seed_lessons
from classifiers.model import fit
from monitor.config import Settings
from monitor.errors import FeedError, FeedErrorKind
from monitor.store import Connection, Store, feeds, models
from monitor.types import Decision, Verdict
from tests.alerts.rows import WITHDRAWN, add_incident, add_item, assess

HOSTILE = (
    "</title></style></bdi><script>alert(1)</script><img src=//evil.example/x onerror=alert(2)> {{ 7*7 }} "
    "\u202eevil\u202c \x1b[31m ＜b＞ 票站提早關閉" + "長" * 80 + "w" * 200
)
SECRET = "what-the-first-reviewer-thought"
REVIEWERS = ("zoe-reviewer", "yan-reviewer")
_MEASURED = {"n": 40, "positives": 20, "ap": 0.81, "recall": 0.7, "false_flags": 0.05, "calibration_error": None}


@cache
def _card() -> bytes:
    """Of a model that learned little, and therefore fast."""
    lessons = seed_lessons()[::6]
    model, scores = fit([lesson.example for lesson in lessons])
    return card("seed-1", "d" * 64, model, lessons, scores).dumps()


def fill(store: Store, settings: Settings, now: datetime) -> dict[str, int]:
    """Feeds of all kinds, incidents, decisions, silences, a model; incidents by what they are for."""
    earlier = now - timedelta(hours=2)
    with store.write() as connection:
        _feeds(connection, now)
        row = {"id": "seed-1", "created_at": earlier, "live": True, "data_sha256": "d" * 64, "sha256": "s" * 64}
        row |= {"card": _card(), "card_sha256": hashlib.sha256(_card()).hexdigest()}
        metrics = {**_MEASURED, "by_lang": {"en": _MEASURED, "zh-Hant": {**_MEASURED, "ap": None}}}
        models.put(connection, {**row, "versions": {}, "metrics": metrics, "blob": b""})
    found = {
        "blind": add_incident(store, earlier, findings=[WITHDRAWN], outlets=("海港日報", "Harbour Daily")),
        "hostile": add_incident(store, earlier, title=HOSTILE, matches=[], outlets=(HOSTILE[:60],), claim_type=None),
        "quiet": add_incident(store, earlier, title="Polling at the pier is off", matches=[], lang="en"),
    }
    with store.write() as connection:
        for number in range(4):  # it spreads
            at = now - timedelta(minutes=20 * number)
            item = add_item(connection, at, found["hostile"], f"Outlet {number}", HOSTILE)
            assess(connection, at, item, score=0.8, matches=())
    dispatch(store, settings, earlier)
    for _ in range(6):  # a point of the reliability curve
        add_incident(store, earlier, title="A leaflet gives the wrong number", score=0.71, matches=[], lang="en")
    dispatch(store, settings, earlier)
    zoe, yan = REVIEWERS
    by_incident = {row["incident_id"]: row["id"] for row in queue.listing(store, now=earlier)}
    queue.take(store, settings, zoe, earlier, by_incident[found["blind"]])
    queue.decide(store, settings, zoe, earlier, by_incident[found["blind"]], Decision.CLARIFY, Verdict.FALSE, SECRET)
    leaflets = [id for incident, id in by_incident.items() if incident not in found.values()]
    queue.decide_many(store, settings, yan, now, leaflets[:4], Decision.WATCH, None, "the leaflet is real")
    queue.dismiss_many(store, settings, yan, now, leaflets[4:], "not-false: a misprint")
    matchers = SilenceMatchers.model_validate({"incident": [str(found["quiet"])]})
    silences.add(store, settings, matchers, "lin", f"known: {HOSTILE[:120]}", now, now + timedelta(hours=5))
    return found


def _feeds(connection: Connection, now: datetime) -> None:
    for name, kind in (("gone", FeedErrorKind.GONE), ("html", FeedErrorKind.HTML), ("down", FeedErrorKind.TIMEOUT)):
        feed, _ = feeds.add(connection, f"https://{name}.example/{'long-path/' * 20}rss", now, outlet=f"{name} 日報")
        error = FeedError(feed.url, kind, f"{kind}: <b>{'x' * 120}</b>")
        feeds.record_failure(connection, feed.id, now, now, error, strikes=1, disable=name == "gone")
    feed, _ = feeds.add(connection, "https://fine.example/rss", now, outlet="Fine Daily")
    feeds.record_success(connection, feed.id, now, now, last_new_at=now)
