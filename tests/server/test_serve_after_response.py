"""Functions after responses under `costrel serve`: a stopping server waits for them and logs lost ones."""

import asyncio
import re
import signal
import threading

import pytest

from costrel import Costrel, after_response
from costrel.edges.lifespan import GRACE
from costrel.server.access_log import AccessLog

from ..processes import PATIENCE, wait_until
from .served import serving
from .test_serve_metrics import Metered

pytestmark = pytest.mark.ci

APP = """\
import asyncio
import os
import time
import costrel
from costrel.work import background

background.QUEUE = int(os.environ.get("QUEUE", "1000"))
app = costrel.Costrel("shop", static_folder=None)
app.config["BACKGROUND_THREADS"] = 2

def note(kind, number):
    while not os.path.exists("go"):
        time.sleep(0.01)
    with open("done", "a") as file:
        file.write(f"{kind}{number}\\n")

async def note_async(number):
    while not os.path.exists("go"):
        await asyncio.sleep(0.01)
    with open("done", "a") as file:
        file.write(f"async{number}\\n")

@app.route("/<int:number>")
def index(number):
    costrel.after_response(note, "sync", number)
    costrel.after_response(note_async, number)
    return "hello"

@app.route("/id")
def fail():
    costrel.after_response(lambda: 1 / 0)
    return "hello"

@app.after_serving
def closed():
    with open("done", "a") as file:
        file.write("closed\\n")
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_sigterm_loses_no_function_within_the_grace(folder, interface):
    with serving(folder, "--interface", interface, workers=1) as served:
        assert [(200, "hello")] * 20 == [served.get(f"/{number}") for number in range(20)]
        served.popen.send_signal(signal.SIGTERM)
        (folder / "go").touch()
        assert 0 == served.status()
    lines = (folder / "done").read_text().split()
    assert {f"{kind}{number}" for kind in ("sync", "async") for number in range(20)} == {*lines[:-1]}
    assert "closed" == lines[-1]


def test_the_lifespan_gets_the_rest_of_the_grace():
    scope = {"type": "lifespan"}

    async def application(scope, receive, send):
        assert 7 == scope[GRACE]()

    asyncio.run(AccessLog(application, None, grace=7)(scope, None, None))


def test_after_the_grace_the_log_names_what_is_lost(caplog):
    app = Costrel("lost", static_folder=None)
    go = threading.Event()

    def thumbnail():
        assert go.wait(PATIENCE)

    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent = []

    async def receive():
        with app.test_request_context("/"):
            after_response(thumbnail)
        return next(messages)

    async def send(message):
        sent.append(message["type"])

    try:
        asyncio.run(app.asgi({"type": "lifespan", GRACE: lambda: 0.01}, receive, send))
    finally:
        go.set()
    assert ["lifespan.startup.complete", "lifespan.shutdown.complete"] == sent
    assert "before 2 functions after responses have ended" in caplog.text
    assert "thumbnail (2 times)" in caplog.text


def test_refused_functions_are_counted_and_errors_have_the_id_of_their_request(folder):
    # Inside WSGI middleware, no thread of a request is free after its response.
    (folder / "shop.py").write_text(APP + "inner = app.wsgi_app\napp.wsgi_app = lambda *call: inner(*call)\n")
    with serving(folder, "--metrics", "127.0.0.1:0", workers=1, QUEUE="1") as served:
        port = next(int(found[1]) for line in served.lines if (found := re.search(r"Metrics at .*:(\d+)/", line)))
        metrics = Metered(served, port)
        response, _ = served.exchange("/id")
        served.wait_for(rf"failed after the response to GET /id \(request {response.headers['X-Request-ID']}\)")
        assert 0 == metrics.value("costrel_background_refused_total")
        for number in range(3):  # two functions run and one waits, out of six
            served.get(f"/{number}")
        served.wait_for(r"The function note(_async)? was not run after the response to GET /\d \(request \w+\)")
        (folder / "go").touch()
        wait_until(lambda: metrics.value("costrel_background_refused_total") >= 1, "a function is counted")
