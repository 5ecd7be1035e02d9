"""`costrel serve` as processes: responses, replacement, the end, and the output."""

import functools
import json
import os
import re
import signal
import socket
import ssl
import textwrap
import threading
import time

import pytest

from costrel.devserver.certificates import make_ssl_devcert

from ..processes import PATIENCE, is_gone, wait_until
from .served import serving, started

APP = """\
    import os
    import time
    import costrel
    from costrel import request

    app = costrel.Costrel("shop")
    word = "one"

    @app.route("/")
    def index():
        return word

    @app.route("/pid")
    def pid():
        return str(os.getpid())

    @app.route("/id")
    def request_id():
        return request.headers["X-Request-ID"]

    @app.route("/slow")
    def slow():
        open("begun", "w").close()
        time.sleep(1)
        return "done"

    @app.route("/endless")
    def endless():
        def ticks():
            while True:
                yield "tick"
                time.sleep(0.1)
        return app.response_class(ticks())

    @app.route("/hangs")
    async def hangs():
        open("begun", "w").close()
        time.sleep(1000)

    @app.route("/threads")
    def threads():
        return str(app.config["THREADS"])

    def create_app(greeting):
        global word
        word = greeting
        return app
    """


@pytest.fixture
def write(tmp_path):
    """Write a Python file into the folder that is served from."""

    def write(name, text):
        (tmp_path / name).write_text(textwrap.dedent(text))

    return write


@pytest.fixture(name="started")
def _started(tmp_path, write):
    """Run `costrel serve` in a folder with APP in `shop.py`."""
    write("shop.py", APP)
    return functools.partial(started, tmp_path)


@pytest.fixture(name="serving")
def _serving(tmp_path, write):
    """The same, on a free port and with two workers, and ready."""
    write("shop.py", APP)
    return functools.partial(serving, tmp_path)


def test_two_workers_answer(serving):
    with serving() as served:
        pids = {served.get("/pid")[1] for _ in range(40)}
        assert served.get("/") == (200, "one")
        status = served.end()

    assert len(pids) <= 2
    assert str(served.popen.pid) not in pids
    assert status == 0
    assert all("[ERROR]" not in line for line in served.lines)


def test_a_request_in_progress_is_answered_before_the_end_and_new_ones_are_refused(serving, tmp_path):
    answers = []
    with serving() as served:
        asking = threading.Thread(target=lambda: answers.append(served.get("/slow")))
        asking.start()
        wait_until((tmp_path / "begun").exists, "it has begun")
        status = served.end()
        asking.join(PATIENCE)
        with pytest.raises(ConnectionRefusedError):
            served.get("/")

    assert (answers, status) == ([(200, "done")], 0)
    assert ['"GET /slow HTTP/1.1" 200 4'] == [re.search(r'".*" \d+ \d+', line)[0] for line in served.output]


def test_a_stream_without_end_is_cut_after_the_grace(serving):
    with serving("--grace", "2") as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
            connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(65_536)
            started = time.monotonic()
            status = served.end()

    assert status == 0
    assert time.monotonic() - started >= 1


def test_a_killed_worker_is_replaced(serving):
    with serving() as served:
        pid = int(served.get("/pid")[1])
        os.kill(pid, signal.SIGKILL)
        replaced = served.wait_for(r"Process (\d+) has ended; (\d+) takes its place")
        answers = [served.get("/pid") for _ in range(10)]
        status = served.end()

    assert int(replaced[1]) == pid
    assert {200} == {status for status, _ in answers}
    assert str(pid) not in {text for _, text in answers}
    assert status == 0


def test_the_workers_end_with_the_process_that_started_them(serving):
    with serving("--grace", "1") as served:
        pid = int(served.get("/pid")[1])
        served.popen.kill()
        served.popen.wait()
        wait_until(lambda: is_gone(pid), "it has ended")


def test_sighup_serves_the_code_as_it_is_now(serving, write):
    with serving() as served:
        write("shop.py", APP.replace('word = "one"', 'word = "another"'))
        served.popen.send_signal(signal.SIGHUP)
        answers = []
        for _ in range(2):
            served.wait_for("takes the place of")
            answers.append(served.get("/")[0])
        served.get_until("another")
        status = served.end()

    assert (answers, status) == ([200, 200], 0)


def test_after_sighup_with_broken_code_the_old_workers_go_on(serving, write):
    with serving() as served:
        write("shop.py", "this is no Python")
        served.popen.send_signal(signal.SIGHUP)
        served.wait_for("While importing 'shop', a SyntaxError was raised")
        served.wait_for(r"The new worker did not start: the old process \d+ continues")
        assert served.get("/") == (200, "one")
        assert served.end() == 0


def test_a_replaced_worker_that_hangs_is_ended_after_the_grace(serving, tmp_path):
    with serving("--grace", "1", workers=1) as served:
        pid = int(served.get("/pid")[1])
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
            connection.sendall(b"GET /hangs HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until((tmp_path / "begun").exists, "it has begun")
            served.popen.send_signal(signal.SIGHUP)
            served.wait_for("takes the place of")
            wait_until(lambda: is_gone(pid), "it has ended")
            assert connection.recv(1) == b""
        assert served.get("/") == (200, "one")
        assert served.end() == 0


def test_a_worker_that_does_not_end_is_killed_after_the_grace(serving):
    with serving("--grace", "1", workers=1) as served:
        pid = int(served.get("/pid")[1])
        os.kill(pid, signal.SIGSTOP)
        status = served.end()

    assert status == 0
    assert is_gone(pid)
    assert f"[WARNING] Process {pid} is killed: it did not end in the grace period" in served.lines


def test_where_all_processes_are_told_to_end_at_once_none_is_killed(serving):
    for _ in range(3):
        with serving() as served:
            pids = re.findall(r"\d+", next(line for line in served.lines if "Serving, with the processes" in line))
            for pid in [served.popen.pid, *map(int, pids)]:
                os.kill(pid, signal.SIGTERM)
            status = served.status()

        assert status == 0
        assert not any("kill" in line.lower() for line in served.lines)


def test_an_application_that_fails_before_serving_is_not_served(started, write):
    write(
        "failing.py",
        """\
        import costrel

        app = costrel.Costrel("failing")

        @app.before_serving
        async def connect():
            raise LookupError("no database")
        """,
    )
    with started("failing:app", "--bind", "127.0.0.1:0", "--workers", "2") as served:
        assert served.status() == 1

    assert 1 == served.lines.count("LookupError: no database")
    assert not any("Serving" in line for line in served.lines)


def test_an_application_that_cannot_be_loaded_is_said_once_and_alone(started):
    with started("nowhere:app", "--bind", "127.0.0.1:0") as served:
        assert served.status() == 1

    (line,) = served.lines
    assert line.startswith("Error: Could not import 'nowhere': there is no module 'nowhere' in ")


BROKEN = {
    "syntax": ("def :", "SyntaxError: invalid syntax"),
    "import": ("raise LookupError('no settings')", "LookupError: no settings"),
    "factory": ("def create_app():\n    raise LookupError('no settings')", "LookupError: no settings"),
    "startup": (
        "import costrel\napp = costrel.Costrel('a')\n@app.before_serving\ndef db():\n    raise LookupError('no db')",
        "LookupError: no db",
    ),
}


@pytest.mark.parametrize(
    ("kind", "interface"),
    [("syntax", "asgi"), ("import", "wsgi"), ("factory", "asgi"), ("startup", "asgi"), ("startup", "wsgi")],
)
def test_no_address_is_given_for_an_application_that_does_not_start(started, write, kind, interface):
    source, error = BROKEN[kind]
    write("broken.py", source)
    with started("broken", "--bind", "127.0.0.1:0", "--workers", "2", "--interface", interface) as served:
        assert served.status() == 1

    text = "\n".join(served.lines)
    assert error in text
    assert "http://" not in text


def test_a_term_signal_while_the_application_loads_ends_at_once(started, write, tmp_path):
    write("sleepy.py", "import time\nopen('begun', 'w').close()\ntime.sleep(60)\n")
    with started("sleepy:app", "--bind", "127.0.0.1:0") as served:
        wait_until((tmp_path / "begun").exists, "it has begun")
        assert served.end() == 0


def test_a_busy_port_is_said_in_one_line(started):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started("shop:app", "--bind", f"127.0.0.1:{port}") as served:
            assert served.status() == 1

    (line,) = served.lines
    assert re.fullmatch(
        f"Error: Port {port} on 127.0.0.1 is in use by another program. Stop that program, or choose another port"
        r"(: --bind 127.0.0.1:\d+ is free)?\.",
        line,
    )


def test_a_second_server_on_the_port_of_the_first_does_not_start(serving, started):
    with serving() as served:
        with started("shop:app", "--bind", f"127.0.0.1:{served.port}") as second:
            assert second.status() == 1
        assert served.get("/") == (200, "one")


@pytest.mark.parametrize(("arguments", "variables"), [(["--debug"], {}), ([], {"FLASK_DEBUG": "1"})])
def test_debug_mode_is_refused(started, arguments, variables):
    with started("shop:app", *arguments, **variables) as served:
        assert served.status() == 1

    assert "\n".join(served.lines) == (
        "Error: costrel serve does not run in debug mode, whose error pages show source code and run code. Leave out"
        " --debug and COSTREL_DEBUG (or FLASK_DEBUG), or use costrel run."
    )


def test_a_unix_socket(started, tmp_path):
    path = tmp_path / "shop.sock"
    with started("shop:app", "--bind", f"unix:{path}", "--workers", "2") as served:
        served.wait_for("Serving, with the processes")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(path))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        status = served.end()

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert status == 0
    assert not path.exists()
    assert served.output[0].startswith("- - - [")


def test_the_access_log_has_method_path_with_query_status_time_and_id(serving):
    with serving() as served:
        response, seen = served.exchange("/id?a=1&b=%20", X_Request_ID="abc-0123456789")
        served.end()

    assert (seen, response.headers["X-Request-ID"]) == ("abc-0123456789", "abc-0123456789")
    (line,) = served.output
    assert re.fullmatch(
        r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4} [\d:]{8}\] "GET /id\?a=1&b=%20 HTTP/1\.1" 200 14 [\d.]+m?s'
        " abc-0123456789",
        line,
    )


def test_the_access_log_as_json(serving):
    with serving("--log-format", "json") as served:
        _, seen = served.exchange("/id?a=1", X_Request_ID="bad id")
        served.end()

    (line,) = served.output
    entry = json.loads(line)
    assert re.fullmatch("[0-9a-f]{32}", seen)
    assert entry.pop("duration_ms") > 0
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "client": "127.0.0.1",
        "method": "GET",
        "target": "/id?a=1",
        "protocol": "HTTP/1.1",
        "status": 200,
        "size": 32,
        "complete": True,
        "request_id": seen,
    }


def test_without_the_access_log_a_request_has_an_id_still(serving):
    with serving("--no-access-log") as served:
        response, seen = served.exchange("/id")
        served.end()

    assert served.output == []
    assert response.headers["X-Request-ID"] == seen


def test_a_factory_with_arguments_and_the_number_of_threads(serving):
    with serving("--threads", "3", app='shop:create_app("hello")') as served:
        assert served.get("/") == (200, "hello")
        assert served.get("/threads") == (200, "3")


def test_an_application_that_imports_flask(serving, write):
    write(
        "flasky.py",
        "import flask\napp = flask.Flask('flasky')\napp.route('/')(lambda: flask.Flask.__mro__[1].__name__)\n",
    )
    with serving("--as-flask", app="flasky:app") as served:
        assert served.get("/") == (200, "Costrel")
        assert served.end() == 0


def test_over_wsgi_it_says_what_is_lost(serving):
    with serving("--interface", "wsgi") as served:
        assert served.get("/") == (200, "one")
        assert served.end() == 0

    assert served.lines[0].startswith("Warning: --interface wsgi has these limits")


def test_https(serving, tmp_path):
    cert, key = make_ssl_devcert(str(tmp_path / "cert"), cn="localhost")
    with serving("--cert", cert, "--key", key, "--http2") as served:
        context = ssl.create_default_context(cafile=cert)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
            with context.wrap_socket(connection, server_hostname="localhost") as secure:
                assert secure.selected_alpn_protocol() == "h2"
        assert served.end() == 0


@pytest.mark.slow
def test_a_head_that_does_not_come_ends_the_connection(serving):
    with serving() as served:
        for begun in (b"", b"GET / HTTP/1.1\r\nHost:"):
            with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as connection:
                connection.sendall(begun)
                started = time.monotonic()
                assert connection.recv(65_536) == b""
            assert time.monotonic() - started > 5
