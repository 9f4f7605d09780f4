"""The stage that gathers flagged items into incidents: one incident is one claim, however many outlets carry it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from classifiers import live, neardup
from classifiers.claims import Certainty, Repeat
from classifiers.live import LiveClaims
from monitor import logs, tracing
from monitor.config import Settings
from monitor.store import Connection, Store, audit, incidents, regroup, relations
from monitor.store.incidents import Contradiction, Flagged, Member
from monitor.types import Item, StageReport

ACTOR = "group"
BATCH = 100  # items in one transaction; a writer waits for at most one batch
# The similarity from which an incident is noted as possibly the same claim, and how many of them. When it was set, nine
# in ten of those noted were right in English and four in ten in Chinese, counted by hand on real news; no benchmark
# here counts them.
RELATED = 0.2
RELATIONS = 3


@dataclass(frozen=True, slots=True)
class Copy:
    """Why an item joins an incident."""

    incident_id: int
    reason: str  # same-link, near-copy, same-claim
    similarity: float
    verbatim: bool = False  # all but equal to an item that can be found, and about the same people


@dataclass(frozen=True, slots=True)
class Home:
    """Where an item belongs: to an incident, or to none that is known, with those that may carry its claim."""

    copy: Copy | None
    related: tuple[tuple[int, float], ...] = ()  # incidents and similarities


def group(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Put every flagged item into an incident. Counts: ``items, incidents_new, joined, left``.

    Items are taken one after another in a fixed order, so neither the size of a batch nor a kill between two of them
    changes which items end up together. An item that was edited is looked at again: one whose text moved away from the
    claim of its incident has ``left`` it. Raises ConfigError for a wrong watchlist.
    """
    counts = Counter(items=0, incidents_new=0, joined=0, left=0)
    since = now - timedelta(days=settings.triage.max_age_days)
    with store.read() as connection:
        if not incidents.waits(connection, since):
            return StageReport("group", dict(counts))
        waiting = incidents.backlog(connection, since)
        changed = incidents.changed(connection, since)
    if waiting or changed:
        known = live.borrow(store, settings, now)
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            with tracing.span("group.batch", items=len(batch)) as step, store.write() as connection:
                step.about(batch)
                # Asked again under the write lock: another process may have grouped some of them meanwhile.
                for flagged in incidents.flagged(connection, batch):
                    counts["items"] += 1
                    counts[_place(connection, flagged, known, now)] += 1
        for start in range(0, len(changed), BATCH):
            with store.write() as connection:
                for flagged in incidents.flagged(connection, changed[start : start + BATCH], grouped=True):
                    counts["left"] += _look_again(connection, flagged, known, now)
        live.give_back(store, known)
    with store.write() as connection:
        incidents.looked_at(connection, since)
    return StageReport("group", dict(counts))


def _place(connection: Connection, flagged: Flagged, known: LiveClaims, now: datetime) -> str:
    """Put one item into an incident; returns the count it adds to."""
    minhash = neardup.signature(flagged.item.text)
    home = _home(connection, flagged, minhash, known)
    _put(connection, flagged, minhash, home, now)
    return "joined" if home.copy else "incidents_new"


def _put(connection: Connection, flagged: Flagged, minhash: bytes, home: Home, now: datetime) -> int:
    """Put an item where it belongs; returns the incident."""
    item, copy = flagged.item, home.copy
    if copy is None:
        incident_id = incidents.add(connection, item, flagged.claim_type, now)
        incidents.add_item(connection, incident_id, item, "first", 1.0, now)
        incidents.add_wording(connection, item.id)
        relations.relate(connection, incident_id, home.related, now)
    else:
        incident_id = copy.incident_id
        incidents.add_item(connection, incident_id, item, copy.reason, copy.similarity, now)
    if copy is None or not copy.verbatim:
        # What is found by a verbatim repost is found by its original: a flood of reposts stays cheap.
        incidents.add_signature(connection, item.id, minhash, neardup.bands(minhash))
    reason = copy.reason if copy else "first"
    logs.tell("item.group", item=item.id, feed=item.feed_id, incident=incident_id, reason=reason)
    return incident_id


def _home(
    connection: Connection, flagged: Flagged, minhash: bytes, known: LiveClaims, before: Member | None = None
) -> Home:
    """Where an item belongs; ``before`` is itself as it was grouped, where it is looked at again."""
    if copy := _same_link(connection, flagged):
        return Home(copy)
    copies = incidents.candidates_by_bands(connection, neardup.bands(minhash))
    earlier = [before] if before else []
    members = [*earlier, *(member for member in copies if member.item_id != flagged.item.id)]
    if copy := most_similar(minhash, flagged.names, flagged.findings, members):
        return Home(copy)
    known.update(connection)
    repeats = known.index.match(flagged.item.text)
    found = incidents.bearers(connection, {int(repeat.claim.id) for repeat in repeats})
    bearers = [*earlier, *(member for member in found if member.item_id != flagged.item.id)]
    return same_claim(repeats, flagged.names, flagged.findings, bearers)


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


def same_claim(
    repeats: Sequence[Repeat], names: frozenset[str], findings: frozenset[Contradiction], bearers: Iterable[Member]
) -> Home:
    """The incident whose claim a text surely repeats, else those whose claim it may repeat. No copy is needed.

    ``repeats`` are incidents, the most similar first, and ``bearers`` the items whose texts are their claims: never
    those that joined an incident, or a chain of joins would lead away from what it is about. Surely is: confirmed,
    about the same people, and without a finding that the other lacks.
    """
    by_incident: dict[int, list[Member]] = defaultdict(list)
    for member in bearers:
        by_incident[member.incident_id].append(member)
    related = []
    for repeat in repeats:
        incident_id = int(repeat.claim.id)
        members = by_incident[incident_id]
        alike = any(names == member.names and findings <= member.findings for member in members)
        if alike and repeat.certainty is Certainty.CONFIRMED:
            return Home(Copy(incident_id, "same-claim", repeat.similarity))
        of_one = any(names <= member.names or member.names <= names for member in members)
        if of_one and repeat.similarity >= RELATED:
            related.append((incident_id, repeat.similarity))
    return Home(None, tuple(related[:RELATIONS]))


def _look_again(connection: Connection, flagged: Flagged, known: LiveClaims, now: datetime) -> bool:
    """Whether an item whose text changed, or that was a sample, had to leave its incident."""
    item = flagged.item
    place = regroup.place(connection, item.id)
    if place.sample:
        regroup.found_after_all(connection, place.incident_id, flagged.claim_type)
    if place.alone:
        _settle(connection, item)
        incidents.add_wording(connection, item.id)
        return False
    minhash = neardup.signature(item.text)
    before = Member(item.id, place.incident_id, neardup.signature(place.text), place.names, place.findings)
    home = _home(connection, flagged, minhash, known, before)
    if home.copy is not None and home.copy.incident_id == place.incident_id:
        _settle(connection, item)
        return False
    regroup.withdraw(connection, item.id)
    speak_for(connection, place.incident_id)
    detail = {
        "item": item.id,
        "into": _put(connection, flagged, minhash, home, now),
        "reason": "its text was changed and no longer says what this incident is about",
    }
    audit.append(connection, now, ACTOR, "incident.leave", regroup.subject(place.incident_id), detail)
    return True


def _settle(connection: Connection, item: Item) -> None:
    """Keep an item where it is, found by its present text."""
    if regroup.settle(connection, item):
        incidents.add_wording(connection, item.id)
    _sign(connection, item)


def _sign(connection: Connection, item: Item) -> None:
    minhash = neardup.signature(item.text)
    regroup.unsign(connection, item.id)
    incidents.add_signature(connection, item.id, minhash, neardup.bands(minhash))


def speak_for(connection: Connection, incident_id: int) -> None:
    """See to it that an incident which lost items still has one that says what it is about, and is found by copies."""
    left = incidents.items_of(connection, incident_id)
    if left and not incidents.bearers(connection, [incident_id]):
        incidents.add_wording(connection, left[0].id)
        _sign(connection, left[0])
