"""What must hold once everything is over, whatever happened meanwhile: nothing lost, nothing doubled, nothing left."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from alerts import notify
from alerts.routing import load_routes
from monitor.config import Settings
from monitor.store import Store, audit, engine
from monitor.store import alerts as alert_store
from monitor.store.schema import (
    alerts,
    assessments,
    feeds,
    hosts,
    incident_items,
    incidents,
    items,
    models,
    notices,
    occasions,
    outbox,
    revisions,
    to_dispatch,
    to_group,
    to_index,
)
from monitor.types import LIVE
from tests.receiver import Inbox
from tests.smtp import Mailbox

Served = Mapping[tuple[str, str], Sequence[str]]  # by address of the feed and guid: the titles, one after the other


def left(store: Store) -> list[str]:
    """What the stages still have to do, or a reviewer still holds; empty when all is quiet."""
    waits = {
        "items to group": select(func.count()).select_from(to_group).where(to_group.c.published_at.is_(None)),
        "incidents to dispatch": select(func.count()).select_from(to_dispatch),
        "items to index": select(func.count()).select_from(to_index),
        "messages unsent": select(func.count()).where(outbox.c.sent_at.is_(None), outbox.c.dropped.is_(None)),
        "occasions waiting": select(func.count()).where(
            occasions.c.message_key.is_(None), occasions.c.dropped.is_(None)
        ),
        "mails unsent": select(func.count()).where(notices.c.sent_at.is_(None)),
        "alerts held": select(func.count()).where(alerts.c.holder.is_not(None)),
        "items not assessed": select(func.count()).select_from(items).where(items.c.id.not_in(_assessed())),
    }
    with store.read() as connection:
        counts = {name: connection.scalar(query) for name, query in waits.items()}
    return [f"{count} {name}" for name, count in counts.items() if count]


def check_served(store: Store, served: Served) -> None:
    """Every entry that was served is one item, with every text it ever had, in order; and nothing else is."""
    assert _texts(store) == {key: list(titles) for key, titles in served.items()}


def missing(store: Store, served: Served) -> set[tuple[str, str]]:
    """Entries whose last text does not stand in the store yet."""
    with store.read() as connection:
        rows = connection.execute(select(feeds.c.url, items.c.guid, items.c.title).join(feeds))
        stored = {(url, guid): title for url, guid, title in rows}
    return {key for key, titles in served.items() if stored.get(key) != titles[-1]}


def check_judged(store: Store) -> dict[str, int]:
    """Every item has one opinion; what is flagged is in one incident, and every incident has one alert. The counts."""
    with store.read() as connection:
        assert audit.verify(connection) is None
        opinions = Counter(connection.scalars(_assessed()))
        assert set(opinions) == set(connection.scalars(select(items.c.id)))
        assert set(opinions.values()) <= {1}
        flagged = set(connection.scalars(_assessed().where(assessments.c.flagged)))
        members = set(connection.scalars(select(incident_items.c.item_id)))
        assert flagged <= members, f"{len(flagged - members)} flagged items in no incident"
        open_incidents = set(connection.scalars(select(incident_items.c.incident_id).distinct()))
        live = Counter(connection.scalars(select(alerts.c.incident_id).where(alerts.c.state.in_(LIVE))))
        assert set(live.values()) <= {1}
        told = Counter(connection.scalars(select(alerts.c.incident_id)))
        assert open_incidents <= set(told), f"{len(open_incidents - set(told))} incidents without an alert"
        assert set(told.values()) <= {1}, "an incident with two alerts"
        opened = Counter(each["subject"] for each in audit.listing(connection) if each["action"] == "alert.open")
        assert opened == Counter(map(alert_store.subject, connection.scalars(select(alerts.c.id))))
        counted = {"incidents": connection.scalar(select(func.count()).select_from(incidents)) or 0}
    assert engine.integrity(store) == []
    return {"items": len(opinions), "flagged": len(flagged), **counted, "alerts": sum(told.values())}


def check_feeds(store: Store) -> None:
    """No feed was blamed for what was not its fault, and no pass holds its host any more."""
    with store.read() as connection:
        assert connection.scalar(select(func.count()).where(hosts.c.holder.is_not(None))) == 0
        found = connection.execute(select(feeds.c.url, feeds.c.failures, feeds.c.error_kind, feeds.c.enabled)).all()
    assert [row for row in found if row.failures or row.error_kind or not row.enabled] == []


def check_notices(
    store: Store, settings: Settings, entries: Sequence[dict[str, Any]], inbox: Inbox, window: Mapping[str, int]
) -> int:
    """Every occasion is in a message that its receiver has, or was dropped for a reason. Returns the copies.

    ``window`` says of each key how often its message stood as unsent after a kill though its receiver had it.
    """
    with store.read() as connection:
        ids = list(connection.scalars(select(alerts.c.id)))
        pages = [ids[start : start + 500] for start in range(0, len(ids), 500)]
        known = {alert.id: alert for page in pages for alert in alert_store.by_id(connection, page)}
        found = connection.execute(select(occasions)).all()
        messages = {row.key: row for row in connection.execute(select(outbox))}
    expected = notify.occasions_of(entries, known, load_routes(settings).receiver)
    assert {each.key for each in expected} == {row.key for row in found}
    assert all((row.message_key is None) != (row.dropped is None) for row in found)
    told = {row.message_key for row in found if row.message_key}
    assert told <= set(messages)
    others = [_words(row.message)[0] for key, row in messages.items() if key not in told]
    assert all("digest" in title for title in others), "a message about nothing"
    arrived = Counter((each.path.strip("/"), each.key, each.title, each.body) for each in inbox.deliveries)
    sent = {(row.receiver, key[:16], *_words(row.message)): row for key, row in messages.items()}
    assert set(arrived) <= set(sent), "a message that nobody wrote down"
    lost = [key for key, row in sent.items() if key not in arrived and row.dropped is None]
    assert lost == []
    assert all((row.sent_at is None) != (row.dropped is None) for row in sent.values())
    copies = {key[1]: times - 1 for key, times in arrived.items() if times > 1}
    assert all(times <= window.get(key, 0) for key, times in copies.items()), "a copy from outside of the answer window"
    return sum(copies.values())


def check_mails(store: Store, mailbox: Mailbox, receivers: Collection[str], window: Mapping[str, int]) -> int:
    """Each of the ``receivers`` has one digest of each date that was written; ``window`` as of ``check_notices``."""
    with store.read() as connection:
        written = connection.execute(select(notices.c.date, notices.c.receiver, notices.c.message_id)).all()
    assert {row.receiver for row in written} == set(receivers)
    assert len({(row.date, row.receiver) for row in written}) == len(written)
    arrived = Counter(zip(mailbox.receivers, mailbox.ids(), strict=True))
    assert set(arrived) == {(row.receiver, row.message_id) for row in written}
    copies = {id: times - 1 for (_, id), times in arrived.items() if times > 1}
    assert all(times <= window.get(id, 0) for id, times in copies.items()), "a copy from outside of the answer window"
    return sum(copies.values())


def _assessed() -> Any:
    """The items of which the live model has said what it thinks of their text as it stands."""
    return (
        select(assessments.c.item_id)
        .join(items, items.c.id == assessments.c.item_id)
        .join(models, models.c.id == assessments.c.model_id)
        .where(assessments.c.revision == items.c.revision, models.c.live)
    )


def _texts(store: Store) -> dict[tuple[str, str], list[str]]:
    with store.read() as connection:
        earlier = select(revisions.c.item_id, revisions.c.title).order_by(revisions.c.item_id, revisions.c.revision)
        before: dict[int, list[str]] = {}
        for id, title in connection.execute(earlier):
            before.setdefault(id, []).append(title)
        now = connection.execute(select(items.c.id, feeds.c.url, items.c.guid, items.c.title).join(feeds)).all()
    found = {(row.url, row.guid): [*before.get(row.id, ()), row.title] for row in now}
    assert len(found) == len(now), "an entry that is two items"
    return found


def _words(message: bytes) -> tuple[str, str]:
    written = json.loads(message)
    return written["title"], written["body"]
