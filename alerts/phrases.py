"""The fixed words of clarifications: ``seeds/clarification.toml``, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from monitor import seeds
from monitor.types import LANGS, ClaimType, Lang, Verdict

Bilingual = Mapping[Lang, str]  # by each of LANGS
WORST, BEST = 1, 5  # the scale of ``VerdictWords.rating``


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """How one verdict is told, in every language and script; ``rating`` is from WORST (false) to BEST (true)."""

    word: Mapping[Lang, str]
    sentence: Mapping[Lang, str]
    rating: int | None


@dataclass(frozen=True, slots=True)
class Phrases:
    """Everything that is said in fixed words."""

    verdicts: Mapping[Verdict, VerdictWords]
    title: Bilingual
    unclear: Bilingual  # where the claim type is
    facts: Mapping[str, Bilingual]  # by the line of a file that a finding rests on
    roster: Bilingual
    pages: Mapping[Lang, Mapping[str, str]]
    _advice: Mapping[str, Bilingual]

    def advice(self, claim_type: ClaimType | None) -> Bilingual:
        """What readers are asked to do."""
        return self._advice.get(claim_type or "", self._advice["default"])

    def ruling(self, verdict: Verdict, lang: Lang) -> str:
        """What the claim is, in a few words that name the claim: a verdict alone beside what is so would be misread."""
        return self.pages[lang]["ruling"].format(verdict=self.verdicts[verdict].word[lang])


@cache
def load() -> Phrases:
    """The words that ship with the program: every verdict has its own, every sentence both languages."""
    tables = seeds.toml("clarification.toml")
    return Phrases(
        verdicts={
            verdict: VerdictWords(
                word={lang: table["word"][lang] for lang in Lang},
                sentence={lang: table[lang] for lang in Lang},
                rating=table.get("rating"),
            )
            for verdict, table in ((verdict, tables["verdict"][verdict]) for verdict in Verdict)
        },
        title=_bilingual(tables["draft"]["title"]),
        unclear=_bilingual(tables["draft"]["unclear"]),
        facts={line: _bilingual(table) for line, table in tables["fact"].items()},
        roster=_bilingual(tables["source"]["roster"]),
        pages={lang: tables["page"][lang] for lang in LANGS},
        _advice={name: _bilingual(table) for name, table in tables["advice"].items()},
    )


def _bilingual(table: Mapping[str, str]) -> Bilingual:
    return {lang: table[lang] for lang in LANGS}
