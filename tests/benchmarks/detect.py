"""How well the shipped model finds falsehoods in real text that it never saw, and how fast. On demand:

    POLLWATCH_SHARED=/path/to/shared python tests/benchmarks/detect.py

**Quality, cold.** Reads ``$POLLWATCH_SHARED/text/dev_*.jsonl`` (keys ``text, lang, y, kind``; about 4 % positives), as
it stands and cut to what a headline holds. The model never learns from these texts. Beside it stands plain scikit-learn
TF-IDF with logistic regression, learned from the same seeds in the same run. With ``--vectors`` the model reads
sentence vectors as well, which takes ten minutes.

**Speed**, in CPU time on one thread: short texts through folding, watchlist, features and heads, in batches (best of
three rounds) and one alone (median), by a model that learned from decisions, which reads most; beside it scikit-learn's
own union of word and ``char_wb`` TF-IDF with as many heads; as `assess` does it, with rules and reasons; loading a
stored model; training on 20,000 rows made of the seeds. Each in a process of its own, with its peak memory.
``--speed`` needs no labelled text.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from threadpoolctl import threadpool_limits

from classifiers import registry
from classifiers.assess import Bench, Judged
from classifiers.evaluate import evaluate
from classifiers.examples import Example, parse_lines, seed_examples
from classifiers.mask import Mask
from classifiers.model import Model, fit
from classifiers.rules import Reference
from monitor.reference import seed_candidates
from monitor.text import HAN
from monitor.types import Lang
from monitor.watchlist import Watchlist

HEADLINE = {"latin": 90, "han": 30}  # characters
TRAINING_ROWS = 20_000
STREAM = 4_000  # short texts to judge, made of the seeds
SHOWN = {
    "ap": "AP",
    "recall_5": "R5",
    "recall_10": "R10",
    "wss_95": "WSS@95",
    "recall": "flagged",
    "false_flags": "of genuine",
    "false_flags_news": "of news",
    "false_flags_refutations": "of refutations",
}


def main() -> int:
    """Measure and print; exit 2 when the labelled text is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", action="store_true", help="only how fast")
    parser.add_argument("--vectors", action="store_true", help="quality of a model that reads sentence vectors, too")
    parser.add_argument("--part", choices=PARTS, help="one measurement of speed, in this process")
    parser.add_argument("--model", type=Path, help="a stored model for --part")
    options = parser.parse_args()
    if options.part:
        with threadpool_limits(limits=1):
            PARTS[options.part](options.model)
        print(f"{'':>24}peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        return 0
    folder = os.environ.get("POLLWATCH_SHARED")
    if not options.speed:
        if not folder:
            print("POLLWATCH_SHARED names no folder of labelled text", file=sys.stderr)
            return 2
        quality(Path(folder) / "text", with_vectors=options.vectors)
    with tempfile.NamedTemporaryFile() as stored:
        examples = seed_examples()
        stored.write(registry.dumps(fit(examples, decisions=[1.0] * len(examples))[0]))
        stored.flush()
        for part in PARTS:
            subprocess.run([sys.executable, __file__, "--part", part, "--model", stored.name], check=True)
    return 0


def quality(folder: Path, *, with_vectors: bool) -> None:
    """Print the figures of every labelled file, whole and as headlines."""
    examples = seed_examples()
    model, _ = fit(examples, with_vectors=with_vectors)
    print(f"{len(examples)} seeds, threshold {model.threshold:.3f}; in brackets 95 % intervals")
    for file in sorted(folder.glob("dev_*.jsonl")):
        rows = list(parse_lines(file.read_text(encoding="utf-8").splitlines(), file.name))
        if any("y" not in row for _, row in rows):
            continue  # the texts for claim matching have no labels
        _print_figures(f"{file.name}, whole", evaluate(model, rows, examples).figures())
        cut = [(where, {**row, "text": headline(row["text"])}) for where, row in rows]
        _print_figures(f"{file.name}, headlines", evaluate(model, cut, examples).figures())


def headline(text: str) -> str:
    """What a headline has room for: 30 characters of a text that is mostly Han, 90 of any other."""
    han = len(HAN.findall(text))
    return text[: HEADLINE["han" if han * 4 > len(text) else "latin"]]


def _print_figures(title: str, figures: dict[str, Any]) -> None:
    print(f"\n{title}: {figures['model']['n']} texts, {figures['model']['positives']} suspicious")
    for judge in ("model", "baseline"):
        whole = figures[judge]
        print(f"  {judge:<9}" + "  ".join(_figure(whole, key, name) for key, name in SHOWN.items()))
    for kind, part in figures["model"]["by_kind"].items():
        flagged = part["false_flags"] if part["recall"] is None else part["recall"]
        print(f"      {kind:<18} {part['n']:>5} texts, flagged {flagged:.3f}, in the top tenth {part['in_top_10']:.3f}")


def _figure(whole: dict[str, Any], key: str, name: str) -> str:
    interval = whole["intervals"].get(key)
    return f"{name} {whole[key]:.3f}" + (f" ({interval[0]:.2f}-{interval[1]:.2f})" if interval else "")


def pollwatch_speed(stored: Path) -> None:
    """Names, features and heads; then with rules and reasons."""
    texts = _stream()
    model = _load(stored)
    people = list(seed_candidates())
    watchlist, mask = Watchlist(people), Mask(people)
    bench = Bench("seed", model, watchlist, mask, Reference.empty(), model.threshold)

    def judge(some: Sequence[str]) -> None:
        for text in some:
            watchlist.match(text)
        model.judge([mask(text) for text in some])

    _print_speed("names, features, heads", judge, texts)
    _print_speed("  features and heads", model.judge, texts)
    _print_speed("  names", lambda some: [(watchlist.match(text), mask(text)) for text in some], texts)
    _print_speed("assess, with reasons", lambda some: bench.assess([Judged(text, Lang.EN) for text in some]), texts)


def scikit_learn_speed(stored: Path) -> None:
    """The same heads over scikit-learn's own features, without folding and names."""
    examples, texts = seed_examples(), _stream()
    union = FeatureUnion(
        [
            ("words", TfidfVectorizer(sublinear_tf=True)),
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)),
        ]
    )
    rows = union.fit_transform([example.text for example in examples])
    heads = []
    for target in ("label", "stance", "claim_type"):
        known = [i for i, example in enumerate(examples) if getattr(example, target) is not None]
        answers = [str(getattr(examples[i], target)) for i in known]
        heads.append(LogisticRegression(tol=1e-2, max_iter=50, solver="saga").fit(rows[known], answers))

    def judge(some: Sequence[str]) -> None:
        seen = union.transform(some)
        for head in heads:
            head.predict(seen)

    _print_speed("scikit-learn union", judge, texts)


def load_speed(stored: Path) -> None:
    """A stored model as bytes, read and checked."""
    took = min(_timed(lambda: _load(stored)) for _ in range(5))
    print(f"{'model load':<24}{took:>9.3f} s, {stored.stat().st_size / 1e6:.1f} MB stored")


def training_speed(stored: Path) -> None:
    """The seeds again and again, each time with some words dropped and swapped."""
    rows = _varied(seed_examples(), TRAINING_ROWS)
    print(f"{'training':<24}{_timed(lambda: fit(rows, decisions=[1.0] * len(rows))):>9.1f} s for {len(rows)} rows")


def plain_training_speed(stored: Path) -> None:
    """The plain baseline of `models evaluate` on the same rows: what scikit-learn's defaults take."""
    rows = _varied(seed_examples(), TRAINING_ROWS)
    plain = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    took = _timed(lambda: plain.fit([row.text for row in rows], [row.suspicious for row in rows]))
    print(f"{'training, plain':<24}{took:>9.1f} s for {len(rows)} rows, one head of two classes")


PARTS: dict[str, Callable[[Path], None]] = {
    "pollwatch": pollwatch_speed,
    "scikit-learn": scikit_learn_speed,
    "load": load_speed,
    "training": training_speed,
    "plain-training": plain_training_speed,
}


def _load(stored: Path) -> Model:
    blob = stored.read_bytes()
    return registry.loads("seed", blob, hashlib.sha256(blob).hexdigest(), registry.versions())


def _stream() -> list[str]:
    return [headline(example.text) for example in _varied(seed_examples(), STREAM)]


def _varied(examples: Sequence[Example], count: int) -> list[Example]:
    """Examples as often as it takes, from the second time on a tenth of the words, or Han characters, moved or gone."""
    rng = random.Random(0)
    rows = list(examples[:count])
    while len(rows) < count:
        example = rng.choice(examples)
        apart = "" if HAN.search(example.text) else " "
        pieces = list(example.text) if apart == "" else example.text.split(" ")
        for _ in range(max(1, len(pieces) // 10)):
            at = rng.randrange(len(pieces))
            piece = pieces.pop(at)
            if rng.random() < 0.5 or not pieces:
                pieces.insert(rng.randrange(len(pieces) + 1), piece)
        rows.append(replace(example, text=apart.join(pieces)))
    return rows


def _print_speed(name: str, judge: Callable[[Sequence[str]], object], texts: Sequence[str]) -> None:
    judge(texts[:200])
    batches = [texts[first : first + 1000] for first in range(0, len(texts), 1000)]
    whole = min(_timed(lambda: [judge(batch) for batch in batches]) for _ in range(3))
    alone = sorted(_timed(lambda text=text: judge([text])) for text in texts[:200])[100]
    print(f"{name:<24}{len(texts) / whole:>9,.0f} items/s{alone * 1000:>8.2f} ms for one (median)")


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
