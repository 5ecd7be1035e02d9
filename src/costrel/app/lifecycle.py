"""A request from its arrival to its end: match, before, view, response, after, session, teardown.

Each stage is a generator. On an event loop (`ctx.on_loop`) it awaits coroutines in place, so their futures come out of
it. It yields TO_THREAD before it calls code of the application that may block, and READ_BODY before an ``async def``
view whose request body has not arrived. In a thread it yields the coroutine itself and gets the result back. An edge
drives `serve` to its end: the WSGI edge in the thread that it has, the ASGI edge on its loop and in worker threads.

A stage that an application overrides is called as a method of the application; see `stage`.
"""

from __future__ import annotations

import sys
import typing as t
from collections.abc import Callable, Coroutine, Generator, Iterable
from types import CoroutineType, coroutine

from ..context import Context, RequestContext, opens_early
from ..guards import SAFE_METHODS, admit, count_known
from ..guards.compression import SMALLEST
from ..http.errors import BadRequestKeyError, HTTPException, InternalServerError
from ..messages.source import hot
from ..routing import RoutingException
from ..sessions.blocking import opening_blocks, saving_blocks
from ..sessions.cookie import vary_by_cookie
from ..sessions.errors import SessionConflict, SessionUnavailable
from ..support.signals import (
    appcontext_tearing_down,
    got_request_exception,
    request_finished,
    request_started,
    request_tearing_down,
)
from . import habits
from .error_format import plain_failure
from .error_scopes import scopes_of

if t.TYPE_CHECKING:
    from blinker import Signal

    from ..context.contracts import HooksContract
    from ..messages.response import Response

T = t.TypeVar("T")
Steps = Generator[t.Any, t.Any, T]

TO_THREAD: t.Final = object()
"""Yielded on a loop before blocking code: go on in a worker thread."""

READ_BODY: t.Final = object()
"""Yielded on a loop before an ``async def`` view: go on when the request's body has arrived."""


def serve(ctx: RequestContext, write: Callable[[RequestContext, Response], t.Any]) -> Steps[None]:
    """Answer the request of `ctx`, which is current from here to the end of its teardown functions.

    Within the context, `write` turns the response into the form that the server takes, which is left in ``ctx.answer``.
    """
    app, request, guards = ctx.app, ctx.request, ctx.app.guards
    if guards is not None and guards.arrive is not None and not guards.fields.are_absent_from(request._source):
        guards.arrive(ctx)
    error: BaseException | None = None
    response: Response | None = None
    try:
        try:
            if ctx.on_loop:
                ctx.opens_early = opens_early(app, ctx.outlook)
                if (ctx.opens_early and opening_blocks(app, request)) or app.url_map.calls_users_code:
                    yield TO_THREAD
            ctx.push()
            response = yield from (dispatch(ctx) if ctx.overridden else respond(ctx))
            ctx.answer = write(ctx, response)
        except Exception as caught:
            error = caught
            response = yield from answer_failure(ctx, caught, response)
            ctx.answer = write_failure(ctx, write, response)
    except BaseException as caught:
        error = caught if error is None else error
        ctx.drop_holds()
        ctx.drop_held()
        raise
    finally:
        if error is not None and app.should_ignore_error(error):
            error = None
        if (preserve := hot(request._source, "werkzeug.debug.preserve_context")) is not None:
            preserve(ctx)
        hooks = ctx.hooks
        if (
            hooks is None
            or not hooks.is_current
            or hooks.ends_app
            or (hooks.differ and request.url_rule is not ctx.hooked_rule)
            or ctx.overridden
            or len(ctx.entries) > 1
            or request_tearing_down.receivers
            or appcontext_tearing_down.receivers
        ):
            yield from (end(ctx, error) if ctx.trace is None else end_traced(ctx, error, response))
        else:
            try:
                if hooks.teardown:
                    yield from tear_down(ctx, hooks.teardown, request_tearing_down, error)
                ctx.close_request()
            finally:
                ctx.leave()
            if hooks.teardown and ctx.outlives:
                yield from release_at_end(ctx, error)
        # A reference from here to an error whose traceback has this frame would be a cycle.
        if error is not None:
            error = None
            yield from release_held(ctx)
        elif request.routing_exception is not None:
            request.routing_exception.__traceback__ = None


def answer_failure(ctx: RequestContext, error: Exception, unsent: Response | None) -> Steps[Response]:
    """The response to an error that no handler of the view has answered. `unsent` is a response that failed."""
    ctx.overridden |= ctx.app.overridden_handlers
    if "_tracing" in ctx.overridden and ctx.trace is None:  # the error came before `dispatch`
        begin_trace(ctx)
    if ctx.outlives:
        drop_held(ctx, error)
    if unsent is not None:
        yield from call(ctx, unsent.close)
    response: Response = yield from stage(ctx, "handle_exception", failure, error)
    return response


def conclude(ctx: RequestContext, response: T) -> T:
    """Prepare what follows a response: a stream that holds the context, and functions that wait for its end.

    An edge calls this if `ctx` outlives its response, and sends the result.
    """
    if ctx.holds and getattr(response, "is_sequence", False):
        ctx.drop_holds()  # the stream that holds the context is not the response
    return response if ctx.held is None else ctx.held.conclude(response)


def drop_held(ctx: Context, error: Exception) -> None:
    """Drop the functions for after the response, since a stage has failed; an answer that was raised is no failure."""
    if ctx.held is None:
        return
    ctx.held.detach()
    code: int | None = 500
    if isinstance(error, HTTPException):
        code = error.code if error.response is None else getattr(error.response, "status_code", None)
    if code is not None and code >= 400:
        ctx.held.fail()


def release_held(ctx: Context) -> Steps[None]:
    """Release the functions that no response is going to release."""
    if ctx.held is not None and not ctx.held.is_attached:
        if ctx.on_loop:
            yield TO_THREAD
        ctx.held.release()


def dispatch(ctx: RequestContext) -> Steps[t.Any]:
    """The steps to the response if a mount or an overridden stage answers the request, or it is traced."""
    tracing = ctx.app._tracing
    if tracing is not None:
        tracing.begin(ctx)
    if ctx.mount is not None:
        return ctx.mount.enter(ctx)
    if not ctx.overridden:
        return respond(ctx)
    return stage(ctx, "full_dispatch_request", respond)


def begin_trace(ctx: RequestContext) -> None:
    """Begin the span of a request whose route is known."""
    tracing = ctx.app._tracing
    if tracing is not None:
        tracing.begin(ctx)


def end_traced(ctx: RequestContext, error: BaseException | None, response: Response | None) -> Steps[None]:
    """`end` for a request with a span, which ends afterwards, or with the stream of its response."""
    try:
        yield from end(ctx, error)
    finally:
        if ctx.trace is not None:
            left = ctx.threads is not None and ctx.threads.client_has_left
            ctx.trace.leave(getattr(response, "status_code", None), error, left)


def write_failure(ctx: RequestContext, write: Callable[[RequestContext, Response], t.Any], response: Response) -> t.Any:
    """The answer to an error: `response`, or a plain 500 if no server can send that."""
    try:
        return write(ctx, response)
    except ValueError:
        app = ctx.app
        app.logger.exception("The response to an error cannot be sent.")
        return write(ctx, plain_failure(ctx))


@coroutine
def respond(ctx: RequestContext) -> Steps[Response]:
    """Run the hooks and the view, and make the response; an error in them goes to its handler."""
    app, request, overridden = ctx.app, ctx.request, ctx.overridden
    guards = app.guards
    try:
        if request_started.receivers:
            request_started.send(app, _async_wrapper=app.ensure_sync)
        rv, rule = None, request.url_rule
        hooks = app.hook_orders.known.get(None if rule is None else rule.endpoint)
        ctx.hooks = hooks = app.hook_orders.look_up(ctx) if hooks is None else hooks
        ctx.hooked_rule = rule
        if guards is not None and (guards.meet_all or request.method not in SAFE_METHODS):
            rv = yield from admit(ctx, TO_THREAD)
        if rv is None and (hooks.precedes or "preprocess_request" in overridden):
            steps = stage(ctx, "preprocess_request", before) if overridden else first_answer(ctx, hooks, hooks.before)
            rv = yield from steps
        if rv is None:
            if guards is not None and guards.meet_all:
                yield from count_known(ctx, TO_THREAD)
            view, view_args = view_of(ctx) if not overridden else overridden_view_of(ctx)
            if ctx.on_loop and not is_async(view):
                yield TO_THREAD
            rv = view(**view_args) if view_args else view()
            if rv.__class__ is CoroutineType:
                if ctx.body_is_pending and needs_whole_body(ctx):
                    yield from read_body(rv)
                rv = (yield from rv) if ctx.on_loop else (yield rv)  # type: ignore[misc]  # `types.coroutine` allows it
    except Exception as error:
        ctx.overridden |= app.overridden_handlers
        if ctx.outlives:
            drop_held(ctx, error)
        rv = yield from stage(ctx, "handle_user_exception", answer_error, error)
    response: Response
    if overridden:
        response = yield from stage(ctx, "finalize_request", finalize, rv)
    else:
        response = app.make_response(rv)
        following = steps_after(ctx, response)
        if following is not None:
            response = yield from following
    rv = None  # the traceback of an error has this frame
    return response


def needs_whole_body(ctx: RequestContext) -> bool:
    """Whether the body of the request has to arrive before async code, since the route does not read it in pieces."""
    return not getattr(ctx.request.url_rule, "stream_body", False)


def read_body(view: Coroutine[t.Any, t.Any, t.Any]) -> Steps[None]:
    """Let the body of the request arrive before the coroutine of a view begins, which cannot wait for it."""
    try:
        yield READ_BODY
    except BaseException:
        view.close()
        raise


def hooks_of(ctx: RequestContext) -> HooksContract:
    """The functions around the request, as its rule and the registries are now."""
    hooks, rule = ctx.hooks, ctx.request.url_rule
    if hooks is None or not hooks.is_current or rule is not ctx.hooked_rule:
        ctx.hooks = hooks = ctx.app.hook_orders.look_up(ctx)
        ctx.hooked_rule = rule
    return hooks


def before(ctx: RequestContext) -> Steps[t.Any]:
    """The URL value preprocessors, then the functions before the request: the first value but None is the answer."""
    hooks = hooks_of(ctx)
    return first_answer(ctx, hooks, hooks.before)


def first_answer(ctx: RequestContext, hooks: HooksContract, functions: Iterable[Callable[..., t.Any]]) -> Steps[t.Any]:
    """Call the URL value preprocessors, then `functions`; the first value that is not None."""
    for preprocess in hooks.preprocessors:
        if ctx.on_loop or ctx.adapts:
            yield from call(ctx, preprocess, hooks.endpoint, ctx.request.view_args)
        elif (rv := preprocess(hooks.endpoint, ctx.request.view_args)).__class__ is CoroutineType:
            yield rv
    for function in functions:
        if ctx.body_is_pending and is_async(function) and needs_whole_body(ctx):
            yield READ_BODY
        if ctx.on_loop or ctx.adapts:
            rv = yield from call(ctx, function)
        elif (rv := function()).__class__ is CoroutineType:
            rv = yield rv
        if rv is not None:
            return rv
    return None


def view_of(ctx: RequestContext) -> tuple[Callable[..., t.Any], dict[str, t.Any]]:
    """The function that answers the request, and its arguments. Raises the error of routing if no rule matched."""
    app, request = ctx.app, ctx.request
    if request.routing_exception is not None:
        app.raise_routing_exception(request)
    rule = request.url_rule
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        return app.make_default_options_response, {}
    return app.view_functions[rule.endpoint], request.view_args


def overridden_view_of(ctx: RequestContext) -> tuple[Callable[..., t.Any], dict[str, t.Any]]:
    """The same, if the application overrides stages of a request."""
    if "dispatch_request" in ctx.overridden:
        return ctx.app.dispatch_request, {}
    view, view_args = view_of(ctx)
    if ctx.adapts:
        view = ctx.app.ensure_sync(view)
    inspection = ctx.app._inspection
    return (view if inspection is None else inspection.timed_view(view)), view_args


def finalize(ctx: RequestContext, rv: t.Any, from_error_handler: bool = False) -> Steps[Response]:
    """Make a response of the value of a view or handler, and run the functions after the request."""
    response: Response = ctx.app.make_response(rv)
    return (yield from finish(ctx, response, from_error_handler))


def steps_after(ctx: RequestContext, response: Response) -> Steps[Response] | None:
    """The steps between making a response and sending it, or None if there are none."""
    if ctx.app.guards is not None or request_finished.receivers:
        return finish(ctx, response)
    hooks = hooks_of(ctx)
    if hooks.after or ctx._after_request_functions or keeps_session(ctx):
        return follow(ctx, hooks, response)
    return None


def finish(ctx: RequestContext, response: Response, from_error_handler: bool = False) -> Steps[Response]:
    """Run the functions after the request, save the session, and let the guards complete the response."""
    app, hooks = ctx.app, hooks_of(ctx)
    guards = app.guards
    try:
        if hooks.after or ctx._after_request_functions or keeps_session(ctx) or "process_response" in ctx.overridden:
            response = yield from stage(ctx, "process_response", after, response)
        if guards is not None and guards.finish is not None:
            guards.finish(ctx, response)
        if request_finished.receivers:
            request_finished.send(app, _async_wrapper=app.ensure_sync, response=response)
    except Exception:
        if not from_error_handler:
            raise
        app.logger.exception("Request finalizing failed with an error while handling an error")
        if guards is not None and guards.finish is not None:
            guards.finish(ctx, response)
    if guards is not None and guards.compression is not None:
        body = response.response
        if type(body) is not list or len(body) != 1 or not 0 < len(body[0]) < SMALLEST:
            yield from guards.compression.apply(ctx, response, TO_THREAD)
    return response


def after(ctx: RequestContext, response: Response) -> Steps[Response]:
    """The functions after the request, the innermost first, then the session."""
    return follow(ctx, hooks_of(ctx), response)


def follow(ctx: RequestContext, hooks: HooksContract, response: Response) -> Steps[Response]:
    """The functions after the request that `hooks` has, then the session."""
    for function in ctx._after_request_functions:
        response = yield from call(ctx, function, response)
    for function in hooks.after:
        if ctx.on_loop or ctx.adapts:
            response = yield from call(ctx, function, response)
        elif (rv := function(response)).__class__ is CoroutineType:
            response = yield rv
        else:
            response = rv
    if keeps_session(ctx):
        response = yield from save_session(ctx, response)
    return response


def keeps_session(ctx: RequestContext) -> bool:
    """Whether there is a session to save: one that was opened, or a permanent one whose cookie is sent again."""
    if ctx._opened is not None:
        return not ctx.session_failed
    cookies = hot(ctx.request._source, "HTTP_COOKIE")
    return cookies is not None and ctx.app.session_interface.may_need_refresh(ctx.app, ctx.request, cookies)


def save_session(ctx: RequestContext, response: Response) -> Steps[Response]:
    """Save the session of the request; the response, or an error's if the session could not be saved."""
    app = ctx.app
    session = ctx._session
    if ctx.on_loop and opens_early(app) and saving_blocks(app, session):
        yield TO_THREAD
    interface = app.session_interface
    if not interface.is_null_session(session):
        try:
            interface.save_session(app, session, response)
        except (SessionUnavailable, SessionConflict) as error:
            ctx.overridden |= app.overridden_handlers
            ctx.drop_held()
            # The client must not take the request for done.
            response.close()
            rv = yield from stage(ctx, "handle_user_exception", answer_error, error)
            response = app.make_response(rv)
            vary_by_cookie(response)
        except Exception:
            ctx.session_failed = True
            raise
    return response


def answer_error(ctx: RequestContext, error: Exception) -> Steps[t.Any]:
    """The value of the handler for `error`; raises the error again if there is none."""
    app = ctx.app
    if isinstance(error, BadRequestKeyError) and (app.debug or app.config["TRAP_BAD_REQUEST_ERRORS"]):
        error.show_exception = True
    if isinstance(error, HTTPException) and not app.trap_http_exception(error):
        return stage(ctx, "handle_http_exception", answer_http_error, error)
    handler = app._find_error_handler(error, scopes_of(ctx))
    if ctx.trace is not None:
        ctx.trace.handled = error
    return raising(error) if handler is None else call(ctx, handler, error)


def answer_http_error(ctx: RequestContext, error: HTTPException) -> Steps[t.Any]:
    """The value of the handler for an HTTP error, or the error itself, which is a response."""
    if error.code is None or isinstance(error, RoutingException):
        return given(error)  # a proxy exception or a redirect: part of routing, no error
    handler = ctx.app._find_error_handler(error, scopes_of(ctx))
    return given(error) if handler is None else call(ctx, handler, error)


@coroutine
def given(value: T) -> Steps[T]:
    """Return `value` without taking a step."""
    yield from ()
    return value


@coroutine
def raising(error: Exception) -> Steps[t.Never]:
    """Raise an error when the steps are taken."""
    yield from ()
    try:
        raise error
    finally:
        del error  # as in `serve`


def failure(ctx: RequestContext, error: Exception) -> Steps[Response]:
    """The response to an error that nothing handled: 500, logged. Raises the error if it is to propagate."""
    rv = yield from report(ctx, error)
    response: Response = yield from stage(ctx, "finalize_request", finalize, rv, True)
    return response


def report(ctx: RequestContext, error: Exception) -> Steps[t.Any]:
    """Log an error that nothing handled, and return the value of the handler for 500, or the error 500 itself."""
    app = ctx.app
    habits.explain(error)
    exc_info = sys.exc_info()
    if got_request_exception.receivers:
        got_request_exception.send(app, _async_wrapper=app.ensure_sync, exception=error)
    propagate = app.config["PROPAGATE_EXCEPTIONS"]
    if propagate is None:
        propagate = app.testing or app.debug
    if propagate:
        raise error
    app.log_exception(exc_info if exc_info[1] is error else (type(error), error, error.__traceback__))
    server_error: t.Any = InternalServerError(original_exception=error)
    handler = app._find_error_handler(server_error, scopes_of(ctx))
    if handler is not None:
        server_error = yield from call(ctx, handler, server_error)
    return server_error


def end(ctx: Context, exc: BaseException | None) -> Steps[None]:
    """Leave `ctx`; the last to leave runs the teardown functions and closes the request.

    If a stream holds the context, the end comes with the end of the stream.
    """
    try:
        is_last = len(ctx.entries) == 1
        if is_last and isinstance(ctx, RequestContext):
            if not ctx.is_kept:
                steps = stage(ctx, "do_teardown_request", end_request, exc) if ctx.overridden else end_request(ctx, exc)
                yield from steps
            ctx.close_request()
        # Each push of a request context may have added an application context of its own.
        if (
            (ctx.app.teardown_appcontext_funcs or ctx.overridden or appcontext_tearing_down.receivers)
            and (is_last or ctx.has_request)
            and ctx.entries
            and ctx.entries[-1][2]
        ):
            yield from stage(ctx, "do_teardown_appcontext", end_app_context, exc)
    finally:
        ctx.leave()
    if is_last and ctx.outlives:
        yield from release_at_end(ctx, exc)


def release_at_end(ctx: Context, exc: BaseException | None) -> Steps[None]:
    """Run the functions that wait for the end of the request, or drop them after an error without a response."""
    if isinstance(exc, Exception) and ctx.held is not None and not ctx.held.is_attached:
        drop_held(ctx, exc)
    yield from release_held(ctx)


def end_request(ctx: RequestContext, exc: BaseException | None) -> Steps[None]:
    """Call all functions that tear a request down; an error in one is logged."""
    return tear_down(ctx, hooks_of(ctx).teardown, request_tearing_down, exc)


def end_app_context(ctx: Context, exc: BaseException | None) -> Steps[None]:
    """Call all functions that tear an application context down; an error in one is logged."""
    return tear_down(ctx, ctx.app.teardown_appcontext_funcs[::-1], appcontext_tearing_down, exc)


def tear_down(
    ctx: Context, functions: Iterable[Callable[..., t.Any]], signal: Signal, exc: BaseException | None
) -> Steps[None]:
    """Call `functions` and send `signal`. An error in a function is logged: the others still run."""
    app = ctx.app
    for function in functions:
        try:
            if ctx.on_loop or ctx.adapts:
                yield from call(ctx, function, exc)
            elif (rv := function(exc)).__class__ is CoroutineType:
                yield rv
        except Exception:
            app.logger.exception("The teardown function %r failed.", function)
    if signal.receivers:
        signal.send(app, _async_wrapper=app.ensure_sync, exc=exc)


def stage(ctx: Context, name: str, steps: Callable[..., Steps[t.Any]], *args: t.Any) -> Steps[t.Any]:
    """The steps of one stage: the application's own method if it overrides `name`, else `steps`."""
    if not ctx.overridden:
        return steps(ctx, *args)
    chosen = call(ctx, getattr(ctx.app, name), *args) if name in ctx.overridden else steps(ctx, *args)
    inspection = ctx.app._inspection
    return chosen if inspection is None else inspection.around(ctx, name, chosen)


@coroutine
def call(ctx: Context, function: Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> Steps[t.Any]:
    """Call a function of the application, in a thread if it could block the loop, and await a coroutine."""
    if ctx.adapts:
        function = ctx.app.ensure_sync(function)
    if ctx.on_loop and not is_async(function):
        yield TO_THREAD
    rv = function(*args, **kwargs)
    if rv.__class__ is CoroutineType:
        rv = (yield from rv) if ctx.on_loop else (yield rv)  # type: ignore[misc]  # `types.coroutine` allows it
    return rv


def is_async(function: Callable[..., t.Any]) -> bool:
    """Whether a call of `function` returns a coroutine, and so cannot block."""
    try:
        flags: int = function.__code__.co_flags
    except AttributeError:
        pass
    else:
        return flags & 0x180 != 0  # CO_COROUTINE, CO_ITERABLE_COROUTINE
    from inspect import iscoroutinefunction  # slow to load, and most views are functions

    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
