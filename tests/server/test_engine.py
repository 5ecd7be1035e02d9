"""If a release of Granian differs, the server uses the documented interface and logs one warning."""

import signal
import socket
import sys

import pytest

from costrel.server import engine

from ..processes import PATIENCE, Process, environ, wait_until
from .served import serving, started

pytestmark = pytest.mark.ci

APP = """\
import costrel

app = costrel.Costrel("shop", static_folder=None)

@app.route("/")
def index():
    return "here"

@app.route("/async")
async def index_async():
    return "here too"
"""

DIFFERENCES = {
    "a check fails": """\
import costrel.server.granian_private as parts

def check():
    raise AttributeError("it has no attribute 'serve_mtr'")

parts.check = check
""",
    "a module is missing": """\
import sys

sys.modules["costrel.server.granian_private"] = None
""",
    "a constructor differs": """\
import granian._granian

class Holder:
    def __init__(self, *args):
        raise TypeError("no descriptor")

granian._granian.SocketHolder = Holder
""",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    return tmp_path


def differing(folder, difference):
    """The variables with which Granian differs in the processes of the server."""
    (folder / "sitecustomize.py").write_text(DIFFERENCES[difference])
    return {"PYTHONPATH": str(folder)}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def answers(served):
    try:
        return served.get("/") == (200, "here")
    except OSError:
        return False


def test_the_installed_release_has_all_parts():
    assert engine.problem() is None


@pytest.mark.parametrize("difference", DIFFERENCES)
@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_another_release_serves_by_its_documented_interface(folder, difference, interface):
    port = free_port()
    options = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--interface", interface]
    with started(folder, "shop:app", *options, **differing(folder, difference)) as served:
        served.port = port
        wait_until(lambda: answers(served), "it answers")
        assert served.get("/async") == (200, "here too")
        assert served.end(signal.SIGTERM) == 0

    warnings = [line for line in served.lines if "differs from the releases" in line]
    assert len(warnings) == 1
    assert "Granian 2." in warnings[0]


def test_functions_around_the_server_run_once_beside_the_documented_interface(folder):
    (folder / "shop.py").write_text(
        APP
        + """

@app.while_serving(once="server")
def around():
    with open("notes", "a") as file:
        file.write("in\\n")
    yield
    with open("notes", "a") as file:
        file.write("out\\n")
"""
    )
    port = free_port()
    options = ["--bind", f"127.0.0.1:{port}", "--workers", "2"]
    with started(folder, "shop:app", *options, **differing(folder, "a check fails")) as served:
        served.port = port
        wait_until(lambda: answers(served), "it answers")
        assert (folder / "notes").read_text() == "in\n"
        assert served.end(signal.SIGTERM) == 0

    assert (folder / "notes").read_text() == "in\nout\n"


def test_options_that_need_more_are_refused(folder):
    variables = differing(folder, "a check fails")
    with started(folder, "shop:app", "--bind", "127.0.0.1:0", "--metrics", "127.0.0.1:0", **variables) as served:
        assert served.status() == 1

    assert served.lines[-1].startswith("Error: With this release of Granian, use a single --bind and no --metrics")


def test_nothing_is_said_of_the_release_that_was_tested(folder):
    with serving(folder, workers=1) as served:
        assert served.end() == 0

    assert not [line for line in served.lines if "differs" in line]


def test_the_development_server_goes_on_over_wsgi(folder):
    port = free_port()
    command = [sys.executable, "-m", "costrel", "--app", "shop:app", "run", "--port", str(port)]
    variables = environ(PYTHONDONTWRITEBYTECODE="1", **differing(folder, "a check fails"))
    with Process(command, folder, variables) as process:
        process.wait_for("differs from the releases")
        process.wait_for("Running on")
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.endswith(b"here")
