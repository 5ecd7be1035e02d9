"""A WebSocket from its handshake to its end: match, before, view, then a close or a refusal, after, teardown.

It has the form of the lifecycle of a request (see `lifecycle`), with hooks of its own. An error before the handshake
was accepted leads to a response that refuses it, as for a request; a later error leads to a close code.
"""

from __future__ import annotations

import typing as t

from ..context import RequestContext, opens_early
from ..guards.origins import check_origin
from ..http import errors
from ..sessions.blocking import opening_blocks
from ..support.coroutines import await_steps
from ..typed.problems import ValidationFailed
from . import lifecycle
from .hooks import in_order
from .lifecycle import TO_THREAD, Steps, call, first_answer, hooks_of, stage
from .request import scopes_around
from .websocket import (
    INTERNAL_ERROR,
    NORMAL,
    POLICY_VIOLATION,
    TRY_AGAIN_LATER,
    WRONG_DATA,
    WebSocket,
    WebSocketDisconnect,
    WebSocketView,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ..messages.response import Response
    from ..typed.steps import Step
    from ..typed.steps import Steps as CallSteps

T = t.TypeVar("T")

MAX_REASON: t.Final = 123

_CLOSE_CODES: t.Final = {400: WRONG_DATA, 503: TRY_AGAIN_LATER}


def serve(ctx: RequestContext) -> Steps[Response | None]:
    """Serve the WebSocket of `ctx` to its end; the response that refuses it, or None if it was accepted."""
    app = ctx.app
    arrive(ctx)
    error: BaseException | None = None
    response: Response | None = None
    try:
        if ctx.on_loop and opens_early(app) and opening_blocks(app, ctx.request):
            yield TO_THREAD
        ctx.push()
        if "_tracing" in ctx.overridden:
            lifecycle.begin_trace(ctx)
        try:
            response = yield from converse(ctx)
            return response
        except Exception as caught:
            error = caught
            ctx.overridden |= app.overridden_handlers
            ctx.drop_held()
            accepted = ctx.websocket.accepted
            if accepted:
                yield ctx.websocket.close(INTERNAL_ERROR)
            response = yield from stage(ctx, "handle_exception", failure, caught)
            return None if accepted else response
    except BaseException as caught:
        error = caught
        ctx.drop_held()
        raise
    finally:
        ctx.drop_holds()
        yield from lifecycle.end(ctx, None if app.should_ignore_error(error) else error)
        if ctx.trace is not None:
            ctx.trace.leave(_status_of(ctx, response), error, False)


def _status_of(ctx: RequestContext, response: Response | None) -> int:
    """The status of the handshake's response: 101, or the status of the refusal."""
    if ctx.websocket.accepted:
        return 101
    return 403 if response is None else response.status_code


def arrive(ctx: RequestContext) -> None:
    """End the setup of the application with its first request, and let the guards see the handshake."""
    app = ctx.app
    if not app._got_first_request or app.config["TESTING"]:
        app.open_for_requests()
    if app.guards is not None and app.guards.arrive is not None:
        app.guards.arrive(ctx)


def admit_to_mount(ctx: RequestContext) -> Steps[t.Any]:
    """The mounted application that a WebSocket is for, or the response that refuses it; None if it is for a route."""
    app = ctx.app
    arrive(ctx)
    error: BaseException | None = None
    response: t.Any = None
    try:
        ctx.push()
        if ctx.mount is None:
            return None
        if "_tracing" in ctx.overridden:
            lifecycle.begin_trace(ctx)
        if ctx.mount.asgi is None:
            response = app.make_response(errors.NotFound())
            return response
        try:
            response = yield from ctx.mount.enter(ctx)
            return response
        except Exception as caught:
            error = caught
            ctx.overridden |= app.overridden_handlers
            response = yield from stage(ctx, "handle_exception", failure, caught)
            return response
    finally:
        yield from lifecycle.end_traced(ctx, error, response)


def converse(ctx: RequestContext) -> Steps[Response | None]:
    """Run the hooks and the view, and close the WebSocket if the view left it open."""
    websocket: WebSocket = ctx.websocket
    response: Response | None = None
    try:
        rv = yield from before(ctx)
        if rv is None:
            rv = yield from view(ctx)
        if websocket.accepted:
            _expect_nothing(ctx, rv)
            yield websocket.close(NORMAL)
        elif rv is not None:
            response = ctx.app.make_response(rv)
    except WebSocketDisconnect:
        pass  # the client has left, or a hook or the view has closed: that is the usual end
    except Exception as error:
        if not _is_disconnect(error):
            lifecycle.drop_held(ctx, error)
            response = yield from answer_error(ctx, error)
    if response is None and not websocket.closed:
        yield websocket.close(NORMAL)
    return (yield from after(ctx, response))


def before(ctx: RequestContext) -> Steps[t.Any]:
    """The URL value preprocessors, then the functions before a WebSocket: a value but None refuses it."""
    app, request = ctx.app, ctx.request
    if request.routing_exception is not None:
        raise request.routing_exception
    check_origin(app, request)
    limits = None if app.guards is None else app.guards.limits
    if limits is not None and (due := limits.due(request, False)):
        yield from limits.count(ctx, due, TO_THREAD)
    functions = in_order(app.before_websocket_funcs, scopes_around(ctx)[1])
    rv = yield from first_answer(ctx, hooks_of(ctx), functions)
    if rv is not None:
        return rv
    if limits is not None and (due := limits.due(request, True)):
        yield from limits.count(ctx, due, TO_THREAD)
    return None


def view(ctx: RequestContext) -> Steps[t.Any]:
    """Run the view of the rule that matched."""
    request = ctx.request
    found = ctx.app.view_functions[request.url_rule.endpoint]
    if not isinstance(found, WebSocketView):
        raise errors.NotImplemented(
            f"The view of {request.endpoint!r} takes over the socket of a WSGI server, which ASGI has not:"
            " register it with 'websocket' instead of 'route'."
        )
    arguments = request.view_args
    if found.before is not None:
        arguments = {**arguments, **(yield from driven(ctx, found.before(ctx)))}
    return (yield found.function(**arguments))


def driven(ctx: RequestContext, calls: CallSteps[T]) -> Steps[T]:
    """The steps of a lifecycle for calls of the application's code: blocking ones run in a thread."""

    def run(call: Step) -> Steps[object]:
        if call.is_async:
            return (yield _awaited(call.function))
        if ctx.on_loop:
            yield TO_THREAD
        return call.function()

    return (yield from await_steps(calls, run))


async def _awaited(function: Callable[[], t.Any]) -> object:
    return await function()


def after(ctx: RequestContext, response: Response | None) -> Steps[Response | None]:
    """The functions after a WebSocket, the innermost first, each with the response that refuses it, or None."""
    functions = ctx.app.after_websocket_funcs
    for name in (*ctx.request.blueprints, None):
        for function in reversed(functions.get(name, ())):
            response = yield from call(ctx, function, response)
    if ctx._opened is not None and getattr(ctx._opened, "modified", False):
        ctx.app.logger.warning(
            "The session was changed while %s was served. A WebSocket sends no cookies: the change is lost.",
            ctx.websocket,
        )
    return response


def answer_error(ctx: RequestContext, error: Exception) -> Steps[Response | None]:
    """Refuse with the answer to `error`; or, if the handshake was accepted, close with the code for it."""
    websocket: WebSocket = ctx.websocket
    if not websocket.accepted:
        ctx.overridden |= ctx.app.overridden_handlers
        rv = yield from stage(ctx, "handle_user_exception", lifecycle.answer_error, error)
        return ctx.app.make_response(rv)
    if not isinstance(error, errors.HTTPException) or ctx.app.trap_http_exception(error):
        raise error
    if isinstance(error, ValidationFailed):
        yield websocket.close(POLICY_VIOLATION, close_reason(error))
        return None
    code = error.code or 500
    usual = POLICY_VIOLATION if code < 500 else INTERNAL_ERROR
    yield websocket.close(_CLOSE_CODES.get(code, usual), error.name)
    return None


def close_reason(error: ValidationFailed) -> str:
    """The place and code of the first problem, in the 123 bytes of a close reason (RFC 6455 §5.5)."""
    first = error.problems[0]
    return f"{first.pointer} {first.code}".encode()[:MAX_REASON].decode(errors="ignore")


def failure(ctx: RequestContext, error: Exception) -> Steps[Response | None]:
    """The answer to an error that nothing handled: 500, logged; or the error itself if it must propagate."""
    rv = yield from lifecycle.report(ctx, error)
    return ctx.app.make_response(rv)


def _is_disconnect(error: Exception) -> bool:
    """Whether a group of tasks ended since each of them met the end of the WebSocket."""
    return isinstance(error, ExceptionGroup) and error.split(WebSocketDisconnect)[1] is None


def _expect_nothing(ctx: RequestContext, rv: t.Any) -> None:
    if rv is not None:
        raise TypeError(
            f"The view of the WebSocket {ctx.request.endpoint!r} returned a {type(rv).__name__}. After the handshake"
            " there is no response any more: send it with 'await websocket.send(...)' and return nothing."
        )
