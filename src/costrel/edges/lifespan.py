"""The start and the end of a server's worker (ASGI lifespan spec 2.0): the functions of an application around them."""

from __future__ import annotations

import asyncio
import threading
import traceback
import typing as t
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from ..app import typing as ft
from ..app.application import Costrel
from ..context.contracts import MountContract
from ..support.asgi_types import ASGIApplication, Message, Receive, Scope, Send
from ..work.background import AT_EXIT
from .drive import call_in
from .threads import THREADS, Workers

_END: t.Final = object()


GRACE: t.Final = "costrel.grace"
"""The key of a lifespan's scope for a function that returns the seconds that are left when the server stops."""


async def answer_lifespan(app: Costrel, workers: Workers, scope: Scope, receive: Receive, send: t.Any) -> None:
    """Start the application, say that it is ready, wait for the server's end, and stop it."""
    serving = Serving(app, workers, scope.get(GRACE))
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            if not await _start(serving, send):
                workers.close()
                return
        elif message["type"] == "lifespan.shutdown":
            await _stop(serving, send)
            return


async def _start(serving: Serving, send: t.Any) -> bool:
    """Start the application. Returns False if that fails."""
    started = await _told(serving.start, "startup", serving.app, send)
    if not started:
        await serving.undo_start()
    return started


async def _stop(serving: Serving, send: t.Any) -> None:
    try:
        await _told(serving.stop, "shutdown", serving.app, send)
    finally:
        await asyncio.to_thread(serving.workers.close)  # functions in threads may wait for the loop


async def _told(work: Callable[[], Awaitable[None]], phase: str, app: Costrel, send: t.Any) -> bool:
    """Do `work` and tell the server how it went; whether it went well."""
    try:
        await work()
    except Exception as error:
        app.logger.exception("The %s of the application failed.", phase)
        text = "".join(traceback.format_exception_only(error)).strip()
        await send({"type": f"lifespan.{phase}.failed", "message": text})
        return False
    await send({"type": f"lifespan.{phase}.complete"})
    return True


class LifespanAround:
    """The lifespan of an application whose ASGI middleware may not pass it on, or may not support it.

    The application's functions before and after serving run in either case.
    """

    def __init__(self, app: Costrel, workers: Workers, scope: Scope, is_passed_on: Callable[[], bool]) -> None:
        self._app = app
        self._workers = workers
        self._scope = scope
        self._serving = Serving(app, workers, scope.get(GRACE))
        self._is_passed_on = is_passed_on
        """Whether the middleware has passed the lifespan on to the application."""
        self._is_answered = False
        self._asked: list[Message] = []

    async def answer(self, middleware: ASGIApplication, receive: Receive, send: Send) -> None:
        """Answer one lifespan with `middleware`, or without it if it does not support one."""

        async def receiving() -> Message:
            message = await receive()
            self._asked.append(message)
            return message

        async def sending(message: Message) -> None:
            self._is_answered = True
            await self._pass_on(message, send)

        try:
            await middleware(self._scope, receiving, sending)
        except Exception as error:
            if self._is_answered or self._is_passed_on():
                raise
            self._app.logger.info("The ASGI middleware supports no lifespan (%r): it is started without one.", error)
        if not self._is_answered:
            await answer_lifespan(self._app, self._workers, self._scope, self._again(receive), send)

    async def _pass_on(self, message: Message, send: Send) -> None:
        if self._is_passed_on():
            await send(message)
        elif message["type"] == "lifespan.startup.complete":
            await _start(self._serving, send)
        elif message["type"] == "lifespan.shutdown.complete":
            await _stop(self._serving, send)
        else:
            await send(message)

    def _again(self, receive: Receive) -> Receive:
        """`receive`, with the messages first that the middleware has received."""

        async def receiving() -> Message:
            return self._asked.pop(0) if self._asked else await receive()

        return receiving


class Serving:
    """One worker's time of service: the functions before it, the generators around it, the functions after it."""

    def __init__(self, app: Costrel, workers: Workers, grace: Callable[[], float] | None = None) -> None:
        self.app = app
        self.workers = workers
        self._grace = grace
        self.generators: list[t.Any] = []
        self.server_generators: list[t.Any] = []
        self.mounted: list[MountedLifespan] = []

    async def _stop_mounted(self) -> list[Exception]:
        errors: list[Exception] = []
        while self.mounted:
            try:
                await self.mounted.pop().stop()
            except Exception as error:
                errors.append(error)
        return errors

    async def start(self) -> None:
        """Call the functions before serving. Raises their errors, or the error of a wrong setting."""
        await self.start_server()
        for function in self.app.before_serving_funcs:
            await self._call(function)
        for mount in self.app.mounts:
            if mount.asgi is not None:
                self.mounted.append(await MountedLifespan.begun(mount))
        await self._start_generators(self.app.while_serving_gens, self.generators)
        if not self.app.debug:  # there the page of the first request shows it
            self.app.try_settings()

    async def start_server(self) -> None:
        """Run the generators around the whole server up to their ``yield``. Raises their errors."""
        await self._start_generators(self.app.around_server_gens, self.server_generators)

    async def stop_server(self) -> None:
        """Run the generators around the whole server to their ends, and raise the first error."""
        errors = await self._end_generators(self.server_generators)
        if errors:
            raise errors[0]

    async def _start_generators(self, functions: list[ft.ServingCallable], started: list[t.Any]) -> None:
        for function in functions:
            generator = function()
            started.append(generator)
            if await self._next(generator) is _END:
                raise RuntimeError(f"The generator {function.__name__!r} of 'while_serving' has no yield.")

    async def stop(self) -> None:
        """Wait for the functions after responses, call all functions after serving, and raise the first error."""
        await self._drain()
        errors = await self._end_generators(self.generators) + await self._stop_mounted()
        for function in self.app.after_serving_funcs:
            try:
                await self._call(function)
            except Exception as error:
                errors.append(error)
        errors += await self._end_generators(self.server_generators)
        if self.app._tracing is not None:  # a worker's `atexit` functions are not called
            await self.workers.run(self.app._tracing.flush)
        if errors:
            raise errors[0]

    async def _drain(self) -> None:
        if "background_work" in self.app.__dict__:
            seconds = AT_EXIT if self._grace is None else self._grace()
            await asyncio.to_thread(self.app.background_work.drain, seconds)

    async def undo_start(self) -> None:
        """Run the generators to their ends, and stop the mounted applications, after a start that has failed."""
        await self._end_generators(self.generators)
        await self._stop_mounted()
        await self._end_generators(self.server_generators)

    async def _end_generators(self, generators: list[t.Any]) -> list[Exception]:
        """Run the generators to their ends, last one first. Returns their errors."""
        errors: list[Exception] = []
        while generators:
            generator = generators.pop()
            try:
                if await self._next(generator) is not _END:
                    raise RuntimeError(f"The generator {generator.__name__!r} of 'while_serving' has a second yield.")
            except Exception as error:
                errors.append(error)
        return errors

    async def _next(self, generator: t.Any) -> t.Any:
        if hasattr(generator, "__anext__"):

            async def advance() -> t.Any:
                return await anext(generator, _END)

            return await self._call(advance)
        return await self._call(lambda: next(generator, _END))

    async def _call(self, function: Callable[[], t.Any]) -> t.Any:
        return await call_within(self.app, self.workers, function)


class MountedLifespan:
    """The lifespan of a mounted ASGI application, begun and ended with the one around it (ASGI lifespan spec 2.0)."""

    def __init__(self, mount: MountContract) -> None:
        self._mount = mount
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._task = asyncio.get_running_loop().create_task(self._run())

    @classmethod
    async def begun(cls, mount: MountContract) -> MountedLifespan:
        """Start the application. Raises RuntimeError if its startup fails."""
        lifespan = cls(mount)
        await lifespan._tell("startup")
        return lifespan

    async def stop(self) -> None:
        """Stop the application. Raises RuntimeError if its shutdown fails."""
        try:
            await self._tell("shutdown")
        finally:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._mount.state}
        with suppress(Exception):  # it supports no lifespan
            await self._mount.asgi(scope, self._to_app.get, self._answers.put)

    async def _tell(self, phase: str) -> None:
        self._to_app.put_nowait({"type": f"lifespan.{phase}"})
        answer = asyncio.get_running_loop().create_task(self._answers.get())
        await asyncio.wait([answer, self._task], return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() and not self._answers.empty():
            await asyncio.wait([answer])
        if not answer.done():
            answer.cancel()
        elif answer.result()["type"] == f"lifespan.{phase}.failed":
            text = answer.result().get("message", "")
            raise RuntimeError(f"The {phase} of the application mounted at {self._mount.place!r} failed: {text}")


class ServingThread:
    """`Serving` for a worker without an event loop of its own: the functions run on one in another thread."""

    def __init__(self, app: Costrel) -> None:
        self._app = app
        self._workers = Workers(app.config.get("THREADS") or THREADS)
        self._serving = Serving(app, self._workers)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="costrel-serving", daemon=True)

    def start(self) -> None:
        """Call `Serving.start`. After an error, end the generators that have started."""
        self._begin(self._serving.start())

    def stop(self) -> None:
        """Call `Serving.stop`, and log an error."""
        self._finish(self._serving.stop())

    def start_server(self) -> None:
        """Call `Serving.start_server`. After an error, end the generators that have started."""
        self._begin(self._serving.start_server())

    def stop_server(self) -> None:
        """Call `Serving.stop_server`, and log an error."""
        self._finish(self._serving.stop_server())

    def _begin(self, work: Coroutine[None, None, object]) -> None:
        self._thread.start()
        try:
            self._run(work)
        except BaseException:
            self._run(self._serving.undo_start())
            self._end()
            raise

    def _finish(self, work: Coroutine[None, None, object]) -> None:
        try:
            self._run(work)
        except Exception:
            self._app.logger.exception("The shutdown of the application failed.")
        finally:
            self._end()

    def _run(self, work: Coroutine[None, None, object]) -> None:
        asyncio.run_coroutine_threadsafe(t.cast("Coroutine[object, object, object]", work), self._loop).result()

    def _end(self) -> None:
        self._workers.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def call_within(app: Costrel, workers: Workers, function: Callable[[], t.Any]) -> t.Any:
    """Call `function` within the application's context: on the loop if it is async, otherwise in a thread."""
    return await call_in(app.app_context(), workers, function)
