"""The stage that forms an opinion of every item: model, watchlist and rules, with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from classifiers import registry
from classifiers.explain import fragments, reasons
from classifiers.model import Model, Opinion
from classifiers.rules import Reference, check
from classifiers.scoring import combine
from monitor.config import Settings
from monitor.reference import load_watchlist
from monitor.store import Store, assessments
from monitor.types import Assessment, Lang, Role, StageReport
from monitor.watchlist import Watchlist

BATCH = 200


@dataclass(frozen=True, slots=True)
class Judged:
    """A text to assess, with what is known of it."""

    text: str
    lang: Lang
    link: str | None = None
    role: Role | None = None


@dataclass(frozen=True)
class Bench:
    """Everything that judges: the model, whom to watch for, what to compare with, from which score to flag."""

    model_id: str
    model: Model
    watchlist: Watchlist
    reference: Reference
    threshold: float

    @classmethod
    def of(cls, model_id: str, model: Model, settings: Settings | None) -> Bench:
        """With the files that the configuration names; without one, the text is judged alone. Raises ConfigError."""
        if settings is None:
            return cls(model_id, model, Watchlist([]), Reference.empty(), model.threshold)
        own = settings.assess.threshold
        watchlist, _ = load_watchlist(settings)
        return cls(model_id, model, watchlist, Reference.load(settings), model.threshold if own is None else own)

    def assess(self, texts: Sequence[Judged]) -> list[Assessment]:
        """One assessment a text, in order. Pure."""
        rows = self.model.features.transform([judged.text for judged in texts])
        opinions = self.model.judge_rows(rows)
        return [self._assess(judged, rows[[i]], opinions[i]) for i, judged in enumerate(texts)]

    def _assess(self, judged: Judged, row: Any, opinion: Opinion) -> Assessment:
        matches = self.watchlist.match(judged.text)
        findings = check(judged.text, judged.link, matches, self.reference)
        named = bool(matches) or not self.watchlist.candidates
        scored = combine(opinion, findings, judged.role, self.threshold, named=named)
        pieces = fragments(self.model, judged.text, row)
        why = reasons(pieces, opinion, scored, findings, matches, judged.role, self.watchlist.candidates)
        return Assessment(
            label=scored.label,
            score=scored.score,
            flagged=scored.flagged,
            stance=opinion.stance,
            claim_type=scored.claim_type,
            lang=judged.lang,
            matches=matches,
            findings=findings,
            reasons=why,
            model=self.model_id,
        )


def assess(store: Store, settings: Settings, now: datetime) -> StageReport:
    """Assess what the live model has not assessed: all new texts, and of older ones those in the window.

    One transaction a batch. Raises ModelError and ConfigError before anything is written.
    """
    bench = Bench.of(*registry.live(store, now), settings)
    since = now - timedelta(days=settings.assess.window_days)
    assessed = flagged = last = 0
    while True:
        with store.read() as connection:
            items = assessments.backlog(connection, bench.model_id, since, BATCH, after=last)
        if not items:
            break
        opinions = bench.assess([Judged(item.text, item.lang, item.link, item.role) for item in items])
        with store.write() as connection:
            assessments.insert_all(connection, zip(items, opinions, strict=True), now)
        assessed += len(items)
        flagged += sum(opinion.flagged for opinion in opinions)
        last = items[-1].id
    return StageReport("assess", {"assessed": assessed, "flagged": flagged, "model": bench.model_id})
