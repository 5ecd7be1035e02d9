"""Turns the tracing of an application on or off, as the setting ``OPENTELEMETRY`` says."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ..context import AppContract, TracingContract
    from ..guards.contract import Arrival
    from .tracing import Tracing

_NEEDS: t.Final = "OPENTELEMETRY requires the package opentelemetry-api: pip install 'costrel[otel]'"


def switch_tracing(app: AppContract) -> Arrival | None:
    """Start or stop tracing the requests of `app`, as the setting says now.

    If no span can be recorded, requests are handled as without tracing. The result then forwards the caller's trace
    headers; otherwise it is None.
    """
    tracing = tracing_of(app)
    if tracing is None or tracing.records:
        use_tracing(app, tracing)
        return None
    use_tracing(app, None)
    return tracing


def use_tracing(app: AppContract, tracing: TracingContract | None) -> None:
    """Start a span for each request with `tracing`; None turns this off."""
    for name, value in (("_tracing", tracing), ("_traces_apart", tracing is not None)):
        if value:
            setattr(app, name, value)
        elif name in app.__dict__:
            delattr(app, name)


def tracing_of(app: AppContract) -> Tracing | None:
    """The tracing that the setting asks for; None for no tracing.

    Raises RuntimeError if OpenTelemetry is not installed, and TypeError if the setting is no bool or tracer provider.
    """
    setting = app.config.get("OPENTELEMETRY")
    if not setting:
        return None
    try:
        from .tracing import Tracing
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        raise RuntimeError(_NEEDS) from error
    if setting is not True and not callable(getattr(setting, "get_tracer", None)):
        raise TypeError(f"OPENTELEMETRY is {setting!r}. It must be True, False or a TracerProvider.")
    return Tracing(None if setting is True else setting)
