"""Turning tracing on, and its behaviour if it is off, without an SDK, or with no sampled span."""

import asyncio
import subprocess
import sys

import pytest

from costrel import Costrel
from costrel.app.application import Flask
from costrel.testing.lifespan import Lifespan

trace = pytest.importorskip("opentelemetry.trace")

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01", "baggage": "tenant=blue"}


def current():
    from opentelemetry import baggage

    span = trace.get_current_span().get_span_context()
    return f"{trace.format_trace_id(span.trace_id)} {baggage.get_baggage('tenant')}"


@pytest.mark.parametrize("kind", [Costrel, Flask])
@pytest.mark.parametrize("edge", ["wsgi", "asgi"])
def test_it_is_off(kind, edge, exported):
    app = kind("shop")
    app.add_url_rule("/", "index", current)

    assert f"{'0' * 32} None" == app.test_client(edge=edge).get("/", headers=HEADERS).text
    assert app.overridden == app.overridden_entrances == frozenset()


def test_opentelemetry_is_imported_only_if_it_is_on():
    program = """
import sys
from costrel import Costrel
app = Costrel("shop")
app.add_url_rule("/", "index", lambda: "index")
assert app.test_client(edge="asgi").get("/").status_code == 200
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
sys.modules["opentelemetry"] = None
app = Costrel("shop")
app.config.update(OPENTELEMETRY=True, TESTING=True)
try:
    app.test_client().get("/")
except RuntimeError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    assert "OPENTELEMETRY requires the package opentelemetry-api: pip install 'costrel[otel]'" == (
        found.stdout.strip()
    ), found.stderr


@pytest.mark.parametrize("wrong", ["yes", 7, object()])
def test_a_wrong_setting(wrong):
    app = Costrel("shop")
    app.config.update(OPENTELEMETRY=wrong, TESTING=True)

    with pytest.raises(TypeError, match=r"OPENTELEMETRY is .* It must be True, False or a TracerProvider"):
        app.test_client().get("/")


@pytest.mark.parametrize("kind", ["no SDK", "ALWAYS_OFF", "a ratio of 0", "a parent that is not sampled"])
def test_without_spans_the_ids_of_the_caller_are_passed_on(client, app, exported, provider, kind):
    sampling = pytest.importorskip("opentelemetry.sdk.trace.sampling")
    headers = dict(HEADERS)
    if kind == "no SDK":
        app.config["OPENTELEMETRY"] = trace.NoOpTracerProvider()
    elif kind == "a parent that is not sampled":
        headers["traceparent"] = headers["traceparent"].removesuffix("01") + "00"
    else:
        provider.sampler = sampling.ALWAYS_OFF if kind == "ALWAYS_OFF" else sampling.TraceIdRatioBased(0)
    app.add_url_rule("/", "index", current)

    assert f"{TRACE_ID} blue" == client.get("/", headers=headers).text
    assert () == exported.get_finished_spans()


def test_it_can_be_switched_off_again_in_tests(client, app, exported, provider):
    app.testing = True
    app.add_url_rule("/", "index", current)

    for setting in (provider, False, provider):
        app.config["OPENTELEMETRY"] = setting
        client.get("/")

    assert 2 == len(exported.get_finished_spans())


def test_the_end_of_a_worker_exports_the_spans_that_wait(app, provider, monkeypatch):
    flushed = []
    monkeypatch.setattr(provider, "force_flush", lambda milliseconds: flushed.append(milliseconds))
    app.add_url_rule("/", "index", lambda: "index")
    app.test_client(edge="asgi").get("/")

    async def serve():
        lifespan = Lifespan(app.asgi)
        await lifespan.start()
        assert [] == flushed
        await lifespan.stop()

    asyncio.run(serve())

    assert 1 == len(flushed)
