"""`evidence`: what was captured of flagged items, whether it still holds, and a folder of it for others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from alerts.cli.queue import reviewer_option
from monitor.cli.base import (
    NUMBER,
    Context,
    example,
    json_option,
    now,
    pass_context,
    print_lines,
    print_object,
    print_table,
    reviewer_name,
    say,
)


@click.group()
def evidence() -> None:
    """What was captured: the entries of flagged items as feeds served them, and the pages they lead to."""


@evidence.command("list", epilog=example("pollwatch evidence list 12", "pollwatch evidence list --json"))
@click.argument("alert_id", metavar="[ALERT]", type=NUMBER, required=False)
@json_option
@pass_context
def list_captures(context: Context, alert_id: int | None, as_json: bool) -> None:
    """List what was captured of ALERT, or of everything; and the pages that could not be.

    A page is `same` where a later visit found its words unchanged, `changed` where it found others, `gone` where the
    server said that it is away; empty until it was looked at again.
    """
    from monitor.store import alerts
    from monitor.store import evidence as table

    with context.store() as (store, _settings), store.read() as connection:
        incident_id = None if alert_id is None else alerts.get(connection, alert_id).incident_id
        item_ids = table.items_of(connection, incident_id)
        rows = [
            {"item_id": id, **capture.as_json(), "error": None} for id, capture in table.of_items(connection, item_ids)
        ]
        for id, page in table.pages_of(connection, item_ids):
            if page.captured_at is None:
                why = {"captured_at": None, "status": None, "changed": None, "sha256": None}
                rows.append({"item_id": id, "kind": "page", "url": page.url, **why, "error": page.error})
    if as_json:
        print_lines(rows)
        return
    columns = ("item_id", "kind", "captured_at", "status", "changed", "sha256", "url")
    print_table(map(_shown, rows), columns, empty="nothing is captured yet: `pollwatch run`", wide=("sha256",))


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for people: the beginning of the hash, and why there is none."""
    url = f"{row['url']} ({row['error']})" if row["error"] else row["url"]
    return {**row, "sha256": row["sha256"] and row["sha256"][:12], "url": url}


@evidence.command(epilog=example("pollwatch evidence verify"))
@json_option
@pass_context
def verify(context: Context, as_json: bool) -> None:
    """Read every record back and compare its SHA-256 with the store; exit 1 and name the first one that is broken.

    Files that the store does not know are named too: they are no fault, as after an older store was restored.
    """
    from monitor.evidence import folder_of
    from monitor.evidence_read import verify as read_back

    with context.store() as (store, settings):
        found = read_back(store, folder_of(settings))
    if as_json:
        print_object(found)
    elif found["broken"]:
        click.echo(found["broken"]["text"])
    else:
        click.echo("{captures} captures in {records} records of {files} files, as they were written".format(**found))
    for name in found["unlisted"]:
        say(f"note: {name} is not in the store")
    if not found["ok"]:
        raise SystemExit(1)


@evidence.command(epilog=example("pollwatch evidence forget 2027-03-01/043000-001.warc.gz --reason 'disk 2 died'"))
@click.argument("file", metavar="FILE")
@click.option("--reason", metavar="TEXT", required=True, help="Why it is lost.")
@reviewer_option
@json_option
@pass_context
def forget(context: Context, file: str, reason: str, reviewer: str | None, as_json: bool) -> None:
    """Settle that FILE is lost, as purge and verify name it: what was captured in it is struck from the store.

    The audit keeps its SHA-256 and why. Pages of which nothing is left are captured again. A file that is there is not
    forgotten.
    """
    from monitor.evidence_purge import write_off

    with context.store() as (store, settings):
        lost = write_off(store, settings, file, reviewer_name(reviewer), reason, now())
    if as_json:
        print_object({"file": file, "captures": lost})
    else:
        click.echo(f"{file} is forgotten, with {lost} captures")


@evidence.command(epilog=example("pollwatch evidence export 12 --out alert-12"))
@click.argument("alert_id", metavar="ALERT", type=NUMBER)
@click.option("--out", "target", metavar="DIR", required=True, type=click.Path(path_type=Path), help="A new folder.")
@json_option
@pass_context
def export(context: Context, alert_id: int, target: Path, as_json: bool) -> None:
    """Write all evidence of ALERT into a folder that needs no program but a browser; exit 1 when some is broken.

    README.txt in it says in English and Chinese what is what, and `sha256sum -c SHA256SUMS` checks every file. While
    the alert waits for a second opinion, its audit lines do not say what the first one was.
    """
    from alerts.evidence_folder import export as write

    with context.store() as (store, settings):
        made = write(store, settings, alert_id, target, now())
    if as_json:
        print_object(made)
    else:
        click.echo(f"wrote {made['captures']} captures of {made['items']} items to {target}")
    for sentence in made["broken"]:
        say(f"! {sentence}")
    if made["broken"]:
        raise SystemExit(1)
