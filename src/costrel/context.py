"""The one ContextVar, the one context object, and the few members that a context asks of its application."""

from __future__ import annotations

import functools
import sys
import typing as t
from collections.abc import Callable, Generator, Iterator
from contextvars import ContextVar

from .http.errors import HTTPException
from .support.local import LocalProxy
from .support.signals import appcontext_popped, appcontext_pushed

if t.TYPE_CHECKING:
    from datetime import timedelta
    from logging import Logger
    from types import TracebackType

    from jinja2 import Environment

    from .messages.request import Request
    from .messages.response import Response
    from .routing import Map, MapAdapter

OUTSIDE_APP = """Working outside of application context.

Something here needs to know its application: current_app, g, url_for, a command, an extension.
Run it inside a view or a command, or inside a block `with app.app_context(): ...`."""

OUTSIDE_REQUEST = """Working outside of request context.

Something here needs the request that is being handled: request, session, flash, a relative url_for.
Run it inside a view, or, in tests and shells, inside a block `with app.test_request_context("/"): ...`."""

OUTSIDE_WEBSOCKET = """Working outside of a WebSocket.

Something here needs the WebSocket that is being served: websocket.
Run it inside a view registered with 'websocket' and not with 'route', or inside a function of 'before_websocket'."""

_NOTHING: t.Any = object()

UNKNOWN_METHOD: t.Final = "--"

HOLDS: t.Final = "costrel.holds"
"""The key of an environ for a list that has something in it where a stream keeps the context of its request."""

MAX_KNOWN_HOSTS: t.Final = 1024
_well_formed_hosts: set[str | None] = set()
"""Host headers that were found to name a host; a client that makes up new ones has each of them looked at."""


class JSONContract(t.Protocol):
    """The JSON provider of an application, as the rooms below `app/` use it."""

    def dumps(self, obj: object, **kwargs: t.Any) -> str: ...
    def loads(self, s: str | bytes, **kwargs: t.Any) -> t.Any: ...
    def response(self, *args: object, **kwargs: object) -> Response: ...


class SessionInterfaceContract(t.Protocol):
    """The session interface of an application, as contexts and the lifecycle use it."""

    def open_session(self, app: t.Any, request: t.Any) -> t.Any: ...
    def save_session(self, app: t.Any, session: t.Any, response: t.Any) -> None: ...
    def is_null_session(self, obj: object) -> bool: ...
    def make_null_session(self, app: t.Any) -> t.Any: ...


class AppContract(t.Protocol):
    """An application as the rooms below `app/` know it: `Costrel` has all of these members."""

    testing: bool
    debug: bool
    secret_key: str | bytes | None
    subdomain_matching: bool

    @property
    def name(self) -> str: ...
    @property
    def import_name(self) -> str: ...
    @property
    def root_path(self) -> str: ...
    @property
    def instance_path(self) -> str: ...
    @property
    def config(self) -> dict[str, t.Any]: ...
    @property
    def logger(self) -> Logger: ...
    @property
    def json(self) -> JSONContract: ...
    @property
    def jinja_env(self) -> Environment: ...
    @property
    def permanent_session_lifetime(self) -> timedelta: ...
    @property
    def session_interface(self) -> SessionInterfaceContract: ...
    @property
    def url_map(self) -> Map: ...
    @property
    def view_functions(self) -> dict[str, Callable[..., t.Any]]: ...
    @property
    def extensions(self) -> dict[str, t.Any]: ...
    @property
    def app_ctx_globals_class(self) -> type[AppCtxGlobals]: ...
    @property
    def request_class(self) -> type[Request]: ...
    @property
    def response_class(self) -> type[Response]: ...
    @property
    def overridden(self) -> frozenset[str]: ...

    def app_context(self) -> Context: ...
    def create_url_adapter(self, request: t.Any) -> MapAdapter | None: ...
    def end_context(self, ctx: t.Any, exc: BaseException | None) -> None: ...
    def ensure_sync(self, func: Callable[..., t.Any]) -> Callable[..., t.Any]: ...
    def update_template_context(self, context: dict[str, t.Any]) -> None: ...


class AppCtxGlobals:
    """The namespace behind ``g``: attributes, and the access of a dict."""

    if t.TYPE_CHECKING:  # any attribute may be set, and is of the type that the user knows

        def __getattr__(self, name: str) -> t.Any: ...
        def __setattr__(self, name: str, value: t.Any) -> None: ...
        def __delattr__(self, name: str) -> None: ...

    def get(self, name: str, default: t.Any = None) -> t.Any:
        """The attribute `name`, or `default` where it is not set."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: t.Any = _NOTHING) -> t.Any:
        """Remove and return `name`; without a default a missing one raises KeyError."""
        if default is _NOTHING:
            return self.__dict__.pop(name)
        return self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: t.Any = None) -> t.Any:
        """The attribute `name`, set to `default` first where it is missing."""
        return self.__dict__.setdefault(name, default)

    def __contains__(self, item: str) -> bool:
        return item in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        ctx = _current.get()
        if ctx is not None:
            return f"<flask.g of {ctx.app.name!r}>"
        return object.__repr__(self)


class Context:
    """What the code that runs now belongs to: an application, and perhaps a request.

    Contexts nest. A request's context that is pushed inside another context of the same application shares its
    ``g``; a context without a request of its own leaves the outer request visible.
    """

    app: t.Any
    has_request = False
    """Whether this context has a request of its own."""
    on_loop = False
    """True while the steps of this request run on an event loop, where no blocking code may run."""

    holds = 0
    """How many streams the teardown waits for."""

    _g: t.Any = None
    _request_context: RequestContext | None = None

    def __init__(self, app: AppContract) -> None:
        self.app = app
        self.entries: list[tuple[Context | None, bool]] = []
        """For each push that was not popped yet: the context around it, and whether the application's came with it."""

    @property
    def g(self) -> t.Any:
        """The namespace of this context, made when it is first asked for."""
        if self._g is None:
            self._g = self.app.app_ctx_globals_class()
        return self._g

    @g.setter
    def g(self, value: t.Any) -> None:
        self._g = value

    @property
    def url_adapter(self) -> MapAdapter | None:
        """The URL map bound to this context, or None where the application does not know its host."""
        adapter: MapAdapter | None = self.__dict__.get("_url_adapter", _NOTHING)
        if adapter is _NOTHING:
            adapter = self.__dict__["_url_adapter"] = self._bind_url_map()
        return adapter

    @url_adapter.setter
    def url_adapter(self, value: MapAdapter | None) -> None:
        self.__dict__["_url_adapter"] = value

    def _bind_url_map(self) -> MapAdapter | None:
        adapter: MapAdapter | None = self.app.create_url_adapter(None)
        return adapter

    def push(self) -> None:
        """Make this the current context."""
        outer = _current.get()
        if outer is not None:
            self._inherit(outer)
        self.entries.append((outer, True))
        _current.set(self)
        if appcontext_pushed.receivers:
            appcontext_pushed.send(self.app, _async_wrapper=self.app.ensure_sync)

    def _inherit(self, outer: Context) -> None:
        self._request_context = outer._request_context

    def pop(self, exc: BaseException | None = _NOTHING) -> None:
        """Make the outer context current again; the last pop runs the teardown functions.

        Without `exc` they get the exception that is being handled. Raises AssertionError where another context is
        the current one.
        """
        self.app.end_context(self, sys.exc_info()[1] if exc is _NOTHING else exc)

    def leave(self) -> None:
        """Restore the outer context."""
        found = _current.get()
        if not self.entries:
            raise AssertionError(f"Popped a context that was not pushed, or was popped already: {self!r}.")
        outer, brought_app = self.entries.pop()
        if found is not self:
            raise AssertionError(f"Popped wrong context. ({found!r} instead of {self!r})")
        _current.set(outer)
        if brought_app and appcontext_popped.receivers:
            appcontext_popped.send(self.app, _async_wrapper=self.app.ensure_sync)

    def hold(self) -> None:
        """Have the teardown wait for one more `release`."""
        self.holds += 1
        if self.entries:
            self.entries.insert(1, (self.entries[0][0], False))
        else:  # the request has ended, and somebody has kept its context variables
            self.entries.append((None, True))

    def release(self, exc: BaseException | None) -> None:
        """What `hold` was for has ended, with this error: the last one runs the teardown functions."""
        if not self.holds:
            return
        self.holds -= 1
        if len(self.entries) > 1:
            del self.entries[1]
        else:
            self.on_loop = False  # whoever drives the stream does it where it may block
            self.app.end_context(self, exc)

    def drop_holds(self) -> None:
        """Wait for nothing any more."""
        del self.entries[1 : 1 + self.holds]
        self.holds = 0

    def __enter__(self) -> t.Self:
        self.push()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.pop(exc_value)


class AppContext(Context):
    """A context with an application and no request of its own: command lines, background work, tests."""


class RequestContext(Context):
    """A context with one request: what is made of an environ, and what its handling collects on the way.

    `request` and `session` are given where they exist already, as in a copy for another thread.
    """

    has_request = True
    start_response: t.Any = None
    """What the server of a WSGI edge gave, to be told status and headers."""
    answer: t.Any = None
    """What the edge has made of the response, for its server."""
    flashes: list[tuple[str, str]] | None = None
    websocket: t.Any = None
    """What the edge speaks through, where the request asks for a WebSocket."""

    def __init__(
        self,
        app: AppContract,
        environ: dict[str, t.Any],
        request: Request | None = None,
        session: t.Any = None,
    ) -> None:
        # The attributes of Context.__init__ once more: PERF: hello (one call fewer per request).
        self.app = app
        self.entries = []
        self.on_loop = False
        self._g = None
        self._is_matched = request is not None
        self.request: t.Any = app.request_class(environ) if request is None else request
        self._opened = session
        self._after_request_functions: list[Callable[[t.Any], t.Any]] = []

    @property
    def _request_context(self) -> RequestContext:  # type: ignore[override]  # an attribute where another one is kept
        return self  # kept as an attribute it would be a cycle, which only the garbage collector frees

    def _bind_url_map(self) -> MapAdapter | None:
        try:
            adapter: MapAdapter | None = self.app.create_url_adapter(self.request)
        except HTTPException as error:
            self.request.routing_exception = error
            return None
        return adapter

    def _inherit(self, outer: Context) -> None:
        pass

    def copy(self) -> RequestContext:
        """The same request in a context for another greenlet or thread. It keeps the session."""
        return type(self)(self.app, self.request.environ, request=self.request, session=self._opened)

    @property
    def _session(self) -> t.Any:
        """The session, opened when it is first needed, without marking it as accessed."""
        if self._opened is None:
            interface = self.app.session_interface
            session = interface.open_session(self.app, self.request)
            self._opened = interface.make_null_session(self.app) if session is None else session
        return self._opened

    @_session.setter
    def _session(self, value: t.Any) -> None:
        self._opened = value

    @property
    def session(self) -> t.Any:
        """The session of this request; reading it marks it as accessed, so that the response varies by cookie."""
        session = self._opened
        if session is None:
            session = self._session
        session.accessed = True
        return session

    @session.setter
    def session(self, value: t.Any) -> None:
        self._opened = value

    def match_request(self) -> None:
        """Find the rule for the request's path and method, or note why there is none."""
        request, app = self.request, self.app
        request.routing_exception = None  # PERF: hello. Found sooner there than in the class.
        try:
            environ = request.environ
            path = environ.get("PATH_INFO")
            # By path and method alone, unless the host, or the adapter's care, has a say.
            if (
                app.overridden
                or not path
                or app.subdomain_matching
                or app.config["TRUSTED_HOSTS"] is not None
                or "HTTP_UPGRADE" in environ
            ):
                hit = None
            else:
                if environ.get("HTTP_HOST") not in _well_formed_hosts:
                    self._check_host()
                if not path.isascii():
                    path = request.path
                method, url_map = environ["REQUEST_METHOD"], app.url_map
                hit = url_map.find(path, method) or url_map.search(path, method)
            if hit is None:
                adapter = self.url_adapter
                if adapter is None:
                    return
                hit = adapter.match(method=self._unknown_method(), return_rule=True)
            request.url_rule, request.view_args = hit
        except HTTPException as error:
            error.__context__ = None  # what was tried before: its traceback would keep this request, in a cycle
            request.routing_exception = error

    def _check_host(self) -> None:
        """Refuse what is no host; one that is gets known."""
        self.request.check_host()
        if len(_well_formed_hosts) < MAX_KNOWN_HOSTS:
            _well_formed_hosts.add(self.request.environ.get("HTTP_HOST"))

    def _unknown_method(self) -> str | None:
        """A name that no rule has, for a method that only looks like one of theirs; None for all others.

        "get" is not GET (RFC 9110 §9.1): a proxy in front that let it pass would have taken it for another method.
        """
        method: str = self.request.environ["REQUEST_METHOD"]
        if method == method.upper() or not self.app.config.get("METHOD_CASE_SENSITIVE"):
            return None
        self.request.method = method
        return UNKNOWN_METHOD

    def push(self) -> None:
        """Make this the current context, open a session that wants to be open, and match the request."""
        app = self.app
        outer = _current.get()
        owns_app = outer is None or outer.app is not app
        if not owns_app and self._g is None:
            self._g = outer.g  # type: ignore[union-attr]  # there is an outer one: it is of the same application
        self.entries.append((outer, owns_app))
        _current.set(self)
        if owns_app and appcontext_pushed.receivers:
            appcontext_pushed.send(app, _async_wrapper=app.ensure_sync)
        if self._opened is None and not getattr(app.session_interface, "opens_late", False):
            self._session  # noqa: B018 - read for its effect: a foreign interface expects to open early
        if not self._is_matched:
            self._is_matched = True
            self.match_request()

    def close_request(self) -> None:
        """Close the files of the request, and let go of it."""
        request = self.request
        request.close()
        # The environ refers to the request and the request to the environ: without this only the garbage
        # collector could free the two.
        request.environ["werkzeug.request"] = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.request.url!r} [{self.request.method}] of {self.app.name}>"


_current: ContextVar[Context | None] = ContextVar("costrel.context", default=None)


def peek() -> Context | None:
    """The current context, or None."""
    return _current.get()


def current() -> Context:
    """The current context. Raises RuntimeError outside of one."""
    ctx = _current.get()
    if ctx is None:
        raise RuntimeError(OUTSIDE_APP)
    return ctx


def application_context() -> Context:
    """The context that the current application came with. Raises RuntimeError outside of one.

    For a request inside a context of its application that is the outer one, whose ``g`` it shares: extensions keep
    what they open for as long as it lasts, and know it by its identity.
    """
    ctx = current()
    while ctx.entries and not ctx.entries[0][1]:
        ctx = t.cast(Context, ctx.entries[0][0])
    return ctx


def requesting() -> RequestContext:
    """The context of the current request. Raises RuntimeError outside of one."""
    ctx = _current.get()
    if ctx is None or ctx._request_context is None:
        raise RuntimeError(OUTSIDE_REQUEST)
    return ctx._request_context


def _current_session() -> t.Any:
    ctx = _current.get()
    if isinstance(ctx, RequestContext):  # PERF: session. As below
        return ctx.session
    return requesting().session


def _current_request() -> t.Any:
    ctx = _current.get()
    if isinstance(ctx, RequestContext):  # PERF: proxy_access. It need not be asked for the one around it
        return ctx.request
    return requesting().request


def _current_app() -> t.Any:
    ctx = _current.get()
    return current().app if ctx is None else ctx.app


def connected() -> t.Any:
    """The current WebSocket. Raises RuntimeError outside of one."""
    websocket = requesting().websocket
    if websocket is None:
        raise RuntimeError(OUTSIDE_WEBSOCKET)
    return websocket


def has_request_context() -> bool:
    """Whether a request is being handled here."""
    ctx = _current.get()
    return ctx is not None and ctx._request_context is not None


def has_app_context() -> bool:
    """Whether an application is current here."""
    return _current.get() is not None


def after_this_request(f: Callable[[Response], Response]) -> Callable[[Response], Response]:
    """Have `f` called with this request's response; it returns the response to send. For use as a decorator."""
    ctx = _request_context_for("after_this_request")
    ctx._after_request_functions.append(f)
    return f


def copy_current_request_context(f: Callable[..., t.Any]) -> Callable[..., t.Any]:
    """Let `f` see the current request when it runs elsewhere: in a greenlet, a thread, an executor."""
    ctx = _request_context_for("copy_current_request_context").copy()

    def in_context(*args: t.Any, **kwargs: t.Any) -> t.Any:
        with ctx:
            return ctx.app.ensure_sync(f)(*args, **kwargs)

    return functools.update_wrapper(in_context, f)


def stream_with_context(generator_or_function: t.Any) -> t.Any:
    """Keep the request's context until the generator that a view returns has ended.

    Takes an iterator, or decorates a function that returns one. The functions run on teardown wait for its end, unless
    what is answered in the end is no stream.
    """
    if not hasattr(generator_or_function, "__next__"):
        if not callable(generator_or_function):
            return stream_with_context(iter(generator_or_function))

        def decorator(*args: t.Any, **kwargs: t.Any) -> t.Any:
            return stream_with_context(generator_or_function(*args, **kwargs))

        return functools.update_wrapper(decorator, generator_or_function)
    ctx = _request_context_for("stream_with_context")
    ctx.request.environ.setdefault(HOLDS, []).append(True)
    stream = _stream_in(ctx, generator_or_function)
    next(stream)
    return stream


def _stream_in(ctx: RequestContext, items: Iterator[t.Any]) -> Generator[t.Any, None, None]:
    """The items, each made within `ctx`. Between them the context of whoever asks for them is current, as before."""
    ctx.hold()
    inside: Context | None = ctx
    error: BaseException | None = None
    try:
        try:
            yield None  # begun: the caller takes this item off before anyone else sees the generator
        except GeneratorExit:  # nobody has asked for an item, as after HEAD: that is no error
            return
        while True:
            outside = _current.get()
            _current.set(inside)
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                inside = _current.get()
                _current.set(outside)
            yield item
    except BaseException as caught:
        error = caught
        raise
    finally:
        outside = _current.get()
        _current.set(inside)
        try:
            close = getattr(items, "close", None)
            if close is not None:
                close()
        finally:
            _current.set(ctx)
            try:
                ctx.release(error)
            finally:
                _current.set(outside)
                error = None


def _request_context_for(name: str) -> RequestContext:
    ctx = _current.get()
    if ctx is None or ctx._request_context is None:
        raise RuntimeError(
            f"{name!r} can only be used while a request is handled, as in a view: it keeps hold of that request."
        )
    return ctx._request_context


# Untyped here, since the classes behind them stand on higher floors; `globals.py` gives them their types.
current_app: t.Any = LocalProxy(_current_app)
g: t.Any = LocalProxy(lambda: current().g)
app_ctx: t.Any = LocalProxy(application_context)
request_ctx: t.Any = LocalProxy(requesting)
request: t.Any = LocalProxy(_current_request)
session: t.Any = LocalProxy(_current_session)
websocket: t.Any = LocalProxy(connected)
