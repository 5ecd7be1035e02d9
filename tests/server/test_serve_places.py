"""`costrel serve` at several places at once: ports, IPv6, Unix sockets; with TLS; over ASGI and WSGI."""

import re
import socket
from os import mkfifo
from pathlib import Path

import pytest

from ..processes import PATIENCE
from .served import started

pytestmark = pytest.mark.ci

APP = """\
import costrel

app = costrel.Costrel("places")

@app.route("/")
def index():
    return "here"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "places.py").write_text(APP)
    return tmp_path


def ask(family, address):
    """The answer to a request at `address`."""
    with socket.socket(family) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(address)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    return answer.partition(b"\r\n")[0], answer.rpartition(b"\r\n\r\n")[2]


def put_file(path):
    path.write_text("kept")


def put_link(path):
    path.symlink_to("places.py")


@pytest.mark.parametrize(
    ("put", "kind"),
    [(put_file, "regular file"), (Path.mkdir, "directory"), (put_link, "symbolic link"), (mkfifo, "FIFO")],
)
def test_a_path_that_holds_no_socket_is_refused_and_left_alone(folder, put, kind):
    path = folder / "a.sock"
    put(path)
    before = path.lstat().st_ino
    with started(folder, "places:app", "--bind", f"unix:{path}") as served:
        status = served.status()

    assert (1, before) == (status, path.lstat().st_ino)
    assert served.lines == [
        (
            f"Error: The server cannot create its Unix socket at {path}, because a {kind} is there. Remove it, or"
            " choose another path with --bind unix:/run/app.sock."
        )
    ]


def test_the_socket_of_another_server_is_refused_and_that_of_a_dead_one_replaced(folder):
    path = folder / "a.sock"
    with started(folder, "places:app", "--bind", f"unix:{path}") as first:
        first.wait_for(r"Serving, with the process")
        with started(folder, "places:app", "--bind", f"unix:{path}") as second:
            assert second.status() == 1
        assert second.lines == [
            (
                f"Error: Another process listens on the Unix socket {path}. Stop that process, or choose another path"
                " with --bind unix:/run/app.sock."
            )
        ]
        assert ask(socket.AF_UNIX, str(path)) == (b"HTTP/1.1 200 OK", b"here")
        first.end()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with started(folder, "places:app", "--bind", f"unix:{path}") as third:
        third.wait_for(r"Serving, with the process")
        assert ask(socket.AF_UNIX, str(path)) == (b"HTTP/1.1 200 OK", b"here")


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_all_places_are_served_by_the_same_workers(folder, interface):
    unix = str(folder / "a.sock")
    binds = ["--bind", "127.0.0.1:0", "--bind", f"unix:{unix}", "--bind", "[::1]:0"]
    with started(folder, "places:app", *binds, "--workers", "2", "--interface", interface) as served:
        port = int(served.wait_for(r"Listening at http://127\.0\.0\.1:(\d+)")[1])
        served.wait_for(re.escape(f"Listening at unix://{unix}"))
        port6 = int(served.wait_for(r"Listening at http://\[::1\]:(\d+)")[1])
        served.wait_for(r"Serving, with the processes \d+, \d+$")
        for _ in range(6):
            answers = [
                ask(socket.AF_INET, ("127.0.0.1", port)),
                ask(socket.AF_UNIX, unix),
                ask(socket.AF_INET6, ("::1", port6)),
            ]
            assert answers == [(b"HTTP/1.1 200 OK", b"here")] * 3
        status = served.end()

    assert status == 0
    assert not (folder / "a.sock").exists()
    with pytest.raises(ConnectionRefusedError):
        ask(socket.AF_INET, ("127.0.0.1", port))


def test_one_place_that_is_taken_keeps_the_server_from_starting(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        places = ["--bind", f"unix:{folder}/a.sock", "--bind", f"127.0.0.1:{port}"]
        with started(folder, "places:app", *places) as served:
            assert served.status() == 1

    assert served.lines[0].startswith(f"Error: Port {port} on 127.0.0.1 is in use by another program.")
    assert not (folder / "a.sock").exists()


def test_places_from_the_environment(folder):
    places = f"127.0.0.1:0 unix:{folder}/a.sock"
    with started(folder, "places:app", "--workers", "1", COSTREL_SERVE_BIND=places) as served:
        served.wait_for("Serving, with the processes")
        assert ask(socket.AF_UNIX, f"{folder}/a.sock") == (b"HTTP/1.1 200 OK", b"here")
        assert served.end() == 0
