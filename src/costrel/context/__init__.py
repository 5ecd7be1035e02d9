"""The contexts of an application and of a request, the one ContextVar behind them, and the proxies that read it.

From outside there are two stacks, as in Flask: one of application contexts, one of request contexts, and a context may
be removed from one whatever lies on the other. Inside, the ContextVar holds one value. During a request that is the
request's own context, which stands for both stacks at once.
"""

from __future__ import annotations

import functools
import sys
import typing as t
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from weakref import WeakSet

from ..http.errors import HTTPException
from ..messages.source import hot
from ..support.local import NAMES_OF_THE_PROXY, LocalProxy
from ..support.signals import appcontext_popped, appcontext_pushed
from .contracts import AppContract as AppContract
from .contracts import HeldContract, HooksContract, MountContract, ThreadsContract
from .contracts import InspectionContract as InspectionContract
from .contracts import TraceContract as TraceContract
from .contracts import TracingContract as TracingContract
from .outlook import Outlook as Outlook
from .outside import OUTSIDE_APP, OUTSIDE_REQUEST, OUTSIDE_WEBSOCKET, outside

if t.TYPE_CHECKING:
    from types import TracebackType

    from ..messages.request import Request
    from ..messages.response import Response
    from ..routing import MapAdapter, Rule

_NOTHING: t.Any = object()


class AppCtxGlobals:
    """The namespace behind ``g``: attributes, and the access of a dict."""

    if t.TYPE_CHECKING:  # any attribute may be set, and is of the type that the user knows

        def __getattr__(self, name: str) -> t.Any: ...
        def __setattr__(self, name: str, value: t.Any) -> None: ...
        def __delattr__(self, name: str) -> None: ...

    def get(self, name: str, default: t.Any = None) -> t.Any:
        """The attribute `name`, or `default` if it is not set."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: t.Any = _NOTHING) -> t.Any:
        """Remove and return `name`. Raises KeyError if it is not set and there is no default."""
        if default is _NOTHING:
            return self.__dict__.pop(name)
        return self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: t.Any = None) -> t.Any:
        """The attribute `name`, set to `default` first if it is missing."""
        return self.__dict__.setdefault(name, default)

    def __contains__(self, item: str) -> bool:
        return item in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        ctx = peek()
        return object.__repr__(self) if ctx is None else f"<flask.g of {ctx.app.name!r}>"


class Stacks(t.Protocol):
    """A value of the ContextVar: the top of both stacks."""

    @property
    def app_context(self) -> Context | None: ...
    @property
    def request_context(self) -> RequestContext | None: ...


class _Pair:
    """The tops of both stacks when one context does not stand for both."""

    __slots__ = ("app_context", "request_context")

    def __init__(self, app_context: Context | None, request_context: RequestContext | None) -> None:
        self.app_context = app_context
        self.request_context = request_context


def _top(app_context: Context | None, request_context: RequestContext | None) -> Stacks | None:
    """The value of the ContextVar for these tops of the two stacks."""
    if request_context is None or app_context is request_context:
        return app_context
    return _Pair(app_context, request_context)


_Entry: t.TypeAlias = "tuple[Stacks | None, _Pair | None, bool]"
"""One push: the ContextVar's value before it, the pair that it has set (None: the context itself), and whether it added
an application context."""


class Context:
    """A context with an application: the part that application contexts and request contexts share."""

    app: AppContract
    has_request = False
    """Whether this context has a request of its own."""
    on_loop = False
    """True while the steps of this request run on an event loop, where no blocking code may run."""
    holds = 0
    """The number of streams for which the teardown waits."""
    outlives = False
    """Whether something of this request follows its response: a stream that holds the context, or held functions."""
    held: HeldContract | None = None
    """The functions that wait for the end of the response, if there are any."""
    overridden: frozenset[str] = frozenset()
    """The stages of a request that the application replaces, as of the last push."""
    threads: ThreadsContract | None = None
    """The way to the worker threads, once a request has waited for something on an event loop."""
    is_kept = False
    """Whether the request has ended, and its context is current again for a test."""
    adapts = False
    """Whether the application's own `ensure_sync` has to adapt each function."""
    ends_variables = False
    """Whether the current context variables are dropped once this context has been left."""

    _g: AppCtxGlobals | None = None

    def __init__(self, app: AppContract) -> None:
        self.app = app
        self.entries: list[_Entry] = []
        """The pushes of this context that were not popped yet."""

    @property
    def app_context(self) -> Context:
        """The application context that this one is."""
        return self

    @property
    def request_context(self) -> RequestContext | None:
        """The request context that this one is, or None."""
        return None

    @property
    def stacks(self) -> Stacks:
        """The tops of both stacks as the first push has set them."""
        pair = self.entries[0][1] if self.entries else None
        return self if pair is None else pair

    @property
    def g(self) -> t.Any:
        """The namespace of this context, created on first use."""
        if self._g is None:
            self._g = self.app.app_ctx_globals_class()
        return self._g

    @g.setter
    def g(self, value: t.Any) -> None:
        self._g = value

    @property
    def url_adapter(self) -> MapAdapter | None:
        """The URL map bound to this context, or None if the application does not know its host."""
        adapter: MapAdapter | None = self.__dict__.get("_url_adapter", _NOTHING)
        if adapter is _NOTHING:
            adapter = self.__dict__["_url_adapter"] = self._bind_url_map()
        return adapter

    @url_adapter.setter
    def url_adapter(self, value: MapAdapter | None) -> None:
        self.__dict__["_url_adapter"] = value

    def _bind_url_map(self) -> MapAdapter | None:
        return self.app.create_url_adapter(None)

    def push(self) -> None:
        """Push this context. A request that is being handled stays the current one."""
        outer = _current.get()
        value = _top(self, None if outer is None else outer.request_context)
        self.entries.append((outer, value if isinstance(value, _Pair) else None, True))
        _current.set(value)
        self.overridden = self.app.overridden
        self.adapts = "ensure_sync" in self.overridden
        if appcontext_pushed.receivers:
            appcontext_pushed.send(self.app, _async_wrapper=self.app.ensure_sync)

    def pop(self, exc: BaseException | None = _NOTHING) -> None:
        """Remove this context from its stack; the last pop runs the teardown functions.

        :param exc: given to the teardown functions; the exception that is being handled if omitted.
        :raises AssertionError: if another context is the top of that stack.
        """
        self.app.end_context(self, sys.exc_info()[1] if exc is _NOTHING else exc)

    def leave(self) -> None:
        """Remove this context from its stack without running teardown functions.

        :raises AssertionError: as `pop`.
        """
        entries = self.entries
        if not entries:
            raise AssertionError(f"Popped a context that was not pushed, or was popped already: {self!r}.")
        found = _current.get()
        outer, pair, owns_app = entries.pop()
        if found is (self if pair is None else pair):
            if not self.ends_variables or entries or appcontext_popped.receivers:
                _current.set(outer)
            self.ends_variables = False  # it may be pushed again with other variables
        else:
            self._leave_out_of_order(found, outer, owns_app)
        if owns_app and appcontext_popped.receivers:
            appcontext_popped.send(self.app, _async_wrapper=self.app.ensure_sync)

    def _leave_out_of_order(self, found: Stacks | None, outer: Stacks | None, owns_app: bool) -> None:
        """Remove this context while the other stack is not as it was after the push."""
        app_context = request_context = None
        if found is not None:
            app_context, request_context = found.app_context, found.request_context
        outer_app = outer_request = None
        if outer is not None:
            outer_app, outer_request = outer.app_context, outer.request_context
        _current.set(
            _top(outer_app if owns_app else app_context, outer_request if self.has_request else request_context)
        )
        if self.has_request and request_context is not self:
            raise AssertionError(f"Popped wrong request context. ({request_context!r} instead of {self!r})")
        if owns_app and app_context is not self:
            raise AssertionError(f"Popped wrong app context. ({app_context!r} instead of {self!r})")

    def hold(self) -> None:
        """Make the teardown wait for one more `release`."""
        self.holds += 1
        self.outlives = True
        if self.entries:
            self.entries.insert(1, (*self.entries[0][:2], False))
        else:  # the request has ended, and its context variables were kept
            self.entries.append((None, None, True))

    def release(self, exc: BaseException | None) -> None:
        """End one `hold`; the last one runs the teardown functions with this error."""
        if not self.holds:
            return
        self.holds -= 1
        if len(self.entries) > 1:
            del self.entries[1]
        else:
            self.on_loop = False  # a stream is driven only in a place that may block
            self.app.end_context(self, exc)

    def drop_holds(self) -> None:
        """Stop waiting for streams."""
        del self.entries[1 : 1 + self.holds]
        self.holds = 0

    def drop_held(self) -> None:
        """Drop the functions that wait for the end of the response, since the request has failed."""
        if self.held is not None:
            self.held.fail()

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
    """A context with one request, and everything that is collected while the request is handled.

    :param environ: the WSGI environ or another source of the request.
    :param request: an existing request, as in a copy for another thread.
    :param session: an existing session, likewise.
    """

    has_request = True
    start_response: t.Any = None
    """The callable of a WSGI server that takes status and headers."""
    answer: t.Any = None
    """The response in the form that the edge hands to its server."""
    flashes: list[tuple[str, str]] | None = None
    websocket: t.Any = None
    """The connection, if the request asks for a WebSocket."""
    mount: MountContract | None = None
    """The mount that the request is for, if no rule matches it."""
    trace: TraceContract | None = None
    """The span of the request, if it is recorded."""
    sends_async = False
    """Whether the edge can send an asynchronous body."""
    session_failed = False
    """Whether saving the session raised an error, so that it is not tried again for the response to that error."""
    body_is_pending = False
    """Whether the request has a body that had not arrived when the edge began."""
    principals: Mapping[t.Any, object] | None = None
    """The principals by authentication scheme, if the view has authenticated the request."""
    hooks: HooksContract | None = None
    """The functions around the request, as its last stage has found them."""
    hooked_rule: Rule | None = None
    """The rule that the request had then."""
    requirement: object = None
    """The requirement of the view that the request has satisfied."""

    match_request: t.ClassVar[Callable[[RequestContext], None]]
    """Finds the rule for the request's path and method, or notes why there is none; set by ``app/matching.py``."""

    def __init__(
        self,
        app: AppContract,
        environ: dict[str, t.Any],
        request: Request | None = None,
        session: t.Any = None,
    ) -> None:
        # Set here since CPython finds an instance attribute sooner than a class attribute. PERF: page
        self.app = app
        self.entries = []
        self.on_loop = self.body_is_pending = self.outlives = self.ends_variables = False
        self.opens_early: bool | None = None
        self.outlook: Outlook | None = None
        """What the application replaces, as of the beginning of a push."""
        self._is_matched = request is not None
        self.request: t.Any = app.request_class(environ) if request is None else request
        self._opened = session
        self._after_request_functions: list[Callable[[t.Any], t.Any]] = []
        self._sharing: WeakSet[RequestContext] | None = None
        """The contexts that share the request and have not ended, if there are copies."""

    @property
    def request_context(self) -> RequestContext:
        return self

    def _bind_url_map(self) -> MapAdapter | None:
        try:
            return self.app.create_url_adapter(self.request)
        except HTTPException as error:
            self.request.routing_exception = error
            return None

    def copy(self) -> RequestContext:
        """The same request in a context for another greenlet or thread. It keeps the session.

        The files of the request stay open until both contexts have ended.
        """
        copied = type(self)(self.app, self.request.environ, request=self.request, session=self._opened)
        if self._sharing is None:
            self._sharing = WeakSet([self])
        self._sharing.add(copied)
        copied._sharing = self._sharing
        copied.principals = self.principals
        return copied

    @property
    def _session(self) -> t.Any:
        """The session, opened on first use, without marking it as accessed."""
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
        """The session of this request. Reading it marks it as accessed, so that the response varies by cookie."""
        session = self._opened
        if session is None:
            session = self._session
        session.accessed = True
        return session

    @session.setter
    def session(self, value: t.Any) -> None:
        self._opened = value

    def push(self) -> None:
        """Push this context, open a session whose interface expects that, and match the request.

        An application context of another application, or none, is followed by one that comes and goes with this
        request context.
        """
        app = self.app
        outer = _current.get()
        if outer is None or (app_context := outer.app_context) is None or app_context.app is not app:
            self.entries.append((outer, None, True))
            _current.set(self)
            if appcontext_pushed.receivers:
                appcontext_pushed.send(app, _async_wrapper=app.ensure_sync)
        else:
            value = _top(app_context, self)
            self.entries.append((outer, value if isinstance(value, _Pair) else None, False))
            _current.set(value)
        outlook = self.outlook
        if outlook is None:
            outlook = app.outlook
            self.outlook = outlook = outlook if outlook.is_current() else app.look_again()
        self.overridden = outlook.overridden
        self.adapts = outlook.adapts
        if self._opened is None:
            early = self.opens_early
            if early is None:
                early = outlook.early
                if early is None or outlook.attributes:
                    early = opens_early(app, outlook)
            if early:
                self._session  # noqa: B018 - read for its effect: a foreign interface expects to open early
        if not self._is_matched:
            self._is_matched = True
            self.match_request()
        self.outlook = None  # asked again by another push

    def refuse(self, error: HTTPException) -> None:
        """Answer the request, which has not been matched yet, with this error, as if no rule had matched."""
        self._is_matched = True
        self.request.routing_exception = error

    def close_request(self) -> None:
        """Close the files of the request and break its reference cycle with the environ.

        If copies of this context have not ended, or may still begin, the last one does it.
        """
        if self._sharing is not None:
            self._sharing.discard(self)
            if self._sharing:
                return
        request = self.request
        request.close()
        if hot(request._source, "werkzeug.request") is not None:
            request._release()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.request.url!r} [{self.request.method}] of {self.app.name}>"


def outlook_of(app: AppContract) -> Outlook:
    """What the application replaces at this moment."""
    outlook = app.outlook
    return outlook if outlook.is_current() else app.look_again()


_OPENING: t.Final = frozenset({"open_session", "opens_late", "save_session", "session_class"})
"""The attributes of a session interface that decide when it opens sessions."""


def opens_early(app: AppContract, outlook: Outlook | None = None) -> bool:
    """Whether the session interface opens the session of each request before the view, and may block."""
    if outlook is None:
        outlook = outlook_of(app)
    if outlook.early is None or not _OPENING.isdisjoint(outlook.attributes):
        return not getattr(app.session_interface, "opens_late", False)
    return outlook.early


_current: ContextVar[Stacks | None] = ContextVar("costrel.context", default=None)


def make_current(value: Stacks | None) -> Stacks | None:
    """Set the tops of both stacks, and return what they were."""
    found = _current.get()
    _current.set(value)
    return found


def peek() -> Context | None:
    """The current application context, or None. During a request that is the request's own context."""
    value = _current.get()
    return value if value is None or isinstance(value, Context) else value.app_context


def peek_request() -> RequestContext | None:
    """The current request context, or None."""
    value = _current.get()
    return value if value is None or isinstance(value, RequestContext) else value.request_context


def current(used: str | None = None) -> Context:
    """The current application context, for the proxy `used`. Raises RuntimeError outside of one.

    Extensions know it by its identity, and keep their resources for as long as it lasts.
    """
    ctx = peek()
    if ctx is None:
        raise outside(OUTSIDE_APP, used)
    return ctx


def requesting(used: str | None = None) -> RequestContext:
    """The current request context, for the proxy `used`. Raises RuntimeError outside of one."""
    ctx = _current.get()
    if not isinstance(ctx, RequestContext):
        ctx = None if ctx is None else ctx.request_context
        if ctx is None:
            raise outside(OUTSIDE_REQUEST, used)
    return ctx


def _current_session() -> t.Any:
    value = _current.get()
    return value.session if isinstance(value, RequestContext) else requesting("session").session


def _current_request() -> t.Any:
    return requesting("request").request


class _RequestProxy(LocalProxy[t.Any]):
    """The proxy `request`. It reads an attribute in one call, since views read so many. PERF: proxy_access"""

    __slots__ = ()

    def __getattribute__(self, name: str) -> t.Any:
        if name in NAMES_OF_THE_PROXY:
            return object.__getattribute__(self, name)
        ctx = _current.get()
        return getattr(ctx.request if ctx.__class__ is RequestContext else _current_request(), name)


_RequestProxy.__name__ = LocalProxy.__name__  # its repr is the same as for any proxy


def _current_app() -> t.Any:
    value = _current.get()
    return value.app if isinstance(value, Context) else current("current_app").app


def _current_g() -> t.Any:
    value = _current.get()
    return value.g if isinstance(value, Context) else current("g").g


def connected() -> t.Any:
    """The current WebSocket. Raises RuntimeError outside of one."""
    websocket = requesting("websocket").websocket
    if websocket is None:
        raise outside(OUTSIDE_WEBSOCKET, "websocket")
    return websocket


def has_request_context() -> bool:
    """Whether a request is being handled."""
    return peek_request() is not None


def has_app_context() -> bool:
    """Whether there is a current application."""
    return peek() is not None


def request_context_for(name: str) -> RequestContext:
    """The current request context, for the function `name`. Raises RuntimeError outside of one."""
    ctx = peek_request()
    if ctx is None:
        raise RuntimeError(f"{name!r} can only be used while a request is handled, for example in a view.")
    return ctx


def after_this_request(f: Callable[[Response], Response]) -> Callable[[Response], Response]:
    """Have `f` called with this request's response; it returns the response to send. For use as a decorator.

    :raises RuntimeError: outside of a request.
    """
    ctx = request_context_for("after_this_request")
    ctx._after_request_functions.append(f)
    return f


def copy_current_request_context(f: Callable[..., t.Any]) -> Callable[..., t.Any]:
    """Let `f` see the current request when it runs elsewhere: in a greenlet, a thread, an executor.

    :raises RuntimeError: outside of a request.
    """
    ctx = request_context_for("copy_current_request_context").copy()

    def in_context(*args: t.Any, **kwargs: t.Any) -> t.Any:
        with ctx:
            return ctx.app.ensure_sync(f)(*args, **kwargs)

    return functools.update_wrapper(in_context, f)


# Untyped here, since the classes behind them stand on higher floors; `globals.py` gives them their types.
current_app: t.Any = LocalProxy(_current_app)
g: t.Any = LocalProxy(_current_g)
app_ctx: t.Any = LocalProxy(lambda: current("app_ctx"))
request_ctx: t.Any = LocalProxy(lambda: requesting("request_ctx"))
request: t.Any = _RequestProxy(_current_request)
session: t.Any = LocalProxy(_current_session)
websocket: t.Any = LocalProxy(connected)
