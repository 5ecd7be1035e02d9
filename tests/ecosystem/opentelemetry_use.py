"""OpenTelemetry's Flask instrumentation: spans named after routes, with attributes, hooks and excluded paths."""

import pytest
from flask import Response, abort, request
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@pytest.fixture
def exported():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exported):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    yield provider
    provider.shutdown()


def build():
    import flask

    app = flask.Flask(__name__)

    @app.get("/hello/<int:number>")
    def hello(number):
        span = trace.get_current_span()
        span.set_attribute("seen", number)
        return f"hello {number} {request.path}"

    @app.get("/broken")
    def broken():
        raise ValueError("broken")

    @app.get("/teapot")
    def teapot():
        abort(418)

    @app.get("/stream")
    def stream():
        return Response(iter(["a", "b"]))

    @app.get("/health")
    def health():
        return "fine"

    return app


@pytest.fixture
def app(provider):
    app = build()
    FlaskInstrumentor().instrument_app(
        app,
        tracer_provider=provider,
        excluded_urls="health",
        request_hook=lambda span, environ: span.set_attribute("hooked", environ["PATH_INFO"]),
        response_hook=lambda span, status, headers: span.set_attribute("status", status),
    )
    yield app
    FlaskInstrumentor.uninstrument_app(app)


def test_a_span_is_named_after_its_route(app, exported):
    assert "hello 7 /hello/7" == app.test_client().get("/hello/7?a=b").text

    (span,) = exported.get_finished_spans()
    assert ("GET /hello/<int:number>", trace.SpanKind.SERVER) == (span.name, span.kind)
    kept = dict(span.attributes)
    assert {"seen": 7, "hooked": "/hello/7", "status": "200 OK"}.items() <= kept.items()
    assert ("/hello/<int:number>", 200, "/hello/7?a=b") == (
        kept["http.route"],
        kept["http.status_code"],
        kept["http.target"],
    )


def test_the_parent_of_a_span_comes_from_the_request(app, exported):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    app.test_client().get("/hello/1", headers={"traceparent": parent})

    (span,) = exported.get_finished_spans()
    assert parent.split("-")[1:3] == [f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}"]


def test_errors(app, exported):
    client = app.test_client()

    assert [500, 418, 404] == [client.get(path).status_code for path in ("/broken", "/teapot", "/missing")]

    broken, teapot, missing = exported.get_finished_spans()
    assert ("GET /broken", trace.StatusCode.ERROR) == (broken.name, broken.status.status_code)
    assert ("GET /teapot", 418) == (teapot.name, teapot.attributes["http.status_code"])
    assert ("GET", 404) == (missing.name.split()[0], missing.attributes["http.status_code"])


def test_a_stream_and_what_is_excluded(app, exported):
    client = app.test_client()

    assert ("ab", "fine") == (client.get("/stream").text, client.get("/health").text)

    assert ["GET /stream"] == [span.name for span in exported.get_finished_spans()]


def test_every_application_of_a_process(provider, exported):
    import flask

    original = flask.Flask
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader])
    instrumentor = FlaskInstrumentor()
    instrumentor.instrument(tracer_provider=provider, meter_provider=meters)
    try:
        assert flask.Flask is not original
        build().test_client().get("/hello/1")
    finally:
        instrumentor.uninstrument()

    assert flask.Flask is original
    assert ["GET /hello/<int:number>"] == [span.name for span in exported.get_finished_spans()]
    (resource,) = reader.get_metrics_data().resource_metrics
    assert {"http.server.active_requests", "http.server.duration"} == {
        metric.name for metric in resource.scope_metrics[0].metrics
    }
    meters.shutdown()
