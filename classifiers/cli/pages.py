"""Writing a page to the file that was asked for."""

from __future__ import annotations

from pathlib import Path

from monitor.cli.base import say


def write_page(file: Path, text: str) -> None:
    """Write it, and say so on stderr. Raises InputError when it cannot be written."""
    from monitor.errors import InputError

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(file), f"the page cannot be written: {error.strerror}") from error
    say(f"wrote {file}")
