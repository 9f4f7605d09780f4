"""The stage that forms an opinion of every item: model, watchlist and rules, with reasons."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from classifiers import registry, vectors
from classifiers.explain import Fragment, Seen, fragments, reasons, seen
from classifiers.mask import Mask
from classifiers.model import Model, Opinion
from classifiers.rules import Reference, check, is_of_this_election, is_ordinary, takes_back
from classifiers.scoring import combine
from monitor import logs, tracing
from monitor.config import Settings
from monitor.reference import load_watchlist
from monitor.store import Store, assessments
from monitor.types import Assessment, Item, Lang, Role, StageReport
from monitor.watchlist import Watchlist

log = logging.getLogger(__name__)

BATCH = 200


@dataclass(frozen=True, slots=True)
class Judged:
    """A text to assess, with what is known of it."""

    text: str
    lang: Lang
    link: str | None = None
    role: Role | None = None
    published_at: datetime | None = None  # when it said so; a roster's status holds from a day on


@dataclass(frozen=True)
class Bench:
    """Everything that judges: the model, whom to watch for, what to compare with, from which score to flag."""

    model_id: str
    model: Model
    watchlist: Watchlist
    mask: Mask
    reference: Reference
    threshold: float

    @classmethod
    def of(cls, model_id: str, model: Model, settings: Settings | None) -> Bench:
        """With the files that the configuration names; without one, the text is judged alone. Raises ConfigError."""
        if settings is None:
            return cls(model_id, model, Watchlist([]), Mask([]), Reference.empty(), model.threshold)
        own = settings.assess.threshold
        watchlist, _ = load_watchlist(settings)
        mask = Mask(watchlist.candidates.values())
        return cls(model_id, model, watchlist, mask, Reference.load(settings), model.threshold if own is None else own)

    def assess(self, texts: Sequence[Judged]) -> list[Assessment]:
        """One assessment a text, in order. Pure."""
        masked = [self.mask(judged.text) for judged in texts]
        rows = self.model.rows(masked)
        opinions = self.model.judge_rows(rows)
        found = seen(self.model, [judged.text for judged in texts], masked, rows)
        return [self._assess(*one) for one in zip(texts, opinions, found, strict=True)]

    def explain(self, text: str) -> list[Fragment]:
        """The pieces of a text that moved its score."""
        masked = [self.mask(text)]
        return fragments(self.model, [text], masked, self.model.rows(masked))[0]

    def _assess(self, judged: Judged, opinion: Opinion, found: Seen) -> Assessment:
        matches = self.watchlist.match(judged.text)
        findings = check(judged.text, judged.link, matches, self.reference, judged.published_at)
        named = not self.watchlist.candidates or is_of_this_election(judged.text, matches, self.reference)
        usual = opinion.probability >= self.threshold and is_ordinary(judged.text, matches, self.reference)
        scored = combine(
            opinion,
            findings,
            judged.role,
            self.threshold,
            named=named,
            ordinary=usual,
            taken_back=not findings and takes_back(judged.text),
        )
        why = reasons(found, scored, findings, matches, judged.role, self.watchlist.candidates, ordinary=usual)
        return Assessment(
            label=scored.label,
            score=scored.score,
            flagged=scored.flagged,
            stance=scored.stance,
            claim_type=scored.claim_type,
            lang=judged.lang,
            matches=matches,
            findings=findings,
            reasons=why,
            model=self.model_id,
        )


def assess(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Assess what the live model has not assessed: all new texts, and of older ones those in the window.

    One transaction a batch. An item that cannot be assessed is a problem of the report and waits for the next pass;
    it holds up no other. Raises ModelError and ConfigError before anything is written.
    """
    bench = Bench.of(*registry.live(store, now, with_vectors=vectors.wanted(settings)), settings)
    since = now - timedelta(days=settings.assess.window_days)
    assessed = flagged = last = 0
    problems: list[str] = []
    while True:
        with store.read() as connection:
            items = assessments.backlog(connection, bench.model_id, since, BATCH, after=last)
        if not items:
            break
        with tracing.span("assess.batch", items=len(items)) as step:
            opinions, failed = _opinions(bench, items)
            with store.write() as connection:
                assessments.insert_all(connection, opinions, now)
                _tell(opinions)
            step.about(item.id for item, opinion in opinions if opinion.flagged)
        assessed += len(opinions)
        flagged += sum(opinion.flagged for _, opinion in opinions)
        problems += failed
        last = items[-1].id
    return StageReport(
        "assess", {"assessed": assessed, "flagged": flagged, "model": bench.model_id}, problems=tuple(problems)
    )


def _tell(opinions: Sequence[tuple[Item, Assessment]]) -> None:
    for item, found in opinions:
        level = logging.INFO if found.flagged else logging.DEBUG
        said = {"score": round(found.score, 3), "flagged": found.flagged, "model": found.model}
        logs.tell("item.assess", level, item=item.id, revision=item.revision, **said)


def _opinions(bench: Bench, items: Sequence[Item]) -> tuple[list[tuple[Item, Assessment]], list[str]]:
    """The items that could be assessed with their assessments, and a sentence for each that could not."""
    try:
        return list(zip(items, bench.assess([_judged(item) for item in items]), strict=True)), []
    except Exception:
        log.exception("a batch of %d items cannot be assessed as one; each is assessed by itself", len(items))
    opinions, problems = [], []
    for item in items:
        try:
            opinions.append((item, bench.assess([_judged(item)])[0]))
        except Exception as error:
            log.exception("item %d cannot be assessed", item.id)
            problems.append(f"item {item.id} cannot be assessed: {type(error).__name__}")
    return opinions, problems


def _judged(item: Item) -> Judged:
    said_at = item.edited_at or item.published_at or item.first_seen_at
    return Judged(item.text, item.lang, item.link, item.role, said_at)
