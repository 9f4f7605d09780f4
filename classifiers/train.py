"""Training from the seeds, from what reviewers decided and from what officials refuted: the one way back, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from classifiers import gate, registry, vectors
from classifiers.examples import Example
from classifiers.gate import Exam, Judgement
from classifiers.lessons import Lesson, decision_lessons, label_lessons, refutation_lessons, seed_lessons
from classifiers.mask import Mask
from classifiers.model import Model
from monitor.config import Settings
from monitor.errors import ModelError
from monitor.reference import load_watchlist
from monitor.store import Store, models
from monitor.types import StageReport

STREAM = 5_000  # of the newest items, for the background
EXAM_STREAM = 1_000  # of them, to see where a candidate would put its top tenth
ANSWERS = 5_000  # of the newest items of trusted feeds, to find refutations among
ACTOR = "learn"


@dataclass(frozen=True, slots=True)
class Material:
    """What the store has to learn from at one moment."""

    lessons: list[Lesson]
    exam: Exam
    stream: list[str]
    last_decision: int
    with_vectors: bool


def train(store: Store, settings: Settings, now: datetime, labels: Sequence[Example] = ()) -> str:
    """Train on all there is and on ``labels``; register without promoting; returns the id.

    How common words are is learned from what the feeds brought lately, too. In a store without items, decisions and
    labels this is the model that the seeds alone give. Another process that trains is waited for.
    """
    with registry.turn(store):
        return _train(store, _gather(store, settings, labels), now, promote=False)[0]


def learn(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Train when it is due, and make the model live if it is no worse than the live one. Counts: ``trained, promoted``.

    Another process that trains is waited for; then hardly anything is due any more.
    """
    with registry.turn(store):
        if not is_due(store, settings, now):  # another process may have trained meanwhile
            return StageReport("learn", {"trained": False, "promoted": False, "model": None})
        id, judgement = _train(store, _gather(store, settings), now, promote=settings.learn.promote == "gated")
    return StageReport("learn", {"trained": True, "promoted": judgement.promote, "model": id})


def is_due(store: Store, settings: Settings, now: datetime) -> bool:
    """Whether the last training is long ago, if there was one, and there are enough decisions since."""
    with store.read() as connection:
        # What was made of the seeds at first use never looked at decisions.
        trained = [row for row in models.listing(connection) if "last_decision" in (row["learned"] or {})]
        known = trained[0]["learned"]["last_decision"] if trained else 0
        fresh = models.decided_after(connection, known)
    rested = not trained or trained[0]["created_at"] + timedelta(hours=settings.learn.every_hours) <= now
    return rested and fresh >= settings.learn.min_decisions


def _gather(store: Store, settings: Settings, labels: Sequence[Example] = ()) -> Material:
    with_vectors = vectors.wanted(settings)
    watchlist, _ = load_watchlist(settings)
    mask = Mask(watchlist.candidates.values())
    with store.read() as connection:
        reviewed, held_decisions = decision_lessons(models.reviewed(connection), mask)
        refutations, held_refutations = refutation_lessons(models.answers(connection, ANSWERS), len(reviewed), mask)
        stream = models.recent_texts(connection, STREAM)
        last = models.last_decision(connection)
    lessons = [*seed_lessons(), *reviewed, *refutations, *label_lessons(labels, mask)]
    exam = gate.set_exam(held_decisions, held_refutations, stream[:EXAM_STREAM], watchlist, mask)
    return Material(lessons, exam, stream, last, with_vectors)


def _train(store: Store, material: Material, now: datetime, *, promote: bool) -> tuple[str, Judgement]:
    """Train, judge and register, the last two in one transaction; the judgement says whether it became live."""
    row, model = registry.build(material.lessons, now, material.stream, with_vectors=material.with_vectors)
    row["learned"] |= {"held_back": len(material.exam.decided), "last_decision": material.last_decision}
    compared, live = _live(store)
    judgement = gate.judge(model, live, material.exam)
    with store.write() as connection:
        if models.is_known(connection, row["id"]):
            models.put(connection, row)  # what was judged of it, or done with it, stands
            return row["id"], Judgement(False, ("The same rows made this model before.",))
        present = models.live(connection)
        if judgement.promote and present and present["id"] != compared:
            judgement = Judgement(False, ("Another model became live while this one was trained.",))
        if judgement.promote and not promote:
            judgement = Judgement(False, ("It may become live, but by hand only.", *judgement.reasons))
        models.put(connection, {**row, "judgement": judgement.as_json()})
        if judgement.promote:
            registry.promote(connection, row["id"], now, ACTOR, judgement.reasons)
    return row["id"], judgement


def _live(store: Store) -> tuple[str | None, Model | None]:
    """The live model with its id; no model when there is none that this program can read."""
    with store.read() as connection:
        row = models.live(connection)
    if row is None:
        return None, None
    try:
        return row["id"], registry.load(store, row["id"])
    except ModelError:
        return row["id"], None
