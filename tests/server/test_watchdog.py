"""Workers with a blocked event loop or stuck threads: the log shows the code, and the workers are replaced."""

import http.client
import re
import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from ..processes import PATIENCE, Process, environ, is_gone, wait_until
from .served import serving, started

pytestmark = pytest.mark.ci

APP = """\
import asyncio
import os
import re
import threading
import time
import costrel

app = costrel.Costrel("shop", static_folder=None)
holds = threading.Event()

@app.route("/pid")
async def pid():
    return str(os.getpid())

@app.route("/spin")
async def spin():
    while True:
        pass

@app.route("/sleep")
async def sleep_on_the_loop():
    time.sleep(60)

@app.route("/pattern")
async def catastrophic_pattern():
    re.match("(a*)*b", "a" * 60)  # it holds the GIL

@app.route("/nap")
async def nap():
    time.sleep(1.2)
    return "rested"

@app.route("/slow-async")
async def slow_async():
    await asyncio.sleep(5)
    return "slept"

@app.route("/hang")
def hang_in_a_thread():
    holds.wait(60)
    return "hung"

@app.websocket("/spin")
async def spin_in_websocket():
    await costrel.websocket.accept()
    while True:
        pass
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


@contextmanager
def asked(served, path, headers=""):
    """A request whose answer is not waited for."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode())
        yield connection


def others(served, seconds):
    """Ask again and again, each time on a new connection with a short timeout; the number of answers."""
    answers = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=0.25)
        with suppress(OSError):
            connection.request("GET", "/pid")
            answers += connection.getresponse().status == 200
        connection.close()
    return answers


@pytest.mark.parametrize(
    ("path", "view"),
    [("/spin", "spin"), ("/sleep", "sleep_on_the_loop"), ("/pattern", "catastrophic_pattern")],
)
def test_a_worker_whose_loop_is_blocked_is_replaced_and_the_view_logged(folder, path, view):
    with serving(folder, "--loop-timeout", "6", workers=2) as served, asked(served, path):
        begun = time.monotonic()
        answers = others(served, 4.5)
        for _ in range(2):
            served.wait_for(rf"line \d+,? in {view}\b|Process \d+ takes the place of \d+")
        took = time.monotonic() - begun
        wait_until(lambda: others(served, 1) > 0, "it answers")
        assert served.end() == 0

    assert answers > 0
    assert took < 20


def test_a_websocket_that_blocks_the_loop(folder):
    handshake = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )
    with serving(folder, "--loop-timeout", "2", workers=1) as served, asked(served, "/spin", handshake):
        served.wait_for("in spin_in_websocket$")
        served.wait_for(r"Process \d+ is replaced: it does not respond")
        served.wait_for(r"Process \d+ takes the place of \d+")
        assert served.get("/pid")[0] == 200
        assert served.end() == 0


@pytest.mark.parametrize("path", ["/nap", "/slow-async"])
def test_a_pause_within_the_limit_is_no_reason(folder, path):
    with serving(folder, "--loop-timeout", "3", workers=1) as served:
        pid = served.get("/pid")
        assert served.get(path)[0] == 200
        assert served.get("/pid") == pid
        assert served.end() == 0

    assert not [line for line in served.lines if "blocked" in line or "replaced" in line]


def test_without_a_limit_nothing_is_replaced(folder):
    with serving(folder, "--loop-timeout", "0", workers=1) as served:
        pid = served.get("/pid")
        assert served.get("/nap") == (200, "rested")
        assert served.get("/pid") == pid
        assert served.end() == 0


def hang(served, number):
    """Requests that keep a thread each; they end with the server."""

    def ask():
        with suppress(OSError, http.client.HTTPException):
            served.get("/hang")

    for _ in range(number):
        threading.Thread(target=ask, daemon=True).start()


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_a_worker_whose_threads_are_all_stuck_is_replaced_if_the_option_is_given(folder, interface):
    options = ["--worker-timeout", "2", "--grace", "2", "--threads", "4", "--interface", interface]
    with serving(folder, *options, workers=1) as served:
        old = int(served.get("/pid")[1])
        hang(served, 12)
        served.wait_for(r"All \d threads are busy, and none has finished a request for 2 seconds")
        served.wait_for(r"\d threads:")
        served.wait_for("in hang_in_a_thread$")
        served.wait_for(r"Process \d+ takes the place of \d+")
        wait_until(lambda: is_gone(old), "the old one, which may still accept a connection, has ended")
        assert served.get("/pid")[0] == 200
        served.popen.kill()


def test_threads_that_finish_now_and_then_are_not_stuck(folder):
    with (folder / "shop.py").open("a") as file:
        file.write('\n@app.route("/works")\ndef works():\n    time.sleep(0.5)\n    return "done"\n')
    with serving(folder, "--worker-timeout", "2", "--threads", "4", workers=1) as served:
        threads = [threading.Thread(target=served.get, args=["/works"]) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert served.end() == 0

    assert not [line for line in served.lines if "threads are busy" in line]


def test_stuck_workers_and_threads_are_counted(folder):
    options = [
        "--loop-timeout",
        "2",
        "--worker-timeout",
        "2",
        "--grace",
        "2",
        "--threads",
        "4",
        "--metrics",
        "127.0.0.1:0",
    ]
    with started(folder, "shop:app", "--bind", "127.0.0.1:0", "--workers", "1", *options) as served:
        metrics = int(served.wait_for(r"Metrics at http://127\.0\.0\.1:(\d+)")[1])
        served.port = int(served.wait_for(r"Listening at http://127\.0\.0\.1:(\d+)")[1])
        served.wait_for("Serving, with the processes")
        old = int(served.get("/pid")[1])
        hang(served, 12)
        served.wait_for(r"takes the place of")
        wait_until(lambda: is_gone(old), "the old one has ended")
        with asked(served, "/spin"):
            served.wait_for(r"takes the place of")
        connection = http.client.HTTPConnection("127.0.0.1", metrics, timeout=PATIENCE)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        served.popen.kill()

    assert re.search(r"^costrel_thread_stalls_total [1-9]", text, re.M)
    assert "\ncostrel_workers_stuck_total 1\n" in text


@pytest.mark.parametrize("debug", [False, True])
def test_the_development_server_logs_the_code_that_blocks_it_except_in_debug_mode(folder, debug):
    with (folder / "shop.py").open("a") as file:
        file.write("\nimport costrel.devserver.development\ncostrel.devserver.development.LOOP_TIMEOUT = 0.8\n")
    option = ["--debug", "--no-reload"] if debug else ["--no-debug"]
    command = [sys.executable, "-m", "costrel", "--app", "shop:app", "run", "--port", "0", *option]
    with Process(command, folder, environ(PYTHONDONTWRITEBYTECODE="1")) as process:
        port = int(process.wait_for(r"Running on http://127\.0\.0\.1:(\d+)")[1])
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(b"GET /nap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        if not debug:
            process.wait_for("in nap")
        process.popen.terminate()
        process.popen.wait(PATIENCE)

    assert answer.endswith(b"rested")
    assert any("in nap" in line for line in process.lines) is not debug
