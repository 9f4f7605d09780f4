"""`demo`: the whole program on sample feeds, with one command and no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from monitor.cli.base import example, json_option, now, print_object, print_table, say


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
    from monitor.text import shorten

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
    rows = [
        {**row, "title": shorten(row["title"], 48), "why": _why(row), "about": row["matches"]} for row in outcome.alerts
    ]
    columns = ("id", ("priority", "pri"), "score", "claim_type", "about", "items", "title", "why")
    print_table(rows, columns, empty="the queue is empty", wide=("about", "items", "claim_type"))
    folder = outcome.folder
    say(
        f"\n{outcome.detected} of {outcome.planted} planted falsehoods are in the queue, "
        f"with {outcome.false_alarms} items that are genuine.\n"
        f"The digest is {folder}/digest.eml; a browser shows {folder}/digest.html.\n"
        "The sample feeds were served for this run only. Next:\n"
        f"  cd {folder}\n"
        "  pollwatch alerts list\n"
        "  pollwatch alerts take && pollwatch alerts list --mine\n"
        "  pollwatch digest"
    )


def _why(row: Mapping[str, Any]) -> str:
    """What rules found, else the first things that the model says; the rest is in `alerts show`."""
    said = [reason for reason in row["reasons"] if reason not in row["priority_reasons"]]
    return " ".join([*dict.fromkeys([*(finding["text"] for finding in row["findings"]), *said])][:2])


def _free(directory: Path) -> Path:
    """``directory``, or with a number behind it when a demo has used it: nothing is ever overwritten."""
    candidate, number = directory, 1
    while candidate.exists() and any(candidate.iterdir()):
        number += 1
        candidate = directory.with_name(f"{directory.name}-{number}")
    return candidate
