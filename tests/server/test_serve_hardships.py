"""`costrel serve` with difficult applications: exits in streams, child processes, wrong settings."""

import os
import signal
import socket

import pytest
from websockets.sync.client import connect

from ..processes import PATIENCE, is_gone, wait_until
from .served import serving, started

pytestmark = pytest.mark.ci

APP = """\
import asyncio
import os
import subprocess
import sys
import time
import costrel
from costrel import Response

app = costrel.Costrel("shop")

@app.route("/")
def index():
    return "index"

@app.route("/exits/<kind>")
def exits(kind):
    def pieces():
        yield "x"
        sys.exit(3)
    async def pieces_async():
        yield "x"
        sys.exit(3)
    return Response(pieces() if kind == "sync" else pieces_async())

@app.websocket("/exits")
async def exits_websocket():
    await costrel.websocket.accept()
    sys.exit(3)

@app.route("/pid")
def pid():
    return str(os.getpid())

@app.route("/starts")
def starts():
    return str(subprocess.Popen(["sleep", "60"], close_fds=False).pid)

@app.route("/sleeps")
async def sleeps():
    await asyncio.sleep(30)

@app.route("/proxied")
def proxied():
    return "ab", {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


def test_an_exit_in_a_task_of_a_request_ends_no_worker(folder):
    with serving(folder, workers=1) as served:
        pid = served.get("/pid")
        for kind in ("sync", "async"):
            assert served.raw(f"GET /exits/{kind} HTTP/1.1\r\nHost: a\r\n\r\n".encode()) == "HTTP/1.1 200 OK"
        with connect(f"ws://127.0.0.1:{served.port}/exits") as websocket:
            websocket.close()
        assert served.get("/pid") == pid
        assert served.end() == 0


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_what_an_application_starts_does_not_keep_the_port(folder, interface):
    with serving(folder, "--interface", interface, workers=1) as served:
        child = int(served.get("/starts")[1])
        try:
            assert served.end() == 0
            assert not is_gone(child)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE)
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_client_that_left_before_the_answer_is_no_error_of_the_server(folder):
    with serving(folder, workers=1) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
            connection.sendall(b"GET /sleeps HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: served.get("/") == (200, "index"), "it answers")
        wait_until(lambda: any('"GET /sleeps HTTP/1.1" 499 0 ' in line for line in served.output), "its line is there")
        assert served.end() == 0


def test_an_answer_that_says_how_it_was_sent_elsewhere_arrives(folder):
    with serving(folder, workers=1) as served:
        assert served.get("/proxied") == (200, "ab")


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_with_a_setting_that_fails_each_request_nothing_is_served(folder, interface):
    with (folder / "shop.py").open("a") as file:
        file.write('\napp.config["RATE_LIMITS"] = "5/minuts"\n')
    with started(folder, "shop:app", "--bind", "127.0.0.1:0", "--interface", interface, "--workers", "2") as served:
        assert served.status() == 1

    assert any("RATE_LIMITS: '5/minuts' is not a rate limit" in line for line in served.lines)
    assert not any("Serving" in line for line in served.lines)


def test_after_sighup_with_such_a_setting_the_old_workers_go_on(folder):
    with serving(folder) as served:
        with (folder / "shop.py").open("a") as file:
            file.write('\napp.config["SESSION_STORE"] = "nowhere"\n')
        served.popen.send_signal(signal.SIGHUP)
        served.wait_for(r"The new worker did not start: the old process \d+ continues")
        assert served.get("/") == (200, "index")
        assert served.end() == 0
