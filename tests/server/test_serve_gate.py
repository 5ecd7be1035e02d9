"""What a view returns reaches the server checked: no status, header or close code ends a worker."""

import http.client

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from .served import serving

pytestmark = pytest.mark.ci

APP = """\
import os
import costrel
from costrel import Response, request

app = costrel.Costrel("gate")


@app.route("/pid")
def pid():
    return str(os.getpid())


@app.route("/status/<status>")
def status(status):
    return "x", int(status)


@app.route("/status-text/<status>")
def status_text(status):
    return Response("x", status=status)


@app.route("/fields/<int:count>")
def fields(count):
    return "x", [(f"X-{number}", "y") for number in range(count)]


@app.route("/field")
def field():
    response = Response("x")
    response.headers._list.append((request.args["name"], request.args["value"]))
    return response


@app.route("/application")
def application():
    def answer(environ, start_response):
        start_response("65535 Odd", [("A b", "c")])
        return [b"x"]
    return answer


@app.errorhandler(418)
def teapot(error):
    return "tea", 42


@app.route("/teapot")
def raises():
    costrel.abort(418)


@app.websocket("/socket/<int:status>")
async def socket(status):
    costrel.abort(Response("x", status))
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


PATHS = [
    *(f"/status/{status}" for status in (-1, 0, 1, 99, 1000, 65_535, 100_000)),
    *("/status-text/abc", "/status-text/99%20x", "/fields/30000", "/application", "/teapot"),
    *("/field?name=A%20b&value=c", "/field?name=A&value=b%0D%0Ac", "/field?name=A&value=%E2%82%AC"),
]


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_no_response_of_a_view_ends_a_worker(folder, interface):
    with serving(folder, "--interface", interface, workers=1) as served:
        pid = served.get("/pid")
        assert {path: served.get(path)[0] for path in PATHS} == dict.fromkeys(PATHS, 500)
        assert served.get("/pid") == pid
        assert served.get("/status/999")[0] == 999
        assert served.end() == 0


def test_no_refusal_of_a_websocket_ends_a_worker(folder):
    with serving(folder, workers=1) as served:
        pid = served.get("/pid")
        for status in (0, 1, 99, 1000, 65_535):
            with pytest.raises((InvalidStatus, http.client.HTTPException)) as refused:
                connect(f"ws://127.0.0.1:{served.port}/socket/{status}")
            assert refused.value.response.status_code == 500
        assert served.get("/pid") == pid
        assert served.end() == 0
