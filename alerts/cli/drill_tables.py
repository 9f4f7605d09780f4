"""What `drill` and `drill plan` print for people, in the language in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from alerts.cli.show import coded
from monitor.cli.base import print_table
from monitor.language import _, render
from monitor.types import Said

_STAGES = {
    "flag": Said("published to flag: half within {p50}, nine of ten within {p90} minutes (n = {n})"),
    "take": Said("published to take: half within {p50}, nine of ten within {p90} minutes (n = {n})"),
    "decision": Said("published to decision: half within {p50}, nine of ten within {p90} minutes (n = {n})"),
}


def print_report(report: Mapping[str, Any]) -> None:
    """Each plant and what became of it, the recall of each kind, and how long things took; ``report`` as in JSON."""
    rows = [
        {
            **row,
            "claim_type": coded("claim_type", row["claim_type"]),
            "why": render(Said.read(row["said"])) if row["said"] else None,
            **{stage: _minutes(row[f"{stage}_s"]) for stage in _STAGES},
        }
        for row in report["plants"]
    ]
    columns = (
        ("id", _("plant")),
        ("claim_type", _("claim type")),
        ("lang", _("language")),
        ("flag", _("flag")),
        ("take", _("take")),
        ("decision", _("decision")),
        ("score", _("score")),
        ("threshold", _("of")),
        ("why", _("why missed")),
        ("title", _("title")),
    )
    nothing = _("nothing was planted")
    print_table(rows, columns, empty=nothing, wide=("take", "score", "threshold"))
    for key, heading in (("claim_type", _("claim type")), ("lang", _("language"))):
        click.echo()
        kinds = (
            (key, heading),
            ("planted", _("planted")),
            ("detected", _("detected")),
            ("recall", _("recall")),
            ("p50_s", _("p50, s")),
            ("p90_s", _("p90, s")),
        )
        print_table([{**row, key: coded(key, row[key])} for row in report[f"by_{key}"]], kinds, empty=nothing)
    click.echo()
    click.echo(
        _(
            "{detected} of {planted} planted falsehoods were flagged among {items} items, "
            "with {false_alarms} false alarms ({false_alarms_per_hour} an hour)."
        ).format_map(report)
    )
    for stage, said in _STAGES.items():
        found = report["times"][stage]
        click.echo(_(said.form).format(p50=_minutes(found["p50_s"]), p90=_minutes(found["p90_s"]), n=found["n"]))


def print_plan(found: Mapping[str, Any]) -> None:
    """What each number of reviewers would mean for each shift, and the least that is enough; ``found`` as in JSON."""
    said = _("an alert takes {seconds:.0f} s, {percent:.0f} % need a second opinion")
    click.echo(said.format(seconds=found["service_s"], percent=100 * found["second"]))
    rows = [
        {
            "shift": _hours(shift),
            "alerts": shift["alerts"],
            "urgent": shift["urgent"],
            "reviewers": each["reviewers"],
            "in_time": _percent(each["share"]),
            "interval": f"{_percent(each['low'])} … {_percent(each['high'])}",
            "busy": _percent(each["busy"]),
            "enough": _("needed") if each["reviewers"] == shift["need"] else "",
        }
        for shift in found["shifts"]
        for each in shift["options"]
    ]
    columns = (
        ("shift", _("shift")),
        ("alerts", _("alerts")),
        ("urgent", "P1"),
        ("reviewers", _("reviewers")),
        ("in_time", _("in time")),
        ("interval", _("interval")),
        ("busy", _("busy")),
        ("enough", _("enough")),
    )
    print_table(rows, columns, empty=_("nothing to plan"))
    for shift in found["shifts"]:
        click.echo(f"{_hours(shift)}: {_answer(shift, found['share'])}")


def _answer(shift: Mapping[str, Any], share: float) -> str:
    """How many a shift needs, in a few words."""
    if not shift["urgent"]:
        return _("no P1 came")
    most = shift["options"][-1]
    if shift["need"] is None and (most["share"] is None or most["share"] >= share):
        return _("too few P1 to be sure; give more --replications")
    return str(shift["need"] or _("more than {reviewers}").format(reviewers=most["reviewers"]))


def _hours(shift: Mapping[str, Any]) -> str:
    return f"{shift['from_hour']:02}–{shift['to_hour']:02}"


def _minutes(seconds: int | None) -> str:
    return "-" if seconds is None else f"{seconds / 60:.1f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
