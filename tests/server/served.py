"""`costrel serve` in processes of its own, whose lines can be waited for and which end with the test."""

import http.client
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

PATIENCE = 30
"""How many seconds a test waits for what is to happen soon; several processes are slow to start on a busy computer."""


class Served:
    """The processes of one server, whose lines can be waited for."""

    def __init__(self, popen):
        self.popen = popen
        self.lines = []
        self.output = []
        self._queue = queue.SimpleQueue()
        self._readers = [
            threading.Thread(target=self._read, args=(popen.stderr, self._queue.put)),
            threading.Thread(target=self._read, args=(popen.stdout, self.output.append)),
        ]
        for reader in self._readers:
            reader.start()
        self.port = None

    def _read(self, stream, take):
        for line in stream:
            take(line.rstrip("\n"))
        take(None)

    def wait_for(self, pattern):
        """The match in the first line on standard error that has one."""
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._queue.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            self.lines.append(line)
            match = re.search(pattern, line)
            if match:
                return match
        raise AssertionError(f"no line like {pattern!r} in {self.lines}")

    def get(self, path="/", **headers):
        """The status and text of an answer."""
        response, text = self.exchange(path, **headers)
        return response.status, text

    def exchange(self, path="/", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return response, response.read().decode()
        finally:
            connection.close()

    def raw(self, request, cut=False):
        """The status line of the answer to these bytes; with `cut`, the client leaves after them."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(request)
            if cut:
                connection.shutdown(socket.SHUT_WR)
            received = b""
            try:
                while data := connection.recv(65_536):
                    received += data
            except ConnectionResetError:
                pass
        return received.partition(b"\r\n")[0].decode()

    def get_until(self, text, path="/"):
        """Ask until an answer is `text`."""
        deadline = time.monotonic() + PATIENCE
        while (answer := self.get(path)) != (200, text):
            assert time.monotonic() < deadline, f"{answer} and never {text!r}"
            time.sleep(0.05)

    def end(self, number=signal.SIGTERM):
        """Tell the server to end; its exit status."""
        self.popen.send_signal(number)
        return self.popen.wait(PATIENCE)

    def close(self):
        if self.popen.poll() is None:
            self.popen.kill()  # its workers end with it
            self.popen.wait()
        for reader in self._readers:
            reader.join(PATIENCE)
        self.popen.stdout.close()
        self.popen.stderr.close()
        while not self._queue.empty():
            self.lines.append(self._queue.get())
        self.lines = [line for line in self.lines if line is not None]
        self.output = [line for line in self.output if line is not None]


@contextmanager
def started(folder, *arguments, **variables):
    """Run `costrel serve` in `folder` until the block ends."""
    popen = subprocess.Popen(
        [sys.executable, "-m", "costrel", "serve", *arguments],
        cwd=folder,
        env={**_environ(), "PYTHONDONTWRITEBYTECODE": "1", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    served = Served(popen)
    try:
        yield served
    finally:
        served.close()


@contextmanager
def serving(folder, *arguments, app="shop:app", workers=2, **variables):
    """The same, on a free port and with two workers, and ready."""
    with started(folder, app, "--bind", "127.0.0.1:0", "--workers", str(workers), *arguments, **variables) as served:
        served.port = int(served.wait_for(r"Listening at https?://127\.0\.0\.1:(\d+)")[1])
        served.wait_for("Serving, with the processes")
        yield served


def _environ():
    prefixes = ("COSTREL_", "FLASK_", "WERKZEUG_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
