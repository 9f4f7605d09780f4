"""How fast words are found when the store is large. On demand:

    python tests/benchmarks/search.py [--items 1000000] [--store URL]

Builds the store of ``shift.py`` with texts of its own, in words as unevenly spread as those of a language: half of
them Chinese, some 50 words each. Indexes it, and says how long that took and how large it is. Then asks ROUNDS times
each for words that are common and rare, and prints the median, p95 and the worst in milliseconds, with how much was
found. With ``--store`` a store of any kind, that is kept; one that was indexed before is used as it is.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from monitor.search import rebuild, search
from monitor.store import Store, open_store
from monitor.store.migrate import upgrade
from monitor.types import TextKind
from tests.benchmarks.shift import NOW, build

ROUNDS = 50
VOCABULARY = 30_000  # words of each language
TITLE, SUMMARY = 8, 42  # words
_ONSETS, _VOWELS, _ENDS = "bcdfghklmnprstvw", "aeiou", ("", "n", "r", "st", "l", "t", "ck")


def main() -> int:
    """Build, index, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--store", help="URL of a store to keep; one that is there is used as it is")
    arguments = parser.parse_args()
    english, chinese = _english(), _chinese()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(arguments.store or f"sqlite:///{folder}/search.db", must_exist=False)
        upgrade(store)
        if not search(store, chinese[0], limit=1):
            _timed_once("built", store, lambda: build(store, arguments.items, _writer(english, chinese)))
            _timed_once("indexed", store, lambda: rebuild(store))
        _measure(store, english, chinese)
        store.close()
    return 0


def _measure(store: Store, english: Sequence[str], chinese: Sequence[str]) -> None:
    common, rare = chinese[0], chinese[20_000]
    many, few = english[0], english[20_000]
    questions: dict[str, tuple[str, dict[str, Any]]] = {
        "two characters, common": (common, {}),
        "two characters, rare": (rare, {}),
        "two characters, nowhere": ("鑫龘", {}),
        "four characters": (chinese[40] + chinese[60], {}),
        "an English word, common": (many, {}),
        "an English word, rare": (few, {}),
        "its first two letters": (few[:2], {}),
        "a phrase": (f'"{english[30]} {english[40]}"', {}),
        "a phrase of common words": (f'"{english[3]} {english[3]} {english[2]}"', {}),
        "two words, common": (f"{english[5]} {english[9]}", {}),
        "two words, rare together": (f"{few} {english[15_000]}", {}),
        "both scripts, never together": (f"{common} {many}", {}),
        "a miss": (f"{many}zzz", {}),
        "common, of one feed": (common, {"feed_ids": [77]}),
        "common, in notes": (common, {"kind": TextKind.NOTE}),
        "common, in earlier texts": (common, {"kind": TextKind.REVISION}),
        "rare, of the last hour": (rare, {"since": NOW - timedelta(hours=1)}),
    }
    print(f"{'':<34}{'found':>6}{'median':>9}{'p95':>9}{'worst':>9}  ms")
    for name, (words, more) in questions.items():
        took, found = [], 0
        for _ in range(ROUNDS):
            started = time.perf_counter()
            found = len(search(store, words, **more))
            took.append((time.perf_counter() - started) * 1000)
        took.sort()
        print(f"{name:<34}{found:>6}{took[len(took) // 2]:>9.1f}{took[int(len(took) * 0.95)]:>9.1f}{took[-1]:>9.1f}")


def _timed_once(name: str, store: Store, work: Callable[[], Any]) -> None:
    started = time.monotonic()
    work()
    size = f", {store.path.stat().st_size >> 20} MB" if store.path else ""
    print(f"{name} in {time.monotonic() - started:.0f} s{size}", flush=True)


def _writer(english: Sequence[str], chinese: Sequence[str]) -> Callable[[random.Random], dict[str, Any]]:
    """Texts in which the word of rank r stands as often as 1/r (Zipf)."""
    weights = list(itertools.accumulate(1 / rank for rank in range(2, VOCABULARY + 2)))

    def write(rng: random.Random) -> dict[str, Any]:
        lang = rng.choice(("en", "zh-Hant"))
        words = rng.choices(english if lang == "en" else chinese, cum_weights=weights, k=TITLE + SUMMARY)
        space = " " if lang == "en" else ""
        return {"title": space.join(words[:TITLE]), "summary": space.join(words[TITLE:]), "lang": lang}

    return write


def _english() -> list[str]:
    """Words of one to three syllables, without meaning."""
    syllables = [a + b + c for a, b, c in itertools.product(_ONSETS, _VOWELS, _ENDS)]
    rng = random.Random(1)
    words = dict.fromkeys("".join(rng.choices(syllables, k=rng.choice((1, 2, 2, 3)))) for _ in range(3 * VOCABULARY))
    return list(words)[:VOCABULARY]


def _chinese() -> list[str]:
    """Words of two of the 4,000 characters that begin the block of Unicode."""
    rng = random.Random(2)
    words = dict.fromkeys(chr(0x4E00 + rng.randrange(4000)) + chr(0x4E00 + rng.randrange(4000)) for _ in range(40_000))
    return list(words)[:VOCABULARY]


if __name__ == "__main__":
    raise SystemExit(main())
