"""routes.toml: which team, and how soon."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts.routing import Routes, load_routes, teams, ways
from monitor.calendar import Calendar
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.types import Phase
from tests.conftest import NOW

TARGET = {"take": 15, "decide": 120}
TARGETS = {"default": dict.fromkeys(("P1", "P2", "P3", "P4"), TARGET)}


def _routes(*children: dict[str, Any]) -> Routes:
    return Routes.model_validate({"route": {"team": "desk", "routes": list(children)}, "targets": TARGETS})


CALENDAR = Calendar(ZoneInfo("Asia/Hong_Kong"))


def _teams(routes: Routes, now: datetime = NOW, calendar: Calendar = CALENDAR, **traits: str) -> tuple[str, ...]:
    return teams(routes, {key: frozenset(value.split(",")) for key, value in traits.items()}, now, calendar)


def _team(routes: Routes, **traits: str) -> str:
    (owner,) = _teams(routes, **traits)
    return owner


def test_the_starter_file_routes(settings: Settings) -> None:
    """What `init` writes sends a scam to the police liaison and Chinese texts to the Chinese desk."""
    routes = load_routes(settings)
    assert _team(routes, claim_type="scam-lure", lang="zh-Hant") == "police-liaison"
    assert _team(routes, claim_type="candidate-fact", lang="zh-Hans") == "desk-chinese"
    assert _team(routes, claim_type="candidate-fact", lang="en") == "desk"
    assert routes.targets.of(Phase.POLLING_DAY, 1).take == 5
    assert routes.targets.of(Phase.COUNT, 4).decide == 4320


def test_the_first_child_wins() -> None:
    """As in Alertmanager: the first match ends the walk."""
    first = {"match": {"lang": "en"}, "team": "english"}
    second = {"match": {"priority": ["P1", "P2"]}, "team": "urgent"}
    assert _team(_routes(first, second), lang="en", priority="P1") == "english"
    assert _team(_routes(first, second), lang="zh-Hant", priority="P3") == "desk"


def test_children_inherit_and_the_deepest_match_is_the_answer() -> None:
    """A child without a team has its parent's; a parent none of whose children match takes the alert itself."""
    inner = {"match": {"constituency": "翠灣北"}, "team": "jade-bay"}
    outer = {"match": {"lang": "zh-Hant"}, "team": "chinese", "routes": [inner, {"match": {"priority": "P1"}}]}
    assert _team(_routes(outer), lang="zh-Hant", constituency="Jade Bay North,翠灣北") == "jade-bay"
    assert _team(_routes(outer), lang="zh-Hant", priority="P1") == "chinese"
    assert _team(_routes(outer), lang="zh-Hant", priority="P2") == "chinese"


def test_continue_tells_others_as_well() -> None:
    """The first found owns it; the walk goes on after `continue` and ends after the first child without it."""
    on = {"match": {"priority": "P1"}, "team": "leads", "continue": True}
    inner = {"team": "chinese", "match": {"lang": "zh-Hant"}, "routes": [on, {"team": "night", "continue": True}]}
    routes = _routes(on, inner, {"team": "never"})
    assert _teams(routes, priority="P1", lang="zh-Hant") == ("leads", "night")
    assert _teams(routes, priority="P2", lang="zh-Hant") == ("night",)
    assert _teams(routes, priority="P1", lang="en") == ("leads", "never")
    assert _teams(_routes(on), priority="P1") == ("leads",)


def test_a_child_outside_its_hours_is_passed_by() -> None:
    """By day the Chinese desk; at night the next child, or the parent, so that somebody owns the alert."""
    day = {"name": "days", "times": {"from": "08:00", "to": "22:00"}}
    child = {"match": {"lang": "zh-Hant"}, "team": "chinese", "active_time_intervals": "days"}
    table = {"route": {"team": "desk", "routes": [child]}, "targets": TARGETS, "time_interval": [day]}
    routes = Routes.model_validate(table)
    assert _teams(routes, lang="zh-Hant") == ("chinese",)  # half past noon
    assert _teams(routes, NOW + timedelta(hours=10), lang="zh-Hant") == ("desk",)
    assert _teams(routes, NOW + timedelta(hours=10), Calendar(ZoneInfo("UTC")), lang="zh-Hant") == ("chinese",)


def test_the_way_through_the_tree_is_told() -> None:
    """Each node by its key in the file."""
    routes = _routes({"match": {"lang": "en"}}, {"team": "x", "routes": [{"match": {"lang": "zh-Hant"}}]})
    (way,) = ways(routes, {"lang": frozenset(["zh-Hant"])}, NOW, CALENDAR)
    assert (way.path, way.team) == (("route", "route.routes.1", "route.routes.1.routes.0"), "x")


def test_an_older_file_has_the_shipped_escalation_and_rules() -> None:
    """Tables that a desk's file does not speak of are those of the starter; an empty list is nobody's rules."""
    routes = _routes()
    assert routes.escalation.of(Phase.POLLING_DAY, 1).steps[0].after == 5
    assert [rule.name for rule in routes.priority][:2] == ["firm-finding", "named-high-score"]
    none = Routes.model_validate({"route": {"team": "desk"}, "targets": TARGETS, "priority": [], "escalation": {}})
    assert (none.priority, none.escalation.of(Phase.POLLING_DAY, 1).steps) == ((), ())


def test_every_matcher_must_hold() -> None:
    """Two keys are "and", a list is "any of these"."""
    routes = _routes({"match": {"label": "impersonation", "candidate": ["a", "b"]}, "team": "both"})
    assert _team(routes, label="impersonation", candidate="b") == "both"
    assert _team(routes, label="impersonation", candidate="c") == "desk"
    assert _team(routes, candidate="a") == "desk"


@pytest.mark.parametrize(
    ("toml", "key", "mend"),
    [
        ("", "route", "Field required"),
        ('[route]\nteam = "desk"\n', "targets", "Field required"),
        ("[route]\n{targets}", "", "the root route needs a team and no match"),
        (
            '[route]\nteam = "desk"\nmatch = {{ lang = "en" }}\n{targets}',
            "",
            "the root route needs a team and no match",
        ),
        (
            '[route]\nteam = "desk"\n[[route.routes]]\nmatch = {{ claim_type = "sacm" }}\n{targets}',
            "claim_type",
            "sacm",
        ),
        ('[route]\nteam = "desk"\n[[route.routes]]\nmatch = {{ lang = [] }}\n{targets}', "lang", "at least 1"),
        ('[route]\nteam = "desk"\n[[route.routes]]\nmatch = {{ colour = "red" }}\n{targets}', "colour", "no such key"),
        (
            '[route]\nteam = "desk"\n[targets.default]\nP1 = {{ take = 9, decide = 5 }}\n'
            "P2 = {{ take = 1, decide = 5 }}\nP3 = {{ take = 1, decide = 5 }}\nP4 = {{ take = 1, decide = 5 }}",
            "targets.default.P1",
            "take must not be later than decide",
        ),
        (
            '[route]\nteam = "desk"\n{targets}\n[targets.polling-dy]\nP1 = {{ take = 1, decide = 5 }}',
            "polling-dy",
            "no such",
        ),
        (
            '[route]\nteam = "desk"\n[[route.routes]]\nactive_time_intervals = "nigths"\n'
            '[[time_interval]]\nname = "nights"\n{targets}',
            "route.routes.0.active_time_intervals",
            "did you mean nights?",
        ),
        (
            '[route]\nteam = "desk"\n[[time_interval]]\nname = "a"\n[[time_interval]]\nname = "a"\n{targets}',
            "time_interval",
            "two [[time_interval]] have the name a",
        ),
        (
            '[route]\nteam = "desk"\n[[priority]]\nname = "wide"\nstep = -1\n{targets}',
            "priority.0",
            "rule wide has no condition",
        ),
        (
            '[route]\nteam = "desk"\n[[priority]]\nname = "wide"\nstep = 0\nnamed = true\n{targets}',
            "priority.0",
            "a step of 0 changes nothing",
        ),
        (
            '[route]\nteam = "desk"\n{targets}\n[escalation.campaign]\nP1 = [{{ after = 5, level = 9 }}]',
            "escalation.campaign.P1",
            "less than or equal to 2",
        ),
        ('[route]\nteam = "desk"\ncontinue = true\n{targets}', "", "the root route needs a team and no match"),
    ],
)
def test_a_wrong_file_is_named_with_key_and_mend(settings: Settings, toml: str, key: str, mend: str) -> None:
    """A typing error in routes.toml never routes silently to nobody."""
    targets = "[targets.default]\n" + "".join(f"P{n} = {{ take = 1, decide = 5 }}\n" for n in range(1, 5))
    path = Path(settings.path(settings.files.routes))
    path.write_text(toml.format(targets=targets), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_routes(settings)
    assert key in str(caught.value)
    assert mend in str(caught.value)
    assert "routes.toml" in str(caught.value)


def test_a_missing_file_says_what_to_do(configure: Callable[[str], Settings]) -> None:
    """No routes file: the sentence names it and `init`."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml: no such file; run `pollwatch init`"):
        load_routes(configure('[files]\nroutes = "nowhere.toml"\n'))
