"""`/metrics`: what `status` counts, in the words of Prometheus. Every number is a gauge: the store is asked anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from alerts.legs import MEASURED

CONTENT_TYPE = CONTENT_TYPE_LATEST
_FEEDS = ("ok", "unwell", "failing", "new", "disabled")
_QUEUE = ("open", "leased", "second_review", "snoozed")


def exposition(found: Mapping[str, Any]) -> bytes:
    """What `status` found, as text in CONTENT_TYPE."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Found(found))
    return bytes(generate_latest(registry))


class _Found(Collector):
    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """The gauges, one for each kind of number."""
        found, queue = self._found, self._found["queue"]
        yield _one("pollwatch_up", "1 when nothing needs a person: `pollwatch status` ends with 0.", float(found["ok"]))
        yield _one("pollwatch_problems", "What needs a person.", len(found["problems"]))
        yield _one("pollwatch_daemon_running", "1 while a daemon holds the store.", float(found["daemon"]["running"]))
        yield _by(
            "pollwatch_feeds", "Feeds by how they are.", "health", {name: found["feeds"][name] for name in _FEEDS}
        )
        alerts = {name: queue[name] for name in _QUEUE}
        yield _by("pollwatch_alerts", "Alerts that wait for a person or are put off, by state.", "state", alerts)
        by_priority = {f"P{each}": queue["by_priority"].get(f"P{each}", 0) for each in range(1, 5)}
        yield _by("pollwatch_alerts_waiting", "Alerts that wait for a person, by priority.", "priority", by_priority)
        yield _one("pollwatch_alerts_overdue", "Alerts past their due time.", queue["overdue"])
        yield _by("pollwatch_alerts_hidden", "Alerts hidden, by why.", "suppression", queue["suppressed"])
        yield _one("pollwatch_items_unassessed", "Items that no model has judged yet.", queue["unassessed"])
        yield _one("pollwatch_silences_active", "Silences that hold.", found["silences"]["active"])
        yield from self._stages()
        yield from self._legs()
        yield from self._model()

    def _stages(self) -> Iterator[Metric]:
        ended = GaugeMetricFamily(
            "pollwatch_stage_finished_timestamp_seconds", "When a stage last finished, in Unix time.", labels=["stage"]
        )
        failed = GaugeMetricFamily(
            "pollwatch_stage_failed", "1 where a stage's last run ended with an error.", labels=["stage"]
        )
        for stage, clock in self._found["clocks"].items():
            if stage == "legs":
                continue
            failed.add_metric([stage], float(clock["error"] is not None))
            if clock["finished_at"] is not None:
                ended.add_metric([stage], clock["finished_at"].timestamp())
        yield ended
        yield failed

    def _legs(self) -> Iterator[Metric]:
        took = GaugeMetricFamily(
            "pollwatch_leg_seconds",
            f"How long a leg took for the alerts opened in the last day, the newest {MEASURED} at most: nearest ranks. "
            "See `pollwatch clocks`.",
            labels=["leg", "quantile"],
        )
        for name, leg in self._found["clocks"]["legs"].items():
            for quantile, key in (("0.5", "p50"), ("0.9", "p90")):
                if leg[key] is not None:
                    took.add_metric([name, quantile], leg[key] * 60)
        yield took

    def _model(self) -> Iterator[Metric]:
        model = self._found["model"]
        if model:
            info = GaugeMetricFamily("pollwatch_model_info", "The live model.", labels=["id"])
            info.add_metric([model["id"]], 1)
            yield info
            made = model["created_at"].timestamp()
            yield _one("pollwatch_model_created_timestamp_seconds", "When it was trained, in Unix time.", made)


def _one(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _by(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family
