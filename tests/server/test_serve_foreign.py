"""`costrel serve` and `costrel run` with ASGI middleware and with other ASGI applications."""

import http.client
import sys
import threading
import time

import pytest

from ..processes import Process, environ, wait_until
from .served import serving

pytestmark = pytest.mark.ci

SHOP = """
import asyncio
import sys
from costrel import Costrel

shop = Costrel(__name__)

@shop.get("/")
def index():
    return "shop"

@shop.get("/slow")
async def slow():
    print("slow begins", file=sys.stderr)
    await asyncio.sleep(1)
    return "slow"

@shop.before_serving
def before():
    print("before serving", file=sys.stderr)

@shop.after_serving
def after():
    print("after serving", file=sys.stderr)

@shop.readiness_check
def database():
    return not failures

failures = []

@shop.get("/fail")
def fail():
    failures.append(1)
    return "failing"


class Tagging:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def tagging(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-tag", b"asgi")]}
            await send(message)
        if scope.get("path") == "/own":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"own"})
        else:
            await self.app(dict(scope), receive, tagging)


wrapped = Tagging(shop.asgi)


async def mounted(scope, receive, send):
    if scope["type"] == "lifespan":
        for _ in range(2):
            phase = (await receive())["type"]
            print("mounted", phase, file=sys.stderr)
            await send({"type": f"{phase}.complete"})
        return
    body = f"mounted {scope['root_path']} {scope['path']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def mounted_wsgi(environ, start_response):
    start_response("200 OK", [])
    return [f"mounted {environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]


mounting = Costrel(__name__)
mounting.get("/")(lambda: "mounting")
mounting.mount("/wsgi", mounted_wsgi)
only_wsgi = mounting
with_asgi = Costrel(__name__)
with_asgi.mount("/wsgi", mounted_wsgi)
with_asgi.mount("/asgi", mounted)
app = Costrel(__name__)
app.get("/")(lambda: "app")
app.asgi_app = Tagging(app.asgi_app)


async def bare(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"bare"})


def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"wsgi"]


def make_wrapped():
    return Tagging(shop.asgi)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def test_middleware_of_an_application(folder):
    with serving(folder, "--access-log", workers=1) as served:
        response, text = served.exchange("/")
        assert (text, response.headers["X-Tag"]) == ("app", "asgi")
        own, text = served.exchange("/own", X_Request_ID="request-of-the-test")
        assert (text, own.headers["X-Request-ID"]) == ("own", "request-of-the-test")
        assert 0 == served.end()
    assert any("/own" in line and "request-of-the-test" in line for line in served.output)


@pytest.mark.parametrize("name", ["wrapped", "make_wrapped"])
def test_a_wrapped_application(folder, name):
    with serving(folder, "--health", app=f"shop:{name}", workers=1) as served:
        response, text = served.exchange("/")
        assert (text, response.headers["X-Tag"]) == ("shop", "asgi")
        assert response.headers["X-Request-ID"]
        assert served.get("/readyz")[0] == 200
        served.get("/fail")
        time.sleep(1.1)  # the outcome of the checks is kept for a second
        assert served.get("/readyz")[0] == 503


def test_metrics_have_the_route_although_middleware_copies_the_scope(folder):
    with serving(folder, "--metrics", "127.0.0.1:0", workers=1, app="shop:app") as served:
        served.get("/")
        wait_until(lambda: 'route="/"' in metrics_of(served), "the request is counted")


def metrics_of(served):
    line = next(line for line in served.lines if "Metrics at" in line)
    served.port = int(line.rpartition(":")[2].partition("/")[0])
    return served.get("/metrics")[1]


def test_mounts(folder):
    arguments = ("--access-log", "--metrics", "127.0.0.1:0")
    with serving(folder, *arguments, workers=1, app="shop:with_asgi") as served:
        for kind in ("asgi", "wsgi"):
            response, text = served.exchange(f"/{kind}/x", X_Request_ID=f"request-of-{kind}")
            below = "/asgi/x" if kind == "asgi" else "/x"
            assert (text, response.headers["X-Request-ID"]) == (f"mounted /{kind} {below}", f"request-of-{kind}")
        for kind in ("asgi", "wsgi"):
            wait_until(lambda kind=kind: f'route="/{kind}"' in metrics_of(served), "the request is counted")
        assert 0 == served.end()
    assert any("mounted lifespan.startup" in line for line in served.lines)
    assert any("mounted lifespan.shutdown" in line for line in served.lines)
    assert any("/asgi/x" in line and "request-of-asgi" in line for line in served.output)


def test_a_wsgi_mount_over_wsgi(folder):
    with serving(folder, "--interface", "wsgi", workers=1, app="shop:only_wsgi") as served:
        assert served.get("/wsgi/x") == (200, "mounted /wsgi /x")


def test_an_asgi_mount_over_wsgi_is_an_error_at_the_start(folder):
    error = serve_error(folder, "shop:with_asgi", "--interface", "wsgi")
    assert "mounted at '/asgi' is an ASGI application, which a WSGI server cannot call" in error


def test_requests_of_a_wrapped_application_end_before_the_server_does(folder):
    with serving(folder, app="shop:wrapped", workers=1) as served:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(served.get("/slow")))
        thread.start()
        served.wait_for("slow begins")
        served.popen.terminate()
        served.wait_for("after serving")
        thread.join(30)
        assert answers == [(200, "slow")]


def test_an_application_without_lifespan(folder):
    with serving(folder, "--health", app="shop:bare", workers=1) as served:
        assert (served.get("/"), served.get("/readyz")[0]) == ((200, "bare"), 200)


def serve_error(folder, *arguments):
    command = [sys.executable, "-m", "costrel", "serve", *arguments, "--bind", "127.0.0.1:0", "--workers", "1"]
    with Process(command, folder, environ()) as process:
        return process.wait_for("Error: .*")[0]


def test_a_wsgi_application(folder):
    assert "It is a WSGI application." in serve_error(folder, "shop:wsgi")


def test_an_asgi_application_over_wsgi(folder):
    assert "Leave out --interface wsgi" in serve_error(folder, "shop:bare", "--interface", "wsgi")


@pytest.mark.parametrize(("name", "text"), [("wrapped", "shop"), ("bare", "bare")])
def test_costrel_run(folder, name, text):
    command = [sys.executable, "-m", "costrel", "run", f"shop:{name}", "--port", "0"]
    with Process(command, folder, environ()) as process:
        port = int(process.wait_for(r"http://127\.0\.0\.1:(\d+)")[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/")
        assert connection.getresponse().read().decode() == text
        connection.close()
