"""Applications without a framework: calling them costs what the harness costs."""

from __future__ import annotations

from typing import Any


def wsgi(scenario: str) -> Any:
    def app(environ, start_response):
        body = b"Hello, World!"
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return app


def asgi(scenario: str) -> Any:
    async def app(scope, receive, send):
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"13")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"Hello, World!"})

    return app
