"""The alert rules for Prometheus: about figures that are really served, and expressions that it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from alerts import queue
from alerts.deploy import Kind, deployment
from alerts.pipeline import run_stage, stages
from alerts.status import status
from alerts.web.metrics import exposition
from monitor.config import Settings
from monitor.store import Store
from tests.alerts.telling import open_alerts

RULES = deployment(Kind.PROMETHEUS, Path("/opt/pollwatch"), Path("/srv/desk"), "desk")
_SELECTOR = re.compile(r"\b(pollwatch_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r'(\w+)=(~?)"([^"]*)"')


def _expressions() -> list[str]:
    return re.findall(r"^ +expr: (.+)$", RULES, re.MULTILINE)


def _asked() -> Iterator[tuple[str, str, str]]:
    """Each metric with each label and one value of it that a rule asks for; or with none."""
    for expression in _expressions():
        for name, selector in _SELECTOR.findall(expression):
            yield name, "", ""
            for label, many, value in _LABEL.findall(selector):
                yield from ((name, label, each) for each in (value.split("|") if many else [value]))


def test_every_figure_that_a_rule_asks_for_is_served(store: Store, settings: Settings, now: datetime) -> None:
    """Name, label and value, on a desk that has run once: a rule about what is not there would never fire."""
    open_alerts(store, settings, now)
    known = dict(stages(settings))
    for name in ("collect", "assess", "group", "dispatch", "escalate", "notify"):
        run_stage(name, known[name], store, settings, lambda: now)
    queue.take(store, settings, "maya", now)
    served = set()
    text = exposition(status(store, settings, now + timedelta(minutes=1))).decode()
    for family in text_string_to_metric_families(text):
        served.add((family.name, "", ""))
        served |= {(family.name, label, value) for sample in family.samples for label, value in sample.labels.items()}
    assert set(_asked()) <= served


def test_rules_have_what_a_person_needs() -> None:
    """Each has an expression, a severity, a summary and what to do; names are unique."""
    names = re.findall(r"- alert: (\w+)", RULES)
    assert len(names) == len(set(names)) == len(_expressions()) >= 8
    for key in ("labels: {severity: (page|look)}", "summary: .{20,}", "description: .{20,}"):
        assert len(re.findall(key, RULES)) == len(names), key
    assert "$$" not in RULES
