"""What the rule tests share: the invented roster and facts of tests/data, and how a text is checked."""

from __future__ import annotations

from pathlib import Path

from classifiers.rules import Reference, check
from monitor.config import load_file
from monitor.reference import load_watchlist
from monitor.types import Finding

SETTINGS = load_file(Path(__file__).parents[1] / "data" / "pollwatch.toml")
REFERENCE = Reference.load(SETTINGS)
WATCHLIST, _ = load_watchlist(SETTINGS)


def findings(text: str, link: str | None = None) -> tuple[Finding, ...]:
    """Every finding about ``text``."""
    return check(text, link, WATCHLIST.match(text), REFERENCE)


def rules(text: str, link: str | None = None) -> list[str]:
    """The names of the rules that fired."""
    return [finding.rule for finding in findings(text, link)]
