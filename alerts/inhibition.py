"""The part of dispatch that compares open alerts with what is clarified already, which need not be looked at again.

Matching costs about a millisecond a text, so only what is new or has grown is compared, LOOKS alerts in one pass. It
happens outside of the write lock: a ruling that is taken back meanwhile hides nothing (monitor.store.suppression).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from alerts.hiding import Writer, hear
from alerts.suppression import RULED_WITHIN, drift, inhibited, is_sure, may_answer
from monitor.store import Connection, Store, audit, claims, incident_facts, inhibitions
from monitor.store import alerts as alert_store
from monitor.types import AlertState, Candidate, Claim, IncidentFacts, Lang, Ruling, Said

if TYPE_CHECKING:
    from classifiers.claims import Index

LOOKS = 100  # alerts compared in one pass; the rest waits for the next, the most urgent never long
MATCHES = 10  # known claims, the most similar, that one text is looked up in
NEWEST = 3  # items of an incident that are read, those published or edited last: every one must repeat the claim


@dataclass(frozen=True, slots=True)
class Known:
    """The claims that are answered: by our reviewers, and by official and fact-check feeds."""

    latest: str  # changes when there is a new one
    rulings: Mapping[str, Ruling]  # by the id of their claims
    refuted: Mapping[str, int]  # items, by the id of their claims
    claims: tuple[Claim, ...]

    @classmethod
    def of(cls, connection: Connection, now: datetime) -> Known:
        """What the store knows at ``now``."""
        since = now - RULED_WITHIN
        rulings = {f"alert-{ruling.alert_id}": ruling for ruling in inhibitions.rulings(connection, since)}
        refuted = claims.refuted(connection, since)
        wordings = [Claim(id, text) for id, ruling in rulings.items() for text in ruling.texts]
        items = {claim.id: item_id for item_id, claim in refuted.items()}
        return cls(inhibitions.latest(connection), rulings, items, (*wordings, *refuted.values()))


@dataclass(frozen=True, slots=True)
class Look:
    """What comparing one alert found."""

    alert_id: int
    texts: int
    facts: IncidentFacts
    ruling: tuple[Ruling, float] | None  # that answers all of it, and how similar it is
    answers: Mapping[int, float]  # similarity by official item


def review(store: Store, people: tuple[Candidate, ...], writer: Writer) -> tuple[int, int]:
    """Let inhibited alerts be heard that say more than what was ruled on, and inhibit open ones that say no more.

    Returns how many were inhibited, and how many are heard again.
    """
    with store.read() as connection:
        known = Known.of(connection, writer.now)
    if not known.claims:
        return 0, 0
    heard = _hear_drifted(store, known, people, writer)
    with store.read() as connection:
        looks = _looks(connection, known, people, writer.now)
    count = 0
    if looks:
        with store.write() as connection:
            for look in looks:
                count += _write(connection, look, known, writer)
    return count, heard


def _hear_drifted(store: Store, known: Known, people: tuple[Candidate, ...], writer: Writer) -> int:
    with store.read() as connection:
        rows = inhibitions.inhibited(connection)
        alerts = {alert.id: alert for alert in alert_store.by_id(connection, [row.id for row in rows])}
        facts = incident_facts.by_id(connection, [alert.incident_id for alert in alerts.values()])
        changed = [alerts[row.id].incident_id for row in rows if row.changed]
        newest = inhibitions.newest(connection, changed, NEWEST)
    drifted, same = [], []
    for row in rows:
        alert, id = alerts[row.id], f"alert-{alerts[row.id].inhibited_by}"
        if id not in known.rulings:
            continue  # it does not stand any more: hiding.give_back says so
        texts = newest.get(alert.incident_id, [])
        about = {id for id, other in known.rulings.items() if other.names == known.rulings[id].names}
        strayed = [title for title, text, lang in texts if about.isdisjoint(_repeats(text, lang, known, people))]
        spread = (row.items, row.outlets)
        if reason := drift(facts[alert.incident_id], known.rulings[id], spread, strayed=strayed):
            drifted.append((alert, reason))
        elif row.changed:
            same.append(row)
    if not drifted and not same:
        return 0
    with store.write() as connection:
        for row in same:
            inhibitions.compared(connection, row.id, known.latest, row.texts)
        return sum(hear(connection, alert, writer.now, reason, writer) != alert for alert, reason in drifted)


def _looks(connection: Connection, known: Known, people: tuple[Candidate, ...], now: datetime) -> list[Look]:
    rows = inhibitions.waiting(connection, known.latest, LOOKS)
    before = inhibitions.ever(connection, [row.id for row in rows])
    alerts = {alert.id: alert for alert in alert_store.by_id(connection, [row.id for row in rows])}
    facts = incident_facts.by_id(connection, [alert.incident_id for alert in alerts.values()])
    newest = inhibitions.newest(connection, list(facts), NEWEST)
    looks = []
    for row in rows:
        this = facts[alerts[row.id].incident_id]
        able = {
            id: ruling for id, ruling in known.rulings.items() if row.id not in before and may_answer(ruling, this, now)
        }
        texts = newest.get(this.incident_id, []) if able or known.refuted else []  # none: they were purged
        found = [_repeats(text, lang, known, people) for _, text, lang in texts]
        looks.append(Look(row.id, row.texts, this, _answered(able, found), _official(known, found)))
    return looks


def _answered(able: Mapping[str, Ruling], found: Sequence[Mapping[str, float]]) -> tuple[Ruling, float] | None:
    """The ruling that every text repeats, the most similar first; of equals the older."""
    whole = [(min(repeats.get(id, 0.0) for repeats in found), id) for id in able] if found else []
    similarity, id = max(whole, key=lambda pair: pair[0], default=(0.0, ""))
    return (able[id], similarity) if similarity else None


def _official(known: Known, found: Sequence[Mapping[str, float]]) -> dict[int, float]:
    best: dict[int, float] = {}
    for repeats in found:
        for id, similarity in repeats.items():
            if id in known.refuted:
                item_id = known.refuted[id]
                best[item_id] = max(similarity, best.get(item_id, 0.0))
    return best


def _write(connection: Connection, look: Look, known: Known, writer: Writer) -> bool:
    inhibitions.compared(connection, look.alert_id, known.latest, look.texts)
    for item_id, similarity in look.answers.items():
        inhibitions.add_answer(connection, look.facts.incident_id, item_id, similarity, writer.now)
    alert = alert_store.get(connection, look.alert_id)
    if look.ruling is None or alert.state is not AlertState.OPEN or alert.suppression:
        return False  # nothing answers it, or somebody took it meanwhile
    if inhibitions.ever(connection, [alert.id]):
        return False  # another pass did, and it came back
    ruling, similarity = look.ruling
    after = inhibited(alert, ruling)
    detail = {
        "suppression": after.suppression,
        "inhibited_by": ruling.alert_id,
        "similarity": round(similarity, 3),
        **audit.because(
            Said(
                "alert {other} decided the same claim: {verdict}",
                {"other": ruling.alert_id, "verdict": ruling.verdict},
            )
        ),
    }
    written = alert_store.change(
        connection, alert, after, at=writer.now, actor=writer.actor, action="alert.suppress", detail=detail
    )
    if written:
        spread = (look.facts.items, len(look.facts.outlets))
        inhibitions.add(connection, alert.id, ruling.alert_id, similarity, writer.now, spread)
    return written


def _repeats(text: str, lang: Lang, known: Known, people: tuple[Candidate, ...]) -> dict[str, float]:
    """The known claims that a text surely repeats, with the similarity."""
    from classifiers.claims import Certainty

    return {
        repeat.claim.id: repeat.similarity
        for repeat in _index(people, known.claims).match(text, limit=MATCHES)
        if repeat.certainty is Certainty.CONFIRMED and is_sure(repeat.similarity, lang)
    }


@lru_cache(maxsize=1)
def _index(people: tuple[Candidate, ...], known: tuple[Claim, ...]) -> Index:
    """Built again only when something new is known. Imported here: who takes an alert needs no numpy."""
    from classifiers.anchors import names_and_places
    from classifiers.claims import Index
    from classifiers.examples import seed_examples

    index = Index(names_and_places(people), background=[example.text for example in seed_examples()])
    index.add(known)
    return index
