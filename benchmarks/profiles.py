"""The cost of the safe profile and of each guard per request, in process: ``python -m benchmarks.profiles``.

`plain` is the application with Flask's defaults, `safe` the same with Costrel's own; the others are `safe` with one
guard more. The claim: `safe` costs at most 1.3 times `plain`.
"""

from __future__ import annotations

import gc
import io
import time
from collections.abc import Callable
from typing import Any

from costrel import CORSPolicy, Costrel, content_security_policy, cors, rate_limit
from costrel.app.application import Flask

CLAIM = 1.3
TURNS = 25
CALLS = 2_000

Make = Callable[[], Any]


def application(cls: type[Costrel] = Costrel, decorate: Callable[[Any], Any] | None = None, **settings: Any) -> Any:
    """An application whose view says hello."""
    app = cls("profiles", static_folder=None)
    app.config.from_mapping(SECRET_KEY="k" * 32, **settings)

    def hello() -> str:
        return "Hello, World!"

    app.add_url_rule("/", "hello", decorate(hello) if decorate else hello, methods=["GET", "POST"])
    app.add_url_rule("/other", "other", lambda: "other")
    return app


def peers() -> dict[str, tuple[Any, dict[str, str]]]:
    """Each case with its application, and the additional keys of its environ."""
    origin = "https://shop.example"
    shared = CORSPolicy(origin, credentials=True)
    post = {"REQUEST_METHOD": "POST", "HTTP_SEC_FETCH_SITE": "same-origin"}
    return {
        "plain": (application(Flask), {}),
        "safe": (application(), {}),
        "safe, POST": (application(), post),
        "plain, POST": (application(Flask), post),
        "strict": (application(Flask, SECURITY_PROFILE="strict"), {}),
        "HSTS": (application(HSTS_SECONDS=60), {}),
        "nonce": (application(CONTENT_SECURITY_POLICY={"script-src": "'nonce'"}), {}),
        "own policy": (application(decorate=content_security_policy({"img-src": "*"})), {}),
        "CORS, same site": (application(CORS_POLICY=shared), {}),
        "CORS, other site": (application(CORS_POLICY=shared), {"HTTP_ORIGIN": origin}),
        "CORS of another view": (with_other(cors(origin)), {}),
        "limit in memory": (application(decorate=rate_limit("100000000/day")), {}),
        "limit of another view": (with_other(rate_limit("5/minute")), {}),
    }


def with_other(decorator: Callable[[Any], Any]) -> Any:
    """An application with a guard on another view than the measured one."""
    app = application()
    app.view_functions["other"] = decorator(lambda: "other")
    return app


def environ(extra: dict[str, str]) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **extra,
    }


def ignore(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
    """A start_response that costs next to nothing."""


def run(app: Any, template: dict[str, Any]) -> float:
    """Seconds of CPU time for one call, each with an environ of its own."""
    environs = [template.copy() for _ in range(CALLS)]
    start = time.process_time()
    for one in environs:
        for _ in app(one, ignore):
            pass
    return (time.process_time() - start) / CALLS


def measure() -> dict[str, float]:
    """The best of many turns for each; they take turns, so that a slow moment of the machine meets them all."""
    made = {name: (app, environ(extra)) for name, (app, extra) in peers().items()}
    best = dict.fromkeys(made, float("inf"))
    gc.collect()
    for _ in range(TURNS):
        for name, (app, template) in made.items():
            best[name] = min(best[name], run(app, template))
    return best


def main() -> None:
    best = measure()
    print(f"{'guards':<24}{'µs':>8}{'of plain':>10}")
    for name, seconds in best.items():
        plain = best["plain, POST" if name == "safe, POST" else "plain"]
        print(f"{name:<24}{seconds * 1e6:>8.2f}{seconds / plain:>10.2f}")
    ratio = best["safe"] / best["plain"]
    print(
        f"\nhello: safe is {ratio:.2f} of plain; claimed is at most {CLAIM}: {'held' if ratio <= CLAIM else 'NOT held'}"
    )


if __name__ == "__main__":
    main()
