"""The cost of the services of an application alone: ``python -m benchmarks.services [NAME ...]``.

Prints microseconds of CPU time per call, for Flask and for Costrel, and their ratio. The names are those of the
``PERF:`` comments in ``costrel/services``.
"""

from __future__ import annotations

import sys
import time
import timeit
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from jinja2 import DictLoader

ROUNDS = 9
SECONDS_A_ROUND = 0.03
SMALL = {"message": "Hello", "numbers": [1, 2, 3]}
LARGE = {"users": [{"id": n, "name": f"user {n}", "score": n * 1.5, "active": True} for n in range(20)]}
ENVIRON = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "wsgi.url_scheme": "http",
}
Cases = Iterator[tuple[str, Callable[[], Any]]]


def microseconds(call: Callable[[], Any]) -> float:
    timer = timeit.Timer(call, timer=time.process_time)
    loops = max(1, int(SECONDS_A_ROUND / (timer.timeit(20) / 20 + 1e-9)))
    return min(timer.repeat(ROUNDS, loops)) / loops * 1e6


def session_cases(app: Any) -> Cases:
    """Open the session of a cookie, change it, and save it into an existing response."""
    interface = app.session_interface
    for name, content in (
        ("session", {"user_id": 17}),
        ("session_large", {"_fresh": True, "_id": "0123456789abcdef" * 8, "_user_id": "17", "csrf": "a3f2b8" * 7}),
    ):
        cookie = interface.get_signing_serializer(app).dumps(content)
        environ = ENVIRON | {"HTTP_COOKIE": f"session={cookie}"}
        count = iter(range(10**9))

        def open_and_save(environ: dict[str, Any] = environ, count: Iterator[int] = count) -> None:
            request, response = app.request_class(environ), app.response_class()
            session = interface.open_session(app, request)
            session.accessed = True
            session["count"] = next(count)
            interface.save_session(app, session, response)

        yield name, open_and_save


def json_cases(app: Any, json: ModuleType) -> Cases:
    for suffix, value in (("", SMALL), ("_large", LARGE)):
        text = json.dumps(value)
        yield f"json_out{suffix}", lambda value=value: json.dumps(value)  # type: ignore[misc]  # bound here
        yield f"json_loads{suffix}", lambda text=text: json.loads(text)  # type: ignore[misc]  # as above
        yield f"jsonify{suffix}", lambda value=value: json.jsonify(value)  # type: ignore[misc]  # as above


def template_cases(app: Any, api: ModuleType) -> Cases:
    app.jinja_loader = DictLoader({"hello.html": "<p>{{ name }}</p>"})
    template = app.jinja_env.get_template("hello.html")
    yield "render_by_jinja", lambda: template.render(name="x")
    yield "render", lambda: api.render_template("hello.html", name="x")
    yield "render_string", lambda: api.render_template_string("<p>{{ name }}</p>", name="x")


def measure(framework: str, only: list[str]) -> dict[str, float]:
    api = import_module(framework)
    json = import_module(f"{framework}.json" if framework == "flask" else "costrel.services.json")
    app = (api.Flask if framework == "flask" else api.Costrel)("benchmark")
    app.secret_key = "a secret key for the benchmark, long enough"
    with app.request_context(dict(ENVIRON)):
        cases = [*session_cases(app), *json_cases(app, json), *template_cases(app, api)]
        return {name: microseconds(call) for name, call in cases if not only or name in only}


def main() -> None:
    only = sys.argv[1:]
    found = {framework: measure(framework, only) for framework in ("flask", "costrel")}
    print(f"{'':<18}{'flask µs':>10}{'costrel µs':>12}{'flask / costrel':>17}")
    for name, flask in found["flask"].items():
        own = found["costrel"][name]
        print(f"{name:<18}{flask:>10.1f}{own:>12.2f}{flask / own:>17.1f}")


if __name__ == "__main__":
    main()
