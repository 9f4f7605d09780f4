"""`publish`: what two people answer for becomes what the world reads.

In one transaction, for which other writers wait, the approved texts become versions, and the new release of the site is
written beside the old one; after the commit one rename shows it. Killed before the commit, nothing is published; killed
after it, the audit says what was published, and the next call shows it. So nothing can be seen that the audit does not
know.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts import phrases, site
from alerts.acts import person
from alerts.clarifications import perform, row
from alerts.pages import Site, files
from alerts.publication import Publish
from monitor.config import Settings
from monitor.errors import ConfigError, RefusedError
from monitor.store import Connection, Store
from monitor.store import clarifications as store_of
from monitor.types import Clarification, ClarificationState, Lang

WAIT_S = 60.0  # for another process that publishes
_NEEDED = {Lang.EN: "name_en", Lang.HANT: "name_zh"}


@dataclass(frozen=True, slots=True)
class Published:
    """What one call did: paths of the folder that changed, rows of what became public, and why others did not."""

    written: tuple[str, ...]
    published: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {"written": list(self.written), "published": list(self.published), "problems": list(self.problems)}


def publish(store: Store, settings: Settings, reviewer: str, now: datetime, ids: Collection[int] = ()) -> Published:
    """Publish the clarifications of ``ids``, or all that are approved, and bring the folder up to date.

    Of ``ids`` every one must be fit, or RefusedError says why and nothing is published; of all, one whose alert is
    decided otherwise by now is left and named. Raises ConfigError, InputError for the folder, BusyError, NotFoundError.
    """
    publisher = person(reviewer)
    for key in ("base_url", *(_NEEDED[lang] for lang in settings.publish.languages)):
        if not getattr(settings.publish, key).strip():
            raise ConfigError(settings.file, f"publish.{key}", "is needed to publish; see the configuration reference")
    directory = settings.path(settings.publish.directory)
    with store.lock("publish", wait_s=WAIT_S):
        release: site.Release | None = None
        try:
            with store.write() as connection:
                fresh, problems = _publish(connection, publisher, now, ids)
                release = site.prepare(directory, _files(connection, settings))
        except BaseException:
            if release is not None:
                site.drop(release)
            raise
        if release is not None:
            site.show(release)
    written = release.changed if release is not None else ()
    return Published(written, tuple(row(each, settings) for each in fresh), tuple(problems))


def _publish(
    connection: Connection, publisher: str, now: datetime, ids: Collection[int]
) -> tuple[list[Clarification], list[str]]:
    named = [store_of.get(connection, id) for id in dict.fromkeys(ids)]
    waiting = named or store_of.listing(connection, [ClarificationState.APPROVED])
    fresh, left = [], []
    for each in waiting:
        try:
            fresh.append(perform(connection, each, Publish(publisher), publisher, now))
        except RefusedError as error:
            if named:
                raise
            left.append(f"not published: {error}")
    return fresh, left


def _files(connection: Connection, settings: Settings) -> dict[str, bytes]:
    shared = Site(settings.publish, phrases.load(), settings.calendar.zone)
    return files(store_of.published(connection), shared)
