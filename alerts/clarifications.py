"""What people do to clarifications. Each act is one transaction: the clarification and its audit entry."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from alerts import drafting, phrases
from alerts.acts import person
from alerts.clocks import clarify_due, counts_from
from alerts.drafting import Desk
from alerts.publication import STANDING, Act, Approve, Discard, Edit, Publish, Withdraw, to_edit, transition
from alerts.routing import load_routes
from alerts.statement import parse, write
from monitor import taxonomy
from monitor.config import Settings
from monitor.errors import InputError, RefusedError
from monitor.reference import load_facts, load_watchlist
from monitor.store import Connection, Store, audit, incident_facts, inhibitions
from monitor.store import alerts as alert_store
from monitor.store import clarifications as store_of
from monitor.text import clean
from monitor.types import (
    Alert,
    AlertState,
    ClaimType,
    Clarification,
    ClarificationState,
    Decision,
    Lang,
    Said,
    Statement,
    Verdict,
    languages_of,
    page_url,
)

_ACTION: dict[type[Act], str] = {
    Edit: "clarification.edit",
    Withdraw: "clarification.withdraw",
    Discard: "clarification.discard",
    Approve: "clarification.approve",
    Publish: "clarification.publish",
}

AWAITED_FOR = timedelta(days=7)  # after which nobody is reminded any more that a clarification was meant to be drafted


def draft(store: Store, settings: Settings, reviewer: str, now: datetime, alert_id: int) -> dict[str, Any]:
    """Draft a clarification of an alert that is decided as one to clarify; returns its row.

    Raises RefusedError with not-ruled for another alert, drafted where there is one that is not withdrawn;
    NotFoundError; ConfigError.
    """
    name, desk = person(reviewer), _desk(settings)
    with store.write() as connection:
        alert = alert_store.get(connection, alert_id)
        verdict = ruled(alert)
        if verdict is None:
            said = Said("alert {alert} is not decided as one to clarify: `alerts decide --decision clarify`")
            raise RefusedError("not-ruled", said.filled(alert=alert_id))
        if (there := store_of.of_alert(connection, alert_id)) is not None:
            said = Said("alert {alert} has clarification {id} already: it is {standing}")
            raise RefusedError("drafted", said.filled(alert=alert_id, id=there.id, standing=STANDING[there.state]))
        incident = incident_facts.in_full(connection, alert.incident_id)
        answers = inhibitions.answers_to(connection, alert.incident_id)
        items = incident["items"]
        findings = [finding for item in items for finding in item["findings"] or ()]
        kinds = [item["claim_type"] for item in items if item["claim_type"]]
        texts = drafting.draft(incident["title"], ClaimType(kinds[0]) if kinds else None, findings, answers, desk)
        new = Clarification(
            id=0,
            alert_id=alert_id,
            slug=settings.calendar.local_date(now).isoformat(),
            uid=str(uuid.uuid4()),
            state=ClarificationState.DRAFT,
            verdict=verdict,
            texts=texts,
            revision=1,
            writers=(name,),
            drafted_at=now,
            claimed_at=min((item["published_at"] or item["first_seen_at"] for item in items), default=None),
        )
        kept = store_of.add(connection, new, name, {"alert": alert_id, **_detail(new)})
    return row(kept, settings)


def edit(
    store: Store, settings: Settings, reviewer: str, now: datetime, clarification_id: int, text: str, name: str
) -> dict[str, Any]:
    """Put an edited text, which errors call ``name``, in place of the one it was made from; returns the row.

    Raises InputError that names the line; RefusedError when somebody else edited it meanwhile, or as
    ``publication.transition`` does; NotFoundError.
    """
    with store.read() as connection:
        langs = languages_of(store_of.get(connection, clarification_id).texts)
    edited = parse(text, name, langs)
    if edited.clarification_id != clarification_id:
        raise InputError(name, f"is the text of clarification {edited.clarification_id}, not of {clarification_id}")
    act = Edit(person(reviewer), edited.revision, edited.texts)
    return _act(store, settings, act, act.editor, now, clarification_id)


def approve(
    store: Store,
    settings: Settings,
    reviewer: str,
    now: datetime,
    clarification_id: int,
    revision: int | None = None,
) -> dict[str, Any]:
    """Answer for the text as it stands; returns the row.

    Raises RefusedError for whoever wrote on it, UnfitActError while something is missing; NotFoundError.
    """
    act = Approve(person(reviewer), revision)
    return _act(store, settings, act, act.approver, now, clarification_id)


def withdraw(
    store: Store,
    settings: Settings,
    reviewer: str,
    now: datetime,
    clarification_id: int,
    reasons: Mapping[Lang, str],
) -> dict[str, Any]:
    """Propose to take back what is public, for reasons that readers are told; returns the row, a draft.

    Raises RefusedError for what was never published, UnfitActError without a reason in each language; NotFoundError.
    """
    act = Withdraw(person(reviewer), {lang: clean(reason) for lang, reason in reasons.items()})
    return _act(store, settings, act, act.editor, now, clarification_id)


def discard(
    store: Store, settings: Settings, reviewer: str, now: datetime, clarification_id: int, reason: str
) -> dict[str, Any]:
    """Drop the text that waits; what is public stays. Returns the row.

    Raises RefusedError when none waits, UnfitActError without a reason; NotFoundError.
    """
    act = Discard(person(reviewer), clean(reason))
    return _act(store, settings, act, act.editor, now, clarification_id)


def listing(
    store: Store, settings: Settings, state: ClarificationState | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """The rows of clarifications, the newest first."""
    with store.read() as connection:
        found = store_of.listing(connection, None if state is None else [state])
    return [row(each, settings) for each in found[::-1][:limit]]


def show(store: Store, settings: Settings, clarification_id: int) -> dict[str, Any]:
    """The row with ``text``, the file to edit, ``texts`` by language, ``versions`` and ``history``."""
    with store.read() as connection:
        found = store_of.get(connection, clarification_id)
        alert = alert_store.get(connection, found.alert_id)
        history = audit.listing(connection, subject=store_of.subject(clarification_id))
    # Those of a decision: what waits for a second opinion is nobody's to read.
    reasons = dict.fromkeys(opinion.reason for opinion in alert.opinions if ruled(alert))
    return {
        **row(found, settings),
        "text": write(found.id, found.revision, to_edit(found), changed=found.is_public, notes=_notes(found, reasons)),
        "texts": {lang.value: asdict(statement) for lang, statement in found.texts.items()},
        "versions": [
            {key: value for key, value in asdict(version).items() if key != "texts"} for version in found.versions
        ],
        "history": history,
    }


def row(clarification: Clarification, settings: Settings) -> dict[str, Any]:
    """One clarification with the keys of `clarifications list`."""
    versions = clarification.versions
    return {
        "id": clarification.id,
        "alert_id": clarification.alert_id,
        "state": clarification.state,
        "public": clarification.is_public,
        "withdrawing": clarification.withdrawing,
        "verdict": clarification.verdict,
        "title": clarification.texts[Lang.EN].title,
        "title_zh": clarification.texts.get(Lang.HANT, Statement()).title,
        "revision": clarification.revision,
        "writers": list(clarification.writers),
        "approved_by": clarification.approved_by,
        "drafted_at": clarification.drafted_at,
        "published_at": versions[0].published_at if versions else None,
        "changed_at": versions[-1].published_at if versions else None,
        "urls": {
            lang.value: page_url(settings.publish.base_url, clarification.slug, lang)
            for lang in (languages_of(versions[-1].texts) if versions else ())
        },
    }


def ruled(alert: Alert) -> Verdict | None:
    """The verdict with which an alert is to be clarified, if it is decided so."""
    decided = alert.state in (AlertState.DECIDED, AlertState.CLOSED) and alert.decision is Decision.CLARIFY
    return alert.verdict if decided else None


def perform(connection: Connection, before: Clarification, act: Act, actor: str, now: datetime) -> Clarification:
    """Do ``act`` in the caller's transaction, with its audit entry. Returns the clarification afterwards."""
    after = transition(before, act, now, ruled(alert_store.get(connection, before.alert_id)))
    if after == before:
        return before
    detail = _detail(after) | _reason(act)
    if not store_of.change(connection, before, after, at=now, actor=actor, action=_ACTION[type(act)], detail=detail):
        said = Said("clarification {id} was changed by someone else just now; look again")
        raise RefusedError("lost-race", said.filled(id=before.id))
    return after


def problems(store: Store, settings: Settings, now: datetime) -> list[Said]:
    """What `status` says: what is late, and what is public of alerts that are decided otherwise by now."""
    with store.read() as connection:
        unsettled = store_of.unsettled(connection)
        awaited = store_of.awaited(connection, now - AWAITED_FOR) if settings.publish.base_url else []
        late_alerts = alert_store.by_id(connection, [each.id for each in awaited])
    found = [_unsettled(each) for each in unsettled]
    targets, phase = load_routes(settings).targets, settings.calendar.phase(now)
    for alert in late_alerts:
        due = clarify_due(counts_from(alert), alert.priority, phase, targets)
        if due is not None and due < now:
            at = due.astimezone(settings.calendar.zone).strftime("%H:%M")
            found.append(Said("alert {id} was to be clarified by {at}", {"id": alert.id, "at": at}))
    return found


def _unsettled(found: Any) -> Said:
    now = Said("clarification {id} says {verdict}, and alert {alert_id} is {decided} now: {mend}")
    if found.decision != Decision.CLARIFY:
        now = Said("clarification {id} says {verdict}, and alert {alert_id} is not to be clarified any more: {mend}")
    mend = Said("correct or withdraw it") if found.versions else Said("edit or discard it")
    decided = Said("{verdict}", {"verdict": found.decided})
    return now.filled(id=found.id, verdict=found.verdict, alert_id=found.alert_id, decided=decided, mend=mend)


def _act(
    store: Store, settings: Settings, act: Act, actor: str, now: datetime, clarification_id: int
) -> dict[str, Any]:
    with store.write() as connection:
        after = perform(connection, store_of.get(connection, clarification_id), act, actor, now)
    return row(after, settings)


def _desk(settings: Settings) -> Desk:
    watched = load_watchlist(settings)[1]
    return Desk(
        phrases=phrases.load(),
        taxonomy=taxonomy.load(),
        publish=settings.publish,
        candidates={entry.id: entry for entry in watched.candidate},
        polling_source=load_facts(settings).polling.source,
    )


def _detail(after: Clarification) -> dict[str, Any]:
    """What the audit keeps of a clarification as it stands: whose words, who answers for them, and which they are."""
    words = json.dumps({lang: asdict(text) for lang, text in after.texts.items()}, ensure_ascii=False, sort_keys=True)
    return {
        "state": after.state,
        "verdict": after.verdict,
        "revision": after.revision,
        "withdrawing": after.withdrawing,
        "writers": list(after.writers),
        "approved_by": after.approved_by,
        "version": len(after.versions),
        "sha256": hashlib.sha256(words.encode()).hexdigest(),
    }


def _reason(act: Act) -> dict[str, Any]:
    return {"reason": act.reason} if isinstance(act, Discard) else {}


def _notes(found: Clarification, reasons: Iterable[str]) -> list[str]:
    """What stands at the head of the file, for the editor alone."""
    words = phrases.load().verdicts[found.verdict]
    said = "; ".join(f"{words.word[lang]}: {words.sentence[lang]}" for lang in languages_of(found.texts))
    return [
        f"Clarification {found.id} of alert {found.alert_id}: {found.state}. Lines with a # before them are notes.",
        f"The verdict is in fixed words: {said}",
        *(f"Decided because: {reason}" for reason in reasons),
        "Facts come first, each with its source line (source: …, and link: … if there is one); every language alike.",
        "An empty line parts paragraphs. A line of text that begins with # or [ gets a \\ before it.",
    ]
