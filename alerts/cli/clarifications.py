"""`clarifications` and `publish`: what one person writes, another approves, and the public reads."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from alerts.cli.queue import reviewer_option
from monitor.cli.base import (
    NUMBER,
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

STATES = ("draft", "approved", "published", "corrected", "withdrawn")

_id = click.argument("clarification_id", metavar="ID", type=NUMBER)


@click.group()
def clarifications() -> None:
    """Tell the public what is so: drafted from an alert, edited by one person, approved by another."""


@clarifications.command("list", epilog=example("pollwatch clarifications list --state draft"))
@click.option("--state", type=click.Choice(STATES), help="Only those; default: all.")
@click.option("--limit", type=NUMBER, metavar="N", help="At most so many; default: all.")
@json_option
@pass_context
def list_clarifications(context: Context, state: str | None, limit: int | None, as_json: bool) -> None:
    """Show clarifications, the newest first."""
    from alerts import clarifications as library
    from monitor.types import ClarificationState

    with context.store() as (store, settings):
        rows = library.listing(store, settings, ClarificationState(state) if state else None, limit)
    if as_json:
        print_lines(rows)
        return
    columns = ("id", ("alert_id", "alert"), "state", "public", "verdict", ("published_at", "published"), "title")
    print_table(rows, columns, empty="no clarification", wide=("published_at",))


@clarifications.command(epilog=example("pollwatch clarifications draft 12"))
@click.argument("alert_id", metavar="ALERT", type=NUMBER)
@reviewer_option
@json_option
@pass_context
def draft(context: Context, alert_id: int, reviewer: str | None, as_json: bool) -> None:
    """Draft a clarification of an alert that is decided to be clarified, in English and Traditional Chinese."""
    from alerts import clarifications as library

    with context.store() as (store, settings):
        row = library.draft(store, settings, reviewer_name(reviewer), now(), alert_id)
    _print(
        row, f"clarification {row['id']} is drafted; go on with `pollwatch clarifications edit {row['id']}`", as_json
    )


@clarifications.command(epilog=example("pollwatch clarifications show 3 > 3.txt"))
@_id
@json_option
@pass_context
def show(context: Context, clarification_id: int, as_json: bool) -> None:
    """Print a clarification as the text to edit, with its revision; --json has versions and history too."""
    from alerts import clarifications as library

    with context.store() as (store, settings):
        found = library.show(store, settings, clarification_id)
    if as_json:
        print_object(found)
        return
    for line in found["text"].splitlines():
        click.echo(safe(line))
    for lang, url in found["urls"].items():
        say(f"{lang}: {url or 'publish.base_url is not set'}")


@clarifications.command(
    epilog=example("pollwatch clarifications edit 3", "pollwatch clarifications edit 3 --file 3.txt --reviewer maya")
)
@_id
@click.option("--file", "file", metavar="FILE", help="Take the text from this file, - for stdin; else $EDITOR opens.")
@reviewer_option
@json_option
@pass_context
def edit(context: Context, clarification_id: int, file: str | None, reviewer: str | None, as_json: bool) -> None:
    """Edit the text. An approval is taken back; of what is public, this begins a correction."""
    from alerts import clarifications as library
    from monitor.errors import PollwatchError

    with context.store() as (store, settings):
        who = reviewer_name(reviewer)
        text = _read(file) if file else _edited(library.show(store, settings, clarification_id)["text"])
        try:
            row = library.edit(store, settings, who, now(), clarification_id, text, file or "the edited text")
        except PollwatchError:
            if file is None:
                say(f"your text is kept: mend it and give it with --file {_kept(text)}")
            raise
    _print(row, f"clarification {row['id']} is {row['state']}, revision {row['revision']}", as_json)


@clarifications.command(epilog=example("pollwatch clarifications approve 3 --revision 2 --reviewer ben"))
@_id
@click.option("--revision", type=NUMBER, metavar="N", help="Refuse if the text is another than this one by now.")
@reviewer_option
@json_option
@pass_context
def approve(context: Context, clarification_id: int, revision: int | None, reviewer: str | None, as_json: bool) -> None:
    """Answer for the text as it stands; nobody can who drafted or edited it."""
    from alerts import clarifications as library

    with context.store() as (store, settings):
        row = library.approve(store, settings, reviewer_name(reviewer), now(), clarification_id, revision)
    _print(row, f"clarification {row['id']} is approved; `pollwatch publish` publishes it", as_json)


@clarifications.command(
    epilog=example('pollwatch clarifications withdraw 3 --en "The notice was corrected." --zh "公告已更正。"')
)
@_id
@click.option("--en", default="", help="Why, for readers, in English; required.")
@click.option("--zh", default="", help="Why, for readers, in Traditional Chinese; required of what is written in it.")
@reviewer_option
@json_option
@pass_context
def withdraw(context: Context, clarification_id: int, en: str, zh: str, reviewer: str | None, as_json: bool) -> None:
    """Propose to take back what is public. Another person approves, then `publish` says so on the page."""
    from alerts import clarifications as library
    from monitor.types import Lang

    with context.store() as (store, settings):
        reasons = {Lang.EN: en, Lang.HANT: zh}
        row = library.withdraw(store, settings, reviewer_name(reviewer), now(), clarification_id, reasons)
    _print(row, f"the withdrawal of clarification {row['id']} is drafted; another person approves it", as_json)


@clarifications.command(epilog=example('pollwatch clarifications discard 3 --reason "drafted twice"'))
@_id
@click.option("--reason", default="", help="Why; required.")
@reviewer_option
@json_option
@pass_context
def discard(context: Context, clarification_id: int, reason: str, reviewer: str | None, as_json: bool) -> None:
    """Drop the text that waits: a draft ends; what is public stays as it is."""
    from alerts import clarifications as library

    with context.store() as (store, settings):
        row = library.discard(store, settings, reviewer_name(reviewer), now(), clarification_id, reason)
    _print(row, f"clarification {row['id']} is {row['state']}", as_json)


@clarifications.command(epilog=example("pollwatch clarifications text 3", "pollwatch clarifications text 3 --lang en"))
@_id
@click.option("--lang", type=click.Choice(["en", "zh-Hant"]), help="Only this language; default: both.")
@json_option
@pass_context
def text(context: Context, clarification_id: int, lang: str | None, as_json: bool) -> None:
    """Print what is public as a short text for a messenger."""
    from alerts import answers
    from monitor.types import Lang

    with context.store() as (store, settings):
        told = answers.message(store, settings, clarification_id, Lang(lang) if lang else None)
    if as_json:
        print_object({"id": clarification_id, "text": told})
        return
    for line in told.splitlines():
        click.echo(safe(line))


@clarifications.command(epilog=example("pollwatch clarifications card 3 --out 3.png"))
@_id
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Write the picture there.")
@json_option
@pass_context
def card(context: Context, clarification_id: int, out: Path, as_json: bool) -> None:
    """Draw what is public as a picture for messengers: a PNG of 1200 by 630 pixels, in both languages."""
    from alerts import answers
    from monitor.errors import InputError

    with context.store() as (store, settings):
        picture = answers.picture(store, settings, clarification_id)
    try:
        out.write_bytes(picture)
    except OSError as error:
        raise InputError(str(out), f"cannot be written: {error.strerror}") from error
    if as_json:
        print_object({"id": clarification_id, "written": str(out), "bytes": len(picture)})
    else:
        click.echo(f"wrote {safe(str(out))}")


@click.command(epilog=example("pollwatch publish", "pollwatch publish 3 --json"))
@click.argument("ids", metavar="[ID]...", type=NUMBER, nargs=-1)
@reviewer_option
@json_option
@pass_context
def publish(context: Context, ids: tuple[int, ...], reviewer: str | None, as_json: bool) -> None:
    """Publish what is approved, or only these: pages, ClaimReview, RSS and Atom.

    The folder changes as a whole. Without anything new, it is only brought up to date; twice writes nothing new.
    """
    from alerts import publish as library

    with context.store() as (store, settings):
        done = library.publish(store, settings, reviewer_name(reviewer), now(), ids)
    if as_json:
        print_object(done.as_json())
    else:
        for row in done.published:
            click.echo(f"clarification {row['id']} is {row['state']}: {', '.join(row['urls'].values())}")
        for path in done.written:
            click.echo(f"wrote {path}")
        if not done.written:
            click.echo("nothing new")
    for problem in done.problems:
        say(f"! {problem}")
    if done.problems:
        raise SystemExit(1)


def _print(row: Mapping[str, Any], sentence: str, as_json: bool) -> None:
    if as_json:
        print_object(row)
    else:
        click.echo(cell(sentence))


def _read(file: str) -> str:
    """Raises InputError."""
    from monitor.errors import InputError

    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}") from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{file}: line {line}", "is not UTF-8; save it as UTF-8") from None


def _edited(text: str) -> str:
    """What the editor leaves. The text itself where nothing was saved: that changes nothing."""
    return click.edit(text, extension=".txt") or text


def _kept(text: str) -> str:
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="clarification-", suffix=".txt", delete=False
    ) as file:
        file.write(text)
    return file.name
