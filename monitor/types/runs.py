"""What one run of a stage leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StageReport:
    """What one run of a stage did: its name and counts, ready for JSON."""

    stage: str
    counts: Mapping[str, float | int | str | bool | None]
    problems: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """A plain dictionary; ``problems`` only when there are some."""
        return {**self.counts, **({"problems": list(self.problems)} if self.problems else {})}
