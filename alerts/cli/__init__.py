"""The one command, `pollwatch`: its root, and how errors become one sentence and an exit code.

The commands of each floor stand in that floor's `cli`; here they are only put together.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import click

from alerts.cli import review
from alerts.cli.audit import audit
from alerts.cli.clarifications import clarifications, publish
from alerts.cli.clocks import clocks
from alerts.cli.daemon import config, run, status, web
from alerts.cli.demo import demo
from alerts.cli.deploy import deploy
from alerts.cli.digest import digest
from alerts.cli.drill import drill
from alerts.cli.evidence import evidence
from alerts.cli.incidents import incidents
from alerts.cli.notify import notify
from alerts.cli.parity import parity
from alerts.cli.queue import alerts
from alerts.cli.routes import routes
from alerts.cli.silences import silences
from alerts.cli.triage import triage
from alerts.cli.worker import upgrade, worker
from classifiers.cli import claims, classify, watchlist
from classifiers.cli.models import models
from monitor import __version__
from monitor import language as languages
from monitor.cli.base import Context, say, spoken
from monitor.cli.db import db
from monitor.cli.feeds import collect, feeds
from monitor.cli.items import items
from monitor.cli.setup import init
from monitor.errors import PollwatchError, RefusedError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="pollwatch")
@click.option(
    "-c",
    "--config",
    "config_file",
    metavar="FILE",
    help="Configuration; else $POLLWATCH_CONFIG, else ./pollwatch.toml.",
)
@click.option(
    "--language",
    type=click.Choice([lang.value for lang in languages.LANGUAGES]),
    help="What people read; else $POLLWATCH_LANGUAGE, triage.language, the locale. JSON is the same in every language.",
)
@click.pass_context
def cli(context: click.Context, config_file: str | None, language: str | None) -> None:
    """Watch public feeds around an election and queue what looks false for people to refute or clarify.

    A score is a reason to look, never a finding.
    """
    languages.use(language or languages.wanted(os.environ))
    context.obj = Context(config_file, language)


_SETUP = (init, demo, config, feeds, watchlist, routes, deploy)
_WORK = (
    collect,
    items,
    classify,
    claims,
    run,
    worker,
    triage,
    alerts,
    incidents,
    silences,
    clarifications,
    publish,
    notify,
    digest,
)
_OVERSIGHT = (clocks, parity, drill, models, audit, evidence, db, status, web)
for command in (*_SETUP, *_WORK, *_OVERSIGHT):
    cli.add_command(command)
db.add_command(upgrade)
for command in review.COMMANDS:
    alerts.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the script. Ends the process: 0 done, 1 "no", 2 wrong words or configuration, 130 on Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale that lacks our characters must not end the program
            stream.reconfigure(errors="backslashreplace")
    try:
        # Not `cli.main`: it ends with 1 when the reader of our output goes away, and 1 means "no".
        with cli.make_context("pollwatch", list(sys.argv[1:] if arguments is None else arguments)) as context:
            cli.invoke(context)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except RefusedError as error:
        say(f"pollwatch: {spoken(error.said)}")
        sys.exit(error.exit_code)
    except PollwatchError as error:
        say(f"pollwatch: {error}")
        sys.exit(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        _leave_quietly()
    except OSError as error:
        say(f"pollwatch: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        sys.exit(2)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_quietly()
    except OSError as error:
        say(f"pollwatch: the output cannot be written: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(2)
    sys.exit(0)


def _leave_quietly() -> None:
    """The reader of our output went away, as `| head` does: that is no fault of anybody's."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains at its end
    sys.exit(0)
