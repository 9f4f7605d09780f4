"""The report of a drill as one page without script or anything remote: in English, and below in Chinese. Pure.

The timeline has a row for every plant: a line from its publication to the flag, the take and the decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from alerts.render import render
from monitor import language
from monitor.language import _, term
from monitor.text import shorten
from monitor.types import Said

Report = Mapping[str, Any]
WIDTH = 1000
_LEFT, _RIGHT, _TOP, _BARS, _ROW = 190, 14, 22, 80, 15  # units: margins, height of the bars, of a row
_STAGES = (("flag_s", "c1"), ("take_s", "c2"), ("decision_s", "c3"))


def page(report: Report, zone: ZoneInfo) -> str:
    """The page of ``drill_report.report``, times in ``zone``."""
    parts = []
    for lang in language.LANGUAGES:
        with language.speaking(lang):
            parts.append({"lang": lang.value, **_part(report, zone)})
    return render("drill.html", {"drill": report["drill"], "parts": parts})


def _part(report: Report, zone: ZoneInfo) -> dict[str, Any]:
    """What the template shows in the language that is spoken."""
    missed = [row for row in report["plants"] if not row["detected"]]
    return {
        "title": _("Drill"),
        "when": f"{_clock(report['from'], zone, day=True)} – {_clock(report['to'], zone, day=True)} ({zone.key})",
        "figures": _figures(report),
        "times": _times(report["times"]),
        "timeline_title": _("Timeline"),
        "timeline": timeline(report, zone),
        "legend": [
            ("c1", _("published to flagged")),
            ("c2", _("to taken")),
            ("c3", _("to decided")),
            ("c4", _("missed; in the bars, false alarms")),
            ("ink", _("refuted")),
        ],
        "missed_title": _("What was missed, and why"),
        "missed": [_missed(row) for row in missed],
        "nothing_missed": _("Nothing was missed."),
        "missed_head": (_("Plant"), _("Claim type"), _("Title"), _("Why")),
        "tables": [
            _table(report["by_claim_type"], "claim_type", _("Claim type")),
            _table(report["by_lang"], "lang", _("Language")),
        ],
    }


def _figures(report: Report) -> list[tuple[str, str]]:
    recall = report["recall"]
    return [
        (_("Flagged of what was planted"), f"{report['detected']} / {report['planted']}"),
        (_("Recall"), "-" if recall is None else f"{100 * recall:.0f} %"),
        (_("False alarms"), str(report["false_alarms"])),
        (_("False alarms an hour"), str(report["false_alarms_per_hour"])),
        (_("Items"), str(report["items"])),
        (_("Refutations flagged"), f"{report['refutations_flagged']} / {report['refutations']}"),
    ]


def _times(times: Report) -> dict[str, Any]:
    names = {"flag": _("published to flagged"), "take": _("published to taken"), "decision": _("published to decided")}
    return {
        "head": (_("Minutes"), "n", _("half within"), _("nine of ten within")),
        "rows": [
            (names[key], found["n"], _minutes(found["p50_s"]), _minutes(found["p90_s"])) for key, found in times.items()
        ],
    }


def _missed(row: Report) -> tuple[str, str, str, str]:
    return row["id"], term("claim_type", row["claim_type"]), row["title"], language.render(Said.read(row["said"]))


def _table(rows: Sequence[Report], key: str, name: str) -> dict[str, Any]:
    return {
        "head": (name, _("planted"), _("flagged"), _("Recall"), _("half within"), _("nine of ten within")),
        "rows": [
            (
                term(key, row[key]) if key == "claim_type" else row[key],
                row["planted"],
                row["detected"],
                f"{100 * row['recall']:.0f} %",
                _minutes(row["p50_s"]),
                _minutes(row["p90_s"]),
            )
            for row in rows
        ],
    }


def timeline(report: Report, zone: ZoneInfo) -> str:
    """SVG: what came in each hour, and below it a row for each plant."""
    start, end = datetime.fromisoformat(report["from"]), datetime.fromisoformat(report["to"])
    plants = sorted(report["plants"], key=lambda row: (row["published_at"], row["id"]))
    bottom = _TOP + _BARS + len(plants) * _ROW + 10

    def x(instant: datetime) -> float:
        share = (instant - start) / max(end - start, timedelta(seconds=1))
        return _LEFT + min(max(share, 0.0), 1.0) * (WIDTH - _LEFT - _RIGHT)

    drawn = [_hour(hour, start, zone, x, bottom) for hour in range(0, int((end - start) / timedelta(hours=1)) + 1, 2)]
    drawn += _bars(report["hours"], x)
    for number, row in enumerate(plants):
        drawn.append(_row(row, _TOP + _BARS + number * _ROW + 12, x))
    title = _("{detected} of {planted} planted falsehoods were flagged").format(**report)
    return (
        f'<svg viewBox="0 0 {WIDTH} {bottom}" role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f"{''.join(drawn)}</svg>"
    )


def _hour(hour: int, start: datetime, zone: ZoneInfo, x: Any, bottom: int) -> str:
    at = start + timedelta(hours=hour)
    return (
        f'<path d="M{x(at):.1f} {_TOP - 4}V{bottom}" style="stroke:var(--grid)"/>'
        f'<text x="{x(at):.1f}" y="{_TOP - 8}" text-anchor="middle">{at.astimezone(zone):%H:%M}</text>'
    )


def _bars(hours: Sequence[Report], x: Any) -> list[str]:
    """Items behind, alerts and false alarms in front, each by its own highest hour."""
    most = max((row["items"] for row in hours), default=0) or 1
    alerts = max((row["alerts"] + row["false_alarms"] for row in hours), default=0) or 1
    foot = _TOP + _BARS - 8
    words = _("items an hour, at most"), _("alerts an hour, at most")
    drawn = [f'<text x="4" y="{foot - 40}">{words[0]} {most}</text>']
    drawn.append(f'<text x="4" y="{foot - 22}">{words[1]} {alerts}</text>')
    for row in hours:
        left = x(datetime.fromisoformat(row["at"]))
        wide = max(x(datetime.fromisoformat(row["at"]) + timedelta(hours=1)) - left - 2, 0.5)
        good, bad = (56 * row[key] / alerts for key in ("alerts", "false_alarms"))
        drawn += [
            _box(left, foot, wide, 56 * row["items"] / most, "grid"),
            _box(left + wide * 0.25, foot, wide * 0.5, good, "c1"),
            _box(left + wide * 0.25, foot - good, wide * 0.5, bad, "c4"),
        ]
    return drawn


def _box(left: float, foot: float, wide: float, high: float, colour: str) -> str:
    if not high:
        return ""
    return (
        f'<rect x="{left:.1f}" y="{foot - high:.1f}" width="{wide:.1f}" height="{high:.1f}" '
        f'style="fill:var(--{colour})"/>'
    )


def _row(row: Report, y: float, x: Any) -> str:
    published = datetime.fromisoformat(row["published_at"])
    name = f"{row['id']} {term('claim_type', row['claim_type'])}"
    before, drawn = published, [f'<text x="4" y="{y + 4}">{escape(shorten(name, 30))}</text>']
    for key, colour in _STAGES:
        if row[key] is not None:
            then = published + timedelta(seconds=row[key])
            wide = max(x(then) - x(before), 2.0)
            drawn.append(
                f'<rect x="{x(before):.1f}" y="{y - 4}" width="{wide:.1f}" height="8" style="fill:var(--{colour})"/>'
            )
            before = then
    if not row["detected"]:
        drawn.append(f'<circle cx="{x(published):.1f}" cy="{y}" r="4.5" style="fill:var(--c4)"/>')
    if row["refuted_at"]:
        at = x(datetime.fromisoformat(row["refuted_at"]))
        drawn.append(f'<path d="M{at:.1f} {y - 6}v12" style="stroke:var(--ink)" stroke-width="2"/>')
    return f"<g><title>{escape(row['title'])}</title>{''.join(drawn)}</g>"


def _clock(instant: str, zone: ZoneInfo, *, day: bool = False) -> str:
    return datetime.fromisoformat(instant).astimezone(zone).strftime("%Y-%m-%d %H:%M" if day else "%H:%M")


def _minutes(seconds: int | None) -> str:
    return "-" if seconds is None else f"{seconds / 60:.1f}"
