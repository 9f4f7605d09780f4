"""`deploy`: the files by which a server starts the daemon, and by which Prometheus watches it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from monitor.cli.base import example, json_option, print_object


@click.command(
    epilog=example(
        "pollwatch deploy systemd --user desk > pollwatch.service",
        "pollwatch deploy container > Containerfile",
        "pollwatch deploy prometheus > pollwatch.rules.yml",
    )
)
@click.argument("kind", type=click.Choice(["systemd", "container", "prometheus"]))
@click.option("--user", default="pollwatch", show_default=True, help="Who the daemon runs as.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    default=".",
    help="The working folder; default: this one.",
)
@json_option
def deploy(kind: str, user: str, folder: Path, as_json: bool) -> None:
    """Print a hardened systemd unit, a container file, or alert rules for Prometheus; install nothing.

    The first two have the paths of this program in them.
    """
    from alerts.deploy import Kind, deployment

    text = deployment(Kind(kind), _program(), folder, user)
    if as_json:
        print_object({"kind": kind, "text": text})
    else:
        click.echo(text, nl=False)


def _program() -> Path:
    """The script that was called, or the one beside this interpreter."""
    called = Path(sys.argv[0])
    found = called if called.name == "pollwatch" else Path(sys.executable).with_name("pollwatch")
    return Path(shutil.which(found) or found).absolute()
