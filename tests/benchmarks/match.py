"""How well and how fast known claims are found. On demand:

    POLLWATCH_SHARED=/path/to/shared python tests/benchmarks/match.py [SIZE ...]

Quality, where POLLWATCH_SHARED is set: ``text/dev_match_corpus.jsonl`` (``claim_id, text, title``) and
``dev_match_queries.jsonl`` (``id, text, rel``), whole and by the two halves that the ids' hashes make: what helps one
half alone is chance. Chinese, for want of real pairs: the headline of a post, in 【】, must find the rest of it among
the texts of ``dev_zh.jsonl``; several posts tell one story, so "right" is a lower bound there. News that repeats no
known claim must not be confirmed.

Speed: SIZE synthetic claims (default 100,000 and 1,000,000), half English and half Chinese, words drawn by Zipf's law;
then 200 new items, each matched and added: CPU time, on a machine that does other things beside.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from classifiers.claims import Certainty, Index
from classifiers.examples import seed_examples
from monitor.types import Claim

ITEMS = 200
NEWS = {"news", "news_agnews", "satire", "ordinary_message"}
_POST = re.compile(r"\W*【([^】]{8,60})】(.{20,})", re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """A text and the ids of the claims that it repeats."""

    id: str
    text: str
    repeats: frozenset[str]


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    shared = os.environ.get("POLLWATCH_SHARED")
    if shared:
        _quality(Path(shared) / "text")
    else:
        print("POLLWATCH_SHARED names no folder of claims: speed alone is measured", file=sys.stderr)
    for size in [int(argument) for argument in arguments] or [100_000, 1_000_000]:
        _speed(size)
    return 0


def _quality(folder: Path) -> None:
    rows = _rows(folder / "dev_match_corpus.jsonl")
    asked = [Asked(row["id"], row["text"], frozenset(row["rel"])) for row in _rows(folder / "dev_match_queries.jsonl")]
    news = [row["text"] for row in _rows(folder / "dev_en.jsonl") if row["kind"] in NEWS]
    _measure("English, claim", [Claim(row["claim_id"], row["text"]) for row in rows], asked, news)
    whole = [Claim(row["claim_id"], row["text"], headline=row["title"]) for row in rows]
    _measure("English, claim and headline", whole, asked, news)
    texts = [(f"post {number}", row) for number, row in enumerate(_rows(folder / "dev_zh.jsonl"))]
    posts = [(id, found) for id, row in texts if (found := _POST.match(row["text"]))]
    bodies = [Claim(id, found[2]) for id, found in posts]
    own = {id for id, _ in posts}
    others = [Claim(id, row["text"]) for id, row in texts if id not in own and row["kind"] not in NEWS]
    headlines = [Asked(id, found[1], frozenset({id})) for id, found in posts]
    news = [row["text"] for _, row in texts if row["kind"] in NEWS]
    _measure("Chinese, headline to body", bodies + others, headlines, news)


def _measure(name: str, known: Sequence[Claim], asked: Sequence[Asked], news: Sequence[str]) -> None:
    index = _index()
    index.add(known)
    answers = [(question, index.match(question.text)) for question in asked]
    print(f"\n{name}: {len(known)} known, {len(asked)} texts that repeat one, {len(news)} news")
    for half, part in (
        ("all", answers),
        ("first half", [a for a in answers if _half(a[0].id) == 0]),
        ("second half", [a for a in answers if _half(a[0].id) == 1]),
    ):
        ranks = [
            next((n for n, repeat in enumerate(found, 1) if repeat.claim.id in question.repeats), 99)
            for question, found in part
        ]
        sure = [
            repeat.claim.id in question.repeats
            for question, found in part
            for repeat in found
            if repeat.certainty is Certainty.CONFIRMED
        ]
        recall = "  ".join(f"R@{k} {sum(rank <= k for rank in ranks) / len(part):.3f}" for k in (1, 5, 10))
        precision = f"{sum(sure) / len(sure):.3f}" if sure else "-"
        reached = sum(sure) / len(part)  # a text rarely repeats two claims
        print(f"  {half:<12} {recall}  confirmed {len(sure)}, of them right {precision}, of the texts {reached:.3f}")
    found = [index.match(text) for text in news]
    sure_news = sum(any(repeat.certainty is Certainty.CONFIRMED for repeat in repeats) for repeats in found)
    print(f"  news with a confirmed claim: {sure_news}")


def _speed(size: int) -> None:
    index = _index()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    index.add(Claim(str(number), text) for number, text in enumerate(synthetic(size, seed=1)))
    built = time.process_time() - start
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    matched, added = [], []
    for number, text in enumerate(synthetic(ITEMS, seed=2)):
        start = time.process_time()
        index.match(text)
        middle = time.process_time()
        index.add([Claim(f"new {number}", text)])
        matched.append(middle - start)
        added.append(time.process_time() - middle)
    print(f"\n{size:,} synthetic claims: built in {built:.0f} s, {peak:.0f} MB at the peak, texts included")
    for act, times in (("match", matched), ("add", added)):
        print(f"  {act} one new item: {_ms(times, 0.5)} ms, p95 {_ms(times, 0.95)} ms")


def synthetic(count: int, seed: int) -> Iterator[str]:
    """Texts without meaning, half of Latin words and half of Han characters, as unevenly used as in real ones."""
    chance = random.Random(seed)
    made = random.Random(0)
    words = ["".join(made.choices("etaoinshrdlucmfwypvbgkjqxz", k=made.randint(2, 11))) for _ in range(60_000)]
    chars = [chr(0x4E00 + code) for code in made.sample(range(20_000), 5_000)]
    word_weights = list(accumulate(1 / (rank + 2) for rank in range(len(words))))
    char_weights = list(accumulate(1 / (rank + 20) for rank in range(len(chars))))
    for number in range(count):
        if number % 2:
            yield "".join(chance.choices(chars, cum_weights=char_weights, k=chance.randint(15, 60)))
        else:
            yield " ".join(chance.choices(words, cum_weights=word_weights, k=chance.randint(8, 30)))


def _index() -> Index:
    return Index(background=[example.text for example in seed_examples()])


def _half(id: str) -> int:
    return hashlib.sha256(id.encode()).digest()[0] & 1


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _ms(seconds: Iterable[float], share: float) -> str:
    ordered = sorted(seconds)
    return f"{ordered[int(share * (len(ordered) - 1))] * 1000:.1f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
