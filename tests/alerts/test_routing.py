"""routes.toml: which team, and how soon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alerts.routing import Routes, load_routes, team
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.types import Phase

TARGET = {"take": 15, "decide": 120}
TARGETS = {"default": dict.fromkeys(("P1", "P2", "P3", "P4"), TARGET)}


def _routes(*children: dict[str, Any]) -> Routes:
    return Routes.model_validate({"route": {"team": "desk", "routes": list(children)}, "targets": TARGETS})


def _team(routes: Routes, **traits: str) -> str:
    return team(routes, {key: frozenset(value.split(",")) for key, value in traits.items()})


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
