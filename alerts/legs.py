"""How long each leg takes from the publication of a falsehood to its clarification: p50 and p90, never means. Pure.

A quantile is the nearest rank (Hyndman and Fan 1996, "Sample Quantiles in Statistical Packages", definition 1): the
shortest time within which at least that share of them went. It is a time that really occurred, and "p90 is 12 minutes"
says that nine of ten took 12 minutes or less. What has not reached the end of a leg is not in it; ``n`` says how many
are. A publication that a feed dates after we saw it tells nothing of the feed's lag and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from monitor.types import Passage


@dataclass(frozen=True, slots=True)
class Leg:
    """From one instant of a passage to another; ``lag`` says whose time it is: the feed's, the program's, people's."""

    name: str
    lag: str
    start: str
    end: str


LEGS = (
    Leg("feed", "feed", "published_at", "seen_at"),
    Leg("flag", "program", "seen_at", "flagged_at"),
    Leg("alert", "program", "flagged_at", "alerted_at"),
    Leg("take", "people", "alerted_at", "taken_at"),
    Leg("decide", "people", "taken_at", "decided_at"),
    Leg("people", "people", "alerted_at", "decided_at"),
    Leg("clarify", "people", "decided_at", "clarified_at"),
    Leg("whole", "all", "seen_at", "clarified_at"),
)
# Where nobody asks for a period of his own, the clocks are those of its newest so many alerts: more than any desk has,
# and soon counted. ``n`` says how many went each way.
MEASURED = 5000
GROUPS: tuple[tuple[str, Callable[[Passage], str]], ...] = (
    ("lang", lambda passage: passage.lang),
    ("role", lambda passage: passage.role),
    ("claim_type", lambda passage: passage.claim_type or "unclear"),
)


def measure(passages: Iterable[Passage]) -> dict[str, Any]:
    """``alerts`` (how many), ``legs`` of all, and ``by`` language, outlet role and claim type the legs of each.

    Legs by name, each with ``lag, n, p50, p90``; minutes, None where nothing went that way.
    """
    times: dict[tuple[str, str], dict[str, list[timedelta]]] = {}
    count = 0
    for passage in passages:
        count += 1
        took = [(leg.name, span) for leg in LEGS if (span := _span(passage, leg)) is not None]
        for group in (("", ""), *((name, value(passage)) for name, value in GROUPS)):
            lists = times.setdefault(group, {leg.name: [] for leg in LEGS})
            for name, span in took:
                lists[name].append(span)
    by = {
        name: {value: _quantiles(lists) for (group, value), lists in sorted(times.items()) if group == name}
        for name, _ in GROUPS
    }
    return {"alerts": count, "legs": _quantiles(times.get(("", ""), {})), "by": by}


def quantile(ordered: Sequence[timedelta], percent: int) -> timedelta | None:
    """The nearest rank of ``percent``, 1 … 100, in spans that stand in order; None of none."""
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None


def _span(passage: Passage, leg: Leg) -> timedelta | None:
    start, end = getattr(passage, leg.start), getattr(passage, leg.end)
    if start is None or end is None or end < start:
        return None
    span: timedelta = end - start
    return span


def _quantiles(lists: dict[str, list[timedelta]]) -> dict[str, dict[str, Any]]:
    found = {}
    for leg in LEGS:
        spans = sorted(lists.get(leg.name, ()))
        p50, p90 = (_minutes(quantile(spans, percent)) for percent in (50, 90))
        found[leg.name] = {"lag": leg.lag, "n": len(spans), "p50": p50, "p90": p90}
    return found


def _minutes(span: timedelta | None) -> float | None:
    return None if span is None else round(span / timedelta(minutes=1), 2)
