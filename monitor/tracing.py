"""Traces of OpenTelemetry, when they are asked for: a span for each run of a stage, and one for each step that takes
long. The one door of its libraries, which are not even loaded otherwise.

They are asked for by `traces.endpoint`, or by the variables that OpenTelemetry has for it; all its others hold, too.
What an error says is in the log: a span bears its name alone, for words may hold what is nobody's business.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from monitor import __version__
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

log = logging.getLogger(__name__)

Value = str | int | float | bool | None

PREFIX = "pollwatch."
MOST_ITEMS = 200  # in one span: collectors refuse what is endless
WITHIN_S = 2.0  # for the collector's answer: a process that is to stop waits for it
_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_MEND = "traces need OpenTelemetry: pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"

_provider: TracerProvider | None = None


class Step:
    """What is said of a span while it lasts; without traces nothing is."""

    def __init__(self, span: Span | None = None) -> None:
        self._span = span

    def set(self, **counts: Value) -> None:
        """Attributes, each named `pollwatch.…`."""
        if self._span is not None:
            found = {PREFIX + key: value for key, value in counts.items() if value is not None}
            self._span.set_attributes(found)

    def about(self, item_ids: Iterable[int]) -> None:
        """The flagged items that it was about, the first MOST_ITEMS of them: `pollwatch.items`."""
        if self._span is not None:
            self._span.set_attribute(f"{PREFIX}items", list(item_ids)[:MOST_ITEMS])


_NOTHING = Step()


def begin(endpoint: str, file: str) -> None:
    """Trace from here on, if that is asked for: by ``endpoint``, which ``file`` names, or by the environment.

    Raises ConfigError where ``endpoint`` is there and the libraries are not.
    """
    global _provider  # noqa: PLW0603 - one process has one
    variable = next((name for name in _VARIABLES if os.environ.get(name)), None)
    if _provider is not None or not (endpoint or variable):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        if endpoint:
            raise ConfigError(file, "traces.endpoint", _MEND) from error
        log.warning("%s is set, but %s", variable, _MEND)  # it may be there for other programs
        return
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "pollwatch"}
    where = f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None
    _provider = TracerProvider(
        resource=Resource.create({**named, "service.version": __version__}), shutdown_on_exit=False
    )
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=where, timeout=WITHIN_S)))


def end() -> None:
    """Hand over what is left, and trace no more."""
    global _provider  # noqa: PLW0603 - as above
    if _provider is not None:
        _provider.shutdown()
        _provider = None


@contextlib.contextmanager
def span(name: str, **attributes: Value) -> Iterator[Step]:
    """A span inside of the one that lasts; an error marks it, and goes on."""
    if _provider is None:
        yield _NOTHING
        return
    from opentelemetry.trace import Status, StatusCode

    tracer = _provider.get_tracer("pollwatch", __version__)
    with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as begun:
        step = Step(begun)
        step.set(**attributes)
        try:
            yield step
        except BaseException as error:
            begun.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def step(name: str) -> contextlib.AbstractContextManager[Step]:
    """A span inside of another, and nothing where there is none: by itself it would say little."""
    return span(name) if ids() else contextlib.nullcontext(_NOTHING)


def ids() -> dict[str, str]:
    """By which the log and the trace find each other: ``trace_id`` and ``span_id``, in hex; empty outside of a span."""
    if _provider is None:
        return {}
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
