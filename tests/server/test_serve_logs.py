"""Log lines and trace ids under `costrel serve`."""

import json
import re

import pytest

from .served import serving

pytestmark = pytest.mark.ci

SHOP = """
import asyncio
import logging
from costrel import Costrel, Response

logging.basicConfig(format="root %(message)s")
app = Costrel("shop")
log = logging.getLogger("shop.orders").warning

@app.get("/sync")
def sync():
    log("in sync", extra={"order": 7})
    logging.getLogger("other").warning("elsewhere")
    return "sync"

@app.get("/async")
async def asynchronous():
    await asyncio.sleep(0)
    log("in async")
    return "async"

@app.get("/stream")
def stream():
    def items():
        yield "a"
        log("in stream")
    return Response(items())

@app.get("/broken")
def broken():
    raise LookupError("gone")

class Middleware:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(dict(scope), receive, send)

wrapped = Middleware(app.asgi)

@app.get("/trace")
def trace_id():
    from opentelemetry import trace
    return trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)
"""
TRACED = """
from opentelemetry.sdk.trace import TracerProvider
from shop import Middleware, app
app.config["OPENTELEMETRY"] = TracerProvider()
wrapped = Middleware(app.asgi)
"""
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "traced.py").write_text(TRACED)
    return tmp_path


@pytest.mark.parametrize("target", ["shop:wrapped"])
def test_lines_of_the_application_as_json(folder, target):
    with serving(folder, "--log-format", "json", app=target, workers=1) as served:
        for path in ("/sync", "/async", "/stream", "/broken"):
            served.exchange(path, X_Request_ID=f"request-{path[1:]}", traceparent=PARENT)
        served.end()

    lines = [json.loads(line) for line in served.lines if line.startswith("{")]
    assert [("in sync", "sync"), ("in async", "asynchronous"), ("in stream", "stream"), ("Exception", "broken")] == [
        (re.sub("Exception.*", "Exception", line["message"]), line["endpoint"]) for line in lines if "endpoint" in line
    ]
    ours = [line for line in lines if "endpoint" in line]
    assert [f"request-{name}" for name in ("sync", "async", "stream", "broken")] == [
        line["request_id"] for line in ours
    ]
    assert {TRACE_ID} == {line["trace_id"] for line in ours}
    assert 7 == ours[0]["order"]
    assert ours[3]["traceback"].endswith("LookupError: gone")
    assert ["root elsewhere"] == [line for line in served.lines if line.startswith("root")]
    assert {TRACE_ID} == {json.loads(line)["trace_id"] for line in served.output}


@pytest.mark.parametrize("target", ["traced:app"])
def test_the_access_log_names_the_trace(folder, target):
    pytest.importorskip("opentelemetry.sdk")
    with serving(folder, app=target, workers=1) as served:
        _, made = served.exchange("/trace")
        _, continued = served.exchange("/trace", traceparent=PARENT)
        served.end()

    assert TRACE_ID == continued != made
    assert [made, continued] == [line.split()[-1] for line in served.output]
