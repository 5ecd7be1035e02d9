"""A request from its arrival to its end: match, before, view, response, after, session, teardown.

Each stage is a generator. It yields what must be awaited (the coroutine of an ``async def`` view or hook) and gets
the result back; what it returns is the stage's own result. An edge drives `serve` to its end: the WSGI edge in the
thread that it has, the ASGI edge on its loop. Before it calls code of the user's that may block, a stage yields
TO_THREAD where it runs on a loop: the edge then goes on with it in a worker thread.

A stage that an application overrides is called as the method it is; see `Costrel.overridden`.
"""

from __future__ import annotations

import sys
import typing as t
from collections.abc import Callable, Generator, Iterable, Mapping
from types import CoroutineType

from ..context import Context, RequestContext
from ..http.errors import BadRequestKeyError, HTTPException, InternalServerError
from ..routing import RoutingException
from ..services.session_cookie import vary_by_cookie
from ..services.session_errors import SessionConflict, SessionUnavailable
from ..services.session_lifecycle import may_need_refresh
from ..support.signals import (
    appcontext_tearing_down,
    got_request_exception,
    request_finished,
    request_started,
    request_tearing_down,
)
from .guards import FORWARDED, SAFE_METHODS, admit, count_known
from .response_values import make_response

if t.TYPE_CHECKING:
    from ..messages.response import Response

T = t.TypeVar("T")
Steps = Generator[t.Any, t.Any, T]

TO_THREAD: t.Final = object()
"""Yielded on a loop before blocking code: go on in a worker thread."""


def serve(ctx: RequestContext, write: Callable[[RequestContext, Response], t.Any]) -> Steps[None]:
    """Answer the request of `ctx`, which is current from here to the end of its teardown functions.

    `write` makes of the response what the edge hands to its server; it still runs within the context, and its result
    is left in ``ctx.answer``.
    """
    app, request = ctx.app, ctx.request
    environ, guards = request.environ, app.guards
    if guards is not None and guards.arrive is not None and not environ.keys().isdisjoint(FORWARDED):
        guards.arrive(environ)
    error: BaseException | None = None
    try:
        try:
            if ctx.on_loop and (app.url_map.calls_users_code or opens_early(app)):
                yield TO_THREAD
            ctx.push()
            response = yield from (stage(ctx, "full_dispatch_request", respond) if app.overridden else respond(ctx))
        except Exception as caught:
            error = caught
            response = yield from stage(ctx, "handle_exception", failure, caught)
        if ctx.holds and response.is_sequence:
            ctx.drop_holds()  # what was to be streamed is not answered
        ctx.answer = write(ctx, response)
    except BaseException as caught:
        error = caught if error is None else error
        ctx.drop_holds()
        raise
    finally:
        if "werkzeug.debug.preserve_context" in environ:
            environ["werkzeug.debug.preserve_context"](ctx)
        if error is not None and app.should_ignore_error(error):
            error = None
        # Most requests have nothing at their end but to be left. PERF: hello
        if (
            app.teardown_request_funcs
            or app.teardown_appcontext_funcs
            or request_tearing_down.receivers
            or appcontext_tearing_down.receivers
            or app.overridden
            or len(ctx.entries) > 1
        ):
            yield from end(ctx, error)
        else:
            request.close()
            environ["werkzeug.request"] = None  # as `close_request`
            ctx.leave()
        # An error whose traceback has this frame, and that is referred to from here, would be a cycle. PERF: error404
        if error is None and request.routing_exception is not None:
            request.routing_exception.__traceback__ = None
        error = None


def respond(ctx: RequestContext) -> Steps[Response]:
    """Run the hooks and the view, and make the response; an error of theirs goes to its handler."""
    app, request = ctx.app, ctx.request
    guards = app.guards
    try:
        if request_started.receivers:
            request_started.send(app, _async_wrapper=app.ensure_sync)
        rv = None
        if guards is not None and (guards.meet_all or request.method not in SAFE_METHODS):
            rv = yield from admit(ctx, TO_THREAD)
        if rv is None and (app.before_request_funcs or app.url_value_preprocessors or app.overridden):
            rv = yield from stage(ctx, "preprocess_request", before)
        if rv is None:
            if guards is not None and guards.meet_all:
                yield from count_known(ctx, TO_THREAD)
            if app.overridden:
                rv = yield from stage(ctx, "dispatch_request", dispatch)
            else:  # what `dispatch` does, without its generator. PERF: hello
                view = view_of(app, request)
                if ctx.on_loop and not is_async(view):
                    yield TO_THREAD
                rv = view(**request.view_args) if request.view_args else view()
                if type(rv) is CoroutineType:
                    rv = yield rv
    except Exception as error:
        rv = yield from stage(ctx, "handle_user_exception", answer_error, error)
    response: Response
    # Most responses go out as they were made. PERF: hello
    if (
        app.after_request_funcs
        or ctx._after_request_functions
        or ctx._opened is not None
        or "HTTP_COOKIE" in request.environ
        or app.overridden
        or request_finished.receivers
    ):
        response = yield from stage(ctx, "finalize_request", finalize, rv)
    else:
        response = app.response_class(rv) if type(rv) is str else make_response(app, request, rv)
        if guards is not None:
            add_headers(ctx, response)
    rv = None  # where it is an error, its traceback has this frame
    return response


def before(ctx: RequestContext) -> Steps[t.Any]:
    """The URL value preprocessors, then the functions before the request: the first value but None is the answer."""
    return first_answer(ctx, ctx.app.before_request_funcs)


def first_answer(ctx: RequestContext, registry: Mapping[str | None, Iterable[Callable[..., t.Any]]]) -> Steps[t.Any]:
    """Call the URL value preprocessors, then the functions of `registry`; the first value that is not None."""
    app, request = ctx.app, ctx.request
    scopes = scopes_of(request)
    if app.url_value_preprocessors:
        for name in reversed(scopes):
            for preprocess in app.url_value_preprocessors.get(name, ()):
                if ctx.on_loop:
                    yield TO_THREAD
                preprocess(request.endpoint, request.view_args)
    for name in reversed(scopes):
        for function in registry.get(name, ()):
            if app.overridden:
                rv = yield from call(ctx, function)
            else:  # what `call` does, without its generator. PERF: hooks
                if ctx.on_loop and not is_async(function):
                    yield TO_THREAD
                rv = function()
                if type(rv) is CoroutineType:
                    rv = yield rv
            if rv is not None:
                return rv
    return None


def view_of(app: t.Any, request: t.Any) -> Callable[..., t.Any]:
    """The view of the rule that matched; raises what routing found instead."""
    if request.routing_exception is not None:
        app.raise_routing_exception(request)
    rule = request.url_rule
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        return lambda **view_args: app.make_default_options_response()
    view: Callable[..., t.Any] = app.view_functions[rule.endpoint]
    return view


def dispatch(ctx: RequestContext) -> Steps[t.Any]:
    """Call the view and await what it returns."""
    view = view_of(ctx.app, ctx.request)
    if "ensure_sync" in ctx.app.overridden:
        view = ctx.app.ensure_sync(view)
    if ctx.on_loop and not is_async(view):
        yield TO_THREAD
    rv = view(**ctx.request.view_args)
    if type(rv) is CoroutineType:
        rv = yield rv
    return rv


def finalize(ctx: RequestContext, rv: t.Any, from_error_handler: bool = False) -> Steps[Response]:
    """Make a response of what a view or handler returned, and run what comes after the request."""
    app = ctx.app
    response: Response
    response = app.make_response(rv) if "make_response" in app.overridden else make_response(app, ctx.request, rv)
    try:
        if app.overridden:
            response = yield from stage(ctx, "process_response", after, response)
        elif app.after_request_funcs or ctx._after_request_functions:
            response = yield from after(ctx, response)
        elif keeps_session(ctx):
            response = yield from save_session(ctx, response)
        if app.guards is not None:
            add_headers(ctx, response)
        if request_finished.receivers:
            request_finished.send(app, _async_wrapper=app.ensure_sync, response=response)
    except Exception:
        if not from_error_handler:
            raise
        app.logger.exception("Request finalizing failed with an error while handling an error")
        if app.guards is not None:
            add_headers(ctx, response)
    return response


def after(ctx: RequestContext, response: Response) -> Steps[Response]:
    """The functions after the request, the innermost first, then the session."""
    for function in ctx._after_request_functions:
        response = yield from call(ctx, function, response)
    app = ctx.app
    functions = app.after_request_funcs
    for name in scopes_of(ctx.request):
        for function in reversed(functions.get(name, ())):
            if app.overridden:
                response = yield from call(ctx, function, response)
            else:  # likewise
                if ctx.on_loop and not is_async(function):
                    yield TO_THREAD
                rv = function(response)
                response = (yield rv) if type(rv) is CoroutineType else rv
    if keeps_session(ctx):
        response = yield from save_session(ctx, response)
    return response


def add_headers(ctx: RequestContext, response: t.Any) -> None:
    """Add the headers that the settings ask for and that nobody has set."""
    guards = ctx.app.guards
    headers = guards.headers
    # PERF: hello. Where nobody has touched the headers there are but type and length.
    if headers is not None and getattr(response, "_headers", True) is None and len(response._header_pairs or ()) == 2:
        response._header_pairs.extend(headers)
        response._plain_pairs = 2 + len(headers)
    elif guards.finish is not None:
        guards.finish(ctx, response)


def keeps_session(ctx: RequestContext) -> bool:
    """Whether there is a session to save: one that was opened, or a permanent one to be sent again."""
    if ctx._opened is not None:
        return True
    cookies = ctx.request.environ.get("HTTP_COOKIE")
    return cookies is not None and may_need_refresh(ctx.app, ctx.request, cookies)


def save_session(ctx: RequestContext, response: Response) -> Steps[Response]:
    """Have the session interface save the session of the request; the response, or what stands for it if it cannot."""
    app = ctx.app
    if ctx.on_loop and opens_early(app):
        yield TO_THREAD
    session = ctx._session
    if not app.session_interface.is_null_session(session):
        try:
            app.session_interface.save_session(app, session, response)
        except (SessionUnavailable, SessionConflict) as error:
            return (yield from refuse(ctx, response, error))
    return response


def refuse(ctx: RequestContext, response: Response, error: HTTPException) -> Steps[Response]:
    """The answer in place of the view's where the session was not saved: its client must not take it for done."""
    response.close()
    rv = yield from stage(ctx, "handle_user_exception", answer_error, error)
    app = ctx.app
    refused: Response
    refused = app.make_response(rv) if "make_response" in app.overridden else make_response(app, ctx.request, rv)
    vary_by_cookie(refused)
    return refused


def opens_early(app: t.Any) -> bool:
    """Whether the session interface is not Costrel's own: it expects each request's session, and may block."""
    return not getattr(app.session_interface, "opens_late", False)


def answer_error(ctx: RequestContext, error: Exception) -> Steps[t.Any]:
    """What the handler for `error` returns; raises it again where no handler is registered."""
    app = ctx.app
    if isinstance(error, BadRequestKeyError) and (app.debug or app.config["TRAP_BAD_REQUEST_ERRORS"]):
        error.show_exception = True
    if isinstance(error, HTTPException) and not app.trap_http_exception(error):
        return (yield from stage(ctx, "handle_http_exception", answer_http_error, error))
    handler = app._find_error_handler(error, ctx.request.blueprints)
    if handler is None:
        try:
            raise error
        finally:
            del error  # as in `serve`
    return (yield from call(ctx, handler, error))


def answer_http_error(ctx: RequestContext, error: HTTPException) -> Steps[t.Any]:
    """What the handler for an HTTP error returns, or the error itself, which is a response."""
    if error.code is None or isinstance(error, RoutingException):
        return error  # a proxy exception or a redirect: part of routing, no error
    handler = ctx.app._find_error_handler(error, ctx.request.blueprints)
    if handler is None:
        return error
    return (yield from call(ctx, handler, error))


def failure(ctx: RequestContext, error: Exception) -> Steps[Response]:
    """The answer to an error that nothing handled: 500, logged; or the error itself where it is to propagate."""
    rv = yield from report(ctx, error)
    response: Response = yield from stage(ctx, "finalize_request", finalize, rv, True)
    return response


def report(ctx: RequestContext, error: Exception) -> Steps[t.Any]:
    """Log an error that nothing handled, and return what answers it; raises it again where it is to propagate."""
    app = ctx.app
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
    handler = app._find_error_handler(server_error, ctx.request.blueprints)
    if handler is not None:
        server_error = yield from call(ctx, handler, server_error)
    return server_error


def end(ctx: RequestContext, exc: BaseException | None) -> Steps[None]:
    """Leave `ctx`; the last to leave runs the teardown functions and closes the request.

    Where a stream holds it, the end comes with the end of the stream.
    """
    try:
        if len(ctx.entries) == 1:
            if ctx.has_request:
                yield from stage(ctx, "do_teardown_request", end_request, exc)
                ctx.close_request()
            if ctx.entries[0][1]:
                yield from stage(ctx, "do_teardown_appcontext", end_app_context, exc)
    finally:
        ctx.leave()


def end_request(ctx: RequestContext, exc: BaseException | None) -> Steps[None]:
    """The functions that tear a request down, all of them, whatever one of them raises."""
    app = ctx.app
    for name in scopes_of(ctx.request):
        for function in reversed(app.teardown_request_funcs.get(name, ())):
            yield from tear_down(ctx, function, exc)
    if request_tearing_down.receivers:
        request_tearing_down.send(app, _async_wrapper=app.ensure_sync, exc=exc)


def end_app_context(ctx: Context, exc: BaseException | None) -> Steps[None]:
    """The functions that tear an application context down, all of them, whatever one of them raises."""
    app = ctx.app
    for function in reversed(app.teardown_appcontext_funcs):
        yield from tear_down(ctx, function, exc)
    if appcontext_tearing_down.receivers:
        appcontext_tearing_down.send(app, _async_wrapper=app.ensure_sync, exc=exc)


def tear_down(ctx: Context, function: Callable[..., t.Any], exc: BaseException | None) -> Steps[None]:
    """Call one teardown function. Its error is logged: the others still run, and the answer stays what it was."""
    try:
        yield from call(ctx, function, exc)
    except Exception:
        ctx.app.logger.exception("The teardown function %r failed.", function)


def scopes_of(request: t.Any) -> tuple[str | None, ...]:
    """The keys of the hooks' registries that concern a request: its blueprints from the inside out, then None."""
    rule = request.url_rule
    endpoint = None if rule is None else rule.endpoint
    scopes = _scopes.get(endpoint)
    if scopes is None:
        scopes = _scopes[endpoint] = (*request.blueprints, None)
    return scopes


_scopes: dict[str | None, tuple[str | None, ...]] = {None: (None,)}
"""Endpoint → scopes. PERF: hooks. As many entries as the applications of this process have endpoints."""


def stage(ctx: RequestContext, name: str, steps: Callable[..., Steps[t.Any]], *args: t.Any) -> Steps[t.Any]:
    """The steps of one stage: of the application's own method where it overrides `name`, else of `steps`."""
    if name in ctx.app.overridden:
        return call(ctx, getattr(ctx.app, name), *args)
    return steps(ctx, *args)


def call(ctx: Context, function: Callable[..., t.Any], *args: t.Any) -> Steps[t.Any]:
    """Call a function of the user's, in a thread where it could block the loop, and await what is to be awaited."""
    if "ensure_sync" in ctx.app.overridden:
        function = ctx.app.ensure_sync(function)
    if ctx.on_loop and not is_async(function):
        yield TO_THREAD
    rv = function(*args)
    if type(rv) is CoroutineType:
        rv = yield rv
    return rv


def is_async(function: Callable[..., t.Any]) -> bool:
    """Whether calling `function` gives a coroutine, and so cannot block."""
    try:
        flags: int = function.__code__.co_flags
    except AttributeError:
        pass
    else:
        return flags & 0x180 != 0  # CO_COROUTINE, CO_ITERABLE_COROUTINE
    from inspect import iscoroutinefunction  # slow to load, and most views are functions

    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
