"""Runs under callgrind: calls the applications of one framework, and has the instructions of each scenario counted.

``python -m benchmarks.instructions.child LIBRARY FRAMEWORK [SCENARIO ...]``, started by `callgrind.py`.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import io
import sys
from collections.abc import Callable
from typing import Any

from .frameworks import BARE, BY_NAME, Framework
from .scenarios import OVER, Scenario
from .tables import HARNESS

WARM_UP = 150
COUNTED = 20
"""Calls before and while instructions are counted. CPython specializes code in the first, and code that was specialized
for the application of another scenario only after 53 calls; the others are all alike."""


class Wsgi:
    """Calls a WSGI application as a server does."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def call(self, scenario: Scenario, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        environ = {**environ, "wsgi.input": io.BytesIO(scenario.body)}
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started[:] = status, headers

        body = self.app(environ, start_response)
        content = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        status, headers = started
        return int(status[:3]), {name.lower(): value for name, value in headers}, content

    def repeat(self, scenario: Scenario, environ: dict[str, Any], count: int) -> None:
        for _ in range(count):
            call_wsgi(self.app, environ, scenario.body)

    def prepared(self, scenario: Scenario, headers: list[tuple[str, str]]) -> dict[str, Any]:
        return scenario.environ(headers)


def call_wsgi(app: Any, environ: dict[str, Any], body: bytes) -> None:
    environ = dict(environ)
    environ["wsgi.input"] = io.BytesIO(body)
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        started.append((status, headers))

    pieces = app(environ, start_response)
    b"".join(pieces)
    if hasattr(pieces, "close"):
        pieces.close()


class Asgi:
    """Calls an ASGI application on a loop."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()

    def call(self, scenario: Scenario, scope: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        sent = self.loop.run_until_complete(call_asgi(self.app, scope, scenario.body))
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])

    def repeat(self, scenario: Scenario, scope: dict[str, Any], count: int) -> None:
        self.loop.run_until_complete(self._repeat(scope, scenario.body, count))

    async def _repeat(self, scope: dict[str, Any], body: bytes, count: int) -> None:
        for _ in range(count):
            await call_asgi(self.app, scope, body)

    def prepared(self, scenario: Scenario, headers: list[tuple[str, str]]) -> dict[str, Any]:
        return scenario.scope(headers)


class InPlace(Asgi):
    """Calls the application of Costrel as `costrel serve` does for a `def` view: in a thread without a loop."""

    def call(self, scenario: Scenario, scope: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if hasattr(self.app, "answer_in_place"):
            self.app.app.open_for_requests()
        sent = call_in_place(self.app, scope)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])

    def repeat(self, scenario: Scenario, scope: dict[str, Any], count: int) -> None:
        for _ in range(count):
            call_in_place(self.app, scope)


def call_in_place(app: Any, scope: dict[str, Any]) -> list[dict[str, Any]]:
    scope = dict(scope)
    scope["state"] = {}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    in_place = getattr(app, "answer_in_place", None)
    begun = app(scope, receive, send) if in_place is None else in_place(scope, receive, send, moved)
    try:
        begun.send(None)
    except StopIteration:
        return sent
    raise RuntimeError("The request was not answered in place.")


def moved(scope: Any, send: Any) -> Any:
    raise RuntimeError("The request has moved to the loop.")


async def call_asgi(app: Any, scope: dict[str, Any], body: bytes) -> list[dict[str, Any]]:
    scope = dict(scope)
    scope["state"] = {}
    sent: list[dict[str, Any]] = []
    was_read = False

    async def receive() -> dict[str, Any]:
        nonlocal was_read
        if was_read:
            return {"type": "http.disconnect"}
        was_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


CALLERS: dict[str, Callable[[Any], Any]] = {"wsgi": Wsgi, "asgi": Asgi, "in place": InPlace}


def request_of(caller: Any, scenario: Scenario) -> Any:
    """The environ or scope of a scenario, with the cookies and tags that its client has by then."""
    cookies, more = scenario.cookies, ()
    if scenario.before:
        first = Scenario("before", scenario.before)
        _, headers, _ = caller.call(first, caller.prepared(first, first.headers()))
        cookies += "; " + headers["set-cookie"].partition(";")[0]
    if scenario.revisits:
        _, headers, _ = caller.call(scenario, caller.prepared(scenario, scenario.headers()))
        more = (("if-none-match", headers["etag"]),)
    if cookies:
        more += (("cookie", cookies),)
    return caller.prepared(scenario, scenario.headers(more))


def checked(framework: Framework, scenario: Scenario) -> tuple[Any, Any]:
    """The caller of a scenario's application, and its request. Raises ValueError for a wrong response."""
    caller = CALLERS[framework.called](framework.build(scenario.name))
    request = request_of(caller, scenario)
    status, _, body = caller.call(scenario, request)
    if status not in (scenario.status, *scenario.statuses) or scenario.contains not in body:
        raise ValueError(f"{framework.name} answers {scenario.name} with {status} {body[:200]!r}")
    return caller, request


def count(library: Any, label: str, caller: Any, scenario: Scenario, request: Any) -> None:
    caller.repeat(scenario, request, WARM_UP)
    gc.collect()
    gc.disable()
    library.begin()
    caller.repeat(scenario, request, COUNTED)
    library.end(label.encode())
    gc.enable()


def main() -> None:
    library = ctypes.CDLL(sys.argv[1])
    framework, names = BY_NAME[sys.argv[2]], sys.argv[3:]
    bare = CALLERS[framework.called](BARE[framework.gateway].build(""))
    first = OVER[framework.gateway][0]
    count(library, HARNESS, bare, first, bare.prepared(first, first.headers()))
    for scenario in framework.scenarios(names):
        caller, request = checked(framework, scenario)
        count(library, scenario.name, caller, scenario, request)


if __name__ == "__main__":
    main()
