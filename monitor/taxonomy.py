"""What each claim type means and how urgent it is by default, and what codes are called: ``seeds/taxonomy.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from monitor import seeds
from monitor.types import ClaimType, Lang, Phase


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the taxonomy. ``priority`` is 1 (most urgent) to 4; ``phases`` changes it in one phase."""

    names: Mapping[Lang, str]
    meaning: str
    checked_by: str
    priority: int
    phases: Mapping[Phase, int]

    def priority_in(self, phase: Phase) -> int:
        """The default priority in one phase of the election."""
        return self.phases.get(phase, self.priority)


Taxonomy = Mapping[ClaimType, Meaning]


@cache
def load() -> Taxonomy:
    """The taxonomy that ships with the program: every claim type has its row."""
    tables = seeds.toml("taxonomy.toml")
    return {claim_type: _meaning(claim_type, tables[claim_type]) for claim_type in ClaimType}


@cache
def terms() -> Mapping[str, Mapping[str, Mapping[Lang, str]]]:
    """What codes are called, by kind (``claim_type``, ``verdict``, ``state`` …), code and language."""
    named = {
        kind: {code: {Lang(lang): str(name) for lang, name in names.items()} for code, names in codes.items()}
        for kind, codes in seeds.toml("taxonomy.toml")["terms"].items()
    }
    return {**named, "claim_type": {code: dict(meaning.names) for code, meaning in load().items()}}


def _meaning(claim_type: ClaimType, table: Mapping[str, object]) -> Meaning:
    phases = table.get("phase", {})
    if not isinstance(phases, Mapping):
        raise TypeError(f"taxonomy.toml: {claim_type}.phase is not a table")
    return Meaning(
        names={Lang.EN: claim_type.replace("-", " "), **{lang: str(table[lang]) for lang in (Lang.HANT, Lang.HANS)}},
        meaning=str(table["meaning"]),
        checked_by=str(table["checked_by"]),
        priority=int(str(table["priority"])),
        phases={Phase(phase): int(priority) for phase, priority in phases.items()},
    )
