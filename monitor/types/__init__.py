"""The nouns that the rooms exchange: frozen, without behaviour beyond reading themselves.

Each module is loaded when somebody wants a noun of it (PEP 562): parsers know entries and documents alone, and to make
all these classes takes a fifth of their start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.types.clarified import (
        LANGS,
        Clarification,
        ClarificationState,
        Fact,
        Statement,
        Texts,
        Version,
        languages_of,
        page_path,
        page_url,
    )
    from monitor.types.found import SearchHit, TextKind
    from monitor.types.judged import HARMLESS_STANCES, Assessment, Finding, Label, Reason, Stance, Style
    from monitor.types.published import (
        WHOLE,
        Document,
        Entry,
        Feed,
        Item,
        Lang,
        Mode,
        Names,
        Part,
        Rhythm,
        Role,
        Subscription,
        host_of,
        join_text,
    )
    from monitor.types.reviewed import (
        FALSE_VERDICTS,
        LIVE,
        UNTAKEN,
        WAITING,
        Alert,
        AlertState,
        Claim,
        Decision,
        Held,
        IncidentFacts,
        Opinion,
        Passage,
        Review,
        Ruling,
        Silence,
        Suppression,
        Verdict,
    )
    from monitor.types.runs import StageReport
    from monitor.types.said import Said
    from monitor.types.watched import Candidate, ClaimType, Match, Phase
    from monitor.types.witnessed import Answer, Capture, CaptureKind, Changed, Exchange, Headers, Page, Raw

__all__ = [
    "FALSE_VERDICTS",
    "HARMLESS_STANCES",
    "LANGS",
    "LIVE",
    "UNTAKEN",
    "WAITING",
    "WHOLE",
    "Alert",
    "AlertState",
    "Answer",
    "Assessment",
    "Candidate",
    "Capture",
    "CaptureKind",
    "Changed",
    "Claim",
    "ClaimType",
    "Clarification",
    "ClarificationState",
    "Decision",
    "Document",
    "Entry",
    "Exchange",
    "Fact",
    "Feed",
    "Finding",
    "Headers",
    "Held",
    "IncidentFacts",
    "Item",
    "Label",
    "Lang",
    "Match",
    "Mode",
    "Names",
    "Opinion",
    "Page",
    "Part",
    "Passage",
    "Phase",
    "Raw",
    "Reason",
    "Review",
    "Rhythm",
    "Role",
    "Ruling",
    "Said",
    "SearchHit",
    "Silence",
    "StageReport",
    "Stance",
    "Statement",
    "Style",
    "Subscription",
    "Suppression",
    "TextKind",
    "Texts",
    "Verdict",
    "Version",
    "host_of",
    "join_text",
    "languages_of",
    "page_path",
    "page_url",
]

_MODULES = ("published", "witnessed", "said", "judged", "watched", "reviewed", "found", "clarified", "runs")


def __getattr__(name: str) -> Any:
    """Look for a noun in one module after the other, and keep it."""
    if name in __all__:
        for module in _MODULES:
            found = vars(import_module(f"{__name__}.{module}"))
            if name in found:
                globals()[name] = found[name]
                return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
