"""The stage that gathers flagged items into incidents: one incident is one claim, however many outlets carry it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from classifiers import neardup
from monitor.config import Settings
from monitor.store import Connection, Store, incidents
from monitor.store.incidents import Contradiction, Flagged, Member
from monitor.text import shorten
from monitor.types import StageReport

BATCH = 100  # items in one transaction; a writer waits for at most one batch


@dataclass(frozen=True, slots=True)
class Copy:
    """Why an item joins an incident."""

    incident_id: int
    reason: str  # same-link, near-copy
    similarity: float
    verbatim: bool = False  # all but equal to an item that can be found, and about the same people


def group(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Put every flagged item into an incident. Counts: ``items, incidents_new, joined``.

    Items are taken one after another in a fixed order, so neither the size of a batch nor a kill between two of them
    changes which items end up together.
    """
    counts = Counter(items=0, incidents_new=0, joined=0)
    with store.read() as connection:
        waiting = incidents.backlog(connection, now - timedelta(days=settings.triage.max_age_days))
    for start in range(0, len(waiting), BATCH):
        with store.write() as connection:
            # Asked again under the write lock: another process may have grouped some of them meanwhile.
            for flagged in incidents.flagged(connection, waiting[start : start + BATCH]):
                counts["items"] += 1
                counts[_place(connection, flagged, now)] += 1
    return StageReport("group", dict(counts))


def _place(connection: Connection, flagged: Flagged, now: datetime) -> str:
    """Put one item into an incident; returns the count it adds to."""
    item = flagged.item
    minhash = neardup.signature(item.text)
    bands = neardup.bands(minhash)
    copy = _same_link(connection, flagged) or most_similar(
        minhash, flagged.names, flagged.findings, incidents.candidates_by_bands(connection, bands)
    )
    if copy is None:
        title = item.title or shorten(item.summary, 120)
        incident_id, reason, similarity = incidents.add(connection, flagged, title, now), "first", 1.0
    else:
        incident_id, reason, similarity = copy.incident_id, copy.reason, copy.similarity
    incidents.add_item(connection, incident_id, item, reason, similarity, now)
    if copy is None or not copy.verbatim:
        # What is found by a verbatim repost is found by its original: a flood of reposts stays cheap.
        incidents.add_signature(connection, item.id, minhash, bands)
    return "joined" if copy else "incidents_new"


def _same_link(connection: Connection, flagged: Flagged) -> Copy | None:
    if flagged.link_key is None:
        return None
    incident_id = incidents.by_link_key(connection, flagged.link_key, flagged.item.feed_id)
    return Copy(incident_id, "same-link", 1.0) if incident_id is not None else None


def most_similar(
    minhash: bytes, names: frozenset[str], findings: frozenset[Contradiction], members: Iterable[Member]
) -> Copy | None:
    """The incident of the most similar near-copy; of equals the first. None when there is no near-copy.

    One wording used about two people is two claims: when each text names somebody whom the other does not, they are
    never copies. Nor is one wording with two facts one claim: a text that contradicts a line of the roster or the facts
    file which the other leaves alone says something new, and a decision about the other must not silence it.
    """
    best: Copy | None = None
    for member in members:
        if not (names <= member.names or member.names <= names) or not findings <= member.findings:
            continue
        similarity = neardup.similarity(minhash, member.minhash)
        if similarity >= neardup.threshold(minhash, member.minhash) and (best is None or similarity > best.similarity):
            verbatim = similarity >= neardup.VERBATIM and names == member.names
            best = Copy(member.incident_id, "near-copy", similarity, verbatim)
    return best
