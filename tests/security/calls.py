"""One request to an application as it arrives through an edge, with nothing between that would tidy it up."""

from __future__ import annotations

import io
import typing as t
from collections.abc import Callable, Iterable
from urllib.parse import unquote_to_bytes

from .. import shapes
from ..edges.asgi_call import Answered, ask

Pairs = Iterable[tuple[str, str]]


def over_wsgi(
    app: t.Any, target: str = "/", method: str = "GET", headers: Pairs = (), body: bytes | None = None, **environ: t.Any
) -> Answered:
    """What a WSGI server calls: the environ is made as PEP 3333 and RFC 3875 say, a header's value as it is."""
    path, _, query = target.partition("?")
    made: dict[str, t.Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "example.org",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if body is not None:
        made["CONTENT_LENGTH"] = str(len(body))
    for name, value in headers:
        key = name.upper().replace("-", "_")
        made[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    made.update(environ)
    answered = Answered()

    def start_response(status: str, answer: list[tuple[str, str]], exc_info: t.Any = None) -> Callable[[bytes], object]:
        answered.status = int(status[:3])
        answered.headers = {name.lower(): value for name, value in answer}
        return answered.chunks.append

    chunks = app(made, start_response)
    try:
        answered.chunks.extend(chunks)
    finally:
        getattr(chunks, "close", lambda: None)()
    answered.ended = True
    return answered


def over_asgi(
    app: t.Any, target: str = "/", method: str = "GET", headers: Pairs = (), body: t.Any = None, **changes: t.Any
) -> Answered:
    """What an ASGI server calls; a Host in `headers` takes the place of the usual one. `body`: bytes, or chunks."""
    path, _, query = target.partition("?")
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]

    async def server(scope: t.Any, receive: t.Any, send: t.Any) -> None:
        if any(name == b"host" for name, _ in pairs):
            scope["headers"].remove((b"host", b"example.org"))
        scope.update(raw_path=path.encode("latin-1"), query_string=query.encode("latin-1"), **changes)
        await app.asgi(scope, receive, send)

    return ask(server, unquote_to_bytes(path).decode("utf-8", "replace"), method, body, headers=pairs)


def assert_linear(run: Callable[[int], object], size: int) -> None:
    """Fail where a request of several times the size takes as many times that."""
    shapes.assert_linear(run, size, **shapes.MUCH)
