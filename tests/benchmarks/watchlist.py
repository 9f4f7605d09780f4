"""What the watchlist and the rules cost, and whether more names cost more. On demand:

    [POLLWATCH_SHARED=/path/to/shared] python tests/benchmarks/watchlist.py

Matches one set of texts with about 100, 1,000 and 10,000 aliases in the same run, then runs every rule over it. The
texts are the recorded labelled ones where there are some, else the seeds' examples. Prints texts a second and the ratio
to the smallest watchlist, and the time to build each.
"""

from __future__ import annotations

import json
import os
import time
from itertools import product
from pathlib import Path

from classifiers.rules import Reference, check
from monitor import seeds
from monitor.reference import CandidateEntry, LatinName, as_candidate
from monitor.types import Candidate
from monitor.watchlist import Watchlist

_ROUNDS = 3


def main() -> None:
    """Measure and print."""
    texts = _texts()
    print(f"{len(texts)} texts, {sum(map(len, texts)) / len(texts):.0f} characters on average")
    first = None
    for people in (2, 23, 230):
        started = time.process_time()
        watchlist = Watchlist(_candidates(people))
        built = time.process_time() - started
        aliases = sum(len(c.names) + len(c.aliases) + len(c.uncertain) for c in watchlist.candidates.values())
        rate = _rate(texts, watchlist)
        first = first or rate
        print(f"{aliases:>6} aliases: {rate:>8,.0f} texts/s, {first / rate:.2f} x the first, built in {built:.3f} s")
    started = time.process_time()
    found = sum(len(check(text, None, (), Reference.empty())) for text in texts)
    print(f"rules alone: {len(texts) / (time.process_time() - started):,.0f} texts/s, {found} findings")


def _texts() -> list[str]:
    folder = os.environ.get("POLLWATCH_SHARED")
    if not folder:
        return [row["text"] for row in seeds.json_lines("examples.jsonl")]
    files = sorted((Path(folder) / "text").glob("dev_??.jsonl"))
    return [json.loads(line)["text"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def _candidates(people: int) -> list[Candidate]:
    """Invented people: every name in Chinese characters, in both orders of Latin letters, with titles and initials."""
    surnames = [("卓", "Cheuk"), ("戚", "Chik"), ("池", "Chi"), ("郎", "Long"), ("歐陽", "Au Yeung"), ("邰", "Toi")]
    syllables = [
        ("望", "Mong"),
        ("啟", "Kai"),
        ("沛", "Pui"),
        ("雪", "Suet"),
        ("澤", "Chak"),
        ("曉", "Hiu"),
        ("嵐", "Laam"),
    ]
    english = ["Vivian", "Marcus", "Perry", "Sherry", "Casper", "Hector", "Wanda"]
    entries = []
    for number, (family, one, two, forename) in enumerate(product(surnames, syllables, syllables, english)):
        if number == people:
            break
        entry = CandidateEntry(
            id=f"c{number}",
            names=(family[0] + one[0] + two[0],),
            latin=LatinName(surname=family[1], given=f"{one[1]}-{two[1].lower()}", english=forename),
        )
        entries.append(as_candidate(entry, "watchlist.toml"))
    return entries


def _rate(texts: list[str], watchlist: Watchlist) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.process_time()
        for text in texts:
            watchlist.match(text)
        best = min(best, time.process_time() - started)
    return len(texts) / best


if __name__ == "__main__":
    main()
