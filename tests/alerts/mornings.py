"""A desk on a morning on which everything has happened that the digest speaks of; plainly fictional."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert, update

from monitor.errors import FeedError, FeedErrorKind
from monitor.store import Connection, Store, audit, silences
from monitor.store import feeds as feed_rows
from monitor.store.schema import alerts, clarifications, decisions, incidents, models, outbox, versions
from monitor.types import ClaimType
from tests.alerts.rows import add_incident

HOUR = timedelta(hours=1)
CLAIMS = (
    ("卓望晴今早突然退選？", ClaimType.CANDIDATE_STATUS, "cheuk-mong-ching"),
    ("翠灣北票站提早兩小時關門", ClaimType.POLLING_DISRUPTION, "cheuk-mong-ching"),
    ("Perry Man is said to have called the valley a car park", ClaimType.CANDIDATE_QUOTE, "man-pui-lam"),
    ("郎雪盈團隊派錢買票？街坊收到兩百蚊", ClaimType.VOTE_BUYING_RUMOUR, "long-suet-ying"),
    ("Bring two forms of identification, says a leaflet", ClaimType.VOTING_PROCEDURE, "man-pui-lam"),
    ("戚啟航的網頁要求登入銀行戶口", ClaimType.SCAM_LURE, "chik-kai-hong"),
)


def busy_morning(store: Store, now: datetime) -> None:
    """Two weeks of incidents, alerts in every state, a clarification, silences, feeds that need a look."""
    outlets = ("翠灣街坊網", "Osprey Valley Noticeboard", "Radio Lantern", "海港日報")
    for back in range(14, -1, -1):
        for number in range(1 + (back * 5) % 4 if back else 7):
            at = now - timedelta(days=back) + (number - 3) * HOUR
            title, claim_type, who = CLAIMS[(back + number) % len(CLAIMS)]
            names = outlets[: 1 + (back + number) % 4]
            id = add_incident(store, at, title=title, claim_type=claim_type, matches=(who,), outlets=names)
            with store.write() as connection:
                _alert(connection, id, at, decided=back > 0, minutes=12 + 7 * back % 50)
    with store.write() as connection:
        _published(connection, now)
        _ruled(connection, now)
        _quiet(connection, now)
        _feeds(connection, now)
        for n in range(3):
            audit.append(connection, now, "maya", "alert.take", f"alert:{n}", {})


def _alert(connection: Connection, incident_id: int, at: datetime, *, decided: bool, minutes: int) -> None:
    done = at + timedelta(minutes=minutes)
    row = {
        "incident_id": incident_id,
        "state": "closed" if decided else "open",
        "priority": 1 + incident_id % 4,
        "priority_reasons": ["Starts at P2."],
        "score": 0.9,
        "route": "desk",
        "opened_at": at,
        "due_at": at + HOUR,
        "taken_at": at + timedelta(minutes=5) if decided else None,
        "decided_at": done if decided else None,
        "decision": ("clarify", "dismiss")[incident_id % 2] if decided else None,
        "take_steps": incident_id % 3 == 0,
    }
    alert_id = connection.scalars(insert(alerts).values(**row).returning(alerts.c.id)).one()
    if decided:
        verdict, why = (None, "not-false: the gazette says so") if incident_id % 2 else ("false", "see the gazette")
        values = {"alert_id": alert_id, "reviewer": "maya", "decision": row["decision"], "verdict": verdict}
        connection.execute(insert(decisions).values(**values, reason=why, at=done))


def _published(connection: Connection, now: datetime) -> None:
    title = {"en": "Vivian Cheuk is still standing", "zh-Hant": "卓望晴仍然是候選人"}
    texts = {lang: {"title": words, "facts": []} for lang, words in title.items()}
    head = {"alert_id": 1, "slug": "2027-03-01-cheuk", "uid": "u", "verdict": "false", "texts": texts}
    head |= {"writers": ["maya"], "state": "published", "revision": 1, "drafted_at": now - 3 * HOUR}
    id = connection.scalars(
        insert(clarifications).values(**head, withdrawing=False).returning(clarifications.c.id)
    ).one()
    version = {"number": 1, "state": "published", "verdict": "false", "texts": texts, "writers": ["maya"]}
    by = {"published_at": now - 2 * HOUR, "approved_by": "lin", "published_by": "lin"}
    connection.execute(insert(versions).values(clarification_id=id, **version, **by))


def _ruled(connection: Connection, now: datetime) -> None:
    """A sample that was found false this morning, and a decision of the period."""
    connection.execute(update(alerts).where(alerts.c.id == 2).values(sample="random"))
    connection.execute(update(incidents).where(incidents.c.id == 2).values(sample="random"))
    newest = {"at": now - HOUR, "verdict": "misleading", "decision": "clarify"}
    connection.execute(update(decisions).where(decisions.c.alert_id == 2).values(**newest))
    connection.execute(update(decisions).where(decisions.c.alert_id == 3).values(at=now - 2 * HOUR))


def _quiet(connection: Connection, now: datetime) -> None:
    matchers = {"incident": ["999"]}
    silences.add(connection, matchers, "lin", "a drill of the harbour police", now - 5 * HOUR, now + 8 * HOUR)
    row = {"receiver": "desk", "message": b"{}", "attempts": 0, "next_try_at": now, "frozen_at": now - HOUR}
    connection.execute(insert(outbox).values(key="a", dropped="decided: dismiss", **row))
    model = {"created_at": now, "data_sha256": "x", "sha256": "x", "versions": {}, "metrics": {}, "blob": b""}
    connection.execute(insert(models).values(id="seed-1", live=True, **model))


def _feeds(connection: Connection, now: datetime) -> None:
    for number, feed in enumerate(feed_rows.listing(connection)):
        feed_rows.record_success(connection, feed.id, now, now, last_new_at=now - HOUR)
        if number == 1:
            error = FeedError(feed.url, FeedErrorKind.HTML, "a web page, not a feed")
            feed_rows.record_failure(connection, feed.id, now, now, error, strikes=1)
    off = feed_rows.add(connection, "https://old.example/rss", now, outlet="Old Quay Post")[0]
    feed_rows.record_success(connection, off.id, now - 10 * HOUR, now)
    feed_rows.set_enabled(connection, off.id, False)
    feed_rows.add(connection, "https://quiet.example/rss", now - timedelta(days=30), outlet="Quiet Bay Gazette")
