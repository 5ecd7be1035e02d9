"""A call of a function after a response: in a thread, or on the event loop if the function is async."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from threading import Event

from ..context import RequestContext, make_current
from ..context.contracts import ThreadsContract
from ..support.coroutines import call_sync, refuse_async_generator
from ..support.signals import got_background_exception
from .head import AfterContext, Head

Function: t.TypeAlias = Callable[..., t.Any]
AtEnd: t.TypeAlias = "Callable[[Call], None]"


class Call:
    """A function with its arguments, and the request that registered it.

    Raises TypeError if the function is not callable, or is a generator function.
    """

    head: Head

    def __init__(
        self, function: Function, args: tuple[object, ...], kwargs: dict[str, t.Any], always: bool, ctx: RequestContext
    ) -> None:
        _check(function)
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.always = always
        self.threads: ThreadsContract | None = None
        """Runs async functions on the event loop of the request; None without a loop."""
        self.done: Event | None = None
        """Set when the function has ended; None if nothing waits for it."""
        self.children: list[Call] = []
        """The calls that the function itself has registered, if something waits for them."""
        self._app = ctx.app
        self._variables: Context = copy_context()
        self._variables.run(make_current, None)

    @property
    def name(self) -> str:
        """The name of the function, for messages."""
        function = getattr(self.function, "func", self.function)  # of a `functools.partial`
        return getattr(function, "__qualname__", None) or repr(function)

    @property
    def is_async(self) -> bool:
        """Whether the function runs on the event loop of the request."""
        from inspect import iscoroutinefunction  # slow to import

        function = self.function
        if self.threads is None:
            return False
        return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004

    def wait(self) -> None:
        """Wait until the function, and the functions that it has registered, have ended."""
        if self.done is not None:
            self.done.wait()
        for child in self.children:
            child.wait()

    def run(self, at_end: AtEnd | None = None) -> None:
        """Call the function in this thread and report its error, if it raises one. `at_end` is called in any case."""
        try:
            self._variables.run(self._run)
        finally:
            self._end(at_end)

    def start(self, at_end: AtEnd | None = None) -> None:
        """Start the function on the event loop of the request. `at_end` is called when it has ended."""
        ctx = self._context()

        async def run() -> None:
            await self._run_async(ctx)

        if self.threads is None or not self.threads.start(ctx, run, self._variables, lambda: self._end(at_end)):
            self.run(at_end)  # the loop is closed

    async def _run_async(self, ctx: AfterContext) -> None:
        try:
            coroutine: Coroutine[object, object, object] = self.function(*self.args, **self.kwargs)
            await coroutine
        except BaseException as error:
            self._report(error)
            if not isinstance(error, (SystemExit, KeyboardInterrupt)):  # they would end the event loop
                raise
        finally:
            ctx.note_end(self.name)

    def _end(self, at_end: AtEnd | None) -> None:
        if at_end is not None:
            at_end(self)
        if self.done is not None:
            self.done.set()

    def _context(self) -> AfterContext:
        ctx = self.head.context()
        ctx.batch = None if self.done is None else self.children
        ctx.way = self.threads
        return ctx

    def _run(self) -> None:
        ctx = self._context()
        try:
            with ctx:
                try:
                    call_sync(self._app, self._function())
                except BaseException as error:
                    self._report(error)
                    raise
                finally:
                    ctx.note_end(self.name)
        except BaseException:
            return  # the error has been reported, and must not end the thread

    def _function(self) -> Function:
        from functools import partial

        return partial(self.function, *self.args, **self.kwargs)

    def _report(self, error: BaseException) -> None:
        app = self._app
        app.logger.error(
            "The function %s failed after the response to %s.",
            self.name,
            self.head,
            exc_info=(type(error), error, error.__traceback__),
        )
        if got_background_exception.receivers:
            got_background_exception.send(
                app,
                _async_wrapper=app.ensure_sync,
                exception=error,
                function=self.function,
                request_id=self.head.request_id,
            )


def _check(function: object) -> None:
    if not callable(function):
        close = getattr(function, "close", None)
        is_coroutine = isinstance(function, Coroutine)
        if is_coroutine and close is not None:
            close()  # otherwise Python would also warn that it was never awaited
        name = getattr(function, "__name__", "fn")
        hint = f" Do not call it yourself: after_response({name}, ...) takes its arguments too." if is_coroutine else ""
        raise TypeError(f"after_response takes a function and its arguments, not {function!r}.{hint}")
    from inspect import isgeneratorfunction  # slow to import

    refuse_async_generator("a function after the response", function)
    if isgeneratorfunction(function):
        name = getattr(function, "__name__", repr(function))
        raise TypeError(f"{name!r} is a generator function. It cannot run after the response: nothing would read it.")
