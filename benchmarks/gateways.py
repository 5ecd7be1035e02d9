"""Calling an application in process, as a server does: over WSGI with an environ, over ASGI with a scope."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from .scenarios import Scenario


@dataclass(frozen=True)
class Answer:
    """A response, with header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def revisit(scenario: Scenario, first: Answer) -> dict[str, str]:
    """The headers of a client's next request: its session, or the tag of the file."""
    if scenario.name == "session":
        return {"Cookie": first.headers["set-cookie"].partition(";")[0]}
    if scenario.name == "not_modified":
        if "etag" in first.headers:
            return {"If-None-Match": first.headers["etag"]}
        return {"If-Modified-Since": first.headers["last-modified"]}
    return {}


class Wsgi:
    """A WSGI application and one scenario."""

    def __init__(self, app: Any, scenario: Scenario) -> None:
        self.app, self.scenario = app, scenario
        self.environ = scenario.environ()
        for name, value in revisit(scenario, self.answer()).items():
            self.environ[f"HTTP_{name.upper().replace('-', '_')}"] = value

    def __enter__(self) -> Wsgi:
        return self

    def __exit__(self, *exc_info: object) -> None:
        return None

    def environs(self, count: int) -> list[dict[str, Any]]:
        """`count` fresh environs, each with its own body."""
        return [{**self.environ, "wsgi.input": io.BytesIO(self.scenario.body)} for _ in range(count)]

    def answer(self) -> Answer:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started[:] = [status, headers]

        body = self.app(self.environs(1)[0], start_response)
        content = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        status, headers = started
        return Answer(int(status[:3]), {name.lower(): value for name, value in headers}, content)

    def run(self, count: int) -> float:
        """Seconds of CPU time for `count` calls, each body read to its end and closed."""
        environs = self.environs(count)
        app, ignore = self.app, _ignore
        start = time.process_time()
        for environ in environs:
            body = app(environ, ignore)
            for _ in body:
                pass
            if hasattr(body, "close"):
                body.close()
        return time.process_time() - start


def _ignore(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
    """A start_response that costs next to nothing."""


class Exchange:
    """The server's side of one ASGI request: gives the body once, then waits, and keeps what is sent."""

    def __init__(self, body: bytes) -> None:
        self.body: bytes | None = body
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if self.body is not None:
            message = {"type": "http.request", "body": self.body, "more_body": False}
            self.body = None
            return message
        # The client stays connected: a task that waits for its disconnect waits until it is cancelled.
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody sets the future")

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


class Asgi:
    """An ASGI application and one scenario, on a loop of its own, with the lifespan begun."""

    def __init__(self, app: Any, scenario: Scenario) -> None:
        self.app, self.scenario = app, scenario
        self.runner = asyncio.Runner()
        self.extra: dict[str, str] = {}

    def __enter__(self) -> Asgi:
        self.runner.__enter__()
        self.lifespan = _lifespan(self.app)
        self.runner.run(self.lifespan.__aenter__())
        self.extra = revisit(self.scenario, self.answer())
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.runner.run(self.lifespan.__aexit__(None, None, None))
        self.runner.__exit__(None, None, None)

    def answer(self) -> Answer:
        exchange = Exchange(self.scenario.body)
        self.runner.run(self._call(exchange))
        start, *rest = exchange.sent
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(message.get("body", b"") for message in rest))

    async def _call(self, exchange: Exchange) -> None:
        await self.app(self.scenario.scope(self.extra), exchange.receive, exchange.send)

    def run(self, count: int) -> float:
        """Seconds of CPU time for `count` calls, one after the other on one loop; threads count, too."""
        return self.runner.run(self._run(count))

    async def _run(self, count: int) -> float:
        calls = [(self.scenario.scope(self.extra), Exchange(self.scenario.body)) for _ in range(count)]
        app = self.app
        start = time.process_time()
        for scope, exchange in calls:
            await app(scope, exchange.receive, exchange.send)
        return time.process_time() - start


@asynccontextmanager
async def _lifespan(app: Any) -> AsyncIterator[None]:
    """Run an application's lifespan around the block, if it supports the protocol."""
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}

    async def live() -> None:
        try:
            await app(scope, incoming.get, outgoing.put)
        except Exception as error:
            await outgoing.put({"type": "unsupported", "error": error})

    task = asyncio.create_task(live())
    await incoming.put({"type": "lifespan.startup"})
    begun = await asyncio.wait_for(outgoing.get(), 30)
    if begun["type"] == "lifespan.startup.failed":
        raise RuntimeError(f"The application does not start: {begun.get('message')}")
    yield
    if not task.done():
        await incoming.put({"type": "lifespan.shutdown"})
        await asyncio.wait_for(outgoing.get(), 30)
    await task


GATEWAYS = {"wsgi": Wsgi, "asgi": Asgi}
