"""Training from the seeds and from what reviewers decided: the one way back, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from classifiers import registry
from classifiers.examples import IMPERSONATION_TYPES, Example, seed_examples
from classifiers.mask import Mask
from monitor.config import Settings
from monitor.reference import load_watchlist
from monitor.store import Store, models
from monitor.types import FALSE_VERDICTS, ClaimType, Decision, Label, Lang, Stance

STREAM = 5_000  # of the newest items, for the background
# Of the reasons to dismiss, those that speak of the text: a copy of a falsehood or somebody else's scam is no example
# of a genuine text.
_GENUINE_REASONS = frozenset({"not-false", "opinion", "satire"})


def train(store: Store, settings: Settings, now: datetime, extra_rows: Sequence[Example] = ()) -> str:
    """Train on the seeds, the reviewers' decisions and ``extra_rows``; register without promoting; returns the id.

    How common words are is learned from what the feeds brought lately, too. In a store without items, decisions and
    extra rows this is the model that the seeds alone give.
    """
    mask = Mask(load_watchlist(settings)[0].candidates.values())
    with store.read() as connection:
        reviewed = [example for row in models.reviewed(connection) if (example := from_decision(row))]
        stream = models.recent_texts(connection, STREAM)
    learned = [replace(example, text=mask(example.text)) for example in (*reviewed, *extra_rows)]
    with store.lock("train", wait_s=120):
        prefix = "reviewed" if learned else registry.SEED
        return registry.register(store, [*seed_examples(), *learned], now, prefix, stream)


def from_decision(row: Mapping[str, Any]) -> Example | None:
    """What a decision teaches about its item (a row of ``models.reviewed``); None when it teaches nothing. Pure.

    `dismiss` says genuine, if its reason speaks of the text. `clarify` with the verdict false, misleading or partly
    false says that the text was what its assessment took it for. `refer` says impersonation if the claim type is one.
    Stance and claim type are learned with a confirmed falsehood only: nobody looked at those of a dismissed text.
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
    return Example(row["text"], label, Lang(row["lang"]), Stance(row["stance"]), claim_type)
