"""Spans for OpenTelemetry: one for each request, by the API package, with the stable semantic conventions for HTTP.

A span begins in stage 2, when the route is known, and ends in stage 13. It is current in the context variables of the
request, so copies of these carry it into threads and tasks.
"""

from __future__ import annotations

import typing as t
from contextlib import suppress
from math import inf
from time import monotonic

from opentelemetry import context as contexts
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import SpanKind

from ..messages.source import Fields, hot
from ..version import __version__
from .attributes import RequestAttributes
from .notes import TRACE, note
from .request_span import TRACED, RequestSpan
from .switch import use_tracing

if t.TYPE_CHECKING:
    from opentelemetry.trace import Span, TracerProvider

    from ..context import AppContract, RequestContext

SEAM: t.Final = frozenset({"_tracing"})
"""The values of `RequestContext.overridden` for a request whose span is to begin, and for a request with a span."""

_INTERVAL: t.Final = 1.0
"""The seconds between two looks for the global provider, as long as the application has set none."""

_SCHEMA: t.Final = "https://opentelemetry.io/schemas/1.27.0"
_NEVER: t.Final = "AlwaysOffSampler"


class Tracing:
    """How the requests of one application are traced, as of its first request.

    :param provider: makes the tracer; None for the global provider, which may be set later.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        names = propagate.get_global_textmap().fields
        if "traceparent" in names:  # without it, `tracestate` is ignored (W3C Trace Context, §3.3)
            names = names - {"tracestate"}
        self._caller = Fields(*(f"HTTP_{name.upper().replace('-', '_')}" for name in names))
        """Those of the global propagator."""
        self.next_look = inf
        """The time, by the monotonic clock, of the next look for the global provider."""
        self._use(provider or trace.get_tracer_provider())
        self.fields: Fields = self._caller if self.next_look == inf else LateFields(self, self._caller)

    def _use(self, provider: TracerProvider) -> None:
        self._provider = provider
        may_change = isinstance(provider, trace.ProxyTracerProvider)
        self.next_look = monotonic() + _INTERVAL if may_change else inf
        self._tracer = provider.get_tracer("costrel", __version__, schema_url=_SCHEMA)
        self.records = not _never_records(provider, self._tracer)
        """Whether spans may be recorded. If not, `arrive` is called, and `begin` is not."""

    def arrive(self, ctx: RequestContext) -> None:
        """Pass on the ids and the baggage of the caller of a request that has no span."""
        if monotonic() > self.next_look:
            self._look_again(ctx.app)
        begins_span = self.records and ctx.outlook is None  # an edge that has looked already will not look again
        source = ctx.request._source
        if not (begins_span or self._caller.are_absent_from(source) or trace.get_current_span().is_recording()):
            try:
                contexts.attach(propagate.extract(source, Context(), _GETTER))
            except Exception:  # no propagator should raise one
                ctx.app.logger.exception("The trace of a caller could not be read.")

    def _look_again(self, app: AppContract) -> None:
        """Trace requests from now on if a provider was set since the first of them."""
        self._use(trace.get_tracer_provider())
        if self.records:
            use_tracing(app, self)
            if app.guards is not None:
                app.guards.without(self)

    def begin(self, ctx: RequestContext) -> None:
        """Begin the span of a request, and make it the current one. `ctx.trace` is it if it is recorded."""
        source = ctx.request._source
        if not _is_traced(source):
            self._start(ctx, source)
        if ctx.trace is None:
            ctx.overridden -= SEAM

    def _start(self, ctx: RequestContext, source: dict[str, t.Any]) -> None:
        has_caller = not self._caller.are_absent_from(source)
        kind, parent = _place_of(propagate.extract(source, Context(), _GETTER) if has_caller else None)
        attributes = RequestAttributes(ctx)
        span = self._tracer.start_span(attributes.span_name, parent, kind, attributes)
        inside = trace.set_span_in_context(span, parent)
        contexts.attach(inside)
        _note_trace(source, span)
        if span.is_recording():
            ctx.trace = RequestSpan(span, inside)

    def flush(self) -> None:
        """Export the spans that have ended, if the provider has such a method, as that of the SDK."""
        flush = getattr(self._provider, "force_flush", None)
        if flush is not None:
            with suppress(Exception):  # an exporter that fails must not fail the end of the worker
                flush(_FLUSH)


class LateFields(Fields):
    """Fields of requests that are not traced yet. When a look for the global provider is due, none counts as absent."""

    def __init__(self, tracing: Tracing, *fields: Fields) -> None:
        super().__init__(*(key for each in fields for key in each.keys))
        self._tracing = tracing

    def joined_with(self, other: Fields) -> Fields:
        """These and the others."""
        return LateFields(self._tracing, self, other)

    def are_absent_from(self, source: dict[str, t.Any]) -> bool:
        """Whether a request has none of them, and no look is due."""
        return monotonic() < self._tracing.next_look and Fields.are_absent_from(self, source)


_FLUSH: t.Final = 2_000
"""The time limit for the export of spans at the end of a worker, in milliseconds."""


def _never_records(provider: TracerProvider, tracer: trace.Tracer) -> bool:
    """Whether no span of this tracer is recorded, so that none needs to be made."""
    if isinstance(provider, (trace.NoOpTracerProvider, trace.ProxyTracerProvider)):
        return True
    sampler = getattr(tracer, "sampler", None)
    return isinstance(tracer, trace.NoOpTracer) or (sampler is not None and sampler.get_description() == _NEVER)


def _place_of(parent: Context | None) -> tuple[SpanKind, Context]:
    """The kind and the parent of a request's span.

    Inside a SERVER span, such as that of middleware, it is an INTERNAL one, since a request has one SERVER span.
    """
    current = trace.get_current_span()
    if current.get_span_context().is_valid:
        if current.is_recording() and getattr(current, "kind", None) is SpanKind.SERVER:
            return SpanKind.INTERNAL, contexts.get_current()
        if parent is None:
            return SpanKind.SERVER, contexts.get_current()
    return SpanKind.SERVER, Context() if parent is None else parent


def _is_traced(source: dict[str, t.Any]) -> bool:
    """Whether the request has come from an application that has a span for it and has mounted this one."""
    scope = hot(source, "asgi.scope")
    return hot(source, TRACED) is not None or (scope is not None and TRACED in scope)


def _note_trace(source: dict[str, t.Any], span: Span) -> None:
    scope = hot(source, "asgi.scope")
    if scope is not None:
        note(scope, TRACE, trace.format_trace_id(span.get_span_context().trace_id))


class _SourceGetter(Getter[dict[str, t.Any]]):
    """Reads the header fields of a propagator from the source of a request."""

    def get(self, carrier: dict[str, t.Any], key: str) -> list[str] | None:
        value = carrier.get(f"HTTP_{key.upper().replace('-', '_')}")
        return None if value is None else [value]

    def keys(self, carrier: dict[str, t.Any]) -> list[str]:
        return [key[5:].lower().replace("_", "-") for key in carrier if key.startswith("HTTP_")]


_GETTER: t.Final = _SourceGetter()
