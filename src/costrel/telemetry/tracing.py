"""OpenTelemetry: a span for each request, with the stable semantic conventions for HTTP. Needs only the API package.

A span starts in stage 2, when the route is known, and ends in stage 13. It is current in the context variables of the
request, so copies of the variables carry it into threads and tasks.
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
"""The entry of `RequestContext.overridden` for a request whose span has to be started, or has been started."""

_INTERVAL: t.Final = 1.0
"""The interval in seconds at which the global provider is looked up until the application has set one."""

_SCHEMA: t.Final = "https://opentelemetry.io/schemas/1.27.0"
_NEVER: t.Final = "AlwaysOffSampler"


class Tracing:
    """Traces the requests of one application.

    :param provider: creates the tracer. None means the global provider, which may be set later.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        names = propagate.get_global_textmap().fields
        if "traceparent" in names:  # `tracestate` is ignored without it (W3C Trace Context, §3.3)
            names = names - {"tracestate"}
        self._caller = Fields(*(f"HTTP_{name.upper().replace('-', '_')}" for name in names))
        """The header fields of the global propagator."""
        self.next_lookup = inf
        """The time of the next look-up of the global provider, on the monotonic clock."""
        self._use(provider or trace.get_tracer_provider())
        self.fields: Fields = self._caller if self.next_lookup == inf else LateFields(self, self._caller)

    def _use(self, provider: TracerProvider) -> None:
        self._provider = provider
        may_change = isinstance(provider, trace.ProxyTracerProvider)
        self.next_lookup = monotonic() + _INTERVAL if may_change else inf
        self._tracer = provider.get_tracer("costrel", __version__, schema_url=_SCHEMA)
        self.records = not _never_records(provider, self._tracer)
        """Whether spans may be recorded. If not, only `arrive` is called, and not `begin`."""

    def arrive(self, ctx: RequestContext) -> None:
        """Forward the caller's trace context and baggage for a request without a span."""
        if monotonic() > self.next_lookup:
            self._look_up_provider(ctx.app)
        begins_span = self.records and ctx.outlook is None  # an edge that has checked the outlook does so only once
        source = ctx.request._source
        if not (begins_span or self._caller.are_absent_from(source) or trace.get_current_span().is_recording()):
            try:
                contexts.attach(propagate.extract(source, Context(), _GETTER))
            except Exception:  # a propagator should not raise one, but may be third-party code
                ctx.app.logger.exception("The trace context of the caller could not be read.")

    def _look_up_provider(self, app: AppContract) -> None:
        """Start tracing if a global provider has been set since the first request."""
        self._use(trace.get_tracer_provider())
        if self.records:
            use_tracing(app, self)
            if app.guards is not None:
                app.guards.without(self)

    def begin(self, ctx: RequestContext) -> None:
        """Start the span of a request, and make it current. If it is recorded, it is stored as `ctx.trace`."""
        source = ctx.request._source
        if not _is_traced(source):
            self._start(ctx, source)
        if ctx.trace is None:
            ctx.overridden -= SEAM

    def _start(self, ctx: RequestContext, source: dict[str, t.Any]) -> None:
        has_caller = not self._caller.are_absent_from(source)
        kind, parent = _kind_and_parent(propagate.extract(source, Context(), _GETTER) if has_caller else None)
        attributes = RequestAttributes(ctx)
        span = self._tracer.start_span(attributes.span_name, parent, kind, attributes)
        inside = trace.set_span_in_context(span, parent)
        contexts.attach(inside)
        _note_trace(source, span)
        if span.is_recording():
            ctx.trace = RequestSpan(span, inside)

    def flush(self) -> None:
        """Export the spans that have ended, if the provider has a ``force_flush``, as the SDK's does."""
        flush = getattr(self._provider, "force_flush", None)
        if flush is not None:
            with suppress(Exception):  # a failing exporter must not disturb the shutdown
                flush(_FLUSH)


class LateFields(Fields):
    """Header fields of requests that are not traced yet. They count as present when a provider look-up is due."""

    def __init__(self, tracing: Tracing, *fields: Fields) -> None:
        super().__init__(*(key for each in fields for key in each.keys))
        self._tracing = tracing

    def joined_with(self, other: Fields) -> Fields:
        """Return the union of these fields and `other`."""
        return LateFields(self._tracing, self, other)

    def are_absent_from(self, source: dict[str, t.Any]) -> bool:
        """Whether a request lacks all of these fields, and no look-up is due."""
        return monotonic() < self._tracing.next_lookup and Fields.are_absent_from(self, source)


_FLUSH: t.Final = 2_000
"""The time limit for exporting spans at the end of a worker, in milliseconds."""


def _never_records(provider: TracerProvider, tracer: trace.Tracer) -> bool:
    """Whether no span of this tracer can be recorded, so that none needs to be started."""
    if isinstance(provider, (trace.NoOpTracerProvider, trace.ProxyTracerProvider)):
        return True
    sampler = getattr(tracer, "sampler", None)
    return isinstance(tracer, trace.NoOpTracer) or (sampler is not None and sampler.get_description() == _NEVER)


def _kind_and_parent(parent: Context | None) -> tuple[SpanKind, Context]:
    """The kind and the parent of a request's span.

    A request has only one SERVER span. Inside another span, for example from middleware, the kind is INTERNAL.
    """
    current = trace.get_current_span()
    if current.get_span_context().is_valid:
        if current.is_recording() and getattr(current, "kind", None) is SpanKind.SERVER:
            return SpanKind.INTERNAL, contexts.get_current()
        if parent is None:
            return SpanKind.SERVER, contexts.get_current()
    return SpanKind.SERVER, Context() if parent is None else parent


def _is_traced(source: dict[str, t.Any]) -> bool:
    """Whether an application that has mounted this one has already started a span for the request."""
    scope = hot(source, "asgi.scope")
    return hot(source, TRACED) is not None or (scope is not None and TRACED in scope)


def _note_trace(source: dict[str, t.Any], span: Span) -> None:
    scope = hot(source, "asgi.scope")
    if scope is not None:
        note(scope, TRACE, trace.format_trace_id(span.get_span_context().trace_id))


class _SourceGetter(Getter[dict[str, t.Any]]):
    """Reads a propagator's header fields from the source of a request."""

    def get(self, carrier: dict[str, t.Any], key: str) -> list[str] | None:
        value = carrier.get(f"HTTP_{key.upper().replace('-', '_')}")
        return None if value is None else [value]

    def keys(self, carrier: dict[str, t.Any]) -> list[str]:
        return [key[5:].lower().replace("_", "-") for key in carrier if key.startswith("HTTP_")]


_GETTER: t.Final = _SourceGetter()
