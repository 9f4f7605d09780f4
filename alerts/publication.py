"""What may happen to a clarification: every act a person can do, decided without touching the store. Pure.

Nothing becomes public that one person wrote and no other approved as it stands; what is public keeps its address.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from alerts.statement import missing
from monitor.errors import RefusedError, UnfitActError
from monitor.text import fold
from monitor.types import Clarification, ClarificationState, Lang, Said, Texts, Verdict, Version, languages_of

State = ClarificationState


@dataclass(frozen=True, slots=True)
class Edit:
    """New texts, in place of those of ``revision``; of what is public, the beginning of a correction."""

    editor: str
    revision: int
    texts: Texts


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Propose that what is public be taken back, and say why in every language."""

    editor: str
    reasons: dict[Lang, str]


@dataclass(frozen=True, slots=True)
class Discard:
    """Drop what waits: what is public stays as it is; a draft that never was ends."""

    editor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Approve:
    """A second person answers for the text as it stands, of ``revision`` if that is given."""

    approver: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Publish:
    """What was approved becomes what the public reads."""

    publisher: str


Act = Edit | Withdraw | Discard | Approve | Publish


STANDING = {
    State.DRAFT: Said("draft"),
    State.APPROVED: Said("approved"),
    State.PUBLISHED: Said("published"),
    State.CORRECTED: Said("corrected"),
    State.WITHDRAWN: Said("withdrawn"),
}


def transition(before: Clarification, act: Act, now: datetime, ruled: Verdict | None) -> Clarification:
    """``before`` as it is after ``act``; ``ruled`` is the verdict with which its alert is to be clarified now, if any.

    An edit that changes nothing changes nothing: an approval stands. Raises RefusedError with one of the reasons
    withdrawn, newer-text, not-ruled, never-published, nothing-waits, not-approved, same-person, other-verdict;
    UnfitActError with no-reason, incomplete.
    """
    if before.state is State.WITHDRAWN:
        said = Said("clarification {id} is withdrawn: `clarifications draft` begins another")
        raise RefusedError("withdrawn", said.filled(id=before.id))
    match act:
        case Edit():
            return _edit(before, act, ruled)
        case Withdraw():
            return _withdraw(before, act)
        case Discard():
            return _discard(before, act)
        case Approve():
            return _approve(before, act, now, ruled)
        case Publish():
            return _publish(before, act, now, ruled)
        case _:
            assert_never(act)


def _edit(before: Clarification, act: Edit, ruled: Verdict | None) -> Clarification:
    _require_revision(before, act.revision)
    if not before.withdrawing and ruled is None:
        raise RefusedError("not-ruled", _not_ruled(before))
    verdict = before.verdict if ruled is None or before.withdrawing else ruled
    if act.texts in (before.texts, to_edit(before)) and verdict is before.verdict:
        return before
    return replace(_drafted(before, act.editor, act.texts), verdict=verdict)


def _withdraw(before: Clarification, act: Withdraw) -> Clarification:
    if not before.is_public:
        said = Said("clarification {id} is not public: `discard` drops the draft")
        raise RefusedError("never-published", said.filled(id=before.id))
    public = before.versions[-1]
    langs = languages_of(public.texts)
    if any(not act.reasons.get(lang) for lang in langs):
        raise UnfitActError("no-reason", Said("say why in each language of the page, for readers (--en, --zh)"))
    texts = {lang: replace(public.texts[lang], change=act.reasons[lang]) for lang in langs}
    return replace(_drafted(before, act.editor, texts), verdict=public.verdict, withdrawing=True)


def _discard(before: Clarification, act: Discard) -> Clarification:
    if not _waits(before):
        said = Said("clarification {id} is {standing}: no text of it waits")
        raise RefusedError("nothing-waits", said.filled(id=before.id, standing=STANDING[before.state]))
    if not act.reason:
        raise UnfitActError("no-reason", Said("say why (--reason)"))
    dropped = replace(before, revision=before.revision + 1, writers=(), approved_by=None, approved_at=None)
    if not before.is_public:
        return replace(dropped, state=State.WITHDRAWN)
    public = before.versions[-1]
    return replace(dropped, state=public.state, verdict=public.verdict, texts=public.texts, withdrawing=False)


def _approve(before: Clarification, act: Approve, now: datetime, ruled: Verdict | None) -> Clarification:
    if before.state is not State.DRAFT:
        said = Said("clarification {id} is {standing}: no draft of it waits")
        raise RefusedError("nothing-waits", said.filled(id=before.id, standing=STANDING[before.state]))
    _require_revision(before, act.revision)
    if fold(act.approver) in {fold(writer) for writer in before.writers}:
        said = Said("you wrote on clarification {id}: another person approves it")
        raise RefusedError("same-person", said.filled(id=before.id))
    faults = missing(before.texts, changed=before.is_public)
    if before.is_public:
        told = before.versions[-1].texts
        langs = languages_of(told)
        faults += [f"[{lang} change] tells of an earlier change" for lang in langs if _same_change(before, told, lang)]
    if faults:
        said = Said("clarification {id} is not complete: {faults}")
        raise UnfitActError("incomplete", said.filled(id=before.id, faults="; ".join(faults)))
    _require_ruled(before, ruled)
    return replace(before, state=State.APPROVED, approved_by=act.approver, approved_at=now)


def _publish(before: Clarification, act: Publish, now: datetime, ruled: Verdict | None) -> Clarification:
    if before.state is not State.APPROVED or before.approved_by is None:
        said = Said("clarification {id} is {standing}: a second person approves first")
        raise RefusedError("not-approved", said.filled(id=before.id, standing=STANDING[before.state]))
    _require_ruled(before, ruled)
    state = State.CORRECTED if before.is_public else State.PUBLISHED
    version = Version(
        number=len(before.versions) + 1,
        state=State.WITHDRAWN if before.withdrawing else state,
        verdict=before.verdict,
        texts=before.texts,
        published_at=now,
        writers=before.writers,
        approved_by=before.approved_by,
        published_by=act.publisher,
    )
    return replace(before, state=version.state, versions=(*before.versions, version))


def to_edit(clarification: Clarification) -> Texts:
    """The texts from which an editor goes on; of what is public, they do not tell of the last change any more."""
    if _waits(clarification):
        return clarification.texts
    return {lang: replace(statement, change="") for lang, statement in clarification.texts.items()}


def _same_change(before: Clarification, told: Texts, lang: Lang) -> bool:
    return bool(told[lang].change) and before.texts[lang].change == told[lang].change


def _drafted(before: Clarification, editor: str, texts: Texts) -> Clarification:
    """The clarification with a new text that nobody has approved."""
    earlier = before.writers if _waits(before) else ()
    return replace(
        before,
        state=State.DRAFT,
        texts=texts,
        revision=before.revision + 1,
        writers=tuple(dict.fromkeys((*earlier, editor))),
        approved_by=None,
        approved_at=None,
    )


def _waits(clarification: Clarification) -> bool:
    """Whether there is a text that is not public."""
    return clarification.state in (State.DRAFT, State.APPROVED)


def _require_revision(before: Clarification, revision: int | None) -> None:
    if revision not in (None, before.revision):
        said = Said("clarification {id} has revision {now} by now, not {revision}: look at it again")
        raise RefusedError("newer-text", said.filled(id=before.id, now=before.revision, revision=revision))


def _require_ruled(before: Clarification, ruled: Verdict | None) -> None:
    """A withdrawal needs no ruling: it takes back what was said of one."""
    if before.withdrawing:
        return
    if ruled is None:
        raise RefusedError("not-ruled", _not_ruled(before))
    if ruled is not before.verdict:
        said = Said(
            "alert {alert} is decided as {verdict} now, and clarification {id} says {other}: "
            "`clarifications edit` takes the verdict over"
        )
        other = Said("{verdict}").filled(verdict=str(before.verdict))
        values = {"alert": before.alert_id, "verdict": str(ruled), "id": before.id, "other": other}
        raise RefusedError("other-verdict", said.filled(**values))


def _not_ruled(before: Clarification) -> Said:
    if before.is_public:
        said = Said("alert {alert} is not decided as one to clarify any more: decide it again, or withdraw it")
    else:
        said = Said("alert {alert} is not decided as one to clarify any more: decide it again, or discard it")
    return said.filled(alert=before.alert_id)
