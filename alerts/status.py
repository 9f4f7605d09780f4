"""Is everything well? The configuration's faults, and the health of feeds, queue, clocks, model and daemon."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from alerts import clarifications, digest, notify, paper, senders
from alerts.legs import MEASURED, measure
from alerts.outage import Outage, clock_went_back, unreached
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
from monitor.types import Mode, Said, Subscription

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


def unset(settings: Settings) -> list[Said]:
    """What is not wrong and yet probably not meant: a sentence each."""
    notes = []
    if not settings.digest.receivers:
        notes.append(Said("digest.receivers names nobody: no daily mail is sent"))
    if settings.election.polling_opens is None:
        notes.append(
            Said("election.polling_opens is not set: priorities, due times and intervals never change with the phase")
        )
    for path, seed in ((settings.files.watchlist, "watchlist.toml"), (settings.files.facts, "facts.toml")):
        samples = [seeds.text(place + seed) for place in STARTERS.values()]
        if settings.path(path).read_text(encoding="utf-8") in samples:
            notes.append(Said("{file} is still the invented sample", {"file": str(path)}))
    return notes + _unrouted(settings)


def _unrouted(settings: Settings) -> list[Said]:
    """Teams of receivers that are in no route and not in the rota: probably a typing error."""
    try:
        routes, rota = load_routes(settings), load_rota(settings)
    except ConfigError:  # the stages that need it say so
        return []
    known = {LEAD, *rota.names, *_teams(routes.route)}
    form = Said("receiver {receiver} is for team {team}, to which no route leads")
    return [
        form.filled(receiver=receiver.name, team=team)
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
    """What `pollwatch status --json` prints: as ``look``, its sentences in English."""
    found = look(store, settings, now)
    return {**found, **{name: [said.text for said in found[name]] for name in ("problems", "notes")}}


def look(store: Store, settings: Settings, now: datetime) -> dict[str, Any]:
    """How everything is. ``problems`` are sentences (Said) about what needs a person, ``notes`` about what does not.

    ``clocks`` has a row for each stage, and under ``legs`` how long the alerts of the last day, the
    newest MEASURED at most, took (see `clocks`).
    """
    obstacle = engine.obstacle(store)
    with store.read() as connection:
        known = feed_rows.listing(connection)
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
    parity = _parity_notes(store, settings, now)
    feeds = health.coverage(known, settings.calendar.zone)
    went_back = clock_went_back(ran, now, settings.calendar.zone)
    problems = [
        *([obstacle] if obstacle else []),
        *([went_back] if went_back else []),
        *_feed_problems(feeds, unreached(known), settings),
        *_queue_problems(queue),
        *_stage_problems(ran, now, settings),
        *map(_unsent, unsent),
        *digest.problems(store, settings, now),
        *notify.problems(store),
        *clarifications.problems(store, settings, now),
        *(_worker_problems(queued, now, settings) if settings.has_workers else []),
        *([] if model else [Said("there is no model yet: run `pollwatch run --once`")]),
    ]
    notes = [*unset(settings), *_push_notes(held), *_silence_notes(quiet, settings), *_evidence_notes(kept), *parity]
    return {
        "ok": not problems,
        "problems": problems,
        "notes": notes,
        "feeds": health.as_json(feeds),
        "push": subscriptions.counts(held, now),
        "queue": {**queue, **backlog},
        "silences": quiet,
        "evidence": kept,
        "clocks": {**_clocks(ran), "legs": legs},
        "daemon": {"running": store.is_locked("daemon")},
        "workers": asdict(queued) if queued else {},
        "model": model or {},
    }


def _clocks(ran: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    told = ("finished_at", "error", "report")
    return {stage: {name: row[name] for name in told} for stage, row in ran.items()}


def _unsent(notice: Mapping[str, Any]) -> Said:
    form = Said("digest of {date} to {receiver} is not sent: {why}")
    why = notice["last_error"] or Said("not tried yet")
    return form.filled(date=notice["date"], receiver=notice["receiver"], why=why)


def _feed_problems(feeds: dict[str, Any], outage: Outage | None, settings: Settings) -> list[Said]:
    if feeds["total"] == 0:
        return [Said("no feeds yet: `pollwatch feeds import feeds.opml` or `pollwatch feeds add URL`")]
    fails = Said("feed {id} {outlet} fails: {why}, last good answer {at}")
    failing = [
        fails.filled(id=f["id"], outlet=f["outlet"], why=f["said"], at=_moment(f["last_success_at"], settings))
        for f in feeds["failing_feeds"]
        if outage is None or f["id"] not in outage.feeds
    ]
    is_silent = Said("feed {id} {outlet} is silent: {why}")
    silent = [
        is_silent.filled(id=f["id"], outlet=f["outlet"], why=f["said"])
        for f in feeds["unwell_feeds"]
        if f["health"] == "silent"
    ]
    return ([outage.said] if outage else []) + failing + silent


def _push_notes(held: list[Subscription]) -> list[Said]:
    """No problems: a feed whose hub fails is polled in its own rhythm."""
    failing = [each for each in held if each.error and each.mode is Mode.SUBSCRIBE]
    form = Said("feed {id} has no push: hub {hub}: {why}")
    notes = [form.filled(id=each.feed_id, hub=each.hub, why=each.error) for each in failing[:SHOWN]]
    more = Said("{count} more have no push", {"count": len(failing) - SHOWN})
    return [*notes, more] if len(failing) > SHOWN else notes


def _silence_notes(quiet: dict[str, Any], settings: Settings) -> list[Said]:
    """No problems: somebody wanted them, and said until when."""
    ends = Said("silence {id} of {author} ends {at}, and {alerts} will be back")
    expiring = [
        ends.filled(
            id=each["id"], author=each["author"], at=_moment(each["ends_at"], settings), alerts=_alerts(each["hides"])
        )
        for each in quiet["expiring"]
    ]
    idle = Said("silence {id} of {author} has hidden nothing yet")
    return expiring + [idle.filled(id=each["id"], author=each["author"]) for each in quiet["idle"]]


def _evidence_notes(kept: dict[str, int]) -> list[Said]:
    """No problems: outlets take pages down, and not every page can be had."""
    missed = Said("could not be captured: {pages} of flagged items (`pollwatch evidence list`)")
    gone = Said("taken down since: {pages} of flagged items (`pollwatch evidence list`)")
    counts = ((kept["missed"], missed), (kept["gone"], gone))
    return [form.filled(pages=_pages(count)) for count, form in counts if count]


def _parity_notes(store: Store, settings: Settings, now: datetime) -> list[Said]:
    """No problems: somebody should look whether it is chance, the news, or the model."""
    return list(read_parity(store, settings, now - timedelta(days=DAYS), now).warnings)


def _queue_problems(queue: dict[str, Any]) -> list[Said]:
    return [Said("past due: {alerts}", {"alerts": _alerts(queue["overdue"])})] if queue["overdue"] else []


def _stage_problems(ran: dict[str, Any], now: datetime, settings: Settings) -> list[Said]:
    """Each stage is judged by itself: one that hangs must not hide behind the others."""
    if not ran:
        return [Said("nothing has run yet: `pollwatch run`")]
    quiet = _quiet(settings)
    never = Said("{stage} has never run: `pollwatch run`")
    hangs = Said("{stage} last finished {at}, last begun {begun}: is `pollwatch run` up?")
    failed = Said("{stage} failed: {error}")
    newest = max(row["started_at"] for row in ran.values())
    ended = all(row["finished_at"] and row["finished_at"] >= row["started_at"] for row in ran.values())
    down = ended and now - newest > quiet
    problems = []
    if down:
        form = Said("no stage has begun since {at}: is `pollwatch run` up?")
        problems.append(form.filled(at=_moment(newest, settings)))
    for name, _ in stages(settings):
        row = ran.get(name)
        if row is None:
            problems.append(never.filled(stage=name))
        elif not down and (row["finished_at"] is None or now - row["finished_at"] > quiet):
            at, begun = (_moment(row[key], settings) for key in ("finished_at", "started_at"))
            problems.append(hangs.filled(stage=name, at=at, begun=begun))
        if row and row["error"]:
            problems.append(failed.filled(stage=name, error=row["error"]))
    again = Said("{stage} failed: {error}; it is tried again, or run `{command}`")
    for name, command in ((LEARN, "pollwatch models train"), (PURGE, "pollwatch db purge")):
        if name in ran and ran[name]["error"]:
            problems.append(again.filled(stage=name, error=ran[name]["error"], command=command))
    return problems


def _worker_problems(queued: fleet.Fleet | None, now: datetime, settings: Settings) -> list[Said]:
    if queued is None:
        return [Said("there is no queue for workers yet: `pollwatch db upgrade`")]
    if not queued.live:
        return [Said("no worker is up: `pollwatch worker`")]
    late = queued.oldest_at is not None and now - queued.oldest_at > _quiet(settings)
    waits = Said(
        "of {jobs} the oldest waits since {at}: more of `pollwatch worker` are needed, or one for its stage",
        {"jobs": _jobs(queued.waiting), "at": _moment(queued.oldest_at, settings)},
    )
    return [waits] if late else []


def _alerts(count: int) -> Said:
    return (Said("{count} alert") if count == 1 else Said("{count} alerts")).filled(count=count)


def _jobs(count: int) -> Said:
    return (Said("{count} job") if count == 1 else Said("{count} jobs")).filled(count=count)


def _pages(count: int) -> Said:
    return (Said("{count} page") if count == 1 else Said("{count} pages")).filled(count=count)


def _quiet(settings: Settings) -> timedelta:
    """So long without a sign something is wrong."""
    return timedelta(seconds=max(600, 10 * settings.daemon.tick_s))


def _moment(instant: datetime | None, settings: Settings) -> str | Said:
    """In the election's zone, as every table has it."""
    return instant.astimezone(settings.calendar.zone).strftime("%Y-%m-%d %H:%M") if instant else Said("never")
