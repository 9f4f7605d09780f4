"""How the model grows with reviewers' decisions, and what refutations and weights do to it. On demand:

    POLLWATCH_SHARED=/path/to/shared python tests/benchmarks/warm.py [--language en] [--weight 2] [--share 0.2] …

A simulation on ``$POLLWATCH_SHARED/text/dev_*.jsonl``: of every two texts one is in the stream, one is kept to be
measured on. A reviewer reads the stream in batches of 50, the top-ranked and 10 % at random, 600 in all, and a new
model is trained after each batch, by the weights of ``classifiers.lessons``. Official refutations of the stream are
not read but come in by themselves. Printed are, one line a language:

- ``recall_10``: falsehoods of the stream found after reading a tenth of it;
- ``wss_95``: the reading that is saved at a recall of 95 % (Cohen et al., 2006), the rest read by the last
  model's rank;
- on the other half, by the last model: average precision, the share of refutations in the top tenth, and what is
  flagged of falsehoods, refutations and everything else.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from classifiers.background import common_words
from classifiers.examples import Example, parse_lines, seed_examples
from classifiers.lessons import REFUTATION_SHARE, REFUTATIONS, REVIEWED_WEIGHT, confirmed_stance, refutations_wanted
from classifiers.model import Array, Model, fit
from classifiers.scoring import combine
from monitor.types import Label, Lang, Stance

BATCH, EXPLORED, REVIEWS = 50, 5, 600
REFUTATION_KINDS = {"clarification", "factcheck"}
Row = dict[str, Any]


def main() -> int:
    """Simulate and print; exit 2 when the labelled text is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", choices=("en", "zh"), action="append", help="default: both")
    parser.add_argument("--weight", type=float, default=REVIEWED_WEIGHT, help="of a reviewed row; a seed weighs 1")
    parser.add_argument("--least", type=int, default=REFUTATIONS, help="refutations learned however few the reviews")
    parser.add_argument("--share", type=float, default=REFUTATION_SHARE, help="refutations for each reviewed row")
    parser.add_argument("--wrong", type=float, default=0.0, help="share of decisions that are wrong")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder = os.environ.get("POLLWATCH_SHARED")
    if not folder:
        print("POLLWATCH_SHARED names no folder of labelled text", file=sys.stderr)
        return 2
    for language in given.language or ("en", "zh"):
        file = Path(folder) / "text" / f"dev_{language}.jsonl"
        rows = [row for _, row in parse_lines(file.read_text(encoding="utf-8").splitlines(), file.name)]
        figures = simulate(rows, given)
        words = " ".join(f"{name} {value:.3f}" for name, value in figures.items())
        print(
            f"{language} weight {given.weight:g} refutations {given.least}+{given.share:g} wrong {given.wrong:g}"
            f" seed {given.seed}: {words}",
            flush=True,
        )
    return 0


def simulate(rows: Sequence[Row], given: argparse.Namespace) -> dict[str, float]:
    """The figures of one simulation on the labelled texts of one language."""
    dice = random.Random(given.seed)
    shuffled = dice.sample(rows, len(rows))
    stream, other = shuffled[::2], shuffled[1::2]
    answers = [
        Example(row["text"], Label.GENUINE, Lang(row["lang"]), Stance.REFUTES)
        for row in stream
        if row["kind"] in REFUTATION_KINDS
    ]
    unread = [row for row in stream if row["kind"] not in REFUTATION_KINDS]
    positives, read, found = sum(row["y"] for row in unread), len(unread), []
    seeds = seed_examples()
    learned: list[Example] = []
    background = common_words().with_texts(row["text"] for row in stream)
    model, _ = fit(seeds, background)
    while len(found) < REVIEWS:
        ranked = _ranked(model, unread)
        batch = [*ranked[: BATCH - EXPLORED], *dice.sample(ranked[BATCH - EXPLORED :], EXPLORED)]
        chosen = {id(row) for row in batch}
        unread = [row for row in unread if id(row) not in chosen]
        found += [row["y"] for row in batch]
        opinions = model.judge([row["text"] for row in batch])
        learned += [
            _reviewed(row, opinion.stance, wrong=dice.random() < given.wrong)
            for row, opinion in zip(batch, opinions, strict=True)
        ]
        fed = answers[: refutations_wanted(len(learned), given.least, given.share)]
        weights = [1.0] * len(seeds) + [given.weight] * len(learned) + [1.0] * len(fed)
        model, _ = fit([*seeds, *learned, *fed], background, weights=weights)
    found += [row["y"] for row in _ranked(model, unread)]
    reached = np.cumsum(found)
    needed = int(np.argmax(reached >= 0.95 * positives)) + 1
    return {
        "recall_10": reached[round(0.1 * read) - 1] / positives,
        "wss_95": 0.95 - needed / read,
        **_on_other_text(model, other),
    }


def _on_other_text(model: Model, rows: Sequence[Row]) -> dict[str, float]:
    scores, flagged = _judge(model, rows)
    truth = np.array([row["y"] == 1 for row in rows])
    refuting = np.array([row["kind"] in REFUTATION_KINDS for row in rows])
    return {
        "ap": float(average_precision_score(truth, scores)),
        "refutations_in_top_tenth": float((scores[refuting] > np.quantile(scores, 0.9)).mean()),
        "flagged_falsehoods": float(flagged[truth].mean()),
        "flagged_refutations": float(flagged[refuting].mean()),
        "flagged_others": float(flagged[~truth & ~refuting].mean()),
    }


def _judge(model: Model, rows: Sequence[Row]) -> tuple[Array, Array]:
    scored = [combine(opinion, (), None, model.threshold) for opinion in model.judge([row["text"] for row in rows])]
    return np.array([one.score for one in scored]), np.array([one.flagged for one in scored])


def _ranked(model: Model, rows: Sequence[Row]) -> list[Row]:
    scores, _ = _judge(model, rows)
    return [rows[place] for place in np.argsort(-scores, kind="stable")]


def _reviewed(row: Row, stance: Stance, *, wrong: bool) -> Example:
    """What a decision teaches of a text that was taken for one of ``stance``; ``wrong``: the other way round."""
    lang = Lang(row["lang"])
    if bool(row["y"]) is wrong:
        return Example(row["text"], Label.GENUINE, lang)
    posing = row["kind"] in {"impersonation", "scam_msg"}
    label = Label.IMPERSONATION if posing else Label.FALSE_INFORMATION
    return Example(row["text"], label, lang, confirmed_stance(stance))


if __name__ == "__main__":
    sys.exit(main())
