"""The cost of a session by its store: ``python -m benchmarks.session_stores``.

Prints the microseconds that a session adds to a request, one that reads a value and one that reads and changes it, for
Costrel's stores, for Flask's session in a signed cookie, to which the ratios are, and for Flask-Session with Redis,
which runs on this computer. The best of many short rounds, in which all of them take turns: of this process's CPU time,
and of the clock's, since some of the stores wait.
"""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

ROUNDS = 150
SECONDS_A_ROUND = 0.004
CLOCKS = {"CPU": time.process_time, "clock": time.perf_counter}
KEY = "a secret key for the benchmark, long enough"
CONTENT = {"user_id": 17, "csrf": "a3f2b8" * 7, "cart": [{"bottle": 2}, {"cork": 40}], "name": "Ann"}


def application(kind: Any, api: Any, **config: Any) -> Any:
    """An application of a framework, and views that leave the session alone, read it, and change it."""
    app = kind("shop", static_folder=None)
    app.config.update(SECRET_KEY=KEY, **config)

    @app.get("/plain")
    def plain() -> str:
        return "17"

    @app.get("/read")
    def read() -> str:
        return str(api.session["user_id"])

    count = iter(range(10**9))

    @app.get("/write")
    def write() -> str:
        api.session["count"] = next(count)
        return str(api.session["user_id"])

    @app.get("/start")
    def start() -> str:
        api.session.update(CONTENT)
        return "started"

    return app


def applications(folder: str, redis: str | None) -> Iterator[tuple[str, Any]]:
    flask, costrel = import_module("flask"), import_module("costrel")
    yield "Flask, cookie", application(flask.Flask, flask)
    for store in ("cookie", "encrypted", "sqlite", "memory"):
        where = {"SESSION_STORE": store, "SESSION_SQLITE": f"{folder}/sessions.sqlite"}
        yield f"Costrel, {store}", application(costrel.Costrel, costrel, **where)
    if redis is None:
        print("redis-server is not installed: its rows are missing")
        return
    yield "Costrel, redis", application(costrel.Costrel, costrel, SESSION_STORE=redis)
    try:
        client = import_module("redis").from_url(redis)
        app = application(flask.Flask, flask, SESSION_TYPE="redis", SESSION_REDIS=client)
        import_module("flask_session").Session(app)
        yield "Flask-Session, redis", app
    except ImportError as error:
        print(f"{error.name} is not installed: its row is missing")


@contextmanager
def redis_server(folder: str) -> Iterator[str | None]:
    if shutil.which("redis-server") is None:
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.01)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def call(app: Any, path: str, cookie: str) -> list[tuple[str, str]]:
    """The headers of one answer, over WSGI."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
    }
    if cookie:
        environ["HTTP_COOKIE"] = cookie
    answers: list[tuple[str, list[tuple[str, str]]]] = []
    body = app(environ, lambda status, headers, error=None: answers.append((status, headers)))
    for _ in body:
        pass
    getattr(body, "close", lambda: None)()
    status, headers = answers[-1]
    if not status.startswith("200"):
        raise RuntimeError(f"{app} answered {status} to {path}")
    return headers


Case = tuple[str, str]
Costs = dict[tuple[str, str, str], float]


def measure(runs: dict[Case, Callable[[], object]]) -> Costs:
    """Seconds of a call, by case and clock."""
    best = {(*case, clock): float("inf") for case in runs for clock in CLOCKS}
    calls = {}
    for case, run in runs.items():
        start = time.process_time()
        for _ in range(50):
            run()
        calls[case] = max(1, int(SECONDS_A_ROUND * 50 / (time.process_time() - start)))
    for _ in range(ROUNDS):
        for case, run in runs.items():
            number = calls[case]
            starts = {clock: now() for clock, now in CLOCKS.items()}
            for _ in range(number):
                run()
            for clock, now in CLOCKS.items():
                best[(*case, clock)] = min(best[(*case, clock)], (now() - starts[clock]) / number)
    return best


def main() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        apps = dict(applications(folder, stack.enter_context(redis_server(folder))))
        runs: dict[Case, Callable[[], object]] = {}
        for name, app in apps.items():
            cookie = next(value for key, value in call(app, "/start", "") if key == "Set-Cookie").partition(";")[0]
            # A store is read in each request that has the cookie.
            for path, sent in (("/plain", ""), ("/read", cookie), ("/write", cookie)):
                runs[name, path] = lambda app=app, path=path, sent=sent: call(app, path, sent)  # type: ignore[misc]
        report(list(apps), measure(runs))
        for app in apps.values():
            store = getattr(app.session_interface, "store", None)
            if hasattr(store, "close"):
                store.close()


def report(names: list[str], best: Costs) -> None:
    for clock in CLOCKS:
        costs = {
            (name, path): (best[name, path, clock] - best[name, "/plain", clock]) * 1e6
            for name in names
            for path in ("/read", "/write")
        }
        reference = names[0]
        print(f"{f'µs a request, {clock}':22} {'read':>8} {'ratio':>7} {'read, write':>12} {'ratio':>7}")
        for name in names:
            read, write = costs[name, "/read"], costs[name, "/write"]
            print(
                f"{name:22} {read:8.1f} {read / costs[reference, '/read']:6.2f}x"
                f" {write:12.1f} {write / costs[reference, '/write']:6.2f}x"
            )


if __name__ == "__main__":
    main()
