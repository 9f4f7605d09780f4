"""Is everything well? The configuration's faults, and the health of feeds, queue, clocks, model and daemon."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from alerts import clarifications, digest, notify, paper, senders
from alerts.legs import MEASURED, measure
from alerts.outage import clock_went_back, unreached
from alerts.parity import DAYS, read_parity
from alerts.pipeline import LEARN, PURGE, stages
from alerts.policy import LEAD
from alerts.receivers import address
from alerts.rota import load_rota
from alerts.routing import Route, load_routes, rota_problems
from classifiers import registry
from monitor import config, health, seeds
from monitor.config import Settings
from monitor.errors import ConfigError, PollwatchError
from monitor.reference import load_facts, load_watchlist
from monitor.starter import STARTERS
from monitor.store import Store, engine, evidence, fleet, migrate, open_store, passages, runs, subscriptions, summary
from monitor.store import coverage as covered
from monitor.store import feeds as feed_rows
from monitor.types import Mode, Subscription
from monitor.types.said import counted

SHOWN = 10  # hubs that fail, by name


def check_configuration(given: str | None) -> list[str]:
    """Every fault of the configuration and of the files it names, a sentence each; empty when all is well."""
    try:
        settings = config.load(given)
    except ConfigError as error:
        return [str(error)]
    problems = []
    for look in (load_watchlist, load_facts, load_routes, _check_password, _check_paper, _check_evidence, _check_store):
        try:
            look(settings)
        except PollwatchError as error:
            problems.append(str(error))
    rota = [] if problems else rota_problems(settings)
    return problems + rota + _receiver_problems(settings)


def unset(settings: Settings) -> list[str]:
    """What is not wrong and yet probably not meant: a sentence each."""
    notes = []
    if not settings.digest.receivers:
        notes.append("digest.receivers names nobody: no daily mail is sent")
    if settings.election.polling_opens is None:
        notes.append(
            "election.polling_opens is not set: priorities, due times and intervals never change with the phase"
        )
    for path, seed in ((settings.files.watchlist, "watchlist.toml"), (settings.files.facts, "facts.toml")):
        samples = [seeds.text(place + seed) for place in STARTERS.values()]
        if settings.path(path).read_text(encoding="utf-8") in samples:
            notes.append(f"{path} is still the invented sample")
    return notes + _unrouted(settings)


def _unrouted(settings: Settings) -> list[str]:
    """Teams of receivers that are in no route and not in the rota: probably a typing error."""
    try:
        routes, rota = load_routes(settings), load_rota(settings)
    except ConfigError:  # the stages that need it say so
        return []
    known = {LEAD, *rota.names, *_teams(routes.route)}
    return [
        f"receiver {receiver.name} is for team {team}, to which no route leads"
        for receiver in routes.receiver
        for team in receiver.teams
        if team not in known
    ]


def _teams(route: Route) -> set[str]:
    return {route.team or ""}.union(*map(_teams, route.routes))


def _receiver_problems(settings: Settings) -> list[str]:
    """A sentence for each receiver that could not be told; none of them holds an address."""
    try:
        receivers = load_routes(settings).receiver
    except ConfigError:  # told already
        return []
    problems = []
    for receiver in receivers:
        try:
            senders.check(receiver.name, address(receiver, settings))
        except PollwatchError as error:
            problems.append(str(error))
    return problems


def _check_password(settings: Settings) -> None:
    if settings.smtp.username and not settings.smtp_password:
        raise ConfigError(settings.file, "smtp.username", "needs POLLWATCH_SMTP__PASSWORD or smtp.password_file")


def _check_paper(settings: Settings) -> None:
    if "pdf" in settings.digest.attach:
        paper.check()


def _check_evidence(settings: Settings) -> None:
    """The folder is made when it is needed; what it is made in must be there."""
    folder = settings.path(settings.evidence.directory)
    nearest = folder if folder.exists() else folder.parent
    if settings.evidence.enabled and not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        raise ConfigError(settings.file, "evidence.directory", f"{nearest} is no folder that can be written")


def _check_store(settings: Settings) -> None:
    store = open_store(settings.database_url)
    try:
        migrate.check(store)
        if settings.has_workers:
            from alerts import workers  # what it needs is an extra

            workers.check(store)
    finally:
        store.close()


def status(store: Store, settings: Settings, now: datetime) -> dict[str, Any]:
    """What `pollwatch status` shows; ``problems`` are sentences about what needs a person.

    ``clocks`` has a row for each stage, and under ``legs`` how long the alerts of the last day, the
    newest MEASURED at most, took (see `clocks`).
    """
    obstacle = engine.obstacle(store)
    with store.read() as connection:
        feeds = health.coverage(feed_rows.listing(connection), settings.calendar.zone)
        queue = summary.queue(connection, now)
        backlog = covered.backlog(connection)
        ran = runs.latest(connection)
        unsent = summary.unsent_notices(connection)
        model = registry.describe_live(connection)
        held = subscriptions.listing(connection)
        legs = measure(passages.between(connection, now - timedelta(days=1), now, newest=MEASURED))["legs"]
        quiet = summary.silenced(connection, now)
        kept = evidence.counts(connection, now)
        queued = fleet.load(connection) if settings.has_workers else None
    clocks = {
        stage: {"finished_at": row["finished_at"], "error": row["error"], "report": row["report"]}
        for stage, row in ran.items()
    }
    went_back = clock_went_back(ran, now, settings.calendar.zone)
    problems = [
        *([obstacle] if obstacle else []),
        *([went_back.text] if went_back else []),
        *_feed_problems(feeds, settings),
        *_queue_problems(queue),
        *_stage_problems(ran, now, settings),
        *[
            f"digest of {n['date']} to {n['receiver']} is not sent: {n['last_error'] or 'not tried yet'}"
            for n in unsent
        ],
        *digest.problems(store, settings, now),
        *notify.problems(store),
        *clarifications.problems(store, settings, now),
        *(_worker_problems(queued, now, settings) if settings.has_workers else []),
    ]
    if model is None:
        problems.append("there is no model yet: run `pollwatch run --once`")
    return {
        "ok": not problems,
        "problems": problems,
        "notes": unset(settings)
        + _push_notes(held)
        + _silence_notes(quiet, settings)
        + _evidence_notes(kept)
        + _parity_notes(store, settings, now),
        "feeds": health.as_json(feeds),
        "push": subscriptions.counts(held, now),
        "queue": {**queue, **backlog},
        "silences": quiet,
        "evidence": kept,
        "clocks": {**clocks, "legs": legs},
        "daemon": {"running": store.is_locked("daemon")},
        "workers": asdict(queued) if queued else {},
        "model": model or {},
    }


def _feed_problems(feeds: dict[str, Any], settings: Settings) -> list[str]:
    if feeds["total"] == 0:
        return ["no feeds yet: `pollwatch feeds import feeds.opml` or `pollwatch feeds add URL`"]
    if (outage := unreached(feeds)) is not None:
        return [outage.text]
    failing = [
        f"feed {f['id']} {f['outlet']} fails: {f['note']}, last good answer {_moment(f['last_success_at'], settings)}"
        for f in feeds["failing_feeds"]
    ]
    silent = [
        f"feed {f['id']} {f['outlet']} is silent: {f['note']}" for f in feeds["unwell_feeds"] if f["health"] == "silent"
    ]
    return failing + silent


def _push_notes(held: list[Subscription]) -> list[str]:
    """No problems: a feed whose hub fails is polled in its own rhythm."""
    failing = [each for each in held if each.error and each.mode is Mode.SUBSCRIBE]
    notes = [f"feed {each.feed_id} has no push: hub {each.hub}: {each.error}" for each in failing[:SHOWN]]
    return notes + ([f"{len(failing) - SHOWN} more have no push"] if len(failing) > SHOWN else [])


def _silence_notes(quiet: dict[str, Any], settings: Settings) -> list[str]:
    """No problems: somebody wanted them, and said until when."""
    expiring = [
        f"silence {each['id']} of {each['author']} ends {_moment(each['ends_at'], settings)}, "
        f"and {counted(each['hides'], 'alert')} will be back"
        for each in quiet["expiring"]
    ]
    idle = [f"silence {each['id']} of {each['author']} has hidden nothing yet" for each in quiet["idle"]]
    return expiring + idle


def _evidence_notes(kept: dict[str, int]) -> list[str]:
    """No problems: outlets take pages down, and not every page can be had."""
    missed, gone = kept["missed"], kept["gone"]
    return [
        *([f"{missed} pages of flagged items could not be captured: `pollwatch evidence list`"] if missed else []),
        *([f"{gone} pages of flagged items are gone since: `pollwatch evidence list`"] if gone else []),
    ]


def _parity_notes(store: Store, settings: Settings, now: datetime) -> list[str]:
    """No problems: somebody should look whether it is chance, the news, or the model."""
    return [warning.text for warning in read_parity(store, settings, now - timedelta(days=DAYS), now).warnings]


def _queue_problems(queue: dict[str, Any]) -> list[str]:
    return [f"past due: {counted(queue['overdue'], 'alert')}"] if queue["overdue"] else []


def _stage_problems(ran: dict[str, Any], now: datetime, settings: Settings) -> list[str]:
    """Each stage is judged by itself: one that hangs must not hide behind the others."""
    quiet = _quiet(settings)
    problems = []
    for name, _ in stages(settings):
        row = ran.get(name)
        if row is None:
            problems.append(f"{name} has never run: `pollwatch run`")
        elif row["finished_at"] is None or now - row["finished_at"] > quiet:
            begun = f", last begun {_moment(row['started_at'], settings)}"
            problems.append(
                f"{name} last finished {_moment(row['finished_at'], settings)}{begun}: is `pollwatch run` up?"
            )
        if row and row["error"]:
            problems.append(f"{name} failed: {row['error']}")
    if LEARN in ran and ran[LEARN]["error"]:
        problems.append(f"{LEARN} failed: {ran[LEARN]['error']}; it is tried again, or run `pollwatch models train`")
    if PURGE in ran and ran[PURGE]["error"]:
        problems.append(f"{PURGE} failed: {ran[PURGE]['error']}; it is tried again, or run `pollwatch db purge`")
    return problems


def _worker_problems(queued: fleet.Fleet | None, now: datetime, settings: Settings) -> list[str]:
    if queued is None:
        return ["there is no queue for workers yet: `pollwatch db upgrade`"]
    if not queued.live:
        return ["no worker is up: `pollwatch worker`"]
    late = queued.oldest_at is not None and now - queued.oldest_at > _quiet(settings)
    since = f"of {counted(queued.waiting, 'job')} the oldest waits since {_moment(queued.oldest_at, settings)}"
    return [f"{since}: more of `pollwatch worker` are needed, or one for its stage"] if late else []


def _quiet(settings: Settings) -> timedelta:
    """So long without a sign something is wrong."""
    return timedelta(seconds=max(600, 10 * settings.daemon.tick_s))


def _moment(instant: datetime | None, settings: Settings) -> str:
    """In the election's zone, as every table has it."""
    return instant.astimezone(settings.calendar.zone).strftime("%Y-%m-%d %H:%M") if instant else "never"
