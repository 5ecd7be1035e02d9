"""The steps of a typed view with providers, written once: driven in the current thread, or on an event loop."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncGenerator, Callable, Generator

from ..context import RequestContext
from ..context.contracts import ThreadsContract
from ..http.errors import ClientDisconnected
from .providers import Provider
from .signatures import Function
from .texts import Values

T = t.TypeVar("T")


class Step(t.NamedTuple):
    """One call of the application's code."""

    function: Callable[[], t.Any]
    is_async: bool
    """Whether the call returns an awaitable."""
    is_bound: bool = False
    """Whether it must run in the same thread as the others: it begins or ends a generator."""


Steps: t.TypeAlias = Generator[Step, t.Any, T]

_END: t.Final = object()


class Opened:
    """The providers of one request that have run, and the generators among them that have not ended."""

    def __init__(self) -> None:
        self.values: dict[Function, object] = {}
        self.generators: list[tuple[Provider, t.Any]] = []

    def open(self, provider: Provider, arguments: Values) -> Steps[None]:
        """Run a provider up to its value."""
        made = yield Step(lambda: provider.function(**arguments), provider.is_async and not provider.is_generator)
        if provider.is_generator:
            value = yield _next(provider, made)
            if value is _END:
                raise RuntimeError(f"The provider {provider.name!r} ended without a yield.")
            self.generators.append((provider, made))
            made = value
        self.values[provider.function] = made

    def end(self, error: BaseException | None, only_with_view: bool = False) -> Steps[None]:
        """Resume the generators in reverse order, with the error thrown in if there is one; raise the last error.

        With `only_with_view`, the others wait for the end of the stream.
        """
        ending = [pair for pair in self.generators if pair[0].until_view or not only_with_view]
        self.generators = [pair for pair in self.generators if pair not in ending]
        # A view that was cancelled has lost its client.
        thrown = error if error is None or isinstance(error, Exception) else ClientDisconnected()
        for provider, generator in reversed(ending):
            try:
                step = _next(provider, generator) if thrown is None else _throw(provider, generator, thrown)
                if (yield step) is not _END:
                    raise RuntimeError(f"The provider {provider.name!r} has a second yield.")
            except Exception as caught:
                if caught is not thrown:
                    error = thrown = caught
        if error is not None:
            try:
                raise error
            finally:
                del error, thrown  # the traceback of the error has this frame


def _next(provider: Provider, generator: t.Any) -> Step:
    if provider.is_async:
        return Step(lambda: _next_async(generator), True)
    return Step(lambda: next(generator, _END), False, is_bound=True)


async def _next_async(generator: AsyncGenerator[object, None]) -> object:
    return await anext(generator, _END)


def _throw(provider: Provider, generator: t.Any, error: Exception) -> Step:
    if provider.is_async:
        return Step(lambda: _throw_async(generator, error), True)
    return Step(lambda: _throw_sync(generator, error), False, is_bound=True)


def _throw_sync(generator: Generator[object, None, None], error: Exception) -> object:
    try:
        return generator.throw(error)
    except StopIteration:
        return _END


async def _throw_async(generator: AsyncGenerator[object, None], error: Exception) -> object:
    try:
        return await generator.athrow(error)
    except StopAsyncIteration:
        return _END


def drive(ctx: RequestContext, steps: Steps[T]) -> T:
    """Run steps in this thread; coroutines run to their end on an event loop of the thread."""
    send: Callable[[t.Any], Step] = steps.send
    value: t.Any = None
    while True:
        try:
            step = send(value)
        except StopIteration as stop:
            return t.cast("T", stop.value)
        try:
            function = ctx.app.ensure_sync(_coroutine_of(step.function)) if step.is_async else step.function
            send, value = steps.send, function()
        except BaseException as error:
            send, value = steps.throw, error


async def drive_async(ctx: RequestContext, steps: Steps[T]) -> T:
    """Run steps on the event loop: what may block goes to a worker thread, generators always to the same one."""
    threads = await threads_of(ctx)
    send: Callable[[t.Any], Step] = steps.send
    value: t.Any = None
    while True:
        try:
            step = send(value)
        except StopIteration as stop:
            return t.cast("T", stop.value)
        try:
            send = steps.send
            if step.is_async:
                value = await step.function()
            elif threads is None:
                value = step.function()
            else:
                value = await threads.run_blocking(ctx, step.function, step.is_bound)
        except BaseException as error:
            send, value = steps.throw, error


def _coroutine_of(function: Callable[[], t.Any]) -> Callable[[], t.Any]:
    async def run() -> object:
        return await function()

    return run


async def threads_of(ctx: RequestContext) -> ThreadsContract | None:
    """The worker threads; None if the code is in a thread already, as under WSGI."""
    if not ctx.on_loop:
        return None
    if ctx.threads is None:
        import asyncio

        await asyncio.sleep(0)  # a request that has not waited for anything has no way to the threads yet
    return ctx.threads
