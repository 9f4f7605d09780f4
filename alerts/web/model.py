"""`/model`: what the live model's scores have been worth lately, and whether they drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from alerts.coverage import Drift, Drifting, read_coverage
from alerts.web.look import Look
from alerts.web.parts import (
    Cell,
    Chart,
    Column,
    Figures,
    Link,
    Page,
    Part,
    Section,
    Table,
    Tone,
    Words,
    instant,
    number,
    share,
)
from classifiers import card_page, registry
from classifiers.charts import Line, line_svg, share_axis
from monitor.errors import NotFoundError
from monitor.language import _, term
from monitor.store import board, models
from monitor.store.board import Ruling
from monitor.types import Decision

RULINGS = 1000  # decisions behind the reliability curve
ENOUGH = 5  # of them in a tenth of the scale, before it has a point
_Z = 1.959964  # of a standard normal value, 95 % lie within


def model(look: Look) -> Page:
    """The page."""
    with look.store.read() as connection:
        live = registry.describe_live(connection)
        rulings = board.rulings(connection, RULINGS)
    if live is None:
        none = Words(Cell(_("There is no model yet: the first pass of `pollwatch run` trains one.")))
        return Page(_("Model"), "", [Section("", [none])])
    drift = read_coverage(look.store, look.settings, look.now).drift
    return Page(
        title=_("Model"),
        lead=_("It ranks what looks like known kinds of falsehood; it does not know what is true."),
        sections=[
            Section(_("Precision"), [_precision(drift), Words(Cell(_precision_meaning()))]),
            Section(_("Reliability"), _reliability(rulings)),
            Section(_("Drift"), [_drift(drift)]),
            Section(_("The live model"), [_live(look, live)]),
            Section(_("In training"), [_measured(live["metrics"])]),
        ],
        onward=[Link(_("Model card"), look.to("/model/card"))] if live["card_sha256"] else [],
    )


def card(look: Look) -> str:
    """The card of the live model, as it was made when that was registered. Raises NotFoundError when there is none."""
    with look.store.read() as connection:
        live = models.live(connection)
        if live is None or live["card_sha256"] is None:
            raise NotFoundError("model card", "live", "`pollwatch models train` makes one")
        return card_page.page(registry.card_of(connection, live["id"]), instant(live["created_at"], look.zone).text)


def reliability(rulings: Sequence[Ruling]) -> list[tuple[float, float]]:
    """For each tenth of the scale with ENOUGH decisions their mean score, and the share not dismissed. Pure."""
    tenths: dict[int, list[Ruling]] = {}
    for ruling in rulings:
        tenths.setdefault(min(int(ruling.score * 10), 9), []).append(ruling)
    return [
        (
            sum(each.score for each in found) / len(found),
            sum(each.decision != Decision.DISMISS for each in found) / len(found),
        )
        for _tenth, found in sorted(tenths.items())
        if len(found) >= ENOUGH
    ]


def interval(hits: int, of: int) -> tuple[float, float]:
    """The ends of a share's interval of 95 %. ``of`` is not zero.

    Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American Statistical
    Association 22 (1927).
    """
    rate, square = hits / of, _Z**2 / of
    centre, half = rate + square / 2, _Z * sqrt(rate * (1 - rate) / of + square / (4 * of))
    return max(0.0, (centre - half) / (1 + square)), min(1.0, (centre + half) / (1 + square))


def _precision(drift: Drift) -> Figures:
    right = drift.decided - drift.dismissed
    rows = [(_("Decisions, the last 200 at most"), number(drift.decided)), (_("Not dismissed"), number(right))]
    if drift.decided:
        low, high = interval(right, drift.decided)
        between = _("95 % interval {low} to {high}").format(low=share(low), high=share(high))
        rows.append((_("Precision"), Cell(share(right / drift.decided), note=between)))
    return Figures(rows)


def _precision_meaning() -> str:
    return _(
        "The share of flagged claims that a person did not dismiss. Claims drawn as samples and duplicates are not "
        "counted."
    )


def _reliability(rulings: Sequence[Ruling]) -> list[Part]:
    points = reliability(rulings)
    meaning = Words(
        Cell(
            _(
                "How often claims of a score were not dismissed, by the last {count} decisions. The line need not "
                "follow the diagonal, for a score is no probability; it must rise."
            ).format(count=f"{len(rulings):,}")
        )
    )
    if not points:
        few = _("Too few decisions yet: a point needs {count} of nearly the same score.").format(count=ENOUGH)
        return [Words(Cell(few, tone=Tone.SOFT))]
    title = _("Share not dismissed by score")
    said = "; ".join(f"{score:.2f}: {share(true)}" for score, true in points)
    lines = [
        Line(_("decisions"), 1, points, marks=True),
        Line(_("a probability"), 3, [(0, 0), (1, 1)], dashed=True),
    ]
    drawn = line_svg(title, said, share_axis(_("score")), share_axis(_("share not dismissed")), lines)
    return [Chart(title, drawn), meaning]


def _drift(drift: Drift) -> Figures:
    word, tone = {
        Drifting.UNKNOWN: (_("not enough items yet"), Tone.SOFT),
        Drifting.STEADY: (_("steady"), Tone.GOOD),
        Drifting.MOVED: (_("drifting"), Tone.WARN),
        Drifting.DRIFTED: (_("drifted"), Tone.BAD),
    }[drift.word]
    index = "–" if drift.index is None else f"{drift.index:.3f}"
    return Figures(
        [
            (_("Scores against a week ago"), Cell(word, tone=tone)),
            (_("Population stability index"), Cell(index)),
            (_("Flagged now"), Cell(_per_cent(drift.flagged))),
            (_("Flagged a week ago"), Cell(_per_cent(drift.flagged_before))),
            (_("Items compared"), number(drift.items)),
        ]
    )


def _per_cent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}\u00a0%"


def _live(look: Look, live: Mapping[str, Any]) -> Figures:
    learned = live["learned"] or {}
    rows = [
        (_("Model"), Cell(live["id"], tone=Tone.CODE)),
        (_("Trained"), instant(live["created_at"], look.zone)),
        (_("Live since"), instant(live["promoted_at"] or live["created_at"], look.zone)),
        (_("Seed examples"), number(learned.get("seeds", 0))),
        (_("Decisions that it learned from"), number(learned.get("reviewed", 0))),
        (_("SHA-256"), Cell(live["sha256"], tone=Tone.CODE)),
    ]
    return Figures(rows)


def _measured(metrics: Mapping[str, Any]) -> Table:
    columns = [
        Column(_("Texts"), head=True),
        Column(_("How many"), number=True),
        Column(_("Suspicious"), number=True),
        Column(_("Average precision"), number=True),
        Column(_("Suspicious flagged"), number=True),
        Column(_("Genuine flagged"), number=True),
        Column(_("Calibration error"), number=True),
    ]
    parts = [(_("All"), metrics), *((term("lang", lang), part) for lang, part in metrics.get("by_lang", {}).items())]
    rows = [
        [
            Cell(name),
            number(part["n"]),
            number(part["positives"]),
            *(Cell("–" if part.get(key) is None else f"{part[key]:.2f}") for key in _SHOWN),
        ]
        for name, part in parts
    ]
    return Table(_("Figures of the model's own training, by language, on texts held back"), columns, rows, "")


_SHOWN = ("ap", "recall", "false_flags", "calibration_error")
