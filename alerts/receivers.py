"""Who is told of alerts, of which, and when: the receivers of ``routes.toml``. Pure but for reading an address."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from monitor import logs
from monitor.config import RECEIVER_PREFIX, Settings
from monitor.errors import ConfigError
from monitor.types import Lang

HOUR = timedelta(hours=1)


class Kind(StrEnum):
    """What has happened to an alert that a receiver is told of."""

    NEW = "new"
    RAISED = "raised"  # it became more urgent
    ESCALATED = "escalated"
    REMINDED = "reminded"  # an escalation step told again
    REOPENED = "reopened"  # it was decided, snoozed or suppressed, and is back in the queue
    SECOND = "second"  # it asks for a second opinion
    LEAD = "lead"  # two opinions differ, and the lead decides
    EXPIRED = "expired"  # a lease ran out, and the alert is back in the queue
    REPEATED = "repeated"  # told long ago, and still nobody has taken it


class Receiver(BaseModel):
    """A person's telephone, a chat room, a web hook. Its address is a secret and never stands in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    teams: tuple[str, ...] = ()  # whose alerts; empty: everybody's
    url_file: Path | None = None  # holds the address; without it an environment variable does
    min_priority: Literal["P1", "P2", "P3", "P4"] = "P4"
    kinds: tuple[Kind, ...] = tuple(Kind)
    lang: Literal[Lang.EN, Lang.HANT] = Lang.EN
    group_wait_s: int = Field(30, ge=0, le=3600)
    group_interval_s: int = Field(300, ge=0, le=86_400)
    repeat_interval_s: int = Field(14_400, ge=60, le=604_800)
    max_per_hour: int = Field(12, ge=1, le=3600)

    @model_validator(mode="before")
    @classmethod
    def _no_secret(cls, data: Any) -> Any:
        if isinstance(data, dict) and "url" in data:
            raise ValueError(f"addresses are secrets and do not belong here; use url_file or {RECEIVER_PREFIX}<NAME>")
        return data

    @property
    def variable(self) -> str:
        """The environment variable that may hold the address."""
        return RECEIVER_PREFIX + self.name.upper().replace("-", "_")


def _named_once(receivers: tuple[Receiver, ...]) -> tuple[Receiver, ...]:
    names = [receiver.name for receiver in receivers]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"two receivers are called {twice}; give one another name")
    return receivers


Receivers = Annotated[tuple[Receiver, ...], AfterValidator(_named_once)]


def wants(receiver: Receiver, kind: Kind, priority: int, teams: Collection[str]) -> bool:
    """Whether ``receiver`` is told when ``kind`` happens to an alert of priority 1 to 4 that is for ``teams``."""
    urgent = priority <= int(receiver.min_priority[1])
    return kind in receiver.kinds and urgent and (not receiver.teams or not set(teams).isdisjoint(receiver.teams))


def due(receiver: Receiver, oldest: datetime, made: Sequence[datetime]) -> datetime:
    """When the next message is to be made: what waits since ``oldest``, and messages were ``made``, oldest first.

    The first one of a group waits ``group_wait``, so that what belongs together comes together; later ones keep
    ``group_interval`` from the one before (Alertmanager's words and rules). When the hour is full, it waits on.
    """
    at = oldest + timedelta(seconds=receiver.group_wait_s)
    if made:
        at = max(at, made[-1] + timedelta(seconds=receiver.group_interval_s))
    if len(made) >= receiver.max_per_hour:
        at = max(at, made[-receiver.max_per_hour] + HOUR)
    return at


def looks_back(receiver: Receiver) -> timedelta:
    """How far back the messages matter to ``due``."""
    return max(HOUR, timedelta(seconds=receiver.group_interval_s))


def address(receiver: Receiver, settings: Settings) -> str:
    """The address of a receiver, an Apprise URL. Raises ConfigError that names what is missing, never what is there."""
    file, key = str(settings.path(settings.files.routes)), f"receiver {receiver.name}"
    if receiver.url_file is None:
        found = os.environ.get(receiver.variable, "").strip()
        if not found:
            raise ConfigError(file, key, f"has no address; set {receiver.variable} or url_file")
        logs.hide(found)
        return found
    path = settings.path(receiver.url_file)
    try:
        found = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(file, f"{key}: url_file", f"cannot read {path}: {why}") from None
    if not found or "\n" in found:
        raise ConfigError(file, f"{key}: url_file", f"{path} must hold one line, the address")
    logs.hide(found)
    return found
