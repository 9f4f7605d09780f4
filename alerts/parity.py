"""Whether candidates and camps are treated alike: who is flagged in error more often than the others.

An item that names a candidate is flagged in error when it was flagged and a person then dismissed it, or found that
what it says is true, opinion or satire. The rate of such items among all that name the candidate, against the same rate
among items that name other candidates only, is the ratio of disparate impact; the four-fifths rule asks that it lie
between 0.8 and 1.25 (Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D). Its interval is the
logarithmic one of Katz, Baptista, Azen and Pike ("Obtaining confidence intervals for the risk ratio in cohort studies",
Biometrics 34, 1978), where a count is zero with half a unit added to each (Walter, "The distribution of Levin's measure
of attributable risk", Biometrika 62, 1975). Copies of one story are no independent errors: all counts are divided by
the design effect, items in error for each incident in error (Rao and Scott, "A simple method for the analysis of
clustered binary data", Biometrics 48, 1992), so that a flood of copies makes nobody look wronged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import exp, log, sqrt
from typing import Any

from alerts.legs import quantile
from monitor.config import Settings
from monitor.reference import in_both, load_watchlist
from monitor.store import Store, parity
from monitor.store.parity import Group
from monitor.types import FALSE_VERDICTS, Candidate, Decision, Names, Said, Verdict

LOWEST, HIGHEST = 0.8, 1.25
Z = 1.959964  # of a standard normal value, 95 % lie within
ENOUGH_ITEMS = 30  # on each side, before anything is warned of
ENOUGH_ERRORS = 5  # incidents flagged in error, on both sides together
DAYS = 7  # that are looked at where nobody says how many
_NOT_FALSE = frozenset({Verdict.TRUE, Verdict.OPINION, Verdict.SATIRE})


@dataclass(frozen=True, slots=True)
class ParityRow:
    """One candidate, or one camp: numbers of items that name it, and how its rate of errors stands to the others'.

    ``name`` and ``camp`` are the first of the watchlist, ``called`` is for people.
    ``dismissed`` are flagged in error. ``ratio``, with the ends of its interval, is None where one side has no item or
    nothing was flagged in error; it ``warns`` when ratio and interval say together that this is no accident.
    """

    key: str
    name: str
    called: Names
    camp: str | None
    items: int
    flagged: int
    decided_false: int
    dismissed: int
    decide_p50_s: float | None  # from the opening of an alert to its decision, nearest rank
    ratio: float | None
    low: float | None
    high: float | None
    warns: bool


@dataclass(frozen=True, slots=True)
class _Tally:
    """Items of a period, counted once by who is named together: each row adds up those that are its own."""

    seen: Mapping[frozenset[str], int]
    flagged: Mapping[frozenset[str], int]
    decided_false: Mapping[frozenset[str], int]
    dismissed: Mapping[frozenset[str], int]
    effect: float  # items in error for each incident in error
    took: Mapping[frozenset[str], Sequence[timedelta]]  # of alerts, by whom any of their items name


@dataclass(frozen=True, slots=True)
class Parity:
    """What is shown of a period, in the order of the watchlist."""

    candidates: tuple[ParityRow, ...] = ()
    camps: tuple[ParityRow, ...] = ()
    warnings: tuple[Said, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "candidates": [asdict(row) for row in self.candidates],
            "camps": [asdict(row) for row in self.camps],
            "warnings": [warning.text for warning in self.warnings],
        }


def read_parity(store: Store, settings: Settings, start: datetime, end: datetime) -> Parity:
    """Parity of the items first seen in [start, end), as far as they were not purged since. Raises ConfigError."""
    _watchlist, file = load_watchlist(settings)
    people = [Candidate(id=entry.id, names=entry.names, party=entry.party) for entry in file.candidate]
    with store.read() as connection:
        return judge(parity.named(connection, start, end), people, file.spoken())


def judge(groups: Iterable[Group], candidates: Sequence[Candidate], called: Mapping[str, Names]) -> Parity:
    """Each candidate, and each camp (the first name of a party), against the others; ``called`` by id. Pure."""
    tally = _tally(groups, frozenset(person.id for person in candidates))
    camps: dict[str, set[str]] = {}
    parties: dict[str, Names] = {}
    for person in candidates:
        if person.party:
            camps.setdefault(person.party[0], set()).add(person.id)
            parties.setdefault(person.party[0], in_both(person.party))
    rows = tuple(
        _row(person.id, person.names[0], called[person.id], next(iter(person.party), None), {person.id}, tally)
        for person in candidates
    )
    sides = tuple(_row(camp, camp, parties[camp], camp, members, tally) for camp, members in camps.items())
    return Parity(rows, sides, tuple(_warning(row) for row in (*rows, *sides) if row.warns))


def _tally(groups: Iterable[Group], people: Set[str]) -> _Tally:
    """Of what names one of ``people``; what names offices alone is left out."""
    seen: Counter[frozenset[str]] = Counter()
    flagged: Counter[frozenset[str]] = Counter()
    decided_false: Counter[frozenset[str]] = Counter()
    dismissed: Counter[frozenset[str]] = Counter()
    incidents: set[int | None] = set()  # in error
    alerts: dict[int | None, tuple[timedelta, frozenset[str]]] = {}
    for group in groups:
        if not (names := group.names & people):
            continue
        seen[names] += group.items
        if not group.flagged:
            continue
        flagged[names] += group.items
        if group.verdict in FALSE_VERDICTS:
            decided_false[names] += group.items
        if _in_error(group):
            dismissed[names] += group.items
            incidents.add(group.incident_id)
        if group.took is not None:
            known = alerts.get(group.alert_id)
            alerts[group.alert_id] = (group.took, known[1] | names if known else names)
    took: dict[frozenset[str], list[timedelta]] = {}
    for span, names in alerts.values():
        took.setdefault(names, []).append(span)
    effect = dismissed.total() / len(incidents) if incidents else 1.0
    return _Tally(seen, flagged, decided_false, dismissed, effect, took)


def _row(key: str, name: str, called: Names, camp: str | None, members: Set[str], tally: _Tally) -> ParityRow:
    """How those fare that name one of ``members``, against all others of the tally."""
    items, flagged, decided_false, own = (
        sum(count for names, count in counts.items() if names & members)
        for counts in (tally.seen, tally.flagged, tally.decided_false, tally.dismissed)
    )
    others = sum(tally.seen.values()) - items
    errors, effect = sum(tally.dismissed.values()), tally.effect
    ratio = low = high = None
    if errors and items and others:
        ratio, low, high = risk_ratio(own / effect, items / effect, (errors - own) / effect, others / effect)
    p50 = quantile(sorted(span for names, spans in tally.took.items() if names & members for span in spans), 50)
    enough = min(items, others) >= ENOUGH_ITEMS and errors / effect >= ENOUGH_ERRORS
    return ParityRow(
        key=key,
        name=name,
        called=called,
        camp=camp,
        items=items,
        flagged=flagged,
        decided_false=decided_false,
        dismissed=own,
        decide_p50_s=None if p50 is None else p50.total_seconds(),
        ratio=ratio,
        low=low,
        high=high,
        warns=enough and ratio is not None and low is not None and high is not None and _is_apart(ratio, low, high),
    )


def _in_error(group: Group) -> bool:
    return group.decision is Decision.DISMISS or group.verdict in _NOT_FALSE


def _is_apart(ratio: float, low: float, high: float) -> bool:
    return not LOWEST <= ratio <= HIGHEST and not low <= 1 <= high


def risk_ratio(a: float, n: float, b: float, m: float) -> tuple[float, float, float]:
    """``a`` of ``n`` against ``b`` of ``m``: the ratio of the two rates and the ends of its interval of 95 %.

    Neither ``n`` nor ``m`` is zero. Where ``a`` or ``b`` is, half a unit is added to each of the four.
    """
    if not a or not b:
        a, n, b, m = (count + 0.5 for count in (a, n, b, m))
    ratio = (a / n) / (b / m)
    spread = Z * sqrt(max(0.0, 1 / a - 1 / n + 1 / b - 1 / m))
    return ratio, exp(log(ratio) - spread), exp(log(ratio) + spread)


def _warning(row: ParityRow) -> Said:
    return Said(
        "what names {name} was flagged in error {ratio} times as often as what names the others "
        "(95 % interval {low} to {high}): read why it was dismissed, and see `pollwatch parity`",
        {"name": row.called, **{key: f"{getattr(row, key):.2f}" for key in ("ratio", "low", "high")}},
    )
