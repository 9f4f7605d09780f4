"""From single measurements to the table and the targets of issue 3. Pure: numbers in, lines out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

RAW, FLOOR, OURS = "raw", "floor", "pollwatch"
_NO_PEERS = (RAW, FLOOR, OURS)
COLD, NOT_MODIFIED, SAME_BODY, ONE_NEW = "cold", "all 304", "same body", "one new each"
SCENARIOS = (COLD, NOT_MODIFIED, SAME_BODY, ONE_NEW)

TARGET_FEEDS = 2_000
STALL_S = 0.3
PEAK_MB = 250


@dataclass(frozen=True, slots=True)
class Measurement:
    """One pass of one contestant. Bytes are given in MB of 10⁶."""

    feeds: int
    round: int
    scenario: str
    contestant: str
    pass_s: float  # the library's own call; of a program, the whole of it
    process_s: float
    cpu_s: float
    peak_mb: float  # sum of RSS over all processes
    stall_s: float | None  # of pollwatch's event loop
    items: int | None  # kept after the pass
    items_new: int | None  # more than before it
    answers: dict[int, int]  # feeds by the status they were answered with last
    fault: str | None  # what was left undone; such a pass is not called fast


@dataclass(frozen=True, slots=True)
class Target:
    """``words`` name what ``value`` is; it must not be above ``most``, or not below ``least``. None: not measured."""

    words: str
    value: float | None
    most: float = math.inf
    least: float = 0.0

    @property
    def verdict(self) -> str:
        """Whether it holds."""
        if self.value is None:
            return "not measured"
        return "holds" if self.least <= self.value <= self.most else "MISSED"


class Figures:
    """What the passes over one number of feeds say together."""

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self._all = measurements

    def of(self, scenario: str, contestant: str) -> list[Measurement]:
        """The passes of a contestant, in order of rounds."""
        found = [m for m in self._all if m.scenario == scenario and m.contestant == contestant]
        return sorted(found, key=lambda m: m.round)

    def faults(self, scenario: str, contestant: str) -> list[str]:
        """What was left undone in any round."""
        return [m.fault for m in self.of(scenario, contestant) if m.fault]

    def contestants(self, scenario: str) -> list[str]:
        """The raw loop, the floor, pollwatch, then the peers in order of name."""
        names = {m.contestant for m in self._all if m.scenario == scenario}
        return sorted(names, key=lambda name: (_NO_PEERS.index(name) if name in _NO_PEERS else len(_NO_PEERS), name))

    def ratio(self, scenario: str, one: str | None, other: str | None) -> float | None:
        """How many times longer than ``other`` the pass of ``one`` took: median over rounds of each round's ratio.

        None when one of them did not take part or left work undone.
        """
        pair = [self.of(scenario, name) for name in (one, other) if name and not self.faults(scenario, name)]
        if len(pair) < 2 or not all(pair):
            return None
        mine, theirs = pair
        return median(a.pass_s / b.pass_s for a, b in zip(mine, theirs, strict=True))

    def fastest_peer(self, scenario: str) -> str | None:
        """The peer with the shortest median pass among those that did all their work."""
        names = [n for n in self.contestants(scenario) if n not in _NO_PEERS and not self.faults(scenario, n)]
        return min(names, key=lambda name: median(m.pass_s for m in self.of(scenario, name)), default=None)


def targets(figures: Figures) -> Iterator[Target]:
    """The targets that issue 3 sets for 2,000 feeds, with what was measured."""
    for scenario, of_raw, faster in ((NOT_MODIFIED, 1.5, 8), (SAME_BODY, 1.7, 15), (ONE_NEW, 4.0, 5)):
        ratio = figures.ratio(scenario, OURS, RAW)
        yield Target(f"{scenario}: at most {of_raw} x the raw loop", ratio, most=of_raw)
        peer = figures.fastest_peer(scenario)
        words = f"{scenario}: at least {faster} x faster than the fastest peer ({peer or 'none'})"
        yield Target(words, figures.ratio(scenario, peer, OURS), least=faster)
    yield Target(f"{COLD}: no slower than sfeed", figures.ratio(COLD, OURS, "sfeed"), most=1.0)
    yield Target(f"{COLD}: at least 3 x faster than reader", figures.ratio(COLD, "reader", OURS), least=3)
    ours = [m for scenario in SCENARIOS for m in figures.of(scenario, OURS)]
    whole = not any(m.fault for m in ours)
    stall_s = max((m.stall_s for m in ours if m.stall_s is not None), default=None) if whole else None
    yield Target(f"the event loop never stalls longer than {STALL_S} s", stall_s, most=STALL_S)
    peak_mb = max(m.peak_mb for m in ours) if whole else None
    yield Target(f"peak memory under {PEAK_MB} MB, workers included", peak_mb, most=PEAK_MB)


def table(figures: Figures) -> Iterator[str]:
    """One block for each scenario; medians over the rounds, maxima of memory and stalls."""
    heads = ("pass s", "process s", "x raw", "x peer", "CPU s", "peak MB", "stall s", "items", "new")
    for scenario in SCENARIOS:
        peer = figures.fastest_peer(scenario)
        yield ""
        yield f"{scenario:<13}" + "".join(f"{head:>10}" for head in heads) + "  answers"
        for name in figures.contestants(scenario):
            passes = figures.of(scenario, name)
            cells = (
                _number(median(m.pass_s for m in passes), 2),
                _number(median(m.process_s for m in passes), 2),
                _number(figures.ratio(scenario, name, RAW), 2),
                _number(figures.ratio(scenario, name, peer), 3),
                _number(median(m.cpu_s for m in passes), 2),
                _number(max(m.peak_mb for m in passes), 0),
                _number(max((m.stall_s for m in passes if m.stall_s is not None), default=None), 3),
                _number(passes[-1].items, 0),
                _number(passes[-1].items_new, 0),
            )
            answers = " ".join(f"{status}:{count}" for status, count in sorted(passes[-1].answers.items()))
            yield f"  {name:<11}{''.join(f'{cell:>10}' for cell in cells)}  {answers}"
            yield from (f"    left undone: {fault}" for fault in figures.faults(scenario, name))


def verdicts(figures: Figures, feeds: int) -> Iterator[str]:
    """The targets, each with its figure and whether it holds."""
    yield ""
    yield "targets" + ("" if feeds == TARGET_FEEDS else f" (they are set for {TARGET_FEEDS:,} feeds)")
    for target in targets(figures):
        yield f"  {target.verdict:<13}{_number(target.value, 2):>8}  {target.words}"


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:,.{places}f}"
