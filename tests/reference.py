"""Writes README's references from the code; cog runs it, a test checks that README is up to date."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from alerts.cli import cli
from monitor.config import Settings


def commands(group: click.Group = cli, prefix: str = "pollwatch") -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name, groups left out, in order of name."""
    for name, command in sorted(group.commands.items()):
        full = f"{prefix} {name}"
        if isinstance(command, click.Group):
            yield from commands(command, full)
        else:
            yield full, command


def command_reference() -> str:
    """The help of every command, as a person sees it at 90 columns."""
    parts = []
    for name, command in commands():
        context = click.Context(command, info_name=name, max_content_width=90, terminal_width=90)
        parts.append(f"#### `{name}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def settings_reference() -> str:
    """Every key of the configuration with its default and meaning."""
    lines = []
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if not (inspect.isclass(model) and issubclass(model, BaseModel)):
            continue
        lines += [f"**`[{section}]`** {inspect.getdoc(model)}", "", "| key | default | meaning |", "|---|---|---|"]
        for key, option in model.model_fields.items():
            lines.append(f"| `{key}` | {_default(option.default)} | {option.description} |")
        lines.append("")
    return "\n".join(lines)


def _default(value: object) -> str:
    if value is None or value is PydanticUndefined:
        return "-"
    shown = str(value)
    if isinstance(value, tuple):
        shown = "[]" if not value else str(list(value))
    return f"`{shown}`" if shown and "*" not in shown else "empty"
