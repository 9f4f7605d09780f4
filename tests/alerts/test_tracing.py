"""Traces: real spans, sent to a real collector; without being asked for, nothing of them is even loaded."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from alerts import pipeline
from alerts.process import observed
from monitor import logs, tracing
from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.store import Store, feeds
from monitor.types import Lang, Role, StageReport
from tests.fakes import feed_server, item, rss
from tests.logged import logged

LURE = "Urgent: your vote is void unless you confirm your identity card and bank code at once on this link"


@dataclass
class Collector:
    """What came in, decoded."""

    address: str = ""
    resource: dict[str, Any] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


@contextmanager
def _collector() -> Iterator[Collector]:
    """OTLP over HTTP on a free port of loopback."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            for each in ExportTraceServiceRequest.FromString(body).resource_spans:
                found.resource = _attributes(each.resource)
                found.spans += [span for scope in each.scope_spans for span in scope.spans]
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _attributes(holder: Any) -> dict[str, Any]:
    found = {}
    for pair in holder.attributes:
        kind = pair.value.WhichOneof("value")
        value = getattr(pair.value, kind)
        found[pair.key] = [each.int_value for each in value.values] if kind == "array_value" else value
    return found


def test_a_pass_is_a_span_for_each_stage_with_its_steps_inside(
    store: Store, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch, configure: Any
) -> None:
    """Counts as attributes, batches and transactions as children, flagged items by id; the log leads to the trace."""
    with _collector() as collector, feed_server() as server, logged(level="info") as written:
        toml = f'[traces]\nendpoint = "{collector.address}"\n[fetch]\nallow_private = ["127.0.0.0/8"]\n'
        settings = configure(toml + '[logs]\nformat = "json"\n')
        quiet = item("The ferry pier opens again on Monday", "Repairs took a week.", guid="pier")
        url = server.put("/feed", rss(quiet, item(LURE, "Act now", guid="lure")))
        with store.write() as connection:
            feeds.add(connection, url, now, outlet="Harbour Daily", role=Role.MEDIA, lang=Lang.EN)
        with observed(settings):
            known = dict(pipeline.stages(settings))
            for name in ("collect", "assess", "group"):
                pipeline.run_stage(name, known[name], store, settings, lambda: now)
    assert collector.resource["service.name"] == "pollwatch"
    (assess,), (batch,) = collector.named("assess"), collector.named("assess.batch")
    (said,) = written.lines("item.assess")
    assert batch.parent_span_id == assess.span_id
    assert not assess.parent_span_id
    assert _attributes(assess)["pollwatch.flagged"] == 1
    assert _attributes(batch)["pollwatch.items"] == [said["item"]]
    assert said["trace_id"] == assess.trace_id.hex() == batch.trace_id.hex()
    writes = [span for span in collector.named("store.write") if span.trace_id == assess.trace_id]
    assert writes
    (collect,) = collector.named("collect")
    assert _attributes(collect)["pollwatch.items_new"] == 2
    assert {span.name for span in collector.spans} >= {"collect", "assess", "group", "group.batch", "store.write"}


def test_an_error_marks_its_span_by_name_alone(store: Store, settings: Settings, now: datetime) -> None:
    """Its words may hold a secret or what an outlet wrote, and a collector is somebody else's machine."""

    def fails(store: Store, settings: Settings, now: datetime) -> StageReport:
        raise ConnectionError("postgresql://desk:hush@db/x")

    with _collector() as collector:
        tracing.begin(collector.address, "pollwatch.toml")
        with pytest.raises(ConnectionError):
            pipeline.run_stage("collect", fails, store, settings, lambda: now)
        tracing.end()
    (span,) = collector.named("collect")
    assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "ConnectionError")
    assert b"hush" not in span.SerializeToString()
    assert tracing.ids() == {}


def test_a_collector_that_is_away_stops_nothing(store: Store, settings: Settings, now: datetime) -> None:
    """Nobody listens at its port: stages run, and the end of the process waits for a few seconds at most."""
    with logged(level="info"):
        tracing.begin("http://127.0.0.1:9", "pollwatch.toml")
        done = pipeline.run_stage("sample", dict(pipeline.STAGES)["sample"], store, settings, lambda: now)
        tracing.end()
    assert done.counts == {"drawn": 0}


def test_nothing_is_loaded_unless_it_is_asked_for() -> None:
    """Not by the stages, not by the log; a collector named in the environment is enough to ask."""
    code = (
        "import sys, alerts.pipeline\n"
        "from monitor import logs, tracing\n"
        "tracing.begin('', 'pollwatch.toml')\n"
        "with tracing.span('collect') as step:\n"
        "    step.set(feeds=1)\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_its_libraries_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for in the configuration it is a fault; a variable may be there for other programs, and is one line."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"traces.endpoint: traces need OpenTelemetry: pip install"):
        tracing.begin("http://127.0.0.1:4318", "pollwatch.toml")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    with logged(level="info") as written:
        tracing.begin("", "pollwatch.toml")
        logs.tell("stage.finish")
    assert [line["level"] for line in written.lines()] == ["warning", "info"]
    assert "opentelemetry-sdk" in written.lines()[0]["event"]
