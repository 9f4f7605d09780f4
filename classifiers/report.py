"""An evaluation for people: a table, what its scores mean, and one HTML page that needs nothing from anywhere. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from classifiers.charts import Line, bar_chart, line_chart
from classifiers.evaluate import Evaluation
from classifiers.figures import LEVEL, RESAMPLES, curves, histogram, reliability
from monitor import language
from monitor.invisible import safe
from monitor.language import _, render
from monitor.types import Lang, Said


@dataclass(frozen=True, slots=True)
class Column:
    """A figure as people read it."""

    key: str
    short: str  # its heading on a terminal
    name: Said  # and on the page
    says: Said
    wide: bool = False  # on a terminal only where there is room
    interval: bool = False  # shown on a terminal, too


COLUMNS = (
    Column("n", "n", Said("texts"), Said("How many were judged.")),
    Column("positives", "positives", Said("suspicious"), Said("How many of them are suspicious.")),
    Column(
        "ap",
        "AP",
        Said("average precision"),
        Said("1 when all suspicious texts stand before all others."),
        interval=True,
    ),
    Column(
        "recall_5",
        "recall 5",
        Said("recall at 5\u00a0%"),
        Said("The share of suspicious texts in the first twentieth."),
        wide=True,
    ),
    Column("recall_10", "recall 10", Said("recall at 10\u00a0%"), Said("The same in the first tenth."), interval=True),
    Column(
        "wss_95",
        "WSS@95",
        Said("WSS@95"),
        Said(
            "The share of texts that need not be read to find 95 % of the suspicious ones, less the 5 % that reading "
            "in no order would save."
        ),
        wide=True,
    ),
    Column(
        "in_top_10",
        "top tenth",
        Said("in top tenth"),
        Said("The share of these texts, suspicious or not, in the first tenth of the whole ranking."),
        wide=True,
    ),
    Column("recall", "recall", Said("suspicious flagged"), Said("The share of suspicious texts that are flagged.")),
    Column(
        "false_flags",
        "false flags",
        Said("genuine flagged"),
        Said("The share of genuine texts flagged."),
        interval=True,
    ),
    Column("false_flags_news", "on news", Said("news flagged"), Said("The same of those whose kind is news.")),
    Column(
        "false_flags_refutations",
        "on refutations",
        Said("refutations flagged"),
        Said("The same of those that refute a claim."),
    ),
    Column(
        "calibration_error",
        "calibration",
        Said("calibration error"),
        Said("By how much the score errs when it is read as a probability."),
        wide=True,
    ),
    Column(
        "calibration_error_shifted",
        "shifted",
        Said("error after shift"),
        Said("The same when the log-odds of all scores are moved to the share of suspicious texts found here."),
        wide=True,
    ),
)
_JUDGES = {"model": Said("this model"), "baseline": Said("plain TF-IDF"), "majority": Said("majority")}


_GROUPS = {
    "by_lang": Said("language"),
    "by_kind": Said("kind"),
    "by_stance": Said("stance"),
    "by_claim_type": Said("claim type"),
}


def table_rows(measured: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows with ``judge``, ``texts`` and the keys of COLUMNS: for each judge the whole, then its groups."""
    for judge, whole in measured.items():
        yield {"judge": judge, "texts": "all", **_shown(whole)}
        for group, parts in whole.items():
            if group.startswith("by_"):
                for word, part in parts.items():
                    yield {"judge": judge, "texts": f"{group[3:]} {word}", **_shown(part)}


def meaning(measured: Mapping[str, Any]) -> str:
    """What the scores of these figures mean, and what they do not, in sentences for people."""
    said = _(
        "A score ranks texts; it is no probability. In each language 0.5 is the operating point, from which a text is "
        "flagged if it does not refute."
    )
    if measured["logit_shift"] is None:
        return said
    shift = _(
        "Here {share:.1%} of the texts are suspicious. Read as a probability the score errs by {error:.3f} on average; "
        "moved by {shift:+.2f} on the log-odds scale, to the share found here, by {shifted:.3f}."
    ).format(
        share=measured["positives"] / measured["n"],
        error=measured["calibration_error"],
        shift=measured["logit_shift"],
        shifted=measured["calibration_error_shifted"],
    )
    return f"{said} {shift}"


def page(evaluation: Evaluation, measured: Mapping[str, Any], model_id: str, source: str) -> str:
    """The page for the figures that ``evaluation.figures()`` gave; ``source`` says where the texts come from."""
    whole = measured["model"]
    return Template(template("evaluation.html")).substitute(
        style=template("figures.css"),
        lang=language.used(),
        title=_text(_("How good is {model}?").format(model=model_id)),
        about=_text(
            _(
                "{texts} texts of {source}, {positives} of them suspicious. Small figures are {level} intervals over "
                "{resamples} resamples."
            ).format(
                texts=whole["n"],
                source=source,
                positives=whole["positives"],
                level=f"{LEVEL:.0%}",
                resamples=RESAMPLES,
            )
        ),
        figures=_text(_("What the figures mean")),
        meaning=_text(meaning(whole)),
        charts="\n".join(_charts(evaluation, whole)),
        tables="\n".join(_tables(measured)),
        words="\n".join(f"<dt>{_text(render(c.name))}</dt><dd>{_text(render(c.says))}</dd>" for c in COLUMNS),
    )


def _shown(figures: Mapping[str, Any]) -> dict[str, Any]:
    shown = {column.key: figures.get(column.key) for column in COLUMNS}  # a stored model has what was measured then
    for key in (column.key for column in COLUMNS if column.interval):
        if key in figures.get("intervals", {}):
            low, high = figures["intervals"][key]
            shown[key] = f"{shown[key]:.2f} ({low:.2f}-{high:.2f})"
    return shown


def template(name: str) -> str:
    """One file of the templates."""
    return files("classifiers").joinpath("templates", name).read_text(encoding="utf-8")


def _charts(evaluation: Evaluation, whole: Mapping[str, Any]) -> Iterator[str]:
    judged = {name: evaluation.judged(name) for name in _JUDGES}
    drawn = {name: curves(one) for name, one in judged.items()}
    share = whole["positives"] / whole["n"]
    precise = [Line(render(_JUDGES[name]), n, drawn[name][0]) for n, name in ((1, "model"), (2, "baseline"))]
    chance = Line(render(_JUDGES["majority"]), 3, [(0, share), (1, share)], dashed=True)
    yield line_chart(_("Precision by recall"), _("recall"), _("precision"), [*precise, chance])
    found = [Line(render(_JUDGES[name]), n, drawn[name][1]) for n, name in enumerate(_JUDGES, 1)]
    yield line_chart(_("Recall by share read"), _("share of the texts read"), _("recall"), found)
    right = Line(_("a probability"), 3, [(0, 0), (1, 1)], dashed=True)
    bins = [Line(_("score"), 2, [(mean, true) for mean, true, _n in reliability(judged["model"])], marks=True)]
    if whole["logit_shift"] is not None:
        shifted = reliability(judged["model"], whole["logit_shift"])
        bins.append(Line(_("after shift"), 1, [(mean, true) for mean, true, _n in shifted], marks=True))
    yield line_chart(_("Reliability"), _("mean score"), _("share suspicious"), [*bins, right])
    genuine, suspicious = histogram(judged["model"])
    bars = [(_("genuine"), 1, genuine), (_("suspicious"), 2, suspicious)]
    yield bar_chart(_("Scores of this model"), _("score"), _("share of the texts"), bars)


def _tables(measured: Mapping[str, Any]) -> Iterator[str]:
    yield _table(_("The whole"), {render(_JUDGES[name]): figures for name, figures in measured.items()})
    for key, parts in measured["model"].items():
        if key.startswith("by_") and parts:
            by, plain = render(_GROUPS[key]), measured["baseline"][key]
            yield _table(_("This model by {group}").format(group=by), _named(key, parts))
            yield _table(_("Plain TF-IDF by {group}").format(group=by), _named(key, plain))


def _named(key: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The parts by the names of their codes; in English by the codes, which are what people type."""
    if language.used() is Lang.EN:
        return dict(parts)
    return {language.term(key.removeprefix("by_"), word): part for word, part in parts.items()}


def _table(title: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """One table; a figure that has no meaning in any of its rows has no column."""
    columns = [column for column in COLUMNS if any(figures[column.key] is not None for figures in rows.values())]
    head = "".join(f"<th>{_text(render(column.name))}</th>" for column in columns)
    body = "".join(
        f"<tr><td>{_text(name)}</td>{''.join(_cell(figures, column.key) for column in columns)}</tr>"
        for name, figures in rows.items()
    )
    shown = f"<table><tr><td></td>{head}</tr>{body}</table>"  # wider than a telephone: it scrolls, by keys as well
    return (
        f'<h2>{_text(title)}</h2><div class="wide" role="group" aria-label="{_text(title)}" tabindex="0">{shown}</div>'
    )


def _cell(figures: Mapping[str, Any], key: str) -> str:
    value = figures[key]
    if value is None:
        return "<td>-</td>"
    if isinstance(value, int):
        return f"<td>{value}</td>"
    interval = figures["intervals"].get(key)
    small = f"<small>{interval[0]:.2f}–{interval[1]:.2f}</small>" if interval else ""
    return f"<td>{value:.3f}{small}</td>"


def _text(words: str) -> str:
    return escape(safe(words))
