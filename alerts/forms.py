"""A letter in its forms: text, HTML that mail programs show, PDF, and its alerts as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import css_inline

from alerts.letter import Letter
from alerts.render import render

# Characters that make a spreadsheet take a cell for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_text(letter: Letter) -> str:
    """As plain text."""
    return render("digest.txt", {"letter": letter})


def as_html(letter: Letter, sources: Mapping[str, Mapping[str, str]]) -> str:
    """As a page with its style at every element, for mail programs drop style sheets; what asks for the reader's
    screen stays in one.

    ``sources``: addresses of the pictures that there are, by name, for ``day`` and ``night``; of the others the numbers
    are written out.
    """
    return _inliner().inline(render("digest.html", {"letter": letter, "sources": sources}))


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Rows that a spreadsheet opens as words and numbers and never as formulas."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(head)
    writer.writerows([_disarmed(cell) for cell in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig")  # the mark tells Excel that it is UTF-8


def _disarmed(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
