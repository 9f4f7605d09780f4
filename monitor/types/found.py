"""What a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.types.published import Item


class TextKind(StrEnum):
    """Where words were found: in an item as it reads now or read before, in a note, in the reason of a decision."""

    ITEM = "item"
    REVISION = "revision"
    NOTE = "note"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A text that holds the words. For a note or a decision, ``item`` is the first of its alert's incident."""

    number: int  # the newer, the higher; ``before`` of the next page
    kind: TextKind
    item_id: int | None
    alert_id: int | None  # of its incident, the last one that is no duplicate
    title: str
    excerpt: str  # of what the title does not say, round the first word found there; empty where it says all
    at: datetime  # when the text was first seen, or written
    outlet: str | None
    item: Item | None
