"""Calls a WSGI application as a server would, and answers what it said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..http.headers import Headers
from .streams import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


def run_wsgi_app(
    app: WSGIApplication, environ: WSGIEnvironment, buffered: bool = False
) -> tuple[Iterable[bytes], str, Headers]:
    """Call an application; answer its body, status line and headers.

    :param environ: is copied first.
    :param buffered: run the application to its end and close it; otherwise the caller closes the body.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], Any]:
        if exc_info:
            try:
                raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        started.append((status, headers))
        return written.append

    result = app(environ.copy(), start_response)
    close: Callable[[], None] | None = getattr(result, "close", None)
    if buffered:
        try:
            body: Iterable[bytes] = [*result]
        finally:
            if close is not None:
                close()
        body = [*written, *body]
    else:
        body = _begun(iter(result), started, written)
        if close is not None and body is not result:
            body = ClosingIterator(body, close)
    if not started:
        raise RuntimeError(f"The WSGI application {app!r} returned without calling start_response().")
    status, headers = started[-1]
    return body, status, Headers(headers)


def _begun(result: Iterator[bytes], started: list[Any], written: list[bytes]) -> Iterator[bytes]:
    """Read only until the application has called ``start_response``; put what was read in front again."""
    read = []
    while not started:
        try:
            read.append(next(result))
        except StopIteration:
            break
    head = written + read
    return chain(head, result) if head else result
