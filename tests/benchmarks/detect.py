"""How well the shipped model finds falsehoods in real text that it never saw. On demand:

    POLLWATCH_SHARED=/path/to/shared python tests/benchmarks/detect.py

Reads ``$POLLWATCH_SHARED/text/dev_*.jsonl`` (keys ``text, lang, y, kind``; about 4 % positives). Prints average
precision, recall after reading 5 and 10 %, and the share flagged at the operating threshold by kind, beside plain
scikit-learn TF-IDF with logistic regression learned from the same seeds in the same run. The model never learns from
these texts.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from classifiers.evaluate import evaluate
from classifiers.examples import parse_lines, seed_examples
from classifiers.model import fit


def main() -> int:
    """Measure and print; exit 2 when the labelled text is not there."""
    folder = os.environ.get("POLLWATCH_SHARED")
    if not folder:
        print("POLLWATCH_SHARED names no folder of labelled text", file=sys.stderr)
        return 2
    examples = seed_examples()
    model, _ = fit(examples)
    print(f"{len(examples)} seeds, threshold {model.threshold:.3f}")
    for file in sorted((Path(folder) / "text").glob("dev_*.jsonl")):
        rows = list(parse_lines(file.read_text(encoding="utf-8").splitlines(), file.name))
        if any("y" not in row for _, row in rows):
            continue  # the texts for claim matching have no labels
        figures = evaluate(model, rows, examples)
        print(f"\n{file.name}: {len(rows)} texts")
        for judge in ("model", "baseline"):
            whole = figures[judge]
            print(
                f"  {judge:<9} AP {whole['ap']:.3f}  R5 {whole['recall_5']:.2f}  R10 {whole['recall_10']:.2f}"
                f"  flagged: falsehoods {whole['recall']:.2f}, genuine {whole['false_flags']:.3f}"
            )
            for kind, part in whole["by_kind"].items():
                share = part["false_flags"] if part["recall"] is None else part["recall"]
                print(f"      {kind:<18} {part['n']:>5} texts, flagged {share:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
