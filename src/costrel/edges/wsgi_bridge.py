"""Under ASGI, an application that WSGI middleware has been put around: all of it runs in a worker thread."""

from __future__ import annotations

import contextvars
import typing as t

from ..app.application import Costrel
from .outgoing import Answer
from .threads import Workers


def is_wrapped(app: t.Any) -> bool:
    """Whether `wsgi_app` or the call of the application is not Costrel's own any more."""
    cls = type(app)
    return "wsgi_app" in app.__dict__ or cls.wsgi_app is not _OWN_WSGI_APP or cls.__call__ is not _OWN_CALL


_OWN_WSGI_APP: t.Final = Costrel.wsgi_app
_OWN_CALL: t.Final = Costrel.__call__


async def answer(app: t.Any, environ: dict[str, t.Any], workers: Workers, send: t.Any) -> None:
    """Call `app` as a WSGI application in a thread, and send on what it answers."""
    context = contextvars.copy_context()
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: t.Any = None
    ) -> t.Callable[[bytes], object]:
        started[:] = [(status, headers)]
        return written.append

    written: list[bytes] = []

    def call() -> tuple[t.Any, bytes]:
        body = app(environ, start_response)
        iterator = iter(body)
        # PEP 3333 lets an application call start_response as late as before its first chunk.
        first = b""
        while not started or not first:
            chunk = next(iterator, None)
            if chunk is None:
                break
            first = chunk
        if not started:
            close(body)
            raise RuntimeError("The WSGI application ended without calling start_response().")
        return (body, iterator), b"".join(written) + first

    async def in_thread(function: t.Callable[[], t.Any]) -> t.Any:
        return await workers.run(lambda: context.run(function))

    (body, iterator), first = await in_thread(call)
    status, headers = started[0]
    await Answer(status, headers, _Rest(first, iterator, body)).send(send, in_thread)


def close(body: t.Any) -> None:
    """Close a WSGI iterable that has a close method."""
    method = getattr(body, "close", None)
    if method is not None:
        method()


class _Rest:
    """The first chunk, which had to be asked for early, and those that follow."""

    def __init__(self, first: bytes, iterator: t.Iterator[bytes], body: t.Any) -> None:
        self._first = first
        self._iterator = iterator
        self._body = body

    def __iter__(self) -> t.Iterator[bytes]:
        if self._first:
            yield self._first
        yield from self._iterator

    def close(self) -> None:
        close(self._body)
