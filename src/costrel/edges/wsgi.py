"""The WSGI edge: one request in the thread that the server gives (PEP 3333)."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextvars import copy_context

from ..app import lifecycle
from ..app.application import Costrel
from ..app.late_changes import watch
from ..context import RequestContext
from ..http.gate import check_fields, check_status, check_status_line
from ..messages.response import EXITS, WRITERS, Response
from ..messages.response_head import STATUS_LINES
from ..messages.streams import ClosingIterator
from ..support.coroutines import run_coroutine
from .unsent import WHOLE

_STATUSES: t.Final = frozenset(STATUS_LINES.values())


def serve(app: Costrel, environ: dict[str, t.Any], start_response: Callable[..., t.Any]) -> Iterable[bytes]:
    """Answer one request: the iterable of the response, as `start_response` was told.

    Context variables that the application sets end with the request: the server's thread handles other requests later.
    """
    variables = copy_context()
    answer: Iterable[bytes] = variables.run(_serve, app, environ, start_response)
    if answer.__class__ is not tuple and isinstance(answer, ClosingIterator):
        answer.run_in(variables)
    return answer


def _serve(app: Costrel, environ: dict[str, t.Any], start_response: Callable[..., t.Any]) -> t.Any:
    if not app._got_first_request or app.config["TESTING"]:
        app.open_for_requests()
    ctx: RequestContext = app.request_context(environ)
    ctx.start_response = start_response
    steps = lifecycle.serve(ctx, _write)
    for awaitable in steps:  # there is nothing to await in most requests
        app._drive(steps, awaitable)
    answer = ctx.answer
    ctx.answer = None  # a stream without a reader refers to its context, and would only be freed as a cycle
    return answer


def _write(ctx: RequestContext, response: t.Any) -> Iterable[bytes]:
    """Give status and headers to the server, and return the body."""
    environ, start_response = ctx.request._source, ctx.start_response  # the environ itself
    if ctx.outlives:
        response = lifecycle.conclude(ctx, response)
    if not isinstance(response, Response):
        return response(environ, _gated(start_response))  # type: ignore[no-any-return]  # of `make_response`
    if response.response.__class__ is not list and hasattr(response.response, "__aiter__"):
        response.response = Iterated(response.response)
    piece, pairs = response._sent(environ)
    replaced = EXITS.replaced(response)
    if replaced:
        if not WRITERS.isdisjoint(replaced):
            return response(environ, _gated(start_response))
        piece, pairs = None, response._headers_by(replaced, environ, pairs)
    if response._status not in _STATUSES:
        check_status(response._status_code)
        check_status_line(response._status)
    if response._headers is not None:  # Costrel's own fields are known to be good
        check_fields(pairs)
    if piece is not None and len(piece) <= WHOLE:
        start_response(response._status, pairs)
        ctx.ends_variables = True  # `serve` drops them
        return (piece,) if piece else ()
    watch(ctx, response)
    from .whole_body import write_large

    large = write_large(ctx, response, replaced, pairs)
    if large is not None:
        return large
    start_response(response._status, pairs)
    return response.get_app_iter(environ)


def _gated(start_response: Callable[..., t.Any]) -> Callable[..., t.Any]:
    """`start_response` behind the gate, for responses that write themselves out."""

    def gated(status: str, headers: list[tuple[str, str]], *exc_info: t.Any) -> t.Any:
        check_status_line(status)
        check_fields(headers)
        return start_response(status, headers, *exc_info)

    return gated


class Iterated:
    """The items of an asynchronous iterable, one after the other, for a server that reads none."""

    def __init__(self, items: AsyncIterable[object]) -> None:
        self._items = items
        self._iterator: AsyncIterator[object] | None = None

    def __iter__(self) -> t.Self:
        return self

    def __next__(self) -> object:
        if self._iterator is None:
            self._iterator = self._items.__aiter__()
        try:
            return run_coroutine(self._iterator.__anext__())  # type: ignore[arg-type]  # it is awaitable
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        """Close the iterator, and a stream that keeps its context even if it was not read."""
        for close in (getattr(self._iterator, "aclose", None), getattr(self._items, "close", None)):
            if close is not None and (result := close()) is not None:
                run_coroutine(result)
