"""A model's card for people, in the language in use: sections for a terminal, and one page without script. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from string import Template
from typing import Any, NamedTuple

from classifiers.card import Card
from classifiers.charts import Line, line_chart
from classifiers.report import template
from monitor import language
from monitor.invisible import safe
from monitor.language import _


class Section(NamedTuple):
    """Sentences, and a table: its columns (key, heading) and its rows."""

    heading: str
    lines: Sequence[str] = ()
    columns: Sequence[tuple[str, str]] = ()
    rows: Sequence[Mapping[str, Any]] = ()


def sections(card: Card) -> Iterator[Section]:
    """Everything that a card says but its curve."""
    facts = card.facts
    says = facts["says"]
    yield Section(_("What it is"), [_(form) for form in says["is"]])
    yield Section(_("What it is for"), [_(form) for form in says["intended"]])
    yield Section(_("What it must not be used for"), [_(form) for form in says["forbidden"]])
    yield Section(_("What it learned from"), list(_training(facts)))
    yield _figures(facts["figures"])
    yield _reliability(facts["reliability"])
    yield from _fairness(facts["fairness"])
    for kind, heading in (
        ("missed", _("Falsehoods that it ranks low")),
        ("mistaken", _("Genuine texts that it ranks high")),
    ):
        columns = [("score", _("score")), ("stance", _("stance")), ("text", _("text"))]
        rows = [{**row, "stance": language.term("stance", row["stance"])} for row in facts["failures"][kind]]
        yield Section(heading, (), columns, rows)


def page(card: Card, made_at: str) -> str:
    """The card as one HTML page; ``made_at`` is when the model was registered, as people write it."""
    title = _("Card of the model {model}").format(model=card.facts["model"])
    curve = line_chart(
        _("Reliability"),
        _("mean score"),
        _("share suspicious"),
        [
            Line(_("this model"), 1, [(mean, share) for mean, share, _n in card.facts["reliability"]], marks=True),
            Line(_("a probability"), 3, [(0, 0), (1, 1)], dashed=True),
        ],
    )
    return Template(template("card.html")).substitute(
        lang=language.used(),
        title=_text(title),
        style=template("figures.css"),
        made=_text(_("registered {at}; rows sha256 {rows}").format(at=made_at, rows=card.facts["data_sha256"])),
        sections="\n".join([*map(_section, sections(card)), f'<div class="charts">{curve}</div>']),
    )


def _training(facts: Mapping[str, Any]) -> Iterator[str]:
    training = facts["training"]
    yield _("{n} rows by origin: {parts}").format(n=facts["figures"]["n"], parts=_counted(training["origin"]))
    yield _("by language: {parts}").format(parts=_counted(training["lang"], "lang"))
    yield _("by label: {parts}").format(parts=_counted(training["label"], "label"))
    yield _(
        "The seeds ship with the program and are invented; seeds/README.md says from which documents they are derived. "
        "The others are the team's own: decisions of its reviewers, refutations of official feeds, files of labels."
    )


def _counted(counts: Mapping[str, int], kind: str = "") -> str:
    return ", ".join(f"{language.term(kind, code) if kind else code} {count}" for code, count in counts.items())


def _figures(figures: Mapping[str, Any]) -> Section:
    columns = [
        ("texts", _("texts")),
        ("n", "n"),
        ("positives", _("suspicious")),
        ("ap", _("average precision")),
        ("recall", _("suspicious flagged")),
        ("false_flags", _("genuine flagged")),
        ("calibration_error", _("calibration error")),
    ]
    rows = [{"texts": _("all"), **_shown(figures)}]
    for group in ("origin", "lang", "stance", "claim_type"):
        for code, part in figures.get(f"by_{group}", {}).items():
            name = code if group == "origin" else language.term(group, code)
            rows.append({"texts": name, **_shown(part)})
    line = _("In brackets {level} intervals over {resamples} resamples, where enough texts bear one.")
    told = line.format(level=f"{figures['level']:.0%}", resamples=figures["resamples"])
    return Section(_("How good it is"), [told], columns, rows)


def _shown(figures: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"n": figures["n"], "positives": figures["positives"]}
    for key in ("ap", "recall", "false_flags", "calibration_error"):
        value, interval = figures[key], figures["intervals"].get(key)
        within = f" ({interval[0]:.2f}–{interval[1]:.2f})" if interval else ""
        shown[key] = None if value is None else f"{value:.2f}{within}"
    return shown


def _reliability(bins: Sequence[Sequence[float]]) -> Section:
    columns = [("mean", _("mean score")), ("share", _("share suspicious")), ("n", "n")]
    rows = [{"mean": mean, "share": share, "n": int(n)} for mean, share, n in bins]
    return Section(_("What its scores mean, by tenths of the scale"), (), columns, rows)


def _fairness(found: Mapping[str, Any]) -> Iterator[Section]:
    columns = [
        ("lang", _("language")),
        ("texts", _("texts")),
        ("mean", _("mean difference")),
        ("most", _("largest difference")),
        ("crossed", _("sentences flagged for some alone")),
    ]
    rows = [
        {**row, **{key: f"{row[key]:.4f}" for key in ("mean", "most")}, "lang": language.term("lang", lang)}
        for lang, row in found["swapped"].items()
    ]
    yield Section(_("One sentence about other people: name, script, gender and party swapped"), (), columns, rows)
    columns = [("kind", _("views")), ("lang", _("language")), ("n", "n"), ("flagged", _("flagged"))]
    names = {"opinion": _("opinion"), "satire": _("satire"), "criticism": _("criticism")}
    rows = [
        {"kind": names[kind], "lang": language.term("lang", lang), **cell}
        for kind, langs in found["views"].items()
        for lang, cell in langs.items()
    ]
    yield Section(_("Views taken for falsehoods"), (), columns, rows)


def _section(section: Section) -> str:
    lines = "".join(f"<li>{_text(line)}</li>" for line in section.lines)
    table = ""
    if section.rows:
        head = "".join(f"<th>{_text(heading)}</th>" for _key, heading in section.columns)
        body = "".join(
            f"<tr>{''.join(f'<td class={key}>{_cell(row.get(key))}</td>' for key, _heading in section.columns)}</tr>"
            for row in section.rows
        )
        named = f'role="group" aria-label="{_text(section.heading)}" tabindex="0"'  # scrolls without a mouse too
        table = f'<div class="wide" {named}><table><tr>{head}</tr>{body}</table></div>'
    return f"<h2>{_text(section.heading)}</h2>" + (f"<ul>{lines}</ul>" if lines else "") + table


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else _text(str(value))


def _text(words: str) -> str:
    return escape(safe(words))
