"""Whether a newly trained model may become live by itself: no worse than the live one where it can be told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from classifiers.examples import Example
from classifiers.heads import Array
from classifiers.lessons import Lesson
from classifiers.mask import Mask
from classifiers.model import Model
from classifiers.scoring import combine
from monitor.types import Lang
from monitor.watchlist import Watchlist

MIN_DECISIONS = 30  # held-back ones; below that nothing can be told
MIN_OF_A_KIND = 10  # of one language, or refutations
WORSE_BY = 0.02  # average precision, share of the stream flagged, or difference between names: below that it is noise
TOP = 0.1  # of the stream: what a team reads
REFUTATIONS_IN_TOP = 0.1  # of the refutations may stand there, whatever the live model does
TWINS = 200  # texts in which names are exchanged


@dataclass(frozen=True, slots=True)
class Exam:
    """What models are compared by; nothing that has a label here was trained on. Names are masked."""

    decided: tuple[Example, ...]  # one a decision
    refutations: tuple[str, ...]
    twins: tuple[tuple[str, str], ...]  # the same text about one watched person and about another
    stream: tuple[str, ...]  # unlabelled, the newest items


@dataclass(frozen=True, slots=True)
class Marks:
    """How one model did; None where there was too little to tell."""

    decisions: Mapping[str, float | None]  # average precision: "all", "en", "zh"
    refutations_in_top: float | None  # share that would stand in the top tenth of the stream
    flagged: float | None  # share of the stream
    name_gap: float  # mean difference of the score between twins


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a candidate may become live by itself, and why, in sentences."""

    promote: bool
    reasons: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {"promote": self.promote, "reasons": list(self.reasons)}


def set_exam(
    decided: Iterable[Lesson], refutations: Iterable[Lesson], stream: Sequence[str], watchlist: Watchlist, mask: Mask
) -> Exam:
    """The exam out of what is held back; of an incident's copies the first. ``stream`` is not masked yet."""
    first: dict[int | None, Example] = {}
    for lesson in decided:
        first.setdefault(lesson.incident_id, lesson.example)
    return Exam(
        tuple(first.values()),
        tuple(lesson.example.text for lesson in refutations),
        tuple((mask(one), mask(other)) for one, other in twins(stream, watchlist)),
        tuple(mask(text) for text in stream),
    )


def twins(texts: Iterable[str], watchlist: Watchlist) -> list[tuple[str, str]]:
    """Texts about watched people, at most TWINS, each beside itself with the next one's name in every place."""
    people = sorted(watchlist.candidates)
    following = dict(zip(people, people[1:] + people[:1], strict=True))
    pairs: list[tuple[str, str]] = []
    for text in texts if len(people) > 1 else ():
        named = {(match.start, match.end): match.candidate_id for match in watchlist.match(text)}
        chars = list(text)
        for (start, end), person in sorted(named.items(), reverse=True):
            names = watchlist.candidates[following[person]].names
            alike = [name for name in names if name.isascii() == text[start:end].isascii()]
            chars[start:end] = (alike or names)[0]
        if named:
            pairs.append((text, "".join(chars)))
        if len(pairs) == TWINS:
            break
    return pairs


def mark(model: Model, exam: Exam) -> Marks:
    """One model's marks."""
    scores, _ = _judge(model, [example.text for example in exam.decided])
    truth = np.array([example.suspicious for example in exam.decided], dtype=bool)
    english = np.array([example.lang is Lang.EN for example in exam.decided], dtype=bool)
    stream, flagged = _judge(model, exam.stream)
    answers, _ = _judge(model, exam.refutations)
    top = np.quantile(stream, 1 - TOP) if len(stream) else None
    enough = top is not None and len(answers) >= MIN_OF_A_KIND
    one, _ = _judge(model, [first for first, _ in exam.twins])
    other, _ = _judge(model, [second for _, second in exam.twins])
    return Marks(
        decisions={
            "all": _precision(truth, scores, MIN_DECISIONS),
            "en": _precision(truth[english], scores[english], MIN_OF_A_KIND),
            "zh": _precision(truth[~english], scores[~english], MIN_OF_A_KIND),
        },
        refutations_in_top=float((answers > top).mean()) if enough else None,
        flagged=float(flagged.mean()) if len(stream) else None,
        name_gap=float(np.abs(one - other).mean()) if len(exam.twins) else 0.0,
    )


def judge(candidate: Model, live: Model | None, exam: Exam) -> Judgement:
    """Whether ``candidate`` may take the place of ``live``; None: there is none that can be read."""
    if live is None:
        return Judgement(False, ("There is no live model that can be read, so there is nothing to compare with.",))
    return compare(mark(candidate, exam), mark(live, exam), len(exam.decided))


def compare(candidate: Marks, live: Marks, decisions: int) -> Judgement:
    """The judgement that the marks of both call for; ``decisions`` is how many were held back."""
    if decisions < MIN_DECISIONS:
        few = f"{decisions} decisions are held back, fewer than {MIN_DECISIONS}: too few to tell whether it is better."
        return Judgement(False, (few,))
    if candidate.decisions["all"] is None or live.decisions["all"] is None:
        return Judgement(False, ("The held-back decisions are all of one kind: nothing can be told from them.",))
    checks = [*_decisions(candidate, live), *_refutations(candidate, live), *_names(candidate, live)]
    checks += _flagged(candidate, live)
    worse = tuple(sentence for good, sentence in checks if not good)
    return Judgement(not worse, worse or tuple(sentence for _, sentence in checks))


def _decisions(candidate: Marks, live: Marks) -> Iterable[tuple[bool, str]]:
    for key, words in (("all", "all languages"), ("en", "English"), ("zh", "Chinese")):
        new, old = candidate.decisions[key], live.decisions[key]
        if new is None or old is None:
            yield True, f"Held-back decisions, {words}: too few to tell."
        else:
            better = new >= old - WORSE_BY
            yield better, f"Held-back decisions, {words}: average precision {new:.2f}, the live model {old:.2f}."


def _refutations(candidate: Marks, live: Marks) -> Iterable[tuple[bool, str]]:
    new, old = candidate.refutations_in_top, live.refutations_in_top
    if new is None or old is None:
        yield True, "Refutations: too few held back to tell."
    else:
        good = new <= max(old, REFUTATIONS_IN_TOP)
        yield good, f"Refutations: {new:.0%} would stand in the top tenth of the stream, by the live model {old:.0%}."


def _names(candidate: Marks, live: Marks) -> Iterable[tuple[bool, str]]:
    good = candidate.name_gap <= max(live.name_gap, WORSE_BY)
    yield good, f"Another person's name moves the score by {candidate.name_gap:.3f}, live {live.name_gap:.3f}."


def _flagged(candidate: Marks, live: Marks) -> Iterable[tuple[bool, str]]:
    """A queue that suddenly runs over, or dry, is for a person to want."""
    if candidate.flagged is not None and live.flagged is not None:
        new, old = candidate.flagged, live.flagged
        good = abs(new - old) <= WORSE_BY or 0.5 * old <= new <= 2 * old
        yield good, f"Flags {new:.1%} of the newest items, the live model {old:.1%}."


def _judge(model: Model, texts: Sequence[str]) -> tuple[Array, Array]:
    scored = [combine(opinion, (), None, model.threshold) for opinion in model.judge(texts)] if texts else []
    return np.array([one.score for one in scored]), np.array([one.flagged for one in scored], dtype=bool)


def _precision(truth: Array, scores: Array, least: int) -> float | None:
    if len(truth) < least or truth.all() or not truth.any():
        return None
    return float(average_precision_score(truth, scores))
