"""Streams that keep the context of their request: `stream_with_context`."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Generator, Iterator

from .context import RequestContext, Stacks, make_current, request_context_for

HOLDS: t.Final = "costrel.holds"
"""The key of an environ for a list that is not empty while a stream keeps the context of its request."""


def stream_with_context(generator_or_function: t.Any) -> t.Any:
    """Keep the request's context until the generator that a view returns has ended.

    Takes an iterator, or decorates a function that returns one. The teardown functions wait for its end, unless the
    response that is sent is no stream.
    """
    if not hasattr(generator_or_function, "__next__"):
        if not callable(generator_or_function):
            return stream_with_context(iter(generator_or_function))

        def decorator(*args: t.Any, **kwargs: t.Any) -> t.Any:
            return stream_with_context(generator_or_function(*args, **kwargs))

        return functools.update_wrapper(decorator, generator_or_function)
    ctx = request_context_for("stream_with_context")
    ctx.request.environ.setdefault(HOLDS, []).append(True)
    stream = _stream_in(ctx, generator_or_function)
    next(stream)
    return stream


def _stream_in(ctx: RequestContext, items: Iterator[t.Any]) -> Generator[t.Any, None, None]:
    """The items, each of them computed within `ctx`. Between two items the consumer's own context is current."""
    ctx.hold()
    inside: Stacks | None = ctx.stacks
    error: BaseException | None = None
    try:
        try:
            yield None  # The caller takes this item off, so that the generator has begun and its `finally` runs.
        except GeneratorExit:  # no item was read, as after HEAD: not an error
            return
        while True:
            outside = make_current(inside)
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                inside = make_current(outside)
            yield item
    except BaseException as caught:
        error = caught
        raise
    finally:
        outside = make_current(inside)
        try:
            close = getattr(items, "close", None)
            if close is not None:
                close()
        finally:
            make_current(ctx.stacks)
            try:
                ctx.release(error)
            finally:
                make_current(outside)
                error = None
