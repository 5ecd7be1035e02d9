"""One function that runs after a response: in a thread, or on the event loop if it is async."""

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
    """A function with its arguments, and the request that has registered it.

    Raises TypeError for a function that cannot be called, or whose values nothing would read.
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
        """The way to the event loop of the request, if it has one."""
        self.done: Event | None = None
        """Set at the end of the function, if something waits for that."""
        self.children: list[Call] = []
        """The calls that the function has registered itself, if something waits for them."""
        self._app = ctx.app
        self._variables: Context = copy_context()
        self._variables.run(make_current, None)

    @property
    def name(self) -> str:
        """The name of the function, for messages."""
        function = getattr(self.function, "func", self.function)  # that of a `functools.partial`
        return getattr(function, "__qualname__", None) or repr(function)

    @property
    def is_async(self) -> bool:
        """Whether the function runs on the event loop of the request."""
        from inspect import iscoroutinefunction  # slow to load

        function = self.function
        if self.threads is None:
            return False
        return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004

    def wait(self) -> None:
        """Wait for the end of the function, and of the functions that it has registered."""
        if self.done is not None:
            self.done.wait()
        for child in self.children:
            child.wait()

    def run(self, at_end: AtEnd | None = None) -> None:
        """Call the function in this thread. An error in it is reported; `at_end` is called in any case."""
        try:
            self._variables.run(self._run)
        finally:
            self._end(at_end)

    def start(self, at_end: AtEnd | None = None) -> None:
        """Call the function on the event loop of the request; `at_end` is called when it has ended."""
        ctx = self._context()

        async def run() -> None:
            await self._run_async(ctx)

        if self.threads is None or not self.threads.start(ctx, run, self._variables, lambda: self._end(at_end)):
            self.run(at_end)  # the loop has ended

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
            return  # it was reported, so that the thread goes on

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
            close()  # it is never awaited, and Python would warn of that too
        name = getattr(function, "__name__", "fn")
        hint = f" Leave out the brackets: after_response({name}), with the arguments after it." if is_coroutine else ""
        raise TypeError(f"after_response takes a function and its arguments, not {function!r}.{hint}")
    from inspect import isgeneratorfunction  # slow to load

    refuse_async_generator("a function after the response", function)
    if isgeneratorfunction(function):
        name = getattr(function, "__name__", repr(function))
        raise TypeError(f"{name!r} has a 'yield': as a function after the response nothing would read its values.")
