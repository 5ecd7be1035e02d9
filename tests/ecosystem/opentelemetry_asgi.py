"""OpenTelemetry's ASGI middleware around an application: by itself, and around one that is traced."""

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.processes import wait_until

from costrel import Costrel

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exported():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exported):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    yield provider
    provider.shutdown()


@pytest.fixture
def app(provider):
    app = Costrel("shop")
    app.asgi_app = OpenTelemetryMiddleware(app.asgi_app, tracer_provider=provider)

    @app.get("/items/<int:number>")
    def item(number):
        return trace.format_span_id(trace.get_current_span().get_span_context().span_id)

    @app.get("/stream")
    async def stream():
        async def items():
            yield trace.format_span_id(trace.get_current_span().get_span_context().span_id)

        return items()

    return app


def server_span(exported):
    """The one SERVER span, which ends after the client has the last byte."""

    def found():
        return [span for span in exported.get_finished_spans() if span.kind is trace.SpanKind.SERVER]

    wait_until(found, "the end of the span")
    (span,) = found()
    return span


@pytest.mark.parametrize("path", ["/items/7", "/stream"])
def test_its_span_is_current_in_views_and_streams(app, exported, path):
    response = app.test_client(edge="asgi").get(path, headers={"traceparent": PARENT})

    assert (200, 16) == (response.status_code, len(response.text))
    server = server_span(exported)
    assert response.text == trace.format_span_id(server.context.span_id)
    assert PARENT.split("-")[1:3] == [f"{server.context.trace_id:032x}", f"{server.parent.span_id:016x}"]


def test_there_is_one_server_span_if_the_application_is_traced_too(app, provider, exported):
    app.config["OPENTELEMETRY"] = provider

    app.test_client(edge="asgi").get("/items/7", headers={"traceparent": PARENT})

    server = server_span(exported)
    (ours,) = [span for span in exported.get_finished_spans() if span.name == "GET /items/<int:number>"]
    assert (trace.SpanKind.INTERNAL, server.context.span_id) == (ours.kind, ours.parent.span_id)
