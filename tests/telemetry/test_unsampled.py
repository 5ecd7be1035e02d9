"""Requests of which no span can be recorded: they take the way of untraced ones, and pass on the caller's ids."""

import logging
import sys

import pytest

from costrel import Costrel, request, websocket
from costrel.app.application import Flask

trace = pytest.importorskip("opentelemetry.trace")

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
NO_TRACE = "0" * 32


def current():
    return trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)


def unsampled(kind=Costrel):
    app = kind("shop")
    app.config["OPENTELEMETRY"] = trace.NoOpTracerProvider()
    app.add_url_rule("/", "index", current)
    return app


@pytest.fixture
def use_propagator():
    from opentelemetry import propagate

    before = propagate.get_global_textmap()
    yield propagate.set_global_textmap
    propagate.set_global_textmap(before)


class OwnPropagator:
    """Reads the trace from a field of its own."""

    fields = frozenset({"x-own-trace"})

    def extract(self, carrier, context=None, getter=None):
        (trace_id,) = getter.get(carrier, "x-own-trace")
        span = trace.SpanContext(int(trace_id, 16), 1, is_remote=True)
        return trace.set_span_in_context(trace.NonRecordingSpan(span), context)


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
class TestTheCaller:
    @pytest.mark.parametrize("kind", [Costrel, Flask])
    def test_its_ids_are_passed_on(self, edge, kind):
        client = unsampled(kind).test_client(edge=edge)

        seen = [client.get("/", headers=fields).text for fields in ({"traceparent": PARENT}, {})]

        assert [TRACE_ID, NO_TRACE] == seen

    def test_it_has_another_propagator(self, edge, use_propagator):
        use_propagator(OwnPropagator())
        client = unsampled().test_client(edge=edge)

        seen = [client.get("/", headers={name: TRACE_ID}).text for name in ("X-Own-Trace", "traceparent")]

        assert [TRACE_ID, NO_TRACE] == seen

    def test_no_propagator_is_set(self, edge, use_propagator):
        from opentelemetry.propagators.composite import CompositePropagator

        use_propagator(CompositePropagator([]))

        assert NO_TRACE == unsampled().test_client(edge=edge).get("/", headers={"traceparent": PARENT}).text

    @pytest.mark.parametrize("fields", [{}, {"traceparent": PARENT}])
    def test_it_is_behind_a_trusted_proxy(self, edge, fields):
        app = unsampled()
        app.config["TRUSTED_PROXIES"] = 1
        app.add_url_rule("/both", "both", lambda: f"{request.remote_addr} {current()}")

        response = app.test_client(edge=edge).get("/both", headers={"X-Forwarded-For": "192.0.2.7", **fields})

        assert f"192.0.2.7 {TRACE_ID if fields else NO_TRACE}" == response.text

    def test_a_route_is_unknown(self, edge):
        app = unsampled()
        app.register_error_handler(404, lambda error: (current(), 404))

        assert TRACE_ID == app.test_client(edge=edge).get("/none", headers={"traceparent": PARENT}).text

    def test_a_propagator_fails(self, edge, use_propagator, caplog):
        use_propagator(OwnPropagator())
        client = unsampled().test_client(edge=edge)

        with caplog.at_level(logging.ERROR):
            response = client.get("/", headers={"X-Own-Trace": "no number"})

        assert (200, NO_TRACE) == (response.status_code, response.text)
        assert ["The trace context of the caller could not be read."] == [record.message for record in caplog.records]


def test_a_websocket():
    app = unsampled()

    @app.websocket("/chat")
    async def chat():
        await websocket.send(current())

    with app.test_client(edge="asgi").websocket("/chat", headers={"traceparent": PARENT}) as connection:
        assert TRACE_ID == connection.receive()


def test_the_span_of_middleware_stays_the_current_one(provider):
    app = unsampled()
    wsgi_app = app.wsgi_app

    def middleware(environ, start_response):
        with provider.get_tracer("middleware").start_as_current_span("outer"):
            return wsgi_app(environ, start_response)

    app.wsgi_app = middleware

    assert app.test_client().get("/", headers={"traceparent": PARENT}).text not in (TRACE_ID, NO_TRACE)


@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
@pytest.mark.parametrize("kind", [Costrel, Flask])
@pytest.mark.parametrize("fields", [{}, {"traceparent": PARENT}])
def test_a_provider_that_is_set_later(edge, kind, fields, provider, exported, monkeypatch):
    providers = [trace.ProxyTracerProvider(), provider]
    monkeypatch.setattr("costrel.telemetry.tracing._INTERVAL", 0)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: providers[0])
    app = kind("shop")
    app.config["OPENTELEMETRY"] = True
    app.add_url_rule("/", "index", current)
    client = app.test_client(edge=edge)

    before = [client.get("/", headers=fields).text for _ in range(2)]
    providers.pop(0)
    client.get("/", headers=fields)
    exported.clear()
    after = client.get("/", headers=fields).text

    assert [TRACE_ID if fields else NO_TRACE] * 2 == before
    assert after != NO_TRACE
    assert [after] == [trace.format_trace_id(span.context.trace_id) for span in exported.get_finished_spans()]
    assert (after == TRACE_ID) is bool(fields)


def test_it_takes_the_calls_of_an_untraced_request():
    assert calls_of(False) == calls_of(trace.NoOpTracerProvider())


def calls_of(setting):
    """The names of the functions that are called for a request."""
    app = Costrel("shop")
    app.config["OPENTELEMETRY"] = setting
    app.add_url_rule("/", "index", lambda: "index")
    environ = app.test_request_context("/").request.environ
    names = []
    for _ in range(3):
        names.clear()
        sys.setprofile(lambda frame, event, _: names.append(frame.f_code.co_name) if event == "call" else None)
        try:
            app({**environ}, lambda status, headers, exc_info=None: None)
        finally:
            sys.setprofile(None)
    return names
