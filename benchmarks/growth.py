"""How the cost of one request grows with its own size, and with the size of the application.

``python -m benchmarks growth [NAME ...]``. Each line of a plot is the CPU time of one call against a growing number;
its slope in a log-log plot is the shape: 0 is constant, 1 is linear, more is worse.
"""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from . import results
from .gateways import Wsgi
from .scenarios import BOUNDARY, Scenario

ROUNDS = 5
SECONDS_A_ROUND = 0.02
FORM = "application/x-www-form-urlencoded"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
LIMITS = ["MAX_FORM_MEMORY_SIZE", "MAX_FORM_PARTS", "MAX_FORM_FILES", "MAX_CONTENT_LENGTH", "MAX_QUERY_PARAMS"]
GET = Scenario("grown", "/read")
POST = Scenario("grown", "/read", "POST")


def application(api: Any, **added: int) -> Any:
    """An application that reads the whole request; `added` is its number of rules, hooks or nested blueprints."""
    app = (api.Costrel if api.__name__ == "costrel" else api.Flask)("benchmark")
    app.config.update(dict.fromkeys(LIMITS))
    request = api.request

    @app.route("/read", methods=["GET", "POST"])
    def read():
        found = [len(request.args), len(request.cookies), len(request.headers), len(request.form), len(request.files)]
        return f"{sum(found)} {len(request.get_json(silent=True) or ())}"

    @app.route("/<path:rest>")
    def path(rest):
        return str(len(rest))

    @app.route("/accept")
    def accept():
        return str(request.accept_mimetypes.best_match(["text/html", "application/json"]))

    @app.post("/body")
    def body():
        return str(sum(map(len, iter(lambda: request.stream.read(65536), b""))))

    for i in range(added.get("rules", 0)):
        app.add_url_rule(f"/page{i}/<int:id>", f"e{i}", lambda id: str(id))
    for _ in range(added.get("hooks", 0)):
        app.before_request(lambda: None)
        app.after_request(lambda response: response)
    _nest(app, api, added.get("blueprints", 0))
    return app


def _nest(app: Any, api: Any, depth: int) -> None:
    """A view in the innermost of several nested blueprints, each with one function before the request."""
    inner = api.Blueprint("b0", "benchmark", url_prefix="/b")
    inner.add_url_rule("/", "innermost", lambda: "inner")
    for i in range(1, depth):
        outer = api.Blueprint(f"b{i}", "benchmark", url_prefix="/b")
        outer.before_request(lambda: None)
        outer.register_blueprint(inner)
        inner = outer
    app.register_blueprint(inner)


def parts(number: int) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f{{}}"\r\n\r\nvalue\r\n'
    return "".join(head.format(i) for i in range(number)).encode() + f"--{BOUNDARY}--\r\n".encode()


def of_request(build: Callable[[int], Scenario]) -> Callable[[Any, int], Wsgi]:
    """The request grows; the application stays the same."""
    return lambda api, size: Wsgi(application(api), build(size))


def of_application(name: str, scenario: Scenario) -> Callable[[Any, int], Wsgi]:
    """The application grows; the request stays the same."""
    return lambda api, size: Wsgi(application(api, **{name: size}), scenario)


CASES: dict[str, tuple[list[int], Callable[[Any, int], Wsgi]]] = {
    "rules": ([10, 100, 1000, 2000, 4000, 8000], of_application("rules", replace(GET, path="/page7/42"))),
    "hooks": ([1, 2, 4, 8, 16, 32, 64, 128], of_application("hooks", GET)),
    "nested blueprints": ([1, 2, 4, 8, 16, 32], lambda api, size: Wsgi(
        application(api, blueprints=size), replace(GET, path="/b" * size + "/"))),
    "headers": ([8, 16, 32, 64, 128, 256], of_request(
        lambda size: replace(GET, headers={f"X-Header-{i}": "value" for i in range(size)}))),
    "cookies": ([8, 16, 32, 64, 128, 256, 512], of_request(
        lambda size: replace(GET, headers={"Cookie": "; ".join(f"name{i}=value" for i in range(size))}))),
    "query values": ([8, 16, 32, 64, 128, 256, 512, 1024], of_request(
        lambda size: replace(GET, query="&".join(f"name{i}=value" for i in range(size))))),
    "form fields": ([8, 16, 32, 64, 128, 256, 512, 1024], of_request(
        lambda size: replace(POST, content_type=FORM, body="&".join(f"n{i}=v" for i in range(size)).encode()))),
    "multipart parts": ([8, 16, 32, 64, 128, 256, 512], of_request(
        lambda size: replace(POST, content_type=MULTIPART, body=parts(size)))),
    "JSON values": ([16, 64, 256, 1024, 4096, 16384], of_request(
        lambda size: replace(POST, content_type="application/json", body=b"[" + b'{"a": 1}, ' * size + b"1]"))),
    "body, bytes": ([2**i for i in range(12, 27, 2)], of_request(
        lambda size: replace(POST, path="/body", content_type="application/octet-stream", body=b"x" * size))),
    "path segments": ([4, 16, 64, 256, 1024], of_request(lambda size: replace(GET, path="/a" * size))),
    "accepted types": ([4, 16, 64, 256, 1024], of_request(
        lambda size: replace(GET, path="/accept", headers={
            "Accept": ", ".join(f"text/x-{i};q=0.{i % 9 + 1}" for i in range(size))}))),
}  # fmt: skip


def seconds(call: Wsgi) -> float:
    """CPU time of one call, the best of ROUNDS."""
    once = call.run(2) / 2
    count = max(2, min(500, int(SECONDS_A_ROUND / max(once, 1e-6))))
    gc.collect()
    return min(call.run(count) for _ in range(ROUNDS)) / count


def slope(sizes: list[int], times: list[float]) -> float:
    """The exponent of the upper half, by least squares over the logarithms."""
    half = max(3, len(sizes) // 2 + 1)
    xs, ys = [math.log(x) for x in sizes[-half:]], [math.log(y) for y in times[-half:]]
    x_mean, y_mean = sum(xs) / half, sum(ys) / half
    above = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    return above / sum((x - x_mean) ** 2 for x in xs)


def line(api: Any, sizes: list[int], make: Callable[[Any, int], Wsgi]) -> dict[str, Any]:
    calls = [make(api, size) for size in sizes]
    for size, call in zip(sizes, calls, strict=True):
        if (status := call.answer().status) != 200:
            raise RuntimeError(f"A request of size {size} is answered with {status}.")
    times = [seconds(call) for call in calls]
    return {"sizes": sizes, "seconds": times, "slope": slope(sizes, times)}


def main(names: list[str]) -> None:
    import costrel

    apis = [costrel]
    try:
        import flask

        apis.append(flask)  # type: ignore[arg-type]  # two modules of one API
    except ImportError:
        print("flask is not installed, and left out.", file=sys.stderr)
    figures: dict[str, Any] = {}
    for name in names or CASES:
        sizes, make = CASES[name]
        figures[name] = {api.__name__: line(api, sizes, make) for api in apis}
        for api_name, each in figures[name].items():
            times = " ".join(f"{seconds * 1e6:.0f}" for seconds in each["seconds"])
            print(f"{name:<18}{api_name:<9}slope {each['slope']:>5.2f}   µs: {times}")
    if not names:
        results.save("growth", figures)
