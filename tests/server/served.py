"""`costrel serve` in separate processes: a test can wait for their output, and they end with it."""

import http.client
import socket
import sys
import time
from contextlib import contextmanager

from ..processes import PATIENCE, Process, environ

GRACE = 90
"""What requests at the end get in seconds. More than PATIENCE: a test that waits for the end fails by itself."""


class Served(Process):
    """The processes of one server."""

    port = None

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
        """The status line of the response to these bytes; with `cut`, the client then disconnects."""
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


def started(folder, *arguments, **variables):
    """Run `costrel serve` in `folder` until the block ends."""
    variables = {"PYTHONDONTWRITEBYTECODE": "1", "COSTREL_SERVE_GRACE": str(GRACE), **variables}
    return Served([sys.executable, "-m", "costrel", "serve", *arguments], folder, environ(**variables))


@contextmanager
def serving(folder, *arguments, app="shop:app", workers=2, **variables):
    """The same, on a free port and with two workers, and ready."""
    with started(folder, app, "--bind", "127.0.0.1:0", "--workers", str(workers), *arguments, **variables) as served:
        served.port = int(served.wait_for(r"Listening at https?://127\.0\.0\.1:(\d+)")[1])
        served.wait_for("Serving, with the processes")
        yield served
