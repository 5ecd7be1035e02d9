"""The command as a separate process: it starts, answers, reloads after a change, and ends after a signal."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ..processes import PATIENCE, Process, is_gone, wait_until

SECOND = 'return "two"  # of another length, since Python compares compiled files by whole seconds and length'

APP = """\
    import os
    import costrel

    app = costrel.Costrel("shop")

    @app.route("/")
    def index():
        return "one"

    @app.route("/pid")
    async def pid():
        return str(os.getpid())

    if __name__ == "__main__":
        app.run(port=0, debug={debug})
    """


class Command(Process):
    """A command that runs in a process of its own."""

    def port(self):
        return int(self.wait_for(r"Running on http://127\.0\.0\.1:(\d+)")[1])


@pytest.fixture
def started(folder, environ):
    """Start Python in the folder with these arguments."""

    def started(*arguments, **variables):
        return Command(
            [sys.executable, *arguments],
            folder,
            {**environ, "PYTHONUNBUFFERED": "1", **variables},
            stdin=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    return started


def get(port, path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def get_until(port, text):
    """The first answer with `text` in it."""
    deadline = time.monotonic() + PATIENCE
    answer = None
    while time.monotonic() < deadline:
        try:
            answer = get(port)
        except (http.client.HTTPException, OSError) as error:
            answer = repr(error)
        else:
            if text in answer[1]:
                return answer
        time.sleep(0.02)
    raise AssertionError(f"never answered with {text!r}, at last {answer}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_development_server(started, write, number):
    write("app.py", APP.format(debug=False))

    with started("-m", "costrel", "run", "--port", "0") as process:
        port = process.port()
        assert get(port) == (200, "one")
        assert get(port, "/nowhere?a=b")[0] == 404
        process.wait_for(r'^127\.0\.0\.1 - - \[.*\] "GET / HTTP/1\.1" 200 3 \d+\.\dms$')
        process.wait_for(r'"GET /nowhere\?a=b HTTP/1\.1" 404 ')
        assert process.end(number) == 0

    assert not any("Traceback" in line for line in process.lines)
    assert process.lines[:2] == [" * Serving Costrel app 'shop'", " * Debug mode: off"]


def put_file(path):
    path.write_text("kept")


def put_link(path):
    path.symlink_to("app.py")


@pytest.mark.parametrize("reload", ["--reload", "--no-reload"])
@pytest.mark.parametrize(
    ("put", "kind"),
    [(put_file, "regular file"), (Path.mkdir, "directory"), (put_link, "symbolic link"), (os.mkfifo, "FIFO")],
)
def test_a_unix_socket_takes_no_place_of_another_file(started, write, folder, put, kind, reload):
    write("app.py", APP.format(debug=False))
    path = folder / "a.sock"
    put(path)
    before = path.lstat().st_ino

    with started("-m", "costrel", "run", "--host", f"unix://{path}", reload) as process:
        assert process.status() == 1

    assert before == path.lstat().st_ino
    assert process.lines[-1] == (
        f"Error: The server cannot create its Unix socket at {path}, because a {kind} is there. Remove it, or choose"
        " another path with --host unix:///run/app.sock."
    )


def test_a_unix_socket_in_use_is_left_to_its_server(started, write, folder):
    write("app.py", APP.format(debug=False))
    path = folder / "a.sock"

    with started("-m", "costrel", "run", "--host", f"unix://{path}") as first:
        first.wait_for("Running on unix://")
        with started("-m", "costrel", "run", "--host", f"unix://{path}") as second:
            assert second.status() == 1
        assert f"Error: Another process listens on the Unix socket {path}." in second.lines[-1]
        assert path.is_socket()
        assert first.end(signal.SIGTERM) == 0
    with started("-m", "costrel", "run", "--host", f"unix://{path}") as third:
        third.wait_for("Running on unix://")
        assert third.end(signal.SIGTERM) == 0


def test_a_program_that_runs_itself(started, write):
    write("program.py", APP.format(debug=False))

    with started("program.py") as process:
        assert get(process.port()) == (200, "one")
        assert process.end(signal.SIGINT) == 0


def test_a_program_that_serves_in_a_thread_ends_by_itself(started, write):
    write(
        "program.py",
        """\
        import sys, threading, costrel

        app = costrel.Costrel("shop")

        @app.route("/")
        def index():
            return "one"

        threading.Thread(target=lambda: app.run(port=0), daemon=True).start()
        sys.stdin.read()
        """,
    )

    with started("program.py") as process:
        assert get(process.port()) == (200, "one")
        process.popen.stdin.close()
        assert process.status() == 0


def test_a_sync_view_that_hangs_does_not_hold_up_the_end(started, write):
    write(
        "app.py",
        """\
        import time, costrel

        app = costrel.Costrel("shop")

        @app.route("/")
        def index():
            print("arrived", flush=True)
            time.sleep(1000)
        """,
    )

    with started("-m", "costrel", "run", "--port", "0") as process:
        port = process.port()

        def ask():
            with contextlib.suppress(OSError, http.client.HTTPException):
                get(port)

        client = threading.Thread(target=ask)
        client.start()
        process.wait_for("arrived")
        assert process.end(signal.SIGINT) == 0
        client.join(PATIENCE)


@pytest.mark.parametrize("context", [True, False])
@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["once", "twice"])
def test_a_stream_that_hangs_does_not_hold_up_the_end(started, write, signals, context):
    write(
        "app.py",
        """\
        import threading, costrel

        app = costrel.Costrel("shop")

        def pieces():
            yield "first"
            print("arrived", flush=True)
            threading.Event().wait()

        @app.route("/plain")
        def plain():
            return costrel.Response(pieces())

        @app.route("/context")
        def context():
            return costrel.Response(costrel.stream_with_context(pieces()))
        """,
    )

    with started("-m", "costrel", "run", "--port", "0") as process:
        with socket.create_connection(("127.0.0.1", process.port()), timeout=PATIENCE) as client:
            client.sendall(f"GET /{'context' if context else 'plain'} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            process.wait_for("arrived")
            for number in signals:
                process.popen.send_signal(number)
                time.sleep(0.3)
            assert process.status() == 0


@pytest.mark.parametrize("arguments", [["-m", "costrel", "run", "--debug", "--port", "0"], ["app.py"]])
def test_a_change_is_served_without_a_refused_request(started, write, folder, arguments):
    path = write("app.py", APP.format(debug=True))
    text = path.read_text()

    with started(*arguments) as process:
        port = process.port()
        assert get_until(port, "one")[0] == 200
        first = get(port, "/pid")

        path.write_text(text.replace('return "one"', SECOND))

        assert get_until(port, "two")[0] == 200
        assert get(port, "/pid") != first
        assert process.end() == 0

    assert any(f" * Detected change in {str(path)!r}, reloading" in line for line in process.lines)


def test_an_application_that_is_named_after_the_command_is_reloaded(started, write):
    path = write("shop/web.py", APP.format(debug=False))

    with started("-m", "costrel", "run", "shop/web.py:app", "--reload", "--port", "0") as process:
        port = process.port()
        assert get_until(port, "one")[0] == 200

        path.write_text(path.read_text().replace('return "one"', SECOND))

        assert get_until(port, "two")[0] == 200
        assert process.end() == 0


def test_a_change_that_breaks_the_application_is_shown_until_the_next(started, write):
    path = write("app.py", APP.format(debug=False))
    text = path.read_text()

    with started("-m", "costrel", "run", "--reload", "--port", "0") as process:
        port = process.port()
        get_until(port, "one")

        path.write_text("def x(:\n")
        assert get_until(port, "SyntaxError: invalid syntax")[0] == 500

        path.write_text(text)
        assert get_until(port, "one")[0] == 200
        assert process.end() == 0


def test_the_serving_process_ends_with_the_one_that_watches(started, write):
    write("app.py", APP.format(debug=False))

    with started("-m", "costrel", "run", "--reload", "--port", "0") as process:
        serving = int(get(process.port(), "/pid")[1])
        process.popen.kill()
        process.popen.wait(PATIENCE)

        wait_until(lambda: is_gone(serving), "it has ended")


def test_a_port_in_use(started, write):
    write("app.py", APP.format(debug=False))

    with started("-m", "costrel", "run", "--port", "0") as first:
        port = first.port()
        for arguments in (["run"], ["run", "--reload"]):
            with started("-m", "costrel", *arguments, "--port", str(port)) as second:
                second.wait_for(
                    f"^Error: Port {port} on 127.0.0.1 is in use by another program. Stop that program, or "
                )
                assert second.status() == 1
        assert get(port) == (200, "one")
        first.end()


def test_a_module_that_does_not_import(started, write):
    write("app.py", "import no_such_package\n")

    for arguments in (["run"], ["run", "--reload"]):
        with started("-m", "costrel", *arguments, "--port", "0") as process:
            process.wait_for("^Error: While importing 'app', an ImportError was raised:$")
            process.wait_for("^ModuleNotFoundError: No module named 'no_such_package'$")
            assert process.status() == 2


FLASK_APP = """\
    import flask, werkzeug

    app = flask.Flask("shop")

    @app.route("/")
    def index():
        return flask.Flask.__mro__[1].__module__

    @app.cli.command("which")
    def which():
        print(flask.Flask.__mro__[1].__module__)
    """


def test_an_application_that_imports_flask(started, write):
    write("app.py", FLASK_APP)

    with started("-m", "costrel", "--as-flask", "which") as process:
        process.wait_for(r"^costrel\.")
        assert process.status() == 0


@pytest.mark.parametrize("arguments", [["run", "--as-flask"], ["run", "--as-flask", "--debug"]])
def test_it_is_served_under_flasks_name(started, write, arguments):
    write("app.py", FLASK_APP)

    with started("-m", "costrel", *arguments, "--port", "0") as process:
        port = process.port()
        status, body = get(port)
        assert process.end() == 0

    assert (status, body) == (200, "costrel.app.application")


def test_without_the_option_flasks_application_is_not_taken(started, write):
    pytest.importorskip("flask")
    write("app.py", FLASK_APP)

    with started("-m", "costrel", "run", "--port", "0") as process:
        process.wait_for(
            "It is an application of the installed Flask. To run it with Costrel, use the option --as-flask after",
        )
        assert process.status() == 2


def test_the_installed_script(started, write, folder):
    script = os.path.join(os.path.dirname(sys.executable), "costrel")
    if not os.path.exists(script):
        pytest.skip("the package is not installed with its script")

    with started(script, "--version") as process:
        process.wait_for("^Costrel ")
        assert process.status() == 0
