"""What a model learns from, and with what weight: seeds, decisions, refutations that come in by themselves. Pure."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Any

from classifiers.examples import IMPERSONATION_TYPES, Example, seed_examples
from classifiers.mask import Mask
from classifiers.terms import DENIAL
from monitor.text import fold
from monitor.types import FALSE_VERDICTS, ClaimType, Decision, Label, Lang, Stance

# By tests/benchmarks/warm.py, 600 reviews of real text beside 2,506 seeds, each of which weighs 1. Average precision of
# Chinese at a weight of 4 is 0.62, at 16 0.64, and as many refutations stand in the top tenth; of English at 16 0.93.
REVIEWED_WEIGHT = 16.0  # of one decision, however many copies of the text it was about
# So many of the newest refutations are learned, or this share of what was reviewed where that is more. Of those never
# seen, without them 6 % (English) and 11 % (Chinese) stand in the top tenth; with a share of 0.1, 3 and 8 %; with 0.2,
# 3 and 5 %, at a cost of 0.03 and 0.01 of average precision.
REFUTATIONS = 40
REFUTATION_SHARE = 0.2
HELD_BACK = 5  # one decision in so many is never trained on: candidates are measured with it

# Of the reasons to dismiss, those that speak of the text: a copy of a falsehood or somebody else's scam is no example
# of a genuine text.
_GENUINE_REASONS = frozenset({"not-false", "opinion", "satire"})


class Origin(StrEnum):
    """Where a lesson comes from."""

    SEEDS = "seeds"
    REVIEWED = "reviewed"
    REFUTATIONS = "refutations"
    LABELS = "labels"  # rows of a file


@dataclass(frozen=True, slots=True)
class Lesson:
    """One row that a model learns from; the names in its text are masked."""

    example: Example
    origin: Origin
    weight: float = 1.0
    item_id: int | None = None
    incident_id: int | None = None

    @property
    def decisions(self) -> float:
        """How many decisions of people it stands for: a part of one where an incident has several copies."""
        return self.weight / REVIEWED_WEIGHT if self.origin in {Origin.REVIEWED, Origin.LABELS} else 0.0


def seed_lessons() -> list[Lesson]:
    """The examples that ship with the program."""
    return [Lesson(example, Origin.SEEDS) for example in seed_examples()]


def label_lessons(rows: Iterable[Example], mask: Mask) -> list[Lesson]:
    """Rows that a team labelled itself."""
    return [Lesson(_masked(row, mask), Origin.LABELS, REVIEWED_WEIGHT) for row in rows]


def decision_lessons(rows: Iterable[Mapping[str, Any]], mask: Mask) -> tuple[list[Lesson], list[Lesson]]:
    """What decisions teach (rows of ``models.reviewed``): to train on, and held back.

    An incident is held back as a whole, for its items are copies, and its items share the weight of one decision: a
    flood of copies counts no more than one text.
    """
    taught = [(row, example) for row in rows if (example := from_decision(row))]
    copies = Counter(row["incident_id"] for row, _ in taught)
    lessons = [
        Lesson(
            _masked(example, mask),
            Origin.REVIEWED,
            REVIEWED_WEIGHT / copies[row["incident_id"]],
            row["id"],
            row["incident_id"],
        )
        for row, example in taught
    ]
    held = [is_held_back(f"incident:{lesson.incident_id}") for lesson in lessons]
    return _split(lessons, held)


def refutation_lessons(
    rows: Iterable[Mapping[str, Any]], reviewed: int, mask: Mask
) -> tuple[list[Lesson], list[Lesson]]:
    """Refutations among the items of trusted feeds (rows of ``models.answers``, newest first): to train on, held back.

    Trained on are the newest ones in proportion to the ``reviewed`` rows, see ``refutations_wanted``.
    """
    lessons = [
        Lesson(
            Example(mask(row["text"]), Label.GENUINE, Lang(row["lang"]), Stance.REFUTES),
            Origin.REFUTATIONS,
            item_id=row["id"],
        )
        for row in rows
        if refutes(row["text"], Stance(row["stance"]))
    ]
    trained, held = _split(lessons, [is_held_back(f"item:{lesson.item_id}") for lesson in lessons])
    return trained[: refutations_wanted(reviewed)], held


def refutes(text: str, stance: Stance) -> bool:
    """Whether a text of a trusted feed takes something back: the model says so, or one of its words does."""
    return stance is Stance.REFUTES or DENIAL.search(fold(text)) is not None


def refutations_wanted(reviewed: int, least: int = REFUTATIONS, share: float = REFUTATION_SHARE) -> int:
    """How many refutations are learned beside so many reviewed rows."""
    return max(least, round(share * reviewed))


def is_held_back(subject: str) -> bool:
    """Whether something is never trained on: one in HELD_BACK, the same ones for ever and everywhere."""
    return int.from_bytes(hashlib.sha256(subject.encode()).digest()[:8], "big") % HELD_BACK == 0


def from_decision(row: Mapping[str, Any]) -> Example | None:
    """What a decision teaches about its item (a row of ``models.reviewed``); None when it teaches nothing.

    `dismiss` says genuine, if its reason speaks of the text. `clarify` with the verdict false, misleading or partly
    false says that the text was what its assessment took it for. `refer` says impersonation if the claim type is one.
    Stance and claim type are learned with a confirmed falsehood only: nobody looked at those of a dismissed text.
    The stance is the assessment's, see ``confirmed_stance``.
    """
    claim_type = ClaimType(row["claim_type"]) if row["claim_type"] else None
    decision, verdict = Decision(row["decision"]), row["verdict"]
    if decision is Decision.DISMISS:
        if row["reason"].partition(":")[0].strip() not in _GENUINE_REASONS:
            return None
        return Example(row["text"], Label.GENUINE, Lang(row["lang"]))
    if decision is Decision.CLARIFY and verdict in FALSE_VERDICTS:
        label = Label(row["label"])
        if label is Label.GENUINE:
            label = Label.FALSE_INFORMATION
    elif decision is Decision.REFER and claim_type in IMPERSONATION_TYPES:
        label = Label.IMPERSONATION
    else:
        return None
    return Example(row["text"], label, Lang(row["lang"]), confirmed_stance(Stance(row["stance"])), claim_type)


def confirmed_stance(stance: Stance) -> Stance:
    """The stance of a confirmed falsehood that was taken for one of ``stance``: it refutes nothing, whatever it says.

    Else what resembles it would go on counting half, as the words of those who refute.
    """
    return Stance.ASSERTS if stance is Stance.REFUTES else stance


def digest(lessons: Iterable[Lesson], stream: Iterable[str] = ()) -> str:
    """SHA-256 of what a model learns from, texts with and without labels, in hexadecimal; the order counts."""
    told = (_line({**asdict(lesson.example), "weight": lesson.weight}) for lesson in lessons)
    summed, apart = hashlib.sha256(), ""
    for line in chain(told, map(_line, stream)):
        summed.update((apart + line).encode())
        apart = "\n"
    return summed.hexdigest()


def pack(lessons: Iterable[Lesson]) -> bytes:
    """Lessons as compressed JSON Lines, as they are kept beside the model."""
    packer, packed = zlib.compressobj(), bytearray()
    for lesson in lessons:
        kept = {"origin": lesson.origin, "item_id": lesson.item_id, "weight": lesson.weight, **asdict(lesson.example)}
        packed += packer.compress(f"{_line(kept)}\n".encode())
    return bytes(packed + packer.flush())


def unpack(packed: bytes) -> list[dict[str, Any]]:
    """The rows of ``pack``: ``origin, item_id, weight, text, label, lang, stance, claim_type``."""
    return [json.loads(line) for line in zlib.decompress(packed).decode().split("\n") if line]


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _masked(example: Example, mask: Mask) -> Example:
    return replace(example, text=mask(example.text))


def _split(lessons: Sequence[Lesson], held: Sequence[bool]) -> tuple[list[Lesson], list[Lesson]]:
    pairs = list(zip(lessons, held, strict=True))
    return [lesson for lesson, back in pairs if not back], [lesson for lesson, back in pairs if back]
