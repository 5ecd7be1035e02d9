"""While workers are replaced, no connection is lost: neither one that waits, nor one that was taken just now."""

import http.client
import signal
import threading

import pytest

from ..processes import PATIENCE
from .served import serving

pytestmark = pytest.mark.ci

APP = """\
import costrel

app = costrel.Costrel("shop")

@app.route("/")
def index():
    return "here"
"""


class Asking(threading.Thread):
    """Asks again and again, each time on a new connection, whose request comes a moment after it."""

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.stopped = threading.Event()
        self.answered = 0
        self.errors = []

    def run(self):
        while not self.stopped.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            try:
                connection.connect()
                self.stopped.wait(0.005)
                connection.request("GET", "/")
                assert connection.getresponse().read() == b"here"
                self.answered += 1
            except (OSError, http.client.HTTPException) as error:
                self.errors.append(repr(error))
            finally:
                connection.close()


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_no_connection_is_lost_while_workers_are_replaced(tmp_path, interface):
    (tmp_path / "shop.py").write_text(APP)
    with serving(tmp_path, "--interface", interface, "--no-access-log") as served:
        askers = [Asking(served.port) for _ in range(6)]
        for asker in askers:
            asker.start()
        try:
            for _ in range(2):
                served.popen.send_signal(signal.SIGHUP)
                for _ in range(2):
                    served.wait_for("takes the place of")
        finally:
            for asker in askers:
                asker.stopped.set()
            for asker in askers:
                asker.join(2 * PATIENCE)
        assert served.end() == 0

    assert [error for asker in askers for error in asker.errors] == []
    assert sum(asker.answered for asker in askers) > 10
