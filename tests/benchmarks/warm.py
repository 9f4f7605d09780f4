"""How the model grows with reviewers' decisions, and what refutations and weights do to it. On demand:

    POLLWATCH_SHARED=/path/to/shared python tests/benchmarks/warm.py [--language en] [--seeds 0 1 2] [--judge vectors] …

A simulation on ``$POLLWATCH_SHARED/text/dev_*.jsonl``. A reviewer reads a stream in batches of 50, the top-ranked and
10 % at random, 600 in all, and a new model is trained after each batch, by the weights of ``classifiers.lessons``.
Official refutations of the stream are not read but come in by themselves. Each of ``--judge`` (``judges.py``) meets the
same streams, and each of ``--seeds`` shuffles them anew; printed are the mean and the range, for two streams:

- ``half``: of every two texts one is in the stream, the other is kept to be measured on;
- ``whole``: all texts, so that twice as many falsehoods decide what is found. Nothing is left to be measured on.

The figures:

- ``recall_10``: falsehoods of the stream found after reading a tenth of it;
- ``wss_95``: the reading that is saved at a recall of 95 % (Cohen et al., 2006), the rest read by the last
  model's rank; with 45 falsehoods the third-last one decides it;
- on the other half, by the last model: average precision, the share of refutations in the top tenth, and what is
  flagged of falsehoods, refutations and everything else.

``--curve`` prints instead the average precision on a fifth of the texts, mean of five, after learning the labels of so
many falsehoods of the others, with their share of everything else: what reading without end could reach.
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
from sklearn.model_selection import StratifiedKFold

from classifiers.examples import Example, parse_lines
from classifiers.lessons import REFUTATION_SHARE, REFUTATIONS, REVIEWED_WEIGHT, confirmed_stance, refutations_wanted
from monitor.types import Label, Lang, Stance
from tests.benchmarks.judges import JUDGES, Judge

BATCH, EXPLORED, REVIEWS = 50, 5, 600
CURVE = (0, 10, 20, 36, 54, 72)  # falsehoods whose label is learned
REFUTATION_KINDS = {"clarification", "factcheck"}
DEFAULT = ("words",)  # reading vectors takes minutes
Row = dict[str, Any]


def main() -> int:
    """Simulate and print; exit 2 when the labelled text is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", choices=("en", "zh"), action="append", help="default: both")
    parser.add_argument("--judge", choices=JUDGES, action="append", help="default: words")
    parser.add_argument("--weight", type=float, default=REVIEWED_WEIGHT, help="of a reviewed row; a seed weighs 1")
    parser.add_argument("--least", type=int, default=REFUTATIONS, help="refutations learned however few the reviews")
    parser.add_argument("--share", type=float, default=REFUTATION_SHARE, help="refutations for each reviewed row")
    parser.add_argument("--wrong", type=float, default=0.0, help="share of decisions that are wrong")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--curve", action="store_true", help="only what more labels would bring")
    given = parser.parse_args()
    folder = os.environ.get("POLLWATCH_SHARED")
    if not folder:
        print("POLLWATCH_SHARED names no folder of labelled text", file=sys.stderr)
        return 2
    for language in given.language or ("en", "zh"):
        file = Path(folder) / "text" / f"dev_{language}.jsonl"
        rows = [row for _, row in parse_lines(file.read_text(encoding="utf-8").splitlines(), file.name)]
        for name in given.judge or DEFAULT:
            if given.curve:
                _print(f"{language} {name} curve", [learning_curve(rows, name, seed, given) for seed in given.seeds])
                continue
            for whole in (False, True):
                runs = [simulate(rows, name, seed, whole, given) for seed in given.seeds]
                _print(f"{language} {name} {'whole' if whole else 'half'}", runs)
    return 0


def _print(title: str, runs: Sequence[dict[str, float]]) -> None:
    """The mean of each figure and, of several runs, its range."""
    words = []
    for name in runs[0]:
        values = [run[name] for run in runs]
        spread = f" ({min(values):.2f}-{max(values):.2f})" if len(runs) > 1 else ""
        words.append(f"{name} {np.mean(values):.3f}{spread}")
    print(f"{title}: {' '.join(words)}", flush=True)


def simulate(rows: Sequence[Row], name: str, seed: int, whole: bool, given: argparse.Namespace) -> dict[str, float]:
    """The figures of one judge in one simulation on the labelled texts of one language."""
    dice = random.Random(seed)
    shuffled = dice.sample(rows, len(rows))
    stream, other = (shuffled, []) if whole else (shuffled[::2], shuffled[1::2])
    answers = [_answer(row) for row in stream if row["kind"] in REFUTATION_KINDS]
    unread = [row for row in stream if row["kind"] not in REFUTATION_KINDS]
    positives, read, found = sum(row["y"] for row in unread), len(unread), list[int]()
    learned: list[Example] = []
    judge = JUDGES[name]([row["text"] for row in stream])
    judge.learn([], [], 0)
    while len(found) < REVIEWS:
        ranked = _ranked(judge, unread)
        batch = [*ranked[: BATCH - EXPLORED], *dice.sample(ranked[BATCH - EXPLORED :], EXPLORED)]
        chosen = {id(row) for row in batch}
        unread = [row for row in unread if id(row) not in chosen]
        found += [row["y"] for row in batch]
        learned += [
            _reviewed(row, stance, wrong=dice.random() < given.wrong)
            for row, stance in zip(batch, judge.stances([row["text"] for row in batch]), strict=True)
        ]
        fed = answers[: refutations_wanted(len(learned), given.least, given.share)]
        judge.learn([*learned, *fed], [given.weight] * len(learned) + [1.0] * len(fed), len(learned))
    found += [row["y"] for row in _ranked(judge, unread)]
    reached = np.cumsum(found)
    needed = int(np.argmax(reached >= 0.95 * positives)) + 1
    return {
        "recall_10": reached[round(0.1 * read) - 1] / positives,
        "wss_95": 0.95 - needed / read,
        **(_on_other_text(judge, other) if other else {}),
    }


def learning_curve(rows: Sequence[Row], name: str, seed: int, given: argparse.Namespace) -> dict[str, float]:
    """Average precision by the number of falsehoods whose label is learned."""
    kinds = [row["kind"] for row in rows]
    reached: dict[str, list[float]] = {str(wanted): [] for wanted in CURVE}
    judge = JUDGES[name]([row["text"] for row in rows])
    for labelled, unseen in StratifiedKFold(5, shuffle=True, random_state=seed).split(kinds, kinds):
        known = np.random.default_rng(seed).permutation(labelled)
        false = [rows[place] for place in known if rows[place]["y"]]
        others = [rows[place] for place in known if not rows[place]["y"]]
        for wanted in CURVE:
            learned = [*false[:wanted], *others[: round(len(others) * min(wanted / len(false), 1))]]
            lessons = [_reviewed(row, Stance.ASSERTS, wrong=False) for row in learned]
            judge.learn(lessons, [given.weight] * len(lessons), len(lessons))
            scores, _ = judge.scores([rows[place]["text"] for place in unseen])
            truth = [rows[place]["y"] for place in unseen]
            reached[str(wanted)].append(float(average_precision_score(truth, scores)))
    return {wanted: float(np.mean(values)) for wanted, values in reached.items()}


def _on_other_text(judge: Judge, rows: Sequence[Row]) -> dict[str, float]:
    scores, flagged = judge.scores([row["text"] for row in rows])
    truth = np.array([row["y"] == 1 for row in rows])
    refuting = np.array([row["kind"] in REFUTATION_KINDS for row in rows])
    return {
        "ap": float(average_precision_score(truth, scores)),
        "refutations_in_top_tenth": float((scores[refuting] > np.quantile(scores, 0.9)).mean()),
        "flagged_falsehoods": float(flagged[truth].mean()),
        "flagged_refutations": float(flagged[refuting].mean()),
        "flagged_others": float(flagged[~truth & ~refuting].mean()),
    }


def _ranked(judge: Judge, rows: Sequence[Row]) -> list[Row]:
    scores, _ = judge.scores([row["text"] for row in rows])
    return [rows[place] for place in np.argsort(-scores, kind="stable")]


def _answer(row: Row) -> Example:
    return Example(row["text"], Label.GENUINE, Lang(row["lang"]), Stance.REFUTES)


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
