"""The card of a model: what it learned from, how good it is and for whom, where it fails, what it is and is not for.

Made once, when a model is registered, and kept beside it: what is said of a model cannot change afterwards. After
Mitchell and others, "Model cards for model reporting" (FAT* 2019). Pure.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifiers import evaluate, fairness
from classifiers.figures import LEVEL, reliability
from classifiers.heads import Array
from classifiers.lessons import Lesson, Origin
from classifiers.mask import HIDDEN
from classifiers.model import Model
from monitor.types import Lang, Said

RESAMPLES = 200  # of its intervals: a card is made at every training
FAILURES = 3  # of each kind and language that are shown
_GAP = "▯"  # where a name was

# What is said of every model. Kept in each card, so that it says what was said when the model was made.
IS = (
    Said(
        "It ranks texts by how much they look like known kinds of falsehood around an election. It does not know what "
        "is true: a score is a reason for a person to look, never a finding."
    ),
    Said(
        "Its figures are of texts that it learned from, each judged by a part of the model that had not seen it. Of "
        "the seeds nearly half are falsehoods, and their contrasts are hard on purpose; of your feeds perhaps one in a "
        "hundred is. Measure it on your own: `pollwatch models evaluate`."
    ),
    Said("Names, parties, constituencies and gender are hidden from it."),
)
READS_STYLE = Said(
    "Of how a text is written it counts exclamation marks, quotation marks, hashtags and words like I and we. They add "
    "little to a score, and each text says how much."
)
READS_LEXEMES = Said(
    "Of Chinese texts it reads words, as a dictionary cuts them, beside characters and pairs of them: the more was "
    "decided on Chinese texts, the more they count."
)
READS_VECTORS = Said(
    "It reads sentence vectors as well, of a network that others trained on text of the web. What they add to a score "
    "is one number among its reasons: nobody can say which words of the text it comes from."
)
INTENDED = (
    Said("Putting public items of feeds in the order in which reviewers look at them."),
    Said("Learning from reviewers' decisions, in the hands of a team that is held to account for them."),
)
FORBIDDEN = (
    Said("Deciding, publishing, reporting or taking anything down without two people."),
    Said("Judging authors, opinions or satire, or private messages; building a profile of anybody."),
    Said("Saying that somebody lied, or broke a law, because of a score."),
    Said("Counting how many falsehoods there are: what is flagged is neither all of them nor them alone."),
)


@dataclass(frozen=True)
class Card:
    """What is said of one model, as JSON values.

    - ``model``, ``data_sha256``, ``threshold``;
    - ``training``: rows by ``origin``, ``lang`` and ``label``;
    - ``figures``: see ``evaluate.measure``; by language, stance, claim type, and origin where there are several; with
      ``level`` and ``resamples`` of the intervals;
    - ``reliability``: of each tenth of the scale the mean score, the share that is suspicious, and how many texts;
    - ``failures``: ``missed`` and ``mistaken``, each with ``text, lang, stance, claim_type, score``;
    - ``fairness``: see ``fairness.measure``;
    - ``says``: sentences of what it ``is``, what it is ``intended`` for, and what it is ``forbidden`` for.
    """

    facts: Mapping[str, Any]

    def dumps(self) -> bytes:
        """As it is kept: one JSON object with sorted keys, in UTF-8."""
        return json.dumps(self.facts, ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def loads(cls, kept: bytes) -> Card:
        """The inverse of ``dumps``."""
        return cls(json.loads(kept))


def card(model_id: str, data_sha256: str, model: Model, lessons: Sequence[Lesson], scores: Array) -> Card:
    """The card of a model that was trained on ``lessons``; ``scores`` are theirs by heads that had not seen them."""
    examples = [lesson.example for lesson in lessons]
    truth = np.array([example.suspicious for example in examples], dtype=bool)
    flagged = scores >= model.threshold
    groups = {
        "origin": [str(lesson.origin) for lesson in lessons],
        "lang": [str(example.lang) for example in examples],
        "stance": [str(example.stance or "") for example in examples],
        "claim_type": [str(example.claim_type or "") for example in examples],
    }
    measured = {name: words for name, words in groups.items() if len(set(words)) > 1}
    judged = evaluate.Evaluation(truth, groups, {"model": (scores, flagged)}).judged("model")
    labels = [str(example.label) for example in examples]
    more = [(READS_LEXEMES, model.features.lexemes), (READS_VECTORS, model.centre is not None)]
    is_ = [*IS, READS_STYLE, *(said for said, reads in more if reads)]
    return Card(
        {
            "model": model_id,
            "data_sha256": data_sha256,
            "threshold": round(model.threshold, 4),
            "training": {
                **{name: dict(sorted(Counter(groups[name]).items())) for name in ("origin", "lang")},
                "label": dict(sorted(Counter(labels).items())),
            },
            "figures": {
                **evaluate.measure(truth, scores, flagged, measured, RESAMPLES),
                "level": LEVEL,
                "resamples": RESAMPLES,
            },
            "reliability": [[round(mean, 4), round(share, 4), n] for mean, share, n in reliability(judged)],
            "failures": _failures(lessons, scores, flagged),
            "fairness": fairness.measure(model),
            "says": {
                name: [said.form for said in sentences]
                for name, sentences in (("is", is_), ("intended", INTENDED), ("forbidden", FORBIDDEN))
            },
        }
    )


def _failures(lessons: Sequence[Lesson], scores: Array, flagged: Array) -> dict[str, list[dict[str, Any]]]:
    """The worst mistakes of each language: falsehoods that score lowest, genuine texts that score highest.

    Of the seeds alone: they are invented, and texts of outlets are kept no longer than they may be.
    """
    found: dict[str, list[dict[str, Any]]] = {"missed": [], "mistaken": []}
    order = np.argsort(scores, kind="stable")
    for kind, suspicious, places in (("missed", True, order), ("mistaken", False, order[::-1])):
        left = dict.fromkeys(Lang, FAILURES)
        for place in places:
            lesson = lessons[place]
            example = lesson.example
            wrong = example.suspicious is suspicious and bool(flagged[place]) is not suspicious
            if wrong and lesson.origin is Origin.SEEDS and left[example.lang]:
                left[example.lang] -= 1
                found[kind].append(
                    {
                        "text": _GAP.join(part for part in example.text.split(HIDDEN) if part),
                        "lang": str(example.lang),
                        "stance": example.stance and str(example.stance),
                        "claim_type": example.claim_type and str(example.claim_type),
                        "score": round(float(scores[place]), 3),
                    }
                )
    return found
