"""A reader of the log that stops does not stop the server, in whichever way something is written."""

import http.client
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from costrel.server.output import LIMIT, Background, nonblocking

from ..processes import PATIENCE, environ, wait_until

APP = """\
import logging
import os
import sys
import costrel

app = costrel.Costrel("shop", static_folder=None)

@app.route("/")
async def index():
    return "here"

@app.route("/sync")
def sync():
    return "here"

@app.route("/prints")
async def prints():
    print("printed " * 8000)
    return "printed"

@app.route("/errors")
async def errors():
    print("told " * 8000, file=sys.stderr)
    return "told"

@app.route("/logs")
async def logs():
    app.logger.warning("logged " * 8000)
    return "logged"

@app.route("/fails")
async def fails():
    raise ZeroDivisionError("x" * 8000)

@app.route("/prints-sync")
def prints_sync():
    print("printed " * 8000)
    return "printed"

@app.route("/exits")
def exits():
    print("last words", flush=True)
    os._exit(3)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


@contextmanager
def served(folder, *arguments):
    """A server whose output and errors are one pipe, which is read as far as its ports."""
    command = [sys.executable, "-m", "costrel", "serve", "shop:app", "--bind", "127.0.0.1:0", "--workers", "1"]
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=folder,
        env=environ(PYTHONDONTWRITEBYTECODE="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    seen = b""
    try:
        while b"Serving" not in seen:
            seen += os.read(process.stdout.fileno(), 65_536)
        yield process, [int(port) for port in re.findall(rb"at http://127\.0\.0\.1:(\d+)", seen)]
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/prints", "/errors", "/logs", "/fails", "/prints-sync"])
def test_requests_are_answered_while_nobody_reads_the_log(folder, path):
    with served(folder, "--log-format", "json") as (process, [port]):
        times = 900 if path == "/" else 60
        answers = {ask(port, path) for _ in range(times)}  # ten pipes full
        process.send_signal(signal.SIGHUP)
        assert 200 == ask(port, "/")

    assert answers == {500 if path == "/fails" else 200}


def test_dropped_lines_are_counted_and_said_once_when_the_reader_goes_on(folder):
    with served(folder, "--metrics", "127.0.0.1:0") as (process, [metrics, port]):
        while not (dropped := dropped_lines(metrics)):
            assert 200 == ask(port, "/prints")
        received = b""
        while b"lines of output were dropped" not in received:
            received += os.read(process.stdout.fileno(), 65_536)

    assert dropped > 0
    assert re.search(rb"^\[WARNING\] [1-9]\d* lines of output were dropped", received, re.M)
    assert 1 == received.count(b"lines of output were dropped")


def dropped_lines(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return int(re.search(r"^costrel_log_lines_dropped_total (\d+)$", text, re.M)[1])


def test_the_server_stops_although_nobody_reads_the_log(folder):
    with served(folder) as (process, [port]):
        for _ in range(30):
            ask(port, "/prints")
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(PATIENCE)


@pytest.mark.parametrize("path", ["/", "/sync"])
def test_all_lines_are_there_at_the_end_in_their_order(folder, path):
    with served(folder) as (process, [port]):
        for number in range(50):
            ask(port, f"{path}?{number}")
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()

    found = re.findall(rb'"GET %b\?(\d+) HTTP/1.1" 200' % path.encode(), rest)
    assert [b"%d" % number for number in range(50)] == found


def test_nothing_is_dropped_of_what_fits_and_the_writer_never_waits():
    reading, writing = os.pipe()
    background = Background(writing, "<test>")
    line = b"x" * 1023 + b"\n"
    begun = time.monotonic()
    for _ in range(2 * LIMIT // len(line)):
        background.write(line)
    took = time.monotonic() - begun
    received = 0
    while background.dropped == 0 or received < LIMIT:
        received += len(os.read(reading, 65_536))
    os.close(reading)
    background.finish(PATIENCE)

    assert took < 2
    assert background.dropped <= LIMIT // len(line)


def test_the_stream_is_an_ordinary_one(tmp_path):
    with (tmp_path / "log").open("wb") as file:
        raw = Background(file.fileno(), "<log>")
        stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="latin-1", line_buffering=True)
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        stream.write("Grüße\n")
        stream.buffer.write(b"bytes\n")
        stream.flush()
        assert (stream.isatty(), stream.fileno(), stream.name) == (False, file.fileno(), "<log>")
        wait_until(lambda: (tmp_path / "log").read_text(encoding="utf-8") == "Grüße\nbytes\n", "it is written")
        raw.finish(1)
        stream.write("after the end\n")

    assert (tmp_path / "log").read_text(encoding="utf-8").endswith("after the end\n")


def test_a_file_of_which_nothing_can_be_written_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    background = Background(writing, "<test>")

    assert background.write(b"lost\n") == 5
    background.finish(PATIENCE)
    os.close(writing)


class Tee:
    """A stream as applications put in place of the standard output, with no more than they must."""

    def __init__(self):
        self.text = ""
        self.may_write = threading.Event()

    def write(self, text):
        self.may_write.wait(PATIENCE)
        self.text += text

    def flush(self):
        pass


def test_a_stream_of_the_application_that_blocks_blocks_nothing_else():
    tee, dropped = Tee(), []
    stream = nonblocking(tee, dropped.append)
    piece = "x" * 9999 + "\n"
    for _ in range(2 * LIMIT // len(piece)):
        stream.write(piece)
    tee.may_write.set()
    stream.buffer.raw.finish(PATIENCE)

    assert len(dropped) > 0
    assert tee.text.count(piece) + sum(dropped) == 2 * LIMIT // len(piece)
    assert tee.text.endswith(f"[WARNING] {sum(dropped)} lines of output were dropped: they were not read\n")


def test_a_stream_of_the_application_gets_text_in_order_and_is_no_terminal():
    tee = Tee()
    tee.may_write.set()
    stream = nonblocking(tee, lambda lines: None)
    for number in range(100):
        stream.write(f"Grüße {number}\n")
    stream.buffer.raw.finish(PATIENCE)
    stream.write("after the end\n")

    assert tee.text == "".join(f"Grüße {number}\n" for number in range(100)) + "after the end\n"
    assert not stream.isatty()


def test_a_stream_of_the_application_that_is_closed_is_no_error():
    stream = io.StringIO()
    kept = nonblocking(stream, lambda lines: None)
    stream.close()
    kept.write("lost\n")
    kept.buffer.raw.finish(PATIENCE)


def test_the_access_log_goes_to_a_stream_of_the_application(folder):
    tee = "class Tee:\n    def write(self, text):\n        sys.__stdout__.write(text.replace('GET', 'TEE'))\n"
    text = (folder / "shop.py").read_text().replace("app = ", f"{tee}    def flush(self): pass\n\napp = ", 1)
    (folder / "shop.py").write_text(text + "\nsys.stdout = Tee()\n")
    with served(folder) as (process, [port]):
        for number in range(20):
            ask(port, f"/?{number}")
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()

    assert re.findall(rb'"TEE /\?(\d+) HTTP/1.1" 200', rest) == [b"%d" % number for number in range(20)]
