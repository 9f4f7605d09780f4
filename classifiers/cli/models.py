"""The group `models`: train, list, show, promote and roll back; `evaluate` and `explain` stand beside `classify`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classifiers.cli.pages import write_page
from monitor.cli.base import (
    Context,
    cell,
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
from monitor.invisible import safe

if TYPE_CHECKING:
    from datetime import datetime

    from classifiers.card import Card
    from monitor.store import Store


@click.group()
def models() -> None:
    """Train, compare, explain and promote models, and go back to an earlier one."""


@models.command(epilog=example("pollwatch models train --labels reviewed.jsonl"))
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines with `text, label`; optional `lang, stance, claim_type`.",
)
@json_option
@pass_context
def train(context: Context, labels: Path | None, as_json: bool) -> None:
    """Train on the seeds, decisions, official refutations and LABELS; register the model without promoting it."""
    from classifiers import train
    from classifiers.examples import read_file

    extra = read_file(labels) if labels else []
    with context.store() as (store, settings):
        model_id = train.train(store, settings, now(), extra)
        row = _print_one(store, model_id, as_json=as_json)
    if not row["live"]:
        say(f"registered; make it live with `pollwatch models promote {model_id}`")


@models.command("list", epilog=example("pollwatch models list --json"))
@json_option
@pass_context
def list_models(context: Context, as_json: bool) -> None:
    """Every registered model, the newest first."""
    from classifiers import registry
    from monitor.store import models

    with context.store() as (store, _), store.read() as connection:
        rows = [registry.describe(row) for row in models.listing(connection)]
    _print_models(rows, as_json=as_json)


@models.command(
    epilog=example(
        "pollwatch models show",
        "pollwatch models show reviewed-1a2b3c4d --data",
        "pollwatch models show --card --out card.html",
    )
)
@click.argument("id", required=False)
@click.option("--data", is_flag=True, help="List the rows that made it instead, names hidden.")
@click.option("--card", is_flag=True, help="Show its card instead: what it is for, for whom it works, where it fails.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the card as a page to this file.")
@json_option
@pass_context
def show(context: Context, id: str | None, data: bool, card: bool, out: Path | None, as_json: bool) -> None:
    """Show one model, or the live one: what it learned from, how good it is, and why it is live or not.

    A card was made when the model was registered, and is kept beside it with its hash.
    """
    from classifiers import registry
    from monitor.errors import NotFoundError
    from monitor.store import models

    with context.store() as (store, _), store.read() as connection:
        row = models.get(connection, id) if id else models.live(connection)
        if row is None:
            raise NotFoundError("live model", "yet", "`pollwatch run --once` makes one")
        lessons = registry.lessons_of(connection, row["id"]) if data else []
        told = registry.card_of(connection, row["id"]) if card or out else None
    if told is not None:
        _show_card(told, row["created_at"], out, as_json=as_json)
    elif data and as_json:
        print_lines(lessons)
    elif data:
        columns = ("origin", "item_id", "weight", "label", "stance", "claim_type", "lang", "text")
        print_table(lessons, columns, empty="no rows", wide=("claim_type",))
    elif as_json:
        print_object(registry.describe(row))
    else:
        _show_model(registry.describe(row))


@models.command(epilog=example("pollwatch models promote reviewed-1a2b3c4d"))
@click.argument("id")
@json_option
@pass_context
def promote(context: Context, id: str, as_json: bool) -> None:
    """Make a registered model the live one; the next pass assesses recent items again with it."""
    from classifiers import registry

    with context.store() as (store, _):
        registry.promote_by_hand(store, id, now(), reviewer_name(None))
        _print_one(store, id, as_json=as_json)


@models.command(epilog=example("pollwatch models rollback"))
@json_option
@pass_context
def rollback(context: Context, as_json: bool) -> None:
    """Make the model live that was so before the live one."""
    from classifiers import registry

    with context.store() as (store, _):
        id = registry.roll_back(store, now(), reviewer_name(None))
        _print_one(store, id, as_json=as_json)


def _print_one(store: Store, id: str, *, as_json: bool) -> dict[str, Any]:
    """Print one model as `models list` shows it; returns what was shown."""
    from classifiers import registry
    from monitor.store import models

    with store.read() as connection:
        row = registry.describe(models.get(connection, id))
    if as_json:
        print_object(row)
    else:
        _print_models([row], as_json=False)
    return row


def _print_models(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_lines(rows)
        return
    shown = [
        {
            **row,
            **{key: row["metrics"].get(key) for key in ("ap", "recall", "false_flags")},
            "why": next(iter(row["reasons"]), ""),
        }
        for row in rows
    ]
    columns = ("id", "created_at", "live", "ap", "recall", "false_flags", "why")
    print_table(shown, columns, empty="no models yet: `pollwatch models train` makes one", wide=("why",))


def _show_card(card: Card, made_at: datetime, out: Path | None, *, as_json: bool) -> None:
    from classifiers import card_page

    if out is not None:
        write_page(out, card_page.page(card, cell(made_at)))
    if as_json:
        print_object(card.facts)
    elif out is None:
        for heading, lines, columns, rows in card_page.sections(card):
            click.echo(f"\n{heading}")
            for line in lines:
                click.echo(f"- {safe(line)}")
            if rows:
                print_table(rows, columns, empty="")


def _show_model(row: Mapping[str, Any]) -> None:
    from classifiers.report import table_rows

    live = f"live since {cell(row['promoted_at'])}" if row["live"] else "not live"
    click.echo(f"{row['id']}  {live}, trained {cell(row['created_at'])}, after {row['follows'] or 'no other'}")
    learned = row["learned"] or {}
    click.echo(
        "learned from " + (", ".join(f"{name} {count}" for name, count in learned.items()) or "rows not counted")
    )
    click.echo(f"rows sha256 {row['data_sha256']}")
    click.echo(f"model sha256 {row['sha256']}")
    click.echo("versions " + ", ".join(f"{name} {number}" for name, number in row["versions"].items()))
    for sentence in row["reasons"]:
        click.echo(f"- {safe(sentence)}")
    print_table(
        table_rows({"training": row["metrics"]}),
        ("texts", "n", "positives", "ap", "recall_10", "recall", "false_flags", "brier"),
        empty="nothing was measured",
    )
    click.echo(f"threshold {row['metrics'].get('threshold')}")
