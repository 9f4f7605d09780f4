"""``routes.toml``: which team gets an alert, and how soon it should be taken and decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from alerts.receivers import Receivers
from monitor.config import Settings, read_toml, validate
from monitor.types import ClaimType, Label, Lang, Phase

PriorityName = Literal["P1", "P2", "P3", "P4"]


def _several(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


AnyOfNames = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Matchers(_Table):
    """What must hold for an alert to go this way: every key given, with any of its values."""

    claim_type: Annotated[tuple[ClaimType, ...], BeforeValidator(_several), Field(min_length=1)] | None = None
    lang: Annotated[tuple[Lang, ...], BeforeValidator(_several), Field(min_length=1)] | None = None
    label: Annotated[tuple[Label, ...], BeforeValidator(_several), Field(min_length=1)] | None = None
    priority: Annotated[tuple[PriorityName, ...], BeforeValidator(_several), Field(min_length=1)] | None = None
    candidate: AnyOfNames | None = None
    constituency: AnyOfNames | None = None

    def hold(self, traits: Traits) -> bool:
        """Whether an alert with these traits may go this way."""
        return all(not traits.get(key, frozenset()).isdisjoint(wanted) for key, wanted in self if wanted is not None)


Traits = Mapping[str, frozenset[str]]  # what matchers compare with: the alert's values for each of their keys


class Route(_Table):
    """A node of the tree. Without ``team`` it has its parent's."""

    team: str | None = Field(None, min_length=1)
    match: Matchers = Matchers()
    routes: tuple[Route, ...] = ()


class Target(_Table):
    """Minutes from the opening of an alert until it should be taken, and until it should be decided."""

    take: int = Field(gt=0)
    decide: int = Field(gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.take > self.decide:
            raise ValueError("take must not be later than decide")
        return self


class PhaseTargets(_Table):
    """The targets of one phase of the election, by priority."""

    P1: Target
    P2: Target
    P3: Target
    P4: Target

    def of(self, priority: int) -> Target:
        """The target of priority 1 … 4."""
        return (self.P1, self.P2, self.P3, self.P4)[priority - 1]


class Targets(_Table):
    """All targets; a phase that is not given uses ``default``."""

    default: PhaseTargets
    before: PhaseTargets | None = None
    nomination: PhaseTargets | None = None
    campaign: PhaseTargets | None = None
    polling_day: PhaseTargets | None = Field(None, alias="polling-day")
    count: PhaseTargets | None = None
    after: PhaseTargets | None = None

    def of(self, phase: Phase, priority: int) -> Target:
        """The target of one priority in one phase."""
        given: PhaseTargets | None = getattr(self, phase.replace("-", "_"))
        return (given or self.default).of(priority)


class Routes(_Table):
    """The whole file."""

    route: Route
    targets: Targets
    receiver: Receivers = ()

    @model_validator(mode="after")
    def _root_takes_all(self) -> Self:
        if self.route.team is None or self.route.match != Matchers():
            raise ValueError("the root route needs a team and no match: it takes what no other route does")
        return self


def load_routes(settings: Settings) -> Routes:
    """Read and check the routes file. Raises ConfigError."""
    path = settings.path(settings.files.routes)
    routes: Routes = validate(Routes, read_toml(path), str(path))
    return routes


def team(routes: Routes, traits: Traits) -> str:
    """Who gets an alert with these traits.

    Alertmanager's walk (dispatch/route.go, ``Route.Match``), for one team: depth first into the first child whose
    matchers hold; a node none of whose children match is the answer itself, and a child inherits its parent's team.
    """
    node, found = routes.route, str(routes.route.team)
    while child := next((child for child in node.routes if child.match.hold(traits)), None):
        node, found = child, child.team or found
    return found
