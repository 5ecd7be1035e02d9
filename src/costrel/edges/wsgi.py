"""The WSGI edge: one request in the thread that the server gives (PEP 3333)."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterable, Callable, Iterable, Iterator

from ..app import lifecycle
from ..context import RequestContext
from ..support.coroutines import run_coroutine


def serve(app: t.Any, environ: dict[str, t.Any], start_response: Callable[..., t.Any]) -> Iterable[bytes]:
    """Answer one request: the iterable of the response, as `start_response` was told."""
    if not app._got_first_request or app.config["TESTING"]:
        app.open_for_requests()
    ctx = app.request_context(environ) if app.overridden else RequestContext(app, environ)
    ctx.start_response = start_response
    steps = lifecycle.serve(ctx, _write)
    for awaitable in steps:  # there is nothing to await in most requests
        app._drive(steps, awaitable)
    answer: Iterable[bytes] = ctx.answer
    ctx.answer = None  # a stream that nobody reads refers to its context, and would only be found as a cycle
    return answer


def _write(ctx: RequestContext, response: t.Any) -> Iterable[bytes]:
    chunks: t.Any = getattr(response, "response", None)
    if chunks.__class__ is not list and hasattr(chunks, "__aiter__"):
        response.response = iterate(chunks)
    answer: Iterable[bytes] = response(ctx.request.environ, ctx.start_response)
    return answer


def iterate(items: AsyncIterable[t.Any]) -> Iterator[t.Any]:
    """The items of an async iterable, one after the other, for a server that knows none."""
    iterator = items.__aiter__()
    try:
        while True:
            try:
                yield run_coroutine(iterator.__anext__())  # type: ignore[arg-type]  # an awaitable of an async generator
            except StopAsyncIteration:
                return
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            run_coroutine(close())
