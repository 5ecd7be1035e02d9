"""Matching, URL building and registration beside Werkzeug's, in one process: ``python -m benchmarks.routing``.

Prints, per case, the microseconds of a call (the best of several rounds) of both and their ratio; then the cost of
registering 10,000 rules, and the ratio between matching among them and among 10.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import werkzeug.routing

import costrel.routing

ROUNDS = 7
CALLS = 5000
PATHS = {
    "static": "/hello/world",
    "variables": "/user/42/post/hello-world",
    "path": "/static/js/app.js",
    "mixed": "/release-1.7.tar.gz",
    "not found": "/nope/x",
}
URLS: dict[str, tuple[str, dict[str, Any]]] = {
    "static": ("hello", {}),
    "variables": ("post", {"id": 42, "slug": "hello-world"}),
    "query": ("post", {"id": 42, "slug": "hello-world", "page": 3}),
    "text in the query": ("hello", {"q": "a b"}),
}
LONG = "/" + "x/" * 256  # Werkzeug's time grows with the cube of its length


def make_map(routing: ModuleType, number: int) -> Any:
    rules = [
        routing.Rule("/hello/world", endpoint="hello", methods=["GET"]),
        routing.Rule("/user/<int:id>/post/<slug>", endpoint="post", methods=["GET"]),
        routing.Rule("/static/<path:filename>", endpoint="static", methods=["GET"]),
        routing.Rule("/<name>-<version>.tar.<kind>", endpoint="release", methods=["GET"]),
        routing.Rule("/<path:a>/x/<path:b>/y/<path:c>", endpoint="long"),
    ]
    for i in range(number):
        rule = f"/api/v{i % 7}/thing{i}/<int:id>/part/<name>" if i % 2 else f"/page{i}/about"
        rules.append(routing.Rule(rule, endpoint=f"e{i}", methods=["GET", "POST"]))
    return routing.Map(rules)


def seconds(call: Callable[[], Any], calls: int = CALLS) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(calls):
            call()
        best = min(best, (time.process_time() - start) / calls)
    return best


def match(adapter: Any, path: str) -> Callable[[], Any]:
    def call() -> Any:
        try:
            return adapter.match(path, "GET", return_rule=True)
        except Exception:
            return None

    return call


def show(name: str, theirs: float, ours: float) -> None:
    print(f"{name:<32}{theirs * 1e6:>12.2f}{ours * 1e6:>12.2f}{theirs / ours:>10.1f}")


def main() -> None:
    theirs, ours = make_map(werkzeug.routing, 10), make_map(costrel.routing, 10)
    on_theirs, on_ours = theirs.bind("h.example"), ours.bind("h.example")
    print(f"{'µs':<32}{'werkzeug':>12}{'costrel':>12}{'ratio':>10}")
    for name, path in PATHS.items():
        show(f"match {name}", seconds(match(on_theirs, path)), seconds(match(on_ours, path)))
        show(f"find {name}", seconds(match(on_theirs, path)), seconds(lambda path=path: ours.find(path, "GET")))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    for name, (endpoint, values) in URLS.items():
        build = [seconds(lambda on=on: on.build(endpoint, values)) for on in (on_theirs, on_ours)]  # type: ignore[misc]  # noqa: B023
        show(f"build {name}", *build)
    show("three paths in 512 bytes", seconds(match(on_theirs, LONG), 1), seconds(match(on_ours, LONG), 1))
    register()


def register() -> None:
    took = {}
    for routing in (werkzeug.routing, costrel.routing):
        gc.collect()
        start = time.process_time()
        many = make_map(routing, 10_000)
        many.update()
        took[routing] = time.process_time() - start
    show("register 10,000 rules", took[werkzeug.routing], took[costrel.routing])
    few = make_map(costrel.routing, 10)
    for name, path in PATHS.items():
        ratio = seconds(lambda path=path: many.find(path, "GET")) / seconds(lambda path=path: few.find(path, "GET"))  # type: ignore[misc]
        print(f"find {name}: among 10,000 rules {ratio:.2f} times what it takes among 10")


if __name__ == "__main__":
    main()
