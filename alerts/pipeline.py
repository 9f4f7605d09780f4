"""The flow of DESIGN in one tuple: read it aloud and you know what the program does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from alerts.digest import digest
from alerts.dispatch import dispatch
from alerts.escalate import escalate
from alerts.notify import notify
from alerts.routing import load_routes
from classifiers.assess import assess
from classifiers.group import group
from classifiers.sample import sample
from monitor import tracing
from monitor.collect import collect
from monitor.config import Settings
from monitor.evidence import capture
from monitor.reference import load_facts, load_watchlist
from monitor.search import index
from monitor.store import Store, runs
from monitor.subscribe import subscribe
from monitor.types import StageReport

Stage = Callable[[Store, Settings, datetime], StageReport]

STAGES: tuple[tuple[str, Stage], ...] = (
    ("collect", collect),
    ("subscribe", subscribe),
    ("assess", assess),
    ("group", group),
    ("sample", sample),
    ("index", index),
    ("dispatch", dispatch),
    ("escalate", escalate),
    ("notify", notify),
    ("digest", digest),
    ("capture", capture),  # last: a full disk must not keep the digest back
)
# The daemon's alone, at their own time: a pass does not wait for them.
LEARN = "learn"
PURGE = "purge"


def stages(settings: Settings) -> tuple[tuple[str, Stage], ...]:
    """Those that run with this configuration."""
    return tuple((name, stage) for name, stage in STAGES if name != "capture" or settings.evidence.enabled)


def run_stage(name: str, stage: Stage, store: Store, settings: Settings, clock: Callable[[], datetime]) -> StageReport:
    """Run one stage and keep when it ran and what it did; an error is kept as well and goes on to the caller."""
    with store.write() as connection:
        runs.started(connection, name, clock())
    try:
        with tracing.span(name) as step:
            report = stage(store, settings, clock())
            step.set(**report.counts)
    except Exception as error:
        with store.write() as connection:
            runs.finished(connection, name, clock(), error=f"{type(error).__name__}: {error}")
        raise
    with store.write() as connection:
        runs.finished(connection, name, clock(), report=report.as_json())
    return report


def check_files(settings: Settings) -> None:
    """Read every file that the stages rest on. Raises ConfigError: better now than in the middle of a pass."""
    for look in (load_watchlist, load_facts, load_routes):
        look(settings)


def run_once(
    store: Store,
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, StageReport]:
    """Every stage once, in order; one report for each."""
    reports = {}
    for name, stage in stages(settings):
        progress(f"{name} …")
        reports[name] = run_stage(name, stage, store, settings, clock)
    return reports
