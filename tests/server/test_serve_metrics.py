"""`costrel serve --metrics`: one set of counts for all workers, which outlives them."""

import http.client
import os
import re
import signal
import socket
import threading

import pytest
from websockets.sync.client import connect

from ..processes import PATIENCE, is_gone, wait_until
from .served import serving, started

APP = """\
import os
import time
import costrel

app = costrel.Costrel("shop")

@app.route("/items/<int:number>")
async def item(number):
    return str(number)

@app.route("/sync")
def sync():
    return "sync"

@app.route("/pid")
def pid():
    return str(os.getpid())

@app.route("/wait")
def wait():
    while not os.path.exists("go"):
        time.sleep(0.02)
    return "gone"

@app.route("/fails")
def fails():
    raise RuntimeError

@app.websocket("/chat")
async def chat():
    await costrel.websocket.accept()
    await costrel.websocket.receive()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


def port_of_metrics(served):
    return int(served.wait_for(r"Metrics at http://127\.0\.0\.1:(\d+)/metrics")[1])


class Metered:
    """A server with its counts."""

    def __init__(self, served, port):
        self.served = served
        self.port = port

    def text(self, path="/metrics", method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.headers["Content-Type"], response.read().decode()
        finally:
            connection.close()

    def value(self, name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.text()[2], re.MULTILINE)
        return float(found[1]) if found else 0.0

    def counts_to(self, number, method, route, status):
        """Whether `number` requests are counted, neither more nor fewer: the last may still be ending."""
        name = f'costrel_http_requests_total{{method="{method}",route="{route}",status="{status}"}}'
        wait_until(lambda: self.value(name) >= number, f"{number} requests are counted")
        return self.value(name) == number


@pytest.fixture
def metered(folder):
    """A server with two workers and its counts."""
    with started(
        folder, "shop:app", "--bind", "127.0.0.1:0", "--workers", "2", "--metrics", "0", "--no-access-log"
    ) as served:
        metered = Metered(served, port_of_metrics(served))
        served.port = int(served.wait_for(r"Listening at http://127\.0\.0\.1:(\d+)")[1])
        served.wait_for("Serving, with the processes")
        yield metered


def test_requests_of_all_workers_are_added_up_by_the_rules_they_matched(metered):
    served = metered.served
    for number in range(30):
        assert served.get(f"/items/{number}")[0] == 200
    for _ in range(5):
        served.get("/sync")
        served.get("/nowhere")
    served.get("/fails")

    assert metered.counts_to(30, "GET", "/items/<int:number>", 200)
    assert metered.counts_to(5, "GET", "/sync", 200)
    assert metered.counts_to(5, "GET", "unmatched", 404)
    assert metered.counts_to(1, "GET", "/fails", 500)
    name = 'costrel_http_request_duration_seconds_bucket{method="GET",route="/items/<int:number>",le="+Inf"}'
    assert metered.value(name) == 30
    assert metered.value("costrel_workers") == 2
    status, kind, text = metered.text()
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert metered.text(method="HEAD") == (200, kind, "")
    assert metered.text("/")[0] == 404
    assert "nowhere" not in text


def test_what_is_in_progress_is_shown(metered, folder):
    asking = [threading.Thread(target=metered.served.get, args=["/wait"]) for _ in range(3)]
    for thread in asking:
        thread.start()
    wait_until(lambda: metered.value("costrel_http_requests_in_flight") == 3, "all are in progress")
    (folder / "go").touch()
    for thread in asking:
        thread.join(PATIENCE)
    wait_until(lambda: metered.value("costrel_http_requests_in_flight") == 0, "none is in progress")
    assert metered.counts_to(3, "GET", "/wait", 200)


def test_websockets_are_counted(metered):
    with connect(f"ws://127.0.0.1:{metered.served.port}/chat"):
        wait_until(lambda: metered.value("costrel_websockets_open") == 1, "it is open")
    wait_until(lambda: metered.value("costrel_websockets_open") == 0, "none is open")
    assert metered.value('costrel_websockets_total{route="/chat",status="101"}') == 1


def test_counts_outlive_the_workers(metered):
    served = metered.served
    for _ in range(20):
        served.get("/sync")
    assert metered.counts_to(20, "GET", "/sync", 200)
    pid = int(served.get("/pid")[1])
    os.kill(pid, signal.SIGKILL)
    served.wait_for("has ended; .* takes its place")
    wait_until(lambda: is_gone(pid), "it has ended")
    assert metered.counts_to(20, "GET", "/sync", 200)
    for _ in range(10):
        served.get("/sync")
    assert metered.counts_to(30, "GET", "/sync", 200)

    served.popen.send_signal(signal.SIGHUP)
    for _ in range(2):
        served.wait_for("takes the place of")
    for _ in range(10):
        served.get("/sync")
    assert metered.counts_to(40, "GET", "/sync", 200)
    assert metered.value("costrel_worker_starts_total") == 5
    wait_until(lambda: metered.value("costrel_workers") == 2, "there are two workers")


def test_the_port_is_free_when_the_server_has_ended(metered):
    with socket.create_connection(("127.0.0.1", metered.port)):  # one that stays open
        assert metered.served.end() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", metered.port))


def test_the_port_is_free_when_the_server_was_killed(metered):
    wait_until(lambda: metered.value("costrel_workers") == 2, "there are two workers")
    metered.served.popen.kill()
    metered.served.popen.wait()

    def is_refused():
        try:
            socket.create_connection(("127.0.0.1", metered.port), timeout=1).close()
        except ConnectionRefusedError:
            return True
        except OSError:  # it was taken by nobody: a worker that starts has the socket until it closes it
            return False
        return False

    wait_until(is_refused, "the port is free")


def test_without_the_option_nothing_is_counted(folder):
    with serving(folder, workers=1) as served:
        assert served.get("/sync") == (200, "sync")
        assert not any("Metrics" in line for line in served.lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metrics", "x"], "Error: 'x' is not a port. Use a number from 1 to 65535, or 0 for any free port."),
        (
            ["--metrics", "unix:/a"],
            "Error: --metrics does not support Unix sockets. Use a port, for example --metrics 127.0.0.1:9100.",
        ),
        (
            ["--metrics", "0", "--interface", "wsgi"],
            "Error: --metrics requires ASGI. Leave out --interface wsgi or --metrics.",
        ),
        (["--health", "--interface", "wsgi"], "Error: --health requires ASGI. Leave out --interface wsgi or --health."),
    ],
)
def test_what_cannot_be(folder, arguments, message):
    with started(folder, "shop:app", "--bind", "127.0.0.1:0", *arguments) as served:
        assert served.status() == 1

    assert served.lines[-1] == message
