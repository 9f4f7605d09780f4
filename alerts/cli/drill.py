"""`drill`: a scripted day through the real pipeline, scored; and how many reviewers it would take."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alerts.cli.drill_tables import print_plan, print_report
from monitor.cli.base import (
    Context,
    example,
    instant,
    json_option,
    now,
    pass_context,
    print_object,
    say,
    since_option,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAYS = 7


class _Drill(click.Path):
    """A file, or the name of a drill that ships with the program."""

    name = "drill"

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The file; one that lies here comes before a drill of its name."""
        from alerts.drill_script import shipped

        drills = shipped()
        if not Path(value).is_file() and value in drills:
            return drills[value]
        if not Path(value).exists():
            self.fail(f"there is no file {value}, and no such drill ships; those are {', '.join(drills)}", param, ctx)
        return super().convert(value, param, ctx)


class _Drills(click.Group):
    """`drill DRILL` is `drill run DRILL`: whatever is no command is what to play."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put in the command that is meant."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Drills)
def drill() -> None:
    """Rehearse a day, and plan a shift. `pollwatch drill harbour` plays that day."""


@drill.command(
    epilog=example(
        "pollwatch drill harbour --out drill.html",
        "pollwatch drill run day.jsonl --reviewers number=4,decide_s=90,error=0.1 --json > report.json",
        "pollwatch drill run day.jsonl --speed 6 --reviewers people --folder rehearsal",
    )
)
@click.argument("file", metavar="DRILL", type=_Drill())
@click.option("--speed", default="max", show_default=True, metavar="N|max", help="How many times as fast as real.")
@click.option(
    "--reviewers",
    metavar="SPEC",
    help="people, none, a number, or number=, take_s=, decide_s=, spread=, error= with commas; default: the script's.",
)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Where to play; it is left there.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as a page.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Of scripted reviewers.")
@json_option
def run(
    file: Path, speed: str, reviewers: str | None, folder: Path | None, out: Path | None, seed: int, as_json: bool
) -> None:
    """Play a scripted or recorded day through the real stages, in a store of its own, and score the response.

    DRILL is the file of a script, or the name of one that ships: harbour, saltmarsh. The same script and seed give the
    same report. At full speed the stages are given the day's own times; at a pace the day begins now, and people can
    take part with `pollwatch -c FOLDER/pollwatch.toml triage`.
    """
    from alerts import drill as library
    from alerts.drill_page import page
    from alerts.drill_script import parse_model, parse_speed, read_script

    script = read_script(file)
    pace = library.Pace(parse_speed(speed), now)
    model = parse_model(script.header.reviewers, reviewers)
    if reviewers == "people" and (folder is None or pace.speed is None):
        raise click.UsageError("people need a --folder to work in and a --speed that they can follow, such as 1")
    if out is not None and not out.parent.is_dir():
        raise click.UsageError(f"there is no folder {out.parent} to write the page in")
    with _place(folder) as place:
        if reviewers == "people":
            say(f"reviewers: pollwatch -c {place / 'pollwatch.toml'} triage, with no POLLWATCH_DATABASE__URL set")
        report = library.run(script, place, pace, model, seed, say)
    if out is not None:
        out.write_text(page(report, script.zone), encoding="utf-8")
        say(f"wrote {out}")
    if as_json:
        print_object(report)
    else:
        print_report(report)


@drill.command(
    epilog=example(
        "pollwatch drill plan --from report.json --reviewers 1-8",
        "pollwatch drill plan --store --since 2027-03-07 --service 120 --json | jq '.shifts[].need'",
    )
)
@click.option(
    "--from",
    "source",
    metavar="FILE",
    type=_Drill(),
    help="The JSON of a drill's report, or a drill, which is played first.",
)
@click.option("--store", "of_store", is_flag=True, help="The alerts of the store instead, by default of seven days.")
@since_option
@click.option("--reviewers", default="1-12", show_default=True, metavar="N-M", help="How many to try.")
@click.option("--minutes", type=click.FloatRange(0.1, 1440), default=5, show_default=True, help="A P1 waits at most.")
@click.option("--share", type=click.FloatRange(0.01, 0.9999), default=0.95, show_default=True, help="Of P1 that must.")
@click.option("--service", type=click.FloatRange(1, 86_400), help="Seconds an alert takes; else as decided.")
@click.option("--second", type=click.FloatRange(0, 1), help="Share that asks for a second opinion; else as decided.")
@click.option("--shift", "shift_h", type=click.IntRange(1, 24), default=8, show_default=True, help="Hours, from 0:00.")
@click.option("--in-turn", is_flag=True, help="Nobody puts a less urgent alert down for a P1.")
@click.option("--replications", type=click.IntRange(2, 10_000), default=100, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True)
@json_option
@pass_context
def plan(  # noqa: PLR0913, PLR0917 - one for each option
    context: Context,
    source: Path | None,
    of_store: bool,
    since: str | None,
    reviewers: str,
    minutes: float,
    share: float,
    service: float | None,
    second: float | None,
    shift_h: int,
    in_turn: bool,
    replications: int,
    seed: int,
    as_json: bool,
) -> None:
    """Say how many reviewers each shift needs so that P1 is taken in time, with the interval of the simulation."""
    from alerts.drill_plan import load_of
    from alerts.drill_plan import plan as simulated

    numbers = _numbers(reviewers)
    if (source is None) == (not of_store):
        raise click.UsageError("say what to plan with: --from FILE, or --store")
    queue, start, end, zone = _of_store(context, since) if source is None else _of_file(source)
    load = load_of(queue, start, end, zone, mean_s=service, second=second)
    found = simulated(
        load,
        numbers,
        minutes=minutes,
        share=share,
        shift_h=shift_h,
        seed=seed,
        replications=replications,
        in_turn=in_turn,
    )
    found = {"minutes": minutes, "share": share, "zone": zone.key, **found}
    if as_json:
        print_object(found)
        return
    print_plan(found)


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """The folder of a drill; without one a passing one."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="pollwatch-drill-") as passing:
        yield Path(passing) / "drill"


def _numbers(text: str) -> Sequence[int]:
    """``3`` or ``1-12``."""
    low, _, high = text.partition("-")
    try:
        first, last = int(low), int(high or low)
    except ValueError:
        first, last = 0, 0
    if not 1 <= first <= last <= 100:
        raise click.BadParameter("write 3, or 1-12; at most 100", param_hint="--reviewers")
    return range(first, last + 1)


def _of_store(context: Context, since: str | None) -> tuple[Any, Any, Any, ZoneInfo]:
    from alerts.drill_report import queued
    from monitor.store import traces

    with context.store() as (store, settings):
        zone, end = settings.calendar.zone, now()
        start = instant(since, zone) if since else end - timedelta(days=DAYS)
        with store.read() as connection:
            rows = traces.of_alerts(connection, start)
    return [queued(row, planted=False) for row in rows], start, end, zone


def _of_file(source: Path) -> tuple[Any, Any, Any, ZoneInfo]:
    """A report, or a script that is played with its scripted reviewers."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from alerts import drill as library
    from alerts.drill_script import read_report, read_script

    report = read_report(source)
    if report is None:
        script = read_script(source)
        with _place(None) as place:
            report = library.run(script, place, library.Pace(None, now), script.header.reviewers, 1, say)
    start, end = (datetime.fromisoformat(report[key]) for key in ("from", "to"))
    return report["queue"], start, end, ZoneInfo(report["zone"])
