"""Is everything well? The configuration's faults, and the health of feeds, queue, clocks, model and daemon."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from alerts import digest
from alerts.routing import load_routes
from classifiers import registry
from monitor import config, reference
from monitor.config import Settings
from monitor.errors import ConfigError, PollwatchError
from monitor.store import Store, migrate, open_store, runs, summary


def check_configuration(given: str | None) -> list[str]:
    """Every fault of the configuration and of the files it names, a sentence each; empty when all is well."""
    try:
        settings = config.load(given)
    except ConfigError as error:
        return [str(error)]
    problems = []
    for look in (reference.load_watchlist, reference.load_facts, load_routes, _check_password, _check_store):
        try:
            look(settings)
        except PollwatchError as error:
            problems.append(str(error))
    return problems


def _check_password(settings: Settings) -> None:
    if settings.smtp.username and not settings.smtp_password:
        raise ConfigError(settings.file, "smtp.username", "needs POLLWATCH_SMTP__PASSWORD or smtp.password_file")


def _check_store(settings: Settings) -> None:
    store = open_store(settings.database_url)
    try:
        migrate.check(store)
    finally:
        store.close()


def status(store: Store, settings: Settings, now: datetime) -> dict[str, Any]:
    """What `pollwatch status` shows; ``problems`` are sentences about what needs a person."""
    with store.read() as connection:
        feeds = summary.feed_health(connection)
        queue = summary.queue(connection, now)
        backlog = summary.backlog(connection)
        stages = runs.latest(connection)
        unsent = summary.unsent_notices(connection)
        model = registry.describe_live(connection)
    clocks = {
        stage: {"finished_at": row["finished_at"], "error": row["error"], "report": row["report"]}
        for stage, row in stages.items()
    }
    problems = [
        *_feed_problems(feeds),
        *_queue_problems(queue),
        *_stage_problems(stages, now, settings),
        *[
            f"digest of {n['date']} to {n['receiver']} is not sent: {n['last_error'] or 'not tried yet'}"
            for n in unsent
        ],
        *digest.problems(store, settings, now),
    ]
    if model is None:
        problems.append("there is no model yet: run `pollwatch run --once`")
    return {
        "ok": not problems,
        "problems": problems,
        "feeds": {**feeds, "failing_feeds": feeds["failing_feeds"]},
        "queue": {**queue, **backlog},
        "clocks": clocks,
        "model": model or {},
    }


def _feed_problems(feeds: dict[str, Any]) -> list[str]:
    if feeds["total"] == 0:
        return ["no feeds yet: `pollwatch feeds import feeds.opml` or `pollwatch feeds add URL`"]
    return [
        f"feed {f['id']} {f['outlet']} fails: {f['error_kind']}: {f['error_detail']}" for f in feeds["failing_feeds"]
    ]


def _queue_problems(queue: dict[str, Any]) -> list[str]:
    return [f"{queue['overdue']} alerts are past due"] if queue["overdue"] else []


def _stage_problems(stages: dict[str, Any], now: datetime, settings: Settings) -> list[str]:
    problems = [f"stage {stage} failed: {row['error']}" for stage, row in stages.items() if row["error"]]
    finished = [row["finished_at"] for row in stages.values() if row["finished_at"]]
    quiet = timedelta(seconds=max(600, 10 * settings.daemon.tick_s))
    if not finished:
        problems.append("nothing has run yet: `pollwatch run`")
    elif now - max(finished) > quiet:
        problems.append(f"nothing has run since {max(finished).isoformat(timespec='seconds')}: is `pollwatch run` up?")
    return problems
