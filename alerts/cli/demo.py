"""`demo`: the whole program on sample feeds, with one command and no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.base import example, json_option, now, print_object, print_table, say
from monitor.language import _, used
from monitor.types import Lang, Said

if TYPE_CHECKING:
    from alerts.sheet import Sheet

_COLUMNS = (
    ("id", Said("id")),
    ("priority", Said("pri")),
    ("score", Said("score")),
    ("claim_type", Said("claim type")),
    ("about", Said("about")),
    ("items", Said("items")),
    ("title", Said("title")),
    ("why", Said("why")),
)


@click.command(epilog=example("pollwatch demo", "pollwatch demo /tmp/look"))
@click.argument(
    "directory", metavar="[DIR]", default="pollwatch-demo", type=click.Path(file_okay=False, path_type=Path)
)
@json_option
def demo(directory: Path, as_json: bool) -> None:
    """Serve bundled sample feeds on loopback and run the real pipeline on them.

    Leaves a folder with configuration, database and digest to explore.
    """
    from alerts import demo as library

    outcome = library.run(_free(directory), now, say)
    if as_json:
        print_object(
            {
                "directory": str(outcome.folder),
                "stages": {name: report.as_json() for name, report in outcome.reports.items()},
                "planted": outcome.planted,
                "detected": outcome.detected,
                "false_alarms": outcome.false_alarms,
                "alerts": list(outcome.alerts),
            }
        )
        return
    rows = [_table_row(row, outcome.sheets[row["id"]]) for row in outcome.alerts]
    headed = [(key, _(heading.form)) for key, heading in _COLUMNS]
    print_table(rows, headed, empty=_("nothing waits for a person"), wide=("about", "items", "claim_type"))
    planted = _(
        "{detected} of {planted} planted falsehoods are in the queue, with {false_alarms} items that are genuine."
    ).format(detected=outcome.detected, planted=outcome.planted, false_alarms=outcome.false_alarms)
    digest = _("The digest is {folder}/digest.eml; a browser shows {folder}/digest.html.").format(folder=outcome.folder)
    served = _("The sample feeds were served for this run only. Next:")
    say(
        f"\n{planted}\n{digest}\n{served}\n"
        f"  cd {outcome.folder}\n"
        "  pollwatch alerts list\n"
        "  pollwatch alerts take && pollwatch alerts list --mine\n"
        "  pollwatch digest"
    )


def _table_row(row: Mapping[str, Any], sheet: Sheet) -> dict[str, Any]:
    """Why it is there: what rules found, else the first things that the model says; the rest is in `alerts show`."""
    from alerts.cli.show import coded
    from monitor.text import shorten

    said = dict.fromkeys([*(finding.sentence for finding in sheet.findings), *_of_the_text(row, sheet)])
    return {
        **row,
        "title": shorten(row["title"], 48),
        "claim_type": coded("claim_type", row["claim_type"]),
        "about": row["matches"] if used() is Lang.EN else sheet.about,  # in English as one types it
        "why": " ".join([*said][:2]),
    }


def _of_the_text(row: Mapping[str, Any], sheet: Sheet) -> Sequence[str]:
    """Without why it is urgent."""
    return sheet.reasons[len(row["priority_reasons"]) :]


def _free(directory: Path) -> Path:
    """``directory``, or with a number behind it when a demo has used it: nothing is ever overwritten."""
    candidate, number = directory, 1
    while candidate.exists() and any(candidate.iterdir()):
        number += 1
        candidate = directory.with_name(f"{directory.name}-{number}")
    return candidate
