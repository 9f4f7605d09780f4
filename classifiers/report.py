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
from monitor.invisible import safe


@dataclass(frozen=True, slots=True)
class Column:
    """A figure as people read it."""

    key: str
    short: str  # its heading on a terminal
    name: str  # and on the page
    says: str
    wide: bool = False  # on a terminal only where there is room
    interval: bool = False  # shown on a terminal, too


COLUMNS = (
    Column("n", "n", "texts", "How many were judged."),
    Column("positives", "positives", "suspicious", "How many of them are suspicious."),
    Column("ap", "AP", "average precision", "1 when all suspicious texts stand before all others.", interval=True),
    Column(
        "recall_5", "recall 5", "recall at 5\u00a0%", "The share of suspicious texts in the first twentieth.", wide=True
    ),
    Column("recall_10", "recall 10", "recall at 10\u00a0%", "The same in the first tenth.", interval=True),
    Column(
        "wss_95",
        "WSS@95",
        "WSS@95",
        "The share of texts that need not be read to find 95 % of the suspicious ones, less the 5 % that reading in no "
        "order would save.",
        wide=True,
    ),
    Column(
        "in_top_10",
        "top tenth",
        "in top tenth",
        "The share of these texts, suspicious or not, in the first tenth of the whole ranking.",
        wide=True,
    ),
    Column("recall", "recall", "suspicious flagged", "The share of suspicious texts that are flagged."),
    Column("false_flags", "false flags", "genuine flagged", "The share of genuine texts flagged.", interval=True),
    Column("false_flags_news", "on news", "news flagged", "The same of those whose kind is news."),
    Column(
        "false_flags_refutations", "on refutations", "refutations flagged", "The same of those that refute a claim."
    ),
    Column(
        "calibration_error",
        "calibration",
        "calibration error",
        "By how much the score errs when it is read as a probability.",
        wide=True,
    ),
    Column(
        "calibration_error_shifted",
        "shifted",
        "error after shift",
        "The same when the log-odds of all scores are moved to the share of suspicious texts found here.",
        wide=True,
    ),
)
_JUDGES = {"model": "this model", "baseline": "plain TF-IDF", "majority": "majority"}


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
    said = (
        "A score ranks texts; it is no probability. In each language 0.5 is the operating point, from which a text is "
        "flagged if it does not refute."
    )
    if measured["logit_shift"] is None:
        return said
    return (
        f"{said} Here {measured['positives'] / measured['n']:.1%} of the texts are suspicious. Read as a probability "
        f"the score errs by {measured['calibration_error']:.3f} on average; moved by {measured['logit_shift']:+.2f} on "
        f"the log-odds scale, to the share found here, by {measured['calibration_error_shifted']:.3f}."
    )


def page(evaluation: Evaluation, measured: Mapping[str, Any], model_id: str, source: str) -> str:
    """The page for the figures that ``evaluation.figures()`` gave; ``source`` says where the texts come from."""
    whole = measured["model"]
    return Template(template("evaluation.html")).substitute(
        style=template("figures.css"),
        model=_text(model_id),
        source=_text(source),
        texts=whole["n"],
        positives=whole["positives"],
        level=f"{LEVEL:.0%}",
        resamples=RESAMPLES,
        meaning=_text(meaning(whole)),
        charts="\n".join(_charts(evaluation, whole)),
        tables="\n".join(_tables(measured)),
        words="\n".join(f"<dt>{_text(c.name)}</dt><dd>{_text(c.says)}</dd>" for c in COLUMNS),
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
    precise = [Line(_JUDGES[name], n, drawn[name][0]) for n, name in ((1, "model"), (2, "baseline"))]
    chance = Line("majority", 3, [(0, share), (1, share)], dashed=True)
    yield line_chart("Precision by recall", "recall", "precision", [*precise, chance])
    found = [Line(_JUDGES[name], n, drawn[name][1]) for n, name in enumerate(_JUDGES, 1)]
    yield line_chart("Recall by share read", "share of the texts read", "recall", found)
    right = Line("a probability", 3, [(0, 0), (1, 1)], dashed=True)
    bins = [Line("score", 2, [(mean, true) for mean, true, _ in reliability(judged["model"])], marks=True)]
    if whole["logit_shift"] is not None:
        shifted = reliability(judged["model"], whole["logit_shift"])
        bins.append(Line("after shift", 1, [(mean, true) for mean, true, _ in shifted], marks=True))
    yield line_chart("Reliability", "mean score", "share suspicious", [*bins, right])
    genuine, suspicious = histogram(judged["model"])
    bars = [("genuine", 1, genuine), ("suspicious", 2, suspicious)]
    yield bar_chart("Scores of this model", "score", "share of the texts", bars)


def _tables(measured: Mapping[str, Any]) -> Iterator[str]:
    yield _table("The whole", {_JUDGES[name]: figures for name, figures in measured.items()})
    for key, parts in measured["model"].items():
        if key.startswith("by_") and parts:
            yield _table(f"This model by {key[3:].replace('_', ' ')}", parts)
            yield _table(f"Plain TF-IDF by {key[3:].replace('_', ' ')}", measured["baseline"][key])


def _table(title: str, rows: Mapping[str, Mapping[str, Any]]) -> str:
    """One table; a figure that has no meaning in any of its rows has no column."""
    columns = [column for column in COLUMNS if any(figures[column.key] is not None for figures in rows.values())]
    head = "".join(f"<th>{_text(column.name)}</th>" for column in columns)
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
