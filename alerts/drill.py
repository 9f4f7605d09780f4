"""`drill`: a scripted or recorded day, served on loopback and replayed through the real stages in a store of its own.

At full speed the stages are given the day's own instants and nobody waits. At a pace the day begins now, its instants
are moved, and the clock on the wall is the clock: so people can work on the real desk in the drill's folder.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alerts import pipeline
from alerts.drill_people import Crew
from alerts.drill_report import Threshold, report
from alerts.drill_script import Model, Plant, Script, settings_data
from alerts.drill_serve import Served
from classifiers import registry
from classifiers.scoring import UNNAMED_MARGIN
from monitor import config, seeds
from monitor.config import Settings
from monitor.errors import ConfigError, InputError
from monitor.store import Store, feeds, migrate, open_store, traces

_COPIED = ("routes.toml", "rota.toml")  # of the starter
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How a drill passes: at full speed (``speed`` None), or so many times as fast as the wall's clock."""

    speed: float | None
    now: Callable[[], datetime]

    def begin(self, script: Script) -> Script:
        """The script as it is to be played."""
        return script if self.speed is None else script.moved(self.now(), self.speed)

    def pass_s(self, script: Script, tick_s: int) -> float:
        """Seconds between two passes: those of the script; at a pace so many of its day, at most the daemon's tick."""
        asked = script.header.pass_s
        return asked if self.speed is None else max(min(asked / self.speed, tick_s), 1.0)

    def interval_s(self, script: Script) -> int | None:
        """How often a feed is asked where the day is made short; None: as its rhythm says, which is for whole days."""
        return None if self.speed is None or self.speed <= 1 else max(round(script.header.pass_s / self.speed), 1)

    def wait(self, instant: datetime) -> None:
        """Return at ``instant``; at full speed at once."""
        while self.speed is not None and (left := (instant - self.now()).total_seconds()) > 0:
            time.sleep(min(left, 1.0))


def run(script: Script, folder: Path, pace: Pace, model: Model | None, seed: int, say: Say) -> dict[str, Any]:
    """Play ``script`` in ``folder`` and return its report (see ``drill_report.report``); folder and store are left.

    ``model`` works the queue; None: nobody, or people on the desk. Raises InputError for a folder in use, ConfigError
    for wrong files of the drill.
    """
    begun = time.monotonic()
    settings = make_folder(script, folder, pace.speed)
    store = open_store(settings.database_url, must_exist=False)
    try:
        migrate.upgrade(store)
        model_id, learned = registry.live(store, script.start)
        own = settings.assess.threshold
        threshold = Threshold(learned.threshold if own is None else own, UNNAMED_MARGIN)
        played = pace.begin(script)  # not before everything is ready: a clock on the wall does not wait
        if played is not script:
            settings = write_settings(played, folder, pace.speed)
        pipeline.check_files(settings)
        with Served(played).open() as served:
            names = _add_feeds(store, played, served.addresses, pace.interval_s(played))
            counts = f"{len(played.stories)} items of {len(names)} feeds, {len(played.plants)} planted"
            say(f"{played.header.drill}: {counts}")
            crew = Crew(store, settings, model, seed, _truth(store, played, names)) if model else None
            _play(store, settings, played, served, pace, crew, say)
        with store.read() as connection:
            found = report(played, names, traces.of_items(connection), traces.of_alerts(connection), threshold)
    finally:
        store.close()
    return {
        "drill": script.header.drill,
        "zone": script.header.zone,
        "seed": seed,
        "speed": pace.speed or "max",
        "model": model_id,
        "reviewers": model.model_dump() if model else None,
        **found,
        "seconds": round(time.monotonic() - begun, 1),
    }


def make_folder(script: Script, folder: Path, speed: float | None) -> Settings:
    """A fresh folder for a drill, which nothing outside of it has a part in. Raises InputError, ConfigError."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError(str(folder), "is not empty; name another folder (--folder)")
    texts = {name: seeds.text(name) for name in _COPIED}
    for name, own in (("watchlist.toml", script.header.watchlist), ("facts.toml", script.header.facts)):
        texts[name] = seeds.text(name) if own is None else _read(script.beside(own))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(folder), f"cannot be written: {error.strerror}") from error
    return write_settings(script, folder, speed)


def write_settings(script: Script, folder: Path, speed: float | None) -> Settings:
    """Write the drill's configuration and read it, without what the environment says of the real desk."""
    lines = []
    for section, keys in settings_data(script, speed).items():
        lines += [f"[{section}]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items())]
    file = folder / config.DEFAULT_FILE
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    try:
        return config.load_file(file, environment=False)
    except ConfigError as error:
        raise InputError(f"{script.file}: {error.key}", error.mend) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"cannot be read: {error}") from error


def _add_feeds(store: Store, script: Script, addresses: Mapping[str, str], interval_s: int | None) -> dict[str, str]:
    """Add the feeds of a script; returns their names by the address that the store knows them by."""
    names = {}
    with store.write() as connection:
        for entry in script.header.feeds:
            feed, _ = feeds.add(
                connection,
                addresses[entry.feed],
                script.start,
                interval_s=interval_s,
                outlet=entry.outlet,
                role=entry.role,
                lang=entry.lang,
                enabled=True,
            )
            names[feed.url] = entry.feed
    return names


def _truth(store: Store, script: Script, names: Mapping[str, str]) -> Callable[[int], Plant | None]:
    def plant_of(incident_id: int) -> Plant | None:
        with store.read() as connection:
            members = traces.members(connection, incident_id)
        ids = [script.claims.get(script.named(names.get(url, ""), guid, link)) for url, guid, link in members]
        return next((script.plants[id] for id in ids if id), None)

    return plant_of


def _play(
    store: Store, settings: Settings, script: Script, served: Served, pace: Pace, crew: Crew | None, say: Say
) -> None:
    """Every pass and every act of the crew in the order of time."""
    passed = timedelta(seconds=pace.pass_s(script, settings.daemon.tick_s))
    next_pass, told = script.start, script.start
    while next_pass <= script.end:
        acts_at = crew.next_at if crew else None
        if crew and acts_at is not None and acts_at < next_pass:
            pace.wait(acts_at)
            crew.act()
            continue
        pace.wait(next_pass)
        now = next_pass if pace.speed is None else pace.now()
        served.advance(now)
        # One instant for all stages of a pass: how long the program itself takes is not what a drill measures.
        pipeline.run_once(store, settings, lambda now=now: now)  # type: ignore[misc]  # bound to this pass
        if crew:
            crew.look(now)
        next_pass = now + passed
        if now - told >= timedelta(hours=1):
            told = now
            say(f"{now.astimezone(script.zone):%H:%M} …")
