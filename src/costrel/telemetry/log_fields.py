"""The fields that identify the request in a log line: request id, trace id and endpoint.

They are looked up when a line is written, so a request without log lines pays nothing for them.
"""

from __future__ import annotations

import sys
import typing as t
from collections.abc import Callable
from contextvars import ContextVar

from ..context import RequestContext, peek_request
from ..http.traceparent import trace_id_of
from ..messages.source import hot
from ..support.patterns import LatePattern
from .notes import TRACE, noted

Fields: t.TypeAlias = dict[str, str | None]
Source: t.TypeAlias = dict[str, t.Any]

NAMES: t.Final = ("request_id", "trace_id", "endpoint")
"""The names of the fields."""

_is_request_id: t.Final = LatePattern(r"[!-~]{1,128}").fullmatch


class Sending:
    """A request whose response is being sent: its context has ended, but its stream may still write log lines."""

    __slots__ = ("endpoint", "is_over", "source")

    def __init__(self, source: Source, endpoint: str | None) -> None:
        self.source = source
        self.endpoint = endpoint
        self.is_over = False

    def end(self) -> None:
        """Record that the response has been sent. The context variable cannot be reset here: a copy may be current."""
        self.is_over = True


_sending: ContextVar[Sending | None] = ContextVar("costrel.sending", default=None)


def note_sending(source: Source, endpoint: str | None) -> Callable[[], None]:
    """Identify this request in log lines after its context has ended. Returns the function to call at its end."""
    sending = Sending(source, endpoint)
    _sending.set(sending)
    return sending.end


def request_fields() -> Fields:
    """The fields for a log line that is written now. Unknown values are None. Empty outside of a request."""
    ctx = peek_request()
    if ctx is not None:
        return _fields(ctx.request._source, _endpoint_of(ctx))
    sending = _sending.get()
    if sending is None or sending.is_over:
        return {}
    return _fields(sending.source, sending.endpoint)


def request_id_of(source: Source) -> str | None:
    """The id that the server or a proxy has assigned to the request; None without a well-formed id."""
    request_id: str = source.get("HTTP_X_REQUEST_ID", "")
    return request_id if _is_request_id(request_id) else None


def trace_id_in(source: Source) -> str | None:
    """The trace id of a request's span, or of its ``traceparent`` header; None without either."""
    scope = hot(source, "asgi.scope")
    from_span = None if scope is None else noted(scope, TRACE)
    return from_span or trace_id_of(source.get("HTTP_TRACEPARENT"))


def add_request_fields(logger: object, method_name: str, event_dict: dict[str, t.Any]) -> dict[str, t.Any]:
    """A structlog processor that adds request id, trace id and endpoint to events during a request.

    Values that the event already has are kept.
    """
    for name, value in request_fields().items():
        event_dict.setdefault(name, value)
    return event_dict


def _fields(source: Source, endpoint: str | None) -> Fields:
    return {
        "request_id": request_id_of(source),
        "trace_id": _current_trace_id() or trace_id_in(source),
        "endpoint": endpoint,
    }


def _endpoint_of(ctx: RequestContext) -> str | None:
    endpoint: str | None = ctx.request.endpoint
    return endpoint


def _current_trace_id() -> str | None:
    """The trace id of the current OpenTelemetry span, if the application uses OpenTelemetry."""
    api = sys.modules.get("opentelemetry.trace")
    if api is None:
        return None
    span = api.get_current_span().get_span_context()
    return api.format_trace_id(span.trace_id) if span.is_valid else None
