"""Processes that a view starts, in whichever way: they keep neither the port nor connections, and take no signals."""

import os
import signal
import socket
import sys
import time

import pytest

from ..processes import PATIENCE, Process, environ, is_gone, wait_until
from .served import serving

pytestmark = pytest.mark.ci

APP = """\
import multiprocessing
import os
import subprocess
import time
import costrel

app = costrel.Costrel("shop", static_folder=None)

@app.route("/")
def index():
    return str(os.getpid())

def rest():
    time.sleep(60)

def by_fork():
    pid = os.fork()
    if not pid:
        rest()
        os._exit(0)
    return pid

def by_two_forks():
    reading, writing = os.pipe()
    if not os.fork():
        pid = os.fork()
        if pid:
            os.write(writing, str(pid).encode())
            os._exit(0)
        rest()
        os._exit(0)
    os.wait()
    return int(os.read(reading, 100))

def by_multiprocessing():
    process = multiprocessing.get_context("fork").Process(target=rest)
    process.start()
    return process.pid

def by_subprocess():
    return subprocess.Popen(["sleep", "60"], close_fds=False).pid

def by_subprocess_with_function():
    return subprocess.Popen(["sleep", "60"], close_fds=False, preexec_fn=lambda: None).pid

def by_spawn():
    return os.posix_spawnp("sleep", ["sleep", "60"], os.environ)

@app.route("/start/<way>")
def start(way):
    return str(globals()[way]())

@app.route("/start-async/<way>")
async def start_async(way):
    return str(globals()[way]())

@app.route("/terminated")
def terminated():
    process = multiprocessing.get_context("fork").Process(target=rest)
    process.start()
    time.sleep(0.2)
    process.terminate()
    process.join(10)
    return str(process.exitcode)
"""

FORKS = ["by_fork", "by_two_forks", "by_multiprocessing", "by_subprocess_with_function"]
OTHERS = ["by_subprocess", "by_spawn"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


def end(pid):
    if not is_gone(pid):
        os.kill(pid, signal.SIGKILL)


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except ConnectionRefusedError:
        return True
    except TimeoutError:  # the server is about to close it
        return False
    return False


@pytest.mark.parametrize("way", [*FORKS, *OTHERS])
@pytest.mark.parametrize("start", ["start", "start-async"])
def test_a_child_does_not_keep_the_port(folder, way, start):
    with serving(folder, "--grace", "3", workers=1) as served:
        child = int(served.get(f"/{start}/{way}")[1])
        try:
            served.popen.send_signal(signal.SIGTERM)
            wait_until(lambda: refused(served.port), "the port is free")
            assert not is_gone(child)
            assert served.status() == 0
        finally:
            end(child)


def test_a_child_over_wsgi_does_not_keep_the_port(folder):
    with serving(folder, "--interface", "wsgi", workers=1) as served:
        child = int(served.get("/start/by_fork")[1])
        try:
            assert served.end() == 0
            wait_until(lambda: refused(served.port), "the port is free")
        finally:
            end(child)


def test_a_child_does_not_keep_the_connection_of_another_client(folder):
    with serving(folder, workers=1) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as other:
            other.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"200 OK" in other.recv(65_536)
            child = int(served.get("/start/by_fork")[1])
            try:
                other.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                received = b"".join(iter(lambda: other.recv(65_536), b""))
            finally:
                end(child)
        assert served.end() == 0

    assert b"200 OK" in received


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_a_signal_to_a_child_is_for_the_child_alone(folder, interface):
    with serving(folder, "--interface", interface, workers=1) as served:
        worker = served.get("/")
        assert served.get("/terminated") == (200, str(-signal.SIGTERM))
        time.sleep(0.5)
        assert served.get("/") == worker
        assert served.end() == 0


def test_a_child_of_the_development_server_does_not_keep_the_port(folder):
    command = [sys.executable, "-m", "costrel", "--app", "shop:app", "run", "--port", "0"]
    with Process(command, folder, environ(PYTHONDONTWRITEBYTECODE="1")) as process:
        port = int(process.wait_for(r"Running on http://127\.0\.0\.1:(\d+)")[1])
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(b"GET /start/by_fork HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        child = int(answer.rpartition(b"\r\n\r\n")[2])
        try:
            process.end()
            wait_until(lambda: refused(port), "the port is free")
        finally:
            end(child)
