"""How fast a pass over many feeds is, side by side with a bare download loop and other feed readers. On demand:

    PYTHONPATH=. python tests/benchmarks/collect.py --feeds 500 2000 --json figures.json

See README.md beside this file for what must be installed and what the columns mean. Everything is measured in one
run, and within each round the contestants take turns, because machines are noisy. Exit 2: it could not be run; 1:
pollwatch itself left work undone, so that its figures mean nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.benchmarks.contestants import Contestant, contestants
from tests.benchmarks.corpus import add_feeds_dir, count_entries, documents
from tests.benchmarks.processes import Usage, adopt_orphans, measure
from tests.benchmarks.report import (
    COLD,
    NOT_MODIFIED,
    ONE_NEW,
    OURS,
    SAME_BODY,
    Figures,
    Measurement,
    table,
    verdicts,
)
from tests.benchmarks.webserver import Site, check_ready

TIMEOUT_S = 1800.0  # for one pass of one contestant
ENOUGH = 0.9  # of the feeds must be answered as planned, and of the new entries be kept; readers refuse some feeds
ENOUGH_COLD = 0.8  # of the entries of a first pass; some readers keep one of two that look alike


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the server does, and the status with which every feed should be answered."""

    name: str
    status: int
    validators: bool = True
    new_entries: bool = False


SCENARIOS = (
    Scenario(COLD, 200),
    Scenario(NOT_MODIFIED, 304),
    Scenario(SAME_BODY, 200, validators=False),
    Scenario(ONE_NEW, 200, new_entries=True),
)


class Bench:
    """Some contestants against one number of feeds."""

    def __init__(self, folder: Path, site: Site, entrants: Sequence[Contestant]) -> None:
        self.folder = folder
        self.site = site
        self.entrants = entrants
        self.entries = sum(map(count_entries, site.originals))
        self.published = datetime.now(UTC) - timedelta(days=1)

    def rounds(self, number: int) -> Iterator[Measurement]:
        """Every contestant from its first pass on, ``number`` times; the order turns from round to round."""
        for round_ in range(number):
            shift = round_ % len(self.entrants)
            yield from self._round(round_, [*self.entrants[shift:], *self.entrants[:shift]])

    def _round(self, round_: int, order: Sequence[Contestant]) -> Iterator[Measurement]:
        self.site.publish(self.published)
        for entrant in order:
            folder = self.folder / entrant.name
            folder.mkdir()
            (folder / "urls").write_text("".join(f"{url}\n" for url in self.site.urls))
            entrant.prepare(folder)
        kept: dict[str, int | None] = {}
        for scenario in SCENARIOS:
            if scenario.new_entries:
                self.site.publish(self.published + timedelta(hours=1), new=f"r{round_}")
            with self.site.serving(validators=scenario.validators):
                for entrant in order:
                    if scenario.status == 304 and entrant.settles:
                        self._run(entrant)
                    measurement = self._measure(entrant, scenario, round_, kept.get(entrant.name))
                    kept[entrant.name] = measurement.items
                    yield measurement
        for entrant in order:
            shutil.rmtree(self.folder / entrant.name)

    def _measure(self, entrant: Contestant, scenario: Scenario, round_: int, before: int | None) -> Measurement:
        folder = self.folder / entrant.name
        earlier = len(self.site.answers())
        usage = self._run(entrant)
        answers = Counter(dict(self.site.answers()[earlier:]).values())  # the last one of each feed
        own = entrant.own_figures(folder)
        items, fault = None, f"ended, it took longer than {TIMEOUT_S:g} s"
        if usage.ended:
            try:
                items = entrant.items(folder)
                fault = own.get("fault", "")
            except (OSError, sqlite3.Error) as error:
                fault = f"it left nothing to count: {error}"
        new = None if items is None else items - (before or 0)
        return Measurement(
            feeds=len(self.site.urls),
            round=round_,
            scenario=scenario.name,
            contestant=entrant.name,
            pass_s=own.get("pass_s", usage.wall_s),
            process_s=usage.wall_s,
            cpu_s=usage.cpu_s,
            peak_mb=usage.peak_rss / 1e6,
            stall_s=own.get("stall_s"),
            items=items,
            items_new=new,
            answers=dict(answers),
            fault=fault or self._undone(scenario, answers, new, own.get("failed", 0)),
        )

    def _run(self, entrant: Contestant) -> Usage:
        folder = self.folder / entrant.name
        os.sync()  # nobody waits for what another wrote
        return measure(entrant.command(), entrant.env(folder), folder, TIMEOUT_S)

    def _undone(self, scenario: Scenario, answers: Counter[int], new: int | None, failed: int) -> str | None:
        """What a pass left undone, in words."""
        feeds = len(self.site.urls)
        if answers[scenario.status] < ENOUGH * feeds:
            return f"only {answers[scenario.status]} of {feeds} feeds were answered {scenario.status}"
        if failed > (1 - ENOUGH) * feeds:
            return f"{failed} feeds failed"
        wanted = {COLD: ENOUGH_COLD * self.entries, ONE_NEW: ENOUGH * feeds}.get(scenario.name, 0)
        if new is not None and new < wanted:
            return f"only {new} new items were kept, not {wanted:.0f} or more"
        return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and folders go with us
    try:
        check_ready(max(options.feeds))
        entrants = contestants([peer for peer in options.peers.split(",") if peer], options.reader_python)
        samples = documents(options.feeds_dir)
    except (ValueError, RuntimeError, OSError) as error:
        print(f"cannot run: {error}", file=sys.stderr)
        return 2
    adopt_orphans()
    everything: list[Measurement] = []
    for feeds in options.feeds:
        with tempfile.TemporaryDirectory(prefix="pollwatch-bench-") as folder:
            site = Site(Path(folder), samples, feeds)
            bench = Bench(Path(folder), site, entrants)
            source = options.feeds_dir or "synthetic ones"
            megabytes = sum(map(len, site.originals)) / 1e6
            print(f"\n{feeds:,} feeds, copies of {len(samples)} from {source}")
            print(f"{megabytes:,.1f} MB, {bench.entries:,} entries; rounds: {options.rounds}", flush=True)
            measurements = []
            for measurement in bench.rounds(options.rounds):
                measurements.append(measurement)
                _progress(measurement)
        everything += measurements
        figures = Figures(measurements)
        print("\n".join([*table(figures), *verdicts(figures, feeds)]), flush=True)
    if options.json:
        machine = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
        data = {"machine": machine, "feeds_dir": options.feeds_dir, "measurements": [asdict(m) for m in everything]}
        options.json.write_text(json.dumps(data, indent=1, default=str) + "\n")
    return 1 if any(m.fault for m in everything if m.contestant == OURS) else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A pass over many feeds, side by side with other feed readers.")
    parser.add_argument("--feeds", type=int, nargs="+", default=[500, 2000], metavar="N", help="Numbers of feeds.")
    add_feeds_dir(parser)
    parser.add_argument("--peers", default="reader,newsboat,sfeed", metavar="NAMES", help="Empty: none.")
    parser.add_argument(
        "--reader-python", default=sys.executable, metavar="FILE", help="The python that has `reader`; default: this."
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="Default: 3.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write every single measurement there as well.")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or min(options.feeds) < 1:
        parser.error("--rounds and --feeds start at 1")
    return options


def _progress(measurement: Measurement) -> None:
    words = f"round {measurement.round + 1}  {measurement.scenario:<13}{measurement.contestant:<10}"
    print(f"{words}{measurement.pass_s:8.2f} s  {measurement.fault or ''}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
