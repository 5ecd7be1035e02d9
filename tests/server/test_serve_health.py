"""`costrel serve --health`: alive and ready, starting, failing and stopping, without the application's doing."""

import http.client
import json
import signal
import socket
import textwrap
import time

import pytest

from ..processes import PATIENCE, wait_until
from .served import serving, started

APP = """\
    import os
    import time
    import costrel

    app = costrel.Costrel("shop")
    app.config["TRUSTED_HOSTS"] = ["shop.example"]

    @app.route("/pid")
    def pid():
        return str(os.getpid())

    @app.route("/slow")
    def slow():
        open("begun", "w").close()
        time.sleep(1)
        return "done"

    @app.route("/endless")
    async def endless():
        import asyncio
        async def ticks():
            while True:
                yield "tick"
                await asyncio.sleep(0.1)
        return app.response_class(ticks())

    @app.before_serving
    def wait_for_the_database():
        while os.path.exists("starting"):
            time.sleep(0.05)

    @app.after_serving
    async def say_good_bye():
        open("ended", "w").close()

    @app.readiness_check
    def database():
        if os.path.exists("down"):
            raise RuntimeError("the password is 1234")

    @app.readiness_check(name="cache", timeout=1.5)
    async def look_at_the_cache():
        import asyncio
        while os.path.exists("stuck"):
            await asyncio.sleep(0.05)

    @app.before_request
    def refuse():
        costrel.abort(418)
    """


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(textwrap.dedent(APP))
    return tmp_path


def probe(served, path="/readyz", method="GET"):
    """The status and the body of the response; the application does not trust the host."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
    try:
        connection.request(method, path, headers={"Host": "10.0.0.7:8000"})
        response = connection.getresponse()
        body = response.read()
        return response.status, json.loads(body) if body else None
    finally:
        connection.close()


def probe_until(served, expected):
    wait_until(lambda: probe(served) == expected, f"/readyz says {expected}")


READY = (200, {"status": "ready"})


def test_a_server_is_ready_when_its_checks_hold(folder):
    with serving(folder, "--health", workers=1) as served:
        assert probe(served, "/livez") == (200, {"status": "alive"})
        assert probe(served) == READY
        assert probe(served, method="HEAD") == (200, None)
        assert probe(served, method="POST")[0] == 405

        (folder / "down").touch()
        probe_until(served, (503, {"status": "not ready", "failing": ["database"]}))
        (folder / "stuck").touch()
        probe_until(served, (503, {"status": "not ready", "failing": ["database", "cache"]}))
        assert probe(served, "/livez") == (200, {"status": "alive"})

        (folder / "down").unlink()
        (folder / "stuck").unlink()
        probe_until(served, READY)
        assert served.get("/pid")[0] == 418
        assert served.end() == 0

    log = "\n".join(served.lines)
    assert log.count("The readiness check 'database' raised an error.") == 1
    assert log.count("The readiness check 'cache' timed out after 1.5 seconds.") == 1
    assert ['"GET /pid HTTP/1.1"'] == [line[line.index('"') : line.rindex('"') + 1] for line in served.output]


def test_without_the_option_the_application_answers(folder):
    with serving(folder, workers=1) as served:
        assert served.get("/readyz", Host="shop.example")[0] == 418


def test_it_starts_before_it_is_ready(folder):
    (folder / "starting").touch()
    with started(folder, "shop:app", "--bind", "127.0.0.1:0", "--workers", "2", "--health") as served:
        served.port = int(served.wait_for(r"Listening at http://127\.0\.0\.1:(\d+)")[1])
        assert probe(served) == (503, {"status": "starting"})
        assert probe(served, "/livez") == (200, {"status": "alive"})
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as early:
            early.sendall(b"GET /pid HTTP/1.1\r\nHost: shop.example\r\n\r\n")
            early.settimeout(0.5)
            with pytest.raises(TimeoutError):
                early.recv(1)
            (folder / "starting").unlink()
            early.settimeout(PATIENCE)
            assert early.recv(12) == b"HTTP/1.1 418"
        served.wait_for("Serving, with the processes")
        assert probe(served) == READY


def test_a_signal_while_it_starts_ends_it(folder):
    (folder / "starting").touch()
    with started(folder, "shop:app", "--bind", "127.0.0.1:0", "--workers", "2", "--health") as served:
        served.port = int(served.wait_for(r"Listening at http://127\.0\.0\.1:(\d+)")[1])
        assert probe(served) == (503, {"status": "starting"})
        served.popen.send_signal(signal.SIGTERM)
        (folder / "starting").unlink()
        assert served.status() == 0


def test_it_is_not_ready_while_it_drains_and_answers_all_the_same(folder):
    with serving(folder, "--health", "--drain", "6") as served:
        served.popen.send_signal(signal.SIGTERM)
        served.wait_for("Draining: the server stops in 6 seconds")
        assert probe(served) == (503, {"status": "stopping"})
        assert probe(served, "/livez") == (200, {"status": "alive"})
        assert served.get("/slow", Host="shop.example")[0] == 418
        assert served.status() == 0

    assert (folder / "ended").exists()


def test_a_second_signal_ends_the_draining(folder):
    with serving(folder, "--drain", "600") as served:
        served.popen.send_signal(signal.SIGTERM)
        served.wait_for("Draining: the server stops in 600 seconds")
        assert served.end() == 0


def test_the_functions_after_serving_run_within_the_grace_whatever_is_open(folder):
    (folder / "shop.py").write_text((folder / "shop.py").read_text().replace("costrel.abort(418)", "return None"))
    with serving(folder, "--grace", "3") as served:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
        connection.request("GET", "/endless", headers={"Host": "shop.example"})
        response = connection.getresponse()
        assert response.read(4) == b"tick"
        begun = time.monotonic()
        status = served.end()
        taken = time.monotonic() - begun
        with pytest.raises(http.client.IncompleteRead):
            response.read()
        connection.close()

    assert status == 0
    assert taken >= 2
    assert (folder / "ended").exists()
    assert not any("Traceback" in line for line in served.lines)


def test_a_replaced_worker_says_good_bye_and_the_new_one_is_ready(folder):
    with serving(folder, "--health") as served:
        served.popen.send_signal(signal.SIGHUP)
        for _ in range(2):
            served.wait_for("takes the place of")
            assert probe(served) == READY
        wait_until((folder / "ended").exists, "the application has ended")
        assert served.end() == 0
