"""`run`, `web`, `status` and `config check`: the daemon, and whether all is well."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

import click

from monitor.cli.base import Context, cell, example, json_option, now, pass_context, print_object, say, spoken
from monitor.language import _, ngettext


@click.command(epilog=example("pollwatch run --once", "pollwatch run"))
@click.option("--once", is_flag=True, help="Run the whole pipeline one time and stop.")
@json_option
@pass_context
def run(context: Context, once: bool, as_json: bool) -> None:
    """Run the daemon, every stage at its time, until SIGTERM."""
    from alerts.process import observed, teller

    with context.store() as (store, settings), observed(settings):
        from alerts import pipeline

        pipeline.check_files(settings)
        if not once:
            from alerts import daemon

            if daemon.serve(store, settings, teller(settings, say)) == signal.SIGINT:
                raise KeyboardInterrupt
            return
        reports = pipeline.run_once(store, settings, now, progress=say)
        if as_json:
            print_object({stage: report.as_json() for stage, report in reports.items()})
            return
        for stage, report in reports.items():
            click.echo(f"{stage:9} {', '.join(f'{key} {value}' for key, value in report.counts.items())}")
            for problem in report.problems:
                say(f"  {problem}")


@click.command(epilog=example("pollwatch web", "curl -f http://127.0.0.1:8080/healthz"))
@json_option
@pass_context
def web(context: Context, as_json: bool) -> None:
    """Serve the dashboard until SIGTERM; `run` does so as well when the configuration has a section [web].

    Besides its pages: /healthz and /metrics for monitors, the feed of clarifications, and the address at which hubs
    announce news of feeds.
    """
    from alerts.process import observed

    with context.store() as (store, settings), observed(settings):
        from alerts.web import serve

        def ready(address: str) -> None:
            if as_json:
                print_object({"address": address})
            else:
                click.echo(f"pollwatch web on {address}")

        if serve(store, settings, ready) == signal.SIGINT:
            raise KeyboardInterrupt


@click.command(epilog=example("pollwatch status", "pollwatch status --json | jq .problems"))
@json_option
@pass_context
def status(context: Context, as_json: bool) -> None:
    """Say how feeds, queue, clocks, model and daemon are; exit 1 when something needs a person."""
    from alerts import status as health

    with context.store() as (store, settings):
        found = (health.status if as_json else health.look)(store, settings, now())
    if as_json:
        print_object(found)
    else:
        feeds, queue, model = found["feeds"], found["queue"], found["model"]
        told = _("feeds  {ok} ok, {unwell} unwell, {failing} failing, {new} new, {disabled} disabled")
        click.echo(told.format(**feeds))
        if any(found["push"].values()):
            push = _("push   {live} live, {waiting} waiting for their hub, {ending} ending")
            click.echo(push.format(**found["push"]))
        waiting = _(
            "queue  {open} open, {leased} held, {second_review} for another opinion, {overdue} past due; "
            "{snoozed} snoozed"
        )
        click.echo(waiting.format(**queue))
        if any(queue["suppressed"].values()) or found["silences"]["active"]:
            active = found["silences"]["active"]
            hidden = ngettext(
                "hidden {silence} silenced, {inhibited} inhibited, by {count} silence and by clarifications",
                "hidden {silence} silenced, {inhibited} inhibited, by {count} silences and by clarifications",
                active,
            )
            click.echo(hidden.format(count=active, **queue["suppressed"]))
        click.echo(_("model  {id}").format(id=model.get("id", "-")))
        click.echo(_("daemon running") if found["daemon"]["running"] else _("daemon not running"))
        if found["workers"]:
            workers, since = found["workers"], found["workers"]["oldest_at"]
            click.echo(_("workers {live} live, {running} jobs running, {waiting} waiting").format(**workers))
            if since:
                click.echo(_("the oldest job waits since {when}").format(when=cell(since)))
        stages = dict(found["clocks"])
        click.echo(_pace(stages.pop("legs")))
        for stage, clock in stages.items():
            ended = _("{stage} failed at {at}") if clock["error"] else _("{stage} last finished {at}")
            click.echo(ended.format(stage=f"{stage:9}", at=cell(clock["finished_at"])))
        for note in found["notes"]:
            say(_("note: {note}").format(note=spoken(note)))
        for problem in found["problems"]:
            say(f"! {spoken(problem)}")
        if found["ok"]:
            click.echo(_("ok"))
    if not found["ok"]:
        raise SystemExit(1)


def _pace(legs: Mapping[str, Any]) -> str:
    """How soon the alerts of the last day were taken and decided."""
    forms = {
        "take": _("took alerts within {p50:.0f} min (p50), {p90:.0f} min (p90)"),
        "people": _("decided within {p50:.0f} min (p50), {p90:.0f} min (p90)"),
    }
    parts = [form.format(**legs[leg]) for leg, form in forms.items() if legs[leg]["n"]]
    return _("people {told}").format(told=_(", ").join(parts) or _("took no alert of the last day"))


@click.group()
def config() -> None:
    """Look after the configuration."""


@config.command("check", epilog=example("pollwatch -c pollwatch.toml config check"))
@json_option
@pass_context
def config_check(context: Context, as_json: bool) -> None:
    """Validate the configuration and every file it names; exit 1 when something is wrong."""
    from alerts.status import check_configuration, unset

    problems = check_configuration(context.config_file)
    notes = [] if problems else unset(context.settings())
    if as_json:
        print_object({"ok": not problems, "problems": problems, "notes": [note.text for note in notes]})
    else:
        for problem in problems:
            click.echo(problem)
        for note in notes:
            say(_("note: {note}").format(note=spoken(note)))
        if not problems:
            click.echo("ok")
    if problems:
        raise SystemExit(1)
