"""The steps of a typed view with providers, written once: driven in the current thread, or on an event loop."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator

from ..context import RequestContext
from ..context.contracts import ThreadsContract
from ..http.errors import ClientDisconnected
from ..support.coroutines import await_steps, run_steps
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
    """Whether it must run in the same thread as the other bound steps: a generator is resumed, or open."""


Steps: t.TypeAlias = Generator[Step, t.Any, T]

END: t.Final = object()
"""The result of a step that found an iterator exhausted."""


class Opened:
    """The providers of one request that have run, and the generators among them that have not ended."""

    def __init__(self) -> None:
        self.values: dict[Function, object] = {}
        self.generators: list[tuple[Provider, t.Any]] = []

    def open(self, provider: Provider, arguments: Values) -> Steps[None]:
        """Run a provider up to its value."""
        made = yield Step(lambda: provider.function(**arguments), provider.is_async and not provider.is_generator)
        if provider.is_generator:
            value = yield next_step(made, provider.is_async)
            if value is END:
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
        # A view is cancelled when its client disconnects.
        thrown = error if error is None or isinstance(error, Exception) else ClientDisconnected()
        for provider, generator in reversed(ending):
            try:
                if thrown is None:
                    step = next_step(generator, provider.is_async)
                else:
                    step = _throw_step(generator, provider.is_async, thrown)
                if (yield step) is not END:
                    raise RuntimeError(f"The provider {provider.name!r} has a second yield.")
            except Exception as caught:
                if caught is not thrown:
                    error = thrown = caught
        if error is not None:
            try:
                raise error
            finally:
                del error, thrown  # the traceback of the error has this frame


def next_step(iterator: t.Any, is_async: bool) -> Step:
    """The step that returns the next item of an iterator, or `END`."""
    if is_async:
        return Step(lambda: _next_async(iterator), True)
    return Step(lambda: next(iterator, END), False, is_bound=True)


async def _next_async(iterator: AsyncIterator[object]) -> object:
    return await anext(iterator, END)


def _throw_step(generator: t.Any, is_async: bool, error: Exception) -> Step:
    if is_async:
        return Step(lambda: _throw_async(generator, error), True)
    return Step(lambda: _throw_sync(generator, error), False, is_bound=True)


def _throw_sync(generator: Generator[object, None, None], error: Exception) -> object:
    try:
        return generator.throw(error)
    except StopIteration:
        return END


async def _throw_async(generator: AsyncGenerator[object, None], error: Exception) -> object:
    try:
        return await generator.athrow(error)
    except StopAsyncIteration:
        return END


def drive(ctx: RequestContext, steps: Steps[T]) -> T:
    """Run steps in this thread; coroutines run to their end on an event loop of the thread."""

    def run(step: Step) -> object:
        function = ctx.app.ensure_sync(_coroutine_of(step.function)) if step.is_async else step.function
        return function()

    return run_steps(steps, run)


async def drive_async(ctx: RequestContext, steps: Steps[T]) -> T:
    """Run steps on the event loop: blocking ones run in a worker thread, and generators always in the same one."""
    threads = await threads_of(ctx)

    async def run(step: Step) -> object:
        if step.is_async:
            return await step.function()
        if threads is None:
            return step.function()
        return await threads.run_blocking(ctx, step.function, step.is_bound)

    return await await_steps(steps, run)


def _coroutine_of(function: Callable[[], t.Any]) -> Callable[[], t.Any]:
    async def run() -> object:
        return await function()

    return run


async def threads_of(ctx: RequestContext) -> ThreadsContract | None:
    """The worker threads; None if the code already runs in a thread, as under WSGI."""
    if not ctx.on_loop:
        return None
    if ctx.threads is None:
        import asyncio

        await asyncio.sleep(0)  # the threads are set when the request first waits
    return ctx.threads
